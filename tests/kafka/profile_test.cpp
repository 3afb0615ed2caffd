// Profiles: each version of Kafka that the model knows is a vector of switches. Each carries a small load through the
// death of a leader, comes to rest, and keeps what its options promise; and each differs where its version does.
#include <gtest/gtest.h>

#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

const char* const story = R"(
return scenario {
  title = "A leader dies under load",
  cluster = kafka { brokers = 3, controllers = 3, min_insync = 2 },
  topics = { orders = { partitions = 2, replicas = 3 } },
  clients = {
    producer "P" { topic = "orders", records = 60, every = ms(50), keys = 4, start_at = seconds(5), acks = "all", idempotence = true },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = { when(op "send ok" { nth = 20 }, kill "leader orders/0" { duration = seconds(20) }) },
  run_for = seconds(40),
  expect = { reaches "killed", reaches "leader_elected", reaches "isr_shrunk", reaches "isr_expanded",
             holds "lost-message", holds "duplicate", holds "fifo-violation" },
}
)";

class Profile : public ::testing::TestWithParam<const char*> {};

TEST_P(Profile, CarriesALoadThroughTheDeathOfALeader) {
  Models models;
  models.add(make_model());
  const Scenario s = load_scenario(story, "profile_test.lua", models);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const RunResult r = run_scenario(s, *models.find("kafka"), nullptr, {.seed = seed, .profile = GetParam()});
    EXPECT_EQ(r.deployment.profile, GetParam());
    EXPECT_TRUE(r.drained) << r.not_drained_because;
    for (const ExpectationResult& e : r.expectations) EXPECT_TRUE(e.met) << "seed " << seed << ": " << e.expectation.name << ": " << e.why;
    std::size_t sent = 0, read = 0;
    for (const Op& op : r.world->journal.ops) {
      sent += op.kind == OpKind::send && op.outcome == Outcome::ok;
      read += op.kind == OpKind::deliver && r.world->name(op.process) == "K";
    }
    EXPECT_EQ(sent, 60u) << "seed " << seed;
    EXPECT_EQ(read, 60u) << "seed " << seed;
  }
}

// The switches, as the versions had them.
TEST_P(Profile, IsTheVectorOfItsVersionsRules) {
  const std::string name = GetParam();
  const std::unique_ptr<Model> model = make_model();
  const Switches s = cluster_settings(options_of(*model, name, "cluster", {})).switches;
  const ProducerSettings p = producer_settings(options_of(*model, name, "producer", {}));
  const ConsumerSettings k = consumer_settings(options_of(*model, name, "consumer", {}));
  const bool has_kip101_only = name == "0.11", has_kip320 = name != "0.11", has_kraft = name == "3.9" || name == "4.3";
  EXPECT_EQ(s.truncation, has_kip101_only ? Truncation::kip101 : has_kraft ? Truncation::fetch : Truncation::kip279);
  EXPECT_EQ(s.fetch_epoch_check, has_kip320);
  EXPECT_EQ(s.isr_join, has_kip320 ? IsrJoin::leader_epoch_start : IsrJoin::high_watermark);
  EXPECT_EQ(s.hw_isr, has_kip320 ? HwIsr::maximal : HwIsr::eager);
  EXPECT_EQ(s.isr_broker_epoch, has_kraft) << "KIP-903";
  EXPECT_EQ(s.strict_min_isr, has_kraft) << "KAFKA-15583";
  EXPECT_EQ(s.elr, name == "4.3") << "KIP-966";
  EXPECT_EQ(k.position_validation, has_kip320);
  EXPECT_EQ(p.acks, has_kraft ? -1 : 1) << "KIP-679";
  EXPECT_EQ(p.idempotence, has_kraft) << "KIP-679";
  EXPECT_EQ(p.linger, name == "4.3" ? 5_ms : 0) << "KIP-1030";
  EXPECT_EQ(p.uniform_sticky, has_kraft) << "KIP-794";
}

INSTANTIATE_TEST_SUITE_P(Kafka, Profile, ::testing::Values("0.11", "2.x", "3.9", "4.3"), [](const auto& p) {
  std::string name = p.param;
  name.replace(name.find('.'), 1, "_");
  return name;
});

TEST(KafkaProfiles, AllThatAreDeclaredAreTestedHere) {
  const std::unique_ptr<Model> model = make_model();
  std::string names;
  for (const ProfileDecl& p : model->decl().profiles) names += p.name + " ";
  EXPECT_EQ(names, "4.3 3.9 2.x 0.11 ");
}

}  // namespace
}  // namespace mqlab::kafka::testing
