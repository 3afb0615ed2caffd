// gui/core/recording.h: one run, whole, with every moment of it at hand.
//
// A Recording is made by running a scenario to its end and keeping what the window looks at: each event with its time and
// line, marks, operations, verdicts, and checkpoints from which the state after any event is made again.
// A run is (build, scenario text, case, settings, seed, interventions); the same give the same Recording, and the
// fingerprint of it is that of `mqlab run`.
//
// Always true: 1. a Recording never changes once made: threads may share it. 2. moment(n) is the same whatever was asked
// before. 3. Events are numbered from 0 in the order in which they were handled, as in Journal::deliveries. 4. Journal::drops
// are in the order of their times, and Drop::after is the place of each among the events.
// Elsewhere: on a thread of its own (engine.h); times to events, and what was under way (event_index.h).
//
//     auto r = Recording::make({.text = text, .path = "x.lua", .seed = 7}, all_models());
//     std::shared_ptr<const Moment> m = r->moment(r->event_before(5_s));
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/lab/contents.h"
#include "sim/lab/run.h"

namespace mqlab::gui {

// Something done by hand: a fault that the run has besides those of its scenario. It comes at a time of its own, so that
// the run up to there is as it was.
struct Intervention {
  PlannedFault fault;
  std::string lua() const;  // as it is written into a scenario: at(ms(7), kill "B1" {})
};
// A fault right after an event: no other event comes between.
Intervention right_after(Time event, Fault fault);

// All that decides a run.
struct RunSpec {
  std::string text;             // the scenario, in Lua
  std::string path;             // where it stands; names it in errors
  std::string design{};         // of a scenario that compares several; empty: the first
  std::string case_name{};      // empty: none
  std::string profile{};
  std::vector<Setting> settings{};
  std::optional<std::uint64_t> seed{};  // none: the scenario's own, else 1
  std::vector<Intervention> interventions{};
  // Faults of the scenario that this run goes without: numbers in the order armed. What the seed drew of the others stays.
  std::vector<std::size_t> without{};
};

struct RecordOptions {
  std::uint64_t event_limit = 20'000'000;
  // What checkpoints may take in memory. Where it is not enough, they lie farther apart, and seeks take longer.
  std::size_t checkpoint_bytes = std::size_t{256} << 20;
  // How much is allocated in the process: what a checkpoint takes is measured by it now and then. Empty: the C library is asked.
  std::function<std::size_t()> allocated{};
  // Called now and then with the events so far and the virtual time; false stops the run, and what there is is kept.
  std::function<bool(std::uint64_t events, Time now)> progress{};
};

// One node as it is at a moment.
struct NodeMoment {
  std::string name, role, machine, rack, zone, region;
  bool running = false;
  bool paused = false;
  std::size_t backlog = 0;   // messages that wait for the node
  Tree state{};
};

// A cut or a change of the links that is in force.
struct FaultMoment {
  std::size_t index = 0;     // in World::faults()
  std::string text{};        // as the story tells it
  FaultKind kind{};
  std::vector<std::vector<NodeId>> nodes{};
  bool cuts = false;
};

// The world right after an event.
struct Moment {
  std::size_t event = 0;
  Time time{};
  std::vector<NodeMoment> nodes{};            // by NodeId
  std::vector<FaultMoment> faults{};          // in force
  std::vector<PlaceContents> places{};        // what logs and queues hold (sim/lab/contents.h); none if the model tells nothing
  std::vector<GroupContents> groups{};
};

// The same thing happened. Ids do not count: a fault that is armed moves them all.
bool same_event(const Delivery& a, const Delivery& b);
// What is wanted of a moment: less is made faster.
struct MomentWish {
  bool states = true;        // NodeMoment::state
  bool faults = true;
  ContentsWish contents{};
};

// How far a group is behind, over time; of a queue: what waits in it.
struct LagSeries {
  std::string group{};
  std::vector<std::pair<Time, std::int64_t>> steps{};  // the value from a time on; -1: the group has told no position, or is not there
};

// What the run was, in numbers by event.
class Recording {
 public:
  // Throws InputError when text or settings do not fit.
  static std::shared_ptr<const Recording> make(RunSpec spec, const Models& models, const RecordOptions& options = {});
  ~Recording();

  const RunSpec& spec() const;
  const Scenario& scenario() const;   // with the interventions
  const Model& model() const;
  // The run as a scenario of its own, in Lua: `mqlab run` gives the same fingerprint. Throws InputError when it can't be written.
  std::string as_lua() const;
  std::uint64_t seed() const;
  const Journal& journal() const;     // recorded at the full level
  const RunResult& result() const;    // its world is the one at the end
  bool stopped() const;               // by progress or limit: there is no verdict

  std::size_t events() const { return journal().deliveries.size(); }
  Time time_of(std::size_t event) const { return journal().deliveries[event].time; }
  Time end() const;
  // The last event at or before t; events() when there is none.
  std::size_t event_before(Time t) const;
  // The first event at or after t; events() when there is none.
  std::size_t event_after(Time t) const;
  // The event during which a row of the history, a mark, was written; events() when it was before the first.
  std::size_t event_of_op(OpIndex op) const;
  std::size_t event_of_mark(std::size_t mark) const;
  std::size_t event_of_id(EventId id) const;  // events() when it was not recorded
  // The last event before a message was over that never arrived; the first of all if there is none.
  std::size_t event_of_drop(std::size_t drop) const;

  // The world after event n, made again from the checkpoint before it. Any thread. Requires: n < events().
  std::shared_ptr<const Moment> moment(std::size_t n) const;
  // The moments after the events `from` to `to`, in their order, from checkpoint to checkpoint: for looking at many. Ends when
  // `visit` says false; what it was given is gone after it. Any thread, and as many at once as there are. Requires: from <= to < events().
  void moments(std::size_t from, std::size_t to, const MomentWish& wish, const std::function<bool(const Moment&)>& visit) const;
  // The first event after the checkpoint before event n: from here to n costs as much as n alone.
  std::size_t cheap_before(std::size_t n) const;
  // How far each group was behind, in the order of their first occurrence. Looked at after every event of a short run, and so many events
  // apart that there are some thousand values of a long one (lag_spacing).
  const std::vector<LagSeries>& lags() const;
  std::uint64_t lag_spacing() const;
  // How many events a call of moment(n) has to run again: for tests of what a seek costs.
  std::size_t replayed_for(std::size_t n) const;
  std::size_t checkpoints() const;
  // What they take in memory, about; what they share with the run's end is not counted.
  std::size_t checkpoint_bytes() const;

  // Of each whole block of events a number that another run has there exactly if all its events up to the end of that block are the
  // same (same_event), but for one chance in 2^64.
  static constexpr std::size_t prefix_block = 1024;
  const std::vector<std::uint64_t>& prefix_hashes() const;

  // "B1", "world".
  std::string line_name(NodeId n) const;

 private:
  struct Inside;
  explicit Recording(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace mqlab::gui
