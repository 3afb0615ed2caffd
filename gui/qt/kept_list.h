// gui/qt/kept_list.h: a list that the window keeps in a JSON file: notes, answers.
//
//     {"format": "mqlab-notes/2", "notes": [ ... ]}
//
// Always true: 1. each change is on the disk, whole, when change() returns. 2. Windows that are open side by side share the file and lose
// nothing of each other: a change is made to what the file holds then. 3. A file that can't be read is put aside, never written over.
#pragma once

#include <QJsonArray>
#include <QString>

#include <functional>

namespace mqlab::gui {

class KeptList {
 public:
  KeptList(QString file, QString format, QString key) : file_(std::move(file)), format_(std::move(format)), key_(std::move(key)) {}
  const QString& file() const { return file_; }
  // A file that is not there is an empty list. `damaged`: it is there, and no such list.
  QJsonArray read(bool* damaged = nullptr) const;
  bool write(const QJsonArray& all) const;
  // Reads what the file holds now (`otherwise`: when it is damaged, and put aside), changes it, writes it. What went wrong, for people, or nothing.
  QString change(const std::function<void(QJsonArray&)>& f, const std::function<QJsonArray()>& otherwise) const;

 private:
  QString file_, format_, key_;
};

}  // namespace mqlab::gui
