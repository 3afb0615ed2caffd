#include "sim/lab/nearest.h"

#include <algorithm>
#include <array>

namespace mqlab {
namespace {

constexpr std::size_t word_bytes_max = 64;  // longer words are no typos of a name

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t edits_allowed(std::size_t length) { return length <= 3 ? 1 : length <= 8 ? 2 : 3; }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  if (a.size() > word_bytes_max || b.size() > word_bytes_max) return std::max(a.size(), b.size());
  using Row = std::array<std::size_t, word_bytes_max + 1>;
  Row before_last{}, last{}, row{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

std::optional<std::string> nearest_word(std::string_view wrong, std::span<const std::string> candidates) {
  if (wrong.empty() || wrong.size() > word_bytes_max) return std::nullopt;
  const std::string* best = nullptr;
  std::size_t best_distance = edits_allowed(wrong.size()) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(wrong, candidate);
    if (distance >= wrong.size()) continue;  // nothing of the word would be left
    if (distance < best_distance || (best && distance == best_distance && candidate < *best)) {
      best = &candidate;
      best_distance = distance;
    }
  }
  if (!best) return std::nullopt;
  return *best;
}

std::string did_you_mean(std::string_view wrong, std::span<const std::string> candidates) {
  const auto word = nearest_word(wrong, candidates);
  return word ? "; did you mean `" + *word + "`?" : "";
}

}  // namespace mqlab
