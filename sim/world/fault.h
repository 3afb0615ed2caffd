// sim/world/fault.h: faults as data.
//
// A fault is a row: what, on whom, when, for how long. The same words serve C++, Lua, the window
// and the docs (fault_kinds() is the one declaration). A fault that was armed and never changed
// anything is reported: a pass that tested nothing is no pass.
//
// Elsewhere: how each acts (fault.cpp, World::apply); the model's own verbs (Node::on_command).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/random.h"
#include "sim/kernel/time.h"
#include "sim/world/types.h"

namespace mqlab {

enum class FaultKind : std::uint8_t {
  // network
  partition, one_way, isolate, bridge, ring, heal,
  latency, loss, burst_loss, duplicate_datagrams, reorder_datagrams, bandwidth, clog, swizzle_clog,
  reset_streams, half_open,
  hold, release, drop, delay, duplicate,
  // process
  kill, power, restart, stop, pause, pause_application, resume, slow, wipe, rolling_restart,
  // disk
  sync_lies, sync_fails, torn_write, bit_rot, misdirected_write, disk_full, disk_slow, disk_stall, write_back, disk_heal,
  // time
  clock_offset, clock_jump, clock_drift, clock_strobe,
  // the model's own verb (Fault::verb, Fault::argument)
  command
};

// Where a fault kind is declared, once, for all faces.
struct FaultDecl {
  FaultKind kind{};
  const char* name;      // the verb in Lua and on the command line
  const char* group;     // network, process, disk, time, model
  const char* fields;    // which fields of Fault it reads
  const char* sentence;  // what it does
};
const std::vector<FaultDecl>& fault_kinds();
const FaultDecl& fault_decl(FaultKind k);
// It changes links for as long as it is in force; heal ends it. A cut stops messages.
bool is_link_fault(FaultKind k);
bool is_cut_fault(FaultKind k);

// Who: names, or roles that are resolved when the fault comes due.
//   "B1"  a node  ·  "leader orders/0"  a role that the model knows  ·  "rest"  all nodes in no other group
//   "one broker", "minority broker", "majority broker", "all broker"  drawn from the nodes of a role
//   "zone a", "rack r1", "machine m1", "region eu"
// A partition with one group cuts it from the rest. Where a link fault names no side, it means all nodes.
using Target = std::string;

enum class LatencyShape : std::uint8_t { constant, uniform, exponential, bimodal };

struct Fault {
  FaultKind kind{};
  std::vector<std::vector<Target>> groups{};  // partition: the sides. others: groups[0] = whom; links: from groups[0] to groups[1]
  std::uint16_t traffic = all_traffic;        // network faults: which classes
  Duration duration{};                        // 0 = until healed, resumed, restarted
  Duration amount{};                          // latency, delay, jump, offset
  Duration spread{};                          // latency: width, mean of the tail, or the slow mode; strobe: period, at least 1 ms
  LatencyShape shape = LatencyShape::constant;
  Ratio ratio{0, 1};                          // loss, duplication, slow factor, drift (parts per ...), bimodal share
  std::string message{};                      // hold, drop, delay, duplicate, release: the kind's name
  std::uint64_t nth = 1;                      // ... the n-th from now on that matches
  std::uint64_t count = 1;                    // ... and how many in a row, 0 = all from there on
  std::int64_t unit = -1;                     // disk: which unit of the file; -1 = the last
  std::string file{};                         // disk: the place, in the model's words ("orders/0")
  std::string verb{};                         // command
  std::string argument{};                     // command
  std::string label{};                        // heal, release name it; empty = all
  int line = 0;                               // where the scenario asked for it
};

// When a fault comes due: at a time, or some time after something happened.
struct Trigger {
  enum class On : std::uint8_t { time, mark, message_sent, message_delivered, op };
  On on = On::time;
  Duration after{};        // On::time: since the beginning; else since the event
  std::string name{};      // mark's or message kind's name, or "send ok"
  std::string from{};      // message: sender; mark, op: the node; empty = any
  std::string to{};        // message: receiver
  std::string place{};     // mark: the place; empty = any
  std::uint64_t nth = 1;   // the n-th such event
  bool every = false;      // again at each further one; once an instant, and not for ever (fault_firings_max)
};

// Bounds that keep a row, whatever it says, from holding up the world.
inline constexpr std::uint64_t fault_firings_max = 100'000;  // of a fault that comes `every` time
inline constexpr std::uint64_t fault_rows_max = 5'000;       // armed in one world, those that faults arm included
inline constexpr std::uint64_t strobe_jumps_max = 100'000;   // in one strobe, there and back counted apart

inline constexpr std::size_t no_fault = ~std::size_t{0};

// One fault as it stands in a world.
struct ArmedFault {
  Fault fault;
  Trigger trigger;
  std::uint64_t seen{};     // events that matched the trigger so far
  std::uint64_t fired{};    // how often it came due
  std::uint64_t bites{};    // how often it changed something: a message cut, a process killed
  Time fired_at = -1;
  bool active = false;      // in force now
  std::vector<std::vector<NodeId>> nodes{};  // the groups, as resolved when it last fired
  std::string complaint{};  // why it could not act: an unknown node, a role that nobody had
  std::size_t parent = no_fault;  // the fault that armed this one (swizzle_clog, rolling_restart), which counts its bites too
  Time asked_for = -1;            // the last due time that its trigger asked for
  std::uint64_t jumps_left{};     // clock_strobe
  bool called_off = false;        // a heal came before it: it does not come
};

// The fault in one line, as the story tells it.
std::string describe(const Fault& f);
std::string describe(const Trigger& t);

}  // namespace mqlab
