// sim/hunt/victims.h: the servers that may be in trouble together.
//
// By name ("B1"), or by a role that is looked up when the fault comes due ("leader orders/0", "one broker").
//
// Always true below the budget `anything`: a group is one server, or fewer than half of a role.
// Elsewhere: that two groups are not in trouble at once (fault_draw.h).
#pragma once

#include <string>
#include <vector>

#include "sim/hunt/draws.h"
#include "sim/hunt/ground.h"
#include "sim/lab/plan_space.h"

namespace mqlab {

// Whom a fault is about: servers, or clients.
struct Victims {
  std::vector<Target> whom;
  bool server = true;
  bool moves = false;  // found only when the fault comes due
};

// Servers of one role of which fewer than half may be in trouble: how many of so many.
constexpr std::size_t minority_of(std::size_t servers) { return servers == 0 ? 0 : (servers - 1) / 2; }

class VictimDraw {
 public:
  VictimDraw(const Ground& ground, FaultBudget budget, Draws draws) : g_(ground), budget_(budget), draws_(draws) {}

  // There is a group that the budget allows.
  bool possible() const;
  // Requires: possible(). `moves`: by a role, too.
  Victims group(bool moves);
  Victims any_group();
  // Power takes all that is on a machine.
  bool power_stays_within(const Victims& v) const;
  std::vector<const Ground::Server*> of_role(const std::string& role) const;

 private:
  Victims named(const std::string& role, std::size_t count);
  Victims one_by_role();

  const Ground& g_;
  const FaultBudget budget_;
  Draws draws_;
};

}  // namespace mqlab
