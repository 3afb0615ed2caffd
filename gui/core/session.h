// gui/core/session.h: the runs that one window has open: a tree of branches.
//
// A branch is a run; what changes the past of a run (a fault by hand, a fault left out, another option or seed) makes a new
// branch beside it, and both futures stay. Belongs to the window's thread; the engine works on another.
//
// Always true: 1. a branch's spec never changes. 2. `parts_at` of a branch with a parent is the first event that differs from
// the parent's, counted in the branch; all before it are the same events.
// Elsewhere: the thread (engine.h), how the run is made (recording.h).
//
//     Session s(all_models(), wake);
//     int b = s.open({.text = text, .path = path});
//     ... on wake: for (Session::Change c : s.pump()) ...
//     int f = s.fork_with(b, right_after(s.branch(b).recorded.recording->time_of(87), kill_b1));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gui/core/engine.h"

namespace mqlab::gui {

struct Branch {
  enum class State : std::uint8_t { recording, ready, refused, called_off };
  int id = 0;
  int parent = -1;                  // id; -1: opened, not forked
  std::string label{};              // "seed 7", "kill B1 at 130 ms"
  RunSpec spec{};
  State state = State::recording;
  Ticket ticket{};
  Recorded recorded{};              // when ready
  Complaint complaint{};            // when refused
  std::size_t parts_at = 0;         // when ready and the parent is: here ...
  std::size_t parent_parts_at = 0;  // ... and there; both events() when nothing differs
};

// One thing that a run could be without, or otherwise (what_if.h lists them).
struct WhatIf {
  enum class Kind : std::uint8_t { without_fault, without_intervention, as_case };
  Kind kind{};
  std::size_t number = 0;           // of the fault, as World::faults() has it; of the intervention
  std::string name{};               // of the case
  std::string text{};               // "without fault 1: partition B1 | B2, B3"
};

// The first event in which two runs differ, in each of them; events() where one ends before.
struct Parting {
  std::size_t a = 0;
  std::size_t b = 0;
};
// Ids do not count: a fault that is armed moves them all. Costs as much for a million events as for some thousands.
Parting where_they_part(const Recording& a, const Recording& b);

class Session {
 public:
  enum class Change : std::uint8_t { branch_ready, branch_refused, branch_called_off, moment, moment_beside, found };

  Session(const Models& models, std::function<void()> wake, RecordOptions options = {});

  // --- branches ---
  // Forgets all branches and begins a tree.
  int open(RunSpec spec);
  int fork_with(int branch, Intervention i);
  // ... with these in the place of its own, told as `label`.
  int fork_by_hand(int branch, std::vector<Intervention> all, std::string label);
  // ... without one of its faults, numbered as World::faults() of the branch's run has it. One by hand is as if it had not been done.
  int fork_without(int branch, std::size_t fault);
  // ... without one of the branch's own interventions.
  int fork_without_intervention(int branch, std::size_t i);
  int fork_setting(int branch, Setting s);
  int fork_seed(int branch, std::uint64_t seed);
  // ... as another case of the scenario.
  int fork_case(int branch, const std::string& name);
  int fork_what_if(int branch, const WhatIf& w);
  void call_off(int branch);
  const std::vector<Branch>& branches() const { return branches_; }
  // Requires: there is one.
  const Branch& branch(int id) const;
  bool has(int id) const { return id >= 0 && static_cast<std::size_t>(id) < branches_.size(); }
  int current() const { return current_; }
  void make_current(int id);

  // --- moments of the current branch, and of one beside it ---
  // The state after an event is asked for; it comes as Change::moment.
  void look_at(std::size_t event, WithBefore before = WithBefore::no);
  // The latest that came for the current branch; null before the first. It may be of another event than was asked for last.
  const std::shared_ptr<const Moment>& moment() const { return moment_; }
  // That of the event before moment()'s own; null when it was not asked for.
  const std::shared_ptr<const Moment>& moment_before() const { return moment_before_; }
  // The same for any branch, at the same time; it comes as Change::moment_beside.
  void look_beside(int branch, std::size_t event);
  // The latest that came for this branch by look_beside(); null before the first, and after another branch was asked for.
  std::shared_ptr<const Moment> moment_beside(int branch) const;

  // --- searches in the current branch ---
  // The next event (or the one before) at which a predicate is true, from event `now` on; the answer comes as Change::found. A later
  // question replaces it. Requires: the branch is ready and has events.
  void find(Predicate p, std::size_t now, Direction d);
  void call_off_find() { engine_.call_off_find(); }
  SearchProgress search() const { return engine_.search(); }
  // What came last; its complaint says why there is none.
  const Found& found() const { return found_; }
  const std::string& why_not_found() const { return why_not_found_; }

  // Takes what the engine has. In order.
  std::vector<Change> pump();
  Progress progress() const { return engine_.progress(); }
  bool idle() const { return engine_.idle(); }

 private:
  int add(int parent, std::string label, RunSpec spec);
  void ready(Branch& b);
  void forget_moments();

  std::vector<Branch> branches_;  // by id
  int current_ = -1;
  std::shared_ptr<const Moment> moment_, moment_before_, beside_;
  std::shared_ptr<const Recording> beside_of_;  // what was asked for by look_beside() last
  Found found_;
  std::string why_not_found_;
  Engine engine_;                 // last: its thread ends first
};

}  // namespace mqlab::gui
