#include "sim/script/print_scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/lab/transform_loop.h"
#include "sim/script/original.h"
#include "sim/script/program.h"
#include "sim/script/script_host.h"

namespace mqlab {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char ch : text) {
    if (ch == '"' || ch == '\\') out += std::string("\\") + ch;
    else if (ch == '\n') out += "\\n";
    else if (static_cast<unsigned char>(ch) < 0x20 || ch == 0x7f) out += fmt::format("\\{:03}", static_cast<int>(ch));
    else out += ch;
  }
  return out + "\"";
}

// In the largest unit that divides it: seconds(3), ms(1500).
std::string duration(Duration d) {
  static constexpr std::array<std::pair<const char*, Duration>, 6> units{{{"hours", 3'600'000'000'000}, {"minutes", 60'000'000'000}, {"seconds", 1'000'000'000},
                                                                          {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}}};
  if (d == 0) return "0";
  for (const auto& [name, length] : units)
    if (d % length == 0) return fmt::format("{}({})", name, d / length);
  return {};
}

std::string ratio(const Ratio& r) { return fmt::format("{{ {}, {} }}", r.part, r.of); }

// A name of a table's field, or of a topic.
std::string key(std::string_view name) {
  static constexpr std::array<std::string_view, 22> reserved{"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if",
                                                             "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while"};
  const auto letter = [](char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_'; };
  const bool plain = !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char ch) { return letter(ch) || (ch >= '0' && ch <= '9'); });
  if (plain && std::find(reserved.begin(), reserved.end(), name) == reserved.end()) return std::string(name);
  return "[" + quoted(name) + "]";
}

std::string names(const std::vector<std::string>& all) {
  if (all.size() == 1) return quoted(all[0]);
  std::string out;
  for (const std::string& n : all) out += (out.empty() ? "" : ", ") + quoted(n);
  return "{ " + out + " }";
}

