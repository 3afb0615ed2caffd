// gui/qt/time_bar.h: where one is in a run, and how to move: play, step, drag, type.
//
// The slider is the whole run from left to right: faults are hatched while they are in force and strokes where they act at once, violations are ticks where they became
// certain, faults by hand are pins. What is drawn comes from the recording.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QStringListModel>
#include <QToolBar>
#include <QWidget>

#include <vector>

#include "gui/qt/actions.h"
#include "gui/core/timeline.h"
#include "gui/qt/workspace.h"

namespace mqlab::gui {

class TimeSlider : public QWidget {
  Q_OBJECT

 public:
  explicit TimeSlider(Workspace* w, QWidget* parent = nullptr);
  void set_theme(Theme l);
  QSize sizeHint() const override { return {400, 34}; }
  QSize minimumSizeHint() const override { return {120, 30}; }
  double x_of(Time t) const;
  Time time_at(double x) const;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  bool event(QEvent* event) override;

 private:
  void read_run();

  Workspace* workspace_;
  Theme theme_ = Theme::light;
  Timeline timeline_;
  std::vector<std::size_t> violations_;
};

class TimeBar : public QToolBar {
  Q_OBJECT

 public:
  TimeBar(Workspace* w, const ActionSet& actions, QWidget* parent = nullptr);
  void set_theme(Theme l);
  void focus_go_to();
  QLineEdit* go_to_field() const { return go_to_; }
  // "9.000000 s of 20.000000 s  #87 of 212"
  QString place_text() const;

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void fit_fields();
  void show_place();
  void show_icons();
  void show_speed();

  Workspace* workspace_;
  QAction* play_ = nullptr;
  std::vector<QAction*> buttons_;
  Theme theme_ = Theme::light;
  TimeSlider* slider_;
  QLineEdit* go_to_ = nullptr;
  QStringListModel* suggestions_ = nullptr;
  QLabel* place_ = nullptr;
  QComboBox* speed_ = nullptr;
};

}  // namespace mqlab::gui
