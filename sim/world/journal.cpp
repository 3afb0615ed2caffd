#include "sim/world/journal.h"

#include <fmt/format.h>

namespace mqlab {

const char* traffic_name(Traffic t) {
  static constexpr const char* names[] = {"client", "replication", "control", "heartbeat"};
  return names[static_cast<std::size_t>(t)];
}

const char* event_kind_name(EventKind k) {
  static constexpr const char* names[event_kind_count] = {"none",   "data",  "datagram", "timer", "open",  "opened", "closed",
                                                          "reset",  "wake",  "disk",     "fault", "retry", "start",
                                                          "window"};
  return names[static_cast<std::size_t>(k)];
}

const char* op_kind_name(OpKind k) {
  static constexpr const char* names[op_kind_count] = {
      "send",   "deliver", "poll",       "ack",     "commit", "begin", "end_commit", "end_abort",
      "assign", "revoke",  "seek",       "end_offset", "process", "effect", "drained"};
  return names[static_cast<std::size_t>(k)];
}

const char* outcome_name(Outcome o) {
  static constexpr const char* names[] = {"invoke", "ok", "fail", "info"};
  return names[static_cast<std::size_t>(o)];
}

const char* drop_reason_text(DropReason r) {
  static constexpr const char* texts[drop_reason_count] = {
      "the link is cut",
      "it was lost on the way",
      "a fault dropped it",
      "a fault dropped one before it on its connection, on which nothing passes since",
      "the link was cut until its connection ended",
      "its connection ended before it got through",
      "its connection was closed already",
      "its sender ended before it got through",
      "its receiver is down",
      "its receiver was started anew and does not know the connection",
      "its receiver has closed the connection",
      "its receiver ended before it came to it",
      "it still waited when the run ended"};
  return texts[static_cast<std::size_t>(r)];
}

std::string Journal::message_name(MessageId m) const {
  if (m == no_message) return "-";
  if (m & named_message_bit) return names.text(static_cast<std::uint32_t>(m));
  return fmt::format("{}-{}", process_name(static_cast<NodeId>((m >> 40) - 1)), m & ((std::uint64_t{1} << 40) - 1));
}

}  // namespace mqlab
