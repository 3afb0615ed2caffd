#include "models/kafka/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace mqlab::kafka {
namespace {

constexpr TimerKind linger_timer = 10;
constexpr TimerKind session_timer = 11;
constexpr TimerKind rebalance_timer = 12;

constexpr std::int32_t producer_id_block = 1000;  // ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE

std::vector<BrokerId> without(std::vector<BrokerId> v, BrokerId b) {
  v.erase(std::remove(v.begin(), v.end(), b), v.end());
  return v;
}

}  // namespace

Controller::Controller(ClusterRef cluster, raft::Config quorum) : cluster_(std::move(cluster)), quorum_(std::move(quorum)) {}

void Controller::on_start(Context& c) {
  committed_ = Image{};
  committed_.size_for(*cluster_);
  quorum_.start(c);
  follow_quorum(c);
}

void Controller::on_message(Context& c, const Message& m) {
  if (quorum_.on_message(c, m)) {
    follow_quorum(c);
    return;
  }
  switch (static_cast<Kind>(m.kind)) {
    case Kind::broker_registration: on_registration(c, m); break;
    case Kind::broker_heartbeat: on_heartbeat(c, m); break;
    case Kind::alter_partition: on_alter_partition(c, m); break;
    case Kind::allocate_producer_ids: on_allocate_producer_ids(c, m); break;
    default: break;
  }
}

void Controller::on_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (quorum_.on_timer(c, kind, argument)) {
    follow_quorum(c);
    return;
  }
  if (kind == linger_timer) {
    linger_set_ = false;
    write_pending(c);
  } else if (kind == session_timer) {
    session_timer_ = no_event;
    if (active_) check_sessions(c);
  } else if (kind == rebalance_timer && active_) {
    rebalance_leaders(c);
    c.set_timer(cluster_->settings.leader_rebalance_interval, rebalance_timer);
  }
}

void Controller::on_closed(Context& c, ConnId connection, NodeId peer, CloseReason) {
  if (quorum_.on_closed(c, connection, peer)) follow_quorum(c);
}

void Controller::on_stop(Context& c) {
  quorum_.resign(c);
  c.exit();
}

void Controller::on_crash(const Crash& crash) {
  quorum_.on_crash(crash);
  become_inactive();
  committed_ = Image{};
}

// ---------------------------------------------------------------------------------------------
// The log: decisions in, committed records out.

Offset Controller::decide(Context& c, MetadataRecord::Value record) {
  const Offset at = quorum_.end() + static_cast<Offset>(pending_.size());
  auto payload = make_payload<MetadataRecord>(std::move(record));
  image_.apply(*payload, at);
  pending_.push_back(std::move(payload));
  if (!linger_set_) {
    linger_set_ = true;
    c.set_timer(cluster_->settings.metadata_linger, linger_timer);
  }
  return at;
}

void Controller::answer_when_committed(const Message& m, Offset at, Kind kind, PayloadRef payload) {
  deferred_.push_back({at, m, kind, std::move(payload)});
}

void Controller::write_pending(Context& c) {
  if (pending_.empty() || !active_) return;
  std::vector<PayloadRef> records;
  records.swap(pending_);
  quorum_.append(c, records);
  follow_quorum(c);
}

void Controller::follow_quorum(Context& c) {
  // Replay what is committed.
  for (Offset at = committed_.end; at < quorum_.commit(); ++at) {
    const MetadataRecord* record = quorum_.record(at);
    if (!record) {
      committed_.end = at + 1;
      continue;
    }
    if (const auto* p = std::get_if<PartitionRecord>(&record->value); p && active_) told(c, committed_.partitions[p->state.partition], p->state);
    if (active_) {
      if (const auto* f = std::get_if<FenceBroker>(&record->value)) c.mark("broker_fenced", {}, fmt::format("B{}: no heartbeat for {}", f->broker, format_duration(cluster_->settings.session_timeout)));
      if (const auto* u = std::get_if<UnfenceBroker>(&record->value)) c.mark("broker_unfenced", {}, fmt::format("B{}", u->broker));
    }
    committed_.apply(*record, at);
  }
  if (quorum_.leads() && !active_ && committed_.end > quorum_.raft().epoch_start) become_active(c);
  if (!quorum_.leads() && active_) {
    c.mark("controller_resigned", {}, fmt::format("epoch {}", quorum_.epoch()));
    become_inactive();
  }
  if (active_) {
    std::vector<Deferred> waiting;
    waiting.swap(deferred_);
    for (Deferred& d : waiting) {
      if (d.at < committed_.end) c.reply(d.request, kind(d.kind), std::move(d.payload));
      else deferred_.push_back(std::move(d));
    }
  }
}

