#include "sim/script/lua_client.h"

#include <algorithm>
#include <iterator>

#include "sim/script/lua_node.h"
#include "sim/script/program.h"

namespace mqlab::script {
namespace {

constexpr TimerKind timeout_timer = 1;
constexpr TimerKind poll_timer = 2;
constexpr Duration poll_again = 10'000'000;

LuaValue text(std::string s) { return LuaValue(std::move(s)); }
void add(LuaValue::Table& t, const char* name, LuaValue v) { t.emplace_back(text(name), std::move(v)); }

const char* kind_name(CallKind k) {
  switch (k) {
    case CallKind::ack: return "ack";
    case CallKind::commit: return "commit";
    case CallKind::begin: return "begin";
    case CallKind::end_commit: return "commit_transaction";
    case CallKind::end_abort: return "abort";
    case CallKind::end_offset: return "end_offset";
    case CallKind::subscribe: return "subscribe";
    case CallKind::unsubscribe: return "unsubscribe";
    case CallKind::pause: return "pause";
    case CallKind::resume: return "resume";
    case CallKind::release: return "release";
    case CallKind::reject: return "reject";
    case CallKind::send_offsets: return "send_offsets";
    default: return "call";
  }
}

// Reads have no effect, so giving one up is a plain failure.
bool only_reads(CallKind k) { return k == CallKind::poll || k == CallKind::end_offset; }

std::uint64_t fnv(const std::string& s) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char ch : s) h = (h ^ static_cast<unsigned char>(ch)) * 0x100000001b3ULL;
  return h;
}

}  // namespace

void LuaClient::on_start(Context& c) { start_app(c); }

void LuaClient::on_crash(const Crash&) {
  streams_.clear();
  positions_.clear();
  pending_.clear();
  idle_ = false;
  crash_app();
}

bool LuaClient::settled() const {
  for (const auto& [id, p] : pending_)
    if (p.call.kind != CallKind::poll) return false;
  const auto* program = dynamic_cast<const ProgramApp*>(app());
  const bool reads_no_more = positions_.empty() || (program && program->finished);
  return (reads_no_more || idle_) && (!app() || app()->done());
}

Tree LuaClient::state() const {
  Tree t{"client", {}, {}};
  for (const auto& [place, next] : positions_) t.add("reads " + place, "from " + std::to_string(next));
  t.add("calls without an answer", std::to_string(pending_.size()));
  if (app()) t.children.push_back(app()->state());
  return t;
}

const std::string& LuaClient::node_of(const std::string& place) const {
  const auto it = topics_.find(place.substr(0, place.find('/')));
  return it == topics_.end() || it->second.node.empty() ? node_ : it->second.node;
}

std::string LuaClient::place_of(Context& c, const Call& call) {
  const std::string topic = c.names().text(call.place);
  if (topic.find('/') != std::string::npos) return topic;
  const auto it = topics_.find(topic);
  const std::int64_t n = it == topics_.end() ? 1 : it->second.partitions;
  std::int64_t partition = call.partition;
  if (partition < 0 || partition >= n)
    partition = call.key ? static_cast<std::int64_t>(fnv(c.names().text(call.key)) % static_cast<std::uint64_t>(n)) : sent_++ % n;
  return topic + "/" + std::to_string(partition);
}

ConnId LuaClient::ask(Context& c, const std::string& node, MessageKind kind, CallId id, LuaValue::Table fields) {
  ConnId& stream = streams_[node];
  if (stream == no_connection || !c.is_open(stream)) stream = c.connect(c.world().find(node), Traffic::client);
  const LuaValue message = make_table(std::move(fields));
  c.send(stream, kind, make_payload<LuaPayload>(message, id), static_cast<std::uint32_t>(32 + message.bytes()));
  return stream;
}

