// produce, campaign, hunt, check: whole runs of a model, and the checkers alone.
//
// The first three use the model contract only; the cluster they ask for is three brokers, a topic with
// three replicas, and producers with acks=all.
#include <sys/resource.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/bench.h"
#include "cli/face.h"
#include "sim/check/bench.h"
#include "sim/hunt/search.h"
#include "sim/lab/run.h"

namespace mqlab::cli {
namespace {

const Model& model_for_bench() {
  const Model* m = all_models().find("kafka");
  if (!m) throw BadInput("this benchmark needs the kafka model, which is not in this build");
  return *m;
}

// Sets an option that must exist: a benchmark that measures something else would be worse than none.
void give(Options& o, const std::vector<OptionDecl>& decls, const char* scope, const char* name, Value v) {
  if (auto error = o.set(decls, scope, name, std::move(v))) throw std::logic_error(fmt::format("bench: {}.{}: {}", scope, name, *error));
}

Scenario cluster(const Model& model, std::uint32_t producers, std::int64_t records_each, Duration every) {
  const ModelDecl& m = model.decl();
  const std::vector<OptionDecl> decls = all_options(m);
  Scenario s;
  s.path = "bench";
  s.title = "bench";
  s.model = m.name;
  Deployment& d = s.deployment;
  d.profile = m.default_profile;
  d.cluster = *profile_defaults(m, d.profile, "cluster");
  TopicSpec topic;
  topic.name = "orders";
  topic.options = *profile_defaults(m, d.profile, "topic");
  give(topic.options, decls, "topic", "replicas", std::int64_t{3});
  give(topic.options, decls, "topic", "min_insync", std::int64_t{2});
  d.topics.push_back(std::move(topic));
  for (std::uint32_t i = 0; i < producers; ++i) {
    ClientSpec c;
    c.name = fmt::format("P{}", i + 1);
    c.role = "producer";
    c.options = *profile_defaults(m, d.profile, "producer");
    give(c.options, decls, "producer", "topic", std::string("orders"));
    give(c.options, decls, "producer", "records", records_each);
    give(c.options, decls, "producer", "every", every);
    give(c.options, decls, "producer", "acks", std::string("all"));
    d.clients.push_back(std::move(c));
  }
  return s;
}

ClientSpec reader(const Model& model) {
  const std::vector<OptionDecl> decls = all_options(model.decl());
  ClientSpec c;
  c.name = "C";
  c.role = "consumer";
  c.options = *profile_defaults(model.decl(), model.decl().default_profile, "consumer");
  give(c.options, decls, "consumer", "topics", std::string("orders"));
  return c;
}

PlannedFault planned(FaultKind kind, const char* whom, Time when, Duration duration) {
  PlannedFault p;
  p.fault.kind = kind;
  p.fault.groups = {{whom}};
  p.fault.duration = duration;
  p.trigger = at(when);
  return p;
}

}  // namespace

// Eight producers send as fast as they are answered; the history is kept and checked at the end.
BenchResult bench_produce(const BenchOptions& o) {
  const Model& model = model_for_bench();
  constexpr std::uint32_t producers = 8;
  const auto each = static_cast<std::int64_t>((o.size + producers - 1) / producers);
  const Scenario s = cluster(model, producers, each, 0);
  RunOptions options;
  options.queue = o.queue;
  options.trace = TraceLevel::off;
  Deployment d;
  const auto world = build_world(s, model, nullptr, options, d);
  std::vector<NodeId> clients;
  for (const ClientSpec& c : d.clients) clients.push_back(world->find(c.name));
  const Stopwatch watch;
  for (bool done = false; !done;) {
    for (int i = 0; i < 4096; ++i) world->step();
    done = true;
    for (const NodeId n : clients) done = done && world->node_as<ClientNode>(n).app()->done();
  }
  CheckSet checks;
  checks.advance(world->journal);
  const std::vector<Report> reports = checks.report(world->journal);
  BenchResult r;
  r.seconds = watch.seconds();
  for (const Op& op : world->journal.ops) r.units += op.kind == OpKind::send && op.outcome == Outcome::ok;
  r.checksum = world->fingerprint().low;
  return r;
}

// Runs of a thousand operations under a partition, a kill and a power loss: built, run, checked, torn down.
BenchResult bench_campaign(const BenchOptions& o) {
  const Model& model = model_for_bench();
  using namespace literals;
  Scenario s = cluster(model, 4, 125, 4_ms);
  s.deployment.clients.push_back(reader(model));
  s.run_for = 10_s;
  s.faults.push_back(planned(FaultKind::isolate, "one broker", 1100_ms, 300_ms));
  s.faults.push_back(planned(FaultKind::kill, "one broker", 1250_ms, 200_ms));
  s.faults.push_back(planned(FaultKind::power, "one broker", 1400_ms, 400_ms));
  RunOptions options;
  options.queue = o.queue;
  options.trace = TraceLevel::off;
  BenchResult r;
  Fingerprint all;
  const Stopwatch watch;
  for (r.units = 0; r.units < o.size; ++r.units) {
    options.seed = r.units + 1;
    const RunResult run = run_scenario(s, model, nullptr, options);
    all.mix(run.fingerprint.high, run.fingerprint.low);
  }
  r.seconds = watch.seconds();
  r.checksum = all.low;
  return r;
}

// Units of the random search around twenty records on three brokers; always with the heap.
BenchResult bench_hunt(const BenchOptions& o) {
  const Model& model = model_for_bench();
  using namespace literals;
  Scenario s = cluster(model, 1, 20, 200_ms);
  s.deployment.clients.push_back(reader(model));
  s.run_for = 20_s;
  const PlanGenerator plans(s, model, {});
  const auto search = make_search("random", plans, model, parse_property("promises"));
  BenchResult r;
  Fingerprint all;
  const Stopwatch watch;
  for (r.units = 0; r.units < o.size; ++r.units) {
    const UnitResult unit = search->unit(r.units + 1);
    all.mix(unit.fingerprint.high, unit.fingerprint.low);
  }
  r.seconds = watch.seconds();
  r.checksum = all.low;
  return r;
}

namespace {

std::uint64_t peak_bytes() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return static_cast<std::uint64_t>(use.ru_maxrss) * 1024;  // Linux counts in KiB
}

BenchResult timed_check(const Journal& history) {
  const std::uint64_t before = peak_bytes();
  const Stopwatch watch;
  const CheckBench b = mqlab::bench_check(history);
  return {b.ops, watch.seconds(), b.checksum, peak_bytes() - before};
}

}  // namespace

BenchResult bench_check(const BenchOptions& o) { return timed_check(make_bench_history(o.size)); }
BenchResult bench_check_transactions(const BenchOptions& o) { return timed_check(make_bench_transactions(o.size)); }

}  // namespace mqlab::cli
