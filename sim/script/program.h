// sim/script/program.h: an application whose behaviour is a Lua function in virtual time.
//
// The function runs as a coroutine of the world's ScriptHost. What must be copied with its node is here, as
// values: what it waits for, and answers that came before it asked. The coroutine itself is made again from
// the log of answers.
//
// Always true: a program waits for at most one thing. Elsewhere: what it can call (program_verbs.cpp).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "sim/lab/app.h"
#include "sim/script/lua_value.h"

namespace mqlab::script {

class ProgramApp : public AppBase<ProgramApp> {
 public:
  ProgramApp(std::uint32_t number, std::string name) : number(number), name(std::move(name)) {}

  void configure(const std::vector<OptionDecl>& decls, const Options& producer, const Options& consumer, const Options& knobs) override;
  void on_start(AppContext& a) override;
  void on_answer(AppContext& a, const Answer& answer) override;
  void on_timer(AppContext& a, std::uint64_t serial) override;
  void on_crash() override;
  // Nothing more to send: it ended, or what it last heard was an empty poll.
  bool done() const override { return finished || !busy || stuck(); }
  bool stuck() const override { return !finished && failures > hopeless_after; }
  Tree state() const override;

  const std::uint32_t number;  // of the client among those that the file declares
  const std::string name;
  LuaValue options{};  // c.options

  enum class Wait : std::uint8_t { nothing, call, timer };
  Wait waits = Wait::nothing;
  std::uint64_t waits_for = 0;               // the call, or the serial of the timer
  std::map<CallId, bool> asked;              // asynchronous calls without an answer
  std::map<CallId, LuaValue> answered;       // ... with one that was not fetched yet
  std::uint64_t timers = 0;
  std::uint64_t sent = 0;
  Random random{};
  bool has_random = false;
  bool busy = true;
  bool finished = false;
  MessageId failing = no_message;            // the message whose processing failed last
  std::uint32_t failures = 0;                // ... so often, with nothing processed since
  std::string doing{};
};

// `number`: of the client among those that the file declares.
std::unique_ptr<App> make_program(std::uint32_t number, const std::string& name);

// The id of the message that a body names, and its text. "P1-17" is the 17th of the declared load P1.
MessageId message_of(World& world, const std::string& body);
LuaValue to_lua(World& world, const Answer& answer);

}  // namespace mqlab::script
