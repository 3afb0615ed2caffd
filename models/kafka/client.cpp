// The client's connections, requests and metadata.
#include "models/kafka/client.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/client_timers.h"

namespace mqlab::kafka {
namespace {

constexpr Duration no_timeout = 0;

}  // namespace

Client::Client(ClusterRef cluster, std::unique_ptr<App> app, bool produces, ProducerSettings producer, bool consumes, ConsumerSettings consumer)
    : ClientNodeBase<Client>(std::move(app), consumer.group), cluster_(std::move(cluster)), produces_(produces), producer_(producer), consumes_(consumes), consumer_(consumer), transactional_id_(producer_.transactional_id) {}

void Client::on_start(Context& c) {
  for (auto& p : peers_) p.assign(cluster_->brokers.size(), Peer{});
  metadata_.assign(cluster_->partitions.size(), PartitionMetadata{});
  offline_.clear();
  queues_.assign(cluster_->partitions.size(), PartitionQueue{});
  uniform_.assign(cluster_->topics.size(), UniformSticky{.batch_size = producer_.batch_bytes});
  sticky_.assign(cluster_->topics.size(), StickyPerBatch{});
  // Bootstrap servers are tried in an order that differs between clients.
  next_broker_ = static_cast<BrokerId>(1 + c.random().below(cluster_->brokers.size()));
  want_metadata(c);
  group_.auto_commit_due = c.now() + consumer_.auto_commit_interval;  // ConsumerCoordinator: its timer begins with the consumer
  start_app(c);
  work(c);
}

void Client::on_crash(const Crash&) {
  crash_app();
  requests_.clear();
  metadata_wanted_ = metadata_asked_ = false;
  metadata_attempts_ = 0;
  wake_timer_ = no_event;
  wake_due_ = time_max;
  blocked_.clear();
  buffered_bytes_ = queued_ = produce_in_flight_ = 0;
  producer_id_ = no_producer_id;
  producer_epoch_ = no_producer_epoch;
  producer_id_asked_ = false;
  producer_id_retry_at_ = 0;
  rewrite_.clear();
  transactional_id_ = producer_.transactional_id;
  txn_ = TransactionalProducer{};
  txn_calls_.clear();
  group_metadata_ = {};
  queues_.clear();
  assigned_.clear();
  assigned_topics_.clear();
  buffer_.clear();
  poll_ = 0;
  poll_timer_ = no_event;
  end_offset_calls_.clear();
  seeks_.clear();
  poll_error_ = Error::none;
  group_ = Membership{};
  commits_.clear();
  stored_.clear();
  share_ = ShareConsumer{};
}

// What was read is committed, the group is left, then the process ends (KafkaConsumer.close). It is the polling thread
// that closes: it does so when it comes back from its work, as programs do that wake the consumer up on SIGTERM.
void Client::on_stop(Context& c) {
  if (consumer_.group.empty()) return c.exit();
  group_.exits = true;
  work(c);
}

void Client::on_message(Context& c, const Message& m) {
  if (service_message(c, m)) return;
  if (txn_.word != 0 && m.word == txn_.word) {
    on_txn_reply(c, m);
    return work(c);
  }
  switch (static_cast<Kind>(m.kind)) {
    case Kind::metadata_reply: on_metadata(c, m); break;
    case Kind::init_producer_id_reply: on_producer_id(c, m); break;
    case Kind::produce_reply: on_produce_reply(c, m); break;
    case Kind::fetch_reply: on_fetch_reply(c, m); break;
    case Kind::list_offsets_reply: on_list_offsets_reply(c, m); break;
    case Kind::offset_for_leader_epoch_reply: on_epoch_reply(c, m); break;
    case Kind::find_coordinator_reply: on_coordinator(c, m); break;
    case Kind::join_group_reply: on_join_reply(c, m); break;
    case Kind::sync_group_reply: on_sync_reply(c, m); break;
    case Kind::group_heartbeat_reply: on_group_heartbeat_reply(c, m); break;
    case Kind::leave_group_reply: {
      const Request r = take_request(c, m.word);
      left(c);
      break;
    }
    case Kind::consumer_group_heartbeat_reply: shares() ? on_share_heartbeat_reply(c, m) : on_consumer_heartbeat_reply(c, m); break;
    case Kind::offset_commit_reply: on_commit_reply(c, m); break;
    case Kind::offset_fetch_reply: on_offset_fetch_reply(c, m); break;
    case Kind::share_fetch_reply: on_share_fetch_reply(c, m); break;
    case Kind::share_acknowledge_reply: on_share_acknowledge_reply(c, m); break;
    default: break;
  }
  work(c);
}

void Client::on_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (app_timer(c, kind, argument)) {
    work(c);
    return;
  }
  if (kind == timer_wake) {
    wake_timer_ = no_event;
    wake_due_ = time_max;
  } else if (kind == timer_request) {
    for (const Request& r : requests_)
      if (r.word == argument) {
        const ConnId connection = r.connection;
        const Purpose purpose = r.purpose;
        const BrokerId broker = r.broker;
        connection_lost(c, purpose, broker, connection, true);
        c.close(connection);
        break;
      }
  } else if (kind == timer_poll && poll_ == argument) {
    poll_timer_ = no_event;
    answer_poll(c, true);
  }
  work(c);
}

