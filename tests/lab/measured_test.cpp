// A value of a run, asked for in words: what it is, and what is said to words that fit nothing.
#include "sim/lab/measured.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "kit/models.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

// A run of the library, made once.
const RunResult& run(const std::string& name, const std::string& case_name) {
  struct Kept {
    Scenario scenario;
    RunResult result;
  };
  static std::map<std::string, std::unique_ptr<Kept>> all;
  auto& kept = all[name + case_name];
  if (!kept) {
    std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/scenarios/" + name + ".lua");
    std::stringstream text;
    text << in.rdbuf();
    kept = std::make_unique<Kept>();
    kept->scenario = load_scenario(text.str(), name, all_models());
    const ScenarioCase* found = nullptr;
    for (const ScenarioCase& c : kept->scenario.cases)
      if (c.name == case_name) found = &c;
    kept->result = run_scenario(kept->scenario, *all_models().find(kept->scenario.model), found, {.seed = kept->scenario.seed.value_or(1)});
  }
  return kept->result;
}
const RunResult& duplicate() { return run("museum/kafka/p01-retry-duplicate", "idempotence=false"); }
const RunResult& readers() { return run("lessons/two-readers", "every 5 s"); }

std::string of(const RunResult& r, const std::string& text) { return parse_measure(text).of(r).text(); }
std::string complaint(const std::function<void()>& f) {
  try {
    f();
  } catch (const MeasureError& e) {
    return e.what();
  }
  return "nothing was wrong";
}

TEST(Measured, ARetryThatBecameADuplicateIsSeenFromAllSides) {
  EXPECT_EQ(of(duplicate(), "verdict duplicate"), "violated");
  EXPECT_EQ(of(duplicate(), "count duplicate"), "1");
  EXPECT_EQ(of(duplicate(), "promised duplicate"), "no");
  EXPECT_EQ(of(duplicate(), "square duplicate"), "the expected price");
  EXPECT_EQ(of(duplicate(), "copies P1-4"), "2");
  EXPECT_EQ(of(duplicate(), "copies P1-3"), "1");
  EXPECT_EQ(of(duplicate(), "told P1-4"), "stored") << "it never hears of it";
  EXPECT_EQ(of(duplicate(), "deliveries C P1-4"), "2");
  EXPECT_EQ(of(duplicate(), "received P1-4 = 1"), "yes");
  EXPECT_EQ(of(duplicate(), "deliveries C - received C"), "1");
  EXPECT_EQ(of(duplicate(), "sent - acknowledged"), "0");
  EXPECT_EQ(of(duplicate(), "unsure + failed"), "0");
  EXPECT_EQ(of(duplicate(), "lost"), "0");
  EXPECT_EQ(of(duplicate(), "told P1-4 = stored"), "yes");
  EXPECT_EQ(of(duplicate(), "silence > 6 ms"), "yes");
}

TEST(Measured, GroupsAndMarksAreCounted) {
  EXPECT_EQ(of(readers(), "rounds readers"), "3");
  EXPECT_EQ(of(readers(), "deliveries readers - received readers"), of(readers(), "count duplicate-delivery"));
  EXPECT_EQ(of(readers(), "again"), of(readers(), "again readers"));
  EXPECT_EQ(of(readers(), "marks member_expired"), "1");
  EXPECT_EQ(of(readers(), "marks member_expired readers"), "1");
  EXPECT_EQ(of(readers(), "marks no_such_mark"), "0");
  EXPECT_EQ(of(readers(), "first no_such_mark"), "never");
  EXPECT_EQ(of(readers(), "first member_expired > 37 s"), "yes");
  EXPECT_EQ(of(readers(), "p50 <= p99"), "yes");
  EXPECT_EQ(of(readers(), "longest readers > 9 s"), "yes");
}

TEST(Measured, WhatTheRunHasNotIsSaidAndNotZero) {
  const auto ask = [](const char* text) { return complaint([&] { parse_measure(text).of(duplicate()); }); };
  EXPECT_EQ(ask("deliveries P2"), "nobody and nothing in this run is called `P2`; did you mean `B2`?");
  EXPECT_NE(ask("rounds readers").find("no group in this run is called `readers`"), std::string::npos);
  EXPECT_NE(ask("told something").find("no message of this run is called"), std::string::npos);
  EXPECT_EQ(ask("deliveries P1-999"), "nothing was wrong") << "a message that was never sent is a message";
  EXPECT_NE(ask("verdict duplicate + 1").find("is a word"), std::string::npos);
  EXPECT_NE(ask("events + p99").find("can't be added"), std::string::npos);
  EXPECT_NE(ask("p99 > 3").find("can't be compared"), std::string::npos);
  EXPECT_NE(ask("told P1-4 < stored").find("words are equal or they are not"), std::string::npos);
}

