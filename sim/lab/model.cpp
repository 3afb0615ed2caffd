#include "sim/lab/model.h"

#include <algorithm>
#include <set>

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

static bool is_client(const NodeOptions& node) { return node.role == "client" || node.role == "producer" || node.role == "consumer"; }

FaultSummary summarise_faults(const World& world, const ModelDecl& model) {
  FaultSummary s;
  std::set<std::string> unsure, again;
  for (const MarkDecl& m : model.marks)
    if (m.again) again.insert(m.name);
  for (const Loss& loss : world.losses()) {
    const NodeOptions& node = world.node_options(loss.node);
    if (is_service_role(node.role)) continue;  // no model promises anything about those
    if (is_client(node)) s.client_kills = true;
    else s.losses.push_back({node.name, node.role, loss.power, loss.wipe});
  }
  for (const ArmedFault& f : world.faults()) {
    if (f.fired == 0) continue;
    const std::string_view group = fault_decl(f.fault.kind).group;
    if (group == "disk" && !f.nodes.empty() && !f.nodes[0].empty() &&
        std::all_of(f.nodes[0].begin(), f.nodes[0].end(), [&](NodeId n) { return is_service_role(world.node_options(n).role); }))
      continue;
    if (group == "disk" && f.fault.kind != FaultKind::write_back && f.fault.kind != FaultKind::disk_heal && f.fault.kind != FaultKind::disk_slow &&
        f.fault.kind != FaultKind::disk_stall)
      s.disk_faults = true;
    if (group == "time") s.clock_faults = true;
    if ((group == "network" || group == "message") && f.fault.kind != FaultKind::heal && f.bites > 0) s.network_faults = true;
  }
  for (const Mark& m : world.journal.marks) {
    if (m.node == nobody) continue;
    const NodeOptions& node = world.node_options(m.node);
    const std::string& name = world.journal.names.text(m.name);
    if (!is_client(node)) {
      s.server_stops = s.server_stops || (name == "stopped" && !is_service_role(node.role));
      continue;
    }
    s.client_pauses = s.client_pauses || name == "paused";
    s.client_kills = s.client_kills || name == "stopped";
    if (again.count(name)) unsure.insert(node.name);
  }
  for (const Op& o : world.journal.ops)
    if (o.kind == OpKind::send && o.outcome == Outcome::info) unsure.insert(world.name(o.process));
  s.unsure.assign(unsure.begin(), unsure.end());
  return s;
}

}  // namespace mqlab
