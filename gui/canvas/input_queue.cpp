#include "gui/canvas/input_queue.h"

#include <cstddef>
#include <set>

namespace mqlab::gui {

void InputQueue::push(InputEvent event) {
  if (!waiting_.empty() && std::holds_alternative<MouseMove>(event) && std::holds_alternative<MouseMove>(waiting_.back())) {
    waiting_.back() = std::move(event);
    return;
  }
  waiting_.push_back(std::move(event));
}

std::vector<InputEvent> InputQueue::take() {
  std::vector<InputEvent> out;
  std::set<Button> buttons;
  std::set<Key> keys;
  bool wheeled = false, typed = false;
  // True when the frame can still tell the event from what it already holds.
  const auto fits = [&](const InputEvent& event) {
    const bool acted = !buttons.empty() || !keys.empty() || wheeled || typed;
    if (std::holds_alternative<MouseMove>(event) || std::holds_alternative<MouseLeave>(event)) return buttons.empty() && !wheeled;
    if (std::holds_alternative<MouseWheel>(event)) return buttons.empty();
    if (const auto* b = std::get_if<MouseButton>(&event)) return !wheeled && buttons.insert(b->button).second;
    if (const auto* k = std::get_if<KeyChange>(&event)) return !typed && keys.insert(k->key).second;
    return std::holds_alternative<TextInput>(event) || !acted;
  };
  while (!waiting_.empty() && fits(waiting_.front())) {
    const InputEvent& event = waiting_.front();
    wheeled |= std::holds_alternative<MouseWheel>(event);
    typed |= std::holds_alternative<TextInput>(event);
    const bool last = std::holds_alternative<FocusChange>(event);  // it changes buttons and keys itself
    out.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (last) break;
  }
  return out;
}

}  // namespace mqlab::gui
