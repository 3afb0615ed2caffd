// The ledger is worth something only as long as what it names is there.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "models/rabbitmq/ledger_queues.h"

namespace mqlab::rabbitmq {
namespace {

TEST(RabbitLedger, RowsOfQueuesNameTestsThatExist) {
  std::set<std::string> rules;
  for (const RuleDecl& r : ledger_queues()) {
    EXPECT_TRUE(rules.insert(r.rule).second) << "twice: " << r.rule;
    EXPECT_FALSE(r.source.empty()) << r.rule;
    EXPECT_FALSE(r.test.empty()) << r.rule;
    std::istringstream in(r.test);
    for (std::string part; std::getline(in, part, ',');) {
      part = part.substr(part.find_first_not_of(' '));
      const std::string root = MQLAB_SOURCE_DIR;
      EXPECT_TRUE(std::filesystem::exists(root + "/tests/" + part + ".cpp") || std::filesystem::exists(root + "/scenarios/" + part + ".lua")) << part;
    }
  }
  EXPECT_GT(rules.size(), 40u);
}

}  // namespace
}  // namespace mqlab::rabbitmq
