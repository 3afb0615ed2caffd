// Input: nothing is lost between two frames, and nothing changes places.
#include "gui/canvas/input_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <imgui.h>

#include <map>

#include "gui/canvas/imgui_core.h"

namespace mqlab::gui {
namespace {

// ImGui 1.86 sees the state of a button once a frame: a press and its release between two frames would be nothing.
TEST(InputQueue, ClickBetweenTwoFramesIsSeen) {
  InputQueue q;
  q.push(MouseMove{{5, 5}});
  q.push(MouseButton{Button::left, true});
  q.push(MouseButton{Button::left, false});
  EXPECT_EQ(q.take(), (std::vector<InputEvent>{MouseMove{{5, 5}}, MouseButton{Button::left, true}}));
  EXPECT_TRUE(q.more());
  EXPECT_EQ(q.take(), (std::vector<InputEvent>{MouseButton{Button::left, false}}));
  EXPECT_FALSE(q.more());
}

// A chord sent as one burst: Ctrl goes down, C goes down and up, Ctrl goes up. C must be seen with Ctrl held.
TEST(InputQueue, ModifierIsReleasedAfterTheKeyWasSeen) {
  InputQueue q;
  q.push(ModifierChange{{.ctrl = true}});
  q.push(KeyChange{Key::c, true});
  q.push(KeyChange{Key::c, false});
  q.push(ModifierChange{{}});
  EXPECT_EQ(q.take(), (std::vector<InputEvent>{ModifierChange{{.ctrl = true}}, KeyChange{Key::c, true}}));
  EXPECT_EQ(q.take(), (std::vector<InputEvent>{KeyChange{Key::c, false}}));
  EXPECT_EQ(q.take(), (std::vector<InputEvent>{ModifierChange{{}}}));
}

// A drag: the press belongs to the place before the move.
TEST(InputQueue, MoveAfterAPressWaits) {
  InputQueue q;
  q.push(MouseMove{{1, 1}});
  q.push(MouseButton{Button::left, true});
  q.push(MouseMove{{50, 1}});
  q.push(MouseMove{{90, 1}});
  q.push(MouseButton{Button::left, false});
  EXPECT_EQ(q.size(), 4U) << "moves with nothing between them count as their last";
  EXPECT_EQ(q.take().size(), 2U);
  EXPECT_EQ(q.take(), (std::vector<InputEvent>{MouseMove{{90, 1}}, MouseButton{Button::left, false}}));
}

TEST(InputQueue, WheelBelongsToThePlaceBeforeIt) {
  InputQueue q;
  q.push(MouseMove{{1, 1}});
  q.push(MouseWheel{0, 1});
  q.push(MouseWheel{0, 1});
  q.push(MouseMove{{50, 1}});
  EXPECT_EQ(q.take().size(), 3U);
  EXPECT_EQ(q.take(), (std::vector<InputEvent>{MouseMove{{50, 1}}}));
}

rc::Gen<InputEvent> any_event() {
  return rc::gen::mapcat(rc::gen::inRange(0, 8), [](int kind) -> rc::Gen<InputEvent> {
    switch (kind) {
      case 0: return rc::gen::map(rc::gen::inRange(0, 100), [](int x) -> InputEvent { return MouseMove{{static_cast<float>(x), 0}}; });
      case 1: return rc::gen::just<InputEvent>(MouseWheel{0, 1});
      case 2: return rc::gen::map(rc::gen::inRange(0, 2), [](int k) -> InputEvent { return KeyChange{k == 0 ? Key::a : Key::c, false}; });
      case 3: return rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) -> InputEvent { return ModifierChange{{.ctrl = b}}; });
      case 4: return rc::gen::just<InputEvent>(TextInput{"x"});
      case 5: return rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) -> InputEvent { return FocusChange{b}; });
      default: return rc::gen::map(rc::gen::inRange(0, 3), [](int b) -> InputEvent { return MouseButton{static_cast<Button>(b), false}; });
    }
  });
}

// The changes of each button and key alternate, as a keyboard and a mouse make them.
std::vector<InputEvent> a_burst() {
  std::vector<InputEvent> burst = *rc::gen::container<std::vector<InputEvent>>(any_event());
  std::map<int, bool> down;
  for (InputEvent& e : burst) {
    if (auto* b = std::get_if<MouseButton>(&e)) b->down = down[static_cast<int>(b->button)] = !down[static_cast<int>(b->button)];
    if (auto* k = std::get_if<KeyChange>(&e)) k->down = down[100 + static_cast<int>(k->key)] = !down[100 + static_cast<int>(k->key)];
  }
  return burst;
}

