// string.find, match, gmatch, gsub: Lua's patterns (manual 6.4.1) with every comparison paid for.
//
// The stock matcher backtracks in C, where no hook counts: ("a"):rep(50000):find((".-"):rep(50) .. "b")
// would run for ages. This one takes a step for each try, so such a pattern ends with the step budget.
// Classes of characters are ASCII's, whatever the locale.
#include <algorithm>
#include <cstring>

#include "sim/script/border.h"
#include "sim/script/core.h"
#include "sim/script/library.h"

namespace mqlab::script {
namespace {

constexpr int depth_max = 200;  // as in stock Lua: how deep a match may recurse
constexpr int captures_max = 32;
constexpr std::ptrdiff_t unfinished = -1, position_capture = -2;
constexpr std::uint64_t ticks_per_charge = 256;

using Byte = unsigned char;

bool is_digit(Byte c) { return c >= '0' && c <= '9'; }
bool is_lower(Byte c) { return c >= 'a' && c <= 'z'; }
bool is_upper(Byte c) { return c >= 'A' && c <= 'Z'; }
bool is_alpha(Byte c) { return is_lower(c) || is_upper(c); }
bool is_graph(Byte c) { return c > ' ' && c < 127; }

bool in_class(Byte c, char letter) {
  bool in = false;
  switch (is_upper(static_cast<Byte>(letter)) ? letter - 'A' + 'a' : letter) {
    case 'a': in = is_alpha(c); break;
    case 'c': in = c < ' ' || c == 127; break;
    case 'd': in = is_digit(c); break;
    case 'g': in = is_graph(c); break;
    case 'l': in = is_lower(c); break;
    case 'p': in = is_graph(c) && !is_alpha(c) && !is_digit(c); break;
    case 's': in = c == ' ' || (c >= '\t' && c <= '\r'); break;
    case 'u': in = is_upper(c); break;
    case 'w': in = is_alpha(c) || is_digit(c); break;
    case 'x': in = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); break;
    case 'z': in = c == 0; break;
    default: return static_cast<Byte>(letter) == c;
  }
  return is_upper(static_cast<Byte>(letter)) ? !in : in;
}

// Plain data: errors jump over it.
struct Matcher {
  lua_State* L;
  const char* begin;  // the subject
  const char* end;
  const char* pattern_end;
  int depth;
  int level;  // number of captures
  std::uint64_t ticks;
  struct Capture {
    const char* begin;
    std::ptrdiff_t size;
  } captures[captures_max];

  void start(lua_State* state, const char* subject, std::size_t subject_size, const char* to) {
    L = state;
    begin = subject;
    end = subject + subject_size;
    pattern_end = to;
    ticks = 0;
    restart();
  }

  void restart() {
    depth = 0;
    level = 0;
  }

  void tick(std::uint64_t n = 1) {
    ticks += n;
    if (ticks >= ticks_per_charge) settle();
  }

  void settle() {
    charge(L, ticks);
    ticks = 0;
  }

  const char* match(const char* s, const char* p);

 private:
  // Past a single character class: `a`, `.`, `%a`, `[...]`.
  const char* class_end(const char* p) {
    const char first = *p++;
    if (first == '%') {
      if (p == pattern_end) raise(L, "malformed pattern (ends with '%%')");
      return p + 1;
    }
    if (first != '[') return p;
    if (p < pattern_end && *p == '^') ++p;
    const char* const set = p;
    do {
      if (p == pattern_end) raise(L, "malformed pattern (missing ']')");
      if (*p++ == '%' && p < pattern_end) ++p;
    } while (p == pattern_end || *p != ']');
    tick(static_cast<std::uint64_t>(p - set) / 8);
    return p + 1;
  }

  // p at '[', last at the closing ']'.
  bool in_set(Byte c, const char* p, const char* last) {
    tick(static_cast<std::uint64_t>(last - p) / 4);
    bool wanted = true;
    if (p[1] == '^') {
      wanted = false;
      ++p;
    }
    while (++p < last) {
      if (*p == '%') {
        ++p;
        if (in_class(c, *p)) return wanted;
      } else if (p[1] == '-' && p + 2 < last) {
        p += 2;
        if (static_cast<Byte>(p[-2]) <= c && c <= static_cast<Byte>(*p)) return wanted;
      } else if (static_cast<Byte>(*p) == c) {
        return wanted;
      }
    }
    return !wanted;
  }

