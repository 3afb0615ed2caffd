// The consumer: positions, fetches, polls; places assigned by hand. Groups: group_member.cpp, commits.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/aborted_filter.h"
#include "models/kafka/client.h"
#include "models/kafka/client_timers.h"

namespace mqlab::kafka {
Assigned* Client::find_assigned(PartitionId p) {
  for (Assigned& a : assigned_)
    if (a.partition == p) return &a;
  return nullptr;
}

void Client::add_assignment(Context& c, PartitionId p, std::int64_t position) {
  Assigned a;
  a.partition = p;
  a.place = c.names().id(place(p));
  a.position = position >= 0 ? position : no_offset;
  a.reset = position == from_end ? OffsetReset::latest : position == from_beginning ? OffsetReset::earliest : consumer_.reset;
  // Without a position of its own it begins where its group stands, if it names one.
  a.wants_committed = position == -1 && !consumer_.group.empty();
  assigned_.push_back(a);
  if (!a.wants_committed) record_assignment(c, a.place, true, position, op_flag::assigned);
}

void Client::pause_call(Context& c, const Call& call) {
  PartitionId p = 0;
  Assigned* a = cluster_->partition(c.names().text(call.place), p) ? find_assigned(p) : nullptr;
  if (!a) return complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
  a->paused = call.kind == CallKind::pause;
  complete(c, call.id, Answer{});
}

// "orders" takes every partition, and those that come later; "orders/0" one.
void Client::assign_call(Context& c, const Call& call) {
  const std::string text = c.names().text(call.place);
  if (!consumes_) return complete(c, call.id, outcome(c, Outcome::fail, Error::invalid_request));
  if (const TopicSettings* t = cluster_->topic(text)) {
    assigned_topics_.push_back(static_cast<std::int32_t>(t - cluster_->topics.data()));
    for (std::int32_t n = 0; n < t->partitions; ++n)
      if (!find_assigned(t->first + static_cast<PartitionId>(n))) add_assignment(c, t->first + static_cast<PartitionId>(n), call.position);
    return complete(c, call.id, Answer{});
  }
  PartitionId p = 0;
  if (!cluster_->partition(text, p)) return complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
  if (!find_assigned(p)) add_assignment(c, p, call.position);
  complete(c, call.id, Answer{});
}

void Client::seek_call(Context& c, const Call& call) {
  PartitionId p = 0;
  Assigned* a = cluster_->partition(c.names().text(call.place), p) ? find_assigned(p) : nullptr;
  if (!a) return complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
  a->position = call.position >= 0 ? call.position : no_offset;
  a->position_epoch = a->validated = no_leader_epoch;
  const bool to_committed = call.position == -1 && !consumer_.group.empty();
  a->sought = a->wants_committed = to_committed;
  a->asked_committed = a->asked_committed && to_committed;
  if (to_committed) a->reset = consumer_.reset;
  else if (call.position < 0) a->reset = call.position == from_end ? OffsetReset::latest : OffsetReset::earliest;
  a->failed = false;
  buffer_.erase(std::remove_if(buffer_.begin(), buffer_.end(), [&](const BufferedRecord& r) { return r.partition == p; }), buffer_.end());
  if (to_committed) {
    seeks_.emplace_back(call.id, p);
    return;
  }
  Answer answer;
  answer.position = call.position;
  complete(c, call.id, std::move(answer));
}

// committed(), then seek: done when the coordinator has said where the group stands, which it does not while an open
// transaction may change it (require_stable).
void Client::end_seeks(Context& c) {
  for (std::size_t i = 0; i < seeks_.size();) {
    const auto [call, p] = seeks_[i];
    const Assigned* a = find_assigned(p);
    if (a && a->wants_committed) {
      ++i;
      continue;
    }
    seeks_.erase(seeks_.begin() + static_cast<std::ptrdiff_t>(i));
    Answer answer = a ? Answer{} : outcome(c, Outcome::fail, Error::unknown_topic_or_partition);
    if (a) answer.position = a->position;
    complete(c, call, std::move(answer));
  }
}

void Client::end_offset_call(Context& c, const Call& call) {
  PartitionId p = 0;
  if (!cluster_->partition(c.names().text(call.place), p)) return complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
  end_offset_calls_.emplace_back(call, p);
}

void Client::poll_call(Context& c, const Call& call) {
  if (shares()) return share_poll_call(c, call);
  if (!consumes_ || poll_ != 0) return complete(c, call.id, outcome(c, Outcome::fail, Error::invalid_request));
  poll_ = call.id;
  poll_count_ = call.count;
  // Who polls on after such an error joins again, and may throw out who threw it out (seen with 4.3.1, where each of two
  // instances is told in turn); a member by KIP-848 stays out.
  if (consumer_.protocol == GroupProtocol::classic && group_.fatal_told) group_.fatal = Error::none;
  group_.poll_deadline = c.now() + consumer_.max_poll_interval;
  poll_timer_ = c.set_timer(call.timeout, timer_poll, call.id);
}

// Hands over what was fetched, or an error that only the application can deal with.
void Client::answer_poll(Context& c, bool timed_out) {
  if (!in_poll(c)) return;
  if (shares()) return share_answer_poll(c, timed_out);
  const bool told_to_go = !group_.news.revoked.empty() || !group_.news.lost.empty();
  if (group_.fatal != Error::none && poll_error_ == Error::none) poll_error_ = group_.fatal;
  // Inside a rebalance nothing is handed out but what the rebalance says.
  const bool anything = !told_to_go && std::any_of(buffer_.begin(), buffer_.end(), [&](const BufferedRecord& r) {
    const Assigned* a = find_assigned(r.partition);
    return a && !a->paused && !a->revoking && r.offset >= a->position;
  });
  if (!anything && !told_to_go && !timed_out && poll_error_ == Error::none) return;
  if (poll_timer_ != no_event) c.cancel_timer(poll_timer_);
  poll_timer_ = no_event;
  const CallId id = poll_;
  poll_ = 0;
  if (poll_error_ != Error::none) {
    Answer a = outcome(c, Outcome::fail, poll_error_);
    group_.fatal_told = group_.fatal != Error::none;
    if (!group_.fatal_told) a.place = c.names().id(place(poll_error_partition_));
    poll_error_ = Error::none;
    return complete(c, id, std::move(a));
  }
  Answer answer;
  answer.rebalance = std::move(group_.news);
  group_.news = Rebalance{};
  const auto most = static_cast<std::size_t>(poll_count_ > 0 ? std::min<std::int64_t>(poll_count_, consumer_.max_poll_records) : consumer_.max_poll_records);
  std::deque<BufferedRecord> kept;
  while (anything && !buffer_.empty() && answer.messages.size() < most) {
    const BufferedRecord r = buffer_.front();
    buffer_.pop_front();
    Assigned* a = find_assigned(r.partition);
    if (!a || r.offset < a->position) continue;
    if (a->paused || a->revoking) {
      kept.push_back(r);
      continue;
    }
    a->position = r.next;
    a->position_epoch = r.epoch;
    PolledMessage m;
    m.place = a->place;
    m.key = static_cast<std::uint32_t>(r.record.key);
    m.message = r.record.message;
    m.position = r.offset;
    m.tombstone = r.record.tombstone;
    if (cluster_->holds_dead_letters(r.partition)) m.flags |= op_flag::dead_letter;
    if (consumer_.read_committed) m.flags |= op_flag::read_committed;
    answer.messages.push_back(m);
  }
  buffer_.insert(buffer_.begin(), kept.begin(), kept.end());
  complete(c, id, std::move(answer));
}

// ---------------------------------------------------------------------------------------------
// Fetching: first a position, then (KIP-320) whether it still means what it meant, then records.

void Client::fetch(Context& c) {
  if (shares()) return share_work(c);
  for (Assigned& a : assigned_) check_read_replica(c, a);
  for (BrokerId b = 1; b <= static_cast<BrokerId>(cluster_->brokers.size()); ++b) {
    if (in_flight(Purpose::fetch, b)) continue;
    ListOffsets lookups;
    OffsetForLeaderEpoch questions;
    FetchRequest fetches;
    for (const auto& [call, p] : end_offset_calls_)
      if (leader_of(p) == b) lookups.questions.push_back({p, metadata_[p].leader_epoch, latest_timestamp});
    for (Assigned& a : assigned_) {
      if (leader_of(a.partition) == no_broker) {
        want_metadata(c);
        continue;
      }
      const LeaderEpoch epoch = metadata_[a.partition].leader_epoch;
      const bool unvalidated = consumer_.position_validation && a.position_epoch != no_leader_epoch && a.validated < epoch;
      // Questions are the leader's to answer; to fetch from it may have named another (KIP-392).
      const bool asks = a.position == no_offset || unvalidated;
      if ((asks || a.reads_from == no_broker ? leader_of(a.partition) : a.reads_from) != b) continue;
      if (a.failed || a.wants_committed || a.revoking || (a.paused && a.position != no_offset)) continue;
      if (a.retry_at > c.now()) {
        wake_at(c, a.retry_at);
        continue;
      }
      if (a.position == no_offset) {
        if (a.reset == OffsetReset::none) reset_position(c, a, Error::offset_out_of_range);
        else lookups.questions.push_back({a.partition, epoch, a.reset == OffsetReset::earliest ? earliest_timestamp : latest_timestamp});
        continue;
      }
      if (unvalidated) {
        questions.questions.push_back({a.partition, epoch, a.position_epoch});
        continue;
      }
      // What was fetched and not polled yet comes first.
      if (std::any_of(buffer_.begin(), buffer_.end(), [&](const BufferedRecord& r) { return r.partition == a.partition; })) continue;
      // A position of which no epoch is known has nothing to be compared; what is read from here on belongs to this
      // leader (SubscriptionState.FetchPosition.currentLeader), and is compared with the next one.
      if (a.position_epoch == no_leader_epoch) a.validated = epoch;
      FetchPartition f;
      f.partition = a.partition;
      f.current_leader_epoch = epoch;
      f.fetch_offset = a.position;
      fetches.partitions.push_back(f);
    }
    if (lookups.questions.empty() && questions.questions.empty() && fetches.partitions.empty()) continue;
    if (!can_connect(c, Purpose::fetch, b)) continue;
    if (!lookups.questions.empty()) {
      lookups.read_committed = consumer_.read_committed;
      request(c, Purpose::fetch, b, Kind::list_offsets, make_payload<ListOffsets>(std::move(lookups)), 64, consumer_.request_timeout);
    } else if (!questions.questions.empty()) {
      request(c, Purpose::fetch, b, Kind::offset_for_leader_epoch, make_payload<OffsetForLeaderEpoch>(std::move(questions)), 64, consumer_.request_timeout);
    } else {
      fetches.max_wait = consumer_.fetch_wait;
      fetches.min_bytes = consumer_.fetch_min_bytes;
      fetches.rack = consumer_.rack;
      fetches.read_committed = consumer_.read_committed;
      request(c, Purpose::fetch, b, Kind::fetch, make_payload<FetchRequest>(std::move(fetches)), 64, consumer_.request_timeout);
    }
  }
}

void Client::fetch_failed(Context& c, const Request& r) {
  const auto rest = [&](PartitionId p) {
    if (Assigned* a = find_assigned(p)) a->retry_at = c.now() + consumer_.retry_backoff;
  };
  if (r.kind == Kind::fetch)
    for (const FetchPartition& f : payload_as<FetchRequest>(r.payload).partitions) {
      rest(f.partition);
      // AbstractFetch.handleFetchFailure (KAFKA-14379).
      if (Assigned* a = find_assigned(f.partition)) read_from_leader(c, *a, "no answer");
    }
  else if (r.kind == Kind::list_offsets)
    for (const OffsetQuestion& q : payload_as<ListOffsets>(r.payload).questions) rest(q.partition);
  else if (r.kind == Kind::offset_for_leader_epoch)
    for (const EpochQuestion& q : payload_as<OffsetForLeaderEpoch>(r.payload).questions) rest(q.partition);
}

// No position, or one that is gone: auto.offset.reset decides, or the application is told.
void Client::reset_position(Context& c, Assigned& a, Error why) {
  if (consumer_.reset == OffsetReset::none) {
    a.failed = true;
    poll_error_ = why;
    poll_error_partition_ = a.partition;
    return;
  }
  c.mark("position_reset", place(a.partition), fmt::format("{} at {}: back to the {}", name(why), a.position, consumer_.reset == OffsetReset::earliest ? "earliest" : "latest"));
  a.position = no_offset;
  a.position_epoch = a.validated = no_leader_epoch;
  a.reset = consumer_.reset;
}

void Client::on_fetch_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  peer(r.purpose, r.broker).backoff = 0;
  const auto& asked = payload_as<FetchRequest>(r.payload);
  const auto& reply = payload_as<FetchReply>(m.payload);
  throttle(c, r, reply.throttle, consumer_.honours_throttle);
  for (std::size_t i = 0; i < reply.partitions.size() && i < asked.partitions.size(); ++i) {
    const FetchedPartition& got = reply.partitions[i];
    Assigned* a = find_assigned(got.partition);
    if (!a || a->position != asked.partitions[i].fetch_offset) continue;
    if (got.error == Error::none) {
      if (got.preferred_read_replica != no_broker) read_from(c, *a, got.preferred_read_replica);
      AbortedFilter aborted(got.aborted);
      for (const Batch& b : got.batches) {
        // Markers are never shown, to nobody; positions go over them.
        if ((consumer_.read_committed && aborted.hides(b)) || b.control != Control::none) continue;
        for (std::int32_t k = 0; k < b.held(); ++k)
          if (b.offset_of(k) >= a->position) buffer_.push_back({got.partition, b.offset_of(k), b.offset_of(k) + 1, b.leader_epoch, b.record(k)});
      }
      // CompletedFetch: the batch tells where it ended even when its last records are gone, or a reader would ask for
      // it for ever.
      if (got.batches.empty()) continue;
      const Batch& last = got.batches.back();
      if (!buffer_.empty() && buffer_.back().partition == got.partition) buffer_.back().next = last.next_offset();
      else if (last.next_offset() > a->position) {
        a->position = last.next_offset();
        a->position_epoch = last.leader_epoch;
      }
    } else if (got.error == Error::offset_out_of_range) {
      // FetchCollector.handleInitializeErrors: a follower may begin later, or end earlier, than its leader. Who keeps that
      // in mind asks the leader, and resets only when it says so as well.
      const bool of_follower = a->reads_from != no_broker;
      if (of_follower) c.mark("follower_out_of_range", place(got.partition), fmt::format("B{} has no {}", a->reads_from, a->position));
      read_from_leader(c, *a, name(got.error));
      if (!of_follower || !consumer_.out_of_range_asks_leader) reset_position(c, *a, got.error);
    } else {
      if (got.error != Error::corrupt_message) want_metadata(c);
      // FetchUtils.requestMetadataUpdate (KAFKA-14379).
      if (got.error != Error::corrupt_message && got.error != Error::unknown_leader_epoch) read_from_leader(c, *a, name(got.error));
      a->retry_at = c.now() + consumer_.retry_backoff;
    }
  }
}

