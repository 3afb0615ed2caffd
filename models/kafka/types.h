// models/kafka/types.h: the words of a Kafka partition: offsets, epochs, errors, records, batches.
//
// Values only. The records of a batch are made once and never changed, so that every replica, message and copied
// world shares them; the header around them is a plain value of each replica, because offsets and the leader epoch are
// assigned by the leader, and because a bit that rots on one disk rots there only.
//
// Always true: a batch covers the offsets [base_offset, last_offset()], and sequences count with them. It holds a record
// for each, until compaction takes some: who walks over records uses held(), record(i) and offset_of(i).
// Elsewhere: what a log does with batches (log.h), what a producer's numbers mean (producer_state.h).
//
//     Batch b = make_batch({{.message = 7, .timestamp = now, .size = 100}});
//     b.producer_id = 12, b.producer_epoch = 0, b.base_sequence = 40;
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "sim/kernel/time.h"

namespace mqlab::kafka {

using Offset = std::int64_t;
using LeaderEpoch = std::int32_t;
using ProducerId = std::int64_t;
using ProducerEpoch = std::int16_t;
using Sequence = std::int32_t;

// RecordBatch.NO_PRODUCER_ID and its kin, and the undefined answers of OffsetForLeaderEpoch.
inline constexpr Offset no_offset = -1;
inline constexpr LeaderEpoch no_leader_epoch = -1;
inline constexpr ProducerId no_producer_id = -1;
inline constexpr ProducerEpoch no_producer_epoch = -1;
inline constexpr Sequence no_sequence = -1;
inline constexpr Offset offset_max = std::numeric_limits<Offset>::max();

// Numbers as in org.apache.kafka.common.protocol.Errors. Below -1: the client's own, never on the wire.
enum class Error : std::int16_t {
  transaction_aborted = -106, // TransactionAbortedException: the record was never sent, its transaction was aborted before
  illegal_state = -105,       // IllegalStateException: a call that the library does not take now
  commit_failed = -103,       // CommitFailedException: the member was out of the group when it committed
  queue_full = -104,          // the record was never queued (librdkafka)
  buffer_exhausted = -102,    // the record was never queued (Java: after max.block.ms)
  delivery_timed_out = -101,  // delivery.timeout.ms passed while no answer had come
  log_truncation = -100,      // LogTruncationException of KIP-320: what the consumer had read is gone
  unknown_server_error = -1,
  none = 0,
  offset_out_of_range = 1,
  corrupt_message = 2,
  unknown_topic_or_partition = 3,
  leader_not_available = 5,
  not_leader_or_follower = 6,
  request_timed_out = 7,
  replica_not_available = 9,
  message_too_large = 10,
  network_exception = 13,
  coordinator_load_in_progress = 14,
  coordinator_not_available = 15,
  not_coordinator = 16,
  not_enough_replicas = 19,
  not_enough_replicas_after_append = 20,
  illegal_generation = 22,
  inconsistent_group_protocol = 23,
  unknown_member_id = 25,
  rebalance_in_progress = 27,
  invalid_timestamp = 32,
  unsupported_version = 35,
  topic_already_exists = 36,
  invalid_partitions = 37,
  invalid_replication_factor = 38,
  not_controller = 41,
  invalid_request = 42,
  policy_violation = 44,
  out_of_order_sequence_number = 45,
  duplicate_sequence_number = 46,
  invalid_producer_epoch = 47,
  invalid_txn_state = 48,
  invalid_producer_id_mapping = 49,
  invalid_transaction_timeout = 50,
  concurrent_transactions = 51,
  transaction_coordinator_fenced = 52,
  operation_not_attempted = 55,
  kafka_storage_error = 56,
  unknown_producer_id = 59,
  group_id_not_found = 69,
  fenced_leader_epoch = 74,
  unknown_leader_epoch = 75,
  stale_broker_epoch = 77,
  offset_not_available = 78,
  member_id_required = 79,
  preferred_leader_not_available = 80,
  fenced_instance_id = 82,
  eligible_leaders_not_available = 83,
  election_not_needed = 84,
  invalid_record = 87,
  unstable_offset_commit = 88,
  throttling_quota_exceeded = 89,
  producer_fenced = 90,
  invalid_update_version = 95,
  unknown_topic_id = 100,
  duplicate_broker_registration = 101,
  broker_id_not_registered = 102,
  ineligible_replica = 107,
  new_leader_elected = 108,
  fenced_member_epoch = 110,
  unreleased_instance_id = 111,
  stale_member_epoch = 113,
  transaction_abortable = 120,
  invalid_record_state = 121,
  fenced_state_epoch = 124,
};

// "NOT_LEADER_OR_FOLLOWER": the name that Kafka's logs and clients print.
constexpr const char* name(Error e) {
  switch (e) {
    case Error::transaction_aborted: return "TRANSACTION_ABORTED";
    case Error::illegal_state: return "ILLEGAL_STATE";
    case Error::commit_failed: return "COMMIT_FAILED";
    case Error::queue_full: return "QUEUE_FULL";
    case Error::buffer_exhausted: return "BUFFER_EXHAUSTED";
    case Error::delivery_timed_out: return "DELIVERY_TIMED_OUT";
    case Error::log_truncation: return "LOG_TRUNCATION";
    case Error::unknown_server_error: return "UNKNOWN_SERVER_ERROR";
    case Error::none: return "NONE";
    case Error::offset_out_of_range: return "OFFSET_OUT_OF_RANGE";
    case Error::corrupt_message: return "CORRUPT_MESSAGE";
    case Error::unknown_topic_or_partition: return "UNKNOWN_TOPIC_OR_PARTITION";
    case Error::leader_not_available: return "LEADER_NOT_AVAILABLE";
    case Error::not_leader_or_follower: return "NOT_LEADER_OR_FOLLOWER";
    case Error::request_timed_out: return "REQUEST_TIMED_OUT";
    case Error::replica_not_available: return "REPLICA_NOT_AVAILABLE";
    case Error::message_too_large: return "MESSAGE_TOO_LARGE";
    case Error::network_exception: return "NETWORK_EXCEPTION";
    case Error::coordinator_load_in_progress: return "COORDINATOR_LOAD_IN_PROGRESS";
    case Error::coordinator_not_available: return "COORDINATOR_NOT_AVAILABLE";
    case Error::not_coordinator: return "NOT_COORDINATOR";
    case Error::not_enough_replicas: return "NOT_ENOUGH_REPLICAS";
    case Error::not_enough_replicas_after_append: return "NOT_ENOUGH_REPLICAS_AFTER_APPEND";
    case Error::illegal_generation: return "ILLEGAL_GENERATION";
    case Error::inconsistent_group_protocol: return "INCONSISTENT_GROUP_PROTOCOL";
    case Error::unknown_member_id: return "UNKNOWN_MEMBER_ID";
    case Error::rebalance_in_progress: return "REBALANCE_IN_PROGRESS";
    case Error::invalid_timestamp: return "INVALID_TIMESTAMP";
    case Error::unsupported_version: return "UNSUPPORTED_VERSION";
    case Error::topic_already_exists: return "TOPIC_ALREADY_EXISTS";
    case Error::invalid_partitions: return "INVALID_PARTITIONS";
    case Error::invalid_replication_factor: return "INVALID_REPLICATION_FACTOR";
    case Error::not_controller: return "NOT_CONTROLLER";
    case Error::invalid_request: return "INVALID_REQUEST";
    case Error::policy_violation: return "POLICY_VIOLATION";
    case Error::out_of_order_sequence_number: return "OUT_OF_ORDER_SEQUENCE_NUMBER";
    case Error::duplicate_sequence_number: return "DUPLICATE_SEQUENCE_NUMBER";
    case Error::invalid_producer_epoch: return "INVALID_PRODUCER_EPOCH";
    case Error::invalid_txn_state: return "INVALID_TXN_STATE";
    case Error::invalid_producer_id_mapping: return "INVALID_PRODUCER_ID_MAPPING";
    case Error::invalid_transaction_timeout: return "INVALID_TRANSACTION_TIMEOUT";
    case Error::concurrent_transactions: return "CONCURRENT_TRANSACTIONS";
    case Error::transaction_coordinator_fenced: return "TRANSACTION_COORDINATOR_FENCED";
    case Error::operation_not_attempted: return "OPERATION_NOT_ATTEMPTED";
    case Error::kafka_storage_error: return "KAFKA_STORAGE_ERROR";
    case Error::unknown_producer_id: return "UNKNOWN_PRODUCER_ID";
    case Error::group_id_not_found: return "GROUP_ID_NOT_FOUND";
    case Error::fenced_leader_epoch: return "FENCED_LEADER_EPOCH";
    case Error::unknown_leader_epoch: return "UNKNOWN_LEADER_EPOCH";
    case Error::stale_broker_epoch: return "STALE_BROKER_EPOCH";
    case Error::offset_not_available: return "OFFSET_NOT_AVAILABLE";
    case Error::member_id_required: return "MEMBER_ID_REQUIRED";
    case Error::preferred_leader_not_available: return "PREFERRED_LEADER_NOT_AVAILABLE";
    case Error::fenced_instance_id: return "FENCED_INSTANCE_ID";
    case Error::eligible_leaders_not_available: return "ELIGIBLE_LEADERS_NOT_AVAILABLE";
    case Error::election_not_needed: return "ELECTION_NOT_NEEDED";
    case Error::invalid_record: return "INVALID_RECORD";
    case Error::unstable_offset_commit: return "UNSTABLE_OFFSET_COMMIT";
    case Error::throttling_quota_exceeded: return "THROTTLING_QUOTA_EXCEEDED";
    case Error::producer_fenced: return "PRODUCER_FENCED";
    case Error::invalid_update_version: return "INVALID_UPDATE_VERSION";
    case Error::unknown_topic_id: return "UNKNOWN_TOPIC_ID";
    case Error::duplicate_broker_registration: return "DUPLICATE_BROKER_REGISTRATION";
    case Error::broker_id_not_registered: return "BROKER_ID_NOT_REGISTERED";
    case Error::ineligible_replica: return "INELIGIBLE_REPLICA";
    case Error::new_leader_elected: return "NEW_LEADER_ELECTED";
    case Error::fenced_member_epoch: return "FENCED_MEMBER_EPOCH";
    case Error::unreleased_instance_id: return "UNRELEASED_INSTANCE_ID";
    case Error::stale_member_epoch: return "STALE_MEMBER_EPOCH";
    case Error::transaction_abortable: return "TRANSACTION_ABORTABLE";
    case Error::invalid_record_state: return "INVALID_RECORD_STATE";
    case Error::fenced_state_epoch: return "FENCED_STATE_EPOCH";
  }
  return "UNKNOWN_ERROR_CODE";
}

// True iff the same request may succeed later (Java: a RetriableException).
constexpr bool retriable(Error e) {
  switch (e) {
    case Error::corrupt_message:
    case Error::unknown_topic_or_partition:
    case Error::leader_not_available:
    case Error::not_leader_or_follower:
    case Error::request_timed_out:
    case Error::replica_not_available:
    case Error::network_exception:
    case Error::coordinator_load_in_progress:
    case Error::coordinator_not_available:
    case Error::not_coordinator:
    case Error::not_enough_replicas:
    case Error::not_enough_replicas_after_append:
    case Error::not_controller:
    case Error::concurrent_transactions:
    case Error::kafka_storage_error:
    case Error::fenced_leader_epoch:
    case Error::unknown_leader_epoch:
    case Error::offset_not_available:
    case Error::preferred_leader_not_available:
    case Error::eligible_leaders_not_available:
    case Error::election_not_needed:
    case Error::unstable_offset_commit:
    case Error::throttling_quota_exceeded:
    case Error::unknown_topic_id: return true;
    default: return false;
  }
}

// True iff a produce that ended so may have been appended, and may still become visible. All that is neither this nor
// `none` is a definite failure of that one attempt; of a record with several attempts, all must be definite.
constexpr bool indeterminate(Error e) {
  switch (e) {
    case Error::not_leader_or_follower:            // leadership was lost while the produce waited for replicas
    case Error::request_timed_out:                 // it waits no more, but the record stays in the log
    case Error::not_enough_replicas_after_append:  // says so itself
    case Error::network_exception:                 // the connection broke with the request somewhere
    case Error::unknown_server_error:
    case Error::kafka_storage_error:  // the disk failed in or after the write
    case Error::delivery_timed_out: return true;
    default: return false;
  }
}

// s moved on by n records: after 2^31-1 comes 0 (DefaultRecordBatch.incrementSequence). Requires: s >= 0, n >= 0.
constexpr Sequence add_sequence(Sequence s, std::int32_t n) {
  return static_cast<Sequence>((static_cast<std::int64_t>(s) + n) & 0x7fffffff);
}

// The versions of the transaction protocol between client, coordinator and partition leaders.
enum class TxnVersion : std::uint8_t {
  tv0,  // KIP-98: the client adds partitions; leaders believe every transactional batch
  tv1,  // KIP-890 part 1 (3.6): a leader asks the coordinator whether the partition is in the transaction
  tv2   // KIP-890 part 2 (4.0): the leader adds it itself, and each transaction has an epoch of its own
};

struct Record {
  std::uint64_t message{};  // what the application calls this message; checkers compare nothing else
  std::uint64_t key{};      // number of an interned key; 0 = no key
  Time timestamp{};         // the producer's clock (CreateTime)
  std::uint32_t size{};     // bytes, for batch.size, fetch limits and service times
  bool tombstone = false;   // no value: in a compacted topic, the key is deleted

