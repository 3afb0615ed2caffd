// mqlab hunt and mqlab merge as a user has them: exit codes, what is kept through a kill at any moment, shares, clear words.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <random>
#include <thread>

#include "sim/hunt/store.h"
#include "sim/lab/scenario.h"
#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Some of its runs deliver out of order.
constexpr const char* two_consumers = R"(return scenario {
  title = "A queue with two consumers",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(200), start_at = seconds(5), recovery_interval = ms(500), heartbeat = seconds(10) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(50), recovery_interval = ms(500), heartbeat = seconds(10) },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(70), recovery_interval = ms(500), heartbeat = seconds(10) },
  },
  run_for = seconds(20),
})";

class Child {
 public:
  Child(const std::vector<std::string>& arguments, const std::string& out) {
    pid_ = fork();
    if (pid_ != 0) return;
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    dup2(1, 2);
    std::vector<char*> argv{const_cast<char*>("mqlab")};
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    execv(MQLAB_BINARY, argv.data());
    _exit(127);
  }
  void signal(int s) const { kill(pid_, s); }
  // -1: ended by a signal.
  int wait() const {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

std::vector<UnitRow> rows_in(const std::string& folder) {
  std::vector<UnitRow> all;
  Store(folder + "/campaign.sqlite").each([&](const UnitRow& r) { all.push_back(r); });
  return all;
}

// Whole lines only: a killed process may have left half of one.
std::vector<nlohmann::json> lines_of(const std::string& path) {
  std::vector<nlohmann::json> all;
  const std::string text = slurp(path);
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) all.push_back(nlohmann::json::parse(text.substr(at, end - at)));
  return all;
}

// Ten times at a moment of chance: in the first instants, and after so many runs.
TEST(Hunt, AKillAtAnyMomentLosesNoFinishedRunAndRepeatsNone) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string scenario = scratch.write("queue.lua", two_consumers);
  const std::string folder = scratch.file("killed"), log = scratch.file("events.jsonl"), out = scratch.file("out");
  const std::vector<std::string> command{"hunt", scenario, "--property", "fifo-violation", "--seeds", "1..800", "--search", "random", "--jobs", "2", "--out", folder, "--events", log, "--no-shrink"};
  std::mt19937_64 chance(20250101);
  std::size_t killed_under_way = 0, before = 0;
  for (int kills = 0; kills < 10; ++kills) {
    const Child child(command, out);
    if (kills % 3 != 0) {
      const std::size_t wanted = before + 1 + chance() % 20;
      for (int i = 0; i < 20'000 && lines_of(log).size() < wanted; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(chance() % 20'000));
    child.signal(SIGKILL);
    EXPECT_EQ(child.wait(), -1) << "it was over before it was killed";
    if (!std::filesystem::exists(folder + "/campaign.sqlite")) continue;
    const std::vector<nlohmann::json> told = lines_of(log);
    try {
      const Store store(folder + "/campaign.sqlite");
      for (const nlohmann::json& l : told) {
        const auto kept = store.unit(l.at("seed"), 0);
        ASSERT_TRUE(kept.has_value()) << "seed " << l.at("seed") << " was told as finished, and is lost";
        EXPECT_EQ(kept->fingerprint, l.at("fingerprint"));
      }
      killed_under_way += store.units() > 0 && store.units() < 800;
    } catch (const InputError&) {
      EXPECT_TRUE(told.empty());  // killed before the file was one
    }
    before = told.size();
  }
  EXPECT_GE(killed_under_way, 5U);
  const Child last(command, out);
  EXPECT_EQ(last.wait(), 1) << slurp(out);

  std::map<std::uint64_t, int> times;
  for (const nlohmann::json& l : lines_of(log)) ++times[l.at("seed")];
  for (const auto& [seed, n] : times) EXPECT_EQ(n, 1) << "seed " << seed << " was finished " << n << " times";

  const std::string whole = scratch.file("whole");
  EXPECT_EQ(mqlab({"hunt", scenario, "--property", "fifo-violation", "--seeds", "800", "--search", "random", "--jobs", "1", "--out", whole, "--no-shrink"}).code, 1);
  EXPECT_EQ(rows_in(folder).size(), 800U);
  EXPECT_EQ(rows_in(folder), rows_in(whole));
}

TEST(Hunt, EndsCleanlyWithCtrlC) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string scenario = scratch.write("queue.lua", two_consumers);
  const std::string folder = scratch.file("campaign"), log = scratch.file("events.jsonl"), out = scratch.file("out");
  const Child child({"hunt", scenario, "--property", "fifo-violation", "--budget", "1h", "--out", folder, "--events", log}, out);
  for (int i = 0; i < 20'000 && lines_of(log).size() < 20; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  child.signal(SIGINT);
  EXPECT_EQ(child.wait(), 1);
  EXPECT_TRUE(says(slurp(out), "stopped by Ctrl-C: this is what was found so far")) << slurp(out);
  EXPECT_GE(rows_in(folder).size(), 20U);
  EXPECT_EQ(rows_in(folder).size(), lines_of(log).size());
}

