#include "gui/core/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gui/core/what_if.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
Parting where_they_part(const Recording& a, const Recording& b) {
  const auto& x = a.journal().deliveries;
  const auto& y = b.journal().deliveries;
  // Whole blocks that are the same in both are passed over.
  const auto &p = a.prefix_hashes(), &q = b.prefix_hashes();
  const auto same = std::mismatch(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(std::min(p.size(), q.size())), q.begin()).first;
  std::size_t i = static_cast<std::size_t>(same - p.begin()) * Recording::prefix_block;
  while (i < x.size() && i < y.size() && same_event(x[i], y[i])) ++i;
  return {i, i};
}

Session::Session(const Models& models, std::function<void()> wake, RecordOptions options) : engine_(models, std::move(wake), std::move(options)) {}

const Branch& Session::branch(int id) const { return branches_[static_cast<std::size_t>(id)]; }

int Session::add(int parent, std::string label, RunSpec spec) {
  Branch b;
  b.id = static_cast<int>(branches_.size());
  b.parent = parent;
  b.label = std::move(label);
  b.ticket = engine_.record(spec);
  b.spec = std::move(spec);
  branches_.push_back(std::move(b));
  return branches_.back().id;
}

int Session::open(RunSpec spec) {
  for (const Branch& b : branches_)
    if (b.state == Branch::State::recording) engine_.call_off(b.ticket);
  branches_.clear();
  forget_moments();
  current_ = add(-1, spec.seed ? fmt::format("seed {}", *spec.seed) : std::string("as written"), std::move(spec));
  return current_;
}

int Session::fork_with(int branch, Intervention i) {
  RunSpec spec = this->branch(branch).spec;
  std::string label = fmt::format("{} at {}", describe(i.fault.fault), format_duration(i.fault.trigger.after));
  spec.interventions.push_back(std::move(i));
  return add(branch, std::move(label), std::move(spec));
}

int Session::fork_by_hand(int branch, std::vector<Intervention> all, std::string label) {
  RunSpec spec = this->branch(branch).spec;
  spec.interventions = std::move(all);
  return add(branch, std::move(label), std::move(spec));
}

int Session::fork_without(int branch, std::size_t fault) {
  RunSpec spec = this->branch(branch).spec;
  std::string label = fmt::format("without fault {}", fault + 1);
  if (const Recorded& r = this->branch(branch).recorded; r.recording && fault < r.recording->result().world->faults().size()) {
    label = "without " + describe(r.recording->result().world->faults()[fault].fault);
    const std::vector<WhatIf> all = what_ifs(*r.recording);
    if (fault < all.size() && all[fault].kind == WhatIf::Kind::without_intervention) return fork_without_intervention(branch, all[fault].number);
  }
  // What this run goes without already has a number in the scenario, and none here.
  std::size_t number = fault;
  std::sort(spec.without.begin(), spec.without.end());
  for (const std::size_t gone : spec.without) number += gone <= number;
  spec.without.push_back(number);
  return add(branch, std::move(label), std::move(spec));
}

int Session::fork_without_intervention(int branch, std::size_t i) {
  RunSpec spec = this->branch(branch).spec;
  std::string label = "without " + describe(spec.interventions[i].fault.fault);
  spec.interventions.erase(spec.interventions.begin() + static_cast<std::ptrdiff_t>(i));
  return add(branch, std::move(label), std::move(spec));
}

int Session::fork_setting(int branch, Setting s) {
  RunSpec spec = this->branch(branch).spec;
  std::string label = describe(s);
  spec.settings.push_back(std::move(s));
  return add(branch, std::move(label), std::move(spec));
}

int Session::fork_seed(int branch, std::uint64_t seed) {
  RunSpec spec = this->branch(branch).spec;
  spec.seed = seed;
  return add(branch, fmt::format("seed {}", seed), std::move(spec));
}

