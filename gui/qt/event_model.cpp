#include "gui/qt/event_model.h"

#include <QFont>

#include <algorithm>
#include <limits>

#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

std::string where(const Recording& r, const Delivery& d) {
  if (is_message(d.event)) return r.line_name(d.event.source) + " → " + r.line_name(d.event.target);
  return r.line_name(line_of(d.event));
}

std::string where(const Recording& r, const Drop& d) { return r.line_name(d.event.source) + " → " + (d.event.target == nobody ? "?" : r.line_name(d.event.target)); }

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

namespace {

// Words of which each must be in a line. Upper and lower case are told apart neither in ASCII nor elsewhere.
class Words {
 public:
  explicit Words(const QString& words) {
    for (const QString& w : words.split(' ', Qt::SkipEmptyParts)) {
      all_.push_back(w.toLower().toStdString());
      ascii_ = ascii_ && std::all_of(all_.back().begin(), all_.back().end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
    }
  }
  bool none() const { return all_.empty(); }
  bool in(std::string& line) const {
    // No letter beyond ASCII is in the words: what is in the line need not be understood.
    if (ascii_) std::transform(line.begin(), line.end(), line.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    else line = QString::fromStdString(line).toLower().toStdString();
    return std::all_of(all_.begin(), all_.end(), [&](const std::string& w) { return line.find(w) != std::string::npos; });
  }

 private:
  std::vector<std::string> all_;
  bool ascii_ = true;
};

bool is_routine(const Journal& j, const Event& e) {
  if (is_message(e)) return e.type < j.messages.size() && j.messages[e.type].traffic == Traffic::heartbeat;
  const auto kind = static_cast<EventKind>(e.kind);
  return kind == EventKind::timer || kind == EventKind::wake || kind == EventKind::disk;
}

}  // namespace

std::optional<FoundEvents> find_events(const EventIndex& run, const EventQuery& query, const CallOff& off) {
  const Recording& r = run.recording();
  const Journal& j = r.journal();
  FoundEvents out;
  out.passing = query.chips.passing(r);
  if (out.passing.empty()) out.passing.assign(r.events(), true);
  const Words words(query.words);
  auto mark = run.marks().begin();
  std::string line;
  for (std::size_t i = 0; i < r.events(); ++i) {
    if (i % 1'024 == 0 && !off.wanted()) return std::nullopt;
    if (!out.passing[i]) continue;
    const Delivery& d = j.deliveries[i];
    bool good = !query.hides_routine || !is_routine(j, d.event);
    if (good && !words.none()) {
      line = where(r, d) + ' ' + event_name(j, d) + ' ' + event_details(j, d);
      while (mark != run.marks().end() && mark->first < i) ++mark;
      for (auto m = mark; m != run.marks().end() && m->first == i; ++m) line += ' ' + mark_words(j, j.marks[m->second]);
      good = words.in(line);
    }
    if (good) out.rows.push_back(static_cast<std::uint32_t>(i));
    else out.passing[i] = false;
  }
  out.passing_drops.assign(j.drops.size(), false);
  for (const std::uint32_t i : query.chips.drops(r)) {
    if (i % 1'024 == 0 && !off.wanted()) return std::nullopt;
    const Drop& d = j.drops[i];
    bool good = !query.hides_routine || !is_routine(j, d.event);
    if (good && !words.none()) {
      line = where(r, d) + " dropped " + drop_text(j, d);
      good = words.in(line);
    }
    if (!good) continue;
    out.drops.push_back(i);
    out.passing_drops[i] = true;
  }
  return out;
}

}  // namespace mqlab::gui
