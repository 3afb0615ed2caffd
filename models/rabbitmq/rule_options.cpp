// One row a rule: its name as an option, what it says, where that is written.
#include "models/rabbitmq/rule_options.h"

#include <limits>
#include <variant>

namespace mqlab::rabbitmq {
namespace {

constexpr std::string_view newest = "4.3";

using Member = std::variant<bool Rules::*, std::int32_t Rules::*, std::uint32_t Rules::*, Duration Rules::*, QuorumPriorities Rules::*, ConsumerTimeout Rules::*>;

struct Row {
  const char* name;
  Member member;
  const char* sentence;
  const char* source;
};

const std::vector<std::string> priorities{"none", "two", "thirty_two"};
const std::vector<std::string> timeouts{"closes_channel", "returns_messages"};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"quorum_delivery_limit", &Rules::delivery_limit, "The delivery limit of a quorum queue that names none; -1 = none.", "release notes 4.0.1; docs quorum-queues"},
      {"limit_by_acquired", &Rules::limit_by_acquired, "Each assignment that ended in a return counts for the limit; off: failed deliveries do.", "rabbit_fifo_v7, rabbit_fifo: return_one"},
      {"nack_counts", &Rules::nack_counts, "A basic.nack counts as a failed delivery; off: a basic.reject and the loss of a channel do.", "release notes 4.3.0; docs quorum-queues"},
      {"count_headers_4", &Rules::count_headers_4, "x-delivery-count tells of failures, x-acquired-count of all returns; off: x-delivery-count of returns.", "rabbit_fifo_client:add_delivery_count_header"},
      {"quorum_priorities", &Rules::priorities, "Priorities of quorum queues: none, two classes at two to one, or thirty-two strict levels.", "rabbit_fifo_q, rabbit_fifo_pq; docs quorum-queues"},
      {"single_active_priorities", &Rules::single_active_priorities, "A higher single active consumer takes over once the active one holds nothing.", "rabbit_fifo:activate_next_consumer"},
      {"purge_takes_dead_letters", &Rules::purge_takes_dead_letters, "A purge drops dead letters that are kept until they are safe elsewhere, too.", "rabbit_fifo (4.3)"},
      {"disconnected_timeout", &Rules::disconnected_timeout, "What consumers of an unreachable node hold goes back after so long; 0 = at once, as failed.", "rabbit_fifo: consumer_disconnected_timeout"},
      {"resends_after_cut", &Rules::resends_after_cut, "A channel sends its pending messages again when it reaches the leader of a quorum queue again; off: when another one was elected.", "rabbitmq-server #14589 (a bug until 4.2)"},
      {"delayed_retry", &Rules::delayed_retry, "Quorum queues may delay what is returned (x-delayed-retry-type).", "release notes 4.3.0"},
      {"interprets_client_x_death", &Rules::interprets_client_x_death, "An x-death header of a publisher counts as the message's own past; off: it is a header like any other.", "release notes 4.0.1"},
      {"x_last_death", &Rules::x_last_death, "Dead letters carry x-last-death-* headers.", "release notes 3.13.0"},
      {"requeue_keeps_place", &Rules::requeue_keeps_place, "What comes back to a classic queue goes to where it was; off (broken): to its end.", "rabbit_variable_queue: requeue; docs confirms"},
      {"cancel_serves_next", &Rules::cancel_serves_next, "When a single active consumer is cancelled the next one is served at once; off: with the next event.", "rabbit_amqqueue_process: basic_cancel"},
      {"shared_prefetch", &Rules::shared_prefetch, "A global basic.qos limits all consumers of its channel together; off: each consumer that begins from then on.", "rabbit_channel: is_global_qos_permitted; rabbitmq-server #15460"},
      {"consumer_timeout_action", &Rules::consumer_timeout, "A delivery that is not settled in time closes its channel, or (quorum queues only) is taken back.", "rabbit_channel:evaluate_consumer_timeout; release notes 4.3.0"},
      {"transient_queues", &Rules::transient_queues, "A queue may be neither durable nor exclusive.", "release notes 4.3.0; docs queues"},
      {"queue_mode_allowed", &Rules::queue_mode_allowed, "x-queue-mode may be given.", "release notes 4.3.0"},
      {"quorum_prefetch_max", &Rules::prefetch_max, "What \"any number\" means as the prefetch of a consumer of a quorum queue.", "rabbit_fifo; docs quorum-queues"},
  };
  return all;
}

Value value_of(const Rules& r, const Member& member) {
  return std::visit(
      [&](auto m) -> Value {
        using T = std::decay_t<decltype(r.*m)>;
        if constexpr (std::is_same_v<T, bool>) return r.*m;
        else if constexpr (std::is_same_v<T, QuorumPriorities>) return priorities[static_cast<std::size_t>(r.*m)];
        else if constexpr (std::is_same_v<T, ConsumerTimeout>) return timeouts[static_cast<std::size_t>(r.*m)];
        else return static_cast<std::int64_t>(r.*m);
      },
      member);
}

std::size_t index_of(const std::vector<std::string>& words, const std::string& word) {
  std::size_t i = 0;
  while (words[i] != word) ++i;
  return i;
}

void set(Rules& r, const Member& member, const Options& o, const char* name) {
  std::visit(
      [&](auto m) {
        using T = std::decay_t<decltype(r.*m)>;
        if constexpr (std::is_same_v<T, bool>) r.*m = o.boolean(name);
        else if constexpr (std::is_same_v<T, QuorumPriorities>) r.*m = static_cast<T>(index_of(priorities, o.text(name)));
        else if constexpr (std::is_same_v<T, ConsumerTimeout>) r.*m = static_cast<T>(index_of(timeouts, o.text(name)));
        else r.*m = static_cast<T>(o.integer(name));
      },
      member);
}

}  // namespace

std::vector<OptionDecl> rule_options() {
  std::vector<OptionDecl> all;
  for (const Row& row : rows()) {
    OptionDecl d;
    d.name = row.name;
    d.scope = "cluster";
    d.value = value_of(*rules_of(newest), row.member);
    d.sentence = row.sentence;
    d.source = row.source;
    d.is_switch = true;
    d.min = 0;
    if (std::holds_alternative<bool Rules::*>(row.member)) d.type = OptionType::boolean;
    else if (std::holds_alternative<Duration Rules::*>(row.member)) d.type = OptionType::duration;
    else if (std::holds_alternative<QuorumPriorities Rules::*>(row.member) || std::holds_alternative<ConsumerTimeout Rules::*>(row.member)) {
      d.type = OptionType::choice;
      d.choices = std::holds_alternative<QuorumPriorities Rules::*>(row.member) ? priorities : timeouts;
    } else {
      d.type = OptionType::integer;
      d.max = std::numeric_limits<std::int32_t>::max();
      if (std::holds_alternative<std::int32_t Rules::*>(row.member)) d.min = -1;
      else d.min = 1;
    }
    all.push_back(std::move(d));
  }
  return all;
}

std::vector<std::pair<std::string, Value>> rules_as_options(std::string_view profile) {
  const Rules rules = *rules_of(profile), last = *rules_of(newest);
  std::vector<std::pair<std::string, Value>> out;
  for (const Row& row : rows())
    if (value_of(rules, row.member) != value_of(last, row.member)) out.emplace_back(row.name, value_of(rules, row.member));
  return out;
}

Rules rules_of_options(const Options& cluster, std::string_view profile) {
  Rules r = *rules_of(profile);
  for (const Row& row : rows()) set(r, row.member, cluster, row.name);
  return r;
}

}  // namespace mqlab::rabbitmq
