// Lessons, notebook, settings, themes, console, finder, faults by hand: what they do without a window around them.
#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>

#include <set>

#include "gui/core/palette.h"
#include "gui/qt/console.h"
#include "gui/qt/fault_palette.h"
#include "gui/qt/finder.h"
#include "gui/qt/lessons.h"
#include "gui/qt/notebook.h"
#include "gui/qt/settings.h"
#include "gui/qt/theme.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

// --- lessons ---

TEST(Lessons, AreThePagesOfDocsInOrder) {
  ASSERT_GT(lessons().size(), 15U);
  EXPECT_EQ(lessons().front().id, "kafka/01-the-log.md");
  for (const Lesson& l : lessons()) {
    EXPECT_FALSE(l.title.isEmpty()) << l.id.toStdString();
    EXPECT_TRUE(QFileInfo::exists(docs_folder() + "/" + l.id)) << l.id.toStdString();
  }
}

// Each link that a page gets leads to a scenario that can be read, with a case that it has.
TEST(Lessons, EveryStepRuns) {
  std::size_t steps = 0, written = 0;
  for (const Lesson& l : lessons()) {
    const LessonPage page = lesson_page(QString::fromStdString(text_of_file(docs_folder() + "/" + l.id)), {});
    for (const LessonStep& s : page.steps) {
      ++steps;
      written += s.scenario.isEmpty();
      const std::string text = s.scenario.isEmpty() ? s.text.toStdString() : text_of_file(s.scenario);
      try {
        const Scenario scenario = load_scenario(text, "step.lua", all_models());
        const bool known = s.case_name.isEmpty() || std::any_of(scenario.cases.begin(), scenario.cases.end(), [&](const ScenarioCase& c) { return c.name == s.case_name.toStdString(); });
        EXPECT_TRUE(known) << l.id.toStdString() << ": " << s.command.toStdString();
      } catch (const InputError& e) {
        ADD_FAILURE() << l.id.toStdString() << ": " << s.command.toStdString() << ": " << e.what();
      }
    }
    EXPECT_EQ(page.markdown.count("mqlab:step?n="), static_cast<qsizetype>(page.steps.size()));
  }
  EXPECT_GT(steps, 60U);
  EXPECT_GT(written, 3U) << "scenarios that are written out on a page";
}

TEST(Lessons, StepsAreReadFromCommands) {
  const LessonPage page = lesson_page(
      "# T\n\n```sh\nmqlab run scenarios/showcase.lua --case 'acks=1' --seed 7 --set min_insync=1 | head\nmqlab run scenarios/showcase.lua --seeds 1..9\n```\n\n"
      "```sh\ncat > mine.lua <<'END'\nreturn 1\nEND\nmqlab run mine.lua\n```\n```lua\nmqlab run scenarios/showcase.lua\n```\n",
      {"mqlab run mine.lua"});
  ASSERT_EQ(page.steps.size(), 2U);
  EXPECT_TRUE(page.steps[0].scenario.endsWith("scenarios/showcase.lua"));
  EXPECT_EQ(page.steps[0].case_name, "acks=1");
  EXPECT_EQ(page.steps[0].seed, 7U);
  EXPECT_EQ(page.steps[0].settings, QStringList{"min_insync=1"});
  EXPECT_EQ(page.steps[1].text, "return 1\n");
  EXPECT_EQ(page.markdown.count("✓ done"), 1);
}

TEST(Lessons, TablesHaveDelimitersThatQtReads) {
  static const QRegularExpression short_delimiter(QStringLiteral(R"(^\|(\s*:?-{1,2}:?\s*\|)+\s*$)"), QRegularExpression::MultilineOption);
  for (const Lesson& l : lessons()) EXPECT_FALSE(short_delimiter.match(QString::fromStdString(text_of_file(docs_folder() + "/" + l.id))).hasMatch()) << l.id.toStdString();
}

