// tests/kafka/txn_room.h: a room for stories about a transaction coordinator without a world.
//
// TxnRoom holds one TxnCoordinator and plays the broker around it: it keeps the clock, the producer ids, the log and the
// markers that are out. One rule: a write is committed at once unless `hold` is set, and then by commit() or fail(), in
// the order written; markers are answered by the story.
//
// Always true: an answer is told in short words: "7/0" (producer 7, epoch 0), "ok", or the error; "" is none yet.
// Elsewhere: the broker that does the same for real (txn_seat.cpp).
//
//     TxnRoom room(TxnVersion::tv2);
//     EXPECT_EQ(room.init("x"), "100/0");
//     EXPECT_EQ(room.add("x", 100, 0, {0}), "ok");
//     EXPECT_EQ(room.end("x", 100, 0, true), "ok 100/1");
#pragma once

#include <fmt/format.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/txn_coordinator.h"

namespace mqlab::kafka::testing {

using namespace mqlab::literals;

// t/0, t/1, t/2 are partitions 0, 1, 2; __consumer_offsets/0 is 3, __transaction_state/0 is 4.
inline ClusterRef txn_cluster(TxnVersion version, ProducerEpoch epoch_max = 32766, bool rotate_when_fenced = true) {
  auto c = std::make_shared<Cluster>();
  TransactionSettings& s = c->settings.transactions;
  s.version = version;
  s.timeout_max = 900_s;
  s.id_expiration = 3600_s;
  s.epoch_max = epoch_max;
  s.rotate_when_fenced = rotate_when_fenced;
  c->settings.request_timeout = 30_s;
  PartitionId next = 0;
  for (const auto& [name, partitions] : std::vector<std::pair<std::string, std::int32_t>>{{"t", 3}, {offsets_topic, 1}, {transaction_topic, 1}}) {
    TopicSettings t;
    t.name = name;
    t.first = next;
    t.partitions = t.partitions_max = partitions;
    for (std::int32_t n = 0; n < partitions; ++n, ++next) {
      PartitionSettings p;
      p.topic = static_cast<std::int32_t>(c->topics.size());
      p.number = n;
      p.place = fmt::format("{}/{}", name, n);
      c->partitions.push_back(p);
    }
    c->topics.push_back(t);
  }
  return c;
}

struct TxnRoom {
  ClusterRef cluster;
  TxnVersion version;
  TxnCoordinator coordinator;
  Time wall = 1000_s;
  TxnEffects::Ids ids{100, 1000};
  bool wants_ids = false;
  bool hold = false;
  bool again = false;
  std::deque<GroupRecord> writing{};   // appended, not committed
  std::vector<GroupRecord> log{};      // committed
  std::vector<TxnMarkersOf> markers{}; // out, not answered
  std::vector<TxnMarkersOf> rests{};
  std::vector<std::string> marks{};
  std::map<std::uint64_t, std::string> answers{};
  std::uint64_t last = 0;              // request

  explicit TxnRoom(TxnVersion v, ProducerEpoch epoch_max = 32766, bool rotate_when_fenced = true) : cluster(txn_cluster(v, epoch_max, rotate_when_fenced)), version(v), coordinator(cluster, 1) {}

  static std::string told(Error e, const std::string& else_text) { return e == Error::none ? else_text : name(e); }
  std::string text(Kind k, const PayloadRef& p) const {
    switch (k) {
      case Kind::init_producer_id_reply: {
        const auto& r = payload_as<InitProducerIdReply>(p);
        return told(r.error, fmt::format("{}/{}", r.id, r.epoch));
      }
      case Kind::add_partitions_to_txn_reply: {
        const auto& r = payload_as<AddPartitionsToTxnReply>(p);
        std::string out;
        for (const auto& [partition, error] : r.partitions) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", cluster->partitions[partition].place, told(error, "ok"));
        return told(r.error, out.empty() ? "ok" : out);
      }
      case Kind::add_offsets_to_txn_reply: return told(payload_as<AddOffsetsToTxnReply>(p).error, "ok");
      default: {
        const auto& r = payload_as<EndTxnReply>(p);
        return told(r.error, r.id == no_producer_id ? "ok" : fmt::format("ok {}/{}", r.id, r.epoch));
      }
    }
  }

