// What the model says of itself: profiles, roles, calls, marks, verbs, and what it leaves out.
#include "models/kafka/ledger.h"
#include "models/kafka/model_parts.h"
#include "models/kafka/settings.h"

namespace mqlab::kafka {
namespace {

Value t(const char* text) { return Value{std::string(text)}; }

}  // namespace

ModelDecl declare_model() {
  ModelDecl d;
  d.name = "kafka";
  d.family = "partitioned log";
  d.sentence = "Apache Kafka: partitioned logs, fetch replication, KRaft, idempotent producers.";
  d.default_profile = "4.3";
  d.options = declared_options();
  const std::vector<std::pair<std::string, Value>> before_4 = {{"elr", Value{false}}, {"timestamp_after_max", Value{time_max}}, {"transactions", t("tv1")}, {"strict_marker_epoch", Value{false}}};
  ProfileDecl p43{"4.3", "KRaft with eligible leader replicas, every rule as it is now."};
  ProfileDecl p39{"3.9", "KRaft without eligible leader replicas; linger is 0."};
  p39.cluster = before_4;
  p39.producer = {{"linger", Value{std::int64_t{0}}}};
  ProfileDecl p2{"2.x", "Truncation by KIP-279, epochs in fetches (KIP-320), no broker epoch in the ISR; producers default to acks=1."};
  p2.cluster = before_4;
  p2.cluster.insert(p2.cluster.end(), {{"transactions", t("tv0")}, {"truncation", t("kip279")}, {"isr_broker_epoch", Value{false}}, {"strict_min_isr", Value{false}}});
  p2.producer = {{"linger", Value{std::int64_t{0}}}, {"acks", t("1")}, {"idempotence", Value{false}}, {"sticky", t("batch")}};
  ProfileDecl p011{"0.11", "Truncation by KIP-101, no epoch checks, the ISR joined at the high watermark; producers default to acks=1."};
  p011.cluster = before_4;
  p011.cluster.insert(p011.cluster.end(), {{"transactions", t("tv0")}, {"truncation", t("kip101")}, {"fetch_epoch_check", Value{false}}, {"isr_join", t("hw")}, {"hw_isr", t("eager")},
                                           {"isr_broker_epoch", Value{false}}, {"strict_min_isr", Value{false}}, {"list_offsets_kip207", Value{false}},
                                           {"evict_with_records", Value{true}}});
  p011.producer = p2.producer;
  p011.producer.emplace_back("group_metadata", Value{false});
  p011.consumer = {{"position_validation", Value{false}}, {"require_stable", Value{false}}};
  d.profiles = {p43, p39, p2, p011};
  d.roles = {{"broker", "Keeps partitions and leads some of them."}, {"controller", "A voter of the KRaft quorum."},
             {"client", "An application with Kafka's client library."}};
  d.calls = {{"send", "topic, {key=, body=, partition=, size=, timestamp=}", "Hands a record to the producer."},
             {"poll", "timeout[, max]", "Takes what was fetched."},
             {"assign", "place[, position]", "Reads a topic or one partition."},
             {"seek", "place, position", "Moves the position; \"committed\" is where the group stands."},
             {"end_offset", "place", "Asks where a partition ends."},
             {"subscribe", "topics", "Reads for the group, what the group gives it."}, {"unsubscribe", "", "Leaves the group."},
             {"commit", "[place[, position]]", "Stores positions for the group."},
             {"begin", "", "Begins a transaction; the first one asks the coordinator who the producer is (initTransactions)."},
             {"send_offsets", "[place[, position]]", "Stores positions with the transaction (sendOffsetsToTransaction)."},
             {"commit_transaction", "", "Ends it: all of it counts."}, {"abort", "", "Ends it: none of it does."},
             {"init_transactions", "", "Asks who the producer is, ends what an earlier life left open, and fences it."},
             {"new_producer", "[transactional_id]", "Drops the producer with all that it has under way, and makes a new one; of another transactional_id if one is given, or of none by \"none\"."}, {"pause", "place", "Fetches nothing from a partition for a while."},
             {"resume", "place", "Fetches from it again."}, {"close", "", "Commits, as far as it does so by itself, and leaves."},
             {"ack", "message", "A share group with explicit_acks: the record is done."},
             {"release", "message", "... it is given back, for somebody else or for later."}, {"reject", "message", "... it is good for nobody."},
             {"store_offset", "\"orders/0 43\"", "librdkafka: a position that automatic commits may commit (auto_offset_store = false)."}};
  d.marks = {{"controller_elected", "A controller became active."}, {"controller_resigned", "A controller lost its lead."},
             {"broker_fenced", "A broker's session ended."}, {"broker_replaced", "A registration threw out another one of that broker, which had sent no heartbeat yet."}, {"broker_unfenced", "A broker may lead and join ISRs."},
             {"leader_elected", "A partition has a new leader."}, {"unclean_election", "... who was not in the ISR."},
             {"partition_offline", "A partition has no leader."}, {"isr_shrunk", "A replica left the ISR."}, {"isr_expanded", "A replica joined the ISR."},
             {"follower_at_lagging_mark", "A follower outside the ISR is as far as its leader's high watermark, which lags behind the start of the leader's epoch."},
             {"joining_replica_restarted", "A broker registered anew while a request to take it into an ISR was under way."},
             {"log_truncated", "A follower cut its log."}, {"log_recovered", "A log ended at a corrupt batch after a restart."},
             {"log_restarted", "A follower began anew at its leader's log start."}, {"corrupt_batch", "A follower got a batch that does not match its checksum."},
             {"not_enough_replicas", "A produce with acks=all was refused: the ISR is too small."},
             {"produce_timed_out", "A produce was answered before every in-sync replica had it."},
             {"duplicate_recognised", "A batch came a second time and was not written again."},
             {"out_of_order_sequence", "A batch was refused by its sequence number."}, {"records_deleted", "The beginning of a log was deleted."},
             {"segment_rolled", "A segment was closed and a new one begun."}, {"segment_deleted", "An old segment was deleted."},
             {"cleanup_policy_changed", "An operator changed what becomes of a topic's old records."},
             {"invalid_record", "A batch for a compacted topic was refused: a record without a key."},
             {"invalid_timestamp", "A batch was refused by its time."},
             {"throttled", "A client was over its quota, and its channel is not read for a while."},
             {"stable_position", "Readers of committed records may read on: transactions are decided."},
             {"transaction_not_verified", "A leader asked whether a transaction may begin in its partition, and did not hear yes."},
             {"marker_refused", "A leader did not take the end of a transaction."}, {"transaction_aborted", "An operator ended a transaction in one partition."},
             {"log_compacted", "The cleaner rewrote a log's closed segments."},
             {"log_start_fell_back", "A log began earlier again after a crash: deleted records reappear."},
             {"partitions_added", "A topic has more partitions."}, {"command_refused", "An operator's verb could not be carried out."},
             {"producer_retry", "A batch is sent again.", true}, {"producer_epoch_bumped", "A producer goes on in a new epoch."},
             {"transactional_producer_ready", "A transactional producer knows its id and epoch."},
             {"transaction_must_abort", "A producer met an error after which its transaction can only be aborted."},
             {"producer_fatal_error", "A transactional producer met an error after which it is of no use: fenced, mostly."},
             {"request_timed_out", "A client gave up waiting and closed the connection."}, {"position_reset", "A consumer's position was reset."},
             {"reads_from_follower", "A leader told a consumer to read from a follower in its rack."},
             {"reads_from_leader_again", "... and that is over: the consumer asks the leader again."},
             {"follower_out_of_range", "A follower does not have what a consumer asks for; its leader may."},
             {"log_truncation_detected", "A consumer learned that what it had read was cut off."},
             {"coordinator_loaded", "A broker coordinates the groups of a partition of __consumer_offsets."},
             {"member_joined", "A new member joined its group."}, {"member_left", "A member left its group."},
             {"member_expired", "A member was put out: it had sent no heartbeat."}, {"member_dropped", "A member did not come back in time when its group rebalanced."},
             {"static_member_returned", "A static member took its place again under a new id."},
             {"rebalance_started", "A group stops: its members must join again."}, {"generation_began", "All members have joined: a new generation."},
             {"commit_refused", "A commit came from somebody who may not, or in an old generation."}, {"offset_expired", "A committed position was dropped: nobody used it."},
             {"position_committed", "A transaction was committed: the position of its group counts now."},
             {"position_dropped", "A transaction was aborted, and the position that it had committed for its group with it."},
             {"position_superseded", "A transaction was committed, but a commit after it in the log counts."},
             {"position_unstable", "A position was asked for that an open transaction may change: it is not told."},
             {"group_join", "A consumer asks to join."}, {"group_joined", "A consumer is in a generation and knows its partitions."},
             {"group_epoch_bumped", "A group of KIP-848 or a share group has a new epoch: members, subscriptions or partitions are others."},
             {"partition_revoking", "The coordinator tells a member to give partitions up."}, {"partition_assigned", "The coordinator gives partitions to a member."},
             {"member_fenced", "A member was put out: it did not give up in time what it was told to."},
             {"max_poll_interval_exceeded", "An application did not poll for too long: its library leaves the group."},
             {"member_put_out", "A consumer learned that it is out of its group."},
             {"share_partition_loaded", "A leader has read what a share group did with a partition."},
             {"record_lock_expired", "A member of a share group held a record too long: it is given to another."},
             {"record_archived", "A share group is done with a record that nobody accepted: rejected, or delivered too often."},
             {"share_partition_full", "A share group has as much of a partition under way as may be: nothing new is given out."},
             {"transaction_state", "A transactional id has a new state: it is in its coordinator's log."},
             {"transaction_timed_out", "A transaction was open for too long: its coordinator aborts it."},
             {"producer_fenced", "A transactional producer has a newer epoch, or what it asked for in an old one was refused."},
             {"markers_written", "Every partition of a transaction has its marker."},
             {"markers_refused", "A partition knows a newer producer or coordinator: nobody completes this transaction before its coordinator moves."},
             {"transactional_id_expired", "A transactional id was forgotten: nobody used it."}};
  d.verbs = {{"elect", "\"orders/0 [B2]\" to the controller", "Makes an ISR member the leader; without a name the preferred one.", "controller", {"{place}", "{place} {broker}", "{place} {broker}"}},
             {"elect_unclean", "\"orders/0\" to the controller", "Elects anybody alive when nobody else can lead.", "controller", {"{place}"}, "", true},
             {"add_partitions", "\"orders 8\" to the controller", "Grows a topic up to its partitions_max.", "controller", {"{topic} {2..8}"}, "", true},
             {"abort_transaction", "\"orders/0 7\" to the leader", "Ends the open transaction of a producer by its number (KIP-664).", "leader {place}", {"{place} {1..4}"}, "", true},
             {"delete_records", "\"orders/0 10\" to the leader", "Deletes the records before an offset.", "leader {place}", {"{place} {1..50}"}, "", true},
             {"cleanup_policy", "\"orders compact\" to all brokers", "Changes a topic's cleanup.policy: delete, compact, or compact,delete.", "all broker", {"{topic} compact", "{topic} delete"}, "", true}};
  d.step_paths = {{"!metadata replayed to", "How far a broker has read the metadata log: every broker, for every record."},
                  {"!metadata log", "How long that log is."},
                  {"!B*/*/B?", "How far a leader's followers have fetched: the high watermark tells what comes of it."},
                  {"!B*/*/B??", "... in a cluster of ten and more."},
                  {"!*/consumer/*/*", "Fetch positions of consumers."},
                  {"!records fetched ahead", "What a consumer's library holds for its application."},
                  {"!*/producer/batches*", "Batches that are queued or on the wire."},
                  {"!producer application", "How far the application of a producer is."},
                  {"!consumer application", "How far the application of a consumer is."}};
  d.not_modelled = {"two-phase commit by others (KIP-939), the admin calls that list and describe transactions", "sessions of share fetches, read_committed share groups, the renewal of a record's lock by clients, state of share groups in snapshots and updates",
                    "request and controller quotas, quotas of users and of replication", "tiered storage", "regular expressions in subscriptions, racks in assignors, a live change from the classic protocol to KIP-848",
                    "ZooKeeper: the older profiles run their data-plane rules under a KRaft controller", "metadata snapshots, reassignment, several log directories",
                    "compression, authentication, the wire format itself"};
  d.ledger = declared_ledger();
  return d;
}

}  // namespace mqlab::kafka
