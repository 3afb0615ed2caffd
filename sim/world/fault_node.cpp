// What faults do to nodes: processes, disks, clocks.
//
// What lasts (a pause, a slow disk) is a function of the faults in force that name the node, worked out
// anew whenever one begins or ends; so two that overlap do not end each other.
#include <algorithm>

#include "sim/world/fault.h"
#include "sim/world/world.h"

namespace mqlab {

// Ends what lasts on this node alone: the rows no longer name it. True when there was one.
bool World::end_on(NodeId n, std::initializer_list<FaultKind> kinds) {
  bool any = false;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    ArmedFault& f = faults_[i];
    if (!f.active || std::find(kinds.begin(), kinds.end(), f.fault.kind) == kinds.end() || !names(i, 0, n)) continue;
    any = true;
    std::erase(f.nodes[0], n);
    if (f.nodes[0].empty()) f.active = false;
  }
  return any;
}

namespace {

// Of two that overlap the slower one counts. Never faster than usual, and no more than a million times as slow.
Ratio slower(Ratio now, Ratio by) {
  __extension__ using Wide = unsigned __int128;
  by.of = std::max<std::uint64_t>(1, by.of);
  if (by.part / by.of >= 1'000'000) by = {1'000'000, 1};
  return static_cast<Wide>(by.part) * now.of > static_cast<Wide>(now.part) * by.of ? by : now;
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// Processes.

void World::settle_process(NodeId id) {
  NodeSlot& n = nodes_[id];
  n.pauses = 0;
  n.slow = {1, 1};
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    if (!faults_[i].active || !names(i, 0, id)) continue;
    const Fault& f = faults_[i].fault;
    if (f.kind == FaultKind::pause) n.pauses |= pause_whole;
    if (f.kind == FaultKind::pause_application) n.pauses |= pause_app;
    if (f.kind == FaultKind::slow) n.slow = slower(n.slow, f.ratio);
  }
  told(id);
}

// A pause ended: what waited is worked off, and what was asked for meanwhile is done.
void World::resumed(NodeId id) {
  note(id, "resumed", {}, {});
  if (!(nodes_[id].pauses & pause_app)) {
    Backlog waited;
    std::swap(waited, nodes_[id].application_backlog);
    for (std::size_t at = waited.head; at < waited.items.size(); ++at)
      if (waited.items[at].kind != static_cast<std::uint8_t>(EventKind::none)) nodes_[id].backlog.push(waited.items[at]);
  }
  if (nodes_[id].pauses & pause_whole) return;
  if (!nodes_[id].backlog.empty()) {
    schedule_.cancel(std::exchange(nodes_[id].wake, no_event));
    set_wake(id, now());
  }
  const std::vector<std::size_t> asked = std::exchange(nodes_[id].asked, {});
  for (std::size_t i : asked) ask(i, id);
}

// The administrator asks the process for something: to stop, or a verb of its own. One that is paused
// hears of it later.
void World::ask(std::size_t i, NodeId id) {
  NodeSlot& n = nodes_[id];
  const bool stop = faults_[i].fault.kind != FaultKind::command;
  if (!n.running || (stop && n.stopping)) return;
  if (n.pauses & pause_whole) {
    if (n.asked.size() < fault_rows_max) n.asked.push_back(i);
    return;
  }
  credit(i);
  Context c(*this, id);
  handling_ = id;
  if (stop) {
    n.stopping = true;
    n.restart_after = faults_[i].fault.duration;
    n.node->on_stop(c);
  } else {
    const std::string verb = faults_[i].fault.verb, argument = faults_[i].fault.argument;
    n.node->on_command(c, verb, argument);
  }
  finish(c);
}

void World::fire_process(std::size_t i, const std::vector<NodeId>& fresh) {
  const Fault f = faults_[i].fault;
  const std::vector<NodeId> whom = who(i, 0);
  Duration order = 0;
  for (NodeId n : whom) {
    const bool running = nodes_[n].running;
    const bool is_fresh = std::find(fresh.begin(), fresh.end(), n) != fresh.end();
    switch (f.kind) {
      case FaultKind::kill:
      case FaultKind::wipe:
        if (running || f.kind == FaultKind::wipe) credit(i);
        if (running) note(n, "killed", {}, f.kind == FaultKind::wipe ? "and its disk is empty" : "memory is lost, the page cache is not");
        end_process(n, false, f.kind == FaultKind::wipe, now());
        if (f.duration > 0) start_after(n, f.duration);
        break;
      case FaultKind::power:
        for (NodeId m = 0; m < nodes_.size(); ++m) {
          if (nodes_[m].options.machine != nodes_[n].options.machine || !nodes_[m].powered) continue;
          credit(i);
          note(m, "power_lost", {}, "what was not synced is lost");
          end_process(m, true, false, now());
          if (f.duration > 0) start_after(m, f.duration);
        }
        break;
      case FaultKind::restart:
        credit(i);
        if (running) end_process(n, false, false, now());
        start_after(n, f.duration);
        break;
      case FaultKind::stop:
        ask(i, n);
        break;
      case FaultKind::pause:
      case FaultKind::pause_application:
        if (!running || !is_fresh) break;
        credit(i);
        note(n, "paused", {}, f.kind == FaultKind::pause ? "" : "the application alone");
        break;
      case FaultKind::resume:
        if (!end_on(n, {FaultKind::pause, FaultKind::pause_application})) break;
        credit(i);
        settle_process(n);
        resumed(n);
        break;
      case FaultKind::slow:
        break;  // it bites when there is work to do (Context::work)
      case FaultKind::rolling_restart: {
        Fault stop;
        stop.kind = FaultKind::stop;
        stop.groups = {{name(n)}};
        stop.duration = std::max<Duration>(1, f.duration);
        arm_child(i, stop, saturating_add(now(), saturating_multiply(std::max<Duration>(f.amount, 0), order)));
        break;
      }
      default:
        break;
    }
    ++order;
  }
  if (f.kind != FaultKind::pause && f.kind != FaultKind::pause_application && f.kind != FaultKind::slow) return;
  // There is no process to pause on a node that is down, and the next one is another.
  if (f.kind != FaultKind::slow && !faults_[i].nodes.empty()) std::erase_if(faults_[i].nodes[0], [&](NodeId n) { return !nodes_[n].running; });
  last(i);
  for (NodeId n : whom) settle_process(n);
}

// ---------------------------------------------------------------------------------------------
// Disks.

void World::settle_disk(NodeId id) {
  Disk& d = nodes_[id].disk;
  d.sync_lies = d.sync_fails = d.full = d.torn = false;
  d.slow = {1, 1};
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    if (!faults_[i].active || !names(i, 0, id)) continue;
    const Fault& f = faults_[i].fault;
    switch (f.kind) {
      case FaultKind::sync_lies: d.sync_lies = true; break;
      case FaultKind::sync_fails: d.sync_fails = true; break;
      case FaultKind::torn_write: d.torn = true; break;
      case FaultKind::disk_full: d.full = true; break;
      case FaultKind::disk_slow: d.slow = slower(d.slow, f.ratio); break;
      case FaultKind::disk_stall: d.slow = slower(d.slow, {10'000, 1}); break;
      default: break;
    }
  }
}

// What lasts bites when a write, a sync or a loss of power meets it (Context, end_process).
void World::fire_disk(std::size_t i) {
  const FaultKind kind = faults_[i].fault.kind;
  const std::vector<NodeId> whom = who(i, 0);
  for (NodeId n : whom) {
    Disk& d = nodes_[n].disk;
    if (kind == FaultKind::write_back) {
      if (d.dirty(now())) credit(i);
      d.write_back(now());
    } else if (kind == FaultKind::disk_heal) {
      if (end_on(n, {FaultKind::sync_lies, FaultKind::sync_fails, FaultKind::torn_write, FaultKind::disk_full, FaultKind::disk_slow,
                     FaultKind::disk_stall}))
        credit(i);
      settle_disk(n);
    } else if (kind == FaultKind::bit_rot || kind == FaultKind::misdirected_write) {
      rot(i, n);
    }
  }
  if (kind == FaultKind::write_back || kind == FaultKind::disk_heal || kind == FaultKind::bit_rot || kind == FaultKind::misdirected_write) return;
  last(i);
  for (NodeId n : whom) settle_disk(n);
}

void World::rot(std::size_t i, NodeId n) {
  const Fault f = faults_[i].fault;
  Disk& d = nodes_[n].disk;
  FileId file = 0;
  if (!f.file.empty() && !(file_finder_ && file_finder_(*this, n, f.file, file))) {
    faults_[i].complaint = name(n) + " has no file `" + f.file + "`";
    return;
  }
  const std::int64_t written = d.written(file);
  if (written <= 0) {
    faults_[i].complaint = "the file is empty";
    return;
  }
  credit(i);
  const std::int64_t unit = f.unit < 0 ? written - 1 : std::min(f.unit, written - 1);
  d.corrupt(file, unit);
  // The stray write also overwrote another unit, any one.
  if (f.kind == FaultKind::misdirected_write && written > 1)
    d.corrupt(file, (unit + 1 + static_cast<std::int64_t>(fault_random_.below(static_cast<std::uint64_t>(written - 1)))) % written);
}

// ---------------------------------------------------------------------------------------------
// Wall clocks. Timers use the monotonic one and do not notice.

void World::fire_clock(std::size_t i, const std::vector<NodeId>& fresh) {
  const Fault f = faults_[i].fault;
  const std::vector<NodeId> whom = f.kind == FaultKind::clock_jump ? who(i, 0) : fresh;
  if (f.kind == FaultKind::clock_strobe) {
    if (faults_[i].active) return;  // it goes on as it is
    // There and back, again and again: an even number of jumps, and as many as the bound allows.
    const Duration period = std::max<Duration>(f.spread, 1'000'000);
    const auto jumps = static_cast<std::uint64_t>(std::max<Duration>(f.duration, 0) / period);
    faults_[i].jumps_left = std::clamp<std::uint64_t>(jumps + jumps % 2, 2, strobe_jumps_max);
    if (jumps > strobe_jumps_max) faults_[i].complaint = "it strobes too long and too fast: only its beginning is played";
    faults_[i].active = true;
    again(i);
    return;
  }
  for (NodeId n : whom) {
    NodeSlot& s = nodes_[n];
    if (f.amount != 0) credit(i);
    if (f.kind == FaultKind::clock_drift) {
      set_clock(s, wall(n));
      s.clock.drift_ppb = saturating_add(s.clock.drift_ppb, f.amount);
    } else {
      set_clock(s, saturating_add(wall(n), f.amount));
    }
  }
  if (f.kind == FaultKind::clock_drift || f.kind == FaultKind::clock_offset) last(i);
}

// The next jump of a strobe, on the nodes that it began with.
void World::again(std::size_t i) {
  ArmedFault& f = faults_[i];
  if (!f.active || f.jumps_left == 0) return;
  const Duration amount = std::clamp<Duration>(f.fault.amount, -duration_cap, duration_cap);
  for (NodeId n : f.nodes.empty() ? std::vector<NodeId>{} : f.nodes[0]) {
    if (amount != 0) credit(i);
    set_clock(nodes_[n], saturating_add(wall(n), f.jumps_left % 2 == 0 ? amount : -amount));
  }
  if (--f.jumps_left == 0) f.active = false;
  else schedule_fault(i, saturating_add(now(), std::max<Duration>(f.fault.spread, 1'000'000)), fault_again);
}

}  // namespace mqlab