TEST(Hunt, TellsWhatItFoundAndHowToRepeatIt) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string scenario = scratch.write("queue.lua", two_consumers);
  const std::string folder = scratch.file("campaign");
  const std::vector<std::string> command{"hunt", scenario, "--property", "fifo-violation", "--seeds", "60", "--out", folder};
  const Outcome o = mqlab(command);
  EXPECT_EQ(o.code, 1) << o.err;
  EXPECT_TRUE(says(o.out, "a fix is believed after ")) << o.out;
  const nlohmann::json j = mqlab_json(command);  // all is done: it only tells
  ASSERT_FALSE(j.at("groups").empty());
  const nlohmann::json& g = j.at("groups")[0];
  EXPECT_EQ(j.at("units"), 60);
  EXPECT_EQ(j.at("as_expected"), false);
  EXPECT_LT(g.at("rate_low").get<double>() * 60, g.at("units").get<double>());
  const Outcome story = mqlab({"run", g.at("story").at("file")});
  EXPECT_EQ(story.code, 0) << story.out;
  EXPECT_TRUE(says(story.out, "met      violates fifo-violation")) << story.out;
  // The plan as drawn shows it too.
  const Outcome plan = mqlab({"hunt", scenario, "--property", "fifo-violation", "--plan", std::to_string(g.at("first_seed").get<std::uint64_t>())});
  ASSERT_EQ(plan.code, 0) << plan.err;
  const std::string file = scratch.write("plan.lua", plan.out);
  EXPECT_TRUE(says(mqlab({"run", file}).out, g.at("sentence").get<std::string>().substr(0, 20)));
  EXPECT_TRUE(says(g.at("command"), "--plan " + std::to_string(g.at("first_seed").get<std::uint64_t>())));
}

TEST(Hunt, WhatIsKnownIsCountedApartAndIsNoFailure) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string scenario = scratch.write("queue.lua", two_consumers);
  const std::vector<std::string> command{"hunt", scenario, "--property", "fifo-violation", "--seeds", "60", "--no-shrink"};
  const nlohmann::json all = mqlab_json(command);
  ASSERT_FALSE(all.at("groups").empty());
  std::vector<std::string> knowing = command;
  for (const nlohmann::json& g : all.at("groups")) {
    EXPECT_EQ(g.at("known"), false);
    knowing.insert(knowing.end(), {"--known", g.at("id")});
  }
  const nlohmann::json none = mqlab_json(knowing);
  EXPECT_EQ(none.at("failing"), 0);
  EXPECT_EQ(none.at("failing_as_known"), all.at("failing"));
  EXPECT_EQ(none.at("as_expected"), true);
  EXPECT_EQ(none.at("groups")[0].at("known"), true);
  const Outcome told = mqlab(knowing);
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_TRUE(says(told.out, "Nothing found: none of ")) << told.out;
  EXPECT_TRUE(says(told.out, "as is known:")) << told.out;
  // Another one is news, and the first that fails in such a way ends the hunt.
  std::vector<std::string> other = command;
  other.insert(other.end(), {"--known", "fifo-violation-00000000", "--first", "--jobs", "1"});
  EXPECT_EQ(mqlab_json(other).at("failing"), 1);
}

TEST(Hunt, NothingFoundIsSaidWithWhatItProves) {
  NEEDS_KAFKA();
  const Outcome o = mqlab({"hunt", "scenarios/hunt/log.lua", "--seeds", "59", "--faults", "none"});
  EXPECT_EQ(o.code, 0) << o.out << o.err;
  EXPECT_TRUE(says(o.out, "none of 59 seeds fails; 95 % sure, at most one in 20 does")) << o.out;
  EXPECT_TRUE(says(o.out, "goals reached; never:")) << o.out;
}

TEST(Hunt, AnExhaustiveSearchEndsAndSaysSo) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string folder = scratch.file("all");
  const std::string scenario = scratch.write("one.lua", R"(return scenario {
    cluster = rabbitmq { brokers = 1 },
    topics = { orders = {} },
    clients = { producer "P1" { topic = "orders", records = 1, start_at = seconds(1) } },
    run_for = seconds(3),
  })");
  const std::vector<std::string> command{"hunt", scenario, "--search", "exhaustive", "--faults-max", "1", "--budget", "5min", "--out", folder};
  const Outcome o = mqlab(command);
  EXPECT_EQ(o.code, 0) << o.out << o.err;
  EXPECT_TRUE(says(o.out, "of up to 1 fault")) << o.out;
  EXPECT_FALSE(says(o.out, "95 % sure")) << o.out;
  const std::size_t units = rows_in(folder).size();
  EXPECT_EQ(rows_in(folder).front().seed, 0U);
  EXPECT_EQ(rows_in(folder).back().seed + 1, units);
  EXPECT_EQ(mqlab(command).out, o.out);  // there is nothing left to do
}

