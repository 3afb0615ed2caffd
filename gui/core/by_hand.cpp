#include "gui/core/by_hand.h"

#include <fmt/format.h>

#include "sim/script/scenario_api.h"

namespace mqlab::gui {

std::vector<Intervention> read_interventions(const std::vector<std::string>& lines, const RunSpec& spec, const Models& models) {
  std::vector<Intervention> out;
  if (lines.empty()) return out;
  const std::string model = load_scenario(spec.text, spec.path, models, {}, spec.design).model;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto wrong = [&](const std::string& why) { return InputError("what was done by hand", static_cast<int>(i) + 1, why); };
    Scenario s;
    try {
      s = load_scenario(fmt::format("return scenario {{ cluster = {} {{}}, faults = {{ {} }}, run_for = seconds(1) }}", model, lines[i]), "by hand", models);
    } catch (const InputError& e) {
      throw wrong(e.message);
    }
    if (s.faults.size() != 1 || s.faults[0].until >= 0 || s.faults[0].trigger.on != Trigger::On::time) throw wrong("`" + lines[i] + "` is not one fault at a time of its own");
    Intervention one;
    one.fault = std::move(s.faults[0]);
    one.fault.fault.line = 0;  // it stands in no text
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace mqlab::gui
