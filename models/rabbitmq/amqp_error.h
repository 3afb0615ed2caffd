// models/rabbitmq/amqp_error.h: an AMQP error: a code, the text as the broker words it, and what it closes.
//
// Hard errors close the connection, soft ones the channel. Sources: AMQP 0-9-1 section 1.1; rabbit_framing.
//
//     return not_found("no queue 'q' in vhost '/'");    // 404, "NOT_FOUND - no queue 'q' in vhost '/'"
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mqlab::rabbitmq {

struct AmqpError {
  std::uint16_t code = 0;
  std::string text{};
  bool closes_connection = false;

  bool operator==(const AmqpError&) const = default;
};

using MaybeError = std::optional<AmqpError>;  // nothing: it went well

// The text gets the code's name in front: "NOT_FOUND - ...".
AmqpError amqp_error(std::uint16_t code, const std::string& text);
inline AmqpError access_refused(const std::string& t) { return amqp_error(403, t); }
inline AmqpError not_found(const std::string& t) { return amqp_error(404, t); }
inline AmqpError resource_locked(const std::string& t) { return amqp_error(405, t); }
inline AmqpError precondition_failed(const std::string& t) { return amqp_error(406, t); }
inline AmqpError not_allowed(const std::string& t) { return amqp_error(530, t); }
inline AmqpError not_implemented(const std::string& t) { return amqp_error(540, t); }

// "NOT_FOUND"; empty for a code that is none.
const char* error_name(std::uint16_t code);
bool is_hard_error(std::uint16_t code);

// "queue 'q' in vhost '/'": how the broker names a thing in errors.
std::string resource_text(const char* kind, const std::string& name, const std::string& vhost = "/");

}  // namespace mqlab::rabbitmq
