#include "sim/lab/live_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "sim/check/others.h"

namespace mqlab {
namespace {

// A connection of which a fault dropped something says nothing any more, and TCP would find that out after a quarter of
// an hour: it breaks now. One that is only being opened breaks when it is open, so this is asked again while all comes to rest.
void break_silenced(World& world) {
  for (std::size_t i = 1; i < world.connections().size(); ++i) {
    const Connection& c = world.connections()[i];
    if (!c.used || !c.established || (!c.way[0].swallowed && !c.way[1].swallowed)) continue;
    Fault reset;
    reset.kind = FaultKind::reset_streams;
    reset.groups = {{world.name(c.end[0])}, {world.name(c.end[1])}};
    world.inject(reset);
  }
}

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
  break_silenced(world);
  std::vector<Target> all;
  for (NodeId n = 0; n < world.node_count(); ++n) all.push_back(world.name(n));
  inject(FaultKind::resume, all);
  inject(FaultKind::disk_heal, all);
  // Only now is it known who is down: one that was asked to end while it stood still ends with its pause.
  std::vector<Target> down;
  for (NodeId n = 0; n < world.node_count(); ++n)
    if (!world.running(n)) down.push_back(world.name(n));
  if (restart && !down.empty()) inject(FaultKind::restart, down);
}

// How often a drain is asked whether all has come to rest.
constexpr Duration drain_slice = 100'000'000;

// Who was asked to end in good order and has not ended yet: whatever was to start it again may have been called off.
std::vector<NodeId> about_to_end(const World& world) {
  std::vector<NodeId> all;
  for (const ArmedFault& f : world.faults()) {
    if (f.fired == 0 || (f.fault.kind != FaultKind::stop && f.fault.kind != FaultKind::rolling_restart) || f.nodes.empty()) continue;
    for (const NodeId n : f.nodes[0])
      if (world.running(n) && std::find(all.begin(), all.end(), n) == all.end()) all.push_back(n);
  }
  return all;
}

// What an operator takes away no model promises to keep: its claims about loss end with a verb that does that.
void withdraw_for_operators(std::vector<Claim>& claims, const World& world, const ModelDecl& model) {
  static constexpr std::string_view about_loss[] = {"lost-message", "lost-write", "effect-lost", "dlq-loss", "commit-ahead-of-processing", "torn-transaction", "atomicity-gap"};
  for (const ArmedFault& f : world.faults()) {
    if (f.fault.kind != FaultKind::command || f.fired == 0) continue;
    const auto verb = std::find_if(model.verbs.begin(), model.verbs.end(), [&](const VerbDecl& v) { return v.name == f.fault.verb; });
    if (verb == model.verbs.end() || !verb->takes_away) continue;
    for (Claim& c : claims)
      if (c.claimed && std::find(std::begin(about_loss), std::end(about_loss), c.anomaly) != std::end(about_loss))
        c = {c.anomaly, false, fmt::format("an operator took messages away ({})", verb->name)};
  }
}

// A claim that leaves some clients out is about what all others sent, and broken only if the anomaly is seen there, too. If nobody
// else sent anything, or it is seen with those few only, it is as if they had been alone.
void hold_to(VerdictRow& row, const Journal& journal, const Model& model, const Deployment& d, const FaultSummary& facts) {
  if (row.claim.except.empty()) return;
  const std::vector<std::string> few = row.claim.except;
  if (row.report.verdict == Verdict::violated ? broken_by_others(journal, row.claim.anomaly, few) : others_sent(journal, few)) return;
  Deployment alone = d;
  std::erase_if(alone.clients, [&](const ClientSpec& c) { return c.role != "consumer" && std::find(few.begin(), few.end(), c.name) == few.end(); });
  row.claim = {row.claim.anomaly, false, fmt::format("nothing is promised of what {} sent", fmt::join(few, ", "))};
  for (const Claim& claim : model.claims(alone, facts))
    if (claim.anomaly == row.claim.anomaly && !claim.claimed) row.claim = claim;
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

}  // namespace

LiveRun::LiveRun(const Scenario& s, const Model& model, const ScenarioCase* c, RunOptions options)
    : scenario_(&s), model_(&model), case_(c), options_(std::move(options)), world_(build_world(s, model, c, options_, deployment_)), checks_(CheckSet()) {}

LiveRun::LiveRun(const LiveRun& o)
    : scenario_(o.scenario_), model_(o.model_), case_(o.case_), options_(o.options_), deployment_(o.deployment_), world_(std::make_unique<World>(*o.world_)),
      checks_(o.checks_), stopped_because_(o.stopped_because_), phase_(o.phase_), drain_(o.drain_), workload_ended_(o.workload_ended_) {}

LiveRun::LiveRun(const LiveRun& o, Bare)
    : scenario_(o.scenario_), model_(o.model_), case_(o.case_), options_(o.options_), deployment_(o.deployment_), stopped_because_(o.stopped_because_),
      phase_(o.phase_), drain_(o.drain_), workload_ended_(o.workload_ended_) {}

LiveRun LiveRun::without_record() const {
  LiveRun out(*this, Bare());
  out.options_.keep_going = {};
  // They may be most of a world's weight, and nothing that happens depends on them; only a program in Lua may name a row that
  // it was given.
  Journal& journal = world_->journal;
  std::vector<Delivery> deliveries = std::exchange(journal.deliveries, {});
  std::vector<Drop> drops = std::exchange(journal.drops, {});
  std::vector<Mark> marks = std::exchange(journal.marks, {});
  std::vector<Op> ops;
  if (!world_->extension) ops = std::exchange(journal.ops, {});
  out.world_ = std::make_unique<World>(*world_);
  journal.deliveries = std::move(deliveries);
  journal.drops = std::move(drops);
  journal.marks = std::move(marks);
  if (!world_->extension) journal.ops = std::move(ops);
  return out;
}

// Handles events that are due at or before t, as long as fewer than `events` were handled.
bool LiveRun::step_to(Time t, std::uint64_t events) {
  World& world = *world_;
  while (world.steps() < events && world.step(t)) {
    if ((world.steps() & 0x3ff) != 0) continue;
    if (world.extension) complain(world);
    if (checks_) checks_->advance(world.journal);
    if (world.steps() > options_.event_limit) stopped_because_ = fmt::format("the run was stopped after {} events", options_.event_limit);
    else if (options_.keep_going && !options_.keep_going()) stopped_because_ = "the run was stopped";
    if (stopped()) return false;
  }
  if (world.steps() >= events) return true;
  world.run_until(t);
  if (world.extension) complain(world);
  return true;
}

bool LiveRun::run_to(Time t) {
  if (stopped()) return false;
  return step_to(t, ~std::uint64_t{0});
}

bool LiveRun::run_events(std::uint64_t events) {
  while (phase_ != Phase::over && !stopped() && world_->steps() < events) {
    const Time until = phase_ == Phase::load ? scenario_->run_for : drain_.look_at;
    if (!step_to(until, events)) break;
    if (world_->steps() >= events) return true;
    if (phase_ == Phase::load) end_of_load();
    else look();
  }
  return phase_ != Phase::over && !stopped();
}

void LiveRun::end_of_load() {
  World& world = *world_;
  workload_ended_ = world.now();
  phase_ = Phase::over;
  if (!scenario_->drain.enabled) return;
  phase_ = Phase::drain;
  heal_all(world, scenario_->drain.restart);
  model_->add_reader(world, deployment_, "R");
  drain_.limit = saturating_add(world.now(), scenario_->drain.limit);
  if (scenario_->drain.restart) drain_.leaving = about_to_end(world);
  if (drain_.limit <= world.now()) phase_ = Phase::over;
  else drain_.look_at = std::min<Time>(drain_.limit, world.now() + drain_slice);
}

// Nobody tells a program that a table has changed: it looks now and then, and may be asleep for as long as this.
int LiveRun::calm_enough() const { return deployment_.services.empty() ? 3 : 30; }

// Has all come to rest?
void LiveRun::look() {
  World& world = *world_;
  break_silenced(world);
  drain_.calm = model_->settled(world) && services_settled(world) ? drain_.calm + 1 : 0;
  for (std::size_t i = drain_.leaving.size(); i-- > 0;) {
    if (world.running(drain_.leaving[i])) continue;
    world.start(drain_.leaving[i]);
    drain_.leaving.erase(drain_.leaving.begin() + static_cast<std::ptrdiff_t>(i));
    drain_.calm = 0;
  }
  drain_.at_rest = drain_.calm >= calm_enough();
  if (drain_.at_rest || world.now() >= drain_.limit) phase_ = Phase::over;
  else drain_.look_at = std::min<Time>(drain_.limit, world.now() + drain_slice);
}

RunResult LiveRun::finish() {
  RunResult r;
  while (run_events(~std::uint64_t{0})) {
  }
  r.workload_ended = phase_ == Phase::load ? world_->now() : workload_ended_;
  r.drained = !stopped() && drain_.at_rest;
  if (r.drained) {
    Op op;
    op.time = world_->now();
    op.kind = OpKind::drained;
    op.outcome = Outcome::ok;
    world_->journal.ops.push_back(op);
  } else if (!stopped()) {
    r.not_drained_because = !scenario_->drain.enabled ? "the scenario asks for no drain"
                                                      : fmt::format("things had not come to rest {} after the faults were healed", format_duration(scenario_->drain.limit));
  }
  if (stopped()) {
    r.interrupted = true;
    r.not_drained_because = stopped_because_;
  }
  world_->close_record();
  checks_->advance(world_->journal);
  r.world = std::move(world_);
  r.deployment = std::move(deployment_);
  World& world = *r.world;
  r.ended = world.now();
  r.events = world.steps();
  r.fingerprint = world.fingerprint();

  const FaultSummary facts = summarise_faults(world, model_->decl());
  std::vector<Claim> claims = model_->claims(r.deployment, facts);
  withdraw_for_operators(claims, world, model_->decl());
  for (Report& report : checks_->report(world.journal)) {
    VerdictRow row;
    row.claim.anomaly = report.anomaly->name;
    row.claim.reason = "the model says nothing about it";
    for (const Claim& claim : claims)
      if (claim.anomaly == row.claim.anomaly) row.claim = claim;
    row.report = std::move(report);
    hold_to(row, world.journal, *model_, r.deployment, facts);
    r.verdicts.push_back(std::move(row));
  }
  for (std::size_t i = 0; i < world.faults().size(); ++i)
    if (world.faults()[i].bites == 0 && world.faults()[i].fired_at <= r.workload_ended && world.faults()[i].fault.line != 0) r.idle_faults.push_back(i);

  std::vector<Expectation> expectations = scenario_->expect;
  if (case_) expectations.insert(expectations.end(), case_->expect.begin(), case_->expect.end());
  r.as_expected = !r.interrupted;
  for (const Expectation& e : expectations) {
    r.expectations.push_back(judge(e, r));
    r.as_expected = r.as_expected && r.expectations.back().met;
  }
  return r;
}

}  // namespace mqlab
