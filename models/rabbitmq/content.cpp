// Messages as published, and as a consumer sees them.
#include "models/rabbitmq/content.h"

#include <fmt/format.h>

namespace mqlab::rabbitmq {
namespace {

// The texts of CC or BCC; false: the header is there and is something else.
bool add_keys(const Table& headers, const char* header, std::vector<std::string>& keys) {
  const FieldValue* v = headers.find(header);
  if (v == nullptr) return true;
  if (v->type != FieldType::array) return false;
  for (const FieldValue& item : v->items)
    if (item.is_text()) keys.push_back(item.text);
  return true;
}

FieldValue death_table(const Death& d) {
  Table t{{"count", d.count}, {"reason", name(d.reason)}, {"queue", d.queue}, {"exchange", d.exchange}};
  t.set("time", FieldValue::of_type(FieldType::timestamp, d.first_time));
  t.set("routing-keys", FieldValue::strings(d.routing_keys));
  if (!d.original_expiration.empty()) t.set("original-expiration", d.original_expiration);
  return FieldValue(std::move(t));
}

}  // namespace

const char* name(DeathReason r) {
  switch (r) {
    case DeathReason::rejected: return "rejected";
    case DeathReason::expired: return "expired";
    case DeathReason::maxlen: return "maxlen";
    case DeathReason::delivery_limit: return "delivery_limit";
  }
  return "";
}

std::optional<Content> published(std::string exchange, std::string routing_key, Properties properties, Table headers) {
  Content c;
  c.exchange = std::move(exchange);
  c.keys = {std::move(routing_key)};
  c.properties = std::move(properties);
  if (!add_keys(headers, "CC", c.keys) || !add_keys(headers, "BCC", c.keys)) return std::nullopt;
  headers.erase("BCC");
  c.headers = std::move(headers);
  return c;
}

Table delivered_headers(const Content& c, bool last) {
  Table out = c.headers;
  if (c.deaths.empty()) return out;
  std::vector<FieldValue> entries;
  for (const Death& d : c.deaths.entries) entries.push_back(death_table(d));
  out.set("x-death", FieldValue(std::move(entries)));
  if (!c.deaths.first_queue.empty()) {
    out.set("x-first-death-queue", c.deaths.first_queue);
    out.set("x-first-death-reason", name(c.deaths.first_reason));
    out.set("x-first-death-exchange", c.deaths.first_exchange);
  }
  if (last) {
    const Death& d = c.deaths.entries.front();
    out.set("x-last-death-queue", d.queue);
    out.set("x-last-death-reason", name(d.reason));
    out.set("x-last-death-exchange", c.deaths.last_exchange);
  }
  return out;
}

std::string describe(const Content& c) {
  std::string out = fmt::format("\"{}\" key \"{}\"", c.exchange, c.routing_key());
  for (std::size_t i = 1; i < c.keys.size(); ++i) out += fmt::format(" +\"{}\"", c.keys[i]);
  if (c.properties.persistent()) out += " persistent";
  if (c.properties.priority) out += fmt::format(" priority {}", *c.properties.priority);
  if (!c.properties.expiration.empty()) out += fmt::format(" expires after {} ms", c.properties.expiration);
  for (const Death& d : c.deaths.entries) out += fmt::format(" died {}x {} in {}", d.count, name(d.reason), d.queue);
  return out;
}

}  // namespace mqlab::rabbitmq
