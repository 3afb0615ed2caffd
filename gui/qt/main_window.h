// gui/qt/main_window.h: the window: panes around one focus, four ways to lay them out.
//
// It puts together what stands in other files and decides little: actions go to the workspace, what changes there goes to the panes.
//
// Its own code is in four files: main_window.cpp (panes, what is told where), main_window_actions.cpp (what menus and keys do),
// main_window_scenarios.cpp (opening, saving, running) and main_window_layout.cpp (which panes are in sight; the layouts themselves: window_layout.h).
// Elsewhere: what is run (run_bar.h), what is filtered (chip_bar.h), what a right click offers (thing_menu.h), the start page (start_page.h).
//
//     MainWindow w(settings, {.scenario = "scenarios/showcase.lua"});
//     w.show();
#pragma once

#include <QDockWidget>
#include <QLabel>
#include <QMainWindow>

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "gui/qt/actions.h"
#include "gui/qt/beside.h"
#include "gui/qt/chip_bar.h"
#include "gui/qt/console.h"
#include "gui/qt/fault_palette.h"
#include "gui/qt/lessons.h"
#include "gui/qt/notebook.h"
#include "gui/qt/panes.h"
#include "gui/qt/pictures.h"
#include "gui/qt/run_bar.h"
#include "gui/qt/scenario_pane.h"
#include "gui/qt/settings.h"
#include "gui/qt/thing_menu.h"
#include "gui/qt/time_bar.h"
#include "gui/qt/workspace.h"

namespace mqlab::gui {

struct LayoutCell;
struct WrittenBack;

// What a command line asks of a window.
struct WindowOptions {
  QString scenario{};
  QString case_name{}, design{};
  std::optional<quint64> seed{};
  QStringList settings{};  // "acks=1"
  QString layout{};        // empty: as it was
  QString at{};            // where to go when it has run: "130ms"
  QStringList breaks{};    // faults by hand, one after the other: "kill B1 at 15s" (read_by_hand)
};

// "learn", "debug", "compare", "present".
const QStringList& layout_names();

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  explicit MainWindow(WindowSettings* settings, const WindowOptions& options = {}, QWidget* parent = nullptr);
  ~MainWindow() override;

  Workspace& workspace() { return *workspace_; }
  ActionSet& actions() { return actions_; }
  ScenarioPane* scenario_pane() const { return scenario_; }
  LessonPane* lesson_pane() const { return lessons_; }
  VerdictPane* verdict_pane() const { return verdicts_; }
  EventPane* event_pane() const { return events_; }
  FaultPalette* fault_palette() const { return faults_; }
  const std::vector<PicturePane*>& pictures() const { return pictures_; }
  RunFacts& facts() { return *facts_; }
  ConsolePane* console() const { return console_; }
  NotebookPane* notebook() const { return notebook_; }
  QDockWidget* dock(const QString& name) const;
  const QString& layout_name() const { return layout_; }

  // False, with a word in the status bar, when the file can't be read.
  bool open_scenario(const QString& path, bool run = true);
  void apply_layout(const QString& name);
  void set_theme(Theme l);
  Theme theme() const { return theme_; }
  void set_scale(int percent);
  void show_start_page(bool on);
  void show_lesson(const QString& id);
  bool start_page_shown() const;
  // The pane with the keyboard, and those that are shown, in the order of F6.
  std::vector<QDockWidget*> panes() const;
  void next_pane(int direction);
  // Nothing is under way any more: runs are made, the state of the focus has come.
  bool settled() const;

 protected:
  void closeEvent(QCloseEvent* event) override;
  void showEvent(QShowEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  // What the command line asks for; without a scenario unsaved text, or the start page.
  void begin(const WindowOptions& options);
  void make_panes();
  void make_menus();
  void make_status_bar();
  void connect_actions();
  void connect_file_actions();
  void connect_edit_actions();
  void connect_run_actions();
  void connect_fault_actions();
  void connect_view_actions();
  void connect_lesson_actions();
  void connect_help_actions();
  template <class Act>
  void on(std::string_view action, Act act) {
    connect(actions_[action], &QAction::triggered, this, act);
  }
  void connect_workspace();
  void run();
  void run_step(const LessonStep& step);
  void return_to(const Note& note);
  void write_back();
  void take_written_back(const WrittenBack& w, const QString& text_before);
  void act_on_focus(FaultKind k);
  void show_line_of_focus();
  void show_status();
  void show_title();
  bool may_leave_text();
  void save(bool ask);
  // The keyboard goes to the picture of the run: plain keys play and step.
  void look_at_run();
  QDockWidget* add_pane(const QString& name, const QString& title, QWidget* widget);
  void share_cell(const LayoutCell& cell);
  void apply_sizes();
  // By the size of the text.
  void hold_least_widths();
  void size_titles();
  bool in_sight(const QDockWidget* d) const;

  WindowSettings* settings_;
  Workspace* workspace_;
  ActionSet actions_;
  Theme theme_;
  int scale_ = 100;
  QString layout_;
  std::map<QString, QDockWidget*> docks_;
  std::vector<QString> order_;  // of F6
  PageBrowser* start_;
  ScenarioPane* scenario_;
  LessonPane* lessons_;
  ConsolePane* console_;
  EventPane* events_;
  VerdictPane* verdicts_;
  InspectorPane* inspector_;
  BranchPane* branches_;
  FaultPalette* faults_;
  NotebookPane* notebook_;
  RunFacts* facts_;
  std::vector<PicturePane*> pictures_;
  TopologyPane* topology_;
  TimeBar* time_bar_;
  RunBar* run_bar_;
  ChipBar* chip_bar_;
  QLabel *fingerprint_, *events_label_, *renderer_, *outcome_;
  QString go_when_ready_;
  QStringList break_when_ready_;
  bool start_shown_ = false;
};

}  // namespace mqlab::gui
