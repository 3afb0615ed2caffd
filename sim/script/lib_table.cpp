// The table library. Elements are read and written as in stock Lua (metamethods count); what differs: each
// element costs a step, and sort is a stable merge sort, because the stock one takes a pivot from the
// clock when an array is large and uneven.
#include <algorithm>
#include <climits>

#include "sim/script/border.h"
#include "sim/script/core.h"
#include "sim/script/library.h"

namespace mqlab::script {
namespace {

// A table, or what has the metamethods to act as one.
void check_array(lua_State* L, int index, bool is_read, bool is_written, bool is_measured) {
  if (lua_type(L, index) == LUA_TTABLE) return;
  bool fits = lua_getmetatable(L, index);
  const struct { bool needed; const char* name; } fields[] = {
      {is_read, "__index"}, {is_written, "__newindex"}, {is_measured, "__len"}};
  for (const auto& field : fields) {
    if (!fits || !field.needed) continue;
    lua_pushstring(L, field.name);
    fits = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    if (!fits) lua_pop(L, 1);
  }
  if (!fits) raise_argument(L, index, "a table is expected, got %s", luaL_typename(L, index));
  lua_pop(L, 1);
}

lua_Integer length(lua_State* L, int index) {
  check_array(L, index, true, true, true);
  return luaL_len(L, index);
}

// The work of a call that touches the elements from..to, before it starts.
void charge_range(lua_State* L, lua_Integer from, lua_Integer to) {
  if (to >= from) charge(L, static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from) + 1);
}

int table_insert(lua_State* L) {
  const lua_Integer last = length(L, 1);
  const lua_Integer free = static_cast<lua_Integer>(static_cast<lua_Unsigned>(last) + 1);
  if (lua_gettop(L) != 2 && lua_gettop(L) != 3) {
    raise(L, "wrong number of arguments to `insert`: a table, maybe a position, and a value are expected");
  }
  lua_Integer position = free;
  if (lua_gettop(L) == 3) {
    position = luaL_checkinteger(L, 2);
    if (static_cast<lua_Unsigned>(position) - 1u >= static_cast<lua_Unsigned>(free)) {
      raise_argument(L, 2, "position out of bounds");
    }
    charge_range(L, position, last);
    for (lua_Integer i = free; i > position; --i) {
      lua_geti(L, 1, i - 1);
      lua_seti(L, 1, i);
    }
  }
  lua_seti(L, 1, position);
  return 0;
}

int table_remove(lua_State* L) {
  const lua_Integer last = length(L, 1);
  lua_Integer position = luaL_optinteger(L, 2, last);
  if (position != last && static_cast<lua_Unsigned>(position) - 1u > static_cast<lua_Unsigned>(last)) {
    raise_argument(L, 2, "position out of bounds");
  }
  charge_range(L, position, last);
  lua_geti(L, 1, position);
  for (; position < last; ++position) {
    lua_geti(L, 1, position + 1);
    lua_seti(L, 1, position);
  }
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

int table_move(lua_State* L) {
  const lua_Integer from = luaL_checkinteger(L, 2);
  const lua_Integer to = luaL_checkinteger(L, 3);
  const lua_Integer target = luaL_checkinteger(L, 4);
  const int destination = lua_isnoneornil(L, 5) ? 1 : 5;
  check_array(L, 1, true, false, false);
  check_array(L, destination, false, true, false);
  if (to >= from) {
    if (from <= 0 && to >= LUA_MAXINTEGER + from) raise_argument(L, 3, "too many elements to move");
    const lua_Integer n = to - from + 1;
    if (target > LUA_MAXINTEGER - n + 1) raise_argument(L, 4, "destination wrap around");
    charge_range(L, from, to);
    const bool upwards = target > to || target <= from || (destination == 5 && !lua_compare(L, 1, 5, LUA_OPEQ));
    for (lua_Integer k = 0; k < n; ++k) {
      const lua_Integer i = upwards ? k : n - 1 - k;
      lua_geti(L, 1, from + i);
      lua_seti(L, destination, target + i);
    }
  }
  lua_pushvalue(L, destination);
  return 1;
}

int table_concat(lua_State* L) {
  const lua_Integer size = length(L, 1);
  std::size_t separator_size = 0;
  const char* separator = luaL_optlstring(L, 2, "", &separator_size);
  lua_Integer i = luaL_optinteger(L, 3, 1);
  const lua_Integer last = luaL_optinteger(L, 4, size);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (bool first = true; i <= last; ++i, first = false) {
    if (!first) luaL_addlstring(&buffer, separator, separator_size);
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1)) {
      raise(L, "invalid value (%s) at index %I in table for `concat`", luaL_typename(L, -1), static_cast<LUAI_UACINT>(i));
    }
    std::size_t bytes = 0;
    lua_tolstring(L, -1, &bytes);
    charge(L, 1 + (bytes + separator_size) / 32);
    luaL_addvalue(&buffer);
    if (i == LUA_MAXINTEGER) break;
  }
  luaL_pushresult(&buffer);
  return 1;
}

