// A filter lets in what a loop over all events lets in, asked chip by chip.
#include "gui/core/filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "sim/record/event_text.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using testing::recorded;

bool matches(const Chip& c, const Recording& r, std::size_t event) {
  const Journal& j = r.journal();
  const Event& e = j.deliveries[event].event;
  const auto place = [&](std::uint32_t name) {
    const std::string& p = j.names.text(name);
    return name != 0 && (p == c.text || p.rfind(c.text + "/", 0) == 0);
  };
  switch (c.kind) {
    case Chip::Kind::node: return line_of(e) == c.number || (is_message(e) && e.source == c.number);
    case Chip::Kind::message_kind: return is_message(e) && e.type == c.number;
    case Chip::Kind::traffic: return is_message(e) && e.type < j.messages.size() && static_cast<std::uint64_t>(j.messages[e.type].traffic) == c.number;
    case Chip::Kind::event_kind: return e.kind == c.number;
    default: break;
  }
  for (OpIndex i = 0; i < j.ops.size(); ++i)
    if (r.event_of_op(i) == event && (c.kind == Chip::Kind::place ? place(j.ops[i].place) : c.kind == Chip::Kind::message ? j.ops[i].message == c.number : true)) return true;
  if (c.kind != Chip::Kind::message)
    for (std::size_t i = 0; i < j.marks.size(); ++i)
      if (r.event_of_mark(i) == event && (c.kind == Chip::Kind::told || place(j.marks[i].place))) return true;
  return false;
}

std::vector<std::uint32_t> slow(const Filter& f, const Recording& r) {
  std::vector<std::uint32_t> out;
  std::vector<std::set<std::size_t>> sets;  // by chip, so that the loop below is not cubic
  for (const Chip& c : f.chips) {
    auto& s = sets.emplace_back();
    if (c.kind == Chip::Kind::place || c.kind == Chip::Kind::message || c.kind == Chip::Kind::told) {
      const Journal& j = r.journal();
      const auto place = [&](std::uint32_t name) {
        const std::string& p = j.names.text(name);
        return name != 0 && (p == c.text || p.rfind(c.text + "/", 0) == 0);
      };
      for (OpIndex i = 0; i < j.ops.size(); ++i)
        if (c.kind == Chip::Kind::place ? place(j.ops[i].place) : c.kind == Chip::Kind::message ? j.ops[i].message == c.number : true) s.insert(r.event_of_op(i));
      if (c.kind != Chip::Kind::message)
        for (std::size_t i = 0; i < j.marks.size(); ++i)
          if (c.kind == Chip::Kind::told || place(j.marks[i].place)) s.insert(r.event_of_mark(i));
    }
  }
  for (std::size_t e = 0; e < r.events(); ++e) {
    bool pass = true;
    std::map<Chip::Kind, bool> wanted;
    for (std::size_t i = 0; i < f.chips.size(); ++i) {
      const Chip& c = f.chips[i];
      const bool by_set = c.kind == Chip::Kind::place || c.kind == Chip::Kind::message || c.kind == Chip::Kind::told;
      const bool m = by_set ? sets[i].count(e) != 0 : matches(c, r, e);
      if (c.excludes) pass = pass && !m;
      else wanted[c.kind] = wanted[c.kind] || m;
    }
    for (const auto& [kind, any] : wanted) pass = pass && any;
    if (pass) out.push_back(static_cast<std::uint32_t>(e));
  }
  return out;
}

TEST(Filter, WithoutChipsEverythingIsThere) {
  const Recording& r = *recorded("showcase.lua").recording;
  EXPECT_EQ(Filter{}.rows(r).size(), r.events());
}

TEST(Filter, HidingHeartbeatsHidesNothingElse) {
  const Recording& r = *recorded("showcase.lua").recording;
  const auto rows = Filter{{Chip::hide(Traffic::heartbeat)}}.rows(r);
  EXPECT_EQ(rows, slow(Filter{{Chip::hide(Traffic::heartbeat)}}, r));
  EXPECT_LT(rows.size(), r.events());
  EXPECT_GT(rows.size(), r.events() / 10);
}

TEST(Filter, ATopicMeansAllItsPartitions) {
  const Recording& r = *recorded("showcase.lua").recording;
  const auto topic = Filter{{Chip::place("orders")}}.rows(r), partition = Filter{{Chip::place("orders/0")}}.rows(r);
  EXPECT_GT(partition.size(), 0U);
  EXPECT_GE(topic.size(), partition.size());
  EXPECT_EQ(Filter{{Chip::place("order")}}.rows(r).size(), 0U) << "a part of a name is no topic";
}

// In another run the same names may have other numbers.
TEST(Filter, GoesToAnotherRunByNames) {
  const Recording& here = *recorded("showcase.lua").recording;
  Journal there;
  there.processes = {"X"};
  there.processes.insert(there.processes.end(), here.journal().processes.begin(), here.journal().processes.end() - 1);
  const auto last = static_cast<NodeId>(here.journal().processes.size() - 1);
  const Filter f{{Chip::node(0), Chip::node(last), Chip::message(numbered_message(1, 7)), Chip::hide(Traffic::heartbeat)}};
  const Filter other = f.in_other_run(here.journal(), there);
  EXPECT_EQ(other.chips[0], Chip::node(1));
  EXPECT_EQ(other.chips[2], Chip::message(numbered_message(2, 7)));
  EXPECT_EQ(other.chips[3], f.chips[3]);
  EXPECT_TRUE((Filter{{other.chips[1]}}.rows(here).empty())) << "who is not there is nobody";
  EXPECT_EQ(f.in_other_run(here.journal(), here.journal()), f);
}

RC_GTEST_PROP(Filter, IsALoopOverAllEvents, (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& wishes)) {
  const Recording& r = *recorded("showcase.lua").recording;
  Filter f;
  for (const auto& [kind, number] : wishes) {
    if (f.chips.size() == 6) break;
    Chip c;
    switch (kind % 7) {
      case 0: c = Chip::node(number % 8); break;
      case 1: c = Chip::message_kind(static_cast<MessageKind>(r.journal().deliveries[number * 7U % r.events()].event.type)); break;
      case 2: c = Chip::traffic(static_cast<Traffic>(number % 4)); break;
      case 3: c = Chip::event_kind(static_cast<EventKind>(number % event_kind_count)); break;
      case 4: c = Chip::place(number % 2 ? "orders" : "orders/0"); break;
      case 5: c = Chip::message(r.journal().ops[number % r.journal().ops.size()].message); break;
      default: c = Chip::told(); break;
    }
    c.excludes = (kind & 64) != 0;
    f.chips.push_back(c);
    RC_ASSERT(!c.label(r.journal()).empty());
  }
  RC_ASSERT(f.rows(r) == slow(f, r));
}

}  // namespace
}  // namespace mqlab::gui
