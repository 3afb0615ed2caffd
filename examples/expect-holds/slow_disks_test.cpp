// The same with RapidCheck: plans as values, changed on the way, and checked by its own runner.
#include <gtest/gtest.h>
#include <mqlab/rapidcheck.h>
#include <mqlab/testing.h>

#include <rapidcheck/gtest.h>

namespace {

const mqlab::PlanGenerator& orders() {
  static const mqlab::PlanGenerator plans = mqlab::plans_around(ORDERS_LUA, "as designed");
  return plans;
}

// Every plan, with one more thing that is wrong throughout.
mqlab::Scenario with_a_slow_disk(mqlab::Scenario plan) {
  mqlab::PlannedFault slow;
  slow.fault.kind = mqlab::FaultKind::disk_slow;
  slow.fault.groups = {{"B2"}};
  slow.fault.ratio = {100, 1};
  plan.faults.push_back(slow);
  return plan;
}

TEST(Orders, AreNotLostOnASlowDisk) {
  EXPECT_HOLDS(rc::gen::map(mqlab::plans(orders()), with_a_slow_disk), "lost-message", {.runs = 50});
}

RC_GTEST_PROP(Orders, AreNotLostWhateverRapidCheckDraws, ()) {
  const mqlab::Scenario plan = *mqlab::plans(orders());
  const mqlab::HoldsResult r = mqlab::check_holds(plan, "lost-message");
  RC_PRE(r.tested > 0U);  // a run that decides nothing says nothing
  RC_ASSERT(r.holds);
}

}  // namespace
