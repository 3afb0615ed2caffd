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
  look(c);
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
  look(c);
}

void LuaNode::on_timer(Context& c, TimerKind, std::uint64_t argument) {
  const auto it = timers_.find(static_cast<std::int64_t>(argument));
  if (it == timers_.end()) return;
  const std::string name = it->second.name;
  timers_.erase(it);
  ScriptHost::of(c.world()).call_node(c, *this, number_, "on_timer", {LuaValue(name)});
  look(c);
}

void LuaNode::on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) {
  for (auto it = streams_.begin(); it != streams_.end();) it = it->second == connection ? streams_.erase(it) : std::next(it);
  ScriptHost::of(c.world()).call_node(c, *this, number_, "on_closed", {LuaValue(c.name(peer)), LuaValue(std::string(close_reason_name(reason)))});
  look(c);
}

void LuaNode::on_stop(Context& c) {
  ScriptHost::of(c.world()).call_node(c, *this, number_, "on_stop", {});
  look(c);
  c.exit();
}

void LuaNode::on_command(Context& c, const std::string& verb, const std::string& argument) {
  ScriptHost::of(c.world()).call_node(c, *this, number_, "on_command", {LuaValue(verb), LuaValue(argument)});
  look(c);
}

void LuaNode::on_crash(const Crash& crash) {
  streams_.clear();
  timers_.clear();
  calls_.clear();
  durable_ = ScriptHost::Durable::as_left;
  const LuaValue* left = seen_.is_table() && !crash.power && !crash.wipe ? seen_.field("durable") : nullptr;
  seen_ = left ? make_table({{LuaValue(std::string("durable")), *left}}) : LuaValue();
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

void LuaNode::look(Context& c) {
  if (c.world().options().trace == TraceLevel::state) seen_ = ScriptHost::of(c.world()).look_at_node(c.world(), number_);
}

namespace {

constexpr std::size_t entries_max = 64;  // of a table; of one with more it is only told how many
constexpr int depth_max = 4;

void show(Tree& parent, const LuaValue& table, int depth) {
  for (const LuaValue::Entry& e : *table.table()) {
    const LuaValue::Table* inside = e.second.table();
    const bool deeper = inside && depth < depth_max && inside->size() <= entries_max;
    Tree& t = parent.add(e.first.brief(40), deeper ? std::string() : inside && depth < depth_max ? std::to_string(inside->size()) + " entries" : e.second.brief());
    if (deeper) show(t, e.second, depth + 1);
  }
}

}  // namespace

Tree LuaNode::state() const {
  Tree t{"node in Lua", {}, {}};
  if (seen_.text()) t.value = *seen_.text();
  if (seen_.is_table()) show(t, seen_, 0);
  std::erase_if(t.children, [](const Tree& child) { return child.name == "name" || child.name == "peers"; });
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
