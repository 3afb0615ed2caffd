// sim/lab/nearest.h: the word that was probably meant.
//
// One rule: the candidate with the smallest edit distance wins, if the distance is small for the
// length of the wrong word; ties go to the candidate that is smaller by bytes, never to the order
// of the list.
//
// Always true: the answer depends on the set of candidates only; upper and lower case cost nothing.
// Elsewhere: who asks (options.cpp, sim/script/libraries.cpp for undefined names, cli/command_line.cpp).
//
//     nearest_word("isolte", names)   -> "isolate"
//     raise(L, ...  + did_you_mean("isolte", names))   -> "...; did you mean `isolate`?"
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mqlab {

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), ignoring
// ASCII case. Bytes, not characters.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Nothing when no candidate is near: at most 1 edit up to 3 bytes, 2 up to 8, 3 beyond.
std::optional<std::string> nearest_word(std::string_view wrong, std::span<const std::string> candidates);

// "; did you mean `x`?" or "".
std::string did_you_mean(std::string_view wrong, std::span<const std::string> candidates);

}  // namespace mqlab
