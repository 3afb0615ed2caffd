// gui/qt/main_window.h: the window: panes around one focus, four ways to lay them out.
//
// It puts together what stands in other files and decides little: actions go to the workspace, what changes there goes to the panes.
//
//     MainWindow w(settings, {.scenario = "scenarios/showcase.lua"});
//     w.show();
#pragma once

#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QLineEdit>
#include <QMainWindow>
#include <QStackedWidget>

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "gui/qt/actions.h"
#include "gui/qt/beside.h"
#include "gui/qt/console.h"
#include "gui/qt/fault_palette.h"
#include "gui/qt/lessons.h"
#include "gui/qt/notebook.h"
#include "gui/qt/panes.h"
#include "gui/qt/pictures.h"
#include "gui/qt/scenario_pane.h"
#include "gui/qt/settings.h"
#include "gui/qt/time_bar.h"
#include "gui/qt/workspace.h"

namespace mqlab::gui {

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
  void make_panes();
  void make_menus();
  void make_run_bar();
  void make_status_bar();
  void connect_actions();
  void connect_workspace();
  void show_start();
  void run();
  void run_step(const LessonStep& step);
  void return_to(const Note& note);
  void write_back();
  void act_on_focus(FaultKind k);
  void show_line_of_focus();
  void show_chips();
  void fill_menu(QMenu& menu, EntityId e);
  void show_status();
  void show_wanted();
  void show_title();
  bool may_leave_text();
  void save(bool ask);
  QDockWidget* add_pane(const QString& name, const QString& title, QWidget* widget);
  void apply_sizes();
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
  TimeBar* time_bar_;
  QToolBar* run_bar_;
  QComboBox *case_, *design_, *branch_;
  QAction *case_action_, *case_label_action_, *design_action_;
  QLineEdit *seed_, *set_;
  QToolBar* chip_bar_;
  QLabel *fingerprint_, *events_label_, *renderer_, *outcome_;
  QString go_when_ready_;
  QStringList break_when_ready_;
  bool start_shown_ = false;
};

}  // namespace mqlab::gui
