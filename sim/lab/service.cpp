#include "sim/lab/service.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/lab/app.h"
#include "sim/lab/database.h"
#include "sim/lab/model.h"
#include "sim/lab/outside.h"

namespace mqlab {
namespace {

std::string describe_request(const Payload& p) {
  const auto& r = static_cast<const ServicePayload<DbRequest>&>(p).value;
  std::string out = fmt::format("{} t{}", db_verb_name(r.verb), r.transaction);
  if (!r.table.empty()) out += " " + r.table;
  if (r.key) out += " " + to_text(*r.key);
  for (const auto& [name, cell] : r.columns) out += fmt::format(" {}={}", name, to_text(cell));
  if (!r.id.empty()) out += " " + r.id;
  return out;
}

std::string describe_reply(const Payload& p) {
  const auto& r = static_cast<const ServicePayload<DbReply>&>(p).value;
  if (!r.error.empty()) return "error=" + r.error;
  std::string out = "ok";
  if (r.key) out += " key=" + to_text(*r.key);
  if (!r.rows.empty()) out += fmt::format(" rows={}", r.rows.size());
  if (!r.ids.empty()) out += fmt::format(" ids={}", fmt::join(r.ids, ","));
  return out;
}

std::string describe_effect(const Payload& p) {
  const auto& r = static_cast<const ServicePayload<EffectRequest>&>(p).value;
  std::string out = r.name;
  if (r.token) out += fmt::format(" token={}", *r.token);
  if (!r.idempotency_key.empty()) out += " idempotency_key=" + r.idempotency_key;
  return out;
}

std::string describe_effect_reply(const Payload& p) {
  const auto& r = static_cast<const ServicePayload<EffectReply>&>(p).value;
  return r.error.empty() ? r.repeated ? "ok, as before" : "ok" : "error=" + r.error;
}

}  // namespace

const char* db_verb_name(DbVerb v) {
  static constexpr const char* names[] = {"get", "scan", "put", "insert", "update", "delete", "effect", "prepared", "commit", "abort", "prepare", "commit_prepared", "rollback_prepared"};
  return names[static_cast<std::size_t>(v)];
}

ServiceKind kind_of(DbVerb v) {
  switch (v) {
    case DbVerb::commit:
    case DbVerb::abort: return ServiceKind::commit;
    case DbVerb::prepare: return ServiceKind::prepare;
    case DbVerb::commit_prepared:
    case DbVerb::rollback_prepared: return ServiceKind::decide;
    default: return ServiceKind::statement;
  }
}

std::uint32_t wire_bytes(const DbRequest& r) {
  return 64 + static_cast<std::uint32_t>(r.table.size() + r.id.size()) + (r.key ? wire_bytes(*r.key) : 0) + wire_bytes(r.columns) + wire_bytes(r.scan.where);
}

std::uint32_t wire_bytes(const DbReply& r) {
  std::uint32_t n = 64;
  for (const Row& row : r.rows) n += 16 + wire_bytes(row.key) + wire_bytes(row.columns);
  return n;
}

const std::vector<OptionDecl>& service_options() {
  using T = OptionType;
  static const std::vector<OptionDecl> all = {
      {"durability", "database", T::choice, std::string("fsync"), "fsync: a commit is answered when it is synced. none: at once; a loss of power takes the last ones.", "", {"fsync", "none"}},
      {"isolation", "database", T::choice, std::string("serializable"), "serializable: a transaction whose reads have changed ends CONFLICT. read_committed: reads are not looked at again.", "", {"serializable", "read_committed"}},
      {"service", "database", T::duration, std::int64_t{50'000}, "Time for a request, besides the disk's.", "", {}, 0, 3'600'000'000'000},
      {"sync_latency", "database", T::duration, std::int64_t{1'000'000}, "Time for a sync.", "", {}, 0, 3'600'000'000'000},
      {"timeout", "database", T::duration, std::int64_t{10'000'000'000}, "Clients give up a call after this, and close the connection.", "", {}, 1},
      {"idempotency_keys", "outside", T::boolean, false, "It remembers the keys of calls, and answers a second one without doing it again.", "draft-ietf-httpapi-idempotency-key-header"},
      {"remember", "outside", T::duration, std::int64_t{0}, "... for so long, by its wall clock; 0: for ever.", "", {}, 0},
      {"fencing", "outside", T::boolean, false, "It refuses a token lower than the highest it has seen for the key.", "Kleppmann, \"How to do distributed locking\" (2016)"},
      {"declines", "outside", T::integer, std::int64_t{0}, "So many of a hundred calls are declined: nothing is done, and the caller is told.", "", {}, 0, 100},
      {"service", "outside", T::duration, std::int64_t{2'000'000}, "Time for a call, besides the disk's.", "", {}, 0, 3'600'000'000'000},
      {"sync_latency", "outside", T::duration, std::int64_t{1'000'000}, "Time for a sync.", "", {}, 0, 3'600'000'000'000},
      {"timeout", "outside", T::duration, std::int64_t{10'000'000'000}, "Clients give up a call after this, and close the connection.", "", {}, 1},
  };
  return all;
}

Options service_defaults(std::string_view role) { return Options::defaults(service_options(), role); }

const std::vector<MarkDecl>& service_marks() {
  static const std::vector<MarkDecl> all = {
      {"database_committed", "A transaction was committed; the answer leaves when the log is synced."},
      {"database_conflict", "A transaction could not be committed: what it had read has changed, or what it wrote is taken."},
      {"database_prepared", "A transaction was prepared: it is in doubt until somebody decides."},
      {"database_decided", "A prepared transaction was committed or rolled back."},
      {"database_recovered", "A database has read its log after a start."},
      {"database_panicked", "A database could not sync its log and went down."},
      {"effect_done", "The world outside did what it was asked."},
      {"effect_repeated", "The idempotency key was known: nothing was done."},
      {"effect_fenced", "The token was too old: nothing was done."},
      {"effect_declined", "The world outside did not want to."},
  };
  return all;
}

bool is_service_role(std::string_view role) { return role == "database" || role == "outside"; }

void deploy_services(World& world, const std::vector<ServiceSpec>& services) {
  if (services.empty()) return;
  using K = ServiceKind;
  const std::vector<MessageDecl> messages = {
      {kind(K::statement), "Statement", Traffic::client, describe_request}, {kind(K::statement_reply), "StatementReply", Traffic::client, describe_reply},
      {kind(K::commit), "DbCommit", Traffic::client, describe_request},     {kind(K::commit_reply), "DbCommitReply", Traffic::client, describe_reply},
      {kind(K::prepare), "DbPrepare", Traffic::client, describe_request},   {kind(K::prepare_reply), "DbPrepareReply", Traffic::client, describe_reply},
      {kind(K::decide), "DbDecide", Traffic::client, describe_request},     {kind(K::decide_reply), "DbDecideReply", Traffic::client, describe_reply},
      {kind(K::effect), "Effect", Traffic::client, describe_effect},        {kind(K::effect_reply), "EffectReply", Traffic::client, describe_effect_reply},
  };
  for (const MessageDecl& m : messages) world.declare_message(m);
  for (const ServiceSpec& s : services) {
    NodeOptions o;
    o.name = s.name;
    o.role = s.role;
    o.zone = s.zone;
    o.rack = s.rack;
    o.region = s.region;
    o.service = s.options.duration("service");
    o.disk.sync_latency = s.options.duration("sync_latency");
    std::unique_ptr<ServiceNode> node;
    if (s.role == "database")
      node = std::make_unique<Database>(DatabaseSettings{s.tables, s.options.text("durability") == "fsync", s.options.text("isolation") == "serializable"});
    else
      node = std::make_unique<Outside>(OutsideSettings{s.options.boolean("idempotency_keys"), s.options.duration("remember"), s.options.boolean("fencing"), s.options.integer("declines")});
    node->client_timeout = s.options.duration("timeout");
    world.add_node(std::move(node), std::move(o));
  }
}

bool services_settled(const World& world) {
  for (NodeId n = 0; n < world.node_count(); ++n) {
    const auto* client = dynamic_cast<const ClientNode*>(&world.node(n));
    if (!client || !world.running(n) || !client->speaks_to_services()) continue;
    if (client->app() && !client->app()->done()) return false;
  }
  return true;
}

}  // namespace mqlab
