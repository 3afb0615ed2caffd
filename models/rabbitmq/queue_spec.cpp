// What a queue may be declared as, and what that means.
#include "models/rabbitmq/queue_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace mqlab::rabbitmq {
namespace {

constexpr Duration millisecond = 1'000'000;
constexpr std::int64_t longest_ms = 315'360'000'000;  // ten years: rabbit_misc:check_expiry

using Names = std::span<const std::string_view>;
bool in(std::string_view name, Names names) { return std::find(names.begin(), names.end(), name) != names.end(); }
bool in(std::string_view name, std::initializer_list<std::string_view> names) { return in(name, Names(names.begin(), names.size())); }

// Which arguments a type knows; others that some type knows are refused, and those that none knows are ignored.
constexpr std::string_view classic_arguments[] = {"x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-max-length",
                                     "x-max-length-bytes", "x-max-priority", "x-overflow", "x-queue-mode", "x-queue-version",
                                     "x-single-active-consumer", "x-queue-type", "x-queue-master-locator", "x-queue-leader-locator"};
constexpr std::string_view quorum_arguments[] = {"x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-expires",
                                    "x-max-length", "x-max-length-bytes", "x-max-in-memory-length", "x-max-in-memory-bytes",
                                    "x-overflow", "x-single-active-consumer", "x-queue-type", "x-quorum-initial-group-size",
                                    "x-delivery-limit", "x-message-ttl", "x-queue-leader-locator"};
constexpr std::string_view quorum_arguments_4_3[] = {"x-consumer-disconnected-timeout", "x-consumer-timeout", "x-delayed-retry-type",
                                        "x-delayed-retry-min", "x-delayed-retry-max"};
constexpr std::string_view stream_arguments[] = {"x-max-length-bytes", "x-queue-type", "x-max-age", "x-stream-max-segment-size-bytes",
                                    "x-stream-filter-size-bytes", "x-initial-cluster-size", "x-queue-leader-locator"};

bool known_to(QueueType t, std::string_view arg, const Rules& rules) {
  switch (t) {
    case QueueType::classic: return in(arg, classic_arguments) && (rules.queue_mode_allowed || arg != "x-queue-mode");
    case QueueType::quorum: return in(arg, quorum_arguments) || (rules.delayed_retry && in(arg, quorum_arguments_4_3));
    case QueueType::stream: return in(arg, stream_arguments);
  }
  return false;
}
bool known_to_some(std::string_view arg) {
  return in(arg, classic_arguments) || in(arg, quorum_arguments) || in(arg, quorum_arguments_4_3) || in(arg, stream_arguments);
}

Names arguments_of(QueueType t) {
  if (t == QueueType::quorum) return quorum_arguments;
  if (t == QueueType::stream) return stream_arguments;
  return classic_arguments;
}

const char* module_name(QueueType t) {
  switch (t) {
    case QueueType::classic: return "rabbit_classic_queue";
    case QueueType::quorum: return "rabbit_quorum_queue";
    case QueueType::stream: return "rabbit_stream_queue";
  }
  return "";
}

// What is wrong with a value, in the broker's words; empty: nothing.
std::string wrong(const Field& f, const Table& args) {
  const FieldValue& v = f.value;
  const auto expects_integer = [&] { return v.is_integer() ? std::string() : fmt::format("\"expected integer, got {}\"", name(v.type)); };
  const auto unacceptable = [&] { return fmt::format("{{unacceptable_type,{}}}", name(v.type)); };
  if (in(f.name, {"x-expires", "x-message-ttl"})) {
    if (const std::string w = expects_integer(); !w.empty()) return w;
    if (f.name == "x-expires" && v.number == 0) return "{value_zero,0}";
    if (v.number < 0) return fmt::format("{{value_negative,{}}}", v.number);
    if (v.number > longest_ms) return fmt::format("{{value_too_big,{}}}", v.number);
  }
  if (in(f.name, {"x-max-length", "x-max-length-bytes", "x-max-priority", "x-stream-max-segment-size-bytes", "x-consumer-timeout",
                  "x-delayed-retry-min", "x-delayed-retry-max"})) {
    if (const std::string w = expects_integer(); !w.empty()) return w;
    if (v.number < 0) return fmt::format("{{value_negative,{}}}", v.number);
    if (f.name == "x-max-priority" && v.number > 255) return fmt::format("{{max_value_exceeded,{}}}", v.number);
  }
  if (f.name == "x-delivery-limit") return expects_integer();
  if (in(f.name, {"x-dead-letter-routing-key", "x-dead-letter-strategy", "x-overflow", "x-queue-type", "x-max-age"}) &&
      !v.is_text())
    return unacceptable();
  if (f.name == "x-dead-letter-routing-key" && !args.contains("x-dead-letter-exchange")) return "routing_key_but_no_dlx_defined";
  if (f.name == "x-dead-letter-strategy" && v.text != "at-most-once" && v.text != "at-least-once") return "invalid_dlx_strategy";
  if (f.name == "x-overflow" && !in(v.text, {"drop-head", "reject-publish", "reject-publish-dlx"})) return "invalid_overflow";
  if (f.name == "x-queue-type" && !in(v.text, {"classic", "quorum", "stream"})) return fmt::format("\"unsupported queue type '{}'\"", v.text);
  if (f.name == "x-single-active-consumer" && v.type != FieldType::boolean) return unacceptable();
  if (f.name == "x-max-age" && !parse_age(v.text)) return "invalid_max_age";
  return "";
}

std::int64_t integer(const Table& args, const char* name, std::int64_t otherwise) {
  const FieldValue* v = args.find(name);
  return v == nullptr ? otherwise : v->number;
}
std::optional<std::int64_t> integer(const Table& args, const char* name) {
  const FieldValue* v = args.find(name);
  return v == nullptr ? std::nullopt : std::optional(v->number);
}
std::optional<Duration> milliseconds(const Table& args, const char* name) {
  const FieldValue* v = args.find(name);
  return v == nullptr ? std::nullopt : std::optional(saturating_multiply(v->number, millisecond));
}
std::optional<std::string> text(const Table& args, const char* name) {
  const FieldValue* v = args.find(name);
  return v == nullptr ? std::nullopt : std::optional(v->text);
}

Overflow overflow_of(const std::optional<std::string>& t) {
  if (t == "reject-publish") return Overflow::reject_publish;
  if (t == "reject-publish-dlx") return Overflow::reject_publish_dlx;
  return Overflow::drop_head;
}

RetryFor retry_of(const std::optional<std::string>& t) {
  if (t == "all") return RetryFor::all;
  if (t == "failed") return RetryFor::failed;
  if (t == "returned") return RetryFor::returned;
  return RetryFor::none;
}

}  // namespace

