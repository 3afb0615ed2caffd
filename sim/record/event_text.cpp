#include "sim/record/event_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab {

NodeId line_of(const Event& event) {
  const auto kind = static_cast<EventKind>(event.kind);
  return kind == EventKind::fault || kind == EventKind::retry ? nobody : event.target;
}

bool is_message(const Event& event) {
  const auto kind = static_cast<EventKind>(event.kind);
  return kind == EventKind::data || kind == EventKind::datagram;
}

Time sent_at(const Delivery& delivery) {
  const std::uint64_t sent = delivery.event.body[2];
  return sent > static_cast<std::uint64_t>(std::max<Time>(delivery.time, 0)) ? delivery.time : static_cast<Time>(sent);
}

Time sent_at(const Drop& drop) { return sent_at(Delivery{drop.event, drop.time, nullptr}); }

namespace {

const char* kind_text(const Event& e) {
  return e.kind < event_kind_count ? event_kind_name(static_cast<EventKind>(e.kind)) : "?";
}

bool between_nodes(const Event& e) {
  switch (static_cast<EventKind>(e.kind)) {
    case EventKind::data:
    case EventKind::datagram:
    case EventKind::open:
    case EventKind::opened:
    case EventKind::closed:
    case EventKind::reset:
    case EventKind::window: return true;
    default: return false;
  }
}

}  // namespace

std::string line_name(const Journal& journal, NodeId line) {
  if (line == nobody) return "world";
  const std::string name = journal.process_name(line);
  return name.empty() || name == "?" ? fmt::format("node {}", line) : name;
}

std::string event_name(const Journal& journal, const Delivery& delivery) {
  const Event& e = delivery.event;
  if (is_message(e)) return journal.kind_name(e.type);
  if (static_cast<EventKind>(e.kind) != EventKind::timer) return kind_text(e);
  return e.type < application_timer ? fmt::format("timer {}", e.type) : fmt::format("application timer {}", e.type - application_timer);
}

std::string event_details(const Journal& journal, const Delivery& delivery) {
  const Event& e = delivery.event;
  switch (static_cast<EventKind>(e.kind)) {
    case EventKind::data:
    case EventKind::datagram: {
      const bool known = e.type < journal.messages.size() && journal.messages[e.type].describe && delivery.payload;
      return known ? journal.messages[e.type].describe(*delivery.payload) : std::string();
    }
    case EventKind::timer: return e.body[0] ? fmt::format("argument={}", e.body[0]) : std::string();
    case EventKind::open:
    case EventKind::opened:
    case EventKind::closed:
    case EventKind::reset: return fmt::format("connection={}", e.channel);
    case EventKind::window: return fmt::format("connection={} {}", e.channel, e.body[0] ? "takes again" : "takes no more");
    case EventKind::disk: return fmt::format("file={} position={} result={}", e.body[0], e.body[1], e.body[2]);
    case EventKind::fault: return fmt::format("{} {}", e.body[0], e.flags ? "ends" : "begins");
    default: return {};
  }
}

std::string event_text(const Journal& journal, const Delivery& delivery) {
  const Event& e = delivery.event;
  std::string text = between_nodes(e) ? line_name(journal, e.source) + "->" + line_name(journal, e.target) : line_name(journal, line_of(e));
  text += " " + event_name(journal, delivery);
  const std::string details = event_details(journal, delivery);
  return details.empty() ? text : text + " " + details;
}

std::string drop_text(const Journal& journal, const Drop& drop) {
  return fmt::format("{}->{} {}", line_name(journal, drop.event.source), drop.event.target == nobody ? "?" : line_name(journal, drop.event.target), drop_words(journal, drop));
}

std::string drop_words(const Journal& journal, const Drop& drop) {
  const Delivery as_delivery{drop.event, drop.time, drop.payload};
  const std::string details = event_details(journal, as_delivery);
  return fmt::format("{}{}{} never arrived: {}", event_name(journal, as_delivery), details.empty() ? "" : " ", details, drop_reason_text(drop.why));
}

