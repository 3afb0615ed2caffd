// What a transaction reads, and what it means to write.
#include <algorithm>

#include "sim/lab/database.h"

namespace mqlab {
namespace {

constexpr std::int64_t sequence_reserve = 32;  // PostgreSQL's SEQ_LOG_VALS

bool matches(const ScanSpec& spec, const Cell& key, std::int64_t sequence, const Columns& columns) {
  if (spec.after && !(spec.by_sequence ? *spec.after < Cell(sequence) : *spec.after < key)) return false;
  for (const auto& [name, cell] : spec.where) {
    const auto it = columns.find(name);
    if (it == columns.end() || it->second != cell) return false;
  }
  return true;
}

}  // namespace

std::optional<std::size_t> Database::find_table(const std::string& name) const {
  for (std::size_t i = 0; i < settings_.tables.size(); ++i)
    if (settings_.tables[i].name == name) return i;
  return std::nullopt;
}

// The row as its transaction sees it: what is committed, and its own writes over it.
std::optional<Row> Database::visible(const Work& work, const At& at) const {
  std::optional<Row> row;
  const auto& rows = tables_[at.first].rows;
  if (const auto it = rows.find(at.second); it != rows.end()) row = Row{at.second, it->second.version, it->second.sequence, it->second.columns};
  const auto own = work.writes.find(at);
  if (own == work.writes.end()) return row;
  const Write& w = own->second;
  if (w.how == Write::How::erase) return std::nullopt;
  if (w.how == Write::How::update) {
    if (row)
      for (const auto& [name, cell] : w.columns) row->columns[name] = cell;
    return row;
  }
  return Row{at.second, row ? row->version : 0, row ? row->sequence : w.sequence, w.columns};
}

std::vector<Row> Database::scan(const Work& work, std::size_t table, const ScanSpec& spec) const {
  std::vector<Row> all;
  const auto first_own = work.writes.lower_bound({table, Cell{false}});
  const bool alone = first_own == work.writes.end() || first_own->first.first != table;  // it has written nothing here
  const auto& rows = tables_[table].rows;
  for (const auto& [key, stored] : rows) {
    if (!alone && work.writes.count({table, key})) continue;
    if (!matches(spec, key, stored.sequence, stored.columns)) continue;
    all.push_back({key, stored.version, stored.sequence, stored.columns});
    if (alone && !spec.by_sequence && all.size() == spec.limit) break;
  }
  for (auto it = first_own; it != work.writes.end() && it->first.first == table; ++it)
    if (const auto row = visible(work, it->first); row && matches(spec, row->key, row->sequence, row->columns)) all.push_back(*row);
  if (!alone || spec.by_sequence)
    std::sort(all.begin(), all.end(), [&](const Row& a, const Row& b) { return spec.by_sequence ? a.sequence < b.sequence : a.key < b.key; });
  if (spec.limit > 0 && all.size() > spec.limit) all.resize(spec.limit);
  return all;
}

// Another row has one of these values in a column that is unique.
bool Database::unique_taken(const Work& work, const At& at, const Columns& columns) const {
  for (const std::string& column : settings_.tables[at.first].unique) {
    const auto value = columns.find(column);
    if (value == columns.end()) continue;
    const auto holds = [&](const Cell& key) {
      if (key == at.second) return false;
      const auto row = visible(work, {at.first, key});
      const auto it = row ? row->columns.find(column) : Columns::const_iterator{};
      return row && it != row->columns.end() && it->second == value->second;
    };
    const auto& index = tables_[at.first].unique;
    if (const auto it = index.find({column, value->second}); it != index.end() && holds(it->second)) return true;
    for (const auto& [other, w] : work.writes)
      if (other.first == at.first && holds(other.second)) return true;
  }
  return false;
}

// A number is taken whatever becomes of the transaction. A block of them goes to the log first, so that a start after a crash
// gives none of them out again.
std::int64_t Database::next_sequence(Context& c, std::size_t table, std::string& error) {
  Table& t = tables_[table];
  if (t.next_sequence >= t.reserved) {
    Record r;
    r.kind = Record::Kind::sequence;
    r.serial = next_serial_++;
    r.table = table;
    r.number = t.next_sequence + sequence_reserve;
    error = append(c, std::move(r));
    if (!error.empty()) return 0;
    t.reserved = t.next_sequence + sequence_reserve;
  }
  return t.next_sequence++;
}

void Database::read(Work& work, const At& at) const {
  if (!settings_.serializable || work.writes.count(at)) return;
  const auto it = tables_[at.first].rows.find(at.second);
  work.reads.emplace(at, it == tables_[at.first].rows.end() ? 0 : it->second.version);  // the first look counts
}

void Database::statement(Context& c, Work& work, const DbRequest& in, NodeId client, DbReply& out) {
  if (in.verb == DbVerb::effect) {
    work.effects.push_back({in.effect, in.message, in.message_key, client});
    return;
  }
  const auto table = find_table(in.table);
  if (!table) {
    out.error = "NO_TABLE";
    return;
  }
  if (in.verb == DbVerb::scan) {
    out.rows = scan(work, *table, in.scan);
    if (!settings_.serializable) return;
    Scanned s{*table, in.scan, work.writes, {}};
    for (const Row& r : out.rows) s.rows.emplace_back(r.key, r.version);
    work.scans.push_back(std::move(s));
    return;
  }
  Cell key = in.key.value_or(Cell{std::int64_t{0}});
  std::int64_t sequence = 0;
  if (in.verb == DbVerb::insert && !in.key) {
    sequence = next_sequence(c, *table, out.error);
    if (!out.error.empty()) return;
    key = sequence;
  }
  const At at{*table, key};
  const auto row = visible(work, at);
  if (in.verb == DbVerb::get) {
    read(work, at);
    if (row) out.rows.push_back(*row);
    return;
  }
  if (in.expected && (row ? row->version : 0) != *in.expected) {
    out.error = "VERSION";
    return;
  }
  if (in.verb == DbVerb::insert && row) out.error = "DUPLICATE_KEY";
  if ((in.verb == DbVerb::update || in.verb == DbVerb::erase) && !row) out.error = "NOT_FOUND";
  if (in.verb != DbVerb::put) read(work, at);  // whether it is there is something that it has learnt
  if (out.error.empty() && in.verb != DbVerb::erase && unique_taken(work, at, in.columns)) out.error = "DUPLICATE_KEY";
  if (out.error.empty() && !row && (in.verb == DbVerb::put || in.verb == DbVerb::insert) && sequence == 0) sequence = next_sequence(c, *table, out.error);
  if (!out.error.empty()) return;
  if (in.expected && !work.writes.count(at)) work.expected.emplace(at, *in.expected);
  out.key = key;

  const auto own = work.writes.find(at);
  switch (in.verb) {
    case DbVerb::insert:
    case DbVerb::put: {
      // Deleted and inserted again by the same transaction is a change of the row.
      const bool is_new = own != work.writes.end() ? own->second.is_new : in.verb == DbVerb::insert;
      const std::int64_t number = own != work.writes.end() && own->second.sequence != 0 ? own->second.sequence : sequence;
      work.writes[at] = {Write::How::put, is_new, in.columns, number};
      break;
    }
    case DbVerb::update:
      if (own == work.writes.end()) work.writes[at] = {Write::How::update, false, in.columns, 0};
      else
        for (const auto& [name, cell] : in.columns) own->second.columns[name] = cell;
      break;
    case DbVerb::erase:
      if (own != work.writes.end() && own->second.is_new) work.writes.erase(own);
      else work.writes[at] = {Write::How::erase, false, {}, 0};
      break;
    default: break;
  }
}

}  // namespace mqlab
