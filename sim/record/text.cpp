#include "sim/record/text.h"

#include <algorithm>
#include <vector>

namespace mqlab {

namespace {
constexpr char hex[] = "0123456789abcdef";
}

// The well-formed sequences are those of table 3-7 of the Unicode standard.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return tail(at + 1) ? 2 : 0;
  const unsigned second = byte(at + 1);
  if (first < 0xf0) {
    if (first == 0xe0 && second < 0xa0) return 0;
    if (first == 0xed && second > 0x9f) return 0;
    return tail(at + 1) && tail(at + 2) ? 3 : 0;
  }
  if (first > 0xf4) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return tail(at + 1) && tail(at + 2) && tail(at + 3) ? 4 : 0;
}

std::size_t utf8_error(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8_length(text, i);
    if (n == 0) return i;
    i += n;
  }
  return std::string_view::npos;
}

std::string shown(std::string_view text) {
  constexpr std::size_t most = 40;
  std::string out = "\"";
  std::size_t i = 0;
  while (i < text.size() && i < most) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t n = utf8_length(text, i);
    if (c < 0x20 || c == 0x7f || n == 0) {
      out += "\\x";
      out += hex[c >> 4];
      out += hex[c & 15];
      ++i;
    } else {
      out += text.substr(i, n);
      i += n;
    }
  }
  out += i < text.size() ? "...\"" : "\"";
  return out;
}

std::string nearest_word(std::string_view text, const char* const* words, std::size_t count) {
  std::string best;
  if (text.size() > 40) return best;
  std::size_t best_distance = text.size() / 3 + 2;
  for (std::size_t w = 0; w < count; ++w) {
    const std::string_view word = words[w];
    // Levenshtein distance, one row at a time.
    std::vector<std::size_t> row(word.size() + 1);
    for (std::size_t j = 0; j <= word.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= text.size(); ++i) {
      std::size_t corner = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= word.size(); ++j) {
        const std::size_t above = row[j];
        row[j] = std::min({above + 1, row[j - 1] + 1, corner + (text[i - 1] == word[j - 1] ? 0 : 1)});
        corner = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = word;
    }
  }
  return best;
}

void TextOut::microseconds(Time ns) {
  if (ns < 0) buffer_.push_back('-');
  const std::uint64_t n = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  *this << n / 1000 << '.' << static_cast<char>('0' + n / 100 % 10) << static_cast<char>('0' + n / 10 % 10)
        << static_cast<char>('0' + n % 10);
}

void TextOut::escape(std::string_view text, bool edn) {
  buffer_.push_back('"');
  std::size_t plain = 0;  // start of what needs no change
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    const std::size_t n = c < 0x80 ? 0 : utf8_length(text, i);
    if (n != 0) {
      i += n;
      continue;
    }
    buffer_.append(text.substr(plain, i - plain));
    if (c == '"' || c == '\\') {
      buffer_.push_back('\\');
      buffer_.push_back(static_cast<char>(c));
    } else if (c == '\n') {
      buffer_.append("\\n");
    } else if (c == '\t') {
      buffer_.append("\\t");
    } else if (c < 0x80) {
      buffer_.append("\\u00");
      buffer_.push_back(hex[c >> 4]);
      buffer_.push_back(hex[c & 15]);
    } else {
      buffer_.append(edn ? "\xef\xbf\xbd" : "\\ufffd");
      buffer_.push_back(hex[c >> 4]);
      buffer_.push_back(hex[c & 15]);
    }
    plain = ++i;
  }
  buffer_.append(text.substr(plain));
  buffer_.push_back('"');
}

}  // namespace mqlab
