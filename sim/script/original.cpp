#include "sim/script/original.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "sim/script/sandbox.h"

namespace mqlab::script {
namespace {

constexpr std::string_view opening = "local file = original(function(...)";
constexpr std::string_view closing = "end)";
constexpr std::size_t rest_max = std::size_t{64} << 10;  // what a plan says besides

// Lua takes \n, \r, \r\n and \n\r for the end of a line, in comments, texts and between words.
std::string with_plain_lines(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '\n' && c != '\r') {
      out += c;
      continue;
    }
    out += '\n';
    if (i + 1 < text.size() && (text[i + 1] == '\n' || text[i + 1] == '\r') && text[i + 1] != c) ++i;
  }
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool says_nothing(std::string_view line) {
  const std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string_view::npos) return true;
  line.remove_prefix(at);
  return line.substr(0, 2) == "--" && line.substr(0, 3) != "--[";
}

}  // namespace

std::string carried(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.starts_with("#")) text.remove_prefix(std::min(text.find('\n'), text.size()));
  std::string out = std::string(opening) + "\n" + with_plain_lines(text);
  if (out.back() != '\n') out += '\n';
  return out + std::string(closing) + "\n";
}

std::optional<std::string> why_not_carried(std::string_view text) {
  const std::string file = carried(text);
  const std::size_t max = Limits{}.string_bytes;
  if (file.size() + rest_max > max)
    return fmt::format("its file has {} bytes, and one that is carried in another may have {}", text.size(), max - rest_max);
  try {
    Sandbox box;
    box.load(file, "file");
  } catch (const ScriptError& error) {
    // Line 1 is the one that opens the function.
    return fmt::format("its file can't stand in a function: {}{}", error.line > 1 ? fmt::format("line {}: ", error.line - 1) : "", error.message);
  }
  return std::nullopt;
}

std::optional<std::string> carried_text(std::string_view whole, const DeclaredOriginal& o) {
  if (whole.starts_with("\xEF\xBB\xBF")) whole.remove_prefix(3);
  const std::string text = with_plain_lines(whole);
  const std::vector<std::string_view> lines = lines_of(text);
  const auto first = static_cast<std::size_t>(o.first_line);
  const auto last = static_cast<std::size_t>(o.last_line);
  if (first < 1 || last <= first || last > lines.size() || lines[first - 1] != opening || lines[last - 1] != closing) return std::nullopt;
  // What stands before it (a local that it reads), or makes functions after it, may change what the file does.
  if (!std::all_of(lines.begin(), lines.begin() + (o.first_line - 1), says_nothing)) return std::nullopt;
  std::size_t next = last;
  while (next < lines.size() && says_nothing(lines[next])) ++next;
  if (next == lines.size() || !lines[next].starts_with("return scenario")) return std::nullopt;
  std::string body;
  for (std::size_t i = first; i + 1 < last; ++i) body += std::string(lines[i]) + "\n";
  for (; next < lines.size(); ++next)
    if (lines[next].find("function") != std::string_view::npos) return std::nullopt;
  return body;
}

}  // namespace mqlab::script
