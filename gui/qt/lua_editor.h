// gui/qt/lua_editor.h: where a scenario is written.
//
// A plain text with line numbers, colours, completion of every word that a scenario may use, the error at its line, and a mark at
// the line whose fault or client is in focus.
//
// The rule: words come from the declarations (scenario_verbs(), scenario_fields(), the models' options, anomalies, marks); there is
// no list of words here.
// Elsewhere: colours (lua_text.h), what was not saved (recovery.h).
#pragma once

#include <QPlainTextEdit>
#include <QString>
#include <QStringList>
#include <QSyntaxHighlighter>

#include <vector>

class QCompleter;
class QStandardItemModel;

namespace mqlab::gui {

// A word that may be written, and what it means.
struct LuaWord {
  QString word;
  QString sentence;
  bool in_string = false;  // an anomaly, a mark, a choice: between quotation marks
};
// All of them, each once, by alphabet.
const std::vector<LuaWord>& lua_words();

class LuaHighlighter : public QSyntaxHighlighter {
 public:
  LuaHighlighter(QTextDocument* document, bool dark) : QSyntaxHighlighter(document), dark_(dark) {}
  void set_dark(bool dark);

 protected:
  void highlightBlock(const QString& text) override;

 private:
  bool dark_;
};

class LuaEditor : public QPlainTextEdit {
  Q_OBJECT

 public:
  explicit LuaEditor(QWidget* parent = nullptr);

  void set_dark(bool dark);
  // Counted from 1; 0 = the error has no line, or there is none. The message is the tool tip of the line.
  void set_error(int line, const QString& message);
  void clear_error() { set_error(0, {}); }
  int error_line() const { return error_line_; }
  // The line that is spoken of right now; 0 = none.
  void set_current_line(int line);
  int current_line() const { return current_line_; }
  // Moves the cursor there, and shows it.
  void go_to_line(int line);
  // Replaces the whole text so that it can be undone.
  void replace_text(const QString& text);

  int gutter_width() const;
  void paint_gutter(QPaintEvent* event);
  // The words that fit what stands before the cursor; for the list that pops up, and for tests.
  QStringList completions() const;
  // Replaces what stands before the cursor by the word.
  void complete(const QString& word);

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  bool event(QEvent* event) override;
  void insertFromMimeData(const QMimeData* source) override;
  bool canInsertFromMimeData(const QMimeData* source) const override;

 private:
  struct Prefix {
    QString text;
    bool in_string = false;
  };
  Prefix prefix() const;
  void show_completions();
  void show_marks();

  QWidget* gutter_;
  LuaHighlighter* highlighter_;
  QCompleter* completer_;
  QStandardItemModel* words_;
  bool dark_ = false;
  int error_line_ = 0;
  int current_line_ = 0;
  QString error_;
};

}  // namespace mqlab::gui
