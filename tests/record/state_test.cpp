// States of nodes in a trace: what is read back is what was written, whatever happened; and what a bad file gets.
#include "sim/record/state_read.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/record/exporters.h"
#include "sim/record/state_filter.h"
#include "tests/world/gossip.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

std::string line_of_step(const StateStep& s) {
  std::string out = std::to_string(s.number) + " " + std::to_string(s.event) + " " + std::to_string(s.time) + " " + s.text + "\n";
  for (const StepMark& m : s.marks) out += "  * " + m.node + " " + m.text + "\n";
  for (const StepChange& c : s.changes)
    out += "  " + std::to_string(static_cast<int>(c.change.kind)) + " " + shown_path(c.node, c.path) + " " + std::to_string(c.change.at) + " " + c.change.before + ">" + c.change.now + "\n";
  return out;
}

struct Read {
  std::string steps;
  std::optional<TraceError> error;
};

Read read(const std::string& text) {
  Read r;
  TraceReader reader([&](const StateStep& s) { r.steps += line_of_step(s); });
  std::istringstream in(text);
  for (std::string line; !r.error && std::getline(in, line);) r.error = reader.line(line);
  if (!r.error) r.error = reader.end();
  return r;
}

Journal recorded(std::uint64_t seed) {
  World w = gossip_world(seed, {.until = 100_ms, .trace = TraceLevel::state});
  w.run_until(150_ms);
  return w.journal;
}

std::string trace_of(const Journal& j) { return export_text(*find_exporter("states"), j); }

// A trace of two nodes and one event each, to which a test adds a row that is wrong.
const std::string head = R"({"format":"mqlab-trace/1","processes":["A","B"],"messages":[{"name":"Say","traffic":"client"}],"events":2,"marks":0,"changes":3})";
const std::string rows =
    "\n{\"event\":1,\"time\":5,\"kind\":\"start\",\"node\":\"A\"}"
    "\n{\"state\":\"A\",\"during\":1,\"path\":[],\"at\":0,\"new\":\"up\"}"
    "\n{\"state\":\"A\",\"during\":1,\"path\":[\"log\"],\"at\":0,\"new\":\"0\"}"
    "\n{\"event\":2,\"time\":6,\"kind\":\"data\",\"node\":\"A\",\"from\":\"B\",\"message\":\"Say\",\"text\":\"x=1\"}"
    "\n{\"state\":\"A\",\"during\":2,\"path\":[\"log\"],\"old\":\"0\",\"new\":\"1\"}\n";

std::string complaint(const std::string& text) {
  const Read r = read(text);
  return r.error ? std::to_string(r.error->line) + ": " + r.error->message : "none";
}

void expect_says(const std::string& text, const std::string& part) {
  EXPECT_NE(complaint(text).find(part), std::string::npos) << complaint(text) << "\nwhere it should say: " << part;
}

std::string with(const std::string& what, const std::string& other) {
  std::string text = head + rows;
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), other);
}

}  // namespace

TEST(StateTrace, IsReadAsItStands) {
  const Read r = read(head + rows);
  EXPECT_FALSE(r.error) << complaint(head + rows);
  EXPECT_EQ(r.steps,
            "1 1 5 A start\n  0 A 0 >up\n  0 A/log 0 >0\n"
            "2 2 6 B->A Say x=1\n  2 A/log 0 0>1\n");
}

TEST(StateTrace, SaysWhatIsWrongAndWhere) {
  expect_says("", "1: the trace is empty");
  expect_says("hello", "1: this is no trace");
  expect_says("{\"format\":\"mqlab-history/1\"}", "`mqlab check` reads histories");
  expect_says(head + "\n{\"event\":1,", "2: it is not valid JSON");
  expect_says(head + "\n{\"even\":1}", "2: the row is none of a trace");
  expect_says(head + rows.substr(0, rows.find("\n{\"event\":2")), "the first line announces 2 events, and there are 1: the file was cut off");
  expect_says(with("\"time\":6", "\"time\":4"), "5: \"time\" goes back, from 5 to 4");
  expect_says(with("\"time\":6", "\"time\":-6"), "5: \"time\" must be a whole number");
  expect_says(with("\"time\":6,", ""), "5: \"time\" is missing");
  expect_says(with("\"state\":\"A\",\"during\":2", "\"state\":\"Z\",\"during\":2"), "6: \"Z\" is not among the \"processes\"");
  expect_says(with("\"state\":\"A\",\"during\":2", "\"state\":\"B\",\"during\":2"), "6: the row does not fit the rows before it: it changes \"log\" of \"B\"");
  expect_says(with("\"during\":2", "\"during\":1"), "6: a state row stands after the event that changed it");
  expect_says(with("\"old\":\"0\"", "\"old\":\"7\""), "6: the row does not fit the rows before it");
  expect_says(with("\"path\":[\"log\"],\"old\"", "\"path\":[3],\"old\""), "6: \"path\" must be a list of texts");
  expect_says(with("\"old\":\"0\",\"new\":\"1\"", "\"x\":1"), "6: the row has neither");
  expect_says(with("\"changes\":3", "\"changes\":4"), "announces 4 changes, and there are 3");
  expect_says(head + "\n" + std::string(trace_line_max + 1, 'x'), "2: the line is longer");
  std::string deep = "\"path\":[\"x\"";
  for (int i = 0; i < 300; ++i) deep += ",\"x\"";
  expect_says(with("\"path\":[\"log\"],\"old\"", deep + "],\"old\""), "6: the path is 301 deep");
}

