// models/rabbitmq/content.h: a message as published: where it was sent, what it says of itself, where it died.
//
// One rule: it is made once and never changed, so queues, logs and worlds share it. What differs from queue to
// queue (position, redelivered, expiry) is the queue's. Dead-lettering makes a new one (dead_letter.h).
// Always true: keys is not empty; its first is the routing key, then CC, then BCC. The BCC header is gone.
// Sizes are bytes of the body. Sources: AMQP 0-9-1 class basic; docs sender-selected; rabbit_basic, mc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/rabbitmq/table.h"
#include "sim/world/journal.h"

namespace mqlab::rabbitmq {

// Basic properties; an empty text is an absent one.
struct Properties {
  std::optional<std::uint8_t> delivery_mode{};  // 2: persistent
  std::optional<std::uint8_t> priority{};
  std::optional<std::int64_t> timestamp{};      // seconds, the publisher's word
  std::string expiration{};                     // milliseconds, as text
  std::string message_id{};
  std::string correlation_id{};
  std::string reply_to{};
  std::string user_id{};
  std::string app_id{};
  std::string type{};
  std::string content_type{};
  std::string content_encoding{};

  bool persistent() const { return delivery_mode == 2; }
  bool operator==(const Properties&) const = default;
};

enum class DeathReason : std::uint8_t { rejected, expired, maxlen, delivery_limit };
const char* name(DeathReason r);  // "rejected", as in x-death

// One entry of x-death: how often a message died in this queue for this reason.
struct Death {
  std::string queue{};
  DeathReason reason{};
  std::int64_t count{};
  std::string exchange{};                   // as published, before the first such death
  std::vector<std::string> routing_keys{};
  std::int64_t first_time{};                // seconds
  std::int64_t last_time{};
  std::string original_expiration{};        // removed from the properties

  bool operator==(const Death&) const = default;
};

struct Deaths {
  std::vector<Death> entries{};  // the latest death first
  std::string first_queue{}, first_exchange{};
  DeathReason first_reason{};
  std::string last_exchange{};   // published to before the latest death

  bool empty() const { return entries.empty(); }
  bool operator==(const Deaths&) const = default;
};

struct Content {
  MessageId message = no_message;  // the lab's identity; the body means nothing else
  std::uint32_t key = 0;           // the application's business key (Journal::names), 0: none
  std::uint32_t size = 0;
  std::string exchange{};          // published to, or dead-lettered to
  std::vector<std::string> keys{std::string()};
  Properties properties{};
  Table headers{};                 // as the publisher gave them, without BCC, without what `deaths` says
  Deaths deaths{};

  const std::string& routing_key() const { return keys.front(); }
  bool operator==(const Content&) const = default;
};

using ContentRef = std::shared_ptr<const Content>;

// CC and BCC of the headers become keys, and BCC goes. Nothing: one of them is no array of texts (406).
std::optional<Content> published(std::string exchange, std::string routing_key, Properties properties, Table headers);

// What a consumer sees: the headers with x-death, x-first-death-* and (`last`) x-last-death-* put in.
Table delivered_headers(const Content& c, bool last);

std::string describe(const Content& c);

}  // namespace mqlab::rabbitmq
