// gui/qt/window_layout.h: which panes a layout of the window has, where, and how much of the room each gets.
//
// A layout is columns from left to right; a column is cells from top to bottom; a cell is one pane, or several behind tabs with the
// first on top, or several side by side. Shares are percents of the window; what is left over goes where Qt likes it.
//
// Always true: every layout names each pane at most once, and the shares of its columns, and of the cells of each column, make 100.
#pragma once

#include <QString>

#include <vector>

namespace mqlab::gui {

struct LayoutCell {
  int percent;                      // of the height of its column
  std::vector<const char*> panes;   // by object name
  bool side_by_side = false;        // else behind tabs
};

struct LayoutColumn {
  int percent;  // of the width of the window
  std::vector<LayoutCell> cells;
};

struct WindowLayout {
  const char* name;
  std::vector<LayoutColumn> columns;
};

// The least width of a pane, in letters of the usual text: below it what it shows can't be read. In each layout all columns have it, in a
// window of 1280x800 with text up to 150 % (tests/gui_qt/views_test.cpp); larger text makes it no larger.
int least_letters(const QString& pane);

// "learn", "debug", "compare", "present".
const std::vector<WindowLayout>& window_layouts();
// Requires: there is one of that name.
const WindowLayout& window_layout(const QString& name);

}  // namespace mqlab::gui
