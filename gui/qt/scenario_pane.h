// gui/qt/scenario_pane.h: the scenario's text with its file, its errors, and what was not saved.
//
// Always true: 1. within a second of a change the whole text is in the recovery file (recovery.h), until it is saved. 2. What a
// killed window left behind is shown, or stays in its file: it is never written over.
#pragma once

#include <QLabel>
#include <QTimer>
#include <QWidget>

#include "gui/qt/lua_editor.h"
#include "gui/qt/recovery.h"

namespace mqlab::gui {

class ScenarioPane : public QWidget {
  Q_OBJECT

 public:
  // `folder`: of the recovery file.
  explicit ScenarioPane(const QString& folder, QWidget* parent = nullptr);

  LuaEditor* editor() const { return editor_; }
  QString text() const { return editor_->toPlainText(); }
  const QString& path() const { return path_; }  // empty: it has no file
  bool modified() const;
  // Takes the place of what is there. `path` may be empty.
  void show_text(const QString& path, const QString& text);
  // A text of a file of that name that does not exist: of a lesson's page.
  void show_unsaved(const QString& name, const QString& text);
  // What is wrong, or nothing.
  QString save_to(const QString& path);
  // What a window that was killed left behind; shown, and not saved. With a path: only if it is of that file; else it is left
  // to a window that starts later.
  bool recover(const QString& path = {});
  // Writes the recovery file now.
  void keep();

  void show_error(int line, const QString& text);
  void clear_error();

 signals:
  void text_changed();
  void modified_changed();

 private:
  LuaEditor* editor_;
  QLabel* error_;
  QLabel* head_;
  QString path_;
  QString saved_;  // the text as the file has it
  RecoveryFile recovery_;
  QTimer keeping_;
  bool filling_ = false;
  bool kept_ = true;  // the last text is in the recovery file, or needs none
  bool takes_over_ = true;  // what was left behind is not answered yet
  void leave_what_was_left();
  void show_head();
};

}  // namespace mqlab::gui
