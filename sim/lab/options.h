// sim/lab/options.h: options as data, declared once.
//
// A model declares each option with type, default, bounds, unit, a sentence and a source; the Lua
// API, the command line, the window's forms and the reference pages all read that declaration.
// An option set from outside is checked against it, and the error names the nearest right word.
//
// Always true of a checked Options: every declared option of the scope has a value of its type.
//
//     Options o = Options::defaults(decls, "producer");
//     if (auto error = o.set(decls, "producer", "acks", Value{std::string("all")})) complain(*error);
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/kernel/time.h"

namespace mqlab {

// A duration is an integer of nanoseconds; a list is text with commas.
using Value = std::variant<bool, std::int64_t, std::string>;
std::string to_text(const Value& v);

enum class OptionType : std::uint8_t { boolean, integer, duration, choice, text, list };
const char* option_type_name(OptionType t);

struct OptionDecl {
  std::string name;
  std::string scope;  // cluster, topic, producer, consumer, client ...
  OptionType type{};
  Value value{};  // the default
  std::string sentence;
  std::string source{};  // where the rule or default comes from: "KIP-101", "ProducerConfig"
  std::vector<std::string> choices{};
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  bool is_switch = false;  // a protocol rule as it once was, or broken on purpose; default = the right one
};

// "250 ms" for a duration, plain text for others.
std::string to_text(const OptionDecl& d, const Value& v);

class Options {
 public:
  static Options defaults(const std::vector<OptionDecl>& decls, std::string_view scope);

  // Sets one value; the error says what was expected.
  std::optional<std::string> set(const std::vector<OptionDecl>& decls, std::string_view scope, const std::string& name, Value value);
  // The same from text, as the command line has it: "all", "3", "true", "250ms".
  std::optional<std::string> set_text(const std::vector<OptionDecl>& decls, std::string_view scope, const std::string& name,
                                      const std::string& text);

  bool has(const std::string& name) const { return values_.count(name) != 0; }
  // Requires: declared with that type.
  bool boolean(const std::string& name) const { return std::get<bool>(values_.at(name)); }
  std::int64_t integer(const std::string& name) const { return std::get<std::int64_t>(values_.at(name)); }
  Duration duration(const std::string& name) const { return std::get<std::int64_t>(values_.at(name)); }
  const std::string& text(const std::string& name) const { return std::get<std::string>(values_.at(name)); }
  std::vector<std::string> list(const std::string& name) const;

  const std::map<std::string, Value>& values() const { return values_; }
  // True when someone set it, as opposed to the default.
  bool given(const std::string& name) const { return given_.count(name) != 0; }
  // Sets a default that differs from the declared one (profiles); does not count as given. Requires: declared.
  void set_default(const std::string& name, Value v) {
    if (!given(name)) values_[name] = std::move(v);
  }

 private:
  std::map<std::string, Value> values_;
  std::map<std::string, bool> given_;
};

const OptionDecl* find_option(const std::vector<OptionDecl>& decls, std::string_view scope, std::string_view name);

// "5ms", "1.5 s", "2min", "30": a number alone counts milliseconds. Nothing when it is none.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace mqlab
