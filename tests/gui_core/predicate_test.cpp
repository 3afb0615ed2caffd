// The language of what to run to: read, written, wrong, and what it means at a moment.
#include "gui/core/predicate.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <string>

#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;
using namespace testing;

Predicate read(const std::string& text) {
  const ReadPredicate r = read_predicate(text);
  EXPECT_TRUE(r.predicate) << text << ": " << r.complaint;
  return r.predicate.value_or(Predicate{});
}

std::string again(const std::string& text) { return read(text).text(); }

std::string complaint(const std::string& text) {
  const ReadPredicate r = read_predicate(text);
  EXPECT_FALSE(r.predicate) << text;
  return r.complaint;
}

TEST(Predicate, EachFormIsReadAndWritten) {
  for (const char* text : {"isr orders/0 < 3", "leo orders/0 on B2 = 12", "leader orders/0 = B2", "leader orders/0 = none", "leaders orders/0 > 1", "lag billing > 100", "lag billing orders/0 >= 9",
                           "members billing != 2", "state B1 = down", "waiting B1 > 10", "value B1 \"orders/0 > role\" = leader", "time > 15s", "not state B1 = running",
                           "isr a < 3 and isr b < 3", "isr a < 3 or isr b < 3 and time > 1ms", "(isr a < 3 or isr b < 3) and time > 1ms", "not (isr a < 3 or isr b < 3)", "lag \"my group\" > 1"})
    EXPECT_EQ(again(text), text);
}

TEST(Predicate, BlanksCaseAndDoubleEqualsDoNotMatter) {
  EXPECT_EQ(again("  ISR orders/0<3 AND  Leader orders/0==B2 "), "isr orders/0 < 3 and leader orders/0 = B2");
  EXPECT_EQ(again("((state B1=DOWN))"), "state B1 = down");
  EXPECT_EQ(again("time>1500ms"), "time > 1.5s");
}

TEST(Predicate, AndBindsCloserThanOr) {
  const Predicate p = read("time > 1s or time > 2s and time > 3s");
  ASSERT_EQ(p.kind, Predicate::Kind::any);
  ASSERT_EQ(p.parts.size(), 2U);
  EXPECT_EQ(p.parts[1].kind, Predicate::Kind::all);
  EXPECT_EQ(read("time > 1s and (time > 2s and time > 3s)"), read("time > 1s and time > 2s and time > 3s"));
}

TEST(Predicate, WhatIsWrongNamesThePlaceAndTheRemedy) {
  EXPECT_EQ(complaint(""), "at the end: a comparison was expected, as `isr orders/0 < 3`, `lag billing > 100` or `state B1 = down`");
  EXPECT_EQ(complaint("lag billing"), "at the end: `lag` is compared with nothing: one of = != < <= > >= was expected");
  EXPECT_EQ(complaint("lag billing > many"), "at 15: `many` is no whole number");
  EXPECT_EQ(complaint("lag > 100"), "at 5: `lag` wants the name of a group");
  EXPECT_EQ(complaint("state B1 = dwon"), "at 12: `dwon` is no state of a node: running, down or paused was expected; did you mean `down`?");
  EXPECT_EQ(complaint("leader orders/0 < B2"), "at 17: `leader` is compared by = or != only");
  EXPECT_EQ(complaint("(time > 1s"), "at 1: this parenthesis is not closed");
  EXPECT_EQ(complaint("time > 1s)"), "at 10: this parenthesis closes nothing");
  EXPECT_EQ(complaint("time > 1s time > 2s"), "at 11: `time` follows a whole comparison: `and` or `or` was expected, or the end");
  EXPECT_EQ(complaint("time > 1s, time > 2s"), "at 10: a comma joins nothing: `and` or `or` was expected");
  EXPECT_EQ(complaint("time > soon"), "at 8: `soon` is no time: 15s or 130ms was expected");
  EXPECT_EQ(complaint("lag \"my group > 3"), "at 5: a quote is not closed");
  EXPECT_EQ(complaint("isr orders/0 ! 3"), "at 14: `!` alone compares nothing: != was expected, or the word not");
  EXPECT_EQ(complaint("value B1 \"a > b\" < leader"), "at 20: `leader` is no whole number: words are only equal or not");
}

