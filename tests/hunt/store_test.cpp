// What a campaign's file promises: rows come back as they went in, once each, whole or not at all; and files of one campaign
// are one.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>

#include "tests/hunt/campaign_room.h"

namespace mqlab {
namespace {

Manifest some_manifest() {
  Manifest m;
  m.said = {{"property", "promises"}, {"version", "1"}};
  m.targets = {{"a.lua", "return 1"}, {"b.lua", "return 2"}};
  for (int i = 0; i < 20; ++i) m.goals.push_back("goal " + std::to_string(100 + i));
  return m;
}

UnitRow row(std::uint64_t seed, std::uint32_t target = 0) {
  UnitRow r;
  r.seed = seed;
  r.target = target;
  r.runs = 1;
  r.events = 100 + seed;
  r.fingerprint = "f" + std::to_string(seed);
  r.goals = {static_cast<std::uint32_t>(seed % 20)};
  return r;
}

UnitRow failing(std::uint64_t seed, const std::string& id) {
  UnitRow r = row(seed);
  r.verdict = UnitVerdict::violated;
  r.breaches = {{id, "lost-message", "by " + id, "seed " + std::to_string(seed) + " lost something"}};
  return r;
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

RC_GTEST_PROP(Store, GivesBackWhatItGot, ()) {
  Store store(":memory:", some_manifest());
  std::vector<UnitRow> rows;
  const auto seeds = *rc::gen::unique<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 62));
  for (const std::uint64_t seed : seeds) {
    UnitRow r = row(seed, *rc::gen::inRange<std::uint32_t>(0, 2));
    const auto goals = *rc::gen::inRange<std::uint32_t>(0, 1U << 20);
    r.goals.clear();
    for (std::uint32_t g = 0; g < 20; ++g)
      if ((goals >> g) & 1U) r.goals.push_back(g);
    r.verdict = *rc::gen::element(UnitVerdict::holds, UnitVerdict::untested);
    for (const std::string id : {"a", "b", "c"}) {
      if (*rc::gen::inRange(0, 3) != 0) continue;
      r.verdict = UnitVerdict::violated;
      r.breaches.push_back({id, "lost-message", "by " + id, *rc::gen::string<std::string>()});
    }
    rows.push_back(std::move(r));
  }
  const auto cut = *rc::gen::inRange<std::size_t>(0, rows.size() + 1);
  store.write({rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(cut)}, {});
  store.write({rows.begin() + static_cast<std::ptrdiff_t>(cut), rows.end()}, {});
  std::sort(rows.begin(), rows.end(), [](const UnitRow& a, const UnitRow& b) { return std::pair(a.seed, a.target) < std::pair(b.seed, b.target); });
  RC_ASSERT(rows_of(store) == rows);
  // What is added up is what the rows say.
  for (const GoalCount& g : store.goals()) {
    const auto number = static_cast<std::uint32_t>(std::stoi(g.name.substr(5)) - 100);
    const auto has = [&](const UnitRow& r) { return std::find(r.goals.begin(), r.goals.end(), number) != r.goals.end(); };
    RC_ASSERT(g.units == static_cast<std::uint64_t>(std::count_if(rows.begin(), rows.end(), has)));
    const auto first = std::find_if(rows.begin(), rows.end(), has);
    if (first != rows.end()) RC_ASSERT(g.first_seed == first->seed);
  }
  for (const Group& g : store.groups()) {
    const auto has = [&](const UnitRow& r) { return std::any_of(r.breaches.begin(), r.breaches.end(), [&](const UnitBreach& b) { return b.id == g.breach.id; }); };
    RC_ASSERT(g.units == static_cast<std::uint64_t>(std::count_if(rows.begin(), rows.end(), has)));
    const auto first = std::find_if(rows.begin(), rows.end(), has);
    RC_ASSERT(g.first_seed == first->seed);
    RC_ASSERT(g.first_target == first->target);
  }
}

TEST(Store, RefusesASecondRowForAUnitAndKeepsNothingOfThatBatch) {
  Store store(":memory:", some_manifest());
  store.write({row(1), row(2)}, {});
  EXPECT_THROW(store.write({row(3), failing(2, "a")}, {}), InputError);
  EXPECT_EQ(rows_of(store), (std::vector<UnitRow>{row(1), row(2)}));
  EXPECT_EQ(store.goals()[3].units, 0U);
  store.write({row(3)}, {});  // and it goes on
  EXPECT_EQ(store.units(), 3U);
}

TEST(Store, GoesOnWithItsOwnCampaignOnly) {
  const HuntFolder folder;
  const std::string path = folder.file("campaign.sqlite");
  const Manifest m = some_manifest();
  { Store(path, m).write({row(1)}, {}); }
  EXPECT_EQ(Store(path, m).units(), 1U);
  const auto refused = [&](const std::function<void(Manifest&)>& change) {
    Manifest other = m;
    change(other);
    return message_of([&] { Store(path, other); });
  };
  EXPECT_TRUE(says(refused([](Manifest& o) { o.said[0].second = "settles"; }), "its property is `promises`, and now it is `settles`"));
  EXPECT_TRUE(says(refused([](Manifest& o) { o.targets[1].text = "return 3"; }), "the text of `b.lua` has changed since"));
  EXPECT_TRUE(says(refused([](Manifest& o) { o.targets.pop_back(); }), "it runs `b.lua`, and now it is nothing"));
  EXPECT_TRUE(says(refused([](Manifest& o) { o.targets.push_back({"c.lua", ""}); }), "it runs nothing, and now it is `c.lua`"));
  EXPECT_TRUE(says(refused([](Manifest& o) { o.shard = "1/2"; }), "its shard is `all`, and now it is `1/2`"));
  EXPECT_TRUE(says(refused([](Manifest& o) { o.goals.pop_back(); }), "other goals"));
  EXPECT_TRUE(says(refused([](Manifest& o) { o.shard = "1/2"; }), "choose another --out"));
}

TEST(Store, IsUsedByOneAtATime) {
  const HuntFolder folder;
  const std::string path = folder.file("campaign.sqlite");
  const Store first(path, some_manifest());
  EXPECT_TRUE(says(message_of([&] { Store(path, some_manifest()); }), "another mqlab is at work on"));
}

TEST(Store, SaysWhatIsWrongWithAFile) {
  const HuntFolder folder;
  const std::string text = folder.file("text.sqlite");
  std::ofstream(text) << std::string(5'000, 'x');
  EXPECT_TRUE(says(message_of([&] { Store(text, some_manifest()); }), "it is no campaign"));
  const std::string other = folder.file("other.sqlite");
  SqliteFile(other).execute("CREATE TABLE mine (a)");
  EXPECT_TRUE(says(message_of([&] { Store(other, some_manifest()); }), "a database of something else"));
  const std::string later = folder.file("later.sqlite");
  { Store(later, some_manifest()); }
  SqliteFile(later).execute("UPDATE campaign SET value = 'mqlab-campaign/9' WHERE key = 'format'");
  EXPECT_TRUE(says(message_of([&] { Store(later, some_manifest()); }), "is of format `mqlab-campaign/9`"));
  EXPECT_TRUE(says(message_of([&] { Store(folder.file("none/x.sqlite"), some_manifest()); }), "it can't be written"));
  EXPECT_TRUE(says(message_of([&] { Store(folder.file("none.sqlite")); }), "there is no such campaign"));
}

TEST(Store, MergesWhatItLacks) {
  const HuntFolder folder;
  Manifest shares[3] = {some_manifest(), some_manifest(), some_manifest()};
  const std::vector<std::vector<UnitRow>> rows{{failing(1, "a"), row(4)}, {row(2), failing(5, "a")}, {row(4), failing(3, "b"), failing(1, "a")}};
  std::vector<std::string> sums;
  for (const std::vector<int>& order : {std::vector<int>{0, 1, 2}, {2, 1, 0}, {1, 2, 0}}) {
    Store all(":memory:", some_manifest());
    for (const int i : order) {
      shares[i].shard = std::to_string(i + 1) + "/3";
      Store part(":memory:", shares[i]);
      part.write(rows[static_cast<std::size_t>(i)], {});
      part.keep("a", Story{static_cast<std::uint64_t>(i == 1 ? 5 : 1), 0, i == 1 ? "of 5" : "of 1", "", "", true});
      EXPECT_FALSE(all.merge(part).has_value());
      EXPECT_FALSE(all.merge(part).has_value());  // a second time changes nothing
    }
    EXPECT_EQ(rows_of(all), (std::vector<UnitRow>{failing(1, "a"), row(2), failing(3, "b"), row(4), failing(5, "a")}));
    EXPECT_EQ(all.groups()[0].story->lua, "of 1");
    sums.push_back(sums_of(all));
  }
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_EQ(sums[0], sums[2]);
}

TEST(Store, NamesTheUnitOfWhichTwoSayDifferentThings) {
  for (const bool in_a_sentence : {false, true}) {
    Store a(":memory:", some_manifest()), b(":memory:", some_manifest());
    a.write({row(1), failing(2, "a")}, {});
    UnitRow other = failing(2, "a");
    (in_a_sentence ? other.breaches[0].sentence : other.fingerprint) += "?";
    b.write({row(3), other}, {});
    const auto differs = a.merge(b);
    ASSERT_TRUE(differs.has_value());
    EXPECT_EQ(*differs, std::pair(std::uint64_t{2}, 0U));
    EXPECT_EQ(a.units(), 2U);  // nothing was taken
  }
  Manifest m = some_manifest();
  m.said[0].second = "settles";
  Store a(":memory:", some_manifest()), c(":memory:", m);
  EXPECT_TRUE(says(message_of([&] { a.merge(c); }), "holds another campaign than"));
}

}  // namespace
}  // namespace mqlab
