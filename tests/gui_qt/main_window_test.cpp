// The window as a whole, offscreen: what a user does in the first minutes.
#include "gui/qt/main_window.h"

#include <QAccessible>
#include <QAction>
#include <QTest>

#include <set>

#include "gui/qt/finder.h"
#include "sim/record/event_text.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

class Window : public ::testing::Test {
 protected:
  MainWindow& open(const WindowOptions& options = {}) {
    settings_ = std::make_unique<WindowSettings>(folder_.path() + "/w.ini");
    window_ = std::make_unique<MainWindow>(settings_.get(), options);
    window_->show();
    QApplication::setActiveWindow(window_.get());
    EXPECT_TRUE(QTest::qWaitForWindowActive(window_.get(), 5000));
    if (!options.scenario.isEmpty()) settle();
    return *window_;
  }
  MainWindow& showcase_window() { return open({.scenario = source("scenarios/showcase.lua"), .layout = "learn"}); }
  void settle() {
    ASSERT_TRUE(wait_until([&] { return window_->settled(); })) << "it never settled";
  }
  void trigger(const char* id) {
    window_->actions()[id]->trigger();
    settle();
  }

  QTemporaryDir folder_;
  std::unique_ptr<WindowSettings> settings_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(Window, WithoutAScenarioBeginsWithTheStartPage) {
  MainWindow& w = open();
  EXPECT_TRUE(w.start_page_shown());
  EXPECT_TRUE(w.panes().empty());
  w.apply_layout("debug");
  EXPECT_FALSE(w.start_page_shown());
}

TEST_F(Window, RunsAScenarioWithTheFingerprintOfTheCommandLine) {
  MainWindow& w = showcase_window();
  ASSERT_TRUE(w.workspace().has_events());
  EXPECT_FALSE(w.start_page_shown());
  EXPECT_EQ(w.workspace().recording()->result().fingerprint, showcase()->result().fingerprint);
  EXPECT_EQ(w.workspace().wanted().case_name, "acks=1");
  EXPECT_TRUE(w.windowTitle().contains("showcase.lua"));
}

TEST_F(Window, AClickOnAVerdictMovesEveryPaneToItsWitness) {
  MainWindow& w = showcase_window();
  w.verdict_pane()->view()->setCurrentIndex(w.verdict_pane()->model()->index(0, 0));
  w.verdict_pane()->go_to_witness();
  settle();
  const auto r = w.workspace().recording();
  EXPECT_EQ(event_name(r->journal(), r->journal().deliveries[w.workspace().event()]), "ProduceReply");
  EXPECT_EQ(w.workspace().entity().kind, EntityId::Kind::message);
  EXPECT_EQ(w.event_pane()->model()->event_of(w.event_pane()->view()->currentIndex().row()), w.workspace().event());
  EXPECT_EQ(w.workspace().moment()->event, w.workspace().event());
  // And back.
  const std::size_t there = w.workspace().event();
  trigger("edit.back");
  EXPECT_NE(w.workspace().event(), there);
  trigger("edit.forward");
  EXPECT_EQ(w.workspace().event(), there);
}

TEST_F(Window, StepsGoToCausesAndViolations) {
  MainWindow& w = showcase_window();
  EXPECT_EQ(w.workspace().go_to("#516"), "");
  settle();
  trigger("run.forward");
  EXPECT_EQ(w.workspace().event(), 517U);
  trigger("run.back");
  EXPECT_EQ(w.workspace().event(), 516U);
  trigger("run.cause");
  EXPECT_EQ(w.workspace().event(), 515U);
  trigger("run.effect");
  EXPECT_EQ(w.workspace().event(), 516U);
  trigger("run.first");
  EXPECT_EQ(w.workspace().event(), 0U);
  trigger("run.next_violation");
  EXPECT_GT(w.workspace().event(), 1000U);
  trigger("run.back_node");
  trigger("run.forward_node");
  trigger("run.last");
  EXPECT_EQ(w.workspace().event(), w.workspace().recording()->events() - 1);
}

TEST_F(Window, AMistakeIsShownAtItsLineAndTheLastRunStays) {
  MainWindow& w = showcase_window();
  const auto before = w.workspace().recording();
  w.scenario_pane()->editor()->replace_text(w.scenario_pane()->text().replace("run_for", "run_fro"));
  trigger("run.run");
  EXPECT_EQ(w.scenario_pane()->editor()->error_line(), 19);
  EXPECT_TRUE(w.windowTitle().contains("showcase.lua"));
  w.scenario_pane()->editor()->replace_text(w.scenario_pane()->text().replace("run_fro", "run_for"));
  trigger("run.run");
  EXPECT_EQ(w.scenario_pane()->editor()->error_line(), 0);
  EXPECT_EQ(w.workspace().recording()->result().fingerprint, before->result().fingerprint);
}

TEST_F(Window, AFaultByHandForksAndIsWrittenBackAsLua) {
  MainWindow& w = showcase_window();
  ASSERT_EQ(w.workspace().go_to("20s"), "");
  settle();
  const auto before = w.workspace().recording();
  w.workspace().set_entity(EntityId::node(w.workspace().recording()->result().world->find("B3")));
  trigger("fault.kill");
  ASSERT_EQ(w.workspace().session().branches().size(), 2U);
  const auto forked = w.workspace().recording();
  EXPECT_NE(forked, before);
  EXPECT_NE(forked->result().fingerprint, before->result().fingerprint);
  EXPECT_EQ(forked->spec().interventions.size(), 1U);
  trigger("fault.write_back");
  EXPECT_TRUE(w.scenario_pane()->text().contains("kill { who = \"B3\"")) << w.scenario_pane()->text().toStdString();
  trigger("run.run");
  EXPECT_EQ(w.workspace().session().branches().size(), 1U);
  EXPECT_EQ(w.workspace().recording()->result().fingerprint, forked->result().fingerprint) << "what was written back is another run";
}

TEST_F(Window, BothFuturesStay) {
  MainWindow& w = showcase_window();
  w.workspace().fork_setting({"acks", std::string("all"), true, 0});
  settle();
  ASSERT_TRUE(wait_until([&] { return w.workspace().session().current() == 1; }));
  EXPECT_EQ(w.workspace().recording()->result().verdict("lost-message")->report.verdict, Verdict::holds);
  w.workspace().show_branch(0);
  settle();
  EXPECT_EQ(w.workspace().recording()->result().verdict("lost-message")->report.verdict, Verdict::violated);
}

TEST_F(Window, EachLayoutShowsPanesAndF6VisitsAllOfThem) {
  MainWindow& w = showcase_window();
  for (const QString& name : layout_names()) {
    w.apply_layout(name);
    ASSERT_TRUE(wait_until([&] { return w.settled(); }));
    const auto all = w.panes();
    EXPECT_GE(all.size(), 3U) << name.toStdString();
    EXPECT_NE(std::find(all.begin(), all.end(), w.dock("verdicts")), all.end()) << name.toStdString();
    std::set<QDockWidget*> visited;
    for (std::size_t i = 0; i < all.size(); ++i) {
      w.next_pane(1);
      for (QDockWidget* d : all)
        if (QApplication::focusWidget() && d->isAncestorOf(QApplication::focusWidget())) visited.insert(d);
    }
    EXPECT_EQ(visited.size(), all.size()) << name.toStdString();
    EXPECT_EQ(settings_->layout(), name);
  }
}

TEST_F(Window, ASettingOfTheCommandLineIsApplied) {
  MainWindow& w = open({.scenario = source("scenarios/showcase.lua"), .case_name = "acks=1", .seed = 5, .settings = {"acks=all"}, .at = "12s"});
  EXPECT_EQ(w.workspace().recording()->seed(), 5U);
  EXPECT_EQ(w.workspace().recording()->result().verdict("lost-message")->report.verdict, Verdict::holds);
  EXPECT_LE(w.workspace().time(), 12'000'000'000);
  EXPECT_GT(w.workspace().time(), 11'000'000'000);
}

TEST_F(Window, PlayingChangesThePlaceAndNotTheRun) {
  MainWindow& w = showcase_window();
  const auto before = w.workspace().recording()->result().fingerprint;
  trigger("run.first");
  w.workspace().set_speed(1024);
  w.workspace().play(true);
  ASSERT_TRUE(wait_until([&] { return !w.workspace().playing(); })) << "it never came to the end";
  EXPECT_EQ(w.workspace().event(), w.workspace().recording()->events() - 1);
  EXPECT_EQ(w.workspace().recording()->result().fingerprint, before);
}

TEST_F(Window, ThemesAndSizesOfTextChangeAndAreRemembered) {
  MainWindow& w = showcase_window();
  for (int i = 0; i < theme_count; ++i) trigger("view.theme");
  EXPECT_EQ(w.theme(), Theme::light);
  trigger("view.theme");
  EXPECT_EQ(settings_->theme(), Theme::dark);
  for (int i = 0; i < 30; ++i) trigger("view.larger");
  EXPECT_EQ(settings_->scale(), scale_max);
  for (int i = 0; i < 30; ++i) trigger("view.smaller");
  EXPECT_EQ(settings_->scale(), scale_min);
  trigger("view.normal_size");
}

TEST_F(Window, ALessonsStepRunsHereAndIsTicked) {
  MainWindow& w = open();
  w.lesson_pane()->show_lesson("kafka/02-replication-and-acks.md");
  ASSERT_TRUE(w.lesson_pane()->follow(QUrl("mqlab:step?n=0")));
  settle();
  ASSERT_TRUE(w.workspace().has_events());
  EXPECT_TRUE(w.workspace().recording()->result().as_expected);
  EXPECT_EQ(settings_->done("kafka/02-replication-and-acks.md").size(), 1);
}

// Answered with one click: the run is made and measured, the window stands where it can be seen, and the table is there.
TEST_F(Window, APredictionIsOneClickFromWhatCameOut) {
  MainWindow& w = open();
  w.show_lesson("first-minutes.md");
  EXPECT_FALSE(w.start_page_shown());
  EXPECT_FALSE(w.lesson_pane()->browser()->toPlainText().contains("Go back through it")) << "not before it is answered";
  ASSERT_TRUE(w.lesson_pane()->follow(QUrl("mqlab:say?q=0&c=0")));
  settle();
  const QString page = w.lesson_pane()->browser()->toPlainText();
  EXPECT_TRUE(page.contains("not as you said")) << page.left(800).toStdString();
  EXPECT_TRUE(page.contains("Go back through it"));
  EXPECT_GT(w.workspace().time(), 38'000'000'000) << "at the second copy";
  EXPECT_LT(w.facts().view().range.length(), 10'000'000'000) << "and near enough to see it";
  ASSERT_TRUE(w.lesson_pane()->follow(QUrl("mqlab:go?to=8005.3ms&show=3ms")));
  settle();
  EXPECT_EQ(w.workspace().time() / 1'000'000, 8'005);
  EXPECT_EQ(w.facts().view().range.length(), 3'000'000);
  // A fault by hand is a row of the same table.
  ASSERT_TRUE(break_by_hand(w.workspace(), "kill P1 at 20s").isEmpty());
  settle();
  EXPECT_TRUE(w.lesson_pane()->browser()->toPlainText().contains("kill P1 at 20"));
}

TEST_F(Window, AKnobOfTheLinksIsAFutureWhenItIsLetGo) {
  MainWindow& w = showcase_window();
  ASSERT_TRUE(w.workspace().go_to("8s").isEmpty());
  settle();
  CanvasWidget* topology = w.pictures().front()->canvas();
  const auto turn = [&](const char* knob, double value, bool done) {
    CanvasWishes wish;
    wish.knobs.push_back({knob, value, done});
    topology->wish(wish);
  };
  const std::size_t event = w.workspace().event();
  turn("latency", 3, false);
  turn("latency", 5, false);
  EXPECT_EQ(w.workspace().session().branches().size(), 1U) << "while it is dragged nothing is run";
  turn("latency", 7, true);
  EXPECT_EQ(w.workspace().session().branches().size(), 2U);
  settle();
  const Branch& b = w.workspace().session().branch(w.workspace().session().current());
  ASSERT_EQ(b.spec.interventions.size(), 1U);
  EXPECT_EQ(b.spec.interventions[0].fault.trigger.after, w.workspace().recording()->time_of(event) + 1);
  EXPECT_EQ(b.spec.interventions[0].fault.fault.amount, 500'000'000);
  EXPECT_EQ(b.label.substr(0, 24), "latency 500 ms, all link");
  EXPECT_EQ(w.workspace().event(), event) << "one stays where one was";
  EXPECT_EQ(w.workspace().knob_stands(KnobKind::latency, w.workspace().knob_scope()), 7U);
  turn("speed", 0, false);
  EXPECT_EQ(w.workspace().speed(), play_speeds().front().speed);
  trigger("fault.undo");
  EXPECT_EQ(w.workspace().knob_stands(KnobKind::latency, w.workspace().knob_scope()), 0U);
}

// Knobs have keys: several presses are one turn, of the links that were in focus then.
TEST_F(Window, KnobsAreTurnedByKeysAndReadToWhoHears) {
  MainWindow& w = showcase_window();
  ASSERT_TRUE(w.workspace().go_to("8s").isEmpty());
  settle();
  Workspace& run = w.workspace();
  CanvasWidget* topology = w.pictures().front()->canvas();
  topology->setFocus();
  const auto knob = [&](const char* name) {
    QAccessibleInterface* face = QAccessible::queryAccessibleInterface(topology);
    for (int i = 0; i < face->childCount(); ++i)
      if (face->child(i)->role() == QAccessible::Slider && face->child(i)->text(QAccessible::Name) == name) return face->child(i)->text(QAccessible::Value);
    return QString("no such knob");
  };
  EXPECT_EQ(knob("all links: latency"), "as it is");
  EXPECT_EQ(knob("all links: loss"), "as it is");
  EXPECT_EQ(knob("speed of play"), "× 1");
  for (int i = 0; i < 3; ++i) QTest::keyClick(topology, Qt::Key_L);
  QTest::keyClick(topology, Qt::Key_L, Qt::ShiftModifier);
  EXPECT_EQ(knob("all links: latency"), "5 ms") << "it is seen at once";
  EXPECT_EQ(run.session().branches().size(), 1U) << "and nothing is run while it is turned";
  settle();
  ASSERT_EQ(run.session().branches().size(), 2U);
  EXPECT_EQ(run.recording()->spec().interventions.at(0).fault.fault.amount, 5'000'000);
  EXPECT_EQ(knob("all links: latency"), "5 ms");
  // A node comes into focus while loss is turned: what was turned is of all links, and of that moment.
  const std::size_t event = run.event();
  QTest::keyClick(topology, Qt::Key_D);
  run.set_entity(EntityId::node(run.recording()->result().world->find("B1")));
  EXPECT_EQ(knob("from B1: loss"), "as it is");
  settle();
  ASSERT_EQ(run.session().branches().size(), 3U);
  ASSERT_EQ(run.recording()->spec().interventions.size(), 2U);
  EXPECT_EQ(run.recording()->spec().interventions[1].fault.trigger.after, run.recording()->time_of(event) + 1);
  EXPECT_EQ(run.recording()->spec().interventions[1].fault.fault.ratio.part, 1U);
  run.set_entity({});
  settle();
  EXPECT_EQ(knob("all links: loss"), "1 %");
  // Back to as it is: the fault is gone.
  QTest::keyClick(topology, Qt::Key_D, Qt::ShiftModifier);
  QTest::keyClick(topology, Qt::Key_D, Qt::ShiftModifier);
  settle();
  EXPECT_EQ(run.recording()->spec().interventions.size(), 1U);
  for (int i = 0; i < 2; ++i) QTest::keyClick(topology, Qt::Key_Plus);
  settle();
  EXPECT_EQ(knob("speed of play"), "× 4");
}

// A note of a run that was broken by hand makes that run again, in a window that has never seen it.
TEST_F(Window, ANoteComesBackWithTheFaultsThatWereMadeByHand) {
  MainWindow& w = showcase_window();
  ASSERT_TRUE(break_by_hand(w.workspace(), "kill B2 for 3s at 12s").isEmpty());
  settle();
  w.workspace().turn_knob(KnobKind::loss, {{"B1"}, {"rest"}, "from B1"}, 4);
  settle();
  w.workspace().fork_without(0);
  settle();
  ASSERT_TRUE(w.workspace().go_to("14s").isEmpty());
  settle();
  const std::string seen = w.workspace().recording()->result().fingerprint.text();
  const std::size_t event = w.workspace().event();
  w.notebook()->add_mark();
  ASSERT_EQ(w.notebook()->notes().size(), 1U);
  const Note note = w.notebook()->notes()[0];
  EXPECT_EQ(note.by_hand.size(), 2);
  EXPECT_EQ(note.without.size(), 1U);
  window_->close();
  window_.reset();
  MainWindow& again = open({.scenario = source("scenarios/lessons/two-generals.lua"), .settings = {}});
  QStringList told;
  QObject::connect(&again.workspace(), &Workspace::told, [&](const QString& s) { told << s; });
  ASSERT_EQ(again.notebook()->notes(), std::vector<Note>{note});
  emit again.notebook()->return_to(note);
  settle();
  EXPECT_EQ(again.workspace().recording()->result().fingerprint.text(), seen);
  EXPECT_EQ(again.workspace().event(), event);
  EXPECT_TRUE(told.join('|').contains("with 2 faults by hand")) << told.join('|').toStdString();
  // Of a scenario that is another now it is said.
  Note other = note;
  other.fingerprint = "0123456789abcdef";
  emit again.notebook()->return_to(other);
  settle();
  EXPECT_TRUE(told.join('|').contains("This is not the run of the note")) << told.join('|').toStdString();
}

TEST_F(Window, CommandsAreFoundFromInsideTheEditorToo) {
  MainWindow& w = showcase_window();
  w.dock("scenario")->raise();
  LuaEditor* editor = w.scenario_pane()->editor();
  editor->setFocus();
  const QString before = editor->toPlainText();
  QTest::keyClick(editor, Qt::Key_K, Qt::ControlModifier);
  auto* finder = w.findChild<Finder*>();
  ASSERT_NE(finder, nullptr);
  EXPECT_EQ(editor->toPlainText(), before);
  const int scale = settings_->scale();
  finder->type("larger");
  finder->act();
  EXPECT_EQ(settings_->scale(), scale + scale_step);
  trigger("view.normal_size");
}

// Opened by its name, a file shows what was typed into it; another file leaves that where it is.
TEST_F(Window, TextThatWasNotSavedComesBackWithItsFile) {
  const WindowOptions again = {.scenario = source("scenarios/showcase.lua"), .layout = "learn"};
  open(again).scenario_pane()->editor()->insertPlainText("-- typed\n");
  window_->close();
  window_.reset();
  MainWindow& other = open({.scenario = source("scenarios/museum/kafka/p01-retry-duplicate.lua"), .layout = "learn"});
  EXPECT_FALSE(other.scenario_pane()->modified());
  other.close();
  window_.reset();
  MainWindow& w = open(again);
  EXPECT_TRUE(w.scenario_pane()->text().startsWith("-- typed\n"));
  EXPECT_TRUE(w.scenario_pane()->modified());
  EXPECT_EQ(w.workspace().recording()->result().fingerprint, showcase()->result().fingerprint);
}

TEST_F(Window, WhoOpensARunLooksAtItAndPlainKeysStep) {
  MainWindow& w = showcase_window();
  const QString before = w.scenario_pane()->text();
  QTest::keyClick(QApplication::focusWidget(), Qt::Key_Period);
  settle();
  EXPECT_EQ(w.workspace().event(), 1U);
  EXPECT_EQ(w.scenario_pane()->text(), before);
}

// From the start page, the library or a link it is the same.
TEST_F(Window, WhoOpensARunFromTheStartPageLooksAtItToo) {
  MainWindow& w = open();
  ASSERT_TRUE(w.start_page_shown());
  w.actions()["file.library"]->trigger();
  auto* finder = w.findChild<Finder*>();
  ASSERT_NE(finder, nullptr);
  finder->type("retry-dup");
  finder->act();
  settle();
  ASSERT_TRUE(w.workspace().has_events());
  ASSERT_TRUE(wait_until([&] { return w.findChild<Finder*>() == nullptr; }));
  QApplication::setActiveWindow(&w);
  ASSERT_TRUE(QApplication::focusWidget());
  const QString before = w.scenario_pane()->text();
  QTest::keyClick(QApplication::focusWidget(), Qt::Key_Period);
  settle();
  EXPECT_EQ(w.workspace().event(), 1U);
  EXPECT_EQ(w.scenario_pane()->text(), before);
}

// A tab that comes over the editor takes the keyboard from it: nothing is typed into a text that is not seen.
TEST_F(Window, NothingIsTypedIntoAPaneBelowAnotherOne) {
  MainWindow& w = showcase_window();
  w.dock("scenario")->raise();
  LuaEditor* editor = w.scenario_pane()->editor();
  editor->setFocus();
  ASSERT_TRUE(editor->hasFocus());
  const QString before = w.scenario_pane()->text();
  w.dock("lesson")->raise();
  ASSERT_TRUE(wait_until([&] { return !editor->hasFocus(); }));
  QTest::keyClick(QApplication::focusWidget(), Qt::Key_Period);
  settle();
  EXPECT_EQ(w.scenario_pane()->text(), before);
  EXPECT_EQ(w.workspace().event(), 1U);
}

// Another layout in which the text is seen leaves the keyboard where it was.
TEST_F(Window, ALayoutThatShowsTheEditorLeavesTheKeyboardThere) {
  MainWindow& w = showcase_window();
  w.dock("scenario")->raise();
  w.scenario_pane()->editor()->setFocus();
  w.apply_layout("debug");
  EXPECT_TRUE(w.scenario_pane()->editor()->hasFocus());
  w.apply_layout("present");
  EXPECT_FALSE(w.scenario_pane()->editor()->hasFocus());
}

// Who begins a new one writes it.
TEST_F(Window, ANewScenarioIsSeenAndTypedInto) {
  MainWindow& w = open();
  w.actions()["file.new"]->trigger();
  settle();
  EXPECT_TRUE(w.scenario_pane()->editor()->hasFocus());
  EXPECT_FALSE(w.scenario_pane()->editor()->visibleRegion().isEmpty());
}

TEST_F(Window, TextThatWasNotSavedComesBackWhenItWasClosed) {
  MainWindow& w = showcase_window();
  w.scenario_pane()->editor()->insertPlainText("-- typed\n");
  w.close();
  window_.reset();
  MainWindow& again = open();
  EXPECT_TRUE(again.scenario_pane()->text().startsWith("-- typed\n"));
  EXPECT_TRUE(again.scenario_pane()->modified());
  EXPECT_FALSE(again.start_page_shown());
}

}  // namespace
}  // namespace mqlab::gui
