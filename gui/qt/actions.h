// gui/qt/actions.h: everything that can be done in the window, declared once.
//
// One table: id, text, keys, group, tip. Menus, the tool bar, the command palette, the page of keys and all tool tips read it.
//
// Always true: no two actions have one key, and each has a text and a tip (tests/gui_qt). Plain keys, such as Space and the full
// stop, are typed as usual while a text field has the focus.
//
//     ActionSet actions(window);
//     connect(actions["run.play"], &QAction::triggered, ...);
#pragma once

#include <QAction>
#include <QList>
#include <QString>
#include <QWidget>

#include <string_view>
#include <vector>

namespace mqlab::gui {

struct ActionDecl {
  const char* id;               // "run.play"
  const char* text;             // as in the menu, without an ellipsis or a mark for the key
  std::vector<const char*> keys;  // portable, the first one is shown: "Ctrl+S"
  const char* group;            // the menu
  const char* tip;              // a sentence
  bool checkable = false;
};

// In the order of the menus.
const std::vector<ActionDecl>& action_table();
// The menus, from left to right.
const std::vector<const char*>& action_groups();
// All keys of an action as people read them: "Space", "Shift+.".
QString keys_text(const ActionDecl& a);
// The whole table as a page: what `?` shows.
QString keys_page();

// The actions of one window. It owns them through Qt.
class ActionSet {
 public:
  explicit ActionSet(QWidget* window);
  // Requires: there is an action of that name.
  QAction* operator[](std::string_view id) const;
  const std::vector<QAction*>& all() const { return all_; }  // in the order of the table

 private:
  std::vector<QAction*> all_;
};

}  // namespace mqlab::gui
