// The one table of verbs, and what each leaves behind.
#include <fmt/format.h>

#include "sim/script/declare.h"
#include "sim/script/nearest.h"
#include "sim/script/sandbox.h"
#include "sim/script/script_host.h"

namespace mqlab::script {
namespace {

constexpr std::size_t name_max = 100;

std::string name_argument(const Declarations& d, const VerbCall& call, const char* example) {
  if (call.arguments.empty() || !call.arguments[0].text())
    d.fail(call.line, fmt::format("`{}` wants a name first, as {}; not {}", call.verb, example, call.arguments.empty() ? "nothing" : call.arguments[0].describe()));
  const std::string& name = *call.arguments[0].text();
  if (name.empty() || name.size() > name_max) d.fail(call.line, fmt::format("a name has 1 to {} bytes, and this one has {}", name_max, name.size()));
  for (const char c : name)
    if (static_cast<unsigned char>(c) < ' ') d.fail(call.line, "a name has no control characters");
  return name;
}

Thing add_table(Declarations& d, std::vector<DeclaredTable>& list, ThingKind kind, DeclaredTable t, std::size_t max, const char* what) {
  d.limit_declared(list.size() + 1, max, t.line, what);
  list.push_back(std::move(t));
  return {kind, static_cast<std::int64_t>(list.size()) - 1};
}

// The lists of a kind of table, without and with its table.
struct Lists {
  std::vector<DeclaredTable>& names;
  std::vector<DeclaredTable>& all;
  ThingKind name;
  ThingKind whole;
  std::size_t max;
  const char* what;
  const char* example;
};

Lists lists_of(Declarations& d, const std::string& role) {
  if (role == "case") return {d.case_names, d.cases, ThingKind::case_name, ThingKind::case_, declared_max, "cases", "acks=all"};
  if (role == "design") return {d.design_names, d.designs, ThingKind::design_name, ThingKind::design, 100, "designs", "rabbitmq:quorum"};
  if (role == "node") return {d.node_names, d.nodes, ThingKind::node_name, ThingKind::node, clients_max, "nodes", "N1"};
  if (is_service_role(role)) return {d.service_names, d.services, ThingKind::service_name, ThingKind::service, clients_max, "services", role == "database" ? "bank" : "payments"};
  return {d.client_names, d.clients, ThingKind::client_name, ThingKind::client, clients_max, "clients", "P1"};
}

// producer "P1" { ... }, or producer("P1", { ... }).
Thing declare_named(Declarations& d, const VerbCall& call, const Verb& verb) {
  const Lists lists = lists_of(d, verb.role);
  const std::string example = fmt::format("{} \"{}\" {{ ... }}", call.verb, lists.example);
  DeclaredTable t{verb.role, name_argument(d, call, example.c_str()), {}, call.line};
  if (call.arguments.size() == 1) return add_table(d, lists.names, lists.name, std::move(t), declared_max, lists.what);
  if (!call.arguments[1].is_table()) d.fail(call.line, fmt::format("`{}` wants a table after the name, as {}", call.verb, example));
  t.table = call.arguments[1];
  return add_table(d, lists.all, lists.whole, std::move(t), lists.max, lists.what);
}

Thing declare_cluster(Declarations& d, const VerbCall& call, const Verb& verb) {
  DeclaredCluster c{verb.model, {}, call.line};
  if (!call.arguments.empty()) c.table = call.arguments[0];
  if (!c.table.is_nil() && !c.table.is_table()) d.fail(call.line, fmt::format("`{}` wants a table of options, as {} {{ profile = \"{}\" }}; not {}", call.verb, call.verb, verb.model->decl().default_profile, c.table.describe()));
  d.limit_declared(d.clusters.size() + 1, declared_max, call.line, "clusters");
  d.clusters.push_back(std::move(c));
  return {ThingKind::cluster, static_cast<std::int64_t>(d.clusters.size()) - 1};
}

Thing declare_expectation(Declarations& d, const VerbCall& call, const Verb&) {
  Expectation e;
  e.kind = call.verb == "reaches" ? Expectation::Kind::reaches : call.verb == "holds" ? Expectation::Kind::holds : call.verb == "finds" ? Expectation::Kind::finds : Expectation::Kind::violates;
  e.name = name_argument(d, call, e.kind == Expectation::Kind::reaches ? "reaches \"leader_elected\"" : "holds \"lost-message\"");
  e.line = call.line;
  if (call.arguments.size() > 1) d.fail(call.line, fmt::format("`{}` takes one name", call.verb));
  if (e.kind != Expectation::Kind::reaches && !find_anomaly(e.name)) {
    std::vector<std::string> known;
    for (const Anomaly& a : all_anomalies()) known.emplace_back(a.name);
    d.fail(call.line, fmt::format("there is no anomaly `{}`{}; `mqlab anomalies` lists them", e.name, did_you_mean(e.name, known)));
  }
  d.limit_declared(d.expectations.size() + 1, declared_max, call.line, "expectations");
  d.expectations.push_back(std::move(e));
  return {ThingKind::expectation, static_cast<std::int64_t>(d.expectations.size()) - 1};
}

Thing declare_scenario(Declarations& d, const VerbCall& call, const Verb&) {
  if (call.arguments.size() != 1 || !call.arguments[0].is_table())
    d.fail(call.line, fmt::format("`scenario` wants a table, as return scenario {{ ... }}, not {}", call.arguments.empty() ? "nothing" : call.arguments[0].describe()));
  return add_table(d, d.scenarios, ThingKind::scenario, {"scenario", "scenario", call.arguments[0], call.line}, 100, "scenarios");
}

// What does not depend on the models: the documents.
std::vector<Verb> model_free_verbs() {
  std::vector<Verb> all;
  const auto add = [&](const char* name, const char* group, const char* arguments, const char* sentence, auto run, const char* role = "") {
    Verb v;
    v.doc = {name, group, arguments, sentence};
    v.run = run;
    v.role = role;
    all.push_back(std::move(v));
  };
  add("scenario", "form", "{ cluster =, clients =, ... }", "What the file returns: the whole story, as a table.", declare_scenario);
  add("original", "form", "(function(...) text end)", "The text of another file, as it was, whose programs and nodes this one uses: `mqlab plan` and `mqlab shrink` write it so. For `based_on`.", nullptr);
  add("case", "form", "\"acks=all\" { why =, set =, faults =, only_faults =, expect = }", "One way to run the scenario: what differs, and what must be seen then.", declare_named, "case");
  add("design", "form", "\"rabbitmq:quorum\" { cluster =, why =, set =, expect = }", "One of several systems that the scenario is told on (`--on`, `mqlab compare`).", declare_named, "design");
  add("producer", "client", "\"P1\" { topic =, records =, every =, ... }", "Declared load: sends numbered messages. Options of producers and of the load.", declare_named, "producer");
  add("consumer", "client", "\"C1\" { topics = { ... }, ... }", "Declared load: reads. Options of consumers and of the load.", declare_named, "consumer");
  add("transform", "client", "\"T1\" { topics = { ... }, topic =, group =, transactional_id =, ... }", "Declared load: turns messages of some topics into messages of another. Options of producers, consumers and of this loop.", declare_named, "transform");
  add("client", "client", "\"X\" { program = function(c) ... end, ... }", "A program in virtual time. Options of producers and of consumers.", declare_named, "client");
  add("node", "node", "\"N1\" { on_message = function(self, from, kind, msg) ... end, ... }", "A node of your own, written in Lua.", declare_named, "node");
  add("database", "service", "\"bank\" { tables = { accounts = { unique = { \"email\" } } }, durability =, ... }", "A database beside the cluster: programs speak to it with c:database.", declare_named, "database");
  add("outside", "service", "\"payments\" { idempotency_keys =, fencing =, ... }", "The world outside, which counts what it was made to do: programs speak to it with c:outside.", declare_named, "outside");
  add("reaches", "expectation", "\"leader_elected\"", "The run must get there: the mark happens at least once.", declare_expectation);
  add("holds", "expectation", "\"lost-message\"", "The anomaly must not be found, and its checker must have seen something.", declare_expectation);
  add("violates", "expectation", "\"lost-message\"", "The anomaly must be found.", declare_expectation);
  add("finds", "expectation", "\"lost-message\"", "Chance decides: one run may show the anomaly or not, and of many seeds (`--seeds`) at least one must.", declare_expectation);
  add_timing_verbs(all);
  for (const FaultDecl& f : fault_kinds()) {
    Verb v;
    v.doc = {f.name, std::string("fault: ") + f.group, std::string("{ ") + f.fields + " }", f.sentence};
    v.run = declare_fault;
    v.fault = f.kind;
    all.push_back(std::move(v));
  }
  return all;
}

}  // namespace

Declarations::Declarations(const Models& m, std::string file, std::string_view text)
    : models(m), path(std::move(file)), map(text), verbs(all_verbs(m)) {}

void Declarations::fail(int line, const std::string& text) const { throw ScriptError(path, line, text); }

void Declarations::limit(std::size_t size, std::size_t max, int line, const char* what) const {
  if (size > max) fail(line, fmt::format("a scenario has at most {} {}", max, what));
}

Thing Declarations::call_thing(const Thing& t, const VerbCall& call) {
  const auto index = static_cast<std::size_t>(t.number);
  const bool one_table = call.arguments.size() == 1 && call.arguments[0].is_table();
  const auto finish = [&](const DeclaredTable& name, std::vector<DeclaredTable>& list, ThingKind kind, std::size_t max, const char* what) {
    if (!one_table) fail(call.line, fmt::format("`{} \"{}\"` wants a table, not {}", name.role, name.name, call.arguments.empty() ? "nothing" : call.arguments[0].describe()));
    DeclaredTable whole = name;
    whole.table = call.arguments[0];
    return add_table(*this, list, kind, std::move(whole), max, what);
  };
  switch (t.kind) {
    case ThingKind::client_name: return finish(client_names[index], clients, ThingKind::client, clients_max, "clients");
    case ThingKind::case_name: return finish(case_names[index], cases, ThingKind::case_, declared_max, "cases");
    case ThingKind::design_name: return finish(design_names[index], designs, ThingKind::design, 100, "designs");
    case ThingKind::service_name: return finish(service_names[index], services, ThingKind::service, clients_max, "services");
    case ThingKind::node_name: return finish(node_names[index], nodes, ThingKind::node, clients_max, "nodes");
    case ThingKind::fault: {
      if (!one_table) fail(call.line, fmt::format("after `{}` comes a table of fields, not {}", fault_decl(faults[index].kind).name, call.arguments.empty() ? "nothing" : call.arguments[0].describe()));
      Fault f = with_fields(*this, faults[index], call.arguments[0], call.line);
      limit_declared(faults.size() + 1, declared_max, call.line, "faults");
      faults.push_back(std::move(f));
      return {ThingKind::fault, static_cast<std::int64_t>(faults.size()) - 1};
    }
    case ThingKind::trigger: {
      if (!one_table) fail(call.line, fmt::format("after a trigger comes a table of fields, not {}", call.arguments.empty() ? "nothing" : call.arguments[0].describe()));
      DeclaredTrigger changed{with_fields(*this, triggers[index].trigger, call.arguments[0], call.line), call.line};
      limit_declared(triggers.size() + 1, declared_max, call.line, "triggers");
      triggers.push_back(std::move(changed));
      return {ThingKind::trigger, static_cast<std::int64_t>(triggers.size()) - 1};
    }
    default: fail(call.line, fmt::format("a {} can't be called (is a comma missing after it?)", thing_name(t.kind)));
  }
}

std::vector<Verb> all_verbs(const Models& models) {
  std::vector<Verb> all = model_free_verbs();
  for (const auto& m : models.all()) {
    Verb v;
    v.doc = {m->decl().name, "cluster", "{ profile =, ... }", m->decl().sentence};
    v.run = declare_cluster;
    v.model = m.get();
    all.push_back(std::move(v));
  }
  return all;
}

}  // namespace mqlab::script

