// gui/qt/event_model.h: the events of a run as the rows of a table, and between them the messages that never arrived.
//
// Nothing is copied: a row is a number in a vector, or the event itself when nothing is filtered, and its text is made when it
// is shown. A run of a million events costs as much as one of ten.
//
// Always true: rows are ascending by event; row_of(event_of(r)) == r unless it is the row of a message that never arrived. Those
// stand behind the last event before they were over.
#pragma once

#include <QAbstractTableModel>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gui/core/background.h"
#include "gui/core/event_index.h"
#include "gui/core/filter.h"
#include "gui/core/find_rows.h"
#include "gui/qt/theme.h"

namespace mqlab::gui {

class EventModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { number, time, node, what, details, marks, column_count };

  explicit EventModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}

  // Null: no run. All events are shown.
  void set_run(std::shared_ptr<const EventIndex> run);
  // Only these events, and of the messages that never arrived only these; null: all of the one, and then of the other
  // all too, else none. Requires: ascending, and there.
  void set_rows(std::shared_ptr<const EventRows> rows, std::shared_ptr<const EventRows> drops = nullptr);
  void set_theme(Theme l);

  // Of a message that never arrived: the last event before it was over.
  std::size_t event_of(int row) const;
  // In Journal::drops; none: it is the row of an event.
  std::optional<std::size_t> drop_of(int row) const;
  // -1: it is not shown.
  int row_of_drop(std::size_t drop) const;
  // Of the event, or else of the last one before it that is shown; -1 when there is none.
  int row_of(std::size_t event) const;
  bool filtered() const { return rows_ != nullptr; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  void place_drops();
  std::size_t drop_at(std::size_t place) const { return drops_ ? (*drops_)[place] : place; }
  QVariant drop_data(std::size_t drop, int column, int role) const;
  QString marks_of(std::size_t event) const;
  bool has_fault(std::size_t event) const;  // acted before the next event

  const Recording& recording() const { return run_->recording(); }

  std::shared_ptr<const EventIndex> run_;
  std::shared_ptr<const EventRows> rows_, drops_;
  std::vector<std::uint32_t> drop_rows_;  // the row of each that is shown, ascending
  Theme theme_ = Theme::light;
};

// Which events are asked for.
struct EventQuery {
  Filter chips{};
  QString words{};              // the line in the table contains all of them, upper and lower case alike; what never arrived has `dropped` too
  bool hides_routine = false;   // no heartbeats, timers, wake-ups, disks
  bool operator==(const EventQuery&) const = default;
  bool everything() const { return chips.everything() && words.trimmed().isEmpty() && !hides_routine; }
};

// Nothing: it was called off. Reads the whole run where words are asked for (gui/core/find_rows.h).
std::optional<FoundEvents> find_events(const EventIndex& run, const EventQuery& query, const CallOff& off = CallOff());

}  // namespace mqlab::gui