void Controller::become_active(Context& c) {
  active_ = true;
  image_ = committed_;
  sessions_.assign(image_.brokers.size(), Session{});
  // Each broker gets a whole session to make itself known to the new controller.
  for (std::size_t b = 0; b < sessions_.size(); ++b)
    if (image_.brokers[b].registered && !image_.brokers[b].fenced) sessions_[b].last_contact = c.now();
  c.mark("controller_elected", {}, fmt::format("{} in epoch {}", c.name(c.self()), quorum_.epoch()));
  arm_session_timer(c);
  if (cluster_->settings.leader_rebalance_interval > 0) c.set_timer(cluster_->settings.leader_rebalance_interval, rebalance_timer);
  create_topics(c);
}

void Controller::become_inactive() {
  active_ = false;
  image_ = Image{};
  pending_.clear();
  deferred_.clear();
  sessions_.clear();
  session_timer_ = no_event;
  linger_set_ = false;
}

// What a committed change of a partition means, in the story's words.
void Controller::told(Context& c, const PartitionState& before, const PartitionState& after) {
  const std::string& place = cluster_->partitions[after.partition].place;
  const std::string isr = describe(after.isr);
  if (after.leader != before.leader || after.leader_epoch != before.leader_epoch) {
    if (after.leader == no_broker) {
      c.mark("partition_offline", place, fmt::format("no leader; ISR {}{}", isr, after.elr.empty() ? "" : " ELR " + describe(after.elr)));
    } else if (after.unclean) {
      c.mark("unclean_election", place, fmt::format("B{} leads in epoch {}, though it was not in the ISR", after.leader, after.leader_epoch));
      c.mark("leader_elected", place, fmt::format("B{} in epoch {}, ISR {}", after.leader, after.leader_epoch, isr));
    } else {
      c.mark("leader_elected", place, fmt::format("B{} in epoch {}, ISR {}", after.leader, after.leader_epoch, isr));
    }
  }
  const bool shrunk = std::any_of(before.isr.begin(), before.isr.end(), [&](BrokerId b) { return !contains(after.isr, b); });
  const bool grown = !before.isr.empty() && std::any_of(after.isr.begin(), after.isr.end(), [&](BrokerId b) { return !contains(before.isr, b); });
  if (shrunk) c.mark("isr_shrunk", place, fmt::format("{} to {}{}", describe(before.isr), isr, after.elr.empty() ? "" : ", ELR " + describe(after.elr)));
  if (grown) c.mark("isr_expanded", place, fmt::format("{} to {}", describe(before.isr), isr));
}

// ---------------------------------------------------------------------------------------------
// Brokers: registration, heartbeats, fencing.

