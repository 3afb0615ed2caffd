// The record of a death, and the cycle rule.
#include "models/rabbitmq/dead_letter.h"

#include <algorithm>

namespace mqlab::rabbitmq {
namespace {

constexpr Time second = 1'000'000'000;

std::optional<DeathReason> reason_of(const std::string& text) {
  for (const DeathReason r : {DeathReason::rejected, DeathReason::expired, DeathReason::maxlen, DeathReason::delivery_limit})
    if (text == name(r)) return r;
  return std::nullopt;
}

std::string text_of(const Table& t, const char* field) {
  const FieldValue* v = t.find(field);
  return v != nullptr && v->is_text() ? v->text : std::string();
}

// What x-death tells of the keys: the routing key and CC. BCC stays a secret.
std::vector<std::string> told_keys(const Content& c) {
  std::vector<std::string> keys{c.routing_key()};
  if (const FieldValue* cc = c.headers.find("CC"); cc != nullptr)
    for (const FieldValue& v : cc->items) keys.push_back(v.text);
  return keys;
}

void record(Deaths& deaths, const Content& c, const DeathNote& note) {
  const std::int64_t now = note.at / second;
  if (deaths.empty()) {
    deaths.first_queue = note.queue;
    deaths.first_exchange = c.exchange;
    deaths.first_reason = note.reason;
  }
  deaths.last_exchange = c.exchange;
  auto& all = deaths.entries;
  const auto it = std::find_if(all.begin(), all.end(), [&](const Death& d) { return d.queue == note.queue && d.reason == note.reason; });
  if (it != all.end()) {
    ++it->count;
    it->last_time = now;
    std::rotate(all.begin(), it, it + 1);  // the latest comes first
    return;
  }
  all.insert(all.begin(), Death{.queue = note.queue, .reason = note.reason, .count = 1, .exchange = c.exchange,
                                .routing_keys = told_keys(c), .first_time = now, .last_time = now,
                                .original_expiration = c.properties.expiration});
}

}  // namespace

Deaths deaths_of_headers(const Table& headers) {
  Deaths deaths;
  const FieldValue* x = headers.find("x-death");
  if (x == nullptr || x->type != FieldType::array) return deaths;
  for (const FieldValue& v : x->items) {
    const auto reason = reason_of(text_of(v.fields, "reason"));
    if (v.type != FieldType::table || !reason) continue;
    Death d{.queue = text_of(v.fields, "queue"), .reason = *reason, .count = 1, .exchange = text_of(v.fields, "exchange")};
    if (const FieldValue* n = v.fields.find("count"); n != nullptr && n->is_integer()) d.count = n->number;
    if (const FieldValue* t = v.fields.find("time"); t != nullptr) d.first_time = d.last_time = t->number;
    if (const FieldValue* k = v.fields.find("routing-keys"); k != nullptr)
      for (const FieldValue& key : k->items) d.routing_keys.push_back(key.text);
    d.original_expiration = text_of(v.fields, "original-expiration");
    deaths.entries.push_back(std::move(d));
  }
  deaths.first_queue = text_of(headers, "x-first-death-queue");
  deaths.first_exchange = text_of(headers, "x-first-death-exchange");
  deaths.first_reason = reason_of(text_of(headers, "x-first-death-reason")).value_or(DeathReason::rejected);
  return deaths;
}

ContentRef dead_lettered(const Content& c, const DeathNote& death, const std::string& exchange,
                         const std::optional<std::string>& key, const Rules& rules) {
  Content dead = c;
  if (dead.deaths.empty() && rules.interprets_client_x_death) dead.deaths = deaths_of_headers(c.headers);
  record(dead.deaths, c, death);
  dead.exchange = exchange;
  if (key) {
    dead.keys = {*key};
    dead.headers.erase("CC");
  }
  dead.properties.expiration.clear();
  return std::make_shared<const Content>(std::move(dead));
}

// From the newest death back to the first in that queue, nobody rejected the message: it would go round for ever.
bool is_death_cycle(const Deaths& deaths, const std::string& target) {
  for (const Death& d : deaths.entries) {
    if (d.reason == DeathReason::rejected) return false;
    if (d.queue == target) return true;
  }
  return false;
}

std::vector<std::string> without_cycles(const Content& dead, DeathReason reason, const std::vector<std::string>& targets) {
  if (reason == DeathReason::rejected) return targets;
  std::vector<std::string> out;
  for (const std::string& t : targets)
    if (!is_death_cycle(dead.deaths, t)) out.push_back(t);
  return out;
}

}  // namespace mqlab::rabbitmq
