// A broker that goes while a client connects says nothing more, and nobody tells the client.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cli/face.h"
#include "sim/lab/one_run.h"
#include "sim/script/scenario_api.h"

namespace mqlab::rabbitmq {
namespace {

RunResult run(const std::string& option, const std::string& trigger) {
  const Scenario s = load_scenario(fmt::format(R"(
    return scenario {{
      cluster = rabbitmq {{ brokers = 3 }},
      topics = {{ orders = {{ queue_type = "quorum" }} }},
      clients = {{
        producer "P" {{ topic = "orders", records = 5, start_at = seconds(5), connects_to = "B2" }},
        consumer "C" {{ topics = {{ "orders" }}, connects_to = "B1"{} }},
      }},
      faults = {{ when({}, power "B1" {{ duration = seconds(3) }}) }},
      run_for = seconds(90),
    }})", option, trigger), "here.lua", cli::all_models());
  const Model& model = *cli::all_models().find(s.model);
  return run_scenario(one_run(s, model, nullptr, {}), model, nullptr, {});
}

Time when_marked(const RunResult& r, const std::string& name) {
  const Journal& j = r.world->journal;
  for (const Mark& m : j.marks)
    if (j.names.text(m.name) == name) return m.time;
  return -1;
}

constexpr const char* after_start = R"(delivered "connection.start-ok" { from = "C", to = "B1" })";

// amqp-client: handshakeTimeout is 10 s.
TEST(RabbitClient, GivesUpAHandshakeThatStopsHalfWay) {
  const RunResult r = run("", after_start);
  EXPECT_TRUE(r.drained);
  EXPECT_NEAR(static_cast<double>(when_marked(r, "handshake_timed_out")) / 1e9, 10, 0.1);
}

// amqp-client: connectionTimeout is 60 s. The first word never came, so the client does not know that its socket is open.
TEST(RabbitClient, WaitsLongerForTheFirstWord) {
  const RunResult r = run("", R"(delivered "protocol-header" { from = "C", to = "B1" })");
  EXPECT_TRUE(r.drained);
  EXPECT_NEAR(static_cast<double>(when_marked(r, "handshake_timed_out")) / 1e9, 60, 0.1);
}

TEST(RabbitClient, WithoutTheTimeOutItWouldWaitForEver) {
  const RunResult r = run(", handshake_timeout = minutes(60)", after_start);
  EXPECT_FALSE(r.drained);
  EXPECT_EQ(when_marked(r, "handshake_timed_out"), -1);
}

}  // namespace
}  // namespace mqlab::rabbitmq
