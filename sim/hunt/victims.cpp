#include "sim/hunt/victims.h"

#include <algorithm>
#include <array>

namespace mqlab {

std::vector<const Ground::Server*> VictimDraw::of_role(const std::string& role) const {
  std::vector<const Ground::Server*> all;
  for (const Ground::Server& s : g_.servers)
    if (s.role == role) all.push_back(&s);
  return all;
}

bool VictimDraw::possible() const {
  if (g_.servers.empty()) return false;
  return budget_ != FaultBudget::minority || std::any_of(g_.roles.begin(), g_.roles.end(), [&](const std::string& r) { return minority_of(of_role(r).size()) > 0; });
}

// So many of the role's servers, by name.
Victims VictimDraw::named(const std::string& role, std::size_t count) {
  std::vector<const Ground::Server*> all = of_role(role);
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + draws_.below(all.size() - i)]);
  all.resize(count);
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  Victims v;
  for (const auto* s : all) v.whom.push_back(s->name);
  return v;
}

Victims VictimDraw::group(bool moves) {
  if (budget_ == FaultBudget::anything) return any_group();
  if (budget_ == FaultBudget::minority) {
    std::vector<std::string> roles;
    for (const std::string& r : g_.roles)
      if (minority_of(of_role(r).size()) > 0) roles.push_back(r);
    const std::string& role = draws_.one_of(roles);
    if (moves && draws_.chance(1, 6)) return {{"minority " + role}, true, true};
    return named(role, 1 + draws_.below(minority_of(of_role(role).size())));
  }
  if (moves && draws_.chance(1, 2)) return one_by_role();
  return {{draws_.one_of(g_.servers).name}, true, false};
}

Victims VictimDraw::one_by_role() {
  if (!g_.leaders.empty() && draws_.chance(3, 4)) return {{draws_.one_of(g_.leaders)}, true, true};
  return {{"one " + draws_.one_of(g_.roles)}, true, true};
}

Victims VictimDraw::any_group() {
  switch (draws_.below(6)) {
    case 0: return one_by_role();
    case 1:
      if (!g_.followers.empty()) return {{draws_.one_of(g_.followers)}, true, true};
      break;
    case 2: {
      static constexpr std::array<const char*, 3> shares{"minority ", "majority ", "all "};
      const std::string share = shares[draws_.below(3)];
      const std::string& role = draws_.one_of(g_.roles);
      if (share != "minority " || minority_of(of_role(role).size()) > 0) return {{share + role}, true, true};
      break;
    }
    case 3: {
      const Ground::Server& s = draws_.one_of(g_.servers);
      if (!s.zone.empty()) return {{"zone " + s.zone}, true, true};
      if (!s.rack.empty()) return {{"rack " + s.rack}, true, true};
      break;
    }
    case 4: {
      const std::string& role = draws_.one_of(g_.roles);
      return named(role, 1 + draws_.below(of_role(role).size()));
    }
    default: break;
  }
  return {{draws_.one_of(g_.servers).name}, true, false};
}

bool VictimDraw::power_stays_within(const Victims& v) const {
  if (budget_ == FaultBudget::anything) return true;
  for (const Ground::Server& s : g_.servers) {
    const bool meant = v.moves || std::find(v.whom.begin(), v.whom.end(), s.name) != v.whom.end();
    if (meant && g_.on_machine(s.machine) > 1) return false;
  }
  return true;
}

}  // namespace mqlab
