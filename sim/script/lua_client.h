// sim/script/lua_client.h: the client library of nodes written in Lua.
//
// A send goes to the node of its topic as { kind = "send", place, key, body, size }, a poll as
// { kind = "poll", places = { { place, position } }, max }; all else as { kind = ... }. The library keeps
// positions, waits, and never sends twice: a retry is the application's business.
//
// Always true: a send whose connection broke or that was not answered in time ends `info`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/lab/app.h"
#include "sim/script/lua_value.h"

namespace mqlab::script {

// Where a topic lives.
struct LuaTopic {
  std::int64_t partitions = 1;
  std::string node;
};

class LuaClient : public ClientNodeBase<LuaClient> {
 public:
  LuaClient(std::unique_ptr<App> app, std::string subscription, std::map<std::string, LuaTopic> topics, std::string node, Duration timeout)
      : ClientNodeBase(std::move(app), std::move(subscription)), topics_(std::move(topics)), node_(std::move(node)), timeout_(timeout) {}

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;
  void on_crash(const Crash&) override;
  Tree state() const override;

  // No answer is awaited but that to a poll, and the last poll brought nothing.
  bool settled() const;

 protected:
  void perform(Context& c, const Call& call) override;

 private:
  struct Pending {
    Call call;
    ConnId connection = no_connection;
    Time until{};          // poll: how long it waits
    int replies_due = 0;   // poll: nodes that were asked
  };
  std::string place_of(Context& c, const Call& call);
  const std::string& node_of(const std::string& place) const;
  ConnId ask(Context& c, const std::string& node, MessageKind kind, CallId id, LuaValue::Table fields);
  void ask_poll(Context& c, Pending& p);
  void on_poll_reply(Context& c, CallId id, const LuaValue& answer);

  std::map<std::string, LuaTopic> topics_;
  std::string node_;  // where calls without a place go
  Duration timeout_;
  std::map<std::string, ConnId> streams_;
  std::map<std::string, std::int64_t> positions_;  // assigned places: the next to read
  std::map<CallId, Pending> pending_;
  std::int64_t sent_ = 0;
  bool idle_ = false;
};

}  // namespace mqlab::script
