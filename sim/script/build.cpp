// From the declared tables to a Scenario: options, topics, clients, faults, expectations, cases.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/script/declare.h"
#include "sim/script/fields.h"
#include "sim/script/nearest.h"
#include "sim/script/lua_node.h"
#include "sim/script/program.h"
#include "sim/script/script_host.h"

namespace mqlab::script {
namespace {

class Builder {
 public:
  Builder(const Declarations& d, const Thing& thing, std::string_view text, ScriptSource& source)
      : d_(d), source_(source), declared_(d.scenarios[static_cast<std::size_t>(thing.number)]), f_(d, "the scenario", declared_.table, declared_.line), text_(text) {}

  Scenario build() {
    std::vector<std::string> known;
    for (const VerbDoc& v : scenario_fields()) known.push_back(v.name);
    f_.allow(known);
    s_.path = d_.path;
    s_.lesson = head_comment(text_, s_.chapter);
    if (const auto v = f_.text("title")) s_.title = *v;
    if (const auto v = f_.text("chapter")) s_.chapter = *v;
    cluster();
    decls_ = all_options(model_->decl());
    for (const char* scope : {"cluster", "topic", "producer", "consumer"}) {
      const auto defaults = profile_defaults(model_->decl(), s_.deployment.profile, scope);
      if (!defaults) fail_profile(s_.deployment.profile, declared_.line);
      defaults_.push_back(*defaults);
    }
    cluster_options();
    source_.model = model_;
    own_marks();
    nodes();
    topics();
    clients();
    s_.faults = faults(f_, "faults");
    if (const auto v = f_.duration("run_for", Fields::Sign::positive)) s_.run_for = *v;
    drain();
    links();
    s_.expect = expectations(f_, "expect");
    cases();
    sweep();
    return std::move(s_);
  }

 private:
  // --- the cluster ---
  void cluster() {
    const LuaValue* v = f_.get("cluster");
    if (f_.has("nodes")) {
      model_ = d_.models.find("lua");
      if (!model_) d_.fail(f_.line_of("nodes"), "nodes written in Lua need the model `lua`, which is not registered here");
    }
    std::string all;
    for (const auto& m : d_.models.all()) all += (all.empty() ? "" : ", ") + m->decl().name;
    if (!v) {
      if (!model_) d_.fail(declared_.line, fmt::format("the scenario has no `cluster`; write cluster = <model> {{ ... }}, with one of: {}", all));
      s_.model = model_->decl().name;
      s_.deployment.profile = model_->decl().default_profile;
      return;
    }
    const Thing* t = v->thing(ThingKind::cluster);
    if (!t) f_.wrong("cluster", fmt::format("a model, as {} {{ ... }}", d_.models.all().empty() ? "kafka" : d_.models.all()[0]->decl().name));
    cluster_ = &d_.clusters[static_cast<std::size_t>(t->number)];
    if (model_ && cluster_->model != model_) d_.fail(f_.line_of("nodes"), "nodes written in Lua have a cluster of their own: leave `cluster` out, or write cluster = lua { ... }");
    model_ = cluster_->model;
    s_.model = model_->decl().name;
    s_.deployment.profile = model_->decl().default_profile;
    const Fields c(d_, s_.model, cluster_->table, cluster_->line);
    if (const LuaValue* p = c.get("profile")) {
      if (!p->text()) c.wrong("profile", fmt::format("text, as \"{}\"", model_->decl().default_profile));
      s_.deployment.profile = *p->text();
      if (!profile_defaults(model_->decl(), s_.deployment.profile, "cluster")) fail_profile(s_.deployment.profile, c.line_of("profile"));
    }
  }

  [[noreturn]] void fail_profile(const std::string& name, int line) const {
    std::vector<std::string> known;
    std::string all;
    for (const ProfileDecl& p : model_->decl().profiles) {
      known.push_back(p.name);
      all += (all.empty() ? "" : ", ") + p.name;
    }
    d_.fail(line, fmt::format("{} has no profile `{}`: it has {}{}", model_->decl().name, name.substr(0, 60), all, did_you_mean(name, known)));
  }

