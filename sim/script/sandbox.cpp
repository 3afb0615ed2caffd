#include "sim/script/sandbox.h"

#include <locale.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "sim/kernel/random.h"
#include "sim/script/border.h"
#include "sim/script/core.h"

namespace mqlab::script {
namespace {

constexpr int traceback_calls_max = 12;

// A window may have set the user's locale; numbers, classes of characters and `<` on strings follow it.
// POSIX locales are per thread, so that nobody else notices.
class CLocale {
 public:
  CLocale() : before_(uselocale(c())) {}
  ~CLocale() { uselocale(before_); }
  CLocale(const CLocale&) = delete;
  CLocale& operator=(const CLocale&) = delete;

 private:
  static locale_t c() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
  }
  locale_t before_;
};

int panic(lua_State* L) {
  const char* text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no message";
  std::fprintf(stderr, "mqlab: a Lua error outside of a protected call, which is a bug of the lab: %s\n", text);
  return 0;  // Lua aborts
}

// One line a call, innermost first. Only asks for what needs no memory of the state, so it can't fail.
std::string calls_of(lua_State* L, int from_level) {
  std::string text;
  lua_Debug ar;
  for (int level = from_level; level < from_level + traceback_calls_max && lua_getstack(L, level, &ar); ++level) {
    lua_getinfo(L, "Sln", &ar);
    text += ar.currentline > 0 ? std::string(ar.short_src) + ":" + std::to_string(ar.currentline) : "in C++";
    if (ar.name) text += std::string(": in ") + ar.namewhat + (*ar.namewhat ? " `" : "`") + ar.name + "`";
    text += "\n";
  }
  return text;
}

void note_error(Core& core, lua_State* L, int from_level) {
  core.error_at = innermost(L);
  core.traceback = calls_of(L, from_level);
}

int message_handler(lua_State* L) {
  note_error(core_of(L), L, 1);
  return 1;
}

// Splits "alias:12: text" when the alias is that of a known file.
bool split_place(const Core& core, std::string_view text, std::string& file, int& line, std::string& rest) {
  for (const auto& [alias, full] : core.files) {
    if (!text.starts_with(alias) || text.substr(alias.size(), 1) != ":") continue;
    std::size_t at = alias.size() + 1;
    int number = 0;
    const std::size_t digits = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9' && at - digits < 9) {
      number = number * 10 + (text[at++] - '0');
    }
    if (at == digits || text.substr(at, 2) != ": ") continue;
    file = full;
    line = number;
    rest = text.substr(at + 2);
    return true;
  }
  return false;
}

std::string full_name(const Core& core, const char* alias) {
  const auto found = core.files.find(std::string_view(alias));
  return found == core.files.end() ? std::string(alias) : found->second;
}

// Lua cuts long chunk names (LUA_IDSIZE); a long name gets an alias that it leaves alone.
std::string alias_of(Core& core, std::string_view name) {
  for (const auto& [alias, full] : core.files) {
    if (full == name) return alias;
  }
  const bool plain = !name.empty() && name.size() < LUA_IDSIZE && name.find_first_of(std::string_view("\n\r\0", 3)) == name.npos;
  std::string alias(name);
  if (!plain || core.files.contains(alias)) {
    alias = "chunk #" + std::to_string(core.files.size() + 1);
  }
  core.files[alias] = std::string(name);
  return alias;
}

// The error on top of the stack of L, which is popped, as an exception. Nothing here can raise.
ScriptError take_error(Core& core, lua_State* L, int status, ScriptError::Kind kind) {
  std::string text;
  switch (lua_type(L, -1)) {
    case LUA_TSTRING: {
      std::size_t size = 0;
      const char* bytes = lua_tolstring(L, -1, &size);
      text.assign(bytes, size);
      break;
    }
    case LUA_TNUMBER:
      text = lua_isinteger(L, -1) ? std::to_string(lua_tointeger(L, -1)) : std::to_string(lua_tonumber(L, -1));
      break;
    default:
      text = std::string("(the error is a ") + luaL_typename(L, -1) + " value)";
  }
  lua_pop(L, 1);
  Position at = core.error_at;
  if (core.spent != Spent::no) {
    kind = core.spent == Spent::steps ? ScriptError::Kind::steps : ScriptError::Kind::memory;
    return ScriptError(full_name(core, core.spent_at.source), core.spent_at.line, core.spent_text, kind, core.traceback);
  }
  if (status == LUA_ERRERR && text.empty()) text = "error in error handling";
  std::string file;
  std::string rest;
  int line = 0;
  if (split_place(core, text, file, line, rest)) return ScriptError(file, line, rest, kind, core.traceback);
  return ScriptError(full_name(core, at.source), at.line, text, kind, core.traceback);
}

