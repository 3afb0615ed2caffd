#include "gui/core/time_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace mqlab::gui {
namespace {

struct Unit {
  Duration size;
  const char* name;
};
constexpr std::array<Unit, 6> units = {{{1, "ns"}, {1'000, "µs"}, {1'000'000, "ms"}, {1'000'000'000, "s"}, {60'000'000'000, "min"}, {3'600'000'000'000, "h"}}};

// In the largest unit that tells the step with few places.
std::string in_units(Duration d, Duration step) {
  const bool negative = d < 0;
  const auto size = static_cast<std::uint64_t>(negative ? -(d + 1) : d) + (negative ? 1U : 0U);
  std::size_t u = 0;
  for (std::size_t i = 0; i < units.size(); ++i)
    if (size >= static_cast<std::uint64_t>(units[i].size) && (i <= 3 || step % units[i].size == 0)) u = i;
  if (size == 0) {
    for (std::size_t i = 0; i <= 3; ++i)
      if (step >= units[i].size) u = i;
  }
  const auto unit = static_cast<std::uint64_t>(units[u].size);
  std::string out = fmt::format("{}{}", negative ? "-" : "", size / unit);
  std::string places;
  for (std::uint64_t rest = size % unit, scale = unit / 10; scale > 0 && rest > 0 && static_cast<std::uint64_t>(std::max<Duration>(step, 1)) <= scale * 10; scale /= 10) {
    places += static_cast<char>('0' + rest / scale);
    rest %= scale;
  }
  while (!places.empty() && places.back() == '0') places.pop_back();
  if (!places.empty() && u <= 3) out += "." + places;
  return out + " " + units[u].name;
}

}  // namespace

std::string time_label(Time t, Duration step, const std::optional<Time>& zero) {
  if (!zero) return in_units(t, step);
  const Duration d = t - *zero;
  return d == 0 ? "0" : (d > 0 ? "+" : "") + in_units(d, step);
}

Duration tick_step(Duration length, std::size_t most) {
  most = std::max<std::size_t>(most, 1);
  const Duration least = std::max<Duration>(1, length / static_cast<Duration>(most));
  if (least > 10'000'000'000) {
    for (const Duration s : {15, 20, 30, 60, 120, 300, 600, 900, 1'800, 3'600, 7'200, 21'600, 43'200, 86'400})
      if (s * 1'000'000'000 >= least) return s * 1'000'000'000;
    Duration day = 86'400'000'000'000;
    while (day < least && day < time_max / 20) day *= 10;
    return day;
  }
  for (Duration power = 1;; power *= 10)
    for (const Duration n : {1, 2, 5})
      if (power * n >= least) return power * n;
}

double nice_step(double length, std::size_t most) {
  if (!(length > 0)) return 1;
  const double least = length / static_cast<double>(std::max<std::size_t>(most, 1));
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double n : {1.0, 2.0, 5.0, 10.0})
    if (power * n >= least * (1 - 1e-9)) return power * n;
  return power * 10;
}

TimeAxis::TimeAxis(const TimeView& view, float left, float width, std::vector<Time> times) : view_(view), left_(left), width_(std::max(width, 1.0F)), times_(std::move(times)) {
  if (view_.range.to <= view_.range.from) view_.range.to = view_.range.from + 1;
}

float TimeAxis::step_x(std::size_t place) const {
  return left_ + width_ * (static_cast<float>(place) + 0.5F) / static_cast<float>(std::max<std::size_t>(times_.size(), 1));
}

float TimeAxis::x(Time t) const {
  if (!view_.by_order) {
    const double part = (static_cast<double>(t) - static_cast<double>(view_.range.from)) / static_cast<double>(view_.range.length());
    return left_ + width_ * static_cast<float>(std::clamp(part, -10.0, 10.0));
  }
  // At the last event; what lies beyond the part that is looked at, beyond its steps.
  if (t <= view_.range.from) return left_;
  if (t >= view_.range.to) return left_ + width_;
  const auto after = static_cast<std::size_t>(std::upper_bound(times_.begin(), times_.end(), t) - times_.begin());
  if (times_.empty() || after == 0) return left_;
  return step_x(after - 1);
}

Time TimeAxis::at(float x) const {
  const double part = std::clamp(static_cast<double>((x - left_) / width_), -10.0, 11.0);
  if (!view_.by_order) return view_.range.from + static_cast<Time>(part * static_cast<double>(view_.range.length()));
  if (times_.empty()) return view_.range.from;
  const auto place = static_cast<std::ptrdiff_t>(std::floor(part * static_cast<double>(times_.size())));
  return times_[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(place, 0, static_cast<std::ptrdiff_t>(times_.size()) - 1))];
}

std::vector<Tick> TimeAxis::ticks(const TextMeasure& measure) const {
  std::vector<Tick> out;
  const auto most = static_cast<std::size_t>(std::max(1.0F, width_ / (measure.width("+12.345 ms") + 24)));
  if (view_.by_order) {
    const std::size_t step = std::max<std::size_t>(1, static_cast<std::size_t>(nice_step(static_cast<double>(times_.size()), most)));
    for (std::size_t i = 0; i < times_.size(); i += step) out.push_back({times_[i], step_x(i), time_label(times_[i], times_.back() - times_.front() > 1'000'000 ? 100'000 : 1'000, view_.zero)});
    return out;
  }
  const Duration step = tick_step(view_.range.length(), most);
  const Time origin = view_.zero.value_or(0);
  Time t = view_.range.from - origin;
  t = t >= 0 ? (t + step - 1) / step * step : -((-t) / step * step);
  for (t += origin; t <= view_.range.to && out.size() < 1'000; t += step) {
    out.push_back({t, x(t), time_label(t, step, view_.zero)});
    if (t > time_max - step) break;
  }
  return out;
}

void draw_axis(Scene& s, const TimeAxis& axis, float top, float y, const TextMeasure& measure) {
  s.line({axis.left(), y}, {axis.right(), y}, Ink::edge);
  float free_from = -1;
  for (const Tick& t : axis.ticks(measure)) {
    s.line({t.x, top}, {t.x, y}, Ink::grid);
    s.line({t.x, y}, {t.x, y + 4}, Ink::edge);
    const float w = measure.width(t.label, 0.85F);
    const float left = std::clamp(t.x - w / 2, 0.0F, std::max(0.0F, axis.right() - w));
    if (left < free_from) continue;
    s.text({left, y + 5}, t.label, Ink::faint, Anchor::left, {EntityId::Kind::time, static_cast<std::uint64_t>(t.at), 0}).width = 0.85F;
    free_from = left + w + 10;
  }
}

}  // namespace mqlab::gui