  bool operator==(const Record&) const = default;
};

// Markers end a transaction in a partition; they occupy an offset and are never shown to an application.
enum class Control : std::uint8_t { none, abort, commit };

inline constexpr std::uint32_t batch_header_bytes = 61;  // record batch format v2
inline constexpr Time no_timestamp = -1;                 // RecordBatch.NO_TIMESTAMP

// What compaction left of a batch. Its offsets and sequences stay; records are missing.
struct Cleaned {
  std::vector<std::int32_t> deltas{};     // of each record kept: its offset less base_offset, ascending
  Time delete_horizon = no_timestamp;     // from then on its tombstones may go (KIP-534)

  bool operator==(const Cleaned&) const = default;
};

// Both null, or equal, wherever they are stored.
template <class T>
bool equal_content(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a && b && *a == *b);
}

struct GroupRecord;  // group_records.h

struct Batch {
  Offset base_offset{};
  std::shared_ptr<const std::vector<Record>> records{};  // null in a marker
  std::shared_ptr<const Cleaned> cleaned{};               // null: compaction has not touched it, no record is missing
  std::shared_ptr<const std::vector<GroupRecord>> state{};  // what a coordinator wrote, one for each record; else null
  ProducerId producer_id = no_producer_id;
  Time max_timestamp{};  // the largest of the records, or the leader's clock if log_append_time
  LeaderEpoch leader_epoch = no_leader_epoch;
  std::int32_t record_count{};  // offsets that it covers, and sequences; as many records, unless it was cleaned
  Sequence base_sequence = no_sequence;
  std::uint32_t bytes{};
  std::int32_t coordinator_epoch = -1;  // of a marker: under which leader epoch of its own log the coordinator wrote it
  ProducerEpoch producer_epoch = no_producer_epoch;
  bool transactional = false;
  Control control = Control::none;
  bool log_append_time = false;
  bool corrupt = false;  // this copy no longer matches its checksum

