// tests/kafka/cluster.h: a room for stories about one rule of a Kafka cluster at a time.
//
// A Lab is a real cluster (controllers, brokers, a client K) and a probe that speaks to any node in anybody's name: as a
// producer, as follower B3, as a broker that reports to the controller. Cut off the real B3's replication, and how far
// it has come is the test's to decide.
//
// Always true: every hop takes 1 ms, so times in a story are the protocol's own. Answers are compared in the trace's
// words (models/kafka/describe.cpp); "" is no answer, "closed" a connection that was closed instead.
// Elsewhere: a client between brokers that only do as told (client_lab.h).
//
//     Lab lab({.cluster = {{"min_insync", "2"}}});
//     EXPECT_EQ(lab.ask("B1", produce(1)), "#0 offset=0");
//     EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 1)), "#0 hw=0");
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/broker.h"
#include "models/kafka/client.h"
#include "models/kafka/controller.h"
#include "models/kafka/kafka.h"
#include "models/kafka/txn_messages.h"
#include "sim/lab/model.h"

namespace mqlab::kafka::testing {

using namespace mqlab::literals;
using Settings = std::vector<std::pair<std::string, std::string>>;  // option and its value, as the command line has it

inline std::string describe(MessageKind k, const PayloadRef& p) {
  for (const auto* all : {&message_declarations(), &group_message_declarations(), &txn_message_declarations()})
    for (const MessageDecl& d : *all)
      if (d.kind == k) return d.describe(*p);
  return "?";
}

inline Options options_of(const Model& m, const std::string& profile, const std::string& scope, const Settings& settings) {
  Options o = *profile_defaults(m.decl(), profile, scope);
  for (const auto& [name, text] : settings)
    if (const auto error = o.set_text(all_options(m.decl()), scope, name, text)) throw std::invalid_argument(*error);
  return o;
}

inline WorldOptions one_ms_hops() {
  WorldOptions w;
  w.link = {.latency = 1_ms, .spread = 0, .shape = LatencyShape::constant};
  return w;
}

// An application that asks when the test does, and keeps the answers.
struct Script : AppBase<Script> {
  std::vector<Answer> answers{};
  void on_answer(AppContext&, const Answer& a) override { answers.push_back(a); }
};

struct ScriptedClient {
  World& world;
  NodeId node;

