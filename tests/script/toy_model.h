// A small model for the tests of scenarios and programs: one broker "B1" that keeps logs in memory and
// loses nothing, and clients that talk to it over a stream.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/lab/load.h"
#include "sim/lab/model.h"

namespace mqlab::toy {

enum Kind : MessageKind { produce, produced, fetch, fetched };

struct Body : Payload {
  CallId call{};
  std::uint32_t place{};
  std::uint32_t key{};
  MessageId message{};
  std::int64_t position = -1;
  std::vector<PolledMessage> messages{};
};

struct Broker : NodeBase<Broker> {
  std::map<std::uint32_t, std::vector<PolledMessage>> logs;

  void on_start(Context& c) override { c.mark("broker_up"); }
  void on_message(Context& c, const Message& m) override {
    const Body& in = payload_as<Body>(m.payload);
    Body out = in;
    auto& log = logs[in.place];
    if (m.kind == produce) {
      out.position = static_cast<std::int64_t>(log.size());
      log.push_back({in.place, in.key, in.message, out.position, 0, 0, no_op});
      c.reply(m, produced, make_payload<Body>(out));
    } else {
      for (auto i = static_cast<std::size_t>(std::max<std::int64_t>(0, in.position)); i < log.size(); ++i) out.messages.push_back(log[i]);
      c.reply(m, fetched, make_payload<Body>(out));
    }
  }
};

struct Client : ClientNodeBase<Client> {
  using ClientNodeBase::ClientNodeBase;
  ConnId connection = no_connection;
  std::map<std::uint32_t, std::int64_t> positions;  // place -> next to read
  std::map<CallId, Call> polls;
  bool idle = false;
  Rebalance news{};  // told with the next poll

