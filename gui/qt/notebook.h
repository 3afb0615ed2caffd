// gui/qt/notebook.h: notes that are pinned to a run and an event of it.
//
// A note keeps all that decides its run (scenario, case, seed, settings, what was done by hand) and the fingerprint, so that it can be
// returned to, and says so when the run is no longer the same.
//
// Always true: 1. each change is on the disk, whole, when the action returns. 2. Windows that are open side by side share the file
// and lose nothing of each other: a change is made to what the file holds then. 3. A file that can't be read is put aside, never
// written over.
#pragma once

#include <QListWidget>
#include <QPlainTextEdit>
#include <QString>
#include <QWidget>

#include <functional>
#include <optional>
#include <vector>

#include "gui/qt/workspace.h"

namespace mqlab::gui {

struct Note {
  QString path;
  QString case_name, design;
  std::optional<quint64> seed;
  QStringList settings;     // "acks=1"
  QStringList by_hand;      // faults, in Lua; they can be read, and are not done again
  QString fingerprint;
  qulonglong event = 0;
  qlonglong time = 0;       // virtual, in nanoseconds
  QString text;             // empty: a mark
  bool operator==(const Note&) const = default;
};

// Reads and writes the whole list; a file that is not there is an empty list. `damaged`: it is there, and no list of notes.
std::vector<Note> read_notes(const QString& file, bool* damaged = nullptr);
bool write_notes(const QString& file, const std::vector<Note>& notes);

class NotebookPane : public QWidget {
  Q_OBJECT

 public:
  NotebookPane(Workspace* w, const QString& file, QWidget* parent = nullptr);
  // Pins what is in focus.
  void add_mark();
  void add_note();
  const std::vector<Note>& notes() const { return notes_; }

 signals:
  void return_to(const Note& note);

 private:
  Note here() const;
  void show_list();
  // Reads what the file holds now, changes it, writes it.
  void change(const std::function<void(std::vector<Note>&)>& f);

  Workspace* workspace_;
  QString file_;
  std::vector<Note> notes_;
  QListWidget* list_;
  QPlainTextEdit* text_;
  bool filling_ = false;
};

}  // namespace mqlab::gui
