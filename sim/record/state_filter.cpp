#include "sim/record/state_filter.h"

#include <algorithm>

namespace mqlab {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool same(char a, char b) { return lower(a) == lower(b); }
bool in_word(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_'; }

bool has_words(std::string_view text, std::string_view words) {
  for (auto at = text.begin(); !words.empty(); ++at) {
    at = std::search(at, text.end(), words.begin(), words.end(), same);
    if (at == text.end()) return false;
    const auto end = at + static_cast<std::ptrdiff_t>(words.size());
    const bool begins = at == text.begin() || !in_word(at[-1]) || !in_word(words.front());
    const bool ends = end == text.end() || !in_word(*end) || !in_word(words.back());
    if (begins && ends) return true;
  }
  return false;
}

// The whole text, or its beginning up to a /. In time of the two lengths' product at most: only the last * goes back.
bool globs(std::string_view text, std::string_view glob) {
  std::size_t t = 0;
  std::size_t g = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_t = 0;
  while (true) {
    if (g == glob.size() && (t == text.size() || text[t] == '/')) return true;
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_t = t;
    } else if (g < glob.size() && t < text.size() && (glob[g] == '?' || same(glob[g], text[t]))) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos && star_t < text.size()) {
      g = star + 1;
      t = ++star_t;
    } else {
      return false;
    }
  }
}

}  // namespace

std::string shown_path(std::string_view node, const TreePath& path) {
  std::string out(node);
  for (const std::string& name : path) out += "/" + name;
  return out;
}

bool matches_pattern(std::string_view pattern, std::string_view path) {
  return pattern.find_first_of("*?") == std::string_view::npos ? has_words(path, pattern) : globs(path, pattern);
}

bool StateFilter::shows_node(std::string_view node) const {
  return nodes.empty() || std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

bool StateFilter::shows(std::string_view node, std::string_view path) const {
  if (!shows_node(node)) return false;
  bool wanted = false;
  bool any = false;
  for (const std::string& p : patterns) {
    if (p.starts_with('!')) {
      if (matches_pattern(std::string_view(p).substr(1), path)) return false;
      continue;
    }
    any = true;
    wanted = wanted || matches_pattern(p, path);
  }
  return wanted || !any;
}

}  // namespace mqlab