void Controller::on_registration(Context& c, const Message& m) {
  const auto& r = payload_as<BrokerRegistrationRequest>(m.payload);
  BrokerRegistrationReply reply;
  if (!active_) {
    reply.error = Error::not_controller;
    c.reply(m, kind(Kind::broker_registration_reply), make_payload<BrokerRegistrationReply>(reply));
    return;
  }
  const BrokerRegistration before = image_.broker(r.broker);
  Session& session = sessions_[static_cast<std::size_t>(r.broker - 1)];
  const bool session_valid = session.last_contact >= 0 && c.now() - session.last_contact < cluster_->settings.session_timeout;
  if (before.registered && session_valid && before.incarnation != r.incarnation) {
    // The old process may still be alive, as far as is known (ClusterControlManager.registerBroker). That holds for a
    // fenced one as well, even for one that left in good order (seen with 4.3.1).
    reply.error = Error::duplicate_broker_registration;
    c.reply(m, kind(Kind::broker_registration_reply), make_payload<BrokerRegistrationReply>(reply));
    return;
  }
  if (before.registered && before.incarnation == r.incarnation) {
    reply.epoch = before.epoch;
    answer_when_committed(m, before.epoch, Kind::broker_registration_reply, make_payload<BrokerRegistrationReply>(reply));
    follow_quorum(c);
    return;
  }
  // A session begins with a heartbeat, so until then anybody may throw a process out, the request of a dead one that comes
  // late too. Who is thrown out learns STALE_BROKER_EPOCH and goes on asking as before: it registers once in its life.
  if (before.registered && session.last_contact < 0) c.mark("broker_replaced", {}, fmt::format("B{}: epoch {} had sent no heartbeat yet", r.broker, before.epoch));
  const bool unclean = before.registered && r.previous_epoch != before.epoch;
  if (before.registered && !before.fenced) fence(c, r.broker);
  reply.epoch = decide(c, RegisterBroker{r.broker, r.incarnation});
  session = Session{};  // it begins with the first heartbeat (seen with 4.3.1)
  // KIP-966: who did not shut down in good order may have lost what it held; it leaves ISR and ELR.
  if (unclean && cluster_->settings.switches.elr) update_partitions(c, r.broker, no_broker, r.broker);
  answer_when_committed(m, reply.epoch, Kind::broker_registration_reply, make_payload<BrokerRegistrationReply>(reply));
  arm_session_timer(c);
}

void Controller::on_heartbeat(Context& c, const Message& m) {
  const auto& h = payload_as<BrokerHeartbeat>(m.payload);
  BrokerHeartbeatReply reply;
  reply.fenced = true;
  const auto answer = [&](Offset at) {
    auto payload = make_payload<BrokerHeartbeatReply>(reply);
    if (at < 0) c.reply(m, kind(Kind::broker_heartbeat_reply), std::move(payload));
    else answer_when_committed(m, at, Kind::broker_heartbeat_reply, std::move(payload));
  };
  if (!active_) {
    reply.error = Error::not_controller;
    return answer(-1);
  }
  const BrokerRegistration& b = image_.broker(h.broker);
  if (!b.registered || b.epoch != h.epoch) {
    reply.error = Error::stale_broker_epoch;
    return answer(-1);
  }
  Session& session = sessions_[static_cast<std::size_t>(h.broker - 1)];
  session.last_contact = c.now();
  session.metadata_end = h.metadata_end;
  arm_session_timer(c);

  const auto leads_any = [&] {
    return std::any_of(image_.partitions.begin(), image_.partitions.end(), [&](const PartitionState& p) { return p.leader == h.broker; });
  };
  if (h.want_shutdown) {
    if (b.fenced) {
      reply.should_shutdown = true;
      return answer(-1);
    }
    Offset at = -1;
    reply.fenced = false;
    if (session.shutdown_offset < 0 && leads_any()) {
      session.shutdown_offset = at = decide(c, ControlledShutdown{h.broker, h.epoch});
      update_partitions(c, h.broker, no_broker, no_broker);
      at = quorum_.end() + static_cast<Offset>(pending_.size()) - 1;
    } else if (!leads_any() && session.shutdown_offset < lowest_active_end()) {
      // BrokerHeartbeatManager.calculateNextBrokerState: everybody else has heard where its partitions went.
      fence(c, h.broker);
      reply.fenced = reply.should_shutdown = true;
      at = quorum_.end() + static_cast<Offset>(pending_.size()) - 1;
    }
    return answer(at);
  }
  if (b.fenced && h.metadata_end > b.epoch) {
    // It has replayed its own registration: it knows the present.
    decide(c, UnfenceBroker{h.broker, h.epoch});
    update_partitions(c, no_broker, h.broker, no_broker);
    reply.fenced = false;
    answer(quorum_.end() + static_cast<Offset>(pending_.size()) - 1);
    create_topics(c);
    return;
  }
  reply.fenced = b.fenced;
  answer(-1);
}

