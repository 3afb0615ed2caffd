#include "sim/lab/service_client.h"

#include <algorithm>

namespace mqlab {
namespace {

ServiceAnswer failed(CallId call, const char* error) { return {call, Outcome::fail, error, {}}; }

bool is_service(Context& c, NodeId node, const char* role) { return node != nobody && c.world().node_options(node).role == role; }

}  // namespace

bool ServiceClient::has(ConnId connection) const {
  if (!used_) return false;
  return std::any_of(connections_.begin(), connections_.end(), [&](const auto& e) { return e.second == connection; }) ||
         std::any_of(calls_.begin(), calls_.end(), [&](const Open& o) { return o.connection == connection; });
}

void ServiceClient::crash() {
  connections_.clear();
  calls_.clear();
  transactions_.clear();
}

std::uint64_t ServiceClient::begin(NodeId database) {
  used_ = true;
  transactions_[next_transaction_] = {database, no_connection};
  return next_transaction_++;
}

ConnId ServiceClient::connection_to(Context& c, NodeId node) {
  ConnId& connection = connections_[node];
  if (connection == no_connection || !c.is_open(connection)) connection = c.connect(node, Traffic::client);
  return connection;
}

std::vector<ServiceAnswer> ServiceClient::send(Context& c, CallId call, NodeId node, ConnId connection, ServiceKind k, PayloadRef payload, std::uint32_t bytes, bool may_act) {
  const Duration timeout = c.world().node_as<ServiceNode>(node).client_timeout;
  calls_.push_back({call, connection, c.set_timer(timeout, service_timer, call), may_act});
  c.send(connection, kind(k), std::move(payload), bytes, call);
  return {};
}

std::vector<ServiceAnswer> ServiceClient::ask(Context& c, CallId call, NodeId node, DbRequest request) {
  used_ = true;
  if (!is_service(c, node, "database")) return {failed(call, "NO_DATABASE")};
  ConnId connection = no_connection;
  const bool alone = request.verb == DbVerb::commit_prepared || request.verb == DbVerb::rollback_prepared || request.verb == DbVerb::prepared;
  if (alone) {
    connection = connection_to(c, node);
  } else {
    const auto it = transactions_.find(request.transaction);
    if (it == transactions_.end() || it->second.database != node) return {failed(call, "NO_TRANSACTION")};
    Transaction& t = it->second;
    if (t.connection == no_connection) t.connection = connection_to(c, node);
    connection = t.connection;
    const bool ends = request.verb == DbVerb::commit || request.verb == DbVerb::abort || request.verb == DbVerb::prepare;
    const bool broken = !c.is_open(connection);
    if (ends || broken) transactions_.erase(it);
    if (broken) return {failed(call, "DISCONNECTED")};
  }
  const bool may_act = request.verb == DbVerb::commit || request.verb == DbVerb::prepare || request.verb == DbVerb::commit_prepared || request.verb == DbVerb::rollback_prepared;
  const ServiceKind k = kind_of(request.verb);
  const std::uint32_t bytes = wire_bytes(request);
  return send(c, call, node, connection, k, make_payload<ServicePayload<DbRequest>>(std::move(request)), bytes, may_act);
}

std::vector<ServiceAnswer> ServiceClient::ask(Context& c, CallId call, NodeId node, EffectRequest request) {
  used_ = true;
  if (!is_service(c, node, "outside")) return {failed(call, "NO_SERVICE")};
  return send(c, call, node, connection_to(c, node), ServiceKind::effect, make_payload<ServicePayload<EffectRequest>>(std::move(request)), 128, true);
}

std::vector<ServiceAnswer> ServiceClient::on_reply(Context& c, const Message& m) {
  const auto it = std::find_if(calls_.begin(), calls_.end(), [&](const Open& o) { return o.call == m.word && o.connection == m.connection; });
  if (it == calls_.end()) return {};
  c.cancel_timer(it->timer);
  ServiceAnswer a{it->call, Outcome::ok, {}, m.payload};
  calls_.erase(it);
  a.error = m.kind == kind(ServiceKind::effect_reply) ? service_payload<EffectReply>(m.payload).error : service_payload<DbReply>(m.payload).error;
  if (!a.error.empty()) a.outcome = Outcome::fail;
  return {std::move(a)};
}

std::vector<ServiceAnswer> ServiceClient::on_closed(Context& c, ConnId connection, CloseReason reason) {
  for (auto it = connections_.begin(); it != connections_.end();) it = it->second == connection ? connections_.erase(it) : std::next(it);
  for (auto it = transactions_.begin(); it != transactions_.end();) it = it->second.connection == connection ? transactions_.erase(it) : std::next(it);
  std::vector<ServiceAnswer> out;
  for (auto it = calls_.begin(); it != calls_.end();) {
    if (it->connection != connection) {
      ++it;
      continue;
    }
    c.cancel_timer(it->timer);
    const bool carried_nothing = reason == CloseReason::refused;
    out.push_back({it->call, it->may_act && !carried_nothing ? Outcome::info : Outcome::fail, carried_nothing ? "REFUSED" : "DISCONNECTED", {}});
    it = calls_.erase(it);
  }
  return out;
}

// The library closes the connection: a late answer must not be taken for that of a later call.
std::vector<ServiceAnswer> ServiceClient::on_timeout(Context& c, std::uint64_t call) {
  const auto it = std::find_if(calls_.begin(), calls_.end(), [&](const Open& o) { return o.call == call; });
  if (it == calls_.end()) return {};
  const ConnId connection = it->connection;
  std::vector<ServiceAnswer> out = on_closed(c, connection, CloseReason::timeout);
  for (ServiceAnswer& a : out)
    if (a.call == call) a.error = "TIMED_OUT";
  c.close(connection);
  return out;
}

}  // namespace mqlab
