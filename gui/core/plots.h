// gui/core/plots.h: throughput, latency, how far groups are behind, what waits and what is under way, over the time that the
// space-time picture shows.
//
// Series are read from the history once a recording (RunSeries); a picture then asks, for each column of pixels, for the least
// and the greatest of what falls into it, so that no spike is lost however long the run is, and for exact percentiles. A picture
// costs by its pixels: the events in it are not walked (range_stats.h).
//
// What is counted: a send by its first `ok`; a delivery by (subscription, message), the first time; a message waits from
// its `ok` until some subscription has got it first. Latencies begin with the first attempt to send. The lag of a group is what
// the servers say (lag_of in sim/lab/contents.h): of a queue, what waits in it. Each group has a hue, from the ninth on dashed; the
// key says how far each is behind at the cursor.
//
// Always true: 1. a step series is the value from its time on. 2. What measure_run() says of the whole run is what the
// series say (tests/gui_core).
//
//     const RunSeries series = run_series(index);
//     Scene s = plots(series, timeline, view, focus_time, 800, 300, measure);
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gui/core/event_index.h"
#include "gui/core/range_stats.h"
#include "gui/core/timeline.h"

namespace mqlab::gui {

// What a series is.
enum class SeriesId : std::uint8_t { acknowledged, delivered, send_latency, delivery_latency, waiting, in_flight, lag };
const char* series_name(SeriesId id);

struct Sample {
  Time at = 0;
  std::int64_t value = 0;  // latency: nanoseconds; steps: the value from here on
  bool operator==(const Sample&) const = default;
};

// A value that stands until the next sample. Samples ascend in time.
class Steps {
 public:
  Steps() = default;
  Steps(std::vector<Sample> samples);
  const std::vector<Sample>& samples() const { return samples_; }
  bool empty() const { return samples_.empty(); }
  // The least and the greatest in [from, to): what it was at `from` counts too. 0 before it begins. Requires: from < to.
  std::pair<std::int64_t, std::int64_t> range(Time from, Time to) const;
  bool operator==(const Steps& o) const { return samples_ == o.samples_; }

 private:
  std::vector<Sample> samples_;
  RangeExtremes extremes_;
};

// Values at moments, each for itself. Samples ascend in time.
class Values {
 public:
  Values() = default;
  Values(std::vector<Sample> samples);
  const std::vector<Sample>& samples() const { return samples_; }
  bool empty() const { return samples_.empty(); }
  // The value below or at which `percent` of those in [from, to) lie (nearest rank, as sim/check/measure.h has it); nothing: there
  // is none. Requires: 0 < percent <= 100.
  std::optional<std::int64_t> percentile(Time from, Time to, unsigned percent) const;
  bool operator==(const Values& o) const { return samples_ == o.samples_; }

 private:
  std::vector<Sample> samples_;
  RangeRanks ranks_;
};

// How far a group is behind, from each time on; -1: it is not there, or has told no position.
struct GroupLag {
  std::string group{};
  Steps steps{};
};

struct RunSeries {
  std::vector<Time> acknowledged{};          // ascending
  std::vector<Time> delivered{};
  Values send_latency{};                     // by the time of the ok
  Values delivery_latency{};                 // by the time of the delivery
  Steps waiting{};
  Steps in_flight{};                         // messages between nodes, heartbeats left out
  std::vector<GroupLag> lags{};              // in the order in which groups occurred first
  std::uint64_t lag_spacing = 1;             // looked at so many events apart
  Time end = 0;
};
RunSeries run_series(const Journal& j, const std::vector<Flight>& flights, Time end);
RunSeries run_series(const EventIndex& index);

// What the lag of a group is at a time; none: the group is not there, or has told no position.
std::optional<std::int64_t> value_at(const Steps& lag, Time t);

// Of more groups those that are most behind in sight.
inline constexpr std::size_t lags_drawn_most = 12;

// `now`: where the cursor stands.
Scene plots(const RunSeries& series, const Timeline& timeline, const TimeView& view, Time now, float width, float height, const TextMeasure& measure);

}  // namespace mqlab::gui
