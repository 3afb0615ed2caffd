// tests/kafka/client_lab.h: a real client library between brokers that only do as told.
//
// A FakeBroker notes what it is asked and when, and answers what the test prepared; so a story can say which attempt
// fails and how, and which answer never comes. Elsewhere: whole clusters (cluster.h).
//
//     ClientLab lab({.producer = {{"linger", "0"}}});
//     lab.broker(1).produce_errors = {Error::not_enough_replicas};
//     lab.client().send(1);
#pragma once

#include <fmt/format.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {

// Notes what it is asked. Answers: what `next` holds for that kind, one after the other; else nothing if the kind is
// in `silent`; else as a broker without worries does. A fetch without a prepared answer waits for ever.
struct FakeBroker : NodeBase<FakeBroker> {
  struct Asked {
    Time at{};
    Message message{};
  };
  MetadataReply metadata{};
  std::map<Kind, std::deque<PayloadRef>> next{};
  std::set<Kind> silent{Kind::fetch};
  std::set<Kind> hang_up{};             // who asks this is hung up on
  std::vector<Error> produce_errors{};  // of the next produces, first to last
  std::vector<Asked> asked{};
  std::map<PartitionId, Offset> ends{};
  std::vector<Time> hung_up{};          // when a connection was closed by the client

  void on_closed(Context& c, ConnId, NodeId, CloseReason) override { hung_up.push_back(c.now()); }
  void on_message(Context& c, const Message& m) override {
    const Kind k = static_cast<Kind>(m.kind);
    asked.push_back({c.now(), m});
    if (auto& prepared = next[k]; !prepared.empty()) {
      reply(c, m, prepared.front());
      prepared.pop_front();
      return;
    }
    if (hang_up.contains(k)) c.close(m.connection);
    if (silent.contains(k)) return;
    if (k == Kind::metadata) reply(c, m, make_payload<MetadataReply>(metadata));
    if (k == Kind::produce) reply(c, m, produced(payload_as<ProduceRequest>(m.payload)));
    if (k == Kind::init_producer_id) {
      InitProducerIdReply r;
      r.id = 7;
      r.epoch = 0;
      reply(c, m, make_payload<InitProducerIdReply>(r));
    }
    if (k == Kind::find_coordinator && payload_as<FindCoordinator>(m.payload).transactional) {
      FindCoordinatorReply r;
      r.broker = 1;
      reply(c, m, make_payload<FindCoordinatorReply>(r));
    }
    if (k == Kind::add_partitions_to_txn) reply(c, m, make_payload<AddPartitionsToTxnReply>());
    if (k == Kind::add_offsets_to_txn) reply(c, m, make_payload<AddOffsetsToTxnReply>());
    if (k == Kind::txn_offset_commit) reply(c, m, make_payload<TxnOffsetCommitReply>());
    if (k == Kind::end_txn) {
      const auto& end = payload_as<EndTxn>(m.payload);
      EndTxnReply r;
      if (end.version == TxnVersion::tv2) {
        r.id = end.from.id;
        r.epoch = static_cast<ProducerEpoch>(end.from.epoch + 1);
      }
      reply(c, m, make_payload<EndTxnReply>(r));
    }
  }
  PayloadRef produced(const ProduceRequest& request) {
    Error error = Error::none;
    if (!produce_errors.empty()) {
      error = produce_errors.front();
      produce_errors.erase(produce_errors.begin());
    }
    ProduceReply r;
    for (const PartitionBatch& b : request.batches) {
      r.results.push_back({b.partition, error, error == Error::none ? ends[b.partition] : no_offset});
      if (error == Error::none) ends[b.partition] += b.batch.count();
    }
    return make_payload<ProduceReply>(std::move(r));
  }
  static void reply(Context& c, const Message& m, PayloadRef payload) {
    c.send(m.connection, static_cast<MessageKind>(m.kind + 1), std::move(payload), 64, m.word);
  }
};

class ClientLab {
 public:
  struct Setup {
    Settings producer{};
    Settings consumer{};
    Settings cluster{};
    std::int32_t brokers = 2;
    std::int32_t partitions = 2;  // 0, 2 ... are led by B1; 1, 3 ... by B2
    std::int32_t partitions_max = 0;
    bool produces = true;
    bool consumes = true;
    const App* app = nullptr;  // what it runs, a Script or what derives from one
  };

