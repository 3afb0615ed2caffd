// tests/raft/cluster.h: a group of replicas on a small, unkind network of its own, for tests only.
//
// The core knows no World, so its tests need none. Messages are delayed by chance, lost, doubled and overtake
// each other; a crash is a power loss: a replica keeps what was synced and nothing else. The host here obeys the
// order that raft.h asks for (sync, timers, sends) and may be made to crash between any two of these steps.
//
//     Cluster c({.voters = 3, .seed = 7});
//     c.run(2_s);
//     c.crash(c.leader());
//     EXPECT_EQ(c.promises.broken(), "");
#pragma once

#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/raft/describe.h"
#include "models/raft/properties.h"
#include "models/raft/raft.h"

namespace mqlab::raft::testing {

using namespace mqlab::literals;

struct Command : Payload {
  explicit Command(int n) : number(n) {}
  int number;
};

struct Options {
  int voters = 3;
  int observers = 0;
  Replication replication = Replication::pull;
  std::uint64_t seed = 1;
  Config base{};  // self and voters are filled in; the times below as well
  Duration latency_min = 1_ms;
  Duration latency_max = 10_ms;
  Ratio loss{0, 1};
  Ratio doubled{0, 1};
  Ratio slow{0, 1};           // a message that takes up to a second
  Ratio crash_in_step{0, 1};  // after any step of a replica, before or after the sync
  std::vector<Durable> disks{};  // what the replicas start with; empty: nothing
};

inline Config quick(Replication replication) {
  return {.replication = replication, .election_timeout = 150_ms, .election_backoff_max = 150_ms,
          .fetch_timeout = 200_ms, .fetch_wait_max = 50_ms, .request_timeout = 60_ms, .retry_backoff = 10_ms,
          .heartbeat = 40_ms, .check_quorum_timeout = 300_ms};
}

struct Node {
  Raft raft{};
  Durable disk{};
  bool up{};
  int lives = 0;
  // parallel_write: what is on its way to the disk, and what is said when it is there.
  std::optional<Log> writing{};
  bool wants_write{};
  std::vector<Send> held{};
  std::size_t covered{};
  std::map<TimerKey, std::uint64_t> timers{};  // which event is the valid one
};

class Cluster {
 public:
  explicit Cluster(const Options& options) : options(options), random(options.seed, Stream::faults) {
    const int count = options.voters + options.observers;
    nodes.resize(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < options.disks.size(); ++i) nodes[i].disk = options.disks[i];
    for (ReplicaId id = 0; id < count; ++id) boot(id);
  }

  Options options;
  Random random;
  Time now = 0;
  std::vector<Node> nodes;
  std::set<std::pair<ReplicaId, ReplicaId>> cut{};  // one-way
  Promises promises{};
  std::string trace{};  // filled when `traced`
  bool traced = false;
  int proposed = 0;
  bool written_at_once = false;  // breaks parallel_write: the replica is told that it has on disk what is only on its way

  ReplicaId count() const { return static_cast<ReplicaId>(nodes.size()); }
  Raft& raft(ReplicaId id) { return nodes[static_cast<std::size_t>(id)].raft; }
  bool up(ReplicaId id) const { return nodes[static_cast<std::size_t>(id)].up; }

  // The leader of the highest epoch; -1 when nobody leads.
  ReplicaId leader() const {
    ReplicaId best = -1;
    for (ReplicaId id = 0; id < count(); ++id) {
      const Node& node = nodes[static_cast<std::size_t>(id)];
      if (!node.up || !node.raft.is_leader()) continue;
      if (best < 0 || node.raft.epoch() > nodes[static_cast<std::size_t>(best)].raft.epoch()) best = id;
    }
    return best;
  }

