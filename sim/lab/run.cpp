#include "sim/lab/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/lab/live_run.h"
#include "sim/lab/nearest.h"
#include "sim/lab/one_run.h"

namespace mqlab {
namespace {

// A name is one node's: faults, triggers and verdicts speak of nodes by it.
void check_names(const Scenario& s, const World& world, const Deployment& d) {
  for (NodeId n = 0; n < world.node_count(); ++n) {
    const std::string& name = world.name(n);
    int line = 0;
    for (const ClientSpec& c : d.clients)
      if (c.name == name) line = c.line;
    for (const ServiceSpec& v : d.services)
      if (v.name == name) line = v.line;
    if (name == "R") throw InputError(s.path, line, "`R` is the name of the reader that ends each run: call this one something else");
    if (world.find(name) != n)
      throw InputError(s.path, line, fmt::format("`{}` is the name of a {} already: call this one something else", name, world.node_options(world.find(name)).role));
  }
}

}  // namespace

const VerdictRow* RunResult::verdict(std::string_view anomaly) const {
  for (const VerdictRow& v : verdicts)
    if (v.report.anomaly && v.report.anomaly->name == anomaly) return &v;
  return nullptr;
}

std::unique_ptr<World> build_world(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options, Deployment& d) {
  d = with_settings(s, model, c, options);
  if (const auto error = model.check(d)) throw InputError(s.path, 0, *error);
  std::vector<OptionDecl> program_decls = all_options(model.decl());
  program_decls.insert(program_decls.end(), d.knob_decls.begin(), d.knob_decls.end());
  for (ClientSpec& client : d.clients)
    if (client.app) client.app->configure(program_decls, client.options, client.consumer_options, d.knobs);

  WorldOptions w;
  w.queue = options.queue;
  w.trace = options.trace;
  if (s.has_link) w.link = s.link;
  auto world = std::make_unique<World>(options.seed, std::move(w));
  for (const StepPathDecl& p : model.decl().step_paths) world->journal.step_paths.push_back(p.pattern);
  if (s.programs) world->extension = s.programs->clone();
  for (const auto& [from, to, link] : s.regions) world->set_region_link(from, to, link);
  model.deploy(*world, d);
  deploy_services(*world, d.services);
  check_names(s, *world, d);

  for (const PlannedFault& f : drawn_faults(s, c, options.seed)) {
    for (const auto& group : f.fault.groups)
      for (const Target& t : group)
        if (!world->knows_target(t)) {
          std::vector<std::string> known{"rest", "controller", "leader", "one broker", "all broker"};
          for (NodeId n = 0; n < world->node_count(); ++n) known.push_back(world->name(n));
          throw InputError(s.path, f.fault.line, fmt::format("nobody here is called `{}`{}", t, did_you_mean(t, known)));
        }
    if (!f.fault.message.empty()) {
      std::vector<std::string> known;
      for (const MessageDecl& m : world->journal.messages)
        if (*m.name) known.push_back(m.name);
      if (std::find(known.begin(), known.end(), f.fault.message) == known.end())
        throw InputError(s.path, f.fault.line, fmt::format("no message is called `{}`{}", f.fault.message, did_you_mean(f.fault.message, known)));
    }
    world->arm(f.fault, f.trigger);
  }
  return world;
}

RunResult run_scenario(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options) {
  return LiveRun(s, model, c, options).finish();
}

}  // namespace mqlab
