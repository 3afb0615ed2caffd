// One file, several designs: which one a scenario is of, and what is refused.
#include <gtest/gtest.h>

#include "sim/script/scenario_api.h"
#include "tests/script/toy_model.h"

namespace mqlab {
namespace {

const Models& models() {
  static const Models all = toy::models();
  return all;
}

std::string story(const std::string& designs) {
  return "return scenario {\n  designs = {\n" + designs + "\n  },\n  topics = { orders = {} },\n  clients = { producer \"P1\" { topic = \"orders\" } },\n  expect = { holds \"lost-message\" },\n}\n";
}

const std::string two =
    "design \"one\" { why = \"the first\", cluster = toy { brokers = 1 }, set = { acks = 0 } },\n"
    "design \"two\" { cluster = toy { profile = \"2\" }, set = { [\"P1.acks\"] = 1 }, expect = { holds \"duplicate\" } },";

Scenario load(const std::string& designs, const std::string& design = {}) { return load_scenario(story(designs), "t.lua", models(), {}, design); }

std::string error_of(const std::string& designs, const std::string& design = {}) {
  try {
    load(designs, design);
  } catch (const InputError& e) {
    return e.what();
  }
  return "nothing";
}

TEST(ScenarioDesigns, TheFirstIsTheOneWhenNoneIsNamed) {
  const Scenario s = load(two);
  ASSERT_EQ(s.designs.size(), 2u);
  EXPECT_EQ(s.designs[0].name, "one");
  EXPECT_EQ(s.designs[0].sentence, "the first");
  EXPECT_EQ(s.designs[1].model, "toy");
  EXPECT_EQ(s.design, "one");
  EXPECT_EQ(s.deployment.cluster.integer("brokers"), 1);
  EXPECT_EQ(s.deployment.clients.at(0).options.text("acks"), "0");
  EXPECT_EQ(s.expect.size(), 1u);
}

TEST(ScenarioDesigns, EachHasItsClusterItsSettingsAndItsExpectations) {
  const Scenario s = load(two, "two");
  EXPECT_EQ(s.design, "two");
  EXPECT_EQ(s.designs.size(), 2u);
  EXPECT_EQ(s.deployment.profile, "2");
  EXPECT_EQ(s.deployment.clients.at(0).options.text("acks"), "1");
  ASSERT_EQ(s.expect.size(), 2u);
  EXPECT_EQ(s.expect[1].name, "duplicate");
}

TEST(ScenarioDesigns, WhatIsWrongIsSaidWithItsLine) {
  EXPECT_NE(error_of(two, "tow").find("has no design `tow`; did you mean `two`?; it has one, two"), std::string::npos) << error_of(two, "tow");
  EXPECT_NE(error_of(two + "\ndesign \"one\" { cluster = toy {} },").find("t.lua:5: there are two designs `one`"), std::string::npos);
  EXPECT_NE(error_of("design \"one\" {}").find("`cluster`"), std::string::npos) << error_of("design \"one\" {}");
  EXPECT_NE(error_of("design \"one\"").find("design without a table"), std::string::npos) << error_of("design \"one\"");
  EXPECT_NE(error_of("").find("`designs` is empty"), std::string::npos) << error_of("");
  EXPECT_NE(error_of("design \"one\" { cluster = toy {}, set = { akcs = 1 } }").find("t.lua:3:"), std::string::npos);
}

TEST(ScenarioDesigns, AClusterBesideThemIsRefused) {
  try {
    load_scenario("return scenario {\n  designs = { design \"one\" { cluster = toy {} } },\n  cluster = toy {},\n}", "t.lua", models());
    FAIL();
  } catch (const InputError& e) {
    EXPECT_EQ(std::string(e.what()).rfind("t.lua:3: the scenario has `cluster` and `designs`", 0), 0u) << e.what();
  }
  EXPECT_THROW(load_scenario("return scenario { cluster = toy {} }", "t.lua", models(), {}, "one"), InputError);
}

}  // namespace
}  // namespace mqlab
