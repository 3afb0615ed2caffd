// tests/kafka/group_schedule.h: a story about a consumer group, drawn from one number.
//
// Three brokers, min_insync=2 for records and for positions, so that nothing acknowledged is lost within what is drawn.
// Members join, leave in good order, die and come back, are paused for less or more than their session, with or without
// their library, which may be longer than max.poll.interval; but a batch fits into that, or they would never come to rest
// (museum C07). The coordinator and leaders are moved, killed, cut off. Members commit after processing (the
// library inside a later poll, one thread). What must hold is in group_schedules_test.cpp.
//
// Always true: the same number gives the same story; a setting changes nothing else in it.
#pragma once

#include "tests/kafka/random_schedule.h"

namespace mqlab::kafka {

namespace schedule_parts {

class GroupFaults {
 public:
  GroupFaults(Random& r, Time from, Time to) : r_(r), from_(from), to_(to) {
    for (bool& kind : in_play_) kind = r_.chance({1, 2});
  }

  void draw(std::vector<PlannedFault>& out) {
    for (int tries = 0; tries < 20; ++tries) {
      const auto kind = r_.below(kinds);
      if (!in_play_[kind] && tries < 19) continue;
      one(kind, r_.between(from_, to_), out);
      return;
    }
  }

 private:
  static constexpr std::uint64_t kinds = 12;

  std::string member() { return "K" + std::to_string(1 + r_.below(4)); }
  std::string coordinator() {
    static const char* const all[] = {"leader __consumer_offsets/0", "leader __consumer_offsets/0", "B1", "B2", "B3", "leader orders/0"};
    return all[r_.below(6)];
  }
  Duration short_time() { return r_.between(1_ms, 3_s); }
  Duration some_time() { return r_.chance({1, 2}) ? short_time() : r_.between(3_s, 25_s); }

  void one(std::uint64_t kind, Time when, std::vector<PlannedFault>& out) {
    switch (kind) {
      case 0: out.push_back(fault(FaultKind::kill, when, {{member()}}, some_time())); return;
      case 1: out.push_back(fault(FaultKind::stop, when, {{member()}}, some_time())); return;
      case 2: out.push_back(fault(FaultKind::pause, when, {{member()}}, some_time())); return;
      case 3: out.push_back(fault(FaultKind::partition, when, {{member()}, {"B1", "B2", "B3"}}, some_time())); return;
      case 4: out.push_back(fault(FaultKind::one_way, when, {{member()}, {coordinator()}}, some_time())); return;
      case 5: out.push_back(fault(FaultKind::kill, when, {{coordinator()}}, some_time())); return;
      case 6: out.push_back(fault(FaultKind::pause, when, {{coordinator()}}, some_time())); return;
      case 7: {
        PlannedFault p = fault(FaultKind::command, when, {{"controller"}});
        p.fault.verb = "elect";
        p.fault.argument = "__consumer_offsets/0 B" + std::to_string(1 + r_.below(3));
        out.push_back(p);
        return;
      }
      case 8: {
        static const char* const messages[] = {"JoinGroup", "JoinGroupReply", "SyncGroup", "SyncGroupReply", "GroupHeartbeat", "GroupHeartbeatReply", "OffsetCommit",
                                               "OffsetCommitReply", "OffsetFetchReply", "LeaveGroup", "ConsumerGroupHeartbeat", "ConsumerGroupHeartbeatReply"};
        PlannedFault p = fault(r_.chance({1, 2}) ? FaultKind::delay : FaultKind::drop, when, {});
        p.fault.message = messages[r_.below(12)];
        p.fault.nth = 1 + r_.below(3);
        if (p.fault.kind == FaultKind::delay) p.fault.amount = some_time();
        out.push_back(p);
        return;
      }
      case 9: out.push_back(fault(FaultKind::reset_streams, when, {{member()}, {coordinator()}})); return;
      case 10: out.push_back(fault(FaultKind::isolate, when, {{coordinator()}}, some_time())); return;
      case 11: out.push_back(fault(FaultKind::pause_application, when, {{member()}}, some_time())); return;
      default: return;
    }
  }