void LuaClient::perform(Context& c, const Call& call) {
  Pending p{call, no_connection, 0, 0};
  LuaValue::Table fields;
  switch (call.kind) {
    case CallKind::send: {
      const std::string place = place_of(c, call);
      p.call.place = c.names().id(place);
      add(fields, "kind", text("send"));
      add(fields, "place", text(place));
      if (call.key) add(fields, "key", text(c.names().text(call.key)));
      add(fields, "body", text(c.world().journal.message_name(call.message)));
      add(fields, "size", LuaValue(std::int64_t{call.size}));
      p.connection = ask(c, node_of(place), send_kind, call.id, std::move(fields));
      break;
    }
    case CallKind::assign: {
      const std::string name = c.names().text(call.place);
      const auto it = topics_.find(name);
      std::vector<std::string> places;
      if (it == topics_.end()) places.push_back(name.find('/') == std::string::npos ? name + "/0" : name);
      else
        for (std::int64_t i = 0; i < it->second.partitions; ++i) places.push_back(name + "/" + std::to_string(i));
      for (const std::string& place : places) {
        positions_[place] = std::max<std::int64_t>(0, call.position);
        record_assignment(c, c.names().id(place), true, positions_[place], op_flag::assigned);
      }
      complete(c, call.id, {});
      return;
    }
    case CallKind::seek:
      positions_[c.names().text(call.place)] = std::max<std::int64_t>(0, call.position);
      complete(c, call.id, {});
      return;
    case CallKind::close:
      for (const auto& [node, stream] : streams_) c.close(stream);
      streams_.clear();
      complete(c, call.id, {});
      return;
    case CallKind::poll:
      p.until = saturating_add(c.now(), call.timeout);
      ask_poll(c, p);
      pending_[call.id] = std::move(p);
      c.set_timer(call.timeout, timeout_timer, call.id);
      return;
    default: {
      const std::string place = call.place ? c.names().text(call.place) : std::string();
      add(fields, "kind", text(kind_name(call.kind)));
      if (!place.empty()) add(fields, "place", text(place));
      if (call.message != no_message) add(fields, "body", text(c.world().journal.message_name(call.message)));
      if (call.position >= 0) add(fields, "position", LuaValue(call.position));
      if (!call.verb.empty()) add(fields, "verb", text(call.verb));
      if (!call.argument.empty()) add(fields, "argument", text(call.argument));
      p.connection = ask(c, place.empty() ? node_ : node_of(place), call_kind, call.id, std::move(fields));
    }
  }
  pending_[call.id] = std::move(p);
  c.set_timer(timeout_, timeout_timer, call.id);
}

// Every node that has a place of this client is asked; without places, the client's own node.
void LuaClient::ask_poll(Context& c, Pending& p) {
  std::map<std::string, LuaValue::Table> by_node;
  if (positions_.empty()) by_node[node_];
  for (const auto& [place, next] : positions_) {
    LuaValue::Table row;
    add(row, "place", text(place));
    add(row, "position", LuaValue(next));
    LuaValue::Table& rows = by_node[node_of(place)];
    rows.emplace_back(LuaValue(static_cast<std::int64_t>(rows.size()) + 1), make_table(std::move(row)));
  }
  p.replies_due = 0;
  for (auto& [node, rows] : by_node) {
    LuaValue::Table fields;
    add(fields, "kind", text("poll"));
    add(fields, "places", make_table(std::move(rows)));
    add(fields, "wait", LuaValue(LuaDuration{std::max<Duration>(0, p.until - c.now())}));
    if (p.call.count) add(fields, "max", LuaValue(std::int64_t{p.call.count}));
    ask(c, node, poll_kind, p.call.id, std::move(fields));
    ++p.replies_due;
  }
}

