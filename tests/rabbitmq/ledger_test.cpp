// The ledger is worth something only as long as what it names is there, and each switch is turned somewhere.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "models/rabbitmq/rabbitmq.h"

namespace mqlab {
namespace {

TEST(RabbitLedger, NamesSourcesAndTestsThatExist) {
  const auto model = rabbitmq::make_model();
  std::set<std::string> rules;
  const std::string root = MQLAB_SOURCE_DIR;
  for (const RuleDecl& r : model->decl().ledger) {
    EXPECT_TRUE(rules.insert(r.rule).second) << "twice: " << r.rule;
    EXPECT_FALSE(r.source.empty()) << r.rule;
    EXPECT_FALSE(r.test.empty()) << "a rule that nothing holds: " << r.rule;
    std::istringstream in(r.test);
    for (std::string part; std::getline(in, part, ',');) {
      part = part.substr(part.find_first_not_of(' '));
      EXPECT_TRUE(std::filesystem::exists(root + "/tests/" + part + ".cpp") || std::filesystem::exists(root + "/scenarios/" + part + ".lua")) << part << " is to hold: " << r.rule;
    }
  }
  EXPECT_GT(rules.size(), 60u);
}

TEST(RabbitLedger, EachSwitchIsTurnedSomewhere) {
  std::string text;
  for (const char* folder : {"/scenarios/museum/rabbitmq", "/tests/rabbitmq"})
    for (const auto& e : std::filesystem::recursive_directory_iterator(std::string(MQLAB_SOURCE_DIR) + folder)) {
      std::ifstream in(e.path());
      std::ostringstream all;
      all << in.rdbuf();
      text += all.str();
    }
  const auto model = rabbitmq::make_model();
  for (const OptionDecl& o : model->decl().options) {
    if (!o.is_switch) continue;
    EXPECT_NE(text.find(o.name + " = "), std::string::npos) << "nothing turns the switch `" << o.name << "`";
  }
}

}  // namespace
}  // namespace mqlab
