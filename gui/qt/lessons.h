// gui/qt/lessons.h: the chapters of docs/ in the window: predict, run, measure, turn the knob.
//
// Answering a question runs its scenario; what is measured stands beside what was said, and each further run of that scenario, however
// it was made (a knob of the page, a case, a setting, a fault by hand), adds a row. Answers and rows are kept (answers.h).
//
// The rule of ticks: a step is ticked when the very run that it asks for ended as its scenario expects; a question when it was answered
// and that run measured what its page says. A click alone ticks nothing.
//
// Links: those of lesson_page.h, and `mqlab:run?scenario=...&case=...&seed=...&set=k=v`, `mqlab:go?to=130ms&show=4ms` or `?event=87`,
// `mqlab:lesson?id=...`, `mqlab:open?scenario=...`.
#pragma once

#include <QLabel>
#include <QLineEdit>
#include <QUrl>
#include <QWidget>

#include <set>

#include "gui/qt/lesson_page.h"
#include "gui/qt/page_browser.h"
#include "gui/qt/settings.h"

namespace mqlab::gui {

class LessonPane : public QWidget {
  Q_OBJECT

 public:
  LessonPane(WindowSettings* settings, QWidget* parent = nullptr);
  void set_theme(Theme l);
  void show_lesson(const QString& id);
  void show_contents();
  void next(int direction);
  const QString& lesson() const { return lesson_; }
  // A run has become the one that is looked at.
  void run_ended(const Recording& r);
  const LessonPage& page() const { return page_; }
  const Answers& answers() const { return answers_; }
  PageBrowser* browser() const { return browser_; }
  // What a link on the page asks for; true when it was understood.
  bool follow(const QUrl& link);
  // A prediction, in words that fits() reads; runs what was asked.
  void answer(int question, const QString& said);
  // The question's scenario with one more setting: "acks=all".
  void turn(int question, const QString& setting);

 signals:
  void run_asked(const LessonStep& step);
  void scenario_asked(const QString& path);
  // A place of the run, and how much time around it is worth seeing: 0: as it is; -1: what is around that event.
  void go_asked(const QString& words, qint64 around);
  void told(const QString& sentence);

 private:
  void render();
  void ask(int question, const LessonStep& step);
  void measure(const Recording& r);
  // A line below the page, for what can't be clicked. `wrong` says what is wrong with what was typed: then it stays, to be mended.
  void type(const QString& label, const QString& hint, std::function<void(const QString&)> take, std::function<QString(const QString&)> wrong = {});

  WindowSettings* settings_;
  Answers answers_;
  PageBrowser* browser_;
  QWidget* line_;
  QLabel* line_label_;
  QLineEdit* line_edit_;
  std::function<void(const QString&)> line_take_;
  std::function<QString(const QString&)> line_wrong_;
  QString lesson_;
  LessonPage page_;
  std::set<int> open_;   // questions whose rest is shown without an answer
  int started_ = -1;     // the step under way
  int question_ = -1;    // the one whose table grows
};

// The contents as HTML, with what was tried of each.
QString contents_page(const WindowSettings& settings);

}  // namespace mqlab::gui
