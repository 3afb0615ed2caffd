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

}  // namespace

void EventModel::set_run(std::shared_ptr<const EventIndex> run) {
  beginResetModel();
  run_ = std::move(run);
  rows_.reset();
  endResetModel();
}

void EventModel::set_rows(std::shared_ptr<const EventRows> rows) {
  if (rows == rows_) return;
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
  if (!run_ || event >= recording().events()) return -1;
  if (!rows_) return static_cast<int>(std::min<std::size_t>(event, static_cast<std::size_t>(rowCount()) - 1));
  return static_cast<int>(std::upper_bound(rows_->begin(), rows_->end(), event) - rows_->begin()) - 1;
}

int EventModel::rowCount(const QModelIndex& parent) const {
  if (parent.isValid() || !run_) return 0;
  const std::size_t n = rows_ ? rows_->size() : recording().events();
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

QVariant EventModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || !run_ || index.row() >= rowCount()) return {};
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
  return out;
}

}  // namespace mqlab::gui
