#include "gui/qt/event_model.h"

#include <QFont>

#include <algorithm>
#include <limits>

#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

QString where(const Recording& r, const Delivery& d) {
  if (is_message(d.event)) return QString::fromStdString(r.line_name(d.event.source) + " → " + r.line_name(d.event.target));
  return QString::fromStdString(r.line_name(line_of(d.event)));
}

QString details_of(const Recording& r, const Delivery& d) { return QString::fromStdString(event_details(r.journal(), d)); }

}  // namespace

void EventModel::set_run(std::shared_ptr<const Recording> r) {
  beginResetModel();
  run_ = std::move(r);
  rows_.reset();
  marks_.clear();
  if (run_)
    for (std::size_t m = 0; m < run_->journal().marks.size(); ++m)
      if (const std::size_t e = run_->event_of_mark(m); e < run_->events()) marks_.emplace_back(static_cast<std::uint32_t>(e), static_cast<std::uint32_t>(m));
  std::sort(marks_.begin(), marks_.end());
  endResetModel();
}

void EventModel::set_rows(std::shared_ptr<const EventRows> rows) {
  beginResetModel();
  rows_ = std::move(rows);
  endResetModel();
}

void EventModel::set_theme(Theme l) {
  theme_ = l;
  if (rowCount() > 0) emit dataChanged(index(0, 0), index(rowCount() - 1, column_count - 1), {Qt::ForegroundRole});
}

std::size_t EventModel::event_of(int row) const { return rows_ ? (*rows_)[static_cast<std::size_t>(row)] : static_cast<std::size_t>(row); }

int EventModel::row_of(std::size_t event) const {
  if (!run_ || event >= run_->events()) return -1;
  if (!rows_) return static_cast<int>(std::min<std::size_t>(event, static_cast<std::size_t>(rowCount()) - 1));
  return static_cast<int>(std::upper_bound(rows_->begin(), rows_->end(), event) - rows_->begin()) - 1;
}

int EventModel::rowCount(const QModelIndex& parent) const {
  if (parent.isValid() || !run_) return 0;
  const std::size_t n = rows_ ? rows_->size() : run_->events();
  return static_cast<int>(std::min<std::size_t>(n, std::numeric_limits<int>::max()));
}

int EventModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : column_count; }

QString EventModel::marks_of(std::size_t event) const {
  QString out;
  auto it = std::lower_bound(marks_.begin(), marks_.end(), std::pair(static_cast<std::uint32_t>(event), std::uint32_t{0}));
  for (; it != marks_.end() && it->first == event; ++it)
    out += (out.isEmpty() ? "" : "; ") + QString::fromStdString(mark_words(run_->journal(), run_->journal().marks[it->second]));
  return out;
}

bool EventModel::has_fault(std::size_t event) const {
  auto it = std::lower_bound(marks_.begin(), marks_.end(), std::pair(static_cast<std::uint32_t>(event), std::uint32_t{0}));
  for (; it != marks_.end() && it->first == event; ++it)
    if (run_->journal().names.text(run_->journal().marks[it->second].name) == "fault") return true;
  return false;
}

QVariant EventModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || !run_ || index.row() >= rowCount()) return {};
  const std::size_t event = event_of(index.row());
  const Delivery& d = run_->journal().deliveries[event];
  switch (role) {
    case Qt::DisplayRole:
      switch (index.column()) {
        case number: return QStringLiteral("#%1").arg(event);
        case time: return QString::fromStdString(format_time(d.time));
        case node: return where(*run_, d);
        case what: return QString::fromStdString(event_name(run_->journal(), d));
        case details: return details_of(*run_, d);
        case marks: return marks_of(event);
        default: return {};
      }
    case Qt::ToolTipRole: {
      const QString m = marks_of(event);
      return QString::fromStdString(event_text(run_->journal(), d)) + (m.isEmpty() ? QString() : "\n" + m);
    }
    case Qt::AccessibleTextRole:
      return QStringLiteral("event %1 at %2: %3").arg(event).arg(QString::fromStdString(format_time(d.time)), QString::fromStdString(event_text(run_->journal(), d)));
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

EventRows events_with_text(const Recording& r, const QString& words) {
  std::vector<QString> all;
  for (const QString& w : words.split(' ', Qt::SkipEmptyParts)) all.push_back(w.toLower());
  EventRows out;
  const Journal& j = r.journal();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> marks;
  for (std::size_t m = 0; m < j.marks.size(); ++m)
    if (const std::size_t e = r.event_of_mark(m); e < r.events()) marks.emplace_back(static_cast<std::uint32_t>(e), static_cast<std::uint32_t>(m));
  std::sort(marks.begin(), marks.end());
  std::size_t next = 0;
  for (std::size_t i = 0; i < r.events(); ++i) {
    const Delivery& d = j.deliveries[i];
    QString line = where(r, d) + ' ' + QString::fromStdString(event_name(j, d)) + ' ' + details_of(r, d);
    for (; next < marks.size() && marks[next].first == i; ++next) line += ' ' + QString::fromStdString(mark_words(j, j.marks[marks[next].second]));
    line = line.toLower();
    if (std::all_of(all.begin(), all.end(), [&](const QString& w) { return line.contains(w); })) out.push_back(static_cast<std::uint32_t>(i));
  }
  return out;
}

}  // namespace mqlab::gui
