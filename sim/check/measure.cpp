#include "sim/check/measure.h"

#include <algorithm>
#include <map>
#include <set>

namespace mqlab {
namespace {

constexpr Time not_open = -1;

// "orders/0" -> "orders": a group subscribes to topics, and owes an owner to each place of them.
std::string topic_of(const std::string& place) { return place.substr(0, place.rfind('/')); }

// Of somebody who was given the place as a member, and did not choose it.
bool of_member(const Op& op) { return (op.kind == OpKind::assign || op.kind == OpKind::revoke) && (op.flags & op_flag::assigned) == 0; }

// Who has the places of one group, and how long nobody had them.
class Ownership {
 public:
  explicit Ownership(GroupCost& cost) : cost_(cost) {}

  bool has(std::uint32_t place) const { return places_.count(place) != 0; }
  void add(std::uint32_t place, Time now) {
    if (places_.empty()) all_open_ = now;
    places_[place].open = now;
  }
  void give(std::uint32_t place, NodeId to, Time now, const Journal& journal) {
    Place& p = places_[place];
    ++cost_.assigned;
    if (p.last_owner != nobody && p.last_owner != to) ++cost_.moved;
    p.last_owner = to;
    if (std::find(p.owners.begin(), p.owners.end(), to) == p.owners.end()) p.owners.push_back(to);
    settle(place, p, now, journal);
  }
  void take(std::uint32_t place, NodeId from, Time now, const Journal& journal) {
    ++cost_.revoked;
    Place& p = places_[place];
    std::erase(p.owners, from);
    settle(place, p, now, journal);
  }
  // All that the process had is nobody's.
  void died(NodeId process, Time now, const Journal& journal) {
    paused_.erase(process);
    for (auto& [place, p] : places_)
      if (std::erase(p.owners, process) != 0) settle(place, p, now, journal);
  }
  // It has what it has, and reads nothing meanwhile.
  void pause(NodeId process, bool paused, Time now, const Journal& journal) {
    if (paused) paused_.insert(process);
    else paused_.erase(process);
    for (auto& [place, p] : places_) settle(place, p, now, journal);
  }
  void finish(Time end, const Journal& journal) {
    for (auto& [place, p] : places_)
      if (p.open != not_open) close(place, p, end, journal);
    if (all_open_ != not_open) cost_.all_stopped += end - all_open_;
    cost_.places = places_.size();
  }

 private:
  struct Place {
    std::vector<NodeId> owners{};
    NodeId last_owner = nobody;
    Time open = not_open;  // since when nobody has read it
  };

  void settle(std::uint32_t name, Place& p, Time now, const Journal& journal) {
    const bool read = std::any_of(p.owners.begin(), p.owners.end(), [&](NodeId n) { return paused_.count(n) == 0; });
    if (read == (p.open == not_open)) return;
    if (!read) p.open = now;
    else close(name, p, now, journal);
    read_ += read ? 1 : -1;
    if (read_ == 0) all_open_ = now;
    else if (all_open_ != not_open) {
      cost_.all_stopped += now - all_open_;
      all_open_ = not_open;
    }
  }
  void close(std::uint32_t name, Place& p, Time now, const Journal& journal) {
    const Duration lasts = now - p.open;
    cost_.stopped += lasts;
    if (lasts > cost_.longest.lasts) cost_.longest = {journal.names.text(name), p.open, lasts};
    p.open = not_open;
  }

  GroupCost& cost_;
  std::map<std::uint32_t, Place> places_;  // by name
  std::set<NodeId> paused_;
  int read_ = 0;                           // places that somebody reads
  Time all_open_ = not_open;
};

// What the group has to read and what it got.
class Backlog {
 public:
  explicit Backlog(GroupCost& cost) : cost_(cost) {}

  // The first position that was given or, without one, delivered: what lies before it was never to be read.
  void begins(std::uint32_t place, std::int64_t position) {
    if (position >= 0) starts_.try_emplace(place, position);
  }
  void acknowledged(const Op& op) {
    const auto start = starts_.find(op.place);
    if (start != starts_.end() && op.position >= 0 && op.position < start->second) return;
    Record& r = records_[op.message];
    if (!std::exchange(r.acknowledged, true) && !r.delivered) ++cost_.lag_end;
  }
  void delivered(const Op& op, Time sent) {
    Record& r = records_[op.message];
    if (std::exchange(r.delivered, true)) {
      ++cost_.again;
      return;
    }
    ++cost_.delivered;
    if (r.acknowledged) --cost_.lag_end;
    if (sent != not_open) latencies_.push_back(op.time - sent);
  }
  // From the group's beginning on: what had waited until then is part of it.
  void note() { cost_.lag_max = std::max(cost_.lag_max, cost_.lag_end); }
  void finish() {
    if (latencies_.empty()) return;
    std::sort(latencies_.begin(), latencies_.end());
    cost_.latency_p50 = percentile(latencies_, 50);
    cost_.latency_p99 = percentile(latencies_, 99);
  }