void Client::on_list_offsets_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  for (const OffsetAnswer& answer : payload_as<ListOffsetsReply>(m.payload).answers) {
    if (answer.error != Error::none) {
      want_metadata(c);
      if (Assigned* a = find_assigned(answer.partition)) a->retry_at = c.now() + consumer_.retry_backoff;
      continue;
    }
    for (std::size_t i = 0; i < end_offset_calls_.size(); ++i) {
      if (end_offset_calls_[i].second != answer.partition) continue;
      Answer a;
      a.position = answer.offset;
      const CallId id = end_offset_calls_[i].first.id;
      end_offset_calls_.erase(end_offset_calls_.begin() + static_cast<std::ptrdiff_t>(i));
      complete(c, id, std::move(a));
      break;
    }
    Assigned* a = find_assigned(answer.partition);
    if (!a || a->position != no_offset) continue;
    a->position = answer.offset;
    a->position_epoch = answer.leader_epoch;
    a->validated = metadata_[answer.partition].leader_epoch;
    record_reset(c, *a);
  }
}

// The position was found by the client's own rules, not by the application's will: a reader of the
// history must be able to tell the two apart.
void Client::record_reset(Context& c, const Assigned& a) {
  Op op;
  op.kind = OpKind::seek;
  op.outcome = Outcome::ok;
  op.flags = op_flag::by_policy;
  op.place = a.place;
  op.position = a.position;
  op.subscription = c.names().id(subscription().empty() ? c.name(c.self()) : subscription());
  c.record(op);
}

