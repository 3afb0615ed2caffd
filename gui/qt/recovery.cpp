#include "gui/qt/recovery.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

namespace mqlab::gui {

namespace {

constexpr int places = 64;

}  // namespace

RecoveryFile::RecoveryFile(const QString& folder) : folder_(folder) {
  QDir().mkpath(folder);
  if (!take(Wanted::left_behind)) take(Wanted::empty);
}

// The lock that is held stays held until another one is.
bool RecoveryFile::take(Wanted wanted) {
  for (int i = 0; i < places; ++i) {
    const QString file = QStringLiteral("%1/unsaved-%2.json").arg(folder_).arg(i);
    if (file == file_ || QFile::exists(file) != (wanted == Wanted::left_behind)) continue;
    auto lock = std::make_unique<QLockFile>(file + ".lock");
    lock->setStaleLockTime(0);  // stale when its process is gone, and only then
    if (!lock->tryLock(0) || QFile::exists(file) != (wanted == Wanted::left_behind)) continue;
    file_ = file;
    lock_ = std::move(lock);
    return true;
  }
  return false;
}

void RecoveryFile::leave_it() {
  if (!take(Wanted::empty)) file_.clear();  // nothing is written over what was left behind
}

RecoveryFile::~RecoveryFile() = default;

std::optional<UnsavedText> RecoveryFile::left_behind() const {
  QFile f(file_);
  if (!f.open(QIODevice::ReadOnly)) return std::nullopt;
  const QJsonObject o = QJsonDocument::fromJson(f.readAll()).object();
  if (!o.contains("text")) return std::nullopt;
  return UnsavedText{o["path"].toString(), o["text"].toString()};
}

bool RecoveryFile::write(const UnsavedText& text) {
  QSaveFile f(file_);
  if (!f.open(QIODevice::WriteOnly)) return false;
  f.write(QJsonDocument(QJsonObject{{"path", text.path}, {"text", text.text}}).toJson(QJsonDocument::Compact));
  return f.commit();
}

void RecoveryFile::clear() { QFile::remove(file_); }

}  // namespace mqlab::gui
