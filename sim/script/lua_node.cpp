#include "sim/script/lua_node.h"

#include <algorithm>

namespace mqlab::script {

const char* lua_kind_name(LuaKind k) {
  static constexpr const char* names[] = {"send", "poll", "call", "send_reply", "poll_reply", "call_reply"};
  return names[static_cast<std::size_t>(k)];
}

void LuaNode::on_start(Context& c) {
  const auto it = synced_.find(version_);
  const LuaValue synced = it == synced_.end() ? LuaValue() : it->second;
  ScriptHost::of(c.world()).start_node(c, *this, number_, durable_, synced);
}

void LuaNode::on_message(Context& c, const Message& m) {
  ScriptHost& host = ScriptHost::of(c.world());
  const LuaPayload& p = payload_as<LuaPayload>(m.payload);
  const LuaValue from{c.name(m.from)};
  if (m.kind <= call_kind) {
    const std::int64_t id = next_call_++;
    calls_[id] = {m.connection, p.call, static_cast<MessageKind>(m.kind + (send_reply_kind - send_kind))};
    host.call_node(c, *this, number_, "on_call", {p.value}, id);
  } else if (m.kind >= own_kinds) {
    host.call_node(c, *this, number_, "on_message", {from, LuaValue(std::string(c.world().journal.kind_name(m.kind))), p.value});
  }
}

void LuaNode::on_timer(Context& c, TimerKind, std::uint64_t argument) {
  const auto it = timers_.find(static_cast<std::int64_t>(argument));
  if (it == timers_.end()) return;
  const std::string name = it->second.name;
  timers_.erase(it);
  ScriptHost::of(c.world()).call_node(c, *this, number_, "on_timer", {LuaValue(name)});
}

void LuaNode::on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) {
  for (auto it = streams_.begin(); it != streams_.end();) it = it->second == connection ? streams_.erase(it) : std::next(it);
  ScriptHost::of(c.world()).call_node(c, *this, number_, "on_closed", {LuaValue(c.name(peer)), LuaValue(std::string(close_reason_name(reason)))});
}

void LuaNode::on_stop(Context& c) {
  ScriptHost::of(c.world()).call_node(c, *this, number_, "on_stop", {});
  c.exit();
}

void LuaNode::on_command(Context& c, const std::string& verb, const std::string& argument) {
  ScriptHost::of(c.world()).call_node(c, *this, number_, "on_command", {LuaValue(verb), LuaValue(argument)});
}

void LuaNode::on_crash(const Crash& crash) {
  streams_.clear();
  timers_.clear();
  calls_.clear();
  durable_ = ScriptHost::Durable::as_left;
  if (!crash.wipe && !crash.power) return;
  version_ = 0;
  if (crash.power)
    for (const Survivor& s : crash.files) {
      if (s.file != 0) continue;
      version_ = s.kept;
      // A version that reads back wrong is as good as none: the one before it is what is left.
      while (version_ > 0 && (std::binary_search(s.corrupt.begin(), s.corrupt.end(), version_ - 1) || !synced_.count(version_))) --version_;
    }
  durable_ = version_ > 0 ? ScriptHost::Durable::as_synced : ScriptHost::Durable::as_declared;
}

bool LuaNode::sync(Context& c, const LuaValue& durable) {
  constexpr FileId file = 0;
  constexpr std::int64_t versions_kept = 16;
  const std::int64_t version = c.world().disk(c.self()).written(file) + 1;
  if (c.write(file, version, static_cast<std::uint32_t>(std::min<std::size_t>(durable.bytes(), 1'000'000'000))) != DiskResult::ok) return false;
  synced_[version] = durable;
  synced_.erase(synced_.begin(), synced_.lower_bound(c.durable(file) - versions_kept));
  return c.sync(file) == DiskResult::ok;
}

Tree LuaNode::state() const {
  Tree t{"node in Lua", {}, {}};
  t.add("timers", std::to_string(timers_.size()));
  t.add("calls without an answer", std::to_string(calls_.size()));
  return t;
}

ConnId LuaNode::stream_to(Context& c, NodeId peer) {
  ConnId& id = streams_[peer];
  if (id == no_connection || !c.is_open(id)) id = c.connect(peer, Traffic::replication);
  return id;
}

std::int64_t LuaNode::set_timer(Context& c, Duration delay, std::string name) {
  const std::int64_t id = next_timer_++;
  timers_[id] = {c.set_timer(delay, 1, static_cast<std::uint64_t>(id)), std::move(name)};
  return id;
}

bool LuaNode::cancel_timer(Context& c, std::int64_t timer) {
  const auto it = timers_.find(timer);
  if (it == timers_.end()) return false;
  c.cancel_timer(it->second.event);
  timers_.erase(it);
  return true;
}

bool LuaNode::reply(Context& c, std::int64_t call, const LuaValue& answer) {
  const auto it = calls_.find(call);
  if (it == calls_.end()) return false;
  const ClientCall where = it->second;
  calls_.erase(it);
  if (!c.is_open(where.connection)) return false;
  c.send(where.connection, where.reply, make_payload<LuaPayload>(answer, where.call), static_cast<std::uint32_t>(32 + answer.bytes()));
  return true;
}

}  // namespace mqlab::script
