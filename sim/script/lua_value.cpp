#include "sim/script/lua_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "sim/kernel/random.h"
#include "sim/script/border.h"

namespace mqlab::script {
namespace {

constexpr std::size_t values_max = 500'000;
constexpr std::size_t text_bytes_max = std::size_t{32} << 20;
constexpr int depth_max = 40;

// Every userdata that a script can hold is one of these.
struct Box {
  std::uint64_t magic;
  Thing thing;
};
constexpr std::uint64_t box_magic = 0x6d716c61622d626fULL;

const Box* box_at(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) != sizeof(Box)) return nullptr;
  const auto* box = static_cast<const Box*>(lua_touserdata(L, index));
  return box->magic == box_magic ? box : nullptr;
}

// The order of ordered.h for keys that are plain.
int rank(const LuaValue& v) {
  if (v.integer()) return 0;
  if (v.number()) return 1;
  if (v.text()) return 2;
  if (v.boolean()) return 3;
  return 4;
}
bool before(const LuaValue& a, const LuaValue& b) {
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (a.integer()) return *a.integer() < *b.integer();
  if (a.number()) return *a.number() < *b.number();
  if (a.text()) return *a.text() < *b.text();
  if (a.boolean()) return *a.boolean() < *b.boolean();
  return false;
}

struct ReadState {
  std::size_t values = 0;
  std::size_t text_bytes = 0;
};

LuaValue read(lua_State* L, int index, int depth, ReadState& state) {
  if (++state.values > values_max)
    throw std::runtime_error(fmt::format("this is too large: more than {} values in one table", values_max));
  switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TNONE:
      return {};
    case LUA_TBOOLEAN:
      return LuaValue(lua_toboolean(L, index) != 0);
    case LUA_TNUMBER:
      return lua_isinteger(L, index) ? LuaValue(static_cast<std::int64_t>(lua_tointeger(L, index))) : LuaValue(lua_tonumber(L, index));
    case LUA_TSTRING: {
      std::size_t size = 0;
      const char* bytes = lua_tolstring(L, index, &size);
      state.text_bytes += size;
      if (state.text_bytes > text_bytes_max) throw std::runtime_error(fmt::format("this is too large: more than {} bytes of text in one table", text_bytes_max));
      return LuaValue(std::string(bytes, size));
    }
    case LUA_TUSERDATA:
      if (const Box* box = box_at(L, index))
        return box->thing.kind == ThingKind::duration ? LuaValue(LuaDuration{box->thing.number}) : LuaValue(box->thing);
      return LuaValue(Opaque{"userdata"});
    case LUA_TFUNCTION:
      return LuaValue(Opaque{"function"});
    case LUA_TTABLE: {
      if (depth >= depth_max) throw std::runtime_error(fmt::format("tables are nested more than {} deep here (one that holds itself?)", depth_max));
      if (!lua_checkstack(L, 6)) throw std::runtime_error("no room to read a table");
      index = lua_absindex(L, index);
      LuaValue::Table t;
      for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) t.emplace_back(read(L, -2, depth + 1, state), read(L, -1, depth + 1, state));
      std::sort(t.begin(), t.end(), [](const auto& a, const auto& b) { return before(a.first, b.first); });
      return LuaValue(std::move(t));
    }
    default:
      return LuaValue(Opaque{lua_typename(L, lua_type(L, index))});
  }
}

}  // namespace

const char* thing_name(ThingKind k) {
  static constexpr const char* names[] = {"duration", "cluster", "client without a table", "client", "fault", "fault with a time", "after(...)",
                                          "trigger", "expectation", "case without a table", "case", "node without a table", "node", "scenario", "handle",
                                          "service without a table", "service", "design without a table", "design", "file that others are based on"};
  return names[static_cast<std::size_t>(k)];
}

bool LuaValue::is_function() const {
  const Opaque* o = std::get_if<Opaque>(&data_);
  return o && std::strcmp(o->type, "function") == 0;
}