void Client::on_closed(Context& c, ConnId connection, NodeId node, CloseReason reason) {
  if (service_closed(c, connection, reason)) return;
  const BrokerId b = cluster_->broker_of(node);
  if (b == no_broker) return;
  for (Purpose p : {Purpose::metadata, Purpose::produce, Purpose::fetch, Purpose::group})
    if (peer(p, b).connection == connection) connection_lost(c, p, b, connection, false);
  work(c);
}

// Whatever can go on, goes on. Called at the end of every handler.
void Client::work(Context& c) {
  refresh_metadata(c);
  if (produces_) {
    expire(c);
    resolve_sequences(c);
    bump_epoch_if_needed(c);
    while (!blocked_.empty()) {
      if (try_append(c, blocked_.front().call)) {
        blocked_.pop_front();
        continue;
      }
      if (blocked_.front().deadline > c.now()) {
        wake_at(c, blocked_.front().deadline);
        break;
      }
      // max.block.ms is over: the record was never queued.
      const CallId id = blocked_.front().call.id;
      blocked_.pop_front();
      complete(c, id, outcome(c, Outcome::fail, Error::buffer_exhausted));
    }
    if (!transactional() || !work_transactions(c)) drain(c);
  }
  if (consumes_) {
    // Whoever polls because of what the group's work has told is answered when the group has worked again.
    const CallId open = poll_;
    work_group(c);
    if (group_.in()) group_metadata_ = {group_.generation, group_.member};
    end_seeks(c);
    if (poll_ == open) answer_poll(c, false);
    fetch(c);
  }
}

void Client::wake_at(Context& c, Time t) {
  if (t >= wake_due_) return;
  if (wake_timer_ != no_event) c.cancel_timer(wake_timer_);
  wake_due_ = t;
  wake_timer_ = c.set_timer(std::max<Duration>(0, t - c.now()), timer_wake);
}

void Client::perform(Context& c, const Call& call) {
  switch (call.kind) {
    case CallKind::send: send_call(c, call); break;
    case CallKind::assign: assign_call(c, call); break;
    case CallKind::seek: seek_call(c, call); break;
    case CallKind::poll: poll_call(c, call); break;
    case CallKind::end_offset: end_offset_call(c, call); break;
    case CallKind::subscribe: subscribe_call(c, call); break;
    case CallKind::unsubscribe:
    case CallKind::close:
      if (consumer_.group.empty()) {
        complete(c, call.id, Answer{});
        break;
      }
      group_.close_call = call.id;
      // ConsumerCoordinator.close commits what was consumed; to unsubscribe does not.
      if (call.kind == CallKind::close) commit_by_itself(c, Why::close);
      group_.leaving = true;
      break;
    case CallKind::commit: commit_call(c, call); break;
    case CallKind::ack:
    case CallKind::release:
    case CallKind::reject: share_ack_call(c, call); break;
    case CallKind::pause:
    case CallKind::resume: pause_call(c, call); break;
    case CallKind::begin:
    case CallKind::end_commit:
    case CallKind::end_abort:
    case CallKind::send_offsets: txn_call(c, call); break;
    default: {
      if (call.kind == CallKind::other && call.verb == "store_offset") {
        store_offset_call(c, call);
        break;
      }
      if (call.kind == CallKind::other && (call.verb == "init_transactions" || call.verb == "new_producer")) {
        txn_call(c, call);
        break;
      }
      Answer a;
      a.outcome = Outcome::fail;
      a.error = c.names().id("UNSUPPORTED");
      complete(c, call.id, std::move(a));
      break;
    }
  }
  wake_at(c, c.now());  // the application's own handler ends first
}

Answer Client::outcome(Context& c, Outcome o, Error e) {
  Answer a;
  a.outcome = o;
  if (e != Error::none) a.error = c.names().id(name(e));
  return a;
}

// ---------------------------------------------------------------------------------------------
// Connections and requests.

// KIP-219: the broker does not read meanwhile. A client that sends all the same waits in vain, and may take that for a
// broker that is dead.
void Client::throttle(Context& c, const Request& r, Duration wait, bool honoured) {
  if (wait > 0 && honoured) peer(r.purpose, r.broker).throttled_until = c.now() + wait;
}

