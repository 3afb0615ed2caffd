// The verbs of faults and of the times at which they come due.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "sim/script/declare.h"
#include "sim/script/fields.h"
#include "sim/script/nearest.h"

namespace mqlab::script {
namespace {

std::vector<std::string> words(const char* text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string w; in >> w;) out.push_back(w);
  return out;
}

bool reads(const FaultDecl& decl, std::string_view field) {
  const auto all = words(decl.fields);
  return std::find(all.begin(), all.end(), field) != all.end();
}

std::vector<Target>& group(Fault& f, std::size_t i) {
  if (f.groups.size() <= i) f.groups.resize(i + 1);
  return f.groups[i];
}

void check_target(const Declarations& d, const FaultDecl& decl, const std::string& t, int line) {
  if (t.empty()) d.fail(line, fmt::format("`{}` names nobody: the name is empty", decl.name));
  if (t.size() > 200) d.fail(line, fmt::format("`{}` names somebody by {} bytes; no name is that long", decl.name, t.size()));
}

std::vector<Target> targets(const Declarations& d, const FaultDecl& decl, const std::vector<std::string>& names, int line) {
  for (const std::string& n : names) check_target(d, decl, n, line);
  d.limit(names.size(), declared_max, line, "names in one fault");
  return names;
}

// Texts without a name: kill "B1", hold "Fetch", release "h1", command("B1", "elect", "orders/0").
void add_text(const Declarations& d, Fault& f, const std::string& text, std::size_t index, int line) {
  const FaultDecl& decl = fault_decl(f.kind);
  const std::vector<std::string> fields = words(decl.fields);
  const std::string& first = fields.front();
  if (f.kind == FaultKind::command) {
    if (index == 0) check_target(d, decl, text, line), group(f, 0).push_back(text);
    else if (index == 1) f.verb = text;
    else if (index == 2) f.argument = text;
    else d.fail(line, "`command` takes whom, a verb and an argument, as command(\"B1\", \"elect\", \"orders/0\")");
    return;
  }
  if (first == "who" || first == "groups") {
    check_target(d, decl, text, line);
    group(f, 0).push_back(text);
  } else if (first == "from" && index < 2) {
    check_target(d, decl, text, line);
    group(f, index).push_back(text);
  } else if (first == "message" && index == 0) {
    f.message = text;
  } else if (first == "label" && index == 0) {
    f.label = text;
  } else {
    d.fail(line, fmt::format("`{}` does not know what to do with \"{}\"; it has the fields {}", decl.name, text.substr(0, 60), decl.fields));
  }
}

LatencyShape shape_of(const Declarations& d, const Fields& f, const std::string& name) {
  static const std::vector<std::string> names{"constant", "uniform", "exponential", "bimodal"};
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end())
    d.fail(f.line_of("shape"), fmt::format("`shape` is one of constant, uniform, exponential, bimodal; not `{}`{}", name.substr(0, 60), did_you_mean(name, names)));
  return static_cast<LatencyShape>(it - names.begin());
}

std::uint16_t traffic_of(const Declarations& d, const Fields& f) {
  std::uint16_t mask = 0;
  std::vector<std::string> known;
  for (Traffic t : {Traffic::client, Traffic::replication, Traffic::control, Traffic::heartbeat}) known.emplace_back(traffic_name(t));
  const std::vector<std::string> names = f.texts("traffic").value_or(std::vector<std::string>{});
  for (const std::string& name : names) {
    const auto it = std::find(known.begin(), known.end(), name);
    if (it == known.end())
      d.fail(f.line_of("traffic"), fmt::format("`traffic` is of client, replication, control, heartbeat; not `{}`{}", name.substr(0, 60), did_you_mean(name, known)));
    mask = static_cast<std::uint16_t>(mask | (1U << (it - known.begin())));
  }
  return mask;
}

