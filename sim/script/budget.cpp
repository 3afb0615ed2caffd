// Steps, memory, positions: the part that decides when a script must stop.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sim/script/border.h"
#include "sim/script/core.h"

namespace mqlab::script {
namespace {

// Blocks of this size cost steps by their bytes, whatever they hold: copying a table or a stack is work.
constexpr std::size_t costly_block_bytes = 8192;
constexpr std::size_t costly_string_bytes = 64;
constexpr std::size_t bytes_per_step = 32;
// One instruction may compare or hash a whole string. Up to this length it counts as one step.
constexpr std::size_t string_bytes_per_instruction = 16384;
constexpr int varargs_max = 4096;
constexpr int varargs_per_instruction = 64;
constexpr std::size_t collect_at_first = std::size_t{8} << 20;

constexpr int deep_calls = 20000;

// Called in the middle of an allocation: looks at the calls, touches nothing.
void* refuse(Core& core, Core::Refusal why) {
  core.refused = why;
  core.refused_at = Position{};
  core.refused_deep = false;
  if (core.running) {
    lua_Debug ar;
    core.refused_at = innermost(core.running);
    core.refused_deep = lua_getstack(core.running, deep_calls, &ar) != 0;
  }
  if (core.refused_at.line == 0 && core.resumer) core.refused_at = innermost(core.resumer);
  return nullptr;
}

[[noreturn]] void raise_spent(lua_State* L) {
  const Core& core = core_of(L);
  if (core.spent_at.line > 0) {
    lua_pushfstring(L, "%s:%d: %s", core.spent_at.source, core.spent_at.line, core.spent_text);
  } else {
    lua_pushstring(L, core.spent_text);
  }
  lua_error(L);
  std::abort();
}

void mark_spent(lua_State* L, Spent kind, Position at, const char* text) {
  Core& core = core_of(L);
  core.spent = kind;
  core.spent_at = at;
  std::snprintf(core.spent_text, sizeof core.spent_text, "%s", text);
  lua_sethook(L, count_hook, LUA_MASKCOUNT, 1);
}

void steps_text(const Core& core, char* text, std::size_t size) {
  std::snprintf(text, size, "step budget used up after %llu steps (an endless loop?)",
                static_cast<unsigned long long>(core.steps_budget));
}

// What a refused allocation means for the script.
void mark_refused(lua_State* L) {
  Core& core = core_of(L);
  char text[160];
  Spent kind = Spent::memory;
  switch (core.refused) {
    case Core::Refusal::steps:
      kind = Spent::steps;
      steps_text(core, text, sizeof text);
      break;
    case Core::Refusal::string:
      std::snprintf(text, sizeof text, "memory budget: a string may have at most %zu bytes", core.limits.string_bytes);
      break;
    default:
      std::snprintf(text, sizeof text, "%smemory budget of %zu bytes used up",
                    core.refused_deep ? "stack overflow: calls without end? " : "", core.limits.memory_bytes);
  }
  mark_spent(L, kind, core.refused_at, text);
}

// Collections happen here and not while allocating, so that they come at the same instruction in every
// run. They cost steps, and what is left must be worth a sixteenth of the budget: a script that lives at the
// edge of its memory would collect without end.
void collect_if_due(lua_State* L, Core& core) {
  if (core.memory_used < core.collect_at) return;
  core.steps_used += core.memory_used / bytes_per_step;
  lua_gc(L, LUA_GCCOLLECT);
  const std::size_t budget = core.limits.memory_bytes;
  const std::size_t live = core.memory_used;
  if (live > budget - budget / 16) {
    refuse(core, Core::Refusal::memory);
    core.refused_at = innermost(L);
    mark_refused(L);
    raise_spent(L);
  }
  const std::size_t doubled = std::max(2 * live, std::min(collect_at_first, budget / 2));
  core.collect_at = std::min(doubled, live / 2 + budget / 2);
}

}  // namespace

void* allocate(void* ud, void* block, std::size_t old_size, std::size_t new_size) {
  Core& core = *static_cast<Core*>(ud);
  const std::size_t held = block ? old_size : 0;  // for a new block old_size is the kind of object
  if (new_size == 0) {
    std::free(block);
    core.memory_used -= held;
    return nullptr;
  }
  if (new_size > held) {
    const bool is_string = !block && old_size == LUA_TSTRING;
    const bool costly = new_size >= costly_block_bytes || (is_string && new_size >= costly_string_bytes);
    if (costly) core.steps_used += new_size / bytes_per_step;
    if (is_string && new_size > core.limits.string_bytes + costly_string_bytes) {
      return refuse(core, Core::Refusal::string);
    }
    if (core.memory_used - held + new_size > core.limits.memory_bytes) {
      core.steps_used += core.memory_used / bytes_per_step;  // Lua now collects all garbage and tries again
      return refuse(core, Core::Refusal::memory);
    }
    if (costly && core.spent == Spent::no && core.steps_used > core.steps_budget) {
      return refuse(core, Core::Refusal::steps);
    }
    if (is_string) core.longest_string = std::max(core.longest_string, new_size);
  }
  void* moved = std::realloc(block, new_size);
  if (!moved) return refuse(core, Core::Refusal::memory);
  core.memory_used = core.memory_used - held + new_size;
  return moved;
}

Position innermost(lua_State* L) {
  Position at;
  lua_Debug ar;
  for (int level = 0; lua_getstack(L, level, &ar); ++level) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline <= 0) continue;
    std::memcpy(at.source, ar.short_src, sizeof at.source);
    at.line = ar.currentline;
    break;
  }
  return at;
}

