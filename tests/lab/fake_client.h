// tests/lab/fake_client.h: a client library that hands out what a story says, and writes down what it is asked.
//
// A story prepares the answers to polls; all else is answered ok after 1 ms, unless told otherwise. What the
// application asked, processed and did to the world outside is told as one text, a line each with its time. Message
// n of P1 has position n - 1 in its place.
//
//     Story s{{"group", "g"}, {"commit", "after"}, {"work", "10ms"}};
//     s.poll("orders/0 1 2").poll("revoked orders/0");
//     EXPECT_EQ(s.run(), "0 s subscribe orders\n...");
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sim/lab/load.h"

namespace mqlab::lab_test {

using namespace mqlab::literals;

struct FakeClient : ClientNodeBase<FakeClient> {
  using ClientNodeBase::ClientNodeBase;
  struct Scripted {
    Duration after{};  // since the poll was asked
    std::string says;  // "orders/0 1 2", "revoked orders/0", "error FENCED_INSTANCE_ID"
  };
  std::deque<Scripted> script{};
  std::deque<std::string> commit_errors{};  // of the next commits; "" = ok, "info" = unknown
  std::deque<std::string> send_errors{};
  Duration commit_takes = 1'000'000;
  bool tells_polls = false;
  std::string told{};
  std::size_t rows_told = 0;
  std::vector<Answer> answers{};
  bool polling = false;
  std::uint64_t overlapping = 0;  // polls asked while one was under way

  void tell(Context& c, const std::string& what) { told += format_duration(c.now()) + " " + what + "\n"; }
  // What the application did since, in its order.
  void tell_rows(Journal& j) {
    for (; rows_told < j.ops.size(); ++rows_told) {
      const Op& op = j.ops[rows_told];
      const std::string when = format_duration(op.time) + " ";
      if (op.kind == OpKind::process) told += when + (op.outcome == Outcome::ok ? "done " : "failed ") + j.message_name(op.message) + "\n";
      if (op.kind == OpKind::effect) told += when + j.names.text(op.place) + " " + j.message_name(op.message) + "\n";
    }
  }

  void on_start(Context& c) override { start_app(c); }
  void on_crash(const Crash&) override {
    crash_app();
    polling = false;
  }
  void on_message(Context& c, const Message& m) override { service_message(c, m); }
  void on_closed(Context& c, ConnId connection, NodeId, CloseReason reason) override { service_closed(c, connection, reason); }
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override {
    if (app_timer(c, kind, argument)) return tell_rows(c.world().journal);
    Answer a = std::move(answers[static_cast<std::size_t>(argument & 0xffffffff)]);
    const CallId call = a.call;
    if (argument >> 32) polling = false;
    complete(c, call, std::move(a));
    tell_rows(c.world().journal);
  }

  void later(Context& c, const Call& call, Answer a, Duration d) {
    a.call = call.id;
    answers.push_back(std::move(a));
    c.set_timer(d, 1, (answers.size() - 1) | (call.kind == CallKind::poll ? std::uint64_t{1} << 32 : 0));
  }

  Answer parse(Context& c, const std::string& says) {
    Answer a;
    std::istringstream in(says);
    std::string first, word;
    in >> first;
    if (first == "error") {
      in >> word;
      a.outcome = Outcome::fail;
      a.error = c.names().id(word);
      return a;
    }
    if (first == "revoked" || first == "lost" || first == "assigned") {
      auto& list = first == "revoked" ? a.rebalance.revoked : first == "lost" ? a.rebalance.lost : a.rebalance.assigned;
      while (in >> word) list.push_back(c.names().id(word));
      return a;
    }
    while (in >> word) {
      if (word.find('/') != std::string::npos) {
        first = word;
        continue;
      }
      PolledMessage m;
      m.place = c.names().id(first);
      m.key = c.names().id("k");
      m.message = numbered_message(c.world().find("P1"), std::stoull(word));
      m.position = std::stoll(word) - 1;
      a.messages.push_back(m);
    }
    return a;
  }

