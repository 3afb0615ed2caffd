#include "sim/record/op_text.h"

#include <fmt/format.h>

namespace mqlab {
namespace {

std::string where(const Journal& j, const Op& op) {
  const std::string place = j.names.text(op.place);
  return op.position < 0 ? place : fmt::format("{}@{}", place, op.position);
}

std::string why(const Journal& j, const Op& op) { return op.error ? fmt::format(" ({})", j.names.text(op.error)) : ""; }

}  // namespace

std::string op_text(const Journal& j, const Op& op) {
  const std::string who = j.process_name(op.process);
  const std::string message = j.message_name(op.message);
  const std::string key = op.key ? fmt::format(" (key {})", j.names.text(op.key)) : "";
  switch (op.kind) {
    case OpKind::send:
      if (op.outcome == Outcome::invoke) return fmt::format("{} sends {}{} to {}", who, message, key, j.names.text(op.place));
      if (op.outcome == Outcome::ok) return fmt::format("{} is told that {} is stored at {}", who, message, where(j, op));
      if (op.outcome == Outcome::fail) return fmt::format("{} is told that {} failed{}", who, message, why(j, op));
      return fmt::format("{} does not know what became of {}{}", who, message, why(j, op));
    case OpKind::deliver:
      return fmt::format("{} gets {}{} from {}{}", who, message, key, where(j, op), op.flags & op_flag::redelivered ? ", marked as redelivered" : "");
    case OpKind::ack:
      if (op.flags & op_flag::by_policy) return fmt::format("{} drops {}{} from {}{}", who, message, key, where(j, op), why(j, op));
      return fmt::format("{} acknowledges {}: {}", who, message, outcome_name(op.outcome));
    case OpKind::commit: return fmt::format("{} commits {} at {}: {}{}", who, j.names.text(op.place), op.position, outcome_name(op.outcome), why(j, op));
    case OpKind::assign: return fmt::format("{} is given {}{}", who, j.names.text(op.place), op.position < 0 ? "" : fmt::format(" from {}", op.position));
    case OpKind::revoke: return fmt::format("{} loses {}", who, j.names.text(op.place));
    case OpKind::seek: return fmt::format("{} seeks to {}", who, where(j, op));
    case OpKind::process: return fmt::format("{} has finished with {}", who, message);
    case OpKind::effect: return fmt::format("{} acts on the world outside for {}", who, message);
    case OpKind::drained: return "faults are healed, all have caught up: what is missing now is lost";
    default: return fmt::format("{} {}: {}{}", who, op_kind_name(op.kind), outcome_name(op.outcome), why(j, op));
  }
}

}  // namespace mqlab
