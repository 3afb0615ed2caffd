// tests/kafka/random_schedule.h: a story drawn from one number, within what a replicated log promises.
//
// Three brokers, acks=all, min_insync=2, idempotent producers. Loads, timeouts, and faults are drawn: cuts, kills,
// pauses, held and lost messages, moved leaders, jumping clocks. Either every broker may be killed, or one broker may be
// killed and lose power, as often as drawn: that is what min_insync=2 endures. Half of the stories have links that take
// up to a second; half have their faults in quick succession, or when something happens inside (a leader is elected, the
// n-th AlterPartition is sent). Each story first draws which kinds of faults it has at all (swarm testing, Groce et al.
// 2012), since a story with everything in it seldom gets deep into anything. Two in ten are told on
// purpose: a request that waits, leaders that go while a follower joins.
//
// Always true: the same number gives the same story; switching a rule of the protocol changes nothing else in it.
//
//     Scenario s = random_schedule(model, 7, {{"truncation", Value{std::string("hw")}}});
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/kernel/random.h"
#include "sim/lab/run.h"

namespace mqlab::kafka {

namespace schedule_parts {

using namespace mqlab::literals;

inline Options options(const Model& model, const std::string& profile, const char* scope, const std::vector<std::pair<std::string, Value>>& values) {
  const std::vector<OptionDecl> decls = all_options(model.decl());
  Options o = *profile_defaults(model.decl(), profile, scope);
  for (const auto& [name, value] : values)
    if (const auto error = o.set(decls, scope, name, value)) throw std::logic_error(*error);
  return o;
}

inline PlannedFault fault(FaultKind kind, Time when, std::vector<std::vector<Target>> groups, Duration duration = 0) {
  PlannedFault p;
  p.fault.kind = kind;
  p.fault.groups = std::move(groups);
  p.fault.duration = duration;
  p.trigger.after = when;
  return p;
}

// Draws faults one by one.
class Faults {
 public:
  Faults(Random& r, Time from, Time to) : r_(r), from_(from), to_(to), last_(r.between(from, to)) {
    if (r_.chance({1, 2})) victim_ = broker();
    bursts_ = r_.chance({1, 2});
    for (bool& kind : in_play_) kind = r_.chance({1, 3});
  }

  // Adds one fault, with what undoes it.
  void draw(std::vector<PlannedFault>& out) {
    // Soon after the one before, from microseconds to a second.
    last_ = bursts_ && r_.chance({3, 4}) ? std::min(to_, last_ + soon()) : r_.between(from_, to_);
    const std::size_t first = out.size();
    for (int tries = 0; tries < 20; ++tries) {
      const auto kind = r_.below(kinds);
      if (!in_play_[kind] && tries < 19) continue;
      one(kind, last_, out);
      break;
    }
    if (bursts_ && out.size() > first && out[first].trigger.on == Trigger::On::time && r_.chance({1, 2})) happen(out, first);
  }

  // A request of a leader waits on its way, and one broker meanwhile loses power, comes back, and hears nothing from the
  // others for a while. Then the leader goes.
  void request_waits(std::vector<PlannedFault>& out) {
    if (victim_.empty()) victim_ = broker();
    // Before that it leaves, so that there is something to ask for.
    out.push_back(fault(FaultKind::isolate, r_.between(2_s, 6_s), {{victim_}}, r_.between(3_s, 9_s)));
    Trigger asked;
    asked.on = Trigger::On::message_sent;
    asked.name = "AlterPartition";
    asked.nth = 1 + r_.below(6);
    PlannedFault hold = fault(FaultKind::hold, 1_s, {});
    hold.fault.message = asked.name;
    hold.fault.nth = asked.nth;
    hold.fault.label = "request";
    out.push_back(hold);
    const auto then = [&](PlannedFault p, Duration after) {
      p.trigger = asked;
      p.trigger.after = after;
      out.push_back(p);
    };
    const Duration lost = soon();
    then(fault(FaultKind::power, 0, {{victim_}}, r_.between(1_ms, 3_s)), lost);
    std::vector<Target> others;
    for (const char* other : {"B1", "B2", "B3"})
      if (victim_ != other) others.push_back(other);
    then(fault(FaultKind::partition, 0, {{victim_}, others}, r_.between(5_s, 20_s)), lost);
    PlannedFault release = fault(FaultKind::release, 0, {});
    release.fault.label = "request";
    const Duration arrives = lost + r_.between(1_s, 15_s);
    then(release, arrives);
    for (const std::string& who : others)
      if (r_.chance({3, 4})) then(fault(r_.chance({1, 2}) ? FaultKind::pause : FaultKind::isolate, 0, {{who}}, r_.between(5_s, 20_s)), arrives + soon());
  }

