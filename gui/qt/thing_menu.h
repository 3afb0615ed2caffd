// gui/qt/thing_menu.h: what can be done to a thing in a picture, with the right button of the mouse or the menu key.
//
// A node or a link can be broken right after the event in focus; events, messages, places and faults can be gone to and filtered by.
// What is not a thing (empty ground) offers what concerns the whole picture.
#pragma once

#include <QMenu>

#include <functional>

#include "gui/core/scene.h"
#include "gui/qt/actions.h"
#include "gui/qt/fault_palette.h"
#include "gui/qt/pictures.h"
#include "gui/qt/workspace.h"

namespace mqlab::gui {

class ThingMenu {
 public:
  // redraw: called when which lines are shown has changed. All that is handed in outlives the menus.
  ThingMenu(Workspace* w, const ActionSet& actions, RunFacts* facts, std::function<void()> redraw) : workspace_(w), actions_(actions), facts_(facts), redraw_(std::move(redraw)) {}

  // Adds nothing while nothing has been run, or for a thing that is not in this run.
  void fill(QMenu& menu, EntityId e) const;

 private:
  void add_node(QMenu& menu, EntityId e) const;
  void add_link(QMenu& menu, EntityId e) const;
  void add_event(QMenu& menu, EntityId e) const;
  void add_drop(QMenu& menu, EntityId e) const;
  void add_message(QMenu& menu, EntityId e) const;
  void add_place(QMenu& menu, EntityId e) const;
  void add_fault(QMenu& menu, EntityId e) const;
  void add_picture(QMenu& menu) const;
  // A fault that is made when its line is chosen.
  void add_break(QMenu& menu, const QString& text, const FaultForm& form) const;
  void add_all_faults(QMenu& menu, EntityId e) const;
  void add_all_lines(QMenu& menu) const;
  template <class Act>
  void add(QMenu& menu, const QString& text, Act act) const;
  QString name(std::uint64_t node) const;

  Workspace* workspace_;
  const ActionSet& actions_;
  RunFacts* facts_;
  std::function<void()> redraw_;
};

}  // namespace mqlab::gui
