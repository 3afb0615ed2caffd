#include "sim/script/methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/script/border.h"
#include "sim/script/fields.h"
#include "sim/script/nearest.h"

namespace mqlab::script {

const LuaValue& MethodCall::at(std::size_t i) const {
  static const LuaValue nothing;
  return i < arguments_.size() ? arguments_[i] : nothing;
}

void MethodCall::fail(const std::string& text) const { throw ScriptError(host.source().path, line_, text); }

void MethodCall::wrong(std::size_t i, const std::string& expected) const {
  fail(fmt::format("argument {} of `{}` is {}, not {}", i + 1, method, expected, at(i).describe()));
}

std::string MethodCall::text(std::size_t i, const char* what) const {
  if (!at(i).text()) wrong(i, what);
  if (at(i).text()->size() > 10'000) fail(fmt::format("argument {} of `{}` has {} bytes; at most 10000 are taken", i + 1, method, at(i).text()->size()));
  return *at(i).text();
}

std::string MethodCall::text_or(std::size_t i, const char* what, std::string otherwise) const { return at(i).is_nil() ? otherwise : text(i, what); }

Duration MethodCall::duration(std::size_t i, const char* what) const {
  Duration ns = 0;
  if (at(i).duration()) ns = at(i).duration()->ns;
  else if (!(at(i).integer() && *at(i).integer() == 0)) wrong(i, what);
  if (ns < 0 || ns > duration_max) fail(fmt::format("argument {} of `{}` must be between 0 and 100 years, and is {}", i + 1, method, format_duration(ns)));
  return ns;
}

std::int64_t MethodCall::integer(std::size_t i, const char* what, std::int64_t min, std::int64_t max) const {
  const LuaValue& v = at(i);
  std::optional<std::int64_t> n;
  if (v.integer()) n = *v.integer();
  else if (v.number() && std::nearbyint(*v.number()) == *v.number() && std::fabs(*v.number()) < 9e15) n = static_cast<std::int64_t>(*v.number());
  if (!n || *n < min || *n > max) wrong(i, fmt::format("{} between {} and {}", what, min, max));
  return *n;
}

const LuaValue& MethodCall::plain(std::size_t i, const char* what) const {
  const LuaValue& v = at(i);
  if (const char* bad = v.not_plain()) fail(fmt::format("{} of `{}` holds a {}: only numbers, texts, truth values, durations and tables of them can be sent", what, method, bad));
  return v;
}

void MethodCall::only_fields(const LuaValue& table, const std::vector<std::string>& names) const {
  for (const auto& [key, value] : *table.table()) {
    const std::string name = key.text() ? *key.text() : key.brief(60);
    if (!key.text() || std::find(names.begin(), names.end(), name) == names.end()) {
      std::string all;
      for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
      const std::string hint = did_you_mean(name, names);
      fail(fmt::format("the table given to `{}` has no field `{}`{}", method, name.substr(0, 60), hint.empty() ? "; it has: " + all : hint));
    }
  }
}

std::uint64_t MethodCall::digest() const {
  std::uint64_t h = LuaValue(std::string(method)).digest();
  if (!object.empty()) h = LuaValue(object_number).digest(LuaValue(object).digest(h));
  for (const LuaValue& v : arguments_) h = v.digest(h);
  return h;
}

const std::vector<Method>& methods_of(ObjectKind k) {
  switch (k) {
    case ObjectKind::program: return program_methods();
    case ObjectKind::node: return node_methods();
    case ObjectKind::database: return database_methods();
    case ObjectKind::transaction: return transaction_methods();
    case ObjectKind::outside: return outside_methods();
  }
  return program_methods();
}

namespace {

const char methods_keys[object_kinds] = {};

// How each is called in a program's text.
const char* written(ObjectKind k) {
  static constexpr const char* names[] = {"c", "self", "db", "t", "outside"};
  return names[static_cast<std::size_t>(k)];
}

bool of_program(ObjectKind k) { return k != ObjectKind::program && k != ObjectKind::node; }

// Raises unless the object at 1 is one of the actor that runs.
void check_owner(lua_State* L, const ScriptHost& host, ObjectKind kind, const char* method) {
  const bool node = kind == ObjectKind::node;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &methods_keys[static_cast<std::size_t>(kind)]);
  const bool has_methods = lua_istable(L, 1) && lua_getmetatable(L, 1);
  const bool right_kind = has_methods && lua_rawequal(L, -1, -2);
  lua_pop(L, has_methods ? 2 : 1);
  if (!right_kind) {
    if (has_methods && !of_program(kind)) raise(L, "this `%s` belongs to another %s than the one that runs now", written(kind), node ? "node" : "program");
    raise(L, "write %s:%s(...), with a colon", written(kind), method);
  }
  push_current_object(L, host.actor().is_node, host.actor().number);
  if (of_program(kind)) {
    lua_pushliteral(L, "client");
    lua_rawget(L, 1);
  } else {
    lua_pushvalue(L, 1);
  }
  const bool mine = host.actor().is_node == node && lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  if (!mine) raise(L, "this `%s` belongs to another %s than the one that runs now", written(kind), node ? "node" : "program");
}

// Upvalues: the number of the method, and the kind of its object.
int call_method(lua_State* L) {
  const auto kind = static_cast<ObjectKind>(lua_tointeger(L, lua_upvalueindex(2)));
  const auto index = static_cast<std::size_t>(lua_tointeger(L, lua_upvalueindex(1)));
  const Method& m = methods_of(kind)[index];
  Script& s = context<Script>(L);
  if (!s.host) raise(L, "nothing runs yet");
  ScriptHost& host = *s.host;
  check_owner(L, host, kind, m.name);
  if (*m.needs) {
    const auto& calls = host.source().model->decl().calls;
    bool offered = host.source().model->decl().name == "lua";
    for (const CallDecl& c : calls) offered = offered || c.name == m.needs;
    if (!offered) raise(L, "%s has no call `%s`; `mqlab models %s` lists what its clients can do", host.source().model->decl().name.c_str(), m.needs, host.source().model->decl().name.c_str());
  }
  // What sync saves is read here, like an argument.
  if (kind == ObjectKind::node && std::string_view(m.name) == "sync") {
    lua_settop(L, 1);
    lua_pushliteral(L, "durable");
    lua_rawget(L, 1);
  }
  Script::read_arguments(L, 2);
  const char* name = "";
  lua_Integer number = 0;
  if (of_program(kind)) {
    // A program may write over these: then it speaks to nobody.
    lua_pushliteral(L, "name");
    lua_rawget(L, 1);
    name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
    lua_pushliteral(L, "number");
    lua_rawget(L, 1);
    number = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
  }
  bool waits = false;
  {
    MethodCall call(host, m.name, s.call.arguments, s.call.line);
    call.object = name;
    call.object_number = number;
    std::optional<LuaValue> out = m.run(call);
    waits = !out;
    host.result = out ? std::move(*out) : LuaValue();
  }
  if (waits) return lua_yield(L, 0);
  push_value(L, host.result);
  if (m.makes != ObjectKind::program) {
    if (of_program(kind)) {
      lua_pushliteral(L, "client");
      lua_rawget(L, 1);
    } else {
      lua_pushvalue(L, 1);
    }
    lua_setfield(L, -2, "client");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &methods_keys[static_cast<std::size_t>(m.makes)]);
    lua_setmetatable(L, -2);
  }
  return 1;
}

// Refuses before anything is asked for what could not be waited for.
int call_waiting_method(lua_State* L) {
  const Script& s = context<Script>(L);
  if (s.host && !s.host->actor().is_node && s.host->actor().number >= 0) {
    if (!s.host->is_current_thread(L)) raise(L, "a program waits in its own function, not in a coroutine that it made");
    if (!lua_isyieldable(L)) raise(L, "a program can't wait here (inside a sort, an iterator or a metamethod)");
  }
  return wrap<call_method>(L);
}

// Upvalues: the methods, and the kind of the object.
int unknown_method(lua_State* L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  if (lua_type(L, 2) != LUA_TSTRING) return 1;
  {
    const auto kind = static_cast<ObjectKind>(lua_tointeger(L, lua_upvalueindex(2)));
    std::vector<std::string> names;
    for (const Method& m : methods_of(kind)) names.emplace_back(m.name);
    const std::string wrong = lua_tostring(L, 2);
    static constexpr const char* subjects[] = {"`c`", "`self`", "a database", "a transaction", "an outside"};
    throw std::runtime_error(fmt::format("{} has no method `{}`{}", subjects[static_cast<std::size_t>(kind)], wrong.substr(0, 60), did_you_mean(wrong, names)));
  }
}

void open_methods(lua_State* L, ObjectKind kind) {
  const bool node = kind == ObjectKind::node;
  const auto& methods = methods_of(kind);
  lua_newtable(L);
  lua_newtable(L);
  for (std::size_t i = 0; i < methods.size(); ++i) {
    lua_pushinteger(L, static_cast<lua_Integer>(i));
    lua_pushinteger(L, static_cast<lua_Integer>(kind));
    lua_pushcclosure(L, !node && !methods[i].at_once ? call_waiting_method : wrap<call_method>, 2);
    lua_setfield(L, -2, methods[i].name);
  }
  if (!node) {
    lua_pushinteger(L, static_cast<lua_Integer>(kind));
    lua_pushcclosure(L, wrap<unknown_method>, 2);
  }
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  static constexpr const char* names[] = {"client", "node", "database", "transaction", "outside"};
  lua_pushstring(L, names[static_cast<std::size_t>(kind)]);
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &methods_keys[static_cast<std::size_t>(kind)]);
}

}  // namespace

