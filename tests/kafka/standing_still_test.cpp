// A member that stands still and goes on: what its application is told, and what it may still do.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/kafka/kafka.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"

namespace mqlab::kafka {
namespace {

constexpr Time second = 1'000'000'000;

// K1 and K2 have a partition each, with more in it than they can work on; something happens to K1 at 20 s. Rows and marks of K1 are what is asked about.
struct Story {
  Models models;
  RunResult result;
  NodeId k1 = nobody;

  Story(const std::string& protocol, const std::string& options, const std::string& fault) {
    models.add(make_model());
    const std::string member = fmt::format(R"({{ topics = {{ "t" }}, group = "g", auto_offset_reset = "earliest", session_timeout = seconds(10), {}, {} }})", protocol, options);
    const Scenario s = load_scenario(fmt::format(R"(return scenario {{
      cluster = kafka {{ brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, consumer_session_timeout = seconds(10), share_auto_offset_reset = "earliest" }},
      topics = {{ t = {{ partitions = 2 }} }},
      clients = {{ producer "P1" {{ topic = "t", records = 30000, every = ms(1), start_at = seconds(1) }}, consumer "K1" {}, consumer "K2" {} }},
      faults = {{ at(seconds(20), {}) }},
      run_for = seconds(150) }})", member, member, fault), "still.lua", models);
    result = run_scenario(s, *models.find("kafka"), nullptr, {});
    k1 = result.world->find("K1");
  }
  const Journal& journal() const { return result.world->journal; }
  std::size_t rows(OpKind kind, Time from, Time to) const {
    return static_cast<std::size_t>(std::count_if(journal().ops.begin(), journal().ops.end(), [&](const Op& o) { return o.process == k1 && o.kind == kind && o.time >= from && o.time < to; }));
  }
  // When K1 was first so marked; time_max: never.
  Time marked(std::string_view name) const {
    for (const Mark& m : journal().marks)
      if (m.node == k1 && journal().names.text(m.name) == name) return m.time;
    return time_max;
  }
  Time first(OpKind kind, Time from) const {
    for (const Op& o : journal().ops)
      if (o.process == k1 && o.kind == kind && o.time >= from) return o.time;
    return time_max;
  }
};

const std::vector<std::string> protocols{R"(assignors = "range")", R"(assignors = "cooperative-sticky")", R"(group_protocol = "consumer")"};

// KafkaConsumer.poll: the group comes first, and what was fetched after it. The commit that fails on the way tells the
// application no more than that it failed.
TEST(KafkaStandingStill, WhoIsPutOutIsHandedNothingMoreOfWhatItHad) {
  for (const std::string& protocol : protocols) {
    const Story s(protocol, R"(commit = "after", auto_commit = "off", max_poll_records = 10, work = ms(10))", R"(pause "K1" { duration = seconds(30) })");
    const Time resumed = 50 * second;
    const Time lost = s.first(OpKind::revoke, resumed);
    ASSERT_NE(lost, time_max) << protocol;
    EXPECT_LT(lost, resumed + 2 * second) << protocol;
    EXPECT_LE(s.rows(OpKind::deliver, resumed, lost), 10u) << protocol << ": no more than one poll, which was under way";
  }
}

// An application that stands still inside a poll is as silent as one that works too long: its library leaves the group.
TEST(KafkaStandingStill, ApplicationThatIsPausedInsideAPollTakesNothingAndLeaves) {
  std::vector<std::string> all = protocols;
  all.push_back(R"(group_protocol = "share")");
  for (const std::string& protocol : all) {
    const Story s(protocol, "max_poll_interval = seconds(15), work = 0", R"(pause_application { "K1", "K2", duration = seconds(40) })");
    EXPECT_GT(s.rows(OpKind::deliver, 5 * second, 20 * second) + s.rows(OpKind::deliver, 60 * second, 150 * second), 0u) << protocol;
    EXPECT_EQ(s.rows(OpKind::deliver, 20 * second + 1, 60 * second), 0u) << protocol;
    EXPECT_EQ(s.rows(OpKind::process, 20 * second + 1, 60 * second), 0u) << protocol;
    const Time left = s.marked("max_poll_interval_exceeded");
    EXPECT_GE(left, 34 * second) << protocol;
    EXPECT_LE(left, 36 * second) << protocol;
  }
}

// Answers wait for it, and none is lost.
TEST(KafkaStandingStill, ApplicationGoesOnWhereItStood) {
  for (const std::string& protocol : protocols) {
    const Story s(protocol, "work = 0", R"(pause_application { "K1", "K2", duration = seconds(10) })");
    EXPECT_EQ(s.marked("max_poll_interval_exceeded"), time_max) << protocol;
    EXPECT_TRUE(s.result.drained) << protocol << s.result.not_drained_because;
    for (const char* name : {"lost-message", "duplicate-delivery"}) EXPECT_EQ(s.result.verdict(name)->report.verdict, Verdict::holds) << protocol << name;
  }
}

}  // namespace
}  // namespace mqlab::kafka
