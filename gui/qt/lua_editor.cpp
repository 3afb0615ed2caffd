#include "gui/qt/lua_editor.h"

#include <QAbstractItemView>
#include <QCompleter>
#include <QFontDatabase>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <QStandardItemModel>
#include <QTextBlock>
#include <QToolTip>

#include <algorithm>
#include <map>

#include "gui/qt/lua_text.h"
#include "kit/models.h"
#include "sim/check/anomaly.h"
#include "sim/script/scenario_api.h"

namespace mqlab::gui {
namespace {

class Gutter : public QWidget {
 public:
  explicit Gutter(LuaEditor* editor) : QWidget(editor), editor_(editor) {}
  QSize sizeHint() const override { return {editor_->gutter_width(), 0}; }

 protected:
  void paintEvent(QPaintEvent* e) override { editor_->paint_gutter(e); }

 private:
  LuaEditor* editor_;
};

}  // namespace

const std::vector<LuaWord>& lua_words() {
  static const std::vector<LuaWord> all = [] {
    std::map<std::pair<QString, bool>, QString> words;
    const auto add = [&](const std::string& word, const std::string& sentence, bool in_string) {
      if (!word.empty()) words.emplace(std::pair(QString::fromStdString(word), in_string), QString::fromStdString(sentence));
    };
    for (const VerbDoc& v : scenario_verbs()) add(v.name, v.arguments + "  " + v.sentence, false);
    for (const VerbDoc& v : scenario_fields()) add(v.name, v.arguments + "  " + v.sentence, false);
    for (const VerbDoc& v : hunt_fields()) add(v.name, v.sentence, false);
    for (const auto& m : all_models().all()) {
      const ModelDecl& d = m->decl();
      add(d.name, d.sentence, false);
      for (const OptionDecl& o : all_options(d)) {
        add(o.name, d.name + " " + o.scope + ": " + o.sentence, false);
        for (const std::string& c : o.choices) add(c, o.name + ": one of its values", true);
      }
      for (const MarkDecl& k : d.marks) add(k.name, k.sentence, true);
      for (const ProfileDecl& p : d.profiles) add(p.name, d.name + ": " + p.sentence, true);
    }
    for (const MarkDecl& k : world_marks()) add(k.name, k.sentence, true);
    for (const Anomaly& a : all_anomalies()) add(a.name, a.predicate, true);
    std::vector<LuaWord> out;
    for (const auto& [key, sentence] : words) out.push_back({key.first, sentence, key.second});
    return out;
  }();
  return all;
}

void LuaHighlighter::set_dark(bool dark) {
  if (dark == dark_) return;
  dark_ = dark;
  rehighlight();
}

void LuaHighlighter::highlightBlock(const QString& text) {
  int state = std::max(previousBlockState(), 0);
  for (const LuaSpan& s : lua_spans(text, state)) setFormat(s.begin, s.length, lua_format(s.kind, dark_));
  setCurrentBlockState(state);
}

LuaEditor::LuaEditor(QWidget* parent) : QPlainTextEdit(parent), gutter_(new Gutter(this)), highlighter_(new LuaHighlighter(document(), false)) {
  setAccessibleName(tr("Scenario"));
  setAccessibleDescription(tr("The scenario as Lua. Ctrl+Space completes a word, Ctrl+S saves and runs."));
  setLineWrapMode(NoWrap);
  setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  setTabStopDistance(fontMetrics().horizontalAdvance(' ') * 2);
  words_ = new QStandardItemModel(this);
  completer_ = new QCompleter(words_, this);
  completer_->setWidget(this);
  completer_->setCompletionMode(QCompleter::PopupCompletion);
  completer_->setCaseSensitivity(Qt::CaseInsensitive);
  connect(completer_, qOverload<const QString&>(&QCompleter::activated), this, &LuaEditor::complete);
  connect(this, &QPlainTextEdit::blockCountChanged, this, [this] { setViewportMargins(gutter_width(), 0, 0, 0); });
  connect(this, &QPlainTextEdit::updateRequest, this, [this](const QRect& r, int dy) {
    if (dy) gutter_->scroll(0, dy);
    else gutter_->update(0, r.y(), gutter_->width(), r.height());
  });
  connect(this, &QPlainTextEdit::cursorPositionChanged, this, &LuaEditor::show_marks);
  setViewportMargins(gutter_width(), 0, 0, 0);
}

void LuaEditor::set_dark(bool dark) {
  dark_ = dark;
  highlighter_->set_dark(dark);
  show_marks();
}

void LuaEditor::set_error(int line, const QString& message) {
  error_line_ = line;
  error_ = message;
  show_marks();
  gutter_->update();
}

void LuaEditor::set_current_line(int line) {
  if (line == current_line_) return;
  current_line_ = line;
  show_marks();
  gutter_->update();
}

void LuaEditor::go_to_line(int line) {
  const QTextBlock block = document()->findBlockByNumber(std::max(line - 1, 0));
  if (!block.isValid()) return;
  QTextCursor c(block);
  setTextCursor(c);
  centerCursor();
}

void LuaEditor::replace_text(const QString& text) {
  QTextCursor c(document());
  c.beginEditBlock();
  c.select(QTextCursor::Document);
  c.insertText(text);
  c.endEditBlock();
}

int LuaEditor::gutter_width() const {
  int digits = 2;
  for (int n = std::max(1, blockCount()); n >= 100; n /= 10) ++digits;
  return 14 + fontMetrics().horizontalAdvance('9') * (digits + 1);
}

void LuaEditor::paint_gutter(QPaintEvent* event) {
  QPainter p(gutter_);
  p.fillRect(event->rect(), palette().color(QPalette::AlternateBase));
  p.setFont(font());
  const QColor red = dark_ ? QColor(0xff, 0x8a, 0x80) : QColor(0xb7, 0x1c, 0x1c);
  QTextBlock block = firstVisibleBlock();
  qreal top = blockBoundingGeometry(block).translated(contentOffset()).top();
  while (block.isValid() && top <= event->rect().bottom()) {
    const qreal height = blockBoundingRect(block).height();
    const int line = block.blockNumber() + 1;
    if (block.isVisible() && top + height >= event->rect().top()) {
      const QRectF row(0, top, gutter_->width(), fontMetrics().height());
      const bool here = block.blockNumber() == textCursor().blockNumber();
      QColor ink = palette().color(QPalette::Text);
      if (!here) ink.setAlphaF(0.62F);
      p.setPen(line == error_line_ ? red : ink);
      p.drawText(row.adjusted(14, 0, -6, 0), Qt::AlignRight | Qt::AlignVCenter, QString::number(line));
      p.setRenderHint(QPainter::Antialiasing);
      if (line == error_line_) {  // a square with an exclamation mark
        p.setBrush(red);
        p.setPen(Qt::NoPen);
        p.drawRoundedRect(QRectF(3, row.center().y() - 6, 11, 12), 2, 2);
        p.setPen(dark_ ? Qt::black : Qt::white);
        p.drawText(QRectF(3, row.top(), 11, row.height()), Qt::AlignCenter, QStringLiteral("!"));
      } else if (line == current_line_) {  // an arrow
        p.setBrush(palette().color(QPalette::Highlight));
        p.setPen(Qt::NoPen);
        const qreal y = row.center().y();
        p.drawPolygon(QPolygonF({{4, y - 5}, {12, y}, {4, y + 5}}));
      }
    }
    top += height;
    block = block.next();
  }
}

void LuaEditor::show_marks() {
  QList<QTextEdit::ExtraSelection> all;
  const auto whole_line = [&](int line, const QColor& colour) {
    const QTextBlock block = document()->findBlockByNumber(line - 1);
    if (line < 1 || !block.isValid()) return;
    QTextEdit::ExtraSelection s;
    s.cursor = QTextCursor(block);
    s.format.setBackground(colour);
    s.format.setProperty(QTextFormat::FullWidthSelection, true);
    all << s;
  };
  QColor here = palette().color(QPalette::Highlight);
  here.setAlpha(50);
  whole_line(current_line_, here);
  whole_line(error_line_, dark_ ? QColor(0x60, 0x20, 0x20) : QColor(0xff, 0xdd, 0xd8));
  setExtraSelections(all);
}

LuaEditor::Prefix LuaEditor::prefix() const {
  const QTextCursor c = textCursor();
  const QString line = c.block().text();
  const int at = c.positionInBlock();
  const int state = std::max(c.block().previous().isValid() ? c.block().previous().userState() : 0, 0);
  Prefix p;
  p.in_string = inside_string(line, at, state);
  int begin = at;
  while (begin > 0 && (line[begin - 1].isLetterOrNumber() || line[begin - 1] == '_' || (p.in_string && (line[begin - 1] == '-' || line[begin - 1] == '.')))) --begin;
  p.text = line.mid(begin, at - begin);
  return p;
}

QStringList LuaEditor::completions() const {
  const Prefix p = prefix();
  QStringList out;
  for (const LuaWord& w : lua_words())
    if (w.in_string == p.in_string && w.word.startsWith(p.text, Qt::CaseInsensitive)) out << w.word;
  return out;
}

void LuaEditor::complete(const QString& word) {
  QTextCursor c = textCursor();
  c.movePosition(QTextCursor::Left, QTextCursor::KeepAnchor, static_cast<int>(prefix().text.size()));
  c.insertText(word);
  setTextCursor(c);
}

void LuaEditor::show_completions() {
  const Prefix p = prefix();
  words_->clear();
  for (const LuaWord& w : lua_words())
    if (w.in_string == p.in_string && w.word.startsWith(p.text, Qt::CaseInsensitive) && w.word != p.text) {
      auto* item = new QStandardItem(w.word);
      item->setToolTip(w.sentence);
      words_->appendRow(item);
    }
  if (words_->rowCount() == 0) {
    completer_->popup()->hide();
    return;
  }
  completer_->setCompletionPrefix(p.text);
  completer_->popup()->setCurrentIndex(completer_->completionModel()->index(0, 0));
  QRect r = cursorRect();
  r.translate(gutter_width(), 0);
  r.setWidth(completer_->popup()->sizeHintForColumn(0) + completer_->popup()->verticalScrollBar()->sizeHint().width() + 12);
  completer_->complete(r);
}

void LuaEditor::keyPressEvent(QKeyEvent* event) {
  const bool shown = completer_->popup()->isVisible();
  if (shown && (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Tab || event->key() == Qt::Key_Escape)) {
    event->ignore();  // the list takes it
    return;
  }
  if (event->key() == Qt::Key_Space && event->modifiers() == Qt::ControlModifier) {
    show_completions();
    return;
  }
  if (event->key() == Qt::Key_Tab && !textCursor().hasSelection()) {
    insertPlainText(QStringLiteral("  "));
    return;
  }
  if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && event->modifiers() == Qt::NoModifier) {
    const QString line = textCursor().block().text();
    int blanks = 0;
    while (blanks < line.size() && line[blanks] == ' ') ++blanks;
    if (line.left(textCursor().positionInBlock()).trimmed().endsWith('{')) blanks += 2;
    textCursor().insertText("\n" + QString(blanks, ' '));
    ensureCursorVisible();
    return;
  }
  QPlainTextEdit::keyPressEvent(event);
  const QString typed = event->text();
  const bool word = !typed.isEmpty() && (typed[0].isLetterOrNumber() || typed[0] == '_' || typed[0] == '-');
  if (word && prefix().text.size() >= 2) show_completions();
  else if (shown) completer_->popup()->hide();
}

