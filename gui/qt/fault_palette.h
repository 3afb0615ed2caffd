// gui/qt/fault_palette.h: faults by hand: a kind, on whom, for how long, right after the event in focus.
//
// The list is fault_kinds(), in its groups; what a kind needs is asked for and nothing else. Each fault makes a new future beside the
// one that there is (Workspace::intervene), and can be written into the scenario as Lua.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QTreeWidget>
#include <QWidget>

#include <optional>
#include <string>

#include "gui/qt/workspace.h"

namespace mqlab::gui {

// The fault that a form like the palette's describes; the complaint is empty when it is one.
struct FaultForm {
  FaultKind kind{};
  QString whom;      // a node, a role: `leader orders/0`
  QString other;     // the far side of a link, where the kind has one
  QString duration;  // "3s"; empty: until it is healed
  QString amount;    // of latency, jumps: "100ms"
  QString message;   // of hold, drop, delay, duplicate
};
struct FormedFault {
  Fault fault;
  QString complaint;
};
FormedFault fault_of(const FaultForm& form);
// Which of these a kind reads.
bool fault_has(FaultKind k, const char* field);

// A fault by hand in words: `kill B1 at 15s`, `power leader orders/0 for 20s at 10s`, `latency P1 to B1 by 200ms`, `drop Produce at #87`.
// First the kind, then on whom; `to` (or `and`) the far side, `for` how long, `by` how much, `at` where: as G goes there; empty: where one is.
struct ByHand {
  FaultForm form;
  QString place;
  QString complaint;  // empty: it can be made
};
ByHand read_by_hand(const QString& words);
// Goes there and makes it: another future. What was wrong, or nothing.
QString break_by_hand(Workspace& w, const QString& words);

class FaultPalette : public QWidget {
  Q_OBJECT

 public:
  explicit FaultPalette(Workspace* w, QWidget* parent = nullptr);
  // A node or a link was clicked: it is the target from now on.
  void aim_at(NodeId from, NodeId to = nobody);
  void choose(FaultKind k);
  // Does what the form says; what is wrong with it, or nothing.
  QString act();
  int kinds() const;  // how many are listed

 signals:
  void write_back_asked();

 private:
  void show_fields();
  void show_targets();
  void show_done();
  FaultForm form() const;

  Workspace* workspace_;
  QTreeWidget* list_;
  QLabel* sentence_;
  QComboBox *whom_, *other_, *message_;
  QLineEdit *duration_, *amount_;
  QLabel *whom_label_, *other_label_, *message_label_, *duration_label_, *amount_label_;
  QPushButton *act_, *write_back_, *take_back_;
  QLabel* done_;
};

}  // namespace mqlab::gui