const LuaValue* LuaValue::field(std::string_view name) const {
  if (const Table* t = table())
    for (const Entry& e : *t)
      if (e.first.text() && *e.first.text() == name) return &e.second;
  return nullptr;
}

std::vector<const LuaValue*> LuaValue::items() const {
  std::vector<const LuaValue*> out;
  if (const Table* t = table())
    for (const Entry& e : *t)
      if (e.first.integer() && *e.first.integer() == static_cast<std::int64_t>(out.size()) + 1) out.push_back(&e.second);
  return out;
}

std::string LuaValue::describe() const {
  if (is_nil()) return "nothing";
  if (boolean()) return *boolean() ? "true" : "false";
  if (integer()) return fmt::format("the number {}", *integer());
  if (number()) return std::isnan(*number()) ? std::string("the number nan") : fmt::format("the number {}", *number());
  if (text()) return fmt::format("the text \"{}\"", text()->size() > 60 ? text()->substr(0, 60) + "..." : *text());
  if (duration()) return "the duration " + format_duration(duration()->ns);
  if (thing()) return fmt::format("a {}", thing_name(thing()->kind));
  if (is_table()) return "a table";
  return fmt::format("a {}", std::get<Opaque>(data_).type);
}

std::string LuaValue::brief(std::size_t max) const {
  std::string out;
  if (is_nil()) out = "nil";
  else if (boolean()) out = *boolean() ? "true" : "false";
  else if (integer()) out = std::to_string(*integer());
  else if (number()) out = std::isnan(*number()) ? std::string("nan") : fmt::format("{}", *number());
  else if (text()) out = *text();
  else if (duration()) out = format_duration(duration()->ns);
  else if (const Table* t = table()) {
    out = "{";
    std::int64_t next = 1;
    for (const Entry& e : *t) {
      if (out.size() > max) break;
      if (out.size() > 1) out += ", ";
      if (e.first.integer() && *e.first.integer() == next) ++next;
      else out += e.first.brief(max) + "=";
      out += e.second.brief(max);
    }
    out += "}";
  } else {
    out = describe();
  }
  if (out.size() > max) {
    out.resize(max);
    out += "...";
  }
  return out;
}

const char* LuaValue::not_plain() const {
  if (const Opaque* o = std::get_if<Opaque>(&data_)) return o->type;
  if (thing()) return thing_name(thing()->kind);
  if (const Table* t = table())
    for (const Entry& e : *t) {
      if (const char* bad = e.first.not_plain()) return bad;
      if (const char* bad = e.second.not_plain()) return bad;
    }
  return nullptr;
}

std::uint64_t LuaValue::digest(std::uint64_t seed) const {
  const auto mix = [](std::uint64_t a, std::uint64_t b) { return splitmix64(a * 0x9e3779b97f4a7c15ULL + b); };
  std::uint64_t h = mix(seed, data_.index());
  if (boolean()) return mix(h, *boolean() ? 1 : 0);
  if (integer()) return mix(h, static_cast<std::uint64_t>(*integer()));
  if (duration()) return mix(h, static_cast<std::uint64_t>(duration()->ns));
  if (number()) {
    std::uint64_t bits = 0;
    if (!std::isnan(*number())) std::memcpy(&bits, number(), sizeof bits);
    return mix(h, bits);
  }
  if (text()) {
    h = mix(h, text()->size());
    for (const char c : *text()) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return mix(h, 1);
  }
  if (const Table* t = table())
    for (const Entry& e : *t) h = mix(e.second.digest(e.first.digest(h)), 2);
  return h;
}

std::size_t LuaValue::bytes() const {
  if (text()) return text()->size() + 4;
  std::size_t n = 8;
  if (const Table* t = table())
    for (const Entry& e : *t) n += e.first.bytes() + e.second.bytes();
  return n;
}

bool LuaValue::operator==(const LuaValue& o) const {
  const Table* a = table();
  const Table* b = o.table();
  if (a || b) return a && b && *a == *b;
  return data_ == o.data_;
}

