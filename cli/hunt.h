// cli/hunt.h: what hunt and merge share: a campaign's folder, and the report on what is in it.
//
// The rule: a report says what the store holds, so it is the same after one session or ten, from one machine or merged from
// many, and no wall-clock figure is on it.
#pragma once

#include <set>
#include <string>

#include "cli/outcome_json.h"
#include "cli/text.h"
#include "sim/hunt/store.h"

namespace mqlab::cli {

// What the two commands say in the manifest: options by name, left out of a command where they are as by default.
struct SaidOption {
  const char* name;
  const char* usual;
};
inline constexpr SaidOption said_options[] = {{"property", "promises"}, {"search", "mix"}, {"depth", "3"}, {"faults", ""}, {"faults-max", ""}};

// The folder's database. Throws BadInput when the name is that of a file.
std::string campaign_file(const std::string& folder);
// Writes each story to its file in the folder; what it is called there.
std::string story_file(const std::string& folder, const Group& g);
void write_stories(const std::string& folder, const Store& store);

// The command that makes one plan again.
std::string plan_command(const Manifest& m, std::uint64_t seed, std::uint32_t target);

struct HuntReport {
  std::string title;
  std::string folder;        // empty: nothing is kept
  std::string ended;         // why it is over, where that is not its usual end; for people
  bool complete = true;
  bool all_goals = false;
  std::set<std::string> known{};  // groups that were found before and are understood
};
std::string report_text(const Store& store, const HuntReport& report, const Style& style);
Json hunt_json(const Store& store, const HuntReport& report);
// 0: something was tested, and nothing was found that is not known.
int report_code(const Store& store, const HuntReport& report);

}  // namespace mqlab::cli
