// What a real 3.10.8 did, the model does: recorded cases, carried out over a simulated connection.
#include <gtest/gtest.h>

#include <fstream>

#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/conformance.h"

namespace mqlab {
namespace {

ConformanceJson recorded(const char* file = "rabbitmq.json") {
  std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/tests/conformance/" + file);
  return ConformanceJson::parse(in);
}

Models rabbit() {
  Models m;
  m.add(rabbitmq::make_model());
  return m;
}

TEST(RabbitConformance, EachRecordedCaseIsMet) {
  for (const auto& [file, cases] : {std::pair{"rabbitmq.json", 53u}, std::pair{"rabbitmq-more.json", 42u}}) {
    const ConformanceReport r = run_conformance(recorded(file), rabbit(), {});
    EXPECT_EQ(r.passed, cases) << file;
    for (const ConformanceFailure& f : r.failures) ADD_FAILURE() << f.id << ": " << f.what << "\n  expected " << f.expected << "\n  got      " << f.got;
  }
}

// A comparison that cannot fail would be none: each observation of a case, changed, is noticed.
TEST(RabbitConformance, AChangedObservationIsNoticed) {
  ConformanceJson file = recorded();
  const ConformanceOptions one{{"rabbit-ack-02"}, {}, {}, {}, {}};
  for (auto& c : file["cases"])
    if (c.at("id") == "rabbit-ack-02") c["expected"][4] = ConformanceJson::array({"4", "2", "5"});
  const ConformanceReport r = run_conformance(file, rabbit(), one);
  ASSERT_EQ(r.failures.size(), 1u);
  EXPECT_EQ(r.passed, 0u);
  const ConformanceReport known = run_conformance(file, rabbit(), {{"rabbit-ack-02"}, {}, {}, {{"rabbit-ack-02", "as a test"}}, {}});
  EXPECT_EQ(known.known.size(), 1u);
  EXPECT_TRUE(known.failures.empty());
}

// The cases notice a rule that is broken: what comes back goes to the end of its queue.
TEST(RabbitConformance, AMessageThatLosesItsPlaceIsNoticed) {
  ConformanceOptions broken;
  broken.settings = {{"requeue_keeps_place", Value{false}}};
  EXPECT_GE(run_conformance(recorded(), rabbit(), broken).failures.size(), 5u);
  EXPECT_GE(run_conformance(recorded("rabbitmq-more.json"), rabbit(), broken).failures.size(), 2u);
  ConformanceOptions none;
  none.settings = {{"requeue_keeps", Value{false}}};
  EXPECT_THROW(run_conformance(recorded(), rabbit(), none), BadCase);
}

TEST(Conformance, MatchersAcceptWhatTheySayAndNothingElse) {
  const auto j = [](const char* text) { return ConformanceJson::parse(text); };
  EXPECT_FALSE(compare(j(R"({"$any":true})"), j("7")));
  EXPECT_FALSE(compare(j(R"({"$range":[1,3]})"), j("3")));
  EXPECT_TRUE(compare(j(R"({"$range":[1,3]})"), j("4")));
  EXPECT_TRUE(compare(j(R"({"$range":[1,3]})"), j("\"2\"")));
  EXPECT_FALSE(compare(j(R"({"$re":"^a+$"})"), j("\"aa\"")));
  EXPECT_TRUE(compare(j(R"({"$re":"^a+$"})"), j("\"ab\"")));
  EXPECT_FALSE(compare(j(R"({"$oneOf":[1,[2]]})"), j("[2]")));
  EXPECT_TRUE(compare(j(R"({"$oneOf":[1,[2]]})"), j("2")));
  EXPECT_FALSE(compare(j(R"({"$unordered":[1,{"$range":[5,9]},1]})"), j("[1,1,6]")));
  EXPECT_TRUE(compare(j(R"({"$unordered":[1,2]})"), j("[1,1]")));
  EXPECT_FALSE(compare(j(R"({"a":1,"b":[2,null]})"), j(R"({"b":[2,null],"a":1})")));
  EXPECT_EQ(compare(j(R"({"a":1})"), j(R"({"a":1,"b":2})"))->where, "b");
  EXPECT_EQ(compare(j(R"({"a":[1,2]})"), j(R"({"a":[1,3]})"))->where, "a[1]");
  EXPECT_TRUE(compare(j("[1]"), j("[1,2]")));
  EXPECT_THROW((void)compare(j(R"({"$other":1})"), j("1")), BadCase);
}

TEST(Conformance, WhatTheSystemChoseStandsUnderItsName) {
  Saved s;
  s.set("q", "amq.gen-1");
  EXPECT_EQ(s.filled_in(ConformanceJson::parse(R"({"queue":"${q}","n":[1,"x ${q}"]})")), ConformanceJson::parse(R"({"queue":"amq.gen-1","n":[1,"x amq.gen-1"]})"));
  EXPECT_EQ(s.by_name(ConformanceJson::parse(R"(["amq.gen-1","amq.gen-12"])")), ConformanceJson::parse(R"(["${q}","amq.gen-12"])"));
}

}  // namespace
}  // namespace mqlab
