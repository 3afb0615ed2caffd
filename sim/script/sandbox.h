// sim/script/sandbox.h: Lua 5.4 in which a scenario runs the same everywhere and can harm nobody.
//
// One rule: what a script does depends on its text and on what C++ hands it. No clock, file, address,
// hash order or locale reaches it, and it ends within its budgets.
//
// Always true:
//  1. Every entry point is protected: a script ends in success or in a ScriptError, and afterwards the
//     stack is as it was without function and arguments.
//  2. A spent budget can't be caught: pcall, coroutines and __close handlers re-raise it until
//     set_step_budget gives a new one.
//  3. Wall-clock time is never consulted. A step is a VM instruction (more while a string above 16 KiB exists
//     or more than 64 values are in `...`, which one instruction may touch whole); C functions charge for
//     their work (a byte matched, an element moved, 32 bytes of string made). 50 M steps are 0.3 s of plain
//     code; what is known to be dearest for its steps, __index chains of 2000 tables, takes minutes.
//
// What differs from stock Lua:
//  * pairs and next go in the order of sim/script/ordered.h; table.sort is a stable merge sort.
//  * Gone: io, os, package, require, debug, load, loadfile, dofile, collectgarbage, warn, string.dump,
//    math.randomseed, __gc, __mode; sin, cos, tan, asin, acos, atan, exp, log: libm rounds differently
//    from machine to machine. `x ^ y` is still pow(): exact for squares and for small whole powers, else
//    right to the last place or so; do not decide by it.
//  * Reading an undefined global or library function is an error that names the nearest right word; test
//    with rawget(_G, name).
//  * Strings are at most Limits::string_bytes long; a call takes at most 4096 values from unpack, byte,
//    codepoint or `...`.
//  * tostring and %p show numbers ("table: #3", counted per state as objects are first shown).
// What remains: `#t` of a table with holes is any border, as Lua's manual says, and which one may depend
// on the process; `..` of a NaN spells its sign; a huge table of strings that is filled and emptied may
// rehash a few times more in one process than in another, which moves the moment a budget ends.
//
// Elsewhere: how C++ functions are written for Lua (sim/script/border.h), words (sim/script/nearest.h).
//
//     Sandbox box;
//     box.on_print([](std::string_view line) { ... });
//     box.run(text, "scenarios/first.lua");   // throws ScriptError
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <lua.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mqlab::script {

// A script that is wrong: where and why. what() is "file:line: message".
struct ScriptError : std::runtime_error {
  enum class Kind { syntax, runtime, steps, memory };
  ScriptError(std::string file_name, int line_number, std::string text, Kind what_kind = Kind::runtime,
              std::string calls = "");
  std::string file;
  int line = 0;  // 0 when it can't be known
  std::string message;
  Kind kind = Kind::runtime;
  std::string traceback;  // "" or one line per call, innermost first
};

struct Limits {
  std::uint64_t steps = 50'000'000;
  std::size_t memory_bytes = std::size_t{64} << 20;
  std::size_t string_bytes = std::size_t{1} << 20;  // one string, and one source text
};

struct Core;

class Sandbox {
 public:
  explicit Sandbox(Limits limits = {});
  ~Sandbox();
  Sandbox(Sandbox&&) noexcept;
  Sandbox& operator=(Sandbox&&) noexcept;

  // The main thread of the state. On it, outside of a protected entry, only call what raises no error
  // (lua_gettop, lua_type, lua_pop ...); for all else use protect().
  lua_State* state() const;

  // Compiles text and leaves the function on the stack. `chunk` is the file's name, as errors show it. A
  // first line that starts with '#' and a UTF-8 mark are skipped; bytecode is refused.
  void load(std::string_view text, std::string_view chunk);

  // Calls the function below `arguments` values on the stack, as lua_call does. Requires: no Lua function is
  // running on this state (inside a C function use lua_call).
  void call(int arguments, int results);

  void run(std::string_view text, std::string_view chunk, int results = 0) {
    load(text, chunk);
    call(0, results);
  }

  // A new coroutine, on top of the stack of state(); whoever keeps it must anchor it (luaL_ref).
  lua_State* new_thread();

  // Resumes as lua_resume does; the results are on top of the stack of `thread`.
  enum class Progress { finished, yielded };
  Progress resume(lua_State* thread, int arguments, int& results);

  // Runs body(lua_State*) so that errors of Lua become ScriptError; std::exceptions that body throws come
  // out as they are. If body returns an int n, its top n values are left on the stack. A Lua error may
  // jump over body's frame: keep objects with destructors outside and capture them by reference.
  template <class Body>
  void protect(Body&& body) {
    Job<std::remove_reference_t<Body>> job{&body, nullptr};
    call_protected(&Job<std::remove_reference_t<Body>>::run, &job);
    if (job.thrown) std::rethrow_exception(job.thrown);
  }

  // Gives a fresh budget of n steps, counted from now; also lifts a spent budget of memory.
  void set_step_budget(std::uint64_t n);
  std::uint64_t steps_used() const;  // since the last set_step_budget
  std::size_t memory_used() const;

  void on_print(std::function<void(std::string_view line)> print);
  // Where math.random draws its words; by default a stream that is the same in every run.
  void on_draw(std::function<std::uint64_t()> draw);

  // One pointer for the API functions: sim/script/border.h gives it back as context<T>(L).
  void set_context(void* context);

 private:
  template <class Body>
  struct Job {
    Body* body;
    std::exception_ptr thrown;
    static int run(lua_State* L) {
      auto& job = *static_cast<Job*>(lua_touserdata(L, 1));
      lua_settop(L, 0);
      try {
        if constexpr (std::is_same_v<std::invoke_result_t<Body&, lua_State*>, int>) {
          return (*job.body)(L);
        } else {
          (*job.body)(L);
        }
      } catch (const std::exception&) {
        job.thrown = std::current_exception();
        lua_settop(L, 0);
      }
      return 0;
    }
  };

  void call_protected(lua_CFunction function, void* data);
  std::unique_ptr<Core> core_;
};

}  // namespace mqlab::script
