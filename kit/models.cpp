// Where the models are registered: one line each.
#include "kit/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "models/kafka/kafka.h"
#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/nearest.h"
#include "sim/lab/one_run.h"
#include "sim/script/lua_model.h"
#include "sim/script/scenario_api.h"

namespace mqlab {

const Models& all_models() {
  static const Models models = [] {
    Models m;
    m.add(kafka::make_model());
    m.add(rabbitmq::make_model());
    m.add(script::make_lua_model());
    return m;
  }();
  return models;
}

Scenario scenario_text(const std::string& text, const std::string& name) { return load_scenario(text, name, all_models()); }

Scenario scenario_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in || !text) throw InputError(path, 0, "the file can't be read");
  return scenario_text(text.str(), path);
}

PlanGenerator plans_around(const Scenario& s, const std::string& scenario_case) {
  const ScenarioCase* chosen = nullptr;
  std::vector<std::string> known;
  for (const ScenarioCase& c : s.cases) {
    known.push_back(c.name);
    if (c.name == scenario_case) chosen = &c;
  }
  if (!chosen && !scenario_case.empty()) throw InputError(s.path, 0, fmt::format("there is no case `{}`{}", scenario_case, did_you_mean(scenario_case, known)));
  if (!chosen && !s.cases.empty()) throw InputError(s.path, 0, fmt::format("plans are drawn around one case: name one of {}", fmt::join(known, ", ")));
  const Model* model = all_models().find(s.model);
  if (!model) throw InputError(s.path, 0, fmt::format("there is no model `{}`", s.model));
  return PlanGenerator(one_case(s, *model, chosen, {}), *model, s.hunt);
}

PlanGenerator plans_around(const std::string& path, const std::string& scenario_case) { return plans_around(scenario_file(path), scenario_case); }

}  // namespace mqlab
