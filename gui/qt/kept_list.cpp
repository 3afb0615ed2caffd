#include "gui/qt/kept_list.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLockFile>
#include <QObject>
#include <QSaveFile>

namespace mqlab::gui {

QJsonArray KeptList::read(bool* damaged) const {
  if (damaged) *damaged = false;
  QFile f(file_);
  if (!f.open(QIODevice::ReadOnly)) return {};
  const QJsonObject whole = QJsonDocument::fromJson(f.readAll()).object();
  if (damaged) *damaged = !whole[key_].isArray();
  return whole[key_].toArray();
}

bool KeptList::write(const QJsonArray& all) const {
  QSaveFile f(file_);
  if (!f.open(QIODevice::WriteOnly)) return false;
  f.write(QJsonDocument(QJsonObject{{"format", format_}, {key_, all}}).toJson());
  return f.commit();
}

QString KeptList::change(const std::function<void(QJsonArray&)>& f, const std::function<QJsonArray()>& otherwise) const {
  QLockFile lock(file_ + ".lock");
  lock.setStaleLockTime(0);  // stale when its process is gone, and only then
  lock.tryLock(1000);
  bool damaged = false;
  QString wrong;
  QJsonArray all = read(&damaged);
  if (damaged) {
    QString aside;
    for (int i = 0; aside.isEmpty() || QFile::exists(aside); ++i) aside = QStringLiteral("%1.damaged-%2").arg(file_).arg(i);
    QFile::rename(file_, aside);
    all = otherwise();
    wrong = QObject::tr("%1 can't be read; it is kept as %2").arg(file_, aside);
  }
  f(all);
  if (!write(all)) wrong = QObject::tr("%1 could not be written").arg(file_);
  return wrong;
}

}  // namespace mqlab::gui
