// amplification and metastable-collapse: histories with a load that is told in a few numbers.
#include <gtest/gtest.h>

#include "tests/check/story.h"

namespace mqlab {
namespace {

constexpr Duration second = 1'000'000'000;

// So many messages a second from `from` to `to` (seconds): sent, answered when `answered`, delivered so often.
struct Stretch {
  int from, to, rate;
  bool answered;
  int copies;
};

Journal history(const std::vector<Stretch>& stretches) {
  Journal j;
  j.processes = {"P", "C"};
  const std::uint32_t place = j.names.id("orders/0"), reader = j.names.id("readers");
  std::uint64_t n = 0;
  const auto row = [&](Time t, NodeId who, OpKind kind, Outcome outcome, MessageId m, OpIndex of = no_op) {
    Op op;
    op.time = t;
    op.process = who;
    op.kind = kind;
    op.outcome = outcome;
    op.message = m;
    op.place = place;
    op.of = of;
    if (kind == OpKind::deliver) op.subscription = reader;
    j.ops.push_back(op);
    return j.ops.size() - 1;
  };
  for (const Stretch& s : stretches)
    for (int t = s.from; t < s.to; ++t)
      for (int i = 0; i < s.rate; ++i) {
        const MessageId m = numbered_message(0, ++n);
        const Time at = t * second + i * 1'000'000;
        const OpIndex sent = row(at, 0, OpKind::send, Outcome::invoke, m);
        if (s.answered) row(at, 0, OpKind::send, Outcome::ok, m, sent);
        for (int c = 0; c < s.copies; ++c) row(at, 1, OpKind::deliver, Outcome::ok, m);
      }
  return j;
}

Report judge(const Journal& j, const char* name, const CheckOptions& options = {}) {
  CheckSet checks({name}, options);
  checks.advance(j);
  return checks.report(j).at(0);
}

TEST(Load, IsServed) {
  const Journal j = history({{0, 200, 10, true, 1}});
  EXPECT_EQ(judge(j, "metastable-collapse").verdict, Verdict::holds);
  EXPECT_EQ(judge(j, "amplification").verdict, Verdict::holds);
}

TEST(Load, CollapsesWhenWorkIsDoneAndNobodyIsAnswered) {
  const Journal j = history({{0, 60, 10, true, 1}, {60, 150, 10, false, 2}});
  const Report r = judge(j, "metastable-collapse");
  ASSERT_EQ(r.verdict, Verdict::violated);
  EXPECT_EQ(r.count, 1u);
  EXPECT_EQ(r.worst[0].at / second, 119) << "sixty seconds after the last window that was served";
  EXPECT_EQ(r.worst[0].sentence,
            "for 60 s from 60 s on 0 of 600 messages were acknowledged, though more was served before and 600 deliveries in the second half show that the system works");
}

TEST(Load, ShorterThanTheBoundIsNoCollapse) {
  EXPECT_EQ(judge(history({{0, 60, 10, true, 1}, {60, 110, 10, false, 2}, {110, 200, 10, true, 1}}), "metastable-collapse").verdict, Verdict::holds);
  CheckOptions sooner;
  sooner.collapse_bound = 40 * second;
  EXPECT_EQ(judge(history({{0, 60, 10, true, 1}, {60, 110, 10, false, 2}, {110, 200, 10, true, 1}}), "metastable-collapse", sooner).verdict, Verdict::violated);
}

TEST(Load, ABreakBeginsAnew) {
  EXPECT_EQ(judge(history({{0, 60, 10, true, 1}, {60, 110, 10, false, 2}, {110, 120, 10, true, 1}, {120, 170, 10, false, 2}}), "metastable-collapse").verdict, Verdict::holds);
}

TEST(Load, AHigherOfferThanWasEverServedIsJustTooMuch) {
  EXPECT_EQ(judge(history({{0, 60, 10, true, 1}, {60, 150, 20, false, 2}}), "metastable-collapse").verdict, Verdict::holds);
}

TEST(Load, WhoDeliversNothingMayJustBeDown) {
  EXPECT_EQ(judge(history({{0, 60, 10, true, 1}, {60, 150, 10, false, 0}}), "metastable-collapse").verdict, Verdict::holds);
}

TEST(Load, WithoutMessagesNothingIsKnown) { EXPECT_EQ(judge(Journal{}, "metastable-collapse").verdict, Verdict::unknown); }

constexpr CheckOptions at_once{.unavailable_bound = 0};

TEST(Unavailable, TheLastSendsAreAcknowledgedNoMore) {
  const test::Story s("P send a orders\n P ok a orders/0\n P send b orders\n P info b orders/0\n P send c orders\n P send d orders\n drained");
  test::expect_violated(s, "unavailable", 6, {1, 2, 6},
                        "the last 3 sends to orders, from 0.002000 s on, were not acknowledged, the one before at 0.001000 s was", at_once);
  test::expect_holds(s, "unavailable");  // it may have been one connection
}

TEST(Unavailable, TwoAreTooFewAndOneThatGoesThroughEndsIt) {
  test::expect_holds(test::Story("P send a orders\n P info a orders\n P send b orders\n P info b orders\n drained"), "unavailable", at_once);
  const std::string three = "P send a orders\n P info a orders\n P send b orders\n P info b orders\n P send c orders\n P info c orders\n";
  test::expect_holds(test::Story(three + "Q send d orders/1\n Q ok d orders/1\n drained"), "unavailable", at_once);
  test::expect_unknown(test::Story(three), "unavailable", "the last sends were not acknowledged, and no drain says that all are well", at_once);
  // Refused for certain: whoever asked may be the one who is at fault.
  test::expect_holds(test::Story("P send a orders\n P fail a\n P send b orders\n P fail b\n P send c orders\n P fail c\n drained"), "unavailable", at_once);
}

TEST(Load, OneMessageThatGoesRound) {
  EXPECT_EQ(judge(history({{0, 1, 1, true, 30}}), "amplification").verdict, Verdict::holds);
  EXPECT_EQ(judge(history({{0, 1, 1, true, 31}}), "amplification").verdict, Verdict::violated);
}

TEST(Load, FourCopiesOfEachAreTooMany) {
  EXPECT_EQ(judge(history({{0, 60, 10, true, 3}}), "amplification").verdict, Verdict::holds);
  const Report r = judge(history({{0, 10, 10, true, 4}}), "amplification");
  ASSERT_EQ(r.verdict, Verdict::violated);
  EXPECT_EQ(r.worst[0].sentence, "readers got 37 messages within 9 ms, and only 10 different ones");
}

}  // namespace
}  // namespace mqlab
