#include "sim/script/scenario_api.h"

#include "sim/script/script.h"

namespace mqlab {

Scenario load_scenario(std::string_view text, const std::string& path, const Models& models, const std::function<void(std::string_view)>& print) {
  try {
    script::Script script(text, path, models);
    const script::Thing scenario = script.run_file(print);
    return script::build_scenario(script.declared, scenario, text);
  } catch (const script::ScriptError& error) {
    throw InputError(path, error.line, error.message);
  } catch (const std::runtime_error& error) {
    throw InputError(path, 0, error.what());
  }
}

}  // namespace mqlab
