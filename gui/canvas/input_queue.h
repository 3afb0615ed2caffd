// gui/canvas/input_queue.h: what the user did, given to ImGui so that nothing of it is lost.
//
// ImGui 1.86 looks at the state of the input once a frame. Frames are drawn on demand, so a press and its release often fall
// between two of them, and ImGui would see neither. The queue hands out at most as much as one frame can tell apart.
//
// The rule: events are taken in their order until one comes that the frame could not tell from an earlier one:
//   a second change of the same button or key; a move or a wheel after a change of a button; a move after a wheel; a change of
//   modifiers after a key, a button, a wheel or text; a key after text.
// Always true: 1. each change of a button or key is in exactly one frame, in the order in which it was pushed. 2. With frames
// enough the queue becomes empty; each frame takes at least one event. 3. Moves with nothing between them count as their last.
//
//     queue.push(MouseButton{Button::left, true});
//     queue.push(MouseButton{Button::left, false});
//     queue.take();   // the press; more() is true
//     queue.take();   // the release
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "gui/core/scene.h"

namespace mqlab::gui {

enum class Button : std::uint8_t { left, right, middle };
enum class Key : std::uint8_t { tab, left, right, up, down, page_up, page_down, home, end, insert, erase, backspace, space, enter, escape, a, c, v, x, y, z };
inline constexpr std::size_t key_count = static_cast<std::size_t>(Key::z) + 1;

struct Modifiers {
  bool ctrl = false, shift = false, alt = false, super = false;
  bool operator==(const Modifiers&) const = default;
};

// Places are in logical pixels of the canvas.
struct MouseMove {
  Point at{};
  bool operator==(const MouseMove&) const = default;
};
struct MouseButton {
  Button button{};
  bool down = false;
  bool operator==(const MouseButton&) const = default;
};
struct MouseWheel {
  float x = 0, y = 0;  // in notches; y up
  bool operator==(const MouseWheel&) const = default;
};
struct MouseLeave {
  bool operator==(const MouseLeave&) const = default;
};
struct KeyChange {
  Key key{};
  bool down = false;
  bool operator==(const KeyChange&) const = default;
};
struct ModifierChange {
  Modifiers now{};
  bool operator==(const ModifierChange&) const = default;
};
struct TextInput {
  std::string utf8{};
  bool operator==(const TextInput&) const = default;
};
// Without the focus no button or key is held: the releases went elsewhere.
struct FocusChange {
  bool has = false;
  bool operator==(const FocusChange&) const = default;
};
using InputEvent = std::variant<MouseMove, MouseButton, MouseWheel, MouseLeave, KeyChange, ModifierChange, TextInput, FocusChange>;

class InputQueue {
 public:
  void push(InputEvent event);
  bool more() const { return !waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }
  // What the next frame sees.
  std::vector<InputEvent> take();

 private:
  std::deque<InputEvent> waiting_;
};

}  // namespace mqlab::gui
