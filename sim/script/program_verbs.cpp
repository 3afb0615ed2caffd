// What a program can do: the methods of `c`.
#include <fmt/format.h>

#include <algorithm>

#include "sim/script/methods.h"
#include "sim/script/nearest.h"

namespace mqlab::script {

AppContext& app_context(const MethodCall& m) { return *m.host.actor().app; }
ProgramApp& program(const MethodCall& m) { return *m.host.actor().program; }

// The program waits for the call whose number this is.
std::optional<LuaValue> wait_for(const MethodCall& m, const LuaValue& id) {
  if (!m.host.live()) return std::nullopt;
  ProgramApp& p = program(m);
  p.waits = ProgramApp::Wait::call;
  p.waits_for = static_cast<std::uint64_t>(*id.integer());
  p.doing = fmt::format("waits for {}", m.method);
  return std::nullopt;
}

namespace {

using Out = std::optional<LuaValue>;
const Out waiting = std::nullopt;
const Out nothing = LuaValue();

World& world(const MethodCall& m) { return m.host.actor().context->world(); }

// Asks the client library; the number of the call.
LuaValue ask(const MethodCall& m, Call call) {
  ProgramApp& p = program(m);
  if (call.kind != CallKind::poll) p.busy = true;
  return LuaValue(static_cast<std::int64_t>(app_context(m).call(std::move(call))));
}

// ... or for the answer later, with c:wait.
Out without_waiting(const MethodCall& m, const LuaValue& id) {
  if (m.host.live()) program(m).asked[static_cast<CallId>(*id.integer())] = true;
  return LuaValue(Thing{ThingKind::handle, *id.integer()});
}

// --- sending ---

Call send_call(const MethodCall& m, const std::string& topic) {
  Call call;
  call.kind = CallKind::send;
  World& w = world(m);
  ProgramApp& p = program(m);
  call.place = w.journal.names.id(topic);
  const LuaValue& message = m.at(1);
  std::string body;
  if (message.text()) {
    body = *message.text();
  } else if (message.is_table()) {
    if (const LuaValue* v = message.field("body")) body = *v->text();
    if (const LuaValue* v = message.field("key")) call.key = w.journal.names.id(*v->text());
    if (const LuaValue* v = message.field("partition")) call.partition = static_cast<std::int32_t>(*v->integer());
    if (const LuaValue* v = message.field("size")) call.size = static_cast<std::uint32_t>(*v->integer());
    if (const LuaValue* v = message.field("timestamp")) call.timestamp = v->duration()->ns;
    if (const LuaValue* v = message.field("tombstone")) call.tombstone = *v->boolean();
  }
  ++p.sent;
  call.message = body.empty() ? numbered_message(app_context(m).context.self(), p.sent) : message_of(w, body);
  return call;
}

// Throws when the message is not one; what it says is then read without looking.
void check_message(const MethodCall& m) {
  const LuaValue& v = m.at(1);
  if (v.is_nil()) return;
  if (v.text()) {
    m.text(1, "a body");
    return;
  }
  if (!v.is_table()) m.wrong(1, "a body, or a table { key =, body =, partition =, size =, timestamp =, tombstone = }");
  m.only_fields(v, {"key", "body", "partition", "size", "timestamp", "tombstone"});
  const auto short_text = [&](const char* name) {
    const LuaValue* f = v.field(name);
    if (f && (!f->text() || f->text()->size() > 10'000)) m.fail(fmt::format("`{}` of a message is a text of at most 10000 bytes, not {}", name, f->describe()));
  };
  const auto whole = [&](const char* name, std::int64_t max) {
    const LuaValue* f = v.field(name);
    if (f && !(f->integer() && *f->integer() >= 0 && *f->integer() <= max)) m.fail(fmt::format("`{}` of a message is a whole number from 0 to {}, not {}", name, max, f->describe()));
  };
  short_text("key");
  short_text("body");
  if (const LuaValue* f = v.field("tombstone"); f && !f->boolean()) m.fail(fmt::format("`tombstone` of a message is true or false, not {}", f->describe()));
  whole("partition", 1'000'000);
  whole("size", 1'000'000'000);
  const LuaValue* t = v.field("timestamp");
  if (t && (!t->duration() || t->duration()->ns < 0)) m.fail(fmt::format("`timestamp` of a message is a time on the wall clock, as c:wall() - seconds(5), not {}", t->describe()));
}

LuaValue start_send(const MethodCall& m) {
  const std::string topic = m.text(0, "a topic");
  check_message(m);
  return m.host.act(m.digest(), [&] { return ask(m, send_call(m, topic)); });
}

Out send(const MethodCall& m) { return wait_for(m, start_send(m)); }

Out send_async(const MethodCall& m) { return without_waiting(m, start_send(m)); }

Out wait(const MethodCall& m) {
  const Thing* handle = m.at(0).thing(ThingKind::handle);
  if (!handle) m.wrong(0, "what c:send_async or c:commit_async returned");
  const auto id = static_cast<CallId>(handle->number);
  // False: no such answer will ever come.
  const LuaValue known = m.host.act(m.digest(), [&] {
    ProgramApp& p = program(m);
    if (const auto it = p.answered.find(id); it != p.answered.end()) {
      LuaValue v = it->second;
      p.answered.erase(it);
      return v;
    }
    return p.asked.erase(id) ? LuaValue() : LuaValue(false);
  });
  if (known.boolean()) m.fail("nothing is under way for this handle: it was waited for already, or its process died meanwhile");
  if (!known.is_nil()) return known;
  return wait_for(m, LuaValue(handle->number));
}

// --- reading ---

std::int64_t position(const MethodCall& m, std::size_t i) {
  const LuaValue& v = m.at(i);
  if (v.is_nil()) return -1;
  if (v.text() && *v.text() == "beginning") return from_beginning;
  if (v.text() && *v.text() == "end") return from_end;
  if (v.text()) m.wrong(i, "a position, \"beginning\" or \"end\"");
  return m.integer(i, "a position", 0, INT64_MAX);
}

Out poll(const MethodCall& m) {
  const Duration timeout = m.at(0).is_nil() ? Duration{1'000'000'000} : m.duration(0, "how long it may wait, as ms(500)");
  const std::int64_t max = m.at(1).is_nil() ? 0 : m.integer(1, "how many messages at most", 1, 1'000'000);
  const LuaValue id = m.host.act(m.digest(), [&] {
    Call call;
    call.kind = CallKind::poll;
    call.timeout = timeout;
    call.count = static_cast<std::uint32_t>(max);
    return ask(m, std::move(call));
  });
  return wait_for(m, id);
}

Out place_call(const MethodCall& m, CallKind kind, const std::string& place, std::int64_t at) {
  const LuaValue id = m.host.act(m.digest(), [&] {
    Call call;
    call.kind = kind;
    call.place = place.empty() ? 0 : world(m).journal.names.id(place);
    call.position = at;
    return ask(m, std::move(call));
  });
  return wait_for(m, id);
}

Out assign(const MethodCall& m) { return place_call(m, CallKind::assign, m.text(0, "a topic or a place, as \"orders/0\""), position(m, 1)); }
Out seek(const MethodCall& m) {
  if (m.at(1).is_nil()) m.wrong(1, "a position, \"beginning\" or \"end\"");
  const bool committed = m.at(1).text() && *m.at(1).text() == "committed";
  return place_call(m, CallKind::seek, m.text(0, "a place, as \"orders/0\""), committed ? -1 : position(m, 1));
}
Out commit(const MethodCall& m) { return place_call(m, CallKind::commit, m.text_or(0, "a place, as \"orders/0\"", ""), position(m, 1)); }
Out commit_async(const MethodCall& m) {
  const std::string place = m.text_or(0, "a place, as \"orders/0\"", "");
  const std::int64_t at = position(m, 1);
  return without_waiting(m, m.host.act(m.digest(), [&] {
    Call call;
    call.kind = CallKind::commit;
    call.place = place.empty() ? 0 : world(m).journal.names.id(place);
    call.position = at;
    call.once = true;
    return ask(m, std::move(call));
  }));
}
Out pause(const MethodCall& m) { return place_call(m, CallKind::pause, m.text(0, "a place, as \"orders/0\""), -1); }
Out resume(const MethodCall& m) { return place_call(m, CallKind::resume, m.text(0, "a place, as \"orders/0\""), -1); }
Out unsubscribe(const MethodCall& m) { return place_call(m, CallKind::unsubscribe, "", -1); }

// One topic, or a list of them.
Out subscribe(const MethodCall& m) {
  constexpr const char* wanted = "a topic, or a list of topics, as { \"orders\", \"payments\" }";
  std::vector<std::string> topics;
  if (m.at(0).is_table()) {
    for (const auto& [key, value] : *m.at(0).table())
      if (!key.integer() || !value.text()) m.wrong(0, wanted);
    for (const LuaValue* v : m.at(0).items()) topics.push_back(*v->text());
    if (topics.empty() || topics.size() != m.at(0).table()->size()) m.wrong(0, wanted);
  } else {
    topics.push_back(m.text(0, wanted));
  }
  std::string all;
  for (const std::string& topic : topics) {
    if (topic.empty() || topic.size() > 249 || topic.find_first_of(",/ ") != std::string::npos)
      m.fail(fmt::format("`subscribe` wants names of topics, whose places the group hands out, and \"{}\" is none", topic.substr(0, 60)));
    all += (all.empty() ? "" : ",") + topic;
  }
  const LuaValue id = m.host.act(m.digest(), [&] {
    Call call;
    call.kind = CallKind::subscribe;
    call.argument = all;
    return ask(m, std::move(call));
  });
  return wait_for(m, id);
}
Out end_offset(const MethodCall& m) { return place_call(m, CallKind::end_offset, m.text(0, "a place, as \"orders/0\""), -1); }
Out begin(const MethodCall& m) { return place_call(m, CallKind::begin, "", -1); }
Out commit_transaction(const MethodCall& m) { return place_call(m, CallKind::end_commit, "", -1); }
Out send_offsets(const MethodCall& m) { return place_call(m, CallKind::send_offsets, m.text_or(0, "a place, as \"orders/0\"", ""), position(m, 1)); }
Out abort(const MethodCall& m) { return place_call(m, CallKind::end_abort, "", -1); }
Out close(const MethodCall& m) { return place_call(m, CallKind::close, "", -1); }

// The row of the history in which this message was delivered.
std::int64_t delivery(const MethodCall& m, std::size_t i, const LuaValue& v) {
  const LuaValue* op = v.field("op");
  if (!op || !op->integer() || *op->integer() < 0) m.wrong(i, "a message that c:poll returned");
  return *op->integer();
}

const Op& delivered(const MethodCall& m, std::int64_t row) {
  const auto& ops = world(m).journal.ops;
  const auto i = static_cast<std::size_t>(row);
  if (i >= ops.size() || ops[i].kind != OpKind::deliver || ops[i].process != app_context(m).context.self()) m.fail(fmt::format("`{}` was given a message that this program never got from c:poll", m.method));
  return ops[i];
}

Out work_ended(const MethodCall& m, bool well) {
  const std::int64_t row = delivery(m, 0, m.at(0));
  m.host.act(m.digest(), [&] {
    const Op& op = delivered(m, row);
    const PolledMessage message{op.place, op.key, op.message, op.position, op.attempt, op.flags, static_cast<OpIndex>(row)};
    ProgramApp& p = program(m);
    p.failures = well ? 0 : p.failing == op.message ? p.failures + 1 : 1;
    p.failing = op.message;
    if (well) app_context(m).processed(message);
    else app_context(m).failed(message);
    return LuaValue();
  });
  return nothing;
}
Out processed(const MethodCall& m) { return work_ended(m, true); }
Out failed(const MethodCall& m) { return work_ended(m, false); }

Out say(const MethodCall& m, CallKind kind) {
  const std::int64_t row = delivery(m, 0, m.at(0));
  const LuaValue id = m.host.act(m.digest(), [&] {
    const Op& op = delivered(m, row);
    Call call;
    call.kind = kind;
    call.place = op.place;
    call.message = op.message;
    call.position = op.position;
    return ask(m, std::move(call));
  });
  return wait_for(m, id);
}

Out ack(const MethodCall& m) { return say(m, CallKind::ack); }
Out release(const MethodCall& m) { return say(m, CallKind::release); }
Out reject(const MethodCall& m) { return say(m, CallKind::reject); }

Out effect(const MethodCall& m) {
  const std::string what = m.text(0, "a name for what was done");
  const MessageArgument message = message_argument(m, 1, m.at(1));
  m.host.act(m.digest(), [&] {
    app_context(m).effect(what, message_id(m, message));
    return LuaValue();
  });
  return nothing;
}

Out service(const MethodCall& m, const char* role, const char* what) {
  const std::string name = m.text(0, what);
  // The world is asked, not the file: a plan may have left a service out.
  m.host.act(m.digest(), [&] {
    const World& world = app_context(m).context.world();
    std::vector<std::string> known;
    for (const ServiceSpec& v : m.host.source().services)
      if (v.role == role && world.find(v.name) != nobody) known.push_back(v.name);
    if (std::find(known.begin(), known.end(), name) == known.end())
      m.fail(fmt::format("the scenario has no {} `{}`{}; write services = {{ {} \"{}\" {{ ... }} }}", role, name.substr(0, 60), did_you_mean(name, known), role, name.substr(0, 60)));
    return LuaValue();
  });
  return make_table({{LuaValue(std::string("name")), LuaValue(name)}});
}
Out database(const MethodCall& m) { return service(m, "database", "a database's name"); }
Out outside(const MethodCall& m) { return service(m, "outside", "an outside's name"); }

Out call(const MethodCall& m) {
  const std::string verb = m.text(0, "a verb");
  const std::string argument = m.text_or(1, "a text", "");
  const auto& calls = m.host.source().model->decl().calls;
  std::vector<std::string> known;
  for (const CallDecl& c : calls) known.push_back(c.name);
  if (m.host.source().model->decl().name != "lua" && std::find(known.begin(), known.end(), verb) == known.end())
    m.fail(fmt::format("{} has no call `{}`{}", m.host.source().model->decl().name, verb.substr(0, 60), did_you_mean(verb, known)));
  const LuaValue id = m.host.act(m.digest(), [&] {
    Call c;
    c.kind = CallKind::other;
    c.verb = verb;
    c.argument = argument;
    return ask(m, std::move(c));
  });
  return wait_for(m, id);
}

// --- time, chance, words ---

Out sleep(const MethodCall& m) {
  const Duration d = m.duration(0, "a duration, as ms(5)");
  m.host.act(m.digest(), [&] {
    ProgramApp& p = program(m);
    app_context(m).sleep(d, ++p.timers);
    p.waits = ProgramApp::Wait::timer;
    p.waits_for = p.timers;
    p.doing = "sleeps";
    return LuaValue();
  });
  return waiting;
}

Out now(const MethodCall& m) {
  return m.host.act(m.digest(), [&] { return LuaValue(LuaDuration{app_context(m).now()}); });
}
Out wall(const MethodCall& m) {
  return m.host.act(m.digest(), [&] { return LuaValue(LuaDuration{app_context(m).context.wall()}); });
}
Out random(const MethodCall& m) {
  const std::int64_t n = m.integer(0, "a whole number", 1, INT64_MAX);
  return m.host.act(m.digest(), [&] { return LuaValue(static_cast<std::int64_t>(program(m).random.below(static_cast<std::uint64_t>(n))) + 1); });
}

Out log(const MethodCall& m) {
  const std::string text = m.at(0).text() ? m.text(0, "a text") : m.at(0).brief();
  m.host.act(m.digest(), [&] {
    app_context(m).context.mark("log", {}, text);
    return LuaValue();
  });
  return nothing;
}

Out mark(const MethodCall& m) {
  const std::string name = m.text(0, "the name of a mark");
  const auto& known = m.host.source().marks;
  if (std::find(known.begin(), known.end(), name) == known.end())
    m.fail(fmt::format("the scenario has no mark `{}`{}; its own are listed as marks = {{ \"...\" }}", name.substr(0, 60), did_you_mean(name, known)));
  const std::string text = m.text_or(1, "a text", "");
  const std::string place = m.text_or(2, "a place", "");
  m.host.act(m.digest(), [&] {
    app_context(m).context.mark(name, place, text);
    return LuaValue();
  });
  return nothing;
}

}  // namespace

MessageArgument message_argument(const MethodCall& m, std::size_t i, const LuaValue& v) {
  if (!v.text()) return {delivery(m, i, v), {}};
  if (v.text()->empty() || v.text()->size() > 10'000) m.fail(fmt::format("`{}` was given a body of {} bytes; it has 1 to 10000", m.method, v.text()->size()));
  return {-1, *v.text()};
}

MessageId message_id(const MethodCall& m, const MessageArgument& a, std::uint32_t* key) {
  if (a.row < 0) return message_of(world(m), a.body);
  const Op& op = delivered(m, a.row);
  if (key) *key = op.key;
  return op.message;
}

const std::vector<Method>& program_methods() {
  static const std::vector<Method> all = {
      {"send", "(topic, { key =, body =, partition =, size =, timestamp =, tombstone = })", "Sends and waits: a table with ok, outcome (ok, fail, info), error, place, position.", "send", send},
      {"send_async", "(topic, { ... })", "Sends without waiting; returns a handle for c:wait.", "send", send_async, true},
      {"wait", "(handle)", "Waits for the answer to a send_async or commit_async.", "", wait},
      {"poll", "(timeout, max)", "Waits for messages: a list of { place, key, body, position, attempt, redelivered, tombstone }, empty when none came; beside them `assigned`, `revoked`, `lost`: lists of places, when the group gave or took some.", "poll", poll},
      {"subscribe", "(topic)", "Reads for the group what it gives: a topic, or a list of topics.", "subscribe", subscribe},
      {"unsubscribe", "()", "Leaves the group.", "unsubscribe", unsubscribe},
      {"assign", "(place, position)", "Reads this topic or place, from a position, \"beginning\" or \"end\".", "assign", assign},
      {"seek", "(place, position)", "Goes on reading from another position, or from \"committed\": where its group stands.", "seek", seek},
      {"commit", "(place, position)", "Stores a position; without arguments, what was read so far.", "commit", commit},
      {"commit_async", "(place, position)", "Stores it without waiting, in one attempt; returns a handle for c:wait.", "commit", commit_async, true},
      {"pause", "(place)", "Fetches nothing from a place for a while.", "pause", pause},
      {"resume", "(place)", "Fetches from it again.", "resume", resume},
      {"ack", "(message)", "Confirms one message.", "ack", ack},
      {"release", "(message)", "Gives one message back, for somebody else or for later.", "release", release},
      {"reject", "(message)", "Says that one message is good for nobody.", "reject", reject},
      {"end_offset", "(place)", "Where the place ends: `position` of the answer.", "end_offset", end_offset},
      {"begin", "()", "Begins a transaction.", "begin", begin},
      {"send_offsets", "(place, position)", "Stores a position with the open transaction: it counts when that is committed, and only then; without arguments, what was read so far.", "send_offsets", send_offsets},
      {"commit_transaction", "()", "Ends it: all of it.", "commit_transaction", commit_transaction},
      {"abort", "()", "Ends it: none of it.", "abort", abort},
      {"close", "()", "Closes the client in good order.", "close", close},
      {"call", "(verb, argument)", "What else the model's clients can do.", "", call},
      {"processed", "(message)", "The work on a message is finished.", "", processed, true},
      {"failed", "(message)", "The work on a message was tried, and failed.", "", failed, true},
      {"effect", "(name, message)", "Something was done to the world outside because of a message (or a body).", "", effect, true},
      {"database", "(name)", "The database of this name, for db:begin.", "", database, true, ObjectKind::database},
      {"outside", "(name)", "The world outside of this name, for bank:call.", "", outside, true, ObjectKind::outside},
      {"sleep", "(duration)", "Lets virtual time pass.", "", sleep},
      {"now", "()", "Virtual time since the beginning, a duration.", "", now, true},
      {"wall", "()", "What the process's wall clock shows, a duration.", "", wall, true},
      {"random", "(n)", "A whole number from 1 to n; the run's seed decides.", "", random, true},
      {"log", "(text)", "A mark named \"log\" in the trace.", "", log, true},
      {"mark", "(name, text, place)", "A mark of the scenario's own, listed under `marks`.", "", mark, true},
  };
  return all;
}

}  // namespace mqlab::script