// SubscriptionState.maybeCompleteValidation: the log was cut below what this consumer had read.
void Client::on_epoch_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  const auto& asked = payload_as<OffsetForLeaderEpoch>(r.payload);
  const auto& reply = payload_as<OffsetForLeaderEpochReply>(m.payload);
  for (std::size_t i = 0; i < reply.answers.size() && i < asked.questions.size(); ++i) {
    const EpochAnswer& answer = reply.answers[i];
    Assigned* a = find_assigned(answer.partition);
    if (!a || a->position == no_offset || a->position_epoch != asked.questions[i].epoch) continue;
    if (answer.error != Error::none) {
      want_metadata(c);
      a->retry_at = c.now() + consumer_.retry_backoff;
      continue;
    }
    a->validated = asked.questions[i].current_leader_epoch;
    if (answer.end.defined() && answer.end.end >= a->position && answer.end.epoch == a->position_epoch) continue;
    const Offset parts = answer.end.defined() ? std::min(answer.end.end, a->position) : no_offset;
    if (parts == a->position) continue;
    c.mark("log_truncation_detected", place(answer.partition), fmt::format("the log was cut to {} below the position {}", parts, a->position));
    buffer_.erase(std::remove_if(buffer_.begin(), buffer_.end(), [&](const BufferedRecord& b) { return b.partition == answer.partition; }), buffer_.end());
    if (consumer_.reset == OffsetReset::none || parts == no_offset) {
      reset_position(c, *a, Error::log_truncation);
    } else {
      a->position = parts;
      a->position_epoch = answer.end.epoch;
      record_reset(c, *a);
    }
  }
}

}  // namespace mqlab::kafka
