// sim/hunt/stories.h: one failure of each group of a campaign, as small as it can be, as a scenario.
//
// The plan of a group's first unit is made again from its seed, shrunk, and written as Lua, with its story as the comment at
// the head.
// The rule: a group has a story or a note that says why not; what can't be shrunk (no checker decides it) is written as it was
// drawn.
// Elsewhere: shrinking (shrink.h), where it is kept (store.h).
//
//     tell_stories(targets, store, {.jobs = 2, .command = repeat});
#pragma once

#include <functional>
#include <set>
#include <string>

#include "sim/hunt/campaign.h"

namespace mqlab {

struct StoryOptions {
  std::uint64_t jobs = 1;
  std::size_t groups_max = 20;              // of those that have none yet, the first
  std::set<std::string> known{};            // groups that need no story: it is told elsewhere
  std::uint64_t runs = 2'000;               // at most, for one
  std::function<bool()> keep_going{};       // false: what was reached so far is kept, unfinished; asked from all threads
  std::function<std::string(std::uint64_t seed, std::uint32_t target)> command{};  // that makes the plan again
  std::function<void(const Group&, const Story&, std::size_t done, std::size_t of)> told{};
};

// Requires: the store's groups came from these targets.
void tell_stories(const CampaignTargets& targets, Store& store, const StoryOptions& options);

Story tell_story(const CampaignTargets& targets, const Group& group, const StoryOptions& options);

}  // namespace mqlab
