// What the product promises under this deployment and these faults, and why it does not.
#include <algorithm>
#include <set>

#include "models/rabbitmq/model_parts.h"

namespace mqlab::rabbitmq {
namespace {

// What the clients of a deployment do, taken together: the weakest counts.
struct Habits {
  bool confirms = true, persistent = true, misreads = false, resends = false, ignores_returns = false, priorities = false, expire = false;
  bool auto_ack = false, early_ack = false, releases = false, handed_on = false, programs = false, reuses_tags = false;
  bool acks_twice = false, shares_name = false, stores_ahead = false, other_channels = false, names_keys = false, copies = false, shares_prefetch = false;
  Duration longest_hold = 0;  // a delivery may wait so long for its acknowledgement
};

Habits habits_of(const Deployment& d) {
  Habits h;
  std::set<std::string> names;
  for (const ClientSpec& spec : d.clients) {
    h.programs = h.programs || spec.app;
    if (spec.role != "consumer") {
      const ProducerSettings p = producer_settings(spec.options);
      h.confirms = h.confirms && p.confirms;
      h.persistent = h.persistent && p.persistent;
      h.misreads = h.misreads || p.misreads_multiple;
      h.names_keys = h.names_keys || !p.routing_key.empty();
      h.copies = h.copies || p.headers.contains("CC") || p.headers.contains("BCC");
      h.ignores_returns = h.ignores_returns || p.ignores_returns;
      h.shares_name = h.shares_name || (!p.producer_name.empty() && !names.insert(p.producer_name).second);
      h.priorities = h.priorities || p.priority >= 0;
      h.other_channels = h.other_channels || p.automatic_recovery || spec.app;
      h.expire = h.expire || !p.message_ttl.empty();
      h.resends = h.resends || (!spec.app && spec.options.boolean("resend"));
    }
    if (spec.role == "producer") continue;
    const Options& o = spec.role == "consumer" ? spec.options : spec.consumer_options;
    const ConsumerSettings c = consumer_settings(o);
    h.auto_ack = h.auto_ack || c.auto_ack;
    h.early_ack = h.early_ack || c.early_ack;
    h.reuses_tags = h.reuses_tags || c.reuses_tags;
    h.acks_twice = h.acks_twice || c.acks_twice;
    h.shares_prefetch = h.shares_prefetch || (spec.app && c.channel_prefetch > 0);
    if (spec.app) continue;
    const std::int64_t together = c.prefetch == 0 ? 1000 : c.prefetch;
    h.longest_hold = std::max(h.longest_hold, o.duration("work_slow") + o.duration("work") * together);
    h.releases = h.releases || o.text("ack") == "release_failed";
    h.stores_ahead = h.stores_ahead || o.text("commit") == "before" || o.text("commit") == "highest";
    h.handed_on = h.handed_on || (!c.explicit_acks && (o.integer("workers") > 0 || o.boolean("pause_while_working")));
  }
  return h;
}

struct Places {
  bool durable = true, classic = false, stream = false, quorum = false, declared = true, limits = false, ttl = false, expires = false;
  bool one_reads = true;                        // one consumer of a queue gets its messages at a time
  bool dead_letters = false, dead_letters_safe = true, returns_count = false;
  bool filtered = false;                        // an exchange gives a queue only what its binding key matches
  bool many = false;                            // ... or a message to several queues of one subscription
  bool handed_on = false;                       // ... or another exchange gets it too
  bool mirrored = false, synchronised = true;  // some queue has mirrors; mirrors that join are given all
};

Places places_of(const Deployment& d, const Rules& rules) {
  Places p;
  for (const TopicSpec& t : d.topics) {
    const Options& o = t.options;
    const std::string& type = o.text("queue_type");
    p.classic = p.classic || type == "classic";
    p.quorum = p.quorum || type == "quorum";
    p.one_reads = p.one_reads && o.boolean("single_active_consumer");
    p.stream = p.stream || type == "stream";
    p.durable = p.durable && (o.boolean("durable") || type != "classic");
    p.declared = p.declared && o.boolean("declared") && !o.boolean("auto_delete");
    p.limits = p.limits || o.integer("max_length") >= 0 || o.integer("max_length_bytes") >= 0;
    if (const HaPolicy ha = ha_policy(o); ha.mirrored()) {
      p.mirrored = true;
      p.synchronised = p.synchronised && (ha.sync_automatic || !ha.promote_unsynced);
    }
    const ExchangeType exchange = *exchange_type_of(o.text("exchange"));
    p.filtered = p.filtered || exchange == ExchangeType::topic || exchange == ExchangeType::headers;
    p.many = p.many || ((exchange == ExchangeType::topic || exchange == ExchangeType::headers || exchange == ExchangeType::fanout) && o.integer("partitions") > 1);
    p.handed_on = p.handed_on || !o.list("sources").empty();
    p.ttl = p.ttl || o.duration("message_ttl") >= 0;
    p.expires = p.expires || o.duration("expires") > 0;
    if (o.text("dead_letter").empty()) continue;
    p.dead_letters = true;
    p.dead_letters_safe = p.dead_letters_safe && queue_options(queue_spec(o), rules).at_least_once;
    p.returns_count = p.returns_count || (type == "quorum" && queue_options(queue_spec(o), rules).delivery_limit);
  }
  return p;
}

}  // namespace

std::vector<Claim> claims_of(const Deployment& d, const FaultSummary& f) {
  const Habits h = habits_of(d);
  const BrokerSettings settings = broker_settings(d.cluster, d.profile);
  const Places p = places_of(d, settings.rules);
  bool killed = false, power = false, wiped = false;
  for (const FaultSummary::Lost& loss : f.losses) {
    if (loss.role != "broker") continue;
    killed = true;
    power = power || loss.power;
    wiped = wiped || loss.wipe;
  }
  std::vector<Claim> out;
  const auto claim = [&](const char* anomaly, const std::string& why_not, const char* why) { out.push_back({anomaly, why_not.empty(), why_not.empty() ? why : why_not}); };

  std::string lost;
  if (!h.confirms) lost = "without confirms nobody knows what the broker has taken";
  else if (h.shares_name) lost = "two publishers of one name take each other's messages for repetitions";
  else if (h.misreads) lost = "a publisher misreads confirms of many";
  else if (!p.declared || p.expires) lost = "a queue that is not there takes nothing, and the message is confirmed";
  else if (h.names_keys && !p.filtered) lost = "a publisher names a routing key, and a queue may be bound with another";
  else if (p.filtered) lost = "a queue gets only what its binding key matches";
  else if (h.auto_ack) lost = "with auto_ack a message is done when it is written to the socket";
  else if (h.shares_prefetch) lost = "what a program holds and does not settle fills the prefetch that all its queues share";
  else if (h.reuses_tags) lost = "a consumer acknowledges with the tags of another channel";
  else if (wiped) lost = "a broker lost its disk";
  else if (f.disk_faults) lost = "a disk broke its promise";
  else if (killed && !p.durable) lost = "queues that are not durable go with their node";
  else if (killed && !h.persistent && p.classic) lost = "transient messages do not survive their node";
  else if (power && p.classic && !settings.classic_fsync) lost = "a classic queue confirms what is in the page cache";
  else if (power && p.stream) lost = "a stream never syncs";
  else if (settings.brokers > 1 && p.mirrored && f.network_faults) lost = "the sides of a partition lead a mirrored queue each, and one of them is thrown away";
  else if (settings.brokers > 1 && p.mirrored && !p.synchronised) lost = "a mirror that lacks messages may lead";
  else if (settings.brokers > 1 && p.mirrored && killed) lost = "a mirror that comes back begins empty, and may have to lead before it has it all";
  else if (settings.brokers > 1 && p.mirrored) lost = "a broker that stands still is taken for down, and leads as before when it goes on";
  else if (settings.brokers > 1 && (f.network_faults || killed) && p.classic) lost = "a queue whose node is down is not there for those on other nodes";
  claim("lost-message", lost, "confirms, persistent messages in durable queues, acknowledgement after the work");

  const bool interrupted = f.client_kills || f.client_pauses || f.network_faults || f.server_stops || !f.losses.empty();
  std::string twice;
  if (p.many || p.handed_on) twice = "a message goes to each queue whose binding matches it";
  else if (h.copies) twice = "a message has several routing keys, and goes to a queue for each";
  else if (h.resends) twice = "the application sends again on its own";
  else if (h.acks_twice) twice = "an acknowledgement that comes twice closes the channel";
  else if (h.releases) twice = "what failed is given back, and comes again";
  else if (h.programs) twice = "a program settles when it likes";
  else if (settings.consumer_timeout > 0 && h.longest_hold >= settings.consumer_timeout) twice = "work may take longer than the broker waits for an acknowledgement";
  else if (settings.consumer_timeout > 0 && f.clock_faults) twice = "a clock that jumps ends the time for acknowledgements early";
  const bool only_quorum = p.quorum && !p.classic && !p.stream;
  const bool one_order = only_quorum && p.one_reads && !h.other_channels;
  std::string order = one_order ? twice : std::string();
  if (twice.empty() && interrupted) twice = "what was not settled when a channel ended is delivered again";
  if (!one_order) order = twice;
  claim("duplicate-delivery", twice, "nobody lost a channel");
  if (p.stream) claim("duplicate", h.resends ? "the application sends again on its own" : "", "each message was sent once");

  if (order.empty() && h.priorities) order = "higher priorities overtake";
  claim("fifo-violation", order, one_order ? "one channel a publisher, quorum queues, one active consumer" : "one channel, one queue, no redelivery");

  std::string drops;
  if (p.limits) drops = "a full queue drops or refuses messages";
  else if (p.ttl || h.expire) drops = "messages expire";
  else if (p.quorum && settings.rules.delivery_limit >= 0) drops = "a message that was returned too often is dropped";
  claim("silent-drop", drops, "no policy takes messages");

  if (p.dead_letters) {
    claim("dlq-loss", p.dead_letters_safe ? "" : "dead letters go out once, and nobody waits for a confirm", "a dead letter stays until it is confirmed elsewhere");
    claim("dlq-misroute", p.returns_count ? "a lost channel counts as a failed delivery of all that it had" : "", "only what a consumer refused is put aside as failed");
  }

  claim("phantom", "", "a send fails only when it was never written, or came back");
  claim("misdelivered", p.filtered || p.many ? "the exchange chooses the queues, not the client" : "", "bindings do not change");
  claim("confirmed-unroutable", h.ignores_returns ? "a publisher does not look at what comes back" : "", "what comes back counts as failed");
  const bool copied = p.many || p.handed_on || h.copies;
  claim("resurrected", copied ? "of a message in two queues one copy may be done before the other is delivered" : interrupted || h.programs ? "an acknowledgement has no answer: whether it arrived nobody is told" : settings.consumer_timeout > 0 && (f.clock_faults || h.longest_hold >= settings.consumer_timeout) ? "a time for acknowledgements that is over closes a channel with others under way" : "", "no channel ended with an acknowledgement under way");
  std::string ahead;
  if (h.auto_ack) ahead = "with auto_ack a message is done before the work begins";
  else if (h.early_ack) ahead = "messages are acknowledged before the work";
  else if (p.stream && h.stores_ahead) ahead = "offsets are stored before the work is done";
  else if (h.handed_on) ahead = "the next poll acknowledges what workers have not done yet";
  else if (h.programs) ahead = "a program settles when it likes";
  claim("commit-ahead-of-processing", ahead, "messages are acknowledged after the work");
  claim("effect-lost", !lost.empty() ? lost : ahead, "messages are acknowledged after the work");
  claim("effect-duplicate", twice, "nobody lost a channel");
  claim("visibility-double-processing", twice, "nobody lost a channel");
  claim("redelivery-reorder", twice.empty() && p.dead_letters ? "a dead letter that comes back comes after its successors" : twice, "no redelivery");
  return out;
}

}  // namespace mqlab::rabbitmq
