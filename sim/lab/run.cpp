#include "sim/lab/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/lab/nearest.h"
#include "sim/lab/one_run.h"

namespace mqlab {
namespace {

// Ends every fault and lets everything run again.
void heal_all(World& world, bool restart) {
  const auto inject = [&](FaultKind kind, std::vector<Target> whom) {
    Fault f;
    f.kind = kind;
    f.groups = {std::move(whom)};
    world.inject(f);
  };
  world.call_off_faults();
  inject(FaultKind::heal, {});
  inject(FaultKind::release, {});
  std::vector<Target> all;
  std::vector<Target> down;
  for (NodeId n = 0; n < world.node_count(); ++n) {
    all.push_back(world.name(n));
    if (!world.running(n)) down.push_back(world.name(n));
  }
  inject(FaultKind::resume, all);
  inject(FaultKind::disk_heal, all);
  if (restart && !down.empty()) inject(FaultKind::restart, down);
}

// A program of the scenario went wrong: that is the input's fault, not a verdict.
void complain(const World& world) {
  if (std::string failure = world.extension->failure(); !failure.empty()) throw InputError("", 0, std::move(failure));
}

ExpectationResult judge(const Expectation& e, const RunResult& r) {
  ExpectationResult out{e, false, {}};
  if (e.kind == Expectation::Kind::reaches) {
    out.met = r.world->mark_count(e.name) > 0;
    if (!out.met) out.why = fmt::format("`{}` never happened", e.name);
    return out;
  }
  const VerdictRow* row = r.verdict(e.name);
  if (e.kind == Expectation::Kind::finds && row) {
    out.met = true;
    out.found = row->report.verdict == Verdict::violated;
    if (!out.found) out.why = "not with this seed";
    return out;
  }
  if (!row) {
    out.why = fmt::format("no checker decides `{}`", e.name);
    return out;
  }
  const Verdict wanted = e.kind == Expectation::Kind::holds ? Verdict::holds : Verdict::violated;
  out.met = row->report.verdict == wanted;
  if (out.met) return out;
  if (row->report.verdict == Verdict::unknown) out.why = "unknown: " + row->report.reason;
  else if (row->report.verdict == Verdict::violated && !row->report.worst.empty()) out.why = "violated: " + row->report.worst.front().sentence;
  else out.why = verdict_name(row->report.verdict);
  return out;
}

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
  RunResult r;
  r.world = build_world(s, model, c, options, r.deployment);
  World& world = *r.world;
  CheckSet checks;

  // Runs on to time t; the checkers read along. False when stopped.
  const auto run_to = [&](Time t) {
    while (world.step(t)) {
      if ((world.steps() & 0x3ff) != 0) continue;
      if (world.extension) complain(world);
      checks.advance(world.journal);
      if (world.steps() > options.event_limit) {
        r.interrupted = true;
        r.not_drained_because = fmt::format("the run was stopped after {} events", options.event_limit);
        return false;
      }
      if (options.keep_going && !options.keep_going()) {
        r.interrupted = true;
        r.not_drained_because = "the run was stopped";
        return false;
      }
    }
    world.run_until(t);
    if (world.extension) complain(world);
    return true;
  };

  bool going = run_to(s.run_for);
  r.workload_ended = world.now();
  if (going && s.drain.enabled) {
    heal_all(world, s.drain.restart);
    model.add_reader(world, r.deployment, "R");
    constexpr Duration slice = 100'000'000;
    const Time limit = saturating_add(world.now(), s.drain.limit);
    // Nobody tells a program that a table has changed: it looks now and then, and may be asleep for as long as this.
    const int calm_enough = r.deployment.services.empty() ? 3 : 30;
    int calm = 0;
    while (going && calm < calm_enough && world.now() < limit) {
      going = run_to(std::min<Time>(limit, world.now() + slice));
      calm = model.settled(world) && services_settled(world) ? calm + 1 : 0;
    }
    r.drained = going && calm >= calm_enough;
    if (r.drained) {
      Op op;
      op.time = world.now();
      op.kind = OpKind::drained;
      op.outcome = Outcome::ok;
      world.journal.ops.push_back(op);
    } else if (going) {
      r.not_drained_because = fmt::format("things had not come to rest {} after the faults were healed", format_duration(s.drain.limit));
    }
  } else if (going) {
    r.not_drained_because = "the scenario asks for no drain";
  }
  checks.advance(world.journal);
  r.ended = world.now();
  r.events = world.steps();
  r.fingerprint = world.fingerprint();

  const std::vector<Claim> claims = model.claims(r.deployment, summarise_faults(world));
  for (Report& report : checks.report(world.journal)) {
    VerdictRow row;
    row.claim.anomaly = report.anomaly->name;
    row.claim.reason = "the model says nothing about it";
    for (const Claim& claim : claims)
      if (claim.anomaly == row.claim.anomaly) row.claim = claim;
    row.report = std::move(report);
    r.verdicts.push_back(std::move(row));
  }
  for (std::size_t i = 0; i < world.faults().size(); ++i)
    if (world.faults()[i].bites == 0 && world.faults()[i].fired_at <= r.workload_ended && world.faults()[i].fault.line != 0) r.idle_faults.push_back(i);

  std::vector<Expectation> expectations = s.expect;
  if (c) expectations.insert(expectations.end(), c->expect.begin(), c->expect.end());
  r.as_expected = !r.interrupted;
  for (const Expectation& e : expectations) {
    r.expectations.push_back(judge(e, r));
    r.as_expected = r.as_expected && r.expectations.back().met;
  }
  return r;
}

}  // namespace mqlab
