// Single active consumers of streams.
#include "models/rabbitmq/stream_groups.h"

#include <algorithm>

namespace mqlab::rabbitmq {

void StreamGroups::choose(Group& g, std::vector<Change>& out) {
  if (g.stepping_down || g.members.empty()) return;
  std::size_t chosen = g.partition < 0 ? 0 : static_cast<std::size_t>(g.partition) % g.members.size();
  if (g.partition < 0 && g.active) return;  // whoever is active stays
  if (g.active == g.members[chosen]) return;
  if (g.active) {
    g.stepping_down = true;
    out.push_back({*g.active, false});
  } else {
    g.active = g.members[chosen];
    out.push_back({*g.active, true});
  }
}

void StreamGroups::join(const std::string& name, const ConsumerKey& consumer, std::int32_t partition, std::vector<Change>& out) {
  Group& g = groups_[name];
  g.partition = partition;
  g.members.push_back(consumer);
  choose(g, out);
}

void StreamGroups::leave(const ConsumerKey& consumer, std::vector<Change>& out) {
  for (auto it = groups_.begin(); it != groups_.end();) {
    Group& g = it->second;
    if (std::erase(g.members, consumer) > 0) {
      if (g.active == consumer) {
        g.active.reset();
        g.stepping_down = false;
      }
      choose(g, out);
    }
    it = g.members.empty() ? groups_.erase(it) : std::next(it);
  }
}

void StreamGroups::stepped_down(const ConsumerKey& consumer, std::vector<Change>& out) {
  for (auto& [name, g] : groups_) {
    if (g.active != consumer || !g.stepping_down) continue;
    g.stepping_down = false;
    g.active.reset();
    choose(g, out);
  }
}

bool StreamGroups::active(const ConsumerKey& consumer) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const auto& g) { return g.second.active == consumer && !g.second.stepping_down; });
}

bool StreamGroups::member(const ConsumerKey& consumer) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const auto& g) {
    return std::find(g.second.members.begin(), g.second.members.end(), consumer) != g.second.members.end();
  });
}

bool StreamGroups::at_rest() const {
  return std::none_of(groups_.begin(), groups_.end(), [](const auto& g) { return g.second.stepping_down; });
}

}  // namespace mqlab::rabbitmq
