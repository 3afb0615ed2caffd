// gui/qt/answers.h: what was predicted, and what was measured then; kept in the settings' folder (answers.json).
//
// An answer belongs to a question by the lesson and the question's first command, so a page may be rewritten around it. What was measured
// is kept with it, run by run, and shown again.
//
// Always true: as kept_list.h has it, windows side by side lose none of each other's answers.
#pragma once

#include <QDateTime>
#include <QString>

#include <vector>

#include "gui/qt/kept_list.h"

namespace mqlab::gui {

// One run of a question's table.
struct MeasuredRun {
  QString run;       // "case acks=1": label_of
  QString measured;  // "28"
  bool operator==(const MeasuredRun&) const = default;
};

struct Answer {
  QString lesson, question;
  QString said;      // a choice's value, or a number
  QDateTime when;
  std::vector<MeasuredRun> runs{};
  // What the run that was to be predicted gave; null before.
  QString measured{};
  bool operator==(const Answer&) const = default;
};

class Answers {
 public:
  explicit Answers(const QString& file);
  std::vector<Answer> of(const QString& lesson) const;
  const Answer* find(const QString& lesson, const QString& question) const;
  // Puts it in the place of the one to the same question. What went wrong, or nothing.
  QString keep(const Answer& a);
  QString forget(const QString& lesson, const QString& question);

 private:
  void read();
  KeptList file_;
  std::vector<Answer> all_;
};

}  // namespace mqlab::gui
