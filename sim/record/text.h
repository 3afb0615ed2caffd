// sim/record/text.h: writing text fast, and the same on every machine.
//
// A TextOut gathers bytes and hands them to a sink in pieces, so that a long trace never has to
// lie in memory whole. Numbers go through std::to_chars: no locale, no float.
//
// Always true: what json() and edn() write is valid UTF-8, whatever the bytes were; a byte that
// is not UTF-8 becomes U+FFFD and its two hex digits, so different names stay different.
//
//     std::string text;
//     TextOut out(append_to(text));
//     out << "{\"time\":" << time << ",\"name\":", out.json(name), out << "}\n";
//     out.flush();
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sim/kernel/time.h"

namespace mqlab {

// Takes the next piece of a text; pieces may end anywhere.
using Sink = std::function<void(std::string_view)>;

inline Sink append_to(std::string& text) {
  return [&text](std::string_view piece) { text.append(piece); };
}

// The length of the valid UTF-8 sequence at `at`, or 0. Requires: at < text.size().
std::size_t utf8_length(std::string_view text, std::size_t at);
// The first byte that is not UTF-8, or npos.
std::size_t utf8_error(std::string_view text);
// `text` as an error message may show it: printable, short, in quotes.
std::string shown(std::string_view text);
// The word of `words` that `text` most likely meant, or nothing: for "did you mean".
std::string nearest_word(std::string_view text, const char* const* words, std::size_t count);

class TextOut {
 public:
  explicit TextOut(Sink sink) : sink_(std::move(sink)) { buffer_.reserve(flush_at + 4096); }
  TextOut(const TextOut&) = delete;
  TextOut& operator=(const TextOut&) = delete;
  // Not flushed: whoever writes calls flush() at the end, where a sink may still throw.
  ~TextOut() = default;

  TextOut& operator<<(std::string_view text) {
    buffer_.append(text);
    return *this;
  }
  TextOut& operator<<(const char* text) { return *this << std::string_view(text); }
  TextOut& operator<<(char c) {
    buffer_.push_back(c);
    return *this;
  }
  template <std::integral T>
  TextOut& operator<<(T number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    buffer_.append(digits, static_cast<std::size_t>(end - digits));
    return *this;
  }
  // A JSON string with its quotes.
  void json(std::string_view text) { escape(text, false); }
  // An EDN string with its quotes.
  void edn(std::string_view text) { escape(text, true); }
  // Nanoseconds as microseconds with three places: "12.345".
  void microseconds(Time ns);
  // Call now and then, between rows.
  void may_flush() {
    if (buffer_.size() >= flush_at) flush();
  }
  void flush() {
    if (!buffer_.empty()) sink_(buffer_);
    written_ += buffer_.size();
    buffer_.clear();
  }
  std::size_t written() const { return written_ + buffer_.size(); }

 private:
  static constexpr std::size_t flush_at = 60'000;
  void escape(std::string_view text, bool edn);
  Sink sink_;
  std::string buffer_;
  std::size_t written_ = 0;
};

}  // namespace mqlab
