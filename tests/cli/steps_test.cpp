// mqlab run --steps and mqlab show: the same lines, the same states, and no word of either changes a run.
#include <gtest/gtest.h>

#include "cli/face.h"
#include "cli/library.h"
#include "sim/lab/run.h"
#include "sim/record/state_steps.h"
#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Story {
  std::string file;
  std::vector<std::string> more{};
};

const std::vector<Story>& stories() {
  static const std::vector<Story> all{{"scenarios/showcase.lua", {"--case", "acks=1"}},
                                      {"scenarios/museum/kafka/r03-zombie-leader.lua", {}},
                                      {"scenarios/museum/kafka/c06-a-member-that-slept-and-wrote.lua", {}},
                                      {"scenarios/museum/kafka/c25-work-longer-than-the-lock.lua", {}},
                                      {"scenarios/museum/kafka/kip-98-a-new-leader-knows-the-numbers.lua", {}}};
  return all;
}

// The first case of a file, where it has several.
std::vector<std::string> run_words(const Story& s, std::vector<std::string> more) {
  std::vector<std::string> words{"run", s.file};
  words.insert(words.end(), s.more.begin(), s.more.end());
  if (s.more.empty()) {
    const auto cases = mqlab_json({"run", s.file}).at("runs");
    if (!cases.at(0).at("case").get<std::string>().empty()) words.insert(words.end(), {"--case", cases.at(0).at("case")});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string fingerprint_of(const std::string& page) {
  const std::size_t at = page.find("\nfingerprint ");
  return at == std::string::npos ? "none" : page.substr(at + 13, 32);
}

TEST(Steps, OfARunAreThoseOfItsTrace) {
  NEEDS_KAFKA();
  const std::vector<std::vector<std::string>> views{{"--all"}, {"--node", "B1", "--only", "log"}, {"--from", "5s", "--to", "20s"}, {"--all", "--from", "100", "--to", "300"}};
  for (std::size_t i = 0; i < stories().size(); ++i) {
    const Story& s = stories()[i];
    const Scratch scratch;
    const std::string trace = scratch.file("t.states.jsonl");
    const std::string fingerprint = fingerprint_of(mqlab(run_words(s, {})).out);
    for (const std::vector<std::string>& view : {std::vector<std::string>{}, views[i % views.size()]}) {
      std::vector<std::string> words{"--steps", "--trace", trace};
      words.insert(words.end(), view.begin(), view.end());
      const Outcome run = mqlab(run_words(s, words));
      std::vector<std::string> show{"show", trace, "--steps"};
      show.insert(show.end(), view.begin(), view.end());
      const Outcome shown = mqlab(show);
      EXPECT_EQ(shown.code, 0) << s.file << shown.err;
      EXPECT_FALSE(shown.out.empty()) << s.file;
      EXPECT_TRUE(says(run.out, "\n\n" + shown.out + "\n")) << s.file << "\n" << run.err << shown.out.substr(0, 2000);
      EXPECT_EQ(fingerprint_of(run.out), fingerprint) << "looking changes nothing";
    }
  }
}

// At every event, what a journal tells of a node is what the node says of itself.
TEST(Steps, FoldIntoTheStatesOfTheWorld) {
  const auto model = [](const Scenario& s) { return cli::all_models().find(s.model); };
  std::vector<Story> all = stories();
  all.push_back({"scenarios/programs/retry-topic.lua", {}});
  for (const Story& story : all) {
    const Scenario s = cli::load_scenario_file(std::string(MQLAB_SOURCE_DIR) + "/" + story.file);
    if (!model(s)) continue;
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      Deployment d;
      const auto world = build_world(s, *model(s), s.cases.empty() ? nullptr : &s.cases[seed % s.cases.size()], {.seed = seed, .trace = TraceLevel::state}, d);
      std::map<NodeId, Tree> folded;
      std::size_t next = 0;
      while (world->steps() < 2'000 && world->step(s.run_for)) {
        for (; next < world->journal.changes.size(); ++next) {
          const StateChange& c = world->journal.changes[next];
          const TreePath path = path_of(world->journal.state_paths.text(c.path));
          if (path.empty() && !folded.count(c.node)) folded[c.node] = Tree{world->name(c.node), c.change.now, {}};
          else ASSERT_TRUE(apply_change(folded.at(c.node), path, c.change)) << story.file << " " << world->steps();
        }
        for (const auto& [node, tree] : folded) ASSERT_EQ(tree, world->state(node)) << story.file << " after step " << world->steps();
      }
      EXPECT_GT(next, 50U) << story.file;
    }
  }
}

// The last event that changed something, and the tree that `show` prints for it.
TEST(Show, PrintsTheStateAtAnEvent) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string trace = scratch.file("t.states.jsonl");
  ASSERT_EQ(mqlab(run_words(stories()[0], {"--trace", trace})).code, 0);
  const Outcome end = mqlab({"show", trace});
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_TRUE(says(end.out, "B2: broker, running\n")) << end.out;
  EXPECT_TRUE(says(end.out, "  orders/0: leader epoch 1\n    log: 0..5\n")) << end.out;
  const Outcome cut_off = mqlab({"show", trace, "--at", "30s", "--only", "orders/0/log"});
  EXPECT_TRUE(says(cut_off.out, "B1: broker, running\n  orders/0: leader epoch 0\n    log: 0..20\n")) << cut_off.out;
  const Outcome one = mqlab({"show", trace, "--at", "1", "--node", "C1"});
  EXPECT_TRUE(says(one.out, "after #1 at 0.000000 s: C1 start\n")) << one.out;
  EXPECT_FALSE(says(one.out, "\nB1: ")) << one.out;
  EXPECT_TRUE(says(mqlab({"show", trace, "--only", "nonesuch"}).err, "no state matches"));
}

