// gui/qt/notebook.h: notes that are pinned to a run and an event of it.
//
// A note keeps all that decides its run (scenario, case, seed, settings, what was done by hand, what was left out) and the fingerprint: to return
// to it makes the run again, faults by hand included, and says whether it is the same.
//
// Always true: as kept_list.h has it, each change is on the disk when the action returns, and windows side by side lose none of each other's.
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
  QStringList by_hand;      // faults, in Lua (gui/core/by_hand.h)
  std::vector<std::size_t> without{};  // faults of the scenario that the run went without (RunSpec)
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