// How far the brokers in service have read the metadata log, the slowest of them.
Offset Controller::lowest_active_end() const {
  Offset lowest = std::numeric_limits<Offset>::max();
  for (std::size_t b = 0; b < sessions_.size(); ++b)
    if (image_.brokers[b].active()) lowest = std::min(lowest, sessions_[b].metadata_end);
  return lowest;
}

void Controller::arm_session_timer(Context& c) {
  Time next = time_max;
  for (std::size_t b = 0; b < sessions_.size(); ++b)
    if (image_.brokers[b].registered && !image_.brokers[b].fenced)
      next = std::min(next, saturating_add(sessions_[b].last_contact, cluster_->settings.session_timeout));
  if (session_timer_ != no_event) c.cancel_timer(session_timer_);
  session_timer_ = next == time_max ? no_event : c.set_timer(std::max<Duration>(0, next - c.now()), session_timer);
}

void Controller::check_sessions(Context& c) {
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    const BrokerRegistration& b = image_.brokers[i];
    if (b.registered && !b.fenced && c.now() - sessions_[i].last_contact >= cluster_->settings.session_timeout) fence(c, static_cast<BrokerId>(i + 1));
  }
  arm_session_timer(c);
}

void Controller::fence(Context& c, BrokerId b) {
  // Who is fenced leaves its controlled shutdown; at the next heartbeat it may go at once.
  sessions_[static_cast<std::size_t>(b - 1)].shutdown_offset = -1;
  decide(c, FenceBroker{b, image_.broker(b).epoch});
  update_partitions(c, b, no_broker, no_broker);
}

void Controller::on_allocate_producer_ids(Context& c, const Message& m) {
  const auto& a = payload_as<AllocateProducerIds>(m.payload);
  AllocateProducerIdsReply reply;
  if (!active_) {
    reply.error = Error::not_controller;
  } else if (!image_.known(a.broker) || image_.broker(a.broker).epoch != a.epoch) {
    reply.error = Error::stale_broker_epoch;
  } else {
    reply.first = image_.next_producer_id;
    reply.count = producer_id_block;
    const Offset at = decide(c, ProducerIdsRecord{reply.first + producer_id_block});
    answer_when_committed(m, at, Kind::allocate_producer_ids_reply, make_payload<AllocateProducerIdsReply>(reply));
    return;
  }
  c.reply(m, kind(Kind::allocate_producer_ids_reply), make_payload<AllocateProducerIdsReply>(reply));
}

// ---------------------------------------------------------------------------------------------
// Partitions.

void Controller::put(Context& c, const PartitionState& before, PartitionState next) {
  PartitionState same = next;
  same.unclean = before.unclean;
  if (same == before) return;
  decide(c, PartitionRecord{std::move(next)});
}

void Controller::update_partitions(Context& c, BrokerId out, BrokerId back, BrokerId unclean_shutdown) {
  for (PartitionId p = 0; p < image_.partitions.size(); ++p) {
    const PartitionState before = image_.partitions[p];
    if (before.replicas.empty()) continue;
    const bool concerned = out != no_broker ? contains(before.isr, out) || contains(before.elr, out) || before.leader == out
                                            : before.leader == no_broker && contains(before.replicas, back);
    if (!concerned) continue;
    // Only an unclean shutdown takes a replica out of the ELR.
    if (out != no_broker && unclean_shutdown == no_broker && !contains(before.isr, out) && before.leader != out) continue;
    PartitionChange change;
    change.target_isr = out == no_broker ? before.isr : without(before.isr, out);
    if (unclean_shutdown != no_broker) change.unclean_shutdown = {unclean_shutdown};
    change.acceptable = [&](BrokerId b) { return b != out && (b == back || alive(b)); };
    change.min_insync = cluster_->partitions[p].min_insync;
    change.elr = cluster_->settings.switches.elr;
    change.election = cluster_->settings.unclean_election ? Election::unclean : Election::online;
    put(c, before, change_partition(before, change));
  }
}

