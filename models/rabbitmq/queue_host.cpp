// The queues that live on this node: operations in, effects carried out, files, timers.
#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {

const char* name(QueueOp::Kind k) {
  static constexpr const char* names[] = {"publish", "enlist", "consume", "cancel", "get", "ack", "requeue", "discard", "resume", "channel_down", "purge", "status", "remove", "store-offset", "query-offset", "query-publisher", "consumer-update"};
  return names[static_cast<std::size_t>(k)];
}

bool is_call(QueueOp::Kind k) {
  using Do = QueueOp::Kind;
  return k == Do::consume || k == Do::get || k == Do::purge || k == Do::status || k == Do::remove || k == Do::query_offset || k == Do::query_publisher;
}

namespace {

using Do = QueueOp::Kind;

void note_gone(Context& c, const Cluster& cluster, const QueuePlan& plan, const Content& content, DeathReason reason, std::uint8_t flags) {
  Op op;
  op.kind = OpKind::ack;
  op.outcome = Outcome::ok;
  op.flags = flags;
  op.place = c.names().id(cluster.topic(plan.topic)->place(plan.partition));
  op.key = content.key;
  op.message = content.message;
  op.error = c.names().id(name(reason));
  if ((flags & op_flag::dead_letter) && !plan.subscription.empty()) op.subscription = c.names().id(plan.subscription);
  c.record(op);
}

// What an operator deletes with conditions; nothing: it may go.
MaybeError refuse_delete(const QueueOp& op, std::int64_t ready, std::int64_t consumers) {
  if (op.if_unused && consumers > 0) return precondition_failed(resource_text("queue", op.queue) + " in use");
  if (op.if_empty && ready > 0) return precondition_failed(resource_text("queue", op.queue) + " not empty");
  return {};
}

}  // namespace

void Broker::on_op(Context& c, QueueOp op) {
  const auto record = durable_.queues.find(op.queue);
  if (record == durable_.queues.end()) {
    // The queue was deleted: a publish counts as done, a question is answered, the rest means nothing.
    if (op.kind == Do::publish && op.publish.channel != no_channel) events_.push_back({op.publish.channel, op.queue, Confirm{op.publish}});
    else if (is_call(op.kind) && op.channel != no_channel) answer(op, {.error = not_found("no " + resource_text("queue", op.queue))});
    return;
  }
  const std::string queue = op.queue;
  const bool quorum = host_.has(queue);
  if (!quorum && record->second.broker != index_) return forward(c, op, record->second.broker);
  if (op.kind == Do::remove) {
    const std::int64_t ready = ready_count(queue);
    const MaybeError e = refuse_delete(op, ready, consumer_count(queue));
    if (op.channel != no_channel) answer(op, {.error = e, .messages = ready});
    if (!e) delete_queue(c, queue);
    return;
  }
  if (!quorum && wait_turn(c, op)) return;
  process_op(c, op);
}

// The queue's process looks at it.
void Broker::process_op(Context& c, const QueueOp& op) {
  const std::string queue = op.queue;
  const auto record = durable_.queues.find(queue);
  const bool quorum = host_.has(queue);
  if (op.kind == Do::status) {
    const bool stream = queue_type(record->second.spec) == QueueType::stream;
    answer(op, {.messages = stream && op.declared ? 0 : ready_count(queue), .consumers = consumer_count(queue)});
  }
  if (quorum) return quorum_op(c, op);
  if (!processes_.count(queue)) return refuse_op(op);  // a mirrored queue whose leader waits for the others
  QueueProcess& p = processes_.at(queue);
  QueueEffects out;
  if (auto* q = std::get_if<ClassicQueue>(&p.machine)) {
    if (op.kind == Do::publish && op.channel != no_channel) grant_credit(queue, p, op.channel);
    if (op.kind == Do::channel_down) p.taken.erase(op.channel);
    classic_op(c, op, *q, out);
  }
  else stream_op(c, op, record->second, p, out);
  carry_out(c, queue, out);
  set_queue_timer(c, queue);
}

