// The transactional producer and the read_committed consumer, rule by rule, between brokers that only do as told: what is
// asked of whom and in which order, what an error leads to, what the application hears.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "models/kafka/aborted_filter.h"
#include "tests/kafka/client_lab.h"

namespace mqlab::kafka::testing {
namespace {

// A producer with the transactional id tx; B1 coordinates.
struct Transacting : ClientLab {
  explicit Transacting(const std::string& version = "tv2", Settings options = {}, bool in_group = false, const App* app = nullptr)
      : ClientLab({.producer = with_id(std::move(options)), .consumer = in_group ? Settings{{"group", "g"}, {"auto_commit", "off"}, {"auto_offset_reset", "earliest"}} : Settings{},
                   .cluster = {{"transactions", version}}, .partitions = 2, .app = app}) {}
  static Settings with_id(Settings more) {
    Settings all{{"transactional_id", "tx"}, {"linger", "0"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  CallId start(CallKind k, const std::string& verb = {}, const std::string& argument = {}) {
    Call c;
    c.kind = k;
    c.verb = verb;
    c.argument = argument;
    return client().call(c);
  }
  // Asks and gives it this long: "ok", "fail PRODUCER_FENCED" ...
  std::string call(CallKind k, Duration within = 500_ms) {
    const CallId id = start(k);
    run(within);
    return client().answer(id);
  }
  std::string verb(const std::string& v, const std::string& argument = {}) {
    const CallId id = start(CallKind::other, v, argument);
    run(500_ms);
    return client().answer(id);
  }
  std::string begin() { return call(CallKind::begin); }
  std::string commit(Duration within = 500_ms) { return call(CallKind::end_commit, within); }
  std::string abort() { return call(CallKind::end_abort); }
  std::string send(std::uint64_t message, std::int32_t partition = 0) {
    const CallId id = client().send(message, partition);
    run(200_ms);
    return client().answer(id);
  }
  // What both brokers were asked since the last time, in order, but for metadata: "Produce ...".
  std::string wire() {
    std::vector<std::pair<Time, std::string>> all;
    for (BrokerId b = 1; b <= 2; ++b)
      for (const FakeBroker::Asked& a : broker(b).asked) {
        const Kind k = static_cast<Kind>(a.message.kind);
        if (k == Kind::metadata || k == Kind::fetch || a.at < seen_) continue;
        static const std::map<Kind, std::string> names{{Kind::produce, "Produce"}, {Kind::init_producer_id, "Init"}, {Kind::find_coordinator, "Find"}, {Kind::add_partitions_to_txn, "AddPartitions"},
                                                       {Kind::add_offsets_to_txn, "AddOffsets"}, {Kind::txn_offset_commit, "OffsetCommit"}, {Kind::end_txn, "End"}};
        if (names.contains(k)) all.emplace_back(a.at, fmt::format("{} {}", names.at(k), describe(a.message.kind, a.message.payload)));
      }
    seen_ = world.now() + 1;
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string out;
    for (const auto& [at, text] : all) out += text + "\n";
    return out;
  }
  void end_with(Error e) {
    EndTxnReply r(e);
    broker(1).next[Kind::end_txn].push_back(make_payload<EndTxnReply>(r));
  }
  void ready() {
    EXPECT_EQ(begin(), "ok");
    wire();
  }
  TxnPhase phase() { return node().transactional_producer().phase; }

 private:
  Time seen_ = 0;
};

// --- one transaction after the other ---

TEST(KafkaTransactionalProducer, FirstBeginAsksWhoItIs) {
  Transacting t;
  EXPECT_EQ(t.begin(), "ok");
  EXPECT_EQ(t.wire(), "Find tx\nInit tx\n");
  EXPECT_EQ(t.verb("init_transactions"), "fail ILLEGAL_STATE");
}

// KIP-890: the leader adds the partition, the answer to EndTxn carries the next epoch, and sequences begin anew.
TEST(KafkaTransactionalProducer, AtTv2EachTransactionHasAnEpoch) {
  Transacting t;
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  EXPECT_EQ(t.send(2), "ok@1");
  EXPECT_EQ(t.commit(), "ok");
  EXPECT_EQ(t.wire(), "Produce acks=all #0 x1 pid=7/0 seq=0..0 txn\nProduce acks=all #0 x1 pid=7/0 seq=1..1 txn\nEnd tx producer=7 epoch=0 commit\n");
  EXPECT_EQ(t.begin(), "ok");
  EXPECT_EQ(t.send(3), "ok@2");
  EXPECT_EQ(t.abort(), "ok");
  EXPECT_EQ(t.wire(), "Produce acks=all #0 x1 pid=7/1 seq=0..0 txn\nEnd tx producer=7 epoch=1 abort\n");
  const auto& sent = payload_as<ProduceRequest>(t.asked(1, Kind::produce).back().message.payload);
  EXPECT_TRUE(sent.batches[0].batch.transactional);
  EXPECT_EQ(sent.version, TxnVersion::tv2);
  EXPECT_EQ(sent.transactional_id, "tx");
}

// KIP-98: a partition's first batch waits for AddPartitionsToTxn; epoch and sequences go on.
TEST(KafkaTransactionalProducer, AtTv0ItAddsPartitionsItself) {
  Transacting t("tv0");
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  EXPECT_EQ(t.send(2), "ok@1");
  EXPECT_EQ(t.send(3, 1), "ok@0");
  EXPECT_EQ(t.commit(), "ok");
  EXPECT_EQ(t.wire(),
            "AddPartitions tx producer=7 epoch=0 {#0}\nProduce acks=all #0 x1 pid=7/0 seq=0..0 txn\nProduce acks=all #0 x1 pid=7/0 seq=1..1 txn\n"
            "AddPartitions tx producer=7 epoch=0 {#1}\nProduce acks=all #1 x1 pid=7/0 seq=0..0 txn\nEnd tx producer=7 epoch=0 commit\n");
  EXPECT_EQ(t.begin(), "ok");
  EXPECT_EQ(t.send(4), "ok@2");
  EXPECT_EQ(t.wire(), "AddPartitions tx producer=7 epoch=0 {#0}\nProduce acks=all #0 x1 pid=7/0 seq=2..2 txn\n");
}

// librdkafka's EndTxn ends at version 1: it never speaks TV2, whatever the cluster does.
TEST(KafkaTransactionalProducer, LibrdkafkaNeverSpeaksTv2) {
  Transacting t("tv2", {{"client_library", "librdkafka"}});
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  EXPECT_EQ(t.commit(), "ok");
  EXPECT_EQ(t.wire(), "AddPartitions tx producer=7 epoch=0 {#0}\nProduce acks=all #0 x1 pid=7/0 seq=0..0 txn\nEnd tx producer=7 epoch=0 commit\n");
}

TEST(KafkaTransactionalProducer, TransactionOfNothingIsEndedWithoutAWord) {
  for (const char* version : {"tv0", "tv2"}) {
    Transacting t(version);
    t.ready();
    EXPECT_EQ(t.commit(), "ok");
    EXPECT_EQ(t.begin(), "ok");
    EXPECT_EQ(t.abort(), "ok");
    EXPECT_EQ(t.wire(), "") << version;
  }
}

TEST(KafkaTransactionalProducer, OutsideATransactionNothingIsSent) {
  Transacting t;
  EXPECT_EQ(t.send(1), "fail ILLEGAL_STATE");
  EXPECT_EQ(t.commit(), "fail ILLEGAL_STATE");
  EXPECT_EQ(t.abort(), "fail ILLEGAL_STATE");
  EXPECT_EQ(t.verb("init_transactions"), "ok");
  EXPECT_EQ(t.send(1), "fail ILLEGAL_STATE");
  EXPECT_EQ(t.begin(), "ok");
  EXPECT_EQ(t.begin(), "fail ILLEGAL_STATE");
  EXPECT_EQ(t.send(1), "ok@0");
}

// Sender: EndTxn leaves when all batches are complete, and linger is over for them.
TEST(KafkaTransactionalProducer, CommitFlushesFirst) {
  Transacting t("tv2", {{"linger", "20s"}});
  t.ready();
  const CallId sent = t.client().send(1);
  t.run(100_ms);
  EXPECT_EQ(t.wire(), "");
  EXPECT_EQ(t.commit(), "ok");
  EXPECT_EQ(t.client().answer(sent), "ok@0");
  EXPECT_EQ(t.wire(), "Produce acks=all #0 x1 pid=7/0 seq=0..0 txn\nEnd tx producer=7 epoch=0 commit\n");
}

// RecordAccumulator.abortUndrainedBatches. At TV2 the producer can't know whether the partition was added.
TEST(KafkaTransactionalProducer, AbortDropsWhatNeverLeft) {
  for (const std::string version : {"tv0", "tv2"}) {
    Transacting t(version, {{"linger", "20s"}});
    t.ready();
    const CallId sent = t.client().send(1);
    EXPECT_EQ(t.abort(), "ok");
    EXPECT_EQ(t.client().answer(sent), "fail TRANSACTION_ABORTED");
    EXPECT_EQ(t.wire(), version == "tv0" ? "" : "End tx producer=7 epoch=0 abort\n");
  }
}

// --- errors ---

// KIP-588: an old epoch alone is abortable; whether the producer was fenced the abort tells.
TEST(KafkaTransactionalProducer, OldEpochIsAbortableUntilTheCoordinatorSaysFenced) {
  Transacting t;
  t.ready();
  t.broker(1).produce_errors = {Error::invalid_producer_epoch};
  EXPECT_EQ(t.send(1), "fail INVALID_PRODUCER_EPOCH");
  EXPECT_EQ(t.phase(), TxnPhase::abortable_error);
  EXPECT_EQ(t.send(2), "fail INVALID_PRODUCER_EPOCH");
  EXPECT_EQ(t.commit(), "fail INVALID_PRODUCER_EPOCH");
  t.end_with(Error::producer_fenced);
  EXPECT_EQ(t.abort(), "fail PRODUCER_FENCED");
  EXPECT_EQ(t.begin(), "fail PRODUCER_FENCED");
  EXPECT_EQ(t.wire(), "Produce acks=all #0 x1 pid=7/0 seq=0..0 txn\nEnd tx producer=7 epoch=0 abort\n");
}

// rd_kafka_handle_Produce_error: fenced at once.
TEST(KafkaTransactionalProducer, OldEpochIsFatalToLibrdkafka) {
  Transacting t("tv1", {{"client_library", "librdkafka"}});
  t.ready();
  t.broker(1).produce_errors = {Error::invalid_producer_epoch};
  EXPECT_EQ(t.send(1), "fail INVALID_PRODUCER_EPOCH");
  EXPECT_EQ(t.abort(), "fail PRODUCER_FENCED");
  EXPECT_EQ(t.marks("producer_fatal_error"), 1u);
}

// KIP-360: before TV2 the sequences of a failed transaction can't be trusted, so that a new epoch is asked for after the
// abort; the same at TV2 comes with the answer to EndTxn.
TEST(KafkaTransactionalProducer, AfterAnAbortableErrorTheEpochIsBumped) {
  for (const char* version : {"tv0", "tv1", "tv2"}) {
    Transacting t(version);
    t.ready();
    t.broker(1).produce_errors = {Error::invalid_record};
    EXPECT_EQ(t.send(1), "fail INVALID_RECORD");
    t.wire();
    EXPECT_EQ(t.abort(), "ok");
    EXPECT_EQ(t.wire(), std::string("End tx producer=7 epoch=0 abort\n") + (version == std::string("tv2") ? "" : "Init tx producer=7 epoch=0\n")) << version;
    EXPECT_EQ(t.begin(), "ok");
    EXPECT_EQ(t.send(2), "ok@0");
  }
}

// The batch that fails takes later ones of its partition along: none of them may be committed.
TEST(KafkaTransactionalProducer, CommitFailsWhenABatchFailsOnTheWay) {
  Transacting t("tv2", {{"linger", "20s"}});
  t.ready();
  t.broker(1).produce_errors = {Error::transaction_abortable};
  t.client().send(1);
  EXPECT_EQ(t.commit(), "fail TRANSACTION_ABORTABLE");
  EXPECT_EQ(t.abort(), "ok");
  EXPECT_EQ(t.wire(), "Produce acks=all #0 x1 pid=7/0 seq=0..0 txn\nEnd tx producer=7 epoch=0 abort\n");
}

TEST(KafkaTransactionalProducer, AfterAFatalErrorOnlyANewProducerHelps) {
  Transacting t;
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  t.end_with(Error::invalid_txn_state);
  EXPECT_EQ(t.commit(), "fail INVALID_TXN_STATE");
  EXPECT_EQ(t.begin(), "fail INVALID_TXN_STATE");
  EXPECT_EQ(t.send(2), "fail INVALID_TXN_STATE");
  t.wire();
  EXPECT_EQ(t.verb("new_producer", "tx-2"), "ok");
  EXPECT_EQ(t.begin(), "ok");
  EXPECT_EQ(t.send(3), "ok@1");
  EXPECT_EQ(t.wire(), "Find tx-2\nInit tx-2\nProduce acks=all #0 x1 pid=7/0 seq=0..0 txn\n");
}

// Hears that its commit failed, and asks for a new producer before it does anything else.
struct BeginsAnew : Script {
  void on_answer(AppContext& a, const Answer& answer) override {
    Script::on_answer(a, answer);
    if (answer.kind != CallKind::end_commit || answer.outcome != Outcome::fail) return;
    for (const char* verb : {"new_producer", "init_transactions"}) {
      Call c;
      c.kind = CallKind::other;
      c.verb = verb;
      a.call(std::move(c));
    }
  }
  std::unique_ptr<App> clone() const override { return std::make_unique<BeginsAnew>(*this); }
};

// The answer that made the old producer useless says nothing of the new one, which is asked for while it is being told.
TEST(KafkaTransactionalProducer, AFatalErrorIsNotTheNewProducers) {
  const BeginsAnew app;
  Transacting t("tv2", {}, false, &app);
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  t.end_with(Error::invalid_txn_state);
  EXPECT_EQ(t.commit(), "fail INVALID_TXN_STATE");
  EXPECT_EQ(t.client().answers().back().outcome, Outcome::ok);  // init_transactions
  EXPECT_EQ(t.begin(), "ok");
}

// AddPartitionsToTxnHandler: the last transaction is being completed; the first addition rests for 20 ms only.
TEST(KafkaTransactionalProducer, ConcurrentTransactionsMakeItWait) {
  Transacting t("tv0");
  t.ready();
  for (int i = 0; i < 3; ++i) t.broker(1).next[Kind::add_partitions_to_txn].push_back(make_payload<AddPartitionsToTxnReply>(Error::concurrent_transactions));
  EXPECT_EQ(t.send(1), "ok@0");
  EXPECT_EQ(t.gaps(1, Kind::add_partitions_to_txn), "22 22 22");
  for (int i = 0; i < 2; ++i) t.broker(1).next[Kind::add_partitions_to_txn].push_back(make_payload<AddPartitionsToTxnReply>(Error::concurrent_transactions));
  t.client().send(2, 1);
  t.run(500_ms);
  EXPECT_EQ(t.gaps(1, Kind::add_partitions_to_txn, 4), "102 102");
}

TEST(KafkaTransactionalProducer, AnotherCoordinatorIsAskedFor) {
  Transacting t;
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  t.wire();
  t.end_with(Error::not_coordinator);
  t.end_with(Error::concurrent_transactions);
  EXPECT_EQ(t.commit(), "ok");
  EXPECT_EQ(t.wire(), "End tx producer=7 epoch=0 commit\nFind tx\nEnd tx producer=7 epoch=0 commit\nEnd tx producer=7 epoch=0 commit\n");
}

// --- what is not known ---

// A request without an answer may have been executed, and may yet be: it is asked again over another connection. What
// that one is told is no refusal of the first (KAFKA-17754 has what becomes of it before TV2).
TEST(KafkaTransactionalProducer, EndWithoutAnAnswerStaysUnknown) {
  Transacting t("tv0", {{"request_timeout", "1s"}});
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  t.wire();
  t.broker(1).silent.insert(Kind::end_txn);
  const CallId commit = t.start(CallKind::end_commit);
  t.run(1'010_ms);
  EXPECT_EQ(t.broker(1).hung_up.size(), 1u);
  t.broker(1).silent.erase(Kind::end_txn);
  t.end_with(Error::producer_fenced);
  t.run(500_ms);
  EXPECT_EQ(t.client().answer(commit), "info PRODUCER_FENCED");
  EXPECT_EQ(t.wire(), "End tx producer=7 epoch=0 commit\nFind tx\nEnd tx producer=7 epoch=0 commit\n");
}

// throwIfPendingState: a commit that took too long may be asked for again, and nothing else may.
TEST(KafkaTransactionalProducer, CommitThatTookTooLongIsAskedAgain) {
  Transacting t("tv2", {{"max_block", "1s"}});
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  t.broker(1).silent.insert(Kind::end_txn);
  EXPECT_EQ(t.commit(2_s), "info REQUEST_TIMED_OUT");
  EXPECT_EQ(t.abort(), "fail ILLEGAL_STATE");
  EXPECT_EQ(t.begin(), "fail ILLEGAL_STATE");
  EXPECT_EQ(t.send(2), "fail ILLEGAL_STATE");
  const CallId again = t.start(CallKind::end_commit);
  t.run(100_ms);
  EXPECT_EQ(t.client().answer(again), "");
  t.answer(1, Kind::end_txn, 0, EndTxnReply());
  t.run(100_ms);
  EXPECT_EQ(t.client().answer(again), "ok");
  EXPECT_EQ(t.asked(1, Kind::end_txn).size(), 1u);
  EXPECT_EQ(t.begin(), "ok");
}

TEST(KafkaTransactionalProducer, CommitThatCameTrueMeanwhileIsTakenNotRepeated) {
  Transacting t("tv2", {{"max_block", "1s"}});
  t.ready();
  EXPECT_EQ(t.send(1), "ok@0");
  t.broker(1).silent.insert(Kind::end_txn);
  EXPECT_EQ(t.commit(2_s), "info REQUEST_TIMED_OUT");
  t.answer(1, Kind::end_txn, 0, EndTxnReply());
  t.run(100_ms);
  EXPECT_EQ(t.begin(), "fail ILLEGAL_STATE");
  EXPECT_EQ(t.commit(), "ok");
  EXPECT_EQ(t.begin(), "ok");
  EXPECT_EQ(t.asked(1, Kind::end_txn).size(), 1u);
}

// --- positions ---

// KIP-98, KIP-447: the group's partition takes part first, then the group's coordinator is told.
TEST(KafkaTransactionalProducer, PositionsGoToTheCoordinatorOfTheGroup) {
  for (const char* version : {"tv0", "tv2"}) {
    Transacting t(version, {}, true);
    t.ready();
    for (BrokerId b : {1, 2}) {
      FindCoordinatorReply r;
      r.broker = 2;
      t.broker(b).next[Kind::find_coordinator] = {make_payload<FindCoordinatorReply>(r)};
    }
    const CallId id = t.client().ask(CallKind::send_offsets, "t/1", 17);
    t.run(500_ms);
    EXPECT_EQ(t.client().answer(id), "ok@17");
    EXPECT_EQ(t.wire(), std::string(version == std::string("tv0") ? "AddOffsets tx producer=7 epoch=0 group=g\n" : "") + "Find g\nOffsetCommit tx producer=7 epoch=0 group=g generation=-1 #1=17\n");
    EXPECT_EQ(payload_as<TxnOffsetCommit>(t.asked(2, Kind::txn_offset_commit)[0].message.payload).adds_group, version == std::string("tv2"));
    EXPECT_EQ(t.commit(), "ok");
    EXPECT_EQ(t.wire(), "End tx producer=7 epoch=0 commit\n");
    std::string rows;
    for (const Op& op : t.world.journal.ops)
      if (op.kind == OpKind::commit) rows += fmt::format("{} {}@{} {} txn={} ", outcome_name(op.outcome), t.world.journal.names.text(op.place), op.position, t.world.journal.names.text(op.subscription), op.transaction != 0);
    EXPECT_EQ(rows, "invoke t/1@17 g txn=true ok t/1@17 g txn=true ");
  }
}

// KIP-447: who the consumer is goes along, as it was when it last joined; before that nobody was told.
TEST(KafkaTransactionalProducer, PositionsNameTheConsumerUnlessItIsOld) {
  for (const bool tells : {true, false}) {
    Transacting t("tv2", {{"group_metadata", tells ? "true" : "false"}}, true);
    JoinGroupReply joined;
    joined.generation = 4;
    joined.member = "K-1";
    joined.leader = "other";
    joined.protocol = "range";
    FindCoordinatorReply who;
    who.broker = 1;
    for (BrokerId b : {1, 2}) t.broker(b).next[Kind::find_coordinator] = {make_payload<FindCoordinatorReply>(who)};
    t.broker(1).next[Kind::join_group] = {make_payload<JoinGroupReply>(joined)};
    t.broker(1).next[Kind::sync_group] = {make_payload<SyncGroupReply>(Error::none, std::vector<PartitionId>{0})};
    Call c;
    c.kind = CallKind::subscribe;
    c.argument = "t";
    t.client().call(c);
    t.client().poll(100_ms);
    t.run(200_ms);
    ASSERT_TRUE(t.node().membership().in());
    EXPECT_EQ(t.begin(), "ok");
    for (BrokerId b : {1, 2}) t.broker(b).next[Kind::find_coordinator] = {make_payload<FindCoordinatorReply>(who)};
    const CallId id = t.client().ask(CallKind::send_offsets, "t/0", 17);
    t.run(500_ms);
    EXPECT_EQ(t.client().answer(id), "ok@17");
    const auto& sent = payload_as<TxnOffsetCommit>(t.asked(1, Kind::txn_offset_commit).at(0).message.payload);
    EXPECT_EQ(sent.generation, tells ? 4 : -1);
    EXPECT_EQ(sent.member, tells ? "K-1" : "");
  }
}

TEST(KafkaTransactionalProducer, PositionsOfAnOldGenerationAreAbortable) {
  Transacting t("tv2", {}, true);
  t.ready();
  FindCoordinatorReply who;
  who.broker = 1;
  for (BrokerId b : {1, 2}) t.broker(b).next[Kind::find_coordinator] = {make_payload<FindCoordinatorReply>(who)};
  t.broker(1).next[Kind::txn_offset_commit].push_back(make_payload<TxnOffsetCommitReply>(Error::illegal_generation));
  const CallId id = t.client().ask(CallKind::send_offsets, "t/1", 17);
  t.run(500_ms);
  EXPECT_EQ(t.client().answer(id), "fail ILLEGAL_GENERATION");
  EXPECT_EQ(t.commit(), "fail ILLEGAL_GENERATION");
  EXPECT_EQ(t.abort(), "ok");
  EXPECT_EQ(t.begin(), "ok");
}

// --- error by error ---

TEST(KafkaTransactionalProducer, WhatEachErrorLeadsTo) {
  using V = TxnVerdict;
  const auto java = [](Kind k, Error e, bool tv2 = true) { return txn_verdict(ClientLibrary::java, tv2, k, e); };
  for (const Kind k : {Kind::init_producer_id, Kind::add_partitions_to_txn, Kind::add_offsets_to_txn, Kind::txn_offset_commit, Kind::end_txn}) {
    EXPECT_EQ(java(k, Error::none), V::done);
    EXPECT_EQ(java(k, Error::not_coordinator), V::refresh);
    EXPECT_EQ(java(k, Error::coordinator_not_available), V::refresh);
    EXPECT_EQ(java(k, Error::coordinator_load_in_progress), V::again);
    EXPECT_EQ(java(k, Error::concurrent_transactions), V::again);
    EXPECT_EQ(java(k, Error::producer_fenced), V::fatal);
    EXPECT_EQ(java(k, Error::invalid_producer_epoch), V::fatal);
    EXPECT_EQ(java(k, Error::invalid_txn_state), V::fatal);
    EXPECT_EQ(java(k, Error::transaction_abortable), V::abortable);
  }
  EXPECT_EQ(java(Kind::end_txn, Error::invalid_producer_id_mapping, false), V::abortable_with_bump);
  EXPECT_EQ(java(Kind::end_txn, Error::invalid_producer_id_mapping, true), V::fatal);
  EXPECT_EQ(java(Kind::txn_offset_commit, Error::request_timed_out), V::refresh);
  EXPECT_EQ(java(Kind::end_txn, Error::request_timed_out), V::again);
  for (const Error e : {Error::illegal_generation, Error::unknown_member_id, Error::fenced_instance_id}) EXPECT_EQ(java(Kind::txn_offset_commit, e), V::abortable);
  EXPECT_EQ(java(Kind::add_partitions_to_txn, Error::policy_violation), V::abortable);
  EXPECT_EQ(java(Kind::end_txn, Error::policy_violation), V::fatal);
  const auto other = [](Kind k, Error e) { return txn_verdict(ClientLibrary::librdkafka, false, k, e); };
  EXPECT_EQ(other(Kind::end_txn, Error::policy_violation), V::abortable);
  EXPECT_EQ(other(Kind::txn_offset_commit, Error::producer_fenced), V::abortable);
  EXPECT_EQ(other(Kind::end_txn, Error::producer_fenced), V::fatal);
  EXPECT_EQ(batch_verdict(ClientLibrary::librdkafka, false, Error::out_of_order_sequence_number, true), V::fatal);
  EXPECT_EQ(batch_verdict(ClientLibrary::librdkafka, false, Error::out_of_order_sequence_number, false), V::abortable_with_bump);
  EXPECT_EQ(batch_verdict(ClientLibrary::java, false, Error::out_of_order_sequence_number, true), V::abortable_with_bump);
}

// --- read_committed ---

Batch data(ProducerId id, Offset at, std::uint64_t message) {
  Batch b = make_batch({{.message = message, .size = 100}});
  b.base_offset = at;
  b.producer_id = id;
  b.producer_epoch = 0;
  b.base_sequence = 0;
  b.transactional = true;
  return b;
}
Batch marker(ProducerId id, Offset at, Control c) {
  Batch b = make_marker(c, id, 0, 0);
  b.base_offset = at;
  return b;
}

// Producer 8 aborts twice in one answer, and commits in between; its neighbour 9 is not touched by that.
TEST(KafkaReadCommitted, AbortedRecordsAreHiddenUpToTheirMarker) {
  ClientLab lab({.consumer = {{"isolation", "read_committed"}, {"auto_offset_reset", "earliest"}}, .partitions = 1, .produces = false});
  lab.client().ask(CallKind::assign, "t/0", 0);
  lab.run(20_ms);
  FetchReply r;
  r.partitions.resize(1);
  r.partitions[0].aborted = {{8, 0}, {8, 6}};
  r.partitions[0].batches = {data(8, 0, 1), data(9, 1, 2), marker(8, 2, Control::abort), data(8, 3, 3), marker(8, 4, Control::commit), marker(9, 5, Control::commit), data(8, 6, 4), marker(8, 7, Control::abort)};
  ASSERT_TRUE(payload_as<FetchRequest>(lab.asked(1, Kind::fetch).at(0).message.payload).read_committed);
  lab.answer(1, Kind::fetch, 0, std::move(r));
  const CallId poll = lab.client().poll(10_ms);
  lab.run(20_ms);
  EXPECT_EQ(lab.client().answer(poll), "2@1 3@3");
  EXPECT_EQ(lab.node().assigned().front().position, 8);  // over the marker
  std::string rows;
  for (const Op& op : lab.world.journal.ops)
    if (op.kind == OpKind::deliver) rows += fmt::format("{}:{} ", op.message, (op.flags & op_flag::read_committed) != 0);
  EXPECT_EQ(rows, "2:true 3:true ");
}

TEST(KafkaReadCommitted, EndOffsetIsTheLastStableOne) {
  ClientLab lab({.consumer = {{"isolation", "read_committed"}}, .partitions = 1, .produces = false});
  lab.client().ask(CallKind::end_offset, "t/0");
  lab.run(20_ms);
  EXPECT_TRUE(payload_as<ListOffsets>(lab.asked(1, Kind::list_offsets).at(0).message.payload).read_committed);
}

// A log of several producers' transactions, read from anywhere to anywhere before its first open one: the filter shows
// what was committed, or written outside transactions, and nothing else.
RC_GTEST_PROP(KafkaReadCommitted, FilterShowsWhatWasCommitted, ()) {
  struct Written {
    Batch batch;
    int transaction = -1;
  };
  std::vector<Written> log;
  std::map<ProducerId, int> open;
  std::map<int, std::pair<ProducerId, Offset>> first;
  std::map<int, Offset> aborted_at;
  std::set<int> committed;
  int transactions = 0;
  const int n = *rc::gen::inRange(1, 40);
  for (Offset at = 0; at < n; ++at) {
    const ProducerId id = *rc::gen::inRange(1, 4);
    const int what = *rc::gen::inRange(0, 5);
    if (what < 3) {
      if (!open.contains(id)) {
        open[id] = transactions;
        first[transactions++] = {id, at};
      }
      log.push_back({data(id, at, static_cast<std::uint64_t>(at)), open[id]});
    } else {
      // Also the marker of a transaction that wrote nothing here.
      const bool commit = what == 3;
      if (open.contains(id)) {
        if (commit) committed.insert(open[id]);
        else aborted_at[open[id]] = at;
        open.erase(id);
      }
      log.push_back({marker(id, at, commit ? Control::commit : Control::abort), -1});
    }
  }
  for (const auto& [id, t] : open) {  // in the end all are over
    aborted_at[t] = static_cast<Offset>(log.size());
    log.push_back({marker(id, aborted_at[t], Control::abort), -1});
  }
  const auto from = *rc::gen::inRange<std::size_t>(0, log.size());
  const auto to = *rc::gen::inRange<std::size_t>(from, log.size()) + 1;
  std::vector<AbortedTxn> told;  // as UnifiedLog.collectAbortedTransactions: those that overlap what is read
  for (const auto& [t, at] : aborted_at)
    if (at >= static_cast<Offset>(from) && first[t].second < static_cast<Offset>(to)) told.push_back({first[t].first, first[t].second});
  std::sort(told.begin(), told.end(), [](const AbortedTxn& a, const AbortedTxn& b) { return a.first_offset < b.first_offset; });
  AbortedFilter filter(told);
  for (std::size_t i = from; i < to; ++i) {
    const bool hidden = filter.hides(log[i].batch);
    RC_ASSERT(hidden == (log[i].transaction >= 0 && !committed.contains(log[i].transaction)));
  }
}

}  // namespace
}  // namespace mqlab::kafka::testing
