#include "sim/lab/plan_space.h"

#include <array>

namespace mqlab {

const char* budget_name(FaultBudget b) {
  static constexpr std::array<const char*, 4> names{"none", "one machine", "minority", "anything"};
  return names[static_cast<std::size_t>(b)];
}

}  // namespace mqlab