  void boot(ReplicaId id) {
    Node& node = nodes[static_cast<std::size_t>(id)];
    Config config = options.base;
    config.self = id;
    config.replication = options.replication;
    config.voters.resize(static_cast<std::size_t>(options.voters));
    std::iota(config.voters.begin(), config.voters.end(), 0);
    node.up = true;
    ++node.lives;
    node.writing.reset();
    node.wants_write = false;
    node.held.clear();
    node.timers.clear();
    promises.forget_applied(id);
    step(id, "start", [&](Outbox& out) { node.raft = start(config, node.disk, random, out); });
  }

  void crash(ReplicaId id) {
    if (id < 0) return;
    Node& node = nodes[static_cast<std::size_t>(id)];
    node.up = false;
    node.timers.clear();
    note(id, "crash");
  }

  void restart(ReplicaId id) {
    if (!up(id)) boot(id);
  }

  std::optional<Offset> propose_at(ReplicaId id) {
    std::optional<Offset> offset;
    if (id < 0 || !up(id)) return offset;
    step(id, "propose", [&](Outbox& out) { offset = propose(raft(id), make_payload<Command>(++proposed), out); });
    return offset;
  }

  // The timer is due now, whatever was planned.
  void fire(ReplicaId id, Timer timer) {
    nodes[static_cast<std::size_t>(id)].timers.erase({timer, 0});
    step(id, std::string(name(timer)) + " due", [&](Outbox& out) { on_timer(raft(id), {timer, 0}, random, out); });
  }

  void resign_at(ReplicaId id) {
    step(id, "resign", [&](Outbox& out) { resign(raft(id), random, out); });
  }

  void compact_at(ReplicaId id) {
    if (!up(id)) return;
    Raft& r = raft(id);
    step(id, "compact", [&](Outbox& out) { compact(r, r.commit_offset(), make_payload<Command>(0), out); });
  }

  // No message between the sides of `mask` any more, in both directions.
  void split(std::uint32_t mask) {
    for (ReplicaId a = 0; a < count(); ++a) {
      for (ReplicaId b = 0; b < count(); ++b) {
        if (((mask >> a) & 1U) != ((mask >> b) & 1U)) cut.insert({a, b});
      }
    }
  }

  void isolate(ReplicaId id) { split(1U << id); }
  void heal() { cut.clear(); }

  void run(Duration duration) { run_until(now + duration); }

  void run_until(Time end) {
    while (!queue_.empty() && queue_.begin()->first.first <= end) {
      const auto [at, event] = *queue_.begin();
      queue_.erase(queue_.begin());
      now = at.first;
      deliver(at.second, event);
      if (!promises.broken().empty()) return;
    }
    now = end;
  }

  // Runs until `done` or for at most `limit`. True when done.
  template <class F>
  bool run_until_true(F done, Duration limit) {
    const Time end = now + limit;
    while (!done() && now < end && promises.broken().empty()) run(5_ms);
    return done();
  }

  void compare_logs() {
    for (ReplicaId a = 0; a < count(); ++a) {
      for (ReplicaId b = a + 1; b < count(); ++b) promises.compare(raft(a), raft(b));
    }
  }

 private:
  struct Event {
    ReplicaId to{};
    ReplicaId from{};
    bool is_timer{};
    int write_of{};  // the life that began a write; 0: no write
    TimerKey key{};
    Kind kind{};
    PayloadRef payload{};
  };

  void note(ReplicaId id, const std::string& what) {
    if (traced) trace += format_time(now) + " R" + std::to_string(id) + " " + what + "\n";
  }

  void add(Time at, Event event) { queue_.emplace(std::make_pair(at, ++sequence_), std::move(event)); }