// "a = 1, b = 2", in braces; "{}" when there is nothing.
class Table {
 public:
  void add(std::string_view name, const std::string& value) { add_item(key(name) + " = " + value); }
  void add_item(const std::string& item) { text_ += (text_.empty() ? "" : ", ") + item; }
  std::string text() const { return text_.empty() ? "{}" : "{ " + text_ + " }"; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

std::string value_text(OptionType type, const Value& v) {
  if (const auto* b = std::get_if<bool>(&v)) return *b ? "true" : "false";
  if (const auto* n = std::get_if<std::int64_t>(&v)) return type == OptionType::duration ? duration(*n) : fmt::format("{}", *n);
  const std::string& text = std::get<std::string>(v);
  if (type != OptionType::list) return quoted(text);
  Table out;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) out.add_item(quoted(item));
  return out.text();
}

// What was given of these options; defaults say themselves.
void add_options(Table& t, const std::vector<OptionDecl>& decls, std::string_view scope, const Options& o) {
  for (const auto& [name, v] : o.values())
    if (const OptionDecl* decl = find_option(decls, scope, name); decl && o.given(name)) t.add(name, value_text(decl->type, v));
}

void add_placement(Table& t, const std::string& zone, const std::string& rack, const std::string& region) {
  if (!zone.empty()) t.add("zone", quoted(zone));
  if (!rack.empty()) t.add("rack", quoted(rack));
  if (!region.empty()) t.add("region", quoted(region));
}

bool is_program(const ClientSpec& c) { return dynamic_cast<const script::ProgramApp*>(c.app.get()) != nullptr; }

std::string client(const ClientSpec& c, const std::vector<OptionDecl>& decls) {
  Table t;
  if (!c.app) {
    add_options(t, decls, c.role, c.options);
    add_placement(t, c.zone, c.rack, c.region);
    return fmt::format("{} {} {}", c.role, quoted(c.name), t.text());
  }
  // A program or a loop: options of two or three scopes in one table. What two scopes have is the same in both.
  const bool loop = !is_program(c);
  if (loop) add_options(t, decls, "transform", c.options);
  for (const auto& [name, v] : c.options.values())
    if (const OptionDecl* decl = find_option(decls, "producer", name); decl && c.options.given(name) && !(loop && find_option(decls, "transform", name)))
      t.add(name, value_text(decl->type, v));
  for (const auto& [name, v] : c.consumer_options.values())
    if (const OptionDecl* decl = find_option(decls, "consumer", name); decl && c.consumer_options.given(name) && !c.options.given(name)) t.add(name, value_text(decl->type, v));
  add_placement(t, c.zone, c.rack, c.region);
  return fmt::format("{} {} {}", loop ? "transform" : "client", quoted(c.name), t.text());
}

std::string service(const ServiceSpec& v) {
  Table t;
  if (!v.tables.empty()) {
    Table tables;
    bool named = false;  // the list comes before the names: that is the order when read
    for (const TableSpec& one : v.tables) {
      named = named || !one.unique.empty();
      if (!named) {
        tables.add_item(quoted(one.name));
        continue;
      }
      Table unique;
      for (const std::string& column : one.unique) unique.add_item(quoted(column));
      Table fields;
      if (!unique.empty()) fields.add("unique", unique.text());
      tables.add(one.name, fields.text());
    }
    t.add("tables", tables.text());
  }
  add_options(t, service_options(), v.role, v.options);
  add_placement(t, v.zone, v.rack, v.region);
  return fmt::format("{} {} {}", v.role, quoted(v.name), t.text());
}

constexpr std::array<const char*, 4> shapes{"constant", "uniform", "exponential", "bimodal"};

void add_link(Table& t, const LinkOptions& l) {
  const LinkOptions plain;
  if (l.latency != plain.latency) t.add("latency", duration(l.latency));
  if (l.spread != plain.spread) t.add("spread", duration(l.spread));
  if (l.shape != plain.shape) t.add("shape", quoted(shapes[static_cast<std::size_t>(l.shape)]));
  const auto share = [&](const char* name, const Ratio& r, const Ratio& before) {
    if (r.part != before.part || r.of != before.of) t.add(name, ratio(r));
  };
  share("slow_share", l.slow_share, plain.slow_share);
  share("loss", l.loss, plain.loss);
  share("duplicate", l.duplicate, plain.duplicate);
  share("reorder", l.reorder, plain.reorder);
  if (l.bytes_per_second != plain.bytes_per_second) t.add("bytes_per_second", fmt::format("{}", l.bytes_per_second));
}

std::string traffic(std::uint16_t mask) {
  std::vector<std::string> all;
  for (const Traffic t : {Traffic::client, Traffic::replication, Traffic::control, Traffic::heartbeat})
    if (mask & traffic_bit(t)) all.emplace_back(traffic_name(t));
  return names(all);
}

bool amount_is_a_number(FaultKind k) { return k == FaultKind::bandwidth || k == FaultKind::clock_drift; }

std::string fault_text(const Fault& f) {
  const FaultDecl& decl = fault_decl(f.kind);
  if (f.kind == FaultKind::command && f.groups.size() == 1 && f.groups[0].size() == 1)
    return fmt::format("command({}, {}{})", quoted(f.groups[0][0]), quoted(f.verb), f.argument.empty() ? "" : ", " + quoted(f.argument));
  Table t;
  std::istringstream fields(decl.fields);
  const auto side = [&](std::size_t i) { return f.groups.size() > i && !f.groups[i].empty(); };
  for (std::string field; fields >> field;) {
    if (field == "groups") {
      for (const auto& group : f.groups) {
        Table one;
        for (const Target& who : group) one.add_item(quoted(who));
        t.add_item(one.text());
      }
    } else if ((field == "who" || field == "from") && side(0)) t.add(field, names(f.groups[0]));
    else if (field == "to" && side(1)) t.add(field, names(f.groups[1]));
    else if (field == "traffic" && f.traffic != all_traffic) t.add(field, traffic(f.traffic));
    else if (field == "duration" && f.duration != 0) t.add(field, duration(f.duration));
    else if (field == "amount" && f.amount != 0) t.add(field, amount_is_a_number(f.kind) ? fmt::format("{}", f.amount) : duration(f.amount));
    else if (field == "spread" && f.spread != 0) t.add(field, duration(f.spread));
    else if (field == "shape" && f.shape != LatencyShape::constant) t.add(field, quoted(shapes[static_cast<std::size_t>(f.shape)]));
    else if (field == "ratio" && f.ratio.part != 0) t.add(field, ratio(f.ratio));
    else if (field == "message" && !f.message.empty()) t.add(field, quoted(f.message));
    else if (field == "nth" && f.nth != 1) t.add(field, fmt::format("{}", f.nth));
    else if (field == "count" && f.count != 1) t.add(field, fmt::format("{}", f.count));
    else if (field == "unit" && f.unit >= 0) t.add(field, fmt::format("{}", f.unit));
    else if (field == "file" && !f.file.empty()) t.add(field, quoted(f.file));
    else if (field == "verb" && !f.verb.empty()) t.add(field, quoted(f.verb));
    else if (field == "argument" && !f.argument.empty()) t.add(field, quoted(f.argument));
    else if (field == "label" && !f.label.empty()) t.add(field, quoted(f.label));
  }
  return fmt::format("{} {}", decl.name, t.text());
}

std::string trigger_text(const Trigger& t) {
  static constexpr std::array<const char*, 5> verbs{"at", "mark", "sent", "delivered", "op"};
  Table fields;
  if (!t.from.empty()) fields.add("from", quoted(t.from));
  if (!t.to.empty()) fields.add("to", quoted(t.to));
  if (!t.place.empty()) fields.add("place", quoted(t.place));
  if (t.nth != 1) fields.add("nth", fmt::format("{}", t.nth));
  if (t.every) fields.add("every", "true");
  return fmt::format("{} {}{}", verbs[static_cast<std::size_t>(t.on)], quoted(t.name), fields.empty() ? "" : " " + fields.text());
}

// The declaration of an option by the name that a setting has for it: "acks", "P1.acks", "orders.min_insync".
const OptionDecl* declaration(const Scenario& s, const std::vector<OptionDecl>& decls, const std::string& name) {
  const std::size_t dot = name.find('.');
  const std::string owner = dot == std::string::npos ? "" : name.substr(0, dot), option = dot == std::string::npos ? name : name.substr(dot + 1);
  for (const ServiceSpec& v : s.deployment.services)
    if (v.name == owner) return find_option(service_options(), v.role, option);
  for (const TopicSpec& t : s.deployment.topics)
    if (t.name == owner) return find_option(decls, "topic", option);
  for (const ClientSpec& c : s.deployment.clients)
    if (c.name == owner && c.role != "client") return find_option(decls, c.role, option);
  if (const OptionDecl* knob = find_option(s.deployment.knob_decls, "knob", name)) return knob;
  const auto any = std::find_if(decls.begin(), decls.end(), [&](const OptionDecl& o) { return o.name == option; });
  return any == decls.end() ? nullptr : &*any;
}

std::string list_of(const std::vector<std::string>& all) {
  Table t;
  for (const std::string& one : all) t.add_item(quoted(one));
  return t.text();
}

// Empty: it says nothing that is not so anyway.
std::string hunt_text(const Scenario& s, const std::vector<OptionDecl>& decls) {
  const PlanSpace& h = s.hunt;
  const PlanSpace plain;
  Table t;
  if (h.budget != plain.budget) t.add("faults", quoted(budget_name(h.budget)));
  if (h.faults_max != plain.faults_max) t.add("faults_max", fmt::format("{}", h.faults_max));
  if (h.from >= 0) t.add("from", duration(h.from));
  if (h.until >= 0) t.add("to", duration(h.until));
  if (!h.kinds.empty()) t.add("kinds", list_of(h.kinds));
  if (!h.messages.empty()) t.add("messages", list_of(h.messages));
  Table options;
  for (const VariedOption& o : h.options) {
    const OptionDecl* decl = declaration(s, decls, o.name);
    Table values;
    for (const Value& v : o.values) values.add_item(value_text(decl ? decl->type : OptionType::text, v));
    options.add(o.name, values.text());
  }
  if (!options.empty()) t.add("options", options.text());
  if (h.own_faults != plain.own_faults) t.add("own_faults", h.own_faults ? "true" : "false");
  return t.empty() ? std::string() : t.text();
}

void add_comment(std::string& out, const std::string& text) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out += line.empty() ? "--\n" : "-- " + line + "\n";
}

