// gui/qt/console.h: one line that does what is typed: go, find, seed, set, case, run.
//
// The rule: a word that is not known is answered with what is, and with the nearest right one.
//
//     go +2ms      find B1 Fetch      seed 7      set acks=1      case acks=all      run      help
#pragma once

#include <QLineEdit>
#include <QPlainTextEdit>
#include <QStringList>
#include <QWidget>

#include "gui/qt/workspace.h"

namespace mqlab::gui {

struct ConsoleCommand {
  enum class Kind : unsigned char { nothing, go, find, seed, set, unset, case_, design, run, why, fork, break_, help };
  Kind kind = Kind::nothing;
  QString name{};       // of a setting
  QString argument{};
  QString complaint{};  // not empty: it is no command
};
// A call as in Lua is understood as well: set("acks", "1"), go "130ms".
ConsoleCommand read_console(const QString& line);
// What can be typed, one command a line.
QString console_help();

class ConsolePane : public QWidget {
  Q_OBJECT

 public:
  explicit ConsolePane(Workspace* w, QWidget* parent = nullptr);
  void focus_line();
  void set_text_size(qreal points);
  // Does what the line says, and shows the answer; for tests.
  QString execute(const QString& line);
  const QStringList& history() const { return history_; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QString answer(const ConsoleCommand& c);

  Workspace* workspace_;
  QPlainTextEdit* log_;
  QLineEdit* line_;
  QStringList history_;
  int at_ = 0;  // in the history; its size: a new line
  bool tell_when_found_ = false;
};

}  // namespace mqlab::gui
