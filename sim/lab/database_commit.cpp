// How a transaction ends: validated, logged, synced, applied; or prepared, and decided later.
#include <fmt/format.h>

#include "sim/lab/database.h"

namespace mqlab {

// What stands against it; empty when nothing does.
std::string Database::validate(const Work& work) const {
  const auto version = [&](const At& at) {
    const auto it = tables_[at.first].rows.find(at.second);
    return it == tables_[at.first].rows.end() ? std::int64_t{0} : it->second.version;
  };
  for (const auto& [at, w] : work.writes) {
    if (w.is_new && version(at) != 0) return "DUPLICATE_KEY";
    if (w.how != Write::How::erase && unique_taken(work, at, w.columns)) return "DUPLICATE_KEY";
  }
  for (const auto* versions : {&work.reads, &work.expected})
    for (const auto& [at, seen] : *versions)
      if (version(at) != seen) return "CONFLICT";
  for (const Scanned& s : work.scans) {
    // The same look again, over what it had written itself when it looked.
    Work then;
    then.writes = s.own;
    std::vector<std::pair<Cell, std::int64_t>> now;
    for (const Row& r : scan(then, s.table, s.spec)) now.emplace_back(r.key, r.version);
    if (now != s.rows) return "CONFLICT";
  }
  return locked(work) ? "LOCKED" : "";
}

// A prepared transaction must still be able to commit, whoever comes in between.
bool Database::locked(const Work& work) const {
  for (const auto& [id, p] : prepared_) {
    for (const auto& [at, w] : work.writes) {
      if (p.writes.count(at) || p.reads.count(at) || p.expected.count(at)) return true;
      for (const Scanned& s : p.scans)
        if (s.table == at.first) return true;
      for (const auto& [other, theirs] : p.writes) {
        if (other.first != at.first) continue;
        for (const std::string& column : settings_.tables[at.first].unique) {
          const auto a = w.columns.find(column), b = theirs.columns.find(column);
          if (a != w.columns.end() && b != theirs.columns.end() && a->second == b->second) return true;
        }
      }
    }
  }
  return false;
}

void Database::apply(const Work& work, std::int64_t serial) {
  const auto forget = [&](Table& t, const Cell& key, const Columns& columns) {
    for (const auto& [name, cell] : columns)
      if (const auto it = t.unique.find({name, cell}); it != t.unique.end() && it->second == key) t.unique.erase(it);
  };
  // First what goes, then what comes: a unique value may move from one row to another.
  for (const auto& [at, w] : work.writes) {
    Table& t = tables_[at.first];
    if (const auto it = t.rows.find(at.second); it != t.rows.end()) forget(t, at.second, it->second.columns);
  }
  for (const auto& [at, w] : work.writes) {
    Table& t = tables_[at.first];
    const auto it = t.rows.find(at.second);
    if (w.how == Write::How::erase) {
      if (it != t.rows.end()) t.rows.erase(it);
      continue;
    }
    if (w.how == Write::How::update && it == t.rows.end()) continue;  // read_committed: somebody deleted it meanwhile
    Stored& row = it == t.rows.end() ? t.rows[at.second] : it->second;
    if (row.version == 0) row.sequence = w.sequence;
    row.version = serial;
    if (w.how == Write::How::put) row.columns.clear();
    for (const auto& [name, cell] : w.columns) row.columns[name] = cell;
    for (const std::string& column : settings_.tables[at.first].unique)
      if (const auto value = row.columns.find(column); value != row.columns.end()) t.unique[{column, value->second}] = at.second;
  }
}

void Database::finish(Context& c, ConnId connection, const DbRequest& in, DbReply& out) {
  Record r;
  if (in.verb == DbVerb::commit || in.verb == DbVerb::prepare) {
    const auto it = open_.find({connection, in.transaction});
    if (it != open_.end()) {
      r.work = std::move(it->second);
      open_.erase(it);
    }
    out.error = validate(r.work);
    if (in.verb == DbVerb::prepare && prepared_.count(in.id)) out.error = "DUPLICATE_ID";
    if (!out.error.empty()) {
      c.mark("database_conflict", {}, fmt::format("{} of transaction {}: {}", db_verb_name(in.verb), in.transaction, out.error));
      return;
    }
    if (in.verb == DbVerb::commit && r.work.writes.empty() && r.work.effects.empty()) return;
    r.kind = in.verb == DbVerb::commit ? Record::Kind::commit : Record::Kind::prepare;
    if (in.verb == DbVerb::commit) {
      // What it has read mattered until here.
      r.work.reads.clear();
      r.work.expected.clear();
      r.work.scans.clear();
    }
  } else {
    if (!prepared_.count(in.id)) {
      out.error = "UNKNOWN_ID";
      return;
    }
    r.kind = in.verb == DbVerb::commit_prepared ? Record::Kind::commit_prepared : Record::Kind::rollback_prepared;
  }
  r.id = in.id;
  r.serial = next_serial_++;
  out.error = append(c, r);
  if (!out.error.empty()) return;
  if (settings_.sync && c.sync(0) != DiskResult::ok) {
    // Since PostgreSQL 11.2 (and MySQL 8.0.12): after a failed sync nobody knows what is on the disk, and a second one would lie.
    down_ = true;
    c.mark("database_panicked", {}, "the log could not be synced");
    c.exit(false);
    return;
  }
  switch (r.kind) {
    case Record::Kind::commit:
      apply(r.work, r.serial);
      tell_later(c, r.serial, r.work.effects);
      c.mark("database_committed", {}, fmt::format("transaction {} with {} writes", in.transaction, r.work.writes.size()));
      break;
    case Record::Kind::prepare:
      prepared_[r.id] = r.work;
      c.mark("database_prepared", r.id);
      break;
    default: {
      const Work work = std::move(prepared_[r.id]);
      prepared_.erase(r.id);
      if (r.kind == Record::Kind::commit_prepared) {
        apply(work, r.serial);
        tell_later(c, r.serial, work.effects);
      }
      c.mark("database_decided", r.id, r.kind == Record::Kind::commit_prepared ? "committed" : "rolled back");
    }
  }
}

}  // namespace mqlab
