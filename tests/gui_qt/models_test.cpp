#include <QAbstractItemModelTester>

#include <algorithm>
#include <set>

#include "gui/qt/branch_model.h"
#include "gui/qt/event_model.h"
#include "gui/qt/inspector_model.h"
#include "gui/qt/verdict_model.h"
#include "sim/record/event_text.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

constexpr auto strictly = QAbstractItemModelTester::FailureReportingMode::Fatal;

TEST(EventModel, IsAModelWithAndWithoutAFilter) {
  EventModel m;
  const QAbstractItemModelTester tester(&m, strictly);
  EXPECT_EQ(m.rowCount(), 0);
  m.set_run(showcase_index());
  EXPECT_EQ(static_cast<std::size_t>(m.rowCount()), showcase()->events() + showcase()->journal().drops.size());
  m.set_rows(std::make_shared<const EventRows>(EventRows{3, 7, 100}));
  EXPECT_EQ(m.rowCount(), 3);
  m.set_rows(std::make_shared<const EventRows>());
  EXPECT_EQ(m.rowCount(), 0);
  m.set_theme(Theme::dark);
  m.set_rows(nullptr);
  m.set_run(nullptr);
  EXPECT_EQ(m.rowCount(), 0);
}

TEST(EventModel, FindsTheRowOfAnEventOrTheOneBefore) {
  EventModel m;
  EXPECT_EQ(m.row_of(0), -1);
  m.set_run(showcase_index());
  for (std::size_t e = 0; e < showcase()->events(); e += 31) {
    EXPECT_EQ(m.event_of(m.row_of(e)), e);
    EXPECT_FALSE(m.drop_of(m.row_of(e)));
  }
  EXPECT_EQ(m.row_of(showcase()->events()), -1);
  m.set_rows(std::make_shared<const EventRows>(EventRows{3, 7, 100}));
  EXPECT_EQ(m.row_of(2), -1);
  EXPECT_EQ(m.row_of(3), 0);
  EXPECT_EQ(m.row_of(99), 1);
  EXPECT_EQ(m.row_of(2000), 2);
  for (int r = 0; r < m.rowCount(); ++r) EXPECT_EQ(m.row_of(m.event_of(r)), r);
}

TEST(EventModel, SaysOfAnEventWhatTheTraceSays) {
  EventModel m;
  m.set_run(showcase_index());
  const Journal& j = showcase()->journal();
  for (int r = 0; r < m.rowCount(); r += 97) {
    if (m.drop_of(r)) continue;
    const Delivery& d = j.deliveries[m.event_of(r)];
    EXPECT_EQ(m.data(m.index(r, EventModel::time), Qt::DisplayRole).toString().toStdString(), format_time(d.time));
    EXPECT_EQ(m.data(m.index(r, EventModel::what), Qt::DisplayRole).toString().toStdString(), event_name(j, d));
    EXPECT_EQ(m.data(m.index(r, EventModel::details), Qt::DisplayRole).toString().toStdString(), event_details(j, d));
  }
}

TEST(EventModel, EveryMarkOfTheRunIsShownOnce) {
  EventModel m;
  m.set_run(showcase_index());
  QString all;
  for (int r = 0; r < m.rowCount(); ++r) all += m.data(m.index(r, EventModel::marks), Qt::DisplayRole).toString() + "\n";
  for (std::size_t i = 0; i < showcase()->journal().marks.size(); ++i)
    if (showcase()->event_of_mark(i) < showcase()->events()) {
      const QString words = QString::fromStdString(mark_words(showcase()->journal(), showcase()->journal().marks[i]));
      EXPECT_TRUE(all.contains(words)) << words.toStdString();
    }
  EXPECT_TRUE(all.contains("leader_elected"));
}

TEST(EventModel, WhatIsFilteredOutOfThemHasNoRow) {
  EventModel m;
  m.set_run(showcase_index());
  ASSERT_GT(showcase()->journal().drops.size(), 4U);
  m.set_rows(std::make_shared<const EventRows>(EventRows{0, 1}), std::make_shared<const EventRows>(EventRows{1, 3}));
  EXPECT_EQ(m.row_of_drop(0), -1);
  EXPECT_EQ(m.drop_of(m.row_of_drop(1)), std::optional<std::size_t>(1));
  EXPECT_EQ(m.row_of_drop(2), -1);
  EXPECT_EQ(m.drop_of(m.row_of_drop(3)), std::optional<std::size_t>(3));
  EXPECT_EQ(m.row_of_drop(4), -1);
}

