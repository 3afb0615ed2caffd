#include "sim/lab/model.h"

#include <algorithm>

#include "sim/lab/load.h"

namespace mqlab {

std::vector<OptionDecl> all_options(const ModelDecl& m) {
  std::vector<OptionDecl> all = m.options;
  all.insert(all.end(), load_options().begin(), load_options().end());
  return all;
}

std::optional<Options> profile_defaults(const ModelDecl& m, std::string_view profile, std::string_view scope) {
  for (const ProfileDecl& p : m.profiles) {
    if (p.name != profile) continue;
    Options o = Options::defaults(all_options(m), scope);
    const auto& values = scope == "cluster" ? p.cluster : scope == "topic" ? p.topic : scope == "producer" ? p.producer : p.consumer;
    for (const auto& [name, value] : values) o.set_default(name, value);
    return o;
  }
  return std::nullopt;
}

const std::vector<MarkDecl>& world_marks() {
  static const std::vector<MarkDecl> all = {
      {"fault", "A fault came due."},
      {"fault_ended", "A fault's time is over, or it was healed."},
      {"message_fault", "A message was held, dropped, delayed or duplicated."},
      {"killed", "A process died."},
      {"power_lost", "A machine lost power."},
      {"restarted", "A process began again."},
      {"stopped", "A process ended in good order."},
      {"paused", "A process stands still."},
      {"resumed", "A paused process goes on."},
  };
  return all;
}

FaultSummary summarise_faults(const World& world) {
  // Losses closer together than this may hit one and the same window of exposure: a replica that
  // was lost needs some time to come back and catch up.
  constexpr Duration together = 60'000'000'000;
  FaultSummary s;
  std::vector<Time> losses;
  const std::uint32_t power = world.journal.names.find("power_lost");
  const std::uint32_t killed = world.journal.names.find("killed");
  for (const Mark& m : world.journal.marks) {
    if (m.node == nobody || m.node >= world.node_count()) continue;
    const std::string& role = world.node_options(m.node).role;
    const bool client = role == "client" || role == "producer" || role == "consumer";
    if (power && m.name == power) {
      if (client) {
        s.client_kills = true;
      } else {
        ++s.power_losses;
        losses.push_back(m.time);
      }
    } else if (killed && m.name == killed) {
      if (client) s.client_kills = true;
      else ++s.kills;
    }
  }
  for (std::size_t i = 0; i < losses.size(); ++i) {
    std::uint32_t near = 0;
    for (std::size_t j = i; j < losses.size() && losses[j] - losses[i] <= together; ++j) ++near;
    s.power_losses_together = std::max(s.power_losses_together, near);
  }
  for (const ArmedFault& f : world.faults()) {
    if (f.fired == 0) continue;
    const std::string_view group = fault_decl(f.fault.kind).group;
    if (f.fault.kind == FaultKind::wipe) ++s.wipes;
    if (group == "disk" && f.fault.kind != FaultKind::write_back && f.fault.kind != FaultKind::disk_heal && f.fault.kind != FaultKind::disk_slow &&
        f.fault.kind != FaultKind::disk_stall)
      s.disk_faults = true;
    if (group == "time") s.clock_faults = true;
    if (group == "model") s.commands = true;
    if (f.fault.kind == FaultKind::hold || f.fault.kind == FaultKind::drop || f.fault.kind == FaultKind::delay || f.fault.kind == FaultKind::duplicate)
      s.message_faults = true;
    else if (group == "network" && f.fault.kind != FaultKind::heal && f.fault.kind != FaultKind::release) s.partitions = true;
  }
  return s;
}

}  // namespace mqlab
