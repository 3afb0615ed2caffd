#include "sim/script/script.h"

#include <fmt/format.h>

#include "sim/script/border.h"

namespace mqlab::script {
namespace {

const char kept_key = 0;
const char own_globals_key = 0;  // what originals made of the globals; it comes back when the file has been run
constexpr std::size_t originals_max = 10;

// A global that is gone, in the table of own_globals_key.
void push_gone(lua_State* L) { lua_pushlightuserdata(L, const_cast<char*>(&own_globals_key)); }

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

// --- originals ---

void push_globals_copy(lua_State* L) {
  lua_newtable(L);
  lua_pushglobaltable(L);
  lua_Integer n = 0;
  for (lua_pushnil(L); lua_next(L, -2); ++n) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 1);
  charge(L, static_cast<std::uint64_t>(n));
}

// Sets the globals that stand in the table on top, and pops it.
void put_globals(lua_State* L) {
  lua_pushglobaltable(L);
  for (lua_pushnil(L); lua_next(L, -3);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    if (lua_touserdata(L, -1) == &own_globals_key) {
      lua_pop(L, 1);
      lua_pushnil(L);
    }
    lua_rawset(L, -4);
  }
  lua_pop(L, 2);
}

void put_own_globals(lua_State* L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &own_globals_key) == LUA_TTABLE) put_globals(L);
  else lua_pop(L, 1);
}

// Into the table on top, each global that is another one than in the copy at `from`; or, turned round, as it is there.
void add_changed(lua_State* L, int from, bool turned_round) {
  const int out = lua_gettop(L);
  lua_pushglobaltable(L);
  const int now = out + 1;
  for (const int one : {now, from}) {
    lua_Integer n = 0;
    const int other = one == now ? from : now;
    for (lua_pushnil(L); lua_next(L, one); ++n) {
      const int value = lua_gettop(L);
      lua_pushvalue(L, value - 1);
      lua_rawget(L, other);
      if (!lua_rawequal(L, value, value + 1)) {
        lua_pushvalue(L, value - 1);
        lua_pushvalue(L, (one == now) == turned_round ? value + 1 : value);
        if (lua_isnil(L, -1)) {
          lua_pop(L, 1);
          push_gone(L);
        }
        lua_rawset(L, out);
      }
      lua_settop(L, value - 1);
    }
    charge(L, static_cast<std::uint64_t>(n));
  }
  lua_settop(L, out);
}

// original(function(...) ... end): runs the text of another file, whose globals are its own.
int call_original(lua_State* L) {
  if (!context<Script>(L).declared.loading) raise(L, "this is only possible while the file is loaded, not inside a program");
  if (lua_gettop(L) != 1 || !lua_isfunction(L, 1) || lua_iscfunction(L, 1))
    raise(L, "`original` wants a function that holds the text of a file, as original(function(...) ... end), not %s", luaL_typename(L, 1));
  luaL_checkstack(L, 20, "no room for another file");
  DeclaredOriginal o;
  lua_Debug about;
  lua_pushvalue(L, 1);
  lua_getinfo(L, ">S", &about);
  o.first_line = about.linedefined;
  o.last_line = about.lastlinedefined;
  push_globals_copy(L);
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  put_own_globals(L);  // of originals inside
  lua_newtable(L);
  add_changed(L, 2, false);
  lua_newtable(L);
  add_changed(L, 2, true);
  put_globals(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &own_globals_key);
  Thing result{ThingKind::original, 0};
  {
    Declarations& d = context<Script>(L).declared;
    const int line = place_of(L).line;
    const LuaValue v = read_value(L, 3);
    const Thing* t = v.thing(ThingKind::scenario);
    if (!t) d.fail(line, fmt::format("the function given to `original` must return its scenario, as `return scenario {{ ... }}`; it returns {}", v.describe()));
    d.limit(d.originals.size() + 1, originals_max, line, "originals");
    o.scenario = t->number;
    result.number = static_cast<std::int64_t>(d.originals.size());
    d.originals.push_back(o);
  }
  push_thing(L, result);
  return 1;
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
      if (declared.verbs[i].run) {
        lua_pushinteger(L, static_cast<lua_Integer>(i));
        lua_pushcclosure(L, wrap<call_verb>, 1);
      } else {
        lua_pushcfunction(L, wrap<call_original>);
      }
      lua_setglobal(L, declared.verbs[i].doc.name.c_str());
    }
  });
}

Thing Script::run_file(const std::function<void(std::string_view)>& print) {
  if (print) box.on_print(print);
  box.run(text_, declared.path, 1);
  const LuaValue result = read_value(box.state(), -1);
  lua_settop(box.state(), 0);
  box.protect([](lua_State* L) { put_own_globals(L); });
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
