// sim/script/script.h: one Lua state in which a scenario's file has been run.
//
// The file is run once to read its declarations; its functions (programs, nodes) stay in the state and can
// be called afterwards. The same text gives the same state, so a lost state can be made again.
//
// Always true: the context of the sandbox is this object, for every C function of the API.
// Elsewhere: what verbs do (verbs.cpp, faults.cpp), running programs (script_host.h).
//
//     Script script(text, path, models);
//     Thing scenario = script.run_file();   // throws ScriptError
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sim/script/declare.h"
#include "sim/script/sandbox.h"

namespace mqlab::script {

class ScriptHost;

class Script {
 public:
  Script(std::string_view text, const std::string& path, const Models& models);
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Runs the file; what it returned is a scenario.
  Thing run_file(const std::function<void(std::string_view)>& print = {});
  // The table that a client or a node was declared with, on top of the stack. May raise.
  static void push_declared(lua_State* L, ThingKind kind, std::int64_t number);

  // Reads the arguments from `first` on into `call`; they cost steps as they are read. May raise.
  static void read_arguments(lua_State* L, int first);

  Sandbox box;
  Declarations declared;
  ScriptHost* host = nullptr;  // when programs run
  std::size_t values_read = 0;
  VerbCall call;               // of the verb at work
  std::string trouble;

 private:
  std::string_view text_;
};

}  // namespace mqlab::script
