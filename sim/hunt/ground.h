// sim/hunt/ground.h: what there is around a scenario to hurt, and when it happens.
//
// Learned by running it: once in calm, and a few times in trouble, since much is said only then (an election, a fence). So a
// fault can name the third Produce after a time, or wait for the second election, and mean one that really comes.
//
// Always true: a function of scenario, model and window alone; calm times are ascending.
// Elsewhere: the faults drawn on it (fault_draw.h).
#pragma once

#include <string>
#include <vector>

#include "sim/lab/run.h"

namespace mqlab {

// One kind of event that a trigger can wait for, with the times at which a calm run had it.
struct Happening {
  Trigger::On on{};
  std::string name;            // a mark, a kind of message, "send ok"
  std::string from, to, place;
  std::vector<Time> at;        // in calm; empty: seen only in trouble
  std::uint64_t in_trouble = 0;
};

struct Ground {
  struct Server {
    std::string name, role, machine, zone, rack, region;
  };
  // Happenings of one name, so that a frequent one hides no rare one.
  struct Named {
    std::string name;
    std::vector<Happening> all;
  };

  std::vector<Server> servers;
  std::vector<std::string> clients;
  std::vector<std::string> roles;           // of servers
  std::vector<std::string> topics;
  std::vector<std::string> places;          // that have a leader; the scenario's own several times, to be drawn more often
  std::vector<Target> leaders, followers;   // "leader orders/0", "controller"; "follower orders/0"
  std::vector<Named> messages;              // by kind
  std::vector<Named> events;                // marks and operations
  std::vector<Time> moments;                // when something happens, frequent messages aside
  Duration from = 0, until = 0;             // the window in which faults begin
  Duration end = 0;                         // ... and by when they are over: the end of the run

  bool is_client(const std::string& name) const;
  // So many servers share a machine with this one, itself counted.
  std::size_t on_machine(const std::string& machine) const;
};

// Names of nodes, places and times out of a run without drawn faults, at the full trace level.
// `from`, `until`: the window; -1 = within the load.
Ground learn_calm(const RunResult& run, const Model& model, Duration run_for, Duration from, Duration until);
// Adds what only a run in trouble has.
void learn_trouble(Ground& g, const RunResult& run, const Model& model);

}  // namespace mqlab