// What a fault can't do without.
void check_complete(const Declarations& d, Fault& f) {
  const FaultDecl& decl = fault_decl(f.kind);
  const auto need = [&](bool there, const char* what) {
    if (!there) d.fail(f.line, fmt::format("`{}` needs {}", decl.name, what));
  };
  if (reads(decl, "who")) need(!f.groups.empty() && !f.groups[0].empty(), "somebody: a name, or a list of names");
  if (reads(decl, "groups")) need(!f.groups.empty() && !f.groups[0].empty(), "groups, as { { \"B1\" }, { \"rest\" } }");
  if (f.kind == FaultKind::bridge) need(f.groups.size() == 2 && !f.groups[1].empty(), "two groups, as { { \"B1\" }, { \"B2\" } }");
  if (reads(decl, "message")) need(!f.message.empty() || f.kind == FaultKind::release, "the name of a message, as \"Fetch\"");
  const bool link = reads(decl, "from") && !reads(decl, "message") && f.kind != FaultKind::reset_streams;
  if (link) {
    need(!f.groups.empty(), "`from` and `to`, or one of them");
    for (std::size_t i = 0; i < 2; ++i)
      if (group(f, i).empty()) group(f, i).emplace_back("rest");
  }
  if (f.kind == FaultKind::reset_streams) need(!f.groups.empty() && !f.groups[0].empty(), "`from`");
  if (reads(decl, "ratio")) need(f.ratio.part > 0, "a `ratio`");
  if (f.kind == FaultKind::command) need(!f.verb.empty(), "a verb, as command(\"B1\", \"elect\", \"orders/0\")");
  switch (f.kind) {
    case FaultKind::latency:
    case FaultKind::bandwidth:
    case FaultKind::delay:
    case FaultKind::clock_offset:
    case FaultKind::clock_jump:
    case FaultKind::clock_drift: need(f.amount != 0, "an `amount`"); break;
    case FaultKind::clock_strobe: need(f.amount != 0 && f.spread > 0 && f.duration > 0, "an `amount`, a `spread` (the period) and a `duration`"); break;
    case FaultKind::burst_loss: need(f.spread > 0, "a `spread`: the length of a burst"); break;
    case FaultKind::clog:
    case FaultKind::swizzle_clog: need(f.duration > 0, "a `duration`"); break;
    default: break;
  }
}

void add_faults(const Declarations& d, const LuaValue& v, const char* verb, int line, std::vector<Fault>& out) {
  if (const Thing* t = v.thing(ThingKind::fault)) {
    Fault f = d.faults[static_cast<std::size_t>(t->number)];
    check_complete(d, f);
    out.push_back(std::move(f));
    d.limit(out.size(), declared_max, line, "faults");
    return;
  }
  if (v.is_table() && v.items().size() == v.table()->size()) {
    for (const LuaValue* item : v.items()) add_faults(d, *item, verb, line, out);
    return;
  }
  d.fail(line, fmt::format("`{}` wants a fault, as kill \"B1\", not {}", verb, v.describe()));
}

Duration time_argument(const Declarations& d, const VerbCall& call, std::size_t i = 0) {
  const LuaValue* v = call.arguments.size() <= i ? nullptr : &call.arguments[i];
  Duration ns = 0;
  if (v && v->duration()) ns = v->duration()->ns;
  else if (!(v && v->integer() && *v->integer() == 0))
    d.fail(call.line, fmt::format("`{}` wants a time {}, as {}({}ms(5), ...), not {}", call.verb, i == 0 ? "first" : "second", call.verb, call.verb == "between" ? "ms(1), " : "", v ? v->describe() : "nothing"));
  if (ns < 0) d.fail(call.line, fmt::format("`{}` wants a time that is not negative, and it is {}", call.verb, format_duration(ns)));
  if (ns > duration_max) d.fail(call.line, fmt::format("`{}` wants a time of at most 100 years, and it is {}", call.verb, format_duration(ns)));
  return ns;
}

Thing add_plan(Declarations& d, std::vector<DeclaredPlan> plan, const VerbCall& call) {
  if (plan.empty()) d.fail(call.line, fmt::format("`{}` has no fault: write what happens, as kill \"B1\"", call.verb));
  d.limit_declared(d.planned.size() + 1, declared_max, call.line, "faults");
  d.planned.push_back(std::move(plan));
  return {ThingKind::planned, static_cast<std::int64_t>(d.planned.size()) - 1};
}

Thing declare_at(Declarations& d, const VerbCall& call, const Verb&) {
  const Duration time = time_argument(d, call);
  std::vector<Fault> faults;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) add_faults(d, call.arguments[i], "at", call.line, faults);
  std::vector<DeclaredPlan> plan;
  for (Fault& f : faults) plan.push_back({{std::move(f), at(time)}, call.line});
  return add_plan(d, std::move(plan), call);
}

