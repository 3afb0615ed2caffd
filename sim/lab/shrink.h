// sim/lab/shrink.h: the smallest run that still shows an anomaly.
//
// Elements of a run (sim/lab/one_run.h) are taken away or made smaller, one change at a time, and each candidate is run: it is
// kept when it still shows the anomaly by the same mechanism. Passes go on until one changes nothing, so that the result is
// 1-minimal: without any one of its faults, clients, topics or given options the anomaly is gone.
//
// The same mechanism: the model's claim about the anomaly is the same, with the same reason, and the profile and the switched
// rules are never touched. A plan that slips from a broken rule into an honest price is no answer.
// Elsewhere: the anomaly found (sim/check), the result as Lua (sim/script/print_scenario.h).
// Source: Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input (TSE 2002), for 1-minimality.
//
//     Shrunk s = shrink(one, model, "lost-message", {.runs = 1000});
//     print_scenario(s.scenario, model);
#pragma once

#include <functional>
#include <string>

#include "sim/lab/run.h"

namespace mqlab {

struct ShrinkOptions {
  std::uint64_t runs = 2'000;               // at most so many are tried
  std::function<bool()> keep_going{};       // false: what was reached so far is the answer
  // Called after each run that was kept: what was changed, in words.
  std::function<void(const std::string& change, const Scenario& now)> told{};
};

// How large a run is, for people and for tables.
struct PlanSize {
  std::size_t faults = 0, clients = 0, topics = 0, options = 0;  // options: that are given
  std::int64_t operations = 0;                                   // records of declared producers
  std::size_t elements() const { return faults + clients + topics + options; }
};
PlanSize size_of(const Scenario& one);
std::string describe(const PlanSize& s);

struct Shrunk {
  Scenario scenario;
  bool shown = false;      // the run shows the anomaly at all; if not, nothing was changed
  bool minimal = false;    // a whole pass changed nothing
  std::uint64_t runs = 0;
  std::string sentence;    // of the first witness, in the last run that was kept
};

// Requires: `one` is one run (no cases, no draws), with its seed.
Shrunk shrink(const Scenario& one, const Model& model, const std::string& anomaly, const ShrinkOptions& options = {});

}  // namespace mqlab
