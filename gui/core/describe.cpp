#include "gui/core/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "gui/core/labels.h"
#include "gui/core/topology.h"
#include "sim/lab/verdict_words.h"
#include "sim/record/event_text.h"
#include "sim/record/op_text.h"

namespace mqlab::gui {
namespace {

constexpr std::size_t lines_most = 16;  // of a story; the middle is left out

void cut_middle(std::vector<std::string>& lines) {
  if (lines.size() <= lines_most) return;
  const std::size_t out = lines.size() - lines_most + 1, at = lines_most / 2;
  lines[at] = fmt::format("… {} more …", out);
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at) + 1, lines.begin() + static_cast<std::ptrdiff_t>(at + out));
}

std::string node_name(const Moment& m, NodeId n) { return n < m.nodes.size() ? m.nodes[n].name : fmt::format("node {}", n); }

std::string copy_title(const Moment& m, const PlaceContents& p) {
  return fmt::format("{} on {}{}{}", p.kind, node_name(m, p.node), p.role.empty() ? "" : ", " + p.role, p.facts.empty() ? "" : ": " + p.facts);
}

}  // namespace

std::string Description::text() const {
  std::string out = title;
  for (const std::string& l : lines) out += "\n" + l;
  return out;
}

std::string Description::sentence() const {
  std::string out = title;
  for (const std::string& l : lines) out += "; " + l;
  return out;
}

Description describe_node(const Moment& m, NodeId n) {
  Description d;
  if (n >= m.nodes.size()) return d;
  const NodeMoment& node = m.nodes[n];
  d.title = fmt::format("{}{}, {}", node.role.empty() ? "" : node.role + " ", node.name, state_words(node));
  std::string led;
  std::size_t count = 0;
  for (const PlaceContents& p : m.places)
    if (p.node == n && p.leads && node.running && ++count <= 6) led += (led.empty() ? "" : ", ") + p.place;
  if (count > 6) led += fmt::format(" and {} more", count - 6);
  if (!led.empty()) d.lines.push_back("leads " + led);
  for (const GroupContents& g : m.groups)
    for (const GroupMember& member : g.members)
      if (member.name == node.name || member.name.rfind(node.name + "-", 0) == 0) {
        std::string has;
        for (const std::string& p : member.places) has += (has.empty() ? "" : ", ") + p;
        d.lines.push_back(fmt::format("in group {}: {}{}", g.name, has.empty() ? "nothing assigned" : "has " + has, member.facts.empty() ? "" : " (" + member.facts + ")"));
      }
  std::string where;
  for (const auto& [word, value] : {std::pair("region", &node.region), {"zone", &node.zone}, {"rack", &node.rack}, {"machine", &node.machine}})
    if (!value->empty() && *value != node.name) where += fmt::format("{}{} {}", where.empty() ? "" : ", ", word, *value);
  if (!where.empty()) d.lines.push_back(where);
  for (const FaultMoment& f : m.faults)
    for (const auto& group : f.nodes)
      if (group.size() < m.nodes.size() && std::find(group.begin(), group.end(), n) != group.end()) {
        d.lines.push_back("under " + f.text);
        break;
      }
  return d;
}

Description describe_link(const Moment& m, NodeId from, NodeId to) {
  Description d;
  d.title = fmt::format("between {} and {}", node_name(m, from), node_name(m, to));
  for (const FaultMoment& f : m.faults) {
    const bool there = cuts(f, from, to), back = cuts(f, to, from);
    if (there && back) d.lines.push_back("cut both ways by " + f.text);
    else if (there) d.lines.push_back(fmt::format("cut from {} to {} by {}", node_name(m, from), node_name(m, to), f.text));
    else if (back) d.lines.push_back(fmt::format("cut from {} to {} by {}", node_name(m, to), node_name(m, from), f.text));
  }
  if (d.lines.empty()) d.lines.push_back("no cut is in force");
  return d;
}