TEST(EventModel, AFilterOfWordsKeepsTheLinesWithAllOfThem) {
  const EventRows rows = find_events(*showcase_index(), {.words = "produce B1"})->rows;
  EXPECT_GT(rows.size(), 10U);
  EXPECT_LT(rows.size(), showcase()->events());
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  EventModel m;
  m.set_run(showcase_index());
  std::size_t next = 0;
  for (int r = 0; r < m.rowCount(); ++r) {
    if (m.drop_of(r)) continue;
    QString line;
    for (int c = EventModel::node; c < EventModel::column_count; ++c) line += m.data(m.index(r, c), Qt::DisplayRole).toString() + " ";
    const bool fits = line.contains("produce", Qt::CaseInsensitive) && line.contains("b1", Qt::CaseInsensitive);
    EXPECT_EQ(fits, next < rows.size() && rows[next] == m.event_of(r)) << line.toStdString();
    next += fits;
  }
  EXPECT_EQ(find_events(*showcase_index(), {})->rows.size(), showcase()->events());
  EXPECT_TRUE(find_events(*showcase_index(), {.words = "nobody says this"})->rows.empty());
}

TEST(EventModel, AFilterOfWordsTellsNoCaseApartAndTakesLettersBeyondAscii) {
  const auto rows = [](const char* words) { return find_events(*showcase_index(), {.words = QString::fromUtf8(words)})->rows; };
  EXPECT_EQ(rows("PRODUCE b1"), rows("produce B1"));
  EXPECT_EQ(rows("b1 → b2").size(), rows("B1 → B2").size());
  EXPECT_GT(rows("B1 → B2").size(), 10U);
}

TEST(EventModel, WhatIsCalledOffFindsNothing) {
  const std::atomic<bool> off{true};
  EXPECT_FALSE(find_events(*showcase_index(), {.words = "produce"}, CallOff(&off)).has_value());
}

TEST(EventModel, AllPartsOfAQueryNarrowAndBothFormsOfTheAnswerAgree) {
  const NodeId b1 = showcase()->result().world->find("B1");
  const EventQuery all{.chips = {{Chip::node(b1)}}, .words = "fetch", .hides_routine = true};
  const auto found = find_events(*showcase_index(), all);
  EventRows by_parts;
  const auto chips = find_events(*showcase_index(), {.chips = all.chips})->passing, words = find_events(*showcase_index(), {.words = all.words})->passing,
             routine = find_events(*showcase_index(), {.hides_routine = true})->passing;
  for (std::uint32_t e = 0; e < showcase()->events(); ++e) {
    if (chips[e] && words[e] && routine[e]) by_parts.push_back(e);
    EXPECT_EQ(found->passing[e], chips[e] && words[e] && routine[e]);
  }
  EXPECT_EQ(found->rows, by_parts);
  EXPECT_FALSE(by_parts.empty());
}

