// The last reader of a run: what is left in queues that nobody consumes it takes, one by one, by basic.get.
//
// A queue of a group is left alone for a while, so that its consumers may come back. What it takes there it takes in
// the name of the group: it was not lost, it was kept.
#include <algorithm>
#include <utility>

#include "models/rabbitmq/client.h"
#include "sim/world/routed.h"

namespace mqlab::rabbitmq {
namespace {

constexpr Duration grace = 20'000'000'000;
constexpr Duration between_rounds = 500'000'000;

}  // namespace

void Client::start_last_reader(Context& c) {
  for (std::size_t i = 0; i < cluster_->queues.size(); ++i) {
    reader_.queues.push_back(i);
    const QueuePlan& q = cluster_->queues[i];
    if (q.subscription.empty() || cluster_->topic(q.topic)->type == QueueType::stream)
      record_assignment(c, c.names().id(cluster_->topic(q.topic)->place(q.partition)), true, -1, op_flag::assigned);
  }
  c.set_timer(grace, timer_look, 1);
  if (reader_.ready) look_at_queue(c);
}

void Client::look_at_queue(Context& c) {
  if (!reader_.ready || reader_.queues.empty()) return;
  if (reader_.at == 0) reader_.took = false;
  const QueuePlan& q = cluster_->queues[reader_.queues[reader_.at]];
  if (!q.subscription.empty() && !reader_.grace_over) return next_queue(c);
  if (cluster_->topic(q.topic)->type == QueueType::stream) {
    // It stays in the log whoever reads: this reader reads it too, once.
    auto r = std::find_if(readings_.begin(), readings_.end(), [&](const Reading& x) { return x.queue == q.spec.name; });
    if (r == readings_.end()) r = readings_.insert(r, Reading{.queue = q.spec.name, .tag = q.spec.name, .stream = true, .next_offset = 0});
    if (std::exchange(r->consuming, true)) return next_queue(c);
    BasicConsume m;
    m.queue = q.spec.name;
    m.tag = q.spec.name;
    m.args.set("x-stream-offset", FieldValue(r->next_offset));
    consume_wire().tell(c, reader_.channel, Kind::basic_qos, BasicQos{0, 1000, false});
    consume_wire().tell(c, reader_.channel, Kind::basic_consume, std::move(m));
    reader_.took = true;
    return next_queue(c);
  }
  QueueDeclare d;
  d.queue = q.spec.name;
  d.passive = true;
  consume_wire().tell(c, reader_.channel, Kind::queue_declare, std::move(d));
}

void Client::next_queue(Context& c) {
  if (++reader_.at < reader_.queues.size()) return look_at_queue(c);
  end_round(c);
  c.set_timer(between_rounds, timer_look, 0);
}

// The two sides of a partition have leaders of their own: where queues have mirrors, it looks from each node.
void Client::end_round(Context& c) {
  reader_.at = 0;
  if (reader_.took) reader_.seen.clear();
  if (!reader_.grace_over || reader_.took || reader_.done) return;
  reader_.seen.insert(consume_wire().broker());
  const bool mirrored = cluster_->settings.rules.partition_modes && std::any_of(cluster_->queues.begin(), cluster_->queues.end(), [](const QueuePlan& q) { return q.ha.mirrored(); });
  reader_.done = !mirrored || reader_.seen.size() >= cluster_->brokers.size();
  if (reader_.done) return;
  while (reader_.seen.count(cluster_->brokers[next_broker_ % cluster_->brokers.size()])) ++next_broker_;
  consume_wire().drop(c);
  receiver_lost(c, "LOOKS_ELSEWHERE");
  connect(c, setup_.link.shared_connection ? 0 : 1);
}

// A delivery in the name of those whose queue it is.
void Client::note_kept(Context& c, const QueuePlan& q, const BasicDeliver& got) {
  Op op;
  op.kind = OpKind::deliver;
  op.outcome = Outcome::ok;
  op.place = c.names().id(cluster_->topic(q.topic)->place(q.partition));
  op.message = got.content->message;
  op.key = got.content->key;
  op.subscription = q.subscription.empty() ? subscription_name(c) : c.names().id(q.subscription);
  if (const FieldValue* offset = got.headers.find("x-stream-offset")) op.position = offset->number;
  else op.flags |= op_flag::shared;
  if (got.redelivered) op.flags |= op_flag::redelivered;
  if (!got.content->deaths.empty()) op.flags |= op_flag::dead_letter;
  else if (got.exchange != q.topic) op.flags |= op_flag::routed;
  c.record(op);
}

void Client::on_last_reader_method(Context& c, const Message& m) {
  if (static_cast<std::uint16_t>(m.word) != reader_.channel) return;
  const auto get = [&] {
    consume_wire().tell(c, reader_.channel, Kind::basic_get, BasicGet{cluster_->queues[reader_.queues[reader_.at]].spec.name, true});
  };
  switch (static_cast<Kind>(m.kind)) {
    case Kind::channel_open_ok:
      reader_.ready = true;
      look_at_queue(c);
      break;
    case Kind::queue_declare_ok: {
      const auto& ok = method_as<QueueDeclareOk>(m.payload);
      if (ok.consumers > 0 || ok.messages == 0) next_queue(c);
      else get();
      break;
    }
    case Kind::basic_get_ok: {
      const auto& got = method_as<BasicDeliver>(m.payload);
      const QueuePlan& q = cluster_->queues[reader_.queues[reader_.at]];
      note_kept(c, q, got);
      reader_.took = true;
      get();
      break;
    }
    case Kind::basic_deliver: {
      const auto& got = method_as<BasicDeliver>(m.payload);
      note_kept(c, *cluster_->queue(got.tag), got);
      for (Reading& r : readings_)
        if (const FieldValue* offset = got.headers.find("x-stream-offset"); offset && r.tag == got.tag) r.next_offset = offset->number + 1;
      consume_wire().tell(c, reader_.channel, Kind::basic_ack, BasicAck{got.delivery_tag, false});
      break;
    }
    case Kind::basic_get_empty: next_queue(c); break;
    case Kind::channel_close:
      // The queue is not there: nothing is left in it.
      consume_wire().send(c, reader_.channel, Kind::channel_close_ok);
      for (Reading& r : readings_) r.consuming = false;
      consume_channel_ = 0;
      if (++reader_.at < reader_.queues.size()) {
        open_receiver(c);
        break;
      }
      end_round(c);
      c.set_timer(between_rounds, timer_reopen);
      break;
    default: break;
  }
}

}  // namespace mqlab::rabbitmq
