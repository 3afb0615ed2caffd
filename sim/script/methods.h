// sim/script/methods.h: the methods of `c`, `self`, and of what `c` hands out, as rows of a table.
//
// The rule of border.h in one place: a method's arguments are read into plain values, its C++ part runs and
// may throw, and only then its result goes back to Lua, or the program waits.
//
// Elsewhere: the rows (program_verbs.cpp, node_verbs.cpp, service_verbs.cpp), effects and their log (script_host.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/script/script.h"
#include "sim/script/script_host.h"

namespace mqlab::script {

// What has methods. A database, a transaction and an outside belong to a program: tables with `name`, `number`, `client`.
enum class ObjectKind : std::uint8_t { program, node, database, transaction, outside };
inline constexpr std::size_t object_kinds = 5;

// What a method was called with; the getters throw with the method's name and what was expected.
class MethodCall {
 public:
  MethodCall(ScriptHost& h, const char* method, const std::vector<LuaValue>& arguments, int line)
      : host(h), method(method), arguments_(arguments), line_(line) {}

  ScriptHost& host;
  const char* method;
  std::string object{};          // a database's or an outside's name
  std::int64_t object_number = 0;  // a transaction's

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
  bool at_once = false;                        // never waits
  ObjectKind makes = ObjectKind::program;      // another kind: what it returns becomes such an object
};

const std::vector<Method>& methods_of(ObjectKind k);
const std::vector<Method>& program_methods();
const std::vector<Method>& node_methods();
const std::vector<Method>& database_methods();
const std::vector<Method>& transaction_methods();
const std::vector<Method>& outside_methods();

// program_verbs.cpp, for what programs can do besides: the row of a delivery, a call that the program waits for.
AppContext& app_context(const MethodCall& m);
ProgramApp& program(const MethodCall& m);
std::optional<LuaValue> wait_for(const MethodCall& m, const LuaValue& id);
// A message that c:poll returned, or a body: its id, and its key.
struct MessageArgument {
  std::int64_t row = -1;  // in the history; -1: by its body
  std::string body{};
};
MessageArgument message_argument(const MethodCall& m, std::size_t i, const LuaValue& v);
MessageId message_id(const MethodCall& m, const MessageArgument& a, std::uint32_t* key = nullptr);

// The object of the actor that runs, on top of the stack.
void push_current_object(lua_State* L, bool node, std::int64_t number);

}  // namespace mqlab::script
