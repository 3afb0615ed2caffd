// print, tostring, pcall, xpcall, setmetatable, rawset: stock behaviour without its leaks.
#include <cmath>
#include <cstring>

#include "sim/script/border.h"
#include "sim/script/core.h"
#include "sim/script/library.h"
#include "sim/script/ordered.h"

namespace mqlab::script {

void push_text(lua_State* L, int index) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, 6, "no room to show a value");
  if (luaL_callmeta(L, index, "__tostring")) {
    if (!lua_isstring(L, -1)) raise(L, "'__tostring' must return a string");
    return;
  }
  switch (lua_type(L, index)) {
    case LUA_TNIL:
      lua_pushliteral(L, "nil");
      return;
    case LUA_TBOOLEAN:
      lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
      return;
    case LUA_TNUMBER:
      // The sign of a NaN differs between processors.
      if (!lua_isinteger(L, index) && std::isnan(lua_tonumber(L, index))) {
        lua_pushliteral(L, "nan");
        return;
      }
      [[fallthrough]];
    case LUA_TSTRING:
      lua_pushvalue(L, index);
      lua_tolstring(L, -1, nullptr);
      return;
    default: {
      const lua_Integer number = give_number(L, index);
      const int field = luaL_getmetafield(L, index, "__name");
      const char* kind = field == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, index);
      lua_pushfstring(L, "%s: #%I", kind, static_cast<LUAI_UACINT>(number));
      if (field != LUA_TNIL) lua_remove(L, -2);
    }
  }
}

namespace {

int base_tostring(lua_State* L) {
  luaL_checkany(L, 1);
  push_text(L, 1);
  return 1;
}

void hand_out_line(lua_State* L, const char* line, std::size_t size) {
  try {
    const Core& core = core_of(L);
    if (core.print) core.print(std::string_view(line, size));
    return;
  } catch (const std::exception& error) {
    keep_error(L, error);
  }
  raise_kept(L);
}

int base_print(lua_State* L) {
  const int n = lua_gettop(L);
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= n; ++i) {
    if (i > 1) luaL_addchar(&line, '\t');
    push_text(L, i);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  std::size_t size = 0;
  const char* bytes = lua_tolstring(L, -1, &size);
  charge(L, 64 + size);  // the host may keep every line
  hand_out_line(L, bytes, size);
  return 0;
}

// The first result of a protected call that went well is `true`, put there before.
int after_pcall(lua_State* L, int status, lua_KContext extra) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - static_cast<int>(extra);
  raise_if_spent(L, status);
  lua_pushboolean(L, 0);
  lua_pushvalue(L, -2);
  return 2;
}

int base_pcall(lua_State* L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  return after_pcall(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, after_pcall), 0);
}

// A spent budget passes unseen (the hook is off where it is raised), and so does an error of the handler
// itself: stock Lua would call the handler again for it, until the C stack is full.
int guarded_handler(lua_State* L) {
  Core& core = core_of(L);
  lua_settop(L, 1);
  if (core.spent != Spent::no || core.handler_depth > 0) return 1;
  ++core.handler_depth;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  --core.handler_depth;
  return 1;
}

int after_xpcall(lua_State* L, int status, lua_KContext extra) {
  if (status != LUA_OK && status != LUA_YIELD) core_of(L).handler_depth = 0;  // a handler that failed didn't count down
  return after_pcall(L, status, extra);
}

int base_xpcall(lua_State* L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  const int n = lua_gettop(L);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, guarded_handler, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  return after_xpcall(L, lua_pcallk(L, n - 2, LUA_MULTRET, 2, 2, after_xpcall), 2);
}

bool is_refused_field(const char* name) {
  return std::strcmp(name, "__gc") == 0 || std::strcmp(name, "__mode") == 0;
}

[[noreturn]] void raise_refused_field(lua_State* L, const char* name) {
  raise(L, "`%s` is not available: when memory is collected must not show in a scenario", name);
}

int base_setmetatable(lua_State* L) {
  const int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) raise(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  if (type == LUA_TTABLE) {
    for (const char* name : {"__gc", "__mode"}) {
      lua_pushstring(L, name);
      if (lua_rawget(L, 2) != LUA_TNIL) raise_refused_field(L, name);
      lua_pop(L, 1);
    }
  }
  lua_setmetatable(L, 1);
  return 1;
}

int base_rawset(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (lua_type(L, 2) == LUA_TSTRING && is_refused_field(lua_tostring(L, 2))) {
    raise_refused_field(L, lua_tostring(L, 2));
  }
  lua_rawset(L, 1);
  return 1;
}

// A number may be written with as many digits as a string has room for.
int base_tonumber(lua_State* L) {
  charge(L, lua_type(L, 1) == LUA_TSTRING ? lua_rawlen(L, 1) / 8 : 0);
  return call_stock(L);
}

}  // namespace

const luaL_Reg base_functions[] = {
    {"next", ordered_next},     {"pairs", ordered_pairs},   {"pcall", base_pcall},
    {"print", base_print},      {"rawset", base_rawset},    {"setmetatable", base_setmetatable},
    {"tostring", base_tostring}, {"xpcall", base_xpcall},   {nullptr, nullptr},
};

const luaL_Reg wrapped_base_functions[] = {{"tonumber", base_tonumber}, {nullptr, nullptr}};

}  // namespace mqlab::script
