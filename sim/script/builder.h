// sim/script/builder.h: how the table of scenario { ... } becomes a Scenario, part by part.
//
// The rule: nothing is taken over unchecked; what is wrong throws a ScriptError with the line of the field.
// Always true: parts are built in the order of build(), and a part may use those before it.
// Elsewhere: the cluster and options (build.cpp), who takes part (build_actors.cpp), what happens and what
// must be seen (build_story.cpp).
//
//     Scenario s = Builder(declarations, thing, text, source).build();
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/script/declare.h"
#include "sim/script/fields.h"
#include "sim/script/script_host.h"

namespace mqlab::script {

class Builder {
 public:
  // `thing`: what scenario { ... } returned. `source` gets what programs and nodes need besides.
  // `design`: which of several; empty = the first.
  Builder(const Declarations& d, const Thing& thing, std::string_view text, const std::string& design, ScriptSource& source)
      : d_(d),
        wanted_design_(design),
        source_(source),
        declared_(d.scenarios[static_cast<std::size_t>(thing.number)]),
        f_(d, "the scenario", declared_.table, declared_.line),
        text_(text) {}

  Scenario build();

 private:
  // --- build.cpp: the cluster and options ---
  void cluster();
  // The value that stands for `cluster`: the field's, or that of the design that is wanted. Nil when there is none.
  const LuaValue* chosen_cluster();
  const LuaValue* choose_design();
  void take_design();
  [[noreturn]] void fail_profile(const std::string& name, int line) const;
  void cluster_options();
  void check_names(const Fields& f, const std::vector<std::string>& scopes, std::vector<std::string> also) const;
  // The value as an option holds it: a duration where none is wanted, or a number where one is, is wrong.
  Value to_value(const LuaValue& v, const OptionDecl* decl, int line, const std::string& name) const;
  void set(Options& o, const char* scope, const std::string& name, const LuaValue& v, const Fields& f) const;
  void set(Options& o, const std::vector<OptionDecl>& decls, const std::string& scope, const std::string& name, const LuaValue& v, const Fields& f) const;
  // The words that the file adds to those of the model.
  std::vector<std::string> own_words(const char* field) const;
  void own_marks();
  // Finds what `based_on` stands for.
  void take_base();
  // Nodes, messages and marks stand in the last of them.
  const DeclaredTable& root_scenario() const { return bases_.empty() ? declared_ : *bases_.back(); }
  Fields base_fields(const DeclaredTable& t) const { return Fields(d_, "the scenario", t.table, t.line); }

  // --- build_actors.cpp: who takes part ---
  void nodes();
  NodeSpec node(const DeclaredTable& n, const Thing& thing) const;
  // A topic or a client of the model `lua` may name a node.
  void check_node(const Options& o, const std::string& what, int line) const;
  void topics();
  void services();
  std::vector<TableSpec> tables(const Fields& f) const;
  void knobs();
  void clients();
  ClientSpec client(const DeclaredTable& c, const Thing& thing);
  // The number of the client whose program this one runs: itself, or its namesake in the file that the scenario is based on.
  std::int64_t program_of(const DeclaredTable& c, const Thing& thing, const Fields& f);
  void refuse_other_loads(const std::string& name, const Fields& f) const;

  // --- build_story.cpp: what happens, what must be seen, and the ways to run it ---
  void check_mark(const std::string& name, int line) const;
  void check_command(const Fault& f) const;
  void add_planned(const LuaValue& v, const std::string& field, int line, std::vector<PlannedFault>& out) const;
  std::vector<PlannedFault> faults(const Fields& f, const char* field) const;
  std::vector<Expectation> expectations(const Fields& f, const char* field) const;
  void take_expectation(const LuaValue& v, int line, std::vector<Expectation>& out) const;
  void drain();
  LinkOptions link(const Fields& f, bool pair) const;
  void links();
  // The declaration that a setting speaks of: "acks", "P1.acks", "orders.min_insync", "cluster.x".
  const OptionDecl* setting_decl(const std::string& name) const;
  Setting setting(const std::string& name, const LuaValue& v, int line, Deployment& trial) const;
  void cases();
  ScenarioCase one_case(const DeclaredTable& c) const;
  void sweep();
  // The values that a sweep or a hunt names for an option; at least one.
  std::vector<Value> values_of(const std::string& name, const LuaValue& list, int line, const char* field) const;
  void hunt();

  const Declarations& d_;
  const std::string& wanted_design_;
  ScriptSource& source_;
  const DeclaredTable& declared_;
  const Fields f_;
  std::string_view text_;
  Scenario s_;
  const Model* model_ = nullptr;
  const DeclaredCluster* cluster_ = nullptr;
  const DeclaredTable* design_ = nullptr;
  std::vector<OptionDecl> decls_;
  std::vector<Options> defaults_;  // cluster, topic, producer, consumer
  std::vector<std::string> marks_;
  std::vector<const DeclaredTable*> bases_;  // the scenario that this one is based on, the one that that is based on ...
  bool own_program_ = false;                 // a program that stands in none of them
};

}  // namespace mqlab::script
