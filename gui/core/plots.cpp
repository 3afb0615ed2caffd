#include "gui/core/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "gui/core/labels.h"
#include "gui/core/message_look.h"
#include "gui/core/spacetime.h"
#include "sim/check/flat_map.h"

namespace mqlab::gui {
namespace {

constexpr float title_height = 16, panel_gap = 8;

// What begins and what ends becomes a step series: one sample a time. Requires: both ascend.
std::vector<Sample> steps_of(const std::vector<Time>& begun, const std::vector<Time>& ended) {
  std::vector<Sample> out;
  std::int64_t value = 0;
  for (auto b = begun.begin(), e = ended.begin(); b != begun.end() || e != ended.end();) {
    const Time at = e == ended.end() || (b != begun.end() && *b < *e) ? *b : *e;
    for (; b != begun.end() && *b == at; ++b) ++value;
    for (; e != ended.end() && *e == at; ++e) --value;
    if (out.empty() || out.back().value != value) out.push_back({at, value});
  }
  return out;
}

// Equal parts of time, as long as a clock counts and beginning where it does, so that a regular load looks regular.
struct Buckets {
  Time from = 0;
  Duration each = 1;
  std::size_t count = 0;

  Buckets(TimeRange r, std::size_t most) : each(tick_step(r.length(), most)) {
    from = r.from >= 0 ? r.from / each * each : r.from;
    count = static_cast<std::size_t>((r.to - from + each - 1) / each);
  }
  Time begin(std::size_t b) const { return from + static_cast<Duration>(b) * each; }
  Time middle(std::size_t b) const { return begin(b) + each / 2; }
};

// A search a bucket, whatever falls into it.
std::vector<std::uint64_t> counts(const std::vector<Time>& times, const Buckets& buckets) {
  std::vector<std::uint64_t> out(buckets.count);
  auto at = std::lower_bound(times.begin(), times.end(), buckets.from);
  for (std::size_t b = 0; b < buckets.count; ++b) {
    const auto next = std::lower_bound(at, times.end(), buckets.begin(b + 1));
    out[b] = static_cast<std::uint64_t>(next - at);
    at = next;
  }
  return out;
}

// A percentile of each bucket; -1: nothing fell into it.
std::vector<double> percentiles(const Values& values, const Buckets& buckets, unsigned percent) {
  std::vector<double> out(buckets.count, -1);
  for (std::size_t b = 0; b < buckets.count; ++b)
    if (const auto v = values.percentile(buckets.begin(b), buckets.begin(b + 1), percent)) out[b] = static_cast<double>(*v);
  return out;
}

EntityId series_entity(SeriesId id) { return {EntityId::Kind::series, static_cast<std::uint64_t>(id), 0}; }

struct Key {
  SeriesId id;
  std::string name;
  Ink ink;
  bool dashed = false;
  std::uint64_t number = 0;  // of a group
  std::string short_name{};  // where there is little room; empty: the same
  EntityId entity() const { return {EntityId::Kind::series, static_cast<std::uint64_t>(id), number}; }
};

// Where the keys of a plot stand beside its title, in as many lines as it takes and there may be; those that fit.
struct KeyRows {
  std::vector<Point> at{};      // relative to the title's corner
  std::size_t lines = 1;
};
KeyRows lay_out_keys(const std::vector<Key>& keys, float first, float width, std::size_t lines_most, const TextMeasure& measure, float more) {
  KeyRows out;
  float x = first;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const float w = 23 + measure.width(keys[i].name, 0.8F);
    const bool last_line = out.lines >= lines_most, last = i + 1 == keys.size();
    if (x + w + (last_line && !last ? more : 0) > width) {
      if (last_line) break;
      ++out.lines;
      x = 4;
      if (x + w > width) break;
    }
    out.at.push_back({x, static_cast<float>(out.lines - 1) * title_height});
    x += w + 14;
  }
  return out;
}

// One of the plots: its frame, title, scale and key.
struct Panel {
  Scene& s;
  const TextMeasure& measure;
  const TimeAxis& axis;
  Rect box;      // of the curves
  double top = 1;
  double bottom = 0;  // above 0: decades are equally high

  float y(double v) const {
    const double part = bottom > 0 ? std::log10(std::max(v, bottom) / bottom) / std::log10(top / bottom) : v / top;
    return box.bottom() - static_cast<float>(std::clamp(part, 0.0, 1.05)) * box.h;
  }