void LuaEditor::resizeEvent(QResizeEvent* event) {
  QPlainTextEdit::resizeEvent(event);
  const QRect r = contentsRect();
  gutter_->setGeometry(r.left(), r.top(), gutter_width(), r.height());
}

bool LuaEditor::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    QTextCursor c = cursorForPosition(viewport()->mapFrom(this, help->pos()));
    if (c.blockNumber() + 1 == error_line_ && !error_.isEmpty()) {
      QToolTip::showText(help->globalPos(), error_, this);
      return true;
    }
    c.select(QTextCursor::WordUnderCursor);
    for (const LuaWord& w : lua_words())
      if (w.word == c.selectedText() && !w.sentence.isEmpty()) {
        QToolTip::showText(help->globalPos(), QStringLiteral("<b>%1</b> %2").arg(w.word.toHtmlEscaped(), w.sentence.toHtmlEscaped()), this);
        return true;
      }
    QToolTip::hideText();
    return true;
  }
  if (event->type() == QEvent::FontChange) setViewportMargins(gutter_width(), 0, 0, 0);
  return QPlainTextEdit::event(event);
}

// Qt 6.4 reads the first of the formats of an empty clipboard, which is not there.
bool LuaEditor::canInsertFromMimeData(const QMimeData* source) const { return source && !source->formats().isEmpty() && source->hasText(); }
void LuaEditor::insertFromMimeData(const QMimeData* source) {
  if (canInsertFromMimeData(source)) QPlainTextEdit::insertFromMimeData(source);
}

}  // namespace mqlab::gui
