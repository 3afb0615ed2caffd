// Exchanges, bindings, and where a message goes.
#include "models/rabbitmq/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace mqlab::rabbitmq {
namespace {

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  if (text.empty()) return out;
  for (std::size_t begin = 0;;) {
    const std::size_t dot = text.find('.', begin);
    out.push_back(text.substr(begin, dot - begin));
    if (dot == std::string_view::npos) return out;
    begin = dot + 1;
  }
}

// True iff every pattern word finds its own. `reached` holds, for each number of key words consumed, whether the
// pattern so far can consume just these: one pass a pattern word, no backtracking.
bool words_match(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& key) {
  std::vector<bool> reached(key.size() + 1, false);
  reached[0] = true;
  for (const std::string_view p : pattern) {
    std::vector<bool> next(key.size() + 1, false);
    for (std::size_t i = 0; i <= key.size(); ++i) {
      if (!reached[i] && !(p == "#" && i > 0 && next[i - 1])) continue;
      if (p == "#") next[i] = true;
      else if (i < key.size() && (p == "*" || p == key[i])) next[i + 1] = true;
    }
    reached = std::move(next);
  }
  return reached[key.size()];
}

bool starts_with(const std::string& s, std::string_view prefix) { return s.compare(0, prefix.size(), prefix) == 0; }

MaybeError check_headers_binding(const Binding& b) {
  const FieldValue* v = b.args.find("x-match");
  if (v == nullptr) return std::nullopt;
  if (!v->is_text())
    return precondition_failed(fmt::format("Invalid x-match field type {} (value {}); expected longstr", name(v->type), describe(*v)));
  if (v->text == "all" || v->text == "any" || v->text == "all-with-x" || v->text == "any-with-x") return std::nullopt;
  return precondition_failed(
      fmt::format("Invalid x-match field value <<\"{}\">>; expected all, any, all-with-x, or any-with-x", v->text));
}

std::uint64_t hash_of(const std::string& key) {
  std::uint64_t h = 14695981039346656037U;
  for (const char ch : key) h = (h ^ static_cast<unsigned char>(ch)) * 1099511628211U;
  return h;
}

// Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", as the plugin has it.
std::size_t jump_hash(std::uint64_t key, std::size_t buckets) {
  std::uint64_t chosen = 0;
  for (std::uint64_t next = 0; next < buckets;) {
    chosen = next;
    key = key * 2862933555777941757U + 1;
    next = static_cast<std::uint64_t>(static_cast<double>(chosen + 1) * (static_cast<double>(std::uint64_t{1} << 31) / static_cast<double>((key >> 33) + 1)));
  }
  return chosen;
}

// The key of a binding to a consistent hash exchange: a number above 0; 0: it is none.
std::size_t weight_of(const std::string& key) {
  std::size_t n = 0;
  for (const char ch : key) {
    if (ch < '0' || ch > '9' || n > 1000) return 0;
    n = n * 10 + static_cast<std::size_t>(ch - '0');
  }
  return n;
}

std::string value_text(const FieldValue* v) {
  if (v == nullptr) return "none";
  return fmt::format("the value '{}' of type '{}'", error_text(*v), name(v->type));
}

}  // namespace

const char* name(ExchangeType t) {
  switch (t) {
    case ExchangeType::direct: return "direct";
    case ExchangeType::fanout: return "fanout";
    case ExchangeType::topic: return "topic";
    case ExchangeType::headers: return "headers";
    case ExchangeType::modulus_hash: return "x-modulus-hash";
    case ExchangeType::consistent_hash: return "x-consistent-hash";
  }
  return "";
}

std::optional<ExchangeType> exchange_type_of(std::string_view text) {
  for (const ExchangeType t : {ExchangeType::direct, ExchangeType::fanout, ExchangeType::topic, ExchangeType::headers, ExchangeType::modulus_hash, ExchangeType::consistent_hash})
    if (text == name(t)) return t;
  return std::nullopt;
}

const std::string* Exchange::alternate() const {
  const FieldValue* v = args.find("alternate-exchange");
  return v != nullptr && v->is_text() ? &v->text : nullptr;
}

Routing::Routing(std::string vhost) : vhost_(std::move(vhost)) {
  for (const auto& [n, t] : {std::pair{"", ExchangeType::direct}, {"amq.direct", ExchangeType::direct}, {"amq.fanout", ExchangeType::fanout},
                             {"amq.topic", ExchangeType::topic}, {"amq.headers", ExchangeType::headers}, {"amq.match", ExchangeType::headers}})
    exchanges_.emplace(n, Exchange{.name = n, .type = t, .durable = true});
}

const Exchange* Routing::find_exchange(std::string_view name) const {
  const auto it = exchanges_.find(name);
  return it == exchanges_.end() ? nullptr : &it->second;
}

// --- exchanges ---

