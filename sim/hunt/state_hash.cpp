#include "sim/hunt/state_hash.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <vector>

namespace mqlab {
namespace {

class Mixer {
 public:
  void add(std::uint64_t a) { f_.mix(a, ++count_); }
  // FNV-1a: the same on every machine, as std::hash is not.
  void add(std::string_view text) {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    f_.mix(h, text.size());
  }
  StateHash value() const { return {f_.high, f_.low}; }

 private:
  Fingerprint f_;
  std::uint64_t count_ = 0;
};

void add_tree(Mixer& m, const Tree& t) {
  m.add(t.name);
  m.add(t.value);
  m.add(t.children.size());
  for (const Tree& child : t.children) add_tree(m, child);
}

void add_event(Mixer& m, const World& w, const Event& e) {
  m.add((std::uint64_t{e.kind} << 48) ^ (std::uint64_t{e.target} << 32) ^ e.type);
  m.add((std::uint64_t{e.source} << 8) ^ e.flags);
  switch (static_cast<EventKind>(e.kind)) {
    case EventKind::data:
    case EventKind::datagram: {
      const PayloadRef p = w.payload(e.payload);
      const auto& messages = w.journal.messages;
      const auto describe = e.type < messages.size() ? messages[e.type].describe : nullptr;
      if (p && describe) m.add(describe(*p));
      break;
    }
    case EventKind::timer:
    case EventKind::fault:
      m.add(e.body[0]);
      break;
    default:
      break;
  }
}

// Messages by sender and receiver, each lot in the order sent; timers by node.
void add_pending(Mixer& m, const World& w) {
  std::vector<const Event*> all;
  w.schedule().each_pending([&](const Event& e) { all.push_back(&e); });
  for (const Connection& c : w.connections())
    for (const Direction& d : c.way)
      for (const Event& e : d.waiting) all.push_back(&e);
  const auto order = [](const Event* e) { return std::tuple(e->kind, e->target, e->source, e->id); };
  std::sort(all.begin(), all.end(), [&](const Event* a, const Event* b) { return order(a) < order(b); });
  m.add(all.size());
  for (const Event* e : all) add_event(m, w, *e);
}

void add_connections(Mixer& m, const World& w) {
  std::vector<std::uint64_t> all;
  for (const Connection& c : w.connections()) {
    if (!c.open[0] && !c.open[1]) continue;
    std::uint64_t state = (std::uint64_t{c.end[0]} << 40) ^ (std::uint64_t{c.end[1]} << 16);
    for (std::size_t side = 0; side < 2; ++side) {
      const Direction& d = c.way[side];
      state ^= (c.open[side] ? 1U : 0U) << (8 * side) ^ (d.swallowed ? 2U : 0U) << (8 * side) ^ (d.held ? 4U : 0U) << (8 * side) ^ (d.full ? 8U : 0U) << (8 * side);
    }
    all.push_back(state);
  }
  std::sort(all.begin(), all.end());
  for (const std::uint64_t state : all) m.add(state);
}

void add_faults(Mixer& m, const World& w) {
  for (const ArmedFault& f : w.faults()) {
    const bool to_come = f.fired == 0 && !f.called_off;
    if (!f.active && !to_come) continue;
    m.add((f.active ? 2U : 0U) | (to_come ? 1U : 0U));
    m.add(describe(f.fault));
    if (to_come) m.add(describe(f.trigger));
  }
}

void add_history(Mixer& m, const Journal& j) {
  m.add(j.ops.size());
  for (const Op& op : j.ops) {
    m.add((static_cast<std::uint64_t>(op.kind) << 40) ^ (static_cast<std::uint64_t>(op.outcome) << 32) ^ (std::uint64_t{op.flags} << 16) ^ op.attempt);
    m.add((std::uint64_t{op.process} << 32) ^ static_cast<std::uint64_t>(op.position));
    m.add(op.of);
    m.add(op.transaction);
    for (const std::uint32_t name : {op.place, op.key, op.subscription, op.error}) m.add(j.names.text(name));
    if (op.message & named_message_bit) m.add(j.names.text(static_cast<std::uint32_t>(op.message & ~named_message_bit)));
    else m.add(op.message);
  }
}

}  // namespace

StateHash state_hash(const World& w) {
  Mixer m;
  for (NodeId n = 0; n < w.node_count(); ++n) {
    m.add((w.running(n) ? 1U : 0U) | (w.paused(n) ? 2U : 0U));
    m.add(w.backlog(n));
    add_tree(m, w.state(n));
  }
  add_pending(m, w);
  add_connections(m, w);
  add_faults(m, w);
  add_history(m, w.journal);
  return m.value();
}

}  // namespace mqlab