  bool single(const char* s, const char* p, const char* p_end) {
    tick();
    if (s >= end) return false;
    const auto c = static_cast<Byte>(*s);
    switch (*p) {
      case '.': return true;
      case '%': return in_class(c, p[1]);
      case '[': return in_set(c, p, p_end - 1);
      default: return static_cast<Byte>(*p) == c;
    }
  }

  const char* balance(const char* s, const char* p) {
    if (p >= pattern_end - 1) raise(L, "malformed pattern (missing arguments to '%%b')");
    if (s >= end || *s != *p) return nullptr;
    const char open = p[0];
    const char close = p[1];
    int nested = 1;
    while (++s < end) {
      tick();
      if (*s == close) {
        if (--nested == 0) return s + 1;
      } else if (*s == open) {
        ++nested;
      }
    }
    return nullptr;
  }

  const char* longest_first(const char* s, const char* p, const char* p_end) {
    std::ptrdiff_t n = 0;
    while (single(s + n, p, p_end)) ++n;
    for (; n >= 0; --n) {
      if (const char* found = match(s + n, p_end + 1)) return found;
    }
    return nullptr;
  }

  const char* shortest_first(const char* s, const char* p, const char* p_end) {
    while (true) {
      if (const char* found = match(s, p_end + 1)) return found;
      if (!single(s, p, p_end)) return nullptr;
      ++s;
    }
  }

  const char* open_capture(const char* s, const char* p, std::ptrdiff_t kind) {
    if (level >= captures_max) raise(L, "too many captures");
    captures[level++] = {s, kind};
    const char* found = match(s, p);
    if (!found) --level;
    return found;
  }

  const char* close_capture(const char* s, const char* p) {
    int open = level - 1;
    while (open >= 0 && captures[open].size != unfinished) --open;
    if (open < 0) raise(L, "invalid pattern capture");
    captures[open].size = s - captures[open].begin;
    const char* found = match(s, p);
    if (!found) captures[open].size = unfinished;
    return found;
  }

  const char* same_as_capture(const char* s, char digit) {
    const int index = digit - '1';
    if (index < 0 || index >= level || captures[index].size == unfinished) {
      raise(L, "invalid capture index %%%d", index + 1);
    }
    const std::ptrdiff_t size = captures[index].size;
    if (size == position_capture) return nullptr;
    tick(static_cast<std::uint64_t>(size) / 16);
    return end - s >= size && std::memcmp(captures[index].begin, s, static_cast<std::size_t>(size)) == 0 ? s + size : nullptr;
  }