  void deliver(std::uint64_t sequence, const Event& event) {
    if (!up(event.to)) return;
    Node& node = nodes[static_cast<std::size_t>(event.to)];
    if (event.write_of != 0) {
      if (event.write_of == node.lives) written(event.to, node);
    } else if (event.is_timer) {
      const auto valid = node.timers.find(event.key);
      if (valid == node.timers.end() || valid->second != sequence) return;
      node.timers.erase(valid);
      step(event.to, std::string(name(event.key.timer)) + " due",
           [&](Outbox& out) { on_timer(node.raft, event.key, random, out); });
    } else {
      if (cut.contains({event.from, event.to})) return;
      step(event.to, traced ? "<-R" + std::to_string(event.from) + " " + describe(event.kind, event.payload) : "",
           [&](Outbox& out) { on_message(node.raft, event.from, event.kind, event.payload, random, out); });
    }
  }

  void written(ReplicaId id, Node& node) {
    node.disk.log = *node.writing;
    node.writing.reset();
    for (std::size_t i = 0; i < node.covered; ++i) transmit(id, node.held[i]);
    node.held.erase(node.held.begin(), node.held.begin() + static_cast<std::ptrdiff_t>(node.covered));
    step(id, "written", [&](Outbox& out) { write_ended(node.raft, out); });
  }

  // A leader's entries go out at once; all else when what it rests on is on disk.
  void write_in_parallel(ReplicaId id, Node& node, const Outbox& out) {
    node.wants_write = node.wants_write || out.sync_log;
    for (const Send& send : out.sends) {
      const bool early = send.kind == Kind::append_entries || send.kind == Kind::install_snapshot;
      if (early || !(node.wants_write || node.writing)) transmit(id, send);
      else node.held.push_back(send);
    }
    if (node.writing) return;
    if (!node.wants_write) {
      for (const Send& send : std::exchange(node.held, {})) transmit(id, send);
      return;
    }
    node.wants_write = false;
    node.writing = node.raft.log();
    node.covered = node.held.size();
    write_begins(node.raft);
    if (written_at_once) {
      Outbox too_early;
      write_ended(node.raft, too_early);
    }
    add(now + random.between(100_us, random.chance({1, 10}) ? 200_ms : 5_ms), {.to = id, .write_of = node.lives});
  }

  // One step of a replica and all that its host does about it.
  template <class F>
  void step(ReplicaId id, const std::string& what, F handler) {
    Node& node = nodes[static_cast<std::size_t>(id)];
    Outbox out;
    handler(out);
    note(id, what + "   => " + describe(node.raft) + " [" + (traced ? describe_log(node.raft) : "") + "]");
    if (random.chance(options.crash_in_step)) return crash(id);
    if (out.sync_vote) {
      node.disk.epoch = node.raft.durable.epoch;
      node.disk.voted_for = node.raft.durable.voted_for;
    }
    if (out.sync_log && !node.raft.config.parallel_write) node.disk.log = node.raft.durable.log;
    for (const TimerChange& change : out.timers) {
      if (!change.delay) {
        node.timers.erase(change.key);
        continue;
      }
      add(now + *change.delay, {.to = id, .is_timer = true, .key = change.key});
      node.timers[change.key] = sequence_;
    }
    promises.watch(node.raft);
    if (node.raft.config.parallel_write) write_in_parallel(id, node, out);
    else for (const Send& send : out.sends) transmit(id, send);
    if (random.chance(options.crash_in_step)) crash(id);
  }

  void transmit(ReplicaId from, const Send& send) {
    if (cut.contains({from, send.to})) return;
    const int copies = random.chance(options.loss) ? 0 : random.chance(options.doubled) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const Duration longest = random.chance(options.slow) ? 1_s : options.latency_max;
      add(now + random.between(options.latency_min, longest),
          {.to = send.to, .from = from, .kind = send.kind, .payload = send.payload});
    }
  }

  std::map<std::pair<Time, std::uint64_t>, Event> queue_{};
  std::uint64_t sequence_ = 0;
};

