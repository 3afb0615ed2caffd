// The options of a Kafka cluster, each declared once: name, default, sentence, source.
#include <algorithm>

#include "models/kafka/settings.h"

namespace mqlab::kafka {
namespace {

constexpr Duration ms = 1'000'000;
constexpr Duration s = 1'000'000'000;

Value i(std::int64_t n) { return Value{n}; }
Value t(const char* text) { return Value{std::string(text)}; }

OptionDecl boolean(const char* name, const char* scope, bool value, const char* sentence, const char* source) {
  return {name, scope, OptionType::boolean, Value{value}, sentence, source, {}};
}
OptionDecl integer(const char* name, const char* scope, std::int64_t value, const char* sentence, const char* source, std::int64_t min,
                   std::int64_t max = std::numeric_limits<std::int64_t>::max()) {
  return {name, scope, OptionType::integer, i(value), sentence, source, {}, min, max};
}
OptionDecl duration(const char* name, const char* scope, Duration value, const char* sentence, const char* source, Duration min = 0) {
  return {name, scope, OptionType::duration, i(value), sentence, source, {}, min};
}
OptionDecl choice(const char* name, const char* scope, const char* value, std::vector<std::string> choices, const char* sentence, const char* source) {
  return {name, scope, OptionType::choice, t(value), sentence, source, std::move(choices)};
}
OptionDecl rule(OptionDecl d) {
  d.is_switch = true;
  return d;
}

}  // namespace

std::vector<OptionDecl> declared_options() {
  return {
      // --- cluster ---
      integer("brokers", "cluster", 3, "Brokers B1, B2, ...", "", 1, 100),
      integer("controllers", "cluster", 3, "Voters of the KRaft quorum C1, C2, ...", "controller.quorum.voters", 1, 9),
      integer("min_insync", "cluster", 1, "The fewest in-sync replicas with which acks=all is taken.", "min.insync.replicas", 1, 100),
      boolean("unclean_election", "cluster", false, "A replica outside the ISR may become leader when nobody else can.", "unclean.leader.election.enable"),
      duration("replica_lag_max", "cluster", 30 * s, "A follower that has not caught up for this long leaves the ISR.", "replica.lag.time.max.ms", 1 * ms),
      duration("replica_fetch_wait", "cluster", 500 * ms, "How long a leader keeps a follower's fetch without news.", "replica.fetch.wait.max.ms", 1 * ms),
      duration("replica_fetch_backoff", "cluster", 1 * s, "A fetcher rests for this long after an error.", "replica.fetch.backoff.ms", 1 * ms),
      duration("heartbeat_interval", "cluster", 2 * s, "Time between a broker's heartbeats to the controller.", "broker.heartbeat.interval.ms", 1 * ms),
      duration("session_timeout", "cluster", 9 * s, "A broker without heartbeat for this long is fenced.", "broker.session.timeout.ms", 1 * ms),
      duration("hw_checkpoint_interval", "cluster", 5 * s, "How often high watermarks are written to disk.", "replica.high.watermark.checkpoint.interval.ms", 1 * ms),
      duration("metadata_linger", "cluster", 25 * ms, "How long the controller gathers metadata records before it writes them.", "controller.quorum.append.linger.ms"),
      duration("election_timeout", "cluster", 1 * s, "A voter that knows no leader tries after this long, drawn up to twice it.", "controller.quorum.election.timeout.ms", 1 * ms),
      duration("quorum_fetch_timeout", "cluster", 2 * s, "A voter that hears nothing from its leader for this long calls an election.", "controller.quorum.fetch.timeout.ms", 1 * ms),
      duration("leader_rebalance_interval", "cluster", 300 * s, "How often leadership goes back to preferred replicas; 0 = never.", "leader.imbalance.check.interval.seconds"),
      integer("flush_messages", "cluster", 0, "A log is synced to disk after so many records; 0 = left to the operating system.", "log.flush.interval.messages", 0),
      duration("request_timeout", "cluster", 30 * s, "A request between brokers that is not answered for this long is given up.", "replica.socket.timeout.ms", 1 * ms),
      duration("producer_id_expiration", "cluster", 86'400 * s, "A producer silent for this long is forgotten.", "producer.id.expiration.ms", 1 * ms),
      choice("timestamp_type", "cluster", "create", {"create", "append"}, "Whose clock stamps a record: the producer's or the leader's.", "message.timestamp.type"),
      duration("timestamp_after_max", "cluster", 3'600 * s, "How far ahead of the leader's clock a record's own time may be.", "message.timestamp.after.max.ms, KIP-1030"),
      duration("timestamp_before_max", "cluster", time_max, "How far behind the leader's clock a record's own time may be.", "message.timestamp.before.max.ms"),
      duration("retention_check_interval", "cluster", 300 * s, "How often a broker looks for segments that retention lets it delete (when it writes high watermarks).", "log.retention.check.interval.ms", 1 * ms),
      duration("cleaner_interval", "cluster", 15 * s, "How long the log cleaner rests when no log is dirty enough.", "log.cleaner.backoff.ms", 1 * ms),
      duration("log_start_checkpoint_interval", "cluster", 60 * s, "How often it is written to disk where logs start, as DeleteRecords moved it (when high watermarks are).", "log.flush.start.offset.checkpoint.interval.ms", 1 * ms),
      integer("producer_byte_rate", "cluster", 0, "Bytes a second that a broker takes from one client before it throttles it; 0 = no quota.", "producer_byte_rate, KIP-13", 0),
      {"racks", "cluster", OptionType::list, std::string(), "Racks of B1, B2, ... in turn, \"r1,r2,r3\"; empty = brokers have none.", "broker.rack", {}},
      choice("replica_selector", "cluster", "none", {"none", "rack_aware"}, "Whom consumers read from: the leader, or an in-sync replica in their rack that has what they ask for.", "replica.selector.class, KIP-392"),
      integer("consumer_byte_rate", "cluster", 0, "Bytes a second that a broker hands to one client before it throttles it; 0 = no quota.", "consumer_byte_rate, KIP-13", 0),
      duration("broker_service", "cluster", 20'000, "Time an I/O thread of a broker needs for a request.", "LinkedIn benchmark (order of magnitude)"),
      integer("io_threads", "cluster", 8, "I/O threads of a broker.", "num.io.threads", 1, 1000),
      duration("sync_latency", "cluster", 1 * ms, "Time a disk needs to sync.", "consumer NVMe without power-loss protection"),
      duration("writeback_after", "cluster", 30 * s, "The operating system writes dirty pages back after this long.", "Linux vm.dirty_expire_centisecs"),
      boolean("shared_power", "cluster", false, "All brokers hang on one power supply: power lost by one is lost by all.", ""),

      // --- coordinators of groups ---
      integer("offsets_partitions", "cluster", 3, "Partitions of __consumer_offsets: each group has its coordinator on one of them.", "offsets.topic.num.partitions (50 in the product)", 1, 1000),
      integer("offsets_replicas", "cluster", 3, "Copies of each of them; no more than there are brokers.", "offsets.topic.replication.factor", 1, 100),
      integer("offsets_min_insync", "cluster", -1, "min_insync of __consumer_offsets; -1 = the cluster's.", "min.insync.replicas of that topic", -1, 100),
      duration("group_initial_rebalance_delay", "cluster", 3 * s, "An empty group waits for more members for so long before its first generation.", "group.initial.rebalance.delay.ms"),
      duration("offsets_commit_timeout", "cluster", 5 * s, "A commit that is not on all in-sync replicas by then is refused.", "offsets.commit.timeout.ms", 1 * ms),
      duration("offsets_retention", "cluster", 604'800 * s, "Committed positions that nobody uses any more are dropped after so long.", "offsets.retention.minutes", 1 * ms),
      duration("offsets_retention_check", "cluster", 600 * s, "How often it is looked for them.", "offsets.retention.check.interval.ms", 1 * ms),
      duration("group_load_time", "cluster", 10 * ms, "Time until a new coordinator has read its log and answers.", ""),
      duration("consumer_session_timeout", "cluster", 45 * s, "A member of a KIP-848 or share group without heartbeat for so long is put out.", "group.consumer.session.timeout.ms", 1 * ms),
      duration("consumer_heartbeat_interval", "cluster", 5 * s, "How often such a member is to send one.", "group.consumer.heartbeat.interval.ms", 1 * ms),
      duration("group_assignment_interval", "cluster", 1 * s, "The coordinator computes such a group's assignment anew at most so often; 0 as up to 4.2.", "group.consumer.assignment.interval.ms, group.share.assignment.interval.ms"),
      duration("share_record_lock", "cluster", 30 * s, "An acquired record is one member's for so long.", "group.share.record.lock.duration.ms", 1 * ms),
      choice("share_auto_offset_reset", "cluster", "latest", {"earliest", "latest"}, "Where a share group begins with a partition that it has not read.", "share.auto.offset.reset"),
      integer("share_delivery_limit", "cluster", 5, "A record that failed so often is given to nobody any more.", "group.share.delivery.count.limit", 1, 100),
      integer("share_record_locks", "cluster", 2000, "Records acquired at once on one partition of a share group.", "group.share.partition.max.record.locks", 1, 1'000'000),

      // --- coordinators of transactions ---
      integer("transaction_partitions", "cluster", 3, "Partitions of __transaction_state: each transactional id has its coordinator on one of them.", "transaction.state.log.num.partitions (50 in the product)", 1, 1000),
      integer("transaction_replicas", "cluster", 3, "Copies of each of them; no more than there are brokers.", "transaction.state.log.replication.factor", 1, 100),
      integer("transaction_min_insync", "cluster", 2, "min_insync of __transaction_state; no more than its copies.", "transaction.state.log.min.isr", 1, 100),
      duration("transaction_max_timeout", "cluster", 900 * s, "No producer may ask for a longer transaction_timeout.", "transaction.max.timeout.ms", 1 * ms),
      duration("transaction_timeout_check", "cluster", 10 * s, "How often a coordinator looks for transactions that are open for too long, and aborts them.", "transaction.abort.timed.out.transaction.cleanup.interval.ms", 1 * ms),
      duration("transactional_id_expiration", "cluster", 604'800 * s, "A transactional id that nobody used for so long is forgotten.", "transactional.id.expiration.ms", 1 * ms),
      duration("transactional_id_expiration_check", "cluster", 3'600 * s, "How often it is looked for them.", "transaction.remove.expired.transaction.cleanup.interval.ms", 1 * ms),
      duration("add_partitions_retry_backoff", "cluster", 20 * ms, "TV2: a leader that may not add its partition yet asks again after so long.", "add.partitions.to.txn.retry.backoff.ms", 1 * ms),
      integer("producer_epoch_max", "cluster", 32766, "A producer whose epoch is used up gets a new id; small values show it soon.", "Short.MAX_VALUE - 1", 2, 32766),

      // --- rules as they once were, or broken on purpose ---
      rule(choice("transactions", "cluster", "tv2", {"tv0", "tv1", "tv2"}, "How transactions are kept apart: by the producer's session alone, with a leader that asks the coordinator (KIP-890 part 1), or by an epoch of each transaction (part 2).", "KIP-98, KIP-890; transaction.version, transaction.partition.verification.enable")),
      rule(boolean("stable_before_open", "cluster", true, "Readers of committed records end before the first record of an open transaction; off: one too far.", "Redpanda 21.10.1 (#3036, found by Jepsen); never so in Kafka")),
      rule(boolean("strict_marker_epoch", "cluster", true, "TV2: a leader takes a marker only if its epoch is above the one of the producer's records.", "KIP-1228 (4.2)")),
      rule(boolean("rotate_when_fenced", "cluster", true, "TV2: a transactional id whose epochs are used up gets a new producer id with the end of its last transaction, whoever ended that; off: only if the producer did.", "KAFKA-20090")),
      rule(choice("commit_epoch", "cluster", "kip1251", {"strict", "kip1251"}, "A KIP-848 member commits in its present epoch only, or in any since it owns the partition.", "KIP-1251 (4.3)")),
      rule(choice("truncation", "cluster", "fetch", {"hw", "kip101", "kip279", "fetch"}, "How a follower finds where its log and the leader's part.", "KIP-101, KIP-279, KAFKA-10554 (truncate on fetch)")),
      rule(boolean("fetch_epoch_check", "cluster", true, "A fetch says its leader epoch and last fetched epoch, and the leader compares both.", "KIP-320")),
      rule(choice("isr_join", "cluster", "leader_epoch_start", {"hw", "leader_epoch_start"}, "A follower joins the ISR at the high watermark, or not before the start of the leader's epoch.", "KAFKA-7128")),
      rule(choice("hw_isr", "cluster", "maximal", {"committed", "maximal", "eager"}, "While the ISR changes, the high watermark counts the old ISR, the larger of both, or the new one at once.", "KIP-497, KAFKA-8836")),
      rule(boolean("isr_broker_epoch", "cluster", true, "A replica that restarted meanwhile is refused in an ISR by its broker epoch.", "KIP-903")),
      rule(boolean("elr", "cluster", true, "Eligible leader replicas: who was in the ISR when it fell below min.insync may still lead.", "KIP-966")),
      rule(boolean("strict_min_isr", "cluster", true, "The high watermark stands still while the ISR is below min.insync.", "KAFKA-15583")),
      rule(boolean("list_offsets_kip207", "cluster", true, "A new leader names no latest offset before its high watermark has reached its epoch.", "KIP-207")),
      rule(boolean("fetch_high_watermark", "cluster", true, "Consumers get records up to the high watermark; off: as soon as the leader has them.", "Partition.fetchRecords; not so in Redpanda 21.10.1 (#3003, found by Jepsen)")),
      rule(boolean("dedup_replicated", "cluster", true, "Followers learn from the log what producers wrote.", "KIP-98")),
      rule(integer("dedup_window", "cluster", 5, "So many batches of a producer are remembered on a partition.", "ProducerStateEntry.NUM_BATCHES_TO_RETAIN", 0, 1000)),
      rule(boolean("evict_with_records", "cluster", false, "A producer is forgotten when its last record is deleted.", "before KAFKA-7190")),
      rule(boolean("first_sequence_zero", "cluster", false, "Where no record was ever written, a producer's first batch must begin at sequence 0.", "KAFKA-15591 (4.5)")),

      // --- topic ---
      integer("partitions", "topic", 1, "Partitions.", "num.partitions", 1, 10'000),
      integer("partitions_max", "topic", 0, "So many an operator may grow the topic to, by the verb add_partitions; 0 = no more than now.", "", 0, 10'000),
      integer("replicas", "topic", 3, "Copies of each partition.", "default.replication.factor (1 in the product)", 1, 100),
      integer("min_insync", "topic", -1, "As the cluster's, for this topic; -1 = the cluster's.", "min.insync.replicas", -1, 100),

      choice("cleanup_policy", "topic", "delete", {"delete", "compact", "compact,delete"}, "Old segments are deleted, or of each key only the last record is kept, or both.", "cleanup.policy"),
      duration("retention", "topic", 7 * 86'400 * s, "A segment goes when its newest record is older; 0 = no limit by time.", "retention.ms"),
      integer("retention_bytes", "topic", -1, "The oldest segments go while a partition is larger than this; -1 = no limit by size.", "retention.bytes", -1),
      integer("segment_bytes", "topic", 1'073'741'824, "A segment is closed before it would be larger; a larger batch is refused.", "segment.bytes", 14),
      duration("segment_time", "topic", 7 * 86'400 * s, "A segment is closed when a record comes that is so much younger than its first one.", "segment.ms", 1 * ms),
      duration("delete_retention", "topic", 86'400 * s, "How long compaction leaves a tombstone in the log after it first saw it.", "delete.retention.ms, KIP-534"),
      integer("min_cleanable_dirty_ratio", "topic", 50, "Compaction begins when more than so much of a log is not cleaned yet, in percent.", "min.cleanable.dirty.ratio", 0, 100),
      duration("min_compaction_lag", "topic", 0, "A segment with a record younger than this is not compacted.", "min.compaction.lag.ms"),
      duration("max_compaction_lag", "topic", time_max, "A record older than this is compacted however little there is.", "max.compaction.lag.ms, KIP-354", 1 * ms),
      choice("timestamp_type", "topic", "cluster", {"cluster", "create", "append"}, "Whose clock stamps a record, for this topic.", "message.timestamp.type"),

      // --- producer ---
      choice("acks", "producer", "all", {"0", "1", "all"}, "Who must have a record before the producer is told.", "acks, KIP-679"),
      boolean("idempotence", "producer", true, "Batches carry producer id and sequence, and brokers refuse what they hold already.", "enable.idempotence, KIP-98"),
      integer("max_in_flight", "producer", 5, "Requests without an answer on one connection.", "max.in.flight.requests.per.connection", 1, 1'000'000),
      duration("linger", "producer", 5 * ms, "How long a batch waits for company.", "linger.ms, KIP-1030"),
      integer("batch_bytes", "producer", 16384, "A batch is closed at this size.", "batch.size", 1),
      integer("buffer_bytes", "producer", 33'554'432, "Memory for records that are not sent yet.", "buffer.memory", 1),
      duration("max_block", "producer", 60 * s, "How long send waits for memory or metadata.", "max.block.ms"),
      duration("request_timeout", "producer", 30 * s, "A request without answer for this long: the connection is closed.", "request.timeout.ms", 1 * ms),
      duration("delivery_timeout", "producer", 120 * s, "A record is given up after this long.", "delivery.timeout.ms", 1 * ms),
      integer("retries", "producer", 2'147'483'647, "How often a batch is sent again.", "retries", 0),
      duration("retry_backoff", "producer", 100 * ms, "Rest before the first retry; doubles.", "retry.backoff.ms, KIP-580"),
      duration("retry_backoff_max", "producer", 1 * s, "The longest rest before a retry.", "retry.backoff.max.ms"),
      duration("metadata_max_age", "producer", 300 * s, "Metadata older than this is asked for again.", "metadata.max.age.ms", 1 * ms),
      duration("reconnect_backoff", "producer", 50 * ms, "Rest before connecting again; doubles.", "reconnect.backoff.ms"),
      duration("reconnect_backoff_max", "producer", 1 * s, "The longest rest before connecting again.", "reconnect.backoff.max.ms"),
      choice("partitioner", "producer", "murmur2", {"murmur2", "crc32", "fnv1a"}, "The hash of keys: murmur2 as in Java, crc32 as in librdkafka.", "partitioner.class, librdkafka partitioner"),
      choice("sticky", "producer", "uniform", {"uniform", "batch"}, "Records without a key: uniform sticky or sticky per batch.", "KIP-794, KIP-480"),
      boolean("queue_full_at_once", "producer", false, "A full buffer is an error at once, as in librdkafka; else send waits for max_block.", "librdkafka RD_KAFKA_RESP_ERR__QUEUE_FULL"),
      rule(boolean("client_honours_throttle", "producer", true, "A client that was throttled sends nothing until the time is over.", "KIP-219")),
      {"transactional_id", "producer", OptionType::text, std::string(), "Who it is to the transaction coordinator, over all its lives; empty = no transactions.", "transactional.id, KIP-98", {}},
      duration("transaction_timeout", "producer", 60 * s, "A transaction that is open for so long is aborted by its coordinator.", "transaction.timeout.ms", 1 * ms),
      choice("client_library", "producer", "java", {"java", "librdkafka"}, "Whose rules the transactional producer follows where the two differ; librdkafka does not speak TV2.", "TransactionManager (Java), rdkafka_txnmgr.c"),
      rule(boolean("group_metadata", "producer", true, "Positions of a transaction go with the consumer's generation and member id, and a zombie's are refused.", "KIP-447: sendOffsetsToTransaction(offsets, groupMetadata)")),
      rule(boolean("epoch_bump_after_error", "producer", true, "A transactional producer that does not know what became of a batch goes on in a new epoch; off: in the same one, from the same number.", "KIP-360 (2.5)")),
      rule(boolean("split_on_retry", "producer", false, "A client that cuts a batch in two when it sends it again, against the rule.", "KAFKA-5494")),

      // --- consumer ---
      choice("auto_offset_reset", "consumer", "latest", {"earliest", "latest", "none"}, "Where to begin without a position, or with one that is gone.", "auto.offset.reset"),
      choice("isolation", "consumer", "read_uncommitted", {"read_uncommitted", "read_committed"}, "Whether records of open and aborted transactions are read.", "isolation.level (librdkafka: read_committed)"),
      rule(boolean("aborted_filter_ends", "consumer", true, "Behind a producer's ABORT marker its records are shown again; off: not in the same answer to a fetch.", "as Bufstream 0.1.0 (found by Jepsen) hid records from readers that lag; CompletedFetch")),
      rule(boolean("require_stable", "consumer", true, "It waits for a committed position that an open transaction may yet change.", "KIP-447: OffsetFetch require_stable")),
      {"group", "consumer", OptionType::text, std::string(), "The group that it reads for; empty = it reads for itself, from places it chooses.", "group.id", {}},
      choice("group_protocol", "consumer", "classic", {"classic", "consumer", "share"}, "How the group is kept: by its members, by the coordinator (KIP-848), or as a share group (KIP-932).", "group.protocol"),
      {"assignors", "consumer", OptionType::list, std::string("range,cooperative-sticky"), "Classic: range, roundrobin, sticky, cooperative-sticky, the preferred one first. KIP-848: uniform or range.", "partition.assignment.strategy, group.remote.assignor", {}},
      {"instance", "consumer", OptionType::text, std::string(), "A static member's lasting name; empty = a dynamic member.", "group.instance.id, KIP-345", {}},
      duration("session_timeout", "consumer", 45 * s, "Classic: a member without heartbeat for so long is put out.", "session.timeout.ms, KIP-735", 1 * ms),
      duration("group_heartbeat", "consumer", 3 * s, "Classic: time between heartbeats to the coordinator.", "heartbeat.interval.ms", 1 * ms),
      duration("max_poll_interval", "consumer", 300 * s, "A member whose application does not poll for so long leaves the group.", "max.poll.interval.ms", 1 * ms),
      choice("auto_commit", "consumer", "java", {"off", "java", "librdkafka"}, "Positions are committed by the application, inside a later poll, or by a timer in the background.", "enable.auto.commit"),
      duration("auto_commit_interval", "consumer", 5 * s, "... so often.", "auto.commit.interval.ms", 1 * ms),
      boolean("auto_offset_store", "consumer", true, "librdkafka: a record counts as done as soon as it is handed out.", "enable.auto.offset.store"),
      duration("api_timeout", "consumer", 60 * s, "A synchronous commit gives up after so long.", "default.api.timeout.ms", 1 * ms),
      boolean("explicit_acks", "consumer", false, "Share groups: the application confirms each record; else the next poll confirms all of the last.", "share.acknowledgement.mode"),
      choice("share_acquire_mode", "consumer", "batch_optimized", {"batch_optimized", "record_limit"}, "Share groups: whether whole batches are acquired, or at most max_poll_records.", "share.acquire.mode, KIP-1206"),
      duration("fetch_wait", "consumer", 500 * ms, "How long a broker keeps a fetch without news.", "fetch.max.wait.ms", 1 * ms),
      integer("fetch_min_bytes", "consumer", 1, "A broker answers when it has so many bytes.", "fetch.min.bytes", 1),
      integer("max_poll_records", "consumer", 500, "A poll returns at most so many.", "max.poll.records", 1),
      rule(boolean("client_honours_throttle", "consumer", true, "A client that was throttled asks for nothing until the time is over.", "KIP-219")),
      {"client_rack", "consumer", OptionType::text, std::string(), "The rack that it is in, as it tells brokers; empty = it reads from leaders.", "client.rack, KIP-392", {}},
      rule(boolean("out_of_range_asks_leader", "consumer", true, "What a follower calls out of range the consumer asks the leader for, before it resets its position.", "KIP-392; FetchCollector.handleInitializeErrors")),
      rule(boolean("position_validation", "consumer", true, "After a change of leader the consumer asks whether its position still means what it meant.", "KIP-320")),
      duration("metadata_max_age", "consumer", 300 * s, "Metadata older than this is asked for again.", "metadata.max.age.ms", 1 * ms),
      duration("request_timeout", "consumer", 30 * s, "A request without answer for this long: the connection is closed.", "request.timeout.ms", 1 * ms),
      duration("retry_backoff", "consumer", 100 * ms, "Rest before the first retry; doubles.", "retry.backoff.ms"),
      duration("retry_backoff_max", "consumer", 1 * s, "The longest rest before a retry.", "retry.backoff.max.ms"),
      duration("reconnect_backoff", "consumer", 50 * ms, "Rest before connecting again; doubles.", "reconnect.backoff.ms"),
      duration("reconnect_backoff_max", "consumer", 1 * s, "The longest rest before connecting again.", "reconnect.backoff.max.ms"),
  };
}

ClusterSettings cluster_settings(const Options& o) {
  ClusterSettings c;
  const std::string& truncation = o.text("truncation");
  c.switches.truncation = truncation == "hw" ? Truncation::high_watermark : truncation == "kip101" ? Truncation::kip101
                          : truncation == "kip279" ? Truncation::kip279 : Truncation::fetch;
  c.switches.fetch_epoch_check = o.boolean("fetch_epoch_check");
  c.switches.isr_join = o.text("isr_join") == "hw" ? IsrJoin::high_watermark : IsrJoin::leader_epoch_start;
  c.switches.hw_isr = o.text("hw_isr") == "committed" ? HwIsr::committed : o.text("hw_isr") == "eager" ? HwIsr::eager : HwIsr::maximal;
  c.switches.isr_broker_epoch = o.boolean("isr_broker_epoch");
  c.switches.elr = o.boolean("elr");
  c.switches.strict_min_isr = o.boolean("strict_min_isr");
  c.switches.list_offsets_kip207 = o.boolean("list_offsets_kip207");
  c.switches.fetch_high_watermark = o.boolean("fetch_high_watermark");
  c.groups.initial_rebalance_delay = o.duration("group_initial_rebalance_delay");
  c.groups.commit_timeout = o.duration("offsets_commit_timeout");
  c.groups.offsets_retention = o.duration("offsets_retention");
  c.groups.offsets_retention_check = o.duration("offsets_retention_check");
  c.groups.load_time = o.duration("group_load_time");
  c.groups.session_timeout = o.duration("consumer_session_timeout");
  c.groups.heartbeat_interval = o.duration("consumer_heartbeat_interval");
  c.groups.assignment_interval = o.duration("group_assignment_interval");
  c.groups.commit_epoch = o.text("commit_epoch") == "strict" ? CommitEpoch::strict : CommitEpoch::kip1251;
  c.groups.share_lock = o.duration("share_record_lock");
  c.groups.share_from_earliest = o.text("share_auto_offset_reset") == "earliest";
  c.groups.share_delivery_limit = static_cast<std::int32_t>(o.integer("share_delivery_limit"));
  c.groups.share_record_locks = static_cast<std::int32_t>(o.integer("share_record_locks"));
  const auto version = [](const std::string& name) { return name == "tv0" ? TxnVersion::tv0 : name == "tv1" ? TxnVersion::tv1 : TxnVersion::tv2; };
  c.transactions.version = version(o.text("transactions"));
  c.transactions.strict_marker_epoch = o.boolean("strict_marker_epoch");
  c.transactions.rotate_when_fenced = o.boolean("rotate_when_fenced");
  c.transactions.timeout_max = o.duration("transaction_max_timeout");
  c.transactions.timeout_check = o.duration("transaction_timeout_check");
  c.transactions.id_expiration = o.duration("transactional_id_expiration");
  c.transactions.id_expiration_check = o.duration("transactional_id_expiration_check");
  c.transactions.load_time = o.duration("group_load_time");
  c.transactions.add_retry_backoff = o.duration("add_partitions_retry_backoff");
  c.transactions.epoch_max = static_cast<ProducerEpoch>(o.integer("producer_epoch_max"));
  c.brokers = static_cast<std::int32_t>(o.integer("brokers"));
  c.controllers = static_cast<std::int32_t>(o.integer("controllers"));
  c.min_insync = static_cast<std::int32_t>(o.integer("min_insync"));
  c.unclean_election = o.boolean("unclean_election");
  c.replica_lag_max = o.duration("replica_lag_max");
  c.replica_fetch_wait = o.duration("replica_fetch_wait");
  c.replica_fetch_backoff = o.duration("replica_fetch_backoff");
  c.heartbeat_interval = o.duration("heartbeat_interval");
  c.session_timeout = o.duration("session_timeout");
  c.hw_checkpoint_interval = o.duration("hw_checkpoint_interval");
  c.metadata_linger = o.duration("metadata_linger");
  c.leader_rebalance_interval = o.duration("leader_rebalance_interval");
  c.flush_messages = o.integer("flush_messages");
  c.request_timeout = o.duration("request_timeout");
  c.log.producers.replicated = o.boolean("dedup_replicated");
  c.log.producers.window = static_cast<std::int32_t>(o.integer("dedup_window"));
  c.log.producers.expiration = o.duration("producer_id_expiration");
  c.log.producers.evict_with_records = o.boolean("evict_with_records");
  c.log.producers.first_sequence_zero = o.boolean("first_sequence_zero");
  c.log.stable_before_open = o.boolean("stable_before_open");
  c.log.log_append_time = o.text("timestamp_type") == "append";
  c.log.timestamp_after_max = o.duration("timestamp_after_max");
  c.log.timestamp_before_max = o.duration("timestamp_before_max");
  c.retention_check_interval = o.duration("retention_check_interval");
  c.cleaner_interval = o.duration("cleaner_interval");
  c.producer_byte_rate = o.integer("producer_byte_rate");
  c.consumer_byte_rate = o.integer("consumer_byte_rate");
  c.log_start_checkpoint_interval = o.duration("log_start_checkpoint_interval");
  c.racks = o.list("racks");
  c.rack_aware = o.text("replica_selector") == "rack_aware";
  return c;
}

ProducerSettings producer_settings(const Options& o) {
  ProducerSettings p;
  p.acks = o.text("acks") == "all" ? -1 : o.text("acks") == "1" ? 1 : 0;
  p.idempotence = o.boolean("idempotence");
  p.max_in_flight = static_cast<std::int32_t>(o.integer("max_in_flight"));
  p.linger = o.duration("linger");
  p.batch_bytes = o.integer("batch_bytes");
  p.buffer_bytes = o.integer("buffer_bytes");
  p.max_block = o.duration("max_block");
  p.request_timeout = o.duration("request_timeout");
  p.delivery_timeout = o.duration("delivery_timeout");
  p.retries = o.integer("retries");
  p.retry_backoff = o.duration("retry_backoff");
  p.retry_backoff_max = o.duration("retry_backoff_max");
  p.metadata_max_age = o.duration("metadata_max_age");
  p.reconnect_backoff = o.duration("reconnect_backoff");
  p.reconnect_backoff_max = o.duration("reconnect_backoff_max");
  p.partitioner = *key_hash_named(o.text("partitioner"));
  p.uniform_sticky = o.text("sticky") == "uniform";
  p.split_on_retry = o.boolean("split_on_retry");
  p.queue_full_at_once = o.boolean("queue_full_at_once");
  p.honours_throttle = o.boolean("client_honours_throttle");
  p.transactional_id = o.text("transactional_id");
  p.transaction_timeout = o.duration("transaction_timeout");
  p.library = o.text("client_library") == "librdkafka" ? ClientLibrary::librdkafka : ClientLibrary::java;
  p.group_metadata = o.boolean("group_metadata");
  p.bump_after_error = o.boolean("epoch_bump_after_error");
  // ProducerConfig.postProcessAndValidateIdempotenceConfigs: a conflict silently wins over the default.
  // A transactional id asks for idempotence, and that for acks=all.
  if (!p.transactional_id.empty()) {
    if (!o.given("idempotence")) p.idempotence = true;
    if (!o.given("acks")) p.acks = -1;
  }
  if (!o.given("idempotence") && (p.acks != -1 || p.retries == 0 || p.max_in_flight > 5)) p.idempotence = false;
  return p;
}

ConsumerSettings consumer_settings(const Options& o) {
  ConsumerSettings c;
  const std::string& reset = o.text("auto_offset_reset");
  c.reset = reset == "earliest" ? OffsetReset::earliest : reset == "none" ? OffsetReset::none : OffsetReset::latest;
  c.read_committed = o.text("isolation") == "read_committed";
  c.require_stable = o.boolean("require_stable");
  c.aborted_filter_ends = o.boolean("aborted_filter_ends");
  c.group = o.text("group");
  const std::string& protocol = o.text("group_protocol");
  c.protocol = protocol == "consumer" ? GroupProtocol::consumer : protocol == "share" ? GroupProtocol::share : GroupProtocol::classic;
  c.assignors = o.list("assignors");
  c.instance = o.text("instance");
  c.session_timeout = o.duration("session_timeout");
  c.group_heartbeat = o.duration("group_heartbeat");
  c.max_poll_interval = o.duration("max_poll_interval");
  const std::string& auto_commit = o.text("auto_commit");
  c.auto_commit = c.group.empty() || auto_commit == "off" ? AutoCommit::off : auto_commit == "java" ? AutoCommit::java : AutoCommit::librdkafka;
  c.auto_commit_interval = o.duration("auto_commit_interval");
  c.auto_offset_store = o.boolean("auto_offset_store");
  c.api_timeout = o.duration("api_timeout");
  c.explicit_acks = o.boolean("explicit_acks");
  // Who commits, stores or acknowledges by hand has told the library not to, unless it says otherwise.
  const auto asks = [&o](const char* option) { return o.has(option) ? o.text(option) : std::string(); };
  if (const std::string commit = asks("commit"); !commit.empty() && commit != "library" && !c.group.empty()) {
    const bool stores = commit == "store";
    if (!o.given("auto_commit")) c.auto_commit = stores ? AutoCommit::librdkafka : AutoCommit::off;
    if (stores && !o.given("auto_offset_store")) c.auto_offset_store = false;
  }
  if (const std::string ack = asks("ack"); !ack.empty() && ack != "implicit" && !o.given("explicit_acks")) c.explicit_acks = true;
  c.share_exactly = o.text("share_acquire_mode") == "record_limit";
  c.fetch_wait = o.duration("fetch_wait");
  c.fetch_min_bytes = o.integer("fetch_min_bytes");
  c.max_poll_records = o.integer("max_poll_records");
  c.position_validation = o.boolean("position_validation");
  c.rack = o.text("client_rack");
  c.out_of_range_asks_leader = o.boolean("out_of_range_asks_leader");
  c.honours_throttle = o.boolean("client_honours_throttle");
  c.metadata_max_age = o.duration("metadata_max_age");
  c.request_timeout = o.duration("request_timeout");
  c.retry_backoff = o.duration("retry_backoff");
  c.retry_backoff_max = o.duration("retry_backoff_max");
  c.reconnect_backoff = o.duration("reconnect_backoff");
  c.reconnect_backoff_max = o.duration("reconnect_backoff_max");
  return c;
}

TopicSettings topic_settings(const std::string& name, const Options& o, const ClusterSettings& cluster) {
  TopicSettings t;
  t.name = name;
  t.partitions = static_cast<std::int32_t>(o.integer("partitions"));
  t.partitions_max = std::max(t.partitions, static_cast<std::int32_t>(o.integer("partitions_max")));
  t.replicas = static_cast<std::int32_t>(o.integer("replicas"));
  t.min_insync = static_cast<std::int32_t>(o.integer("min_insync"));
  t.log = cluster.log;
  const std::string& policy = o.text("cleanup_policy");
  t.log.compacts = policy != "delete";
  t.log.deletes = policy != "compact";
  t.log.retention = o.duration("retention");
  t.log.retention_bytes = o.integer("retention_bytes");
  t.log.segments.bytes = o.integer("segment_bytes");
  t.log.segments.time = o.duration("segment_time");
  t.log.compaction.delete_retention = o.duration("delete_retention");
  t.log.compaction.dirty_percent = o.integer("min_cleanable_dirty_ratio");
  t.log.compaction.min_lag = o.duration("min_compaction_lag");
  t.log.compaction.max_lag = o.duration("max_compaction_lag");
  // UnifiedLog.config.maxSegmentMs: what must be compacted in time must be in a closed segment in time.
  if (t.log.compacts) t.log.segments.time = std::min(t.log.segments.time, t.log.compaction.max_lag);
  if (o.text("timestamp_type") != "cluster") t.log.log_append_time = o.text("timestamp_type") == "append";
  return t;
}

}  // namespace mqlab::kafka