TEST(Measured, WordsThatFitNothingNameTheRemedy) {
  const auto parse = [](const char* text) { return complaint([&] { parse_measure(text); }); };
  EXPECT_EQ(parse("cuont duplicate"), "there is no measure `cuont`; did you mean `count`?");
  EXPECT_EQ(parse("count"), "`count` is asked as `count ANOMALY`");
  EXPECT_EQ(parse("count duplciate"), "there is no anomaly `duplciate`; did you mean `duplicate`?");
  EXPECT_EQ(parse("events now"), "`events` is of the whole run: nothing follows it");
  EXPECT_EQ(parse("events +"), "`events +` ends where a measure was to follow");
  EXPECT_EQ(parse("events > 3 > 4"), "`events > 3 > 4`: `+`, `-` or a comparison was expected before `>`");
  EXPECT_NE(parse("").find("what is to be measured?"), std::string::npos);
  EXPECT_NE(parse("deliveries \"C").find("nothing closes"), std::string::npos);
  EXPECT_EQ(parse("deliveries \"a name with blanks\""), "nothing was wrong");
  EXPECT_EQ(parse("p99 > 6 ms"), "nothing was wrong");
}

TEST(Measured, AChoiceFitsOrNotOrSaysNothing) {
  const Measured seven{Measured::Kind::count, 7, {}}, one{Measured::Kind::count, 1, {}}, nothing{}, ms{Measured::Kind::time, 6'200'000, {}}, never{Measured::Kind::time, -1, {}}, holds{Measured::Kind::word, 0, "holds"};
  EXPECT_EQ(fits("7", seven), true);
  EXPECT_EQ(fits("8", seven), false);
  EXPECT_EQ(fits("7..9", seven), true);
  EXPECT_EQ(fits("8..9", seven), false);
  EXPECT_EQ(fits("over 6", seven), true);
  EXPECT_EQ(fits("over 7", seven), false);
  EXPECT_EQ(fits("under 7", seven), false);
  EXPECT_EQ(fits("once", one), true);
  EXPECT_EQ(fits("twice", one), false);
  EXPECT_EQ(fits("none", nothing), true);
  EXPECT_EQ(fits("never", never), true);
  EXPECT_EQ(fits("under 1 s", never), false) << "what never happened was not fast";
  EXPECT_EQ(fits("6.2 ms", ms), true);
  EXPECT_EQ(fits("6 ms..7 ms", ms), true);
  EXPECT_EQ(fits("over 0", ms), true);
  EXPECT_EQ(fits("holds", holds), true);
  EXPECT_EQ(fits("violated", holds), false);
  EXPECT_EQ(fits("holds", seven), std::nullopt);
  EXPECT_EQ(fits("6 ms", seven), std::nullopt);
  EXPECT_EQ(fits("9..7", seven), std::nullopt);
  EXPECT_EQ(fits("", holds), std::nullopt);
}

// Whatever is typed: a measure, or a sentence that says why not. What was shown is a choice that fits.
RC_GTEST_PROP(Measured, AnyTextIsAnsweredAndWhatIsShownFits, ()) {
  static const std::vector<std::string> pieces = {"count", "duplicate", "deliveries", "P1", "C", "P1-4", "+", "-", ">", "=", "7", "6", "ms", "1s", "p99", "verdict", "\"", "events", "marks", " ", "told", "holds", "99999999999999999999"};
  std::string text;
  for (const std::string& p : *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(pieces))) text += p + (*rc::gen::arbitrary<bool>() ? " " : "");
  try {
    const Measured v = parse_measure(text).of(duplicate());
    RC_ASSERT(!v.text().empty());
    RC_ASSERT(fits(v.text(), v).value_or(false) || v.number < 0);
  } catch (const MeasureError& e) {
    RC_ASSERT(*e.what() != 0);
  }
}

}  // namespace
}  // namespace mqlab
