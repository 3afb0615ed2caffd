#include "sim/script/source_map.h"

#include <algorithm>

namespace mqlab::script {
namespace {

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Token {
  enum class Kind { end, name, text, number, symbol } kind = Kind::end;
  std::string_view word{};  // of text: what is between the quotes
  int line = 0;
};

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    if (peek() == '#') skip_line();
  }

  Token next() {
    skip_space();
    Token t;
    t.line = line_;
    if (at_ >= text_.size()) return t;
    const std::size_t begin = at_;
    const char c = text_[at_];
    if (is_name_start(c)) {
      while (is_name_start(peek()) || is_digit(peek())) ++at_;
      t.kind = Token::Kind::name;
      t.word = text_.substr(begin, at_ - begin);
    } else if (is_digit(c)) {
      while (is_name_start(peek()) || is_digit(peek()) || peek() == '.') ++at_;
      t.kind = Token::Kind::number;
      t.word = text_.substr(begin, at_ - begin);
    } else if (c == '"' || c == '\'') {
      t.kind = Token::Kind::text;
      t.word = quoted(c);
    } else if (c == '[' && long_level() >= 0) {
      t.kind = Token::Kind::text;
      t.word = long_text();
    } else {
      ++at_;
      t.kind = Token::Kind::symbol;
      // `==` must not look like the `=` of a field.
      if ((c == '=' || c == '~' || c == '<' || c == '>') && peek() == '=') ++at_;
      t.word = text_.substr(begin, at_ - begin);
    }
    return t;
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void step() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  void skip_line() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }
  void skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f') {
        step();
      } else if (c == '-' && peek(1) == '-') {
        at_ += 2;
        if (peek() == '[' && long_level() >= 0) long_text();
        else skip_line();
      } else {
        return;
      }
    }
  }
  // The number of `=` in `[==[` at this place, or -1.
  int long_level() const {
    std::size_t i = at_ + 1;
    while (i < text_.size() && text_[i] == '=') ++i;
    return i < text_.size() && text_[i] == '[' ? static_cast<int>(i - at_ - 1) : -1;
  }
  std::string_view long_text() {
    const auto level = static_cast<std::size_t>(long_level());
    const std::string close = "]" + std::string(level, '=') + "]";
    const std::size_t begin = at_ + level + 2;
    const std::size_t end = std::min(text_.find(close, begin), text_.size());
    while (at_ < std::min(end + close.size(), text_.size())) step();
    return text_.substr(std::min(begin, text_.size()), end - std::min(begin, end));
  }
  std::string_view quoted(char quote) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) step();
      step();
    }
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (peek() == quote) ++at_;
    return word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

bool opens_block(std::string_view w) { return w == "function" || w == "if" || w == "do" || w == "repeat"; }
bool closes_block(std::string_view w) { return w == "end" || w == "until"; }

}  // namespace

SourceMap::SourceMap(std::string_view text) {
  // What is open: a constructor, or something in which no field begins.
  struct Open {
    int constructor = -1;
    bool block = false;
    bool at_item = false;  // a field may begin here
    int items = 0;
  };
  std::vector<Open> open(1);
  Tokens tokens(text);
  Token t = tokens.next();
  while (t.kind != Token::Kind::end) {
    Token after = tokens.next();
    const bool begins = open.back().constructor >= 0 && open.back().at_item;
    if (begins && t.word != "}" && t.word != "," && t.word != ";") {
      open.back().at_item = false;
      Field field;
      field.line = t.line;
      bool named = false;
      if (t.kind == Token::Kind::name && after.kind == Token::Kind::symbol && after.word == "=") {
        field.key = std::string(t.word);
        named = true;
        t = after = tokens.next();
        after = tokens.next();
      } else if (t.kind == Token::Kind::symbol && t.word == "[" && after.kind == Token::Kind::text) {
        field.key = std::string(after.word);
        named = true;
        t = tokens.next();  // ]
        t = tokens.next();  // =
        t = tokens.next();
        after = tokens.next();
      }
      if (!named) field.key = "[" + std::to_string(++open.back().items) + "]";
      if (t.kind == Token::Kind::symbol && t.word == "{") field.inside = static_cast<int>(constructors_.size());
      constructors_[static_cast<std::size_t>(open.back().constructor)].fields.push_back(std::move(field));
    }
    if (t.kind == Token::Kind::symbol) {
      if (t.word == "{") {
        open.push_back({static_cast<int>(constructors_.size()), false, true, 0});
        constructors_.push_back({t.line, {}});
      } else if (t.word == "(" || t.word == "[") {
        open.push_back({});
      } else if ((t.word == "}" || t.word == ")" || t.word == "]") && open.size() > 1) {
        open.pop_back();
      } else if (t.word == "," || t.word == ";") {
        open.back().at_item = true;
      }
    } else if (t.kind == Token::Kind::name) {
      if (opens_block(t.word)) open.push_back({-1, true, false, 0});
      else if (closes_block(t.word) && open.size() > 1 && open.back().block) open.pop_back();
    }
    t = after;
  }
}

int SourceMap::follow(std::size_t constructor, const std::vector<std::string>& path, std::size_t from) const {
  const Constructor& c = constructors_[constructor];
  const auto field = std::find_if(c.fields.begin(), c.fields.end(), [&](const Field& f) { return f.key == path[from]; });
  if (field == c.fields.end()) return 0;
  if (from + 1 == path.size() || field->inside < 0) return field->line;
  const int deeper = follow(static_cast<std::size_t>(field->inside), path, from + 1);
  return deeper > 0 ? deeper : field->line;
}

int SourceMap::line_of(int call_line, const std::vector<std::string>& path) const {
  if (path.empty()) return call_line;
  const auto first = std::partition_point(constructors_.begin(), constructors_.end(), [&](const Constructor& c) { return c.line < call_line; });
  if (first == constructors_.end()) return call_line;
  auto i = static_cast<std::size_t>(first - constructors_.begin());
  const int line = constructors_[i].line;
  for (; i < constructors_.size() && constructors_[i].line == line; ++i)
    if (const int found = follow(i, path, 0); found > 0) return found;
  return call_line;
}

std::string head_comment(std::string_view text, std::string& chapter) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  std::string out;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (first && line.substr(0, 1) == "#") continue;
    first = false;
    if (line.empty() && out.empty()) continue;
    if (line.substr(0, 2) != "--") break;
    line.remove_prefix(2);
    if (line.substr(0, 1) == " ") line.remove_prefix(1);
    if (line.substr(0, 9) == "Chapter: ") {
      chapter = std::string(line.substr(9));
      continue;
    }
    if (!out.empty()) out += '\n';
    out += line;
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

}  // namespace mqlab::script
