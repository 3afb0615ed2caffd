// AMQP errors, and whom they cost what.
#include "models/rabbitmq/amqp_error.h"

#include <fmt/format.h>

namespace mqlab::rabbitmq {

const char* error_name(std::uint16_t code) {
  switch (code) {
    case 311: return "CONTENT_TOO_LARGE";
    case 312: return "NO_ROUTE";
    case 313: return "NO_CONSUMERS";
    case 320: return "CONNECTION_FORCED";
    case 402: return "INVALID_PATH";
    case 403: return "ACCESS_REFUSED";
    case 404: return "NOT_FOUND";
    case 405: return "RESOURCE_LOCKED";
    case 406: return "PRECONDITION_FAILED";
    case 501: return "FRAME_ERROR";
    case 502: return "SYNTAX_ERROR";
    case 503: return "COMMAND_INVALID";
    case 504: return "CHANNEL_ERROR";
    case 505: return "UNEXPECTED_FRAME";
    case 506: return "RESOURCE_ERROR";
    case 530: return "NOT_ALLOWED";
    case 540: return "NOT_IMPLEMENTED";
    case 541: return "INTERNAL_ERROR";
    default: return "";
  }
}

bool is_hard_error(std::uint16_t code) { return code == 320 || code == 402 || code >= 500; }

AmqpError amqp_error(std::uint16_t code, const std::string& text) {
  return {.code = code, .text = fmt::format("{} - {}", error_name(code), text), .closes_connection = is_hard_error(code)};
}

std::string resource_text(const char* kind, const std::string& name, const std::string& vhost) {
  return fmt::format("{} '{}' in vhost '{}'", kind, name, vhost);
}

}  // namespace mqlab::rabbitmq
