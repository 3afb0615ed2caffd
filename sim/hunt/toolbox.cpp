// Which kinds of faults a space has in it.
#include <fmt/format.h>

#include <algorithm>

#include "sim/hunt/fault_draw.h"
#include "sim/lab/nearest.h"

namespace mqlab {

const std::vector<DrawnKind>& drawn_kinds() {
  using K = FaultKind;
  static const std::vector<DrawnKind> all = {
      // servers and clients
      {.kind = K::kill, .server = true, .client = true},
      {.kind = K::pause, .server = true, .client = true},
      {.kind = K::slow, .server = true, .client = true},
      {.kind = K::partition, .server = true, .client = true},
      {.kind = K::isolate, .server = true, .client = true},
      {.kind = K::one_way, .server = true, .client = true},
      {.kind = K::clog, .server = true, .client = true},
      {.kind = K::latency, .server = true, .client = true},
      {.kind = K::loss, .server = true, .client = true},
      {.kind = K::burst_loss, .server = true, .client = true},
      {.kind = K::reset_streams, .server = true, .client = true, .instant = true},
      {.kind = K::half_open, .server = true, .client = true, .instant = true},
      {.kind = K::stop, .server = true, .client = true, .lingers = true},
      // servers
      {.kind = K::power, .server = true},
      {.kind = K::bandwidth, .server = true},
      {.kind = K::disk_slow, .server = true},
      {.kind = K::disk_stall, .server = true},
      {.kind = K::write_back, .server = true, .instant = true},
      {.kind = K::clock_offset, .server = true},
      {.kind = K::clock_strobe, .server = true},
      // clients
      {.kind = K::pause_application, .client = true},
      // single messages
      {.kind = K::hold},
      {.kind = K::drop},
      {.kind = K::delay},
      {.kind = K::duplicate, .only_named = true},
      // what breaks a promise of the disk, of the clock, or of a majority
      {.kind = K::wipe, .server = true, .only_anything = true},
      {.kind = K::rolling_restart, .server = true, .only_anything = true, .lingers = true},
      {.kind = K::bridge, .server = true, .only_anything = true},
      {.kind = K::ring, .server = true, .only_anything = true},
      {.kind = K::swizzle_clog, .server = true, .only_anything = true, .lingers = true},
      {.kind = K::sync_lies, .server = true, .only_anything = true},
      {.kind = K::sync_fails, .server = true, .only_anything = true},
      {.kind = K::torn_write, .server = true, .only_anything = true, .instant = true},
      {.kind = K::bit_rot, .server = true, .only_anything = true, .instant = true},
      {.kind = K::misdirected_write, .server = true, .only_anything = true, .instant = true},
      {.kind = K::disk_full, .server = true, .only_anything = true},
      {.kind = K::clock_jump, .server = true, .client = true, .only_anything = true, .instant = true},
      {.kind = K::clock_drift, .server = true, .client = true, .only_anything = true},
  };
  return all;
}

Toolbox toolbox(const PlanSpace& space, const Model& model, const World& world, const std::string& path) {
  Toolbox t;
  std::vector<std::string> known;
  const bool anything = space.budget == FaultBudget::anything;
  const auto wanted = [&](const std::string& name, bool unless_named) {
    known.push_back(name);
    if (space.kinds.empty()) return unless_named;
    return std::find(space.kinds.begin(), space.kinds.end(), name) != space.kinds.end();
  };
  for (const DrawnKind& k : drawn_kinds()) {
    if (!wanted(fault_decl(k.kind).name, !k.only_named && (!k.only_anything || anything))) continue;
    if (k.server) t.server.push_back(k);
    if (k.client) t.client.push_back(k);
    if (!k.server && !k.client) t.message.push_back(k);
  }
  for (const VerbDecl& v : model.decl().verbs)
    if (!v.whom.empty() && wanted(v.name, !v.takes_away || anything)) t.verbs.push_back(v);
  for (const std::string& name : space.kinds)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError(path, space.line, fmt::format("a hunt draws no fault `{}`{}; it draws {}", name.substr(0, 60), did_you_mean(name, known), fmt::join(known, ", ")));

  std::vector<std::string> messages;
  for (const MessageDecl& m : world.journal.messages)
    if (*m.name) messages.emplace_back(m.name);
  for (const std::string& name : space.messages)
    if (std::find(messages.begin(), messages.end(), name) == messages.end())
      throw InputError(path, space.line, fmt::format("no message is called `{}`{}", name.substr(0, 60), did_you_mean(name, messages)));
  t.messages = space.messages;
  return t;
}

}  // namespace mqlab