// A field whose value is a list, an item a line.
void add_list(std::string& out, const char* name, const std::vector<std::string>& items) {
  if (items.empty()) return;
  out += fmt::format("  {} = {{\n", name);
  for (const std::string& item : items) out += "    " + item + ",\n";
  out += "  },\n";
}

// Nothing when the scenario came from no file, or has nothing that must stay in one.
const script::ScriptSource* source_of(const Scenario& s) {
  const auto* host = dynamic_cast<const script::ScriptHost*>(s.programs.get());
  return host ? &host->source() : nullptr;
}

// Its file has what can't be taken out of it: programs, nodes, words for their marks.
bool needs_file(const Scenario& s) {
  const script::ScriptSource* source = source_of(s);
  if (!source) return false;
  return s.model == "lua" || !source->marks.empty() || std::any_of(s.deployment.clients.begin(), s.deployment.clients.end(), is_program);
}

}  // namespace

std::optional<std::string> why_not_printed(const Scenario& s) {
  for (const ClientSpec& c : s.deployment.clients)
    if (c.app && !dynamic_cast<const TransformLoop*>(c.app.get()) && !(is_program(c) && source_of(s))) return fmt::format("client {} is a program that stands in no file", c.name);
  return needs_file(s) ? script::why_not_carried(source_of(s)->original) : std::nullopt;
}