TEST(LessonPane, FollowsItsLinksAndTicksOnlyWhatRan) {
  const QTemporaryDir folder;
  WindowSettings settings(folder.path() + "/w.ini");
  LessonPane pane(&settings);
  std::vector<LessonStep> asked;
  QStringList opened, gone;
  QObject::connect(&pane, &LessonPane::run_asked, [&](const LessonStep& s) { asked.push_back(s); });
  QObject::connect(&pane, &LessonPane::scenario_asked, [&](const QString& p) { opened << p; });
  QObject::connect(&pane, &LessonPane::go_asked, [&](const QString& w) { gone << w; });
  EXPECT_TRUE(pane.follow(QUrl("mqlab:lesson?id=kafka/02-replication-and-acks.md")));
  EXPECT_EQ(pane.lesson(), "kafka/02-replication-and-acks.md");
  ASSERT_GT(pane.page().steps.size(), 3U);
  EXPECT_TRUE(pane.follow(QUrl("mqlab:step?n=0")));
  EXPECT_FALSE(pane.follow(QUrl("mqlab:step?n=999")));
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_TRUE(settings.done(pane.lesson()).isEmpty()) << "asked for is not done";
  pane.step_succeeded();
  EXPECT_EQ(settings.done(pane.lesson()), QStringList{asked[0].command});
  pane.step_succeeded();  // a run of the user's own ticks nothing
  EXPECT_EQ(settings.done(pane.lesson()).size(), 1);
  EXPECT_TRUE(pane.follow(QUrl("mqlab:run?scenario=scenarios/showcase.lua&case=acks%3D1&seed=3")));
  EXPECT_EQ(asked.back().case_name, "acks=1");
  EXPECT_EQ(asked.back().seed, 3U);
  EXPECT_TRUE(pane.follow(QUrl("mqlab:go?to=next%20violation")));
  EXPECT_TRUE(pane.follow(QUrl("mqlab:go?event=87")));
  EXPECT_EQ(gone, (QStringList{"next violation", "#87"}));
  EXPECT_TRUE(pane.follow(QUrl("01-the-log.md")));
  EXPECT_EQ(pane.lesson(), "kafka/01-the-log.md");
  pane.next(1);
  EXPECT_EQ(pane.lesson(), "kafka/02-replication-and-acks.md");
  EXPECT_TRUE(pane.follow(QUrl("../../scenarios/showcase.lua")));
  EXPECT_TRUE(QFileInfo::exists(opened.value(0)));
  EXPECT_FALSE(pane.follow(QUrl("mqlab:nonsense")));
}

// --- notebook, settings ---

TEST(Notebook, AFileKeepsEveryField) {
  const QTemporaryDir folder;
  const QString file = folder.path() + "/notes.json";
  EXPECT_TRUE(read_notes(file).empty());
  Note n;
  n.path = "a \"b\".lua";
  n.case_name = "acks=1";
  n.design = "kafka";
  n.seed = ~quint64{0};
  n.settings = {"acks=1"};
  n.by_hand = {"at(ms(7), kill \"B1\" {})"};
  n.fingerprint = "ff";
  n.event = 123456789012ULL;
  n.time = 9'007'199'254'740'993;  // more than a double holds
  n.text = "line\nline";
  Note without_seed;
  ASSERT_TRUE(write_notes(file, {n, without_seed}));
  EXPECT_EQ(read_notes(file), (std::vector<Note>{n, without_seed}));
  EXPECT_FALSE(write_notes("/no/such/folder/x", {n}));
}

TEST(Settings, AreRememberedInTheirFile) {
  const QTemporaryDir folder;
  const QString file = folder.path() + "/w.ini";
  {
    WindowSettings s(file);
    s.set_theme(Theme::high_contrast_dark);
    s.set_scale(999);
    s.set_layout("debug");
    for (int i = 0; i < 20; ++i) s.add_recent(QString::number(i));
    s.add_recent("5");
    s.add_done("kafka/01.md", "mqlab run x --set a=b");
  }
  {
    WindowSettings s(file);
    EXPECT_EQ(s.theme(), Theme::high_contrast_dark);
    EXPECT_EQ(s.scale(), scale_max);
    EXPECT_EQ(s.layout(), "debug");
    EXPECT_EQ(s.recent().size(), recent_max);
    EXPECT_EQ(s.recent().value(0), "5");
    EXPECT_EQ(s.recent().count("5"), 1);
    EXPECT_EQ(s.done("kafka/01.md"), QStringList{"mqlab run x --set a=b"});
  }
  WindowSettings reset(file, true);
  EXPECT_EQ(reset.theme(), Theme::light);
  EXPECT_TRUE(reset.recent().isEmpty());
}

