// The rules of releases as options: each can be set singly over a profile.
#include "models/rabbitmq/rule_options.h"

#include <gtest/gtest.h>

#include "models/rabbitmq/model_parts.h"
#include "models/rabbitmq/settings.h"

namespace mqlab::rabbitmq {
namespace {

Options cluster_options(const char* profile) { return *profile_defaults(declare_model(), profile, "cluster"); }

Rules rules_in(const Options& o, const char* profile) { return broker_settings(o, profile).rules; }

TEST(RabbitRuleOptions, AProfilesOptionsSayWhatItsRulesAre) {
  for (const std::string_view profile : profile_names()) {
    Rules expected = *rules_of(profile);
    const Options o = cluster_options(std::string(profile).c_str());
    expected.consumer_timeout_after = o.duration("consumer_timeout");
    EXPECT_EQ(rules_in(o, std::string(profile).c_str()), expected) << profile;
  }
}

// Each is turned over 4.2, and that is all that changes: turned back, the rules are the profile's.
TEST(RabbitRuleOptions, EachIsSetSingly) {
  const std::vector<std::string> turned = {
      "quorum_delivery_limit = 7",    "limit_by_acquired = false",       "nack_counts = false",         "count_headers_4 = false",
      "quorum_priorities = none",     "single_active_priorities = false", "purge_takes_dead_letters = true", "disconnected_timeout = 5s",
      "resends_after_cut = false",    "delayed_retry = true",            "interprets_client_x_death = true", "x_last_death = false",
      "cancel_serves_next = false",   "consumer_timeout_action = returns_messages", "transient_queues = false", "queue_mode_allowed = false",
      "quorum_prefetch_max = 100",    "requeue_keeps_place = false",    "shared_prefetch = false"};
  const std::vector<OptionDecl> decls = all_options(declare_model());
  const Rules profile = rules_in(cluster_options("4.2"), "4.2");
  EXPECT_EQ(turned.size(), rule_options().size());
  for (const std::string& line : turned) {
    const std::string name = line.substr(0, line.find(' ')), value = line.substr(line.rfind(' ') + 1);
    Options o = cluster_options("4.2");
    const Value before = o.values().at(name);
    ASSERT_FALSE(o.set_text(decls, "cluster", name, value)) << line;
    EXPECT_NE(rules_in(o, "4.2"), profile) << line;
    ASSERT_FALSE(o.set(decls, "cluster", name, before)) << line;
    EXPECT_EQ(rules_in(o, "4.2"), profile) << line;
  }
}

}  // namespace
}  // namespace mqlab::rabbitmq
