// sim/record/edn.h: a small strict reader of EDN, the notation of Clojure data.
//
// Reads one value at a time from a text: nil, booleans, numbers, strings, characters, keywords,
// symbols, lists, vectors, maps, sets, tagged values (the tag is dropped), comments and #_ discards.
// Source: the edn format, github.com/edn-format/edn.
//
// Always true: it never throws, and nesting is bounded, so no text can exhaust the stack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mqlab {

struct EdnValue {
  enum class Kind : std::uint8_t { nil, boolean, integer, number, text, character, keyword, symbol, list, vector, map, set };
  Kind kind = Kind::nil;
  bool truth = false;
  std::int64_t integer = 0;
  std::string text{};             // text, character; keyword without its colon; symbol; number as written
  std::vector<EdnValue> items{};  // of a map: key, value, key, value ...
  std::size_t line = 0;

  bool is_keyword(std::string_view name) const { return kind == Kind::keyword && text == name; }
  bool is_sequence() const { return kind == Kind::list || kind == Kind::vector; }
  // The value under the keyword `name` of a map, or null.
  const EdnValue* find(std::string_view name) const;
};

// One line of EDN.
std::string print_edn(const EdnValue& value);

class EdnReader {
 public:
  explicit EdnReader(std::string_view text) : text_(text) {}
  enum class Next : std::uint8_t { value, end, error };
  // Reads the next value of the text.
  Next next(EdnValue& out);
  // True, and the bracket taken, when a list or vector begins here: to read a long one item by item.
  bool enter();
  // True, and the bracket taken, when the list entered ends here.
  bool leave();
  std::size_t line() const { return line_; }
  const std::string& complaint() const { return complaint_; }

 private:
  static constexpr int depth_max = 64;
  bool skip();  // blanks, comments, discards; false on an error
  bool value(EdnValue& out, int depth);
  bool items(EdnValue& out, char close, int depth);
  bool string(EdnValue& out);
  bool character(EdnValue& out);
  bool dispatch(EdnValue& out, int depth);
  bool atom(EdnValue& out);
  bool number(EdnValue& out, std::string_view token);
  bool fail(std::string text);
  bool at_end() const { return at_ >= text_.size(); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  char entered_ = 0;
  std::string complaint_;
};

}  // namespace mqlab
