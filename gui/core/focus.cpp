#include "gui/core/focus.h"

namespace mqlab::gui {

void FocusHistory::add(const Focus& f) {
  all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(at_) + 1, all_.end());
  all_.push_back(f);
  if (all_.size() > kept) all_.erase(all_.begin());
  at_ = all_.size() - 1;
}

void FocusHistory::go(const Focus& f) {
  if (f == now()) return;
  add(f);
  stepped_ = false;
}

void FocusHistory::step(const Focus& f) {
  if (f == now()) return;
  if (stepped_ && at_ + 1 == all_.size()) all_[at_] = f;
  else add(f);
  stepped_ = true;
}

bool FocusHistory::back() {
  if (!can_go_back()) return false;
  --at_;
  stepped_ = false;
  return true;
}

bool FocusHistory::forward() {
  if (!can_go_forward()) return false;
  ++at_;
  stepped_ = false;
  return true;
}

}  // namespace mqlab::gui
