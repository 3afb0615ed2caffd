// sim/script/script_host.h: the Lua state of one world, and the log from which it can be made again.
//
// A coroutine can't be copied. So everything that goes into Lua (the start of a program, an answer, a
// message to a node, the value of c:now()) is logged, in order, and what Lua asks for is logged by its
// digest. A copied world gets the text and the log; at its first need it runs the file and feeds it the
// log, without performing anything, comparing what it asks.
//
// Always true: 1. Lua sees nothing of a world but what is in the log. 2. a program or node that went wrong
// stops, and failure() says where. 3. no time passes while the log is fed.
// Elsewhere: programs (program.h), nodes (lua_node.h), what they can call (program_verbs.cpp, node_verbs.cpp).
//
//     world.extension = scenario.programs->clone();
//     ScriptHost::of(world).resume_program(a, app, value);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/script/declare.h"
#include "sim/script/program.h"
#include "sim/script/sandbox.h"
#include "sim/world/world.h"

namespace mqlab::script {

class LuaNode;
class Script;

// A node written in Lua, as declared.
struct NodeSpec {
  std::string name;
  std::int64_t number = 0;  // among the nodes that the file declares
  NodeOptions options{};
  LuaValue durable{};
  bool takes_calls = false;
};

// What all worlds of a scenario share.
struct ScriptSource {
  std::string text;
  std::string path;
  std::string original;  // the text that a plan carries: this file's, or that which it carries itself
  const Models* models = nullptr;
  const Model* model = nullptr;
  std::vector<std::string> marks;
  std::vector<std::string> messages;  // kinds of the file's own; their text lives as long as this
  std::vector<NodeSpec> nodes;
  std::vector<ServiceSpec> services;
};

inline constexpr std::uint64_t steps_per_turn = 5'000'000;

class ScriptHost : public Extension {
 public:
  explicit ScriptHost(std::shared_ptr<const ScriptSource> source);
  ~ScriptHost() override;
  std::unique_ptr<Extension> clone() const override;
  std::string failure() const override { return failure_ ? std::string(failure_->what()) : std::string(); }
  const std::optional<ScriptError>& error() const { return failure_; }

  // Requires: the world was made with a scenario's programs.
  static ScriptHost& of(World& world);
  const ScriptSource& source() const { return *source_; }

  // --- in ---
  void start_program(AppContext& a, ProgramApp& app);
  void resume_program(AppContext& a, ProgramApp& app, const LuaValue& answer);
  // A process of a node begins, with nothing in memory and this durable part.
  enum class Durable : std::uint8_t { as_declared, as_left, as_synced };
  void start_node(Context& c, LuaNode& node, std::int64_t number, Durable durable, const LuaValue& synced);
  // Calls a handler; nothing happens when the node has none. `call`: for on_call, what reply() answers.
  void call_node(Context& c, LuaNode& node, std::int64_t number, const char* handler, std::vector<LuaValue> arguments, std::int64_t call = -1);

  // What is in a node's `self` now, for the eyes; text that says so when it is too much to read.
  LuaValue look_at_node(World& world, std::int64_t number);

  // --- out: for the verbs ---
  // Who runs. The pointers are null while the log is fed.
  struct Actor {
    bool is_node = false;
    std::int64_t number = -1;
    AppContext* app = nullptr;
    ProgramApp* program = nullptr;
    Context* context = nullptr;
    LuaNode* node = nullptr;
  };
  const Actor& actor() const { return actor_; }
  bool live() const { return !replaying_; }
  // An effect or a question: carried out in a living world, compared and answered from the log otherwise.
  template <class Perform>
  LuaValue act(std::uint64_t digest, Perform&& perform) {
    if (replaying_) return replayed(digest);
    try {
      LuaValue v = perform();
      log_.push_back({Entry::Kind::act, actor_.number, digest, 0, v, {}});
      return v;
    } catch (const ScriptError& error) {  // a pcall may catch it, so it is an answer like others
      log_.push_back({Entry::Kind::act, actor_.number, digest, error.line, {}, error.message});
      throw;
    }
  }
  // Whether it is this thread and table that runs now.
  bool is_current_thread(lua_State* L) const { return L == thread_; }

  std::size_t log_size() const { return log_.size(); }
  LuaValue result;  // of the verb at work, on its way to Lua

 private:
  struct Entry {
    enum class Kind : std::uint8_t { start, answer, start_node, call_node, act } kind{};
    std::int64_t who = 0;
    std::uint64_t digest = 0;       // act
    std::int64_t number = 0;        // start_node: Durable; call_node: the call; act: the line of its error
    LuaValue value{};               // start: c.options
    std::string text{};             // call_node: the handler; act: its error
  };

  void ready(World& world);
  void feed_log();
  LuaValue replayed(std::uint64_t digest);
  [[noreturn]] void mismatch() const;
  // True when the program has ended.
  bool begin_program(std::int64_t number, const LuaValue& options);
  bool run_program(std::int64_t number, const LuaValue& answer);
  bool go_on();
  void run_start_node(std::int64_t number, Durable durable, const LuaValue& synced);
  void run_call_node(std::int64_t number, const std::string& handler, const LuaValue& arguments, std::int64_t call);
  template <class Run>
  void turn(World& world, const Actor& actor, Entry entry, Run&& run);

  std::shared_ptr<const ScriptSource> source_;
  std::vector<Entry> log_;
  std::optional<ScriptError> failure_;
  std::unique_ptr<Script> script_;
  lua_State* thread_ = nullptr;
  Actor actor_{};
  bool replaying_ = false;
  std::size_t cursor_ = 0;
};

// program_verbs.cpp, node_verbs.cpp: `c` and `self` on top of the stack; may raise.
void push_program_object(lua_State* L, const std::string& name, const LuaValue& options);
void push_node_object(lua_State* L, const NodeSpec& spec, const ScriptSource& source);
void open_program_verbs(lua_State* L);
void open_node_verbs(lua_State* L);
void push_reply(lua_State* L, std::int64_t number, std::int64_t call);
const std::vector<VerbDoc>& program_verb_docs();
const std::vector<VerbDoc>& node_verb_docs();

}  // namespace mqlab::script
