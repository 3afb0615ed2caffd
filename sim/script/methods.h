// sim/script/methods.h: the methods of `c` and `self`, as rows of a table.
//
// The rule of border.h in one place: a method's arguments are read into plain values, its C++ part runs and
// may throw, and only then its result goes back to Lua, or the program waits.
//
// Elsewhere: the rows (program_verbs.cpp, node_verbs.cpp), effects and their log (script_host.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/script/script.h"
#include "sim/script/script_host.h"

namespace mqlab::script {

// What a method was called with; the getters throw with the method's name and what was expected.
class MethodCall {
 public:
  MethodCall(ScriptHost& h, const char* method, const std::vector<LuaValue>& arguments, int line)
      : host(h), method(method), arguments_(arguments), line_(line) {}

  ScriptHost& host;
  const char* method;

  std::size_t count() const { return arguments_.size(); }
  const LuaValue& at(std::size_t i) const;
  std::string text(std::size_t i, const char* what) const;
  std::string text_or(std::size_t i, const char* what, std::string otherwise) const;
  Duration duration(std::size_t i, const char* what) const;
  std::int64_t integer(std::size_t i, const char* what, std::int64_t min, std::int64_t max) const;
  // Plain data, or an error that says what is not.
  const LuaValue& plain(std::size_t i, const char* what) const;
  // The fields of a table argument, which must be among these.
  void only_fields(const LuaValue& table, const std::vector<std::string>& names) const;
  [[noreturn]] void fail(const std::string& text) const;
  [[noreturn]] void wrong(std::size_t i, const std::string& expected) const;
  // Identifies the method and all it was given.
  std::uint64_t digest() const;

 private:
  const std::vector<LuaValue>& arguments_;
  int line_;
};

struct Method {
  const char* name;
  const char* arguments;
  const char* sentence;
  const char* needs;  // the call that the model must offer; "" = none
  // What it returns; nothing when the program has to wait.
  std::optional<LuaValue> (*run)(const MethodCall&);
};

const std::vector<Method>& program_methods();
const std::vector<Method>& node_methods();

// The object of the actor that runs, on top of the stack.
void push_current_object(lua_State* L, bool node, std::int64_t number);

}  // namespace mqlab::script
