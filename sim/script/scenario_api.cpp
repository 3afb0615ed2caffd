#include "sim/script/scenario_api.h"

#include <algorithm>

#include "sim/script/script.h"
#include "sim/script/script_host.h"

namespace mqlab {

Scenario load_scenario(std::string_view text, const std::string& path, const Models& models, const std::function<void(std::string_view)>& print, const std::string& design) {
  try {
    script::Script script(text, path, models);
    const script::Thing scenario = script.run_file(print);
    auto source = std::make_shared<script::ScriptSource>();
    source->text = std::string(text);
    source->path = path;
    source->models = &models;
    Scenario s = script::build_scenario(script.declared, scenario, text, design, *source);
    const bool programs = std::any_of(s.deployment.clients.begin(), s.deployment.clients.end(), [](const ClientSpec& c) { return c.app != nullptr; });
    if (programs || s.model == "lua" || !source->marks.empty()) s.programs = std::make_shared<script::ScriptHost>(std::move(source));
    return s;
  } catch (const script::ScriptError& error) {
    throw InputError(path, error.line, error.message);
  } catch (const std::runtime_error& error) {
    throw InputError(path, 0, error.what());
  }
}

}  // namespace mqlab
