// tests/gui_core/views.h: moments made by hand, recordings made once, and what is asked of every scene.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "gui/core/event_index.h"
#include "gui/core/recording.h"
#include "gui/core/scene.h"
#include "kit/models.h"

namespace mqlab::gui::testing {

inline std::string scenario_of(const std::string& name) {
  std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/scenarios/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Recorded {
  std::shared_ptr<const Recording> recording;
  std::shared_ptr<const EventIndex> index;
};
inline Recorded record(const std::string& text, std::uint64_t seed = 7) {
  Recorded r;
  r.recording = Recording::make({.text = text, .path = "t.lua", .seed = seed}, all_models());
  r.index = std::make_shared<EventIndex>(r.recording);
  return r;
}
// One recording a scenario of the library, made once.
inline const Recorded& recorded(const std::string& name) {
  static std::map<std::string, Recorded> all;
  const auto [it, fresh] = all.try_emplace(name);
  if (fresh) it->second = record(scenario_of(name));
  return it->second;
}

inline NodeMoment node(std::string name, std::string role, bool running = true, bool paused = false) {
  NodeMoment n;
  n.name = std::move(name);
  n.role = std::move(role);
  n.running = running;
  n.paused = paused;
  return n;
}
inline RecordMoment a_record(std::int64_t position, RecordState state, MessageId message) {
  RecordMoment r;
  r.position = position;
  r.state = state;
  r.message = message;
  return r;
}

inline std::vector<std::string> labels(const Scene& s) {
  std::vector<std::string> out;
  for (const Shape& shape : s.shapes())
    if (shape.kind == ShapeKind::text) out.push_back(shape.label);
  return out;
}
inline bool shows(const Scene& s, const std::string& text) {
  const auto all = labels(s);
  return std::any_of(all.begin(), all.end(), [&](const std::string& l) { return l.find(text) != std::string::npos; });
}
inline bool remarks(const Scene& s, const std::string& text) {
  return std::any_of(s.remarks().begin(), s.remarks().end(), [&](const std::string& r) { return r.find(text) != std::string::npos; });
}
inline std::string said(const Scene& s, EntityId e) {
  for (const Named& n : s.named())
    if (n.entity == e) return n.text;
  return {};
}
inline std::size_t count(const Scene& s, ShapeKind kind, Ink ink) {
  return static_cast<std::size_t>(std::count_if(s.shapes().begin(), s.shapes().end(), [&](const Shape& x) { return x.kind == kind && x.ink == ink; }));
}

// Always so: numbers are numbers, and a screen reader gets no more than it can walk.
inline void check(const Scene& s) {
  ASSERT_LE(s.named().size(), 205U);
  for (const Named& n : s.named()) {
    ASSERT_FALSE(n.text.empty());
    ASSERT_EQ(n.text.find('\n'), std::string::npos) << n.text;
  }
  for (const Shape& shape : s.shapes()) {
    for (const float v : {shape.from.x, shape.from.y, shape.to.x, shape.to.y, shape.radius, shape.width}) {
      ASSERT_TRUE(v == v && v > -1e6F && v < 1e6F) << "a coordinate is " << v << " of " << shape.label;
    }
    ASSERT_LE(shape.first + shape.count, s.points().size());
    ASSERT_LT(shape.clip, s.clips().size());
  }
  for (const std::string& r : s.remarks()) {
    ASSERT_FALSE(r.empty());
  }
}

// No two pieces of text of the picture lie on each other, as this measure has it.
inline std::string overlap(const Scene& s, const TextMeasure& measure, float slack = 2) {
  std::vector<std::pair<Rect, std::string>> all;
  for (const Shape& x : s.shapes()) {
    if (x.kind != ShapeKind::text || x.label.empty()) continue;
    const float w = measure.width(x.label, x.width, x.mono), h = measure.line_height(x.width);
    const float left = x.anchor == Anchor::left ? x.from.x : x.anchor == Anchor::centre ? x.from.x - w / 2 : x.from.x - w;
    const Rect r{left + slack, x.from.y + slack, w - 2 * slack, h - 2 * slack - 2};
    for (const auto& [other, text] : all)
      if (r.x < other.right() && other.x < r.right() && r.y < other.bottom() && other.y < r.bottom()) return x.label + " | " + text;
    all.emplace_back(r, x.label);
  }
  return {};
}

}  // namespace mqlab::gui::testing
