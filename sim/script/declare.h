// sim/script/declare.h: what the verbs of a scenario leave behind while its file is run.
//
// Each verb is one row of a table (name, arguments, sentence, function); fault verbs come from
// fault_kinds(), cluster verbs from the models. A verb takes plain values and returns a Thing: a number
// into one of the lists here. scenario { ... } is the last; build.cpp makes the Scenario of it.
//
// Always true: 1. running the same text again gives the same numbers. 2. every entry remembers its line.
// Elsewhere: reading fields (fields.h), the documents (scenario_api.h), programs at work (script_host.h).
#pragma once

#include <string>
#include <vector>

#include "sim/lab/scenario.h"
#include "sim/script/lua_value.h"
#include "sim/script/scenario_api.h"
#include "sim/script/source_map.h"

namespace mqlab::script {

struct Declarations;

// One call of a verb.
struct VerbCall {
  std::string verb;
  std::vector<LuaValue> arguments;
  int line = 0;
};

struct Verb {
  VerbDoc doc;
  Thing (*run)(Declarations&, const VerbCall&, const Verb&) = nullptr;  // of `original` none: it calls a function (script.cpp)
  FaultKind fault{};               // of a fault verb
  const Model* model = nullptr;    // of a cluster verb
  std::string role{};              // of a client verb
};

struct DeclaredCluster {
  const Model* model = nullptr;
  LuaValue table;
  int line = 0;
};

// producer "P1" { ... }, case "x" { ... }, node "N1" { ... }; without its table it is only a name.
struct DeclaredTable {
  std::string role;
  std::string name;
  LuaValue table;
  int line = 0;
};

struct DeclaredTrigger {
  Trigger trigger;
  int line = 0;
};

// A fault with its time, and the line of the trigger.
struct DeclaredPlan {
  PlannedFault fault;
  int line = 0;
};

struct DeclaredLater {
  Duration delay = 0;
  std::vector<Fault> faults;
};

// original(function(...) ... end): the text of another file, from line to line, and the scenario that it returned.
struct DeclaredOriginal {
  std::int64_t scenario = 0;
  int first_line = 0, last_line = 0;
};

struct Declarations {
  Declarations(const Models& m, std::string file, std::string_view text);

  const Models& models;
  std::string path;
  SourceMap map;
  std::vector<Verb> verbs;
  bool loading = true;  // false once programs run: verbs are refused then

  std::vector<DeclaredCluster> clusters;
  std::vector<DeclaredTable> client_names, clients;
  std::vector<DeclaredTable> case_names, cases;
  std::vector<DeclaredTable> design_names, designs;
  std::vector<DeclaredTable> node_names, nodes;
  std::vector<DeclaredTable> service_names, services;
  std::vector<Fault> faults;
  std::vector<std::vector<DeclaredPlan>> planned;
  std::vector<DeclaredLater> laters;
  std::vector<DeclaredTrigger> triggers;
  std::vector<Expectation> expectations;
  std::vector<DeclaredTable> scenarios;
  std::vector<DeclaredOriginal> originals;

  [[noreturn]] void fail(int line, const std::string& text) const;
  // Throws when a list has grown beyond what a scenario may have.
  void limit(std::size_t size, std::size_t max, int line, const char* what) const;
  // The same of a list in which the originals stand too.
  void limit_declared(std::size_t size, std::size_t max, int line, const char* what) const { limit(size, max * (1 + originals.size()), line, what); }
  // What calling a thing does: kill "B1" { duration = seconds(3) }.
  Thing call_thing(const Thing& t, const VerbCall& call);
};

inline constexpr std::size_t declared_max = 10'000;
inline constexpr std::size_t clients_max = 500;  // every two nodes have a link

// faults.cpp
Thing declare_fault(Declarations& d, const VerbCall& call, const Verb& verb);
Fault with_fields(const Declarations& d, Fault f, const LuaValue& table, int line);
Trigger with_fields(const Declarations& d, Trigger t, const LuaValue& table, int line);
void add_timing_verbs(std::vector<Verb>& verbs);

// verbs.cpp
std::vector<Verb> all_verbs(const Models& models);

struct ScriptSource;

// build.cpp: the scenario of the table that scenario { ... } was given; `source` gets what programs and
// nodes need besides. `design`: which of several; empty = the first.
Scenario build_scenario(const Declarations& d, const Thing& scenario, std::string_view text, const std::string& design, ScriptSource& source);

}  // namespace mqlab::script
