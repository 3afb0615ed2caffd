#include "gui/qt/event_model.h"

#include <QFont>

#include <algorithm>
#include <limits>

#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

Delivery as_delivery(const Drop& d) { return {d.event, d.time, d.payload}; }

}  // namespace

void EventModel::set_run(std::shared_ptr<const EventIndex> run) {
  beginResetModel();
  run_ = std::move(run);
  rows_.reset();
  drops_.reset();
  place_drops();
  endResetModel();
}

void EventModel::set_rows(std::shared_ptr<const EventRows> rows, std::shared_ptr<const EventRows> drops) {
  if (rows == rows_ && drops == drops_) return;
  beginResetModel();
  rows_ = std::move(rows);
  drops_ = std::move(drops);
  place_drops();
  endResetModel();
}

// Each behind the last event before it, and behind those that were over before it.
void EventModel::place_drops() {
  drop_rows_.clear();
  if (!run_) return;
  const auto& all = recording().journal().drops;
  const std::size_t n = drops_ ? drops_->size() : rows_ ? 0 : all.size();
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t after = all[drop_at(i)].after;
    const std::size_t events = rows_ ? static_cast<std::size_t>(std::lower_bound(rows_->begin(), rows_->end(), after) - rows_->begin()) : after;
    drop_rows_.push_back(static_cast<std::uint32_t>(events + i));
  }
}

std::optional<std::size_t> EventModel::drop_of(int row) const {
  const auto at = std::lower_bound(drop_rows_.begin(), drop_rows_.end(), static_cast<std::uint32_t>(row));
  if (at == drop_rows_.end() || *at != static_cast<std::uint32_t>(row)) return std::nullopt;
  return drop_at(static_cast<std::size_t>(at - drop_rows_.begin()));
}

int EventModel::row_of_drop(std::size_t drop) const {
  if (!run_ || drop >= recording().journal().drops.size() || (rows_ && !drops_)) return -1;
  std::size_t place = drop;
  if (drops_) {
    const auto at = std::lower_bound(drops_->begin(), drops_->end(), drop);
    if (at == drops_->end() || *at != drop) return -1;
    place = static_cast<std::size_t>(at - drops_->begin());
  }
  return static_cast<int>(drop_rows_[place]);
}

void EventModel::set_theme(Theme l) {
  theme_ = l;
  if (rowCount() > 0) emit dataChanged(index(0, 0), index(rowCount() - 1, column_count - 1), {Qt::ForegroundRole});
}

std::size_t EventModel::event_of(int row) const {
  if (const auto drop = drop_of(row)) return recording().event_of_drop(*drop);
  const auto n = static_cast<std::size_t>(row);
  const std::size_t place = n - static_cast<std::size_t>(std::lower_bound(drop_rows_.begin(), drop_rows_.end(), n) - drop_rows_.begin());
  return rows_ ? (*rows_)[place] : place;
}

int EventModel::row_of(std::size_t event) const {
  if (!run_ || event >= recording().events()) return -1;
  const std::ptrdiff_t place = rows_ ? std::upper_bound(rows_->begin(), rows_->end(), event) - rows_->begin() - 1 : static_cast<std::ptrdiff_t>(event);
  if (place < 0) return -1;
  // So many rows of other messages are before it: those behind fewer events.
  std::size_t low = 0, high = drop_rows_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (drop_rows_[middle] - middle <= static_cast<std::size_t>(place)) low = middle + 1;
    else high = middle;
  }
  return static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(place) + low, static_cast<std::size_t>(rowCount()) - 1));
}

int EventModel::rowCount(const QModelIndex& parent) const {
  if (parent.isValid() || !run_) return 0;
  const std::size_t n = (rows_ ? rows_->size() : recording().events()) + drop_rows_.size();
  return static_cast<int>(std::min<std::size_t>(n, std::numeric_limits<int>::max()));
}

int EventModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : column_count; }