RC_GTEST_PROP(InputQueueProperty, WhatIsTakenIsWhatWasPushed, ()) {
  const std::vector<InputEvent> burst = a_burst();
  InputQueue q;
  std::vector<InputEvent> pushed;
  for (const InputEvent& e : burst) {
    q.push(e);
    if (!pushed.empty() && std::holds_alternative<MouseMove>(e) && std::holds_alternative<MouseMove>(pushed.back())) pushed.back() = e;
    else pushed.push_back(e);
  }
  std::vector<InputEvent> taken;
  while (q.more()) {
    const std::vector<InputEvent> now = q.take();
    RC_ASSERT(!now.empty());
    std::map<int, int> changes;
    for (const InputEvent& e : now) {
      if (const auto* b = std::get_if<MouseButton>(&e)) RC_ASSERT(++changes[static_cast<int>(b->button)] == 1);
      if (const auto* k = std::get_if<KeyChange>(&e)) RC_ASSERT(++changes[100 + static_cast<int>(k->key)] == 1);
    }
    taken.insert(taken.end(), now.begin(), now.end());
  }
  RC_ASSERT(taken == pushed);
}

// What ImGui counts is what was pushed: each press of each button, at its place, with its modifiers.
RC_GTEST_PROP(InputQueueProperty, ImGuiSeesEachPress, ()) {
  const std::vector<InputEvent> burst = a_burst();
  static const auto fonts = std::make_shared<Fonts>();
  ImGuiCore core(fonts);
  std::vector<std::pair<int, bool>> expected, seen;  // button, with Ctrl
  bool ctrl = false;
  std::map<int, bool> held;
  for (const InputEvent& e : burst) {
    core.input().push(e);
    if (const auto* m = std::get_if<ModifierChange>(&e)) ctrl = m->now.ctrl;
    if (const auto* f = std::get_if<FocusChange>(&e); f != nullptr && !f->has) ctrl = false, held.clear();
    if (const auto* b = std::get_if<MouseButton>(&e)) {
      bool& now = held[static_cast<int>(b->button)];
      if (b->down && !now) expected.emplace_back(static_cast<int>(b->button), ctrl);
      now = b->down;
    }
  }
  do {
    core.frame(100, 100, 0.02F, [&] {
      for (int b = 0; b < 3; ++b)
        if (ImGui::IsMouseClicked(b)) seen.emplace_back(b, ImGui::GetIO().KeyCtrl);
    });
  } while (core.input_waits());
  std::sort(expected.begin(), expected.end());  // two buttons may go down in one frame
  std::sort(seen.begin(), seen.end());
  RC_ASSERT(seen == expected);
}

TEST(ImGuiCore, TwoContextsGiveTheSameDrawData) {
  const auto run = [](ImGuiCore& core) {
    core.set_theme(Theme::dark);
    core.set_scale(1.5F);
    core.input().push(MouseMove{{30, 40}});
    std::uint64_t hash = 0;
    for (int i = 0; i < 3; ++i)
      hash = draw_data_hash(core.frame(400, 300, 0.016F, [] {
        ImGui::Begin("window");
        ImGui::Button("press");
        ImGui::TextUnformatted("lag \u2265 3");
        ImGui::End();
      }));
    return hash;
  };
  ImGuiCore a, b;
  const std::uint64_t first = run(a);
  EXPECT_EQ(first, run(b));
  ImGuiCore c;
  c.set_theme(Theme::light);
  EXPECT_NE(first, draw_data_hash(c.frame(400, 300, 0.016F, [] { ImGui::GetBackgroundDrawList()->AddRectFilled({0, 0}, {5, 5}, 0xFF0000FFU); })));
}

TEST(ImGuiCore, TheContextIsCurrentOnlyDuringItsFrame) {
  ImGuiCore a, b;
  EXPECT_EQ(ImGui::GetCurrentContext(), nullptr);
  a.frame(10, 10, 0.01F, [&] {
    ImGuiContext* mine = ImGui::GetCurrentContext();
    EXPECT_NE(mine, nullptr);
  });
  EXPECT_EQ(ImGui::GetCurrentContext(), nullptr);
}

}  // namespace
}  // namespace mqlab::gui
