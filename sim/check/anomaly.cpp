#include "sim/check/anomaly.h"

#include <iterator>

namespace mqlab {
namespace {

using enum AnomalyClass;

constexpr Anomaly table[] = {
    // ---- delivery
    {"lost-message", delivery,
     "An acknowledged send that a drained subscription entitled to it never got, and that ended in no dead-letter place "
     "and by no declared policy.",
     "The first `drained` row after the acknowledgement; before it the message is late, never lost.",
     "Acknowledged before enough copies stood; a leader without the record was elected; a position committed ahead of "
     "processing; unsynced disks lost together.",
     "Where the sender asked for less: acks=0, acks=1 across a leader change, unclean election.", true,
     "scenarios/showcase.lua"},
    {"duplicate-delivery", delivery,
     "One send reached one subscription more than once.",
     "The second delivery.",
     "A retry stored twice; a position or an acknowledgement that was lost; a rebalance before the commit; a lease that ran "
     "out.",
     "At-least-once delivery; after the consumer sought back by its own will.", true,
     "scenarios/museum/kafka/p01-retry-duplicate.lua"},
    {"phantom", delivery,
     "A message was delivered that nobody had sent, or whose every send before the delivery ended `fail` outside a "
     "transaction.",
     "The delivery, or the `fail` when that comes later.",
     "A client that reports a failure though the write survived; corruption; a misrouted buffer.", "Never.", true, ""},
    {"resurrected", delivery,
     "A message was delivered again to a subscription after its acknowledgement ended `ok`; one that was sent several times: after every copy was got and each delivery acknowledged.",
     "The delivery.",
     "The acknowledgement stood on a replica or in memory that was lost.", "Where acknowledgements are promised lossy.", true, ""},
    {"misdelivered", delivery,
     "A message was delivered from a place, or with a key, that no send of it named.",
     "The delivery (for a place: once anybody reads the destination that was named, so that it is known to be one).",
     "Routing state that is stale or was bound to another destination; a misdirected write.",
     "Dead-letter and retry places that a policy names; what says itself that a declared route led it here (routed).", true, ""},
    {"unseen", delivery,
     "How many acknowledged messages nobody has got so far: a time series, not a verdict.",
     "At each moment.",
     "Consumers that lag, or a loss not yet told from lateness.", "Always.", true, ""},
    {"silent-drop", delivery,
     "A message was dropped by a policy although its sender was answered success, and nobody got it.",
     "The first `drained` row after the acknowledgement and the drop.",
     "Confirmed and then dropped (length limit, expiry); taken for a duplicate that it was not.",
     "Where the policy was declared.", true, ""},
    {"confirmed-unroutable", delivery,
     "A send was acknowledged although no destination took the message: its `ok` row carries NO_ROUTE.",
     "The acknowledgement.",
     "A broker confirms what it cannot route unless asked to return it.", "Without mandatory routing.", true, ""},
    {"dlq-misroute", delivery, "A message was dead-lettered as rejected, or delivered too often, although nobody who got it had failed on it or refused it.",
     "The dead-lettering.", "A crash, a lost channel or a pause counted as a failure, of all that was prefetched.",
     "Where every delivery counts.", true, "scenarios/museum/rabbitmq/r31-innocents-pay.lua"},
    {"dlq-loss", delivery, "A message left its place for the dead letters, and nobody found it there.", "The first `drained` row after it left.",
     "Dead-lettering without confirms; the dead-letter target is absent or full.", "Where dead-lettering is at-most-once.", true,
     "scenarios/museum/rabbitmq/r45-a-misspelt-exchange.lua"},
    {"dedup-miss", delivery,
     "Two copies of one message were stored although all its sends lie inside the promised deduplication window.",
     "The second position, or the last end of its sends when that comes later.",
     "Deduplication state lost at failover; a producer that came back with a new identity.", "Where no window is promised.", true,
     ""},
    {"dedup-window-expiry", delivery,
     "Two copies of one message were stored, and its sends lie further apart than the promised deduplication window.",
     "The second position.", "A retry that was delayed past the window.", "Always: the window is the promise.", true, ""},
    // ---- order
    {"nonmonotonic-send", order,
     "Two successive sends of one producer to one place took positions in the opposite order.",
     "The acknowledgement that makes both positions known.",
     "Several requests in flight and a retry of the first.", "With retries, more than one request in flight and no sequence numbers.",
     true, "scenarios/museum/kafka/p02-retry-reorder.lua"},
    {"nonmonotonic-poll", order,
     "Two successive reads of one consumer on one place did not go forward.",
     "The second read.", "A position that was reset; truncation; a stale cache.",
     "Across an assignment, a revocation or a seek; for what the broker flags as redelivered.", true, ""},
    {"poll-skip", order,
     "Two successive reads of one consumer on one place jumped over a position known to hold a message.",
     "The later of the second read and the row that shows the message.",
     "A leader that lacked the records; a position reset forward; a position taken from another log.",
     "Across an assignment, a revocation or a seek; where several consumers share one place.", true, ""},
    {"int-nonmonotonic-poll", order, "As nonmonotonic-poll, inside one poll or one transaction.", "The second read.",
     "A batch put together from two logs.", "As nonmonotonic-poll.", true, ""},
    {"int-poll-skip", order, "As poll-skip, inside one poll or one transaction.", "As poll-skip.", "As poll-skip.",
     "As poll-skip.", true, ""},
    {"int-nonmonotonic-send", order, "As nonmonotonic-send, inside one transaction.", "As nonmonotonic-send.",
     "As nonmonotonic-send.", "As nonmonotonic-send.", true, ""},
    {"int-send-skip", order, "Two successive acknowledged sends of one transaction to one place, and another message stands between them.",
     "The later of the second acknowledgement and the row that shows the message between.",
     "Any other producer.", "Always: nothing promises adjacent positions.", true, ""},
    {"fifo-violation", order,
     "One consumer first saw two messages of one producer on one place in an order other than the order sent.",
     "The delivery of the message sent first.",
     "Several requests in flight; redelivery; several threads in one consumer.", "Across an assignment, a revocation or a seek.", true,
     "scenarios/museum/kafka/p02-retry-reorder.lua"},
    {"key-order-violation", order,
     "Two messages of one key were processed (or, where nobody reports processing, delivered) by one subscription in an order "
     "other than the order sent: by one producer, or acknowledged before the other was sent.",
     "The processing of the message sent first.",
     "The number of partitions changed; two producers hash differently; a retry topic; parallel workers.",
     "Where no key order is promised; after a seek.", true, "scenarios/museum/kafka/p13-more-partitions.lua"},
    {"redelivery-reorder", order,
     "A redelivered message arrived at a consumer that had already got one of its successors.",
     "The redelivery.", "Requeueing puts a message behind its successors.", "Queues that requeue; across a rebalance.", true, ""},
    {"causal-violation", order,
     "A consumer first got a message after another that it happened before (program order, reads-from, transitive).",
     "The delivery of the message that came first.",
     "Two places, or two replicas, with no order between them.", "Across places: logs order one place only.", true,
     "scenarios/museum/kafka/p02-retry-reorder.lua"},
    {"total-order-violation", order,
     "Two subscribers first delivered two messages of one place in opposite orders.",
     "The fourth of the four deliveries.", "No single sequencer, or two of them at once.", "Where no common order is promised.", true,
     "scenarios/museum/kafka/r06-unclean-election-consumer-skip.lua"},
    // ---- log
    {"duplicate", log, "One message holds two positions of one place or of one topic.", "The row that shows the second position.",
     "A retry without, or past, the sequence check; a producer that restarted; the application sent it again.",
     "Without idempotence.", true, "scenarios/museum/kafka/p01-retry-duplicate.lua"},
    {"lost-write", log,
     "An acknowledged send at or below the furthest position anybody read was read by nobody.",
     "The first `drained` row after both.",
     "A truncated record; an old leader's acknowledgement.", "As lost-message.", true,
     "scenarios/museum/kafka/r02-acks-1-leader-crash.lua"},
    {"inconsistent-offsets", log, "One position of one place was seen with two different messages.",
     "The second sight: an acknowledgement or a read.",
     "Two leaders; truncation and new writes after an acknowledgement.", "Under acks=0, acks=1 or unclean election.", true,
     "scenarios/museum/kafka/r02-acks-1-leader-crash.lua"},
    {"log-divergence", log,
     "Two readers go on seeing different messages at one position: the first, the second, and the first again; or both after the "
     "drain.",
     "The read that shows the first message again, or the second read after `drained`.",
     "Truncation by high watermark alone (before KIP-101, KIP-279).", "Never.", true,
     "scenarios/museum/kafka/r09-two-quick-elections.lua"},
    {"truncated-commit", log,
     "A position that a reader had read was later seen with another message.",
     "The later sight.",
     "A leader change to a replica without the record.", "Under unclean election.", true,
     "scenarios/museum/kafka/r16-one-replica.lua"},
    {"position-regression", log,
     "A group's committed position moved back, in a commit or at an assignment, and no member had sought back.",
     "The later commit or assignment.",
     "A zombie's commit; a retried old commit; a coordinator that lost commits.", "An operator's reset.", true, ""},
    {"stale-read", log,
     "A read, or a question for the end, begun after another read was complete misses what that one saw.",
     "The end of the later read.",
     "A follower or an old leader answers.", "Reads from followers.", true,
     "scenarios/museum/kafka/r24-reading-from-a-deposed-leader.lua"},
    {"end-regression", log, "The reported end of a place went back.", "The later answer.",
     "A leader with a shorter log, or one that does not know its high watermark yet.", "Under unclean election.", true,
     "scenarios/museum/kafka/kip-207-the-end-goes-back.lua"},
    // ---- transactions
    {"G1a", transactions,
     "Aborted read: a failed send was delivered, or a message of an aborted transaction at read-committed.",
     "The delivery, or the failure or abort when that comes later.",
     "Isolation that is judged on a stale abort index; a failure reported for a write that survived.", "At read-uncommitted, for "
     "transactions.", true, ""},
    {"dirty-read", transactions,
     "A message of a transaction that was aborted, before or after, was delivered to a reader that did not ask for committed messages "
     "only.",
     "The delivery, or the abort when that comes later.", "Isolation at read-uncommitted is none.", "Always: who wants no dirty reads asks for read-committed.", true, ""},
    {"precommitted-read", transactions,
     "A transaction got its own send at read-committed before its commit was asked for.", "The read.",
     "Reading past the last stable position.", "At read-uncommitted.", true, ""},
    {"torn-transaction", transactions,
     "A subscription got one send of a transaction at read-committed and never another that was acknowledged and that it is "
     "entitled to; however the transaction ended.",
     "The first `drained` row after the delivery, the acknowledgement, the entitlement and the end.",
     "A marker that reached some places only, or ended another transaction; a late commit that ends the next one.", "Never.", true, ""},
    {"zombie-write-accepted", transactions,
     "A send was got at read-committed whose transactional id another transaction had taken over before its commit was asked for; or "
     "one that ended with PRODUCER_FENCED or INVALID_PRODUCER_EPOCH was got at all.",
     "The delivery, or the failure when that comes later.",
     "A late request of the old producer lands in the new one's transaction; the fence was forgotten with the id.", "Without fencing.",
     true, ""},
    {"hung-transaction", transactions,
     "Acknowledged and committed sends lie beyond all that is read at read-committed in a place, somebody is entitled to them, and "
     "nobody owns a transaction that wrote there and is open.",
     "The first `drained` row; under a bound on how long this may last, the first row past it.",
     "A late write after the marker opens a transaction nobody will end; a marker that cannot be written.", "Before KIP-890.", true, ""},
    {"G0", transactions, "Write cycle: of two or more, each wrote a place just before the next one did.",
     "The last of the writes, and of the ends of the transactions.", "Sends of open transactions interleave.", "Always, in Kafka.", true, ""},
    {"G0-process", transactions, "G0 with the order of each process: one had ended before the other began.", "As G0.", "As G0.",
     "Always, in Kafka.", true, ""},
    {"G0-realtime", transactions, "G0 with the order in time: one had ended before the other began.", "As G0.", "As G0.",
     "Always, in Kafka.", true, ""},
    {"G1c", transactions, "Circular information flow: a cycle of writes and of reads of what another wrote, with one read at least.",
     "As G0, and the last of the reads.", "Reads of one transaction while it writes.", "Only with a write-write edge, in Kafka.", true, ""},
    {"G1c-process", transactions, "G1c with the order of each process.", "As G1c.", "As G1c.", "As G1c.", true, ""},
    {"G1c-realtime", transactions, "G1c with the order in time.", "As G1c.", "As G1c.", "As G1c.", true, ""},
    {"atomicity-gap", transactions,
     "In consume-transform-produce: an input went into two transactions whose outputs count; or into an aborted one only, and the "
     "group's stored position passed it; or its transaction was committed and nobody got an output of it.",
     "The later end or first sight of the two; else the first `drained` row.",
     "Positions committed outside the transaction, or by a member that the group had replaced; no seek back after an abort.",
     "Without transactions.", true, ""},
    // ---- consumption and effects
    {"commit-ahead-of-processing", consumption,
     "A committed position or an acknowledgement passed a message that the subscription had got and that none of its processes "
     "ever finished processing.",
     "The first `drained` row after the delivery and the commit or acknowledgement; who processes it before that has healed it.",
     "Auto-commit before the work is done; commit before processing and a crash between; parallel workers that finish out of "
     "order.",
     "At-most-once by choice; what a member sent on (a retry topic), dead-lettered, or gave up by a policy.", true, ""},
    {"double-ownership", consumption,
     "A place of a group was given to one member while another, in its own view, still held it, and after that both got or "
     "worked on messages of it.",
     "The second of the two, deliveries or processings.",
     "A paused or cut-off member that does not know it was replaced; processing that outlives max.poll.interval.",
     "Where several share a place (queues, share groups): there nobody owns it.", true, ""},
    {"visibility-double-processing", consumption,
     "While one process was at work on a message, another process of the same subscription got the same message from the same "
     "place and position, and the first one finished its work after that.",
     "The end of the first one's work.",
     "A lease, lock or poll interval shorter than the work; a rebalance in the middle of a batch.", "At-least-once delivery.", true,
     ""},
    {"effect-duplicate", consumption, "The same effect was done for one message more than once.", "The second effect.",
     "Redelivery and an effect that is not idempotent; the effect done before the commit and a crash between; two owners.",
     "At-least-once delivery.", true, ""},
    {"effect-lost", consumption,
     "An effect that is done for messages of a topic was never done for an acknowledged message of it that a subscription "
     "doing this effect got, or is entitled to.",
     "The first `drained` row after the acknowledgement and the entitlement; before it the effect is late.",
     "Committed or acknowledged before the effect; the message itself was lost or skipped.",
     "At-most-once by choice; dead letters and declared policies.", true, ""},
    {"stale-effect", consumption,
     "An effect with a key was done for a message after another process had done it for a newer message of that key and place.",
     "The later effect.",
     "A paused worker that was superseded wakes and writes; the resource checks no fencing token.", "Never.", true, ""},
    // ---- liveness and load
    {"head-of-line-stall", liveness,
     "One message was tried more often than the retry budget (10 unless told otherwise) and never finished, nothing else of its "
     "place got further since, and an acknowledged message behind it was not tried.",
     "The first `drained` row after; with a time bound, the attempt that exceeds it.",
     "A poison message, in-order processing and retries without end.", "Without a retry limit or a dead-letter topic.", true, ""},
    {"group-starvation", liveness,
     "An acknowledged message waits in a place of a group's topic that no member holds or reads. With a time bound also: the "
     "group got nothing from the place for longer, though a message waited there.",
     "The first `drained` row after; with a time bound, the late delivery.",
     "Rebalances that never settle; an assignment that was lost; a member that holds a place and is dead.", "Never.", true, ""},
    {"unavailable", liveness, "Sends to a topic are acknowledged no more: the last three or more, made over a minute or longer (unless told otherwise), are without a known outcome, though all faults are healed.",
     "The first `drained` row after the last of them.",
     "Clients or queues that wait for what will never come; a queue full of what nobody can take away; in-sync replicas below the minimum.",
     "Where consistency was chosen over it.", true, "scenarios/museum/rabbitmq/r48-kept-until-it-is-full.lua"},
    {"unbounded-backlog", liveness, "Backlog or memory grows without limit at a load below capacity.", "When the limit is passed.",
     "An acknowledgement that never comes; retries that add load.", "Never.", false, ""},
    {"amplification", liveness,
     "Within 10 s a subscription got more than 3 copies (unless told otherwise) for each different message that it got; of fewer than ten messages more than 30.",
     "The delivery that is one too many.", "Retry storms; fan-out of redeliveries.", "Never.", true, ""},
    {"metastable-collapse", liveness,
     "The system once acknowledged nine tenths of an offer; now it acknowledges less than half of one that is no higher, for a "
     "minute (unless told otherwise), although it still delivers in the second half of it, so it is at work.",
     "The end of the bound.", "Work for requests that nobody waits for any more; retries keep the system at the load that keeps it "
     "failing.", "Never.", true, ""},
    // ---- durability
    {"ack-before-durable", durability, "At the acknowledgement, fewer copies stood on fewer rungs than the claim names.",
     "The acknowledgement (told from the trace).", "Acknowledged from the page cache.", "Where the claim says memory.", false, ""},
};

}  // namespace

const char* anomaly_class_name(AnomalyClass c) {
  static constexpr const char* names[] = {"delivery", "order", "log", "transactions", "consumption", "liveness", "durability"};
  return names[static_cast<std::size_t>(c)];
}

std::span<const Anomaly> all_anomalies() { return {table, std::size(table)}; }

const Anomaly* find_anomaly(std::string_view name) {
  for (const Anomaly& a : table) {
    if (name == a.name) return &a;
  }
  return nullptr;
}

}  // namespace mqlab
