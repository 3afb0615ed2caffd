// gui/qt/run_bar.h: what is run: design, case, seed, settings; and which of the futures is looked at.
//
// It shows what the workspace wants and tells it what was chosen. Whoever owns the text of the scenario runs it (run_asked).
#pragma once

#include <QComboBox>
#include <QLineEdit>
#include <QToolBar>

#include "gui/qt/actions.h"
#include "gui/qt/workspace.h"

namespace mqlab::gui {

class RunBar : public QToolBar {
  Q_OBJECT

 public:
  RunBar(Workspace* w, const ActionSet& actions, QWidget* parent = nullptr);

 signals:
  // A choice was made that makes another run.
  void run_asked();
  // What was typed beside "set" is no setting, or none of this scenario; a sentence.
  void refused(const QString& wrong);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  QComboBox* add_choice(const QString& name, int letters, const QString& tip, QAction** action = nullptr);
  void fit_fields();
  void take_fields();
  void show_wanted();
  void show_branches();

  Workspace* workspace_;
  QComboBox *design_, *case_, *branch_;
  QAction *design_action_, *case_label_action_, *case_action_;
  QLineEdit *seed_, *set_;
};

}  // namespace mqlab::gui