const char* name(QueueType t) {
  switch (t) {
    case QueueType::classic: return "classic";
    case QueueType::quorum: return "quorum";
    case QueueType::stream: return "stream";
  }
  return "";
}

const char* name(Overflow o) {
  switch (o) {
    case Overflow::drop_head: return "drop-head";
    case Overflow::reject_publish: return "reject-publish";
    case Overflow::reject_publish_dlx: return "reject-publish-dlx";
  }
  return "";
}

QueueType queue_type(const QueueSpec& spec) {
  const auto t = text(spec.args, "x-queue-type");
  return t == "quorum" ? QueueType::quorum : t == "stream" ? QueueType::stream : QueueType::classic;
}

MaybeError check_declare(const QueueSpec& spec, const Rules& rules, const std::string& vhost) {
  const std::string resource = resource_text("queue", spec.name, vhost);
  if (const FieldValue* dlx = spec.args.find("x-dead-letter-exchange"); dlx != nullptr && !dlx->is_text())
    return precondition_failed(fmt::format("invalid type '{}' for arg 'x-dead-letter-exchange' in {}", name(dlx->type), resource));
  for (const Field& f : spec.args)
    if (const std::string w = wrong(f, spec.args); !w.empty())
      return precondition_failed(fmt::format("invalid arg '{}' for {}: {}", f.name, resource, w));
  const QueueType type = queue_type(spec);
  for (const Field& f : spec.args)
    if (known_to_some(f.name) && !known_to(type, f.name, rules))
      return precondition_failed(fmt::format("invalid arg '{}' for {} of queue type {}", f.name, resource, module_name(type)));
  if (type != QueueType::classic) {
    const auto invalid = [&](const char* what) { return precondition_failed(fmt::format("invalid property '{}' for {}", what, resource)); };
    if (spec.auto_delete) return invalid("auto-delete");
    if (spec.exclusive) return invalid("exclusive-owner");
    if (!spec.durable) return invalid("non-durable");
  }
  if (!rules.transient_queues && !spec.durable && !spec.exclusive)
    return amqp_error(541, "Feature `transient_nonexcl_queues` is deprecated.\nIts use is not permitted per the configuration");
  return std::nullopt;
}

