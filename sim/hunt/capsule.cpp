#include "sim/hunt/capsule.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/hunt/shrink.h"
#include "sim/record/text.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& what) { throw InputError("", 0, "this is no capsule: " + what); }

// One field of an object, of the right type; `where` names the object.
const Json& field(const Json& object, const char* name, const std::string& where) {
  if (!object.is_object()) refuse(where + " should be an object");
  const auto it = object.find(name);
  if (it == object.end()) refuse(fmt::format("{} has no `{}`; `mqlab shrink ... --capsule FILE` writes one", where, name));
  return *it;
}

std::string text(const Json& object, const char* name, const std::string& where) {
  const Json& v = field(object, name, where);
  if (!v.is_string()) refuse(fmt::format("`{}` should be text", name));
  return v.get<std::string>();
}

RunResult run(const Scenario& plan, const Model& model, std::uint64_t seed) { return run_scenario(plan, model, nullptr, {.seed = seed}); }

}  // namespace

Capsule make_capsule(const Scenario& plan, const Model& model, const std::string& anomaly, const std::string& version) {
  Capsule c;
  c.version = version;
  c.model = plan.model;
  c.seed = plan.seed.value_or(1);
  const RunResult r = run(plan, model, c.seed);
  c.mechanism = mechanism_of(r, anomaly, routine_marks(plan, model, anomaly));
  const Finding* f = first_finding(r, anomaly);
  c.sentence = f ? f->sentence : r.not_drained_because;
  c.fingerprint = r.fingerprint.text();
  c.scenario = print_scenario(plan, model);
  return c;
}

std::string capsule_text(const Capsule& c) {
  Json out;
  out["format"] = capsule_format;
  out["mqlab"] = c.version;
  out["model"] = c.model;
  out["seed"] = c.seed;
  out["anomaly"] = c.mechanism.anomaly;
  out["sentence"] = c.sentence;
  out["mechanism"] = {{"promised", c.mechanism.claimed}, {"reason", c.mechanism.reason}, {"marks", c.mechanism.marks}, {"turn", c.mechanism.turn}};
  out["fingerprint"] = c.fingerprint;
  out["scenario"] = c.scenario;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Capsule read_capsule(std::string_view text_of_file) {
  Json in;
  try {
    in = Json::parse(text_of_file);
  } catch (const Json::exception& e) {
    refuse(fmt::format("it is not JSON, {}", shown(e.what())));
  }
  const std::string whole = "the capsule";
  const std::string format = text(in, "format", whole);
  if (format != capsule_format) refuse(fmt::format("its format is {}, and this mqlab reads {}", shown(format), capsule_format));
  Capsule c;
  c.version = text(in, "mqlab", whole);
  c.model = text(in, "model", whole);
  const Json& seed = field(in, "seed", whole);
  if (!seed.is_number_unsigned()) refuse("`seed` should be a whole number, from 0 to 18446744073709551615");
  c.seed = seed.get<std::uint64_t>();
  c.mechanism.anomaly = text(in, "anomaly", whole);
  if (c.mechanism.anomaly != not_settled && !find_anomaly(c.mechanism.anomaly))
    refuse(fmt::format("there is no anomaly {}; `mqlab anomalies` lists them", shown(c.mechanism.anomaly)));
  c.sentence = text(in, "sentence", whole);
  const Json& mechanism = field(in, "mechanism", whole);
  const Json& promised = field(mechanism, "promised", "`mechanism`");
  if (!promised.is_boolean()) refuse("`promised` should be true or false");
  c.mechanism.claimed = promised.get<bool>();
  c.mechanism.reason = text(mechanism, "reason", "`mechanism`");
  const Json& marks = field(mechanism, "marks", "`mechanism`");
  if (!marks.is_array() || !std::all_of(marks.begin(), marks.end(), [](const Json& m) { return m.is_string(); })) refuse("`marks` should be a list of names");
  c.mechanism.marks = marks.get<std::vector<std::string>>();
  c.mechanism.turn = text(mechanism, "turn", "`mechanism`");
  c.fingerprint = text(in, "fingerprint", whole);
  c.scenario = text(in, "scenario", whole);
  return c;
}

Replay replay(const Capsule& c, const Models& models) {
  const Scenario plan = load_scenario(c.scenario, "scenario", models);
  const Model* model = models.find(plan.model);
  if (!model || plan.model != c.model) throw InputError("", 0, fmt::format("the capsule is of {}, and its scenario of {}", shown(c.model), shown(plan.model)));
  if (!plan.cases.empty() || !plan.sweep.empty()) throw InputError("", 0, "the capsule's scenario is several runs: a capsule holds one");
  const RunResult r = run(plan, *model, c.seed);
  Replay out;
  out.fingerprint = r.fingerprint.text();
  out.same_run = out.fingerprint == c.fingerprint;
  out.shown = shows(r, c.mechanism.anomaly);
  if (!out.shown) return out;
  Scenario seeded = plan;
  seeded.seed = c.seed;
  out.mechanism = mechanism_of(r, c.mechanism.anomaly, routine_marks(seeded, *model, c.mechanism.anomaly));
  out.same_story = same_story(c.mechanism, out.mechanism);
  return out;
}

}  // namespace mqlab
