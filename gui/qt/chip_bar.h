// gui/qt/chip_bar.h: what narrows the events that are shown, a button each that takes it off, and how many are left.
//
// In sight only while something is filtered.
#pragma once

#include <QToolBar>

#include "gui/qt/workspace.h"

namespace mqlab::gui {

class ChipBar : public QToolBar {
  Q_OBJECT

 public:
  explicit ChipBar(Workspace* w, QWidget* parent = nullptr);
  // Off: out of sight whatever is filtered, as on the start page.
  void set_in_use(bool on);

 private:
  void show_chips();

  Workspace* workspace_;
  bool in_use_ = true;
};

}  // namespace mqlab::gui