bool Client::can_connect(Context& c, Purpose p, BrokerId b) {
  Peer& x = peer(p, b);
  if (x.throttled_until > c.now()) {
    wake_at(c, x.throttled_until);
    return false;
  }
  if (x.connection != no_connection && c.is_open(x.connection)) return true;
  if (x.reconnect_at <= c.now()) return true;
  wake_at(c, x.reconnect_at);
  return false;
}

std::uint64_t Client::request(Context& c, Purpose p, BrokerId b, Kind k, PayloadRef payload, std::uint32_t size, Duration timeout) {
  Peer& x = peer(p, b);
  if (x.connection == no_connection || !c.is_open(x.connection)) x.connection = c.connect(cluster_->node_of(b), Traffic::client);
  Request r;
  r.word = next_word_++;
  r.kind = k;
  r.purpose = p;
  r.broker = b;
  r.connection = x.connection;
  r.payload = payload;
  if (timeout != no_timeout) r.timer = c.set_timer(timeout, timer_request, r.word);
  c.send(x.connection, kind(k), std::move(payload), size, r.word);
  requests_.push_back(std::move(r));
  return requests_.back().word;
}

// Takes the request that this answers, and waits for it no longer; word 0 when it was given up meanwhile.
Client::Request Client::take_request(Context& c, std::uint64_t word) {
  for (std::size_t i = 0; i < requests_.size(); ++i)
    if (requests_[i].word == word) {
      Request r = std::move(requests_[i]);
      requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(i));
      if (r.timer != no_event) c.cancel_timer(r.timer);
      return r;
    }
  return {};
}

bool Client::in_flight(Purpose p, BrokerId b) const { return count_in_flight(p, b) > 0; }

std::int32_t Client::count_in_flight(Purpose p, BrokerId b) const {
  std::int32_t n = 0;
  for (const Request& r : requests_)
    if (r.purpose == p && r.broker == b) ++n;
  return n;
}