std::string print_fault(const PlannedFault& f) {
  if (f.until >= 0) {
    if (f.others.empty()) return fmt::format("between({}, {}, {})", duration(f.trigger.after), duration(f.until), fault_text(f.fault));
    std::string all = fault_text(f.fault);
    for (const Fault& other : f.others) all += ", " + fault_text(other);
    return fmt::format("between({}, {}, 1, {})", duration(f.trigger.after), duration(f.until), all);
  }
  if (f.trigger.on == Trigger::On::time) return fmt::format("at({}, {})", duration(f.trigger.after), fault_text(f.fault));
  const std::string what = f.trigger.after == 0 ? fault_text(f.fault) : fmt::format("after({}, {})", duration(f.trigger.after), fault_text(f.fault));
  return fmt::format("when({}, {})", trigger_text(f.trigger), what);
}

std::string print_scenario(const Scenario& s, const Model& model) {
  if (const auto why = why_not_printed(s)) throw std::invalid_argument(*why);
  const std::vector<OptionDecl> decls = all_options(model.decl());
  const Deployment& d = s.deployment;
  std::string out;
  add_comment(out, s.lesson);
  if (!out.empty()) out += "\n";
  const bool carries = needs_file(s);
  if (carries) out += script::carried(source_of(s)->original) + "\n";
  out += "return scenario {\n";
  if (carries) out += "  based_on = file,\n";
  const auto field = [&](const char* name, const std::string& value) { out += fmt::format("  {} = {},\n", name, value); };
  if (!s.title.empty()) field("title", quoted(s.title));
  if (!s.chapter.empty()) field("chapter", quoted(s.chapter));
  // Lua's whole numbers have a sign: the upper half is written by its bits.
  if (s.seed) field("seed", *s.seed > INT64_MAX ? fmt::format("{:#x}", *s.seed) : fmt::format("{}", *s.seed));

  Table cluster;
  if (d.profile != model.decl().default_profile) cluster.add("profile", quoted(d.profile));
  add_options(cluster, decls, "cluster", d.cluster);
  field("cluster", s.model + " " + cluster.text());
  out += d.topics.empty() ? "" : "  topics = {\n";
  for (const TopicSpec& topic : d.topics) {
    Table t;
    add_options(t, decls, "topic", topic.options);
    out += fmt::format("    {} = {},\n", key(topic.name), t.text());
  }
  out += d.topics.empty() ? "" : "  },\n";
  std::vector<std::string> items;
  for (const ServiceSpec& v : d.services) items.push_back(service(v));
  add_list(out, "services", std::exchange(items, {}));
  Table knobs;
  for (const OptionDecl& decl : d.knob_decls) knobs.add(decl.name, value_text(decl.type, d.knobs.values().at(decl.name)));
  if (!knobs.empty()) field("knobs", knobs.text());
  for (const ClientSpec& c : d.clients) items.push_back(client(c, decls));
  add_list(out, "clients", std::exchange(items, {}));

  if (s.has_link) {
    Table t;
    add_link(t, s.link);
    field("links", t.text());
  }
  for (std::size_t i = 0; i < s.regions.size(); i += 2) {  // both ways, one after the other
    const auto& [from, to, link] = s.regions[i];
    Table t;
    t.add_item(quoted(from));
    t.add_item(quoted(to));
    add_link(t, link);
    items.push_back(t.text());
  }
  add_list(out, "regions", std::exchange(items, {}));

  for (const PlannedFault& f : s.faults) items.push_back(print_fault(f));
  add_list(out, "faults", std::exchange(items, {}));
  field("run_for", duration(s.run_for));
  const DrainPlan drain;
  if (!s.drain.enabled) {
    field("drain", "false");
  } else if (s.drain.limit != drain.limit || s.drain.restart != drain.restart) {
    Table t;
    if (s.drain.limit != drain.limit) t.add("limit", duration(s.drain.limit));
    if (s.drain.restart != drain.restart) t.add("restart", s.drain.restart ? "true" : "false");
    field("drain", t.text());
  }
  for (const Expectation& e : s.expect) items.push_back(fmt::format("{} {}", expectation_name(e.kind), quoted(e.name)));
  add_list(out, "expect", std::exchange(items, {}));
  if (const std::string hunt = hunt_text(s, decls); !hunt.empty()) field("hunt", hunt);
  return out + "}\n";
}

}  // namespace mqlab