void Broker::classic_op(Context& c, const QueueOp& op, ClassicQueue& q, QueueEffects& out) {
  const Time now = c.wall();
  switch (op.kind) {
    case Do::publish: return q.publish(op.publish, op.content, now, limiter_, out);
    case Do::enlist: return answer(op, {});
    case Do::consume: {
      const MaybeError error = q.consume(op.consumer, now, limiter_, out);
      if (!op.again) answer(op, {.error = error});
      else if (error) out.push_back(CancelConsumer{op.consumer.key});
      return;
    }
    case Do::cancel: return q.cancel(op.consumer.key, now, limiter_, out);
    case Do::get: return q.get(op.channel, op.no_ack, now, limiter_, out);
    case Do::ack: return q.ack(op.channel, op.ids, now, limiter_, out);
    case Do::requeue: return q.requeue(op.channel, op.ids, now, limiter_, out);
    case Do::discard: return q.discard(op.channel, op.ids, now, limiter_, out);
    case Do::resume: return q.resume(op.channel, now, limiter_, out);
    case Do::channel_down: return q.channel_down(op.channel, now, limiter_, out);
    case Do::purge: return answer(op, {.messages = q.purge(now, out)});
    case Do::status:
      if (op.declared) q.redeclared(now);
      return;
    case Do::query_offset:
    case Do::query_publisher: return answer(op, {.messages = -1});
    default: return;
  }
}

// A quorum queue does nothing before a majority has it on disk.
void Broker::quorum_op(Context& c, const QueueOp& op) {
  switch (op.kind) {
    case Do::publish: return submit(c, op, Enqueue{op.publish.channel, op.publish.number, op.content});
    case Do::enlist: return submit(c, op, RegisterEnqueuer{op.channel});
    case Do::consume: return submit(c, op, Checkout{op.consumer});
    case Do::cancel: return submit(c, op, Cancel{op.consumer.key});
    case Do::get: return submit(c, op, Dequeue{op.consumer.key, op.no_ack});
    case Do::ack: return submit(c, op, Settle{op.consumer.key, op.ids});
    case Do::requeue: return submit(c, op, Return{op.consumer.key, op.ids, op.failed});
    case Do::discard: return submit(c, op, Discard{op.consumer.key, op.ids});
    case Do::channel_down:
      host_.forget(op.queue, op.channel);
      return host_.submit(c, op.queue, no_channel, ChannelDown{op.channel});
    case Do::purge: return submit(c, op, Purge{});
    case Do::query_offset:
    case Do::query_publisher: return answer(op, {.messages = -1});
    default: return;
  }
}

void Broker::submit(Context& c, const QueueOp& op, QuorumCommand command) {
  std::uint64_t ticket = 0;
  if (is_call(op.kind) || op.kind == Do::enlist) {
    ticket = next_ticket_++;
    tickets_[ticket] = op;
  }
  host_.submit(c, op.queue, op.channel, std::move(command), ticket);
}

void Broker::on_news(Context& c, const QuorumNews& news) {
  if (const auto* e = std::get_if<QuorumEffect>(&news)) {
    if (durable_.queues.count(e->queue)) carry_out(c, e->queue, {e->effect});
  } else if (const auto* a = std::get_if<QuorumAnswer>(&news)) {
    on_quorum_answer(c, *a);
  } else {
    const auto& l = std::get<QuorumLeader>(news);
    dlx_workers_.erase(l.queue);
    if (l.leader != c.self() || !durable_.queues.count(l.queue)) return;
    c.mark("leader_elected", l.queue, c.name(c.self()));
    start_dlx_worker(c, l.queue);
  }
}

void Broker::on_quorum_answer(Context& c, const QuorumAnswer& a) {
  const auto it = tickets_.find(a.ticket);
  if (it == tickets_.end()) return;
  const QueueOp asked = std::move(it->second);
  tickets_.erase(it);
  if (asked.kind == Do::get) {
    if (a.reply.kind == QuorumReply::Kind::locked)
      answer(asked, {.error = resource_locked(fmt::format("cannot obtain access to locked {}. basic.get operations are not supported by quorum queues with single active consumer", resource_text("queue", a.queue)))});
    return;  // a message, or that there is none, is told by an effect
  }
  answer(asked, {.messages = a.reply.count, .rejects = a.reply.kind == QuorumReply::Kind::reject_publish});
  (void)c;
}

