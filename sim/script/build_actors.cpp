// Who takes part: nodes in Lua, topics, clients.
#include <fmt/format.h>

#include <algorithm>

#include "sim/lab/load.h"
#include "sim/lab/transform_loop.h"
#include "sim/script/builder.h"
#include "sim/script/nearest.h"

namespace mqlab::script {

void Builder::nodes() {
  const Fields root = base_fields(root_scenario());
  std::size_t index = 0;
  for (const LuaValue* v : root.list("nodes")) {
    const int at = root.line_of_item("nodes", index++);
    const Thing* t = v->thing(ThingKind::node);
    if (const Thing* name = v->thing(ThingKind::node_name)) {
      const DeclaredTable& n = d_.node_names[static_cast<std::size_t>(name->number)];
      d_.fail(n.line, fmt::format("`node \"{}\"` has no table; write node \"{}\" {{ on_message = ... }}", n.name, n.name));
    }
    if (!t) d_.fail(at, fmt::format("`nodes` is a list of nodes, as node \"N1\" {{ ... }}, and item {} is {}", index, v->describe()));
    d_.limit(index, clients_max, at, "nodes");
    source_.nodes.push_back(node(d_.nodes[static_cast<std::size_t>(t->number)], *t));
  }
  if (model_->decl().name == "lua" && source_.nodes.empty()) d_.fail(declared_.line, "the model `lua` has the nodes that the file writes: nodes = { node \"N1\" { ... } }");
}

NodeSpec Builder::node(const DeclaredTable& n, const Thing& thing) const {
  for (const NodeSpec& other : source_.nodes)
    if (other.name == n.name) d_.fail(n.line, fmt::format("there are two nodes `{}`", n.name));
  const Fields f(d_, fmt::format("node `{}`", n.name), n.table, n.line);
  static const std::vector<std::string> handlers{"on_start", "on_message", "on_timer", "on_call", "on_closed", "on_stop", "on_command"};
  std::vector<std::string> known = handlers;
  for (const char* name : {"durable", "role", "machine", "zone", "rack", "region", "workers", "service", "sync_latency"}) known.emplace_back(name);
  f.allow(known);
  for (const std::string& h : handlers)
    if (f.has(h) && !f.get(h)->is_function()) f.wrong(h, "a function(self, ...) ... end");
  NodeSpec spec;
  spec.name = n.name;
  spec.number = thing.number;
  spec.takes_calls = f.has("on_call");
  spec.options.name = n.name;
  if (const auto v = f.text("role")) spec.options.role = *v;
  if (const auto v = f.text("machine")) spec.options.machine = *v;
  if (const auto v = f.text("zone")) spec.options.zone = *v;
  if (const auto v = f.text("rack")) spec.options.rack = *v;
  if (const auto v = f.text("region")) spec.options.region = *v;
  if (const auto v = f.integer("workers", 1, 1'000)) spec.options.workers = static_cast<std::uint32_t>(*v);
  const auto within_an_hour = [&](const char* name) {
    const auto v = f.duration(name);
    if (v && *v > 3'600'000'000'000) d_.fail(f.line_of(name), fmt::format("`{}` of {} must be at most an hour", name, f.what()));
    return v;
  };
  if (const auto v = within_an_hour("service")) spec.options.service = *v;
  if (const auto v = within_an_hour("sync_latency")) spec.options.disk.sync_latency = *v;
  spec.durable = make_table({});
  if (const LuaValue* v = f.get("durable")) {
    if (!v->is_table()) f.wrong("durable", "a table");
    if (const char* bad = v->not_plain()) d_.fail(f.line_of("durable"), fmt::format("`durable` of {} holds a {}: only numbers, texts, truth values, durations and tables of them last", f.what(), bad));
    spec.durable = *v;
  }
  return spec;
}

void Builder::check_node(const Options& o, const std::string& what, int line) const {
  if (model_->decl().name != "lua" || !o.has("node") || o.text("node").empty()) return;
  std::vector<std::string> known;
  for (const NodeSpec& n : source_.nodes) known.push_back(n.name);
  if (std::find(known.begin(), known.end(), o.text("node")) == known.end())
    d_.fail(line, fmt::format("{} names the node `{}`, which is not there{}", what, o.text("node").substr(0, 60), did_you_mean(o.text("node"), known)));
}

void Builder::topics() {
  const auto all = f_.named("topics");
  d_.limit(all.size(), declared_max, f_.line_of("topics"), "topics");
  std::int64_t partitions = 0;
  for (const auto& [name, value] : all) {
    const Fields t(d_, fmt::format("topic `{}`", name.substr(0, 60)), *value, declared_.line, {"topics", name});
    const int line = f_.line_of("topics") == declared_.line ? declared_.line : d_.map.line_of(declared_.line, {"topics", name});
    if (name.empty() || name.size() > 249 || name.find_first_of("/, ") != std::string::npos)
      d_.fail(line, fmt::format("a topic's name has 1 to 249 bytes, no space, comma or slash; not \"{}\"", name.substr(0, 60)));
    if (!value->is_table()) d_.fail(line, fmt::format("topic `{}` is a table of options, as {{ partitions = 1 }}, not {}", name, value->describe()));
    check_names(t, {"topic"}, {});
    TopicSpec spec{name, defaults_[1], line};
    for (const auto& [key, v] : *value->table()) set(spec.options, "topic", *key.text(), v, t);
    check_node(spec.options, fmt::format("topic `{}`", name), t.line_of("node"));
    if (spec.options.has("partitions")) partitions += spec.options.integer("partitions");
    d_.limit(static_cast<std::size_t>(std::max<std::int64_t>(0, partitions)), declared_max, line, "partitions in all topics together");
    s_.deployment.topics.push_back(std::move(spec));
  }
}

void Builder::services() {
  std::size_t index = 0;
  for (const LuaValue* v : f_.list("services")) {
    const int at = f_.line_of_item("services", index++);
    if (const Thing* t = v->thing(ThingKind::service_name)) {
      const DeclaredTable& n = d_.service_names[static_cast<std::size_t>(t->number)];
      d_.fail(n.line, fmt::format("`{} \"{}\"` has no table; write {} \"{}\" {{ ... }}", n.role, n.name, n.role, n.name));
    }
    const Thing* t = v->thing(ThingKind::service);
    if (!t) d_.fail(at, fmt::format("`services` is a list of databases and outsides, as database \"bank\" {{ ... }}, and item {} is {}", index, v->describe()));
    d_.limit(index, clients_max, at, "services");
    const DeclaredTable& declared = d_.services[static_cast<std::size_t>(t->number)];
    for (const ServiceSpec& other : s_.deployment.services)
      if (other.name == declared.name) d_.fail(declared.line, fmt::format("there are two services `{}`; the other is on line {}", declared.name, other.line));
    const Fields f(d_, fmt::format("{} `{}`", declared.role, declared.name), declared.table, declared.line);
    std::vector<std::string> known{"zone", "rack", "region"};
    for (const OptionDecl& o : service_options())
      if (o.scope == declared.role) known.push_back(o.name);
    ServiceSpec spec{declared.name, declared.role, service_defaults(declared.role), {}, {}, {}, {}, declared.line};
    if (declared.role == "database") known.insert(known.begin(), "tables");
    f.allow(known);
    if (declared.role == "database") spec.tables = tables(f);
    for (const auto& [key, value] : *declared.table.table()) {
      const std::string& name = *key.text();
      if (name == "zone") spec.zone = *f.text("zone");
      else if (name == "rack") spec.rack = *f.text("rack");
      else if (name == "region") spec.region = *f.text("region");
      else if (name != "tables") set(spec.options, service_options(), declared.role, name, value, f);
    }
    s_.deployment.services.push_back(std::move(spec));
  }
  source_.services = s_.deployment.services;
}

// { "orders", "outbox" }, or { accounts = { unique = { "email" } } }, or both.
std::vector<TableSpec> Builder::tables(const Fields& f) const {
  const LuaValue* all = f.get("tables");
  if (!all) d_.fail(f.line(), fmt::format("{} has no `tables`; write tables = {{ accounts = {{ unique = {{ \"email\" }} }} }}, or a list of names", f.what()));
  if (!all->is_table()) f.wrong("tables", "a table { accounts = { unique = { \"email\" } } }, or a list of names");
  std::vector<TableSpec> out;
  for (const auto& [key, value] : *all->table()) {
    const int line = key.text() ? d_.map.line_of(f.line(), {"tables", *key.text()}) : f.line_of("tables");
    TableSpec t;
    if (key.text()) {
      const Fields one(d_, fmt::format("table `{}`", key.text()->substr(0, 60)), value, f.line(), {"tables", *key.text()});
      one.allow({"unique"});
      t = {*key.text(), one.texts("unique").value_or(std::vector<std::string>{})};
    } else if (key.integer() && value.text()) {
      t = {*value.text(), {}};
    } else {
      d_.fail(line, fmt::format("`tables` are names, as {{ \"orders\" }} or {{ orders = {{}} }}, and here is {}", value.describe()));
    }
    if (t.name.empty() || t.name.size() > 100) d_.fail(line, "a table's name has 1 to 100 bytes");
    for (const TableSpec& other : out)
      if (other.name == t.name) d_.fail(line, fmt::format("there are two tables `{}`", t.name));
    out.push_back(std::move(t));
    d_.limit(out.size(), 1'000, line, "tables in a database");
  }
  if (out.empty()) f.wrong("tables", "at least one table");
  return out;
}

void Builder::knobs() {
  for (const auto& [name, value] : f_.named("knobs")) {
    const int line = d_.map.line_of(declared_.line, {"knobs", name});
    if (name.empty() || name.size() > 60 || name.find('.') != std::string::npos) d_.fail(line, "a knob's name has 1 to 60 bytes and no dot");
    for (const OptionDecl& o : decls_)
      if (o.name == name) d_.fail(line, fmt::format("`{}` is an option of {} already: call the knob something else", name, o.scope));
    OptionDecl decl{name, "knob", OptionType::text, to_value(*value, nullptr, line, name), "Of the scenario's own."};
    if (value->duration()) decl.type = OptionType::duration;
    else if (value->boolean()) decl.type = OptionType::boolean;
    else if (value->number() || value->integer()) decl.type = OptionType::integer;
    s_.deployment.knob_decls.push_back(std::move(decl));
    d_.limit(s_.deployment.knob_decls.size(), 1'000, line, "knobs");
  }
  s_.deployment.knobs = Options::defaults(s_.deployment.knob_decls, "knob");
}

void Builder::clients() {
  std::size_t index = 0;
  for (const LuaValue* v : f_.list("clients")) {
    const int at = f_.line_of_item("clients", index++);
    if (const Thing* t = v->thing(ThingKind::client_name)) {
      const DeclaredTable& c = d_.client_names[static_cast<std::size_t>(t->number)];
      d_.fail(c.line, fmt::format("`{} \"{}\"` has no table of options; write {} \"{}\" {{ ... }}", c.role, c.name, c.role, c.name));
    }
    const Thing* t = v->thing(ThingKind::client);
    if (!t) d_.fail(at, fmt::format("`clients` is a list of clients, as producer \"P1\" {{ ... }}, and item {} is {}", index, v->describe()));
    d_.limit(index, clients_max, at, "clients");
    s_.deployment.clients.push_back(client(d_.clients[static_cast<std::size_t>(t->number)], *t));
  }
}

// Options of the declared producer and consumer that this loop does not read.
void Builder::refuse_other_loads(const std::string& name, const Fields& f) const {
  bool read = false;
  bool load = false;
  for (const OptionDecl& o : load_options()) {
    if (o.name != name || o.scope == "transform") continue;
    load = true;
    read = read || transform_reads(o.scope, name);
  }
  if (load && !read) d_.fail(f.line_of(name), fmt::format("{} has no `{}`: that is an option of declared producers or consumers", f.what(), name));
}

std::int64_t Builder::program_of(const DeclaredTable& c, const Thing& thing, const Fields& f) {
  if (const LuaValue* v = f.get("program")) {
    if (!v->is_function()) f.wrong("program", "a function(c) ... end");
    own_program_ = true;
    return thing.number;
  }
  std::vector<std::string> known;
  for (const DeclaredTable* base : bases_)
    for (const LuaValue* v : base_fields(*base).list("clients")) {
      const Thing* t = v->thing(ThingKind::client);
      const DeclaredTable* other = t ? &d_.clients[static_cast<std::size_t>(t->number)] : nullptr;
      if (!other || other->role != "client" || !other->table.field("program")) continue;
      if (other->name == c.name) return t->number;
      known.push_back(other->name);
    }
  if (bases_.empty()) d_.fail(c.line, fmt::format("client `{}` has no `program`; write program = function(c) ... end, or use producer or consumer", c.name));
  d_.fail(c.line, fmt::format("client `{}` has no `program`, and the file that this scenario is based on has none for a client of that name{}", c.name, did_you_mean(c.name, known)));
}

ClientSpec Builder::client(const DeclaredTable& c, const Thing& thing) {
  for (const ClientSpec& other : s_.deployment.clients)
    if (other.name == c.name) d_.fail(c.line, fmt::format("there are two clients `{}`; the other is on line {}", c.name, other.line));
  for (const TopicSpec& topic : s_.deployment.topics)
    if (topic.name == c.name) d_.fail(c.line, fmt::format("a client and a topic are both called `{}`", c.name));
  for (const NodeSpec& n : source_.nodes)
    if (n.name == c.name) d_.fail(c.line, fmt::format("a client and a node are both called `{}`", c.name));
  for (const ServiceSpec& v : s_.deployment.services)
    if (v.name == c.name) d_.fail(c.line, fmt::format("a client and a service are both called `{}`", c.name));
  const Fields f(d_, fmt::format("{} `{}`", c.role, c.name), c.table, c.line);
  const bool program = c.role == "client";
  const bool transform = c.role == "transform";
  std::vector<std::string> own{"zone", "rack", "region"};
  if (program) own.insert(own.begin(), "program");
  check_names(f, program ? std::vector<std::string>{"producer", "consumer"} : transform ? std::vector<std::string>{"producer", "consumer", "transform"} : std::vector<std::string>{c.role}, own);

  ClientSpec spec;
  spec.name = c.name;
  spec.role = transform ? "client" : c.role;
  spec.line = c.line;
  spec.options = defaults_[c.role == "consumer" ? 3 : 2];
  if (program || transform) spec.consumer_options = defaults_[3];
  if (transform)
    for (const OptionDecl& o : transform_load_options()) spec.options.set_default(o.name, o.value);
  for (const auto& [key, v] : *c.table.table()) {
    const std::string& name = *key.text();
    if (name == "zone") spec.zone = *f.text("zone");
    else if (name == "rack") spec.rack = *f.text("rack");
    else if (name == "region") spec.region = *f.text("region");
    else if (program && name == "program") continue;
    else if (!program && !transform) set(spec.options, c.role.c_str(), name, v, f);
    else if (transform && find_option(decls_, "transform", name)) set(spec.options, "transform", name, v, f);
    else {
      if (transform) refuse_other_loads(name, f);
      if (find_option(decls_, "producer", name)) set(spec.options, "producer", name, v, f);
      if (find_option(decls_, "consumer", name)) set(spec.consumer_options, "consumer", name, v, f);
    }
  }
  check_node(spec.options, f.what(), f.line_of("node"));
  if (transform) {
    if (const auto error = check_transform(spec.options, spec.consumer_options)) d_.fail(c.line, fmt::format("{} {}", f.what(), *error));
    spec.app = std::make_unique<TransformLoop>();
  }
  if (program) spec.app = make_program(static_cast<std::uint32_t>(program_of(c, thing, f)), c.name);
  return spec;
}

}  // namespace mqlab::script
