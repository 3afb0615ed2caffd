#include "sim/hunt/stories.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "sim/hunt/shrink.h"
#include "sim/script/print_scenario.h"

namespace mqlab {
namespace {

// The plan that shows the group's breach; nothing when there is no run to show (a scenario that fails by itself).
std::optional<Found> find_again(const CampaignTarget& t, const Group& g) {
  if (g.breach.anomaly == "scenario-error") return std::nullopt;
  for (Found& f : t.search().unit(g.first_seed).found)
    if (f.anomaly == g.breach.anomaly && breach_of(f, t.model()).id == g.breach.id) return std::move(f);
  throw std::logic_error(fmt::format("seed {} showed {} when the campaign ran, and does not now: a run is not deterministic", g.first_seed, g.breach.id));
}

std::string steps(const Scenario& s) {
  std::vector<PlannedFault> faults = s.faults;
  std::stable_sort(faults.begin(), faults.end(), [](const PlannedFault& a, const PlannedFault& b) {
    return a.trigger.on == Trigger::On::time && b.trigger.on == Trigger::On::time && a.trigger.after < b.trigger.after;
  });
  std::string text = faults.empty() ? "No fault is needed.\n" : "";
  for (std::size_t i = 0; i < faults.size(); ++i) text += fmt::format("{}. {}: {}\n", i + 1, describe(faults[i].trigger), describe(faults[i].fault));
  return text;
}

}  // namespace

Story tell_story(const CampaignTargets& targets, const Group& g, const StoryOptions& o) {
  const CampaignTarget& t = targets[g.first_target];
  Story y{g.first_seed, g.first_target, {}, {}, {}};
  const std::optional<Found> found = find_again(t, g);
  Scenario plan = found ? found->plan : t.plans().draw(g.first_seed);
  plan.chapter.clear();
  y.size = describe(size_of(plan));
  if (const auto why = why_not_printed(plan)) {
    y.note = "it can't be written by itself: " + *why;
    return y;
  }
  std::string sentence = g.breach.sentence;
  std::string left = "As it was drawn: no checker decides it, so it was not made smaller.";
  const bool decided = found && shows(*found->run, g.breach.anomaly);
  plan.expect.clear();
  if (decided) {
    if (g.breach.anomaly != not_settled) plan.expect = {{Expectation::Kind::violates, g.breach.anomaly}};  // that has no word in a scenario
    ShrinkOptions s;
    s.runs = o.runs;
    s.keep_going = o.keep_going;
    const Shrunk small = shrink(plan, t.model(), g.breach.anomaly, s);
    left = fmt::format("It was drawn with {}.\nOf these were left: {}. {}", y.size, describe(size_of(small.scenario)),
                       small.minimal ? "Without any one of them it does not happen so." : "Shrinking was ended before it was done: there may be less.");
    if (!small.minimal) y.note = "there may be less: shrinking was ended before it was done";
    y.finished = small.minimal || !o.keep_going || o.keep_going();
    plan = small.scenario;
    sentence = small.sentence;
    y.size = describe(size_of(plan));
  } else {
    y.note = "as it was drawn: no checker decides it, so it was not made smaller";
  }
  plan.title = fmt::format("{}: {}", decided ? "The least that it takes" : "As it was found", g.breach.anomaly);
  plan.lesson = fmt::format("{}: {}\n\n{}\n{}\n\nBy what it came about: {}\nFound by `{}`", g.breach.anomaly, sentence, steps(plan), left, g.breach.text, o.command ? o.command(g.first_seed, g.first_target) : "");
  y.lua = print_scenario(plan, t.model());
  return y;
}

void tell_stories(const CampaignTargets& targets, Store& store, const StoryOptions& o) {
  std::vector<Group> groups;
  for (Group& g : store.groups())
    if ((!g.story || !g.story->finished) && o.known.count(g.breach.id) == 0 && groups.size() < o.groups_max) groups.push_back(std::move(g));
  std::mutex mutex;
  std::condition_variable news;
  std::size_t next = 0, told = 0;
  std::uint64_t at_work = std::min<std::uint64_t>(o.jobs, groups.size());
  std::deque<std::pair<std::size_t, Story>> ready;
  std::exception_ptr failure;
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (next < groups.size() && !failure && (!o.keep_going || o.keep_going())) {
      const std::size_t i = next++;
      lock.unlock();
      std::optional<Story> y;
      std::exception_ptr wrong;
      try {
        y = tell_story(targets, groups[i], o);
      } catch (...) {
        wrong = std::current_exception();
      }
      lock.lock();
      if (wrong && !failure) failure = wrong;
      if (y) ready.emplace_back(i, std::move(*y));
      news.notify_one();
    }
    --at_work;
    news.notify_one();
  };
  std::vector<std::thread> threads;
  for (std::uint64_t i = at_work; i > 0; --i) threads.emplace_back(work);
  try {
    while (true) {
      std::unique_lock lock(mutex);
      news.wait(lock, [&] { return at_work == 0 || !ready.empty(); });
      if (ready.empty()) break;
      const auto [i, story] = std::move(ready.front());
      ready.pop_front();
      lock.unlock();
      store.keep(groups[i].breach.id, story);
      if (o.told) o.told(groups[i], story, ++told, groups.size());
      else ++told;
    }
  } catch (...) {
    const std::lock_guard lock(mutex);
    failure = std::current_exception();
  }
  for (std::thread& t : threads) t.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mqlab
