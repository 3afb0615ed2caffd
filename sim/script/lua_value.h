// sim/script/lua_value.h: a Lua value as plain C++ data.
//
// What crosses the border is copied: numbers, text, durations and tables of them, in the order of
// ordered.h. A function can't cross; in a declaration it is noted that there is one.
//
// Always true: 1. a LuaValue is never changed once made, so worlds may share it. 2. reading raises no
// Lua error, so C++ objects may be alive; it throws std::runtime_error for what is too large or deep.
//
//     const LuaValue v = read_value(L, 1);
//     if (const LuaValue* acks = v.field("acks")) ...
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sim/kernel/time.h"

namespace mqlab::script {

// A length of virtual time: a type of its own in Lua, so that `every = 5` can be refused.
struct LuaDuration {
  Duration ns = 0;
  bool operator==(const LuaDuration&) const = default;
};

// A thing that a verb made, by its number: see declare.h.
enum class ThingKind : std::uint8_t {
  duration, cluster, client_name, client, fault, planned, later, trigger, expectation, case_name, case_, node_name, node, scenario, handle, service_name, service, design_name, design, original
};
const char* thing_name(ThingKind k);

struct Thing {
  ThingKind kind{};
  std::int64_t number = 0;
  bool operator==(const Thing&) const = default;
};

// What can't cross: only its type is known.
struct Opaque {
  const char* type = "";
  bool operator==(const Opaque& o) const { return std::string_view(type) == o.type; }
};

class LuaValue {
 public:
  using Entry = std::pair<LuaValue, LuaValue>;
  using Table = std::vector<Entry>;  // in the order of the keys

  LuaValue() = default;
  explicit LuaValue(bool b) : data_(b) {}
  explicit LuaValue(std::int64_t i) : data_(i) {}
  explicit LuaValue(double d) : data_(d) {}
  explicit LuaValue(std::string s) : data_(std::move(s)) {}
  explicit LuaValue(LuaDuration d) : data_(d) {}
  explicit LuaValue(Thing t) : data_(t) {}
  explicit LuaValue(Opaque o) : data_(o) {}
  explicit LuaValue(Table t) : data_(std::make_shared<const Table>(std::move(t))) {}

  bool is_nil() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_table() const { return table() != nullptr; }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const double* number() const { return std::get_if<double>(&data_); }
  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const LuaDuration* duration() const { return std::get_if<LuaDuration>(&data_); }
  const Thing* thing() const { return std::get_if<Thing>(&data_); }
  const Thing* thing(ThingKind k) const { return thing() && thing()->kind == k ? thing() : nullptr; }
  bool is_function() const;
  const Table* table() const {
    const auto* t = std::get_if<std::shared_ptr<const Table>>(&data_);
    return t ? t->get() : nullptr;
  }
  // The value under a name, of a table; nullptr when there is none.
  const LuaValue* field(std::string_view name) const;
  // The items 1, 2 ... of a table without a gap.
  std::vector<const LuaValue*> items() const;
  // "a table", "the number 3", "`x`": what a person is told was found.
  std::string describe() const;
  // The value as one line of a trace: {key=k, body=m1}.
  std::string brief(std::size_t max = 100) const;
  // Whether it is plain data all through; else the type that is not.
  const char* not_plain() const;
  std::uint64_t digest(std::uint64_t seed = 0) const;
  // About how many bytes it would take on the wire.
  std::size_t bytes() const;
  bool operator==(const LuaValue& o) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, LuaDuration, Thing, Opaque, std::shared_ptr<const Table>> data_;
};

// A table of these entries, put in order.
LuaValue make_table(LuaValue::Table entries);

// `values`, when given, grows by the number of values read, also when it throws.
LuaValue read_value(lua_State* L, int index, std::size_t* values = nullptr);
// May raise: no C++ object with a destructor may be alive in the calling frames up to the protected entry,
// but for `v`, which its owner keeps.
void push_value(lua_State* L, const LuaValue& v);

// The boxes of things and durations.
void push_thing(lua_State* L, Thing t);
void push_duration(lua_State* L, Duration ns);
// Puts the methods of things in place; `call` is what calling one of them does.
void open_things(lua_State* L, lua_CFunction call);
// ns, us, ms, seconds ... as globals.
void open_durations(lua_State* L);

}  // namespace mqlab::script
