// The broker around its share coordinators: they come and go with the lead of a partition of __share_group_state, and
// nothing is answered before it is on all in-sync replicas.
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {
namespace {

Kind reply_of(Kind request) { return request == Kind::write_share_state ? Kind::write_share_state_reply : Kind::read_share_state_reply; }

PayloadRef refusal(Kind reply, Error e) {
  if (reply == Kind::write_share_state_reply) return make_payload<WriteShareStateReply>(e);
  return make_payload<ReadShareStateReply>(e);
}

}  // namespace

bool Broker::is_share_state(PartitionId p) const { return cluster_->topics[static_cast<std::size_t>(cluster_->partitions[p].topic)].name == share_state_topic; }

std::optional<PartitionId> Broker::share_state_of(const std::string& group, PartitionId p) const {
  return cluster_->internal_partition(share_state_topic, fmt::format("{}:{}", group, place(p)));
}

ShareSeat* Broker::share_seat(PartitionId p) {
  const auto it = std::find_if(share_.seats.begin(), share_.seats.end(), [&](const ShareSeat& s) { return s.partition == p; });
  return it == share_.seats.end() ? nullptr : &*it;
}

void Broker::take_share_seat(Context& c, PartitionId p) {
  leave_share_seat(c, p);
  ShareSeat seat;
  seat.partition = p;
  share_.seats.push_back(std::move(seat));
  c.set_timer(cluster_->settings.groups.load_time, timer_share_load, p);
}

void Broker::load_share_seat(Context& c, PartitionId p) {
  ShareSeat* seat = share_seat(p);
  if (!seat || !seat->loading) return;
  const PartitionLog& log = log_of(p);
  std::size_t records = 0;
  for (const Batch& b : log.view(log.start(), log.end())) {
    if (!b.state) continue;
    for (const GroupRecord& r : *b.state) seat->states.replay(r);
    records += b.state->size();
  }
  seat->loading = false;
  seat->loaded = log.end();
  c.mark("coordinator_loaded", place(p), fmt::format("{} records read", records));
}

void Broker::leave_share_seat(Context& c, PartitionId p) {
  const auto it = std::find_if(share_.seats.begin(), share_.seats.end(), [&](const ShareSeat& s) { return s.partition == p; });
  if (it == share_.seats.end()) return;
  const ShareSeat seat = std::move(*it);
  share_.seats.erase(it);
  for (const ShareSeat::Write& w : seat.writes) {
    if (w.timer != no_event) c.cancel_timer(w.timer);
    if (!w.gave_up) answer_share_state(c, w.to, w.reply, refusal(w.reply, Error::not_coordinator));
  }
}

void Broker::on_share_state_request(Context& c, const Waiting& from, Kind k, const PayloadRef& request) {
  const bool writes = k == Kind::write_share_state;
  const std::string& group = writes ? payload_as<WriteShareState>(request).group : payload_as<ReadShareState>(request).group;
  const PartitionId of = writes ? payload_as<WriteShareState>(request).partition : payload_as<ReadShareState>(request).partition;
  const auto p = share_state_of(group, of);
  ShareSeat* seat = p ? share_seat(*p) : nullptr;
  const auto refuse = [&](Error e) { answer_share_state(c, from, reply_of(k), refusal(reply_of(k), e)); };
  if (!seat) return refuse(Error::not_coordinator);
  if (seat->loading) return refuse(Error::coordinator_load_in_progress);
  if (!may_write(c, *p)) return refuse(Error::coordinator_not_available);
  ShareSeat::Write w;
  w.to = from;
  w.reply = reply_of(k);
  ShareStates::Outcome outcome;
  if (writes) {
    outcome = seat->states.write(payload_as<WriteShareState>(request));
    w.payload = make_payload<WriteShareStateReply>(Error::none);
  } else {
    ReadShareStateReply r;
    outcome = seat->states.read(payload_as<ReadShareState>(request), r.state);
    w.payload = make_payload<ReadShareStateReply>(std::move(r));
  }
  if (outcome.error != Error::none) return refuse(outcome.error);
  // What was written before and is not committed yet may be what this answer tells of (CoordinatorRuntime).
  w.required = seat->writes.empty() ? seat->loaded : seat->writes.back().required;
  w.number = next_number_++;
  w.timer = c.set_timer(cluster_->settings.groups.commit_timeout, timer_share_write, w.number);
  if (!outcome.records.empty()) w.required = log_of(*p).end() + static_cast<Offset>(outcome.records.size());
  seat->writes.push_back(std::move(w));
  if (!outcome.records.empty()) append_state(c, *p, std::make_shared<const std::vector<GroupRecord>>(std::move(outcome.records)));
  finish_share_writes(c, *p);
}

void Broker::finish_share_writes(Context& c, PartitionId p) {
  for (;;) {
    ShareSeat* seat = share_seat(p);
    if (!seat || seat->loading || seat->writes.empty() || seat->writes.front().required > replicas_[p].high_watermark) return;
    const ShareSeat::Write w = seat->writes.front();
    seat->writes.erase(seat->writes.begin());
    if (w.timer != no_event) c.cancel_timer(w.timer);
    if (!w.gave_up) answer_share_state(c, w.to, w.reply, w.payload);
  }
}

// share.coordinator.write.timeout.ms: who waits is refused; the record stays in the log and may yet count.
void Broker::time_out_share_write(Context& c, std::uint64_t number) {
  for (ShareSeat& seat : share_.seats)
    for (ShareSeat::Write& w : seat.writes) {
      if (w.number != number || w.gave_up) continue;
      w.gave_up = true;
      w.timer = no_event;
      const Waiting to = w.to;
      const Kind reply = w.reply;
      return answer_share_state(c, to, reply, refusal(reply, Error::coordinator_not_available));
    }
}

void Broker::answer_share_state(Context& c, const Waiting& to, Kind k, PayloadRef payload) {
  if (to.connection == no_connection) {
    share_.local.push_back({to.word, k, std::move(payload)});
    c.set_timer(0, timer_share_local);
    return;
  }
  c.send(to.connection, kind(k), std::move(payload), 64, to.word);
}

}  // namespace mqlab::kafka
