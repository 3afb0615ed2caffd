#include "gui/qt/console.h"

#include <QFontDatabase>
#include <QKeyEvent>
#include <QVBoxLayout>

#include <array>

#include "gui/core/labels.h"
#include "gui/core/what_if.h"
#include "gui/qt/fault_palette.h"
#include "sim/lab/nearest.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

using Kind = ConsoleCommand::Kind;

struct CommandDecl {
  const char* word;
  Kind kind;
  const char* arguments;
  const char* sentence;
};

constexpr CommandDecl commands[] = {
    {"go", Kind::go, "130ms", "goes to a time, a distance (+2ms), an event (#87), next violation, next fault, next dropped, or where `isr orders/0 < 3`"},
    {"find", Kind::find, "WORDS", "shows only events whose line has all of the words; without words: all"},
    {"why", Kind::why, "", "the chain of causes that led to the event in focus"},
    {"seed", Kind::seed, "7", "runs from another seed; without a number: the scenario's own"},
    {"set", Kind::set, "acks=1", "changes an option and runs; P1.acks=0 changes one client's; without words: what is set"},
    {"unset", Kind::unset, "acks", "takes a setting back and runs"},
    {"case", Kind::case_, "NAME", "runs another case of the scenario; without a name: which there are"},
    {"design", Kind::design, "NAME", "tells the story on another design"},
    {"fork", Kind::fork, "acks=all", "a second future with this setting, beside the one there is"},
    {"break", Kind::break_, "kill B1", "a fault by hand, right after the event in focus or `at 15s`: isolate B2 for 3s, latency P1 to B1 by 200ms"},
    {"run", Kind::run, "", "runs the scenario from its beginning"},
    {"help", Kind::help, "", "this list"},
};

// set("acks", "1") and set "acks=1" become: set acks=1
QString without_lua(QString text) {
  text = text.trimmed();
  const auto open = text.indexOf('(');
  if (open > 0 && text.endsWith(')')) {
    bool word = true;
    for (int i = 0; i < open; ++i) word = word && text[i].isLetter();
    if (word) {
      QStringList parts = text.mid(open + 1, text.size() - open - 2).split(',');
      for (QString& p : parts) p = p.trimmed().remove('"').remove('\'');
      return text.left(open) + ' ' + parts.join('=');
    }
  }
  return text.remove('"').remove('\'');
}

}  // namespace

QString console_help() {
  QString out;
  for (const CommandDecl& c : commands) out += QStringLiteral("%1%2\n").arg(QStringLiteral("%1 %2").arg(QLatin1String(c.word), QLatin1String(c.arguments)).leftJustified(16), QLatin1String(c.sentence));
  return out.trimmed();
}

ConsoleCommand read_console(const QString& line) {
  const QString text = without_lua(line);
  if (text.isEmpty()) return {};
  const auto blank = text.indexOf(' ');
  const QString word = (blank < 0 ? text : text.left(blank)).toLower();
  ConsoleCommand c;
  c.argument = blank < 0 ? QString() : text.mid(blank + 1).trimmed();
  if (word == "?") {
    c.kind = Kind::help;
    return c;
  }
  const CommandDecl* found = nullptr;
  std::vector<std::string> known;
  for (const CommandDecl& d : commands) {
    known.emplace_back(d.word);
    if (word == QLatin1String(d.word)) found = &d;
  }
  if (!found) {
    // A place of the run alone is gone to.
    if (word[0] == '#' || word[0] == '+' || (word[0] == '-' && word.size() > 1) || word[0].isDigit() || word == "next" || word == "previous") {
      c.kind = Kind::go;
      c.argument = text;
      return c;
    }
    QStringList all;
    for (const std::string& k : known) all << QString::fromStdString(k);
    c.complaint = QStringLiteral("there is no command `%1`%2; there are: %3").arg(word, QString::fromStdString(did_you_mean(word.toStdString(), known)), all.join(QStringLiteral(", ")));
    return c;
  }
  c.kind = found->kind;
  if ((c.kind == Kind::set && !c.argument.isEmpty()) || c.kind == Kind::fork) {
    const auto equals = c.argument.indexOf('=');
    if (equals <= 0) {
      c.complaint = QStringLiteral("`%1` wants a name and a value: %1 acks=1").arg(word);
      return c;
    }
    c.name = c.argument.left(equals).trimmed();
    c.argument = c.argument.mid(equals + 1).trimmed();
    if (c.argument.isEmpty()) c.complaint = QStringLiteral("`%1 %2=` has no value; `unset %2` takes a setting back").arg(word, c.name);
  }
  if (c.kind == Kind::unset && c.argument.isEmpty()) c.complaint = QStringLiteral("`unset` wants the name of a setting");
  if (c.kind == Kind::seed && !c.argument.isEmpty()) {
    bool ok = false;
    c.argument.toULongLong(&ok);
    if (!ok) c.complaint = QStringLiteral("`%1` is no seed: a whole number was expected").arg(c.argument);
  }
  return c;
}