TEST(Settings, OfAnotherVersionArePutAside) {
  const QTemporaryDir folder;
  const QString file = folder.path() + "/w.ini";
  {
    QSettings raw(file, QSettings::IniFormat);
    raw.setValue("version", 99);
    raw.setValue("scale", 200);
  }
  WindowSettings s(file);
  EXPECT_EQ(s.scale(), 100);
  EXPECT_TRUE(QFileInfo::exists(file + ".version-99"));
}

// --- themes ---

Rgba rgba(const QColor& c) { return {static_cast<std::uint8_t>(c.red()), static_cast<std::uint8_t>(c.green()), static_cast<std::uint8_t>(c.blue()), 255}; }

TEST(Themes, TextCanBeReadInEach) {
  for (const Theme t : all_themes) {
    const QPalette p = palette_of(t);
    const std::pair<QColor, QColor> pairs[] = {{p.color(QPalette::Text), p.color(QPalette::Base)},
                                               {p.color(QPalette::Text), p.color(QPalette::AlternateBase)},
                                               {p.color(QPalette::WindowText), p.color(QPalette::Window)},
                                               {p.color(QPalette::ButtonText), p.color(QPalette::Button)},
                                               {p.color(QPalette::HighlightedText), p.color(QPalette::Highlight)},
                                               {p.color(QPalette::Link), p.color(QPalette::Base)},
                                               {p.color(QPalette::PlaceholderText), p.color(QPalette::Base)},
                                               {p.color(QPalette::Disabled, QPalette::Text), p.color(QPalette::Base)},
                                               {good_ink(t), p.color(QPalette::Base)},
                                               {bad_ink(t), p.color(QPalette::Base)},
                                               {unknown_ink(t), p.color(QPalette::Base)},
                                               {fault_ink(t), p.color(QPalette::AlternateBase)}};
    for (std::size_t i = 0; i < std::size(pairs); ++i) EXPECT_GE(contrast(rgba(pairs[i].first), rgba(pairs[i].second)), 4.5) << word(t) << ", pair " << i;
  }
}

// --- the console ---

TEST(Console, ReadsWhatIsTyped) {
  using Kind = ConsoleCommand::Kind;
  EXPECT_EQ(read_console("  ").kind, Kind::nothing);
  EXPECT_EQ(read_console("go +2ms").kind, Kind::go);
  EXPECT_EQ(read_console("+2ms").kind, Kind::go);
  EXPECT_EQ(read_console("#87").argument, "#87");
  EXPECT_EQ(read_console("next violation").argument, "next violation");
  EXPECT_EQ(read_console("set acks=1").name, "acks");
  EXPECT_EQ(read_console("set acks = 1").argument, "1");
  EXPECT_EQ(read_console(R"(set("P1.acks", "all"))").name, "P1.acks");
  EXPECT_EQ(read_console(R"(set("P1.acks", "all"))").argument, "all");
  EXPECT_EQ(read_console("find B1 Fetch").argument, "B1 Fetch");
  EXPECT_EQ(read_console("seed 7").kind, Kind::seed);
}

TEST(Console, SaysWhatIsKnown) {
  EXPECT_TRUE(read_console("sed 7").complaint.contains("did you mean `seed`")) << read_console("sed 7").complaint.toStdString();
  EXPECT_TRUE(read_console("xyzzy").complaint.contains("there are: go, find"));
  EXPECT_TRUE(read_console("seed seven").complaint.contains("whole number"));
  EXPECT_TRUE(read_console("set acks").complaint.contains("set acks=1"));
  EXPECT_FALSE(read_console("set acks=").complaint.isEmpty());
  EXPECT_TRUE(console_help().contains("find WORDS"));
}

