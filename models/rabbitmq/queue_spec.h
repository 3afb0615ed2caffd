// models/rabbitmq/queue_spec.h: what a queue was declared as, and what its arguments mean.
//
// Times are nanoseconds (arguments give milliseconds). -1, or an absent value, is "no such limit".
// Errors in the words of 3.10.8. Sources: rabbit_amqqueue (check_declare_arguments, assert_equivalence),
// rabbit_quorum_queue, rabbit_stream_queue; docs queues, maxlength, ttl.
//
//     QueueSpec spec{.name = "q", .durable = true, .args = {{"x-queue-type", "quorum"}}};
//     if (MaybeError e = check_declare(spec, rules)) ...
//     QueueOptions options = queue_options(spec, rules);
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/rabbitmq/amqp_error.h"
#include "models/rabbitmq/rules.h"
#include "models/rabbitmq/table.h"
#include "sim/kernel/time.h"

namespace mqlab::rabbitmq {

enum class QueueType : std::uint8_t { classic, quorum, stream };
const char* name(QueueType t);

struct QueueSpec {
  std::string name{};
  bool durable = false;
  bool exclusive = false;    // to one connection; who that is, the broker knows
  bool auto_delete = false;
  Table args{};

  bool operator==(const QueueSpec&) const = default;
};

enum class Overflow : std::uint8_t { drop_head, reject_publish, reject_publish_dlx };
const char* name(Overflow o);

enum class RetryFor : std::uint8_t { none, all, failed, returned };

// The arguments, read. Requires: check_declare found nothing.
struct QueueOptions {
  QueueType type = QueueType::classic;
  bool durable = false;
  bool auto_delete = false;
  std::optional<Duration> message_ttl{};
  std::optional<Duration> expires{};
  std::optional<std::int64_t> max_length{};
  std::optional<std::int64_t> max_length_bytes{};
  Overflow overflow = Overflow::drop_head;
  std::optional<std::string> dead_letter_exchange{};
  std::optional<std::string> dead_letter_routing_key{};
  bool at_least_once = false;                     // quorum: dead-letter-strategy, and only with reject-publish and a DLX
  std::optional<std::uint8_t> max_priority{};     // classic
  bool single_active_consumer = false;
  bool cancel_serves_next = true;                 // classic, by the rules
  bool requeue_keeps_place = true;                // likewise
  bool mirrored = false;                          // classic, by a policy (ha-mode)
  std::optional<std::int64_t> delivery_limit{};   // quorum; as argument or by the rules
  RetryFor delayed_retry = RetryFor::none;        // quorum, 4.3
  Duration delayed_retry_min{}, delayed_retry_max{};
  std::optional<Duration> consumer_timeout{};
  std::optional<Duration> max_age{};              // stream
  std::int64_t segment_bytes = 500'000'000;       // stream

  bool operator==(const QueueOptions&) const = default;
};

MaybeError check_declare(const QueueSpec& spec, const Rules& rules, const std::string& vhost = "/");
QueueOptions queue_options(const QueueSpec& spec, const Rules& rules);
QueueType queue_type(const QueueSpec& spec);

// 406 with the first thing in which `again` differs from what is there. Exclusiveness is not compared here.
MaybeError check_equivalent(const QueueSpec& there, const QueueSpec& again, const std::string& vhost = "/");

// x-max-age: a number and Y, M, D, h, m or s; nothing: it is none.
std::optional<Duration> parse_age(const std::string& text);

// `expiration` of a message: milliseconds as text, 0 up; nothing: it is none (406).
std::optional<Duration> parse_expiration(const std::string& text);

}  // namespace mqlab::rabbitmq