void Controller::on_alter_partition(Context& c, const Message& m) {
  const auto& a = payload_as<AlterPartition>(m.payload);
  AlterPartitionReply reply;
  reply.partition = a.partition;
  const auto refuse = [&](Error e) {
    reply.error = e;
    c.reply(m, kind(Kind::alter_partition_reply), make_payload<AlterPartitionReply>(reply));
  };
  if (!active_) return refuse(Error::not_controller);
  if (!image_.known(a.broker) || image_.broker(a.broker).epoch != a.broker_epoch) return refuse(Error::stale_broker_epoch);
  const PartitionState before = image_.partitions[a.partition];
  if (before.replicas.empty()) return refuse(Error::unknown_topic_or_partition);
  // validateAlterPartitionData, in its order.
  if (a.leader_epoch > before.leader_epoch || a.partition_epoch > before.partition_epoch) return refuse(Error::not_controller);
  if (a.leader_epoch < before.leader_epoch) return refuse(Error::fenced_leader_epoch);
  if (a.broker != before.leader) return refuse(Error::invalid_request);
  if (a.partition_epoch < before.partition_epoch) return refuse(Error::invalid_update_version);
  std::vector<BrokerId> isr;
  for (const IsrMember& i : a.isr) isr.push_back(i.broker);
  if (!contains(isr, before.leader)) return refuse(Error::invalid_request);
  for (const IsrMember& i : a.isr) {
    if (!contains(before.replicas, i.broker)) return refuse(Error::invalid_request);
    // KIP-841: only brokers that are alive may enter; KIP-903: and only this very incarnation.
    if (!alive(i.broker)) return refuse(Error::ineligible_replica);
    if (cluster_->settings.switches.isr_broker_epoch && i.epoch != no_broker_epoch && i.epoch != image_.broker(i.broker).epoch)
      return refuse(Error::ineligible_replica);
  }
  PartitionChange change;
  change.target_isr = isr;
  change.acceptable = [&](BrokerId b) { return alive(b); };
  change.min_insync = cluster_->partitions[a.partition].min_insync;
  change.elr = cluster_->settings.switches.elr;
  PartitionState next = change_partition(before, change);
  next.recovering = false;
  if (next.partition_epoch == before.partition_epoch) ++next.partition_epoch;
  reply.leader = next.leader;
  reply.leader_epoch = next.leader_epoch;
  reply.partition_epoch = next.partition_epoch;
  reply.isr = next.isr;
  const Offset at = decide(c, PartitionRecord{next});
  answer_when_committed(m, at, Kind::alter_partition_reply, make_payload<AlterPartitionReply>(reply));
}

void Controller::rebalance_leaders(Context& c) {
  for (PartitionId p = 0; p < image_.partitions.size(); ++p) {
    const PartitionState before = image_.partitions[p];
    if (before.replicas.empty() || before.leader == before.replicas.front()) continue;
    if (!contains(before.isr, before.replicas.front())) continue;
    PartitionChange change;
    change.election = Election::preferred;
    change.target_isr = before.isr;
    change.acceptable = [&](BrokerId b) { return alive(b); };
    change.min_insync = cluster_->partitions[p].min_insync;
    change.elr = cluster_->settings.switches.elr;
    put(c, before, change_partition(before, change));
  }
}

// The topics of the deployment are created once all brokers are there, as an operator would.
void Controller::create_topics(Context& c) {
  for (std::size_t b = 1; b <= image_.brokers.size(); ++b)
    if (!alive(static_cast<BrokerId>(b))) return;
  for (PartitionId p = 0; p < image_.partitions.size(); ++p) {
    const PartitionSettings& s = cluster_->partitions[p];
    if (s.number < cluster_->topics[static_cast<std::size_t>(s.topic)].partitions) create_partition(c, p);
  }
}

void Controller::create_partition(Context& c, PartitionId p) {
  if (!image_.partitions[p].replicas.empty()) return;
  PartitionState s;
  s.partition = p;
  s.replicas = cluster_->partitions[p].assignment;
  for (BrokerId b : s.replicas)
    if (alive(b)) s.isr.push_back(b);
  if (s.isr.empty()) return;
  s.leader = s.isr.front();
  decide(c, PartitionRecord{s});
}

