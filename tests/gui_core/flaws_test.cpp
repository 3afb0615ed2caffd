// What is wrong with a picture and can be told without eyes.
#include "gui/core/flaws.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "gui/core/groups.h"
#include "gui/core/logs.h"
#include "gui/core/plots.h"
#include "gui/core/spacetime.h"
#include "gui/core/topology.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

const FixedMeasure measure;  // 8 x 16 pixels a character

std::vector<Flaw> of(const Scene& s) { return flaws(s, measure); }

TEST(Flaws, TwoTextsOnEachOther) {
  Scene s(200, 100);
  s.text({10, 10}, "orders/0", Ink::text);
  s.text({60, 12}, "B1", Ink::text);
  ASSERT_EQ(of(s).size(), 1U);
  EXPECT_EQ(of(s)[0].kind, Flaw::Kind::overlap);
  EXPECT_EQ(of(s)[0].sentence, "`B1` lies on `orders/0`");
  Scene apart(200, 100);
  apart.text({10, 10}, "orders/0", Ink::text);
  apart.text({76, 10}, "B1", Ink::text);
  apart.text({10, 24}, "orders/1", Ink::text);  // lines may be a little closer than they are high
  EXPECT_TRUE(of(apart).empty());
}

TEST(Flaws, WhatALaterAreaCoversIsNotSeen) {
  Scene s(200, 100);
  s.text({10, 10}, "orders/0", Ink::text);
  s.fill({0, 0, 100, 40}, Ink::background);
  s.text({20, 12}, "evidence", Ink::witness);
  EXPECT_TRUE(of(s).empty());
  Scene thin(200, 100);
  thin.text({10, 10}, "orders/0", Ink::text);
  thin.fill({0, 0, 100, 40}, Ink::fault_band).opacity = 60;
  thin.text({20, 12}, "evidence", Ink::witness);
  EXPECT_EQ(of(thin).size(), 1U) << "one sees through it";
}

TEST(Flaws, ATextCutAtTheEdgeOfThePictureOrOfItsPart) {
  Scene s(60, 100);
  s.text({30, 10}, "broker", Ink::text);
  ASSERT_EQ(of(s).size(), 1U);
  EXPECT_EQ(of(s)[0].kind, Flaw::Kind::cut_off);
  EXPECT_EQ(of(s)[0].sentence, "`broker` is cut off by 18 x 0 pixels");
  Scene part(200, 100);
  part.clip({0, 0, 40, 100});
  part.text({10, 10}, "broker", Ink::text);
  EXPECT_EQ(of(part).size(), 1U);
  Scene away(200, 100);
  away.clip({0, 0, 40, 100});
  away.text({50, 10}, "broker", Ink::text);  // not there at all
  away.clip_nothing();
  away.text({50, 10}, "B1", Ink::text);
  EXPECT_TRUE(of(away).empty());
}

TEST(Flaws, AnchorsCount) {
  Scene s(200, 100);
  s.text({100, 10}, "middle", Ink::text, Anchor::centre);
  s.text({72, 10}, "right", Ink::text, Anchor::right);
  EXPECT_TRUE(of(s).empty());
  s.text({80, 10}, "wrong", Ink::text, Anchor::right);
  EXPECT_FALSE(of(s).empty());
}

TEST(Flaws, APictureWithoutAWordIsOne) {
  Scene s(200, 100);
  s.line({0, 0}, {200, 100}, Ink::grid);
  ASSERT_EQ(of(s).size(), 1U);
  EXPECT_EQ(of(s)[0].kind, Flaw::Kind::silent);
}

// The views of runs of all kinds, at sizes from half a small screen to a large one: no text on another, none cut off.
class ViewsOfRuns : public ::testing::TestWithParam<const char*> {};

TEST_P(ViewsOfRuns, HaveNoTextOnAnotherAndNoneCutOff) {
  std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/" + GetParam());
  std::stringstream text;
  text << in.rdbuf();
  const testing::Recorded run = testing::record(text.str());
  const Recording& r = *run.recording;
  const TopologyFacts facts = topology_facts(*run.index);
  const SpacetimeFacts lines = spacetime_facts(*run.index);
  const RunSeries series = run_series(*run.index);
  const auto check = [&](const char* view, const Scene& s, float w, float h, Time at) {
    for (const Flaw& f : flaws(s, measure)) ADD_FAILURE() << GetParam() << ", " << view << " " << w << " x " << h << " at " << at << ": " << f.sentence;
  };
  for (const auto& [w, h] : {std::pair(455.0F, 200.0F), {535.0F, 240.0F}, {900.0F, 420.0F}, {1'300.0F, 700.0F}})
    for (int part = 0; part < 4; ++part) {
      const std::size_t e = part == 3 ? r.events() - 1 : r.events() * static_cast<std::size_t>(part) / 3;
      const auto m = r.moment(e);
      check("topology", topology(*run.index, facts, *m, m->time, {}, w, h, measure), w, h, m->time);
      check("logs", logs(*m, r.journal(), {}, {}, w, 20'000, measure).scene, w, h, m->time);  // high enough for all of it
      check("groups", groups(*m, r.journal(), 0, {}, w, 20'000, measure).scene, w, h, m->time);
      for (const Duration length : {r.end(), r.end() / 50}) {
        TimeView view;
        view.range = {m->time, m->time + std::max<Duration>(length, 1'000'000)};
        for (const bool order : {false, true}) {
          view.by_order = order;
          SpacetimeView v;
          v.time = view;
          v.lanes = lines.lanes;
          Focus focus;
          focus.event = e;
          check("space-time", spacetime(*run.index, lines, v, focus, w, spacetime_height(v.lanes.size(), w, h, measure) + 60, measure), w, h, m->time);
        }
        check("plots", plots(series, lines.timeline, view, m->time, w, h, measure), w, h, m->time);
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Flaws, ViewsOfRuns,
                         ::testing::Values("tests/gui_qt/looks/nobody.lua", "tests/gui_qt/looks/half-a-cut.lua", "tests/gui_qt/looks/long-names.lua", "tests/gui_qt/looks/many-nodes.lua",
                                           "tests/gui_qt/looks/many-partitions.lua", "scenarios/museum/kafka/p01-retry-duplicate.lua", "scenarios/museum/rabbitmq/r02-a-confirm-that-was-lost.lua"));

}  // namespace
}  // namespace mqlab::gui
