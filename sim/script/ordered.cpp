#include "sim/script/ordered.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "sim/script/border.h"
#include "sim/script/core.h"

namespace mqlab::script {
namespace {

const char numbers_key = 0;  // registry[&numbers_key]: weak table object -> number
constexpr lua_Integer unnumbered = -1;

// A key in comparable form. `text` points into the string, which the walked table keeps alive.
struct Key {
  enum Rank { integer, floating, text, boolean, object, lone_object } rank = integer;
  lua_Integer whole = 0;  // an integer, a boolean, the number of an object
  lua_Number real = 0;
  const char* bytes = nullptr;
  std::size_t size = 0;
  lua_Integer place = 0;  // where the key itself is in the array of keys

  bool operator<(const Key& other) const {
    if (rank != other.rank) return rank < other.rank;
    if (rank == floating) return real < other.real;
    if (rank == text) return std::string_view(bytes, size) < std::string_view(other.bytes, other.size);
    return whole < other.whole;
  }
};

// Pushes the weak table of numbers.
void push_numbers(lua_State* L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &numbers_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_newtable(L);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &numbers_key);
}

lua_Integer number_of(lua_State* L, int index) {
  index = lua_absindex(L, index);
  push_numbers(L);
  lua_pushvalue(L, index);
  const lua_Integer number = lua_rawget(L, -2) == LUA_TNUMBER ? lua_tointeger(L, -1) : unnumbered;
  lua_pop(L, 2);
  return number;
}

Key key_at(lua_State* L, int index) {
  Key key;
  switch (lua_type(L, index)) {
    case LUA_TNUMBER: {
      int is_whole = 0;  // 1.0 is the key 1
      key.whole = lua_tointegerx(L, index, &is_whole);
      key.rank = is_whole ? Key::integer : Key::floating;
      if (!is_whole) key.real = lua_tonumber(L, index);
      break;
    }
    case LUA_TSTRING:
      key.rank = Key::text;
      key.bytes = lua_tolstring(L, index, &key.size);
      break;
    case LUA_TBOOLEAN:
      key.rank = Key::boolean;
      key.whole = lua_toboolean(L, index);
      break;
    default:
      key.whole = number_of(L, index);
      key.rank = key.whole == unnumbered ? Key::lone_object : Key::object;
  }
  return key;
}

[[noreturn]] void raise_no_order(lua_State* L, const char* type) {
  raise(L, "this table has several keys of type %s: they have no order that repeats from run to run, so it can't be "
           "walked; use names or whole numbers as keys, or keep an array beside it", type);
}

std::uint64_t walk_cost(lua_Integer n) { return 4 + 4 * static_cast<std::uint64_t>(n); }

int pairs_step(lua_State* L) {
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
  while (true) {
    const int type = lua_rawgeti(L, lua_upvalueindex(2), ++i);
    if (type == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) break;
    lua_pop(L, 2);
  }
  lua_pushinteger(L, i);
  lua_replace(L, lua_upvalueindex(3));
  return 2;
}

int after_pairs_metamethod(lua_State*, int, lua_KContext) { return 3; }

}  // namespace

lua_Integer give_number(lua_State* L, int index) {
  index = lua_absindex(L, index);
  const lua_Integer known = number_of(L, index);
  if (known != unnumbered) return known;
  const lua_Integer number = ++core_of(L).numbered;
  push_numbers(L);
  lua_pushvalue(L, index);
  lua_pushinteger(L, number);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return number;
}

lua_Integer sorted_keys(lua_State* L, int index) {
  luaL_checkstack(L, 10, "no room to walk a table");
  index = lua_absindex(L, index);
  lua_Integer n = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) ++n;
  charge(L, walk_cost(n));

  lua_createtable(L, static_cast<int>(std::min<lua_Integer>(n, 1 << 24)), 0);  // the keys, as lua_next has them
  const int raw = lua_gettop(L);
  // Plain data in a block that Lua owns: an error on the way leaves nothing behind.
  auto* keys = static_cast<Key*>(lua_newuserdatauv(L, sizeof(Key) * static_cast<std::size_t>(n) + 1, 0));
  lua_Integer found = 0;
  int lone_objects = 0;
  for (lua_pushnil(L); lua_next(L, index) && found < n;) {
    lua_pop(L, 1);
    Key key = key_at(L, -1);
    if (key.rank == Key::lone_object && ++lone_objects > 1) raise_no_order(L, luaL_typename(L, -1));
    key.place = found + 1;
    keys[found++] = key;
    lua_pushvalue(L, -1);
    lua_rawseti(L, raw, found);
  }
  lua_settop(L, raw + 1);
  std::sort(keys, keys + found);

  lua_createtable(L, static_cast<int>(std::min<lua_Integer>(found, 1 << 24)), 0);
  for (lua_Integer i = 0; i < found; ++i) {
    lua_rawgeti(L, raw, keys[i].place);
    lua_rawseti(L, -2, i + 1);
  }
  lua_replace(L, raw);
  lua_settop(L, raw);
  return found;
}

int ordered_pairs(lua_State* L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, after_pairs_metamethod);
    return 3;
  }
  if (lua_type(L, 1) != LUA_TTABLE) raise_argument(L, 1, "a table is expected, got %s", luaL_typename(L, 1));
  lua_settop(L, 1);
  sorted_keys(L, 1);
  lua_pushinteger(L, 0);
  lua_pushvalue(L, 1);
  lua_insert(L, 2);
  lua_pushcclosure(L, pairs_step, 3);
  lua_insert(L, 1);
  lua_pushnil(L);
  return 3;
}

int ordered_next(lua_State* L) {
  if (lua_type(L, 1) != LUA_TTABLE) raise_argument(L, 1, "a table is expected, got %s", luaL_typename(L, 1));
  lua_settop(L, 2);
  const bool from_start = lua_isnil(L, 2);
  const Key after = from_start ? Key{} : key_at(L, 2);
  if (after.rank == Key::lone_object) {  // the only one without a number is the last
    lua_pushnil(L);
    return 1;
  }
  lua_pushnil(L);  // 3: the best key so far
  Key best;
  bool found = false;
  int lone_objects = 0;
  lua_Integer n = 0;
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pop(L, 1);
    if (++n % 1024 == 0) charge(L, 2 * 1024);
    const Key key = key_at(L, -1);
    if (key.rank == Key::lone_object) ++lone_objects;
    if (!from_start && !(after < key)) continue;
    if (found && !(key < best)) continue;
    best = key;
    found = true;
    lua_pushvalue(L, -1);
    lua_replace(L, 3);
  }
  charge(L, 2 * static_cast<std::uint64_t>(n % 1024));
  if (!found) {
    lua_pushnil(L);
    return 1;
  }
  if (best.rank == Key::lone_object && lone_objects > 1) raise_no_order(L, luaL_typename(L, 3));
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 3);
  lua_rawget(L, 1);
  return 2;
}

}  // namespace mqlab::script