  const char* frontier(const char* s, const char*& p) {
    p += 2;
    if (p >= pattern_end || *p != '[') raise(L, "missing '[' after '%%f' in pattern");
    const char* after = class_end(p);
    const Byte previous = s == begin ? 0 : static_cast<Byte>(s[-1]);
    const Byte next = s == end ? 0 : static_cast<Byte>(*s);
    const bool at = !in_set(previous, p, after - 1) && in_set(next, p, after - 1);
    p = after;
    return at ? s : nullptr;
  }
};

// The end of the match of p at s, or null. Loops where the rest of the pattern is all that is left to do.
const char* Matcher::match(const char* s, const char* p) {
  if (++depth > depth_max) raise(L, "pattern too complex");
  const char* found = nullptr;
  while (true) {
    tick();
    if (p == pattern_end) {
      found = s;
      break;
    }
    const char next = p + 1 < pattern_end ? p[1] : '\0';
    if (*p == '(') {
      found = next == ')' ? open_capture(s, p + 2, position_capture) : open_capture(s, p + 1, unfinished);
      break;
    }
    if (*p == ')') {
      found = close_capture(s, p + 1);
      break;
    }
    if (*p == '$' && p + 1 == pattern_end) {
      found = s == end ? s : nullptr;
      break;
    }
    if (*p == '%' && next == 'b') {
      s = balance(s, p + 2);
      p += 4;
      if (!s) break;
      continue;
    }
    if (*p == '%' && next == 'f') {
      s = frontier(s, p);
      if (!s) break;
      continue;
    }
    if (*p == '%' && is_digit(static_cast<Byte>(next))) {
      s = same_as_capture(s, next);
      p += 2;
      if (!s) break;
      continue;
    }
    const char* after = class_end(p);
    const char suffix = after < pattern_end ? *after : '\0';
    if (suffix == '*' || suffix == '-') {
      found = suffix == '*' ? longest_first(s, p, after) : shortest_first(s, p, after);
      break;
    }
    const bool fits = single(s, p, after);
    if (suffix == '+') {
      if (fits) found = longest_first(s + 1, p, after);
      break;
    }
    if (suffix == '?') {
      if (fits) found = match(s + 1, after + 1);
      if (found) break;
      p = after + 1;
      continue;
    }
    if (!fits) break;
    ++s;
    p = after;
  }
  --depth;
  return found;
}

// Pushes capture i; capture 0 of a pattern without any is the whole match.
void push_capture(Matcher& m, int i, const char* s, const char* e) {
  if (i >= m.level) {
    if (i != 0) raise(m.L, "invalid capture index %%%d", i + 1);
    lua_pushlstring(m.L, s, static_cast<std::size_t>(e - s));
    return;
  }
  const auto& capture = m.captures[i];
  if (capture.size == unfinished) raise(m.L, "unfinished capture");
  if (capture.size == position_capture) {
    lua_pushinteger(m.L, capture.begin - m.begin + 1);
  } else {
    lua_pushlstring(m.L, capture.begin, static_cast<std::size_t>(capture.size));
  }
}

int push_captures(Matcher& m, const char* s, const char* e) {
  const int n = m.level == 0 && s ? 1 : m.level;
  luaL_checkstack(m.L, n, "too many captures");
  for (int i = 0; i < n; ++i) push_capture(m, i, s, e);
  return n;
}

// Where a search starts, from 0; past the end stays past the end.
std::size_t start_of(lua_State* L, int index, std::size_t size) {
  const lua_Integer at = luaL_optinteger(L, index, 1);
  if (at > 0) return static_cast<std::size_t>(at) - 1;
  if (at == 0 || at < -static_cast<lua_Integer>(size)) return 0;
  return size - static_cast<std::size_t>(-at);
}

int find_or_match(lua_State* L, bool is_find) {
  std::size_t size = 0;
  std::size_t pattern_size = 0;
  const char* subject = luaL_checklstring(L, 1, &size);
  const char* pattern = luaL_checklstring(L, 2, &pattern_size);
  const std::size_t start = start_of(L, 3, size);
  if (start > size) {
    lua_pushnil(L);
    return 1;
  }
  const bool is_plain = is_find && (lua_toboolean(L, 4) || std::none_of(pattern, pattern + pattern_size, [](char c) {
                                      return c != '\0' && std::strchr("^$*+?.([%-", c);
                                    }));
  if (is_plain) {
    const auto* at = static_cast<const char*>(memmem(subject + start, size - start, pattern, pattern_size));
    charge(L, ((at ? static_cast<std::size_t>(at - subject) - start : size - start) + pattern_size) / 16);
    if (!at) {
      lua_pushnil(L);
      return 1;
    }
    lua_pushinteger(L, at - subject + 1);
    lua_pushinteger(L, at - subject + static_cast<lua_Integer>(pattern_size));
    return 2;
  }
  const bool is_anchored = pattern_size > 0 && *pattern == '^';
  Matcher m;
  m.start(L, subject, size, pattern + pattern_size);
  for (const char* s = subject + start; s <= m.end; ++s) {
    m.restart();
    if (const char* e = m.match(s, pattern + is_anchored)) {
      m.settle();
      if (!is_find) return push_captures(m, s, e);
      lua_pushinteger(L, s - subject + 1);
      lua_pushinteger(L, e - subject);
      return push_captures(m, nullptr, nullptr) + 2;
    }
    if (is_anchored) break;
  }
  m.settle();
  lua_pushnil(L);
  return 1;
}

int string_find(lua_State* L) { return find_or_match(L, true); }
int string_match(lua_State* L) { return find_or_match(L, false); }

struct Search {
  Matcher matcher;
  const char* next;
  const char* pattern;
  const char* last_end;  // where the last match ended: an empty one may not start there
};

int next_match(lua_State* L) {
  auto& search = *static_cast<Search*>(lua_touserdata(L, lua_upvalueindex(3)));
  Matcher& m = search.matcher;
  m.L = L;
  for (const char* s = search.next; s <= m.end; ++s) {
    m.restart();
    const char* e = m.match(s, search.pattern);
    if (!e || e == search.last_end) continue;
    m.settle();
    search.next = search.last_end = e;
    return push_captures(m, s, e);
  }
  search.next = m.end + 1;
  m.settle();
  return 0;
}

int string_gmatch(lua_State* L) {
  std::size_t size = 0;
  std::size_t pattern_size = 0;
  const char* subject = luaL_checklstring(L, 1, &size);
  const char* pattern = luaL_checklstring(L, 2, &pattern_size);
  const std::size_t start = std::min(start_of(L, 3, size), size + 1);
  lua_settop(L, 2);  // the closure keeps both strings alive
  auto* search = static_cast<Search*>(lua_newuserdatauv(L, sizeof(Search), 0));
  search->matcher.start(L, subject, size, pattern + pattern_size);
  search->next = subject + start;
  search->pattern = pattern;
  search->last_end = nullptr;
  lua_pushcclosure(L, next_match, 3);
  return 1;
}

// The replacement text at index 3, with %0 to %9 filled in.
void add_template(Matcher& m, luaL_Buffer* buffer, const char* s, const char* e) {
  std::size_t size = 0;
  const char* p = lua_tolstring(m.L, 3, &size);
  const char* const end = p + size;
  m.tick(size / 8);
  for (; p < end; ++p) {
    if (*p != '%') {
      luaL_addchar(buffer, *p);
      continue;
    }
    const char c = ++p < end ? *p : '\0';
    if (c == '%') {
      luaL_addchar(buffer, '%');
    } else if (c == '0') {
      luaL_addlstring(buffer, s, static_cast<std::size_t>(e - s));
    } else if (is_digit(static_cast<Byte>(c))) {
      push_capture(m, c - '1', s, e);
      luaL_addvalue(buffer);
    } else {
      raise(m.L, "invalid use of '%%' in replacement string");
    }
  }
}

// Adds what stands for the match s..e. False when the text stays as it was.
bool add_replacement(Matcher& m, luaL_Buffer* buffer, const char* s, const char* e, int type) {
  lua_State* L = m.L;
  m.settle();  // a function may run for long, and its own steps come in between
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, push_captures(m, s, e), 1);
  } else if (type == LUA_TTABLE) {
    push_capture(m, 0, s, e);
    lua_gettable(L, 3);
  } else {
    add_template(m, buffer, s, e);
    return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(buffer, s, static_cast<std::size_t>(e - s));
    return false;
  }
  if (!lua_isstring(L, -1)) raise(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  luaL_addvalue(buffer);
  return true;
}