  void rule(double v, const std::string& label) {
    s.line({box.x, y(v)}, {box.right(), y(v)}, Ink::grid);
    s.text({axis.left() - 6, y(v) - measure.line_height(0.75F) / 2}, fit(label, axis.left() - 12, measure, 0.75F), Ink::faint, Anchor::right).width = 0.75F;
  }
  // From 0 up to a round number.
  template <class Label>
  void scale(double most, Label label) {
    const double step = nice_step(std::max(most, 1e-9), static_cast<std::size_t>(std::max(1.0F, box.h / 24)));
    top = std::max(step, std::ceil(most / step - 1e-9) * step);
    for (int i = 0; static_cast<double>(i) * step <= top + step / 2 && i < 100; ++i) rule(static_cast<double>(i) * step, label(static_cast<double>(i) * step));
  }
  // By decades, from the one that holds the least.
  template <class Label>
  void decades(double least, double most, Label label) {
    bottom = std::pow(10.0, std::floor(std::log10(std::max(least, 1.0)) + 1e-9));
    top = std::max(std::pow(10.0, std::ceil(std::log10(std::max(most, 1.0)) - 1e-9)), bottom * 10);
    const double each = box.h / std::log10(top / bottom);
    int n = 0;
    for (double v = bottom; v <= top * 1.5; v *= 10, ++n)
      if (each > 16 || n % 2 == 0) rule(v, label(v));
  }
  void title(const std::string& title, const std::vector<Key>& keys) {
    s.line({box.x, box.y}, {box.x, box.bottom()}, Ink::edge);
    float x = box.x + 4;
    const float size = 0.8F;
    s.text({x, box.y - title_height}, title, Ink::strong).width = size;
    x += measure.width(title, size) + 16;
    float all = x;
    for (const Key& k : keys) all += 37 + measure.width(k.name, size);
    const bool little = all - 14 > box.right();
    for (const Key& k : keys) {
      const std::string& name = little && !k.short_name.empty() ? k.short_name : k.name;
      const float w = measure.width(name, size);
      if (x + 23 + w > box.right() + 8) break;
      s.line({x, box.y - title_height / 2}, {x + 18, box.y - title_height / 2}, k.ink, 2.2F, series_entity(k.id)).dashed = k.dashed;
      s.text({x + 23, box.y - title_height}, name, Ink::text, Anchor::left, series_entity(k.id)).width = size;
      x += 23 + w + 14;
    }
  }

  // The same over several lines, `keys_at` as they were laid out; the box stands below them.
  void title(const std::string& title, const std::vector<Key>& keys, const KeyRows& rows) {
    s.line({box.x, box.y}, {box.x, box.bottom()}, Ink::edge);
    const float size = 0.8F, top = box.y - title_height * static_cast<float>(rows.lines);
    s.text({box.x + 4, top}, title, Ink::strong).width = size;
    for (std::size_t i = 0; i < rows.at.size(); ++i) {
      const Point at{box.x + rows.at[i].x, top + rows.at[i].y};
      s.line({at.x, at.y + title_height / 2}, {at.x + 18, at.y + title_height / 2}, keys[i].ink, 2.2F, keys[i].entity()).dashed = keys[i].dashed;
      s.text({at.x + 23, at.y}, keys[i].name, Ink::text, Anchor::left, keys[i].entity()).width = size;
    }
    if (rows.at.size() < keys.size()) s.text({box.right(), top + title_height * static_cast<float>(rows.lines - 1)}, fmt::format("+{} more", keys.size() - rows.at.size()), Ink::faint, Anchor::right).width = size;
  }

  // A line over buckets; none where there is nothing.
  void curve(const std::vector<double>& values, const Buckets& buckets, const Key& k) {
    std::vector<Point> points;
    const auto flush = [&] {
      if (points.size() == 1) s.symbol(ShapeKind::circle, points.front(), 2, k.ink, true, series_entity(k.id));
      else if (points.size() > 1) s.polyline(points, k.ink, 1.8F, series_entity(k.id)).dashed = k.dashed;
      points.clear();
    };
    for (std::size_t b = 0; b < values.size(); ++b) {
      if (values[b] < 0) {
        flush();
        continue;
      }
      points.push_back({std::clamp(axis.x(buckets.middle(b)), box.x, box.right()), y(values[b])});
    }
    flush();
  }

