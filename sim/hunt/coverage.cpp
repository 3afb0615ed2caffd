#include "sim/hunt/coverage.h"

#include <algorithm>
#include <string_view>

namespace mqlab {
namespace {

std::string_view topic_of(const std::string& place) { return std::string_view(place).substr(0, place.find('/')); }

// Of the world's own marks those that can break something; that a fault came due says less than what it did.
bool breaks(std::string_view mark) {
  for (const std::string_view m : {"message_fault", "killed", "power_lost", "restarted", "stopped", "paused"})
    if (m == mark) return true;
  return false;
}

bool ends_process(std::string_view mark) { return mark == "killed" || mark == "power_lost" || mark == "stopped"; }

}  // namespace

std::span<const MiddleDecl> middles() {
  static constexpr MiddleDecl all[] = {
      {Middle::send, "during a send", "A send is not answered yet."},
      {Middle::taken, "between delivery and ack", "A message was delivered, and is neither acknowledged nor its position committed."},
      {Middle::ack, "during an ack", "An acknowledgement or a commit of a position is not answered yet."},
      {Middle::transaction, "inside a transaction", "A transaction is open, and its end was not asked for."},
      {Middle::ending, "while a transaction ends", "The end of a transaction was asked for, and is not answered yet."},
      {Middle::assigned, "after an assignment", "A consumer was given a place, and has read nothing from it yet."},
  };
  return all;
}

void OpenMiddles::begin(Middle m, Key key, const Op& op) {
  all(m)[key] = {op.process, op.place, op.position, 0};
  seen_[static_cast<std::size_t>(m)] = true;
}

void OpenMiddles::take(const Journal& j, OpIndex row) {
  const Op& op = j.ops[row];
  if (op.process != nobody) clients_.insert(op.process);
  if (op.place != 0) topics_.emplace(topic_of(j.names.text(op.place)));
  const bool asked = op.outcome == Outcome::invoke;
  const Key here{op.process, op.place};
  switch (op.kind) {
    case OpKind::send:
      if (asked) begin(Middle::send, {row, 0}, op);
      else all(Middle::send).erase({op.of, 0});
      break;
    case OpKind::deliver: {
      Open& o = all(Middle::taken)[here];
      o = {op.process, op.place, std::max(op.position, o.position), o.messages + 1};
      all(Middle::assigned).erase(here);
      break;
    }
    case OpKind::ack:
    case OpKind::commit: {
      // From when it is asked for the message is no more just taken.
      auto& taken = all(Middle::taken);
      if (const auto it = taken.find(here); it != taken.end() && (asked || op.of == no_op)) {
        const bool last = op.kind == OpKind::ack ? --it->second.messages == 0 : op.position > it->second.position;
        if (last) taken.erase(it);
        seen_[static_cast<std::size_t>(Middle::taken)] = true;
      }
      if (asked) begin(Middle::ack, {row, 0}, op);
      else all(Middle::ack).erase({op.of, 0});
      break;
    }
    case OpKind::begin:
      if (op.outcome == Outcome::ok) begin(Middle::transaction, {op.process, op.transaction}, op);
      break;
    case OpKind::end_commit:
    case OpKind::end_abort:
      all(Middle::transaction).erase({op.process, op.transaction});
      if (asked) begin(Middle::ending, {row, 0}, op);
      else all(Middle::ending).erase({op.of, 0});
      break;
    case OpKind::assign:
      begin(Middle::assigned, here, op);
      break;
    case OpKind::revoke:
      all(Middle::assigned).erase(here);
      all(Middle::taken).erase(here);
      break;
    default:
      break;
  }
}

void OpenMiddles::forget(NodeId process) {
  for (auto& kind : open_) std::erase_if(kind, [&](const auto& o) { return o.second.process == process; });
}

bool OpenMiddles::one_place(const Journal& j, std::uint32_t a, std::uint32_t b) {
  if (a == 0 || b == 0 || a == b) return true;
  const std::string& x = j.names.text(a);
  const std::string& y = j.names.text(b);
  return topic_of(x) == topic_of(y) && (x.find('/') == std::string::npos || y.find('/') == std::string::npos);
}

bool OpenMiddles::any(const Journal& j, Middle m, NodeId process, std::uint32_t place) const {
  const bool client = clients_.count(process) > 0;
  // What is no place of messages (a group, a transactional id) says nothing of where.
  if (place != 0 && topics_.count(std::string(topic_of(j.names.text(place)))) == 0) place = 0;
  const auto& all = open_[static_cast<std::size_t>(m)];
  return std::any_of(all.begin(), all.end(), [&](const auto& o) { return (!client || o.second.process == process) && one_place(j, place, o.second.place); });
}

GoalSet::GoalSet(const Model& model, const Journal& calm) {
  OpenMiddles open;
  for (OpIndex row = 0; row < calm.ops.size(); ++row) open.take(calm, row);
  std::vector<const MiddleDecl*> used;
  for (const MiddleDecl& m : middles())
    if (open.seen(m.middle)) used.push_back(&m);
  for (const MiddleDecl* m : used) middles_.push_back(m->middle);
  const auto add = [&](const MarkDecl& mark) {
    marks_.push_back(mark.name);
    all_.push_back({mark.name, mark.sentence});
    for (const MiddleDecl* m : used) all_.push_back({mark.name + " " + m->name, mark.sentence + " " + m->sentence});
  };
  for (const MarkDecl& mark : model.decl().marks) add(mark);
  for (const MarkDecl& mark : world_marks())
    if (breaks(mark.name)) add(mark);
}

std::vector<std::uint32_t> GoalScan::advance(const Journal& j, Time now) {
  std::vector<std::uint32_t> fresh;
  // In the order of time, and at one time what clients saw before what happened inside.
  while (true) {
    const bool op = next_op_ < j.ops.size() && j.ops[next_op_].time < now;
    const bool mark = next_mark_ < j.marks.size() && j.marks[next_mark_].time < now;
    if (!op && !mark) return fresh;
    if (op && (!mark || j.ops[next_op_].time <= j.marks[next_mark_].time)) open_.take(j, next_op_++);
    else take(j, j.marks[next_mark_++], fresh);
  }
}

void GoalScan::take(const Journal& j, const Mark& m, std::vector<std::uint32_t>& fresh) {
  const std::vector<std::string>& marks = goals_->marks_;
  const std::string& name = j.names.text(m.name);
  auto it = mark_numbers_.find(m.name);
  if (it == mark_numbers_.end())
    it = mark_numbers_.emplace(m.name, static_cast<std::size_t>(std::find(marks.begin(), marks.end(), name) - marks.begin())).first;
  if (it->second < marks.size()) {
    const std::size_t first = it->second * (1 + goals_->middles_.size());
    const auto hit = [&](std::size_t goal) {
      if (hit_[goal]) return;
      hit_[goal] = 1;
      fresh.push_back(static_cast<std::uint32_t>(goal));
    };
    hit(first);
    for (std::size_t k = 0; k < goals_->middles_.size(); ++k)
      if (!hit_[first + 1 + k] && open_.any(j, goals_->middles_[k], m.node, m.place)) hit(first + 1 + k);
  }
  if (m.node != nobody && ends_process(name)) open_.forget(m.node);
}

std::vector<std::uint32_t> GoalScan::reached() const {
  std::vector<std::uint32_t> all;
  for (std::size_t g = 0; g < hit_.size(); ++g)
    if (hit_[g]) all.push_back(static_cast<std::uint32_t>(g));
  return all;
}

}  // namespace mqlab