 private:
  struct Record {
    bool acknowledged = false;
    bool delivered = false;
  };
  GroupCost& cost_;
  std::map<std::uint32_t, std::int64_t> starts_;  // by place
  std::map<MessageId, Record> records_;
  std::vector<Duration> latencies_;
};

struct Group {
  GroupCost cost{};
  std::set<std::string> topics{};
  Ownership places{cost};
  Backlog backlog{cost};
  bool begun = false;

  Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
};

class Meter {
 public:
  Meter(const Journal& journal, const MeasureOptions& options) : journal_(journal), until_(options.until) {
    for (const std::string& name : options.rounds) rounds_.insert(journal.names.find(name));
    for (const char* name : {"killed", "power_lost", "stopped", "restarted"}) ends_.insert(journal.names.find(name));
    paused_ = journal.names.find("paused");
    resumed_ = journal.names.find("resumed");
  }

  std::vector<GroupCost> run() {
    find_groups();
    // Rows and marks in the order of time. At one instant rows come first: what a process did then, it did before its
    // death; after a restart nothing is given to it in the same instant.
    std::size_t m = 0;
    for (const Op& op : journal_.ops) {
      if (op.time > until_) break;
      for (; m < journal_.marks.size() && journal_.marks[m].time < op.time; ++m) on_mark(journal_.marks[m]);
      on_row(op);
    }
    for (; m < journal_.marks.size() && journal_.marks[m].time <= until_; ++m) on_mark(journal_.marks[m]);
    const Time end = until_ == time_max ? now_ : until_;
    std::vector<GroupCost> out;
    for (Group* g : order_) {
      g->places.finish(end, journal_);
      g->backlog.finish();
      out.push_back(g->cost);
    }
    return out;
  }

 private:
  void find_groups() {
    for (const Op& op : journal_.ops) {
      if (op.time > until_) break;
      if (op.kind == OpKind::assign && of_member(op)) {
        Group& g = groups_[op.subscription];
        if (g.topics.empty()) order_.push_back(&g);
        g.cost.group = journal_.names.text(op.subscription);
        g.topics.insert(topic_of(journal_.names.text(op.place)));
        g.backlog.begins(op.place, op.position);
      } else if (op.kind == OpKind::deliver) {
        if (const auto g = groups_.find(op.subscription); g != groups_.end()) g->second.backlog.begins(op.place, op.position);
      }
    }
  }

  void on_row(const Op& op) {
    now_ = op.time;
    const bool acknowledged = op.kind == OpKind::send && op.outcome == Outcome::ok;
    if (op.kind == OpKind::send && op.outcome == Outcome::invoke) sent_.try_emplace(op.message, op.time);
    if (acknowledged || of_member(op)) know(op.place);
    if (acknowledged) {
      for (Group* g : order_) {
        if (g->topics.count(topic_of(journal_.names.text(op.place))) == 0) continue;
        g->backlog.acknowledged(op);
        if (g->begun) g->backlog.note();
      }
      return;
    }
    if (op.kind != OpKind::deliver && !of_member(op)) return;
    const auto found = groups_.find(op.subscription);
    if (found == groups_.end()) return;
    Group& g = found->second;
    if (op.kind == OpKind::assign) {
      begin(g, op.time);
      g.places.give(op.place, op.process, op.time, journal_);
    } else if (op.kind == OpKind::revoke) {
      if (g.begun) g.places.take(op.place, op.process, op.time, journal_);
    } else {
      const auto sent = sent_.find(op.message);
      g.backlog.delivered(op, sent == sent_.end() ? not_open : sent->second);
    }
  }

  void on_mark(const Mark& m) {
    now_ = std::max(now_, m.time);
    if (m.name == 0) return;
    if (ends_.count(m.name) != 0) {
      for (Group* g : order_) g->places.died(m.node, m.time, journal_);
    } else if (m.name == paused_ || m.name == resumed_) {
      for (Group* g : order_) g->places.pause(m.node, m.name == paused_, m.time, journal_);
    } else if (rounds_.count(m.name) != 0) {
      for (Group* g : order_)
        if (journal_.names.text(m.place) == g->cost.group) ++g->cost.rounds;
    }
  }

  // A place shows itself by its first row, and from then on somebody should read it.
  void know(std::uint32_t place) {
    if (!known_.insert(place).second) return;
    known_order_.push_back(place);
    for (Group* g : order_)
      if (g->begun) add(*g, place);
  }
  void begin(Group& g, Time now) {
    if (std::exchange(g.begun, true)) return;
    g.cost.since = now;
    g.backlog.note();
    for (const std::uint32_t place : known_order_) add(g, place);
  }
  void add(Group& g, std::uint32_t place) {
    if (g.topics.count(topic_of(journal_.names.text(place))) != 0 && !g.places.has(place)) g.places.add(place, now_);
  }

  const Journal& journal_;
  const Time until_;
  Time now_ = 0;
  std::set<std::uint32_t> rounds_, ends_;  // names of marks
  std::uint32_t paused_ = 0, resumed_ = 0;
  std::map<std::uint32_t, Group> groups_;
  std::vector<Group*> order_;
  std::set<std::uint32_t> known_;          // places
  std::vector<std::uint32_t> known_order_;
  std::map<MessageId, Time> sent_;
};

}  // namespace

std::vector<GroupCost> measure_groups(const Journal& journal, const MeasureOptions& options) { return Meter(journal, options).run(); }

Duration percentile(const std::vector<Duration>& sorted, unsigned percent) {
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[rank == 0 ? 0 : rank - 1];
}

}  // namespace mqlab