  void on_start(Context& c) override { start_app(c); }
  void on_crash(const Crash&) override {
    connection = no_connection;
    polls.clear();
    positions.clear();
    crash_app();
  }
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override {
    if (app_timer(c, kind, argument)) return;
    for (const auto& [place, next] : positions) {
      Body b;
      b.call = argument;
      b.place = place;
      b.position = next;
      to_broker(c, fetch, b);
    }
    const auto it = polls.find(argument);
    if (it == polls.end()) return;
    if (!news.empty()) {
      polls.erase(it);
      Answer a;
      a.rebalance = std::move(news);
      news = {};
      return complete(c, argument, a);
    }
    if (c.now() >= it->second.timestamp) {
      polls.erase(it);
      complete(c, argument, {});
    } else {
      c.set_timer(5'000'000, 1, argument);
    }
  }
  void on_closed(Context& c, ConnId id, NodeId, CloseReason reason) override {
    if (!service_closed(c, id, reason)) connection = no_connection;
  }
  void on_message(Context& c, const Message& m) override {
    if (service_message(c, m)) return;
    const Body& in = payload_as<Body>(m.payload);
    if (m.kind == produced) {
      Answer a;
      a.position = in.position;
      a.place = in.place;
      complete(c, in.call, a);
      return;
    }
    idle = in.messages.empty();
    if (in.messages.empty() || !polls.count(in.call)) return;
    polls.erase(in.call);
    Answer a;
    a.messages = in.messages;
    positions[in.place] = in.messages.back().position + 1;
    complete(c, in.call, a);
  }
  void to_broker(Context& c, Kind kind, const Body& b) {
    if (!c.is_open(connection)) connection = c.connect(c.world().find("B1"), Traffic::client);
    c.send(connection, kind, make_payload<Body>(b));
  }
  void perform(Context& c, const Call& call) override {
    if (call.kind == CallKind::send) {
      Body b;
      b.call = call.id;
      b.place = c.names().id(c.names().text(call.place) + "/0");
      b.key = call.key;
      b.message = call.message;
      to_broker(c, produce, b);
    } else if (call.kind == CallKind::assign || call.kind == CallKind::seek) {
      std::string place = c.names().text(call.place);
      if (place.find('/') == std::string::npos) place += "/0";
      const auto id = c.names().id(place);
      positions[id] = std::max<std::int64_t>(0, call.position);
      if (call.kind == CallKind::assign) record_assignment(c, id, true, positions[id], op_flag::assigned);
      complete(c, call.id, {});
    } else if (call.kind == CallKind::subscribe || call.kind == CallKind::unsubscribe) {
      // A group of its own: it is given place 0 of each topic, and all is taken away at once.
      std::string topics = call.argument;
      for (const auto& [place, next] : positions) (call.kind == CallKind::subscribe ? news.revoked : news.lost).push_back(place);
      positions.clear();
      for (std::size_t comma = 0; !topics.empty(); topics.erase(0, comma == std::string::npos ? comma : comma + 1)) {
        comma = topics.find(',');
        positions[c.names().id(topics.substr(0, comma) + "/0")] = 0;
      }
      for (const auto& [place, next] : positions) news.assigned.push_back(place);
      complete(c, call.id, {});
    } else if (call.kind == CallKind::poll) {
      Call p = call;
      p.timestamp = c.now() + call.timeout;
      polls[call.id] = p;
      c.set_timer(0, 1, call.id);
    } else if (call.kind == CallKind::other) {
      Answer a;
      if (call.verb == "fail") a.outcome = Outcome::fail, a.error = c.names().id("NO:" + call.argument);
      complete(c, call.id, a);
    } else {
      Answer a;
      a.position = call.position;
      complete(c, call.id, a);
    }
  }
};

class ToyModel : public Model {
 public:
  const ModelDecl& decl() const override {
    using T = OptionType;
    static const ModelDecl d = [] {
      ModelDecl m;
      m.name = "toy";
      m.family = "log";
      m.sentence = "One broker that loses nothing.";
      m.default_profile = "2";
      m.profiles = {{"1", "the old one", {}, {}, {{"linger", std::int64_t{7'000'000}}}, {}}, {"2", "the new one"}};
      m.options = {
          {"brokers", "cluster", T::integer, std::int64_t{1}, "How many.", "", {}, 1, 1},
          {"partitions", "topic", T::integer, std::int64_t{1}, "How many.", "", {}, 1, 1'000'000'000},
          {"min_insync", "topic", T::integer, std::int64_t{1}, "The least.", "", {}, 1, 100},
          {"acks", "producer", T::choice, std::string("all"), "Which.", "", {"0", "1", "all"}},
          {"linger", "producer", T::duration, std::int64_t{5'000'000}, "How long.", "", {}, 0},
          {"group", "consumer", T::text, std::string(), "Whose.", "", {}},
      };
      m.roles = {{"broker", "Keeps logs."}};
      for (const char* call : {"send", "poll", "assign", "seek", "commit", "subscribe", "unsubscribe", "pause", "release", "reject", "ack", "fail", "echo"}) m.calls.push_back({call, "", ""});
      m.marks = {{"broker_up", "It began."}, {"leader_elected", "Never here."}};
      m.verbs = {{"elect", "place", "Does nothing."}};
      return m;
    }();
    return d;
  }
  std::optional<std::string> check(const Deployment&) const override { return std::nullopt; }
  void deploy(World& w, const Deployment& d) const override {
    w.declare_message({produce, "Produce", Traffic::client, nullptr});
    w.declare_message({produced, "Produced", Traffic::client, nullptr});
    w.declare_message({fetch, "Fetch", Traffic::client, nullptr});
    w.declare_message({fetched, "Fetched", Traffic::client, nullptr});
    NodeOptions o;
    o.name = "B1";
    o.role = "broker";
    w.add_node(std::make_unique<Broker>(), o);
    for (const ClientSpec& c : d.clients) {
      std::unique_ptr<App> app;
      if (c.app) app = c.app->clone();
      else if (c.role == "producer") app = std::make_unique<ProducerLoad>(c.options);
      else app = std::make_unique<ConsumerLoop>(c.options);
      NodeOptions n;
      n.name = c.name;
      n.role = c.role;
      n.zone = c.zone;
      w.add_node(std::make_unique<Client>(std::move(app)), n);
    }
  }
  NodeId add_reader(World& w, const Deployment& d, const std::string& name) const override {
    Options o = *profile_defaults(decl(), "2", "consumer");
    std::string topics;
    for (const TopicSpec& t : d.topics) topics += (topics.empty() ? "" : ",") + t.name;
    (void)o.set(all_options(decl()), "consumer", "topics", topics);
    (void)o.set(all_options(decl()), "consumer", "poll_timeout", std::int64_t{20'000'000});
    NodeOptions n;
    n.name = name;
    n.role = "consumer";
    return w.add_node(std::make_unique<Client>(std::make_unique<ConsumerLoop>(o)), n);
  }
  bool settled(const World& w) const override { return w.node_as<Client>(static_cast<NodeId>(w.node_count() - 1)).idle; }
  std::vector<Claim> claims(const Deployment&, const FaultSummary&) const override { return {}; }
};

inline Models models() {
  Models m;
  m.add(std::make_unique<ToyModel>());
  return m;
}

}  // namespace mqlab::toy
