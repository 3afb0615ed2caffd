// scene_png: a view of a run as a PNG, without a window: to look at what views draw. Not run by ctest.
//
//     scene_png scenarios/showcase.lua topology --at 12s --size 1280x800 --theme dark --out /tmp/t.png
//     scene_png scenarios/showcase.lua spacetime --from 9s --to 11s --verdict lost-message
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "gui/canvas/fonts.h"
#include "gui/canvas/paint.h"
#include "gui/canvas/png.h"
#include "gui/core/describe.h"
#include "gui/core/filter.h"
#include "gui/core/groups.h"
#include "gui/core/logs.h"
#include "gui/core/plots.h"
#include "gui/core/spacetime.h"
#include "gui/core/topology.h"
#include "kit/models.h"
#include "sim/lab/options.h"

namespace {

using namespace mqlab;
using namespace mqlab::gui;

constexpr const char* usage =
    "scene_png SCENARIO.lua topology|spacetime|logs|groups|plots [--case C] [--seed N] [--at TIME|#EVENT] [--from TIME] [--to TIME]\n"
    "          [--size WxH] [--theme T] [--order] [--verdict ANOMALY] [--hide-heartbeats] [--internal] [--back N] [--out FILE] [--names] [--time]\n";

// "12s", "130ms", "5us".
Time time_of(const std::string& text) {
  std::size_t end = 0;
  const double n = std::stod(text, &end);
  const std::string unit = text.substr(end);
  return static_cast<Time>(n * (unit == "ms" ? 1e6 : unit == "us" ? 1e3 : unit == "ns" ? 1 : unit == "min" ? 60e9 : 1e9));
}

int run(const std::vector<std::string>& words) {
  RunSpec spec;
  std::string view, at, from, to, out = "scene.png", verdict;
  int width = 1280, height = 800;
  Theme theme = Theme::light;
  bool order = false, hide_heartbeats = false, internal = false, names = false, timed = false;
  std::int64_t back = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& w = words[i];
    const auto next = [&]() -> const std::string& { return i + 1 < words.size() ? words[++i] : words[i]; };
    if (w == "--case") spec.case_name = next();
    else if (w == "--seed") spec.seed = std::stoull(next());
    else if (w == "--at") at = next();
    else if (w == "--from") from = next();
    else if (w == "--to") to = next();
    else if (w == "--out") out = next();
    else if (w == "--verdict") verdict = next();
    else if (w == "--order") order = true;
    else if (w == "--internal") internal = true;
    else if (w == "--names") names = true;
    else if (w == "--time") timed = true;
    else if (w == "--hide-heartbeats") hide_heartbeats = true;
    else if (w == "--back") back = std::stoll(next());
    else if (w == "--theme") theme = theme_of(next()).value_or(Theme::light);
    else if (w == "--size") std::sscanf(next().c_str(), "%dx%d", &width, &height);
    else if (spec.path.empty()) spec.path = w;
    else view = w;
  }
  if (spec.path.empty() || view.empty()) {
    std::cerr << usage;
    return 2;
  }
  std::ifstream in(spec.path);
  std::ostringstream text;
  text << in.rdbuf();
  spec.text = text.str();

  const auto recording = Recording::make(spec, all_models());
  const EventIndex index(recording);
  const auto fonts = std::make_shared<Fonts>();
  const FontMeasure measure(fonts);
  Focus focus;
  Time now = recording->end() / 2;
  if (!at.empty() && at[0] == '#') focus.event = std::stoull(at.substr(1)), now = recording->time_of(focus.event);
  else if (!at.empty()) now = time_of(at);
  if (at.empty() || at[0] != '#') focus.event = std::min(recording->event_before(now), recording->events() - 1);
  for (std::size_t i = 0; i < recording->result().verdicts.size(); ++i)
    if (!verdict.empty() && verdict == recording->result().verdicts[i].report.anomaly->name) focus.entity = {EntityId::Kind::verdict, i, 0};
  const auto moment = recording->moment(focus.event);
  TimeView time{{from.empty() ? 0 : time_of(from), to.empty() ? recording->end() : time_of(to)}, order, {}};
  const auto w = static_cast<float>(width), h = static_cast<float>(height);
  Scene scene;
  // What is made once a recording stands outside, so that --time tells what a frame costs.
  std::function<Scene()> draw;
  const TopologyFacts topology_of_run = topology_facts(index);
  const SpacetimeFacts facts = spacetime_facts(index);
  const RunSeries series = run_series(index);
  std::vector<bool> passing;
  if (hide_heartbeats) passing = Filter{{Chip::hide(Traffic::heartbeat)}}.passing(*recording);
  if (view == "topology") draw = [&] { return topology(index, topology_of_run, *moment, now, focus, w, h, measure); };
  else if (view == "spacetime") draw = [&] { return spacetime(index, facts, {time, facts.lanes, &passing, 1'500, 0}, focus, w, h, measure); };
  else if (view == "logs") draw = [&] { return logs(*moment, recording->journal(), {0, back, internal}, focus, w, h, measure).scene; };
  else if (view == "groups") draw = [&] { return groups(*moment, recording->journal(), 0, focus, w, h, measure).scene; };
  else if (view == "plots") draw = [&] { return plots(series, facts.timeline, time, now, w, h, measure); };
  if (!draw) {
    std::cerr << usage;
    return 2;
  }
  scene = draw();
  if (timed) {
    const auto from = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) draw();
    fmt::print("{:.2f} ms a frame\n", std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count() / 10);
  }
  write_png(picture_of(scene, {.theme = theme}, fonts), out);
  for (const std::string& r : scene.remarks()) fmt::print("# {}\n", r);
  if (names)
    for (const Named& n : scene.named()) fmt::print("{}\n", n.text);
  fmt::print("{}: {} shapes, {} named, event {} of {}, {}\n", out, scene.shapes().size(), scene.named().size(), focus.event, recording->events(), format_time(now));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 2;
  }
}
