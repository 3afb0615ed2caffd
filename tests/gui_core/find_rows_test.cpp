// The rows that a filter leaves are those that a look at each line leaves; in one part or in several.
#include "gui/core/find_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/record/event_text.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace testing;

std::string lower(std::string s) {
  for (char& c : s)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return s;
}

// The line of an event, as the table shows it.
std::string line_of_row(const EventIndex& index, std::size_t e) {
  const Journal& j = index.recording().journal();
  const Delivery& d = j.deliveries[e];
  std::string line = where(index.recording(), d) + ' ' + event_name(j, d) + ' ' + event_details(j, d);
  for (const auto& [event, mark] : index.marks_of(e)) line += ' ' + mark_words(j, j.marks[mark]);
  return line;
}

bool is_routine(const Journal& j, const Event& e) {
  const auto kind = static_cast<EventKind>(e.kind);
  if (is_message(e)) return j.messages[e.type].traffic == Traffic::heartbeat;
  return kind == EventKind::timer || kind == EventKind::wake || kind == EventKind::disk;
}

FoundEvents by_force(const EventIndex& index, const RowsWanted& w) {
  const Recording& r = index.recording();
  const Journal& j = r.journal();
  FoundEvents out;
  const auto has = [&](const std::string& line) { return std::all_of(w.words.begin(), w.words.end(), [&](const std::string& word) { return lower(line).find(word) != std::string::npos; }); };
  for (const std::uint32_t e : w.chips.rows(r))
    if ((!w.hides_routine || !is_routine(j, j.deliveries[e].event)) && has(line_of_row(index, e))) out.rows.push_back(e);
  for (const std::uint32_t d : w.chips.drops(r))
    if ((!w.hides_routine || !is_routine(j, j.drops[d].event)) && has(where(r, j.drops[d]) + " dropped " + drop_text(j, j.drops[d]))) out.drops.push_back(d);
  return out;
}

RC_GTEST_PROP(FindRowsProperty, AreThoseOfALookAtEachLine, ()) {
  const auto& run = recorded(*rc::gen::element<std::string>("showcase.lua", "search/quorum.lua", "hunt/queue.lua"));
  const Journal& j = run.recording->journal();
  RowsWanted w;
  for (int n = *rc::gen::inRange(0, 3); n > 0; --n)
    w.words.push_back(*rc::gen::element<std::string>("b1", "b2", "b", "fetch", "produce", "leader_elected", "epoch=1", "epoch", "never arrived", "dropped", "→", "p1 → b", "1", "timer", "nobody says this", "hw", "killed"));
  w.hides_routine = *rc::gen::arbitrary<bool>();
  if (*rc::gen::inRange(0, 3) == 0) w.chips.chips.push_back(Chip::node(*rc::gen::inRange<NodeId>(0, static_cast<NodeId>(j.processes.size()))));
  if (*rc::gen::inRange(0, 4) == 0) w.chips.chips.push_back(Chip::hide(Traffic::heartbeat));
  if (*rc::gen::inRange(0, 6) == 0) w.chips.chips.push_back(Chip::told());
  w.part_least = *rc::gen::element<std::size_t>(1, 100, 1'000, 100'000);
  const FoundEvents expected = by_force(*run.index, w);
  const auto found = find_rows(*run.index, w);
  RC_ASSERT(found.has_value());
  RC_ASSERT(found->rows == expected.rows);
  RC_ASSERT(found->drops == expected.drops);
  RC_ASSERT(found->passing.size() == run.recording->events());
  RC_ASSERT(found->passing_drops.size() == j.drops.size());
  RC_ASSERT(static_cast<std::size_t>(std::count(found->passing.begin(), found->passing.end(), true)) == expected.rows.size());
  for (const std::uint32_t e : expected.rows) RC_ASSERT(found->passing[e]);
  for (const std::uint32_t d : expected.drops) RC_ASSERT(found->passing_drops[d]);
}

TEST(FindRows, NoneIsLeftOutBetweenParts) {
  for (const char* scenario : {"showcase.lua", "hunt/queue.lua"})
    for (const std::size_t part_least : {std::size_t{1}, std::size_t{7}, std::size_t{1'000}}) {
      const auto& run = recorded(scenario);
      EXPECT_EQ(find_rows(*run.index, {.words = {""}, .part_least = part_least})->rows.size(), run.recording->events()) << "each line has nothing in it";
    }
}

TEST(FindRows, IsCalledOffInEachPart) {
  const std::atomic<bool> off{true};
  for (const std::size_t part_least : {std::size_t{100}, std::size_t{100'000}}) {
    EXPECT_FALSE(find_rows(*recorded("showcase.lua").index, {.words = {"b1"}, .part_least = part_least}, CallOff(&off)).has_value());
  }
}

// Words beyond ASCII are looked for in what `lower` makes of a line.
TEST(FindRows, WordsBeyondAscii) {
  const auto& run = recorded("showcase.lua");
  const auto upper_arrow = [](const std::string& line) { return "ÄB " + line; };
  EXPECT_GT(find_rows(*run.index, {.words = {"äb"}}, CallOff(), [](const std::string& line) { return "äb " + line; })->rows.size(), 0U);
  EXPECT_EQ(find_rows(*run.index, {.words = {"äb"}}, CallOff(), upper_arrow)->rows.size(), 0U);
}

}  // namespace
}  // namespace mqlab::gui