  // Steps that are not there all the time: by columns of two pixels, from the least to the greatest that is there; a gap elsewhere.
  void stretches(const std::vector<Sample>& samples, TimeRange r, const Key& k) {
    const auto columns = static_cast<std::size_t>(std::max(box.w / 2, 1.0F));
    std::vector<Point> points;
    const auto flush = [&] {
      if (points.size() == 1) points.push_back({points.front().x + 2, points.front().y});
      if (!points.empty()) s.polyline(points, k.ink, 1.8F, k.entity()).dashed = k.dashed;
      points.clear();
    };
    auto next = samples.begin();
    std::int64_t value = -1;
    for (std::size_t c = 0; c < columns; ++c) {
      const auto time = [&](std::size_t n) { return r.from + static_cast<Time>(static_cast<double>(r.length()) * static_cast<double>(n) / static_cast<double>(columns)); };
      const Time until = std::max(time(c + 1), time(c) + 1);
      for (; next != samples.end() && next->at <= time(c); ++next) value = next->value;
      std::int64_t least = value, most = value;
      for (; next != samples.end() && next->at < until; ++next) {
        value = next->value;
        if (value < 0) continue;
        least = least < 0 ? value : std::min(least, value);
        most = std::max(most, value);
      }
      if (most < 0) {
        flush();
        continue;
      }
      const float x = box.x + static_cast<float>(c) * 2 + 1, at = points.empty() ? y(static_cast<double>(least)) : points.back().y;
      float a = y(static_cast<double>(least)), b = y(static_cast<double>(most));
      if (std::abs(a - at) > std::abs(b - at)) std::swap(a, b);  // the nearer end first
      points.push_back({x, a});
      if (a != b) points.push_back({x, b});
      if (value < 0) flush();
    }
    flush();
  }

  // Steps, by columns of two pixels: from the least to the greatest of each.
  void steps(const Steps& series, TimeRange r, const Key& k) {
    const auto columns = static_cast<std::size_t>(std::max(box.w / 2, 1.0F));
    std::vector<Point> points;
    for (std::size_t c = 0; c < columns; ++c) {
      const auto time = [&](std::size_t n) { return r.from + static_cast<Time>(static_cast<double>(r.length()) * static_cast<double>(n) / static_cast<double>(columns)); };
      const auto [least, most] = series.range(time(c), std::max(time(c + 1), time(c) + 1));
      const float x = box.x + static_cast<float>(c) * 2 + 1;
      const float at = points.empty() ? y(static_cast<double>(least)) : points.back().y;
      // The nearer end first, so that the line does not jump back and forth.
      const float a = y(static_cast<double>(least)), b = y(static_cast<double>(most));
      if (std::abs(a - at) <= std::abs(b - at)) {
        points.push_back({x, a});
        if (a != b) points.push_back({x, b});
      } else {
        points.push_back({x, b});
        if (a != b) points.push_back({x, a});
      }
    }
    if (points.size() > 1) s.polyline(points, k.ink, 1.6F, series_entity(k.id));
  }
};

std::string number_label(double v) {
  if (v >= 1e6) return fmt::format("{:g} M", v / 1e6);
  if (v >= 1e4) return fmt::format("{:g} k", v / 1e3);
  return fmt::format("{:g}", v);
}

}  // namespace

const char* series_name(SeriesId id) {
  switch (id) {
    case SeriesId::acknowledged: return "acknowledged";
    case SeriesId::delivered: return "delivered";
    case SeriesId::send_latency: return "send to ack";
    case SeriesId::delivery_latency: return "send to delivery";
    case SeriesId::waiting: return "acknowledged and not delivered";
    case SeriesId::in_flight: return "messages between nodes";
    case SeriesId::lag: return "lag";
  }
  return "?";
}

namespace {

std::vector<std::int64_t> values_of(const std::vector<Sample>& samples) {
  std::vector<std::int64_t> out;
  out.reserve(samples.size());
  for (const Sample& s : samples) out.push_back(s.value);
  return out;
}

// The first that is at or after t.
std::size_t first_from(const std::vector<Sample>& samples, Time t) {
  return static_cast<std::size_t>(std::lower_bound(samples.begin(), samples.end(), t, [](const Sample& s, Time when) { return s.at < when; }) - samples.begin());
}

}  // namespace

Steps::Steps(std::vector<Sample> samples) : samples_(std::move(samples)), extremes_(values_of(samples_)) {}

