// The ledger is worth something only as long as what it names is there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "models/kafka/kafka.h"

namespace mqlab {
namespace {

// "kafka/log_test, museum/kafka/p01-retry-duplicate" -> its parts.
std::vector<std::string> parts(const std::string& list) {
  std::vector<std::string> out;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) out.push_back(part.substr(part.find_first_not_of(' ')));
  return out;
}

// Rules that nothing holds yet. This number only goes down.
constexpr std::size_t known_gaps = 0;

TEST(KafkaLedger, NamesSourcesAndTestsThatExist) {
  const auto model = kafka::make_model();
  std::set<std::string> rules;
  std::size_t untested = 0;
  for (const RuleDecl& r : model->decl().ledger) {
    EXPECT_TRUE(rules.insert(r.rule).second) << "twice: " << r.rule;
    EXPECT_FALSE(r.source.empty()) << r.rule;
    untested += r.test.empty();
    for (const std::string& part : parts(r.test)) {
      const std::string root = MQLAB_SOURCE_DIR;
      const bool there = std::filesystem::exists(root + "/tests/" + part + ".cpp") || std::filesystem::exists(root + "/scenarios/" + part + ".lua");
      EXPECT_TRUE(there) << "no test and no scenario `" << part << "`, which is to hold: " << r.rule;
    }
  }
  EXPECT_GT(rules.size(), 50u);
  EXPECT_LE(untested, known_gaps) << "a rule that nothing holds will be broken by somebody";
}

// A switch is an old or broken rule. Something must turn it: a scenario of the museum, a chapter, or at least a test.
TEST(KafkaLedger, EachSwitchIsTurnedSomewhere) {
  std::string text;
  for (const char* folder : {"/scenarios/museum/kafka", "/docs/kafka", "/tests/kafka"})
    for (const auto& e : std::filesystem::recursive_directory_iterator(std::string(MQLAB_SOURCE_DIR) + folder)) {
      std::ifstream in(e.path());
      std::ostringstream all;
      all << in.rdbuf();
      text += all.str();
    }
  const auto model = kafka::make_model();
  for (const OptionDecl& o : model->decl().options) {
    if (!o.is_switch) continue;
    EXPECT_FALSE(o.source.empty()) << o.name;
    const bool turned = text.find(o.name + " = ") != std::string::npos || text.find(o.name + "=") != std::string::npos ||
                        text.find("\"" + o.name + "\"") != std::string::npos;
    EXPECT_TRUE(turned) << "nothing turns the switch `" << o.name << "`";
  }
}

}  // namespace
}  // namespace mqlab
