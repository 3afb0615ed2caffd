// A campaign to try things on: a queue with two consumers, of which some runs deliver out of order and most do not.
#pragma once

#include <unistd.h>

#include <filesystem>

#include "kit/models.h"
#include "sim/hunt/stories.h"
#include "sim/script/scenario_api.h"

namespace mqlab {

inline constexpr const char* two_consumers = R"(return scenario {
  title = "A queue with two consumers",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(200), start_at = seconds(5), recovery_interval = ms(500), heartbeat = seconds(10) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(50), recovery_interval = ms(500), heartbeat = seconds(10) },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(70), recovery_interval = ms(500), heartbeat = seconds(10) },
  },
  run_for = seconds(20),
  hunt = { kinds = { "kill", "power", "isolate", "reset_streams" } },
})";

struct CampaignRoom {
  std::atomic<bool> stop = false;
  CampaignTargets targets;
  Manifest manifest;

  explicit CampaignRoom(const std::vector<std::string>& texts = {two_consumers}, const std::string& property = "fifo-violation", const Shard& shard = {}) {
    SearchOptions options;
    options.keep_going = [this] { return !stop; };
    for (const std::string& text : texts) {
      Scenario s = load_scenario(text, "test.lua", all_models());
      const Model& model = *all_models().find(s.model);
      const PlanSpace space = s.hunt;
      targets.emplace_back(Manifest::Target{"test " + std::to_string(targets.size()), text}, std::move(s), model, space, parse_property(property), "random", options);
    }
    manifest = manifest_of(targets, {{"property", property}}, shard);
  }

  CampaignRoom(const CampaignRoom&) = delete;
  CampaignRoom& operator=(const CampaignRoom&) = delete;

  CampaignEnd run(Store& store, CampaignOptions o) {
    stop = false;
    o.stop = &stop;
    return run_campaign(targets, store, o);
  }
};

// A folder of its own for each test, gone afterwards.
class HuntFolder {
 public:
  HuntFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mqlab-hunt-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~HuntFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  HuntFolder(const HuntFolder&) = delete;
  HuntFolder& operator=(const HuntFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::vector<UnitRow> rows_of(const Store& store) {
  std::vector<UnitRow> all;
  store.each([&](const UnitRow& r) { all.push_back(r); });
  return all;
}

// All that the rows add up to, as text.
inline std::string sums_of(const Store& store) {
  std::string text;
  for (const Group& g : store.groups()) text += g.breach.id + " " + g.breach.text + " " + g.breach.sentence + " " + std::to_string(g.units) + " " + std::to_string(g.first_seed) + " " + std::to_string(g.first_target) + "\n";
  for (const GoalCount& g : store.goals()) text += g.name + " " + std::to_string(g.units) + " " + std::to_string(g.first_seed) + "\n";
  return text;
}

}  // namespace mqlab