  CallId call(Call c) const {
    Context context(world, node);
    return AppContext(context, world.node_as<Client>(node)).call(std::move(c));
  }
  CallId send(std::uint64_t message, std::int32_t partition = 0, std::uint32_t size = 100) const {
    Call c;
    c.kind = CallKind::send;
    c.place = world.journal.names.id("t");
    c.message = message;
    c.partition = partition;
    c.size = size;
    return call(c);
  }
  CallId ask(CallKind kind, const std::string& place, std::int64_t position = -1) const {
    Call c;
    c.kind = kind;
    c.place = world.journal.names.id(place);
    c.position = position;
    return call(c);
  }
  CallId poll(Duration timeout, std::uint32_t count = 0) const {
    Call c;
    c.kind = CallKind::poll;
    c.timeout = timeout;
    c.count = count;
    return call(c);
  }
  const std::vector<Answer>& answers() const { return static_cast<const Script&>(*world.node_as<Client>(node).app()).answers; }
  // "ok@3", "fail NOT_ENOUGH_REPLICAS", "info ..."; of a poll its messages as "7@0 8@1"; "" while there is none.
  std::string answer(CallId id) const {
    for (const Answer& a : answers()) {
      if (a.call != id) continue;
      std::string text = outcome_name(a.outcome);
      if (a.error) return text + " " + world.journal.names.text(a.error);
      if (a.kind != CallKind::poll) return a.position < 0 ? text : fmt::format("{}@{}", text, a.position);
      text.clear();
      for (const PolledMessage& m : a.messages) text += fmt::format("{}{}@{}", text.empty() ? "" : " ", m.message, m.position);
      return text.empty() ? "nothing" : text;
    }
    return "";
  }
};

// --- messages, as short as the stories need them: topic t, partition 0 unless told otherwise ---

inline Batch one_batch(int records, ProducerId id = no_producer_id, Sequence first = no_sequence, ProducerEpoch epoch = 0) {
  static std::uint64_t message = 0;
  std::vector<Record> all;
  for (int i = 0; i < records; ++i) all.push_back({.message = ++message, .size = 100});
  Batch b = make_batch(std::move(all));
  b.producer_id = id;
  b.base_sequence = first;
  if (id != no_producer_id) b.producer_epoch = epoch;
  return b;
}
inline ProduceRequest produce(std::int32_t acks, int records = 1, PartitionId p = 0, Duration timeout = 30_s) {
  ProduceRequest r;
  r.acks = acks;
  r.timeout = timeout;
  r.batches = {{p, one_batch(records)}};
  return r;
}
inline FetchRequest fetch_as(BrokerId replica, Offset from, LeaderEpoch epoch, LeaderEpoch last_epoch = no_leader_epoch, Duration wait = 0) {
  FetchRequest r;
  r.replica = replica;
  r.max_wait = wait;
  FetchPartition f;
  f.current_leader_epoch = epoch;
  f.fetch_offset = from;
  f.last_fetched_epoch = last_epoch;
  r.partitions = {f};
  return r;
}
inline FetchRequest consume(Offset from, LeaderEpoch epoch = no_leader_epoch, Duration wait = 0) { return fetch_as(no_broker, from, epoch, no_leader_epoch, wait); }
inline OffsetForLeaderEpoch end_of_epoch(LeaderEpoch epoch, LeaderEpoch current, BrokerId replica = no_broker) {
  OffsetForLeaderEpoch r;
  r.replica = replica;
  r.questions = {{0, current, epoch}};
  return r;
}
inline ListOffsets list_offsets(Time timestamp, LeaderEpoch current = no_leader_epoch) {
  ListOffsets r;
  r.questions = {{0, current, timestamp}};
  return r;
}

inline Kind kind_of(const ProduceRequest&) { return Kind::produce; }
inline Kind kind_of(const FetchRequest&) { return Kind::fetch; }
inline Kind kind_of(const OffsetForLeaderEpoch&) { return Kind::offset_for_leader_epoch; }
inline Kind kind_of(const ListOffsets&) { return Kind::list_offsets; }
inline Kind kind_of(const MetadataRequest&) { return Kind::metadata; }
inline Kind kind_of(const InitProducerId&) { return Kind::init_producer_id; }
inline Kind kind_of(const BrokerRegistrationRequest&) { return Kind::broker_registration; }
inline Kind kind_of(const BrokerHeartbeat&) { return Kind::broker_heartbeat; }
inline Kind kind_of(const AlterPartition&) { return Kind::alter_partition; }
inline Kind kind_of(const AlterPartitionReply&) { return Kind::alter_partition_reply; }
inline Kind kind_of(const AllocateProducerIds&) { return Kind::allocate_producer_ids; }
inline Kind kind_of(const OffsetFetch&) { return Kind::offset_fetch; }
inline Kind kind_of(const OffsetCommit&) { return Kind::offset_commit; }
inline Kind kind_of(const JoinGroup&) { return Kind::join_group; }
inline Kind kind_of(const FindCoordinator&) { return Kind::find_coordinator; }
inline Kind kind_of(const TxnOffsetCommit&) { return Kind::txn_offset_commit; }
inline Kind kind_of(const AddPartitionsToTxn&) { return Kind::add_partitions_to_txn; }
inline Kind kind_of(const AddOffsetsToTxn&) { return Kind::add_offsets_to_txn; }
inline Kind kind_of(const EndTxn&) { return Kind::end_txn; }
inline Kind kind_of(const WriteTxnMarkers&) { return Kind::write_txn_markers; }

struct Probe : NodeBase<Probe> {
  std::map<ConnId, std::vector<std::string>> answers{};
  void on_message(Context&, const Message& m) override { answers[m.connection].push_back(describe(m.kind, m.payload)); }
  void on_closed(Context&, ConnId c, NodeId, CloseReason) override { answers[c].push_back("closed"); }
};

struct Setup {
  std::string profile = "4.3";
  Settings cluster{};
  Settings topic{};
  Settings producer{};  // of K's producer
  Settings consumer{};  // of K's consumer
  std::vector<std::pair<std::string, Settings>> more{};  // further clients: their names, and their consumers' options
  std::uint64_t seed = 1;
  const App* app = nullptr;  // what these run, a Script or what derives from one
};

class Lab {
 public:
  explicit Lab(const Setup& s = {}) : model(make_model()), world(s.seed, one_ms_hops()) {
    Deployment d;
    d.profile = s.profile;
    d.cluster = options_of(*model, s.profile, "cluster", s.cluster);
    TopicSpec topic;
    topic.name = "t";
    topic.options = options_of(*model, s.profile, "topic", s.topic);
    d.topics.push_back(std::move(topic));
    const auto add = [&](const std::string& name, const Settings& consumer, std::unique_ptr<App> app) {
      ClientSpec client;
      client.name = name;
      client.role = "client";
      client.options = options_of(*model, s.profile, "producer", s.producer);
      client.consumer_options = options_of(*model, s.profile, "consumer", consumer);
      client.app = std::move(app);
      d.clients.push_back(std::move(client));
    };
    add("K", s.consumer, std::make_unique<Script>());
    for (const auto& [name, consumer] : s.more) add(name, consumer, s.app ? s.app->clone() : std::make_unique<Script>());
    if (const auto error = model->check(d)) throw std::invalid_argument(*error);
    model->deploy(world, d);
    probe_ = world.add_node(std::make_unique<Probe>(), {.name = "X"});
    run_until([&] {
      for (BrokerId b = 1; b <= brokers(); ++b)
        if (!broker(b).unfenced() || broker(b).image().partitions[0].replicas.empty()) return false;
      return true;
    });
    run(1_s);  // fetchers are under way
  }

  std::unique_ptr<Model> model;
  World world;

  void run(Duration d) { world.run_until(world.now() + d); }
  // Runs on until `done`, for at most `limit`; whether it is.
  template <class F>
  bool run_until(F done, Duration limit = 60_s) {
    for (const Time end = world.now() + limit; !done() && world.now() < end;) run(1_ms);
    return done();
  }

