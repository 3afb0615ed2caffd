// schedules: runs random schedules and counts. Not a test: a search whose numbers are written down in models/kafka/README.md.
//
//     schedules 10000                          every rule on: what is promised must hold
//     schedules 10000 truncation=hw            an old rule: the first seeds that show an anomaly
//     schedules --from 17 1 truncation=hw      one seed again, with its faults
//     schedules --groups 10000                 stories about a consumer group
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "models/kafka/kafka.h"
#include "sim/record/trace.h"
#include "tests/kafka/group_schedule.h"

using namespace mqlab;

int main(int argc, char** argv) {
  std::uint64_t from = 1, runs = 1000;
  std::string profile = "4.3";
  std::vector<Setting> switches;
  bool groups = false;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    const auto equals = a.find('=');
    if (a == "--from" && i + 1 < argc) from = std::strtoull(argv[++i], nullptr, 10);
    else if (a == "--groups") groups = true;
    else if (a.rfind("profile=", 0) == 0) profile = a.substr(8);
    else if (equals != std::string::npos) switches.push_back({a.substr(0, equals), Value{a.substr(equals + 1)}, true, 0});
    else runs = std::strtoull(a.c_str(), nullptr, 10);
  }
  const auto model = kafka::make_model();
  struct Found {
    std::uint64_t runs = 0, first = 0, promised = 0;
  };
  std::map<std::string, Found> found;
  std::map<std::string, std::uint64_t> reached;
  std::uint64_t not_drained = 0, acknowledged = 0, idle = 0, faults = 0, claimed = 0;
  for (std::uint64_t seed = from; seed < from + runs; ++seed) {
    const Scenario s = groups ? kafka::group_schedule(*model, seed, switches, profile) : kafka::random_schedule(*model, seed, switches, profile);
    const RunResult r = run_scenario(s, *model, nullptr, {.seed = seed, .trace = runs == 1 ? TraceLevel::full : TraceLevel::off});
    if (!r.drained) {
      ++not_drained;
      fmt::print("seed {}: not drained: {}\n", seed, r.not_drained_because);
    }
    for (const Op& op : r.world->journal.ops) acknowledged += op.kind == OpKind::send && op.outcome == Outcome::ok;
    for (const ArmedFault& f : r.world->faults()) {
      ++faults;
      idle += f.bites == 0;
    }
    std::map<std::string, bool> marks;
    for (const Mark& m : r.world->journal.marks) marks[std::string(r.world->journal.names.text(m.name))] = true;
    for (const auto& [name, yes] : marks) reached[name] += yes;
    for (const VerdictRow& v : r.verdicts) {
      if (v.report.anomaly && std::string_view(v.report.anomaly->name) == "lost-message") claimed += v.claim.claimed;
      if (v.report.verdict != Verdict::violated) continue;
      Found& f = found[v.report.anomaly->name];
      if (f.runs++ == 0) f.first = seed;
      if (v.claim.claimed) {
        ++f.promised;
        if (f.promised <= 5) fmt::print("seed {}: {} was promised not to happen\n", seed, v.report.anomaly->name);
      }
    }
    if (runs == 1) {
      if (std::FILE* out = std::fopen("schedule.trace", "w")) {
        write_trace(r.world->journal, [out](std::string_view text) { std::fwrite(text.data(), 1, text.size(), out); });
        std::fclose(out);
      }
      for (const PlannedFault& f : s.faults) fmt::print("  {} {}\n", describe(f.trigger), describe(f.fault));
      for (const VerdictRow& v : r.verdicts)
        if (v.report.verdict == Verdict::violated) fmt::print("  {}: {}\n", v.report.anomaly->name, v.report.worst.empty() ? "" : v.report.worst[0].sentence);
    }
    if (seed % 1000 == 0) std::fflush(stdout);
  }
  fmt::print("{} runs, {} records acknowledged, {} of {} faults bit; lost-message promised away in {}; not drained {}\n", runs, acknowledged, faults - idle, faults, claimed, not_drained);
  for (const auto& [name, n] : reached) fmt::print("  reached {} in {}\n", name, n);
  for (const auto& [name, f] : found) fmt::print("  {}: {} runs, first seed {}, against a promise {}\n", name, f.runs, f.first, f.promised);
  return 0;
}
