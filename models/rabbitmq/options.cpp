// The options of a RabbitMQ deployment, each declared once: name, default, sentence, source.
#include <algorithm>

#include "models/rabbitmq/rule_options.h"
#include "models/rabbitmq/settings.h"

namespace mqlab::rabbitmq {
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
OptionDecl text(const char* name, const char* scope, const char* sentence, const char* source) {
  return {name, scope, OptionType::text, std::string(), sentence, source, {}};
}
OptionDecl rule(OptionDecl d) {
  d.is_switch = true;
  return d;
}

// What a client's connection has, whatever it does with it.
void add_link_options(std::vector<OptionDecl>& all, const char* scope) {
  all.push_back(duration("heartbeat", scope, 60 * s, "The heartbeat timeout that the client asks for; 0 = none.", "docs heartbeats"));
  all.push_back(duration("connection_timeout", scope, 60 * s, "A client that has heard nothing of a broker for so long since it began to connect gives up.", "amqp-client connectionTimeout", 1 * ms));
  all.push_back(duration("handshake_timeout", scope, 10 * s, "A handshake in which the broker says nothing for so long is given up.", "amqp-client handshakeTimeout", 1 * ms));
  all.push_back(duration("recovery_interval", scope, 5 * s, "Rest before a client connects again.", "amqp-client networkRecoveryInterval", 1 * ms));
  all.push_back(text("connects_to", scope, "The broker whose name stands first in the client's list; empty = one drawn by chance. After a failure the next in turn.", ""));
  all.push_back(boolean("shared_connection", scope, false, "A client that publishes and consumes does both over one connection.", "docs connections, alarms"));
}

}  // namespace