QString EventModel::marks_of(std::size_t event) const {
  const Journal& j = recording().journal();
  QString out;
  for (const auto& [e, m] : run_->marks_of(event)) out += (out.isEmpty() ? "" : "; ") + QString::fromStdString(mark_words(j, j.marks[m]));
  return out;
}

bool EventModel::has_fault(std::size_t event) const {
  const Journal& j = recording().journal();
  const auto all = run_->marks_of(event);
  return std::any_of(all.begin(), all.end(), [&](const auto& m) { return j.names.text(j.marks[m.second].name) == "fault"; });
}

QVariant EventModel::drop_data(std::size_t drop, int column, int role) const {
  const Journal& j = recording().journal();
  const Drop& d = j.drops[drop];
  switch (role) {
    case Qt::DisplayRole:
      switch (column) {
        case number: return QStringLiteral("✕");
        case time: return QString::fromStdString(format_time(d.time));
        case node: return QString::fromStdString(where(recording(), d));
        case what: return QString::fromStdString(event_name(j, as_delivery(d)));
        case details: return QString::fromStdString(event_details(j, as_delivery(d)));
        case marks: return QStringLiteral("dropped: %1").arg(QLatin1String(drop_reason_text(d.why)));
        default: return {};
      }
    case Qt::ToolTipRole: return QString::fromStdString(drop_text(j, d));
    case Qt::AccessibleTextRole: return QString::fromStdString(format_time(d.time) + ": " + drop_text(j, d));
    case Qt::TextAlignmentRole: return static_cast<int>((column == number || column == time ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::ForegroundRole: return fault_ink(theme_);
    default: return {};
  }
}

QVariant EventModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || !run_ || index.row() >= rowCount()) return {};
  if (const auto drop = drop_of(index.row())) return drop_data(*drop, index.column(), role);
  const std::size_t event = event_of(index.row());
  const Journal& j = recording().journal();
  const Delivery& d = j.deliveries[event];
  switch (role) {
    case Qt::DisplayRole:
      switch (index.column()) {
        case number: return QStringLiteral("#%1").arg(event);
        case time: return QString::fromStdString(format_time(d.time));
        case node: return QString::fromStdString(where(recording(), d));
        case what: return QString::fromStdString(event_name(j, d));
        case details: return QString::fromStdString(event_details(j, d));
        case marks: return marks_of(event);
        default: return {};
      }
    case Qt::ToolTipRole: {
      const QString m = marks_of(event);
      return QString::fromStdString(event_text(j, d)) + (m.isEmpty() ? QString() : "\n" + m);
    }
    case Qt::AccessibleTextRole:
      return QStringLiteral("event %1 at %2: %3").arg(event).arg(QString::fromStdString(format_time(d.time)), QString::fromStdString(event_text(j, d)));
    case Qt::TextAlignmentRole: return static_cast<int>((index.column() == number || index.column() == time ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::ForegroundRole:
      if (has_fault(event)) return fault_ink(theme_);
      return {};
    case Qt::FontRole:
      if (has_fault(event)) {
        QFont f;
        f.setBold(true);
        return f;
      }
      return {};
    default: return {};
  }
}

QVariant EventModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || orientation != Qt::Horizontal) return {};
  static const char* names[column_count] = {"#", "time", "node", "event", "details", "what happened inside"};
  return section >= 0 && section < column_count ? QString::fromLatin1(names[section]) : QString();
}

std::optional<FoundEvents> find_events(const EventIndex& run, const EventQuery& query, const CallOff& off) {
  RowsWanted wanted{query.chips, {}, query.hides_routine};
  for (const QString& w : query.words.split(' ', Qt::SkipEmptyParts)) wanted.words.push_back(w.toLower().toStdString());
  return find_rows(run, wanted, off, [](const std::string& line) { return QString::fromStdString(line).toLower().toStdString(); });
}

}  // namespace mqlab::gui
