#include "gui/qt/answers.h"

#include <QJsonObject>

#include <algorithm>

namespace mqlab::gui {
namespace {

Answer answer_of(const QJsonObject& o) {
  Answer a;
  a.lesson = o["lesson"].toString();
  a.question = o["question"].toString();
  a.said = o["said"].toString();
  a.when = QDateTime::fromString(o["when"].toString(), Qt::ISODate);
  a.measured = o["measured"].toString();
  for (const QJsonValue& v : o["runs"].toArray()) a.runs.push_back({v.toObject()["run"].toString(), v.toObject()["measured"].toString()});
  return a;
}

QJsonObject json_of(const Answer& a) {
  QJsonArray runs;
  for (const MeasuredRun& r : a.runs) runs.append(QJsonObject{{"run", r.run}, {"measured", r.measured}});
  QJsonObject o{{"lesson", a.lesson}, {"question", a.question}, {"said", a.said}, {"when", a.when.toString(Qt::ISODate)}, {"runs", runs}};
  if (!a.measured.isEmpty()) o["measured"] = a.measured;
  return o;
}

QJsonArray json_of(const std::vector<Answer>& all) {
  QJsonArray out;
  for (const Answer& a : all) out.append(json_of(a));
  return out;
}

bool same(const QJsonValue& v, const QString& lesson, const QString& question) {
  const QJsonObject o = v.toObject();
  return o["lesson"].toString() == lesson && o["question"].toString() == question;
}

}  // namespace

Answers::Answers(const QString& file) : file_(file, QStringLiteral("mqlab-answers/1"), QStringLiteral("answers")) { read(); }

void Answers::read() {
  all_.clear();
  for (const QJsonValue& v : file_.read()) all_.push_back(answer_of(v.toObject()));
}

std::vector<Answer> Answers::of(const QString& lesson) const {
  std::vector<Answer> out;
  std::copy_if(all_.begin(), all_.end(), std::back_inserter(out), [&](const Answer& a) { return a.lesson == lesson; });
  return out;
}

const Answer* Answers::find(const QString& lesson, const QString& question) const {
  const auto it = std::find_if(all_.begin(), all_.end(), [&](const Answer& a) { return a.lesson == lesson && a.question == question; });
  return it == all_.end() ? nullptr : &*it;
}

QString Answers::keep(const Answer& a) {
  const QString wrong = file_.change(
      [&](QJsonArray& all) {
        const auto it = std::find_if(all.begin(), all.end(), [&](const QJsonValue& v) { return same(v, a.lesson, a.question); });
        if (it == all.end()) all.append(json_of(a));
        else *it = json_of(a);
      },
      [&] { return json_of(all_); });
  read();
  return wrong;
}

QString Answers::forget(const QString& lesson, const QString& question) {
  const QString wrong = file_.change(
      [&](QJsonArray& all) {
        for (qsizetype i = all.size(); i-- > 0;)
          if (same(all[i], lesson, question)) all.removeAt(i);
      },
      [&] { return json_of(all_); });
  read();
  return wrong;
}

}  // namespace mqlab::gui
