#include "sim/hunt/fault_fields.h"

#include <algorithm>
#include <array>

namespace mqlab {
namespace {

constexpr Duration ms = 1'000'000;
constexpr Duration second = 1'000 * ms;

class Fields {
 public:
  Fields(const Ground& g, Duration window, Draws draws) : g_(g), window_(window), draws_(draws) {}

  std::uint16_t traffic() {
    if (draws_.chance(2, 3)) return all_traffic;
    static constexpr std::array<Traffic, 4> each{Traffic::client, Traffic::replication, Traffic::control, Traffic::heartbeat};
    std::uint16_t mask = 0;
    for (const Traffic t : each)
      if (draws_.chance(1, 2)) mask = static_cast<std::uint16_t>(mask | traffic_bit(t));
    return mask == 0 ? traffic_bit(Traffic::replication) : mask;
  }

  // The victims and some clients on one side, all others on the other; or two nodes that do not see each other.
  void sides(Fault& f, const Victims& v) {
    if (draws_.chance(1, 3) && !v.moves) {
      std::vector<Target> others;
      for (const Ground::Server& s : g_.servers)
        if (std::find(v.whom.begin(), v.whom.end(), s.name) == v.whom.end()) others.push_back(s.name);
      if (!others.empty()) {
        f.groups = {v.whom, {draws_.one_of(others)}};
        return;
      }
    }
    f.groups = {v.whom, {"rest"}};
    if (!v.server || draws_.chance(1, 2)) return;
    for (const std::string& c : g_.clients)
      if (draws_.chance(1, 2)) f.groups[0].push_back(c);
  }

  void both_ends(Fault& f, const Victims& v) {
    f.groups = {v.whom, {"rest"}};
    if (draws_.chance(1, 2)) std::swap(f.groups[0], f.groups[1]);
  }

  Duration clock_error() {
    const Duration amount = std::min<Duration>(second << draws_.below(22), Duration{86'400} * 30 * second);
    return draws_.chance(1, 2) ? amount : -amount;
  }

  void fill(Fault& f, const Victims& v) {
    f.groups = {v.whom};
    switch (f.kind) {
      case FaultKind::partition:
        sides(f, v);
        f.traffic = traffic();
        break;
      case FaultKind::isolate:
        f.traffic = traffic();
        break;
      case FaultKind::one_way:
        both_ends(f, v);
        f.traffic = traffic();
        break;
      case FaultKind::bridge: {
        const Ground::Server& other = draws_.one_of(g_.servers);
        f.groups = {v.whom, {other.name}};
        break;
      }
      case FaultKind::ring:
      case FaultKind::swizzle_clog:
      case FaultKind::rolling_restart:
        f.groups = {{"all " + draws_.one_of(g_.roles)}};
        if (f.kind == FaultKind::rolling_restart) f.amount = f.duration + draws_.length(window_ / 8);
        break;
      case FaultKind::clog:
        both_ends(f, v);
        break;
      case FaultKind::latency:
        both_ends(f, v);
        f.amount = ms << draws_.below(12);
        if (draws_.chance(1, 2)) {
          f.spread = f.amount / 2;
          f.shape = draws_.chance(1, 2) ? LatencyShape::uniform : LatencyShape::exponential;
        }
        break;
      case FaultKind::loss:
        both_ends(f, v);
        f.ratio = {1 + draws_.below(60), 100};
        break;
      case FaultKind::burst_loss:
        both_ends(f, v);
        f.ratio = {1 + draws_.below(30), 100};
        f.spread = 10 * ms << draws_.below(8);
        break;
      case FaultKind::bandwidth:
        both_ends(f, v);
        f.amount = Duration{1'000} << draws_.below(10);
        break;
      case FaultKind::slow: f.ratio = {std::uint64_t{2} << draws_.below(9), 1}; break;
      case FaultKind::disk_slow: f.ratio = {std::uint64_t{10} << draws_.below(10), 1}; break;
      case FaultKind::clock_offset:
      case FaultKind::clock_jump: f.amount = clock_error(); break;
      case FaultKind::clock_drift:
        f.amount = Duration{1'000} << draws_.below(18);
        if (draws_.chance(1, 2)) f.amount = -f.amount;
        break;
      case FaultKind::clock_strobe:
        f.amount = clock_error();
        f.spread = std::max<Duration>(ms, f.duration / static_cast<Duration>(2 + draws_.below(20)));
        break;
      case FaultKind::bit_rot:
      case FaultKind::misdirected_write:
        if (!g_.places.empty()) f.file = draws_.one_of(g_.places);
        if (draws_.chance(1, 2)) f.unit = static_cast<std::int64_t>(draws_.below(20));
        break;
      default: break;
    }
  }

  const Ground& g_;
  const Duration window_;
  Draws draws_;
};

}  // namespace

void fill_fault(Fault& f, const Victims& v, const Ground& ground, Duration window, Draws draws) { Fields(ground, window, draws).fill(f, v); }

}  // namespace mqlab
