// sim/record/json_row.h: one line of JSON Lines, taken apart.
//
// A row is one flat object. A value is a word, a number, a list of words, or one more flat object;
// whatever is deeper is refused, so no file can make the reader recurse or hold more than its line.
// Reading never throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mqlab {

struct JsonField {
  enum class Kind : std::uint8_t { text, number, real, boolean, null, list, object };
  std::string key;
  Kind kind = Kind::null;
  std::string text{};                // text
  bool negative = false;             // number: the value is `signed_value`
  std::int64_t signed_value = 0;
  std::uint64_t value = 0;           // number, not negative
  bool truth = false;                // boolean
  bool words_only = true;            // list: all items were text
  std::vector<std::string> items{};  // list
  std::vector<JsonField> fields{};   // object
};

// Takes `line` apart into `fields`; says what is wrong with it, or nothing. The field called `skipped` may hold anything.
std::optional<std::string> parse_json_row(std::string_view line, std::vector<JsonField>& fields, std::string_view skipped = {});

// Fields whose name begins so belong to whoever wrote them: they may hold anything and are skipped.
inline constexpr std::string_view foreign_prefix = "x_";

}  // namespace mqlab