// Times of their own for all of the faults; with a number, so often one of them.
Thing declare_between(Declarations& d, const VerbCall& call, const Verb&) {
  const Duration from = time_argument(d, call, 0);
  const Duration until = time_argument(d, call, 1);
  if (until < from) d.fail(call.line, fmt::format("`between` wants the earlier time first: {} is before {}", format_duration(until), format_duration(from)));
  std::size_t i = 2;
  std::int64_t times = 0;
  if (i < call.arguments.size() && (call.arguments[i].integer() || call.arguments[i].number())) {
    if (!call.arguments[i].integer() || *call.arguments[i].integer() < 1 || *call.arguments[i].integer() > 1'000)
      d.fail(call.line, fmt::format("`between` wants how often as a whole number from 1 to 1000, not {}", call.arguments[i].describe()));
    times = *call.arguments[i++].integer();
  }
  std::vector<Fault> faults;
  for (; i < call.arguments.size(); ++i) add_faults(d, call.arguments[i], "between", call.line, faults);
  std::vector<DeclaredPlan> plan;
  const auto add = [&](Fault f, std::vector<Fault> others) { plan.push_back({{std::move(f), at(from), until, std::move(others)}, call.line}); };
  if (times == 0)
    for (Fault& f : faults) add(std::move(f), {});
  else if (!faults.empty())
    for (std::int64_t n = 0; n < times; ++n) add(faults.front(), {faults.begin() + 1, faults.end()});
  d.limit(plan.size() * std::max<std::size_t>(1, faults.size()), declared_max, call.line, "faults to draw from");
  return add_plan(d, std::move(plan), call);
}

Thing declare_after(Declarations& d, const VerbCall& call, const Verb&) {
  DeclaredLater later;
  later.delay = time_argument(d, call);
  for (std::size_t i = 1; i < call.arguments.size(); ++i) add_faults(d, call.arguments[i], "after", call.line, later.faults);
  if (later.faults.empty()) d.fail(call.line, "`after` has no fault: write what happens, as after(ms(5), kill \"B1\")");
  d.limit_declared(d.laters.size() + 1, declared_max, call.line, "faults");
  d.laters.push_back(std::move(later));
  return {ThingKind::later, static_cast<std::int64_t>(d.laters.size()) - 1};
}

void add_when(const Declarations& d, const LuaValue& v, const DeclaredTrigger& t, int line, std::vector<DeclaredPlan>& plan) {
  d.limit(plan.size(), declared_max, line, "faults");
  if (const Thing* later = v.thing(ThingKind::later)) {
    const DeclaredLater& l = d.laters[static_cast<std::size_t>(later->number)];
    for (const Fault& f : l.faults) {
      plan.push_back({{f, t.trigger}, t.line});
      plan.back().fault.trigger.after = l.delay;
    }
    return;
  }
  if (v.is_table() && v.items().size() == v.table()->size()) {
    for (const LuaValue* item : v.items()) add_when(d, *item, t, line, plan);
    return;
  }
  std::vector<Fault> faults;
  add_faults(d, v, "when", line, faults);
  for (Fault& f : faults) plan.push_back({{std::move(f), t.trigger}, t.line});
}

Thing declare_when(Declarations& d, const VerbCall& call, const Verb&) {
  const Thing* trigger = call.arguments.empty() ? nullptr : call.arguments[0].thing(ThingKind::trigger);
  if (!trigger)
    d.fail(call.line, fmt::format("`when` wants a trigger first: mark, sent, delivered or op, as when(mark \"leader_elected\", kill \"B1\"); not {}",
                                  call.arguments.empty() ? "nothing" : call.arguments[0].describe()));
  std::vector<DeclaredPlan> plan;
  for (std::size_t i = 1; i < call.arguments.size(); ++i)
    add_when(d, call.arguments[i], d.triggers[static_cast<std::size_t>(trigger->number)], call.line, plan);
  return add_plan(d, std::move(plan), call);
}

void check_op(const Declarations& d, const std::string& name, int line) {
  std::vector<std::string> known;
  for (std::size_t k = 0; k < op_kind_count; ++k)
    for (Outcome o : {Outcome::invoke, Outcome::ok, Outcome::fail, Outcome::info})
      known.push_back(std::string(op_kind_name(static_cast<OpKind>(k))) + " " + outcome_name(o));
  if (std::find(known.begin(), known.end(), name) == known.end())
    d.fail(line, fmt::format("`op` wants an operation and its outcome, as \"send ok\" (invoke, ok, fail, info), not \"{}\"{}", name.substr(0, 60),
                             did_you_mean(name, known)));
}

Thing declare_trigger(Declarations& d, const VerbCall& call, const Verb&) {
  DeclaredTrigger t;
  t.line = call.line;
  t.trigger.on = call.verb == "mark"   ? Trigger::On::mark
                 : call.verb == "sent" ? Trigger::On::message_sent
                 : call.verb == "op"   ? Trigger::On::op
                                       : Trigger::On::message_delivered;
  if (call.arguments.size() != 1 || !call.arguments[0].text() || call.arguments[0].text()->empty())
    d.fail(call.line, fmt::format("`{}` wants a name, as {} \"{}\"", call.verb, call.verb,
                                  t.trigger.on == Trigger::On::mark ? "leader_elected" : t.trigger.on == Trigger::On::op ? "send ok" : "Fetch"));
  t.trigger.name = *call.arguments[0].text();
  if (t.trigger.on == Trigger::On::op) check_op(d, t.trigger.name, call.line);
  d.limit_declared(d.triggers.size() + 1, declared_max, call.line, "triggers");
  d.triggers.push_back(std::move(t));
  return {ThingKind::trigger, static_cast<std::int64_t>(d.triggers.size()) - 1};
}

}  // namespace

