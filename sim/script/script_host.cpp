#include "sim/script/script_host.h"

#include <fmt/format.h>

#include <stdexcept>

#include "sim/script/border.h"
#include "sim/script/script.h"

namespace mqlab::script {
namespace {

// Tables in the registry: coroutines and their `c`, by the number of the client; `self`, by that of the node.
const char threads_key = 0;
const char programs_key = 0;
const char nodes_key = 0;

void push_slot(lua_State* L, const void* key, std::int64_t number) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  lua_rawgeti(L, -1, number);
  lua_remove(L, -2);
}

// Pops the value on top into table[number].
void store_slot(lua_State* L, const void* key, std::int64_t number) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  lua_insert(L, -2);
  lua_rawseti(L, -2, number);
  lua_pop(L, 1);
}

}  // namespace

void push_current_object(lua_State* L, bool node, std::int64_t number) { push_slot(L, node ? &nodes_key : &programs_key, number); }

ScriptHost::ScriptHost(std::shared_ptr<const ScriptSource> source) : source_(std::move(source)) {}
ScriptHost::~ScriptHost() = default;

std::unique_ptr<Extension> ScriptHost::clone() const {
  auto copy = std::make_unique<ScriptHost>(source_);
  copy->log_ = log_;
  copy->failure_ = failure_;
  return copy;
}

ScriptHost& ScriptHost::of(World& world) {
  auto* host = dynamic_cast<ScriptHost*>(world.extension.get());
  if (!host) throw std::logic_error("a program runs in a world that was made without its scenario's programs");
  return *host;
}

void ScriptHost::mismatch() const {
  throw std::logic_error(fmt::format("{}: a program fed with its own log (entry {} of {}) asks for something else than it did", source_->path, cursor_, log_.size()));
}

LuaValue ScriptHost::replayed(std::uint64_t digest) {
  if (cursor_ >= log_.size() || log_[cursor_].kind != Entry::Kind::act || log_[cursor_].who != actor_.number || log_[cursor_].digest != digest) mismatch();
  const Entry& e = log_[cursor_++];
  if (!e.text.empty()) throw ScriptError(source_->path, static_cast<int>(e.number), e.text);
  return e.value;
}

void ScriptHost::ready(World& world) {
  if (script_) return;
  script_ = std::make_unique<Script>(source_->text, source_->path, *source_->models);
  script_->run_file();
  script_->host = this;
  // From here on the run's seed decides; while the file is loaded, nothing does.
  script_->box.on_draw([random = Random(world.seed(), Stream::scenario)]() mutable { return random.next(); });
  script_->box.on_print([this](std::string_view line) {
    if (!replaying_ && actor_.context) actor_.context->mark("log", {}, std::string(line));
  });
  script_->box.protect([](lua_State* L) {
    for (const void* key : {static_cast<const void*>(&threads_key), static_cast<const void*>(&programs_key), static_cast<const void*>(&nodes_key)}) {
      lua_newtable(L);
      lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    }
    open_program_verbs(L);
    open_node_verbs(L);
  });
  feed_log();
}

void ScriptHost::feed_log() {
  replaying_ = true;
  cursor_ = 0;
  while (cursor_ < log_.size()) {
    const Entry e = log_[cursor_++];
    const bool is_node = e.kind == Entry::Kind::start_node || e.kind == Entry::Kind::call_node;
    actor_ = Actor{is_node, e.who, nullptr, nullptr, nullptr, nullptr};
    switch (e.kind) {
      case Entry::Kind::start: begin_program(e.who, e.value); break;
      case Entry::Kind::answer: run_program(e.who, e.value); break;
      case Entry::Kind::start_node: run_start_node(e.who, static_cast<Durable>(e.number), e.value); break;
      case Entry::Kind::call_node: run_call_node(e.who, e.text, e.value, e.number); break;
      case Entry::Kind::act: mismatch();
    }
  }
  actor_ = Actor{};
  replaying_ = false;
}

// One stay in Lua: ready, logged, and what goes wrong is kept.
template <class Run>
void ScriptHost::turn(World& world, const Actor& actor, Entry entry, Run&& run) {
  if (failure_) return;
  try {
    ready(world);
    log_.push_back(std::move(entry));
    actor_ = actor;
    run();
  } catch (const ScriptError& error) {
    failure_ = error;
    if (actor.program) actor.program->finished = true;
  }
  actor_ = Actor{};
}

void ScriptHost::start_program(AppContext& a, ProgramApp& app) {
  turn(a.context.world(), {false, app.number, &a, &app, &a.context, nullptr}, {Entry::Kind::start, app.number, 0, 0, app.options, {}},
       [&] { app.finished = begin_program(app.number, app.options); });
}

void ScriptHost::resume_program(AppContext& a, ProgramApp& app, const LuaValue& answer) {
  turn(a.context.world(), {false, app.number, &a, &app, &a.context, nullptr}, {Entry::Kind::answer, app.number, 0, 0, answer, {}},
       [&] { app.finished = run_program(app.number, answer); });
}