  void cluster_options() {
    s_.deployment.cluster = defaults_[0];
    if (!cluster_) return;
    const Fields c(d_, s_.model, cluster_->table, cluster_->line);
    check_names(c, {"cluster"}, {"profile"});
    if (const LuaValue::Table* t = cluster_->table.table())
      for (const auto& [key, value] : *t)
        if (*key.text() != "profile") set(s_.deployment.cluster, "cluster", *key.text(), value, c);
  }

  // --- options ---
  void check_names(const Fields& f, const std::vector<std::string>& scopes, std::vector<std::string> also) const {
    for (const OptionDecl& o : decls_)
      if (std::find(scopes.begin(), scopes.end(), o.scope) != scopes.end() && std::find(also.begin(), also.end(), o.name) == also.end()) also.push_back(o.name);
    f.allow(also);
  }

  // The value as an option holds it. `duration`: the option is one; a duration elsewhere, and a number here, is wrong.
  Value to_value(const LuaValue& v, const OptionDecl* decl, int line, const std::string& name) const {
    const bool duration = decl && decl->type == OptionType::duration;
    const auto wrong = [&](const std::string& expected) { d_.fail(line, fmt::format("option `{}` wants {}, not {}", name, expected, v.describe())); };
    if (v.duration()) {
      if (decl && !duration) wrong(option_type_name(decl->type));
      if (v.duration()->ns > duration_max || v.duration()->ns < -duration_max) d_.fail(line, fmt::format("option `{}` must be at most 100 years, and is {}", name, format_duration(v.duration()->ns)));
      return v.duration()->ns;
    }
    if (duration && !(v.integer() && *v.integer() == 0)) wrong("a duration, as ms(250)");
    if (v.boolean()) return *v.boolean();
    if (v.integer()) return *v.integer();
    if (v.number()) {
      if (std::nearbyint(*v.number()) == *v.number() && std::fabs(*v.number()) < 9e15) return static_cast<std::int64_t>(*v.number());
      wrong(decl && decl->type != OptionType::integer ? option_type_name(decl->type) : "a whole number");
    }
    if (v.text()) {
      if (v.text()->size() > 10'000) d_.fail(line, fmt::format("option `{}` is a text of {} bytes; at most 10000 are taken", name, v.text()->size()));
      return *v.text();
    }
    if (v.is_table() && decl && decl->type == OptionType::list) {
      std::string joined;
      for (const LuaValue* item : v.items()) {
        if (!item->text() || item->text()->empty() || item->text()->find(',') != std::string::npos) wrong("a list of texts");
        joined += (joined.empty() ? "" : ",") + *item->text();
        if (joined.size() > 1'000'000) wrong("a shorter list");
      }
      if (v.items().size() != v.table()->size()) wrong("a list of texts");
      return joined;
    }
    wrong(decl ? option_type_name(decl->type) : "a number, a text, or true or false");
    return {};
  }

  void set(Options& o, const char* scope, const std::string& name, const LuaValue& v, const Fields& f) const {
    const int line = f.line_of(name);
    const OptionDecl* decl = find_option(decls_, scope, name);
    if (auto error = o.set(decls_, scope, name, to_value(v, decl, line, name))) d_.fail(line, *error);
  }

  // --- topics and clients ---
  void topics() {
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

  void clients() {
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

  ClientSpec client(const DeclaredTable& c, const Thing& thing) const {
    for (const ClientSpec& other : s_.deployment.clients)
      if (other.name == c.name) d_.fail(c.line, fmt::format("there are two clients `{}`; the other is on line {}", c.name, other.line));
    for (const TopicSpec& topic : s_.deployment.topics)
      if (topic.name == c.name) d_.fail(c.line, fmt::format("a client and a topic are both called `{}`", c.name));
    for (const NodeSpec& n : source_.nodes)
      if (n.name == c.name) d_.fail(c.line, fmt::format("a client and a node are both called `{}`", c.name));
    const Fields f(d_, fmt::format("{} `{}`", c.role, c.name), c.table, c.line);
    const bool program = c.role == "client";
    std::vector<std::string> own{"zone", "rack", "region"};
    if (program) own.insert(own.begin(), "program");
    check_names(f, program ? std::vector<std::string>{"producer", "consumer"} : std::vector<std::string>{c.role}, own);

    ClientSpec spec;
    spec.name = c.name;
    spec.role = c.role;
    spec.line = c.line;
    spec.options = defaults_[c.role == "consumer" ? 3 : 2];
    if (program) spec.consumer_options = defaults_[3];
    for (const auto& [key, v] : *c.table.table()) {
      const std::string& name = *key.text();
      if (name == "zone") spec.zone = *f.text("zone");
      else if (name == "rack") spec.rack = *f.text("rack");
      else if (name == "region") spec.region = *f.text("region");
      else if (program && name == "program") continue;
      else if (!program) set(spec.options, c.role.c_str(), name, v, f);
      else {
        if (find_option(decls_, "producer", name)) set(spec.options, "producer", name, v, f);
        if (find_option(decls_, "consumer", name)) set(spec.consumer_options, "consumer", name, v, f);
      }
    }
    check_node(spec.options, f.what(), f.line_of("node"));
    if (program) {
      const LuaValue* v = f.get("program");
      if (!v || !v->is_function()) {
        if (v) f.wrong("program", "a function(c) ... end");
        d_.fail(c.line, fmt::format("client `{}` has no `program`; write program = function(c) ... end, or use producer or consumer", c.name));
      }
      spec.app = make_program(static_cast<std::uint32_t>(thing.number), c.name);
    }
    return spec;
  }

  // --- faults and expectations ---
  // The words that the file adds to those of the model.
  std::vector<std::string> own_words(const char* field) const {
    std::vector<std::string> out = f_.texts(field).value_or(std::vector<std::string>{});
    d_.limit(out.size(), 1'000, f_.line_of(field), field);
    for (const std::string& w : out)
      if (w.empty() || w.size() > 100) d_.fail(f_.line_of(field), fmt::format("`{}` are names of 1 to 100 bytes", field));
    return out;
  }

  void own_marks() {
    source_.marks = own_words("marks");
    source_.messages = own_words("messages");
    for (int k = send_kind; k < own_kinds; ++k)
      for (const std::string& m : source_.messages)
        if (m == lua_kind_name(static_cast<LuaKind>(k))) d_.fail(f_.line_of("messages"), fmt::format("`{}` is what clients and nodes say to each other; choose another name", m));
    marks_ = source_.marks;
    for (const MarkDecl& m : model_->decl().marks) marks_.push_back(m.name);
    for (const MarkDecl& m : world_marks()) marks_.push_back(m.name);
    marks_.emplace_back("log");
  }

  // --- nodes in Lua ---
  void nodes() {
    std::size_t index = 0;
    for (const LuaValue* v : f_.list("nodes")) {
      const int at = f_.line_of_item("nodes", index++);
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

  NodeSpec node(const DeclaredTable& n, const Thing& thing) const {
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

  // A topic or a client of this model may name a node.
  void check_node(const Options& o, const std::string& what, int line) const {
    if (model_->decl().name != "lua" || !o.has("node") || o.text("node").empty()) return;
    std::vector<std::string> known;
    for (const NodeSpec& n : source_.nodes) known.push_back(n.name);
    if (std::find(known.begin(), known.end(), o.text("node")) == known.end())
      d_.fail(line, fmt::format("{} names the node `{}`, which is not there{}", what, o.text("node").substr(0, 60), did_you_mean(o.text("node"), known)));
  }

  void check_mark(const std::string& name, int line) const {
    if (std::find(marks_.begin(), marks_.end(), name) != marks_.end()) return;
    d_.fail(line, fmt::format("{} has no mark `{}`{}; `mqlab models {}` lists them", s_.model, name.substr(0, 60), did_you_mean(name, marks_), s_.model));
  }

  void add_planned(const LuaValue& v, const std::string& field, int line, std::vector<PlannedFault>& out) const {
    if (const Thing* t = v.thing(ThingKind::planned)) {
      for (const DeclaredPlan& p : d_.planned[static_cast<std::size_t>(t->number)]) {
        if (p.fault.trigger.on == Trigger::On::mark) check_mark(p.fault.trigger.name, p.line);
        if (p.fault.fault.kind == FaultKind::command) check_command(p.fault.fault);
        out.push_back(p.fault);
      }
      d_.limit(out.size(), declared_max, line, "faults");
      return;
    }
    if (v.thing(ThingKind::fault)) {
      const Fault& fault = d_.faults[static_cast<std::size_t>(v.thing()->number)];
      d_.fail(fault.line, fmt::format("`{}` has no time; write at(seconds(1), {} ...) or when(..., {} ...)", fault_decl(fault.kind).name, fault_decl(fault.kind).name, fault_decl(fault.kind).name));
    }
    d_.fail(line, fmt::format("`{}` is a list of at(...) and when(...), and here is {}", field, v.describe()));
  }

  void check_command(const Fault& f) const {
    const auto& verbs = model_->decl().verbs;
    if (verbs.empty() && model_->decl().name == "lua") return;
    std::vector<std::string> known;
    for (const VerbDecl& v : verbs) known.push_back(v.name);
    if (std::find(known.begin(), known.end(), f.verb) == known.end())
      d_.fail(f.line, fmt::format("{} has no command `{}`{}; `mqlab models {}` lists them", s_.model, f.verb.substr(0, 60), did_you_mean(f.verb, known), s_.model));
  }

  std::vector<PlannedFault> faults(const Fields& f, const char* field) const {
    std::vector<PlannedFault> out;
    std::size_t index = 0;
    for (const LuaValue* v : f.list(field)) add_planned(*v, field, f.line_of_item(field, index++), out);
    return out;
  }

  std::vector<Expectation> expectations(const Fields& f, const char* field) const {
    std::vector<Expectation> out;
    const LuaValue* one = f.get(field);
    if (one && one->thing(ThingKind::expectation)) {
      take_expectation(*one, f.line_of(field), out);
      return out;
    }
    std::size_t index = 0;
    for (const LuaValue* v : f.list(field)) take_expectation(*v, f.line_of_item(field, index++), out);
    return out;
  }
  void take_expectation(const LuaValue& v, int line, std::vector<Expectation>& out) const {
    const Thing* t = v.thing(ThingKind::expectation);
    if (!t) d_.fail(line, fmt::format("`expect` is a list of reaches, holds and violates, as violates \"lost-message\", and here is {}", v.describe()));
    const Expectation& e = d_.expectations[static_cast<std::size_t>(t->number)];
    if (e.kind == Expectation::Kind::reaches) check_mark(e.name, e.line);
    out.push_back(e);
  }

  // --- the rest ---
  void drain() {
    const LuaValue* v = f_.get("drain");
    if (!v) return;
    if (v->boolean()) {
      s_.drain.enabled = *v->boolean();
      return;
    }
    if (!v->is_table()) f_.wrong("drain", "{ limit = minutes(5), restart = true }, or false");
    const Fields d(d_, "`drain`", *v, declared_.line, {"drain"});
    d.allow({"limit", "restart"});
    if (const auto limit = d.duration("limit", Fields::Sign::positive)) s_.drain.limit = *limit;
    if (const auto restart = d.boolean("restart")) s_.drain.restart = *restart;
  }

  LinkOptions link(const Fields& f, bool pair) const {
    f.allow({"latency", "spread", "shape", "slow_share", "loss", "duplicate", "reorder", "bytes_per_second"}, pair);
    LinkOptions l;
    const auto share = [&](const char* name, Ratio& to) {
      if (const auto r = f.ratio(name)) {
        if (r->part > r->of || r->of > 1'000'000'000) d_.fail(f.line_of(name), fmt::format("`{}` is a share from 0 to 1, as 0.01 or {{ 1, 100 }}", name));
        to = *r;
      }
    };
    if (const auto v = f.duration("latency")) l.latency = *v;
    if (const auto v = f.duration("spread")) l.spread = *v;
    if (const auto v = f.text("shape")) {
      static const std::vector<std::string> names{"constant", "uniform", "exponential", "bimodal"};
      const auto it = std::find(names.begin(), names.end(), *v);
      if (it == names.end()) d_.fail(f.line_of("shape"), fmt::format("`shape` is one of constant, uniform, exponential, bimodal; not `{}`{}", v->substr(0, 60), did_you_mean(*v, names)));
      l.shape = static_cast<LatencyShape>(it - names.begin());
    }
    share("slow_share", l.slow_share);
    share("loss", l.loss);
    share("duplicate", l.duplicate);
    share("reorder", l.reorder);
    if (const auto v = f.integer("bytes_per_second", 0, 1'000'000'000'000)) l.bytes_per_second = static_cast<std::uint64_t>(*v);
    return l;
  }

  void links() {
    if (const LuaValue* v = f_.get("links")) {
      s_.link = link(Fields(d_, "`links`", *v, declared_.line, {"links"}), false);
      s_.has_link = true;
    }
    std::size_t index = 0;
    for (const LuaValue* v : f_.list("regions")) {
      const int line = f_.line_of_item("regions", index++);
      const Fields r(d_, "a pair of regions", *v, declared_.line, {"regions", fmt::format("[{}]", index)});
      const auto items = v->items();
      if (items.size() != 2 || !items[0]->text() || !items[1]->text()) d_.fail(line, "`regions` is a list of pairs, as { \"eu\", \"us\", latency = ms(40) }");
      d_.limit(index, 1'000, line, "pairs of regions");
      const LinkOptions l = link(r, true);
      s_.regions.emplace_back(*items[0]->text(), *items[1]->text(), l);
      s_.regions.emplace_back(*items[1]->text(), *items[0]->text(), l);
    }
  }

  // The declaration that a setting speaks of: "acks", "P1.acks", "orders.min_insync", "cluster.x".
  const OptionDecl* setting_decl(const std::string& name) const {
    const std::size_t dot = name.find('.');
    const std::string option = dot == std::string::npos ? name : name.substr(dot + 1);
    const std::string owner = dot == std::string::npos ? "" : name.substr(0, dot);
    for (const ClientSpec& c : s_.deployment.clients)
      if (dot != std::string::npos && c.name == owner && c.role != "client") return find_option(decls_, c.role, option);
    for (const TopicSpec& t : s_.deployment.topics)
      if (dot != std::string::npos && t.name == owner) return find_option(decls_, "topic", option);
    for (const OptionDecl& o : decls_)
      if (o.name == option) return &o;
    return nullptr;
  }

  Setting setting(const std::string& name, const LuaValue& v, int line, Deployment& trial) const {
    Setting s{name, Value{}, false, line};
    if (name == "profile") {
      if (!v.text()) d_.fail(line, fmt::format("`profile` wants text, as \"{}\", not {}", model_->decl().default_profile, v.describe()));
      s.value = *v.text();
    } else {
      s.value = to_value(v, setting_decl(name), line, name.substr(0, 60));
    }
    if (auto error = apply_setting(*model_, trial, s)) d_.fail(line, *error);
    return s;
  }

  void cases() {
    std::size_t index = 0;
    for (const LuaValue* v : f_.list("cases")) {
      const int at = f_.line_of_item("cases", index++);
      if (const Thing* t = v->thing(ThingKind::case_name)) {
        const DeclaredTable& c = d_.case_names[static_cast<std::size_t>(t->number)];
        d_.fail(c.line, fmt::format("`case \"{}\"` has no table; write case \"{}\" {{ set = {{ ... }}, expect = {{ ... }} }}", c.name, c.name));
      }
      const Thing* t = v->thing(ThingKind::case_);
      if (!t) d_.fail(at, fmt::format("`cases` is a list of cases, as case \"acks=all\" {{ ... }}, and item {} is {}", index, v->describe()));
      s_.cases.push_back(one_case(d_.cases[static_cast<std::size_t>(t->number)]));
      d_.limit(s_.cases.size(), 1'000, at, "cases");
    }
  }

  ScenarioCase one_case(const DeclaredTable& c) const {
    for (const ScenarioCase& other : s_.cases)
      if (other.name == c.name) d_.fail(c.line, fmt::format("there are two cases `{}`; the other is on line {}", c.name, other.line));
    const Fields f(d_, fmt::format("case `{}`", c.name), c.table, c.line);
    f.allow({"why", "set", "faults", "only_faults", "expect"});
    ScenarioCase out;
    out.name = c.name;
    out.line = c.line;
    if (const auto v = f.text("why")) out.sentence = *v;
    Deployment trial = s_.deployment;
    for (const auto& [name, value] : f.named("set")) out.set.push_back(setting(name, *value, d_.map.line_of(c.line, {"set", name}), trial));
    // A profile comes first: it changes what was not said.
    std::stable_partition(out.set.begin(), out.set.end(), [](const Setting& s) { return s.name == "profile"; });
    if (f.has("only_faults") && f.has("faults")) d_.fail(f.line_of("only_faults"), fmt::format("case `{}` has both `faults` (added to the scenario's) and `only_faults` (instead of them)", c.name));
    out.own_faults = f.has("only_faults");
    out.faults = faults(f, out.own_faults ? "only_faults" : "faults");
    out.expect = expectations(f, "expect");
    return out;
  }

  void sweep() {
    std::size_t runs = 1;
    for (const auto& [name, value] : f_.named("sweep")) {
      const int line = d_.map.line_of(declared_.line, {"sweep", name});
      Sweep out{name, {}, line};
      const auto items = value->items();
      if (!value->is_table() || items.empty() || items.size() != value->table()->size())
        d_.fail(line, fmt::format("`{}` in `sweep` wants a list of values, as {{ 1, 3 }}, not {}", name.substr(0, 60), value->is_table() ? "an empty table or one with names" : value->describe()));
      runs *= items.size();
      d_.limit(runs, declared_max, line, "combinations in its sweep");
      for (const LuaValue* v : items) {
        Deployment trial = s_.deployment;
        out.values.push_back(setting(name, *v, line, trial).value);
      }
      s_.sweep.push_back(std::move(out));
    }
    std::stable_partition(s_.sweep.begin(), s_.sweep.end(), [](const Sweep& s) { return s.name == "profile"; });
  }

  const Declarations& d_;
  ScriptSource& source_;
  const DeclaredTable& declared_;
  const Fields f_;
  std::string_view text_;
  Scenario s_;
  const Model* model_ = nullptr;
  const DeclaredCluster* cluster_ = nullptr;
  std::vector<OptionDecl> decls_;
  std::vector<Options> defaults_;  // cluster, topic, producer, consumer
  std::vector<std::string> marks_;
};

}  // namespace

Scenario build_scenario(const Declarations& d, const Thing& scenario, std::string_view text, ScriptSource& source) {
  return Builder(d, scenario, text, source).build();
}

}  // namespace mqlab::script
