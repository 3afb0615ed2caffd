#include "gui/core/event_index.h"

#include <algorithm>
#include <utility>

#include "sim/record/event_text.h"

namespace mqlab::gui {

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
  for (std::size_t i = 0; i < flights_.size(); ++i) {
    if (i % block == 0) earliest_.push_back(flights_[i].sent);
    else earliest_.back() = std::min(earliest_.back(), flights_[i].sent);
  }
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