std::pair<std::int64_t, std::int64_t> Steps::range(Time from, Time to) const {
  const std::size_t first = first_from(samples_, from + 1), end = first_from(samples_, to);
  const std::int64_t before = first == 0 ? 0 : samples_[first - 1].value;
  if (first >= end) return {before, before};
  const auto [least, most] = extremes_.of(first, end);
  return {std::min(before, least), std::max(before, most)};
}

Values::Values(std::vector<Sample> samples) : samples_(std::move(samples)), ranks_(values_of(samples_)) {}

std::optional<std::int64_t> Values::percentile(Time from, Time to, unsigned percent) const {
  const std::size_t first = first_from(samples_, from), end = first_from(samples_, to);
  if (first >= end) return std::nullopt;
  return ranks_.nth(first, end, ((end - first) * percent + 99) / 100 - 1);
}

RunSeries run_series(const Journal& j, const std::vector<Flight>& flights, Time end) {
  RunSeries out;
  out.end = end;
  struct Known {
    Time sent = -1;  // handed over for the first time; -1: never seen
    bool acknowledged = false, got = false;
  };
  FlatMap<Known> messages;
  std::map<std::uint32_t, FlatMap<bool>> delivered;  // by subscription
  std::vector<Sample> send_latency, delivery_latency;
  std::vector<Time> waits, taken;
  const auto arrived = [&](Known& m, Time at) {
    if (!std::exchange(m.got, true) && m.acknowledged) taken.push_back(at);
  };
  for (const Op& op : j.ops) {
    const bool policy = op.kind == OpKind::ack && (op.flags & op_flag::by_policy);  // a declared limit took it
    if (op.kind != OpKind::send && op.kind != OpKind::deliver && !policy) continue;
    Known& m = messages[op.message];
    if (op.kind == OpKind::send && op.outcome == Outcome::invoke) {
      if (m.sent < 0) m.sent = op.time;
    } else if (op.kind == OpKind::send && op.outcome == Outcome::ok) {
      if (std::exchange(m.acknowledged, true)) continue;
      out.acknowledged.push_back(op.time);
      if (m.sent >= 0) send_latency.push_back({op.time, op.time - m.sent});
      if (!m.got) waits.push_back(op.time);
    } else if (op.kind == OpKind::deliver) {
      if (std::exchange(delivered[op.subscription][op.message], true)) continue;
      out.delivered.push_back(op.time);
      delivery_latency.push_back({op.time, m.sent < 0 ? 0 : op.time - m.sent});
      arrived(m, op.time);
    } else if (policy) {
      arrived(m, op.time);
    }
  }
  out.send_latency = std::move(send_latency);
  out.delivery_latency = std::move(delivery_latency);
  out.waiting = steps_of(waits, taken);
  std::vector<Time> sent, arrivals;
  for (const Flight& f : flights) {
    if (f.traffic == Traffic::heartbeat || f.arrived <= f.sent) continue;
    sent.push_back(f.sent);
    arrivals.push_back(f.arrived);  // flights stand in this order
  }
  std::sort(sent.begin(), sent.end());
  out.in_flight = steps_of(sent, arrivals);
  return out;
}

RunSeries run_series(const EventIndex& index) {
  const Recording& r = index.recording();
  RunSeries out = run_series(r.journal(), index.flights(), r.end());
  for (const LagSeries& l : r.lags()) {
    if (l.steps.empty()) continue;
    GroupLag& g = out.lags.emplace_back();
    g.group = l.group;
    std::vector<Sample> samples;
    for (const auto& [at, value] : l.steps) samples.push_back({at, value});
    g.steps = std::move(samples);
  }
  out.lag_spacing = r.lag_spacing();
  return out;
}

std::optional<std::int64_t> value_at(const Steps& lag, Time t) {
  const auto& steps = lag.samples();
  const auto after = std::upper_bound(steps.begin(), steps.end(), t, [](Time when, const Sample& s) { return when < s.at; });
  if (after == steps.begin() || (after - 1)->value < 0) return std::nullopt;
  return (after - 1)->value;
}