  // A follower falls out and comes back over slow links, the leader goes before it has confirmed what it has, and the next
  // leader goes when the follower has joined.
  void leaders_go(std::vector<PlannedFault>& out) {
    victim_.clear();
    const bool second = r_.chance({1, 2});
    const Target next = second ? "B2" : "B3", follower = second ? "B3" : "B2";
    const auto slow = [&](const Target& from, const Target& to) {
      PlannedFault p = fault(FaultKind::latency, 1_s, {{from}, {to}});
      p.fault.amount = r_.between(200_ms, 4_s);
      out.push_back(p);
    };
    slow("B1", next);
    slow(follower, "B1");
    slow(next, follower);
    const PlannedFault out_of_sight = fault(FaultKind::isolate, r_.between(2_s, 6_s), {{follower}}, r_.between(3_s, 9_s));
    out.push_back(out_of_sight);
    out.push_back(fault(FaultKind::kill, out_of_sight.trigger.after + out_of_sight.fault.duration + r_.between(0, 6_s), {{"B1"}}, r_.between(5_s, 20_s)));
    PlannedFault last = fault(FaultKind::kill, r_.chance({1, 2}) ? 0 : soon(), {{next}}, r_.between(5_s, 20_s));
    last.trigger.on = Trigger::On::mark;
    last.trigger.name = "isr_expanded";
    last.trigger.nth = 1 + r_.below(2);
    out.push_back(last);
  }

  // Perhaps something that lasts for the whole story.
  void surroundings(std::vector<PlannedFault>& out) {
    if (r_.chance({1, 2})) slow_links(out);
  }

 private:
  static constexpr std::uint64_t kinds = 17;

  std::string broker() { return "B" + std::to_string(1 + r_.below(3)); }
  std::string anybody() {
    static const char* const all[] = {"B1", "B2", "B3", "C1", "C2", "C3", "P1", "P2", "C", "controller", "leader orders/0", "follower orders/0"};
    return all[r_.below(12)];
  }
  std::string server() {
    static const char* const all[] = {"B1", "B2", "B3", "leader orders/0", "leader orders/0", "leader orders/1", "follower orders/0", "controller"};
    return all[r_.below(8)];
  }
  std::string mortal() {
    if (!victim_.empty()) return victim_;
    static const char* const controllers[] = {"controller", "C1", "C2", "C3"};
    return r_.chance({1, 4}) ? controllers[r_.below(4)] : server();
  }
  std::string message() {
    static const char* const all[] = {"Fetch", "FetchReply", "AlterPartition", "AlterPartitionReply", "QuorumFetchReply", "Produce", "ProduceReply",
                                      "BrokerHeartbeat", "BrokerRegistration", "Metadata", "MetadataReply", "OffsetForLeaderEpochReply"};
    return all[r_.below(12)];
  }
  // Between whom a message is met; mostly between any two.
  std::vector<std::vector<Target>> ends() {
    if (r_.chance({2, 3})) return {};
    return r_.chance({1, 2}) ? std::vector<std::vector<Target>>{{server()}, {anybody()}} : std::vector<std::vector<Target>>{{anybody()}, {server()}};
  }
  // Short ones are many, long ones reach beyond the timeouts.
  Duration some_time() { return r_.chance({1, 3}) ? r_.between(2_s, 10_s) : r_.between(1_ms, 2_s); }

