// Positions and pending positions, record by record.
#include "models/kafka/group_positions.h"

#include <algorithm>

namespace mqlab::kafka {

void GroupPositions::take(const GroupRecord& r, ProducerId transaction_of) {
  const auto* o = std::get_if<OffsetCommitRecord>(&r.value);
  if (!o) return;
  if (r.gone) {
    erase(positions_, r.group, o->partition);
    for (auto it = pending_.begin(); it != pending_.end();) {
      erase(it->second, r.group, o->partition);
      it = it->second.empty() ? pending_.erase(it) : std::next(it);
    }
    return;
  }
  Groups& where = transaction_of == no_producer_id ? positions_ : pending_[transaction_of];
  where[r.group][o->partition] = {*o, next_++};
}

// The position that a marker commits may be older than the present one: a plain commit went between.
std::vector<GroupPositions::Ended> GroupPositions::end_transaction(ProducerId producer, bool commit) {
  std::vector<Ended> out;
  const auto it = pending_.find(producer);
  if (it == pending_.end()) return out;
  for (const auto& [group, positions] : it->second)
    for (const auto& [p, pending] : positions) {
      Ended ended{group, pending.commit, false, false};
      if (commit) {
        OfGroup& present = positions_[group];
        const auto now = present.find(p);
        ended.superseded = now != present.end() && now->second.order > pending.order;
        ended.counts = !ended.superseded;
        if (ended.counts) present[p] = pending;
      }
      out.push_back(std::move(ended));
    }
  pending_.erase(it);
  return out;
}

const OffsetCommitRecord* GroupPositions::find(const std::string& group, PartitionId p) const {
  const auto g = positions_.find(group);
  if (g == positions_.end()) return nullptr;
  const auto o = g->second.find(p);
  return o == g->second.end() ? nullptr : &o->second.commit;
}

bool GroupPositions::has_pending(const std::string& group) const {
  return std::any_of(pending_.begin(), pending_.end(), [&](const auto& t) { return t.second.count(group) != 0; });
}

bool GroupPositions::has_pending(const std::string& group, PartitionId p) const {
  return std::any_of(pending_.begin(), pending_.end(), [&](const auto& t) {
    const auto g = t.second.find(group);
    return g != t.second.end() && g->second.count(p) != 0;
  });
}

void GroupPositions::erase(Groups& from, const std::string& group, PartitionId p) {
  const auto g = from.find(group);
  if (g == from.end()) return;
  g->second.erase(p);
  if (g->second.empty()) from.erase(g);
}

}  // namespace mqlab::kafka
