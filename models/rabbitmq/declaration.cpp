// What the model says of itself: profiles, roles, calls, marks, verbs, and what it leaves out.
#include "models/rabbitmq/model_parts.h"
#include "models/rabbitmq/rule_options.h"

namespace mqlab::rabbitmq {

ModelDecl declare_model() {
  ModelDecl d;
  d.name = "rabbitmq";
  d.family = "message broker";
  d.sentence = "RabbitMQ (AMQP 0-9-1): exchanges and queues, acknowledgements, publisher confirms, dead letters.";
  d.default_profile = "4.3";
  d.options = declared_options();
  ProfileDecl p43{"4.3", "Quorum queues with a delivery limit that counts failures only; no transient shared queues."};
  ProfileDecl p42{"4.2", "Quorum queues with a delivery limit of 20 returns; a delivery not settled in time closes its channel."};
  ProfileDecl p313{"3.13", "Mirrors are still there, quorum queues have no delivery limit of their own."};
  ProfileDecl p310{"3.10", "Classic queues confirm after a sync; as Debian 12 ships it."};
  p310.cluster = {{"classic_fsync", Value{true}}};
  for (ProfileDecl* p : {&p42, &p313, &p310})
    for (auto& rule : rules_as_options(p->name)) p->cluster.push_back(std::move(rule));
  d.profiles = {p43, p42, p313, p310};
  d.roles = {{"broker", "A node: connections, channels, exchanges, and the queues that live on it."}, {"client", "An application with an AMQP client library."}};
  d.calls = {{"send", "topic, {key=, body=, partition=, size=}", "Publishes a message; with confirms it waits for the broker's."},
             {"poll", "timeout[, max]", "Takes what was delivered."},
             {"assign", "topic", "Consumes from the queues that it has to itself."},
             {"subscribe", "topics", "Consumes from the queues of its group."}, {"unsubscribe", "", "Closes the channel: what is not settled goes back."},
             {"ack", "message", "The message is done."}, {"release", "message", "... it is given back: basic.nack with requeue."},
             {"reject", "message", "... it is good for nobody: dead-lettered, or dropped."},
             {"cancel", "topic", "basic.cancel: nothing more comes from its queues; what was delivered stays to be settled."},
             {"x_death", "\"P1-1 queue\"", "`position` of the answer: how often a message in hand died in this queue, by its x-death header."},
             {"header", "\"P1-1 format\"", "Whether a message in hand has that header: `position` of the answer is its whole number, 0 for another value, -1 where there is none."},
             {"republish", "\"P1-1 topic\"", "Publishes a message in hand to another topic, with the headers that it came with."},
             {"headers", "\"format=pdf pages=3\"", "Headers of the next send, beside the declared ones."},
             {"cc", "\"key other.key\"", "Routing keys that the next send has beside its own (the CC header)."}, {"bcc", "\"key\"", "... that nobody is shown (BCC)."},
             {"publishing_id", "number", "Streams: the publishing id of the next send."},
             {"last_publishing_id", "topic", "Streams: `position` of the answer: the last publishing id taken of this client's producer_name; -1 = none."},
             {"commit", "[place, position]", "Acknowledges all that polls have handed over. Groups on streams: stores how far it is, or a position."}, {"pause", "place", "Hands out nothing of a place for a while."}, {"resume", "place", "Goes on with it."},
             {"begin", "", "tx.select: publishes wait for the commit."}, {"commit_transaction", "", "tx.commit."}, {"abort", "", "tx.rollback."},
             {"close", "", "Closes the channel."}};
  d.marks = {{"broker_up", "A node began."}, {"node_up", "A node sees another one."}, {"node_down", "A node takes another one for down."},
             {"partitioned", "A node sees another one again that it had seen go, or that had seen it go: they are apart (3.x)."},
             {"partial_partition", "A node that was seen to go is seen by another one."},
             {"paused_in_minority", "A node that sees at most half of the cluster stopped serving (pause_minority)."}, {"pause_over", "... and sees more again."},
             {"healing", "A node restarts and gives up what its side of a partition did (autoheal)."}, {"joined", "A node took over what the others have, and serves clients."},
             {"mirror_added", "A node has an empty mirror of a queue."}, {"mirror_synchronised", "A mirror has all that its leader has."},
             {"mirror_lost", "A leader's mirror is gone: nobody waits for it any more."}, {"mirror_promoted", "A mirror leads, with what it has."},
             {"mirror_not_promoted", "No mirror is synchronised, and none may lead (ha-promote-on-failure = when-synced)."},
             {"leader_elected", "A replica of a quorum queue leads it."},
             {"connection_lost", "A client's connection is no more; it will connect again."},
             {"connection_error", "A broker closed a connection for an error."}, {"channel_error", "... or a channel."},
             {"channel_closed", "A client was told that its channel is closed."}, {"handshake_timed_out", "A broker said nothing while a client connected: the connection is given up."}, {"heartbeat_missed", "Two intervals without a byte: the connection is given up."},
             {"consumer_cancelled", "The server cancelled a consumer: its queue is gone."}, {"consumer_timeout", "A delivery was not settled in time."},
             {"message_unroutable", "A message that no queue takes was dropped."}, {"message_returned", "... or returned, since it was mandatory."},
             {"message_dropped", "A queue dropped a message by its own rules."}, {"message_dead_lettered", "A message left its queue for a dead-letter exchange."},
             {"dead_letter_lost", "A dead letter that no queue takes was dropped."}, {"dead_letter_cycle", "... or would have come back to where it died."},
             {"dead_letter_kept", "A dead letter that goes nowhere stays in its quorum queue (at-least-once)."},
             {"publish_rejected", "A full queue refused a message."}, {"publish_left_out", "A stream left out a message whose publishing id it has seen, and confirms it."}, {"bound", "An operator bound a queue."}, {"queue_deleted", "A queue was deleted: unused, without consumers, or by an operator."},
             {"single_active_consumer", "A consumer became the active one of its queue."},
             {"alarm", "Memory or disk is short: connections that publish are not read."}, {"alarm_cleared", "... and that is over."},
             {"connection_blocked", "A connection is not read for an alarm."},
             {"connection_flow", "A connection is not read: a channel of it is out of credit (flow control)."}, {"command_refused", "An operator's verb could not be carried out."}};
  d.verbs = {{"memory_alarm", "\"on\" or \"off\" to a broker", "Its memory is, or is no longer, above the limit.", "{broker}", {"on"}, "off"},
             {"disk_alarm", "\"on\" or \"off\" to a broker", "Its free disk space is, or is no longer, below the limit.", "{broker}", {"on"}, "off"},
             {"sync_queue", "\"orders.g\" (a queue, or all of \"orders/0\") to a broker", "Gives the mirrors of a queue what they lack (rabbitmqctl sync_queue).", "{broker}", {"{place}"}},
             {"purge", "\"orders.g\" to a broker", "Drops a queue's ready messages.", "{broker}", {"{place}"}, "", true},
             {"delete_queue", "\"orders.g\" to a broker", "Deletes a queue with what is in it.", "{broker}", {"{place}"}, "", true},
             {"bind", "\"orders.g.2\" to a broker", "Binds a queue to the exchange of its topic.", "{broker}", {"{place}"}, "", true}};
  d.step_paths = {{"!bindings", "Bindings change seldom."}, {"!*/connections/*/*/prefetch", "The prefetch of a channel."}, {"!consumer application", "How far the application of a consumer is."},
                  {"!producer application", "How far the application of a producer is."}};
  d.not_modelled = {"AMQP 1.0, MQTT, STOMP; of the stream protocol the framing and its own connections", "several virtual hosts, users and permissions, policies",
                    "the bytes of frames: a method with its content is one message", "paging of messages to disk",
                    "the message store as a process: a classic queue owes it no credit (msg_store_credit_disc_bound: 4000, and 800 more for each 800 written), so a slow disk holds up no queue",
                    "the limit of 200 unsent messages between a queue and a connection's writer",
                    "federation and shovels", "replicated streams, the metadata store on Raft (Khepri)", "pause_if_all_down", "ha-mode nodes, and policies that change while a queue lives", "the disk of the metadata store: a declaration is durable at once",
                    "priorities and exclusive consumers of streams"};
  d.ledger = declared_ledger();
  return d;
}

}  // namespace mqlab::rabbitmq
