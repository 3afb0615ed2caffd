// A campaign finds the same whatever the number of its threads, its interruptions, and its shares.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "tests/hunt/campaign_room.h"

namespace mqlab {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr std::uint64_t seeds = 60;

// The rows of an uninterrupted campaign on one thread.
const std::vector<UnitRow>& reference() {
  static const std::vector<UnitRow> rows = [] {
    CampaignRoom room;
    Store store(":memory:", room.manifest);
    room.run(store, {.jobs = 1, .last_seed = seeds});
    return rows_of(store);
  }();
  return rows;
}

TEST(Campaign, FindsSomethingAndNotEverywhere) {
  ASSERT_EQ(reference().size(), seeds);
  const auto failing = std::count_if(reference().begin(), reference().end(), [](const UnitRow& r) { return r.verdict == UnitVerdict::violated; });
  EXPECT_GT(failing, 1);
  EXPECT_LT(failing, static_cast<std::ptrdiff_t>(seeds / 2));
  for (const UnitRow& r : reference()) EXPECT_EQ(r.verdict == UnitVerdict::violated, !r.breaches.empty());
}

TEST(Campaign, TheTableIsTheSameWhateverTheNumberOfJobs) {
  for (const std::uint64_t jobs : {2, 3, 7}) {
    CampaignRoom room;
    Store store(":memory:", room.manifest);
    EXPECT_EQ(room.run(store, {.jobs = jobs, .last_seed = seeds}), CampaignEnd::all_done);
    EXPECT_EQ(rows_of(store), reference()) << jobs << " jobs";
  }
}

TEST(Campaign, GoesOnWhereItWas) {
  CampaignRoom room;
  Store store(":memory:", room.manifest);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> told;
  std::uint64_t more = 3;
  CampaignOptions o;
  o.jobs = 2;
  o.last_seed = seeds;
  o.told = [&](const std::vector<UnitRow>& rows, const CampaignProgress& p) {
    for (const UnitRow& r : rows) told.emplace_back(r.seed, r.target);
    EXPECT_EQ(p.units, told.size());
    EXPECT_EQ(p.units_total, seeds);
  };
  o.keep_going = [&] { return store.units() < more; };
  for (int sessions = 0; room.run(store, o) == CampaignEnd::stopped; ++sessions) {
    ASSERT_LT(sessions, 200);
    more = store.units() + 1 + store.units() % 7;
  }
  EXPECT_EQ(rows_of(store), reference());
  std::sort(told.begin(), told.end());
  EXPECT_EQ(std::unique(told.begin(), told.end()), told.end()) << "a unit was told twice";
  EXPECT_EQ(told, store.done());
  // What is done is not done again.
  told.clear();
  EXPECT_EQ(room.run(store, o), CampaignEnd::all_done);
  EXPECT_TRUE(told.empty());
}

TEST(Campaign, SharesAreTheWholeTogether) {
  CampaignRoom room;
  Store whole(":memory:", room.manifest);
  std::uint64_t total = 0;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const Shard shard{i, 4};
    CampaignRoom one({two_consumers}, "fifo-violation", shard);
    Store part(":memory:", one.manifest);
    CampaignOptions o{.jobs = 2, .shard = shard, .last_seed = seeds};
    std::uint64_t expected = 0;
    o.told = [&](const std::vector<UnitRow>&, const CampaignProgress& p) { expected = p.units_total; };
    one.run(part, o);
    EXPECT_EQ(part.units(), expected);
    for (const auto& [seed, target] : part.done()) EXPECT_EQ(seed % 4, i % 4);
    total += part.units();
    EXPECT_FALSE(whole.merge(part).has_value());
  }
  EXPECT_EQ(total, seeds);
  EXPECT_EQ(rows_of(whole), reference());
}

// Seed 1 fails, so the search for the first begins after it. Earlier seeds are made slow: they are waited for.
TEST(Campaign, TheFirstFailureIsTheFirstByItsSeed) {
  const auto fails = [](const UnitRow& r) { return !r.breaches.empty(); };
  const auto first = std::find_if(reference().begin() + 1, reference().end(), fails);
  ASSERT_GT(first->seed, 3U);
  const auto later = std::find_if(first + 1, reference().end(), fails);
  for (const std::uint64_t jobs : {1, 4}) {
    CampaignRoom room;
    Store store(":memory:", room.manifest);
    if (jobs == 4) store.write({*later}, {});  // found by a session that was killed before it had done all the others
    CampaignOptions o{.jobs = jobs, .first_seed = 2, .last_seed = seeds, .stop_at_first = true};
    o.begins = [&](std::uint64_t seed, const std::string&) {
      if (jobs == 4 && seed < first->seed) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    };
    EXPECT_EQ(room.run(store, o), CampaignEnd::first_found);
    ASSERT_FALSE(store.groups().empty());
    EXPECT_EQ(store.groups().front().first_seed, first->seed) << jobs << " jobs";
    for (std::uint64_t s = 2; s <= first->seed; ++s) EXPECT_TRUE(store.unit(s, 0).has_value()) << "seed " << s;
    EXPECT_LE(store.done().back().first, later->seed) << jobs << " jobs";
  }
}

