#include "gui/core/write_back.h"

#include <algorithm>
#include <cctype>

namespace mqlab::gui {
namespace {

// A token of Lua, as far as brackets, names and strings go.
struct Token {
  enum class Kind { name, string, open, close, other };
  Kind kind{};
  std::size_t at = 0;
  std::size_t end = 0;
};

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// [[ or [==[ at i: its level; -1: none.
int long_bracket(const std::string& s, std::size_t i) {
  if (i >= s.size() || s[i] != '[') return -1;
  std::size_t k = i + 1;
  while (k < s.size() && s[k] == '=') ++k;
  return k < s.size() && s[k] == '[' ? static_cast<int>(k - i) - 1 : -1;
}

std::size_t end_of_long(const std::string& s, std::size_t i, int level) {
  const std::string close = "]" + std::string(static_cast<std::size_t>(level), '=') + "]";
  const std::size_t found = s.find(close, i + static_cast<std::size_t>(level) + 2);
  return found == std::string::npos ? s.size() : found + close.size();
}

std::size_t end_of_quoted(const std::string& s, std::size_t i) {
  const char quote = s[i];
  for (++i; i < s.size() && s[i] != quote && s[i] != '\n'; ++i)
    if (s[i] == '\\') ++i;
  return std::min(i + 1, s.size());
}

std::vector<Token> tokens_of(const std::string& s) {
  std::vector<Token> out;
  for (std::size_t i = 0; i < s.size();) {
    const char c = s[i];
    std::size_t end = i + 1;
    if (std::isspace(static_cast<unsigned char>(c))) {
      ++i;
      continue;
    }
    if (c == '-' && i + 1 < s.size() && s[i + 1] == '-') {
      const int level = long_bracket(s, i + 2);
      i = level >= 0 ? end_of_long(s, i + 2, level) : std::min(s.find('\n', i), s.size());
      continue;
    }
    Token::Kind kind = Token::Kind::other;
    if (is_name(c)) {
      kind = Token::Kind::name;
      while (end < s.size() && is_name(s[end])) ++end;
    } else if (c == '"' || c == '\'') {
      kind = Token::Kind::string;
      end = end_of_quoted(s, i);
    } else if (const int level = long_bracket(s, i); level >= 0) {
      kind = Token::Kind::string;
      end = end_of_long(s, i, level);
    } else if (c == '{' || c == '(' || c == '[') {
      kind = Token::Kind::open;
    } else if (c == '}' || c == ')' || c == ']') {
      kind = Token::Kind::close;
    }
    out.push_back({kind, i, end});
    i = end;
  }
  return out;
}

class Text {
 public:
  explicit Text(const std::string& s) : s_(s), tokens_(tokens_of(s)) {}

  std::string word(std::size_t t) const { return t < tokens_.size() ? s_.substr(tokens_[t].at, tokens_[t].end - tokens_[t].at) : std::string(); }
  std::size_t size() const { return tokens_.size(); }
  const Token& operator[](std::size_t t) const { return tokens_[t]; }
  // The token that closes the bracket at t; size() when nothing does.
  std::size_t closing(std::size_t t) const {
    int depth = 0;
    for (; t < tokens_.size(); ++t) {
      depth += tokens_[t].kind == Token::Kind::open;
      depth -= tokens_[t].kind == Token::Kind::close;
      if (depth == 0) return t;
    }
    return tokens_.size();
  }
  // `name = {` directly inside the table that opens at t: where that { is; size() when it is not there.
  std::size_t list_in(std::size_t t, const char* name) const {
    const std::size_t end = closing(t);
    for (std::size_t k = t + 1; k + 2 < end; ++k) {
      if (tokens_[k].kind == Token::Kind::open) {
        k = closing(k);
        continue;
      }
      if (word(k) == name && word(k + 1) == "=" && word(k + 2) == "{" ) return k + 2;
    }
    return tokens_.size();
  }
  // Whether a table in it has a value of that name at all.
  bool has_field(std::size_t t, const char* name) const {
    const std::size_t end = closing(t);
    for (std::size_t k = t + 1; k + 1 < end; ++k) {
      if (tokens_[k].kind == Token::Kind::open) k = closing(k);
      else if (word(k) == name && word(k + 1) == "=") return true;
    }
    return false;
  }