bool ScriptHost::begin_program(std::int64_t number, const LuaValue& options) {
  Sandbox& box = script_->box;
  box.set_step_budget(steps_per_turn);
  const DeclaredTable& declared = script_->declared.clients[static_cast<std::size_t>(number)];
  thread_ = box.new_thread();
  box.protect([&](lua_State* L) {
    lua_pushthread(thread_);
    lua_xmove(thread_, L, 1);
    store_slot(L, &threads_key, number);
    Script::push_declared(L, ThingKind::client, number);
    lua_pushliteral(L, "program");
    lua_rawget(L, -2);
    push_program_object(L, declared.name, options);
    lua_pushvalue(L, -1);
    store_slot(L, &programs_key, number);
    lua_checkstack(thread_, 4);
    lua_xmove(L, thread_, 2);
  });
  lua_settop(box.state(), 0);
  return go_on();
}

bool ScriptHost::run_program(std::int64_t number, const LuaValue& answer) {
  Sandbox& box = script_->box;
  box.set_step_budget(steps_per_turn);
  box.protect([&](lua_State* L) {
    push_slot(L, &threads_key, number);
    thread_ = lua_tothread(L, -1);
    if (!thread_ || lua_status(thread_) != LUA_YIELD) raise(L, "a program was resumed that does not wait");
    lua_checkstack(thread_, 4);
    push_value(L, answer);
    lua_xmove(L, thread_, 1);
  });
  lua_settop(box.state(), 0);
  return go_on();
}

bool ScriptHost::go_on() {
  int results = 0;
  const Sandbox::Progress progress = script_->box.resume(thread_, 1, results);
  lua_pop(thread_, results);
  thread_ = nullptr;
  return progress == Sandbox::Progress::finished;
}

void ScriptHost::start_node(Context& c, LuaNode& node, std::int64_t number, Durable durable, const LuaValue& synced) {
  turn(c.world(), {true, number, nullptr, nullptr, &c, &node}, {Entry::Kind::start_node, number, 0, static_cast<std::int64_t>(durable), synced, {}},
       [&] { run_start_node(number, durable, synced); });
  if (!failure_) call_node(c, node, number, "on_start", {});
}

void ScriptHost::run_start_node(std::int64_t number, Durable durable, const LuaValue& synced) {
  Sandbox& box = script_->box;
  box.set_step_budget(steps_per_turn);
  const NodeSpec* spec = nullptr;
  for (const NodeSpec& n : source_->nodes)
    if (n.number == number) spec = &n;
  if (!spec) throw std::logic_error("a node that was never declared");
  box.protect([&](lua_State* L) {
    push_node_object(L, *spec, *source_);  // a new one: what was in memory is gone
    const int self = lua_gettop(L);
    push_slot(L, &nodes_key, number);
    if (durable == Durable::as_left && lua_istable(L, -1)) {
      lua_pushliteral(L, "durable");
      lua_rawget(L, -2);
    } else {
      push_value(L, durable == Durable::as_synced ? synced : spec->durable);
    }
    lua_setfield(L, self, "durable");
    lua_settop(L, self);
    store_slot(L, &nodes_key, number);
  });
  lua_settop(box.state(), 0);
}

void ScriptHost::call_node(Context& c, LuaNode& node, std::int64_t number, const char* handler, std::vector<LuaValue> arguments, std::int64_t call) {
  LuaValue::Table list;
  for (LuaValue& v : arguments) list.emplace_back(LuaValue(static_cast<std::int64_t>(list.size()) + 1), std::move(v));
  const LuaValue packed{std::move(list)};
  turn(c.world(), {true, number, nullptr, nullptr, &c, &node}, {Entry::Kind::call_node, number, 0, call, packed, handler},
       [&] { run_call_node(number, handler, packed, call); });
}

LuaValue ScriptHost::look_at_node(World& world, std::int64_t number) {
  if (failure_) return {};
  LuaValue self;
  try {
    ready(world);
    script_->box.protect([&](lua_State* L) {
      push_slot(L, &nodes_key, number);
      return lua_gettop(L);
    });
    self = read_value(script_->box.state(), -1);
  } catch (const std::runtime_error&) {
    self = LuaValue(std::string("too much to show"));
  }
  lua_settop(script_->box.state(), 0);
  return self;
}

void ScriptHost::run_call_node(std::int64_t number, const std::string& handler, const LuaValue& arguments, std::int64_t call) {
  Sandbox& box = script_->box;
  box.set_step_budget(steps_per_turn);
  bool there = false;
  int count = 1;
  box.protect([&](lua_State* L) {
    Script::push_declared(L, ThingKind::node, number);
    lua_pushlstring(L, handler.data(), handler.size());
    lua_rawget(L, -2);
    there = lua_isfunction(L, -1);
    lua_remove(L, -2);
    push_slot(L, &nodes_key, number);
    for (const LuaValue::Entry& e : *arguments.table()) {
      push_value(L, e.second);
      ++count;
    }
    if (call >= 0) {
      push_reply(L, number, call);
      ++count;
    }
    return lua_gettop(L);
  });
  if (there) box.call(count, 0);
  lua_settop(box.state(), 0);
}

}  // namespace mqlab::script
