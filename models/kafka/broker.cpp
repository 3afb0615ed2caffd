// A broker's life: start, registration, heartbeats, metadata, the end.
#include "models/kafka/broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {
namespace {

// Requests that are answered by what the metadata says of partitions.
bool is_for_partitions(Kind k) {
  return k == Kind::produce || k == Kind::fetch || k == Kind::offset_for_leader_epoch || k == Kind::list_offsets || k == Kind::metadata ||
         k == Kind::init_producer_id || k == Kind::find_coordinator || (k >= Kind::join_group && k <= Kind::offset_fetch) ||
         k == Kind::share_fetch || k == Kind::share_acknowledge || k == Kind::write_share_state || k == Kind::read_share_state ||
         k == Kind::add_partitions_to_txn || k == Kind::add_offsets_to_txn || k == Kind::txn_offset_commit || k == Kind::end_txn ||
         k == Kind::write_txn_markers;
}

}  // namespace

Broker::Broker(ClusterRef cluster, BrokerId id, raft::Config observer) : cluster_(std::move(cluster)), id_(id), quorum_(std::move(observer)) {
  durable_.resize(cluster_->partitions.size());
  for (PartitionId p = 0; p < durable_.size(); ++p) durable_[p].log = PartitionLog(cluster_->log_options(p));
}

