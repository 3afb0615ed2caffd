// models/rabbitmq/rules.h: what differs between releases, as switches.
//
// One rule: code never asks for a version. It asks for the rule, and a profile is a row of rules.
// Durations are nanoseconds. Sources: release notes 4.0.1, 4.1.0, 4.3.0; docs quorum-queues, dlx, consumers;
// rabbit_fifo_v3 (3.10 to 3.13), rabbit_fifo_v7 (4.0 to 4.2), rabbit_fifo (4.3).
//
//     const Rules rules = *rules_of("4.3");
//     if (rules.nack_counts) ++delivery_count;
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/kernel/time.h"

namespace mqlab::rabbitmq {

enum class QuorumPriorities : std::uint8_t {
  none,        // 3.x: one queue
  two,         // 4.0 to 4.2: 0-4 normal, from 5 on high, two high to one normal
  thirty_two,  // 4.3: strictly by level, the highest first
};

// When a message that nobody settles in time is taken away (consumer_timeout).
enum class ConsumerTimeout : std::uint8_t {
  closes_channel,    // any queue type: 406 PRECONDITION_FAILED (up to 4.2)
  returns_messages,  // 4.3, quorum queues only: returned, and the consumer gets nothing until it settles
};

struct Rules {
  // Quorum queues.
  std::int32_t delivery_limit = -1;          // default of x-delivery-limit; -1: none
  bool limit_by_acquired = true;             // each assignment that ended in a return counts
  bool nack_counts = true;                   // off (4.3): only failures do: reject, and the loss of a channel
  bool count_headers_4 = false;              // 4.x: x-delivery-count has failures only, x-acquired-count all returns
  QuorumPriorities priorities = QuorumPriorities::none;
  bool single_active_priorities = false;     // from 4.0 on a higher consumer takes over once the active one holds nothing
  bool purge_takes_dead_letters = false;     // 4.3: of a queue that keeps them until they are safe elsewhere
  Duration disconnected_timeout = 0;         // 4.3: unacked messages of an unreachable node wait so long
  bool resends_after_cut = true;             // off: a channel sends its pending messages again only when another leader was elected
  bool delayed_retry = false;                // 4.3: x-delayed-retry-*

  // Dead letters.
  bool interprets_client_x_death = true;     // off from 4.0 on: x-death of a publisher is a header like any other
  bool x_last_death = false;                 // from 3.13 on: x-last-death-* headers

  // Channels and queues.
  bool requeue_keeps_place = true;           // off (broken): a classic queue puts what comes back at its end
  bool cancel_serves_next = true;            // off (3.x): the next single active consumer waits for another event
  bool shared_prefetch = true;               // off (4.3, where global_qos is denied): a global basic.qos is taken for one that is not
  ConsumerTimeout consumer_timeout = ConsumerTimeout::closes_channel;
  Duration consumer_timeout_after = Duration{1'800'000} * 1'000'000;
  bool transient_queues = true;              // off (4.3): non-durable and non-exclusive is refused
  bool queue_mode_allowed = true;            // off (4.3): x-queue-mode is an invalid argument
  bool mirrored = true;                      // 3.x: classic queues may have mirrors
  bool partition_modes = true;               // 3.x: Mnesia holds the metadata; off (new clusters of 4.2, all of 4.3): Khepri, the key is ignored
  std::uint32_t frame_max_min = 4096;        // 8192 from 4.1 on
  std::uint32_t prefetch_max = 2000;         // what "unlimited" means to a quorum queue

  bool operator==(const Rules&) const = default;
};

// "3.10", "3.13", "4.2", "4.3"; nothing when there is no such profile.
std::optional<Rules> rules_of(std::string_view profile);
const std::vector<std::string_view>& profile_names();

}  // namespace mqlab::rabbitmq
