// gui/core/plots.h: throughput, latency, what waits and what is under way, over the time that the space-time picture shows.
//
// Series are read from the history once a recording (RunSeries); a picture then takes, for each column of pixels, the least
// and the greatest of what falls into it, so that no spike is lost however long the run is.
//
// What is counted: a send by its first `ok`; a delivery by (subscription, message), the first time; a message waits from
// its `ok` until some subscription has got it first. Latencies begin with the first attempt to send.
//
// Always true: 1. a step series is the value from its time on. 2. What measure_run() says of the whole run is what the
// series say (tests/gui_core).
//
//     const RunSeries series = run_series(index);
//     Scene s = plots(series, timeline, view, focus_time, 800, 300, measure);
#pragma once

#include <utility>
#include <vector>

#include "gui/core/event_index.h"
#include "gui/core/timeline.h"

namespace mqlab::gui {

// What a series is.
enum class SeriesId : std::uint8_t { acknowledged, delivered, send_latency, delivery_latency, waiting, in_flight };
const char* series_name(SeriesId id);

struct Sample {
  Time at = 0;
  std::int64_t value = 0;  // latency: nanoseconds; steps: the value from here on
  bool operator==(const Sample&) const = default;
};

struct RunSeries {
  std::vector<Time> acknowledged{};          // ascending
  std::vector<Time> delivered{};
  std::vector<Sample> send_latency{};        // by the time of the ok
  std::vector<Sample> delivery_latency{};    // by the time of the delivery
  std::vector<Sample> waiting{};             // steps
  std::vector<Sample> in_flight{};           // steps; messages between nodes, heartbeats left out
  Time end = 0;
};
RunSeries run_series(const Journal& j, const std::vector<Flight>& flights, Time end);
RunSeries run_series(const EventIndex& index);

// The least and the greatest of a step series in [from, to): what it was at `from` counts too. {0, 0} before it begins.
std::pair<std::int64_t, std::int64_t> range_of(const std::vector<Sample>& steps, Time from, Time to);

// `now`: where the cursor stands.
Scene plots(const RunSeries& series, const Timeline& timeline, const TimeView& view, Time now, float width, float height, const TextMeasure& measure);

}  // namespace mqlab::gui