// A file from before messages that never arrived were told is read as ever; one that tells of them is looked at and gives the same steps.
TEST(StateTrace, RowsOfWhatNeverArrivedAreLookedAt) {
  const std::string lost = "\n{\"drop\":\"cut\",\"time\":5,\"kind\":\"data\",\"node\":\"A\",\"from\":\"B\",\"message\":\"Say\",\"sent\":4,\"why\":\"the link is cut\"}";
  const std::string two = head.substr(0, head.size() - 1) + ",\"drops\":1}" + rows.substr(0, rows.find("\n{\"event\":2")) + lost + rows.substr(rows.find("\n{\"event\":2"));
  EXPECT_EQ(complaint(two), "none");
  EXPECT_EQ(read(two).steps, read(head + rows).steps);
  const auto changed = [&](const std::string& what, const std::string& other) {
    std::string text = two;
    return text.replace(text.find(what), what.size(), other);
  };
  expect_says(changed("\"drops\":1", "\"drops\":2"), "announces 2 drops, and there are 1");
  expect_says(changed(",\"drops\":1", ""), "announces 0 drops, and there are 1");
  expect_says(changed("\"drop\":\"cut\",\"time\":5", "\"drop\":\"cut\",\"time\":4"), "5: \"time\" goes back, from 5 to 4");
  expect_says(changed("\"sent\":4", "\"sent\":6"), "5: the message was over at 5, before it was \"sent\", at 6");
  expect_says(changed("\"drop\":\"cut\"", "\"drop\":3"), "5: \"drop\" must be text");
}

// Whatever a world went through: its journal and its trace give the same steps.
RC_GTEST_PROP(StateTrace, GivesTheStepsOfItsJournal, (std::uint64_t seed)) {
  const Journal j = recorded(seed);
  std::string told;
  visit_steps(j, [&](const StateStep& s) { told += line_of_step(s); });
  const Read r = read(trace_of(j));
  RC_ASSERT(!r.error.has_value());
  RC_ASSERT(r.steps == told);
  RC_ASSERT(!j.changes.empty());
}

RC_GTEST_PROP(StateTrace, FoldsIntoWhatTheNodesSay, (std::uint64_t seed)) {
  World w = gossip_world(seed, {.until = 100_ms, .trace = TraceLevel::state});
  w.run_until(150_ms);
  StateFold fold;
  visit_steps(w.journal, [&](const StateStep& s) { RC_ASSERT(fold.apply(s)); });
  RC_ASSERT(fold.nodes().size() == w.node_count());
  for (const Tree& t : fold.nodes()) RC_ASSERT(t == w.state(w.find(t.name)));
}

// A damaged file gives an error with its line, or steps that fit together; it never does harm.
RC_GTEST_PROP(StateTrace, SurvivesDamage, (std::uint64_t seed)) {
  static const std::string whole = trace_of(recorded(3));
  Random r(seed, Stream::scenario);
  std::string text = whole.substr(0, std::min<std::size_t>(whole.size(), 20'000));
  for (std::uint64_t n = 1 + r.below(4); n > 0; --n) {
    const std::size_t at = r.below(text.size());
    switch (r.below(5)) {
      case 0: text[at] = static_cast<char>(r.below(256)); break;
      case 1: text.erase(at, 1 + r.below(200)); break;
      case 2: text.insert(at, text.substr(r.below(text.size()), r.below(300))); break;
      case 3: text.insert(at, std::string(r.below(100), "[{\"\\"[r.below(4)])); break;
      case 4: text.resize(at + 1); break;
    }
  }
  const Read got = read(text);
  if (got.error) {
    RC_ASSERT(got.error->line > 0U);
    RC_ASSERT(!got.error->message.empty());
  }
}

// Other forms pass over what they do not show.
TEST(StateTrace, TheOtherFormsTakeAJournalWithStates) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const Journal j = recorded(seed);
    EXPECT_TRUE(nlohmann::json::accept(export_text(*find_exporter("chrome"), j)));
    for (const char* name : {"shiviz", "mermaid", "history", "trace"}) EXPECT_FALSE(export_text(*find_exporter(name), j).empty()) << name;
  }
}

TEST(StateFilters, ArePatternsOfPaths) {
  const std::string path = "B1/orders/0/high watermark";
  for (const char* yes : {"orders/0", "B1", "high watermark", "WATERMARK", "B1/*", "B?", "b*/*/high*", "*", "B1/orders/0", "*watermark", "B1/orders/?/*"})
    EXPECT_TRUE(matches_pattern(yes, path)) << yes;
  for (const char* no : {"order", "B2", "high water", "B", "B2/*", "?", "*/epoch", "", "orders/0/log"}) EXPECT_FALSE(matches_pattern(no, path)) << no;
  const StateFilter all{};
  EXPECT_TRUE(all.shows("B1", path));
  EXPECT_FALSE((StateFilter{{"B2"}, {}}).shows("B1", path));
  EXPECT_TRUE((StateFilter{{}, {"epochs", "orders/0"}}).shows("B1", path)) << "one of them is enough";
  EXPECT_FALSE((StateFilter{{}, {"orders/0", "!high watermark"}}).shows("B1", path)) << "what is left out is left out";
  EXPECT_TRUE((StateFilter{{}, {"!epochs"}}).shows("B1", path)) << "all but that";
}

// A pattern of many stars takes no longer for that.
TEST(StateFilters, APatternOfManyStarsIsQuick) {
  std::string stars;
  for (int i = 0; i < 200; ++i) stars += "*a";
  EXPECT_FALSE(matches_pattern(stars + "b", std::string(5'000, 'a')));
}