void spend_all(lua_State* L, Spent kind, const char* text) {
  mark_spent(L, kind, innermost(L), text);
  raise_spent(L);
}

void charge(lua_State* L, std::uint64_t n) {
  Core& core = core_of(L);
  if (core.spent != Spent::no) raise_spent(L);
  core.steps_used = n > UINT64_MAX - core.steps_used ? UINT64_MAX : core.steps_used + n;
  if (core.steps_used <= core.steps_budget) return;
  char text[160];
  steps_text(core, text, sizeof text);
  spend_all(L, Spent::steps, text);
}

// An error raised here must be a spent budget: allowhook is off, so the message handler of an xpcall would
// run without a hook if it ran at all; ours (guarded_handler) lets only spent budgets pass unseen.
void count_hook(lua_State* L, lua_Debug* ar) {
  Core& core = core_of(L);
  if (core.spent != Spent::no) raise_spent(L);
  charge(L, hook_interval * (1 + core.longest_string / string_bytes_per_instruction));
  collect_if_due(L, core);
  // One instruction may copy all of `...`, and `f(x, ...)` grows by a value a call; the VM has no limit for it
  // below the stack's.
  int varargs = varargs_per_instruction;
  for (; varargs <= varargs_max && lua_getlocal(L, ar, -varargs); varargs *= 2) lua_pop(L, 1);
  if (varargs > varargs_per_instruction) charge(L, hook_interval * (varargs / varargs_per_instruction));
  if (varargs > varargs_max && lua_getlocal(L, ar, -(varargs_max + 1))) {
    spend_all(L, Spent::steps, "step budget: a function was given more than 4096 extra arguments (`...`)");
  }
}

void raise_if_spent(lua_State* L, int status) {
  Core& core = core_of(L);
  if (core.spent == Spent::no) {
    // luaL_Buffer reports a refused block as this string, all else as LUA_ERRMEM.
    const bool buffer_refused = status == LUA_ERRRUN && core.refused != Core::Refusal::none &&
                                lua_type(L, -1) == LUA_TSTRING &&
                                std::strcmp(lua_tostring(L, -1), "not enough memory") == 0;
    if (status != LUA_ERRMEM && !buffer_refused) return;
    mark_refused(L);
  }
  raise_spent(L);
}

int resume_thread(lua_State* co, lua_State* from, int arguments, int* results) {
  Core& core = core_of(co);
  lua_State* const running = core.running;
  lua_State* const resumer = core.resumer;
  core.running = co;
  core.resumer = from;
  const int status = lua_resume(co, from, arguments, results);
  core.running = running;
  core.resumer = resumer;
  return status;
}

void raise(lua_State* L, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const Position at = innermost(L);
  if (at.line > 0) {
    lua_pushfstring(L, "%s:%d: ", at.source, at.line);
  } else {
    lua_pushliteral(L, "");
  }
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  lua_error(L);
  std::abort();
}

void raise_argument(lua_State* L, int argument, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char* text = lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_Debug ar;
  const char* name = "?";
  if (lua_getstack(L, 0, &ar)) {
    lua_getinfo(L, "n", &ar);
    if (ar.name) name = ar.name;
    if (ar.namewhat && std::strcmp(ar.namewhat, "method") == 0) --argument;  // `self` isn't counted
  }
  if (argument == 0) raise(L, "calling `%s` on a bad self: %s", name, text);
  raise(L, "bad argument #%d to `%s`: %s", argument, name, text);
}

}  // namespace mqlab::script
