// Client programs: each one's window of loss or of repetition is found by random search, and only where it exists.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/lab/transform_loop.h"
#include "tests/kafka/program_story.h"

namespace mqlab::kafka {
namespace {

class Programs : public testing::TestWithParam<Program> {};

TEST_P(Programs, LoseOrRepeatOnlyWhereTheirWindowIs) {
  const Program& p = GetParam();
  const char* further = std::getenv("MQLAB_SEEDS");  // MQLAB_SEEDS=2000 looks further
  const Found f = search(p.options, further ? std::stoull(further) : 120);
  EXPECT_EQ(f.undecided, "");
  EXPECT_EQ(f.bugs, "");
  EXPECT_EQ(f.lost > 0, p.lost == Window::found) << "lost in " << f.lost << " of " << f.runs << " runs, first with seed " << f.first_lost;
  EXPECT_EQ(f.ahead > 0, p.lost == Window::found) << "a commit was ahead of the work in " << f.ahead << " runs";
  EXPECT_EQ(f.twice > 0, p.twice == Window::found) << "twice in " << f.twice << " of " << f.runs << " runs, first with seed " << f.first_twice;
  std::printf("%-22s %d runs: lost in %d, twice in %d\n", p.name, f.runs, f.lost, f.twice);
}

INSTANTIATE_TEST_SUITE_P(
    Kafka, Programs,
    testing::ValuesIn(programs()),
    [](const testing::TestParamInfo<Program>& p) { return std::string(p.param.name); });

// ---- the programs of the library, in Lua and built in

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The same words ask the same of both: a program is replaced by the loop with its client's options.
TEST(ProgramsInLua, TheBuiltInLoopShowsTheSame) {
  const Model& model = *models().find("kafka");
  int replaced = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(MQLAB_SOURCE_DIR) + "/scenarios/programs")) {
    Scenario s = load_scenario(read(entry.path()), entry.path(), models());
    for (ClientSpec& client : s.deployment.clients) {
      if (!client.app) continue;
      ++replaced;
      if (!client.options.text("transactional_id").empty()) {
        for (const OptionDecl& o : transform_load_options()) client.options.set_default(o.name, o.value);
        client.app = std::make_unique<TransformLoop>();
        continue;
      }
      client.app = nullptr;
      client.role = "consumer";
      client.options = client.consumer_options;
    }
    for (const ScenarioCase& c : s.cases)
      for (std::uint64_t seed = 1; seed <= 5; ++seed)
        for (const ExpectationResult& e : run_scenario(s, model, &c, {.seed = seed}).expectations)
          EXPECT_TRUE(e.met) << entry.path() << ", " << c.name << ", seed " << seed << ": " << expectation_name(e.expectation.kind) << " " << e.expectation.name << ": " << e.why;
  }
  EXPECT_GE(replaced, 8);
}

}  // namespace
}  // namespace mqlab::kafka
