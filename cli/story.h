// cli/story.h: a run told in a few lines: faults, what happened inside, what clients first and last saw.
//
// The rule: what a verdict rests on (its witness, the moment it became certain) and the faults are told
// first; when lines are short, repeated marks go before first ones.
#pragma once

#include <string>
#include <vector>

#include "cli/text.h"
#include "sim/lab/run.h"

namespace mqlab::cli {

struct StoryLine {
  Time time{};
  int rank = 0;  // 0 is told first
  std::string text{};
  Style::Ink ink = Style::Ink::plain;
};

// All that could be told, by time.
std::vector<StoryLine> tell(const RunResult& r);

// At most `lines_max` of it as text (0 = all), with a line for how many were left out.
std::string story_text(const RunResult& r, std::size_t lines_max, const Style& style);

}  // namespace mqlab::cli