// Marks a budget as spent when the caught error says so, without leaving by a Lua error.
void note_spent(lua_State* L, int status) {
  struct Check {
    static int run(lua_State* state) {
      raise_if_spent(state, static_cast<int>(lua_tointeger(state, 2)));
      return 0;
    }
  };
  if (core_of(L).spent != Spent::no || !lua_checkstack(L, 4)) return;
  lua_pushcfunction(L, &Check::run);
  lua_pushnil(L);
  lua_pushinteger(L, status);
  lua_pushvalue(L, -4);  // the error, on top as raise_if_spent wants it
  lua_pcall(L, 3, 0, 0);
  if (core_of(L).spent != Spent::no) lua_pop(L, 1);
}

struct Reader {
  std::string_view text;
  int line = 0;
};

// A line at a time, so that an error of the parser that names no line can be given one.
const char* read_line(lua_State*, void* data, std::size_t* size) {
  Reader& reader = *static_cast<Reader*>(data);
  const std::size_t end = reader.text.find('\n');
  const std::string_view line = reader.text.substr(0, end == reader.text.npos ? end : end + 1);
  reader.text.remove_prefix(line.size());
  if (!line.empty()) ++reader.line;
  *size = line.size();
  return line.data();
}

}  // namespace

ScriptError::ScriptError(std::string file_name, int line_number, std::string text, Kind what_kind, std::string calls)
    : std::runtime_error((file_name.empty() ? "" : file_name + ":") +
                         (line_number > 0 ? std::to_string(line_number) + ":" : "") +
                         (file_name.empty() && line_number <= 0 ? "" : " ") + text),
      file(std::move(file_name)),
      line(line_number),
      message(std::move(text)),
      kind(what_kind),
      traceback(std::move(calls)) {}

Sandbox::Sandbox(Limits limits) : core_(std::make_unique<Core>()) {
  Core& core = *core_;
  core.limits = limits;
  core.steps_budget = UINT64_MAX;  // opening the libraries is free
  core.collect_at = std::min(std::size_t{8} << 20, limits.memory_bytes / 2);
  core.draw = [random = Random{0, Stream::scenario}]() mutable { return random.next(); };
  core.main = lua_newstate(allocate, core_.get());
  if (!core.main) throw ScriptError("", 0, "the memory budget is too small for Lua itself", ScriptError::Kind::memory);
  *static_cast<Core**>(lua_getextraspace(core.main)) = core_.get();
  lua_atpanic(core.main, panic);
  lua_gc(core.main, LUA_GCSTOP);  // the hook collects, at the same instruction in every run
  try {
    protect([](lua_State* L) { open_libraries(L); });
  } catch (...) {
    lua_close(core.main);
    throw;
  }
  set_step_budget(limits.steps);
}

Sandbox::~Sandbox() {
  if (core_) lua_close(core_->main);
}

Sandbox::Sandbox(Sandbox&&) noexcept = default;

