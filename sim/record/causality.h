// sim/record/causality.h: what made what happen.
//
// A graph over the recorded deliveries (Boost.Graph). Its edges run forward in the order recorded:
// program order on each node's line; from sending to arrival for messages; from the event during
// which another was added, for all else. a happened before b iff a path leads from a to b
// (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978).
//
// Always true: 1. the graph has no cycle, whatever the journal says: an edge that would run
// backward is left out. 2. vector_clocks() orders events exactly as happens_before() does.
// Marks belong to the event named in their `during`.
//
//     Causality c(journal);                       // the journal must outlive it
//     if (c.happens_before(fetch, election)) ...
//     for (const std::string& line : c.why(event)) puts(line.c_str());
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/graph/compressed_sparse_row_graph.hpp>

#include "sim/world/journal.h"

namespace mqlab {

enum class LinkKind : std::uint8_t {
  program,  // the next on the same line
  message,  // sent and arrived
  cause     // added during: a timer set, a disk asked, a connection opened
};
const char* link_kind_name(LinkKind k);

struct CausalLink {
  LinkKind kind = LinkKind::program;
};

// A vector clock: how many events of each line had happened, in the order of Causality::lines().
using VectorClock = std::vector<std::uint32_t>;

class Causality {
 public:
  using Graph = boost::compressed_sparse_row_graph<boost::bidirectionalS, boost::no_property, CausalLink, boost::no_property,
                                                   std::uint32_t, std::uint32_t>;

  explicit Causality(const Journal& journal);

  const Graph& graph() const { return graph_; }  // vertex = index in Journal::deliveries
  std::size_t size() const { return journal_.deliveries.size(); }
  // Where an event stands in Journal::deliveries; nothing when it was not recorded.
  std::optional<std::uint32_t> index_of(EventId id) const;

  // False for events that were not recorded, and for a == b.
  bool happens_before(EventId a, EventId b) const;
  // All that happened before an event, and itself: indices in the order recorded.
  std::vector<std::uint32_t> past_of(EventId id) const;
  // All that it had a part in, and itself.
  std::vector<std::uint32_t> future_of(EventId id) const;
  // The one chain of causes that led to an event, root first: what arrived, what that was sent
  // during, and so on. Program order is not followed.
  std::vector<std::uint32_t> chain_of(EventId id) const;
  // The link of that chain before an event: what it was sent or set during; nothing: its chain begins there.
  std::optional<std::uint32_t> reason_of(std::uint32_t event) const { return event < size() && reason_[event] != none ? std::optional(reason_[event]) : std::nullopt; }
  // Between an event and what its line did next because of it, when that is no message that came (a timer, the end of a connection): what
  // the line waited for in vain. Indices in Journal::drops of messages from or to it that came of the event and never arrived, over by
  // then or because of that; at most `most`, in their order.
  std::vector<std::uint32_t> lost_between(std::uint32_t event, std::uint32_t next, std::size_t most = 4) const;
  // The chain as lines for people, with the marks made on the way, and with what was waited for in vain; the oldest are left out
  // when there are more than `most`.
  std::vector<std::string> why(EventId id, std::size_t most = 30) const;
  // The marks made during an event, as indices in Journal::marks.
  std::vector<std::uint32_t> marks_of(EventId id) const;

  // The lines in the order of their first event; `nobody` is the world's own.
  const std::vector<NodeId>& lines() const { return lines_; }
  std::uint32_t line_index(std::uint32_t event) const { return line_of_[event]; }
  // One clock an event, in the order recorded: size() x lines() numbers.
  std::vector<VectorClock> vector_clocks() const;

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  template <bool back>
  std::vector<std::uint32_t> reach(EventId id) const;

  const Journal& journal_;
  Graph graph_;
  std::vector<std::pair<EventId, std::uint32_t>> by_id_;            // sorted
  std::vector<std::pair<EventId, std::uint32_t>> marks_by_event_;  // sorted
  std::vector<std::uint32_t> reason_;                               // per event: the message or cause edge, or none
  std::vector<NodeId> lines_;
  std::vector<std::uint32_t> line_of_;
};

}  // namespace mqlab
