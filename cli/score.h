// cli/score.h: what `mqlab score` was told, and its second way: by a hunt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mqlab::cli {

struct ScoreRequest {
  std::vector<std::string> scenarios;
  std::vector<std::string> rules;  // names of switches; empty: all
  std::string case_name, on;
  std::vector<std::string> set;
  std::string seeds = "1";
  std::uint64_t hunt = 0;          // runs for a rule; 0: the scenarios are run as they are
  std::string search = "mix";      // ... and how to look: one of search_words() (sim/hunt/search.h)
  std::string museum = "museum";   // the part of the library that says what a broken rule leads to
  std::string markdown;            // the table of a hunt, for a page
  std::string stories;             // a folder for what was found, made small
  unsigned jobs = 0;               // 0: as many as there are cores
  bool json = false;
};

// Hunts around the scenarios with each rule broken, for the anomaly that the museum shows for it.
int score_by_hunt(const ScoreRequest& request);

}  // namespace mqlab::cli