Description describe_event(const EventIndex& index, std::size_t event) {
  Description d;
  const Recording& r = index.recording();
  if (event >= r.events()) return d;
  const Journal& j = r.journal();
  const Delivery& delivery = j.deliveries[event];
  d.title = fmt::format("event {} at {}: {}", with_commas(event), format_time(delivery.time), event_text(j, delivery));
  if (is_message(delivery.event)) {
    const Time sent = sent_at(delivery);
    d.lines.push_back(fmt::format("sent by {} at {}, {} before", line_name(j, delivery.event.source), format_time(sent), format_duration(delivery.time - sent)));
  }
  const auto [first_mark, last_mark] = std::pair(
      std::lower_bound(j.marks.begin(), j.marks.end(), delivery.time, [](const Mark& m, Time t) { return m.time < t; }),
      std::upper_bound(j.marks.begin(), j.marks.end(), delivery.time, [](Time t, const Mark& m) { return t < m.time; }));
  for (auto m = first_mark; m != last_mark; ++m)
    if (m->during == delivery.event.id) d.lines.push_back(mark_text(j, *m));
  auto op = std::lower_bound(j.ops.begin(), j.ops.end(), delivery.time, [](const Op& o, Time t) { return o.time < t; });
  for (; op != j.ops.end() && op->time == delivery.time; ++op)
    if (r.event_of_op(static_cast<OpIndex>(op - j.ops.begin())) == event) d.lines.push_back(op_text(j, *op));
  if (const std::size_t cause = index.cause_of(event); cause < r.events()) d.lines.push_back(fmt::format("because of event {}: {}", with_commas(cause), event_text(j, j.deliveries[cause])));
  cut_middle(d.lines);
  return d;
}

Description describe_drop(const EventIndex& index, std::size_t drop) {
  Description d;
  const Recording& r = index.recording();
  const Journal& j = r.journal();
  if (drop >= j.drops.size()) return d;
  const Drop& lost = j.drops[drop];
  d.title = drop_text(j, lost);
  const Time sent = sent_at(lost);
  d.lines.push_back(fmt::format("sent by {} at {}{}", line_name(j, lost.event.source), format_time(sent),
                                lost.time > sent ? fmt::format(", and over at {}, {} later", format_time(lost.time), format_duration(lost.time - sent)) : ""));
  if (const std::size_t cause = index.cause_of_drop(drop); cause < r.events()) d.lines.push_back(fmt::format("because of event {}: {}", with_commas(cause), event_text(j, j.deliveries[cause])));
  return d;
}

Description describe_mark(const Journal& j, std::size_t mark) {
  if (mark >= j.marks.size()) return {};
  return {fmt::format("{}: {}", format_time(j.marks[mark].time), mark_text(j, j.marks[mark])), {}};
}

Description describe_op(const Journal& j, OpIndex op) {
  if (op >= j.ops.size()) return {};
  return {fmt::format("{}: {}", format_time(j.ops[op].time), op_text(j, j.ops[op])), {}};
}

Description describe_message(const Journal& j, const std::vector<OpIndex>& rows, MessageId m, Time until) {
  Description d;
  if (m == no_message) return d;
  std::size_t acked = 0, delivered = 0, later = 0;
  for (const OpIndex row : rows) {
    const Op& op = j.ops[row];
    if (op.time > until) {
      ++later;
      continue;
    }
    acked += op.kind == OpKind::send && op.outcome == Outcome::ok;
    delivered += op.kind == OpKind::deliver;
    d.lines.push_back(fmt::format("{}  {}", format_time(op.time), op_text(j, op)));
  }
  d.title = fmt::format("message {}: {}, {}", j.message_name(m), acked > 0 ? "acknowledged" : rows.empty() ? "never sent by a client" : "not acknowledged",
                        delivered == 0 ? "not delivered" : delivered == 1 ? "delivered once" : fmt::format("delivered {} times", delivered));
  cut_middle(d.lines);
  if (later > 0) d.lines.push_back(fmt::format("later: {} more {}", later, later == 1 ? "row" : "rows"));
  return d;
}

std::string record_state_words(const Journal& j, const PlaceContents& p, const RecordMoment& r) {
  std::string out;
  switch (r.state) {
    case RecordState::uncommitted: out = p.role == "on disk" ? "on the disk of a node that does not run" : "not committed"; break;
    case RecordState::committed: out = "committed"; break;
    case RecordState::ready: out = "ready"; break;
    case RecordState::unacked: out = r.holder == nobody ? "with a consumer, not acknowledged" : fmt::format("with {}, not acknowledged", line_name(j, r.holder)); break;
    case RecordState::aborted: out = "of an aborted transaction"; break;
    case RecordState::open: out = "of an open transaction"; break;
    case RecordState::control: out = "no message of an application"; break;
  }
  if (r.attempts > 0) out += fmt::format(", delivered {} before", r.attempts == 1 ? "once" : fmt::format("{} times", r.attempts));
  if (!r.text.empty()) out += ", " + r.text;
  return out;
}

Description describe_place(const Journal&, const Moment& m, const std::string& place) {
  Description d;
  for (const PlaceContents& p : m.places) {
    if (p.place != place) continue;
    std::string line = copy_title(m, p) + ", " + counted(p.records.size(), p.queue ? "message" : "record");
    for (const MarkerMoment& mark : p.markers) line += fmt::format(", {} {}", mark.name, mark.position);
    d.lines.push_back(std::move(line));
  }
  d.title = d.lines.empty() ? fmt::format("{}: nothing is there", place) : place;
  for (const GroupContents& g : m.groups)
    for (const GroupProgress& p : g.progress)
      if (p.place == place)
        d.lines.push_back(p.committed < 0 ? fmt::format("group {} has told no position", g.name) : fmt::format("group {} is at {} of {}, {} behind", g.name, p.committed, p.end, std::max<std::int64_t>(p.end - p.committed, 0)));
  return d;
}

