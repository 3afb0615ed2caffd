// The ledger: rule by rule, where it is written and which test or scenario holds it.
#include "models/rabbitmq/ledger_queues.h"
#include "models/rabbitmq/model_parts.h"

namespace mqlab::rabbitmq {

std::vector<RuleDecl> declared_ledger() {
  std::vector<RuleDecl> rules = {
      // Connections and channels (connection.cpp)
      {"A soft error closes the channel and a hard one the connection; what was not settled goes back.",
       "AMQP 0-9-1 1.1; rabbit_channel:handle_exception", "rabbitmq/broker_test, rabbitmq/conformance_test"},
      {"Two heartbeat intervals without a byte end a connection.", "docs heartbeats; rabbit_heartbeat",
       "rabbitmq/broker_test, museum/rabbitmq/r35-a-pause-taken-for-death"},
      {"An exclusive queue is its connection's alone and goes with it.", "docs queues; rabbit_amqqueue:check_exclusive_access",
       "rabbitmq/broker_test"},
      // Publishing (publish.cpp)
      {"A message that no queue takes is confirmed at once, and returned before that if it was mandatory.",
       "docs confirms; rabbit_channel:deliver_to_queues",
       "rabbitmq/conformance_test, museum/rabbitmq/r03-unroutable-and-confirmed"},
      {"A publish to several queues is confirmed when the last has it, and rejected when the first refuses.",
       "docs confirms; rabbit_confirms", "rabbitmq/broker_test"},
      {"What lies below the first undecided and the first rejected publish is confirmed as one.",
       "rabbit_channel:coalesce_and_send", "rabbitmq/broker_test"},
      {"A publish whose queue is deleted is confirmed.", "rabbit_channel:handle_eol", "rabbitmq/broker_test"},
      {"Without confirms nobody hears of what was lost on the way.", "docs confirms",
       "museum/rabbitmq/r01-sent-and-forgotten"},
      {"A publisher that hears no confirm sends again, and the broker has two messages.", "docs reliability",
       "museum/rabbitmq/r02-a-confirm-that-was-lost"},
      {"A transaction's publishes and acknowledgements count at its commit; a rollback drops them.",
       "docs semantics; rabbit_channel tx.commit", "rabbitmq/broker_test"},
      {"A channel confirms or is transactional, not both.", "rabbit_channel confirm.select, tx.select", "rabbitmq/broker_test"},
      {"A reply to amq.rabbitmq.reply-to goes from channel to channel, without a queue.", "docs direct-reply-to",
       "rabbitmq/conformance_test"},
      // Consuming (consume.cpp)
      {"An acknowledgement must name an outstanding tag, also with multiple; 0 and multiple is all.",
       "rabbit_channel:collect_acks", "rabbitmq/broker_test"},
      {"basic.cancel requeues nothing; the end of the channel does.", "docs consumers", "rabbitmq/broker_test"},
      {"Prefetch is each new consumer's, or the channel's when global; basic.get ignores it.", "docs consumer-prefetch",
       "rabbitmq/conformance_test"},
      {"Up to 4.2 a delivery not settled in time closes its channel.", "docs consumers; rabbit_channel:evaluate_consumer_timeout",
       "rabbitmq/broker_test, museum/rabbitmq/r34-thirty-one-minutes"},
      {"With no_ack a message is done when it is written.", "docs confirms", "museum/rabbitmq/r19-acknowledged-by-the-socket"},
      {"A delivery tag means something on its channel only.", "docs confirms", "museum/rabbitmq/r23-a-tag-of-another-channel"},
      {"Acknowledged before the work, it may be lost; after it, done twice.", "docs reliability",
       "museum/rabbitmq/r20-before-or-after-the-work"},
      {"What is given back is delivered after what others have done meanwhile.", "docs semantics",
       "museum/rabbitmq/r26-given-back-among-others"},
      // Partitions, 3.x (partition.cpp)
      {"Two nodes that lost each other while both lived are partitioned when they see each other again, until one begins anew.",
       "docs 3.13 partitions; rabbit_node_monitor (inconsistent_database)", "rabbitmq/mirrored_host_test"},
      {"A node that begins takes over what a running one has; if none runs, it waits for those that ran when it did.",
       "docs 3.13 clustering; rabbit_mnesia", "rabbitmq/mirrored_host_test"},
      {"autoheal: the side with most clients, then most nodes stays; the others restart, and start once all have stopped.",
       "docs 3.13 partitions; rabbit_autoheal", "rabbitmq/mirrored_host_test, museum/rabbitmq/r61-a-suspended-machine"},
      {"pause_minority: who sees at most half of the nodes stops serving and confirms nothing more, until it sees more.",
       "docs 3.13 partitions; rabbit_node_monitor (pause_partition_guard, await_cluster_recovery)",
       "rabbitmq/mirrored_host_test, museum/rabbitmq/r60-two-nodes-and-no-majority"},
      {"A partial partition is made a whole one; with pause_minority who finds it pauses until all are back.",
       "docs 3.13 partitions; rabbit_node_monitor (check_partial_partition)", "rabbitmq/mirrored_host_test"},
      {"A leader stops waiting for a mirror that is down before it knows whether it is in a minority.",
       "rabbit_node_monitor, rabbit_mirror_queue_misc; Jepsen 2014", "museum/rabbitmq/r59-a-mirror-nobody-waits-for"},
      {"A suspended node that goes on sees the others go and come back one by one, and never a minority.",
       "docs 3.13 partitions (suspend and resume)", "rabbitmq/mirrored_host_test, museum/rabbitmq/r61-a-suspended-machine"},
      // Nodes and their files (broker.cpp, queue_host.cpp)
      {"A durable queue brings its persistent messages back, flagged as redelivered after an unclean end.",
       "rabbit_classic_queue_index_v2", "rabbitmq/broker_test, museum/rabbitmq/r14-a-transient-message"},
      {"After a clean end it is known what was delivered.", "rabbit_recovery_terms", "rabbitmq/broker_test"},
      {"A classic queue confirms what is in its file, and up to 3.10 what is synced.",
       "rabbit_classic_queue_store_v2; rabbit_queue_index 3.10",
       "rabbitmq/broker_test, museum/rabbitmq/r12-in-the-page-cache"},
      {"A quorum queue does nothing before its log is synced.", "rabbit_quorum_queue; ra_log_wal",
       "rabbitmq/broker_test, museum/rabbitmq/r12-in-the-page-cache"},
      {"A full quorum queue that rejects says so to its publishers; what is on its way it takes.",
       "rabbit_fifo_client; docs quorum-queues", "rabbitmq/broker_test"},
      {"At-least-once dead letters stay until they are confirmed elsewhere, and go out again after 180 s.",
       "rabbit_fifo_dlx_worker", "rabbitmq/broker_test"},
      {"Dead letters without an exchange are dropped.", "rabbit_dead_letter", "museum/rabbitmq/r45-a-misspelt-exchange"},
      {"A full queue drops its head, after a requeue too, or refuses.", "rabbit_amqqueue_process",
       "museum/rabbitmq/r07-confirmed-and-then-dropped, museum/rabbitmq/r44-given-back-to-a-full-queue"},
      {"A delivery limit drops or dead-letters what came back too often.", "rabbit_fifo; release notes 4.0.1",
       "museum/rabbitmq/r30-given-back-too-often"},
      {"What is returned is heard of by chance only, without confirms.", "docs publishers, confirms",
       "museum/rabbitmq/r04-a-return-that-was-lost"},
      {"A refusal is a basic.nack, and without confirms there is none.", "docs maxlength", "museum/rabbitmq/r08-refused-in-silence"},
      {"An acknowledgement of a tag that is settled closes the channel, and what was in hand comes again.", "rabbit_channel:collect_acks",
       "museum/rabbitmq/r24-acknowledged-twice"},
      {"Redelivered is said of what may have been delivered.", "rabbit_variable_queue (redeliver_seq_id)",
       "museum/rabbitmq/r33-never-delivered-and-flagged"},
      {"A dead letter goes out once, and whoever does not take it has lost it.", "docs dlx; rabbit_dead_letter:publish",
       "museum/rabbitmq/r46-handed-on-once"},
      {"Dead letters that are kept fill their queue.", "docs quorum-queues", "museum/rabbitmq/r48-kept-until-it-is-full"},
      {"A channel sends its pending messages again when it reaches the leader again.", "rabbit_fifo_client; rabbitmq-server #14589",
       "museum/rabbitmq/r66-never-sent-again"},
      {"Another channel is another sender, whatever it sends.", "rabbit_fifo (enqueuers)", "museum/rabbitmq/r63-given-up-and-sent-elsewhere"},
      {"What a majority of disks forgets is forgotten.", "Raft, stable storage", "museum/rabbitmq/r65-two-disks-that-lie"},
      {"An alarm stops reading from those who have published, acknowledgements included.", "docs alarms; rabbit_reader",
       "rabbitmq/broker_test, museum/rabbitmq/r54-an-alarm-that-blocks-acks"},
  };
  const std::vector<RuleDecl> of_queues = ledger_queues();
  rules.insert(rules.end(), of_queues.begin(), of_queues.end());
  return rules;
}

}  // namespace mqlab::rabbitmq
