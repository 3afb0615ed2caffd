// window: what the window does with a long run, without a window: record it, index it, seek in it, build its pictures; and what
// memory that takes.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/bench.h"
#include "cli/face.h"
#include "gui/core/find_event.h"
#include "gui/core/find_rows.h"
#include "gui/core/groups.h"
#include "gui/core/logs.h"
#include "gui/core/view_facts.h"
#include "kit/models.h"

namespace mqlab::cli {
namespace {

constexpr std::uint64_t events_a_record = 6;  // about: three brokers, acks=all, one consumer
constexpr std::uint64_t producers = 3;
constexpr std::size_t seeks = 200;
constexpr std::size_t builds = 7;  // of each picture: the first pays for what the seeks left to be tidied up
constexpr float width = 1600, height = 900;

std::string scenario_of(std::uint64_t events) {
  const std::uint64_t records = std::max<std::uint64_t>(1, events / events_a_record / producers);
  std::string clients;
  for (std::uint64_t i = 1; i <= producers; ++i)
    clients += fmt::format("    producer \"P{}\" {{ topic = \"orders\", records = {}, every = ms(3), start_at = seconds(1), acks = \"all\" }},\n", i, records);
  return fmt::format(
      "return scenario {{\n  title = \"Many events\",\n  cluster = kafka {{ brokers = 3, controllers = 1, min_insync = 2 }},\n"
      "  topics = {{ orders = {{ partitions = 3, replicas = 3 }} }},\n  clients = {{\n{}"
      "    consumer \"C\" {{ topics = {{ \"orders\" }}, auto_offset_reset = \"earliest\" }},\n  }},\n  run_for = ms({}),\n}}\n",
      clients, 3 * records + 3000);
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

double megabytes(std::size_t bytes) { return static_cast<double>(bytes >> 10) / 1024; }

double milliseconds(const std::function<void()>& f) {
  const Stopwatch watch;
  f();
  return watch.seconds() * 1000;
}

}  // namespace

BenchResult bench_window(const BenchOptions& o) {
  if (!all_models().find("kafka")) throw BadInput("this benchmark needs the kafka model, which is not in this build");
  const Stopwatch recording_watch;
  const auto r = gui::Recording::make({.text = scenario_of(o.size), .path = "bench.lua", .seed = 1}, all_models(), {.event_limit = ~std::uint64_t{0}});
  BenchResult result{r->events(), recording_watch.seconds(), r->result().fingerprint.low};
  std::shared_ptr<const gui::EventIndex> index;
  gui::ViewFacts facts;
  result.more.push_back({"index_s", milliseconds([&] { index = std::make_shared<gui::EventIndex>(r); }) / 1000});
  result.more.push_back({"facts_s", milliseconds([&] { facts = gui::view_facts(*index); }) / 1000});

  BenchRandom random(1);
  std::vector<double> times;
  for (std::size_t i = 0; i < seeks; ++i) {
    const std::size_t event = random.next() % r->events();
    times.push_back(milliseconds([&] { r->moment(event); }));
  }
  result.more.push_back({"seek_median_ms", median(times)});
  result.more.push_back({"seek_worst_ms", *std::max_element(times.begin(), times.end())});

  // What a search reads at most: a sentence that is never true, both ways. What a filter reads: chips, and words that are in few lines.
  const gui::Predicate never = gui::read_predicate("isr orders/0 > 9").predicate.value();
  result.more.push_back({"search_on_ms", milliseconds([&] { gui::find_event(*r, never, 0, gui::Direction::forward); })});
  result.more.push_back({"search_back_ms", milliseconds([&] { gui::find_event(*r, never, r->events() - 1, gui::Direction::backward); })});
  const gui::RowsWanted by_chips{.chips = {{gui::Chip::node(0), gui::Chip::hide(Traffic::heartbeat)}}}, by_words{.words = {"leader_elected"}}, by_name{.words = {"fetch", "b1"}};
  std::size_t rows = 0;
  const auto filter = [&](const char* name, const gui::RowsWanted& wanted) {
    result.more.push_back({name, milliseconds([&] { rows += gui::find_rows(*index, wanted)->rows.size(); })});
  };
  filter("filter_chips_ms", by_chips);
  filter("filter_words_ms", by_words);
  filter("filter_names_ms", by_name);
  result.more.push_back({"filtered_rows", static_cast<double>(rows)});

  // Each picture as it is first seen: the whole run, the focus in its middle.
  const gui::FixedMeasure measure;
  const std::size_t middle = r->events() / 2;
  const auto moment = r->moment(middle);
  const gui::Focus focus{.event = middle};
  gui::SpacetimeView view;
  view.time.range = {0, r->end()};
  view.lanes = facts.spacetime.lanes;
  std::size_t shapes = 0;
  const auto scene = [&](const char* name, const std::function<gui::Scene()>& build) {
    times.clear();
    for (std::size_t i = 0; i < builds; ++i) times.push_back(milliseconds([&] { shapes += build().shapes().size(); }));
    result.more.push_back({name, median(times)});
  };
  scene("topology_ms", [&] { return gui::topology(*index, facts.topology, *moment, r->time_of(middle), focus, width, height, measure); });
  scene("spacetime_ms", [&] { return gui::spacetime(*index, facts.spacetime, view, focus, width, height, measure); });
  scene("logs_ms", [&] { return gui::logs(*moment, r->journal(), {}, focus, width, height, measure).scene; });
  scene("groups_ms", [&] { return gui::groups(*moment, r->journal(), 0, focus, width, height, measure).scene; });
  scene("plots_ms", [&] { return gui::plots(facts.series, facts.spacetime.timeline, view.time, r->time_of(middle), width, height, measure); });
  result.more.push_back({"shapes", static_cast<double>(shapes / builds)});
  result.more.push_back({"checkpoints", static_cast<double>(r->checkpoints())});
  result.more.push_back({"checkpoints_mb", megabytes(r->checkpoint_bytes())});
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  result.more.push_back({"peak_mb", megabytes(static_cast<std::size_t>(used.ru_maxrss) * 1024)});
  return result;
}

}  // namespace mqlab::cli
