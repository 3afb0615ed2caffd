// sim/script/fields.h: reading one table of a declaration, field by field.
//
// The rule: a field that nobody asked about is an error, and every error names the line of the field,
// what was expected there, what was found, and the nearest right word.
//
// Always true: durations handed out are between 0 and 100 years, unless `any_sign` is asked for.
//
//     Fields f(declarations, "scenario", table, line);
//     f.allow({"title", "run_for"});
//     if (auto d = f.duration("run_for")) s.run_for = *d;
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/script/declare.h"
#include "sim/script/lua_value.h"

namespace mqlab::script {

inline constexpr Duration duration_max = 36'525 * Duration{86'400'000'000'000};  // 100 years

class Fields {
 public:
  // `table` may be nil: then there are no fields. `path`: how the table is reached from the one that is
  // written out at the call on `line`.
  Fields(const Declarations& d, std::string what, const LuaValue& table, int line, std::vector<std::string> path = {});

  // Everything else is an error. With `list`, items 1, 2 ... may be there too.
  void allow(const std::vector<std::string>& names, bool list = false) const;

  const LuaValue* get(std::string_view name) const;
  bool has(std::string_view name) const { return get(name) != nullptr; }
  enum class Sign { not_negative, positive, any };
  std::optional<Duration> duration(std::string_view name, Sign sign = Sign::not_negative) const;
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max) const;
  std::optional<std::string> text(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;
  // A text, or a list of texts.
  std::optional<std::vector<std::string>> texts(std::string_view name) const;
  // 0.01, 3, or { 1, 100 }.
  std::optional<Ratio> ratio(std::string_view name) const;
  // The items of a list of tables or things; an error when it is no list.
  std::vector<const LuaValue*> list(std::string_view name) const;
  // The names and values of a table that says `name = value` throughout.
  std::vector<std::pair<std::string, const LuaValue*>> named(std::string_view name) const;

  int line() const { return line_; }
  int line_of(std::string_view name) const;
  int line_of_item(std::string_view name, std::size_t index) const;
  std::vector<std::string> path_to(std::string_view name) const;
  const std::string& what() const { return what_; }

  [[noreturn]] void wrong(std::string_view name, const std::string& expected) const;

 private:
  const Declarations& d_;
  std::string what_;
  const LuaValue& table_;
  int line_;
  std::vector<std::string> path_;
};

std::optional<Ratio> to_ratio(const LuaValue& v);

}  // namespace mqlab::script