// By time: behind the last event before it was over.
TEST(EventModel, WhatNeverArrivedStandsBetweenTheEvents) {
  EventModel m;
  const QAbstractItemModelTester tester(&m, strictly);
  m.set_run(showcase_index());
  const Journal& j = showcase()->journal();
  ASSERT_FALSE(j.drops.empty());
  const auto check = [&](const std::vector<std::size_t>& drops) {
    std::vector<std::size_t> seen;
    QString time_before;
    std::size_t event_before = 0;
    for (int r = 0; r < m.rowCount(); ++r) {
      EXPECT_GE(m.event_of(r), event_before);
      event_before = m.event_of(r);
      const auto d = m.drop_of(r);
      if (!d) {
        EXPECT_EQ(m.row_of(m.event_of(r)), r);
        continue;
      }
      seen.push_back(*d);
      EXPECT_EQ(m.row_of_drop(*d), r);
      EXPECT_EQ(m.event_of(r), showcase()->event_of_drop(*d));
      EXPECT_EQ(m.data(m.index(r, EventModel::number), Qt::DisplayRole).toString(), QStringLiteral("✕"));
      EXPECT_EQ(m.data(m.index(r, EventModel::time), Qt::DisplayRole).toString().toStdString(), format_time(j.drops[*d].time));
      EXPECT_EQ(m.data(m.index(r, EventModel::marks), Qt::DisplayRole).toString().toStdString(), std::string("dropped: ") + drop_reason_text(j.drops[*d].why));
      EXPECT_EQ(m.data(m.index(r, 0), Qt::ToolTipRole).toString().toStdString(), drop_text(j, j.drops[*d]));
    }
    EXPECT_EQ(seen, drops);
  };
  std::vector<std::size_t> all(j.drops.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  check(all);
  EventRows rows;
  for (std::uint32_t e = 0; e < showcase()->events(); e += 7) rows.push_back(e);
  m.set_rows(std::make_shared<const EventRows>(rows));
  check({});
  EXPECT_EQ(m.row_of_drop(0), -1);
  const auto last = static_cast<std::uint32_t>(j.drops.size() - 1);
  m.set_rows(std::make_shared<const EventRows>(rows), std::make_shared<const EventRows>(last > 0 ? EventRows{0, last} : EventRows{0}));
  check(last > 0 ? std::vector<std::size_t>{0, last} : std::vector<std::size_t>{0});
  m.set_rows(std::make_shared<const EventRows>(), std::make_shared<const EventRows>(EventRows{last}));
  EXPECT_EQ(m.rowCount(), 1);
  EXPECT_EQ(m.drop_of(0), std::optional<std::size_t>(last));
}

TEST(EventModel, TheWordDroppedFindsWhatNeverArrived) {
  const Journal& j = showcase()->journal();
  const auto found = [](const char* words) { return *find_events(*showcase_index(), {.words = words}); };
  EXPECT_EQ(found("dropped").drops.size(), j.drops.size());
  EXPECT_EQ(found("Never ARRIVED").drops.size(), j.drops.size());
  EXPECT_EQ(found("").drops.size(), j.drops.size());
  EXPECT_TRUE(found("nobody says this").drops.empty());
  const std::string kind = j.kind_name(j.drops[0].event.type);
  const FoundEvents of_kind = found(kind.c_str());
  EXPECT_FALSE(of_kind.drops.empty());
  for (const std::uint32_t d : of_kind.drops) EXPECT_NE(drop_text(j, j.drops[d]).find(kind), std::string::npos);
  std::size_t n = 0;
  for (std::size_t d = 0; d < j.drops.size(); ++d) n += of_kind.passing_drops[d];
  EXPECT_EQ(n, of_kind.drops.size());
}

TEST(VerdictModel, TellsBrokenGuaranteesFirst) {
  VerdictModel m;
  const QAbstractItemModelTester tester(&m, strictly);
  m.set_run(showcase());
  ASSERT_EQ(static_cast<std::size_t>(m.rowCount()), showcase()->result().verdicts.size());
  EXPECT_EQ(m.data(m.index(0, VerdictModel::anomaly), Qt::DisplayRole).toString(), "lost-message");
  EXPECT_EQ(m.data(m.index(0, VerdictModel::means), Qt::DisplayRole).toString(), "the expected price");
  EXPECT_TRUE(m.data(m.index(0, VerdictModel::verdict), Qt::DisplayRole).toString().contains("violated"));
  bool ended = false;
  for (int r = 0; r < m.rowCount(); ++r) {
    const bool violated = showcase()->result().verdicts[m.verdict_of(r)].report.verdict == Verdict::violated;
    EXPECT_FALSE(ended && violated);
    ended = ended || !violated;
    EXPECT_EQ(m.row_of(m.verdict_of(r)), r);
  }
  m.set_run(nullptr);
}

TEST(VerdictModel, APageHasClaimSentenceAndEvidenceWithLinks) {
  const auto& all = showcase()->result().verdicts;
  for (std::size_t v = 0; v < all.size(); ++v) {
    const QString page = verdict_page(*showcase(), v, Theme::light);
    EXPECT_TRUE(page.contains("Claim"));
    EXPECT_TRUE(page.contains(QString::fromUtf8(all[v].report.anomaly->predicate).toHtmlEscaped()));
    if (all[v].report.verdict != Verdict::violated) continue;
    const Finding& f = all[v].report.worst.front();
    EXPECT_TRUE(page.contains(QString::fromStdString(f.sentence).toHtmlEscaped()));
    EXPECT_TRUE(page.contains(QStringLiteral("mqlab:go?event=%1").arg(showcase()->event_of_op(f.witness[1]))));
  }
  EXPECT_EQ(verdict_page(*showcase(), all.size(), Theme::light), "");
}

// What only the final read makes certain is told where the client was told a lie.
TEST(VerdictModel, TheTellingEventOfALossIsTheAcknowledgement) {
  const Finding& f = showcase()->result().verdict("lost-message")->report.worst.front();
  const std::size_t e = telling_event(*showcase(), f);
  EXPECT_EQ(event_name(showcase()->journal(), showcase()->journal().deliveries[e]), "ProduceReply");
  EXPECT_LT(showcase()->time_of(e), showcase()->result().workload_ended);
}

TEST(InspectorModel, MarksWhatTheEventChanged) {
  InspectorModel m;
  const QAbstractItemModelTester tester(&m, strictly);
  Tree before, now;
  before.add("log", "3 records").add("end", "3");
  before.add("gone", "1");
  now.add("log", "4 records").add("end", "3");
  now.add("isr", "1,2");
  m.set_rows(inspector_rows(&before, now));
  ASSERT_EQ(m.rowCount(), 5);  // the node itself, and what is below
  const auto row = [&](int r) {
    std::string out;
    for (int c = 0; c < InspectorModel::column_count; ++c) out += m.data(m.index(r, c), Qt::DisplayRole).toString().toStdString() + "|";
    return out;
  };
  EXPECT_EQ(row(1), "●|   log|4 records|");
  EXPECT_EQ(row(2), "|      end|3|");
  EXPECT_TRUE(m.data(m.index(1, 2), Qt::ToolTipRole).toString().contains("3 records"));
  EXPECT_EQ((std::set<std::string>{row(3), row(4)}), (std::set<std::string>{"−|   gone|1|", "+|   isr|1,2|"}));
  m.set_rows(inspector_rows(nullptr, now));
  EXPECT_EQ(row(1), "|   log|4 records|");
  m.set_rows({});
  EXPECT_EQ(m.rowCount(), 0);
}

TEST(InspectorModel, WalksThroughARealRun) {
  InspectorModel m;
  const QAbstractItemModelTester tester(&m, strictly);
  std::size_t changed = 0;
  for (std::size_t e = 500; e < 540; ++e) {
    const auto now = showcase()->moment(e), before = showcase()->moment(e - 1);
    const NodeId n = line_of(showcase()->journal().deliveries[e].event);
    if (n >= now->nodes.size()) continue;
    m.set_rows(inspector_rows(before.get(), *now, n));
    ASSERT_GT(m.rowCount(), 1);
    for (int r = 0; r < m.rowCount(); ++r) changed += !m.data(m.index(r, 0), Qt::DisplayRole).toString().isEmpty();
  }
  EXPECT_GT(changed, 4U);
}

TEST(BranchModel, ShowsEachFutureAndWhereItParts) {
  Session s(all_models(), [] {});
  BranchModel m(&s);
  const QAbstractItemModelTester tester(&m, strictly);
  s.open(showcase()->spec());
  const int fork = s.fork_setting(0, {"acks", std::string("all"), true, 0});
  m.refresh();
  EXPECT_EQ(m.rowCount(), 2);
  ASSERT_TRUE(wait_until([&] {
    s.pump();
    return s.branch(fork).state == Branch::State::ready && s.branch(0).state == Branch::State::ready;
  }));
  m.refresh();
  EXPECT_EQ(m.data(m.index(0, BranchModel::violated), Qt::DisplayRole).toString(), "lost-message");
  EXPECT_EQ(m.data(m.index(1, BranchModel::violated), Qt::DisplayRole).toString(), "nothing");
  EXPECT_TRUE(m.data(m.index(1, BranchModel::parts_at), Qt::DisplayRole).toString().startsWith("#"));
  EXPECT_EQ(m.data(m.index(0, BranchModel::fingerprint), Qt::DisplayRole).toString().toStdString(), showcase()->result().fingerprint.text());
}

}  // namespace
}  // namespace mqlab::gui