QueueOptions queue_options(const QueueSpec& spec, const Rules& rules) {
  QueueOptions o;
  const Table& a = spec.args;
  o.type = queue_type(spec);
  o.durable = spec.durable && !spec.exclusive;
  o.auto_delete = spec.auto_delete;
  o.max_length_bytes = integer(a, "x-max-length-bytes");
  if (o.type == QueueType::stream) {
    if (const auto age = text(a, "x-max-age")) o.max_age = parse_age(*age);
    o.segment_bytes = integer(a, "x-stream-max-segment-size-bytes", o.segment_bytes);
    return o;
  }
  o.message_ttl = milliseconds(a, "x-message-ttl");
  o.expires = milliseconds(a, "x-expires");
  o.max_length = integer(a, "x-max-length");
  o.overflow = overflow_of(text(a, "x-overflow"));
  o.dead_letter_exchange = text(a, "x-dead-letter-exchange");
  o.dead_letter_routing_key = text(a, "x-dead-letter-routing-key");
  if (const FieldValue* sac = a.find("x-single-active-consumer")) o.single_active_consumer = sac->number != 0;
  o.cancel_serves_next = rules.cancel_serves_next;
  o.requeue_keeps_place = rules.requeue_keeps_place;
  if (o.type == QueueType::classic) {
    if (const auto p = integer(a, "x-max-priority")) o.max_priority = static_cast<std::uint8_t>(*p);
    return o;
  }
  // What a quorum queue can't do it takes as the default: rabbit_quorum_queue:overflow, dlh.
  if (o.overflow == Overflow::reject_publish_dlx) o.overflow = Overflow::drop_head;
  o.at_least_once = text(a, "x-dead-letter-strategy") == "at-least-once" && o.overflow == Overflow::reject_publish && o.dead_letter_exchange;
  const std::int64_t limit = integer(a, "x-delivery-limit", rules.delivery_limit);
  if (limit >= 0) o.delivery_limit = limit;
  o.delayed_retry = retry_of(text(a, "x-delayed-retry-type"));
  o.delayed_retry_min = milliseconds(a, "x-delayed-retry-min").value_or(0);
  o.delayed_retry_max = milliseconds(a, "x-delayed-retry-max").value_or(o.delayed_retry_min);
  o.consumer_timeout = milliseconds(a, "x-consumer-timeout");
  return o;
}

MaybeError check_equivalent(const QueueSpec& there, const QueueSpec& again, const std::string& vhost) {
  const auto differs = [&](std::string_view field, const std::string& received, const std::string& current) {
    return precondition_failed(fmt::format("inequivalent arg '{}' for {}: received {} but current is {}", field,
                                           resource_text("queue", there.name, vhost), received, current));
  };
  const auto flag = [](bool b) { return std::string(b ? "'true'" : "'false'"); };
  const auto typed = [](const FieldValue* v) {
    return v == nullptr ? std::string("none") : fmt::format("the value '{}' of type '{}'", error_text(*v), name(v->type));
  };
  if (there.durable != again.durable) return differs("durable", flag(again.durable), flag(there.durable));
  if (there.auto_delete != again.auto_delete) return differs("auto_delete", flag(again.auto_delete), flag(there.auto_delete));
  for (const std::string_view arg : arguments_of(queue_type(there))) {
    const FieldValue* a = there.args.find(arg);
    const FieldValue* b = again.args.find(arg);
    if (a == nullptr && b == nullptr) continue;
    const auto classic = [](const FieldValue* v) { return v == nullptr || v->text == "classic"; };
    if (arg == "x-queue-type" && classic(a) && classic(b)) continue;  // said or not, it is the default
    if (a == nullptr || b == nullptr) return differs(arg, typed(b), typed(a));
    if (!same_value(*a, *b)) return differs(arg, fmt::format("'{}'", error_text(*b)), fmt::format("'{}'", error_text(*a)));
  }
  return std::nullopt;
}

namespace {
std::optional<std::int64_t> digits(std::string_view t) {
  if (t.empty() || t.size() > 15 || t.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::int64_t n = 0;
  for (const char c : t) n = n * 10 + (c - '0');
  return n;
}
}  // namespace

std::optional<Duration> parse_age(const std::string& text) {
  constexpr std::int64_t day = 86'400;
  constexpr std::array<std::pair<char, std::int64_t>, 6> units{{{'Y', 365 * day}, {'M', 30 * day}, {'D', day}, {'h', 3'600}, {'m', 60}, {'s', 1}}};
  if (text.empty()) return std::nullopt;
  const auto n = digits(std::string_view(text).substr(0, text.size() - 1));
  for (const auto& [unit, seconds] : units)
    if (n && *n > 0 && text.back() == unit) return saturating_multiply(*n, seconds * 1000 * millisecond);
  return std::nullopt;
}

std::optional<Duration> parse_expiration(const std::string& text) {
  const auto n = digits(text);
  if (!n || *n > longest_ms) return std::nullopt;
  return *n * millisecond;
}

}  // namespace mqlab::rabbitmq