  Random& r_;
  Time from_, to_;
  bool in_play_[kinds] = {};
};

}  // namespace schedule_parts

inline Scenario group_schedule(const Model& model, std::uint64_t seed, const std::vector<Setting>& settings = {}, const std::string& profile = "4.3") {
  using namespace schedule_parts;
  Random r(seed, Stream::scenario);
  Scenario s;
  s.path = "random group schedule " + std::to_string(seed);
  s.model = "kafka";
  const Duration load = r.between(5_s, 40_s);
  s.run_for = load + 30_s;
  Deployment& d = s.deployment;
  d.profile = profile;
  const Duration session = r.between(6_s, 15_s);
  d.cluster = options(model, profile, "cluster",
                      {{"brokers", Value{std::int64_t{3}}},
                       {"controllers", Value{std::int64_t{1}}},
                       {"min_insync", Value{std::int64_t{2}}},
                       {"session_timeout", Value{r.between(2_s, 6_s)}},
                       {"heartbeat_interval", Value{r.between(100_ms, 500_ms)}},
                       {"replica_lag_max", Value{r.between(1_s, 6_s)}},
                       {"replica_fetch_wait", Value{r.between(50_ms, 500_ms)}},
                       {"replica_fetch_backoff", Value{r.between(50_ms, 1_s)}},
                       {"offsets_partitions", Value{std::int64_t{1}}},
                       {"group_initial_rebalance_delay", Value{r.between(0, 3_s)}},
                       {"group_load_time", Value{r.between(1_ms, 2_s)}},
                       {"consumer_session_timeout", Value{session}},
                       {"consumer_heartbeat_interval", Value{r.between(500_ms, 3_s)}},
                       {"request_timeout", Value{r.between(2_s, 6_s)}}});
  TopicSpec topic;
  topic.name = "orders";
  topic.options = options(model, profile, "topic", {{"partitions", Value{r.between(1, 5)}}, {"replicas", Value{std::int64_t{3}}}});
  d.topics.push_back(topic);
  const std::int64_t records = r.between(40, 200);
  ClientSpec p;
  p.name = "P1";
  p.role = "producer";
  p.options = options(model, profile, "producer",
                      {{"topic", Value{std::string("orders")}}, {"acks", Value{std::string("all")}}, {"records", Value{records}}, {"every", Value{load / records}},
                       {"keys", Value{std::int64_t{7}}}, {"request_timeout", Value{r.between(1_s, 8_s)}}, {"delivery_timeout", Value{r.between(60_s, 120_s)}}});
  d.clients.push_back(std::move(p));
  static const char* const assignors[] = {"range", "roundrobin", "sticky", "cooperative-sticky", "cooperative-sticky"};
  const std::string assignor = assignors[r.below(5)];
  const bool some_static = r.chance({1, 4});
  const Duration poll_interval = r.between(6_s, 60_s);
  const std::int64_t members = r.between(1, 4);
  for (std::int64_t i = 1; i <= 4; ++i) {
    const Duration work = r.chance({1, 2}) ? 0 : r.between(1_ms, 100_ms);
    const std::int64_t a_poll = work == 0 ? 100 : std::min<std::int64_t>(100, poll_interval * 3 / 4 / work);
    ClientSpec c;
    c.name = "K" + std::to_string(i);
    c.role = "consumer";
    c.options = options(model, profile, "consumer",
                        {{"topics", Value{std::string("orders")}},
                         {"group", Value{std::string("readers")}},
                         {"assignors", Value{assignor}},
                         {"instance", Value{some_static && r.chance({1, 2}) ? "s" + std::to_string(i) : std::string()}},
                         {"auto_offset_reset", Value{std::string("earliest")}},
                         {"session_timeout", Value{session}},
                         {"group_heartbeat", Value{r.between(500_ms, 3_s)}},
                         {"max_poll_interval", Value{poll_interval}},
                         {"auto_commit_interval", Value{r.between(100_ms, 5_s)}},
                         {"work", Value{work}},
                         {"max_poll_records", Value{r.between(1, a_poll)}},
                         {"start_at", Value{i <= members ? std::int64_t{0} : r.between(1_s, load)}},
                         {"request_timeout", Value{r.between(1_s, 8_s)}},
                         {"metadata_max_age", Value{r.between(1_s, 60_s)}}});
    d.clients.push_back(std::move(c));
  }
  GroupFaults faults(r, 1_s, load + 2_s);
  const auto count = 1 + r.below(8);
  for (std::uint64_t i = 0; i < count; ++i) faults.draw(s.faults);
  for (const Setting& set : settings)
    if (const auto error = apply_setting(model, d, set)) throw std::logic_error(*error);
  return s;
}

}  // namespace mqlab::kafka
