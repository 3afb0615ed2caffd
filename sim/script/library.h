// sim/script/library.h: the functions that a scenario finds, one list per table of names.
//
// Private to sim/script/*.cpp. One rule: a function costs steps in proportion to its work, or its work is
// bounded by a constant. Always true: nothing here is a stock function that can loop, catch or remember.
// Elsewhere: which stock functions are let through (libraries.cpp).
#pragma once

#include <lua.hpp>

namespace mqlab::script {

extern const luaL_Reg base_functions[];
extern const luaL_Reg table_functions[];
extern const luaL_Reg pattern_functions[];
extern const luaL_Reg string_functions[];
extern const luaL_Reg coroutine_functions[];
extern const luaL_Reg math_functions[];

constexpr lua_Integer values_max = 4096;  // how many values one call may push

// For a stock function that is wrapped: it is upvalue 1 of the running closure.
inline int call_stock(lua_State* L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

// Wrappers around stock functions of the same name.
extern const luaL_Reg wrapped_string_functions[];
extern const luaL_Reg wrapped_utf8_functions[];
extern const luaL_Reg wrapped_base_functions[];

}  // namespace mqlab::script
