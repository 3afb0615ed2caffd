// What a cluster's logs and groups are, as told for drawing: each broker's own words about its own copy.
#include <gtest/gtest.h>

#include <algorithm>

#include "models/kafka/model_parts.h"
#include "sim/lab/contents.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

const PlaceContents* copy(const Contents& c, const World& w, const std::string& node, const std::string& place = "t/0") {
  for (const PlaceContents& p : c.places)
    if (p.place == place && w.name(p.node) == node) return &p;
  return nullptr;
}
std::int64_t marker(const PlaceContents& p, const std::string& name) {
  for (const MarkerMoment& m : p.markers)
    if (m.name == name) return m.position;
  return -1;
}
// "0c 1c 2u": positions, and the first letter of what is known of each.
std::string records(const PlaceContents& p) {
  static constexpr const char* letters = "ucrUaox";  // in the order of RecordState; U unacked, x control
  std::string out;
  for (const RecordMoment& r : p.records) out += fmt::format("{}{}{}", out.empty() ? "" : " ", r.position, letters[static_cast<std::size_t>(r.state)]);
  return out;
}
Contents contents(const Lab& lab) { return dynamic_cast<const TellsContents&>(*lab.model).contents(lab.world); }

TEST(KafkaContents, ALeaderTellsWhatIsCommittedAndHowFarItsFollowersAre) {
  QuietFollowers lab;
  lab.append(3);
  lab.ask("B1", lab.fetch_as(2, 2, 0));
  lab.ask("B1", lab.fetch_as(3, 1, 0));
  const Contents c = contents(lab);
  const PlaceContents* leader = copy(c, lab.world, "B1");
  ASSERT_NE(leader, nullptr);
  EXPECT_TRUE(leader->leads);
  EXPECT_EQ(leader->role, "leader");
  EXPECT_EQ(leader->facts, "epoch 0, ISR {1,2,3}");
  EXPECT_EQ(records(*leader), "0c 1u 2u");
  EXPECT_EQ(marker(*leader, "HW"), 1);
  EXPECT_EQ(marker(*leader, "LEO"), 3);
  EXPECT_EQ(marker(*leader, "B2"), 2);
  EXPECT_EQ(marker(*leader, "B3"), 1);
  EXPECT_NE(leader->records[0].message, no_message);
  const PlaceContents* follower = copy(c, lab.world, "B2");
  ASSERT_NE(follower, nullptr);
  EXPECT_EQ(follower->role, "follower");
  EXPECT_FALSE(follower->leads);
  EXPECT_EQ(follower->end, 0) << "it hears nothing";
}

TEST(KafkaContents, OfADeadBrokerItsDiskIsToldAndNothingOfItIsCommitted) {
  Lab lab;
  lab.ask("B1", produce(-1));
  lab.run(1_s);
  ASSERT_EQ(records(*copy(contents(lab), lab.world, "B2")), "0c");
  lab.kill("B2");
  lab.run(1_ms);
  const Contents c = contents(lab);
  const PlaceContents* dead = copy(c, lab.world, "B2");
  ASSERT_NE(dead, nullptr);
  EXPECT_EQ(dead->role, "on disk");
  EXPECT_EQ(records(*dead), "0u");
  EXPECT_TRUE(dead->markers.empty());
}

TEST(KafkaContents, TransactionsAreOpenThenAbortedAndTheirMarkerIsAControlRecord) {
  Lab lab({.producer = {{"transactional_id", "tx"}, {"linger", "0"}}});
  const auto finish = [&](CallId id) { lab.run_until([&] { return !lab.client().answer(id).empty(); }, 10_s); };
  const auto call = [&](CallKind k) {
    Call c;
    c.kind = k;
    finish(lab.client().call(c));
  };
  call(CallKind::begin);
  finish(lab.client().send(1));
  lab.run(1_s);
  const Contents open = contents(lab);
  EXPECT_EQ(records(*copy(open, lab.world, "B1")), "0o");
  EXPECT_EQ(marker(*copy(open, lab.world, "B1"), "LSO"), 0);
  call(CallKind::end_abort);
  lab.run(1_s);
  const Contents aborted = contents(lab);
  const PlaceContents* p = copy(aborted, lab.world, "B1");
  EXPECT_EQ(records(*p), "0a 1x");
  EXPECT_EQ(p->records[1].text, "ABORT marker");
  EXPECT_EQ(marker(*p, "LSO"), -1) << "it is where the high watermark is";
}

