// sim/script/border.h: how a C++ function that Lua calls is written.
//
// One rule: a Lua error is a longjmp, so no C++ object with a destructor may be alive in a frame it jumps
// over. Any lua_* call marked "-e-" or "m" in the manual can raise, also lua_pushstring (memory).
// The shape that keeps it, for a function that needs C++ objects:
//     1. read the arguments with luaL_check* and views (lua_tolstring; the value stays on the stack);
//     2. open a scope, work in C++ only, throw ScriptError or any std::exception when something is wrong,
//        leave results in plain data;
//     3. after the scope push the results.
// Registered as wrap<fn>, what step 2 throws becomes a Lua error with file and line once the frame is gone.
//
// Always true: an error raised here carries the position of the innermost Lua function.
// Elsewhere: entry points from C++ (sim/script/sandbox.h), reading tables in order (sim/script/ordered.h).
//
//     int heal(lua_State* L) { ...; raise_argument(L, 1, "expected a time, got %s", luaL_typename(L, 1)); }
//     lua_register(L, "heal", wrap<heal>);
//     World& world = context<World>(L);
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <string>

#include "sim/script/sandbox.h"

namespace mqlab::script {

// Raises "file:line: message" at the innermost Lua function. Formats as lua_pushfstring does: %s %d %I %f
// %c %U %%. Requires: no object with a destructor is alive.
[[noreturn]] void raise(lua_State* L, const char* format, ...);

// The same about an argument: "bad argument #2 to `send`: message".
[[noreturn]] void raise_argument(lua_State* L, int argument, const char* format, ...);

// Where the script is now: to remember where something was declared. Raises nothing.
struct Place {
  std::string file;
  int line = 0;
};
Place place_of(lua_State* L);

// Takes n steps from the budget; raises when that spends it.
void charge(lua_State* L, std::uint64_t n);

void* context_pointer(lua_State* L);
template <class T>
T& context(lua_State* L) {
  return *static_cast<T*>(context_pointer(L));
}

// Keeps the text (and the place, if it has one) until raise_kept raises it.
void keep_error(lua_State* L, const std::exception& error) noexcept;
[[noreturn]] void raise_kept(lua_State* L);

template <int (*function)(lua_State*)>
int wrap(lua_State* L) {
  try {
    return function(L);
  } catch (const std::exception& error) {
    keep_error(L, error);
  }
  raise_kept(L);
}

}  // namespace mqlab::script
