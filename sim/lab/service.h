// sim/lab/service.h: databases and the world outside, beside the cluster of any model.
//
// A scenario may declare them; they are nodes like all others: on the network, with a disk, under every fault by name.
// Every model's client can speak to them (service_client.h). Here is what is declared and what is said; what they do is
// in database.h and outside.h.
//
// Always true: a service knows nothing of the model beside it.
//
//     ServiceSpec bank{.name = "bank", .role = "database", .options = service_defaults("database"), .tables = {{"accounts"}}};
//     deploy_services(world, {bank});
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/lab/options.h"
#include "sim/lab/row.h"
#include "sim/world/world.h"

namespace mqlab {

struct MarkDecl;

struct TableSpec {
  std::string name;
  std::vector<std::string> unique{};  // columns of which no two rows have the same value
};

struct ServiceSpec {
  std::string name;
  std::string role;  // "database" or "outside"
  Options options{};  // of the scope of the same name
  std::vector<TableSpec> tables{};
  std::string zone{}, rack{}, region{};
  int line = 0;
};

// Scopes "database" and "outside".
const std::vector<OptionDecl>& service_options();
Options service_defaults(std::string_view role);
const std::vector<MarkDecl>& service_marks();
bool is_service_role(std::string_view role);

void deploy_services(World& world, const std::vector<ServiceSpec>& services);
// No client that speaks to services has work of its own left; it may look into a table now and then.
bool services_settled(const World& world);

// What both kinds of nodes have.
class ServiceNode : public Node {
 public:
  // A client gives up a call after this.
  Duration client_timeout = 10'000'000'000;
};

// Beyond the kinds of every model, and of 1,000 messages that a scenario with nodes in Lua may have.
enum class ServiceKind : MessageKind {
  statement = 1100,  // of a transaction
  statement_reply,
  commit,
  commit_reply,
  prepare,
  prepare_reply,
  decide,            // on a prepared transaction: commit it, or roll it back
  decide_reply,
  effect,            // to the world outside
  effect_reply
};
constexpr MessageKind kind(ServiceKind k) { return static_cast<MessageKind>(k); }

enum class DbVerb : std::uint8_t {
  get, scan, put, insert, update, erase, effect, prepared,  // statements
  commit, abort, prepare, commit_prepared, rollback_prepared
};
const char* db_verb_name(DbVerb v);
ServiceKind kind_of(DbVerb v);

// Rows of a table, in the order of their keys, or of their sequence numbers.
struct ScanSpec {
  bool by_sequence = false;
  std::optional<Cell> after{};  // only what comes after this key (or sequence number)
  std::uint32_t limit = 0;      // 0 = all
  Columns where{};              // only rows with these values
};

struct DbRequest {
  DbVerb verb{};
  std::uint64_t transaction{};           // the client's number for it
  std::string table{};
  std::optional<Cell> key{};             // insert: none = the next sequence number
  Columns columns{};
  std::optional<std::int64_t> expected{};  // put, erase: the version that the row must have; 0 = there must be none
  ScanSpec scan{};
  std::string id{};                      // global transaction id
  std::string effect{};                  // its name
  MessageId message = no_message;
  std::uint32_t message_key{};           // names
};

struct DbReply {
  DbVerb verb{};
  std::string error{};                   // empty: done
  std::vector<Row> rows{};               // get, scan
  std::optional<Cell> key{};             // put, insert: the row's
  std::vector<std::string> ids{};        // prepared
};

struct EffectRequest {
  std::string name{};
  MessageId message = no_message;
  std::uint32_t key{};                   // names: whose it is, for fencing and for the order of effects
  std::optional<std::int64_t> token{};   // fencing
  std::string idempotency_key{};
};

struct EffectReply {
  std::string error{};
  bool repeated = false;                 // the key was known: this is the answer of the first call
};

template <class T>
struct ServicePayload : Payload {
  explicit ServicePayload(T v) : value(std::move(v)) {}
  T value;
};
template <class T>
const T& service_payload(const PayloadRef& p) {
  return payload_as<ServicePayload<T>>(p).value;
}
std::uint32_t wire_bytes(const DbRequest& r);
std::uint32_t wire_bytes(const DbReply& r);

}  // namespace mqlab