int Session::fork_case(int branch, const std::string& name) {
  RunSpec spec = this->branch(branch).spec;
  spec.case_name = name;
  return add(branch, "case " + name, std::move(spec));
}

int Session::fork_what_if(int branch, const WhatIf& w) {
  switch (w.kind) {
    case WhatIf::Kind::without_fault: return fork_without(branch, w.number);
    case WhatIf::Kind::without_intervention: return fork_without_intervention(branch, w.number);
    default: return fork_case(branch, w.name);
  }
}

void Session::call_off(int branch) {
  if (this->branch(branch).state == Branch::State::recording) engine_.call_off(this->branch(branch).ticket);
}

void Session::forget_moments() {
  moment_.reset();
  moment_before_.reset();
  beside_.reset();
  beside_of_.reset();
}

void Session::make_current(int id) {
  if (current_ == id) return;
  current_ = id;
  forget_moments();
}

void Session::look_at(std::size_t event, WithBefore before) {
  if (!has(current_)) return;
  const auto& recording = branch(current_).recorded.recording;
  if (recording && event < recording->events()) engine_.look(recording, event, Eye::here, before);
}

void Session::look_beside(int branch, std::size_t event) {
  if (!has(branch)) return;
  const auto& recording = this->branch(branch).recorded.recording;
  if (!recording || event >= recording->events()) return;
  if (beside_of_ != recording) beside_.reset();
  beside_of_ = recording;
  engine_.look(recording, event, Eye::beside);
}

std::shared_ptr<const Moment> Session::moment_beside(int branch) const {
  return has(branch) && this->branch(branch).recorded.recording == beside_of_ ? beside_ : nullptr;
}

void Session::find(Predicate p, std::size_t now, Direction d) { engine_.find(branch(current_).recorded.recording, std::move(p), now, d); }

void Session::ready(Branch& b) {
  b.state = Branch::State::ready;
  const auto part = [&](Branch& child) {
    if (child.parent < 0 || child.state != Branch::State::ready) return;
    const Branch& parent = branch(child.parent);
    if (parent.state != Branch::State::ready) return;
    const Parting p = where_they_part(*child.recorded.recording, *parent.recorded.recording);
    child.parts_at = p.a;
    child.parent_parts_at = p.b;
  };
  part(b);
  for (Branch& other : branches_)
    if (other.parent == b.id) part(other);
}

std::vector<Session::Change> Session::pump() {
  std::vector<Change> out;
  for (News& n : engine_.take()) {
    if (n.kind == News::Kind::moment) {
      if (n.eye == Eye::beside) {
        if (n.of != beside_of_) continue;
        beside_ = std::move(n.moment);
        out.push_back(Change::moment_beside);
        continue;
      }
      if (!has(current_) || branch(current_).recorded.recording != n.of) continue;
      moment_ = std::move(n.moment);
      moment_before_ = std::move(n.before);
      out.push_back(Change::moment);
      continue;
    }
    if (n.kind == News::Kind::found) {
      if (!has(current_) || branch(current_).recorded.recording != n.of) n.found.event.reset(), n.found.called_off = true;
      found_ = std::move(n.found);
      why_not_found_ = std::move(n.complaint_of_search);
      out.push_back(Change::found);
      continue;
    }
    const auto b = std::find_if(branches_.begin(), branches_.end(), [&](const Branch& each) { return each.ticket == n.ticket; });
    if (b == branches_.end()) continue;  // of a tree that was closed
    switch (n.kind) {
      case News::Kind::recorded:
        b->recorded = std::move(n.recorded);
        ready(*b);
        out.push_back(Change::branch_ready);
        break;
      case News::Kind::refused:
        b->state = Branch::State::refused;
        b->complaint = std::move(n.complaint);
        out.push_back(Change::branch_refused);
        break;
      default:
        b->state = Branch::State::called_off;
        out.push_back(Change::branch_called_off);
        break;
    }
  }
  return out;
}

}  // namespace mqlab::gui
