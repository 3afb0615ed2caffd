#include "sim/script/program.h"

#include <fmt/format.h>

#include <charconv>

#include "sim/script/script_host.h"

namespace mqlab::script {
namespace {

// A host is made with the scenario, so a world with programs has one.
ScriptHost& host(AppContext& a) { return ScriptHost::of(a.context.world()); }

}  // namespace

std::unique_ptr<App> make_program(std::uint32_t number, const std::string& name) { return std::make_unique<ProgramApp>(number, name); }

void ProgramApp::configure(const std::vector<OptionDecl>& decls, const Options& producer, const Options& consumer, const Options& knobs) {
  std::map<std::string, LuaValue> all;
  const auto take = [&](const char* scope, const Options& from) {
    for (const auto& [option, value] : from.values()) {
      const OptionDecl* d = find_option(decls, scope, option);
      if (!d) continue;
      LuaValue& v = all[option];
      if (d->type == OptionType::boolean) v = LuaValue(std::get<bool>(value));
      else if (d->type == OptionType::integer) v = LuaValue(std::get<std::int64_t>(value));
      else if (d->type == OptionType::duration) v = LuaValue(LuaDuration{std::get<std::int64_t>(value)});
      else if (d->type != OptionType::list) v = LuaValue(std::get<std::string>(value));
      else {
        LuaValue::Table list;
        for (const std::string& item : from.list(option))
          if (!item.empty()) list.emplace_back(LuaValue(static_cast<std::int64_t>(list.size()) + 1), LuaValue(item));
        v = make_table(std::move(list));
      }
    }
  };
  take("producer", producer);
  take("consumer", consumer);  // where both have a name, a program reads more often than it sends
  take("knob", knobs);
  LuaValue::Table rows;
  for (auto& [option, value] : all) rows.emplace_back(LuaValue(option), std::move(value));
  options = make_table(std::move(rows));
}

void ProgramApp::on_start(AppContext& a) {
  if (!has_random) random = Random(a.context.world().seed(), Stream::workload, number);
  has_random = true;
  finished = false;
  busy = true;
  host(a).start_program(a, *this);
}

void ProgramApp::on_answer(AppContext& a, const Answer& answer) {
  if (answer.kind == CallKind::poll) busy = !answer.messages.empty();
  // A look into a table is like a poll: nothing there, nothing to do.
  if (answer.kind == CallKind::database && answer.service && service_payload<DbReply>(answer.service).verb == DbVerb::scan)
    busy = answer.outcome != Outcome::ok || !service_payload<DbReply>(answer.service).rows.empty();
  if (waits == Wait::call && waits_for == answer.call) {
    waits = Wait::nothing;
    host(a).resume_program(a, *this, to_lua(a.context.world(), answer));
  } else if (asked.erase(answer.call)) {
    answered[answer.call] = to_lua(a.context.world(), answer);
  }
}

void ProgramApp::on_timer(AppContext& a, std::uint64_t serial) {
  if (waits != Wait::timer || waits_for != serial) return;
  waits = Wait::nothing;
  host(a).resume_program(a, *this, LuaValue());
}

void ProgramApp::on_crash() {
  waits = Wait::nothing;
  asked.clear();
  answered.clear();
  failures = 0;
  doing = "its process is dead";
}

Tree ProgramApp::state() const {
  Tree t{"program", finished ? "ended" : doing, {}};
  t.add("asked and not answered", std::to_string(asked.size()));
  t.add("answers not fetched", std::to_string(answered.size()));
  return t;
}

MessageId message_of(World& world, const std::string& body) {
  if (const std::size_t dash = body.rfind('-'); dash != std::string::npos && dash + 1 < body.size() && body[dash + 1] != '0') {
    std::uint64_t n = 0;
    const char* end = body.data() + body.size();
    const auto [stop, error] = std::from_chars(body.data() + dash + 1, end, n);
    const NodeId producer = world.find(std::string_view(body).substr(0, dash));
    if (error == std::errc{} && stop == end && producer != nobody && n < (std::uint64_t{1} << 40)) return numbered_message(producer, n);
  }
  return named_message(world.journal.names.id(body));
}

namespace {

LuaValue to_lua(const Cell& cell) {
  if (const auto* b = std::get_if<bool>(&cell)) return LuaValue(*b);
  if (const auto* n = std::get_if<std::int64_t>(&cell)) return LuaValue(*n);
  if (const auto* s = std::get_if<std::string>(&cell)) return LuaValue(*s);
  return LuaValue(LuaDuration{std::get<CellDuration>(cell).ns});
}

LuaValue to_lua(const Row& row) {
  LuaValue::Table out;
  out.emplace_back(LuaValue(std::string("key")), to_lua(row.key));
  out.emplace_back(LuaValue(std::string("version")), LuaValue(row.version));
  out.emplace_back(LuaValue(std::string("sequence")), LuaValue(row.sequence));
  for (const auto& [name, cell] : row.columns) out.emplace_back(LuaValue(name), to_lua(cell));
  return make_table(std::move(out));
}

// What a database or the world outside said, beside ok, outcome and error.
void add_service(LuaValue::Table& out, const Answer& answer) {
  const auto add = [&](const char* name, LuaValue v) { out.emplace_back(LuaValue(std::string(name)), std::move(v)); };
  if (!answer.service) return;
  if (answer.kind == CallKind::outside) {
    add("repeated", LuaValue(service_payload<EffectReply>(answer.service).repeated));
    return;
  }
  const auto& reply = service_payload<DbReply>(answer.service);
  const auto list = [](const auto& items, const auto& convert) {
    LuaValue::Table t;
    for (const auto& item : items) t.emplace_back(LuaValue(static_cast<std::int64_t>(t.size()) + 1), convert(item));
    return make_table(std::move(t));
  };
  if (reply.verb == DbVerb::get && !reply.rows.empty()) add("row", to_lua(reply.rows.front()));
  if (reply.verb == DbVerb::scan) add("rows", list(reply.rows, [](const Row& r) { return to_lua(r); }));
  if (reply.verb == DbVerb::prepared) add("ids", list(reply.ids, [](const std::string& id) { return LuaValue(id); }));
  if (reply.key) add("key", to_lua(*reply.key));
}

}  // namespace

LuaValue to_lua(World& world, const Answer& answer) {
  const Names& names = world.journal.names;
  const auto text = [](std::string s) { return LuaValue(std::move(s)); };
  LuaValue::Table out;
  if (answer.kind == CallKind::poll) {
    std::int64_t n = 0;
    for (const PolledMessage& m : answer.messages) {
      LuaValue::Table row;
      row.emplace_back(text("place"), text(names.text(m.place)));
      if (m.key) row.emplace_back(text("key"), text(names.text(m.key)));
      row.emplace_back(text("body"), text(world.journal.message_name(m.message)));
      row.emplace_back(text("position"), LuaValue(m.position));
      row.emplace_back(text("attempt"), LuaValue(std::int64_t{m.attempt}));
      row.emplace_back(text("redelivered"), LuaValue((m.flags & op_flag::redelivered) != 0));
      if (m.tombstone) row.emplace_back(text("tombstone"), LuaValue(true));
      row.emplace_back(text("op"), LuaValue(static_cast<std::int64_t>(m.op)));
      out.emplace_back(LuaValue(++n), make_table(std::move(row)));
    }
    // Lists of places beside the messages; what did not happen is nil.
    const auto places = [&](const char* name, const std::vector<std::uint32_t>& all) {
      LuaValue::Table list;
      for (const std::uint32_t place : all) list.emplace_back(LuaValue(static_cast<std::int64_t>(list.size()) + 1), text(names.text(place)));
      if (!list.empty()) out.emplace_back(text(name), make_table(std::move(list)));
    };
    places("assigned", answer.rebalance.assigned);
    places("revoked", answer.rebalance.revoked);
    places("lost", answer.rebalance.lost);
    if (answer.outcome != Outcome::ok) out.emplace_back(text("error"), text(answer.error ? names.text(answer.error) : outcome_name(answer.outcome)));
    return make_table(std::move(out));
  }
  out.emplace_back(text("ok"), LuaValue(answer.outcome == Outcome::ok));
  out.emplace_back(text("outcome"), text(outcome_name(answer.outcome)));
  if (answer.error) out.emplace_back(text("error"), text(names.text(answer.error)));
  if (answer.place) out.emplace_back(text("place"), text(names.text(answer.place)));
  if (answer.position >= 0) out.emplace_back(text("position"), LuaValue(answer.position));
  if (answer.kind == CallKind::database || answer.kind == CallKind::outside) add_service(out, answer);
  return make_table(std::move(out));
}

}  // namespace mqlab::script
