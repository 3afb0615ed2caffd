// cli/text.h: text for people: colour, wrapping and tables.
//
// The rule: results are made as one string and written at once, so a page never mixes with messages.
// Colour is asked for by role (good, bad, quiet), and is nothing unless stdout is a terminal.
//
//     Style style = Style::of_stdout();
//     Table t{{"anomaly", "verdict"}};
//     t.row({{"lost-message"}, {"violated", style.bad}});
//     out += t.text(style);
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mqlab::cli {

struct Style {
  bool colour = false;
  std::size_t width = 80;  // columns to use, at most 100

  // As the terminal is; NO_COLOR (no-color.org), MQLAB_WIDTH and COLUMNS are heard.
  static Style of_stdout();

  enum class Ink : unsigned char { plain, strong, good, bad, warn, quiet };
  std::string paint(std::string_view text, Ink ink) const;
  std::string strong(std::string_view t) const { return paint(t, Ink::strong); }
  std::string quiet(std::string_view t) const { return paint(t, Ink::quiet); }
};

// Columns that a text takes: code points, not bytes.
std::size_t columns(std::string_view text);

// Lines of at most `width` columns, broken at blanks; a longer word stands alone on its line.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

// The same as one text: the first line after `first`, the others after as many blanks.
std::string paragraph(std::string_view text, std::size_t width, std::string_view first = "");

struct Cell {
  std::string text{};
  Style::Ink ink = Style::Ink::plain;
};

// Columns as wide as their widest cell; the last column takes what is left and wraps.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
  void row(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  // Numbers in this column stand to the right.
  void right(std::size_t column) { right_.push_back(column); }
  bool empty() const { return rows_.empty(); }
  std::string text(const Style& style, std::string_view indent = "  ") const;

 private:
  std::vector<std::string> head_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<std::size_t> right_;
};

// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t n);
// "1 seed", "2 seeds".
std::string counted(std::uint64_t n, std::string_view word);
// Two sentences about one mistake, the first of which may end in "did you mean `x`?".
std::string and_then(const std::string& text, const std::string& help);
// A word as a shell takes it.
std::string shell_word(std::string_view text);

}  // namespace mqlab::cli
