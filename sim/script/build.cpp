// The cluster, its options, and the order in which a scenario is built.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/script/builder.h"
#include "sim/script/lua_node.h"
#include "sim/script/nearest.h"
#include "sim/script/original.h"

namespace mqlab::script {

Scenario Builder::build() {
  std::vector<std::string> known;
  for (const VerbDoc& v : scenario_fields()) known.push_back(v.name);
  f_.allow(known);
  take_base();
  s_.path = d_.path;
  s_.lesson = head_comment(text_, s_.chapter);
  if (const auto v = f_.text("title")) s_.title = *v;
  if (const auto v = f_.text("chapter")) s_.chapter = *v;
  if (const auto v = f_.integer("seed", INT64_MIN, INT64_MAX)) s_.seed = static_cast<std::uint64_t>(*v);
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
  services();
  knobs();
  clients();
  take_design();
  s_.faults = faults(f_, "faults");
  if (const auto v = f_.duration("run_for", Fields::Sign::positive)) s_.run_for = *v;
  drain();
  links();
  s_.expect = expectations(f_, "expect");
  if (design_) {
    const Fields design(d_, fmt::format("design `{}`", design_->name), design_->table, design_->line);
    for (Expectation& e : expectations(design, "expect")) s_.expect.push_back(std::move(e));
  }
  cases();
  sweep();
  hunt();
  source_.original = std::string(text_);
  if (!bases_.empty() && !own_program_)
    if (auto text = carried_text(text_, d_.originals[static_cast<std::size_t>(f_.get("based_on")->thing()->number)])) source_.original = std::move(*text);
  return std::move(s_);
}

void Builder::take_base() {
  const DeclaredTable* at = &declared_;
  while (const LuaValue* v = base_fields(*at).get("based_on")) {
    const Fields f = base_fields(*at);
    const Thing* t = v->thing(ThingKind::original);
    if (!t) f.wrong("based_on", "what original(function(...) ... end) returned");
    for (const char* field : {"nodes", "messages", "marks"})
      if (f.has(field)) d_.fail(f.line_of(field), fmt::format("a scenario that is based on another has its `{}`: write them there", field));
    at = &d_.scenarios[static_cast<std::size_t>(d_.originals[static_cast<std::size_t>(t->number)].scenario)];
    bases_.push_back(at);
  }
}

void Builder::cluster() {
  const LuaValue* v = chosen_cluster();
  const Fields root = base_fields(root_scenario());
  if (root.has("nodes")) {
    model_ = d_.models.find("lua");
    if (!model_) d_.fail(root.line_of("nodes"), "nodes written in Lua need the model `lua`, which is not registered here");
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
  if (model_ && cluster_->model != model_) d_.fail(root.line_of("nodes"), "nodes written in Lua have a cluster of their own: leave `cluster` out, or write cluster = lua { ... }");
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

const LuaValue* Builder::chosen_cluster() {
  if (!f_.has("designs")) {
    if (!wanted_design_.empty()) d_.fail(declared_.line, fmt::format("the scenario has no `designs`, so `{}` can't be one of them", wanted_design_.substr(0, 60)));
    return f_.get("cluster");
  }
  for (const char* other : {"cluster", "nodes"})
    if (f_.has(other)) d_.fail(f_.line_of(other), fmt::format("the scenario has `{}` and `designs`: each design has a cluster of its own", other));
  return choose_design();
}

const LuaValue* Builder::choose_design() {
  const LuaValue* chosen = nullptr;
  std::vector<std::string> known;
  std::size_t index = 0;
  for (const LuaValue* v : f_.list("designs")) {
    const int at = f_.line_of_item("designs", index++);
    const Thing* t = v->thing(ThingKind::design);
    if (!t) d_.fail(at, fmt::format("`designs` is a list of designs, as design \"kafka\" {{ cluster = kafka {{ ... }} }}, and item {} is {}", index, v->describe()));
    const DeclaredTable& table = d_.designs[static_cast<std::size_t>(t->number)];
    if (std::find(known.begin(), known.end(), table.name) != known.end()) d_.fail(table.line, fmt::format("there are two designs `{}`", table.name));
    const Fields f(d_, fmt::format("design `{}`", table.name), table.table, table.line);
    f.allow({"cluster", "why", "set", "expect"});
    const LuaValue* cluster = f.get("cluster");
    const Thing* c = cluster ? cluster->thing(ThingKind::cluster) : nullptr;
    if (!c) f.wrong("cluster", "a model, as kafka { ... }");
    s_.designs.push_back({table.name, f.text("why").value_or(""), d_.clusters[static_cast<std::size_t>(c->number)].model->decl().name, table.line});
    known.push_back(table.name);
    if (chosen || (!wanted_design_.empty() && table.name != wanted_design_)) continue;
    chosen = cluster;
    design_ = &table;
    s_.design = table.name;
  }
  if (known.empty()) d_.fail(f_.line_of("designs"), "`designs` is empty");
  if (!chosen) d_.fail(declared_.line, fmt::format("the scenario has no design `{}`{}; it has {}", wanted_design_.substr(0, 60), did_you_mean(wanted_design_, known), fmt::join(known, ", ")));
  return chosen;
}

// What the design sets, before faults and cases.
void Builder::take_design() {
  if (!design_) return;
  const Fields f(d_, fmt::format("design `{}`", design_->name), design_->table, design_->line);
  for (const auto& [name, value] : f.named("set")) setting(name, *value, d_.map.line_of(design_->line, {"set", name}), s_.deployment);
}

void Builder::fail_profile(const std::string& name, int line) const {
  std::vector<std::string> known;
  std::string all;
  for (const ProfileDecl& p : model_->decl().profiles) {
    known.push_back(p.name);
    all += (all.empty() ? "" : ", ") + p.name;
  }
  d_.fail(line, fmt::format("{} has no profile `{}`: it has {}{}", model_->decl().name, name.substr(0, 60), all, did_you_mean(name, known)));
}

void Builder::cluster_options() {
  s_.deployment.cluster = defaults_[0];
  if (!cluster_) return;
  const Fields c(d_, s_.model, cluster_->table, cluster_->line);
  check_names(c, {"cluster"}, {"profile"});
  if (const LuaValue::Table* t = cluster_->table.table())
    for (const auto& [key, value] : *t)
      if (*key.text() != "profile") set(s_.deployment.cluster, "cluster", *key.text(), value, c);
}

void Builder::check_names(const Fields& f, const std::vector<std::string>& scopes, std::vector<std::string> also) const {
  for (const OptionDecl& o : decls_)
    if (std::find(scopes.begin(), scopes.end(), o.scope) != scopes.end() && std::find(also.begin(), also.end(), o.name) == also.end()) also.push_back(o.name);
  f.allow(also);
}

Value Builder::to_value(const LuaValue& v, const OptionDecl* decl, int line, const std::string& name) const {
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

void Builder::set(Options& o, const char* scope, const std::string& name, const LuaValue& v, const Fields& f) const { set(o, decls_, scope, name, v, f); }

void Builder::set(Options& o, const std::vector<OptionDecl>& decls, const std::string& scope, const std::string& name, const LuaValue& v, const Fields& f) const {
  const int line = f.line_of(name);
  const OptionDecl* decl = find_option(decls, scope, name);
  if (auto error = o.set(decls, scope, name, to_value(v, decl, line, name))) d_.fail(line, *error);
}

std::vector<std::string> Builder::own_words(const char* field) const {
  const Fields root = base_fields(root_scenario());
  std::vector<std::string> out = root.texts(field).value_or(std::vector<std::string>{});
  d_.limit(out.size(), 1'000, root.line_of(field), field);
  for (const std::string& w : out)
    if (w.empty() || w.size() > 100) d_.fail(root.line_of(field), fmt::format("`{}` are names of 1 to 100 bytes", field));
  return out;
}

void Builder::own_marks() {
  source_.marks = own_words("marks");
  source_.messages = own_words("messages");
  for (int k = send_kind; k < own_kinds; ++k)
    for (const std::string& m : source_.messages)
      if (m == lua_kind_name(static_cast<LuaKind>(k))) d_.fail(base_fields(root_scenario()).line_of("messages"), fmt::format("`{}` is what clients and nodes say to each other; choose another name", m));
  marks_ = source_.marks;
  for (const MarkDecl& m : model_->decl().marks) marks_.push_back(m.name);
  for (const MarkDecl& m : world_marks()) marks_.push_back(m.name);
  for (const MarkDecl& m : service_marks()) marks_.push_back(m.name);
  marks_.emplace_back("log");
}

Scenario build_scenario(const Declarations& d, const Thing& scenario, std::string_view text, const std::string& design, ScriptSource& source) {
  return Builder(d, scenario, text, design, source).build();
}

}  // namespace mqlab::script
