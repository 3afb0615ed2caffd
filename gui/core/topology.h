// gui/core/topology.h: who is there, what is between them, and what is on its way.
//
// Producers and programs stand on the left, consumers on the right, servers between them, controllers and services below
// (in a low picture: right of the servers). A cut has a cross on each link that it stops; where other classes of traffic still
// pass, the link stays whole and the cross says which do not.
// A message stands at the part of its way that is over, and near its sender while a cut holds it up: there it waits to be
// sent again. One that never arrived ends in a cross, which stays for a while. No message is drawn but between the event that sent it and the one that took it.
//
// Always true: 1. the same nodes in a picture of the same size stand at the same places whatever the moment. 2. Boxes do
// not overlap while each can have its least size.
// Elsewhere: what anything is in words (describe.h), looks of messages (message_look.h).
//
//     const TopologyFacts facts = topology_facts(index);          // once a recording
//     Scene s = topology(index, facts, *moment, now, focus, 800, 600, measure);
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gui/core/event_index.h"
#include "gui/core/focus.h"
#include "gui/core/message_look.h"

namespace mqlab::gui {

struct TopologyNode {
  std::string name{}, role{}, zone{}, region{};
};

// What does not change during a run.
struct TopologyFacts {
  std::vector<TopologyNode> nodes{};                   // by NodeId, those of the end of the run
  std::vector<std::pair<NodeId, NodeId>> links{};      // who ever talks to whom, (lower, higher), ascending
  std::vector<std::uint16_t> carried{};                // by link: which classes of traffic ever go over it (traffic_bit); none given: all
  MessageLooks looks{};
  std::vector<std::uint16_t> traffic{};                // by fault: which classes of traffic it is about
  Duration crosses_stay = 0;                           // so long, where a message ended that never arrived
};
TopologyFacts topology_facts(const EventIndex& index);

// On which side a node of this role stands.
enum class Side : std::uint8_t { left, middle, below, right };
Side side_of(const std::string& role);

// Where each node stands, by NodeId. `grow`: how much larger than usual boxes want to be (growth(), labels.h).
std::vector<Rect> lay_out(const std::vector<TopologyNode>& nodes, Rect area, float grow = 1);

// A cut in force stops messages from `from` to `to` (of some class of traffic).
bool cuts(const FaultMoment& f, NodeId from, NodeId to);

// "replication and heartbeat"; of all classes "everything".
std::string traffic_words(std::uint16_t classes);

// "running", "down", "paused, 12 wait", and what the node says of itself.
std::string state_words(const NodeMoment& n);

struct TopologyInput {
  const TopologyFacts& facts;
  const Journal& journal;
  const Moment& moment;
  Time now = 0;                     // at or after the moment's own time, before its next event
  std::vector<Flight> in_flight{};  // at `now`
  Focus focus{};
  std::vector<LostFlight> lost{};   // on their way at `now`, or over shortly before
};
Scene topology(const TopologyInput& in, float width, float height, const TextMeasure& measure);
Scene topology(const EventIndex& index, const TopologyFacts& facts, const Moment& moment, Time now, const Focus& focus, float width, float height, const TextMeasure& measure);

}  // namespace mqlab::gui