namespace {

// The groups that are drawn: all, or those most behind in sight; in their order.
std::vector<std::size_t> drawn_lags(const std::vector<GroupLag>& all, TimeRange r) {
  std::vector<std::size_t> out(all.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
  if (out.size() <= lags_drawn_most) return out;
  std::vector<std::int64_t> most(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) most[i] = all[i].steps.range(r.from, r.to).second;
  std::stable_sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) { return most[a] > most[b]; });
  out.resize(lags_drawn_most);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Scene plots(const RunSeries& series, const Timeline& timeline, const TimeView& view, Time now, float width, float height, const TextMeasure& measure) {
  Scene s(width, height);
  // Under the space-time picture: the same left edge, the same width.
  const Rect area = spacetime_area(width, height, measure);
  TimeView time = view;
  time.by_order = false;
  const TimeAxis axis(time, area.x, area.w);
  const TimeRange r = axis.view().range;
  if (series.acknowledged.empty() && series.delivered.empty() && series.in_flight.empty()) {
    say_instead(s, "Nothing was sent in this run: there is nothing to count.", measure);
    return s;
  }
  const float usable = area.h;
  std::vector<SeriesId> panels = {SeriesId::acknowledged, SeriesId::send_latency, SeriesId::waiting, SeriesId::in_flight};
  if (!series.lags.empty()) panels.insert(panels.begin() + 2, SeriesId::lag);
  const std::size_t count = std::min<std::size_t>(panels.size(), usable >= 358 ? 5 : usable >= 284 ? 4 : usable >= 184 ? 3 : usable >= 94 ? 2 : 1);
  const float each = (usable - panel_gap) / static_cast<float>(count);
  s.clip(area);
  draw_fault_bands(s, timeline, axis, 0, area.bottom(), nullptr, nullptr);
  s.clip_nothing();
  draw_axis(s, axis, 0, area.bottom(), measure);
  const Buckets buckets(r, static_cast<std::size_t>(std::clamp(area.w / 10, 8.0F, 120.0F)));
  const Duration bucket = buckets.each;
  const auto rate = [&](const std::vector<Time>& times) {
    std::vector<double> out;
    for (const std::uint64_t n : counts(times, buckets)) out.push_back(static_cast<double>(n) * 1e9 / static_cast<double>(bucket));
    return out;
  };
  const auto most_of = [](std::initializer_list<const std::vector<double>*> all) {
    double most = 0;
    for (const auto* v : all)
      for (const double x : *v) most = std::max(most, x);
    return most;
  };
  for (std::size_t i = 0; i < count; ++i) {
    Panel p{s, measure, axis, {area.x, panel_gap + static_cast<float>(i) * each + title_height, area.w, each - title_height - panel_gap}, 1, 0};
    if (p.box.h < 12) break;
    if (panels[i] == SeriesId::lag) {
      const std::vector<std::size_t> drawn = drawn_lags(series.lags, r);
      std::vector<Key> keys;
      std::int64_t most = 0;
      for (const std::size_t g : drawn) {
        const auto at_cursor = value_at(series.lags[g].steps, now);
        keys.push_back({SeriesId::lag, fit(series.lags[g].group, 150, measure, 0.8F) + (at_cursor ? " " + with_commas(static_cast<std::uint64_t>(*at_cursor)) : " –"), hue(g % 8), g / 8 % 2 == 1, g});
        most = std::max(most, series.lags[g].steps.range(r.from, r.to).second);
      }
      const std::string title = "behind, by group";
      const auto lines_most = static_cast<std::size_t>(std::clamp(p.box.h / (title_height * 2.3F), 1.0F, 3.0F));
      const KeyRows rows = lay_out_keys(keys, 4 + measure.width(title, 0.8F) + 16, p.box.w, lines_most, measure, measure.width("+99 more", 0.8F) + 10);
      const float more = title_height * static_cast<float>(rows.lines - 1);
      p.box.y += more;
      p.box.h -= more;
      p.title(title, keys, rows);
      p.scale(std::max<double>(static_cast<double>(most), 1), number_label);
      for (std::size_t n = 0; n < drawn.size(); ++n) {
        p.stretches(series.lags[drawn[n]].steps.samples(), r, keys[n]);
        if (const auto v = value_at(series.lags[drawn[n]].steps, now)) s.symbol(ShapeKind::circle, {std::clamp(axis.x(now), p.box.x, p.box.right()), p.y(static_cast<double>(*v))}, 3, keys[n].ink, true, keys[n].entity());
        s.name(keys[n].entity(), p.box, fmt::format("lag of {}: {} at the cursor, at most {}", series.lags[drawn[n]].group, value_at(series.lags[drawn[n]].steps, now) ? std::to_string(*value_at(series.lags[drawn[n]].steps, now)) : "none", series.lags[drawn[n]].steps.range(r.from, r.to).second));
      }
      if (drawn.size() < series.lags.size()) s.remark(fmt::format("{} of {} groups drawn: those most behind", drawn.size(), series.lags.size()));
      if (series.lag_spacing > 1) s.remark(fmt::format("lags are looked at {} events apart", with_commas(series.lag_spacing)));
    } else if (panels[i] == SeriesId::acknowledged) {
      const Key a{SeriesId::acknowledged, series_name(SeriesId::acknowledged), Ink::hue0, false}, d{SeriesId::delivered, series_name(SeriesId::delivered), Ink::hue1, true};
      const std::vector<double> acknowledged = rate(series.acknowledged), delivered = rate(series.delivered);
      const double most = most_of({&acknowledged, &delivered});
      p.title("messages a second", {a, d});
      p.scale(most > 0 ? most : 1, number_label);
      p.curve(acknowledged, buckets, a);
      p.curve(delivered, buckets, d);
      s.name(series_entity(SeriesId::acknowledged), p.box, fmt::format("messages a second, at most {}: {} acknowledged and {} delivered in all", number_label(std::round(most * 10) / 10), with_commas(series.acknowledged.size()), with_commas(series.delivered.size())));
    } else if (panels[i] == SeriesId::send_latency) {
      const std::vector<double> s50 = percentiles(series.send_latency, buckets, 50), s99 = percentiles(series.send_latency, buckets, 99);
      const std::vector<double> d50 = percentiles(series.delivery_latency, buckets, 50), d99 = percentiles(series.delivery_latency, buckets, 99);
      const Key k50{SeriesId::send_latency, "send to ack p50", Ink::hue0, false, 0, "ack p50"}, k99{SeriesId::send_latency, "p99", Ink::hue0, true};
      const Key e50{SeriesId::delivery_latency, "send to delivery p50", Ink::hue1, false, 0, "delivery p50"}, e99{SeriesId::delivery_latency, "p99", Ink::hue1, true};
      const double most = most_of({&s50, &s99, &d50, &d99});
      double least = most;
      for (const auto* v : {&s50, &d50})
        for (const double x : *v)
          if (x >= 0) least = std::min(least, x);
      p.title("latency, by decades", {k50, k99, e50, e99});
      if (most <= 0) {
        const std::string none = "nothing was acknowledged or delivered in this time";
        s.text({p.box.x + p.box.w / 2, p.box.y + (p.box.h - measure.line_height(0.8F)) / 2}, fit(none, p.box.w, measure, 0.8F), Ink::faint, Anchor::centre).width = 0.8F;
        s.name(series_entity(SeriesId::send_latency), p.box, "latency: " + none);
        continue;
      }
      p.decades(least, most, [](double v) { return time_label(static_cast<Time>(std::llround(v)), std::max<Duration>(1, static_cast<Duration>(v / 1000))); });
      p.curve(s50, buckets, k50);
      p.curve(s99, buckets, k99);
      p.curve(d50, buckets, e50);
      p.curve(d99, buckets, e99);
      s.name(series_entity(SeriesId::send_latency), p.box, fmt::format("latency, at most {}", time_label(static_cast<Time>(most), 1'000)));
    } else {
      const SeriesId id = panels[i];
      const bool waits = id == SeriesId::waiting;
      const Steps& steps = waits ? series.waiting : series.in_flight;
      const Key k{id, series_name(id), waits ? Ink::hue2 : Ink::hue4, false};
      const auto most = steps.range(r.from, r.to).second;
      p.title(waits ? "waiting" : "under way", {k});
      p.scale(std::max<double>(static_cast<double>(most), 1), number_label);
      p.steps(steps, r, k);
      s.name(series_entity(id), p.box, fmt::format("{}, at most {}", series_name(id), most));
    }
  }
  const float x = axis.x(now);
  if (x >= area.x && x <= area.right()) s.line({x, 0}, {x, area.bottom()}, Ink::cursor, 1.6F);
  s.remark(fmt::format("rates and percentiles over {} each", time_label(bucket, std::max<Duration>(bucket / 100, 1))));
  if (view.by_order) s.remark("plots keep to real time");
  if (count < panels.size()) s.remark(fmt::format("{} of {} plots: make the pane higher", count, panels.size()));
  return s;
}

}  // namespace mqlab::gui
