#include "sim/script/script.h"

#include <fmt/format.h>

#include "sim/script/border.h"

namespace mqlab::script {
namespace {

const char kept_key = 0;

void read_call(lua_State* L, int first) {
  if (!context<Script>(L).declared.loading) raise(L, "this is only possible while the file is loaded, not inside a program");
  Script::read_arguments(L, first);
}

// Programs and handlers stay where Lua can find them.
int finish(lua_State* L, Thing result, int table) {
  if (result.kind == ThingKind::client || result.kind == ThingKind::node) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &kept_key);
    lua_pushvalue(L, table);
    lua_rawseti(L, -2, result.number * 2 + (result.kind == ThingKind::node ? 2 : 1));
    lua_pop(L, 1);
  }
  push_thing(L, result);
  return 1;
}

// Upvalue 1: the number of the verb.
int call_verb(lua_State* L) {
  read_call(L, 1);
  Thing result;
  {
    Script& s = context<Script>(L);
    const Verb& verb = s.declared.verbs[static_cast<std::size_t>(lua_tointeger(L, lua_upvalueindex(1)))];
    s.call.verb = verb.doc.name;
    result = verb.run(s.declared, s.call, verb);
  }
  return finish(L, result, 2);
}

int call_thing(lua_State* L) {
  read_call(L, 2);
  Thing result;
  {
    Script& s = context<Script>(L);
    const LuaValue self = read_value(L, 1);
    if (!self.thing()) throw std::runtime_error("this can't be called");
    s.call.verb = thing_name(self.thing()->kind);
    result = s.declared.call_thing(*self.thing(), s.call);
  }
  return finish(L, result, 2);
}

}  // namespace

Script::Script(std::string_view text, const std::string& path, const Models& models) : declared(models, path, text), text_(text) {
  box.set_context(this);
  box.protect([this](lua_State* L) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &kept_key);
    open_things(L, wrap<call_thing>);
    open_durations(L);
    for (std::size_t i = 0; i < declared.verbs.size(); ++i) {
      lua_pushinteger(L, static_cast<lua_Integer>(i));
      lua_pushcclosure(L, wrap<call_verb>, 1);
      lua_setglobal(L, declared.verbs[i].doc.name.c_str());
    }
  });
}

Thing Script::run_file(const std::function<void(std::string_view)>& print) {
  if (print) box.on_print(print);
  box.run(text_, declared.path, 1);
  const LuaValue result = read_value(box.state(), -1);
  lua_settop(box.state(), 0);
  declared.loading = false;
  if (const Thing* t = result.thing(ThingKind::scenario)) return *t;
  if (!declared.scenarios.empty())
    declared.fail(declared.scenarios.back().line, fmt::format("the file must return its scenario, as `return scenario {{ ... }}`; it returns {}", result.describe()));
  declared.fail(1, fmt::format("the file must end with `return scenario {{ ... }}`; it returns {}", result.describe()));
}

void Script::read_arguments(lua_State* L, int first) {
  Script& s = context<Script>(L);
  s.values_read = 0;
  {
    s.trouble.clear();
    s.call.arguments.clear();
    s.call.line = place_of(L).line;
    try {
      for (int i = first; i <= lua_gettop(L) && i < first + 64; ++i) s.call.arguments.push_back(read_value(L, i, &s.values_read));
    } catch (const std::runtime_error& error) {
      s.trouble = error.what();
    }
  }
  charge(L, 16 + s.values_read);
  if (!s.trouble.empty()) raise(L, "%s", s.trouble.c_str());
}

void Script::push_declared(lua_State* L, ThingKind kind, std::int64_t number) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &kept_key);
  lua_rawgeti(L, -1, number * 2 + (kind == ThingKind::node ? 2 : 1));
  lua_remove(L, -2);
}

}  // namespace mqlab::script