int table_pack(lua_State* L) {
  const int n = lua_gettop(L);
  lua_createtable(L, n, 1);
  lua_insert(L, 1);
  for (int i = n; i >= 1; --i) lua_seti(L, 1, i);
  lua_pushinteger(L, n);
  lua_setfield(L, 1, "n");
  return 1;
}

int table_unpack(lua_State* L) {
  const lua_Integer from = luaL_optinteger(L, 2, 1);
  const lua_Integer to = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (from > to) return 0;
  const lua_Unsigned n = static_cast<lua_Unsigned>(to) - static_cast<lua_Unsigned>(from);
  if (n >= static_cast<lua_Unsigned>(values_max) || !lua_checkstack(L, static_cast<int>(n) + 1)) {
    raise(L, "too many results to unpack: at most %d", static_cast<int>(values_max));
  }
  charge(L, n + 1);
  for (lua_Unsigned i = 0; i <= n; ++i) lua_geti(L, 1, from + static_cast<lua_Integer>(i));
  return static_cast<int>(n) + 1;
}

constexpr int sort_compare = 2, sort_values = 3;  // stack indices: the order function, a copy of the elements

// True iff element a of the copy goes before element b.
bool comes_before(lua_State* L, std::uint32_t a, std::uint32_t b) {
  charge(L, 2);
  const bool has_function = !lua_isnil(L, sort_compare);
  if (has_function) lua_pushvalue(L, sort_compare);
  lua_rawgeti(L, sort_values, a);
  lua_rawgeti(L, sort_values, b);
  if (has_function) lua_call(L, 2, 1);
  const bool before = has_function ? lua_toboolean(L, -1) : lua_compare(L, -2, -1, LUA_OPLT);
  lua_settop(L, sort_values + 1);
  return before;
}

// Bottom-up merge sort of indices. Both arrays live in one userdata, so that an error in the order function
// leaves nothing behind. A function that is no order gives some permutation; it never loops or fails.
int table_sort(lua_State* L) {
  const lua_Integer n = length(L, 1);
  if (n < 2) return 0;
  if (n >= INT_MAX) raise_argument(L, 1, "array too big");
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  charge_range(L, 1, n);
  const auto count = static_cast<std::uint32_t>(n);
  lua_createtable(L, static_cast<int>(std::min<lua_Integer>(n, 1 << 20)), 0);
  for (lua_Integer i = 1; i <= n; ++i) {
    lua_geti(L, 1, i);
    lua_rawseti(L, sort_values, i);
  }
  auto* from = static_cast<std::uint32_t*>(lua_newuserdatauv(L, sizeof(std::uint32_t) * 2 * count, 0));
  std::uint32_t* to = from + count;
  for (std::uint32_t i = 0; i < count; ++i) from[i] = i + 1;
  for (std::uint64_t width = 1; width < count; width *= 2) {
    for (std::uint64_t begin = 0; begin < count; begin += 2 * width) {
      const std::uint64_t middle = std::min<std::uint64_t>(begin + width, count);
      const std::uint64_t end = std::min<std::uint64_t>(begin + 2 * width, count);
      std::uint64_t left = begin;
      std::uint64_t right = middle;
      for (std::uint64_t out = begin; out < end; ++out) {
        const bool take_right = left == middle || (right < end && comes_before(L, from[right], from[left]));
        to[out] = take_right ? from[right++] : from[left++];
      }
    }
    std::swap(from, to);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    lua_rawgeti(L, sort_values, from[i]);
    lua_seti(L, 1, static_cast<lua_Integer>(i) + 1);
  }
  return 0;
}

}  // namespace

const luaL_Reg table_functions[] = {
    {"concat", table_concat}, {"insert", table_insert}, {"move", table_move},     {"pack", table_pack},
    {"remove", table_remove}, {"sort", table_sort},     {"unpack", table_unpack}, {nullptr, nullptr},
};

}  // namespace mqlab::script
