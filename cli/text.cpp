#include "cli/text.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "sim/lab/verdict_words.h"

namespace mqlab::cli {
namespace {

std::size_t number_of(const char* text) {
  if (!text) return 0;
  char* end = nullptr;
  const long n = std::strtol(text, &end, 10);
  return end != text && n > 0 && n < 10'000 ? static_cast<std::size_t>(n) : 0;
}

}  // namespace

Style Style::of_stdout() {
  Style s;
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  s.colour = terminal && !(no_colour && *no_colour) && !(term && std::string_view(term) == "dumb");
  std::size_t width = number_of(std::getenv("MQLAB_WIDTH"));
  winsize size{};
  if (width == 0 && terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
  if (width == 0 && terminal) width = number_of(std::getenv("COLUMNS"));
  if (width == 0) width = 100;  // a pipe: the same text wherever it is made
  s.width = std::clamp<std::size_t>(width, 40, 100);
  return s;
}

std::string Style::paint(std::string_view text, Ink ink) const {
  static constexpr const char* codes[] = {"", "1", "32", "1;31", "33", "2"};
  if (!colour || ink == Ink::plain || text.empty()) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", codes[static_cast<std::size_t>(ink)], text);
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t used = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '\n') {
      lines.push_back(std::move(line));
      line.clear();
      used = 0;
      ++at;
      continue;
    }
    if (text[at] == ' ' || text[at] == '\t' || text[at] == '\r') {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const std::size_t size = columns(word);
    if (used != 0 && used + 1 + size > width) {
      lines.push_back(std::move(line));
      line.clear();
      used = 0;
    }
    if (used != 0) {
      line += ' ';
      ++used;
    }
    line += word;
    used += size;
    at = end;
  }
  if (!line.empty() || lines.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string paragraph(std::string_view text, std::size_t width, std::string_view first) {
  std::string out;
  const std::size_t indent = columns(first);
  bool begun = false;
  for (const std::string& line : wrap(text, width > indent + 20 ? width - indent : 20)) {
    std::string l = (begun ? std::string(indent, ' ') : std::string(first)) + line;
    l.erase(l.find_last_not_of(' ') + 1);
    out += l + "\n";
    begun = true;
  }
  return out;
}

std::string Table::text(const Style& style, std::string_view indent) const {
  constexpr std::size_t gap = 2;
  const std::size_t n = head_.size();
  std::vector<std::size_t> widths(n);
  for (std::size_t c = 0; c < n; ++c) {
    widths[c] = columns(head_[c]);
    for (const auto& row : rows_)
      if (c < row.size()) widths[c] = std::max(widths[c], columns(row[c].text));
  }
  std::size_t before = columns(indent);
  for (std::size_t c = 0; c + 1 < n; ++c) before += widths[c] + gap;
  if (n != 0) widths[n - 1] = style.width > before + 24 ? style.width - before : 24;

  std::string out;
  const auto put = [&](const std::vector<Cell>& cells) {
    std::vector<std::string> last{""};
    if (cells.size() == n) last = wrap(cells.back().text, widths[n - 1]);
    for (std::size_t l = 0; l < last.size(); ++l) {
      std::string line(indent);
      for (std::size_t c = 0; c < n; ++c) {
        const bool final = c + 1 == n;
        const std::string text = final ? last[l] : l == 0 && c < cells.size() ? cells[c].text : "";
        const std::size_t size = columns(text);
        const std::string pad(final || size >= widths[c] ? 0 : widths[c] - size, ' ');
        const bool right = std::find(right_.begin(), right_.end(), c) != right_.end();
        if (right) line += pad;
        line += c < cells.size() ? style.paint(text, cells[c].ink) : text;
        if (!right) line += pad;
        if (!final) line += std::string(gap, ' ');
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
  };
  std::vector<Cell> head;
  for (const std::string& h : head_) head.push_back({h, Style::Ink::quiet});
  put(head);
  for (const auto& row : rows_) put(row);
  return out;
}

std::string grouped(std::uint64_t n) { return grouped_digits(n); }

std::string counted(std::uint64_t n, std::string_view word) { return fmt::format("{} {}{}", grouped(n), word, n == 1 ? "" : "s"); }

std::string and_then(const std::string& text, const std::string& help) { return text + (text.ends_with('?') ? " " : "; ") + help; }

std::string shell_word(std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("_-./=:,+@%").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace mqlab::cli