std::vector<OptionDecl> declared_options() {
  std::vector<OptionDecl> all = {
      // --- cluster ---
      integer("brokers", "cluster", 1, "Nodes B1, B2, ...: a quorum queue has a replica on each, other queues live on one.", "", 1, 7),
      duration("net_ticktime", "cluster", 60 * s, "A node from which nothing is heard for so long is taken for down.", "docs nettick", 4 * ms),
      choice("cluster_partition_handling", "cluster", "ignore", {"ignore", "autoheal", "pause_minority"}, "What nodes do that were cut off from each other (3.x; from 4.2 on it is ignored).", "docs 3.13 partitions"),
      duration("heartbeat", "cluster", 60 * s, "The heartbeat timeout that a broker suggests.", "heartbeat, docs heartbeats"),
      duration("consumer_timeout", "cluster", 1800 * s, "A delivery that is not settled for so long is given up; 0 = never.", "consumer_timeout, docs consumers"),
      duration("timeout_check", "cluster", 60 * s, "How often a broker looks for those.", "rabbit_channel channel_tick_interval", 1 * ms),
      integer("memory_limit", "cluster", 0, "Bytes of ready messages at which the memory alarm rises; 0 = never.", "vm_memory_high_watermark, docs memory", 0),
      duration("broker_service", "cluster", 10'000, "Time a broker needs for a method.", "order of magnitude of published benchmarks"),
      duration("queue_service", "cluster", 0, "Time a classic queue's process needs to take a message in; others wait in its mailbox.", "blog flow control: 20 to 50 us"),
      integer("socket_buffer", "cluster", 131'072, "Bytes that a connection takes in while it is not read; then TCP stops the sender.", "tcp_listen_options.recbuf, Linux tcp_rmem", 1),
      duration("sync_latency", "cluster", 1 * ms, "Time a disk needs to sync.", "consumer NVMe without power-loss protection"),
      duration("writeback_after", "cluster", 30 * s, "The operating system writes dirty pages back after this long.", "Linux vm.dirty_expire_centisecs"),
      boolean("shared_power", "cluster", false, "All brokers hang on one power supply.", ""),
      rule(boolean("classic_fsync", "cluster", false, "A classic queue confirms a persistent message when the device has it (3.10); off: when it is in the file.", "rabbit_queue_index (3.10), rabbit_classic_queue_store_v2")),

      // --- topic ---
      integer("partitions", "topic", 1, "Routing keys 0, 1, ...: each group has a queue for each.", "docs streams, super streams", 1, 1'000),
      choice("queue_type", "topic", "classic", {"classic", "quorum", "stream"}, "What its queues are.", "x-queue-type"),
      boolean("durable", "topic", true, "Queues survive the node; off: they go with it (classic queues only).", "docs queues"),
      integer("max_length", "topic", -1, "Ready messages in a queue at most; -1 = any number.", "x-max-length", -1),
      integer("max_length_bytes", "topic", -1, "... bytes of them.", "x-max-length-bytes", -1),
      choice("overflow", "topic", "drop-head", {"drop-head", "reject-publish", "reject-publish-dlx"}, "What a full queue does.", "x-overflow"),
      duration("message_ttl", "topic", -1, "A message is dropped, or dead-lettered, at this age; -1 = never.", "x-message-ttl", -1),
      duration("expires", "topic", 0, "A queue that nobody uses for so long is deleted; 0 = never.", "x-expires"),
      integer("max_priority", "topic", 0, "Levels of priority of a classic queue; 0 = none.", "x-max-priority", 0, 255),
      boolean("single_active_consumer", "topic", false, "One consumer of a queue gets its messages, the others stand by.", "x-single-active-consumer"),
      text("dead_letter", "topic", "The topic that its dead letters go to; empty = none.", "x-dead-letter-exchange"),
      text("dead_letter_key", "topic", "The routing key of dead letters; empty = as they had.", "x-dead-letter-routing-key"),
      choice("dead_letter_strategy", "topic", "at-most-once", {"at-most-once", "at-least-once"}, "Quorum queues: whether a dead letter is kept until it is confirmed elsewhere.", "dead-letter-strategy"),
      choice("ha_mode", "topic", "none", {"none", "all", "exactly"}, "Classic queues (3.x): mirrors on no other node, on all, or as many copies as ha_params says.", "ha-mode, docs 3.13 ha"),
      integer("ha_params", "topic", 2, "Copies of a mirrored queue, the leader included (ha_mode = exactly).", "ha-params", 1, 7),
      choice("ha_sync_mode", "topic", "manual", {"manual", "automatic"}, "Whether a mirror that joins is given what the queue holds already; manual: only by the verb sync_queue.", "ha-sync-mode"),
      choice("ha_promote_on_failure", "topic", "always", {"always", "when-synced"}, "Whether a mirror that lacks messages may lead when the leader's node is gone.", "ha-promote-on-failure"),
      choice("ha_promote_on_shutdown", "topic", "when-synced", {"when-synced", "always"}, "... when the leader's node is stopped in good order.", "ha-promote-on-shutdown"),
      integer("delivery_limit", "topic", -2, "Quorum queues: returns after which a message is dropped or dead-lettered; -1 = never, -2 = as the release has it.", "x-delivery-limit", -2),
      choice("exchange", "topic", "direct", {"direct", "topic", "fanout", "headers", "x-modulus-hash", "x-consistent-hash"}, "Which partitions get a message: the one that the client took (direct), those whose binding key matches the message's key (topic), whose arguments match its headers (headers), all (fanout), or one by a hash of the key.", "docs exchanges, modulus-hash-exchange; rabbitmq_consistent_hash_exchange"),
      {"binding_keys", "topic", OptionType::list, std::string(), "Of a topic exchange: the binding key of partition 0, 1, ... (\"eu.#\", \"*.urgent\"); # where none is said.", "docs exchanges: topic", {}},
      {"binding_arguments", "topic", OptionType::list, std::string(), "Of a headers exchange: the arguments of partition 0, 1, ... (\"x-match=any format=pdf pages=3\"); a name alone wants the header, whatever it holds; where none are said, all comes.", "docs exchanges: headers; rabbit_exchange_type_headers", {}},
      {"sources", "topic", OptionType::list, std::string(), "Topics whose exchanges hand messages on to this one's (exchange.bind); each with its key in source_keys, or one with all of them.", "docs e2e", {}},
      {"source_keys", "topic", OptionType::list, std::string(), "... the routing keys of these bindings; where there are none, all that the source gets comes.", "docs e2e", {}},
      {"source_arguments", "topic", OptionType::list, std::string(), "... of sources that are headers exchanges: their arguments, as in binding_arguments.", "docs e2e", {}},
      integer("bound", "topic", -1, "So many of its partitions are bound in the beginning (`bind` binds others); -1 = all.", "", -1, 1'000),
      integer("segment_size", "topic", 500'000'000, "Streams: bytes of a segment. At the end of one the names of publishers are told anew.", "x-stream-max-segment-size-bytes", 1),
      text("alternate", "topic", "The topic that gets what is unroutable here; empty = none.", "alternate-exchange"),
      boolean("declared", "topic", true, "Exchange and queues are there from the beginning; off: consumers declare their queues when they come.", "definitions import"),
      boolean("auto_delete", "topic", false, "A queue goes with its last consumer.", "docs queues"),

      // --- producer ---
      boolean("confirms", "producer", true, "The broker confirms each message; off: it is sent and forgotten.", "confirm.select, docs confirms"),
      text("routing_key", "producer", "The routing key of its messages; empty = the partition's number (direct) or the business key (other exchanges).", "basic.publish routing-key"),
      {"headers", "producer", OptionType::list, std::string(), "Headers of each message: \"format=pdf\", \"pages=3\".", "basic.publish headers", {}},
      {"cc", "producer", OptionType::list, std::string(), "Routing keys that each message has beside its own (the CC header).", "docs sender-selected", {}},
      {"bcc", "producer", OptionType::list, std::string(), "... that nobody is shown: the BCC header is taken off when the message is routed.", "docs sender-selected", {}},
      boolean("mandatory", "producer", false, "A message that no queue takes is returned.", "basic.publish mandatory"),
      rule(boolean("ignores_returns", "producer", false, "A message that came back counts as sent all the same.", "docs publishers, a return listener that is missing")),
      boolean("persistent", "producer", true, "Messages have delivery mode 2.", "docs persistence-conf"),
      rule(boolean("misreads_multiple", "producer", false, "A confirm of many is taken for a confirm of one.", "docs confirms")),
      text("producer_name", "producer", "Streams: publishes under this name, each message with a publishing id (its number); one that is not above the last of this name is left out. Empty = none.", "docs streams; osiris"),
      integer("max_in_flight", "producer", 0, "Unconfirmed messages at most; 0 = any number.", "docs publishers", 0),
      boolean("automatic_recovery", "producer", true, "A publisher whose connection or channel ended opens another and goes on; off, it publishes nothing more: all that it sent went through one channel.", "amqp-client automaticRecoveryEnabled"),
      duration("send_timeout", "producer", 30 * s, "How long a send waits for a connection or a free place in flight.", "", 1 * ms),
      duration("confirm_timeout", "producer", 30 * s, "How long a send waits for its confirm.", "waitForConfirms", 1 * ms),
      duration("refused_backoff", "producer", 100 * ms, "A send that was refused, or came back, is told so much later: who tries again rests for so long.", ""),
      duration("expiration", "producer", -1, "Each message's own time to live; -1 = none.", "expiration, docs ttl", -1),
      integer("priority", "producer", -1, "Each message's priority; -1 = none.", "priority, docs priority", -1, 255),

      // --- consumer ---
      text("group", "consumer", "Whose queue it reads; empty = it has a queue to itself.", ""),
      integer("prefetch", "consumer", 100, "Unacknowledged messages that the broker may have with it; 0 = any number.", "basic.qos, docs consumer-prefetch", 0, 65'535),
      integer("channel_prefetch", "consumer", 0, "... that all its consumers have together: one for each queue that it reads, on one channel (basic.qos global); 0 = no such limit. For classic queues only; 4.3 takes it for `prefetch`.", "basic.qos global, docs consumer-prefetch", 0, 65'535),
      boolean("auto_ack", "consumer", false, "The broker forgets a message as soon as it is written to the socket.", "no_ack, docs confirms"),
      rule(boolean("early_ack", "consumer", false, "A message is acknowledged when it is handed to the application, before the work.", "docs reliability")),
      rule(boolean("acks_twice", "consumer", false, "It acknowledges each message twice.", "docs confirms: unknown delivery tag")),
      boolean("explicit_acks", "consumer", false, "The application confirms each message; else the next poll confirms all of the last.", "basic.ack"),
      boolean("exclusive", "consumer", false, "It wants its queues to itself.", "basic.consume exclusive"),
      integer("consumer_priority", "consumer", 0, "Consumers of a higher one are served first.", "x-priority", -1'000, 1'000),
      choice("stream_offset", "consumer", "first", {"first", "last", "next"}, "Where reading of a stream begins.", "x-stream-offset"),
      choice("offset_tracking", "consumer", "automatic", {"automatic", "manual"}, "Groups on streams: the library stores the offset of what the application has settled, or the application's commits are stored (so it is where `commit` is set).", "docs streams: offset tracking"),
      duration("offset_store_interval", "consumer", 5 * s, "... so often.", "rabbitmq-stream-java-client autoTrackingStrategy flushInterval", 1 * ms),
      rule(boolean("reuses_tags", "consumer", false, "After a reconnection it settles by delivery tags of the channel before.", "docs confirms: tags are scoped to a channel")),
  };
  add_link_options(all, "producer");
  add_link_options(all, "consumer");
  for (OptionDecl& d : rule_options()) all.push_back(std::move(d));
  return all;
}

BrokerSettings broker_settings(const Options& o, std::string_view profile) {
  BrokerSettings b;
  b.rules = rules_of_options(o, profile);
  b.brokers = static_cast<std::int32_t>(o.integer("brokers"));
  b.classic_fsync = o.boolean("classic_fsync");
  b.heartbeat = o.duration("heartbeat");
  b.consumer_timeout = o.duration("consumer_timeout");
  b.timeout_check = o.duration("timeout_check");
  b.memory_limit = o.integer("memory_limit");
  b.net_ticktime = o.duration("net_ticktime");
  b.queue_service = o.duration("queue_service");
  b.socket_buffer = o.integer("socket_buffer");
  b.rules.consumer_timeout_after = b.consumer_timeout;
  const std::string& handling = o.text("cluster_partition_handling");
  b.partition_handling = handling == "autoheal" ? PartitionHandling::autoheal : handling == "pause_minority" ? PartitionHandling::pause_minority : PartitionHandling::ignore;
  return b;
}

ProducerSettings producer_settings(const Options& o) {
  ProducerSettings p;
  p.confirms = o.boolean("confirms");
  p.routing_key = o.text("routing_key");
  for (const std::string& header : o.list("headers")) read_table(header, p.headers);
  for (const auto& [option, header] : {std::pair{"cc", "CC"}, {"bcc", "BCC"}})
    if (const std::vector<std::string> keys = o.list(option); !keys.empty()) p.headers.set(header, FieldValue::strings(keys));
  p.mandatory = o.boolean("mandatory");
  p.ignores_returns = o.boolean("ignores_returns");
  p.persistent = o.boolean("persistent");
  p.misreads_multiple = o.boolean("misreads_multiple");
  p.producer_name = o.text("producer_name");
  p.max_in_flight = o.integer("max_in_flight");
  p.automatic_recovery = o.boolean("automatic_recovery");
  p.send_timeout = o.duration("send_timeout");
  p.confirm_timeout = o.duration("confirm_timeout");
  p.refused_backoff = o.duration("refused_backoff");
  if (o.duration("expiration") >= 0) p.message_ttl = std::to_string(o.duration("expiration") / ms);
  p.priority = o.integer("priority");
  return p;
}

ConsumerSettings consumer_settings(const Options& o) {
  ConsumerSettings c;
  c.group = o.text("group");
  c.prefetch = static_cast<std::uint32_t>(o.integer("prefetch"));
  c.channel_prefetch = static_cast<std::uint32_t>(o.integer("channel_prefetch"));
  c.auto_ack = o.boolean("auto_ack");
  c.early_ack = o.boolean("early_ack");
  // The loop of a declared consumer settles each message by itself where it is told to.
  c.explicit_acks = o.boolean("explicit_acks") || (o.has("ack") && o.text("ack") != "implicit");
  c.exclusive = o.boolean("exclusive");
  c.priority = o.integer("consumer_priority");
  c.stream_offset = o.text("stream_offset");
  const bool by_hand = o.text("offset_tracking") == "manual" || (o.has("commit") && o.text("commit") != "library");
  c.tracks_offsets = !by_hand;
  c.offset_store_interval = o.duration("offset_store_interval");
  c.reuses_tags = o.boolean("reuses_tags");
  c.acks_twice = o.boolean("acks_twice");
  return c;
}

LinkSettings link_settings(const Options& o) {
  LinkSettings l;
  l.heartbeat = o.duration("heartbeat");
  l.connection_timeout = o.duration("connection_timeout");
  l.handshake_timeout = o.duration("handshake_timeout");
  l.recovery_interval = o.duration("recovery_interval");
  l.connects_to = o.text("connects_to");
  l.shared_connection = o.boolean("shared_connection");
  return l;
}

QueueSpec queue_spec(const Options& o) {
  QueueSpec q;
  const std::string& type = o.text("queue_type");
  q.durable = o.boolean("durable");
  q.auto_delete = o.boolean("auto_delete");
  if (type != "classic") q.args.set("x-queue-type", type);
  const auto number = [&](const char* option, const char* argument, std::int64_t from, std::int64_t unit) {
    if (o.integer(option) >= from) q.args.set(argument, FieldValue(o.integer(option) / unit));
  };
  number("max_length", "x-max-length", 0, 1);
  number("max_length_bytes", "x-max-length-bytes", 0, 1);
  number("message_ttl", "x-message-ttl", 0, ms);
  number("expires", "x-expires", ms, ms);
  number("max_priority", "x-max-priority", 1, 1);
  number("delivery_limit", "x-delivery-limit", -1, 1);
  if (type == "stream" && o.given("segment_size")) q.args.set("x-stream-max-segment-size-bytes", FieldValue(o.integer("segment_size")));
  if (o.text("overflow") != "drop-head") q.args.set("x-overflow", o.text("overflow"));
  if (o.boolean("single_active_consumer")) q.args.set("x-single-active-consumer", true);
  if (!o.text("dead_letter").empty()) q.args.set("x-dead-letter-exchange", o.text("dead_letter"));
  if (!o.text("dead_letter_key").empty()) q.args.set("x-dead-letter-routing-key", o.text("dead_letter_key"));
  if (o.text("dead_letter_strategy") != "at-most-once") q.args.set("x-dead-letter-strategy", o.text("dead_letter_strategy"));
  return q;
}

HaPolicy ha_policy(const Options& o) {
  HaPolicy ha;
  const std::string& mode = o.text("ha_mode");
  ha.copies = mode == "none" ? 0 : mode == "all" ? std::numeric_limits<std::int32_t>::max() : o.integer("ha_params");
  ha.sync_automatic = o.text("ha_sync_mode") == "automatic";
  ha.promote_unsynced = o.text("ha_promote_on_failure") == "always";
  ha.promote_unsynced_on_shutdown = o.text("ha_promote_on_shutdown") == "always";
  return ha;
}

// ---------------------------------------------------------------------------------------------

const TopicPlan* Cluster::topic(std::string_view name) const {
  for (const TopicPlan& t : topics)
    if (t.name == name) return &t;
  return nullptr;
}

const QueuePlan* Cluster::queue(std::string_view name) const {
  for (const QueuePlan& q : queues)
    if (q.spec.name == name) return &q;
  return nullptr;
}

const TopicPlan* Cluster::place(std::string_view place, std::optional<std::int32_t>& partition) const {
  partition.reset();
  if (const TopicPlan* t = topic(place)) return t;
  for (const TopicPlan& t : topics)
    for (std::int32_t n = 0; n < t.partitions; ++n)
      if (t.place(n) == place) {
        partition = n;
        return &t;
      }
  return nullptr;
}

std::vector<const QueuePlan*> Cluster::queues_of(const TopicPlan& topic, const std::string& subscription) const {
  std::vector<const QueuePlan*> out;
  for (const QueuePlan& q : queues)
    if (q.topic == topic.name && (topic.type == QueueType::stream || q.subscription == subscription)) out.push_back(&q);
  return out;
}

}  // namespace mqlab::rabbitmq