TEST(Hunt, RefusesAnotherCampaignInTheSameFolder) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string scenario = scratch.write("queue.lua", two_consumers);
  const std::string folder = scratch.file("campaign");
  const auto hunt = [&](std::vector<std::string> more) {
    std::vector<std::string> all{"hunt", scenario, "--seeds", "5", "--out", folder};
    all.insert(all.end(), more.begin(), more.end());
    return mqlab(all);
  };
  EXPECT_EQ(hunt({}).code, 0);
  EXPECT_EQ(hunt({"--jobs", "1", "--no-shrink"}).code, 0);  // how is no matter
  const Outcome property = hunt({"--property", "settles"});
  EXPECT_EQ(property.code, 2);
  EXPECT_TRUE(says(property.err, "its property is `promises`, and now it is `settles`")) << property.err;
  EXPECT_TRUE(says(hunt({"--set", "prefetch=4"}).err, "and now it is")) << "options";
  scratch.write("queue.lua", std::string(two_consumers) + "\n");
  EXPECT_TRUE(says(hunt({}).err, "has changed since"));
}

TEST(Hunt, AnswersBadInputWithTheRemedy) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("file", "");
  const auto error = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{"hunt", "scenarios/hunt/log.lua", "--seeds", "1"};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome o = mqlab(all);
    EXPECT_EQ(o.code, 2) << o.out << o.err;
    return o.err;
  };
  EXPECT_TRUE(says(error({"--budget", "sixty"}), "a time was expected, as 60s, 10min or 2h, or a number of seeds, as 10000"));
  EXPECT_TRUE(says(error({"--budget", "0"}), "a time was expected"));
  EXPECT_TRUE(says(error({"--shard", "0/4"}), "are 1/4, 2/4, 3/4 and 4/4"));
  EXPECT_TRUE(says(error({"--shard", "5/4"}), "with i from 1 to n"));
  EXPECT_TRUE(says(error({"--faults", "one machin"}), "did you mean `one machine`?"));
  EXPECT_TRUE(says(error({"--faults-max", "many"}), "a whole number from 0 to 1000 was expected"));
  EXPECT_TRUE(says(error({"--property", "promise"}), "did you mean `promises`?"));
  EXPECT_TRUE(says(error({"--search", "randm"}), "did you mean `random`?"));
  EXPECT_TRUE(says(error({"--out", file}), "this is a file; a campaign is a folder"));
  EXPECT_TRUE(says(error({"--plan", "x"}), "a whole number from 0"));
  EXPECT_TRUE(says(mqlab({"hunt", "scenarios/search/quorum.lua", "--plan", "1"}).err, "name one by --case"));
  EXPECT_EQ(mqlab({"hunt", "scenarios/hunt/log.lua", "scenarios/hunt/log.lua", "--seeds", "1"}).code, 2);
}

TEST(Merge, PutsSharesTogetherAndNamesASeedThatDiffers) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string scenario = scratch.write("queue.lua", two_consumers);
  std::vector<std::string> command{"merge", scratch.file("all")};
  for (const std::string share : {"1/2", "2/2"}) {
    command.push_back(scratch.file("share" + share.substr(0, 1)));
    EXPECT_NE(mqlab({"hunt", scenario, "--property", "fifo-violation", "--seeds", "80", "--shard", share, "--out", command.back()}).code, 2);
  }
  const Outcome merged = mqlab(command);
  EXPECT_EQ(merged.code, 1) << merged.err;
  EXPECT_TRUE(says(merged.out, "(seeds 1 to 80)")) << merged.out;
  const std::string whole = scratch.file("whole");
  mqlab({"hunt", scenario, "--property", "fifo-violation", "--seeds", "80", "--out", whole});
  EXPECT_EQ(rows_in(scratch.file("all")), rows_in(whole));
  const Outcome again = mqlab({"hunt", scenario, "--property", "fifo-violation", "--seeds", "80", "--out", scratch.file("all")});
  EXPECT_TRUE(says(again.out, "80 seeds fail")) << again.out;

  SqliteFile(command.back() + "/campaign.sqlite").execute("UPDATE units SET fingerprint = 'other' WHERE seed = 40");
  const Outcome differs = mqlab({"merge", scratch.file("all"), command.back()});
  EXPECT_EQ(differs.code, 3);
  EXPECT_TRUE(says(differs.err, "seed 40 of ")) << differs.err;
  EXPECT_EQ(mqlab({"merge", scratch.file("all"), scratch.file("none")}).code, 2);
  EXPECT_TRUE(says(mqlab({"merge", scratch.file("all"), scratch.file("all")}).err, "merged into itself"));
}

}  // namespace
}  // namespace mqlab::cli_test