void Broker::on_start(Context& c) {
  replicas_.assign(cluster_->partitions.size(), Replica{});
  fetchers_.assign(cluster_->brokers.size(), Fetcher{});
  image_ = Image{};
  image_.size_for(*cluster_);
  incarnation_ = c.random().next();

  // LogLoader.recoverLog: after an unclean end everything from the recovery point on is read again, and the log ends
  // before the first batch that does not match its checksum. What lies below is trusted.
  for (PartitionId p = 0; p < durable_.size(); ++p) {
    PartitionLog& log = log_of(p);
    if (log.start() < std::exchange(durable_[p].start_before_crash, 0)) {
      c.mark("log_start_fell_back", place(p), fmt::format("{} begins at {} again: where it began had not been written down", place(p), log.start()));
    }
    const Offset before = log.end();
    const Offset after = log.recover(clean_shutdown_epoch_ != no_broker_epoch ? before : durable_[p].recovery_point);
    if (after < before) {
      c.truncate(file_of(p), after);
      c.mark("log_recovered", place(p), fmt::format("{} ends at {} instead of {}: what follows is corrupt", place(p), after, before));
    }
    replicas_[p].high_watermark = std::clamp(durable_[p].hw_checkpoint, log.start(), log.end());
    durable_[p].recovery_point = std::min(durable_[p].recovery_point, log.end());
    replicas_[p].flushed = log.end();
  }
  quorum_.start(c);
  c.set_timer(cluster_->settings.hw_checkpoint_interval, timer_hw_checkpoint);
  c.set_timer(cluster_->settings.replica_lag_max / 2, timer_shrink_isr);
  c.set_timer(600'000'000'000, timer_expire_producers);  // producer.id.expiration.check.interval.ms
  begin_housekeeping(c);
  previous_epoch_ = clean_shutdown_epoch_;  // read once in a process's life
  register_with_controller(c);
  follow_metadata(c);
}

void Broker::on_message(Context& c, const Message& m) {
  if (flushes_left_ > 0) return;
  if (quorum_.on_message(c, m)) {
    follow_metadata(c);
    work_off_unmuted(c);
    return;
  }
  for (Channel* channel : {&control_, &heartbeats_})
    if (m.connection == channel->connection) channel->unanswered_since = -1;
  // SocketServer: a channel is muted from the moment a request is read until its answer is sent, so the
  // requests of one connection are processed strictly one after the other.
  for (Muted& muted : muted_)
    if (muted.connection == m.connection) {
      muted.queue.push_back(m);
      return;
    }
  handle(c, m);
  work_off_unmuted(c);
}

void Broker::work_off_unmuted(Context& c) {
  while (!unmuted_.empty()) {
    const ConnId connection = unmuted_.front();
    unmuted_.erase(unmuted_.begin());
    std::vector<Message> queue;
    for (std::size_t i = 0; i < muted_.size(); ++i)
      if (muted_[i].connection == connection) {
        queue.swap(muted_[i].queue);
        muted_.erase(muted_.begin() + static_cast<std::ptrdiff_t>(i));
        break;
      }
    for (std::size_t i = 0; i < queue.size(); ++i) {
      handle(c, queue[i]);
      const auto again = std::find_if(muted_.begin(), muted_.end(), [&](const Muted& m) { return m.connection == connection; });
      if (again == muted_.end()) continue;
      again->queue.insert(again->queue.end(), queue.begin() + static_cast<std::ptrdiff_t>(i) + 1, queue.end());
      break;
    }
  }
}

void Broker::handle(Context& c, const Message& m) {
  if (!published_ && is_for_partitions(static_cast<Kind>(m.kind))) {
    // SocketServer.enableRequestProcessing comes last in BrokerServer.startup.
    c.close(m.connection);
    return;
  }
  switch (static_cast<Kind>(m.kind)) {
    case Kind::produce: on_produce(c, m); break;
    case Kind::fetch: on_fetch(c, m); break;
    case Kind::fetch_reply: on_fetch_reply(c, m); break;
    case Kind::offset_for_leader_epoch: on_offset_for_leader_epoch(c, m); break;
    case Kind::offset_for_leader_epoch_reply: on_epoch_reply(c, m); break;
    case Kind::list_offsets: on_list_offsets(c, m); break;
    case Kind::metadata: on_metadata(c, m); break;
    case Kind::init_producer_id: on_init_producer_id(c, m); break;
    case Kind::broker_registration_reply: on_registration_reply(c, m); break;
    case Kind::broker_heartbeat_reply: on_heartbeat_reply(c, m); break;
    case Kind::alter_partition_reply: on_alter_partition_reply(c, m); break;
    case Kind::allocate_producer_ids_reply: on_producer_ids(c, m); break;
    case Kind::find_coordinator: on_find_coordinator(c, m); break;
    case Kind::join_group:
    case Kind::sync_group:
    case Kind::group_heartbeat:
    case Kind::leave_group:
    case Kind::consumer_group_heartbeat:
    case Kind::offset_commit:
    case Kind::offset_fetch:
    case Kind::txn_offset_commit: on_group_request(c, m); break;
    case Kind::share_fetch:
    case Kind::share_acknowledge: on_share_request(c, m); break;
    case Kind::write_share_state:
    case Kind::read_share_state: on_share_state_request(c, {m.connection, m.from, m.word}, static_cast<Kind>(m.kind), m.payload); break;
    case Kind::write_share_state_reply:
    case Kind::read_share_state_reply: on_share_state_reply(c, m.word, static_cast<Kind>(m.kind), m.payload); break;
    case Kind::add_partitions_to_txn:
    case Kind::add_offsets_to_txn:
    case Kind::end_txn:
    case Kind::write_txn_markers: on_txn_request(c, {m.connection, m.from, m.word}, static_cast<Kind>(m.kind), m.payload); break;
    case Kind::add_partitions_to_txn_reply:
    case Kind::write_txn_markers_reply: on_txn_answer(c, m.word, static_cast<Kind>(m.kind), m.payload); break;
    default: break;
  }
}

void Broker::on_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (flushes_left_ > 0) return;
  if (quorum_.on_timer(c, kind, argument)) {
    follow_metadata(c);
    work_off_unmuted(c);
    return;
  }
  switch (kind) {
    case timer_heartbeat:
      heartbeat_timer_ = no_event;
      check_channels(c);
      if (registered_) send_heartbeat(c);
      else register_with_controller(c);
      break;
    case timer_hw_checkpoint:
      for (PartitionId p = 0; p < replicas_.size(); ++p) durable_[p].hw_checkpoint = replicas_[p].high_watermark;
      keep_house(c);
      c.set_timer(cluster_->settings.hw_checkpoint_interval, timer_hw_checkpoint);
      break;
    case timer_shrink_isr:
      shrink_isrs(c);
      c.set_timer(cluster_->settings.replica_lag_max / 2, timer_shrink_isr);
      break;
    case timer_expire_producers:
      for (DurableReplica& d : durable_) d.log.expire_producers(c.wall());
      for (Replica& r : replicas_) r.verifications.expire(c.wall(), cluster_->settings.log.producers.expiration);
      c.set_timer(600'000'000'000, timer_expire_producers);
      break;
    case timer_cleaner: run_cleaner(c); break;
    case timer_throttle: end_throttle(argument); break;
    case timer_shutdown: finish_shutdown(c); break;
    case timer_group: on_group_timer(c, argument); break;
    case timer_group_write: time_out_group_write(c, argument); break;
    case timer_group_load: load_seat(c, static_cast<PartitionId>(argument)); break;
    case timer_offsets_expiry: expire_offsets(c); break;
    case timer_share_lock: on_share_locks(c); break;
    case timer_share_wait: on_share_wait(c, argument); break;
    case timer_share_ask: on_share_ask_timer(c, argument); break;
    case timer_share_load: load_share_seat(c, static_cast<PartitionId>(argument)); break;
    case timer_share_write: time_out_share_write(c, argument); break;
    case timer_share_local: on_local_share_answers(c); break;
    case timer_local_answer: on_local_answers(c); break;
    case timer_txn_verify: ask_coordinator_again(c, argument); break;
    case timer_txn_load: load_txn_seat(c, static_cast<PartitionId>(argument)); break;
    case timer_txn_write: time_out_txn_write(c, argument); break;
    case timer_txn_timeout: look_at_transactions(c, false); break;
    case timer_txn_expiry: look_at_transactions(c, true); break;
    case timer_txn_marker: on_markers_due(c); break;
    case timer_txn_link: txn_asks_lost(c, links_.on_timer(c, argument)); break;
    case timer_produce: time_out_produce(c, argument); break;
    case timer_fetch:
      for (std::size_t i = 0; i < fetches_.size(); ++i) {
        if (fetches_[i].number != argument) continue;
        const ParkedFetch parked = fetches_[i];
        fetches_.erase(fetches_.begin() + static_cast<std::ptrdiff_t>(i));
        answer_fetch(c, parked.to, payload_as<FetchRequest>(parked.request), false, true);
        release(parked.to.connection);
        break;
      }
      break;
    case timer_fetcher: {
      const auto leader = static_cast<BrokerId>(argument);
      Fetcher& f = fetchers_[static_cast<std::size_t>(leader - 1)];
      f.timer = no_event;
      if (f.word != 0) {
        // No answer for too long.
        const ConnId dead = f.connection;
        fetcher_failed(c, leader);
        c.close(dead);
      } else {
        pump(c, leader);
      }
      break;
    }
    case timer_alter_partition: {
      const auto p = static_cast<PartitionId>(argument);
      replicas_[p].asking_again = no_event;
      if (replicas_[p].role == Role::leader && !replicas_[p].proposed.empty()) send_alter_partition(c, p);
      break;
    }
    case timer_producer_ids:
      if (ids_asked_) {
        AllocateProducerIds a;
        a.broker = id_;
        a.epoch = epoch_;
        send_to_controller(c, Kind::allocate_producer_ids, make_payload<AllocateProducerIds>(a), Traffic::control);
        c.set_timer(1'000'000'000, timer_producer_ids);
      }
      break;
    default: break;
  }
  work_off_unmuted(c);
}

void Broker::on_closed(Context& c, ConnId connection, NodeId peer, CloseReason) {
  if (flushes_left_ > 0) return;
  if (quorum_.on_closed(c, connection, peer)) {
    follow_metadata(c);
    work_off_unmuted(c);
    return;
  }
  if (connection == control_.connection || connection == heartbeats_.connection) {
    (connection == control_.connection ? control_ : heartbeats_) = Channel{};
    ask_controller_again(c);
    return;
  }
  for (std::size_t i = 0; i < fetchers_.size(); ++i)
    if (fetchers_[i].connection == connection) {
      fetcher_failed(c, static_cast<BrokerId>(i + 1));
      return;
    }
  // A client or a follower is gone: nobody waits for these answers any more. What it had sent before
  // is still worked off (its bytes are here), so a request may take effect after its sender gave up.
  std::vector<Message> rest;
  for (std::size_t i = 0; i < muted_.size(); ++i)
    if (muted_[i].connection == connection) {
      rest.swap(muted_[i].queue);
      muted_.erase(muted_.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  for (const Message& m : rest) handle(c, m);
  txn_asks_lost(c, links_.closed(c, connection));
  if (!share_link_closed(c, connection)) share_connection_closed(c, connection);
  for (std::size_t i = fetches_.size(); i-- > 0;)
    if (fetches_[i].to.connection == connection) {
      c.cancel_timer(fetches_[i].timer);
      fetches_.erase(fetches_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  work_off_unmuted(c);
}

// ---------------------------------------------------------------------------------------------
// The controller.

void Broker::ask_for_isr_again(Context& c, PartitionId p) {
  Replica& r = replicas_[p];
  if (r.role == Role::leader && !r.proposed.empty() && r.asking_again == no_event) r.asking_again = c.set_timer(50'000'000, timer_alter_partition, p);
}

// What was asked is asked again: changes of an ISR by their own timer, life signs soon.
void Broker::ask_controller_again(Context& c) {
  for (PartitionId p = 0; p < replicas_.size(); ++p) ask_for_isr_again(c, p);
  beat_after(c, 500'000'000);
}

// NodeToControllerRequestThread: what is in flight is given up when another controller leads, or when the answer does
// not come (controller.socket.timeout.ms; for life signs not later than the session ends).
void Broker::check_channels(Context& c) {
  const Duration patience = cluster_->settings.request_timeout;
  const NodeId leader = quorum_.leader();
  bool gave_up = false;
  for (Channel* channel : {&control_, &heartbeats_}) {
    if (channel->connection == no_connection || channel->unanswered_since < 0) continue;
    const Duration limit = channel == &control_ ? patience : std::min(patience, cluster_->settings.session_timeout);
    if ((leader == nobody || leader == channel->to) && c.now() - channel->unanswered_since < limit) continue;
    c.close(channel->connection);
    *channel = Channel{};
    gave_up = true;
  }
  if (gave_up) ask_controller_again(c);
}

// Any voter may be asked; who does not lead says so, and the metadata log tells who does.
void Broker::send_to_controller(Context& c, Kind k, PayloadRef payload, Traffic traffic) {
  Channel& channel = traffic == Traffic::heartbeat ? heartbeats_ : control_;
  NodeId to = quorum_.leader();
  if (to == nobody && channel.unanswered_since >= 0) to = channel.to;
  if (to == nobody) to = cluster_->controllers[next_controller_++ % cluster_->controllers.size()];
  if (channel.connection != no_connection && (to != channel.to || !c.is_open(channel.connection))) {
    c.close(channel.connection);
    if (std::exchange(channel, Channel{}).unanswered_since >= 0) ask_controller_again(c);
  }
  channel.to = to;
  if (channel.connection == no_connection) channel.connection = c.connect(to, traffic);
  if (channel.unanswered_since < 0) channel.unanswered_since = c.now();
  c.send(channel.connection, kind(k), std::move(payload));
}

// The next life sign, or the next attempt to register.
void Broker::beat_after(Context& c, Duration d) {
  if (heartbeat_timer_ != no_event) c.cancel_timer(heartbeat_timer_);
  heartbeat_timer_ = c.set_timer(d, timer_heartbeat);
}

void Broker::register_with_controller(Context& c) {
  BrokerRegistrationRequest r;
  r.broker = id_;
  r.incarnation = incarnation_;
  r.previous_epoch = previous_epoch_;
  send_to_controller(c, Kind::broker_registration, make_payload<BrokerRegistrationRequest>(r), Traffic::heartbeat);
  beat_after(c, 500'000'000);
}

void Broker::on_registration_reply(Context& c, const Message& m) {
  const auto& r = payload_as<BrokerRegistrationReply>(m.payload);
  if (registered_) return;
  if (r.error != Error::none) return;  // asked again by the timer
  registered_ = true;
  epoch_ = r.epoch;
  publish_metadata(c);
  send_heartbeat(c);
}

void Broker::send_heartbeat(Context& c) {
  BrokerHeartbeat h;
  h.broker = id_;
  h.epoch = epoch_;
  h.metadata_end = image_.end;
  h.want_shutdown = want_shutdown_;
  send_to_controller(c, Kind::broker_heartbeat, make_payload<BrokerHeartbeat>(h), Traffic::heartbeat);
  beat_after(c, cluster_->settings.heartbeat_interval);
}

void Broker::on_heartbeat_reply(Context& c, const Message& m) {
  const auto& r = payload_as<BrokerHeartbeatReply>(m.payload);
  if (r.error != Error::none) return;
  unfenced_ = !r.fenced;
  if (!want_shutdown_) return;
  if (r.should_shutdown) return finish_shutdown(c);
  // BrokerLifecycleManager: the first answer is asked for again soon.
  if (std::exchange(shutdown_asked_, true)) return;
  beat_after(c, 50'000'000);
}

void Broker::on_stop(Context& c) {
  // BrokerServer.shutdown does nothing before the start is over: the process ends, and the clean-shutdown file is as it
  // was, or gone, if the logs had been loaded meanwhile (seen with 4.3.1).
  if (!published_) return c.exit(clean_shutdown_epoch_ != no_broker_epoch);
  want_shutdown_ = true;
  send_heartbeat(c);
  c.set_timer(300'000'000'000, timer_shutdown);  // then it goes without the controller's word
}

// Leadership is handed over. Requests are not taken any more (SocketServer.stopProcessingRequests), every log is
// flushed, and only then the clean-shutdown file is written, which says so (LogManager.shutdown).
void Broker::finish_shutdown(Context& c) {
  if (flushes_left_ > 0) return;
  flushes_ok_ = true;
  for (PartitionId p = 0; p < durable_.size(); ++p) {
    durable_[p].hw_checkpoint = replicas_[p].high_watermark;
    if (log_of(p).end() == 0) continue;
    c.sync_later(file_of(p));
    ++flushes_left_;
  }
  if (flushes_left_ == 0) end_cleanly(c);
}

void Broker::on_disk(Context& c, FileId file, std::int64_t end, DiskResult result) {
  if (std::find(roll_flushes_.begin(), roll_flushes_.end(), file) != roll_flushes_.end()) return on_rolled_flush(file, end, result);
  if (flushes_left_ == 0) return;
  flushes_ok_ = flushes_ok_ && result == DiskResult::ok;
  if (--flushes_left_ == 0) end_cleanly(c);
}

void Broker::end_cleanly(Context& c) {
  if (flushes_ok_) {
    clean_shutdown_epoch_ = epoch_;
    for (DurableReplica& d : durable_) {
      d.recovery_point = d.log.end();
      d.start_checkpoint = d.log.start();
    }
  }
  c.exit(flushes_ok_);
}

void Broker::on_crash(const Crash& crash) {
  if (crash.wipe) {
    for (DurableReplica& d : durable_) d = DurableReplica{PartitionLog(d.log.options())};
    clean_shutdown_epoch_ = no_broker_epoch;
  }
  for (DurableReplica& d : durable_) {
    d.start_before_crash = d.log.start();
    d.log.fall_back_to_start(d.start_checkpoint);
  }
  for (const Survivor& s : crash.files) {
    if (s.file == metadata_file || s.file > durable_.size()) continue;
    PartitionLog& log = durable_[s.file - 1].log;
    if (s.kept < log.end()) log.lose_tail(s.kept);
    for (const std::int64_t unit : s.corrupt) log.corrupt_at(unit);
  }
  quorum_.on_crash(crash);
  replicas_.assign(cluster_->partitions.size(), Replica{});
  image_ = Image{};
  epoch_ = no_broker_epoch;
  registered_ = published_ = unfenced_ = want_shutdown_ = shutdown_asked_ = false;
  flushes_left_ = 0;
  roll_flushes_.clear();
  cleaner_timer_ = no_event;
  heartbeat_timer_ = no_event;
  control_ = heartbeats_ = Channel{};
  produces_.clear();
  fetches_.clear();
  muted_.clear();
  unmuted_.clear();
  throttled_.clear();
  produce_rates_.clear();
  fetch_rates_.clear();
  fetchers_.clear();
  producer_ids_left_ = 0;
  waiting_for_ids_.clear();
  ids_asked_ = false;
  seats_.clear();
  share_ = ShareDesk{};
  txn_ = TxnDesk{};
  links_ = BrokerLinks{};
  local_answers_.clear();
  questions_.clear();
  offsets_expiry_armed_ = false;
}

// ---------------------------------------------------------------------------------------------
// Metadata.

// Replays what the quorum committed. Several records that arrive together make one new image, so a
// replica may never see the states in between.
void Broker::follow_metadata(Context& c) {
  check_channels(c);
  std::vector<PartitionId> changed;
  const Offset before = image_.end;
  for (Offset at = image_.end; at < quorum_.commit(); ++at) {
    const MetadataRecord* record = quorum_.record(at);
    if (!record) {
      image_.end = at + 1;
      continue;
    }
    image_.apply(*record, at);
    if (const auto* p = std::get_if<PartitionRecord>(&record->value)) changed.push_back(p->state.partition);
    if (const auto* b = std::get_if<RegisterBroker>(&record->value)) look_whom_it_asked_for(c, b->broker);
  }
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  // LogManager.loadLogs comes with the first image, and removes the clean-shutdown file.
  if (quorum_.commit() > quorum_.start_offset()) clean_shutdown_epoch_ = no_broker_epoch;
  if (published_)
    for (PartitionId p : changed) apply_partition(c, p);
  else publish_metadata(c);
  if (published_ && !changed.empty()) tell_groups_of_partitions(c);
  // Caught up to its own registration: it may be unfenced now.
  if (registered_ && !unfenced_ && !want_shutdown_ && before <= epoch_ && image_.end > epoch_) send_heartbeat(c);
}

// BrokerServer.startup: metadata is acted upon only when the broker is registered and has read its own registration.
// By an older record it would go on leading what others were given while it was down.
void Broker::publish_metadata(Context& c) {
  if (published_ || !registered_ || image_.end <= epoch_) return;
  published_ = true;
  for (PartitionId p = 0; p < replicas_.size(); ++p) apply_partition(c, p);
}

void Broker::apply_partition(Context& c, PartitionId p) {
  const PartitionState& s = image_.partitions[p];
  Replica& r = replicas_[p];
  if (!contains(s.replicas, id_)) return;
  if (s.leader_epoch < r.epoch) return;
  if (s.leader_epoch > r.epoch || (s.leader == id_) != (r.role == Role::leader)) {
    if (s.leader == id_) become_leader(c, p, s);
    else become_follower(c, p, s);
    return;
  }
  if (s.partition_epoch <= r.partition_epoch) return;
  r.partition_epoch = s.partition_epoch;
  if (r.role != Role::leader) return;
  // The controller's word ends whatever change was under way.
  r.isr = s.isr;
  r.proposed.clear();
  advance_high_watermark(c, p);
  finish_produces(c, p);
}

void Broker::on_metadata(Context& c, const Message& m) {
  MetadataReply reply;
  reply.partitions.resize(image_.partitions.size());
  for (PartitionId p = 0; p < image_.partitions.size(); ++p) {
    const PartitionState& s = image_.partitions[p];
    if (!s.replicas.empty()) reply.partitions[p] = {s.leader, s.leader_epoch, true};
  }
  for (BrokerId b = 1; cluster_->settings.rack_aware && b <= static_cast<BrokerId>(image_.brokers.size()); ++b)
    if (!image_.broker(b).registered || image_.broker(b).fenced) reply.offline.push_back(b);
  c.reply(m, kind(Kind::metadata_reply), make_payload<MetadataReply>(std::move(reply)), 200, m.word);
}

void Broker::on_init_producer_id(Context& c, const Message& m) {
  const Waiting from{m.connection, m.from, m.word};
  if (!payload_as<InitProducerId>(m.payload).transactional_id.empty()) return on_coordinator_request(c, from, Kind::init_producer_id, m.payload);
  if (producer_ids_left_ > 0) {
    InitProducerIdReply reply;
    reply.id = next_producer_id_++;
    --producer_ids_left_;
    reply.epoch = 0;
    c.reply(m, kind(Kind::init_producer_id_reply), make_payload<InitProducerIdReply>(reply), 64, m.word);
    return;
  }
  waiting_for_ids_.push_back(from);
  ask_for_producer_ids(c);
}

void Broker::ask_for_producer_ids(Context& c) {
  if (ids_asked_) return;
  ids_asked_ = true;
  AllocateProducerIds a;
  a.broker = id_;
  a.epoch = epoch_;
  send_to_controller(c, Kind::allocate_producer_ids, make_payload<AllocateProducerIds>(a), Traffic::control);
  c.set_timer(1'000'000'000, timer_producer_ids);
}

void Broker::on_producer_ids(Context& c, const Message& m) {
  const auto& r = payload_as<AllocateProducerIdsReply>(m.payload);
  if (!ids_asked_ || r.error != Error::none) return;  // asked again by the timer
  ids_asked_ = false;
  next_producer_id_ = r.first;
  producer_ids_left_ = r.count;
  std::vector<Waiting> waiting;
  waiting.swap(waiting_for_ids_);
  for (const Waiting& w : waiting) {
    InitProducerIdReply reply;
    reply.id = next_producer_id_++;
    --producer_ids_left_;
    reply.epoch = 0;
    c.send(w.connection, kind(Kind::init_producer_id_reply), make_payload<InitProducerIdReply>(reply), 64, w.word);
  }
}

// delete_records "orders/0 10": as the admin call, on every replica that leads. cleanup_policy "orders compact": here each
// broker is told by itself, where in the product it reads it in the metadata log.
void Broker::on_command(Context& c, const std::string& verb, const std::string& argument) {
  const std::size_t space = argument.find(' ');
  if (verb == "cleanup_policy" && space != std::string::npos) return set_cleanup_policy(c, argument.substr(0, space), argument.substr(space + 1));
  if (verb == "abort_transaction") return abort_transaction(c, argument);
  if (verb != "delete_records") return;
  PartitionId p = 0;
  if (space == std::string::npos || !cluster_->partition(argument.substr(0, space), p) || replicas_[p].role != Role::leader) return;
  Offset before = 0;
  for (const char ch : argument.substr(space + 1)) {
    if (ch < '0' || ch > '9' || before > 1'000'000'000'000) return;
    before = before * 10 + (ch - '0');
  }
  before = std::min(before, replicas_[p].high_watermark);
  delete_records(c, p, before);
}

Tree Broker::state() const {
  Tree t{"broker", unfenced_ ? "running" : registered_ ? "fenced" : "not registered", {}};
  t.add("broker epoch", std::to_string(epoch_));
  t.add("metadata replayed to", std::to_string(image_.end));
  for (PartitionId p = 0; p < replicas_.size(); ++p) {
    const Replica& r = replicas_[p];
    if (r.role == Role::none) continue;
    const PartitionLog& log = durable_[p].log;
    Tree& e = t.add(place(p), fmt::format("{} epoch {}", r.role == Role::leader ? "leader" : "follower", r.epoch));
    e.add("log", fmt::format("{}..{}", log.start(), log.end()));
    if (log.segments().count() > 1) {
      std::string bases;
      for (std::size_t i = 0; i < log.segments().count(); ++i) bases += fmt::format("{}{}", i == 0 ? "" : " ", log.segments().at(i).base);
      e.add("segments from", bases);
    }
    if (log.options().compacts) e.add("compacted to", std::to_string(log.first_dirty()));
    e.add("high watermark", std::to_string(r.high_watermark));
    add_transactions(e, p);
    if (r.role == Role::leader) {
      e.add("ISR", describe(r.isr) + (r.proposed.empty() ? "" : " proposed " + describe(r.proposed)));
      for (const FollowerState& f : r.followers) e.add(fmt::format("B{}", f.broker), f.end == no_offset ? "has not fetched" : fmt::format("at {}", f.end));
    } else {
      e.add("leader", r.leader == no_broker ? "none" : fmt::format("B{}", r.leader));
    }
    std::string epochs;
    for (const EpochStart& s : log.epochs().entries()) epochs += fmt::format("{}{}@{}", epochs.empty() ? "" : " ", s.epoch, s.start);
    e.add("epochs", epochs);
  }
  for (const Seat& seat : seats_) {
    if (seat.loading) t.add(place(seat.partition), "coordinator, loading");
    else t.children.push_back(seat.groups.state());
  }
  add_share_state(t);
  add_txn_state(t);
  return t;
}

}  // namespace mqlab::kafka
