// sim/script/source_map.h: on which line a field of a table was written.
//
// Lua keeps the line of a call, not that of a field. An error about `recrods = 20` should name the line
// of that word, so the text is read once more, by tokens, for its table constructors and their keys.
//
// The rule: it only improves an error message. Where a table was not written out at the call (a variable,
// a loop), the line of the call is the answer, and nothing else depends on this file.
//
//     SourceMap map(text);
//     map.line_of(12, {"topics", "orders", "replicsa"});   // 15
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mqlab::script {

class SourceMap {
 public:
  explicit SourceMap(std::string_view text);

  // The line of the last key of `path`, in the table that is written out at the call on `call_line`; as far
  // as the path can be followed; `call_line` when not at all. Items of a list are "[1]", "[2]" ...
  int line_of(int call_line, const std::vector<std::string>& path) const;

 private:
  struct Field {
    std::string key;
    int line = 0;
    int inside = -1;  // the constructor that is its value
  };
  struct Constructor {
    int line = 0;
    std::vector<Field> fields;
  };
  int follow(std::size_t constructor, const std::vector<std::string>& path, std::size_t from) const;

  std::vector<Constructor> constructors_;  // in the order of their braces
};

// The comment at the head of the text, without its dashes; a line "Chapter: x" goes to `chapter` instead.
std::string head_comment(std::string_view text, std::string& chapter);

}  // namespace mqlab::script