  template <class Operation>
  void operate(Operation operation) {
    TxnEffects e;
    e.wall = wall;
    e.ids = ids;
    operation(coordinator, e);
    ids = e.ids;
    wants_ids = wants_ids || e.wants_ids;
    again = again || e.again;
    for (const auto& m : e.marks) marks.push_back(fmt::format("{} {}: {}", m.name, m.id, m.text));
    for (const auto& r : e.replies) answers[r.to.word] = text(r.kind, r.payload);
    for (auto& m : e.markers) markers.push_back(std::move(m));
    for (auto& m : e.rests) rests.push_back(std::move(m));
    for (auto& w : e.writes) writing.push_back(std::move(w.record));
    while (!hold && !writing.empty()) commit();
  }
  void commit() {
    const GroupRecord r = std::move(writing.front());
    writing.pop_front();
    log.push_back(r);
    operate([&](TxnCoordinator& t, TxnEffects& e) { t.on_written(r.group, Error::none, e); });
  }
  // The write is given up; `stays`: its record is in the log all the same.
  void fail(Error error = Error::coordinator_not_available, bool stays = false) {
    const GroupRecord r = std::move(writing.front());
    writing.pop_front();
    if (stays) log.push_back(r);
    operate([&](TxnCoordinator& t, TxnEffects& e) { t.on_written(r.group, error, e); });
  }
  template <class M>
  std::string ask(Kind k, M m) {
    const std::uint64_t word = ++last;
    const PayloadRef p = make_payload<M>(std::move(m));
    operate([&](TxnCoordinator& t, TxnEffects& e) { t.handle({1, 1, word}, k, p, e); });
    return answers[word];
  }
  std::string init(const std::string& id, ProducerId producer = no_producer_id, ProducerEpoch epoch = no_producer_epoch, Duration timeout = 60_s) {
    InitProducerId m;
    m.transactional_id = id;
    m.timeout = timeout;
    m.id = producer;
    m.epoch = epoch;
    return ask(Kind::init_producer_id, m);
  }
  std::string add(const std::string& id, ProducerId producer, ProducerEpoch epoch, std::vector<PartitionId> partitions, bool verify_only = false) {
    AddPartitionsToTxn m;
    m.from = {id, producer, epoch};
    m.verify_only = verify_only;
    m.partitions = std::move(partitions);
    return ask(Kind::add_partitions_to_txn, m);
  }
  std::string verify(const std::string& id, ProducerId producer, ProducerEpoch epoch, std::vector<PartitionId> partitions) { return add(id, producer, epoch, std::move(partitions), true); }
  std::string add_offsets(const std::string& id, ProducerId producer, ProducerEpoch epoch, const std::string& group) {
    AddOffsetsToTxn m;
    m.from = {id, producer, epoch};
    m.group = group;
    return ask(Kind::add_offsets_to_txn, m);
  }
  std::string end(const std::string& id, ProducerId producer, ProducerEpoch epoch, bool commits) { return end_as(version, id, producer, epoch, commits); }
  std::string end_as(TxnVersion v, const std::string& id, ProducerId producer, ProducerEpoch epoch, bool commits) {
    EndTxn m;
    m.from = {id, producer, epoch};
    m.commit = commits;
    m.version = v;
    return ask(Kind::end_txn, m);
  }
  // All markers that are out are answered with this.
  void answer_markers(Error error = Error::none) {
    std::vector<TxnMarkersOf> sent;
    sent.swap(markers);
    for (const TxnMarkersOf& m : sent) answer_marker(m, error);
  }
  void answer_marker(const TxnMarkersOf& m, Error error) {
    std::vector<WriteTxnMarkersReply::Result> results;
    for (const PartitionId p : m.marker.partitions) results.push_back({m.marker.id, p, error});
    operate([&](TxnCoordinator& t, TxnEffects& e) { t.on_marker_results(m, results, e); });
  }
  void send_rests() {
    for (auto& m : rests) markers.push_back(std::move(m));
    rests.clear();
  }
  void write_again() {
    again = false;
    operate([](TxnCoordinator& t, TxnEffects& e) { t.write_again(e); });
  }
  void look() {
    operate([](TxnCoordinator& t, TxnEffects& e) { t.abort_timed_out(e); });
  }
  void expire() {
    operate([](TxnCoordinator& t, TxnEffects& e) { t.expire(e); });
  }
  // Another broker coordinates: it has the log, with what was not committed yet or without.
  void move(bool with_the_rest = true) {
    operate([](TxnCoordinator& t, TxnEffects& e) { t.resign(e); });
    if (with_the_rest) log.insert(log.end(), writing.begin(), writing.end());
    writing.clear();
    markers.clear();
    rests.clear();
    coordinator = TxnCoordinator(cluster, coordinator.epoch() + 1);
    for (const GroupRecord& r : log) coordinator.replay(r);
    operate([](TxnCoordinator& t, TxnEffects& e) { t.loaded(e); });
  }
  // "PrepareCommit 100/1 t/0", or "" if the id is not known.
  std::string state(const std::string& id) const {
    const auto it = coordinator.ids().find(id);
    if (it == coordinator.ids().end()) return "";
    const TransactionRecord& now = it->second.now;
    std::string out = fmt::format("{} {}/{}", name(now.state), now.id, now.epoch);
    for (const PartitionId p : now.partitions) out += " " + cluster->partitions[p].place;
    return out;
  }
  // "commit 100/1 t/0" of all markers that are out.
  std::string out() const {
    std::string all;
    for (const TxnMarkersOf& m : markers) {
      all += fmt::format("{}{} {}/{}", all.empty() ? "" : "; ", m.marker.commit ? "commit" : "abort", m.marker.id, m.marker.epoch);
      for (const PartitionId p : m.marker.partitions) all += " " + cluster->partitions[p].place;
    }
    return all;
  }
};

}  // namespace mqlab::kafka::testing
