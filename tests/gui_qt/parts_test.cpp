// Lessons, notebook, settings, themes, console, finder, faults by hand: what they do without a window around them.
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSpinBox>
#include <QTableWidget>
#include <QTest>

#include <map>
#include <set>

#include "gui/core/labels.h"
#include "gui/core/palette.h"
#include "gui/qt/console.h"
#include "gui/qt/fault_palette.h"
#include "gui/qt/finder.h"
#include "gui/qt/lessons.h"
#include "gui/qt/notebook.h"
#include "gui/qt/settings.h"
#include "gui/qt/theme.h"
#include "sim/lab/measured.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

// --- lessons ---

TEST(Lessons, AreThePagesOfDocsInOrder) {
  ASSERT_GT(lessons().size(), 15U);
  EXPECT_EQ(lessons().front().id, "first-minutes.md");
  for (const Lesson& l : lessons()) {
    EXPECT_FALSE(l.title.isEmpty()) << l.id.toStdString();
    EXPECT_TRUE(QFileInfo::exists(docs_folder() + "/" + l.id)) << l.id.toStdString();
  }
}

// Each link that a page gets leads to a scenario that can be read, with a case that it has.
TEST(Lessons, EveryStepRuns) {
  std::set<int> all_open;
  for (int i = 0; i < 100; ++i) all_open.insert(i);
  std::size_t steps = 0, written = 0;
  for (const Lesson& l : lessons()) {
    const LessonPage page = lesson_page(lesson_text(l.id), {}, {}, all_open);
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

// The run that a step asks for, as the window makes it; with more settings.
std::shared_ptr<const Recording> run_of(const LessonStep& s, const QStringList& more = {}) {
  RunSpec spec;
  spec.path = s.scenario.isEmpty() ? s.name.toStdString() : s.scenario.toStdString();
  spec.text = s.scenario.isEmpty() ? s.text.toStdString() : text_of_file(s.scenario);
  spec.case_name = s.case_name.toStdString();
  if (s.seed) spec.seed = *s.seed;
  for (const QString& each : s.settings + more) spec.settings.push_back({each.section('=', 0, 0).toStdString(), each.section('=', 1).toStdString(), true, 0});
  return Recording::make(std::move(spec), all_models());
}

const LessonPage& page_of(const QString& id) {
  static std::map<QString, LessonPage> all;
  auto& page = all[id];
  if (page.markdown.isEmpty()) page = lesson_page(lesson_text(id), {});
  return page;
}

// What a page claims is what a run in the window measures, and exactly one choice of each question is what came out.
TEST(Questions, EachMeasuresWhatItsPageClaimsAndHasOneRightChoice) {
  std::size_t questions = 0, pages = 0, numbers = 0;
  for (const Lesson& l : lessons()) {
    const LessonPage& page = page_of(l.id);
    EXPECT_TRUE(page.complaints.isEmpty()) << l.id.toStdString() << ": " << page.complaints.join("; ").toStdString();
    EXPECT_EQ(l.questions, static_cast<int>(page.questions.size()));
    pages += !page.questions.empty();
    std::set<QString> keys;
    for (const LessonQuestion& q : page.questions) {
      ++questions;
      const std::string where = l.id.toStdString() + ": " + q.words.toStdString();
      EXPECT_TRUE(keys.insert(q.key()).second) << where << ": another question has the same first command";
      std::set<QString> labels;
      for (const LessonStep& s : q.runs) {
        EXPECT_TRUE(labels.insert(label_of(s)).second) << where << ": two runs are called " << label_of(s).toStdString();
        EXPECT_EQ(s.measure, q.runs.front().measure) << where;
        const auto run = run_of(s);
        EXPECT_TRUE(is_run_of(s, *run)) << where << ": " << s.command.toStdString();
        EXPECT_EQ(parse_measure(s.measure.toStdString()).of(run->result()).text(), s.claimed.toStdString()) << where << ": " << s.command.toStdString();
      }
      const Measured value = parse_measure(q.runs.front().measure.toStdString()).of(run_of(q.runs.front())->result());
      numbers += q.choices.empty();
      if (q.choices.empty()) {
        EXPECT_NE(value.kind, Measured::Kind::word) << where << ": a number is asked for, and " << value.text() << " is none";
        EXPECT_TRUE(prediction_fits(q, QString::fromStdString(value.text()), QString::fromStdString(value.text()))) << where;
        continue;
      }
      EXPECT_GE(q.choices.size(), 2U) << where;
      int right = 0;
      for (const LessonChoice& c : q.choices) {
        const auto fit = fits(c.value.toStdString(), value);
        EXPECT_TRUE(fit.has_value()) << where << ": `" << c.value.toStdString() << "` can't be compared with " << value.text();
        right += fit.value_or(false);
      }
      EXPECT_EQ(right, 1) << where << ": measured " << value.text();
    }
  }
  EXPECT_GE(questions, 20U);
  EXPECT_GE(pages, 8U);
  EXPECT_GE(numbers, 1U);
}

constexpr const char* a_page =
    "# T\n\nBefore.\n\n> **Predict:** how often does `P1-4` stand\n> in the log?\n>\n> - [ ] **once**: the leader\n>   knows\n> - [ ] **twice**\n\n"
    "```sh\nmqlab run museum/kafka/p01-retry-duplicate --case idempotence=false --measure 'copies P1-4'\nmqlab run museum/kafka/p01-retry-duplicate --case idempotence=true --measure 'copies P1-4'\n```\n\n"
    "```text\ncopies P1-4: 2\ncopies P1-4: 1\n```\n\nTwice, of course.\n\n```sh\nmqlab run showcase\n```\n\n## Next\n\nAfter.\n";

TEST(Questions, APageIsReadAsAQuestionAndItsRuns) {
  const LessonPage page = lesson_page(a_page, {});
  EXPECT_TRUE(page.complaints.isEmpty()) << page.complaints.join("; ").toStdString();
  ASSERT_EQ(page.questions.size(), 1U);
  const LessonQuestion& q = page.questions[0];
  EXPECT_EQ(q.words, "**Predict:** how often does `P1-4` stand in the log?");
  ASSERT_EQ(q.choices.size(), 2U);
  EXPECT_EQ(q.choices[0].value, "once");
  EXPECT_EQ(q.choices[0].words, "the leader knows");
  ASSERT_EQ(q.runs.size(), 2U);
  EXPECT_EQ(q.runs[0].measure, "copies P1-4");
  EXPECT_EQ(q.runs[0].claimed, "2");
  EXPECT_EQ(q.runs[1].claimed, "1");
  EXPECT_EQ(page.steps.size(), 1U);
  EXPECT_TRUE(prediction_fits(q, "twice", "2"));
  EXPECT_FALSE(prediction_fits(q, "once", "2"));
}

TEST(Questions, WhatGivesTheAnswerAwayIsNotShownBeforeIt) {
  const auto shows = [](const LessonPage& p, const char* what) { return p.markdown.contains(QString::fromUtf8(what)); };
  const LessonPage fresh = lesson_page(a_page, {});
  EXPECT_TRUE(shows(fresh, "Before.") && shows(fresh, "After.") && shows(fresh, "mqlab:say?q=0&amp;c=1"));
  EXPECT_FALSE(shows(fresh, "of course")) << "what follows tells";
  EXPECT_FALSE(shows(fresh, "copies P1-4: 2"));
  EXPECT_FALSE(shows(fresh, "mqlab:step"));
  const LessonPage opened = lesson_page(a_page, {}, {}, {0});
  EXPECT_TRUE(shows(opened, "of course") && shows(opened, "mqlab:step?n=0"));
  Answer a;
  a.question = fresh.questions[0].key();
  a.said = "once";
  EXPECT_FALSE(shows(lesson_page(a_page, {}, {a}), "of course")) << "said, and not measured yet";
  a.measured = "2";
  a.runs = {{"case idempotence=false", "2"}, {"case idempotence=true", "1"}};
  const LessonPage answered = lesson_page(a_page, {}, {a});
  EXPECT_TRUE(shows(answered, "of course") && shows(answered, "not as you said") && shows(answered, "mqlab:ask?q=0&amp;run=1"));
}

TEST(Questions, WhatLooksLikeAQuestionAndIsNoneIsNamed) {
  const auto complaints = [](const QString& page) { return lesson_page(page, {}).complaints.join("; ").toStdString(); };
  EXPECT_NE(complaints("> **Predict:** what?\n\nText.\n").find("needs a block of"), std::string::npos);
  EXPECT_NE(complaints("> **Predict:** what?\n\n```sh\nmqlab run showcase\n```\n").find("has no --measure"), std::string::npos);
  EXPECT_NE(complaints("> **Predict:** what?\n\n```sh\nmqlab run nowhere --measure lost\n```\n\n```text\nlost: 1\n```\n").find("can't run"), std::string::npos);
  EXPECT_NE(complaints("> **Predict:** what?\n\n```sh\nmqlab run showcase --case acks=1 --measure lost\n```\n\n```text\nlost: 1\nlost: 2\n```\n").find("1 commands print 2 values"), std::string::npos);
  EXPECT_EQ(complaints("> Somebody said so.\n\nText.\n"), "") << "a quotation is a quotation";
}

TEST(LessonPane, APredictionIsKeptMeasuredAndStandsBesideWhatCameOut) {
  const QTemporaryDir folder;
  WindowSettings settings(folder.path() + "/w.ini");
  LessonPane pane(&settings);
  std::vector<LessonStep> asked;
  QStringList gone;
  QObject::connect(&pane, &LessonPane::run_asked, [&](const LessonStep& s) { asked.push_back(s); });
  QObject::connect(&pane, &LessonPane::go_asked, [&](const QString& w) { gone << w; });
  const QString id = "kafka/03-ordering-and-duplicates.md";
  pane.show_lesson(id);
  const LessonQuestion q = pane.page().questions.at(0);
  ASSERT_TRUE(pane.follow(QUrl("mqlab:say?q=0&c=0")));
  ASSERT_EQ(asked.size(), 1U) << "an answer runs the scenario";
  EXPECT_EQ(asked[0].command, q.key());
  const Answers fresh(settings.folder() + "/answers.json");
  ASSERT_NE(fresh.find(id, q.key()), nullptr) << "it is on the disk when it is given";
  EXPECT_EQ(fresh.find(id, q.key())->said, "once");
  EXPECT_EQ(fresh.find(id, q.key())->when.date(), QDate::currentDate());
  EXPECT_TRUE(fresh.find(id, q.key())->measured.isEmpty()) << "a click measures nothing";
  // A run of something else, and one that was changed, are no measurement of it.
  pane.run_ended(*showcase());
  EXPECT_TRUE(pane.answers().find(id, q.key())->runs.empty());
  pane.run_ended(*run_of(q.runs[0], {"P1.retries=0"}));
  EXPECT_TRUE(pane.answers().find(id, q.key())->measured.isEmpty());
  EXPECT_EQ(pane.answers().find(id, q.key())->runs, (std::vector<MeasuredRun>{{"case idempotence=false, P1.retries=0", "1"}})) << "a knob of one's own is a row";
  pane.run_ended(*run_of(q.runs[0]));
  EXPECT_EQ(pane.answers().find(id, q.key())->measured, "2");
  ASSERT_EQ(gone.size(), 1) << "the window goes where it can be seen";
  EXPECT_TRUE(gone[0].startsWith('#'));
  EXPECT_TRUE(pane.page().markdown.contains("not as you said"));
  // The knob of the page.
  ASSERT_TRUE(pane.follow(QUrl("mqlab:ask?q=0&run=1")));
  pane.run_ended(*run_of(asked.back()));
  EXPECT_EQ(pane.answers().find(id, q.key())->runs.back(), (MeasuredRun{"case idempotence=true", "1"}));
  // Another window, another day: it is all there.
  LessonPane again(&settings);
  again.show_lesson(id);
  EXPECT_TRUE(again.page().markdown.contains("not as you said"));
  EXPECT_TRUE(contents_page(settings).contains("1 of")) << contents_page(settings).toStdString();
  ASSERT_TRUE(again.follow(QUrl("mqlab:anew?q=0")));
  EXPECT_EQ(Answers(settings.folder() + "/answers.json").find(id, q.key()), nullptr);
}

// Where a number is asked for it is typed; what is no number, or of another kind, stays there and is not kept.
TEST(LessonPane, ANumberIsTypedAndIsRightWithinATenth) {
  const QTemporaryDir folder;
  WindowSettings settings(folder.path() + "/w.ini");
  LessonPane pane(&settings);
  pane.show();
  std::vector<LessonStep> asked;
  QStringList told;
  QObject::connect(&pane, &LessonPane::run_asked, [&](const LessonStep& s) { asked.push_back(s); });
  QObject::connect(&pane, &LessonPane::told, [&](const QString& s) { told << s; });
  const QString id = "kafka/06-retention-compaction-and-lag.md";
  pane.show_lesson(id);
  const auto& all = pane.page().questions;
  const auto it = std::find_if(all.begin(), all.end(), [](const LessonQuestion& q) { return q.choices.empty(); });
  ASSERT_NE(it, all.end());
  const LessonQuestion q = *it;
  const auto number = it - all.begin();
  ASSERT_EQ(q.runs[0].claimed, "253 s");
  EXPECT_TRUE(pane.page().markdown.contains(QStringLiteral("mqlab:number?q=%1").arg(number)));
  auto* line = pane.findChild<QLineEdit*>();
  ASSERT_NE(line, nullptr);
  const auto say = [&](const char* text) {
    if (!line->isVisible()) pane.follow(QUrl(QStringLiteral("mqlab:number?q=%1").arg(number)));
    line->setText(text);
    QTest::keyClick(line, Qt::Key_Return);
  };
  for (const char* wrong : {"soon", "-5 s", "240"}) {
    told.clear();
    say(wrong);
    EXPECT_EQ(told, QStringList{QStringLiteral("`%1` is no time: 250 ms or 3 min was expected").arg(wrong)});
    EXPECT_TRUE(line->isVisible() && line->text() == wrong) << wrong << " stays, to be mended";
    EXPECT_TRUE(asked.empty()) << wrong;
    EXPECT_EQ(pane.answers().find(id, q.key()), nullptr) << wrong << " is no answer";
  }
  const auto run = run_of(q.runs[0]);
  const std::pair<const char*, const char*> said[] = {{"4 min", "✓ as you said"}, {"230 s", "✓ as you said"}, {"1 min", "✗ not as you said"}, {"0", "✗ not as you said"}};
  for (const auto& [text, verdict] : said) {
    asked.clear();
    say(text);
    EXPECT_FALSE(line->isVisible());
    ASSERT_EQ(asked.size(), 1U) << text;
    EXPECT_EQ(asked[0].command, q.key());
    pane.run_ended(*run);
    ASSERT_NE(pane.answers().find(id, q.key()), nullptr);
    EXPECT_EQ(pane.answers().find(id, q.key())->said, text);
    EXPECT_EQ(pane.answers().find(id, q.key())->measured, "253 s");
    EXPECT_TRUE(pane.page().markdown.contains(verdict)) << text;
    EXPECT_TRUE(pane.page().markdown.contains("mqlab:ask?q=" + QString::number(number) + "&amp;run=1")) << "the knob is there";
  }
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
  pane.run_ended(*run_of(asked[0], {"acks=0"}));
  EXPECT_TRUE(settings.done(pane.lesson()).isEmpty()) << "another run than the step's";
  pane.run_ended(*run_of(asked[0]));
  EXPECT_EQ(settings.done(pane.lesson()), QStringList{asked[0].command});
  pane.run_ended(*run_of(asked[0]));  // a run of the user's own ticks nothing
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
  n.without = {0, 3};
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

// Where paper and fields are of one colour, a field is told by its edge: on all four sides.
TEST(Themes, WithHighContrastEachInputHasAnEdge) {
  for (const Theme t : {Theme::high_contrast_light, Theme::high_contrast_dark}) {
    apply_theme(*qApp, t, 100);
    QWidget window;
    QComboBox combo(&window), typed(&window);
    combo.addItem("one");
    typed.setEditable(true);
    QSpinBox number(&window);
    QLineEdit line(&window);
    QPlainTextEdit text(&window);
    QPushButton button("act", &window);
    QTableWidget table(2, 2, &window);
    const std::vector<QWidget*> inputs = {&combo, &typed, &number, &line, &text, &button, &table};
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i]->setGeometry(20, 20 + 50 * static_cast<int>(i), 160, 30);
    window.resize(200, 400);
    window.show();
    QTest::qWait(20);
    const QImage picture = window.grab().toImage();
    const QColor paper = palette_of(t).color(QPalette::Window);
    for (const QWidget* w : inputs) {
      const QRect r = w->geometry();
      // From outside, beside what is written in it.
      const auto inked = [&](QPoint from, QPoint step) {
        for (int i = 0; i < 3; ++i)
          if (contrast(rgba(picture.pixelColor(from + i * step)), rgba(paper)) >= 4.5) return true;
        return false;
      };
      const QPoint third(r.left() + r.width() / 3, r.top() + r.height() / 2);
      EXPECT_TRUE(inked({r.left(), third.y()}, {1, 0})) << word(t) << ", left of " << w->metaObject()->className();
      EXPECT_TRUE(inked({r.right(), third.y()}, {-1, 0})) << word(t) << ", right of " << w->metaObject()->className();
      EXPECT_TRUE(inked({third.x(), r.top()}, {0, 1})) << word(t) << ", above " << w->metaObject()->className();
      EXPECT_TRUE(inked({third.x(), r.bottom()}, {0, -1})) << word(t) << ", below " << w->metaObject()->className();
    }
  }
  apply_theme(*qApp, Theme::light, 100);
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
  EXPECT_TRUE(c.findChild<QPlainTextEdit*>()->toPlainText().endsWith(QString("%1 of %2").arg(w.rows()->size()).arg(QString::fromStdString(counted(w.recording()->events(), "event")))));
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