  Duration soon() {
    Duration longest = 1_s;
    for (auto halvings = r_.below(16); halvings > 0; --halvings) longest /= 2;
    return r_.between(1, longest);
  }

  // These faults come when something happens instead, with the distances between them kept.
  void happen(std::vector<PlannedFault>& out, std::size_t first) {
    static const char* const marks[] = {"leader_elected", "isr_shrunk", "isr_expanded", "isr_expanded", "broker_fenced", "broker_unfenced", "log_truncated", "restarted"};
    static const char* const messages[] = {"Fetch", "FetchReply", "AlterPartition", "AlterPartition", "AlterPartitionReply", "AlterPartitionReply", "BrokerRegistration", "Produce"};
    Trigger trigger;
    const auto which = r_.below(3);
    trigger.on = which == 0 ? Trigger::On::mark : which == 1 ? Trigger::On::message_sent : Trigger::On::message_delivered;
    trigger.name = which == 0 ? marks[r_.below(8)] : messages[r_.below(8)];
    const bool often = trigger.name == "Fetch" || trigger.name == "FetchReply" || trigger.name == "Produce";
    trigger.nth = 1 + r_.below(often ? 200 : 5);
    const Time base = out[first].trigger.after;
    const Duration delay = r_.chance({1, 2}) ? 0 : soon();
    for (std::size_t i = first; i < out.size(); ++i) {
      const Duration after = out[i].trigger.after - base + delay;
      out[i].trigger = trigger;
      out[i].trigger.after = after;
    }
  }

  // What takes a millisecond on a good network takes up to a second here: windows that faults seldom hit grow wide.
  void slow_links(std::vector<PlannedFault>& out) {
    static const char* const servers[] = {"B1", "B2", "B3", "C1", "C2", "C3"};
    for (const char* from : servers)
      for (const char* to : servers) {
        if (from == to || (*from == 'C' && *to == 'C') || !r_.chance({1, 2})) continue;
        PlannedFault p = fault(FaultKind::latency, 1_s, {{from}, {to}});
        p.fault.amount = 1_s >> r_.below(10);
        out.push_back(p);
      }
  }

