// sim/script/lua_node.h: a node whose handlers are Lua functions.
//
// It runs under the same faults as the nodes of any model. What is in `self` is memory and is gone when the
// process dies; `self.durable` outlives the process, and of it only what self:sync() saved outlives the
// machine's power. The tables are in the world's ScriptHost; here is what C++ must know to find them again.
//
// Always true: a message is plain data, never changed. Elsewhere: methods of `self` (node_verbs.cpp).
#pragma once

#include <map>
#include <string>

#include "sim/script/lua_value.h"
#include "sim/script/script_host.h"
#include "sim/world/world.h"

namespace mqlab::script {

// Messages of a world with nodes in Lua: calls of clients and their answers, then the file's own kinds.
enum LuaKind : MessageKind { send_kind, poll_kind, call_kind, send_reply_kind, poll_reply_kind, call_reply_kind, own_kinds };
const char* lua_kind_name(LuaKind k);

struct LuaPayload : Payload {
  LuaPayload(LuaValue v, CallId c) : value(std::move(v)), call(c) {}
  LuaValue value;
  CallId call = 0;
};

class LuaNode : public NodeBase<LuaNode> {
 public:
  explicit LuaNode(std::int64_t number) : number_(number) {}

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;
  void on_stop(Context& c) override;
  void on_crash(const Crash& crash) override;
  void on_command(Context& c, const std::string& verb, const std::string& argument) override;
  Tree state() const override;

  // --- for the methods of self ---
  // A stream to the peer, opened when there is none.
  ConnId stream_to(Context& c, NodeId peer);
  std::int64_t set_timer(Context& c, Duration delay, std::string name);
  bool cancel_timer(Context& c, std::int64_t timer);
  // Answers a client's call; false when the connection is gone or it was answered before.
  bool reply(Context& c, std::int64_t call, const LuaValue& answer);
  // Saves the durable part; false when the disk says it could not.
  bool sync(Context& c, const LuaValue& durable);

 private:
  // Keeps what is in `self` for state(), where somebody follows it.
  void look(Context& c);
  struct Timer {
    EventId event{};
    std::string name;
  };
  struct ClientCall {
    ConnId connection{};
    CallId call{};
    MessageKind reply{};
  };
  std::int64_t number_;
  // At the next start. The file 0 of the disk has a unit for each sync; these are their contents.
  ScriptHost::Durable durable_ = ScriptHost::Durable::as_declared;
  std::int64_t version_ = 0;
  std::map<std::int64_t, LuaValue> synced_;
  std::map<NodeId, ConnId> streams_;
  std::map<std::int64_t, Timer> timers_;
  std::map<std::int64_t, ClientCall> calls_;
  std::int64_t next_timer_ = 1;
  std::int64_t next_call_ = 1;
  LuaValue seen_{};  // `self` after the last event; nil where nobody looks
};

}  // namespace mqlab::script
