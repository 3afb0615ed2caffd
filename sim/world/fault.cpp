// The fault kinds, declared once, and a fault in words.
#include "sim/world/fault.h"

#include <fmt/format.h>

#include <cassert>

namespace mqlab {

const std::vector<FaultDecl>& fault_kinds() {
  using K = FaultKind;
  static const std::vector<FaultDecl> all = {
      {K::partition, "partition", "network", "groups traffic duration label", "The groups do not see each other; one group alone is cut from the rest."},
      {K::one_way, "one_way", "network", "from to traffic duration label", "Messages from one side to the other are cut, the way back is open."},
      {K::isolate, "isolate", "network", "who traffic duration label", "The node is cut from every other node."},
      {K::bridge, "bridge", "network", "groups traffic duration label", "Two groups do not see each other, but all others see both."},
      {K::ring, "ring", "network", "who traffic duration label", "Each node sees a majority, and no two see the same one."},
      {K::heal, "heal", "network", "label", "Ends network faults: the one with the label, or all."},
      {K::latency, "latency", "network", "from to amount spread shape duration", "Messages take this long: constant, uniform, exponential or bimodal."},
      {K::loss, "loss", "network", "from to ratio duration", "Packets are lost with this probability: datagrams vanish, streams wait for retransmission."},
      {K::burst_loss, "burst_loss", "network", "from to ratio spread duration", "Packets are lost in bursts of a given length."},
      {K::duplicate_datagrams, "duplicate_datagrams", "network", "from to ratio duration", "Datagrams arrive twice with this probability."},
      {K::reorder_datagrams, "reorder_datagrams", "network", "from to ratio duration", "Datagrams are held back and overtaken with this probability."},
      {K::bandwidth, "bandwidth", "network", "from to amount duration", "The links carry this many bytes a second."},
      {K::clog, "clog", "network", "from to duration", "Nothing gets through for a while, and nothing is lost."},
      {K::swizzle_clog, "swizzle_clog", "network", "who duration", "Nodes are clogged one after the other and unclogged in another order."},
      {K::reset_streams, "reset_streams", "network", "from to", "Every connection between the two is reset; both ends are told."},
      {K::half_open, "half_open", "network", "who", "The node forgets its connections; the other ends are not told."},
      {K::hold, "hold", "network", "message from to nth count label", "The n-th such message is kept back, and on a stream all that follows it, until released."},
      {K::release, "release", "network", "label", "Held messages go on: those with the label, or all."},
      {K::drop, "drop", "network", "message from to nth count", "The n-th such message is lost; on a stream, all that follows on that connection too."},
      {K::delay, "delay", "network", "message from to nth count amount", "The n-th such message takes longer, and on a stream all that follows it waits."},
      {K::duplicate, "duplicate", "network", "message from to nth count amount", "A second copy of the n-th such message arrives later, as if sent again on another connection."},
      {K::kill, "kill", "process", "who duration", "The process dies; memory is lost, the page cache is not."},
      {K::power, "power", "process", "who duration", "The machine loses power: memory and what was not synced are lost."},
      {K::restart, "restart", "process", "who duration", "The process begins again; a running one is killed first."},
      {K::stop, "stop", "process", "who duration", "The process is asked to end in good order."},
      {K::pause, "pause", "process", "who duration", "The process stands still while the world goes on (a long garbage collection, SIGSTOP)."},
      {K::pause_application, "pause_application", "process", "who duration", "The application stands still; the client library's heartbeats go on."},
      {K::resume, "resume", "process", "who", "A paused process goes on."},
      {K::slow, "slow", "process", "who ratio duration", "Everything takes the node this many times as long."},
      {K::wipe, "wipe", "process", "who duration", "The process dies and its disk is empty."},
      {K::rolling_restart, "rolling_restart", "process", "who amount duration", "One after the other is stopped in good order and started again."},
      {K::sync_lies, "sync_lies", "disk", "who duration", "Syncs answer ok and flush nothing."},
      {K::sync_fails, "sync_fails", "disk", "who duration", "Syncs answer an error, and the pages are dropped all the same."},
      {K::torn_write, "torn_write", "disk", "who", "At the next power loss the unit after the last durable one survives in part."},
      {K::bit_rot, "bit_rot", "disk", "who file unit", "A bit of the file flips."},
      {K::misdirected_write, "misdirected_write", "disk", "who file unit", "A write lands on the wrong place: one unit is overwritten, another is stale."},
      {K::disk_full, "disk_full", "disk", "who duration", "Writes answer an error: no space left."},
      {K::disk_slow, "disk_slow", "disk", "who ratio duration", "The disk takes this many times as long."},
      {K::disk_stall, "disk_stall", "disk", "who duration", "The disk takes ten thousand times as long."},
      {K::write_back, "write_back", "disk", "who", "The operating system flushes the page cache now."},
      {K::disk_heal, "disk_heal", "disk", "who", "Ends every disk fault; rotten units stay."},
      {K::clock_offset, "clock_offset", "time", "who amount duration", "The wall clock is off by this much."},
      {K::clock_jump, "clock_jump", "time", "who amount", "The wall clock jumps once."},
      {K::clock_drift, "clock_drift", "time", "who amount duration", "The wall clock runs fast by so many parts per billion (the amount)."},
      {K::clock_strobe, "clock_strobe", "time", "who amount spread duration", "The wall clock jumps there and back, again and again."},
      {K::command, "command", "model", "who verb argument", "A verb of the model itself, as its page lists them."},
  };
  return all;
}

const FaultDecl& fault_decl(FaultKind k) {
  for (const FaultDecl& d : fault_kinds())
    if (d.kind == k) return d;
  assert(false && "every fault kind is declared");
  return fault_kinds().front();
}

bool is_cut_fault(FaultKind k) {
  switch (k) {
    case FaultKind::partition:
    case FaultKind::one_way:
    case FaultKind::isolate:
    case FaultKind::bridge:
    case FaultKind::ring:
      return true;
    default:
      return false;
  }
}

bool is_link_fault(FaultKind k) {
  switch (k) {
    case FaultKind::latency:
    case FaultKind::loss:
    case FaultKind::burst_loss:
    case FaultKind::duplicate_datagrams:
    case FaultKind::reorder_datagrams:
    case FaultKind::bandwidth:
    case FaultKind::clog:
      return true;
    default:
      return is_cut_fault(k);
  }
}

namespace {

std::string list(const std::vector<Target>& group) {
  std::string out;
  for (const Target& t : group) out += (out.empty() ? "" : ", ") + t;
  return out;
}

}  // namespace

std::string describe(const Fault& f) {
  std::string out = fault_decl(f.kind).name;
  if (f.kind == FaultKind::command) out = f.verb;
  if (!f.message.empty()) out += fmt::format(" {}{}", f.message, f.nth > 1 ? fmt::format(" #{}", f.nth) : "");
  for (std::size_t g = 0; g < f.groups.size(); ++g)
    if (!f.groups[g].empty()) out += (g ? " | " : " ") + list(f.groups[g]);
  if (!f.argument.empty()) out += " " + f.argument;
  if (f.traffic != all_traffic) {
    out += " (";
    bool first = true;
    for (Traffic t : {Traffic::client, Traffic::replication, Traffic::control, Traffic::heartbeat})
      if (f.traffic & traffic_bit(t)) {
        out += std::string(first ? "" : ", ") + traffic_name(t);
        first = false;
      }
    out += ")";
  }
  if (f.amount != 0 && f.kind == FaultKind::bandwidth) out += fmt::format(" {} B/s", f.amount);
  else if (f.amount != 0 && f.kind == FaultKind::clock_drift) out += fmt::format(" {} ppb", f.amount);
  else if (f.amount != 0) out += " " + format_duration(f.amount);
  if (!f.file.empty()) out += " " + f.file;
  if (f.unit >= 0) out += fmt::format(" @{}", f.unit);
  if (f.ratio.part != 0) out += f.ratio.of == 1 ? fmt::format(" x{}", f.ratio.part) : fmt::format(" {}/{}", f.ratio.part, f.ratio.of);
  if (f.duration != 0) out += " for " + format_duration(f.duration);
  if (!f.label.empty()) out += " [" + f.label + "]";
  return out;
}

std::string describe(const Trigger& t) {
  if (t.on == Trigger::On::time) return "at " + format_duration(t.after);
  std::string out = t.every ? "each time " : "when ";
  if (t.nth > 1) out += fmt::format("#{} ", t.nth);
  out += t.name;
  if (t.on == Trigger::On::message_sent) out += " is sent";
  if (t.on == Trigger::On::message_delivered) out += " is delivered";
  if (!t.from.empty()) out += " from " + t.from;
  if (!t.to.empty()) out += " to " + t.to;
  if (!t.place.empty()) out += " on " + t.place;
  if (t.after != 0) out += ", after " + format_duration(t.after);
  return out;
}

}  // namespace mqlab
