// gui/core/time_axis.h: where times and events stand on a picture, and the ticks below.
//
// Two ways to look: in real time, a nanosecond is everywhere as wide; by order, each event is as wide as the next, and
// how long anything took does not show. Views of one window share one TimeView, so that their pictures stand under
// each other.
//
// Always true: x() does not fall as time grows; at(x(t)) is t, up to what a pixel is worth (in real time).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gui/core/labels.h"
#include "sim/kernel/time.h"

namespace mqlab::gui {

struct TimeRange {
  Time from = 0;
  Time to = 0;
  bool operator==(const TimeRange&) const = default;
  Duration length() const { return to - from; }
  bool contains(Time t) const { return t >= from && t < to; }
};

// What part of a run is looked at, and how.
struct TimeView {
  TimeRange range{};
  bool by_order = false;
  std::optional<Time> zero{};   // times are told as distances from here: "+2 ms"
  bool operator==(const TimeView&) const = default;
};

struct Tick {
  Time at = 0;
  float x = 0;
  std::string label{};
};

// A time as the axis tells it: "12.5 s", "+2 ms". `step` is the distance of two ticks: no more places than it needs.
std::string time_label(Time t, Duration step, const std::optional<Time>& zero = {});
// The distance of ticks: 1, 2 or 5 times a power of ten, and of minutes and hours what clocks have; at most `most` of them fit.
Duration tick_step(Duration length, std::size_t most);
// The same for counts: 1, 2, 5 times a power of ten.
double nice_step(double length, std::size_t most);

class TimeAxis {
 public:
  // From `left` on, `width` pixels. By order: `times` of the events in sight, ascending.
  TimeAxis(const TimeView& view, float left, float width, std::vector<Time> times = {});

  float x(Time t) const;
  // The step of an event is its place among all in sight: by order. In real time: x of its time.
  float x_of_event(std::size_t place, Time t) const { return view_.by_order ? step_x(place) : x(t); }
  Time at(float x) const;
  std::vector<Tick> ticks(const TextMeasure& measure) const;
  float left() const { return left_; }
  float right() const { return left_ + width_; }
  float width() const { return width_; }
  const TimeView& view() const { return view_; }

 private:
  float step_x(std::size_t place) const;

  TimeView view_;
  float left_, width_;
  std::vector<Time> times_;
};

// Rules and labels along the lower edge at `y`; rules go up to `top`.
void draw_axis(Scene& s, const TimeAxis& axis, float top, float y, const TextMeasure& measure);

}  // namespace mqlab::gui
