// What queues and streams hold, as told for drawing: each copy as its own node has it, and who reads it.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/model_parts.h"
#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/contents.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"
#include "tests/rabbitmq/broker_lab.h"

namespace mqlab::rabbitmq {
namespace {

// "1r 2u!": positions, r ready, u unacked, c committed, + uncommitted; ! redelivered.
std::string records(const PlaceContents& p) {
  std::string out;
  for (const RecordMoment& r : p.records) {
    const char letter = r.state == RecordState::ready ? 'r' : r.state == RecordState::unacked ? 'u' : r.state == RecordState::committed ? 'c' : '+';
    out += fmt::format("{}{}{}{}", out.empty() ? "" : " ", r.position, letter, r.attempts > 0 ? "!" : "");
  }
  return out;
}

TEST(RabbitContents, AClassicQueueTellsWhatIsReadyAndWhoHasTheRest) {
  BrokerLab lab;
  const auto ch = lab.channel();
  lab.declare(ch, "q");
  for (std::uint64_t n = 1; n <= 3; ++n) lab.publish(ch, "q", n, n != 2);
  lab.call(ch, Kind::basic_get, BasicGet{"q", false});
  Contents c = contents_of(lab.world);
  ASSERT_EQ(c.places.size(), 1U);
  EXPECT_EQ(c.places[0].place, "q");
  EXPECT_EQ(c.places[0].kind, "classic queue q");
  EXPECT_TRUE(c.places[0].queue);
  EXPECT_EQ(records(c.places[0]), "1u 2r 3r");
  EXPECT_EQ(c.places[0].records[0].holder, 1U) << "T";
  EXPECT_EQ(c.places[0].records[0].message, numbered_message(1, 1));
  EXPECT_EQ(c.places[0].records[1].text, "transient");
  EXPECT_EQ(c.places[0].end, 4);
  EXPECT_EQ(c.places[0].facts, "2 ready, 1 unacked, 0 consumers");
  // What a consumer had, and did not settle, comes again.
  lab.call(ch, Kind::channel_close, Close{});
  lab.let(20);
  EXPECT_EQ(records(contents_of(lab.world).places[0]), "1r! 2r 3r");
}

TEST(RabbitContents, OfADeadNodeItsFileIsTold) {
  BrokerLab lab("4.2", true);
  const auto ch = lab.channel(true);
  lab.declare(ch, "q");
  lab.publish(ch, "q", 1);
  lab.publish(ch, "q", 2, false);
  lab.let(100);
  lab.world.kill(0, false);
  lab.let(1);
  const Contents c = contents_of(lab.world);
  ASSERT_EQ(c.places.size(), 1U);
  EXPECT_EQ(c.places[0].role, "on disk");
  EXPECT_EQ(records(c.places[0]), "1+");
  EXPECT_TRUE(c.groups.empty());
}

struct Story {
  Models models;
  Scenario scenario;
  explicit Story(const std::string& topic, const std::string& faults = "", const std::string& profile = "4.2", const std::string& consumer = "") {
    models.add(make_model());
    scenario = load_scenario("return scenario { title = \"t\", cluster = rabbitmq { profile = \"" + profile + "\", brokers = 3 }, topics = { orders = { " + topic +
                                 " } }, clients = { producer \"P\" { topic = \"orders\", records = 60, every = ms(100), start_at = seconds(3) }, " +
                                 "consumer \"C1\" { topics = { \"orders\" }, group = \"g\", prefetch = 5, work = ms(300)" + consumer + " }, " +
                                 "consumer \"C2\" { topics = { \"orders\" }, group = \"g\", prefetch = 5, work = ms(300)" + consumer + " } }, faults = { " + faults +
                                 " }, run_for = seconds(30) }",
                             "t.lua", models);
  }
  // After every fiftieth event, what must always be so, and then `look`.
  template <class Look>
  void run(Look look) {
    Deployment d;
    const Model& model = *models.find("rabbitmq");
    const auto world = build_world(scenario, model, nullptr, {.seed = 1}, d);
    const auto& teller = dynamic_cast<const TellsContents&>(model);
    for (std::size_t n = 0; world->step(scenario.run_for); ++n) {
      if (n % 50 != 0) continue;
      const Contents c = teller.contents(*world);
      for (const PlaceContents& p : c.places) {
        ASSERT_LE(p.first, p.end);
        ASSERT_LE(p.records.size(), records_shown);
        std::int64_t before = p.first - 1;
        for (const RecordMoment& r : p.records) {
          ASSERT_GT(r.position, before) << p.kind;
          ASSERT_LT(r.position, p.end) << p.kind << " " << p.role;
          before = r.position;
        }
        for (const MarkerMoment& m : p.markers) {
          ASSERT_GE(m.position, 0);
          ASSERT_LE(m.position, p.end);
        }
      }
      for (const GroupContents& g : c.groups)
        for (const GroupProgress& p : g.progress) {
          ASSERT_LE(p.committed, p.end) << g.name;
        }
      look(*world, c);
    }
  }
};

TEST(RabbitContents, CompetingConsumersHoldUpToTheirPrefetch) {
  Story story("queue_type = \"classic\"");
  std::size_t most = 0;
  std::int64_t lag = 0;
  story.run([&](const World& w, const Contents& c) {
    ASSERT_EQ(c.places.size(), 1U);
    EXPECT_EQ(c.places[0].place, "orders/0");
    EXPECT_EQ(c.places[0].kind, "classic queue orders.g");
    std::size_t held = 0;
    for (const RecordMoment& r : c.places[0].records) {
      if (r.state != RecordState::unacked) continue;
      ++held;
      ASSERT_NE(r.holder, nobody);
      ASSERT_TRUE(w.name(r.holder) == "C1" || w.name(r.holder) == "C2");
    }
    most = std::max(most, held);
    ASSERT_EQ(c.groups.size(), 1U);
    EXPECT_EQ(c.groups[0].name, "g");
    EXPECT_EQ(c.groups[0].state, c.groups[0].members.empty() ? "nobody consumes" : "competing consumers");
    lag = std::max(lag, c.groups[0].progress[0].end - c.groups[0].progress[0].committed);
    if (c.groups[0].members.size() == 2 && held > 0) {
      EXPECT_EQ(c.groups[0].members[0].facts.rfind("prefetch 5, has ", 0), 0U) << c.groups[0].members[0].facts;
    }
  });
  EXPECT_EQ(most, 10U) << "two consumers with a prefetch of 5";
  EXPECT_GT(lag, 10);
}

TEST(RabbitContents, AQuorumQueueHasACopyOnEachMemberAndOneLeads) {
  Story story("queue_type = \"quorum\"", "at(seconds(5), kill \"B1\" {}), at(seconds(12), restart \"B1\" {})");
  std::size_t uncommitted = 0, down = 0, led = 0, complete = 0;
  story.run([&](const World& w, const Contents& c) {
    ASSERT_LE(c.places.size(), 3U);
    complete = std::max(complete, c.places.size());
    std::size_t leaders = 0;
    for (const PlaceContents& p : c.places) {
      leaders += p.leads;
      if (!w.running(p.node)) {
        ++down;
        EXPECT_EQ(p.role, "on disk");
      }
      for (const RecordMoment& r : p.records) uncommitted += r.state == RecordState::uncommitted;
    }
    ASSERT_LE(leaders, 2U) << "one that does not know yet, and its successor";
    led += leaders == 1;
  });
  EXPECT_EQ(complete, 3U);
  EXPECT_GT(uncommitted, 0U);
  EXPECT_GT(down, 0U);
  EXPECT_GT(led, 0U);
}

TEST(RabbitContents, AMirrorThatLacksSomethingSaysSo) {
  Story story("ha_mode = \"all\", ha_sync_mode = \"manual\"", "at(seconds(5), kill \"B2\" {}), at(seconds(6), restart \"B2\" {})", "3.13", ", start_at = seconds(20)");
  std::size_t mirrors = 0, lacks = 0;
  story.run([&](const World&, const Contents& c) {
    for (const PlaceContents& p : c.places) {
      mirrors += p.role == "mirror";
      lacks += p.facts.find("not synchronised: lacks") != std::string::npos;
    }
  });
  EXPECT_GT(mirrors, 0U);
  EXPECT_GT(lacks, 0U);
}

TEST(RabbitContents, AStreamKeepsWhatWasReadAndAGroupItsOffset) {
  Story story("queue_type = \"stream\"", "", "4.2", ", stream_offset = \"first\"");
  std::size_t shown = 0;
  std::int64_t stored = -1;
  story.run([&](const World&, const Contents& c) {
    for (const PlaceContents& p : c.places) {
      EXPECT_FALSE(p.queue);
      shown = std::max(shown, p.records.size());
    }
    for (const GroupContents& g : c.groups)
      for (const GroupProgress& p : g.progress) stored = std::max(stored, p.committed);
  });
  EXPECT_EQ(shown, 60U);
  EXPECT_GT(stored, 0);
}

}  // namespace
}  // namespace mqlab::rabbitmq
