// Scenarios that the tests of plans are drawn around.
#pragma once

#include <string>

#include "kit/models.h"
#include "sim/hunt/plan_generator.h"
#include "sim/script/scenario_api.h"

namespace mqlab {

inline Scenario scenario_of(const std::string& text) { return load_scenario(text, "plans.lua", all_models()); }

inline Scenario small_kafka() {
  return scenario_of(R"(return scenario {
    cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
    topics = { orders = { partitions = 1, replicas = 3 } },
    clients = {
      producer "P1" { topic = "orders", records = 40, every = ms(50), start_at = seconds(3) },
      producer "P2" { topic = "orders", records = 40, every = ms(70), start_at = seconds(3) },
      consumer "K1" { topics = { "orders" }, group = "g", auto_offset_reset = "earliest" },
    },
    run_for = seconds(30),
  })");
}

inline Scenario small_rabbitmq() {
  return scenario_of(R"(return scenario {
    cluster = rabbitmq { brokers = 3 },
    topics = { orders = { queue_type = "quorum" } },
    clients = {
      producer "P1" { topic = "orders", records = 30, every = ms(100), start_at = seconds(10) },
      consumer "C1" { topics = { "orders" }, group = "g", prefetch = 5 },
    },
    run_for = seconds(30),
  })");
}

inline PlanGenerator drawn_around(Scenario base, PlanSpace space = {}) {
  const Model& model = *all_models().find(base.model);
  return PlanGenerator(std::move(base), model, std::move(space));
}

}  // namespace mqlab
