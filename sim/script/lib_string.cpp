// The string and utf8 libraries without patterns: stock functions that pay for the bytes they touch, and
// own ones where the stock one could show an address or push without limit.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "sim/script/border.h"
#include "sim/script/core.h"
#include "sim/script/library.h"
#include "sim/script/ordered.h"

namespace mqlab::script {
namespace {

std::uint64_t bytes_at(lua_State* L, int index) { return lua_type(L, index) == LUA_TSTRING ? lua_rawlen(L, index) : 0; }

// Position i of a string of this length, where negative counts from the end; 0 and below stay there.
lua_Integer from_end(lua_Integer i, lua_Integer size) { return i >= 0 ? i : -i > size ? 0 : size + i + 1; }

int string_rep(lua_State* L) {
  std::size_t size = 0;
  std::size_t separator_size = 0;
  const char* bytes = luaL_checklstring(L, 1, &size);
  const lua_Integer n = luaL_checkinteger(L, 2);
  const char* separator = luaL_optlstring(L, 3, "", &separator_size);
  if (n <= 0 || (size == 0 && separator_size == 0)) {
    lua_pushliteral(L, "");
    return 1;
  }
  const std::size_t limit = core_of(L).limits.string_bytes;
  if (static_cast<std::uint64_t>(n) > limit / (size + separator_size) + 1 ||
      (size + separator_size) * static_cast<std::uint64_t>(n) - separator_size > limit) {
    char text[128];
    std::snprintf(text, sizeof text, "memory budget: a string may have at most %zu bytes", limit);
    spend_all(L, Spent::memory, text);
  }
  charge(L, static_cast<std::uint64_t>(n));
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (lua_Integer i = 0; i < n; ++i) {
    if (i > 0) luaL_addlstring(&buffer, separator, separator_size);
    luaL_addlstring(&buffer, bytes, size);
  }
  luaL_pushresult(&buffer);
  return 1;
}

int string_byte(lua_State* L) {
  std::size_t size = 0;
  const char* bytes = luaL_checklstring(L, 1, &size);
  const auto length = static_cast<lua_Integer>(size);
  const lua_Integer first = from_end(luaL_optinteger(L, 2, 1), length);
  const lua_Integer begin = std::max<lua_Integer>(first, 1);
  const lua_Integer end = std::min(from_end(luaL_optinteger(L, 3, first), length), length);
  if (begin > end) return 0;
  const lua_Integer n = end - begin + 1;
  if (n > values_max) raise(L, "string slice too long: at most %d values", static_cast<int>(values_max));
  luaL_checkstack(L, static_cast<int>(n), "string slice too long");
  charge(L, static_cast<std::uint64_t>(n));
  for (lua_Integer i = begin; i <= end; ++i) lua_pushinteger(L, static_cast<unsigned char>(bytes[i - 1]));
  return static_cast<int>(n);
}

// Stock format, with each value that would show an address replaced by its text first.
int string_format(lua_State* L) {
  std::size_t size = 0;
  const char* format = luaL_checklstring(L, 1, &size);
  const char* const end = format + size;
  charge(L, size);
  const int top = lua_gettop(L);
  int argument = 1;
  bool shows_pointers = false;
  for (const char* p = format; p < end; ++p) {
    if (*p != '%') continue;
    if (++p < end && *p == '%') continue;
    while (p < end && *p && std::strchr("-+ #0123456789.", *p)) ++p;
    if (p == end || ++argument > top) break;
    charge(L, *p == 'f' ? 64 : 8);  // %f spells up to 400 digits
    if (*p == 's' && lua_type(L, argument) != LUA_TSTRING) {
      push_text(L, argument);
      lua_replace(L, argument);
    } else if (*p == 'p') {
      shows_pointers = true;
      if (lua_type(L, argument) > LUA_TSTRING || lua_islightuserdata(L, argument)) {
        lua_pushfstring(L, "#%I", static_cast<LUAI_UACINT>(give_number(L, argument)));
      } else {
        lua_pushliteral(L, "(null)");
      }
      lua_replace(L, argument);
    } else if (lua_type(L, argument) == LUA_TNUMBER && !lua_isinteger(L, argument) &&
               std::isnan(lua_tonumber(L, argument))) {
      lua_pushnumber(L, std::fabs(lua_tonumber(L, argument)));  // its sign differs between processors
      lua_replace(L, argument);
    }
  }
  if (shows_pointers) {
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    bool in_item = false;
    for (const char* p = format; p < end; ++p) {
      luaL_addchar(&buffer, in_item && *p == 'p' ? 's' : *p);
      in_item = in_item ? *p && std::strchr("-+ #0123456789.", *p) : *p == '%';
    }
    luaL_pushresult(&buffer);
    lua_replace(L, 1);
  }
  return call_stock(L);
}

int pays_for_subject(lua_State* L) {
  charge(L, bytes_at(L, 1) / 8);
  return call_stock(L);
}

// pack, unpack, packsize: an item of the format is a byte or two, whatever it does.
int pays_for_format(lua_State* L) {
  charge(L, bytes_at(L, 1));
  return call_stock(L);
}

int utf8_codepoint(lua_State* L) {
  const auto length = static_cast<lua_Integer>(bytes_at(L, 1));
  const lua_Integer first = from_end(luaL_optinteger(L, 2, 1), length);
  const lua_Integer last = from_end(luaL_optinteger(L, 3, first), length);
  if (first >= 1 && last <= length && last - first >= values_max) {
    raise(L, "string slice too long: at most %d bytes", static_cast<int>(values_max));
  }
  if (first >= 1 && last <= length && last > first) charge(L, static_cast<std::uint64_t>(last - first));
  return call_stock(L);
}

int utf8_offset(lua_State* L) {
  const lua_Integer n = luaL_checkinteger(L, 2);
  const lua_Unsigned steps = n < 0 ? 0 - static_cast<lua_Unsigned>(n) : static_cast<lua_Unsigned>(n);
  charge(L, std::min<std::uint64_t>(steps, bytes_at(L, 1)) / 4);
  return call_stock(L);
}

}  // namespace

const luaL_Reg string_functions[] = {{"byte", string_byte}, {"rep", string_rep}, {nullptr, nullptr}};

const luaL_Reg wrapped_string_functions[] = {
    {"format", string_format},    {"lower", pays_for_subject},   {"upper", pays_for_subject},
    {"reverse", pays_for_subject}, {"pack", pays_for_format},    {"packsize", pays_for_format},
    {"unpack", pays_for_format},  {nullptr, nullptr},
};

const luaL_Reg wrapped_utf8_functions[] = {
    {"codepoint", utf8_codepoint}, {"len", pays_for_subject}, {"offset", utf8_offset}, {nullptr, nullptr},
};

}  // namespace mqlab::script