const char* drop_reason_name(DropReason r) {
  static constexpr const char* names[drop_reason_count] = {"cut",          "lost",          "fault",        "behind_fault",    "cut_off",        "gave_up",   "closed",
                                                           "sender_ended", "receiver_down", "receiver_new", "receiver_closed", "receiver_ended", "unfinished"};
  return names[static_cast<std::size_t>(r)];
}

std::vector<PlacedDrop> drops_in_order(const Journal& journal) {
  std::vector<PlacedDrop> out;
  out.reserve(journal.drops.size());
  for (const Drop& d : journal.drops) {
    const auto first = std::lower_bound(journal.deliveries.begin(), journal.deliveries.end(), d.time, [](const Delivery& x, Time t) { return x.time < t; });
    out.push_back({&d, std::max(d.after, static_cast<std::size_t>(first - journal.deliveries.begin()))});
  }
  std::stable_sort(out.begin(), out.end(), [](const PlacedDrop& a, const PlacedDrop& b) { return a.drop->time < b.drop->time; });
  return out;
}

bool lost_by(const Drop& drop, NodeId who, Time from, std::size_t next, Time until) {
  return (drop.event.source == who || drop.event.target == who) && sent_at(drop) >= from && drop.after <= next + 1 && drop.time <= until;
}

std::string mark_text(const Journal& journal, const Mark& mark) {
  return (mark.node == nobody ? std::string() : line_name(journal, mark.node) + " ") + mark_words(journal, mark);
}

std::string mark_words(const Journal& journal, const Mark& mark) {
  std::string text = journal.names.text(mark.name);
  if (mark.place) text += " " + journal.names.text(mark.place);
  return mark.text.empty() ? text : text + ": " + mark.text;
}

void visit_trace(const Journal& journal, const TraceVisitor& visitor) {
  std::vector<EventId> recorded;
  recorded.reserve(journal.deliveries.size());
  for (const Delivery& d : journal.deliveries) recorded.push_back(d.event.id);
  std::sort(recorded.begin(), recorded.end());
  std::size_t next = 0;
  std::size_t next_change = 0;
  const std::vector<PlacedDrop> drops = visitor.drop ? drops_in_order(journal) : std::vector<PlacedDrop>();
  std::size_t next_drop = 0;
  const auto lost = [&](std::size_t before, Time until) {
    for (; next_drop < drops.size() && drops[next_drop].after <= before && drops[next_drop].drop->time <= until; ++next_drop) visitor.drop(*drops[next_drop].drop);
  };
  std::size_t at = 0;  // so many deliveries were told
  Time last = -1;      // ... the last of them at this time
  const auto marks = [&](auto belongs) {
    for (; next < journal.marks.size() && belongs(journal.marks[next]); ++next) {
      // What is over before a mark that stands by itself is told before it.
      if (journal.marks[next].time > last) lost(at, journal.marks[next].time - 1);
      visitor.mark(journal.marks[next]);
    }
  };
  for (std::size_t i = 0; i < journal.deliveries.size(); ++i) {
    const Delivery& d = journal.deliveries[i];
    marks([&](const Mark& m) {
      return m.time < d.time || (m.time == d.time && !std::binary_search(recorded.begin(), recorded.end(), m.during));
    });
    lost(i, d.time);
    visitor.delivery(d, i);
    at = i + 1;
    last = d.time;
    marks([&](const Mark& m) { return m.during == d.event.id && m.time <= d.time; });
    for (; visitor.change && next_change < journal.changes.size() && journal.changes[next_change].delivery == i; ++next_change)
      visitor.change(journal.changes[next_change]);
  }
  marks([](const Mark&) { return true; });
  lost(~std::size_t{0}, time_max);
}

}  // namespace mqlab
