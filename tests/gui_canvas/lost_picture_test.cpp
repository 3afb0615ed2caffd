// What never arrived, as it is seen: a cross with its reason, in the topology and in the space-time diagram.
//
// The nodes are written in Lua, so that no change of a model moves a pixel.
#include <gtest/gtest.h>

#include "gui/canvas/fonts.h"
#include "gui/canvas/paint.h"
#include "gui/core/spacetime.h"
#include "gui/core/topology.h"
#include "kit/models.h"
#include "tests/gui_canvas/golden.h"

namespace mqlab::gui {
namespace {

// A asks B each second. The second answer is dropped by a fault, the third question meets a cut, and of the fourth nothing is wrong.
constexpr const char* story = R"(
return scenario {
  title = "Three questions",
  nodes = {
    node "A" {
      on_start = function(self) for n = 1, 4 do self:timer(seconds(n), "asks") end end,
      on_timer = function(self) self:datagram("B", "Question", {}) end,
      on_message = function(self) end,
    },
    node "B" { on_message = function(self, from) self:datagram(from, "Answer", {}) end },
  },
  messages = { "Question", "Answer" },
  links = { latency = ms(200) },
  faults = {
    at(0, drop "Answer" { nth = 2 }),
    at(ms(2900), partition { { "A" }, { "B" }, duration = ms(600) }),
  },
  run_for = seconds(6),
})";

struct Story {
  std::shared_ptr<const Recording> recording = Recording::make({.text = story, .path = "t.lua", .seed = 7}, all_models());
  EventIndex index{recording};
  std::shared_ptr<Fonts> fonts = std::make_shared<Fonts>();
  FontMeasure measure{fonts};

  // In Journal::drops, by why it was dropped.
  std::size_t drop(DropReason why) const {
    const auto& all = recording->journal().drops;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].why == why) return i;
    ADD_FAILURE() << "nothing was dropped because " << drop_reason_text(why);
    return 0;
  }
};

constexpr Theme themes[] = {Theme::light, Theme::dark};

TEST(LostPictures, SpacetimeShowsCrossesWithTheirReasons) {
  const Story s;
  const SpacetimeFacts facts = spacetime_facts(s.index);
  SpacetimeView view;
  view.time.range = {900'000'000, 4'700'000'000};
  view.lanes = facts.lanes;
  Focus focus;
  focus.event = 0;
  focus.entity = EntityId::drop(s.drop(DropReason::fault));
  const Scene scene = spacetime(s.index, facts, view, focus, 900, 300, s.measure);
  for (const Theme theme : themes) expect_picture(picture_of(scene, {theme, 1, 1}, s.fonts), "lost-spacetime-" + std::string(word(theme)));
}

TEST(LostPictures, TopologyShowsTheCrossOnTheWay) {
  const Story s;
  const TopologyFacts facts = topology_facts(s.index);
  const std::size_t drop = s.drop(DropReason::fault), event = s.recording->event_of_drop(drop);
  Focus focus;
  focus.event = event;
  focus.entity = EntityId::drop(drop);
  const Scene scene = topology(s.index, facts, *s.recording->moment(event), s.recording->journal().drops[drop].time, focus, 600, 300, s.measure);
  for (const Theme theme : themes) expect_picture(picture_of(scene, {theme, 1, 1}, s.fonts), "lost-topology-" + std::string(word(theme)));
}

}  // namespace
}  // namespace mqlab::gui
