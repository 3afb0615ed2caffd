// gui/qt/lesson_page.h: the chapters of docs/: what a page asks, what it runs, and how it is shown in the window.
//
// A chapter is the Markdown page as it is. Two things in it are more than text:
//   a step      a line `mqlab run ...` in a block of commands, whose scenario is a file of the library or written out on the page;
//   a question  a quotation that begins with **Predict**, choices as a task list (none: a number is asked for), and right after it
//               a block of `mqlab run ... --measure '...'` with what it prints. The first command is what is to be predicted; the others
//               turn a knob. A choice begins with its value in bold, as fits() reads it (sim/lab/measured.h):
//
//     > **Predict:** the answer is lost and P1 tries again. How often does P1-4 stand in the log?
//     >
//     > - [ ] **once**: the leader knows it
//     > - [ ] **twice**
//
//     ```sh
//     mqlab run scenarios/museum/kafka/p01-retry-duplicate.lua --case idempotence=false --measure 'copies P1-4'
//     mqlab run scenarios/museum/kafka/p01-retry-duplicate.lua --case idempotence=true --measure 'copies P1-4'
//     ```
//
//     ```text
//     copies P1-4: 2
//     copies P1-4: 1
//     ```
//
// The rule: what gives a question away is not shown before it is answered: its commands, their output, and what follows up to the next
// heading or question. Elsewhere: the pane (lessons.h), what was answered (answers.h).
#pragma once

#include <QString>
#include <QStringList>

#include <optional>
#include <set>
#include <vector>

#include "gui/core/recording.h"
#include "gui/qt/answers.h"

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
  int questions = 0;
};
// In reading order.
const std::vector<Lesson>& lessons();
// The page; empty when there is none.
QString lesson_text(const QString& id);

// One run that a lesson asks for.
struct LessonStep {
  QString command;       // as on the page: "mqlab run scenarios/showcase.lua --seed 7"
  QString scenario;      // a path; empty when the text stands on the page
  QString text;          // ... this one
  QString name;          // of the file that the page writes
  QString case_name;
  std::optional<quint64> seed;
  QStringList settings;  // "acks=all"
  QString measure{};     // of a question
  QString claimed{};     // what the page says that it gives
};
// What differs from the scenario as it stands: "case acks=1, seed 7, min_insync=1"; "as it is".
QString label_of(const LessonStep& s);
// Whether it is a run of the same scenario; and whether it is the very run that the step asks for.
bool same_scenario(const LessonStep& s, const Recording& r);
bool is_run_of(const LessonStep& s, const Recording& r);
// What a run of the step's scenario is called in a table: the step's own label when it is that run.
QString label_of(const LessonStep& s, const Recording& r);

struct LessonChoice {
  QString value;  // "once", "2..5", "holds"
  QString words;  // what stands behind it, Markdown
};
struct LessonQuestion {
  QString words;                      // Markdown
  std::vector<LessonChoice> choices;  // none: a number
  std::vector<LessonStep> runs;       // the first is predicted
  const QString& key() const { return runs.front().command; }
};

// Whether what was said is what was measured: a choice by its value, a number within a tenth.
bool prediction_fits(const LessonQuestion& q, const QString& said, const QString& measured);

struct LessonPage {
  QString markdown;                       // with links and cards
  std::vector<LessonStep> steps;          // mqlab:step?n=0 ...
  std::vector<LessonQuestion> questions;  // mqlab:say?q=0&c=1, mqlab:ask?q=0&run=1, mqlab:number?q=0, mqlab:knob?q=0, mqlab:read?q=0, mqlab:anew?q=0
  QStringList complaints;                 // what looks like a question and is none, and why
};
// `done`: commands of steps that are ticked. `answers`: of this page. `open`: questions whose rest is shown without an answer.
LessonPage lesson_page(const QString& markdown, const QStringList& done, const std::vector<Answer>& answers = {}, const std::set<int>& open = {});

}  // namespace mqlab::gui
