// sim/record/event_text.h: one line for an event or a mark; trace, pictures and exports share it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/world/journal.h"

namespace mqlab {

// Whose line an event is drawn on: its node's, or for what happens to the world itself, nobody's.
NodeId line_of(const Event& event);
// A message over the network, with sender, receiver and a time of sending in body[2].
bool is_message(const Event& event);
// When a message was sent; never after it arrived.
Time sent_at(const Delivery& delivery);
// ... one that nobody took; never after it was over.
Time sent_at(const Drop& drop);

// "Fetch": what it is, in a word or two.
std::string event_name(const Journal& journal, const Delivery& delivery);
// "epoch=3": what its model says of a message; the world's own facts of other events.
std::string event_details(const Journal& journal, const Delivery& delivery);
// "B1->B2 Fetch epoch=3"
std::string event_text(const Journal& journal, const Delivery& delivery);
// "B1->P1 ProduceReply partition=0 never arrived: a fault dropped it"
std::string drop_text(const Journal& journal, const Drop& drop);
// ... without its ends: "ProduceReply partition=0 never arrived: a fault dropped it"
std::string drop_words(const Journal& journal, const Drop& drop);
// The reason as one word, for exports: "receiver_down".
const char* drop_reason_name(DropReason r);
// In the order of their times, each with how many deliveries were before it: what was lost later than it was sent stands where it was
// lost. The journal itself has them as they became known.
struct PlacedDrop {
  const Drop* drop = nullptr;
  std::size_t after = 0;
};
std::vector<PlacedDrop> drops_in_order(const Journal& journal);
// It was from or to `who`, sent from `from` on, and over by the event `next` at `until`, or because of that event: `who` may have waited
// for it in vain until then.
bool lost_by(const Drop& drop, NodeId who, Time from, std::size_t next, Time until);
// "leader_elected orders/0: by the controller"
std::string mark_words(const Journal& journal, const Mark& mark);
// "B1 leader_elected orders/0: by the controller"
std::string mark_text(const Journal& journal, const Mark& mark);
// The name of a line: a process, or "world".
std::string line_name(const Journal& journal, NodeId line);

// Deliveries, marks and drops in one order: by time, and a mark right after the event during which it was made. What the
// event changed comes after its marks; what never arrived, before the next event.
struct TraceVisitor {
  std::function<void(const Delivery&, std::size_t index)> delivery;
  std::function<void(const Mark&)> mark;
  std::function<void(const StateChange&)> change{};  // may be none
  std::function<void(const Drop&)> drop{};           // may be none
};
void visit_trace(const Journal& journal, const TraceVisitor& visitor);

}  // namespace mqlab
