// What happens, what must be seen, and the ways to run it.
#include <fmt/format.h>

#include <algorithm>

#include "sim/script/builder.h"
#include "sim/script/nearest.h"

namespace mqlab::script {

void Builder::check_mark(const std::string& name, int line) const {
  if (std::find(marks_.begin(), marks_.end(), name) != marks_.end()) return;
  d_.fail(line, fmt::format("{} has no mark `{}`{}; `mqlab models {}` lists them", s_.model, name.substr(0, 60), did_you_mean(name, marks_), s_.model));
}

void Builder::add_planned(const LuaValue& v, const std::string& field, int line, std::vector<PlannedFault>& out) const {
  if (const Thing* t = v.thing(ThingKind::planned)) {
    for (const DeclaredPlan& p : d_.planned[static_cast<std::size_t>(t->number)]) {
      if (p.fault.trigger.on == Trigger::On::mark) check_mark(p.fault.trigger.name, p.line);
      if (p.fault.fault.kind == FaultKind::command) check_command(p.fault.fault);
      for (const Fault& other : p.fault.others)
        if (other.kind == FaultKind::command) check_command(other);
      out.push_back(p.fault);
    }
    d_.limit(out.size(), declared_max, line, "faults");
    return;
  }
  if (v.thing(ThingKind::fault)) {
    const Fault& fault = d_.faults[static_cast<std::size_t>(v.thing()->number)];
    d_.fail(fault.line, fmt::format("`{}` has no time; write at(seconds(1), {} ...) or when(..., {} ...)", fault_decl(fault.kind).name, fault_decl(fault.kind).name, fault_decl(fault.kind).name));
  }
  d_.fail(line, fmt::format("`{}` is a list of at(...), between(...) and when(...), and here is {}", field, v.describe()));
}

void Builder::check_command(const Fault& f) const {
  const auto& verbs = model_->decl().verbs;
  if (verbs.empty() && model_->decl().name == "lua") return;
  std::vector<std::string> known;
  for (const VerbDecl& v : verbs) known.push_back(v.name);
  if (std::find(known.begin(), known.end(), f.verb) == known.end())
    d_.fail(f.line, fmt::format("{} has no command `{}`{}; `mqlab models {}` lists them", s_.model, f.verb.substr(0, 60), did_you_mean(f.verb, known), s_.model));
}

std::vector<PlannedFault> Builder::faults(const Fields& f, const char* field) const {
  std::vector<PlannedFault> out;
  std::size_t index = 0;
  for (const LuaValue* v : f.list(field)) add_planned(*v, field, f.line_of_item(field, index++), out);
  return out;
}

std::vector<Expectation> Builder::expectations(const Fields& f, const char* field) const {
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

void Builder::take_expectation(const LuaValue& v, int line, std::vector<Expectation>& out) const {
  const Thing* t = v.thing(ThingKind::expectation);
  if (!t) d_.fail(line, fmt::format("`expect` is a list of reaches, holds, violates and finds, as violates \"lost-message\", and here is {}", v.describe()));
  const Expectation& e = d_.expectations[static_cast<std::size_t>(t->number)];
  if (e.kind == Expectation::Kind::reaches) check_mark(e.name, e.line);
  out.push_back(e);
}

void Builder::drain() {
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

LinkOptions Builder::link(const Fields& f, bool pair) const {
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

void Builder::links() {
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

const OptionDecl* Builder::setting_decl(const std::string& name) const {
  const std::size_t dot = name.find('.');
  const std::string option = dot == std::string::npos ? name : name.substr(dot + 1);
  const std::string owner = dot == std::string::npos ? "" : name.substr(0, dot);
  for (const ClientSpec& c : s_.deployment.clients)
    if (dot != std::string::npos && c.name == owner && c.role != "client") return find_option(decls_, c.role, option);
  for (const TopicSpec& t : s_.deployment.topics)
    if (dot != std::string::npos && t.name == owner) return find_option(decls_, "topic", option);
  for (const ServiceSpec& v : s_.deployment.services)
    if (dot != std::string::npos && v.name == owner) return find_option(service_options(), v.role, option);
  if (dot == std::string::npos)
    if (const OptionDecl* knob = find_option(s_.deployment.knob_decls, "knob", option)) return knob;
  for (const OptionDecl& o : decls_)
    if (o.name == option) return &o;
  return nullptr;
}

Setting Builder::setting(const std::string& name, const LuaValue& v, int line, Deployment& trial) const {
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

void Builder::cases() {
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

ScenarioCase Builder::one_case(const DeclaredTable& c) const {
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

std::vector<Value> Builder::values_of(const std::string& name, const LuaValue& list, int line, const char* field) const {
  const auto items = list.items();
  if (!list.is_table() || items.empty() || items.size() != list.table()->size())
    d_.fail(line, fmt::format("`{}` in `{}` wants a list of values, as {{ 1, 3 }}, not {}", name.substr(0, 60), field, list.is_table() ? "an empty table or one with names" : list.describe()));
  std::vector<Value> out;
  for (const LuaValue* v : items) {
    Deployment trial = s_.deployment;
    out.push_back(setting(name, *v, line, trial).value);
  }
  return out;
}

void Builder::sweep() {
  std::size_t runs = 1;
  for (const auto& [name, value] : f_.named("sweep")) {
    const int line = d_.map.line_of(declared_.line, {"sweep", name});
    Sweep out{name, {}, line};
    runs *= std::max<std::size_t>(1, value->items().size());
    d_.limit(runs, declared_max, line, "combinations in its sweep");
    out.values = values_of(name, *value, line, "sweep");
    s_.sweep.push_back(std::move(out));
  }
  std::stable_partition(s_.sweep.begin(), s_.sweep.end(), [](const Sweep& s) { return s.name == "profile"; });
}

}  // namespace mqlab::script