void Controller::on_command(Context& c, const std::string& verb, const std::string& argument) {
  if (!active_) return;
  const std::size_t space = argument.find(' ');
  if (verb == "add_partitions") {
    const TopicSettings* t = cluster_->topic(argument.substr(0, space));
    std::int32_t wanted = 0;
    if (space != std::string::npos)
      for (const char ch : argument.substr(space + 1)) wanted = ch >= '0' && ch <= '9' && wanted < 100'000 ? wanted * 10 + (ch - '0') : 0;
    if (!t || wanted == 0 || wanted > t->partitions_max) {
      c.mark("command_refused", {}, fmt::format("add_partitions wants a topic and at most its partitions_max, not `{}`", argument));
      return;
    }
    // ReplicationControlManager.createPartitions: it must be an increase.
    std::int32_t now = 0;
    while (now < t->partitions_max && !image_.partitions[t->first + static_cast<PartitionId>(now)].replicas.empty()) ++now;
    if (wanted <= now) {
      c.mark("command_refused", t->name, fmt::format("{} has {} partitions already", t->name, now));
      return;
    }
    for (std::int32_t n = 0; n < wanted; ++n) create_partition(c, t->first + static_cast<PartitionId>(n));
    c.mark("partitions_added", t->name, fmt::format("{} has {} partitions", t->name, wanted));
    return;
  }
  PartitionId p = 0;
  if (!cluster_->partition(argument.substr(0, space), p) || image_.partitions[p].replicas.empty()) {
    c.mark("command_refused", {}, fmt::format("there is no partition `{}`", argument.substr(0, space)));
    return;
  }
  const PartitionState before = image_.partitions[p];
  PartitionChange change;
  change.target_isr = before.isr;
  change.acceptable = [&](BrokerId b) { return alive(b); };
  change.min_insync = cluster_->partitions[p].min_insync;
  change.elr = cluster_->settings.switches.elr;
  if (verb == "elect" && space != std::string::npos) {
    const NodeId n = c.world().find(argument.substr(space + 1));
    change.wanted_leader = n == nobody ? no_broker : cluster_->broker_of(n);
    if (change.wanted_leader == no_broker || !contains(before.isr, change.wanted_leader)) {
      c.mark("command_refused", cluster_->partitions[p].place, fmt::format("`{}` is not in the ISR {}", argument.substr(space + 1), describe(before.isr)));
      return;
    }
  } else {
    change.election = verb == "elect_unclean" ? Election::unclean : Election::preferred;
  }
  put(c, before, change_partition(before, change));
}

Tree Controller::state() const {
  Tree t{"controller", active_ ? "active" : "standby", {}};
  t.add("quorum epoch", std::to_string(quorum_.epoch()));
  t.add("metadata log", fmt::format("{}..{} committed {}", quorum_.start_offset(), quorum_.end(), quorum_.commit()));
  Tree& brokers = t.add("brokers");
  for (std::size_t b = 0; b < committed_.brokers.size(); ++b) {
    const BrokerRegistration& r = committed_.brokers[b];
    brokers.add(fmt::format("B{}", b + 1), !r.registered ? "unknown" : fmt::format("epoch {}{}{}", r.epoch, r.fenced ? ", fenced" : "", r.shutting_down ? ", shutting down" : ""));
  }
  Tree& partitions = t.add("partitions");
  for (PartitionId p = 0; p < committed_.partitions.size(); ++p) {
    const PartitionState& s = committed_.partitions[p];
    if (s.replicas.empty()) continue;
    partitions.add(cluster_->partitions[p].place,
                   fmt::format("leader {} epoch {} ISR {}{}", s.leader == no_broker ? "none" : fmt::format("B{}", s.leader), s.leader_epoch, describe(s.isr),
                               s.elr.empty() ? "" : " ELR " + describe(s.elr)));
  }
  return t;
}

}  // namespace mqlab::kafka