  explicit ClientLab(const Setup& s) : world(1, one_ms_hops()) {
    const std::unique_ptr<Model> model = make_model();
    for (const auto* all : {&message_declarations(), &txn_message_declarations()})
      for (const MessageDecl& m : *all) world.declare_message(m);
    auto cluster = std::make_shared<Cluster>();
    cluster->settings = cluster_settings(options_of(*model, "4.3", "cluster", s.cluster));
    TopicSettings topic;
    topic.name = "t";
    topic.partitions = s.partitions;
    topic.partitions_max = std::max(s.partitions, s.partitions_max);
    cluster->topics = {topic};
    MetadataReply metadata;
    for (std::int32_t n = 0; n < topic.partitions_max; ++n) {
      PartitionSettings p;
      p.number = n;
      p.place = fmt::format("t/{}", n);
      cluster->partitions.push_back(p);
      metadata.partitions.push_back({1 + n % s.brokers, 0, n < s.partitions});
    }
    for (std::int32_t b = 0; b < s.brokers; ++b) {
      cluster->brokers.push_back(world.add_node(std::make_unique<FakeBroker>(), {.name = fmt::format("B{}", b + 1), .role = "broker"}));
      broker(b + 1).metadata = metadata;
    }
    client_ = world.add_node(std::make_unique<Client>(cluster, s.app ? s.app->clone() : std::make_unique<Script>(), s.produces, producer_settings(options_of(*model, "4.3", "producer", s.producer)),
                                                      s.consumes, consumer_settings(options_of(*model, "4.3", "consumer", s.consumer))),
                             {.name = "K", .role = "client"});
    run(100_ms);  // it has metadata
  }

  World world;

  void run(Duration d) { world.run_until(world.now() + d); }
  ScriptedClient client() { return {world, client_}; }
  const Client& node() { return world.node_as<Client>(client_); }
  FakeBroker& broker(BrokerId b) { return world.node_as<FakeBroker>(static_cast<NodeId>(b - 1)); }

  // Partition p has this leader from now on, as every broker tells.
  void move(PartitionId p, BrokerId leader, LeaderEpoch epoch) {
    for (NodeId n = 0; n < client_; ++n) world.node_as<FakeBroker>(n).metadata.partitions[p] = {leader, epoch, true};
  }
  // A poll's answer: "1@0 2@0 +t/1 -t/2 lost t/3", records, then places that came, went, were lost.
  std::string told_by(CallId poll) {
    for (const Answer& a : client().answers()) {
      if (a.call != poll) continue;
      if (a.outcome != Outcome::ok) return world.journal.names.text(a.error);
      std::string out;
      for (const PolledMessage& m : a.messages) out += fmt::format(" {}@{}", m.message, m.position);
      const auto list = [&](const char* what, const std::vector<std::uint32_t>& v) {
        for (const std::uint32_t p : v) out += fmt::format(" {}{}", what, world.journal.names.text(p));
      };
      list("+", a.rebalance.assigned);
      list("-", a.rebalance.revoked);
      list("lost ", a.rebalance.lost);
      return out.empty() ? "nothing" : out.substr(1);
    }
    return "not yet";
  }
  std::vector<FakeBroker::Asked> asked(BrokerId b, Kind k) {
    std::vector<FakeBroker::Asked> out;
    for (const FakeBroker::Asked& a : broker(b).asked)
      if (a.message.kind == kind(k)) out.push_back(a);
    return out;
  }
  // What B was asked, a line each: "acks=all #0 x1 pid=7/0 seq=0..0".
  std::string lines(BrokerId b, Kind k) {
    std::string out;
    for (const FakeBroker::Asked& a : asked(b, k)) out += describe(a.message.kind, a.message.payload) + "\n";
    return out;
  }
  // When: the milliseconds between one such request and the next, as "100 200", from the given one on.
  std::string gaps(BrokerId b, Kind k, std::size_t first = 0) {
    std::string out;
    const auto all = asked(b, k);
    for (std::size_t i = first + 1; i < all.size(); ++i)
      out += fmt::format("{}{}", out.empty() ? "" : " ", (all[i].at - all[i - 1].at) / 1'000'000);
    return out;
  }
  // Answers the n-th request of its kind that B was asked, now.
  template <class Reply>
  void answer(BrokerId b, Kind k, std::size_t nth, Reply r) {
    Context c(world, static_cast<NodeId>(b - 1));
    FakeBroker::reply(c, asked(b, k).at(nth).message, make_payload<Reply>(std::move(r)));
  }
  void answer_produce(BrokerId b, std::size_t nth, Error error = Error::none, Offset base = 0) {
    ProduceReply r;
    for (const PartitionBatch& x : payload_as<ProduceRequest>(asked(b, Kind::produce).at(nth).message.payload).batches)
      r.results.push_back({x.partition, error, error == Error::none ? base : no_offset});
    answer(b, Kind::produce, nth, std::move(r));
  }
  std::uint64_t marks(const char* name) const { return world.mark_count(name); }

 private:
  NodeId client_ = nobody;
};

}  // namespace mqlab::kafka::testing
