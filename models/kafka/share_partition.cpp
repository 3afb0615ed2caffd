// The window of a share group over one partition.
#include "models/kafka/share_partition.h"

#include <algorithm>

namespace mqlab::kafka {

const char* name(RecordState s) {
  switch (s) {
    case RecordState::available: return "available";
    case RecordState::acquired: return "acquired";
    case RecordState::acknowledged: return "acknowledged";
    case RecordState::archived: return "archived";
  }
  return "unknown";
}

const char* name(AckType t) {
  switch (t) {
    case AckType::gap: return "gap";
    case AckType::accept: return "accept";
    case AckType::release: return "release";
    case AckType::reject: return "reject";
    case AckType::renew: return "renew";
  }
  return "unknown";
}

namespace {

// One more offset at the end, in the last batch if it is like it.
void push(std::vector<StateBatch>& out, Offset first, Offset last, RecordState s, std::int32_t deliveries) {
  if (!out.empty() && out.back().last + 1 == first && out.back().state == s && out.back().deliveries == deliveries) out.back().last = last;
  else out.push_back({first, last, s, deliveries});
}

}  // namespace

void merge(ShareState& state, const ShareState& update) {
  state.state_epoch = std::max(state.state_epoch, update.state_epoch);
  state.leader_epoch = std::max(state.leader_epoch, update.leader_epoch);
  if (update.start != no_offset) state.start = std::max(state.start, update.start);
  // Where the two overlap the update counts: cut the old ones around it.
  std::vector<StateBatch> all;
  for (StateBatch old : state.batches) {
    for (const StateBatch& b : update.batches) {
      if (b.last < old.first) continue;
      if (b.first > old.last) break;
      if (b.first > old.first) all.push_back({old.first, b.first - 1, old.state, old.deliveries});
      old.first = b.last + 1;
      if (old.first > old.last) break;
    }
    if (old.first <= old.last) all.push_back(old);
  }
  all.insert(all.end(), update.batches.begin(), update.batches.end());
  std::sort(all.begin(), all.end(), [](const StateBatch& a, const StateBatch& b) { return a.first < b.first; });
  state.batches.clear();
  for (StateBatch b : all) {
    b.first = std::max(b.first, state.start);
    if (b.first <= b.last) push(state.batches, b.first, b.last, b.state, b.deliveries);
  }
}

SharePartition::SharePartition(ShareLimits limits, const ShareState& read, LeaderEpoch leader_epoch, Offset beginning)
    : limits_(limits), state_epoch_(read.state_epoch), leader_epoch_(leader_epoch), start_(read.start != no_offset ? read.start : beginning) {
  for (const StateBatch& b : read.batches) {
    if (b.last < start_) continue;
    // Between two batches lies what was acquired when the leader changed, and never finished: it is as new.
    while (end() < b.first) window_.push_back(Entry{.batch = end()});
    for (Offset o = std::max(b.first, start_); o <= b.last; ++o)
      window_.push_back(Entry{.state = b.state, .deliveries = b.deliveries, .batch = b.first});
  }
  advance();
}

Offset SharePartition::next_fetch() const {
  for (Offset o = start_; o < end(); ++o)
    if (may_be_made(o)) return o;
  return end();
}

std::uint32_t SharePartition::number_of(const std::string& member) {
  const auto it = std::find(members_.begin() + 1, members_.end(), member);
  if (it == members_.end()) {
    members_.push_back(member);
    return static_cast<std::uint32_t>(members_.size() - 1);
  }
  return static_cast<std::uint32_t>(it - members_.begin());
}

void SharePartition::take(Offset o, std::uint32_t member, Time now, std::vector<Acquired>& out) {
  Entry& e = at(o);
  e.state = RecordState::acquired;
  ++e.deliveries;
  e.member = member;
  e.deadline = now + limits_.lock;
  if (!out.empty() && out.back().last + 1 == o && out.back().deliveries == e.deliveries) out.back().last = o;
  else out.push_back({o, o, e.deliveries});
}

// Among what is available here is something that failed often (SharePartition.shouldThrottleRecordsDelivery, 4.3).
bool SharePartition::suspicious(Offset first, Offset last) const {
  for (Offset o = first; o <= last; ++o)
    if (may_be_made(o) && at(o).deliveries >= careful()) return true;
  return false;
}

// What is available of one earlier acquisition. A record that failed often may be what kills its readers, so it travels
// in ever smaller company, and the last time alone (SharePartition.acquireSubsetBatchRecords, 4.3).
std::int64_t SharePartition::acquire_batch(std::uint32_t member, Offset first, Offset last, std::int64_t room, Time now, std::vector<Acquired>& out) {
  const std::int32_t limit = limits_.deliveries;
  std::int64_t size = 0;
  for (Offset o = start_; o < end(); ++o) size += at(o).batch == at(first).batch ? 1 : 0;
  std::int64_t taken = 0, most = -1;
  for (Offset o = first; o <= last; ++o) {
    if (!may_be_made(o)) continue;
    const std::int32_t before = at(o).deliveries;
    if (limit > 2 && before == limit - 1 && taken > 0) break;
    if (before >= careful() && most < 0) most = std::max<std::int64_t>(1, size >> std::min(62, before - careful() + 1));
    take(o, member, now, out);
    ++taken;
    if (limit > 2 && before == limit - 1) break;
    if (taken == most || taken == room) break;
  }
  return taken;
}

std::vector<Acquired> SharePartition::acquire(const std::string& member, const std::vector<Batch>& read, std::int64_t most, Time now, bool exactly) {
  std::vector<Acquired> out;
  if (most <= 0 || read.empty() || read.back().last_offset() < start_) return out;
  const std::uint32_t m = number_of(member);
  const Offset first = std::max(read.front().base_offset, start_);
  const Offset last = read.back().last_offset();
  const std::int64_t room = std::min<std::int64_t>(most, limits_.record_locks - static_cast<std::int64_t>(window_.size()));
  // A full window: what is available in it can still be taken, nothing new (lastOffsetAndMaxRecordsToAcquire).
  const std::int64_t wanted = room > 0 ? room : std::min<std::int64_t>(most, end() - first);
  std::int64_t taken = 0;
  for (Offset o = first; o < end() && o <= last && taken < wanted;) {
    const Offset batch = at(o).batch;
    const Offset from = o;
    while (o < end() && o <= last && at(o).batch == batch) ++o;
    const bool alone = suspicious(from, o - 1);
    if (alone && taken > 0) return out;
    taken += acquire_batch(m, from, o - 1, exactly ? wanted - taken : offset_max, now, out);
    if (alone && taken > 0) return out;  // nothing else goes along
  }
  if (room <= 0 || taken >= wanted || end() > last) return out;
  // New ones. The log may begin, or go on, behind the window: nothing is there to wait for.
  if (window_.empty()) start_ = std::max(start_, first);
  while (end() < first) window_.push_back(Entry{.state = RecordState::archived, .batch = end()});
  const Offset from = end();
  Offset to = std::min(last, from + (wanted - taken) - 1);
  for (const Batch& b : read)
    if (!exactly && b.base_offset <= to && to <= b.last_offset()) to = b.last_offset();
  while (end() <= to) {
    window_.push_back(Entry{.batch = from});
    take(end() - 1, m, now, out);
  }
  return out;
}

// ---------------------------------------------------------------------------------------------
// Changes.

ShareChange SharePartition::new_change() {
  ShareChange c;
  c.update.state_epoch = state_epoch_;
  c.update.leader_epoch = leader_epoch_;
  c.update.start = start_;
  return c;
}

void SharePartition::note(ShareChange& c, Offset o, RecordState s, const char* why) const {
  push(c.update.batches, o, o, s, at(o).deliveries);
  if (s == RecordState::available) c.released = true;
  if (s != RecordState::archived) return;
  if (!c.archived.empty() && c.archived.back().last + 1 == o && c.archived.back().why == why) c.archived.back().last = o;
  else c.archived.push_back({o, o, why});
}

void SharePartition::begin_change(Offset o, RecordState to, const char* why, ShareChange& c) {
  Entry& e = at(o);
  if (to == RecordState::available) {
    to = after_release(e);
    if (to == RecordState::archived) why = "delivery limit";
  }
  e.old_member = e.member;
  e.change = c.number;
  e.state = to;
  e.member = 0;
  note(c, o, to, why);
}

ShareChange SharePartition::acknowledge(const std::string& member, const std::vector<Acknowledgement>& acks, Time now) {
  ShareChange c = new_change();
  c.number = next_change_++;
  const std::uint32_t m = number_of(member);
  std::vector<Offset> renewed;
  const auto refuse = [&](Error e) {
    roll_back(c.number);
    ShareChange none;
    none.error = e;
    return none;
  };
  for (const Acknowledgement& a : acks) {
    if (a.first > a.last) return refuse(Error::invalid_request);
    if (a.last < start_) continue;  // over and done with
    if (window_.empty()) return refuse(Error::invalid_record_state);
    if (a.last >= end()) return refuse(Error::invalid_request);
    for (Offset o = std::max(a.first, start_); o <= a.last; ++o) {
      const Entry& e = at(o);
      if (e.state != RecordState::acquired || e.change != 0 || e.member != m) return refuse(Error::invalid_record_state);
      switch (a.type) {
        case AckType::accept: begin_change(o, RecordState::acknowledged, "", c); break;
        case AckType::release: begin_change(o, RecordState::available, "", c); break;
        case AckType::reject: begin_change(o, RecordState::archived, "rejected", c); break;
        case AckType::gap: begin_change(o, RecordState::archived, "no record", c); break;
        case AckType::renew: renewed.push_back(o); break;
      }
    }
  }
  for (const Offset o : renewed) at(o).deadline = now + limits_.lock;
  std::sort(c.update.batches.begin(), c.update.batches.end(), [](const StateBatch& a, const StateBatch& b) { return a.first < b.first; });
  if (c.update.batches.empty()) c.number = 0;
  return c;
}

ShareChange SharePartition::release(const std::string& member) {
  ShareChange c = new_change();
  c.number = next_change_++;
  const std::uint32_t m = number_of(member);
  for (Offset o = start_; o < end(); ++o)
    if (at(o).state == RecordState::acquired && at(o).change == 0 && at(o).member == m) begin_change(o, RecordState::available, "", c);
  if (c.update.batches.empty()) c.number = 0;
  return c;
}

// It is as before; where the lock ended meanwhile, as after that.
void SharePartition::roll_back(std::uint64_t number) {
  for (Entry& e : window_) {
    if (e.change != number) continue;
    e.change = 0;
    e.state = e.lock_ended ? after_release(e) : RecordState::acquired;
    e.member = e.lock_ended ? 0 : e.old_member;
    if (e.lock_ended) e.deadline = time_max;
    e.lock_ended = false;
  }
}

void SharePartition::complete(std::uint64_t number, bool written) {
  if (number == 0) return;
  if (written) {
    for (Entry& e : window_) {
      if (e.change != number) continue;
      e.change = 0;
      e.deadline = time_max;
      e.lock_ended = false;
    }
  } else {
    roll_back(number);
  }
  advance();
}

ShareChange SharePartition::expire(Time now) {
  ShareChange c = new_change();
  for (Offset o = start_; o < end(); ++o) {
    Entry& e = at(o);
    if (e.deadline > now) continue;
    e.deadline = time_max;
    if (e.change != 0) {
      e.lock_ended = true;
      continue;
    }
    if (e.state != RecordState::acquired) continue;
    e.state = after_release(e);
    e.member = 0;
    note(c, o, e.state, "delivery limit");
  }
  advance();
  return c;
}

Time SharePartition::next_deadline() const {
  Time t = time_max;
  for (const Entry& e : window_) t = std::min(t, e.deadline);
  return t;
}

// The start moves over what is finished, and written to be so.
void SharePartition::advance() {
  while (!window_.empty() && terminal(window_.front().state) && window_.front().change == 0) {
    window_.pop_front();
    ++start_;
  }
}

// What is gone from the log can't be handed out; who still holds some of it may say of it what he likes.
void SharePartition::log_starts_at(Offset log_start) {
  while (start_ < log_start && !window_.empty()) {
    window_.pop_front();
    ++start_;
  }
  start_ = std::max(start_, log_start);
  advance();
}

std::int64_t SharePartition::count(RecordState s) const {
  return std::count_if(window_.begin(), window_.end(), [&](const Entry& e) { return e.state == s; });
}

}  // namespace mqlab::kafka
