// sim/script/core.h: the part of a sandbox that its C functions see: budgets, positions, the way out.
//
// Private to sim/script/*.cpp; authors of API functions use sim/script/border.h.
// One rule: a spent budget stays spent. Whoever catches a Lua error (pcall, resume, wrap, close, the
// entry points in C++) calls raise_if_spent before it lets the script go on.
//
// Always true: 1. what is charged depends on the script alone, never on a clock.  2. once spent, no Lua
// instruction completes: the count hook fires at each.  3. Core holds no pointer into the Lua heap
// but the running threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lua.hpp>
#include <map>
#include <string>
#include <string_view>

#include "sim/script/sandbox.h"

namespace mqlab::script {

// Where a Lua function is; `source` is the alias of the file (see Core::files). Plain data: it is written
// where a Lua error may jump over the frame.
struct Position {
  char source[LUA_IDSIZE] = "";
  int line = 0;
};

enum class Spent { no, steps, memory };

struct Core {
  lua_State* main = nullptr;
  lua_State* running = nullptr;  // the thread that executes, and who resumed it
  lua_State* resumer = nullptr;
  Limits limits{};

  std::uint64_t steps_used = 0;
  std::uint64_t steps_budget = 0;
  std::size_t memory_used = 0;
  std::size_t collect_at = 0;      // the hook collects garbage when memory_used is above this
  std::size_t longest_string = 0;  // ever made: an instruction may touch a whole string

  Spent spent = Spent::no;
  Position spent_at{};
  char spent_text[160] = "";

  enum class Refusal { none, memory, string, steps } refused = Refusal::none;
  Position refused_at{};
  bool refused_deep = false;  // calls were nested very deeply

  int closing = 0;       // nested coroutine.close, each on the C stack
  int handler_depth = 0; // message handlers of xpcall at work
  lua_Integer numbered = 0;

  Position error_at{};     // innermost Lua function at the last error, for errors that carry no position
  std::string traceback{};
  std::string pending{};   // text on its way from a C++ exception into a Lua error
  std::map<std::string, std::string, std::less<>> files{};  // alias -> full name of a chunk

  std::function<void(std::string_view)> print{};
  std::function<std::uint64_t()> draw{};
  void* context = nullptr;
};

// LUA_EXTRASPACE: every thread of a state starts with a copy of the main thread's.
inline Core& core_of(lua_State* L) { return **static_cast<Core**>(lua_getextraspace(L)); }

constexpr int hook_interval = 256;

// The lua_Alloc of a sandbox; ud is its Core.
void* allocate(void* ud, void* block, std::size_t old_size, std::size_t new_size);
void count_hook(lua_State* L, lua_Debug* ar);

// The innermost Lua function of L at this moment; line 0 when there is none. Raises nothing.
Position innermost(lua_State* L);

// Marks the budget as spent and raises. `text` says which and what to do.
[[noreturn]] void spend_all(lua_State* L, Spent kind, const char* text);

// After a caught error (its value on top of the stack of L): raises anew if a budget is spent.
void raise_if_spent(lua_State* L, int status);

// lua_resume that keeps track of the running thread. Returns the Lua status.
int resume_thread(lua_State* co, lua_State* from, int arguments, int* results);

// Fills the globals of a new state: only what a scenario may have.
void open_libraries(lua_State* L);

// Pushes what tostring(value) is, without addresses.
void push_text(lua_State* L, int index);


}  // namespace mqlab::script
