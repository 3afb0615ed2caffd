// tests/kafka/random_schedule.h: a story drawn from one number, within what a replicated log promises.
//
// Three brokers, acks=all, min_insync=2, idempotent producers. Loads, timeouts, and faults are drawn: cuts, kills,
// pauses, held and lost messages, moved leaders, jumping clocks; power is lost by one machine only, as often as drawn.
// Each story first draws which kinds of faults it has at all (swarm testing, Groce et al. 2012), since a story with
// everything in it seldom gets deep into anything.
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

// Draws faults one by one.
class Faults {
 public:
  Faults(Random& r, Time from, Time to) : r_(r), from_(from), to_(to) {
    if (r_.chance({1, 2})) victim_ = broker();
    for (bool& kind : in_play_) kind = r_.chance({1, 3});
  }

  // Adds one fault, with what undoes it.
  void draw(std::vector<PlannedFault>& out) {
    const Time when = r_.between(from_, to_);
    for (int tries = 0; tries < 20; ++tries) {
      const auto kind = r_.below(kinds);
      if (!in_play_[kind] && tries < 19) continue;
      one(kind, when, out);
      return;
    }
  }

 private:
  static constexpr std::uint64_t kinds = 14;

  std::string broker() { return "B" + std::to_string(1 + r_.below(3)); }
  std::string anybody() {
    static const char* const all[] = {"B1", "B2", "B3", "C1", "C2", "C3", "P1", "P2", "C", "controller", "leader orders/0", "follower orders/0"};
    return all[r_.below(12)];
  }
  std::string server() {
    static const char* const all[] = {"B1", "B2", "B3", "leader orders/0", "leader orders/0", "one broker", "controller", "C1"};
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
  // Short ones are many, long ones reach beyond the timeouts.
  Duration some_time() { return r_.chance({1, 3}) ? r_.between(3_s, 20_s) : r_.between(1_ms, 2_s); }

  PlannedFault fault(FaultKind kind, Time when, std::vector<std::vector<Target>> groups, Duration duration = 0) {
    PlannedFault p;
    p.fault.kind = kind;
    p.fault.groups = std::move(groups);
    p.fault.duration = duration;
    p.trigger.after = when;
    return p;
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
        PlannedFault p = fault(FaultKind::hold, when, {{anybody()}, {server()}});
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
        PlannedFault p = fault(r_.chance({1, 2}) ? FaultKind::delay : FaultKind::drop, when, {{server()}, {anybody()}});
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
      default: return;
    }
  }

  Random& r_;
  Time from_, to_;
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
  s.run_for = r.between(30_s, 60_s);
  Deployment& d = s.deployment;
  d.profile = profile;
  d.cluster = options(model, profile, "cluster",
                      {{"brokers", Value{std::int64_t{3}}},
                       {"controllers", Value{std::int64_t{3}}},
                       {"min_insync", Value{std::int64_t{2}}},
                       {"session_timeout", Value{r.between(1_s, 9_s)}},
                       {"heartbeat_interval", Value{r.between(200_ms, 900_ms)}},
                       {"replica_lag_max", Value{r.between(1_s, 10_s)}},
                       {"replica_fetch_wait", Value{r.between(50_ms, 500_ms)}},
                       {"hw_checkpoint_interval", Value{r.between(100_ms, 5_s)}},
                       {"leader_rebalance_interval", Value{r.chance({1, 2}) ? std::int64_t{0} : r.between(2_s, 20_s)}},
                       {"request_timeout", Value{r.between(1_s, 10_s)}}});
  TopicSpec topic;
  topic.name = "orders";
  topic.options = options(model, profile, "topic", {{"partitions", Value{r.between(1, 2)}}, {"replicas", Value{std::int64_t{3}}}});
  d.topics.push_back(topic);
  for (int i = 1; i <= 2; ++i) {
    ClientSpec c;
    c.name = "P" + std::to_string(i);
    c.role = "producer";
    c.options = options(model, profile, "producer",
                        {{"topic", Value{std::string("orders")}},
                         {"acks", Value{std::string("all")}},
                         {"records", Value{r.between(20, 120)}},
                         {"every", Value{r.between(5_ms, 250_ms)}},
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
  Faults faults(r, 1_s, s.run_for - 5_s);
  const auto count = 2 + r.below(9);
  for (std::uint64_t i = 0; i < count; ++i) faults.draw(s.faults);
  for (const Setting& set : switches)
    if (const auto error = apply_setting(model, d, set)) throw std::logic_error(*error);
  return s;
}

}  // namespace mqlab::kafka