LuaValue make_table(LuaValue::Table entries) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return before(a.first, b.first); });
  return LuaValue(std::move(entries));
}

LuaValue read_value(lua_State* L, int index, std::size_t* values) {
  ReadState state;
  const int top = lua_gettop(L);
  try {
    LuaValue v = read(L, index, 0, state);
    if (values) *values += state.values;
    return v;
  } catch (...) {
    lua_settop(L, top);
    if (values) *values += state.values;
    throw;
  }
}

void push_value(lua_State* L, const LuaValue& v) {
  luaL_checkstack(L, 6, "no room to hand over a table");
  if (v.boolean()) lua_pushboolean(L, *v.boolean());
  else if (v.integer()) lua_pushinteger(L, *v.integer());
  else if (v.number()) lua_pushnumber(L, *v.number());
  else if (v.text()) lua_pushlstring(L, v.text()->data(), v.text()->size());
  else if (v.duration()) push_duration(L, v.duration()->ns);
  else if (v.thing()) push_thing(L, *v.thing());
  else if (const LuaValue::Table* t = v.table()) {
    lua_createtable(L, 0, 0);
    for (const LuaValue::Entry& e : *t) {
      push_value(L, e.first);
      push_value(L, e.second);
      lua_rawset(L, -3);
    }
  } else {
    lua_pushnil(L);
  }
}

// ---------------------------------------------------------------------------------------------
// Boxes. Each kind has a metatable in the registry, under the address of its entry here.

namespace {

const char metatable_keys[static_cast<std::size_t>(ThingKind::design) + 1] = {};
const void* key_of(ThingKind k) { return &metatable_keys[static_cast<std::size_t>(k)]; }

Duration duration_at(lua_State* L, int index, const char* operation) {
  if (const Box* box = box_at(L, index); box && box->thing.kind == ThingKind::duration) return box->thing.number;
  if (lua_isinteger(L, index) && lua_tointeger(L, index) == 0) return 0;
  raise(L, "can't %s a duration and a %s; write the unit, as ms(5)", operation, luaL_typename(L, index));
}

constexpr double ns_max = 9.2e18;

void push_rounded(lua_State* L, double ns) {
  if (!(ns > -ns_max && ns < ns_max)) raise(L, std::isfinite(ns) ? "this is more than 292 years" : "a time is a finite number");
  push_duration(L, static_cast<Duration>(std::nearbyint(ns)));
}

int duration_add(lua_State* L) {
  std::int64_t out = 0;
  if (__builtin_add_overflow(duration_at(L, 1, "add"), duration_at(L, 2, "add"), &out)) raise(L, "this is more than 292 years");
  push_duration(L, out);
  return 1;
}
int duration_sub(lua_State* L) {
  std::int64_t out = 0;
  if (__builtin_sub_overflow(duration_at(L, 1, "subtract"), duration_at(L, 2, "subtract"), &out)) raise(L, "this is more than 292 years");
  push_duration(L, out);
  return 1;
}
int duration_mul(lua_State* L) {
  const int number = box_at(L, 1) ? 2 : 1;
  if (lua_type(L, number) != LUA_TNUMBER) raise(L, "a duration can be multiplied by a number, not by a %s", luaL_typename(L, number));
  const Duration d = duration_at(L, 3 - number, "multiply");
  if (lua_isinteger(L, number)) {
    std::int64_t out = 0;
    if (__builtin_mul_overflow(d, static_cast<std::int64_t>(lua_tointeger(L, number)), &out)) raise(L, "this is more than 292 years");
    push_duration(L, out);
  } else {
    push_rounded(L, static_cast<double>(d) * lua_tonumber(L, number));
  }
  return 1;
}
int duration_div(lua_State* L) {
  const Duration d = duration_at(L, 1, "divide");
  if (lua_type(L, 2) == LUA_TNUMBER) {
    push_rounded(L, static_cast<double>(d) / lua_tonumber(L, 2));
    return 1;
  }
  lua_pushnumber(L, static_cast<double>(d) / static_cast<double>(duration_at(L, 2, "divide")));
  return 1;
}
int duration_unm(lua_State* L) {
  const Duration d = duration_at(L, 1, "negate");
  push_duration(L, d == INT64_MIN ? INT64_MAX : -d);
  return 1;
}
int duration_eq(lua_State* L) {
  const Box* a = box_at(L, 1);
  const Box* b = box_at(L, 2);
  lua_pushboolean(L, a && b && a->thing == b->thing);
  return 1;
}
int duration_lt(lua_State* L) {
  lua_pushboolean(L, duration_at(L, 1, "compare") < duration_at(L, 2, "compare"));
  return 1;
}
int duration_le(lua_State* L) {
  lua_pushboolean(L, duration_at(L, 1, "compare") <= duration_at(L, 2, "compare"));
  return 1;
}
int duration_text(lua_State* L) {
  char text[64] = "";
  if (const Box* box = box_at(L, 1)) {
    const std::string s = format_duration(box->thing.number);
    std::snprintf(text, sizeof text, "%s", s.c_str());
  }
  lua_pushstring(L, text);
  return 1;
}

// ms(5), ms(0.5): upvalue 1 is the unit in nanoseconds.
int make_duration(lua_State* L) {
  const lua_Integer unit = lua_tointeger(L, lua_upvalueindex(1));
  if (lua_type(L, 1) != LUA_TNUMBER) raise_argument(L, 1, "a number is expected, got %s", luaL_typename(L, 1));
  if (lua_isinteger(L, 1)) {
    std::int64_t out = 0;
    if (__builtin_mul_overflow(static_cast<std::int64_t>(lua_tointeger(L, 1)), static_cast<std::int64_t>(unit), &out))
      raise(L, "this is more than 292 years");
    push_duration(L, out);
  } else {
    push_rounded(L, lua_tonumber(L, 1) * static_cast<double>(unit));
  }
  return 1;
}

}  // namespace

