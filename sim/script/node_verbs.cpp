// What a node written in Lua can do: the methods of `self`, and reply().
#include <fmt/format.h>

#include <algorithm>

#include "sim/script/border.h"
#include "sim/script/lua_node.h"
#include "sim/script/methods.h"
#include "sim/script/nearest.h"

namespace mqlab::script {
namespace {

using Out = std::optional<LuaValue>;

Context& node_context(const MethodCall& m) { return *m.host.actor().context; }
LuaNode& node(const MethodCall& m) { return *m.host.actor().node; }

// The kind's number, or an error that names the kinds of this file.
MessageKind kind_of(const MethodCall& m, const std::string& name) {
  const auto& known = m.host.source().messages;
  const auto it = std::find(known.begin(), known.end(), name);
  if (it == known.end())
    m.fail(fmt::format("the scenario has no message `{}`{}; its kinds are listed as messages = {{ \"...\" }}", name.substr(0, 60), did_you_mean(name, known)));
  return static_cast<MessageKind>(own_kinds + (it - known.begin()));
}

NodeId peer_of(const MethodCall& m, const std::string& name) {
  World& w = node_context(m).world();
  const NodeId to = w.find(name);
  if (to != nobody) return to;
  std::vector<std::string> known;
  for (NodeId n = 0; n < w.node_count(); ++n) known.push_back(w.name(n));
  m.fail(fmt::format("nobody here is called `{}`{}", name.substr(0, 60), did_you_mean(name, known)));
}

Out transmit(const MethodCall& m, bool stream) {
  const std::string to = m.text(0, "the name of a node");
  const MessageKind kind = kind_of(m, m.text(1, "the kind of a message"));
  const LuaValue& value = m.plain(2, "the message");
  m.host.act(m.digest(), [&] {
    Context& c = node_context(m);
    const NodeId peer = peer_of(m, to);
    const auto size = static_cast<std::uint32_t>(32 + std::min<std::size_t>(value.bytes(), 1'000'000'000));
    const auto payload = make_payload<LuaPayload>(value, 0);
    if (stream) c.send(node(m).stream_to(c, peer), kind, payload, size);
    else c.datagram(peer, kind, payload, size, 0, Traffic::replication);
    return LuaValue();
  });
  return LuaValue();
}

Out send(const MethodCall& m) { return transmit(m, true); }
Out datagram(const MethodCall& m) { return transmit(m, false); }

Out timer(const MethodCall& m) {
  const Duration delay = m.duration(0, "a duration, as ms(5)");
  const std::string name = m.text(1, "a name");
  return m.host.act(m.digest(), [&] { return LuaValue(node(m).set_timer(node_context(m), delay, name)); });
}

Out cancel(const MethodCall& m) {
  const std::int64_t id = m.integer(0, "what self:timer returned", 0, INT64_MAX);
  return m.host.act(m.digest(), [&] { return LuaValue(node(m).cancel_timer(node_context(m), id)); });
}

Out sync(const MethodCall& m) {
  const LuaValue& durable = m.plain(0, "self.durable");
  return m.host.act(m.digest(), [&] { return LuaValue(node(m).sync(node_context(m), durable)); });
}

Out work(const MethodCall& m) {
  const Duration d = m.duration(0, "a duration, as us(50)");
  if (d > 3'600'000'000'000) m.fail("`work` takes at most an hour");
  m.host.act(m.digest(), [&] {
    node_context(m).work(d);
    return LuaValue();
  });
  return LuaValue();
}

Out mark(const MethodCall& m) {
  const std::string name = m.text(0, "the name of a mark");
  const auto& known = m.host.source().marks;
  if (std::find(known.begin(), known.end(), name) == known.end())
    m.fail(fmt::format("the scenario has no mark `{}`{}; its own are listed as marks = {{ \"...\" }}", name.substr(0, 60), did_you_mean(name, known)));
  const std::string text = m.text_or(1, "a text", "");
  const std::string place = m.text_or(2, "a place", "");
  m.host.act(m.digest(), [&] {
    node_context(m).mark(name, place, text);
    return LuaValue();
  });
  return LuaValue();
}

Out log(const MethodCall& m) {
  const std::string text = m.at(0).text() ? m.text(0, "a text") : m.at(0).brief();
  m.host.act(m.digest(), [&] {
    node_context(m).mark("log", {}, text);
    return LuaValue();
  });
  return LuaValue();
}

Out now(const MethodCall& m) {
  return m.host.act(m.digest(), [&] { return LuaValue(LuaDuration{node_context(m).now()}); });
}
Out wall(const MethodCall& m) {
  return m.host.act(m.digest(), [&] { return LuaValue(LuaDuration{node_context(m).wall()}); });
}
Out random(const MethodCall& m) {
  const std::int64_t n = m.integer(0, "a whole number", 1, INT64_MAX);
  return m.host.act(m.digest(), [&] { return LuaValue(static_cast<std::int64_t>(node_context(m).random().below(static_cast<std::uint64_t>(n))) + 1); });
}

// What reply() was given, as it goes to the client.
void check_answer(const MethodCall& m) {
  if (m.at(0).is_nil()) return;
  const LuaValue& v = m.plain(0, "the answer");
  if (!v.is_table()) m.wrong(0, "a table { position =, place =, error =, unknown =, messages = }");
  m.only_fields(v, {"position", "place", "error", "unknown", "messages"});
  const auto expect = [&](const LuaValue& in, const char* name, bool ok, const char* what) {
    if (in.field(name) && !ok) m.fail(fmt::format("`{}` of an answer is {}, not {}", name, what, in.field(name)->describe()));
  };
  const auto is_text = [](const LuaValue* f) { return f && f->text() && f->text()->size() <= 10'000; };
  const auto is_count = [](const LuaValue* f) { return f && f->integer() && *f->integer() >= 0; };
  expect(v, "position", is_count(v.field("position")), "a whole number");
  expect(v, "place", is_text(v.field("place")), "a text");
  expect(v, "error", is_text(v.field("error")), "a text");
  expect(v, "unknown", v.field("unknown") && v.field("unknown")->boolean(), "true or false");
  const LuaValue* messages = v.field("messages");
  if (!messages) return;
  if (!messages->is_table() || messages->items().size() != messages->table()->size()) m.fail(fmt::format("`messages` of an answer is a list, not {}", messages->describe()));
  for (const LuaValue* row : messages->items()) {
    if (!row->is_table()) m.fail(fmt::format("a message is a table {{ place =, body =, ... }}, not {}", row->describe()));
    m.only_fields(*row, {"place", "key", "body", "position", "attempt", "redelivered"});
    expect(*row, "place", is_text(row->field("place")), "a text");
    expect(*row, "key", is_text(row->field("key")), "a text");
    expect(*row, "position", is_count(row->field("position")), "a whole number");
    expect(*row, "attempt", is_count(row->field("attempt")), "a whole number");
    expect(*row, "redelivered", row->field("redelivered") && row->field("redelivered")->boolean(), "true or false");
    if (!is_text(row->field("body"))) m.fail("a message needs its `body`, as it came with the call");
  }
}

// Upvalues: the number of the node, that of the call.
int call_reply(lua_State* L) {
  Script& s = context<Script>(L);
  const auto& actor = s.host->actor();
  const std::int64_t call = lua_tointeger(L, lua_upvalueindex(2));
  if (!actor.is_node || actor.number != lua_tointeger(L, lua_upvalueindex(1))) raise(L, "only the node that got a call can answer it");
  Script::read_arguments(L, 1);
  bool sent = false;
  {
    const MethodCall m(*s.host, "reply", s.call.arguments, s.call.line);
    check_answer(m);
    const LuaValue answer = m.at(0).is_nil() ? make_table({}) : m.at(0);
    const LuaValue out = s.host->act(m.digest() + static_cast<std::uint64_t>(call), [&] { return LuaValue(node(m).reply(node_context(m), call, answer)); });
    sent = *out.boolean();
  }
  lua_pushboolean(L, sent);
  return 1;
}

}  // namespace

void push_reply(lua_State* L, std::int64_t number, std::int64_t call) {
  lua_pushinteger(L, number);
  lua_pushinteger(L, call);
  lua_pushcclosure(L, wrap<call_reply>, 2);
}

const std::vector<Method>& node_methods() {
  static const std::vector<Method> all = {
      {"send", "(to, kind, { ... })", "Sends a message over a stream to the node of this name; one is opened when there is none.", "", send},
      {"datagram", "(to, kind, { ... })", "Sends a message by itself: it may be lost, doubled or overtaken.", "", datagram},
      {"timer", "(delay, name)", "Calls on_timer(self, name) after this time; returns a number for cancel.", "", timer},
      {"cancel", "(timer)", "Stops a timer; true when it was still to come.", "", cancel},
      {"sync", "()", "Saves self.durable on the disk and waits for it; false when the disk refused.", "", sync},
      {"work", "(duration)", "Handling this takes so much longer; what is sent leaves after that.", "", work},
      {"mark", "(name, text, place)", "A mark of the scenario's own, listed under `marks`.", "", mark},
      {"log", "(text)", "A mark named \"log\" in the trace.", "", log},
      {"now", "()", "Virtual time since the beginning, a duration.", "", now},
      {"wall", "()", "What the node's wall clock shows, a duration.", "", wall},
      {"random", "(n)", "A whole number from 1 to n; the run's seed decides.", "", random},
  };
  return all;
}

}  // namespace mqlab::script