  void perform(Context& c, const Call& call) override {
    tell_rows(c.world().journal);
    const std::string place = call.place ? " " + c.names().text(call.place) : "";
    const std::string message = call.message == no_message ? "" : " " + c.world().journal.message_name(call.message);
    const auto result = [&](std::deque<std::string>& errors) {
      Answer a;
      a.position = call.position;
      if (errors.empty()) return a;
      if (!errors.front().empty()) {
        a.outcome = errors.front() == "info" ? Outcome::info : Outcome::fail;
        a.error = c.names().id(errors.front());
      }
      errors.pop_front();
      return a;
    };
    switch (call.kind) {
      case CallKind::poll:
        if (polling) ++overlapping;
        polling = true;
        if (tells_polls) tell(c, "poll" + (call.count ? " " + std::to_string(call.count) : std::string()));
        if (script.empty()) return later(c, call, {}, call.timeout);
        {
          const Scripted next = script.front();
          if (next.after > call.timeout) {
            script.front().after -= call.timeout;
            return later(c, call, {}, call.timeout);
          }
          script.pop_front();
          return later(c, call, parse(c, next.says), next.after);
        }
      case CallKind::commit:
        tell(c, (call.once ? "commit without waiting" : "commit") + place + " " + std::to_string(call.position));
        return later(c, call, result(commit_errors), commit_takes);
      case CallKind::send:
        tell(c, "send" + place + message);
        return later(c, call, result(send_errors), 1'000'000);
      case CallKind::subscribe: tell(c, "subscribe " + call.argument); break;
      case CallKind::assign: tell(c, "assign" + place + (call.position >= 0 ? " " + std::to_string(call.position) : std::string())); break;
      case CallKind::pause: tell(c, "pause" + place); break;
      case CallKind::resume: tell(c, "resume" + place); break;
      case CallKind::ack: tell(c, "ack" + message); break;
      case CallKind::release: tell(c, "release" + message); break;
      case CallKind::reject: tell(c, "reject" + message); break;
      case CallKind::other: tell(c, call.verb + " " + call.argument); break;
      default: tell(c, "?"); break;
    }
    later(c, call, {}, 0);
  }
};

class Story {
 public:
  struct Option {
    const char* name;
    const char* value;
  };
  Story(std::initializer_list<Option> set) : Story(std::vector<Option>(set)) {}
  Story(const Story&) = delete;
  explicit Story(const std::vector<Option>& set) : world(1) {
    auto decls = load_options();
    decls.push_back({"group", "consumer", OptionType::text, std::string(), "", "", {}});
    Options o = Options::defaults(decls, "consumer");
    const auto put = [&](const char* name, const char* value) {
      if (auto error = o.set_text(decls, "consumer", name, value)) ADD_FAILURE() << *error;
    };
    put("topics", "orders");
    put("poll_timeout", "1000s");
    for (const auto& [name, value] : set) put(name, value);
    complaint = check_consumer_loop(o).value_or("");
    world.add_node(std::make_unique<FakeClient>(nullptr), {.name = "P1", .role = "producer"});
    id = world.add_node(std::make_unique<FakeClient>(std::make_unique<ConsumerLoop>(o)), {.name = "C", .role = "consumer"});
  }
  FakeClient& client() { return world.node_as<FakeClient>(id); }
  const App& app() { return *client().app(); }
  Story& poll(const std::string& says, Duration after = 0) {
    client().script.push_back({after, says});
    return *this;
  }
  std::string run(Time until = 10_s) {
    world.run_until(until);
    client().tell_rows(world.journal);
    EXPECT_EQ(client().overlapping, 0u) << "one poll at a time";
    return client().told;
  }

  World world;
  NodeId id{};
  std::string complaint;
};

}  // namespace mqlab::lab_test