void push_thing(lua_State* L, Thing t) {
  auto* box = static_cast<Box*>(lua_newuserdatauv(L, sizeof(Box), 0));
  box->magic = box_magic;
  box->thing = t;
  lua_rawgetp(L, LUA_REGISTRYINDEX, key_of(t.kind));
  lua_setmetatable(L, -2);
}

void push_duration(lua_State* L, Duration ns) { push_thing(L, {ThingKind::duration, ns}); }

void open_things(lua_State* L, lua_CFunction call) {
  static constexpr luaL_Reg arithmetic[] = {{"__add", duration_add}, {"__sub", duration_sub}, {"__mul", duration_mul}, {"__div", duration_div},
                                            {"__unm", duration_unm}, {"__eq", duration_eq},   {"__lt", duration_lt},   {"__le", duration_le},
                                            {"__tostring", duration_text}, {nullptr, nullptr}};
  for (int k = 0; k <= static_cast<int>(ThingKind::original); ++k) {
    const auto kind = static_cast<ThingKind>(k);
    lua_newtable(L);
    lua_pushstring(L, thing_name(kind));
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    if (kind == ThingKind::duration) {
      luaL_setfuncs(L, arithmetic, 0);
    } else if (call) {
      lua_pushcfunction(L, call);
      lua_setfield(L, -2, "__call");
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, key_of(kind));
  }
}

void open_durations(lua_State* L) {
  static constexpr std::pair<const char*, lua_Integer> units[] = {{"ns", 1},
                                                                  {"us", 1'000},
                                                                  {"ms", 1'000'000},
                                                                  {"seconds", 1'000'000'000},
                                                                  {"minutes", 60'000'000'000},
                                                                  {"hours", 3'600'000'000'000},
                                                                  {"days", 86'400'000'000'000}};
  for (const auto& [name, unit] : units) {
    lua_pushinteger(L, unit);
    lua_pushcclosure(L, make_duration, 1);
    lua_setglobal(L, name);
  }
}

}  // namespace mqlab::script