MaybeError Routing::declare_exchange(const Exchange& x) {
  if (x.name.empty()) return access_refused("operation not permitted on the default exchange");
  const std::string resource = resource_text("exchange", x.name, vhost_);
  const Exchange* there = find_exchange(x.name);
  if (there == nullptr) {
    if (starts_with(x.name, "amq."))
      return access_refused(fmt::format("exchange name '{}' contains reserved prefix 'amq.*'", x.name));
    if (const FieldValue* a = x.args.find("alternate-exchange"); a != nullptr && !a->is_text())
      return precondition_failed(fmt::format("invalid type '{}' for arg 'alternate-exchange' in {}", name(a->type), resource));
    exchanges_.emplace(x.name, x);
    return std::nullopt;
  }
  const auto differs = [&](const char* field, const std::string& received, const std::string& current) {
    return precondition_failed(
        fmt::format("inequivalent arg '{}' for {}: received {} but current is {}", field, resource, received, current));
  };
  const auto quoted = [](const std::string& s) { return "'" + s + "'"; };
  const auto flag = [](bool b) { return std::string(b ? "'true'" : "'false'"); };
  if (there->type != x.type) return differs("type", quoted(name(x.type)), quoted(name(there->type)));
  if (there->durable != x.durable) return differs("durable", flag(x.durable), flag(there->durable));
  if (there->auto_delete != x.auto_delete) return differs("auto_delete", flag(x.auto_delete), flag(there->auto_delete));
  if (there->internal != x.internal) return differs("internal", flag(x.internal), flag(there->internal));
  const FieldValue* a = there->args.find("alternate-exchange");
  const FieldValue* b = x.args.find("alternate-exchange");
  if ((a == nullptr) != (b == nullptr)) return differs("alternate-exchange", value_text(b), value_text(a));
  if (a != nullptr && !same_value(*a, *b)) return differs("alternate-exchange", quoted(error_text(*b)), quoted(error_text(*a)));
  return std::nullopt;
}

MaybeError Routing::check_exchange(const std::string& name) const {
  if (name.empty()) return access_refused("operation not permitted on the default exchange");
  if (find_exchange(name) == nullptr) return not_found("no " + resource_text("exchange", name, vhost_));
  return std::nullopt;
}

MaybeError Routing::delete_exchange(const std::string& name, bool if_unused) {
  if (name.empty()) return access_refused("operation not permitted on the default exchange");
  if (starts_with(name, "amq.")) return access_refused(fmt::format("deletion of system {} not allowed", resource_text("exchange", name, vhost_)));
  if (find_exchange(name) == nullptr) return std::nullopt;
  if (if_unused && is_source(name)) return precondition_failed(resource_text("exchange", name, vhost_) + " in use");
  erase_exchange(name);
  return std::nullopt;
}

void Routing::erase_exchange(const std::string& name) {
  const std::string gone = name;  // the caller's may be part of what goes
  exchanges_.erase(gone);
  erase_bindings([&](const Binding& b) { return b.source == gone || (b.to_exchange && b.destination == gone); });
}

template <class Gone>
void Routing::erase_bindings(Gone gone) {
  std::set<std::string> touched;
  for (const Binding& b : bindings_)
    if (gone(b)) touched.insert(b.source);
  bindings_.erase(std::remove_if(bindings_.begin(), bindings_.end(), gone), bindings_.end());
  for (const std::string& source : touched) {
    const Exchange* x = find_exchange(source);
    if (x != nullptr && x->auto_delete && !is_source(source)) erase_exchange(source);
  }
}

bool Routing::is_source(const std::string& name) const {
  return std::any_of(bindings_.begin(), bindings_.end(), [&](const Binding& b) { return b.source == name; });
}

// --- queues ---

void Routing::add_queue(const std::string& name, bool durable) { queues_[name] = durable; }

void Routing::remove_queue(const std::string& name) {
  const std::string gone = name;
  queues_.erase(gone);
  erase_bindings([&](const Binding& b) { return !b.to_exchange && b.destination == gone; });
}

void Routing::restart() {
  std::set<std::string> exchanges, queues;
  for (const auto& [n, x] : exchanges_)
    if (!x.durable) exchanges.insert(n);
  for (const auto& [n, durable] : queues_)
    if (!durable) queues.insert(n);
  for (const std::string& n : exchanges) exchanges_.erase(n);
  for (const std::string& n : queues) queues_.erase(n);
  erase_bindings([&](const Binding& b) {
    return exchanges.count(b.source) != 0 || (b.to_exchange ? exchanges : queues).count(b.destination) != 0;
  });
}

// --- bindings ---

MaybeError Routing::check_ends(const Binding& b) const {
  if (find_exchange(b.source) == nullptr) return not_found("no " + resource_text("exchange", b.source, vhost_));
  if (b.to_exchange ? find_exchange(b.destination) == nullptr : !has_queue(b.destination))
    return not_found("no " + resource_text(b.to_exchange ? "exchange" : "queue", b.destination, vhost_));
  return std::nullopt;
}

