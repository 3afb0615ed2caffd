// sim/lab/service_client.h: how a client speaks to databases and the world outside.
//
// One connection a service, opened at need. A call that was not answered because the connection broke or the time was over:
// a statement certainly changed nothing, its transaction is gone (fail); a commit, a decision or an effect may have taken
// effect (info). A connection that was refused carried nothing (fail). Nothing is sent twice.
//
// Always true: 1. each call ends once, unless the process dies. 2. a transaction lives on one connection and dies with it.
// Elsewhere: the calls of an application (AppContext), what services do (database.h, outside.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/lab/service.h"

namespace mqlab {

using CallId = std::uint64_t;

// Of the library, not of the application; beyond the timers of the models' clients.
inline constexpr TimerKind service_timer = application_timer - 1;

struct ServiceAnswer {
  CallId call{};
  Outcome outcome = Outcome::ok;
  std::string error{};
  PayloadRef reply{};
};

class ServiceClient {
 public:
  bool used() const { return used_; }
  std::size_t open() const { return calls_.size(); }
  bool has(ConnId connection) const;
  static bool is_reply(MessageKind k) { return k >= kind(ServiceKind::statement) && k <= kind(ServiceKind::effect_reply); }

  std::uint64_t begin(NodeId database);
  // What ended at once, for these and the functions below.
  std::vector<ServiceAnswer> ask(Context& c, CallId call, NodeId node, DbRequest request);
  std::vector<ServiceAnswer> ask(Context& c, CallId call, NodeId node, EffectRequest request);
  std::vector<ServiceAnswer> on_reply(Context& c, const Message& m);
  std::vector<ServiceAnswer> on_closed(Context& c, ConnId connection, CloseReason reason);
  std::vector<ServiceAnswer> on_timeout(Context& c, std::uint64_t call);
  // The process died: calls without an answer stay so.
  void crash();

 private:
  struct Open {
    CallId call{};
    ConnId connection = no_connection;
    EventId timer = no_event;
    bool may_act = false;  // it may have taken effect although nobody answered
  };
  struct Transaction {
    NodeId database = nobody;
    ConnId connection = no_connection;  // none before the first statement
  };
  ConnId connection_to(Context& c, NodeId node);
  std::vector<ServiceAnswer> send(Context& c, CallId call, NodeId node, ConnId connection, ServiceKind k, PayloadRef payload, std::uint32_t bytes, bool may_act);

  std::map<NodeId, ConnId> connections_{};
  std::vector<Open> calls_{};
  std::map<std::uint64_t, Transaction> transactions_{};
  std::uint64_t next_transaction_ = 1;
  bool used_ = false;
};

}  // namespace mqlab
