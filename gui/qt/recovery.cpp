#include "gui/qt/recovery.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

namespace mqlab::gui {

RecoveryFile::RecoveryFile(const QString& folder) {
  QDir().mkpath(folder);
  for (int i = 0; i < 64; ++i) {
    file_ = QStringLiteral("%1/unsaved-%2.json").arg(folder).arg(i);
    lock_ = std::make_unique<QLockFile>(file_ + ".lock");
    lock_->setStaleLockTime(0);  // stale when its process is gone, and only then
    if (lock_->tryLock(0)) return;
  }
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