// One of sixteen things that may happen: proposals, crashes (of the leader above all), restarts, partitions, snapshots.
inline void happen(Cluster& c, std::uint64_t what, ReplicaId anyone) {
  const auto any_other = [&c] { return static_cast<ReplicaId>(c.random.below(static_cast<std::uint64_t>(c.count()))); };
  switch (what) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      for (ReplicaId id = 0; id < c.count(); ++id) {
        if (c.up(id) && c.raft(id).is_leader()) c.propose_at(id);  // a deposed leader, too
      }
      break;
    case 5: c.crash(anyone); break;
    case 6: c.crash(c.leader()); break;
    case 7:
    case 8:
    case 9: c.restart(anyone); break;
    case 10: c.split(static_cast<std::uint32_t>(c.random.below(1U << c.count()))); break;
    case 11:
      if (c.leader() >= 0) c.isolate(c.leader());
      break;
    case 12: c.cut.insert({anyone, any_other()}); break;
    case 13:
    case 14: c.heal(); break;
    default:
      if (c.random.chance({1, 3})) c.compact_at(anyone);
      break;
  }
}

// All of it drawn from the seed. Ends early when a promise breaks.
inline void rough_life(Cluster& c, Duration duration) {
  const Time end = c.now + duration;
  while (c.now < end && c.promises.broken().empty()) {
    c.run(c.random.between(1_ms, 40_ms));
    const std::uint64_t what = c.random.below(16);
    happen(c, what, static_cast<ReplicaId>(c.random.below(static_cast<std::uint64_t>(c.count()))));
    c.compare_logs();
  }
}

// Everything works from now on.
inline void good_life(Cluster& c) {
  c.heal();
  c.options.loss = c.options.doubled = c.options.slow = c.options.crash_in_step = {0, 1};
  for (ReplicaId id = 0; id < c.count(); ++id) c.restart(id);
}

inline bool all_have(Cluster& c, Offset offset) {
  for (ReplicaId id = 0; id < c.count(); ++id) {
    if (!c.up(id) || c.raft(id).commit_offset() < offset) return false;
  }
  return true;
}

// True when something proposed within `limit` is committed by every replica. A leader that loses its place meanwhile
// costs another attempt.
inline bool commits_everywhere(Cluster& c, Duration limit) {
  const Time end = c.now + limit;
  while (c.now < end && c.promises.broken().empty()) {
    if (const auto offset = c.propose_at(c.leader())) {
      if (c.run_until_true([&] { return all_have(c, *offset + 1); }, 1_s)) return true;
    }
    c.run(50_ms);
  }
  return false;
}

inline Options unkind(Replication replication, int voters, std::uint64_t seed) {
  Random shape(seed, Stream::scenario);  // runs differ in kind, not only in luck
  Options o{.voters = voters, .replication = replication, .seed = seed, .base = quick(replication)};
  if (replication == Replication::pull && shape.chance({1, 2})) o.observers = 1;
  if (shape.chance({2, 3})) o.loss = {shape.below(20), 100};
  if (shape.chance({1, 2})) o.doubled = {shape.below(20), 100};
  if (shape.chance({1, 2})) o.slow = {shape.below(20), 100};
  if (shape.chance({1, 3})) o.crash_in_step = {1, 500};
  o.base.entries_max = shape.chance({1, 2}) ? 1 : 100;
  o.base.pre_vote = shape.chance({1, 2});
  o.base.check_quorum = shape.chance({1, 2});
  o.base.high_watermark_in_fetch = shape.chance({1, 2});
  o.base.parallel_write = replication == Replication::push && shape.chance({1, 2});
  return o;
}

// A disk with a log of these epochs. The same epoch at the same offset is the same command, as Log Matching has it.
inline Durable disk_with(Epoch epoch, std::initializer_list<Epoch> epochs) {
  static std::map<std::pair<Epoch, Offset>, PayloadRef> commands;
  Durable disk{.epoch = epoch};
  for (const Epoch e : epochs) {
    PayloadRef& command = commands[{e, disk.log.end()}];
    if (!command) command = make_payload<Command>(0);
    disk.log.append({.epoch = e, .command = command});
  }
  return disk;
}

}  // namespace mqlab::raft::testing
