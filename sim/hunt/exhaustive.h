// sim/hunt/exhaustive.h: all schedules of up to k faults of a short list, for small plans.
//
// The list: each server killed, without power, or cut off; each message dropped, delayed, or sent twice (PlanSpace::kinds and
// messages make it shorter). Servers come to harm at decision points alone: just before and just after each delivery that
// touches them, since in between nothing happens that another moment would change. The first fault has the decision points of
// the calm run; each further one comes later than those before it and has those of the run with them. The budget is kept: under
// "one machine" the next server is harmed when the one before has been well for half as long as it was not.
//
// A unit is the calm run (0), or all schedules that begin with one fault (1 to total - 1), so that shards and interrupted
// campaigns know where they stand. Below the first fault nothing is run from the beginning: a world is carried along, and
// forked at each point. With `merge` two last faults that lead to one state (state_hash.h says what it sees, and what merging
// can therefore miss) at one of a few given times go on as one run; so does a fault that changed nothing.
// Left out: faults that overlap to the nanosecond, other lengths of faults, and what the seed decides (latencies).
// Source: Godefroid, Model Checking for Programming Languages using VeriSoft (POPL 1997), for going on from each state once.
//
//     ExhaustiveList list(plans, model, calm_run, ...);
//     list.first();  // the choices of the first fault
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/hunt/search.h"

namespace mqlab {

// One fault where a schedule may have it.
struct FaultChoice {
  PlannedFault fault;
  Time at = 0;              // it comes then
  NodeId server = nobody;   // whom it harms; nobody: a message
  Time well = 0;            // ... and it has been well again for long enough
};

// What may befall a run, and when.
class FaultChoices {
 public:
  // Throws InputError when the space names what is not on the list.
  FaultChoices(const PlanGenerator& plans, const RunResult& calm);

  // The choices in a run at the full trace level, in the order of time, that come after `before` and that the budget allows
  // beside it.
  std::vector<FaultChoice> in(const RunResult& run, const std::vector<FaultChoice>& before) const;

  // How long a server is in trouble; how late a message comes.
  Duration trouble() const { return trouble_; }
  Duration late() const { return late_; }

 private:
  void of_server(std::vector<FaultChoice>& all, const World& w, NodeId server, Time at) const;
  void of_message(std::vector<FaultChoice>& all, const RunResult& run) const;
  bool allowed(const std::vector<FaultChoice>& before, const FaultChoice& next) const;

  FaultBudget budget_;
  std::vector<FaultKind> server_kinds_, message_kinds_;
  std::vector<std::string> messages_;  // empty: every kind
  std::vector<bool> server_;           // by NodeId
  std::vector<std::string> roles_;
  Time from_ = 0, until_ = 0;
  Duration trouble_ = 0, late_ = 0;
};

}  // namespace mqlab