void open_program_verbs(lua_State* L) {
  for (const ObjectKind k : {ObjectKind::program, ObjectKind::database, ObjectKind::transaction, ObjectKind::outside}) open_methods(L, k);
}
void open_node_verbs(lua_State* L) { open_methods(L, ObjectKind::node); }

void push_program_object(lua_State* L, const std::string& name, const LuaValue& options) {
  lua_newtable(L);
  lua_pushlstring(L, name.data(), name.size());
  lua_setfield(L, -2, "name");
  push_value(L, options);
  lua_setfield(L, -2, "options");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &methods_keys[0]);
  lua_setmetatable(L, -2);
}

void push_node_object(lua_State* L, const NodeSpec& spec, const ScriptSource& source) {
  lua_newtable(L);
  lua_pushlstring(L, spec.name.data(), spec.name.size());
  lua_setfield(L, -2, "name");
  lua_newtable(L);
  lua_Integer n = 0;
  for (const NodeSpec& other : source.nodes) {
    if (&other == &spec) continue;
    lua_pushlstring(L, other.name.data(), other.name.size());
    lua_rawseti(L, -2, ++n);
  }
  lua_setfield(L, -2, "peers");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &methods_keys[1]);
  lua_setmetatable(L, -2);
}

const std::vector<VerbDoc>& program_verb_docs() {
  static const std::vector<VerbDoc> all = [] {
    std::vector<VerbDoc> docs;
    for (const Method& m : program_methods()) docs.push_back({std::string("c:") + m.name, "program", m.arguments, m.sentence});
    for (const Method& m : database_methods()) docs.push_back({std::string("db:") + m.name, "database", m.arguments, m.sentence});
    for (const Method& m : transaction_methods()) docs.push_back({std::string("t:") + m.name, "transaction", m.arguments, m.sentence});
    for (const Method& m : outside_methods()) docs.push_back({std::string("bank:") + m.name, "the world outside", m.arguments, m.sentence});
    return docs;
  }();
  return all;
}

const std::vector<VerbDoc>& node_verb_docs() {
  static const std::vector<VerbDoc> all = [] {
    std::vector<VerbDoc> docs;
    for (const Method& m : node_methods()) docs.push_back({std::string("self:") + m.name, "node", m.arguments, m.sentence});
    return docs;
  }();
  return all;
}

}  // namespace mqlab::script