namespace mqlab {

const std::vector<VerbDoc>& scenario_verbs() {
  static const std::vector<VerbDoc> all = [] {
    std::vector<VerbDoc> docs;
    for (const script::Verb& v : script::all_verbs(Models{})) docs.push_back(v.doc);
    for (const char* unit : {"ns", "us", "ms", "seconds", "minutes", "hours", "days"})
      docs.push_back({unit, "duration", "(5)", "A length of virtual time; durations can be added, compared, and multiplied by numbers."});
    for (const VerbDoc& d : script::program_verb_docs()) docs.push_back(d);
    for (const VerbDoc& d : script::node_verb_docs()) docs.push_back(d);
    return docs;
  }();
  return all;
}

const std::vector<VerbDoc>& scenario_fields() {
  static const std::vector<VerbDoc> all = {
      {"based_on", "field", "original(function(...) ... end)", "Clients have the programs of the clients of the same name in that file; its nodes, `messages` and `marks` are there."},
      {"title", "field", "text", "One line for lists."},
      {"chapter", "field", "text", "The chapter of the docs that it belongs to."},
      {"cluster", "field", "kafka { profile =, ... }", "The model, its profile, and the options of its cluster."},
      {"designs", "field", "{ design \"kafka\" { cluster = kafka { ... } }, ... }", "Instead of a cluster: several, and the story is told on one of them, the first when none is named."},
      {"nodes", "field", "{ node \"N1\" { ... }, ... }", "Nodes written in Lua, instead of a cluster."},
      {"messages", "field", "{ \"append\", ... }", "The kinds of messages that these nodes send."},
      {"marks", "field", "{ \"elected\", ... }", "The marks that programs and nodes of this file make."},
      {"topics", "field", "{ orders = { ... } }", "Topics and their options."},
      {"services", "field", "{ database \"bank\" { ... }, outside \"mail\" { ... } }", "Databases and the world outside, beside the cluster."},
      {"knobs", "field", "{ ttl = hours(1), way = \"naive\" }", "Options of the file's own, which programs find in `c.options`; a case or `--set` turns them."},
      {"clients", "field", "{ producer \"P1\" { ... }, ... }", "Who sends and reads."},
      {"faults", "field", "{ at(...), between(...), when(...) }", "What goes wrong, and when."},
      {"seed", "field", "number", "The run that the file tells of: `mqlab run` takes it when no other is asked for."},
      {"run_for", "field", "duration", "How long the story takes; 60 s when not said."},
      {"drain", "field", "{ limit =, restart = } or false", "How it ends: faults healed, processes restarted, everything read."},
      {"links", "field", "{ latency =, spread =, shape =, loss =, ... }", "What lies between two nodes of one region."},
      {"regions", "field", "{ { \"eu\", \"us\", latency = ms(40) } }", "What lies between two regions."},
      {"expect", "field", "{ reaches \"...\", holds \"...\", violates \"...\", finds \"...\" }", "What must be seen in every case."},
      {"cases", "field", "{ case \"...\" { ... } }", "Ways to run it."},
      {"sweep", "field", "{ acks = { 0, 1, \"all\" } }", "Every combination of these is run."},
      {"hunt", "field", "{ faults = \"one machine\", faults_max = 6, ... }", "What `mqlab hunt` may vary around it; the fields stand below."},
  };
  return all;
}

const std::vector<VerbDoc>& hunt_fields() {
  static const std::vector<VerbDoc> all = {
      {"faults", "hunt", "\"none\", \"one machine\", \"minority\" or \"anything\"", "How many servers may be in trouble at a time: none, one, fewer than half of a role, or whatever; \"one machine\" when not said."},
      {"faults_max", "hunt", "number", "So many faults a run at most; each run draws how many. 6 when not said."},
      {"from", "hunt", "duration", "Faults begin then; from a little before the first send when not said."},
      {"to", "hunt", "duration", "... and are drawn until then; until a while after the last send when not said."},
      {"kinds", "hunt", "{ \"kill\", \"isolate\", \"elect\", ... }", "Only these faults, and these verbs of the model; all that the budget allows when not said."},
      {"messages", "hunt", "{ \"Produce\", ... }", "Only these kinds of messages are held, dropped, delayed; all that are seen when not said."},
      {"options", "hunt", "{ acks = { \"1\", \"all\" }, brokers = { 3, 5 } }", "Options that take one of these values in each run."},
      {"own_faults", "hunt", "true or false", "The scenario's own faults stay, and those drawn come on top; true when not said."},
  };
  return all;
}

}  // namespace mqlab