  ScriptedClient client(const std::string& name = "K") { return {world, world.find(name)}; }
  const Client& client_node(const std::string& name = "K") { return world.node_as<Client>(world.find(name)); }
  BrokerId brokers() { return static_cast<BrokerId>(world.node_as<Broker>(world.find("B1")).cluster()->brokers.size()); }
  Broker& broker(BrokerId b) { return world.node_as<Broker>(world.find(fmt::format("B{}", b))); }
  const Replica& replica(BrokerId b, PartitionId p = 0) { return broker(b).replica(p); }
  const PartitionLog& log(BrokerId b, PartitionId p = 0) { return broker(b).log(p); }
  const FollowerState& follower(BrokerId leader, BrokerId b) {
    for (const FollowerState& f : replica(leader).followers)
      if (f.broker == b) return f;
    throw std::invalid_argument("no such follower");
  }
  // The active controller; its image, as committed.
  std::string controller_name() {
    const auto nodes = world.resolve("controller", nullptr);
    return nodes.empty() ? "" : world.name(nodes.front());
  }
  const Image& image() { return world.node_as<Controller>(world.find(controller_name())).committed(); }
  const PartitionState& partition(PartitionId p = 0) { return image().partitions[p]; }
  BrokerEpoch epoch_of(BrokerId b) { return image().broker(b).epoch; }
  // "B1@0 {1,2,3}": leader, leader epoch, ISR, and the ELR if there is one.
  std::string led(PartitionId p = 0) {
    const PartitionState& s = partition(p);
    return fmt::format("{}@{} {}{}", s.leader == no_broker ? "none" : fmt::format("B{}", s.leader), s.leader_epoch, kafka::describe(s.isr),
                       s.elr.empty() ? "" : " ELR " + kafka::describe(s.elr));
  }

  void fault(FaultKind kind, std::vector<std::vector<Target>> whom, std::uint16_t traffic = all_traffic) {
    Fault f;
    f.kind = kind;
    f.groups = std::move(whom);
    f.traffic = traffic;
    world.inject(f);
  }
  void cut_replication(const Target& b) { fault(FaultKind::isolate, {{b}}, traffic_bit(Traffic::replication)); }
  void cut_control(const Target& b) { fault(FaultKind::isolate, {{b}}, traffic_bit(Traffic::control)); }
  void heal() { fault(FaultKind::heal, {}); }
  void kill(const Target& n) { fault(FaultKind::kill, {{n}}); }
  void restart(const Target& n) { fault(FaultKind::restart, {{n}}); }
  void command(const std::string& verb, const std::string& argument, const Target& to = "controller") {
    Fault f;
    f.kind = FaultKind::command;
    f.groups = {{to}};
    f.verb = verb;
    f.argument = argument;
    world.inject(f);
  }
  std::uint64_t marks(const char* name) const { return world.mark_count(name); }

  // A fetch as follower b's present process would send it, in the present leader epoch.
  FetchRequest fetch_as(BrokerId b, Offset from, LeaderEpoch last_epoch = no_leader_epoch, PartitionId p = 0) {
    FetchRequest r = testing::fetch_as(b, from, partition(p).leader_epoch, last_epoch);
    r.replica_epoch = epoch_of(b);
    r.partitions[0].partition = p;
    return r;
  }

  // --- the probe: each question on a connection of its own ---
  template <class Request>
  ConnId post(const std::string& to, Request request, ConnId on = no_connection) {
    Context c(world, probe_);
    const ConnId id = on == no_connection ? c.connect(world.find(to), Traffic::client) : on;
    const Kind k = kind_of(request);
    c.send(id, kind(k), make_payload<Request>(std::move(request)), 64, 1);
    return id;
  }
  std::string answer(ConnId id, std::size_t nth = 0) {
    const auto& all = world.node_as<Probe>(probe_).answers;
    const auto it = all.find(id);
    return it == all.end() || it->second.size() <= nth ? "" : it->second[nth];
  }
  template <class Request>
  std::string ask(const std::string& to, Request request, Duration patience = 100_ms) {
    const ConnId id = post(to, std::move(request));
    run_until([&] { return !answer(id).empty(); }, patience);
    return answer(id);
  }

 private:
  NodeId probe_ = nobody;
};

// B1 leads t/0; B2 and B3 live, but of their progress B1 hears from the probe alone.
struct QuietFollowers : Lab {
  explicit QuietFollowers(std::initializer_list<Settings::value_type> cluster = {}) : Lab({.cluster = cluster}) {
    cut_replication("B2");
    cut_replication("B3");
    run(10_ms);
  }
  Offset high_watermark() { return replica(1).high_watermark; }
  void append(int batches) {
    for (int i = 0; i < batches; ++i) ask("B1", produce(1));
  }
  // Only ISR {1} is left after this, if the lag limit is 1 s.
  void lose_both() {
    append(1);
    run_until([&] { return partition().isr == std::vector<BrokerId>{1}; });
    run(10_ms);
  }
};

}  // namespace mqlab::kafka::testing