// Reading changes nothing; settling, of whatever kind, gives credit.
void Broker::stream_op(Context& c, const QueueOp& op, QueueRecord& record, QueueProcess& p, QueueEffects& out) {
  auto& s = std::get<StreamQueue>(p.machine);
  switch (op.kind) {
    case Do::publish: {
      const StreamPublish one{op.publish, op.content, op.publisher, op.publishing_id};
      const std::int64_t before = s.next();
      s.append(std::span(&one, 1), c.wall(), out);
      if (s.next() == before) c.mark("publish_left_out", op.queue, fmt::format("{}: {} of '{}' has been seen", c.world().journal.message_name(op.content->message), op.publishing_id, op.publisher));
      if (!s.chunks().empty()) record.chunks = s.chunks();
      c.write(record.file, s.next(), op.content->size);
      return s.commit(s.next(), out);
    }
    case Do::consume:
      answer(op, {});
      return s.consume(op.consumer, *stream_offset(op.consumer.args, c.wall()), out);
    case Do::cancel: return s.cancel(op.consumer.key, out);
    case Do::consumer_update: return s.updated(op.consumer.key, *stream_offset(op.consumer.args, c.wall()), out);
    case Do::query_offset: return answer(op, {.messages = s.stored_offset(op.reference).value_or(-1)});
    case Do::query_publisher: {
      const auto id = s.last_publishing_id(op.reference);
      return answer(op, {.messages = id ? static_cast<std::int64_t>(*id) : -1});
    }
    case Do::store_offset:
      s.store_offset(op.reference, op.offset, c.wall());
      record.chunks = s.chunks();
      c.write(record.file, s.next(), 64);
      return s.commit(s.next(), out);
    case Do::ack:
    case Do::requeue:
    case Do::discard: return s.credit(op.consumer.key, static_cast<std::uint32_t>(op.ids.size()), out);
    case Do::channel_down: return s.channel_down(op.channel, out);
    default: return;
  }
}

void Broker::carry_out(Context& c, const std::string& queue, const QueueEffects& effects) {
  if (MirrorRole* role = leader_role(queue)) pass_on(c, queue, *role, effects);
  else perform(c, queue, effects);
}

void Broker::perform(Context& c, const std::string& queue, const QueueEffects& effects) {
  bool wrote = false;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    const QueueEffect& e = effects[i];
    if (const auto* d = std::get_if<Deliver>(&e)) {
      events_.push_back({d->consumer.channel, queue, *d});
    } else if (const auto* x = std::get_if<GetEmpty>(&e)) {
      events_.push_back({x->channel, queue, *x});
    } else if (const auto* x = std::get_if<Confirm>(&e)) {
      if (x->publish.channel != no_channel) events_.push_back({x->publish.channel, queue, *x});
    } else if (const auto* x = std::get_if<Reject>(&e)) {
      if (x->publish.channel == no_channel) continue;
      c.mark("publish_rejected", queue, "the queue is full");
      events_.push_back({x->publish.channel, queue, *x});
    } else if (const auto* x = std::get_if<PublisherStatus>(&e)) {
      events_.push_back({x->channel, queue, *x});
    } else if (const auto* x = std::get_if<TimedOut>(&e)) {
      events_.push_back({x->consumer.channel, queue, *x});
    } else if (const auto* x = std::get_if<DlxDeliver>(&e)) {
      on_dlx_deliver(c, queue, *x);
    } else if (const auto* x = std::get_if<DeadLetter>(&e)) {
      dead_letter(c, queue, *x);
    } else if (const auto* x = std::get_if<Dropped>(&e)) {
      if (i + 1 < effects.size() && std::holds_alternative<Reject>(effects[i + 1])) continue;  // its publisher is told
      c.mark("message_dropped", queue, fmt::format("{} ({})", c.world().journal.message_name(x->content->message), name(x->reason)));
      if (x->refused && !x->content->deaths.empty()) continue;  // a dead letter that never was in this queue
      note_taken(c, queue, *x->content, x->reason);
    } else if (const auto* x = std::get_if<CancelConsumer>(&e)) {
      events_.push_back({x->consumer.channel, queue, *x});
    } else if (const auto* x = std::get_if<ConsumerUpdate>(&e)) {
      if (x->active) c.mark("single_active_consumer", queue, x->consumer.tag);
      events_.push_back({x->consumer.channel, queue, *x});
    } else if (const auto* x = std::get_if<ActiveConsumer>(&e)) {
      if (x->active) c.mark("single_active_consumer", queue, x->consumer.tag);
    } else if (const auto* x = std::get_if<DeleteQueue>(&e)) {
      c.mark("queue_deleted", queue, x->why);
      ask({.kind = Do::remove, .queue = queue});
    } else if (const auto* x = std::get_if<WriteStore>(&e)) {
      QueueRecord& r = durable_.queues.at(queue);
      if (!r.spec.durable) continue;
      r.store.push_back(x->record);
      const auto bytes = x->record.kind == StoreRecord::Kind::publish ? x->record.content->size + 64 : 16;
      if (c.write(r.file, static_cast<std::int64_t>(r.store.size()), bytes) == DiskResult::ok) wrote = true;
      else no_space(c);
    }
  }
  if (wrote) store_written(c, queue);
}

