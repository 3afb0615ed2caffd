// What a scenario finds in its globals, and what it is told about the rest.
#include <cstring>
#include <string>
#include <vector>

#include "sim/script/border.h"
#include "sim/script/core.h"
#include "sim/script/library.h"
#include "sim/script/nearest.h"

namespace mqlab::script {
namespace {

struct Removed {
  const char* name;
  const char* why;
};

constexpr const char* reaches_machine = "a scenario can't reach the machine it runs on";
constexpr const char* loads_code = "a scenario is one file, and no code is made while it runs";
constexpr const char* rounds_differently = "its last digits differ from machine to machine";

constexpr Removed removed_names[] = {
    {"io", reaches_machine},
    {"os", reaches_machine},
    {"package", reaches_machine},
    {"debug", reaches_machine},
    {"collectgarbage", "memory is no business of a scenario"},
    {"warn", "use print"},
    {"require", loads_code},
    {"dofile", loads_code},
    {"loadfile", loads_code},
    {"loadstring", loads_code},
    {"load", loads_code},
    {"string.dump", loads_code},
    {"math.randomseed", "the seed of the run decides, so that the run can be repeated"},
    {"math.sin", rounds_differently},
    {"math.cos", rounds_differently},
    {"math.tan", rounds_differently},
    {"math.asin", rounds_differently},
    {"math.acos", rounds_differently},
    {"math.atan", rounds_differently},
    {"math.exp", rounds_differently},
    {"math.log", rounds_differently},
    {"math.deg", "multiply by 180 / math.pi"},
    {"math.rad", "multiply by math.pi / 180"},
};

// __index of the tables of names: upvalue 1 is what goes before the name ("math." or "").
int undefined_name(lua_State* L) {
  const char* prefix = lua_tostring(L, lua_upvalueindex(1));
  if (lua_type(L, 2) != LUA_TSTRING) raise(L, "a name is expected, got %s", luaL_typename(L, 2));
  luaL_checkstack(L, 4, "no room to look for a name");
  const char* wrong = lua_tostring(L, 2);
  try {
    std::vector<std::string> names;
    // The order of lua_next doesn't matter: nearest_word depends on the set only. None of these calls raises.
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
      if (lua_type(L, -2) == LUA_TSTRING) names.emplace_back(lua_tostring(L, -2));
    }
    const std::string full = std::string(prefix) + wrong;
    for (const Removed& removed : removed_names) {
      if (full == removed.name) throw std::runtime_error("`" + full + "` is not available: " + removed.why);
    }
    throw std::runtime_error("`" + full.substr(0, 80) + "` is not defined" + did_you_mean(wrong, names));
  } catch (const std::exception& error) {
    keep_error(L, error);
  }
  raise_kept(L);
}

// Gives the table on top a metatable that reports undefined names.
void make_strict(lua_State* L, const char* prefix) {
  lua_newtable(L);
  lua_pushstring(L, prefix);
  lua_pushcclosure(L, undefined_name, 1);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}

// Moves the named fields of the stock table at `stock` to the table on top.
void keep(lua_State* L, int stock, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    lua_getfield(L, stock, name);
    lua_setfield(L, -2, name);
  }
}

// Puts wrappers into the table on top; each gets the stock function of its name.
void keep_wrapped(lua_State* L, int stock, const luaL_Reg* wrappers) {
  for (; wrappers->name; ++wrappers) {
    lua_getfield(L, stock, wrappers->name);
    lua_pushcclosure(L, wrappers->func, 1);
    lua_setfield(L, -2, wrappers->name);
  }
}

// Opens a stock library without registering it anywhere: with no table of loaded modules, error messages
// name functions as the script does.
int open_stock(lua_State* L, lua_CFunction open) {
  lua_pushcfunction(L, open);
  lua_call(L, 0, 1);
  return lua_gettop(L);
}

}  // namespace

void open_libraries(lua_State* L) {
  // luaopen_base fills the globals; they become the stock table, and new ones take their place.
  const int base = open_stock(L, luaopen_base);
  lua_newtable(L);
  const int globals = lua_gettop(L);
  lua_pushvalue(L, globals);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  keep(L, base, {"assert", "error", "ipairs", "rawequal", "rawget", "rawlen", "select", "type", "getmetatable", "_VERSION"});
  keep_wrapped(L, base, wrapped_base_functions);
  luaL_setfuncs(L, base_functions, 0);
  lua_pushvalue(L, globals);
  lua_setfield(L, globals, "_G");

  const int string = open_stock(L, luaopen_string);
  lua_newtable(L);
  keep(L, string, {"char", "len", "sub"});
  keep_wrapped(L, string, wrapped_string_functions);
  luaL_setfuncs(L, string_functions, 0);
  luaL_setfuncs(L, pattern_functions, 0);
  make_strict(L, "string.");
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
  lua_setfield(L, globals, "string");

  lua_newtable(L);
  luaL_setfuncs(L, table_functions, 0);
  make_strict(L, "table.");
  lua_setfield(L, globals, "table");

  const int coroutine = open_stock(L, luaopen_coroutine);
  lua_newtable(L);
  keep(L, coroutine, {"isyieldable", "running", "status", "yield"});
  luaL_setfuncs(L, coroutine_functions, 0);
  make_strict(L, "coroutine.");
  lua_setfield(L, globals, "coroutine");

  const int math = open_stock(L, luaopen_math);
  lua_newtable(L);
  keep(L, math, {"abs", "ceil", "floor", "fmod", "huge", "max", "maxinteger", "min", "mininteger", "modf", "pi", "sqrt",
                 "tointeger", "type", "ult"});
  luaL_setfuncs(L, math_functions, 0);
  make_strict(L, "math.");
  lua_setfield(L, globals, "math");

  const int utf8 = open_stock(L, luaopen_utf8);
  lua_newtable(L);
  keep(L, utf8, {"char", "charpattern", "codes"});
  keep_wrapped(L, utf8, wrapped_utf8_functions);
  make_strict(L, "utf8.");
  lua_setfield(L, globals, "utf8");

  lua_pushvalue(L, globals);
  make_strict(L, "");
  lua_settop(L, 0);
}

}  // namespace mqlab::script