// NetworkClient.processDisconnection: every request on the connection is of unknown outcome.
void Client::connection_lost(Context& c, Purpose p, BrokerId b, ConnId connection, bool timed_out) {
  Peer& x = peer(p, b);
  const Duration base = produces_ ? producer_.reconnect_backoff : consumer_.reconnect_backoff;
  const Duration most = produces_ ? producer_.reconnect_backoff_max : consumer_.reconnect_backoff_max;
  if (x.connection == connection) {
    x.connection = no_connection;
    x.throttled_until = 0;
    x.backoff = x.backoff == 0 ? base : std::min(most, x.backoff * 2);
    x.reconnect_at = c.now() + x.backoff;
  }
  std::vector<Request> lost;
  for (std::size_t i = 0; i < requests_.size();) {
    if (requests_[i].connection != connection) {
      ++i;
      continue;
    }
    lost.push_back(std::move(requests_[i]));
    requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (timed_out && !lost.empty())
    c.mark("request_timed_out", {}, fmt::format("no answer from B{}: the connection is closed, {} request{} of unknown outcome", b, lost.size(), lost.size() == 1 ? "" : "s"));
  for (Request& r : lost) {
    if (r.timer != no_event) c.cancel_timer(r.timer);
    if (txn_request_lost(r)) continue;
    switch (r.kind) {
      case Kind::produce:
        for (ProducerBatch& batch : r.batches) {
          --produce_in_flight_;
          --queues_[batch.partition].in_flight;
          batch_done(c, std::move(batch), Error::network_exception, no_offset);
        }
        break;
      case Kind::metadata:
        metadata_asked_ = false;
        metadata_retry_at_ = c.now() + base;
        break;
      case Kind::init_producer_id:
        producer_id_asked_ = false;
        producer_id_retry_at_ = c.now() + base;
        break;
      default:
        if (!group_failed(c, r) && !share_failed(c, r)) fetch_failed(c, r);
        break;
    }
  }
  want_metadata(c);
}

Duration Client::retry_backoff(Context& c, std::int32_t attempts, Duration base, Duration most) {
  Duration d = base;
  for (std::int32_t i = 1; i < attempts && d < most; ++i) d *= 2;
  d = std::min(d, most);
  // KIP-580: 20 % of jitter either way.
  return d - d / 5 + static_cast<Duration>(c.random().below(static_cast<std::uint64_t>(d / 5 * 2 + 1)));
}

// ---------------------------------------------------------------------------------------------
// Metadata.

void Client::want_metadata(Context& c) {
  if (metadata_wanted_) return;
  metadata_wanted_ = true;
  if (!metadata_asked_) wake_at(c, std::max(c.now(), metadata_retry_at_));
}

void Client::refresh_metadata(Context& c) {
  const Duration age = produces_ ? producer_.metadata_max_age : consumer_.metadata_max_age;
  if (metadata_asked_) return;
  if (!metadata_wanted_) {
    const Time due = saturating_add(metadata_at_, age);
    if (due > c.now()) {
      wake_at(c, due);
      return;
    }
    metadata_wanted_ = true;
  }
  if (metadata_retry_at_ > c.now()) {
    wake_at(c, metadata_retry_at_);
    return;
  }
  // The least loaded node: one that is connected, else the next in turn that may be tried.
  const auto n = static_cast<BrokerId>(cluster_->brokers.size());
  BrokerId chosen = no_broker;
  for (BrokerId i = 0; i < n && chosen == no_broker; ++i) {
    const BrokerId b = 1 + (next_broker_ - 1 + i) % n;
    const Peer& x = peer(Purpose::metadata, b);
    if (x.connection != no_connection && c.is_open(x.connection)) chosen = b;
  }
  for (BrokerId i = 0; i < n && chosen == no_broker; ++i) {
    const BrokerId b = 1 + (next_broker_ - 1 + i) % n;
    if (can_connect(c, Purpose::metadata, b)) {
      chosen = b;
      next_broker_ = 1 + b % n;
    }
  }
  if (chosen == no_broker) return;
  metadata_asked_ = true;
  request(c, Purpose::metadata, chosen, Kind::metadata, make_payload<MetadataRequest>(), 64, produces_ ? producer_.request_timeout : consumer_.request_timeout);
}

void Client::on_metadata(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  peer(r.purpose, r.broker).backoff = 0;
  metadata_asked_ = false;
  metadata_wanted_ = false;
  metadata_at_ = c.now();
  const auto& reply = payload_as<MetadataReply>(m.payload);
  offline_ = reply.offline;
  bool missing = false;
  for (PartitionId p = 0; p < metadata_.size() && p < reply.partitions.size(); ++p) {
    // Metadata.updateLatestMetadata: an older epoch tells nothing new.
    if (reply.partitions[p].exists && (!metadata_[p].exists || reply.partitions[p].leader_epoch >= metadata_[p].leader_epoch)) metadata_[p] = reply.partitions[p];
    const PartitionSettings& s = cluster_->partitions[p];
    const bool initial = s.number < cluster_->topics[static_cast<std::size_t>(s.topic)].partitions;
    if ((initial && !metadata_[p].exists) || (metadata_[p].exists && metadata_[p].leader == no_broker)) missing = true;
  }
  metadata_attempts_ = missing ? metadata_attempts_ + 1 : 0;
  metadata_retry_at_ = c.now() + retry_backoff(c, metadata_attempts_, produces_ ? producer_.retry_backoff : consumer_.retry_backoff,
                                               produces_ ? producer_.retry_backoff_max : consumer_.retry_backoff_max);
  if (missing) want_metadata(c);
  for (std::int32_t t : assigned_topics_) {
    const TopicSettings& topic = cluster_->topics[static_cast<std::size_t>(t)];
    for (std::int32_t n = 0; n < topic.partitions_max; ++n) {
      const PartitionId p = topic.first + static_cast<PartitionId>(n);
      if (metadata_[p].exists && !find_assigned(p)) add_assignment(c, p, -1);
    }
  }
}

std::int32_t Client::partition_count(const TopicSettings& t) const {
  std::int32_t n = 0;
  while (n < t.partitions_max && metadata_[t.first + static_cast<PartitionId>(n)].exists) ++n;
  return n;
}

Tree Client::state() const {
  Tree t{"client", {}, {}};
  if (produces_) {
    Tree& p = t.add("producer", producer_id_ == no_producer_id ? "no producer id" : fmt::format("id {} epoch {}", producer_id_, producer_epoch_));
    p.add("batches queued", std::to_string(queued_));
    p.add("batches on the wire", std::to_string(produce_in_flight_));
    if (!blocked_.empty()) p.add("sends that wait for memory or metadata", std::to_string(blocked_.size()));
    if (transactional()) p.add("transaction of " + transactional_id_, txn_.failed() ? fmt::format("{}: {}", name(txn_.phase), name(txn_.error)) : name(txn_.phase));
  }
  if (consumes_) {
    Tree& k = t.add("consumer", fmt::format("{} partition{}", assigned_.size(), assigned_.size() == 1 ? "" : "s"));
    if (!consumer_.group.empty()) k.add("group", fmt::format("{} {}", consumer_.group, group_.in() ? fmt::format("{} in generation {}", group_.member, group_.generation) : "outside"));
    for (const Assigned& a : assigned_)
      k.add(place(a.partition), (a.position == no_offset ? "no position yet" : fmt::format("at {}", a.position)) + (a.reads_from == no_broker ? "" : fmt::format(", reads from B{}", a.reads_from)) +
                                 (a.paused ? ", paused" : a.revoking ? ", to be given up" : ""));
    k.add("records fetched ahead", std::to_string(buffer_.size()));
  }
  if (app()) t.children.push_back(app()->state());
  return t;
}

}  // namespace mqlab::kafka