MaybeError Routing::bind(const Binding& b) {
  if (b.source.empty() || (b.to_exchange && b.destination.empty()))
    return access_refused("operation not permitted on the default exchange");
  if (MaybeError e = check_ends(b)) return e;
  if (find_exchange(b.source)->type == ExchangeType::headers)
    if (MaybeError e = check_headers_binding(b)) return e;
  if (find_exchange(b.source)->type == ExchangeType::consistent_hash && weight_of(b.key) == 0)
    return precondition_failed(fmt::format("The binding key must be an integer: {}", b.key));
  if (std::find(bindings_.begin(), bindings_.end(), b) == bindings_.end()) bindings_.push_back(b);
  return std::nullopt;
}

MaybeError Routing::unbind(const Binding& b) {
  if (b.source.empty() || (b.to_exchange && b.destination.empty()))
    return access_refused("operation not permitted on the default exchange");
  erase_bindings([&](const Binding& other) { return other == b; });
  return std::nullopt;
}

// --- publishing ---

MaybeError Routing::check_publish(const std::string& exchange) const {
  const Exchange* x = find_exchange(exchange);
  if (x == nullptr) return not_found("no " + resource_text("exchange", exchange, vhost_));
  if (x->internal) return access_refused("cannot publish to internal " + resource_text("exchange", exchange, vhost_));
  return std::nullopt;
}

// Bindings in the order of their queues' names; of a consistent hash each has as many buckets as its key says.
const Binding* Routing::chosen(const Exchange& x, const std::string& key) const {
  std::vector<const Binding*> buckets;
  for (const Binding& b : bindings_) {
    if (b.source != x.name) continue;
    const std::size_t weight = x.type == ExchangeType::consistent_hash ? weight_of(b.key) : 1;
    buckets.insert(buckets.end(), weight, &b);
  }
  if (buckets.empty()) return nullptr;
  std::stable_sort(buckets.begin(), buckets.end(), [](const Binding* a, const Binding* b) { return a->destination < b->destination; });
  const std::uint64_t hash = hash_of(key);
  return buckets[x.type == ExchangeType::modulus_hash ? hash % buckets.size() : jump_hash(hash, buckets.size())];
}

bool Routing::matches(const Exchange& x, const Binding& b, const std::vector<std::string>& keys, const Table& headers) const {
  switch (x.type) {
    case ExchangeType::fanout: return true;
    case ExchangeType::direct: return std::find(keys.begin(), keys.end(), b.key) != keys.end();
    case ExchangeType::topic:
      return std::any_of(keys.begin(), keys.end(), [&](const std::string& k) { return topic_matches(b.key, k); });
    case ExchangeType::headers: return headers_match(b.args, headers);
    case ExchangeType::modulus_hash:
    case ExchangeType::consistent_hash:
      return std::any_of(keys.begin(), keys.end(), [&](const std::string& k) { return chosen(x, k) == &b; });
  }
  return false;
}

// x-death and its like are headers to an exchange too.
std::vector<std::string> Routing::route(const Content& c) const {
  return c.deaths.empty() ? route(c.exchange, c.keys, c.headers) : route(c.exchange, c.keys, delivered_headers(c, true));
}

std::vector<std::string> Routing::route(const std::string& exchange, const std::vector<std::string>& keys, const Table& headers) const {
  std::set<std::string> targets;
  if (exchange.empty()) {
    for (const std::string& k : keys)
      if (has_queue(k)) targets.insert(k);
    return {targets.begin(), targets.end()};
  }
  std::set<std::string> seen{exchange};
  std::vector<std::string> work{exchange};
  while (!work.empty()) {
    const Exchange* x = find_exchange(work.back());
    work.pop_back();
    if (x == nullptr) continue;
    bool routed = false;
    for (const Binding& b : bindings_) {
      if (b.source != x->name || !matches(*x, b, keys, headers)) continue;
      routed = true;
      if (!b.to_exchange) targets.insert(b.destination);
      else if (seen.insert(b.destination).second) work.push_back(b.destination);
    }
    if (const std::string* alternate = x->alternate(); !routed && alternate != nullptr && seen.insert(*alternate).second)
      work.push_back(*alternate);
  }
  return {targets.begin(), targets.end()};
}

bool topic_matches(std::string_view pattern, std::string_view key) { return words_match(words(pattern), words(key)); }

bool headers_match(const Table& binding_args, const Table& headers) {
  const FieldValue* x_match = binding_args.find("x-match");
  const std::string mode = x_match == nullptr ? "all" : x_match->text;
  const bool any = mode == "any" || mode == "any-with-x";
  const bool with_x = mode == "all-with-x" || mode == "any-with-x";
  for (const Field& f : binding_args) {
    if (f.name == "x-match" || (!with_x && starts_with(f.name, "x-"))) continue;
    const FieldValue* v = headers.find(f.name);
    const bool holds = v != nullptr && (f.value.type == FieldType::void_ || same_value(f.value, *v));
    if (holds == any) return any;  // any: one that holds is enough; all: one that does not decides
  }
  return !any;
}

}  // namespace mqlab::rabbitmq
