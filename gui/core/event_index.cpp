#include "gui/core/event_index.h"

#include <algorithm>
#include <utility>

#include "sim/record/event_text.h"

namespace mqlab::gui {

namespace {

// The earliest sent of each block.
template <class F>
std::vector<Time> earliest_of(const std::vector<F>& flights, std::size_t block) {
  std::vector<Time> out;
  for (std::size_t i = 0; i < flights.size(); ++i) {
    if (i % block == 0) out.push_back(flights[i].sent);
    else out.back() = std::min(out.back(), flights[i].sent);
  }
  return out;
}

}  // namespace

float part_of_way(DropReason why) {
  switch (why) {
    case DropReason::cut:
    case DropReason::lost:
    case DropReason::fault:
    case DropReason::behind_fault: return 0.5F;
    case DropReason::cut_off:
    case DropReason::gave_up:
    case DropReason::closed:
    case DropReason::sender_ended:
    case DropReason::unfinished: return waits_at;
    case DropReason::receiver_down:
    case DropReason::receiver_new:
    case DropReason::receiver_closed:
    case DropReason::receiver_ended: return 0.9F;
  }
  return 0.5F;
}

EventIndex::EventIndex(std::shared_ptr<const Recording> r) : recording_(std::move(r)) {
  const Journal& journal = recording_->journal();
  const std::size_t nodes = journal.processes.size();
  lines_.resize(nodes + 1);
  times_.resize(nodes + 1);
  messages_.resize(nodes + 1, {0});
  place_on_line_.reserve(journal.deliveries.size());
  for (std::size_t i = 0; i < journal.deliveries.size(); ++i) {
    const Delivery& d = journal.deliveries[i];
    const std::size_t number = line_number(line_of(d.event));
    auto& line = lines_[number];
    times_[number].push_back(d.time);
    messages_[number].push_back(messages_[number].back() + is_message(d.event));
    place_on_line_.push_back(static_cast<std::uint32_t>(line.size()));
    line.push_back(static_cast<std::uint32_t>(i));
    if (const std::size_t cause = recording_->event_of_id(d.event.cause); cause < i) effects_.emplace_back(static_cast<std::uint32_t>(cause), static_cast<std::uint32_t>(i));
    if (!is_message(d.event)) continue;
    const MessageKind kind = d.event.type;
    flights_.push_back({static_cast<std::uint32_t>(i), d.event.source, d.event.target, sent_at(d), d.time, kind,
                        kind < journal.messages.size() ? journal.messages[kind].traffic : Traffic{}});
  }
  std::sort(effects_.begin(), effects_.end());
  earliest_ = earliest_of(flights_, block);
  lost_.reserve(journal.drops.size());
  for (std::size_t i = 0; i < journal.drops.size(); ++i) {
    const Drop& d = journal.drops[i];
    const MessageKind kind = d.event.type;
    lost_.push_back({static_cast<std::uint32_t>(i), d.event.source, d.event.target, sent_at(d), d.time, kind,
                     kind < journal.messages.size() ? journal.messages[kind].traffic : Traffic{}, part_of_way(d.why)});
  }
  lost_earliest_ = earliest_of(lost_, block);
  for (std::size_t i = 0; i < journal.ops.size(); ++i)
    if (journal.ops[i].message != no_message) ops_.emplace_back(journal.ops[i].message, i);
  std::sort(ops_.begin(), ops_.end());
  for (std::size_t m = 0; m < journal.marks.size(); ++m)
    if (const std::size_t e = recording_->event_of_mark(m); e < recording_->events()) marks_.emplace_back(static_cast<std::uint32_t>(e), static_cast<std::uint32_t>(m));
  std::sort(marks_.begin(), marks_.end());
}

std::size_t EventIndex::line_number(NodeId line) const {
  return line == nobody ? lines_.size() - 1 : std::min<std::size_t>(line, lines_.size() - 1);
}

// Arrivals ascend; a message that is under way at t arrives later, and so stands behind the first arrival after t.
void EventIndex::in_flight(Time t, const std::function<void(const Flight&)>& visit) const {
  const auto first = std::upper_bound(flights_.begin(), flights_.end(), t, [](Time when, const Flight& f) { return when < f.arrived; });
  for (std::size_t i = static_cast<std::size_t>(first - flights_.begin()); i < flights_.size();) {
    if (i % block == 0 && earliest_[i / block] > t) {
      i += block;
      continue;
    }
    if (flights_[i].sent <= t) visit(flights_[i]);
    ++i;
  }
}

std::size_t EventIndex::flights_between(Time from, Time to, std::size_t most, const std::function<void(const Flight&)>& visit) const {
  const auto first = std::lower_bound(flights_.begin(), flights_.end(), from, [](const Flight& f, Time when) { return f.arrived < when; });
  std::size_t found = 0;
  for (std::size_t i = static_cast<std::size_t>(first - flights_.begin()); i < flights_.size();) {
    if (i % block == 0 && earliest_[i / block] > to) {
      i += block;
      continue;
    }
    if (flights_[i].sent <= to && found++ < most) visit(flights_[i]);
    ++i;
  }
  return found;
}

void EventIndex::lost_between(Time from, Time to, const std::function<void(const LostFlight&)>& visit) const {
  const auto first = std::lower_bound(lost_.begin(), lost_.end(), from, [](const LostFlight& f, Time when) { return f.over < when; });
  for (std::size_t i = static_cast<std::size_t>(first - lost_.begin()); i < lost_.size();) {
    if (i % block == 0 && lost_earliest_[i / block] > to) {
      i += block;
      continue;
    }
    if (lost_[i].sent <= to) visit(lost_[i]);
    ++i;
  }
}

std::size_t EventIndex::cause_of_drop(std::size_t drop) const {
  return drop < lost_.size() ? recording_->event_of_id(recording_->journal().drops[drop].event.cause) : recording_->events();
}

std::vector<std::uint32_t> EventIndex::lost_because_of(std::size_t event, std::size_t before, std::size_t most) const {
  std::vector<std::uint32_t> out;
  if (event >= before || before >= recording_->events()) return out;
  const NodeId who = line_of(recording_->journal().deliveries[event].event);
  constexpr std::size_t steps_most = 64;
  const Time from = recording_->time_of(event);
  const auto first = std::lower_bound(lost_.begin(), lost_.end(), from, [](const LostFlight& f, Time when) { return f.over < when; });
  for (auto f = first; f != lost_.end() && recording_->journal().drops[f->drop].after <= before + 1 && out.size() < most; ++f) {
    if (!lost_by(recording_->journal().drops[f->drop], who, from, before, recording_->time_of(before))) continue;
    std::size_t at = cause_of_drop(f->drop);
    for (std::size_t n = 0; n < steps_most && at < recording_->events() && at > event; ++n) at = cause_of(at);
    if (at == event) out.push_back(f->drop);
  }
  return out;
}

std::vector<Density> EventIndex::density(NodeId line, Time from, Time to, std::size_t columns) const {
  std::vector<Density> out(columns);
  if (columns == 0 || to <= from) return out;
  const auto& times = times_[line_number(line)];
  const auto& messages = messages_[line_number(line)];
  // A column ends before the first event that is beyond it: a search a column, whatever the number of events.
  const auto width = static_cast<double>(to - from);
  auto at = std::lower_bound(times.begin(), times.end(), from);
  for (std::size_t c = 0; c < columns && at != times.end(); ++c) {
    const auto beyond = [&](Time t) {
      return t >= to || std::min(static_cast<std::size_t>(static_cast<double>(t - from) / width * static_cast<double>(columns)), columns - 1) > c;
    };
    const auto end = std::partition_point(at, times.end(), [&](Time t) { return !beyond(t); });
    out[c].events = static_cast<std::uint32_t>(end - at);
    out[c].messages = messages[static_cast<std::size_t>(end - times.begin())] - messages[static_cast<std::size_t>(at - times.begin())];
    at = end;
  }
  return out;
}

const std::vector<std::uint32_t>& EventIndex::events_of(NodeId line) const { return lines_[line_number(line)]; }

std::size_t EventIndex::next_on_line(std::size_t event) const {
  const auto& line = lines_[line_number(line_of(recording_->journal().deliveries[event].event))];
  const std::size_t at = place_on_line_[event] + std::size_t{1};
  return at < line.size() ? line[at] : recording_->events();
}

std::size_t EventIndex::previous_on_line(std::size_t event) const {
  const auto& line = lines_[line_number(line_of(recording_->journal().deliveries[event].event))];
  return place_on_line_[event] > 0 ? line[place_on_line_[event] - 1] : recording_->events();
}

std::size_t EventIndex::cause_of(std::size_t event) const {
  const std::size_t cause = recording_->event_of_id(recording_->journal().deliveries[event].event.cause);
  return cause < event ? cause : recording_->events();
}

std::vector<std::uint32_t> EventIndex::effects_of(std::size_t event, std::size_t most) const {
  std::vector<std::uint32_t> out;
  const auto key = static_cast<std::uint32_t>(event);
  for (auto it = std::lower_bound(effects_.begin(), effects_.end(), std::pair<std::uint32_t, std::uint32_t>(key, 0));
       it != effects_.end() && it->first == key && out.size() < most; ++it)
    out.push_back(it->second);
  return out;
}

std::span<const EventIndex::EventMark> EventIndex::marks_of(std::size_t event) const {
  const auto key = static_cast<std::uint32_t>(event);
  const auto first = std::lower_bound(marks_.begin(), marks_.end(), EventMark(key, 0));
  return {first, std::find_if(first, marks_.end(), [key](const EventMark& m) { return m.first != key; })};
}

std::vector<OpIndex> EventIndex::ops_of(MessageId m) const {
  std::vector<OpIndex> out;
  for (auto it = std::lower_bound(ops_.begin(), ops_.end(), std::pair<MessageId, OpIndex>(m, 0)); it != ops_.end() && it->first == m; ++it) out.push_back(it->second);
  return out;
}

}  // namespace mqlab::gui
