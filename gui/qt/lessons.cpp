#include "gui/qt/lessons.h"

#include <QDesktopServices>
#include <QDir>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QPushButton>
#include <QScrollBar>
#include <QUrlQuery>
#include <QVBoxLayout>

#include <algorithm>

#include "gui/qt/verdict_model.h"
#include "sim/lab/measured.h"
#include "sim/lab/options.h"

namespace mqlab::gui {
namespace {

// The event that a measure speaks of: of a breach, of a mark, of a message's last delivery. events() when it speaks of none.
std::size_t telling_event(const Recording& r, const Measure& m) {
  const Journal& j = r.journal();
  for (const Measure::Term& t : m.left) {
    if (t.constant || t.of.empty()) continue;
    const std::string_view name = measure_words()[t.decl].name;
    if (const VerdictRow* v = r.result().verdict(t.of[0]); v && !v->report.worst.empty()) return telling_event(r, v->report.worst.front());
    if (name == "marks" || name == "first") {
      for (std::size_t i = 0; i < j.marks.size(); ++i)
        if (j.names.text(j.marks[i].name) == t.of[0]) return r.event_of_mark(i);
      continue;
    }
    for (OpIndex i = j.ops.size(); i-- > 0;) {
      const Op& o = j.ops[i];
      if (o.time > r.result().workload_ended) continue;  // what the end of the run reads once more is no part of the story
      const bool ends = o.kind == OpKind::deliver || (o.kind == OpKind::send && o.outcome != Outcome::invoke);
      if (ends && o.message != no_message && j.message_name(o.message) == t.of[0]) return r.event_of_op(i);
    }
  }
  return r.events();
}

}  // namespace

QString contents_page(const WindowSettings& settings) {
  QString html;
  QString group;
  const Answers answers(settings.folder() + "/answers.json");
  for (const Lesson& l : lessons()) {
    if (l.group != group) {
      if (!group.isEmpty()) html += "</ul>";
      group = l.group;
      html += QStringLiteral("<h3>%1</h3><ul>").arg(group.toHtmlEscaped());
    }
    const auto all = answers.of(l.id);
    const auto measured = std::count_if(all.begin(), all.end(), [](const Answer& a) { return !a.measured.isEmpty(); });
    const auto runs = settings.done(l.id).size();
    QStringList said;
    if (measured) said << QStringLiteral("✓ %1 of %2 predicted").arg(measured).arg(std::max<qsizetype>(l.questions, measured));
    if (runs) said << QStringLiteral("✓ %1 run%2").arg(runs).arg(runs == 1 ? "" : "s");
    QString tail = said.isEmpty() ? QString() : QStringLiteral(" <span class='good'>%1</span>").arg(said.join(", "));
    if (said.isEmpty() && l.questions) tail = QStringLiteral(" <span class='quiet'>%1 question%2</span>").arg(l.questions).arg(l.questions == 1 ? "" : "s");
    html += QStringLiteral("<li><a href='mqlab:lesson?id=%1'>%2</a>%3</li>").arg(l.id, l.title.toHtmlEscaped(), tail);
  }
  if (group.isEmpty()) return QStringLiteral("<p>The lessons were not found: they stand in <code>docs/</code> beside the source.</p>");
  return html + "</ul>";
}

LessonPane::LessonPane(WindowSettings* settings, QWidget* parent)
    : QWidget(parent), settings_(settings), answers_(settings->folder() + "/answers.json"), browser_(new PageBrowser(this)), line_(new QWidget(this)), line_label_(new QLabel(line_)), line_edit_(new QLineEdit(line_)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(browser_, 1);
  auto* row = new QHBoxLayout(line_);
  row->setContentsMargins(8, 4, 8, 4);
  row->addWidget(line_label_);
  row->addWidget(line_edit_, 1);
  auto* take = new QPushButton(tr("Run and measure"), line_);
  row->addWidget(take);
  layout->addWidget(line_);
  line_->hide();
  setFocusProxy(browser_);
  browser_->setAccessibleName(tr("Lesson"));
  connect(browser_, &QTextBrowser::anchorClicked, this, &LessonPane::follow);
  const auto taken = [this] {
    const QString text = line_edit_->text().trimmed();
    if (text.isEmpty() || !line_take_) return;
    if (const QString wrong = line_wrong_ ? line_wrong_(text) : QString(); !wrong.isEmpty()) {
      emit told(wrong);
      return line_edit_->selectAll();
    }
    line_->hide();
    browser_->setFocus();
    line_take_(text);
  };
  connect(line_edit_, &QLineEdit::returnPressed, this, taken);
  connect(take, &QPushButton::clicked, this, taken);
  show_contents();
}

void LessonPane::set_theme(Theme l) { browser_->set_theme(l); }

void LessonPane::show_contents() {
  lesson_.clear();
  page_ = {};
  started_ = question_ = -1;
  line_->hide();
  browser_->show_html(QStringLiteral("<h2>Lessons</h2><p>Read, say what you expect, and see: an answer runs its scenario and measures it. A tick is given by a run that ended as its page says, never by a click.</p>") + contents_page(*settings_));
}

void LessonPane::show_lesson(const QString& id) {
  if (lesson_text(id).isEmpty()) return;
  const bool other = id != lesson_;
  lesson_ = id;
  if (other) {
    started_ = question_ = -1;
    open_.clear();
    line_->hide();
  }
  render();
  if (other) browser_->verticalScrollBar()->setValue(0);
}

void LessonPane::render() {
  page_ = lesson_page(lesson_text(lesson_), settings_->done(lesson_), answers_.of(lesson_), open_);
  browser_->show_markdown(QStringLiteral("[← All lessons](mqlab:contents)\n\n") + page_.markdown);
}

void LessonPane::next(int direction) {
  const auto& all = lessons();
  const auto it = std::find_if(all.begin(), all.end(), [&](const Lesson& l) { return l.id == lesson_; });
  if (all.empty()) return;
  if (it == all.end()) return show_lesson(all.front().id);
  const auto at = (it - all.begin()) + direction;
  if (at >= 0 && at < static_cast<std::ptrdiff_t>(all.size())) show_lesson(all[static_cast<std::size_t>(at)].id);
}

void LessonPane::ask(int question, const LessonStep& step) {
  question_ = question;
  started_ = -1;
  emit run_asked(step);
}

void LessonPane::answer(int question, const QString& said) {
  if (question < 0 || static_cast<std::size_t>(question) >= page_.questions.size() || said.isEmpty()) return;
  const LessonQuestion& q = page_.questions[static_cast<std::size_t>(question)];
  Answer a;
  a.lesson = lesson_;
  a.question = q.key();
  a.said = said;
  a.when = QDateTime::currentDateTime();
  if (const QString wrong = answers_.keep(a); !wrong.isEmpty()) emit told(wrong);
  const LessonStep first = q.runs.front();
  render();
  ask(question, first);
}

void LessonPane::turn(int question, const QString& setting) {
  if (question < 0 || static_cast<std::size_t>(question) >= page_.questions.size()) return;
  LessonStep s = page_.questions[static_cast<std::size_t>(question)].runs.front();
  s.settings << setting;
  ask(question, s);
}

void LessonPane::run_ended(const Recording& r) {
  if (lesson_.isEmpty() || r.stopped()) return;
  if (started_ >= 0 && static_cast<std::size_t>(started_) < page_.steps.size()) {
    const LessonStep& s = page_.steps[static_cast<std::size_t>(started_)];
    if (is_run_of(s, r)) {
      started_ = -1;
      if (!r.result().as_expected) return;
      settings_->add_done(lesson_, s.command);
      render();
      return;
    }
  }
  measure(r);
}

void LessonPane::measure(const Recording& r) {
  if (question_ < 0 || static_cast<std::size_t>(question_) >= page_.questions.size()) return;
  const LessonQuestion& q = page_.questions[static_cast<std::size_t>(question_)];
  const Answer* kept = answers_.find(lesson_, q.key());
  if (!kept || !same_scenario(q.runs.front(), r)) return;
  Answer a = *kept;
  MeasuredRun row;
  std::size_t event = r.events();
  try {
    const Measure m = parse_measure(q.runs.front().measure.toStdString());
    row = {label_of(q.runs.front(), r), QString::fromStdString(m.of(r.result()).text())};
    for (const LessonStep& knob : q.runs)
      if (is_run_of(knob, r)) row.run = label_of(knob);
    event = telling_event(r, m);
  } catch (const MeasureError& e) {
    emit told(QString::fromUtf8(e.what()));
    return;
  }
  const bool fresh = a.measured.isEmpty();
  if (is_run_of(q.runs.front(), r)) {
    // The page's word is what a tick stands on.
    if (row.measured == q.runs.front().claimed) a.measured = row.measured;
    else emit told(tr("Measured %1, and the page says %2: mqlab and its pages are not of the same version").arg(row.measured, q.runs.front().claimed));
  }
  const auto it = std::find_if(a.runs.begin(), a.runs.end(), [&](const MeasuredRun& each) { return each.run == row.run; });
  if (it == a.runs.end()) a.runs.push_back(row);
  else *it = row;
  if (a == *kept) return;
  if (const QString wrong = answers_.keep(a); !wrong.isEmpty()) emit told(wrong);
  render();
  if (fresh && !a.measured.isEmpty() && event < r.events()) emit go_asked(QStringLiteral("#%1").arg(event), -1);
}

void LessonPane::type(const QString& label, const QString& hint, std::function<void(const QString&)> take, std::function<QString(const QString&)> wrong) {
  line_label_->setText(label);
  line_edit_->setPlaceholderText(hint);
  line_edit_->setAccessibleName(label);
  line_edit_->clear();
  line_take_ = std::move(take);
  line_wrong_ = std::move(wrong);
  line_->show();
  line_edit_->setFocus();
}

bool LessonPane::follow(const QUrl& link) {
  const QUrlQuery query(link);
  if (link.scheme() == "mqlab") {
    const QString what = link.path();
    if (what == "step") {
      const int n = query.queryItemValue("n").toInt();
      if (n < 0 || static_cast<std::size_t>(n) >= page_.steps.size()) return false;
      started_ = n;
      question_ = -1;
      emit run_asked(page_.steps[static_cast<std::size_t>(n)]);
      return true;
    }
    if (query.hasQueryItem("q")) {
      const int n = query.queryItemValue("q").toInt();
      if (n < 0 || static_cast<std::size_t>(n) >= page_.questions.size()) return false;
      const LessonQuestion& q = page_.questions[static_cast<std::size_t>(n)];
      const auto index = [&](const char* name, std::size_t size) -> std::optional<std::size_t> {
        const int i = query.queryItemValue(QLatin1String(name)).toInt();
        return i >= 0 && static_cast<std::size_t>(i) < size ? std::optional<std::size_t>(static_cast<std::size_t>(i)) : std::nullopt;
      };
      if (what == "say") {
        const auto c = index("c", q.choices.size());
        return c ? answer(n, q.choices[*c].value), true : false;
      }
      if (what == "ask") {
        const auto run = index("run", q.runs.size());
        return run ? ask(n, LessonStep(q.runs[*run])), true : false;
      }
      if (what == "number") {
        const bool time = read_measured(q.runs.front().claimed.toStdString()).kind == Measured::Kind::time;
        type(tr("You say"), time ? tr("a time: 250 ms, 3 min") : tr("a number: 28"), [this, n](const QString& t) { answer(n, t); },
             [time](const QString& t) {
               const Measured said = read_measured(t.toStdString());
               if (said.kind == (time ? Measured::Kind::time : Measured::Kind::count) || (said.kind != Measured::Kind::word && said.number == 0)) return QString();
               return time ? tr("`%1` is no time: 250 ms or 3 min was expected").arg(t) : tr("`%1` is no number: 28 was expected").arg(t);
             });
        return true;
      }
      if (what == "knob") return type(tr("One setting"), tr("name=value"), [this, n](const QString& t) { turn(n, t); }), true;
      if (what == "read") return open_.insert(n), render(), true;
      if (what == "anew") {
        if (const QString wrong = answers_.forget(lesson_, q.key()); !wrong.isEmpty()) emit told(wrong);
        return render(), true;
      }
      return false;
    }
    if (what == "contents") return show_contents(), true;
    if (what == "lesson") return show_lesson(query.queryItemValue("id")), true;
    if (what == "open") return emit scenario_asked(find_scenario(query.queryItemValue("scenario", QUrl::FullyDecoded))), true;
    if (what == "go") {
      const QString event = query.queryItemValue("event");
      const auto around = parse_duration(query.queryItemValue("show", QUrl::FullyDecoded).toStdString());
      return emit go_asked(event.isEmpty() ? query.queryItemValue("to", QUrl::FullyDecoded) : "#" + event, around.value_or(0)), true;
    }
    if (what == "run") {
      LessonStep s;
      s.scenario = find_scenario(query.queryItemValue("scenario", QUrl::FullyDecoded));
      if (s.scenario.isEmpty()) return false;
      s.case_name = query.queryItemValue("case", QUrl::FullyDecoded);
      if (query.hasQueryItem("seed")) s.seed = query.queryItemValue("seed").toULongLong();
      s.settings = query.allQueryItemValues("set", QUrl::FullyDecoded);
      return emit run_asked(s), true;
    }
    return false;
  }
  if (link.isRelative()) {
    const QString path = QDir::cleanPath(QFileInfo(docs_folder() + "/" + lesson_).absolutePath() + "/" + link.path());
    if (path.endsWith(".md")) return show_lesson(QDir(docs_folder()).relativeFilePath(path)), true;
    if (path.endsWith(".lua")) return emit scenario_asked(path), true;
    if (!link.fragment().isEmpty()) return browser_->scrollToAnchor(link.fragment()), true;
    return false;
  }
  return QDesktopServices::openUrl(link);
}

}  // namespace mqlab::gui
