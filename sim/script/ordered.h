// sim/script/ordered.h: the order in which a table is walked.
//
// Stock Lua 5.4 seeds its string hash per process (luai_makeseed), so lua_next shows a different order in
// each run. One rule instead, for scripts and for C++:
//     integers ascending, other numbers ascending, strings by bytes, false, true, then objects.
// Objects (tables, functions, threads, userdata) as keys have no order of their own: they go by their number
// (give_number, or the first tostring). A table with two or more keys without a number can't be walked, and
// says so.
//
// Always true: the order depends on the set of keys only. pairs(t) takes the keys once, when it is called:
// fields may be changed and removed on the way, fields removed are skipped, fields added are not seen.
// next(t, k) looks for the smallest key above k, in O(size of t); k need not be there any more. __pairs works.
// Elsewhere: C++ never walks a script's table with lua_next alone; it calls sorted_keys.
//
//     const lua_Integer n = sorted_keys(L, 1);              // pushes an array of the keys of the table at 1
//     for (lua_Integer i = 1; i <= n; ++i) { lua_rawgeti(L, -1, i); ... lua_pop(L, 1); }
#pragma once

#include <lua.hpp>

namespace mqlab::script {

// Pushes an array with the keys of the table at index, in order, and returns how many. May raise.
lua_Integer sorted_keys(lua_State* L, int index);

// The number of an object, given now if it has none: it decides its place among keys and its text.
lua_Integer give_number(lua_State* L, int index);

int ordered_pairs(lua_State* L);
int ordered_next(lua_State* L);

}  // namespace mqlab::script
