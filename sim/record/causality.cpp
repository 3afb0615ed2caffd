#include "sim/record/causality.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/record/event_text.h"

namespace mqlab {

const char* link_kind_name(LinkKind k) {
  static constexpr const char* names[] = {"program", "message", "cause"};
  return names[static_cast<std::size_t>(k)];
}

Causality::Causality(const Journal& journal) : journal_(journal) {
  const auto& deliveries = journal.deliveries;
  const auto count = static_cast<std::uint32_t>(deliveries.size());
  for (std::uint32_t i = 0; i < count; ++i) by_id_.emplace_back(deliveries[i].event.id, i);
  std::sort(by_id_.begin(), by_id_.end());
  for (std::uint32_t i = 0; i < journal.marks.size(); ++i)
    if (journal.marks[i].during != no_event) marks_by_event_.emplace_back(journal.marks[i].during, i);
  std::sort(marks_by_event_.begin(), marks_by_event_.end());

  std::map<NodeId, std::uint32_t> line_number;
  std::vector<std::vector<std::uint32_t>> on_line;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  std::vector<CausalLink> kinds;
  reason_.assign(count, none);
  line_of_.assign(count, 0);
  const auto link = [&](std::uint32_t from, std::uint32_t to, LinkKind kind) {
    edges.emplace_back(from, to);
    kinds.push_back({kind});
  };

  for (std::uint32_t i = 0; i < count; ++i) {
    const Delivery& d = deliveries[i];
    const NodeId line = line_of(d.event);
    const auto [entry, is_new] = line_number.try_emplace(line, static_cast<std::uint32_t>(lines_.size()));
    if (is_new) {
      lines_.push_back(line);
      on_line.emplace_back();
    }
    line_of_[i] = entry->second;

    std::uint32_t from = d.event.cause == no_event ? none : index_of(d.event.cause).value_or(none);
    if (from >= i) from = none;
    LinkKind kind = LinkKind::cause;
    if (is_message(d.event)) {
      kind = LinkKind::message;
      // A message that waited (for its connection, for a fault to pass) was put on the wire by an
      // event of somebody else's. It was sent by what its sender had last handled at that time.
      if (from == none || line_of(deliveries[from].event) != d.event.source) {
        const auto sender = line_number.find(d.event.source);
        if (sender != line_number.end()) {
          const auto& events = on_line[sender->second];
          const auto after = std::upper_bound(events.begin(), events.end(), sent_at(d),
                                              [&](Time t, std::uint32_t e) { return t < deliveries[e].time; });
          if (after != events.begin()) from = *(after - 1);
        }
      }
    }
    std::vector<std::uint32_t>& mine = on_line[entry->second];
    if (from != none) {
      reason_[i] = from;
      link(from, i, kind);
    }
    if (!mine.empty() && mine.back() != reason_[i]) link(mine.back(), i, LinkKind::program);
    mine.push_back(i);
  }
  graph_ = Graph(boost::edges_are_unsorted_multi_pass, edges.begin(), edges.end(), kinds.begin(), count);
}

std::optional<std::uint32_t> Causality::index_of(EventId id) const {
  // An event may be recorded twice: it broke a connection and was told to both sides. The first counts.
  const auto it = std::lower_bound(by_id_.begin(), by_id_.end(), std::pair{id, std::uint32_t{0}});
  if (it == by_id_.end() || it->first != id) return std::nullopt;
  return it->second;
}

template <bool back>
std::vector<std::uint32_t> Causality::reach(EventId id) const {
  const auto start = index_of(id);
  if (!start) return {};
  std::vector<bool> seen(size(), false);
  std::vector<std::uint32_t> found{*start};
  seen[*start] = true;
  for (std::size_t at = 0; at < found.size(); ++at) {
    const auto visit = [&](std::uint32_t next) {
      if (seen[next]) return;
      seen[next] = true;
      found.push_back(next);
    };
    if constexpr (back) {
      for (auto [edge, end] = boost::in_edges(found[at], graph_); edge != end; ++edge) visit(boost::source(*edge, graph_));
    } else {
      for (auto [edge, end] = boost::out_edges(found[at], graph_); edge != end; ++edge) visit(boost::target(*edge, graph_));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::uint32_t> Causality::past_of(EventId id) const { return reach<true>(id); }
std::vector<std::uint32_t> Causality::future_of(EventId id) const { return reach<false>(id); }

bool Causality::happens_before(EventId a, EventId b) const {
  const auto first = index_of(a);
  const auto last = index_of(b);
  if (!first || !last || *first >= *last) return false;
  // Edges run forward, so nothing recorded before `a` can lead to it: the search stops there.
  std::vector<bool> seen(*last - *first + 1, false);
  std::vector<std::uint32_t> open{*last};
  while (!open.empty()) {
    const std::uint32_t at = open.back();
    open.pop_back();
    for (auto [edge, end] = boost::in_edges(at, graph_); edge != end; ++edge) {
      const std::uint32_t from = boost::source(*edge, graph_);
      if (from == *first) return true;
      if (from < *first || seen[from - *first]) continue;
      seen[from - *first] = true;
      open.push_back(from);
    }
  }
  return false;
}

std::vector<std::uint32_t> Causality::chain_of(EventId id) const {
  std::vector<std::uint32_t> chain;
  const auto start = index_of(id);
  for (std::uint32_t at = start ? *start : none; at != none; at = reason_[at]) chain.push_back(at);
  std::reverse(chain.begin(), chain.end());
  return chain;
}

std::vector<std::uint32_t> Causality::marks_of(EventId id) const {
  std::vector<std::uint32_t> marks;
  for (auto it = std::lower_bound(marks_by_event_.begin(), marks_by_event_.end(), std::pair{id, std::uint32_t{0}});
       it != marks_by_event_.end() && it->first == id; ++it)
    marks.push_back(it->second);
  return marks;
}

std::vector<std::uint32_t> Causality::lost_between(std::uint32_t event, std::uint32_t next, std::size_t most) const {
  constexpr std::size_t links_most = 64;
  std::vector<std::uint32_t> out;
  const auto& all = journal_.deliveries;
  if (event >= next || next >= size() || is_message(all[next].event) || line_of_[event] != line_of_[next]) return out;
  const NodeId who = line_of(all[event].event);
  for (std::uint32_t i = 0; i < journal_.drops.size() && out.size() < most; ++i) {
    if (!lost_by(journal_.drops[i], who, all[event].time, next, all[next].time)) continue;
    std::optional<std::uint32_t> at = index_of(journal_.drops[i].event.cause);
    for (std::size_t n = 0; n < links_most && at && *at > event; ++n) at = reason_of(*at);
    if (at == event) out.push_back(i);
  }
  return out;
}

std::vector<std::string> Causality::why(EventId id, std::size_t most) const {
  const std::vector<std::uint32_t> chain = chain_of(id);
  std::vector<std::string> lines;
  const std::size_t begin = chain.size() > most ? chain.size() - most : 0;
  if (begin > 0) lines.push_back(fmt::format("... {} earlier", begin));
  for (std::size_t i = begin; i < chain.size(); ++i) {
    const Delivery& d = journal_.deliveries[chain[i]];
    lines.push_back(format_time(d.time) + "  " + event_text(journal_, d));
    for (const std::uint32_t m : marks_of(d.event.id)) lines.push_back("    " + mark_text(journal_, journal_.marks[m]));
    if (i + 1 < chain.size())
      for (const std::uint32_t l : lost_between(chain[i], chain[i + 1])) lines.push_back("    " + drop_text(journal_, journal_.drops[l]));
  }
  return lines;
}

std::vector<VectorClock> Causality::vector_clocks() const {
  std::vector<VectorClock> clocks(size());
  for (std::uint32_t i = 0; i < size(); ++i) {
    VectorClock& clock = clocks[i];
    clock.assign(lines_.size(), 0);
    for (auto [edge, end] = boost::in_edges(i, graph_); edge != end; ++edge) {
      const VectorClock& earlier = clocks[boost::source(*edge, graph_)];
      for (std::size_t n = 0; n < clock.size(); ++n) clock[n] = std::max(clock[n], earlier[n]);
    }
    ++clock[line_of_[i]];
  }
  return clocks;
}

}  // namespace mqlab
