#include "sim/record/edn.h"

#include <fmt/format.h>

#include <charconv>

#include "sim/record/text.h"

namespace mqlab {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == '\f'; }
bool ends_token(char c) { return is_blank(c) || std::string_view("()[]{}\";").find(c) != std::string_view::npos; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code >= 0xd800 && code < 0xe000) code = 0xfffd;  // half a pair is no character
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

}  // namespace

const EdnValue* EdnValue::find(std::string_view name) const {
  if (kind != Kind::map) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i].is_keyword(name)) return &items[i + 1];
  return nullptr;
}

std::string print_edn(const EdnValue& value) {
  const auto inside = [&](const char* open, char close) {
    std::string out = open;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      if (i) out += ' ';
      out += print_edn(value.items[i]);
    }
    out += close;
    return out;
  };
  switch (value.kind) {
    case EdnValue::Kind::nil: return "nil";
    case EdnValue::Kind::boolean: return value.truth ? "true" : "false";
    case EdnValue::Kind::integer: return fmt::format("{}", value.integer);
    case EdnValue::Kind::number:
    case EdnValue::Kind::symbol: return value.text;
    case EdnValue::Kind::character: return "\\" + value.text;
    case EdnValue::Kind::keyword: return ":" + value.text;
    case EdnValue::Kind::list: return inside("(", ')');
    case EdnValue::Kind::vector: return inside("[", ']');
    case EdnValue::Kind::map: return inside("{", '}');
    case EdnValue::Kind::set: return inside("#{", '}');
    case EdnValue::Kind::text: break;
  }
  std::string out;
  TextOut writer(append_to(out));
  writer.edn(value.text);
  writer.flush();
  return out;
}

bool EdnReader::fail(std::string text) {
  if (complaint_.empty()) complaint_ = std::move(text);
  return false;
}

bool EdnReader::skip() {
  while (!at_end()) {
    const char c = text_[at_];
    if (c == '\n') ++line_;
    if (is_blank(c)) {
      ++at_;
    } else if (c == ';') {
      while (!at_end() && text_[at_] != '\n') ++at_;
    } else if (c == '#' && at_ + 1 < text_.size() && text_[at_ + 1] == '_') {
      at_ += 2;
      EdnValue discarded;
      if (!value(discarded, 1)) return false;
    } else {
      return true;
    }
  }
  return true;
}

EdnReader::Next EdnReader::next(EdnValue& out) {
  out = EdnValue{};
  if (!skip()) return Next::error;
  if (at_end()) {
    if (!entered_) return Next::end;
    fail(fmt::format("the text ends before the closing '{}': was the file cut off?", entered_));
    return Next::error;
  }
  return value(out, 1) ? Next::value : Next::error;
}

bool EdnReader::enter() {
  if (!skip() || at_end() || entered_) return false;
  if (text_[at_] != '[' && text_[at_] != '(') return false;
  entered_ = text_[at_] == '[' ? ']' : ')';
  ++at_;
  return true;
}

bool EdnReader::leave() {
  if (!entered_ || !skip() || at_end() || text_[at_] != entered_) return false;
  entered_ = 0;
  ++at_;
  return true;
}

bool EdnReader::value(EdnValue& out, int depth) {
  if (depth > depth_max) return fail(fmt::format("nested more than {} deep", depth_max));
  // Discards may stand between a discard and what it discards, so they nest as values do.
  while (true) {
    while (!at_end() && is_blank(text_[at_])) line_ += text_[at_++] == '\n';
    if (!at_end() && text_[at_] == ';') {
      while (!at_end() && text_[at_] != '\n') ++at_;
    } else if (at_ + 1 < text_.size() && text_[at_] == '#' && text_[at_ + 1] == '_') {
      at_ += 2;
      EdnValue discarded;
      if (!value(discarded, depth + 1)) return false;
    } else {
      break;
    }
  }
  if (at_end()) return fail("the text ends where a value should be: was the file cut off?");
  out = EdnValue{};
  out.line = line_;
  switch (text_[at_]) {
    case '(': ++at_; out.kind = EdnValue::Kind::list; return items(out, ')', depth);
    case '[': ++at_; out.kind = EdnValue::Kind::vector; return items(out, ']', depth);
    case '{': ++at_; out.kind = EdnValue::Kind::map; return items(out, '}', depth);
    case '"': ++at_; return string(out);
    case '\\': ++at_; return character(out);
    case '#': ++at_; return dispatch(out, depth);
    case ')':
    case ']':
    case '}': return fail(fmt::format("'{}' closes nothing", text_[at_]));
    default: return atom(out);
  }
}

bool EdnReader::items(EdnValue& out, char close, int depth) {
  const std::size_t opened = line_;
  while (true) {
    // Depth is kept across discards: skip() starts anew only at the outermost level.
    while (!at_end() && is_blank(text_[at_])) line_ += text_[at_++] == '\n';
    if (at_end()) return fail(fmt::format("the text ends before the '{}' for what was opened on line {}: was the file cut off?", close, opened));
    if (text_[at_] == close) {
      ++at_;
      break;
    }
    if (text_[at_] == ';') {
      while (!at_end() && text_[at_] != '\n') ++at_;
      continue;
    }
    if (at_ + 1 < text_.size() && text_[at_] == '#' && text_[at_ + 1] == '_') {
      at_ += 2;
      EdnValue discarded;
      if (!value(discarded, depth + 1)) return false;
      continue;
    }
    out.items.emplace_back();
    if (!value(out.items.back(), depth + 1)) return false;
  }
  if (out.kind != EdnValue::Kind::map) return true;
  if (out.items.size() % 2) return fail("a map needs a value for each key");
  // Twice the same keyword is a mistake that would silently lose one value. Maps of rows are small.
  if (out.items.size() <= 128)
    for (std::size_t i = 0; i < out.items.size(); i += 2)
      for (std::size_t j = 0; j < i; j += 2)
        if (out.items[i].kind == EdnValue::Kind::keyword && out.items[j].is_keyword(out.items[i].text))
          return fail(fmt::format("the key {} is there twice", shown(":" + out.items[i].text)));
  return true;
}