TEST(Predicate, DepthHasABound) { EXPECT_NE(complaint(std::string(5'000, '(')).find("too deep"), std::string::npos); }

// --- meaning ---

Moment a_moment() {
  Moment m;
  m.time = 10_s;
  m.nodes = {node("B1", "broker"), node("B2", "broker"), node("B3", "broker", false), node("C", "consumer", true, true)};
  m.nodes[0].backlog = 4;
  m.nodes[0].state = Tree{"B1", "broker", {Tree{"orders/0", "", {Tree{"role", "leader", {}}, Tree{"epoch", "7", {}}}}}};
  PlaceContents a;
  a.place = "orders/0";
  a.node = 0;
  a.role = "leader";
  a.leads = true;
  a.numbers = {{"isr", 2}, {"leo", 12}, {"epoch", 7}};
  PlaceContents b = a;
  b.node = 1;
  b.leads = false;
  b.role = "follower";
  b.numbers = {{"leo", 9}, {"epoch", 7}};
  PlaceContents dead = a;  // still believes that it leads
  dead.node = 2;
  dead.numbers = {{"isr", 3}, {"leo", 40}, {"epoch", 9}};
  PlaceContents q;
  q.place = "jobs/0";
  q.kind = "quorum queue jobs.g";
  q.queue = true;
  q.node = 1;
  q.leads = true;
  q.role = "leader";
  q.numbers = {{"backlog", 51}};
  m.places = {a, b, dead, q};
  GroupContents g;
  g.name = "billing";
  g.members = {{"C", {}, {}}};
  g.progress = {{"orders/0", 3, 10}, {"orders/1", 5, 6}, {"orders/2", -1, 99}};
  m.groups = {g};
  return m;
}

TEST(Predicate, MeansWhatItSays) {
  const Moment m = a_moment();
  const auto is = [&](const char* text) { return holds(read(text), m); };
  EXPECT_TRUE(is("isr orders/0 < 3"));
  EXPECT_TRUE(is("isr orders/0 = 2")) << "a leader that is down is not asked";
  EXPECT_FALSE(is("isr orders/0 > 2"));
  EXPECT_TRUE(is("leo orders/0 on B2 = 9"));
  EXPECT_TRUE(is("leo orders/0 >= 12"));
  EXPECT_TRUE(is("backlog jobs.g > 50")) << "a queue goes by its own name";
  EXPECT_TRUE(is("backlog jobs/0 > 50"));
  EXPECT_TRUE(is("leader orders/0 = B1"));
  EXPECT_TRUE(is("leader orders/0 != B2"));
  EXPECT_FALSE(is("leader orders/0 = B3"));
  EXPECT_FALSE(is("leader orders/0 = none"));
  EXPECT_TRUE(is("leaders orders/0 = 1"));
  EXPECT_TRUE(is("lag billing = 8")) << "where it has told a position";
  EXPECT_TRUE(is("lag billing orders/0 = 7"));
  EXPECT_TRUE(is("members billing < 2"));
  EXPECT_TRUE(is("state B3 = down"));
  EXPECT_TRUE(is("state C = paused"));
  EXPECT_TRUE(is("state B1 != down"));
  EXPECT_TRUE(is("waiting B1 > 3"));
  EXPECT_TRUE(is("value B1 \"orders/0 > role\" = leader"));
  EXPECT_TRUE(is("value B1 \"orders/0 > epoch\" > 6"));
  EXPECT_TRUE(is("time > 9s and not time > 11s"));
  EXPECT_TRUE(is("time > 11s or state B3 = down"));
}

// What each sign says of a number below, at and above the one that is there, for all that is a number.
TEST(Predicate, EachComparisonIsWhatItsSignSays) {
  struct Sign {
    const char* text;
    bool of_less, of_same, of_more;  // whether `n sign x` holds for x below, at and above n
  };
  const Sign signs[] = {{"=", false, true, false}, {"!=", true, false, true}, {"<", false, false, true}, {"<=", false, true, true}, {">", true, false, false}, {">=", true, true, false}};
  const Moment m = a_moment();
  const std::pair<const char*, std::int64_t> numbers[] = {{"isr orders/0", 2},         {"leo orders/0 on B2", 9},         {"leaders orders/0", 1}, {"lag billing", 8},
                                                           {"lag billing orders/1", 1}, {"members billing", 1},            {"waiting B1", 4},       {"value B1 \"orders/0 > epoch\"", 7},
                                                           {"time", 10'000}};
  for (const auto& [what, n] : numbers)
    for (const Sign& sign : signs)
      for (const auto& [x, holds_there] : {std::pair(n - 1, sign.of_less), {n, sign.of_same}, {n + 1, sign.of_more}}) {
        const std::string text = std::string(what) + " " + sign.text + " " + std::to_string(x) + (std::string(what) == "time" ? "ms" : "");
        EXPECT_EQ(holds(read(text), m), holds_there) << text;
      }
}

// "10" is more than "9", though not as words; and words that are no numbers are equal or not.
TEST(Predicate, WordsAreEqualOrNot) {
  const Moment m = a_moment();
  const auto is = [&](const char* text) { return holds(read(text), m); };
  EXPECT_FALSE(is("value B1 \"orders/0 > epoch\" > 10"));
  EXPECT_TRUE(is("value B1 \"orders/0 > epoch\" = 07")) << "as numbers";
  EXPECT_FALSE(is("value B1 \"orders/0 > role\" = follower"));
  EXPECT_TRUE(is("value B1 \"orders/0 > role\" != follower"));
  EXPECT_FALSE(is("value B1 \"orders/0 > role\" != leader"));
  EXPECT_FALSE(is("value B1 \"orders/0 > role\" < 3")) << "a word is less than no number";
  EXPECT_FALSE(is("state B1 = down"));
  EXPECT_FALSE(is("state B1 != running"));
  EXPECT_FALSE(is("state C = running")) << "it stands still";
  EXPECT_FALSE(is("state B3 != down"));
  EXPECT_FALSE(is("leader orders/0 != B1"));
  EXPECT_TRUE(is("leader orders/0 != none"));
  EXPECT_FALSE(is("leader orders/0 = B2"));
}

TEST(Predicate, AllOfThemAnyOfThemNoneOfThem) {
  const Moment m = a_moment();
  const auto is = [&](const char* text) { return holds(read(text), m); };
  for (const bool a : {false, true})
    for (const bool b : {false, true}) {
      const std::string left = a ? "time > 1s" : "time > 99s", right = b ? "isr orders/0 = 2" : "isr orders/0 = 3";
      EXPECT_EQ(is((left + " and " + right).c_str()), a && b) << a << b;
      EXPECT_EQ(is((left + " or " + right).c_str()), a || b) << a << b;
      EXPECT_EQ(is(("not " + left + " or " + right).c_str()), !a || b) << a << b;
      EXPECT_EQ(is(("not (" + left + " or " + right + ")").c_str()), !a && !b) << a << b;
    }
}

// After an election both believe that they lead: the later epoch is asked, wherever it stands in the list.
TEST(Predicate, OfTwoWhoLeadTheLaterEpochIsAsked) {
  for (const bool late_first : {false, true}) {
    Moment m = a_moment();
    m.places[1].leads = true;
    m.places[1].numbers = {{"isr", 1}, {"epoch", 8}};
    if (late_first) std::swap(m.places[0], m.places[1]);
    EXPECT_TRUE(holds(read("isr orders/0 = 1"), m));
    EXPECT_TRUE(holds(read("leaders orders/0 = 2"), m));
    EXPECT_TRUE(holds(read("leader orders/0 = B1 and leader orders/0 = B2"), m));
    EXPECT_FALSE(holds(read("leader orders/0 != B2"), m));
  }
}

TEST(Predicate, WhatIsNotThereIsNothingWhateverItIsComparedWith) {
  const Moment m = a_moment();
  for (const char* text : {"isr orders/9 != 3", "isr orders/0 on B2 != 3", "nothing orders/0 != 3", "leader orders/9 != B1", "leader orders/9 = none", "leaders orders/9 = 0", "lag nobody < 9", "lag nobody != 9",
                           "lag billing orders/2 >= 0", "members nobody = 0", "state B9 != down", "waiting B9 >= 0", "value B1 \"orders/0 > size\" != 3", "value B9 \"a\" != b"})
    EXPECT_FALSE(holds(read(text), m)) << text;
  EXPECT_TRUE(holds(read("not isr orders/9 != 3"), m));
}

TEST(Predicate, NobodyLeadsWhenTheLeaderIsDown) {
  Moment m = a_moment();
  m.nodes[0].running = false;
  EXPECT_TRUE(holds(read("leader orders/0 = none"), m));
  EXPECT_FALSE(holds(read("leader orders/0 != none"), m));
  EXPECT_FALSE(holds(read("leader orders/0 != B2"), m));
  EXPECT_TRUE(holds(read("leaders orders/0 < 1"), m));
  EXPECT_FALSE(holds(read("isr orders/0 < 3"), m));
}

// --- words of a run ---

TEST(Predicate, WhatTheRunDoesNotKnowIsToldWithWhatItKnows) {
  const Vocabulary v = vocabulary_of(*recorded("showcase.lua").recording);
  const auto wrong = [&](const char* text) { return unknown_word(read(text), v); };
  EXPECT_EQ(wrong("isr orders/0 < 3 and state B1 = down"), "");
  EXPECT_EQ(wrong("leader orders/0 = none"), "");
  EXPECT_NE(wrong("isr order/0 < 3").find("did you mean `orders/0`?"), std::string::npos) << wrong("isr order/0 < 3");
  EXPECT_NE(wrong("irs orders/0 < 3").find("did you mean `isr`?"), std::string::npos) << wrong("irs orders/0 < 3");
  EXPECT_NE(wrong("state B11 = down").find("`B11` is no node of this run; there are "), std::string::npos);
  EXPECT_NE(wrong("leader orders/0 = B7").find("no node"), std::string::npos);
  EXPECT_NE(wrong("lag nobody > 3").find("`nobody` is no group"), std::string::npos);
  for (const std::string& s : v.sentences) {
    EXPECT_EQ(again(s), s);
    EXPECT_EQ(wrong(s.c_str()), "") << s;
  }
  EXPECT_NE(std::find_if(v.sentences.begin(), v.sentences.end(), [](const std::string& s) { return s.rfind("isr orders/0 = ", 0) == 0; }), v.sentences.end());
}

TEST(Predicate, BothModelsTellWhatTheirFieldCallsIt) {
  const Vocabulary kafka = vocabulary_of(*recorded("museum/kafka/p01-retry-duplicate.lua").recording);
  for (const char* n : {"epoch", "hw", "isr", "leo", "lso"}) EXPECT_TRUE(std::binary_search(kafka.numbers.begin(), kafka.numbers.end(), n)) << n;
  const Vocabulary rabbit = vocabulary_of(*recorded("hunt/queue.lua").recording);
  for (const char* n : {"backlog", "consumers", "ready", "unacked"}) EXPECT_TRUE(std::binary_search(rabbit.numbers.begin(), rabbit.numbers.end(), n)) << n;
}

// --- any text at all ---

rc::Gen<Predicate> any_predicate(int depth) {
  const auto name = rc::gen::element<std::string>("orders/0", "B1", "billing", "my group", "and", "Not", "on", "a.b-c_d:e", "x>y", "3", "none");
  const auto number = rc::gen::inRange<std::int64_t>(-1'000, 1'000'000'000);
  const auto term = rc::gen::exec([=] {
    Predicate p;
    Term& t = p.term;
    t.kind = static_cast<Term::Kind>(*rc::gen::inRange(0, 9));
    if (t.kind == Term::Kind::number) t.name = *rc::gen::element<std::string>("isr", "leo", "backlog", "ready");
    if (t.kind != Term::Kind::time) t.subject = *name;
    if ((t.kind == Term::Kind::number || t.kind == Term::Kind::lag) && *rc::gen::arbitrary<bool>()) t.detail = *name;
    if (t.kind == Term::Kind::value) t.detail = *rc::gen::element<std::string>("a", "orders/0 > role", "a b > c");
    t.compare = static_cast<Compare>(*rc::gen::inRange(0, 6));
    if (t.kind == Term::Kind::leader || t.kind == Term::Kind::state) t.compare = static_cast<Compare>(*rc::gen::inRange(0, 2));
    if (t.kind == Term::Kind::leader) t.word = *name;
    else if (t.kind == Term::Kind::state) t.word = *rc::gen::element<std::string>("running", "down", "paused");
    else if (t.kind == Term::Kind::value) t.word = t.compare < Compare::less ? *name : std::to_string(*number);
    else t.value = *number;
    return p;
  });
  if (depth == 0) return term;
  return rc::gen::oneOf(term, rc::gen::exec([=] {
    Predicate p;
    p.kind = static_cast<Predicate::Kind>(*rc::gen::inRange(1, 4));
    const int parts = p.kind == Predicate::Kind::no ? 1 : *rc::gen::inRange(2, 4);
    for (int i = 0; i < parts; ++i) {
      Predicate part = *any_predicate(depth - 1);
      if (part.kind == p.kind && p.kind != Predicate::Kind::no) part = *any_predicate(0);  // such are one list
      p.parts.push_back(std::move(part));
    }
    return p;
  }));
}

RC_GTEST_PROP(PredicateProperty, WhatIsWrittenIsReadAgain, ()) {
  const Predicate p = *any_predicate(3);
  const ReadPredicate r = read_predicate(p.text());
  RC_ASSERT(r.complaint == "");
  RC_ASSERT(*r.predicate == p);
}

RC_GTEST_PROP(PredicateProperty, AnyTextIsReadOrRefusedAtAPlaceInIt, ()) {
  static const std::array<const char*, 30> pieces = {"isr", "lag", "leader", "state", "value", "time", "orders/0", "B1", "not", "and", "or", "on", "(", ")", "=", "!=", "!", "<", "<=", ">", ">=", "\"", "3", "-1", "5s", "99999999999999999999", ",", " ", "\n", "\xc3\xa9"};
  std::string text;
  for (int n = *rc::gen::inRange(0, 14); n > 0; --n) {
    text += *rc::gen::inRange(0, 8) == 0 ? std::string(1, static_cast<char>(*rc::gen::inRange(0, 256))) : pieces[*rc::gen::inRange<std::size_t>(0, pieces.size())];
    if (*rc::gen::inRange(0, 3) > 0) text += ' ';
  }
  const ReadPredicate r = read_predicate(text);
  RC_ASSERT(r.predicate.has_value() == r.complaint.empty());
  RC_ASSERT(r.at <= text.size());
  if (!r.predicate) return;
  RC_ASSERT(read_predicate(r.predicate->text()).predicate == r.predicate);
  (void)holds(*r.predicate, a_moment());
  (void)wish_of(*r.predicate);
}

}  // namespace
}  // namespace mqlab::gui