  std::int32_t count() const { return record_count; }
  Offset last_offset() const { return base_offset + record_count - 1; }
  Offset next_offset() const { return base_offset + record_count; }
  // A coordinator's own records have none: it alone writes them (AppendOrigin.COORDINATOR).
  bool has_sequence() const { return producer_id != no_producer_id && base_sequence != no_sequence && control == Control::none; }
  Sequence last_sequence() const {
    return base_sequence == no_sequence ? no_sequence : add_sequence(base_sequence, record_count - 1);
  }
  // The records that it holds, in the order of their offsets. Requires of i: 0 <= i < held().
  std::int32_t held() const { return records ? static_cast<std::int32_t>(records->size()) : 0; }
  const Record& record(std::int32_t i) const { return (*records)[static_cast<std::size_t>(i)]; }
  Offset offset_of(std::int32_t i) const { return base_offset + (cleaned ? cleaned->deltas[static_cast<std::size_t>(i)] : i); }
  // Time of record i as a reader sees it.
  Time timestamp_of(std::int32_t i) const {
    return log_append_time ? max_timestamp : (*records)[static_cast<std::size_t>(i)].timestamp;
  }

  // Equal headers and equal records, wherever the records are stored.
  bool operator==(const Batch& other) const {
    const bool same_header =
        base_offset == other.base_offset && producer_id == other.producer_id && max_timestamp == other.max_timestamp &&
        leader_epoch == other.leader_epoch && record_count == other.record_count &&
        base_sequence == other.base_sequence && bytes == other.bytes && producer_epoch == other.producer_epoch &&
        transactional == other.transactional && control == other.control && coordinator_epoch == other.coordinator_epoch &&
        log_append_time == other.log_append_time && corrupt == other.corrupt;
    return same_header && equal_content(records, other.records) && equal_content(cleaned, other.cleaned);
  }
};

// A batch of these records with no producer and no place yet. Requires: records is not empty.
inline Batch make_batch(std::vector<Record> records) {
  Batch b;
  b.record_count = static_cast<std::int32_t>(records.size());
  b.bytes = batch_header_bytes;
  b.max_timestamp = records.front().timestamp;
  for (const Record& r : records) {
    b.bytes += r.size;
    b.max_timestamp = std::max(b.max_timestamp, r.timestamp);
  }
  b.records = std::make_shared<const std::vector<Record>>(std::move(records));
  return b;
}

// A transaction marker of a producer.
inline Batch make_marker(Control control, ProducerId id, ProducerEpoch epoch, Time now, std::int32_t coordinator_epoch = -1) {
  Batch b;
  b.producer_id = id;
  b.producer_epoch = epoch;
  b.max_timestamp = now;
  b.record_count = 1;
  b.bytes = batch_header_bytes + 17;  // one control record
  b.transactional = true;
  b.control = control;
  b.coordinator_epoch = coordinator_epoch;
  return b;
}

}  // namespace mqlab::kafka