  void one(std::uint64_t kind, Time when, std::vector<PlannedFault>& out) {
    switch (kind) {
      case 0: {  // one broker cut off, with or without the clients and the controllers
        const std::string who = server();
        std::vector<std::vector<Target>> groups{{who}};
        if (r_.chance({1, 2})) groups[0].push_back("P1");
        if (r_.chance({1, 4})) groups[0].push_back("C1");
        out.push_back(fault(FaultKind::partition, when, groups, some_time()));
        return;
      }
      case 1: out.push_back(fault(FaultKind::one_way, when, {{server()}, {anybody()}}, some_time())); return;
      case 2: out.push_back(fault(FaultKind::kill, when, {{mortal()}}, some_time())); return;
      case 3: out.push_back(fault(victim_.empty() ? FaultKind::kill : FaultKind::power, when, {{mortal()}}, some_time())); return;
      case 4: out.push_back(fault(FaultKind::pause, when, {{server()}}, some_time())); return;
      case 5: {
        PlannedFault p = fault(FaultKind::slow, when, {{server()}}, some_time());
        p.fault.ratio = {static_cast<std::uint64_t>(r_.between(10, 1'000)), 1};
        out.push_back(p);
        return;
      }
      case 6: {
        PlannedFault p = fault(FaultKind::hold, when, ends());
        p.fault.message = message();
        p.fault.nth = 1 + r_.below(3);
        p.fault.label = "h" + std::to_string(out.size());
        PlannedFault release = fault(FaultKind::release, when + some_time(), {});
        release.fault.label = p.fault.label;
        out.push_back(p);
        out.push_back(release);
        return;
      }
      case 7: {
        PlannedFault p = fault(r_.chance({1, 2}) ? FaultKind::delay : FaultKind::drop, when, ends());
        p.fault.message = message();
        p.fault.nth = 1 + r_.below(3);
        if (p.fault.kind == FaultKind::delay) p.fault.amount = some_time();
        out.push_back(p);
        return;
      }
      case 8: {
        PlannedFault p = fault(FaultKind::command, when, {{"controller"}});
        p.fault.verb = "elect";
        p.fault.argument = "orders/0 " + broker();
        const auto times = 1 + r_.below(3);
        for (std::uint64_t i = 0; i < times; ++i) {
          out.push_back(p);
          p.trigger.after += some_time();
          p.fault.argument = "orders/0 " + broker();
        }
        return;
      }
      case 9: out.push_back(fault(FaultKind::stop, when, {{server()}}, some_time())); return;
      case 10: out.push_back(fault(FaultKind::reset_streams, when, {{server()}, {anybody()}})); return;
      case 11: out.push_back(fault(FaultKind::disk_stall, when, {{server()}}, some_time())); return;
      case 12: {
        PlannedFault p = fault(FaultKind::latency, when, {{server()}, {anybody()}}, some_time());
        p.fault.amount = r_.between(1_ms, 3_s);
        out.push_back(p);
        return;
      }
      case 13: {
        PlannedFault p = fault(FaultKind::clock_jump, when, {{server()}});
        p.fault.amount = r_.between(-100_s, 100_s);
        out.push_back(p);
        return;
      }
      case 14: {  // one broker after the other goes, the first comes back before the last is gone, or not
        std::vector<std::string> order{"B1", "B2", "B3"};
        for (std::size_t i = 0; i < 2; ++i) std::swap(order[i], order[i + r_.below(3 - i)]);
        static constexpr FaultKind ways[] = {FaultKind::pause, FaultKind::isolate, FaultKind::stop, FaultKind::kill};
        Time at = when;
        for (const std::string& who : order) {
          FaultKind way = ways[r_.below(4)];
          if (way == FaultKind::kill && !victim_.empty()) way = who == victim_ ? FaultKind::power : FaultKind::pause;
          out.push_back(fault(way, at, {{who}}, r_.between(1_s, 12_s)));
          at += r_.chance({1, 3}) ? soon() : r_.between(100_ms, 6_s);
        }
        return;
      }
      case 15: {  // a message waits while somebody ends and comes back
        PlannedFault p = fault(FaultKind::hold, when, ends());
        p.fault.message = r_.chance({1, 2}) ? "AlterPartition" : message();
        p.fault.nth = 1 + r_.below(3);
        p.fault.label = "h" + std::to_string(out.size());
        const Duration wait = r_.between(10_ms, 10_s);
        PlannedFault release = fault(FaultKind::release, when + wait, {});
        release.fault.label = p.fault.label;
        out.push_back(p);
        out.push_back(fault(victim_.empty() ? FaultKind::kill : FaultKind::power, when + r_.between(1, wait), {{mortal()}}, r_.between(1, wait)));
        out.push_back(release);
        return;
      }
      case 16: {  // a leader goes at the moment when its followers change
        static const char* const moments[] = {"isr_expanded", "isr_expanded", "isr_shrunk", "log_truncated"};
        const std::string who = r_.chance({1, 2}) ? "leader orders/0" : "leader orders/1";
        PlannedFault p = fault(FaultKind::pause, r_.chance({1, 2}) ? 0 : soon(), {{who}}, r_.between(2_s, 12_s));
        if (r_.chance({1, 3})) p.fault.kind = FaultKind::isolate;
        else if (victim_.empty() && r_.chance({1, 2})) p.fault.kind = FaultKind::kill;
        p.trigger.on = Trigger::On::mark;
        p.trigger.name = moments[r_.below(4)];
        p.trigger.nth = 1 + r_.below(6);
        out.push_back(p);
        return;
      }
      default: return;
    }
  }

  Random& r_;
  Time from_, to_;
  Time last_;
  bool bursts_ = false;
  std::string victim_;  // the one broker that may lose power; empty: none may, and all may be killed
  bool in_play_[kinds] = {};
};

}  // namespace schedule_parts

// `switches`: options of the cluster, of every producer, or of every consumer, as a case's `set` has them.
inline Scenario random_schedule(const Model& model, std::uint64_t seed, const std::vector<Setting>& switches = {}, const std::string& profile = "4.3") {
  using namespace schedule_parts;
  Random r(seed, Stream::scenario);
  Scenario s;
  s.path = "random schedule " + std::to_string(seed);
  s.model = "kafka";
  const bool rare = seed % 5 == 0;  // two stories in ten are of kinds that chance would hardly ever tell
  const Duration load = r.between(2_s, 20_s);  // faults come while records do
  s.run_for = load + 20_s;
  Deployment& d = s.deployment;
  d.profile = profile;
  d.cluster = options(model, profile, "cluster",
                      {{"brokers", Value{std::int64_t{3}}},
                       {"controllers", Value{std::int64_t{3}}},
                       {"min_insync", Value{std::int64_t{2}}},
                       {"session_timeout", Value{r.between(2_s, 6_s)}},
                       {"heartbeat_interval", Value{r.between(100_ms, 500_ms)}},
                       {"replica_lag_max", Value{r.between(1_s, 6_s)}},
                       {"replica_fetch_wait", Value{r.between(50_ms, 500_ms)}},
                       {"hw_checkpoint_interval", Value{r.between(100_ms, 5_s)}},
                       {"leader_rebalance_interval", Value{r.chance({1, 2}) ? std::int64_t{0} : r.between(2_s, 20_s)}},
                       {"replica_fetch_backoff", Value{r.between(50_ms, 1_s)}},
                       {"first_sequence_zero", Value{true}},
                       {"request_timeout", Value{rare ? r.between(10_s, 30_s) : r.between(2_s, 6_s)}}});
  TopicSpec topic;
  topic.name = "orders";
  topic.options = options(model, profile, "topic", {{"partitions", Value{r.between(1, 2)}}, {"replicas", Value{std::int64_t{3}}}});
  d.topics.push_back(topic);
  for (int i = 1; i <= 2; ++i) {
    const std::int64_t records = r.between(20, 120);
    ClientSpec c;
    c.name = "P" + std::to_string(i);
    c.role = "producer";
    c.options = options(model, profile, "producer",
                        {{"topic", Value{std::string("orders")}},
                         {"acks", Value{std::string("all")}},
                         {"records", Value{records}},
                         {"every", Value{load / records}},
                         {"keys", Value{r.between(0, 3)}},
                         {"request_timeout", Value{r.between(1_s, 8_s)}},
                         {"delivery_timeout", Value{r.between(10_s, 120_s)}},
                         {"max_in_flight", Value{r.between(1, 5)}},
                         {"metadata_max_age", Value{r.between(1_s, 60_s)}}});
    d.clients.push_back(std::move(c));
  }
  ClientSpec c;
  c.name = "C";
  c.role = "consumer";
  c.options = options(model, profile, "consumer",
                      {{"topics", Value{std::string("orders")}},
                       {"auto_offset_reset", Value{std::string("earliest")}},
                       {"request_timeout", Value{r.between(1_s, 8_s)}},
                       {"metadata_max_age", Value{r.between(1_s, 60_s)}}});
  d.clients.push_back(std::move(c));
  Faults faults(r, 1_s, load + 2_s);
  faults.surroundings(s.faults);
  if (seed % 10 == 0) faults.request_waits(s.faults);
  if (seed % 10 == 5) faults.leaders_go(s.faults);
  const auto count = rare ? r.below(3) : 2 + r.below(9);
  for (std::uint64_t i = 0; i < count; ++i) faults.draw(s.faults);
  for (const Setting& set : switches)
    if (const auto error = apply_setting(model, d, set)) throw std::logic_error(*error);
  return s;
}

}  // namespace mqlab::kafka
