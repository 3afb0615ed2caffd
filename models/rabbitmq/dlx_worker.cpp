// The worker beside a quorum queue's leader that hands dead letters on at least once.
//
// The queue keeps a dead letter until every queue that it goes to has confirmed it. One that goes nowhere, or is
// refused, or is not confirmed in time is sent again, for ever; it counts against the queue's limit meanwhile.
// Source: rabbit_fifo_dlx_worker; docs quorum-queues.
#include <fmt/format.h>

#include <utility>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/dead_letter.h"

namespace mqlab::rabbitmq {
namespace {

constexpr Duration settle_timeout = 180'000'000'000;  // ?SETTLE_TIMEOUT

}  // namespace

void Broker::start_dlx_worker(Context& c, const std::string& queue) {
  if (!queue_options(durable_.queues.at(queue).spec, cluster_->settings.rules).at_least_once) return;
  DlxWorker w;
  w.id = channel_id(c.self(), ++durable_.channels);
  dlx_workers_[queue] = std::move(w);
  host_.submit(c, queue, no_channel, DlxCheckout{});
}

void Broker::on_dlx_deliver(Context& c, const std::string& queue, const DlxDeliver& d) {
  dlx_workers_[queue].pending[d.id] = {d.content, d.reason, {}, false};
  send_dead_letter(c, queue, d.id);
}

void Broker::send_dead_letter(Context& c, const std::string& queue, DeliveryId id) {
  DlxWorker& w = dlx_workers_.at(queue);
  DlxWorker::Pending& p = w.pending.at(id);
  const QueueOptions options = queue_options(durable_.queues.at(queue).spec, cluster_->settings.rules);
  const ContentRef again = dead_lettered(*p.content, {queue, p.reason, c.wall()}, *options.dead_letter_exchange, options.dead_letter_routing_key, cluster_->settings.rules);
  const std::vector<std::string> targets = without_cycles(*again, p.reason, durable_.routing.route(*again));
  p.waits_for = {targets.begin(), targets.end()};
  c.set_timer(settle_timeout, timer_dlx, static_cast<std::uint64_t>(durable_.queues.at(queue).file) << 32 | id);
  if (targets.empty()) {
    c.mark("dead_letter_kept", queue, fmt::format("{} goes nowhere: it is tried again", c.world().journal.message_name(p.content->message)));
    return;
  }
  if (!std::exchange(p.noted, true)) note_left(c, queue, *p.content, p.reason);
  c.mark("message_dead_lettered", queue, fmt::format("{} ({})", c.world().journal.message_name(p.content->message), name(p.reason)));
  for (const std::string& q : targets) {
    QueueOp op{.kind = QueueOp::Kind::publish, .queue = q, .channel = w.id, .publish = {w.id, id}, .content = again};
    // A quorum queue numbers what a sender tells it: the worker keeps its own count for each.
    if (queue_type(durable_.queues.at(q).spec) == QueueType::quorum) {
      op.publish.number = ++w.sent[q];
      w.numbers[q][op.publish.number] = id;
    }
    ask(std::move(op));
  }
}

// True when the event was for a worker.
bool Broker::on_dlx_event(Context& c, const QueueEvent& e) {
  for (auto& [queue, w] : dlx_workers_) {
    if (w.id != e.channel) continue;
    const auto* confirmed = std::get_if<Confirm>(&e.what);
    if (!confirmed) return true;  // refused: its time will come again
    DeliveryId id = confirmed->publish.number;
    if (const auto numbers = w.numbers.find(e.queue); numbers != w.numbers.end()) {
      id = numbers->second.count(id) ? numbers->second.at(id) : 0;
      numbers->second.erase(confirmed->publish.number);
    }
    const auto p = w.pending.find(id);
    if (p == w.pending.end() || p->second.waits_for.erase(e.queue) == 0 || !p->second.waits_for.empty()) return true;
    w.pending.erase(p);
    host_.submit(c, queue, no_channel, DlxSettle{{id}});
    return true;
  }
  return false;
}

void Broker::on_dlx_timer(Context& c, std::uint64_t argument) {
  const std::string* name = queue_of_file(static_cast<FileId>(argument >> 32));
  if (!name) return;
  const std::string queue = *name;
  const auto w = dlx_workers_.find(queue);
  const DeliveryId id = argument & 0xffffffff;
  if (w != dlx_workers_.end() && w->second.pending.count(id)) send_dead_letter(c, queue, id);
}

}  // namespace mqlab::rabbitmq