ConsolePane::ConsolePane(Workspace* w, QWidget* parent) : QWidget(parent), workspace_(w), log_(new QPlainTextEdit(this)), line_(new QLineEdit(this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  const QFont mono = QFontDatabase::systemFont(QFontDatabase::FixedFont);
  log_->setReadOnly(true);
  log_->setFont(mono);
  log_->setMaximumBlockCount(2000);
  log_->setFrameShape(QFrame::NoFrame);
  log_->setAccessibleName(tr("Answers of the console"));
  log_->setPlainText(console_help());
  line_->setFont(mono);
  line_->setPlaceholderText(tr("go +2ms, find B1, set acks=1, help"));
  line_->setAccessibleName(tr("Console"));
  line_->installEventFilter(this);
  layout->addWidget(log_);
  layout->addWidget(line_);
  setFocusProxy(line_);
  connect(line_, &QLineEdit::returnPressed, this, [this] {
    const QString text = line_->text();
    line_->clear();
    execute(text);
  });
  connect(w, &Workspace::rows_changed, this, [this] {
    const auto rows = workspace_->rows();
    if (workspace_->filtering() || !tell_when_found_) return;
    tell_when_found_ = false;
    if (rows) log_->appendPlainText(tr("%1 of %2").arg(rows->size()).arg(QString::fromStdString(counted(workspace_->recording()->events(), "event"))));
  });
}

void ConsolePane::set_text_size(qreal points) {
  QFont mono = log_->font();
  mono.setPointSizeF(points);
  log_->setFont(mono);
  line_->setFont(mono);
}

void ConsolePane::focus_line() { line_->setFocus(Qt::ShortcutFocusReason); }

QString ConsolePane::execute(const QString& text) {
  if (text.trimmed().isEmpty()) return {};
  if (history_.isEmpty() || history_.last() != text) history_ << text;
  at_ = static_cast<int>(history_.size());
  const ConsoleCommand c = read_console(text);
  const QString said = c.complaint.isEmpty() ? answer(c) : c.complaint;
  log_->appendPlainText("> " + text);
  if (!said.isEmpty()) log_->appendPlainText(said);
  return said;
}

QString ConsolePane::answer(const ConsoleCommand& c) {
  Workspace& w = *workspace_;
  switch (c.kind) {
    case Kind::nothing: return {};
    case Kind::help: return console_help();
    case Kind::go: {
      const QString wrong = w.go_to(c.argument);
      if (wrong.isEmpty() && w.searching()) return tr("searching; the status bar says what was found");
      return wrong.isEmpty() ? QStringLiteral("#%1 at %2").arg(w.event()).arg(QString::fromStdString(format_time(w.time()))) : wrong;
    }
    case Kind::find:
      w.set_filter(c.argument);
      if (!w.recording()) return tr("There is no run yet.");
      if (!w.filtering()) return tr("all of it: %1").arg(QString::fromStdString(counted(w.recording()->events(), "event")));
      tell_when_found_ = true;
      return tr("looking through %1 …").arg(QString::fromStdString(counted(w.recording()->events(), "event")));
    case Kind::why: {
      if (!w.has_events()) return tr("There is no run yet.");
      const Journal& j = w.recording()->journal();
      const CauseChain chain = causes_of(*w.index(), w.event(), 30);
      QStringList lines;
      if (chain.left_out > 0) lines << tr("... %1 earlier").arg(chain.left_out);
      for (const std::size_t e : chain.events) {
        lines << QString::fromStdString(format_time(j.deliveries[e].time) + "  " + event_text(j, j.deliveries[e]));
        for (const auto& [event, mark] : w.index()->marks_of(e)) lines << "    " + QString::fromStdString(mark_text(j, j.marks[mark]));
      }
      return lines.join('\n');
    }
    case Kind::seed:
      w.set_seed(c.argument.isEmpty() ? std::nullopt : std::optional<std::uint64_t>(c.argument.toULongLong()));
      w.run();
      return {};
    case Kind::set: {
      if (c.name.isEmpty()) {
        QStringList all;
        for (const Setting& s : w.wanted().settings) all << QString::fromStdString(describe(s));
        return all.isEmpty() ? tr("nothing is set; `set acks=1` sets an option") : all.join('\n');
      }
      const QString wrong = w.set_option(c.name, c.argument);
      if (wrong.isEmpty()) w.run();
      return wrong;
    }
    case Kind::unset:
      w.set_option(c.argument, {});
      w.run();
      return {};
    case Kind::case_: {
      if (w.cases().isEmpty()) return tr("this scenario has no cases");
      const QString all = w.cases().join(QStringLiteral(", "));
      if (c.argument.isEmpty()) return tr("cases: %1").arg(all);
      if (!w.cases().contains(c.argument)) {
        std::vector<std::string> known;
        for (const QString& k : w.cases()) known.push_back(k.toStdString());
        return tr("there is no case `%1`%2; there are: %3").arg(c.argument, QString::fromStdString(did_you_mean(c.argument.toStdString(), known)), all);
      }
      w.set_case(c.argument);
      w.run();
      return {};
    }
    case Kind::design:
      if (w.designs().isEmpty()) return tr("this scenario is told on one design only");
      if (!w.designs().contains(c.argument)) return tr("designs: %1").arg(w.designs().join(QStringLiteral(", ")));
      w.set_design(c.argument);
      w.run();
      return {};
    case Kind::fork:
      if (!w.has_events()) return tr("There is no run to fork yet.");
      w.fork_setting({c.name.toStdString(), c.argument.toStdString(), true, 0});
      return {};
    case Kind::break_: return break_by_hand(w, c.argument);
    case Kind::run: w.run(); return {};
  }
  return {};
}

bool ConsolePane::eventFilter(QObject* watched, QEvent* event) {
  if (watched == line_ && event->type() == QEvent::KeyPress) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    if (key == Qt::Key_Up || key == Qt::Key_Down) {
      at_ = std::clamp(at_ + (key == Qt::Key_Up ? -1 : 1), 0, static_cast<int>(history_.size()));
      line_->setText(at_ < history_.size() ? history_[at_] : QString());
      return true;
    }
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace mqlab::gui