TEST(Console, AnswersAndRemembers) {
  Workspace w;
  ConsolePane c(&w);
  EXPECT_TRUE(c.execute("go 5s").contains("no run"));
  w.open("showcase.lua", QString::fromStdString(showcase()->spec().text));
  EXPECT_EQ(c.execute("case"), "cases: acks=1, acks=all");
  EXPECT_TRUE(c.execute("case acks=al").contains("did you mean `acks=all`"));
  EXPECT_TRUE(c.execute("set akcs=1").contains("acks"));
  c.execute("run");
  ASSERT_TRUE(wait_until([&] { return w.has_events(); }));
  EXPECT_EQ(c.execute("go #87"), QString("#87 at %1").arg(QString::fromStdString(format_time(w.recording()->time_of(87)))));
  EXPECT_EQ(w.event(), 87U);
  EXPECT_TRUE(c.execute("find produce").contains("looking through"));
  ASSERT_TRUE(wait_until([&] { return w.rows() != nullptr; }));
  EXPECT_TRUE(c.findChild<QPlainTextEdit*>()->toPlainText().endsWith(QString("%1 of %2 events").arg(w.rows()->size()).arg(w.recording()->events())));
  EXPECT_LT(w.rows()->size(), w.recording()->events());
  EXPECT_FALSE(c.execute("why").isEmpty());
  EXPECT_EQ(c.history().first(), "go 5s");
}

// --- finding ---

TEST(Finder, LettersInOrderFitAndWordsCountMore) {
  EXPECT_TRUE(fuzzy_score("spf", "Step forward"));
  EXPECT_FALSE(fuzzy_score("fs", "Step forward"));
  EXPECT_TRUE(fuzzy_score("", "anything"));
  EXPECT_GT(*fuzzy_score("sf", "Step forward"), *fuzzy_score("sf", "Stuff"));
  EXPECT_GT(*fuzzy_score("step", "Step back"), *fuzzy_score("step", "Start the piece"));
  int acted = 0;
  auto* finder = new Finder("x", {{"Go to", "G", "", [&] { acted = 1; }}, {"Step forward", ".", "", [&] { acted = 2; }}, {"Faster", "+", "", [&] { acted = 3; }}});
  EXPECT_EQ(finder->fitting(""), (std::vector<std::size_t>{0, 1, 2}));
  finder->type("stfo");
  finder->act();
  EXPECT_EQ(acted, 2);
  delete finder;
}

// --- faults by hand ---

// Each kind in the list makes a fault that can be written as Lua, and read back.
TEST(FaultPalette, EveryKindIsAScenarioLine) {
  for (const FaultDecl& d : fault_kinds()) {
    if (d.kind == FaultKind::command) continue;
    FaultForm form;
    form.kind = d.kind;
    form.whom = "B1";
    form.other = "B2";
    form.message = "Produce";
    form.duration = "3s";
    const FormedFault f = fault_of(form);
    ASSERT_TRUE(f.complaint.isEmpty()) << d.name << ": " << f.complaint.toStdString();
    const std::string line = right_after(5'000'000'000, f.fault).lua();
    const std::string text = "return scenario { cluster = kafka { brokers = 3, controllers = 1 }, topics = { orders = {} }, clients = { producer \"P1\" { topic = \"orders\", records = 2 } }, faults = { " + line + " } }";
    try {
      const Scenario s = load_scenario(text, "x.lua", all_models());
      ASSERT_EQ(s.faults.size(), 1U) << line;
      EXPECT_EQ(s.faults[0].fault.kind, d.kind) << line;
      EXPECT_EQ(describe(s.faults[0].fault), describe(f.fault)) << line;
    } catch (const InputError& e) {
      ADD_FAILURE() << line << ": " << e.what();
    }
  }
}

TEST(FaultPalette, SaysWhatIsMissing) {
  FaultForm form;
  form.kind = FaultKind::kill;
  EXPECT_TRUE(fault_of(form).complaint.contains("Whom"));
  form.whom = "B1";
  form.duration = "soon";
  EXPECT_TRUE(fault_of(form).complaint.contains("soon"));
  form.kind = FaultKind::drop;
  form.duration.clear();
  EXPECT_TRUE(fault_of(form).complaint.contains("message"));
}

}  // namespace
}  // namespace mqlab::gui