void LuaClient::on_poll_reply(Context& c, CallId id, const LuaValue& answer) {
  Pending& p = pending_[id];
  Answer out;
  const LuaValue* messages = answer.field("messages");
  for (const LuaValue* row : messages ? messages->items() : std::vector<const LuaValue*>{}) {
    PolledMessage m;
    const std::string place = row->field("place") ? *row->field("place")->text() : std::string();
    m.place = place.empty() ? 0 : c.names().id(place);
    if (const LuaValue* v = row->field("key")) m.key = c.names().id(*v->text());
    m.message = message_of(c.world(), *row->field("body")->text());
    if (const LuaValue* v = row->field("position")) m.position = *v->integer();
    if (const LuaValue* v = row->field("attempt")) m.attempt = static_cast<std::uint8_t>(std::min<std::int64_t>(255, *v->integer()));
    if (row->field("redelivered") && *row->field("redelivered")->boolean()) m.flags |= op_flag::redelivered;
    if (const auto it = positions_.find(place); it != positions_.end() && m.position >= 0) it->second = m.position + 1;
    out.messages.push_back(m);
  }
  if (const LuaValue* v = answer.field("error")) {
    out.outcome = Outcome::fail;
    out.error = c.names().id(*v->text());
  }
  --p.replies_due;
  if (!out.messages.empty() || out.outcome != Outcome::ok || (p.replies_due <= 0 && c.now() >= p.until)) {
    idle_ = out.messages.empty();
    pending_.erase(id);
    complete(c, id, std::move(out));
  } else if (p.replies_due <= 0) {
    idle_ = true;
    c.set_timer(std::min(poll_again, p.until - c.now()), poll_timer, id);
  }
}

void LuaClient::on_message(Context& c, const Message& m) {
  if (service_message(c, m)) return;
  if (m.kind < send_reply_kind || m.kind > call_reply_kind) return;
  const LuaPayload& payload = payload_as<LuaPayload>(m.payload);
  const auto it = pending_.find(payload.call);
  if (it == pending_.end()) return;
  const LuaValue& answer = payload.value;
  if (it->second.call.kind == CallKind::poll) {
    on_poll_reply(c, payload.call, answer);
    return;
  }
  Answer out;
  out.place = it->second.call.place;
  if (const LuaValue* v = answer.field("place")) out.place = c.names().id(*v->text());
  if (const LuaValue* v = answer.field("position")) out.position = *v->integer();
  if (const LuaValue* v = answer.field("error")) {
    out.outcome = Outcome::fail;
    out.error = c.names().id(*v->text());
  }
  if (const LuaValue* v = answer.field("unknown"); v && *v->boolean()) out.outcome = Outcome::info;
  pending_.erase(it);
  complete(c, payload.call, std::move(out));
}

void LuaClient::on_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (app_timer(c, kind, argument)) return;
  const auto it = pending_.find(argument);
  if (it == pending_.end()) return;
  if (kind == poll_timer) {
    ask_poll(c, it->second);
    return;
  }
  Answer out;
  const CallKind call = it->second.call.kind;
  out.place = it->second.call.place;
  if (call != CallKind::poll) {
    out.outcome = only_reads(call) ? Outcome::fail : Outcome::info;
    out.error = c.names().id("TIMED_OUT");
  }
  pending_.erase(it);
  complete(c, argument, std::move(out));
}

void LuaClient::on_closed(Context& c, ConnId connection, NodeId, CloseReason reason) {
  if (service_closed(c, connection, reason)) return;
  for (auto it = streams_.begin(); it != streams_.end();) it = it->second == connection ? streams_.erase(it) : std::next(it);
  std::vector<CallId> lost;
  for (auto& [id, p] : pending_) {
    if (p.call.kind == CallKind::poll) c.set_timer(poll_again, poll_timer, id);
    else if (p.connection == connection) lost.push_back(id);
  }
  for (const CallId id : lost) {
    const auto it = pending_.find(id);
    if (it == pending_.end()) continue;
    Answer out;
    out.place = it->second.call.place;
    out.outcome = only_reads(it->second.call.kind) ? Outcome::fail : Outcome::info;
    out.error = c.names().id("DISCONNECTED");
    pending_.erase(it);
    complete(c, id, std::move(out));
  }
}

}  // namespace mqlab::script
