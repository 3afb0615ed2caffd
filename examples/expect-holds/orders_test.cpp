// What a team demands of the way in which it sends orders, as tests of its own.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <mqlab/testing.h>

namespace {

// Whatever happens to one machine at a time: no order is lost, and in the end everything comes to rest.
TEST(Orders, AreNotLost) { EXPECT_HOLDS(mqlab::plans_around(ORDERS_LUA, "as designed"), "lost-message, settles"); }

// Nothing that the product promises for this configuration is broken.
TEST(Orders, AreKeptAsPromised) { EXPECT_HOLDS(mqlab::plans_around(ORDERS_LUA, "as designed"), "promises"); }

// The configuration of last year loses orders. The failure tells the smallest story in which it does.
TEST(Orders, WereLostWithAcksOne) {
  static const mqlab::PlanGenerator plans = mqlab::plans_around(ORDERS_LUA, "as it was once");
  EXPECT_NONFATAL_FAILURE(EXPECT_HOLDS(plans, "lost-message"), "`lost-message` does not hold");
  const mqlab::HoldsResult r = mqlab::check_holds(plans, "lost-message");
  std::cout << r.message;
  EXPECT_LE(r.story.faults.size(), 2U);
}

// A test that tests nothing fails.
TEST(Orders, NobodySendsIsNoSuccess) {
  static const mqlab::Scenario silent = mqlab::scenario_text(R"(return scenario {
    cluster = kafka {}, topics = { orders = {} }, clients = { consumer "K1" { topics = { "orders" } } }, run_for = seconds(5) })");
  EXPECT_NONFATAL_FAILURE(EXPECT_HOLDS(silent, "lost-message"), "was not tested");
}

}  // namespace
