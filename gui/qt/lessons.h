// gui/qt/lessons.h: the chapters of docs/, with commands that run in the window.
//
// A chapter is the Markdown page as it is; after each block of commands stands a link for every `mqlab run` in it whose scenario is
// a file of the library or written out on the page itself. A step is ticked when its run ended as its scenario expects, and not before.
//
// Links: `mqlab:run?scenario=...&case=...&seed=...&set=k=v`, `mqlab:go?to=130ms` or `?event=87`, `mqlab:lesson?id=...`, `mqlab:open?scenario=...`.
#pragma once

#include <QHash>
#include <QString>
#include <QStringList>
#include <QTextBrowser>
#include <QUrl>

#include <optional>
#include <vector>

#include "gui/qt/settings.h"

namespace mqlab::gui {

// docs/ and scenarios/ of the source, or of the installation; empty where there is none.
QString docs_folder();
QString scenarios_folder();
// A scenario as a command line names it: a path, or a name in the library with or without ".lua". Empty when there is none.
QString find_scenario(const QString& name);
// All of the library, as paths, in order.
QStringList library_scenarios();

struct Lesson {
  QString id;     // "kafka/02-replication-and-acks.md", below docs/
  QString title;  // the page's first heading
  QString group;  // "Kafka"
};
// In reading order.
const std::vector<Lesson>& lessons();

// One run that a lesson asks for.
struct LessonStep {
  QString command;       // as on the page: "mqlab run scenarios/showcase.lua --seed 7"
  QString scenario;      // a path; empty when the text stands on the page
  QString text;          // ... this one
  QString name;          // of the file that the page writes
  QString case_name;
  std::optional<quint64> seed;
  QStringList settings;  // "acks=all"
};

struct LessonPage {
  QString markdown;               // with the links
  std::vector<LessonStep> steps;  // mqlab:step?n=0 ...
};
// `done`: commands of steps that are ticked.
LessonPage lesson_page(const QString& markdown, const QStringList& done);

// Shows Markdown with its code coloured and its tables legible.
class PageBrowser : public QTextBrowser {
  Q_OBJECT

 public:
  explicit PageBrowser(QWidget* parent = nullptr);
  void set_theme(Theme l);
  void show_markdown(const QString& markdown);
  void show_html(const QString& html);

 private:
  void render();
  void colour_code();

  Theme theme_ = Theme::light;
  QString source_;
  bool markdown_ = false;
};

class LessonPane : public QWidget {
  Q_OBJECT

 public:
  LessonPane(WindowSettings* settings, QWidget* parent = nullptr);
  void set_theme(Theme l);
  void show_lesson(const QString& id);
  void show_contents();
  void next(int direction);
  const QString& lesson() const { return lesson_; }
  // The run of the step that was started last ended as expected: it is ticked.
  void step_succeeded();
  const LessonPage& page() const { return page_; }
  // What a link on the page asks for; true when it was understood.
  bool follow(const QUrl& link);

 signals:
  void run_asked(const LessonStep& step);
  void scenario_asked(const QString& path);
  void go_asked(const QString& words);

 private:
  void render();

  WindowSettings* settings_;
  PageBrowser* browser_;
  QString lesson_;
  LessonPage page_;
  int started_ = -1;  // the step under way
};

// The contents as HTML, with what was tried of each.
QString contents_page(const WindowSettings& settings);

}  // namespace mqlab::gui
