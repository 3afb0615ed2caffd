#include "sim/lab/app.h"

#include <algorithm>

namespace mqlab {
namespace {

OpKind op_kind(CallKind k) {
  switch (k) {
    case CallKind::send: return OpKind::send;
    case CallKind::poll: return OpKind::poll;
    case CallKind::assign: return OpKind::assign;
    case CallKind::seek: return OpKind::seek;
    case CallKind::ack: return OpKind::ack;
    case CallKind::commit:
    case CallKind::send_offsets: return OpKind::commit;
    case CallKind::begin: return OpKind::begin;
    case CallKind::end_commit: return OpKind::end_commit;
    case CallKind::end_abort: return OpKind::end_abort;
    case CallKind::end_offset: return OpKind::end_offset;
    default: return OpKind::effect;
  }
}

// Calls whose asking is a line of the history. A poll is one only when it brought something.
bool has_invoke(CallKind k, bool commits_by_place) {
  return k == CallKind::send || k == CallKind::ack || ((k == CallKind::commit || k == CallKind::send_offsets) && !commits_by_place) ||
         k == CallKind::begin || k == CallKind::end_commit || k == CallKind::end_abort || k == CallKind::end_offset;
}

// Of the application's class, so that it waits for the end of a pause.
constexpr TimerKind resume_timer = application_timer + 1;

bool names_subscription(CallKind k) { return k == CallKind::ack || k == CallKind::commit || k == CallKind::send_offsets; }

// What is part of a transaction that is open: its ends, and what is sent, read and stored in between.
bool in_transaction(CallKind k) {
  return k == CallKind::send || k == CallKind::poll || k == CallKind::send_offsets || k == CallKind::end_commit || k == CallKind::end_abort;
}
bool ends_transaction(CallKind k) { return k == CallKind::end_commit || k == CallKind::end_abort; }

}  // namespace

CallId AppContext::call(Call call) {
  const CallId id = client_.begin(context, call);
  client_.perform(context, call);
  return id;
}

void AppContext::processed(const PolledMessage& r) { record_process(r, Outcome::ok); }
void AppContext::failed(const PolledMessage& r) { record_process(r, Outcome::fail); }

void AppContext::record_process(const PolledMessage& r, Outcome outcome) {
  Op op;
  op.kind = OpKind::process;
  op.outcome = outcome;
  op.of = r.op;
  op.subscription = client_.subscription_name(context);
  op.place = r.place;
  op.key = r.key;
  op.message = r.message;
  op.position = r.position;
  context.record(op);
}

void AppContext::effect(const std::string& what, MessageId message) {
  Op op;
  op.kind = OpKind::effect;
  op.outcome = Outcome::ok;
  op.place = context.names().id(what);
  op.message = message;
  context.record(op);
}

std::uint64_t AppContext::begin(const std::string& database) { return client_.services_.begin(context.world().find(database)); }

CallId AppContext::database(const std::string& database, DbRequest request) {
  Call call;
  call.kind = CallKind::database;
  const CallId id = client_.begin(context, call);
  client_.end_service_calls(context, client_.services_.ask(context, id, context.world().find(database), std::move(request)));
  return id;
}

CallId AppContext::outside(const std::string& node, EffectRequest request) {
  Call call;
  call.kind = CallKind::outside;
  const CallId id = client_.begin(context, call);
  client_.end_service_calls(context, client_.services_.ask(context, id, context.world().find(node), std::move(request)));
  return id;
}

bool ClientNode::service_message(Context& c, const Message& m) {
  if (!services_.used() || !ServiceClient::is_reply(m.kind)) return false;
  end_service_calls(c, services_.on_reply(c, m));
  return true;
}

bool ClientNode::service_closed(Context& c, ConnId connection, CloseReason reason) {
  if (!services_.has(connection)) return false;
  end_service_calls(c, services_.on_closed(c, connection, reason));
  return true;
}

void ClientNode::end_service_calls(Context& c, std::vector<ServiceAnswer> ended) {
  for (ServiceAnswer& e : ended) {
    Answer a;
    a.outcome = e.outcome;
    if (!e.error.empty()) a.error = c.names().id(e.error);
    a.service = std::move(e.reply);
    complete(c, e.call, std::move(a));
  }
}

CallId ClientNode::begin(Context& c, Call& call) {
  call.id = next_call_++;
  if (call.kind == CallKind::begin) {
    call.transaction = (std::uint64_t{c.self()} + 1) << 40 | ++transactions_;
    if (transaction_ == 0) transaction_ = call.transaction;
  } else if (in_transaction(call.kind)) {
    call.transaction = transaction_;
  }
  if (const std::string id = call.kind == CallKind::begin ? transactional_id() : std::string(); !id.empty()) call.key = c.names().id(id);
  OpenCall open{call.id, call.kind, no_op, call.place, call.key, call.message, call.transaction};
  if (has_invoke(call.kind, commits_by_place())) {
    Op op;
    op.kind = op_kind(call.kind);
    op.outcome = Outcome::invoke;
    op.place = call.place;
    op.key = call.key;
    op.message = call.message;
    op.position = call.position;
    op.transaction = call.transaction;
    if (call.transaction != 0) op.flags |= op_flag::transactional;
    if (names_subscription(call.kind)) op.subscription = subscription_name(c);
    open.invoke = c.record(op);
  }
  open_.push_back(open);
  return call.id;
}

void ClientNode::start_app(Context& c) {
  if (!app_) return;
  AppContext a(c, *this);
  in_app_ = true;
  app_->on_start(a);
  in_app_ = false;
  deliver_answers(c);
}

void ClientNode::crash_app() {
  // What was asked and not answered stays unknown for ever: its invoke has no end.
  open_.clear();
  answers_.clear();
  transaction_ = 0;  // it has no end that anybody was told
  in_app_ = to_be_woken_ = false;
  services_.crash();
  if (app_) app_->on_crash();
}

bool ClientNode::app_stands(Context& c) {
  if (!c.application_paused()) return false;
  if (!to_be_woken_) c.set_timer(0, resume_timer);
  to_be_woken_ = true;
  return true;
}

bool ClientNode::app_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (kind == resume_timer) {
    to_be_woken_ = false;
    deliver_answers(c);
    return true;
  }
  if (kind == service_timer) {
    end_service_calls(c, services_.on_timeout(c, argument));
    return true;
  }
  if (kind != application_timer) return false;
  if (app_) {
    AppContext a(c, *this);
    in_app_ = true;
    app_->on_timer(a, argument);
    in_app_ = false;
    deliver_answers(c);
  }
  return true;
}