// A message that a queue's declared limits took: the history says so. What a consumer rejected it has seen.
void Broker::note_taken(Context& c, const std::string& queue, const Content& content, DeathReason reason) {
  const QueuePlan* plan = cluster_->queue(queue);
  if (!plan || content.message == no_message || reason == DeathReason::rejected) return;
  note_gone(c, *cluster_, *plan, content, reason, op_flag::by_policy);
}

// A message on its way to a dead-letter exchange, in the name of those whose queue it leaves.
void Broker::note_left(Context& c, const std::string& queue, const Content& content, DeathReason reason) {
  const QueuePlan* plan = cluster_->queue(queue);
  if (plan && content.message != no_message) note_gone(c, *cluster_, *plan, content, reason, op_flag::by_policy | op_flag::dead_letter);
}

// Records are in the page cache: told at once, or (3.10) when the device has them too.
void Broker::store_written(Context& c, const std::string& queue) {
  const auto it = processes_.find(queue);
  if (it == processes_.end()) return;
  QueueProcess& p = it->second;
  const QueueRecord& r = durable_.queues.at(queue);
  if (cluster_->settings.classic_fsync) {
    if (!p.sync_asked) c.sync_later(r.file);
    p.sync_asked = true;
    return;
  }
  QueueEffects out;
  std::get<ClassicQueue>(p.machine).written(r.store.size() - p.store_base, out);
  carry_out(c, queue, out);
}

void Broker::set_queue_timer(Context& c, const std::string& queue) {
  const auto it = processes_.find(queue);
  if (it == processes_.end()) return;
  QueueProcess& p = it->second;
  Time due = time_max;
  if (const auto* q = std::get_if<ClassicQueue>(&p.machine)) due = q->next_due();
  if (due == p.timer_due) return;
  if (p.timer != no_event) c.cancel_timer(p.timer);
  p.timer = no_event;
  p.timer_due = due;
  if (due != time_max) p.timer = c.set_timer(std::max<Duration>(0, due - c.wall()), timer_queue, durable_.queues.at(queue).file);
}

void Broker::on_queue_timer(Context& c, FileId file) {
  const std::string* name = queue_of_file(file);
  if (!name) return;
  const std::string queue = *name;
  const auto it = processes_.find(queue);
  if (it == processes_.end()) return;
  QueueProcess& p = it->second;
  p.timer = no_event;
  p.timer_due = time_max;
  if (auto* q = std::get_if<ClassicQueue>(&p.machine)) {
    QueueEffects out;
    q->tick(c.wall(), out);
    carry_out(c, queue, out);
  }
  set_queue_timer(c, queue);
}

const std::string* Broker::queue_of_file(FileId file) const {
  for (const auto& [name, r] : durable_.queues)
    if (r.file == file) return &name;
  return nullptr;
}

}  // namespace mqlab::rabbitmq
