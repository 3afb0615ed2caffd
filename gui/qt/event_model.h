// gui/qt/event_model.h: the events of a run as the rows of a table.
//
// Nothing is copied: a row is a number in a vector, or the event itself when nothing is filtered, and its text is made when it
// is shown. A run of a million events costs as much as one of ten.
//
// Always true: rows are ascending by event; row_of(event_of(r)) == r.
#pragma once

#include <QAbstractTableModel>

#include <memory>
#include <utility>
#include <vector>

#include "gui/core/recording.h"
#include "gui/qt/theme.h"

namespace mqlab::gui {

using EventRows = std::vector<std::uint32_t>;

class EventModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { number, time, node, what, details, marks, column_count };

  explicit EventModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}

  // Null: no run. All events are shown.
  void set_run(std::shared_ptr<const Recording> r);
  // Only these; null: all. Requires: ascending, below events().
  void set_rows(std::shared_ptr<const EventRows> rows);
  void set_theme(Theme l);

  std::size_t event_of(int row) const;
  // Of the event, or else of the last one before it that is shown; -1 when there is none.
  int row_of(std::size_t event) const;
  bool filtered() const { return rows_ != nullptr; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  QString marks_of(std::size_t event) const;
  bool has_fault(std::size_t event) const;  // acted before the next event

  std::shared_ptr<const Recording> run_;
  std::shared_ptr<const EventRows> rows_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> marks_;  // (event, mark), sorted
  Theme theme_ = Theme::light;
};

// The events whose line in the table contains all of the words, upper and lower case alike.
EventRows events_with_text(const Recording& r, const QString& words);

}  // namespace mqlab::gui