int string_gsub(lua_State* L) {
  std::size_t size = 0;
  std::size_t pattern_size = 0;
  const char* subject = luaL_checklstring(L, 1, &size);
  const char* pattern = luaL_checklstring(L, 2, &pattern_size);
  const int type = lua_type(L, 3);
  luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                   "string/function/table");
  const lua_Integer replacements_max = luaL_optinteger(L, 4, static_cast<lua_Integer>(size) + 1);
  const bool is_anchored = pattern_size > 0 && *pattern == '^';
  if (type == LUA_TNUMBER) lua_tolstring(L, 3, nullptr);
  lua_Integer replacements = 0;
  bool changed = false;
  const char* last_end = nullptr;
  Matcher m;
  m.start(L, subject, size, pattern + pattern_size);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  const char* s = subject;
  while (replacements < replacements_max) {
    m.restart();
    const char* e = m.match(s, pattern + is_anchored);
    if (e && e != last_end) {
      ++replacements;
      changed = add_replacement(m, &buffer, s, e, type) || changed;
      s = last_end = e;
    } else if (s < m.end) {
      luaL_addchar(&buffer, *s);
      ++s;
    } else {
      break;
    }
    if (is_anchored) break;
  }
  m.settle();
  if (changed) {
    luaL_addlstring(&buffer, s, static_cast<std::size_t>(m.end - s));
    luaL_pushresult(&buffer);
  } else {
    lua_pushvalue(L, 1);
  }
  lua_pushinteger(L, replacements);
  return 2;
}

}  // namespace

const luaL_Reg pattern_functions[] = {
    {"find", string_find}, {"gmatch", string_gmatch}, {"gsub", string_gsub}, {"match", string_match}, {nullptr, nullptr},
};

}  // namespace mqlab::script