Description describe_record(const Journal& j, const Moment& m, const std::string& place, std::int64_t position) {
  Description d;
  for (const PlaceContents& p : m.places) {
    if (p.place != place) continue;
    const auto r = std::lower_bound(p.records.begin(), p.records.end(), position, [](const RecordMoment& x, std::int64_t at) { return x.position < at; });
    if (r == p.records.end() || r->position != position) continue;
    if (d.title.empty())
      d.title = fmt::format("{}@{}: {}{}", place, position, r->message == no_message ? (r->text.empty() ? "no message" : r->text) : j.message_name(r->message),
                            r->key ? fmt::format(" (key {})", j.names.text(r->key)) : "");
    d.lines.push_back(fmt::format("on {}: {}{}", node_name(m, p.node), record_state_words(j, p, *r), r->epoch ? fmt::format(", epoch {}", r->epoch) : ""));
  }
  return d;
}

Description describe_fault(const World& at_end, std::size_t fault) {
  Description d;
  if (fault >= at_end.faults().size()) return d;
  const ArmedFault& f = at_end.faults()[fault];
  d.title = mqlab::describe(f.fault);
  d.lines.push_back(fault_decl(f.fault.kind).sentence);
  d.lines.push_back("due " + mqlab::describe(f.trigger));
  if (f.fired == 0) d.lines.push_back("it never came due");
  else d.lines.push_back(fmt::format("came {} {}, {}", f.fired, f.fired == 1 ? "time" : "times", f.bites == 0 ? "and changed nothing" : fmt::format("and changed something {} {}", with_commas(f.bites), f.bites == 1 ? "time" : "times")));
  if (!f.complaint.empty()) d.lines.push_back(f.complaint);
  return d;
}

Description describe_verdict(const RunResult& r, std::size_t verdict) {
  Description d;
  if (verdict >= r.verdicts.size()) return d;
  const VerdictRow& v = r.verdicts[verdict];
  d.title = fmt::format("{}: {}", v.report.anomaly->name, verdict_name(v.report.verdict));
  if (v.report.count > 0) d.title += fmt::format(", {} {}", with_commas(v.report.count), v.report.count == 1 ? "time" : "times");
  for (const Finding& f : v.report.worst) {
    if (d.lines.size() == 3) break;
    d.lines.push_back(fmt::format("{}: {}", format_time(f.at), f.sentence));
  }
  if (!v.report.reason.empty()) d.lines.push_back(v.report.reason);
  if (v.report.evidence > 0) d.lines.push_back(fmt::format("{} {} looked at", with_commas(v.report.evidence), v.report.evidence_of));
  if (!v.claim.anomaly.empty()) d.lines.push_back(fmt::format("{}: {}", v.claim.claimed ? "claimed not to happen" : "not claimed", claim_text(v.claim)));
  return d;
}

Description describe(const EventIndex& index, const Moment& m, EntityId e) {
  const Recording& r = index.recording();
  const Journal& j = r.journal();
  const auto name = [&](std::uint64_t n) { return j.names.text(static_cast<std::uint32_t>(n)); };
  switch (e.kind) {
    case EntityId::Kind::node: return describe_node(m, static_cast<NodeId>(e.a));
    case EntityId::Kind::link: return describe_link(m, static_cast<NodeId>(e.a), static_cast<NodeId>(e.b));
    case EntityId::Kind::event: return describe_event(index, e.a);
    case EntityId::Kind::drop: return describe_drop(index, e.a);
    case EntityId::Kind::mark: return describe_mark(j, e.a);
    case EntityId::Kind::op: return describe_op(j, e.a);
    case EntityId::Kind::message: return describe_message(j, index.ops_of(e.a), e.a, m.time);
    case EntityId::Kind::place: return describe_place(j, m, name(e.a));
    case EntityId::Kind::record: return describe_record(j, m, name(e.a), static_cast<std::int64_t>(e.b));
    case EntityId::Kind::fault: return describe_fault(*r.result().world, e.a);
    case EntityId::Kind::verdict: return describe_verdict(r.result(), e.a);
    case EntityId::Kind::time: return {format_time(static_cast<Time>(e.a)), {}};
    case EntityId::Kind::none:
    case EntityId::Kind::series:
    case EntityId::Kind::control: return {};
  }
  return {};
}

}  // namespace mqlab::gui