TEST(Campaign, ABrokenUnitEndsItAndWhatWasFinishedIsKept) {
  CampaignRoom room;
  Store store(":memory:", room.manifest);
  CampaignOptions o{.jobs = 2, .last_seed = seeds};
  const auto here = std::this_thread::get_id();
  std::uint64_t reported = 0;
  o.begins = [&](std::uint64_t seed, const std::string&) {
    if (std::this_thread::get_id() == here) reported = seed;
    else if (seed == 20) throw std::logic_error("no good");
  };
  EXPECT_THROW(room.run(store, o), std::logic_error);
  EXPECT_EQ(reported, 20U);
  EXPECT_FALSE(store.unit(20, 0).has_value());
  EXPECT_GE(store.units(), 18U);  // all before it, but for one that may have been under way
  for (const UnitRow& r : rows_of(store)) EXPECT_EQ(r, reference()[r.seed - 1]);
}

TEST(Campaign, ManyTargetsTakeTurns) {
  std::string other = two_consumers;
  other.replace(other.find("records = 20"), 12, "records = 15");
  CampaignRoom alone({other});
  Store apart(":memory:", alone.manifest);
  alone.run(apart, {.jobs = 1, .last_seed = seeds});
  CampaignRoom room({two_consumers, other});
  Store store(":memory:", room.manifest);
  room.run(store, {.jobs = 3, .last_seed = seeds});
  EXPECT_EQ(store.units(), 2 * seeds);
  for (const UnitRow& r : rows_of(store)) {
    UnitRow expected = r.target == 0 ? reference()[r.seed - 1] : *apart.unit(r.seed, 0);
    expected.target = r.target;
    EXPECT_EQ(r, expected);
  }
}

TEST(Campaign, AProgramThatFailsInAPlanIsToldLikeABreach) {
  CampaignRoom room({R"(return scenario {
    cluster = kafka { brokers = 1, controllers = 1 },
    topics = { orders = { partitions = 1, replicas = 1 } },
    clients = { client "C" { program = function(c)
      c:sleep(seconds(1))
      for i = 1, 90 do
        local before = c:now()
        c:send("orders", {})
        if c:now() - before > ms(50) then error("no good") end
        c:sleep(ms(100))
      end
    end } },
    run_for = seconds(12),
  })"}, "promises");
  Store store(":memory:", room.manifest);
  room.run(store, {.jobs = 2, .last_seed = 20});
  ASSERT_FALSE(store.groups().empty());
  EXPECT_EQ(store.groups()[0].breach.anomaly, "scenario-error");
  EXPECT_TRUE(says(store.groups()[0].breach.sentence, "no good")) << store.groups()[0].breach.sentence;
  tell_stories(room.targets, store, {});
  EXPECT_TRUE(says(store.groups()[0].story->lua, "no good")) << store.groups()[0].story->lua;
}

TEST(Campaign, AnotherBuildIsNoticed) {
  CampaignRoom room;
  Store store(":memory:", room.manifest);
  EXPECT_FALSE(first_unit_that_differs(room.targets, store).has_value());
  UnitRow r = reference()[4];
  store.write({r}, {});
  EXPECT_FALSE(first_unit_that_differs(room.targets, store).has_value());
  r = reference()[2];
  r.fingerprint[3] = r.fingerprint[3] == '0' ? '1' : '0';
  store.write({r}, {});
  EXPECT_EQ(first_unit_that_differs(room.targets, store), std::optional<std::uint64_t>(3));
}

TEST(Campaign, EachGroupGetsAStoryThatShowsIt) {
  std::vector<std::string> told;
  for (const std::uint64_t jobs : {1, 2}) {
    CampaignRoom room;
    Store store(":memory:", room.manifest);
    room.run(store, {.jobs = 2, .last_seed = seeds});
    tell_stories(room.targets, store, {.jobs = jobs, .command = [](std::uint64_t seed, std::uint32_t) { return "again " + std::to_string(seed); }});
    ASSERT_FALSE(store.groups().empty());
    std::string all;
    for (const Group& g : store.groups()) {
      ASSERT_TRUE(g.story.has_value());
      const Scenario s = load_scenario(g.story->lua, "story.lua", all_models());
      const RunResult r = run_scenario(s, *all_models().find(s.model), nullptr, {.seed = s.seed.value_or(1)});
      EXPECT_TRUE(r.as_expected) << g.story->lua;
      ASSERT_TRUE(r.verdict(g.breach.anomaly));
      EXPECT_EQ(r.verdict(g.breach.anomaly)->report.verdict, Verdict::violated);
      EXPECT_TRUE(says(g.story->lua, "again " + std::to_string(g.first_seed)));
      EXPECT_LE(s.faults.size(), 3U) << g.story->lua;
      all += g.story->lua;
    }
    told.push_back(all);
  }
  EXPECT_EQ(told[0], told[1]);
}

// Interrupted in the middle of shrinking: nothing new is begun, and the next session tells what is not finished.
TEST(Campaign, AnInterruptedStoryIsToldAnew) {
  CampaignRoom room;
  Store store(":memory:", room.manifest);
  room.run(store, {.jobs = 2, .last_seed = seeds});
  ASSERT_GE(store.groups().size(), 2U);
  std::atomic<int> asked = 0;
  tell_stories(room.targets, store, {.jobs = 1, .keep_going = [&] { return ++asked < 30; }});
  const Group first = store.groups()[0];
  ASSERT_TRUE(first.story.has_value());
  EXPECT_FALSE(first.story->finished);
  EXPECT_FALSE(first.story->lua.empty());
  EXPECT_FALSE(store.groups()[1].story.has_value());
  tell_stories(room.targets, store, {.jobs = 2});
  for (const Group& g : store.groups()) EXPECT_TRUE(g.story && g.story->finished && g.story->note.empty()) << g.breach.id;
}

}  // namespace
}  // namespace mqlab