bool EdnReader::string(EdnValue& out) {
  out.kind = EdnValue::Kind::text;
  const std::size_t opened = line_;
  while (!at_end() && text_[at_] != '"') {
    const char c = text_[at_];
    if (c == '\n') ++line_;
    if (c != '\\') {
      const std::size_t n = utf8_length(text_, at_);
      if (n == 0) return fail("a string has bytes that are not UTF-8: save the file as UTF-8");
      out.text.append(text_.substr(at_, n));
      at_ += n;
      continue;
    }
    if (++at_ >= text_.size()) break;
    switch (text_[at_++]) {
      case 'n': out.text += '\n'; break;
      case 't': out.text += '\t'; break;
      case 'r': out.text += '\r'; break;
      case 'b': out.text += '\b'; break;
      case 'f': out.text += '\f'; break;
      case '"': out.text += '"'; break;
      case '\\': out.text += '\\'; break;
      case 'u': {
        std::uint32_t code = 0;
        const std::string_view digits = text_.substr(at_, 4);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (error != std::errc() || digits.size() != 4 || end != digits.data() + 4) return fail("\\u needs four hex digits");
        append_utf8(out.text, code);
        at_ += 4;
        break;
      }
      default: return fail("unknown escape in a string: only \\n \\t \\r \\b \\f \\\" \\\\ \\uXXXX");
    }
  }
  if (at_end()) return fail(fmt::format("the string that begins on line {} has no closing quote", opened));
  ++at_;
  return true;
}

bool EdnReader::character(EdnValue& out) {
  out.kind = EdnValue::Kind::character;
  if (at_end()) return fail("the text ends after a backslash");
  const std::size_t n = utf8_length(text_, at_);
  if (n == 0) return fail("a character is not UTF-8: save the file as UTF-8");
  std::size_t end = at_ + n;
  while (end < text_.size() && !ends_token(text_[end])) ++end;
  out.text = text_.substr(at_, end - at_);
  if (out.text.size() > 32 || utf8_error(out.text) != std::string_view::npos) return fail("this is not a character");
  at_ = end;
  return true;
}

bool EdnReader::dispatch(EdnValue& out, int depth) {
  if (at_end()) return fail("the text ends after '#'");
  if (text_[at_] == '{') {
    ++at_;
    out.kind = EdnValue::Kind::set;
    return items(out, '}', depth);
  }
  if (text_[at_] == '#') {  // ##NaN, ##Inf
    ++at_;
    if (!atom(out)) return false;
    out.kind = EdnValue::Kind::number;
    return true;
  }
  EdnValue tag;
  if (!atom(tag)) return false;
  if (tag.kind != EdnValue::Kind::symbol) return fail("'#' needs a tag, a set or a discard after it");
  return value(out, depth + 1);
}

bool EdnReader::number(EdnValue& out, std::string_view token) {
  std::string_view digits = token;
  if (digits.size() > 1 && (digits.back() == 'N' || digits.back() == 'M')) digits.remove_suffix(1);
  if (digits[0] == '+') digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.integer);
  if (error == std::errc() && end == digits.data() + digits.size()) {
    out.kind = EdnValue::Kind::integer;
    return true;
  }
  for (const char c : token)
    if (!is_digit(c) && std::string_view("+-.eENM/").find(c) == std::string_view::npos)
      return fail(fmt::format("{} is not a number", shown(token)));
  out.integer = 0;
  out.kind = EdnValue::Kind::number;
  out.text = token;
  return true;
}

bool EdnReader::atom(EdnValue& out) {
  const std::size_t begin = at_;
  while (!at_end() && !ends_token(text_[at_])) ++at_;
  const std::string_view token = text_.substr(begin, at_ - begin);
  if (token.empty()) return fail("a value is missing");
  if (token.size() > 4096) return fail("a word is longer than 4096 bytes");
  if (utf8_error(token) != std::string_view::npos) return fail("a word is not UTF-8: save the file as UTF-8");
  for (const char c : token)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return fail(fmt::format("{} has a control character", shown(token)));
  const bool sign = token.size() > 1 && (token[0] == '-' || token[0] == '+');
  if (is_digit(token[sign ? 1 : 0])) return number(out, token);
  if (token == "nil") return true;
  if (token == "true" || token == "false") {
    out.kind = EdnValue::Kind::boolean;
    out.truth = token == "true";
    return true;
  }
  if (token[0] == ':') {
    if (token.size() == 1) return fail("a colon needs a name after it");
    out.kind = EdnValue::Kind::keyword;
    out.text = token.substr(1);
    return true;
  }
  out.kind = EdnValue::Kind::symbol;
  out.text = token;
  return true;
}

}  // namespace mqlab
