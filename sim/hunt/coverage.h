// sim/hunt/coverage.h: what runs should reach, in words of messaging.
//
// A goal is that something happened inside (a mark: "leader_elected") while a client was in the middle of something: a send not
// answered, a message taken and not acknowledged, a transaction open. That is where protocols break: "a leader is elected while
// a send is under way", "a process dies between delivery and acknowledgement".
//
// The rule: the middles are declared here once, the marks by the model; goals are all pairs of them, and each mark by itself.
// What a client's own node tells is about its own middles; what is told of a place, about middles at that place.
// Always true: a GoalScan says the same however the journal was cut into pieces, and is copied with its world.
//
//     GoalSet goals(model, calm_run.world->journal);
//     GoalScan scan(goals);
//     scan.advance(world.journal, world.now());
//     for (std::uint32_t g : scan.reached()) print(goals.all()[g].name);
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "sim/lab/model.h"
#include "sim/world/journal.h"

namespace mqlab {

// What a client can be in the middle of.
enum class Middle : std::uint8_t { send, taken, ack, transaction, ending, assigned };
inline constexpr std::size_t middle_count = 6;

struct MiddleDecl {
  Middle middle{};
  const char* name;      // how the names of its goals end: "during a send"
  const char* sentence;
};
std::span<const MiddleDecl> middles();

struct Goal {
  std::string name;      // "leader_elected during a send"
  std::string sentence;
};

// Who is in the middle of what, as far as a history was read.
class OpenMiddles {
 public:
  void take(const Journal& j, OpIndex row);
  // A process that died is in the middle of nothing.
  void forget(NodeId process);
  // Somebody is: at the place (a name, 0 = any), or `process` itself when it is a client.
  bool any(const Journal& j, Middle m, NodeId process, std::uint32_t place) const;
  // It was ever begun.
  bool seen(Middle m) const { return seen_[static_cast<std::size_t>(m)]; }

 private:
  struct Open {
    NodeId process{};
    std::uint32_t place{};
    std::int64_t position = -1;  // taken: the last one
    std::uint64_t messages = 0;  // taken: so many
  };
  // By what ends it: the row that began it, a transaction, a process and place.
  using Key = std::array<std::uint64_t, 2>;
  std::map<Key, Open>& all(Middle m) { return open_[static_cast<std::size_t>(m)]; }
  void begin(Middle m, Key key, const Op& op);
  static bool one_place(const Journal& j, std::uint32_t a, std::uint32_t b);

  std::array<std::map<Key, Open>, middle_count> open_{};
  std::array<bool, middle_count> seen_{};
  std::set<NodeId> clients_;
  std::set<std::string> topics_;
};

// The goals of one scenario: each mark that its model or the world declares, by itself and in each middle that its clients
// come into.
class GoalSet {
 public:
  // `calm` is the journal of a run of the scenario without faults: it says which middles there are.
  GoalSet(const Model& model, const Journal& calm);

  const std::vector<Goal>& all() const { return all_; }

 private:
  friend class GoalScan;
  std::vector<Goal> all_;       // those of one mark lie together: by itself, then in each of middles_
  std::vector<std::string> marks_;
  std::vector<Middle> middles_;
};

// Reads the journal of a run under way. The set must outlive it.
class GoalScan {
 public:
  explicit GoalScan(const GoalSet& goals) : goals_(&goals), hit_(goals.all().size()) {}

  // Reads on to before `now`, when all that is told of a time is there; the goals that are reached for the first time.
  std::vector<std::uint32_t> advance(const Journal& j, Time now);
  // Ascending.
  std::vector<std::uint32_t> reached() const;

 private:
  void take(const Journal& j, const Mark& m, std::vector<std::uint32_t>& fresh);

  const GoalSet* goals_;
  OpenMiddles open_;
  std::vector<char> hit_;
  OpIndex next_op_ = 0;
  std::size_t next_mark_ = 0;
  std::map<std::uint32_t, std::size_t> mark_numbers_;  // name -> into GoalSet::marks_, or its size: no goal
};

}  // namespace mqlab
