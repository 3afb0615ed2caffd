#include "sim/lab/contents.h"

#include <algorithm>

namespace mqlab {

std::optional<std::int64_t> number_in(const PlaceContents& p, std::string_view name) {
  for (const NumberMoment& n : p.numbers)
    if (n.name == name) return n.value;
  return std::nullopt;
}

std::optional<std::int64_t> lag_of(const GroupContents& g, std::string_view place) {
  std::optional<std::int64_t> out;
  for (const GroupProgress& p : g.progress)
    if (p.committed >= 0 && (place.empty() || p.place == place)) out = out.value_or(0) + std::max<std::int64_t>(p.end - p.committed, 0);
  return out;
}

bool ContentsWish::wants(std::string_view place, std::string_view queue) const {
  return all_places || std::any_of(places.begin(), places.end(), [&](const std::string& w) { return w == place || (!queue.empty() && w == queue); });
}

}  // namespace mqlab
