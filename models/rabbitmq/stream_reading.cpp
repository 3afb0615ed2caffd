// Members of a group on a stream: who is active, where it begins, what it stores of how far it is.
//
// The broker says who is active. A member that becomes active asks for the offset stored under the group's name and begins
// behind it; one that steps down drops what its application has not got, stores how far it is, and says so.
// With automatic tracking the library stores what the application has settled, now and then; else the application's commits
// are what is stored. Nobody answers a store-offset: what is stored is known when somebody asks.
// Source: docs streams (offset tracking, single active consumer); rabbitmq-stream-java-client.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/rabbitmq/client.h"

namespace mqlab::rabbitmq {

bool Client::in_stream_group(const Reading& r) const { return r.stream && !setup_.consumer.group.empty(); }

// What basic.consume says of a member of a group.
void Client::add_group(Table& args, const QueuePlan& plan) const {
  args.set("single-active-consumer", true);
  args.set("name", setup_.consumer.group);
  if (cluster_->topic(plan.topic)->partitions > 1) args.set("partition-index", FieldValue(static_cast<std::int64_t>(plan.partition)));
}

void Client::on_stream_method(Context& c, const Message& m) {
  switch (static_cast<Kind>(m.kind)) {
    case Kind::stream_consumer_update: {
      const auto& u = method_as<StreamUpdate>(m.payload);
      for (Reading& r : readings_) {
        if (r.tag != u.tag) continue;
        if (!u.active) return step_down(c, r);
        r.asks = true;
        consume_wire().tell(c, consume_channel_, Kind::stream_query_offset, StreamReference{r.queue, setup_.consumer.group, -1});
      }
      break;
    }
    case Kind::stream_offset: {
      const auto& s = method_as<StreamReference>(m.payload);
      for (Reading& r : readings_)
        if (r.queue == s.queue && std::exchange(r.asks, false)) become_active(c, r, s.offset);
      break;
    }
    default: break;
  }
}

void Client::become_active(Context& c, Reading& r, std::int64_t stored) {
  r.active = true;
  r.next_offset = r.handed = r.settled = r.stored = stored < 0 ? -1 : stored + 1;
  StreamUpdate answer{r.tag, true, {}};
  if (stored >= 0) answer.from.set("x-stream-offset", FieldValue(r.next_offset));
  else answer.from.set("x-stream-offset", setup_.consumer.stream_offset);
  consume_wire().tell(c, consume_channel_, Kind::stream_consumer_update_ok, std::move(answer));
  record_assignment(c, r.place, true, r.next_offset, 0);
  rebalance_.assigned.push_back(r.place);
  if (!setup_.consumer.tracks_offsets || store_timer_) return;
  store_timer_ = true;
  c.set_timer(setup_.consumer.offset_store_interval, timer_store);
}

void Client::step_down(Context& c, Reading& r) {
  if (setup_.consumer.tracks_offsets) store_settled(c, r);
  const auto reading = static_cast<std::size_t>(&r - readings_.data());
  std::deque<Delivery> kept;
  for (Delivery& d : buffer_) {
    if (d.reading == reading) tell_settled(c, d, Kind::basic_ack, false, false);
    else kept.push_back(std::move(d));
  }
  buffer_ = std::move(kept);
  give_up(c, r);
  consume_wire().tell(c, consume_channel_, Kind::stream_consumer_update_ok, StreamUpdate{r.tag, false, {}});
}

// It is somebody else's from now on.
void Client::give_up(Context& c, Reading& r) {
  r.asks = false;
  if (!std::exchange(r.active, false)) return;
  record_assignment(c, r.place, false, -1, 0);
  std::erase(rebalance_.assigned, r.place);
  rebalance_.lost.push_back(r.place);
}

// What the library stores by itself: all that the application has settled.
void Client::store_settled(Context& c, Reading& r) {
  if (!r.active || r.settled <= r.stored || consume_channel_ == 0) return;
  const OpIndex row = record_commit(c, r.place, r.settled);
  store_offset(c, r, r.settled);
  record_commit_end(c, row, r.place, r.settled, Outcome::ok, 0);
}

// `next` is where to go on; what is stored is the last one processed.
void Client::store_offset(Context& c, Reading& r, std::int64_t next) {
  r.stored = next;
  consume_wire().tell(c, consume_channel_, Kind::stream_store_offset, StreamReference{r.queue, setup_.consumer.group, next - 1});
}

void Client::on_store_timer(Context& c) {
  store_timer_ = false;
  if (std::none_of(readings_.begin(), readings_.end(), [&](const Reading& r) { return in_stream_group(r); })) return;
  for (Reading& r : readings_)
    if (in_stream_group(r)) store_settled(c, r);
  store_timer_ = true;
  c.set_timer(setup_.consumer.offset_store_interval, timer_store);
}

// A commit by the application: of one place up to a position, or of all up to what polls have handed over.
// False: there is no stream that it could mean.
bool Client::commit_offsets(Context& c, const Call& call) {
  bool any = false;
  for (Reading& r : readings_) {
    if (!in_stream_group(r) || (call.place != 0 && call.place != r.place)) continue;
    any = true;
    const std::int64_t next = call.position >= 0 ? call.position : r.handed;
    if (next >= 1 && consume_channel_ != 0) store_offset(c, r, next);
  }
  return any;
}

void Client::note_settled(const Delivery& d) {
  if (d.record.position < 0 || d.reading >= readings_.size()) return;
  Reading& r = readings_[d.reading];
  r.settled = std::max(r.settled, d.record.position + 1);
}

}  // namespace mqlab::rabbitmq
