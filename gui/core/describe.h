// gui/core/describe.h: what a thing is, in words: for tooltips, the inspector and screen readers.
//
// The rule: the first line names the thing and says how it is now; the lines below are facts of the run, each by itself a
// sentence or a fragment that can be read aloud. Nothing is said that the run did not show.
//
//     describe(index, *moment, EntityId::message(m)).text();
#pragma once

#include <string>
#include <vector>

#include "gui/core/event_index.h"
#include "gui/core/scene.h"

namespace mqlab::gui {

struct Description {
  std::string title{};
  std::vector<std::string> lines{};
  bool empty() const { return title.empty(); }
  // The title and the lines, a line each.
  std::string text() const;
  // All of it in one line, for a screen reader.
  std::string sentence() const;
};

Description describe_node(const Moment& m, NodeId n);
Description describe_link(const Moment& m, NodeId from, NodeId to);
// One event: what it is, when it was sent, what was noted during it, what the clients saw then.
Description describe_event(const EventIndex& index, std::size_t event);
// A message that never arrived: when it was sent, how long it was on its way, and why nobody took it.
Description describe_drop(const EventIndex& index, std::size_t drop);
Description describe_mark(const Journal& j, std::size_t mark);
Description describe_op(const Journal& j, OpIndex op);
// A message of the application: sent, stored, delivered, settled, in the order of the run. `until`: nothing later is told.
Description describe_message(const Journal& j, const std::vector<OpIndex>& rows, MessageId m, Time until = time_max);
// A place: each copy of it.
Description describe_place(const Journal& j, const Moment& m, const std::string& place);
// A position in a place: what each copy has there.
Description describe_record(const Journal& j, const Moment& m, const std::string& place, std::int64_t position);
Description describe_fault(const World& at_end, std::size_t fault);
Description describe_verdict(const RunResult& r, std::size_t verdict);

// Any of them. Empty: there is no such thing, or nothing to say of it (series, controls).
Description describe(const EventIndex& index, const Moment& m, EntityId e);

// "committed", "with C1, not acknowledged": what is known of a record, in the words of its place.
std::string record_state_words(const Journal& j, const PlaceContents& p, const RecordMoment& r);

}  // namespace mqlab::gui