Fault with_fields(const Declarations& d, Fault f, const LuaValue& table, int line) {
  const FaultDecl& decl = fault_decl(f.kind);
  const Fields fields(d, fmt::format("`{}`", decl.name), table, line);
  std::vector<std::string> known = words(decl.fields);
  fields.allow(known, true);

  std::size_t texts = 0;
  std::size_t groups = 0;
  for (const LuaValue* item : table.items()) {
    const int at = fields.line_of_item("", texts + groups);
    if (item->text()) {
      if (groups) d.fail(at, fmt::format("`{}` has a name beside its groups; put it into one of them", decl.name));
      add_text(d, f, *item->text(), texts++, at);
    } else if (item->is_table() && known.front() == "groups") {
      if (texts) d.fail(at, fmt::format("`{}` has a name beside its groups; put it into one of them", decl.name));
      std::vector<std::string> names;
      for (const LuaValue* name : item->items()) {
        if (!name->text()) d.fail(at, fmt::format("a group of `{}` is a list of names, and here is {}", decl.name, name->describe()));
        names.push_back(*name->text());
      }
      if (names.size() != item->table()->size()) d.fail(at, fmt::format("a group of `{}` is a list of names", decl.name));
      if (names.empty()) d.fail(at, fmt::format("a group of `{}` is empty", decl.name));
      group(f, groups++) = targets(d, decl, names, at);
    } else {
      d.fail(at, fmt::format("`{}` wants names here, not {}", decl.name, item->describe()));
    }
  }

  if (const auto v = fields.texts("who")) group(f, 0) = targets(d, decl, *v, fields.line_of("who"));
  if (const auto v = fields.texts("from")) group(f, 0) = targets(d, decl, *v, fields.line_of("from"));
  if (const auto v = fields.texts("to")) group(f, 1) = targets(d, decl, *v, fields.line_of("to"));
  if (fields.has("groups")) {
    std::size_t g = 0;
    for (const LuaValue* item : fields.list("groups")) {
      const int at = fields.line_of_item("groups", g);
      std::vector<std::string> names;
      for (const LuaValue* name : item->items())
        if (name->text()) names.push_back(*name->text());
      if (!item->is_table() || names.empty() || names.size() != item->table()->size()) d.fail(at, fmt::format("a group of `{}` is a list of names", decl.name));
      group(f, g++) = targets(d, decl, names, at);
    }
  }
  if (fields.has("traffic")) f.traffic = traffic_of(d, fields);
  if (const auto v = fields.duration("duration")) f.duration = *v;
  if (const auto v = fields.duration("spread")) f.spread = *v;
  if (const auto v = fields.text("shape")) f.shape = shape_of(d, fields, *v);
  if (const auto v = fields.text("message")) f.message = *v;
  if (const auto v = fields.text("file")) f.file = *v;
  if (const auto v = fields.text("verb")) f.verb = *v;
  if (const auto v = fields.text("argument")) f.argument = *v;
  if (const auto v = fields.text("label")) f.label = *v;
  if (const auto v = fields.integer("nth", 1, INT64_MAX)) f.nth = static_cast<std::uint64_t>(*v);
  if (const auto v = fields.integer("count", 1, INT64_MAX)) f.count = static_cast<std::uint64_t>(*v);
  if (const auto v = fields.integer("unit", 0, INT64_MAX)) f.unit = *v;
  if (fields.has("amount")) {
    switch (f.kind) {
      case FaultKind::bandwidth: f.amount = *fields.integer("amount", 1, 1'000'000'000'000); break;
      case FaultKind::clock_drift: f.amount = *fields.integer("amount", -1'000'000'000, 1'000'000'000); break;
      case FaultKind::clock_offset:
      case FaultKind::clock_jump:
      case FaultKind::clock_strobe: f.amount = *fields.duration("amount", Fields::Sign::any); break;
      default: f.amount = *fields.duration("amount"); break;
    }
    if (f.kind == FaultKind::rolling_restart && f.amount > duration_max / 10'000) d.fail(fields.line_of("amount"), "`amount` of `rolling_restart` must be at most 3 days");
  }
  if (const auto v = fields.ratio("ratio")) {
    f.ratio = *v;
    const bool factor = f.kind == FaultKind::slow || f.kind == FaultKind::disk_slow;
    if (factor && (v->part < v->of || v->part / v->of > 1'000'000)) d.fail(fields.line_of("ratio"), fmt::format("`ratio` of `{}` is a factor from 1 to 1000000", decl.name));
    if (!factor && (v->part > v->of || v->of > 1'000'000'000)) d.fail(fields.line_of("ratio"), fmt::format("`ratio` of `{}` is a share from 0 to 1, as 0.01 or {{ 1, 100 }}", decl.name));
  }
  return f;
}

Trigger with_fields(const Declarations& d, Trigger t, const LuaValue& table, int line) {
  const bool message = t.on == Trigger::On::message_sent || t.on == Trigger::On::message_delivered;
  const Fields fields(d, fmt::format("the trigger \"{}\"", t.name.substr(0, 60)), table, line);
  if (message) fields.allow({"from", "to", "nth", "every"});
  else fields.allow({"from", "place", "nth", "every"});
  if (const auto v = fields.text("from")) t.from = *v;
  if (const auto v = fields.text("to")) t.to = *v;
  if (const auto v = fields.text("place")) t.place = *v;
  if (const auto v = fields.integer("nth", 1, INT64_MAX)) t.nth = static_cast<std::uint64_t>(*v);
  if (const auto v = fields.boolean("every")) t.every = *v;
  return t;
}

Thing declare_fault(Declarations& d, const VerbCall& call, const Verb& verb) {
  Fault f;
  f.kind = verb.fault;
  f.line = call.line;
  const FaultDecl& decl = fault_decl(f.kind);
  std::size_t texts = 0;
  for (const LuaValue& v : call.arguments) {
    if (v.text()) add_text(d, f, *v.text(), texts++, call.line);
    else if (v.is_table()) f = with_fields(d, f, v, call.line);
    else d.fail(call.line, fmt::format("`{}` wants {} here, not {}", decl.name, texts ? "a table of fields" : "names or a table", v.describe()));
  }
  d.limit_declared(d.faults.size() + 1, declared_max, call.line, "faults");
  d.faults.push_back(std::move(f));
  return {ThingKind::fault, static_cast<std::int64_t>(d.faults.size()) - 1};
}

void add_timing_verbs(std::vector<Verb>& verbs) {
  const auto add = [&](const char* name, const char* group, const char* arguments, const char* sentence, auto run) {
    Verb v;
    v.doc = {name, group, arguments, sentence};
    v.run = run;
    verbs.push_back(std::move(v));
  };
  add("at", "time", "(ms(40), fault, ...)", "The faults come due at this time since the beginning.", declare_at);
  add("between", "time", "(seconds(1), seconds(9), 3, fault, ...)", "At times that the run's seed draws: without a number each of the faults once; with one, so often one of them.", declare_between);
  add("when", "time", "(trigger, fault, ...)", "The faults come due when the trigger's event happens; a fault may be after(ms(5), fault).", declare_when);
  add("after", "time", "(ms(5), fault, ...)", "Inside when(...): so long after the event.", declare_after);
  add("mark", "trigger", "\"leader_elected\" { from =, place =, nth =, every = }", "Something happened inside, by the name of its mark.", declare_trigger);
  add("sent", "trigger", "\"Produce\" { from =, to =, nth =, every = }", "A message of this kind was sent.", declare_trigger);
  add("delivered", "trigger", "\"Produce\" { from =, to =, nth =, every = }", "A message of this kind reached its receiver.", declare_trigger);
  add("op", "trigger", "\"send ok\" { from =, place =, nth =, every = }", "A client's operation began (invoke) or ended (ok, fail, info).", declare_trigger);
}

}  // namespace mqlab::script
