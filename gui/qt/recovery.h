// gui/qt/recovery.h: text that was typed is never lost.
//
// What an editor holds and no file does is written, whole, to a file of the window's own. Whatever ends the process, and
// whenever, that file is either the text as it was or as it is, never a piece of it. A window that starts takes over what a
// window that was killed left behind, or leaves it to the next one; two windows that are open never share a file.
//
//     RecoveryFile recovery(folder);
//     if (auto lost = recovery.left_behind()) offer(*lost);
//     recovery.write({path, text});
#pragma once

#include <QLockFile>
#include <QString>

#include <memory>
#include <optional>

namespace mqlab::gui {

struct UnsavedText {
  QString path;  // of the scenario; empty when it never had one
  QString text;
  bool operator==(const UnsavedText&) const = default;
};

class RecoveryFile {
 public:
  // Makes the folder. Takes the first place in it that no open window has: one where something was left behind, if there is one.
  explicit RecoveryFile(const QString& folder);
  ~RecoveryFile();

  // What was there when this window began; nothing when all had been saved.
  std::optional<UnsavedText> left_behind() const;
  // False when it could not be written: the disk is full, the folder is gone.
  bool write(const UnsavedText& text);
  // All is saved.
  void clear();
  // What was left behind stays where it is, for a window that starts later; this one goes to a place with nothing in it.
  void leave_it();
  const QString& file() const { return file_; }

 private:
  enum class Wanted : bool { left_behind, empty };
  bool take(Wanted wanted);

  QString folder_;
  QString file_;
  std::unique_ptr<QLockFile> lock_;
};

}  // namespace mqlab::gui
