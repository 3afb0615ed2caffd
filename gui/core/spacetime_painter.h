// gui/core/spacetime_painter.h: one picture of the space-time diagram while it is made; for spacetime.cpp and its parts only.
//
// Always true: what is found (find_...) takes its place for words first, in the order of spacetime(); what is drawn later is on top.
// Elsewhere: where things stand and lines (spacetime_lines.cpp), messages that arrived (spacetime_messages.cpp) and never did
// (spacetime_lost.cpp), operations, marks and witnesses (spacetime_rows.cpp).
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gui/core/labels.h"
#include "gui/core/spacetime.h"

namespace mqlab::gui {

inline constexpr std::size_t named_most = 200;  // things that a screen reader walks

// A message that never arrived, as it is drawn: from where to where, and the place of its words.
struct LostArrow {
  LostFlight flight{};
  Point from{}, to{};
  Rect box{};
  std::string text{};
};

// One row that proves a verdict: where it stands, and where its words do.
struct Evidence {
  OpIndex op = no_op;
  Point at{};
  Rect box{};
  std::string text{};
};

struct SpacetimePainter {
  const EventIndex& index;
  const SpacetimeFacts& facts;
  const SpacetimeView& view;
  const Focus& focus;
  Scene& s;
  const TextMeasure& measure;
  Rect area;
  TimeAxis axis;
  std::vector<std::uint32_t> steps;   // by order: the events in sight
  std::vector<int> lane_of;           // by NodeId; -1: hidden
  float faults_height = 0, lane_height = 0;
  Occupancy taken;
  std::set<std::uint32_t> lit{};      // events of the witness
  std::vector<Flight> to_name{};
  bool dense = false;                 // messages are too many for an arrow each
  std::vector<std::string> too_many{};  // for the width
  std::vector<Evidence> evidence{};
  std::vector<LostArrow> lost{};      // in sight; none when there are too many
  std::size_t lost_total = 0;

  const Recording& r() const { return index.recording(); }
  const Journal& j() const { return r().journal(); }
  bool passes(std::size_t event) const { return !view.passing || view.passing->empty() || (*view.passing)[event]; }
  bool drop_passes(std::size_t drop) const { return !view.passing_drops || view.passing_drops->empty() || (*view.passing_drops)[drop]; }
  float y_of_lane(int lane) const { return area.y + faults_height + (static_cast<float>(lane) + 0.5F) * lane_height - view.scroll; }
  int lane(NodeId n) const { return n < lane_of.size() ? lane_of[n] : -1; }
  float y_of(NodeId n) const { return y_of_lane(lane(n)); }

  // Which of the rows are drawn; their places are taken before any words look for one.
  std::vector<OpIndex> ops_shown{};
  // Where the run parts from the one beside it. Its words have their place before all others.
  Rect parting_box{};
  std::string parting_text{};

  float x_of(std::size_t event) const;
  float x_of_sending(const Flight& f) const;
  float x_of_time(Time t) const;
  float x_of_end(const LostFlight& f) const;
  float x_of_op(OpIndex i) const;

  void lanes();
  void state_word(Point at, const std::string& word, Ink ink);
  void small_words(Rect box, const std::string& text, Ink ink, EntityId e);
  void find_parting();
  void parting();
  void cursor();

  void arrow(const Flight& f, bool strong);
  std::pair<std::size_t, std::size_t> messages();
  void name_messages();
  void density();

  bool lost_seen(const LostFlight& f) const;
  void find_lost();
  void draw_lost();
  void lost_density();

  void op(OpIndex i, bool strong);
  void find_ops();
  void ops();
  void marks();
  void find_witness();
  void witness();
};

}  // namespace mqlab::gui