// A whole run, looked at after every twentieth event: what is told fits together whatever happens.
struct Story {
  Models models;
  Scenario scenario;
  explicit Story(const std::string& text) {
    models.add(make_model());
    scenario = load_scenario(text, "t.lua", models);
  }
  template <class Look>
  void run(std::uint64_t seed, Look look, const ScenarioCase* c = nullptr) {
    Deployment d;
    const Model& model = *models.find("kafka");
    const auto world = build_world(scenario, model, c, {.seed = seed}, d);
    const auto& teller = dynamic_cast<const TellsContents&>(model);
    for (std::size_t n = 0; world->step(scenario.run_for); ++n)
      if (n % 20 == 0) look(*world, teller.contents(*world));
    look(*world, teller.contents(*world));
  }
};
constexpr const char* rough = R"lua(
return scenario { title = "t", cluster = kafka { brokers = 3, controllers = 1, min_insync = 1, unclean_election = true },
  topics = { orders = { partitions = 3, replicas = 3 } },
  clients = { producer "P" { topic = "orders", records = 200, every = ms(50), acks = "1" },
              consumer "K1" { topics = { "orders" }, group = "g", auto_offset_reset = "earliest" },
              consumer "K2" { topics = { "orders" }, group = "g", auto_offset_reset = "earliest" } },
  faults = { at(seconds(4), power "B1" {}), at(seconds(6), restart "B1" {}), at(seconds(7), isolate "B2" {}), at(seconds(9), heal()), at(seconds(9), kill "K1" {}) },
  run_for = seconds(20) }
)lua";

TEST(KafkaContents, WhatIsToldFitsTogetherAtEveryMoment) {
  std::size_t looked = 0, uncommitted = 0, on_disk = 0, owners = 0;
  for (const std::uint64_t seed : {1, 2, 3}) {
    Story story(rough);
    story.run(seed, [&](const World& w, const Contents& c) {
      ++looked;
      for (const PlaceContents& p : c.places) {
        ASSERT_LT(p.node, w.node_count());
        ASSERT_LE(p.first, p.end);
        ASSERT_LE(p.records.size(), records_shown);
        ASSERT_EQ(p.leads, p.role == "leader");
        on_disk += p.role == "on disk";
        const std::int64_t hw = marker(p, "HW");
        std::int64_t before = p.first - 1;
        for (const RecordMoment& r : p.records) {
          ASSERT_GT(r.position, before) << p.place;
          ASSERT_LT(r.position, p.end) << p.place;
          before = r.position;
          if (r.state == mqlab::RecordState::committed) {
            ASSERT_LT(r.position, hw);
          }
          if (r.state == mqlab::RecordState::uncommitted) {
            ASSERT_GE(r.position, hw);
            ++uncommitted;
          }
        }
        if (!p.records.empty()) {
          ASSERT_EQ(p.records.back().position, p.end - 1);
        }
      }
      for (const GroupContents& g : c.groups) {
        std::vector<std::string> owned;
        for (const GroupMember& m : g.members) owned.insert(owned.end(), m.places.begin(), m.places.end());
        owners += owned.size();
        std::sort(owned.begin(), owned.end());
        ASSERT_EQ(std::adjacent_find(owned.begin(), owned.end()), owned.end()) << "one place, two owners";
      }
    });
  }
  EXPECT_GT(looked, 100U);
  EXPECT_GT(uncommitted, 0U);
  EXPECT_GT(on_disk, 0U);
  EXPECT_GT(owners, 0U);
}

TEST(KafkaContents, AGroupHasItsMembersTheirPlacesAndItsLag) {
  Story story(rough);
  Contents last;
  story.run(1, [&](const World&, const Contents& c) { last = c; });
  ASSERT_EQ(last.groups.size(), 1U);
  const GroupContents& g = last.groups[0];
  EXPECT_EQ(g.name, "g");
  EXPECT_NE(g.state.find("generation"), std::string::npos) << g.state;
  ASSERT_EQ(g.progress.size(), 3U);
  EXPECT_EQ(g.progress[0].place, "orders/0");
  for (const GroupProgress& p : g.progress) EXPECT_LE(p.committed, p.end);
  // Its position stands on the lane of the leader.
  for (const PlaceContents& p : last.places)
    if (p.leads && p.place == "orders/0") {
      EXPECT_EQ(marker(p, "g"), g.progress[0].committed);
    }
}

TEST(KafkaContents, AShareGroupTellsWhoHoldsWhat) {
  Story story(R"lua(
return scenario { title = "t", cluster = kafka { brokers = 3, controllers = 1 }, topics = { orders = { partitions = 1, replicas = 3 } },
  clients = { producer "P" { topic = "orders", records = 30, every = ms(100) },
              consumer "S" { topics = { "orders" }, group = "g", group_protocol = "share", work = ms(500) } },
  run_for = seconds(20) })lua");
  std::size_t acquired = 0, windows = 0;
  story.run(1, [&](const World& w, const Contents& c) {
    for (const PlaceContents& p : c.places) {
      windows += marker(p, "g SPSO") >= 0;
      for (const RecordMoment& r : p.records)
        if (r.state == mqlab::RecordState::unacked) {
          ++acquired;
          ASSERT_NE(r.holder, nobody);
          ASSERT_EQ(w.name(r.holder), "S");
        }
    }
  });
  EXPECT_GT(windows, 0U);
  EXPECT_GT(acquired, 0U);
}

}  // namespace
}  // namespace mqlab::kafka::testing