TEST(Show, SaysWhatItCanNotShow) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string trace = scratch.file("t.states.jsonl");
  ASSERT_EQ(mqlab(run_words(stories()[0], {"--trace", trace})).code, 0);
  const auto refused = [&](std::vector<std::string> words, const std::string& part) {
    words.insert(words.begin(), {"show", trace});
    const Outcome o = mqlab(words);
    EXPECT_EQ(o.code, 2) << part;
    EXPECT_EQ(o.out, "");
    EXPECT_TRUE(says(o.err, part)) << o.err;
  };
  refused({"--at", "0"}, "there is no such event; there are events 1 to ");
  refused({"--at", "10000000"}, "the last at 60.");
  refused({"--at", "2h"}, "there is no such event");
  refused({"--at", "soon"}, "the number of an event or a time was expected");
  refused({"--node", "B9"}, "did you mean `B1`?");
  refused({"--steps", "--at", "5"}, "--from and --to");
  refused({"--from", "5"}, "add --steps");
  refused({"--steps", "--from", "10000000"}, "is after the end");
  const std::string plain = scratch.file("t.trace.jsonl");
  ASSERT_EQ(mqlab(run_words(stories()[0], {"--trace", plain})).code, 0);
  for (const char* how : {"--at=1", "--steps"}) {
    const Outcome o = mqlab({"show", plain, how});
    EXPECT_EQ(o.code, 2);
    EXPECT_TRUE(says(o.err, "holds no states of nodes: record it with `mqlab run SCENARIO --trace FILE --format states`")) << o.err;
  }
  const std::string text = slurp(trace);
  const Outcome cut = mqlab({"show", scratch.write("cut.jsonl", text.substr(0, text.size() / 2))});
  EXPECT_EQ(cut.code, 2);
  EXPECT_TRUE(says(cut.err, "cut.jsonl:")) << cut.err;
  EXPECT_TRUE(says(cut.err, "cut off")) << cut.err;
  const Outcome binary = mqlab({"show", scratch.write("zero", std::string(3'000'000, '\0'))});
  EXPECT_EQ(binary.code, 2);
  EXPECT_TRUE(says(binary.err, "zero:1: ")) << binary.err;
}

TEST(Steps, NeedOneRunAndARunThatShowsThem) {
  NEEDS_KAFKA();
  const auto refused = [](std::vector<std::string> words, const std::string& part) {
    words.insert(words.begin(), {"run", "scenarios/showcase.lua"});
    const Outcome o = mqlab(words);
    EXPECT_EQ(o.code, 2) << part;
    EXPECT_TRUE(says(o.err, part)) << o.err;
  };
  refused({"--steps"}, "choose one with --case");
  refused({"--steps", "--seeds", "3"}, "use --seed N");
  refused({"--steps", "--json", "--case", "acks=1"}, "--format states");
  refused({"--node", "B1"}, "they need --steps");
  refused({"--steps", "--case", "acks=1", "--all", "--only", "log"}, "use one of them");
}

// What a scenario or a file holds can't command the terminal.
TEST(Show, TakesControlCharactersOut) {
  const Scratch scratch;
  const std::string trace = scratch.write("t", "{\"format\":\"mqlab-trace/1\",\"processes\":[\"A\"],\"events\":1,\"marks\":0,\"changes\":1}\n"
                                               "{\"event\":1,\"time\":5,\"kind\":\"start\",\"node\":\"A\"}\n"
                                               "{\"state\":\"A\",\"during\":1,\"path\":[],\"at\":0,\"new\":\"\\u001b[2Jx\\u009by\"}\n");
  EXPECT_EQ(mqlab({"show", trace}).out, "after #1 at 0.000000 s: A start\nA: \\x1b[2Jx\\x9by  (new)\n");
  EXPECT_EQ(mqlab({"show", trace, "--steps"}).out, "    0.000000 s  #1  A start\n      + A: \\x1b[2Jx\\x9by\n");
}

}  // namespace
}  // namespace mqlab::cli_test
