// models/rabbitmq/routing.h: the exchanges and bindings of one virtual host, and where a message goes.
//
// One rule: a message goes to a set of queues; each gets one copy, however many ways lead there. An exchange
// that routes to nothing hands the message to its alternate exchange; an exchange is visited once, so cycles end.
// Always true: bindings name exchanges and queues that exist; the default exchange has no bindings of its own:
// it reaches each queue by its name.
// Two types choose one binding by a hash of the routing key: by its remainder, so that another number of bindings moves
// nearly every key, or by a jump hash, which moves as many as the new binding gets. The hash is FNV-1a (the product: phash2).
// Elsewhere: what a queue is (queue_spec.h), the routes as a graph (route_graph.h), direct reply-to (channel).
// Sources: rabbit_exchange, rabbit_binding, rabbit_exchange_type_*, rabbit_db_topic_exchange, docs modulus-hash-exchange; docs exchanges, ae,
// e2e, sender-selected. Error texts as 3.10.8 gives them.
//
//     Routing r;
//     if (MaybeError e = r.declare_exchange({.name = "x", .type = ExchangeType::topic})) ...
//     r.add_queue("q", true);
//     r.bind({.source = "x", .destination = "q", .key = "a.#"});
//     std::vector<std::string> queues = r.route(content);
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/rabbitmq/amqp_error.h"
#include "models/rabbitmq/content.h"

namespace mqlab::rabbitmq {

enum class ExchangeType : std::uint8_t { direct, fanout, topic, headers, modulus_hash, consistent_hash };
const char* name(ExchangeType t);
std::optional<ExchangeType> exchange_type_of(std::string_view name);

struct Exchange {
  std::string name{};
  ExchangeType type{};
  bool durable = false;
  bool auto_delete = false;  // goes with the last binding of which it is the source
  bool internal = false;     // not to be published to
  Table args{};              // alternate-exchange

  const std::string* alternate() const;  // null: none
  bool operator==(const Exchange&) const = default;
};

struct Binding {
  std::string source{};
  std::string destination{};
  bool to_exchange = false;
  std::string key{};
  Table args{};

  friend bool operator==(const Binding&, const Binding&) = default;
};

class Routing {
 public:
  // With the exchanges that every virtual host has: "", amq.direct, amq.fanout, amq.topic, amq.headers, amq.match.
  explicit Routing(std::string vhost = "/");

  // --- exchanges ---

  MaybeError declare_exchange(const Exchange& x);                 // idempotent where nothing differs
  MaybeError check_exchange(const std::string& name) const;       // passive: 404 if absent
  MaybeError delete_exchange(const std::string& name, bool if_unused = false);  // absent: fine
  const Exchange* find_exchange(std::string_view name) const;

  // --- queues: only that they exist ---

  void add_queue(const std::string& name, bool durable);
  void remove_queue(const std::string& name);                     // and its bindings; may take auto-delete exchanges along
  bool has_queue(std::string_view name) const { return queues_.find(name) != queues_.end(); }

  // --- bindings ---

  MaybeError bind(const Binding& b);    // idempotent
  MaybeError unbind(const Binding& b);  // what is not there: fine
  const std::vector<Binding>& bindings() const { return bindings_; }  // in the order bound

  // --- publishing ---

  // Whether a client may publish here: 404 absent, 403 internal.
  MaybeError check_publish(const std::string& exchange) const;
  // The queues, by name ascending; empty: unroutable. An exchange that is absent routes to nothing.
  std::vector<std::string> route(const std::string& exchange, const std::vector<std::string>& keys, const Table& headers) const;
  std::vector<std::string> route(const Content& c) const;

  // The node restarts: transient exchanges and their bindings go; so do bindings of queues that were not durable.
  void restart();

  const std::string& vhost() const { return vhost_; }
  const std::map<std::string, Exchange, std::less<>>& exchanges() const { return exchanges_; }
  const std::map<std::string, bool, std::less<>>& queues() const { return queues_; }  // name, durable

  bool operator==(const Routing&) const = default;

 private:
  // Of the bindings of a hash exchange the one that a key has; null: there are none.
  const Binding* chosen(const Exchange& x, const std::string& key) const;
  bool matches(const Exchange& x, const Binding& b, const std::vector<std::string>& keys, const Table& headers) const;
  void erase_exchange(const std::string& name);
  // Removes bindings that `gone` says are, and auto-delete exchanges that thereby lost their last one.
  template <class Gone>
  void erase_bindings(Gone gone);
  bool is_source(const std::string& name) const;
  MaybeError check_ends(const Binding& b) const;

  std::string vhost_;
  std::map<std::string, Exchange, std::less<>> exchanges_;
  std::map<std::string, bool, std::less<>> queues_;
  std::vector<Binding> bindings_;
};

// Words are parted by dots; * is one word, # any number. The empty key has no words at all.
bool topic_matches(std::string_view pattern, std::string_view key);
bool headers_match(const Table& binding_args, const Table& headers);

}  // namespace mqlab::rabbitmq