 private:
  const std::string& s_;
  std::vector<Token> tokens_;
};

// The { of `scenario {` that the file returns.
std::size_t scenario_table(const Text& text) {
  for (std::size_t t = 0; t + 2 < text.size(); ++t)
    if (text.word(t) == "return" && text.word(t + 1) == "scenario" && text.word(t + 2) == "{") return t + 2;
  return text.size();
}

// The { of `case "name" {` inside the list of cases.
std::size_t case_table(const Text& text, std::size_t cases, const std::string& name) {
  const std::size_t end = text.closing(cases);
  for (std::size_t t = cases + 1; t + 2 < end; ++t) {
    const std::string word = text.word(t + 1);
    if (text.word(t) == "case" && word.size() >= 2 && word.substr(1, word.size() - 2) == name && text.word(t + 2) == "{") return t + 2;
  }
  return text.size();
}

std::string indent_of(const std::string& s, std::size_t at) {
  const std::size_t begin = at == 0 ? 0 : s.rfind('\n', at - 1) + 1;
  std::size_t end = begin;
  while (end < s.size() && (s[end] == ' ' || s[end] == '\t')) ++end;
  return s.substr(begin, end - begin);
}

}  // namespace

std::optional<std::string> with_faults(const std::string& s, const std::string& case_name, const std::vector<std::string>& lines, int* first_line) {
  const Text text(s);
  const std::size_t scenario = scenario_table(text);
  if (scenario == text.size() || text.closing(scenario) == text.size()) return std::nullopt;
  std::size_t table = scenario;
  if (!case_name.empty()) {
    const std::size_t cases = text.list_in(scenario, "cases");
    const std::size_t chosen = cases == text.size() ? text.size() : case_table(text, cases, case_name);
    if (chosen == text.size()) return std::nullopt;
    if (text.has_field(chosen, "faults")) table = chosen;
  }
  std::size_t list = text.list_in(table, "faults");
  if (list == text.size() && text.has_field(table, "faults")) return std::nullopt;  // a name, a call: not in plain sight
  const bool fresh = list == text.size();
  const std::size_t close = text.closing(fresh ? table : list);
  const std::size_t before = close - 1;  // the last token inside
  const std::string indent = indent_of(s, text[close].at);

  std::string added;
  const bool empty = before == (fresh ? table : list);
  if (!empty && text.word(before) != "," && text.word(before) != ";") added += ",";
  added += "\n";
  // Counted from the beginning, with what stands between the last element and here.
  const std::size_t at = text[before].end;
  int line = 1 + static_cast<int>(std::count(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(at), '\n')) + 1;
  if (fresh) {
    added += indent + "  faults = {\n";
    ++line;
  }
  for (const std::string& l : lines) added += indent + (fresh ? "    " : "  ") + l + ",\n";
  if (fresh) added += indent + "  },\n";
  if (first_line) *first_line = line;
  // What stood between the last element and the bracket was space, or a comment, which stays with the element.
  const std::string between = s.substr(at, text[close].at - at);
  const bool comment = between.find("--") != std::string::npos;
  if (!comment) return s.substr(0, at) + added + indent + s.substr(text[close].at);
  std::string kept = between;
  while (!kept.empty() && std::isspace(static_cast<unsigned char>(kept.back()))) kept.pop_back();
  if (first_line) *first_line += static_cast<int>(std::count(kept.begin(), kept.end(), '\n'));
  const bool comma = added.front() == ',';
  return s.substr(0, at) + (comma ? "," : "") + kept + added.substr(comma ? 1 : 0) + indent + s.substr(text[close].at);
}

WrittenBack write_back(const Recording& r, const Models& models) {
  const RunSpec& spec = r.spec();
  const auto same = [&](const std::string& text, const std::string& case_name, bool settings) {
    RunSpec again = spec;
    again.text = text;
    again.case_name = case_name;
    again.interventions.clear();
    again.without.clear();
    if (!settings) {
      again.settings.clear();
      again.profile.clear();
      again.design.clear();
    }
    again.seed = r.seed();
    try {
      return Recording::make(again, models)->result().fingerprint == r.result().fingerprint;
    } catch (const InputError&) {
      return false;
    }
  };
  WrittenBack out;
  if (spec.without.empty()) {
    std::vector<std::string> lines;
    for (const Intervention& i : spec.interventions) lines.push_back(i.lua());
    out.lines = static_cast<int>(lines.size());
    if (auto text = with_faults(spec.text, spec.case_name, lines, &out.first_line); text && same(*text, spec.case_name, true)) {
      out.text = std::move(*text);
      return out;
    }
  }
  out = {r.as_lua(), true, 0, 0};
  if (!same(out.text, {}, false)) throw InputError(spec.path, 0, "this run can't be written as a scenario that gives the same run");
  return out;
}

}  // namespace mqlab::gui