Sandbox& Sandbox::operator=(Sandbox&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

lua_State* Sandbox::state() const { return core_->main; }

void Sandbox::load(std::string_view text, std::string_view chunk) {
  const CLocale locale;
  Core& core = *core_;
  const std::string alias = alias_of(core, chunk);
  core.error_at = Position{};
  core.traceback.clear();
  if (text.size() > core.limits.string_bytes) {
    throw ScriptError(std::string(chunk), 0,
                      "the text is longer than " + std::to_string(core.limits.string_bytes) + " bytes",
                      ScriptError::Kind::memory);
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Reader reader{text, 0};
  if (text.starts_with("#")) reader.text.remove_prefix(std::min(text.find('\n'), text.size()));
  if (!lua_checkstack(core.main, 4)) throw ScriptError(std::string(chunk), 0, "the Lua stack is full");
  const int status = lua_load(core.main, read_line, &reader, ("=" + alias).c_str(), "t");
  if (status == LUA_OK) return;
  std::snprintf(core.error_at.source, sizeof core.error_at.source, "%s", alias.c_str());
  core.error_at.line = reader.line;
  note_spent(core.main, status);
  if (core.spent != Spent::no && core.spent_at.line == 0) core.spent_at = core.error_at;
  throw take_error(core, core.main, status, ScriptError::Kind::syntax);
}

void Sandbox::call(int arguments, int results) {
  const CLocale locale;
  Core& core = *core_;
  lua_State* L = core.main;
  const int function = lua_gettop(L) - arguments;
  core.error_at = Position{};
  core.traceback.clear();
  if (core.spent != Spent::no || !lua_checkstack(L, LUA_MINSTACK)) {
    lua_settop(L, function - 1);
    lua_pushnil(L);
    throw take_error(core, L, LUA_ERRRUN, ScriptError::Kind::runtime);
  }
  lua_pushcfunction(L, message_handler);
  lua_insert(L, function);
  lua_State* const running = core.running;
  core.running = L;
  const int status = lua_pcall(L, arguments, results, function);
  core.running = running;
  lua_remove(L, function);
  if (status == LUA_OK) return;
  core.handler_depth = 0;
  note_spent(L, status);
  throw take_error(core, L, status, ScriptError::Kind::runtime);
}

void Sandbox::call_protected(lua_CFunction function, void* data) {
  lua_State* L = core_->main;
  if (!lua_checkstack(L, 4)) throw ScriptError("", 0, "the Lua stack is full");
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, data);
  call(1, LUA_MULTRET);
}

lua_State* Sandbox::new_thread() {
  lua_State* thread = nullptr;
  protect([&thread](lua_State* L) {
    charge(L, hook_interval);  // its first instructions are counted from here
    thread = lua_newthread(L);
    return 1;
  });
  return thread;
}

Sandbox::Progress Sandbox::resume(lua_State* thread, int arguments, int& results) {
  const CLocale locale;
  Core& core = *core_;
  core.error_at = Position{};
  core.traceback.clear();
  if (core.spent != Spent::no) {
    lua_settop(thread, 0);
    lua_pushnil(thread);
    throw take_error(core, thread, LUA_ERRRUN, ScriptError::Kind::runtime);
  }
  const int status = resume_thread(thread, core.running ? core.running : core.main, arguments, &results);
  if (status == LUA_OK) return Progress::finished;
  if (status == LUA_YIELD) return Progress::yielded;
  note_error(core, thread, 0);
  core.handler_depth = 0;
  if (lua_checkstack(core.main, 4)) {  // the dead thread can't run note_spent's function
    const bool is_text = lua_type(thread, -1) == LUA_TSTRING;
    lua_pushlightuserdata(core.main, nullptr);
    if (is_text) {
      lua_pop(core.main, 1);
      lua_pushvalue(thread, -1);
      lua_xmove(thread, core.main, 1);
    }
    note_spent(core.main, status);
    lua_pop(core.main, 1);
  }
  throw take_error(core, thread, status, ScriptError::Kind::runtime);
}

void Sandbox::set_step_budget(std::uint64_t n) {
  Core& core = *core_;
  core.steps_used = 0;
  core.steps_budget = n;
  core.spent = Spent::no;
  core.refused = Core::Refusal::none;
  lua_sethook(core.main, count_hook, LUA_MASKCOUNT, hook_interval);
}

std::uint64_t Sandbox::steps_used() const { return core_->steps_used; }
std::size_t Sandbox::memory_used() const { return core_->memory_used; }
void Sandbox::on_print(std::function<void(std::string_view)> print) { core_->print = std::move(print); }
void Sandbox::on_draw(std::function<std::uint64_t()> draw) { core_->draw = std::move(draw); }
void Sandbox::set_context(void* context) { core_->context = context; }

Place place_of(lua_State* L) {
  const Position at = innermost(L);
  return {full_name(core_of(L), at.source), at.line};
}

void* context_pointer(lua_State* L) { return core_of(L).context; }

void keep_error(lua_State* L, const std::exception& error) noexcept {
  Core& core = core_of(L);
  try {
    const auto* script_error = dynamic_cast<const ScriptError*>(&error);
    if (script_error && script_error->line > 0) {
      core.pending = alias_of(core, script_error->file) + ":" + std::to_string(script_error->line) + ": " +
                     script_error->message;
      return;
    }
    const Position at = innermost(L);
    core.pending = at.line > 0 ? std::string(at.source) + ":" + std::to_string(at.line) + ": " : "";
    core.pending += script_error ? script_error->message : std::string(error.what());
  } catch (const std::exception&) {
    core.pending.clear();
  }
}

void raise_kept(lua_State* L) {
  const Core& core = core_of(L);
  lua_pushlstring(L, core.pending.data(), core.pending.size());
  lua_error(L);
  std::abort();
}

}  // namespace mqlab::script