void ClientNode::complete(Context& c, CallId id, Answer answer) {
  const auto it = std::lower_bound(open_.begin(), open_.end(), id, [](const OpenCall& o, CallId i) { return o.id < i; });
  if (it == open_.end() || it->id != id) return;
  const OpenCall open = *it;
  open_.erase(it);
  answer.call = id;
  answer.kind = open.kind;
  if (answer.place == 0) answer.place = open.place;
  if (answer.message == no_message) answer.message = open.message;

  Op op;
  op.kind = op_kind(open.kind);
  op.outcome = answer.outcome;
  op.of = open.invoke;
  op.place = answer.place;
  op.key = open.key;
  op.message = open.message;
  op.error = answer.error;
  op.position = answer.position;
  op.flags = answer.flags;
  op.transaction = open.transaction;
  if (op.transaction != 0) op.flags |= op_flag::transactional;
  // An end that did not end ok may be asked for again; the next begin that does forgets it.
  const bool well = answer.outcome == Outcome::ok;
  if (open.kind == CallKind::begin && well) transaction_ = open.transaction;
  else if (transaction_ == open.transaction && (open.kind == CallKind::begin ? !well : well && ends_transaction(open.kind))) transaction_ = 0;
  if (open.kind == CallKind::poll) {
    if (!answer.messages.empty()) {
      op.place = 0;
      op.subscription = subscription_name(c);
      const OpIndex poll = c.record(op);
      for (PolledMessage& r : answer.messages) {
        Op d;
        d.kind = OpKind::deliver;
        d.outcome = Outcome::ok;
        d.of = poll;
        d.flags = r.flags;
        d.attempt = r.attempt;
        d.place = r.place;
        d.key = r.key;
        d.subscription = op.subscription;
        d.message = r.message;
        d.position = r.position;
        d.transaction = op.transaction;
        r.op = c.record(d);
      }
    }
  } else if (has_invoke(open.kind, commits_by_place())) {
    if (names_subscription(open.kind)) op.subscription = subscription_name(c);
    c.record(op);
  } else if (open.kind == CallKind::seek && answer.outcome == Outcome::ok) {
    op.subscription = subscription_name(c);
    c.record(op);
  }
  answers_.push_back(std::move(answer));
  if (!in_app_) deliver_answers(c);
}

void ClientNode::record_assignment(Context& c, std::uint32_t place, bool given, std::int64_t position, std::uint8_t flags) {
  Op op;
  op.kind = given ? OpKind::assign : OpKind::revoke;
  op.outcome = Outcome::ok;
  op.place = place;
  op.position = position;
  op.flags = flags;
  op.subscription = subscription_name(c);
  c.record(op);
}

OpIndex ClientNode::record_commit(Context& c, std::uint32_t place, std::int64_t position, std::uint64_t transaction, std::uint32_t subscription) {
  Op op;
  op.kind = OpKind::commit;
  op.outcome = Outcome::invoke;
  op.place = place;
  op.position = position;
  op.subscription = subscription != 0 ? subscription : subscription_name(c);
  op.transaction = transaction;
  if (transaction != 0) op.flags |= op_flag::transactional;
  return c.record(op);
}

void ClientNode::record_commit_end(Context& c, OpIndex invoke, std::uint32_t place, std::int64_t position, Outcome outcome, std::uint32_t error, std::uint64_t transaction, std::uint32_t subscription) {
  Op op;
  op.kind = OpKind::commit;
  op.outcome = outcome;
  op.of = invoke;
  op.place = place;
  op.position = position;
  op.error = error;
  op.subscription = subscription != 0 ? subscription : subscription_name(c);
  op.transaction = transaction;
  if (transaction != 0) op.flags |= op_flag::transactional;
  c.record(op);
}

void ClientNode::deliver_answers(Context& c) {
  while (!answers_.empty() && !app_stands(c)) {
    std::vector<Answer> now;
    now.swap(answers_);
    AppContext a(c, *this);
    in_app_ = true;
    for (const Answer& answer : now)
      if (app_) app_->on_answer(a, answer);
    in_app_ = false;
  }
}

}  // namespace mqlab
