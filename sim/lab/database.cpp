// Messages, the log and its replay.
#include "sim/lab/database.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mqlab {
namespace {

constexpr FileId log_file = 0;
constexpr TimerKind tell_timer = 1;              // argument: serial of the record whose effects have happened by now
constexpr Duration replay_each = 10'000;         // time to read a record

}  // namespace

void Database::on_start(Context& c) {
  for (const Record& r : log_) replay(r);
  c.work(static_cast<Duration>(log_.size()) * replay_each);
  // What the process that died could no longer tell has happened all the same.
  if (!untold_.empty()) c.set_timer(c.cost(), tell_timer, static_cast<std::uint64_t>(untold_.back().serial));
  c.truncate(log_file, static_cast<std::int64_t>(log_.size()));
  if (!log_.empty()) c.mark("database_recovered", {}, fmt::format("{} records, {} transactions in doubt", log_.size(), prepared_.size()));
}

void Database::on_crash(const Crash& crash) {
  tables_.assign(settings_.tables.size(), Table{});
  open_.clear();
  prepared_.clear();
  untold_.clear();
  down_ = false;
  if (crash.wipe) log_.clear();
  for (const Survivor& s : crash.files) {
    if (s.file != log_file) continue;
    // The log ends where it can't be read: what was written behind that is of no use.
    const std::int64_t kept = s.corrupt.empty() ? s.kept : std::min(s.kept, s.corrupt.front());
    log_.resize(std::min(log_.size(), static_cast<std::size_t>(kept)));
  }
  if (crash.files.empty()) log_.clear();
}

// A record goes to the page cache; the error when there is no room for it.
std::string Database::append(Context& c, Record record) {
  std::uint32_t bytes = 64;
  for (const auto& [at, w] : record.work.writes) bytes += 16 + wire_bytes(at.second) + wire_bytes(w.columns);
  if (c.write(log_file, static_cast<std::int64_t>(log_.size()) + 1, bytes) != DiskResult::ok) return "DISK_FULL";
  log_.push_back(std::move(record));
  return {};
}

void Database::replay(const Record& r) {
  const auto commit = [&](const Work& work) {
    apply(work, r.serial);
    if (r.serial > told_ && !work.effects.empty()) untold_.push_back({r.serial, work.effects});
  };
  switch (r.kind) {
    case Record::Kind::commit: commit(r.work); break;
    case Record::Kind::prepare: prepared_[r.id] = r.work; break;
    case Record::Kind::commit_prepared:
      commit(prepared_[r.id]);
      prepared_.erase(r.id);
      break;
    case Record::Kind::rollback_prepared: prepared_.erase(r.id); break;
    case Record::Kind::sequence: {
      Table& t = tables_[r.table];
      t.reserved = std::max(t.reserved, r.number);
      t.next_sequence = std::max(t.next_sequence, r.number);
      break;
    }
  }
}

// Effects of a commit have happened once it can't be lost any more: when the sync is over.
void Database::tell_later(Context& c, std::int64_t serial, std::vector<Effect> effects) {
  if (effects.empty()) return;
  untold_.push_back({serial, std::move(effects)});
  c.set_timer(c.cost(), tell_timer, static_cast<std::uint64_t>(serial));
}

void Database::on_timer(Context& c, TimerKind, std::uint64_t argument) {
  const auto serial = static_cast<std::int64_t>(argument);
  while (!untold_.empty() && untold_.front().serial <= serial) {
    for (const Effect& e : untold_.front().effects) {
      Op op;
      op.kind = OpKind::effect;
      op.outcome = Outcome::ok;
      op.place = c.names().id(e.name);
      op.message = e.message;
      op.key = e.key;
      op.subscription = c.names().id(c.name(c.self()));
      c.record_for(op, e.client);
    }
    told_ = untold_.front().serial;
    untold_.erase(untold_.begin());
  }
}

void Database::on_message(Context& c, const Message& m) {
  if (down_) return;
  const auto& in = service_payload<DbRequest>(m.payload);
  DbReply out;
  out.verb = in.verb;
  const std::pair<ConnId, std::uint64_t> id{m.connection, in.transaction};
  switch (in.verb) {
    case DbVerb::get:
    case DbVerb::scan:
    case DbVerb::put:
    case DbVerb::insert:
    case DbVerb::update:
    case DbVerb::erase:
    case DbVerb::effect: statement(c, open_[id], in, m.from, out); break;
    case DbVerb::abort: open_.erase(id); break;
    case DbVerb::prepared: out.ids = in_doubt(); break;
    case DbVerb::commit:
    case DbVerb::prepare:
    case DbVerb::commit_prepared:
    case DbVerb::rollback_prepared: finish(c, m.connection, in, out); break;
  }
  if (down_) return;
  const std::uint32_t bytes = wire_bytes(out);
  c.reply(m, static_cast<MessageKind>(m.kind + 1), make_payload<ServicePayload<DbReply>>(std::move(out)), bytes, m.word);
}

void Database::on_closed(Context&, ConnId connection, NodeId, CloseReason) {
  open_.erase(open_.lower_bound({connection, 0}), open_.upper_bound({connection, ~std::uint64_t{0}}));
}

std::vector<Row> Database::rows(const std::string& table) const {
  const auto t = find_table(table);
  return t ? scan(Work{}, *t, ScanSpec{}) : std::vector<Row>{};
}

std::vector<std::string> Database::in_doubt() const {
  std::vector<std::string> out;
  for (const auto& [id, work] : prepared_) out.push_back(id);
  return out;
}

Tree Database::state() const {
  Tree t{"database", {}, {}};
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    Tree& table = t.add("table " + settings_.tables[i].name, fmt::format("{} rows", tables_[i].rows.size()));
    for (const auto& [key, row] : tables_[i].rows) {
      std::string text;
      for (const auto& [name, cell] : row.columns) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, to_text(cell));
      table.add(to_text(key), text);
    }
  }
  t.add("transactions open", std::to_string(open_.size()));
  if (!prepared_.empty()) t.add("in doubt", fmt::format("{}", fmt::join(in_doubt(), ", ")));
  t.add("records in the log", std::to_string(log_.size()));
  return t;
}

}  // namespace mqlab
