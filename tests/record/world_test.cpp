// What a real world writes down: the rules that readers and exports rely on hold for it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sim/record/causality.h"
#include "sim/record/event_text.h"
#include "sim/record/exporters.h"
#include "sim/record/history.h"
#include "sim/world/world.h"

using namespace mqlab;
using namespace mqlab::literals;

namespace {

constexpr MessageKind ping = 1, pong = 2;

struct Server : NodeBase<Server> {
  void on_message(Context& c, const Message& m) override {
    c.mark("served", "q");
    c.work(30_us);
    c.reply(m, pong, m.payload, 64, m.word);
  }
};

struct Client : NodeBase<Client> {
  NodeId server = 0;
  std::uint64_t sent = 0;
  OpIndex open = no_op;

  void on_start(Context& c) override { c.set_timer(1_ms, 1); }
  void on_timer(Context& c, TimerKind, std::uint64_t) override {
    // The first message waits for its connection, so it goes out in another event.
    c.send(c.connect(server, Traffic::client), ping, nullptr, 64, ++sent);
    open = c.record({.kind = OpKind::send, .outcome = Outcome::invoke, .place = c.names().id("q"), .message = numbered_message(c.self(), sent)});
  }
  void on_message(Context& c, const Message& m) override {
    if (open == no_op) return;
    c.record({.of = open, .kind = OpKind::send, .outcome = Outcome::ok, .place = c.names().id("q"), .message = numbered_message(c.self(), m.word),
              .position = static_cast<std::int64_t>(m.word)});
    open = no_op;
    if (sent < 5) c.set_timer(1_ms, 1);
  }
};

World played() {
  World w(7, {.trace = TraceLevel::full});
  w.declare_message({.kind = ping, .name = "Ping", .traffic = Traffic::client, .describe = nullptr});
  w.declare_message({.kind = pong, .name = "Pong", .traffic = Traffic::client, .describe = nullptr});
  w.add_node(std::make_unique<Server>(), {.name = "S"});
  w.add_node(std::make_unique<Client>(), {.name = "C"});
  w.run_until(1_s);
  return w;
}

}  // namespace

TEST(WorldRecord, EachPongComesFromItsPing) {
  const World w = played();
  const Causality c(w.journal);
  std::vector<EventId> pings, pongs;
  for (const Delivery& d : w.journal.deliveries) {
    if (!is_message(d.event)) continue;
    (d.event.type == ping ? pings : pongs).push_back(d.event.id);
    EXPECT_LE(sent_at(d), d.time);
    EXPECT_LT(d.time - sent_at(d), 1'000'000) << "a time of sending, not a time of something else";
  }
  ASSERT_EQ(pings.size(), 5U);
  ASSERT_EQ(pongs.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(c.happens_before(pings[i], pongs[i]));
    EXPECT_EQ(c.marks_of(pings[i]).size(), 1U);
    if (i > 0) {
      EXPECT_TRUE(c.happens_before(pongs[i - 1], pings[i]));
    }
  }
  // From the last pong back through all that made it happen, to the client's first timer.
  const std::vector<std::string> why = c.why(pongs[4], 1000);
  EXPECT_NE(why.front().find("C timer 1"), std::string::npos) << why.front();
  EXPECT_NE(why.back().find("S->C Pong"), std::string::npos) << why.back();
  EXPECT_GE(c.chain_of(pongs[4]).size(), 15U);
}

TEST(WorldRecord, TheHistoryComesBackAndTheTraceLoads) {
  const World w = played();
  Journal again;
  const auto error = read_history(history_text(w.journal, {.marks = true}), again);
  ASSERT_FALSE(error) << error->line << ": " << error->message;
  EXPECT_EQ(again.ops.size(), w.journal.ops.size());
  EXPECT_EQ(again.marks.size(), w.journal.marks.size());
  EXPECT_EQ(history_text(again, {.marks = true}), history_text(w.journal, {.marks = true}));
  for (const Exporter& e : exporters()) EXPECT_EQ(export_text(e, w.journal), export_text(e, played().journal)) << e.name;
  EXPECT_TRUE(nlohmann::json::accept(export_text(*find_exporter("chrome"), w.journal)));
}
