// A leader's work for share groups: records handed out one by one, acknowledgements that are written down, locks that
// run out. Sources: SharePartitionManager, DelayedShareFetch, KafkaApis.handleShareFetchRequest, PersisterStateManager.
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {
namespace {

constexpr std::int32_t attempts_max = 5;      // PersisterStateManager.MAX_FIND_COORD_ATTEMPTS
constexpr Duration ask_again = 1'000'000'000;      // ... REQUEST_BACKOFF_MS

const std::vector<PartitionAcks>& acks_of(Kind k, const PayloadRef& m) {
  return k == Kind::share_fetch ? payload_as<ShareFetch>(m).acks : payload_as<ShareAcknowledge>(m).acks;
}

std::string offsets(Offset first, Offset last) { return first == last ? fmt::format("offset {}", first) : fmt::format("offsets {}..{}", first, last); }

}  // namespace

ShareLead* Broker::share_lead(const std::string& group, PartitionId p) {
  const auto it = std::find_if(share_.leads.begin(), share_.leads.end(), [&](const ShareLead& l) { return l.partition == p && l.group == group; });
  return it == share_.leads.end() ? nullptr : &*it;
}

const SharePartition* Broker::share_window(const std::string& group, PartitionId p) const {
  for (const ShareLead& l : share_.leads)
    if (l.partition == p && l.group == group && l.window) return &*l.window;
  return nullptr;
}

// ---------------------------------------------------------------------------------------------
// Requests of members.

void Broker::on_share_request(Context& c, const Message& m) {
  const auto k = static_cast<Kind>(m.kind);
  const bool fetches = k == Kind::share_fetch;
  const std::string group = fetches ? payload_as<ShareFetch>(m.payload).group : payload_as<ShareAcknowledge>(m.payload).group;
  const std::string member = fetches ? payload_as<ShareFetch>(m.payload).member : payload_as<ShareAcknowledge>(m.payload).member;
  if (std::none_of(share_.sessions.begin(), share_.sessions.end(), [&](const ShareSession& s) { return s.connection == m.connection; }))
    share_.sessions.push_back({m.connection, group, member});
  ShareWait w;
  w.to = {m.connection, m.from, m.word};
  w.kind = k;
  w.request = m.payload;
  w.number = next_number_++;
  mute(m.connection);
  for (const PartitionAcks& a : acks_of(k, m.payload)) {
    ShareWait::Ack ack;
    ack.result.partition = a.partition;
    ShareLead* lead = share_lead(group, a.partition);
    if (replicas_[a.partition].role != Role::leader) {
      ack.result.error = Error::not_leader_or_follower;
    } else if (!lead || !lead->window) {
      // A new leader has not read the state yet, or reads it now: nobody holds anything.
      ack.result.error = Error::unknown_topic_or_partition;  // SharePartitionManager.acknowledge
    } else {
      const ShareChange change = lead->window->acknowledge(member, a.acks, c.now());
      ack.result.error = change.error;
      ack.change = change.number;
      write_share_change(c, *lead, change);
    }
    w.acks.push_back(ack);
  }
  if (!fetches && payload_as<ShareAcknowledge>(m.payload).closes) release_share_member(c, group, member);
  if (fetches) w.timer = c.set_timer(payload_as<ShareFetch>(m.payload).max_wait, timer_share_wait, w.number);
  share_.waits.push_back(std::move(w));
  settle_share_waits(c);
}

// Answers what can be answered. A fetch waits for its acknowledgements to be written and for records, whichever comes
// last (KafkaApis combines the two).
void Broker::settle_share_waits(Context& c) {
  for (std::size_t i = 0; i < share_.waits.size();) {
    ShareWait& w = share_.waits[i];
    if (w.kind == Kind::share_fetch && !w.acquired) acquire_for(c, w);
    const bool written = std::none_of(w.acks.begin(), w.acks.end(), [](const ShareWait::Ack& a) { return a.change != 0; });
    if (!written || (w.kind == Kind::share_fetch && !w.acquired && !w.due)) {
      ++i;
      continue;
    }
    ShareWait done = std::move(w);
    share_.waits.erase(share_.waits.begin() + static_cast<std::ptrdiff_t>(i));
    if (done.timer != no_event) c.cancel_timer(done.timer);
    std::vector<PartitionError> acks;
    for (const ShareWait::Ack& a : done.acks) acks.push_back(a.result);
    if (done.kind == Kind::share_acknowledge) {
      ShareAcknowledgeReply r;
      r.acks = std::move(acks);
      c.send(done.to.connection, kind(Kind::share_acknowledge_reply), make_payload<ShareAcknowledgeReply>(std::move(r)), 64, done.to.word);
    } else {
      std::uint32_t bytes = 64;
      for (const AcquiredPartition& p : done.reply.partitions)
        for (const Batch& b : p.batches) bytes += b.bytes;
      done.reply.acks = std::move(acks);
      done.reply.lock = cluster_->settings.groups.share_lock;
      c.send(done.to.connection, kind(Kind::share_fetch_reply), make_payload<ShareFetchReply>(std::move(done.reply)), bytes, done.to.word);
    }
    release(done.to.connection);
  }
}

// True for each partition once: records or an error. Partitions take turns at being first.
void Broker::acquire_for(Context& c, ShareWait& w) {
  const auto& request = payload_as<ShareFetch>(w.request);
  std::int64_t left = request.max_records;
  const std::size_t n = request.partitions.size();
  for (std::size_t i = 0; i < n; ++i) {
    const PartitionId p = request.partitions[(i + w.to.word) % n];
    AcquiredPartition out;
    out.partition = p;
    const Replica& r = replicas_[p];
    if (r.role != Role::leader) {
      out.error = Error::not_leader_or_follower;
    } else if (ShareLead* lead = share_lead(request.group, p); !lead) {
      begin_share_lead(c, request.group, p);
    } else if (lead->window) {
      SharePartition& window = *lead->window;
      const PartitionLog& log = log_of(p);
      if (window.next_fetch() < log.start()) window.log_starts_at(log.start());
      if (!window.can_acquire()) {
        if (!lead->told_full) c.mark("share_partition_full", place(p), fmt::format("{}: {} offsets from {} on are under way, which is all that may be", lead->group, window.end() - window.start(), window.start()));
        lead->told_full = true;
      } else {
        lead->told_full = false;
        if (left > 0 && window.next_fetch() < r.high_watermark) {
          const std::vector<Batch> read = log.read(window.next_fetch(), r.high_watermark, offset_max, 1'048'576);
          out.acquired = window.acquire(request.member, read, left, c.now(), request.exactly);
          for (const Acquired& a : out.acquired) left -= a.last - a.first + 1;
          for (const Batch& b : read)
            if (std::any_of(out.acquired.begin(), out.acquired.end(), [&](const Acquired& a) { return a.first <= b.last_offset() && b.base_offset <= a.last; })) out.batches.push_back(b);
          arm_share_locks(c, *lead);
        }
      }
    }
    if (out.error == Error::none && out.acquired.empty()) continue;
    w.acquired = true;
    w.reply.partitions.push_back(std::move(out));
  }
}

// The session is over: what the member still holds is free at once.
void Broker::release_share_member(Context& c, const std::string& group, const std::string& member) {
  for (ShareLead& lead : share_.leads) {
    if (lead.group != group || !lead.window) continue;
    const ShareChange change = lead.window->release(member);
    if (change.number != 0) write_share_change(c, lead, change);
  }
}

void Broker::share_connection_closed(Context& c, ConnId connection) {
  std::erase_if(share_.waits, [&](const ShareWait& w) {
    if (w.to.connection != connection) return false;
    if (w.timer != no_event) c.cancel_timer(w.timer);
    return true;
  });
  const auto it = std::find_if(share_.sessions.begin(), share_.sessions.end(), [&](const ShareSession& s) { return s.connection == connection; });
  if (it == share_.sessions.end()) return;
  const ShareSession session = *it;
  share_.sessions.erase(it);
  release_share_member(c, session.group, session.member);
  settle_share_waits(c);
}

// ---------------------------------------------------------------------------------------------
// Locks.

void Broker::arm_share_locks(Context& c, ShareLead& lead) {
  const Time due = lead.window ? lead.window->next_deadline() : time_max;
  if (due == lead.timer_due) return;
  if (lead.timer != no_event) c.cancel_timer(lead.timer);
  lead.timer = no_event;
  lead.timer_due = due;
  if (due != time_max) lead.timer = c.set_timer(std::max<Duration>(0, due - c.now()), timer_share_lock);
}

void Broker::on_share_locks(Context& c) {
  for (ShareLead& lead : share_.leads) {
    if (lead.timer_due > c.now()) continue;
    lead.timer = no_event;
    lead.timer_due = time_max;
    const ShareChange change = lead.window->expire(c.now());
    for (const StateBatch& b : change.update.batches)
      c.mark("record_lock_expired", place(lead.partition), fmt::format("{}: {}, delivered {} time{} and never answered for", lead.group, offsets(b.first, b.last), b.deliveries, b.deliveries == 1 ? "" : "s"));
    mark_archived(c, lead, change.archived);
    write_share_change(c, lead, change);
    arm_share_locks(c, lead);
  }
  settle_share_waits(c);
}

void Broker::mark_archived(Context& c, const ShareLead& lead, const std::vector<Archived>& archived) {
  for (const Archived& a : archived) c.mark("record_archived", place(lead.partition), fmt::format("{}: {}: {}", lead.group, offsets(a.first, a.last), a.why));
}

// ---------------------------------------------------------------------------------------------
// The state of a share-partition lives with a share coordinator: read when the lead begins, written with each change.

void Broker::begin_share_lead(Context& c, const std::string& group, PartitionId p) {
  ShareLead lead;
  lead.group = group;
  lead.partition = p;
  lead.epoch = replicas_[p].epoch;
  share_.leads.push_back(std::move(lead));
  ReadShareState m;
  m.group = group;
  m.partition = p;
  m.leader_epoch = replicas_[p].epoch;
  ShareAsk ask;
  ask.kind = Kind::read_share_state;
  ask.payload = make_payload<ReadShareState>(std::move(m));
  ask.group = group;
  ask.partition = p;
  ask_share_coordinator(c, std::move(ask));
}

void Broker::write_share_change(Context& c, const ShareLead& lead, const ShareChange& change) {
  if (change.update.batches.empty()) return;
  WriteShareState m;
  m.group = lead.group;
  m.partition = lead.partition;
  m.update = change.update;
  ShareAsk ask;
  ask.kind = Kind::write_share_state;
  ask.payload = make_payload<WriteShareState>(std::move(m));
  ask.group = lead.group;
  ask.partition = lead.partition;
  ask.change = change.number;
  if (change.number != 0) ask.archived = change.archived;
  ask_share_coordinator(c, std::move(ask));
}

void Broker::ask_share_coordinator(Context& c, ShareAsk ask) {
  ask.number = next_number_++;
  share_.asks.push_back(std::move(ask));
  send_share_ask(c, share_.asks.back().number);
}

void Broker::send_share_ask(Context& c, std::uint64_t number) {
  const auto it = std::find_if(share_.asks.begin(), share_.asks.end(), [&](const ShareAsk& a) { return a.number == number; });
  if (it == share_.asks.end()) return;
  ShareAsk& ask = *it;
  ++ask.attempts;
  const auto state = share_state_of(ask.group, ask.partition);
  const BrokerId to = state ? image_.partitions[*state].leader : no_broker;
  if (to == no_broker) return share_ask_failed(c, number);
  ask.to = to;
  if (to == id_) return on_share_state_request(c, {no_connection, c.self(), number}, ask.kind, ask.payload);
  share_.links.resize(cluster_->brokers.size(), no_connection);
  ConnId& link = share_.links[static_cast<std::size_t>(to - 1)];
  if (link == no_connection || !c.is_open(link)) link = c.connect(cluster_->node_of(to), Traffic::replication);
  ask.timer = c.set_timer(cluster_->settings.request_timeout, timer_share_ask, number);
  c.send(link, kind(ask.kind), ask.payload, 128, number);
}

// Nobody has answered, or nobody could be asked. Later again, but not for ever.
void Broker::share_ask_failed(Context& c, std::uint64_t number) {
  const auto it = std::find_if(share_.asks.begin(), share_.asks.end(), [&](const ShareAsk& a) { return a.number == number; });
  if (it == share_.asks.end()) return;
  if (it->timer != no_event) c.cancel_timer(it->timer);
  it->to = no_broker;
  if (it->attempts < attempts_max) {
    it->timer = c.set_timer(ask_again, timer_share_ask, number);
    return;
  }
  const ShareAsk ask = std::move(*it);
  share_.asks.erase(it);
  end_share_ask(c, ask, Error::coordinator_not_available, nullptr);
}

void Broker::on_share_ask_timer(Context& c, std::uint64_t number) {
  const auto it = std::find_if(share_.asks.begin(), share_.asks.end(), [&](const ShareAsk& a) { return a.number == number; });
  if (it == share_.asks.end()) return;
  it->timer = no_event;
  if (it->to == no_broker) return send_share_ask(c, number);
  const ConnId silent = share_.links[static_cast<std::size_t>(it->to - 1)];
  share_link_closed(c, silent);
  c.close(silent);
}

void Broker::on_share_state_reply(Context& c, std::uint64_t number, Kind k, const PayloadRef& payload) {
  const auto it = std::find_if(share_.asks.begin(), share_.asks.end(), [&](const ShareAsk& a) { return a.number == number; });
  if (it == share_.asks.end() || it->to == no_broker) return;
  const Error e = k == Kind::write_share_state_reply ? payload_as<WriteShareStateReply>(payload).error : payload_as<ReadShareStateReply>(payload).error;
  if (e == Error::not_coordinator || e == Error::coordinator_not_available || e == Error::coordinator_load_in_progress) return share_ask_failed(c, number);
  if (it->timer != no_event) c.cancel_timer(it->timer);
  const ShareAsk ask = std::move(*it);
  share_.asks.erase(it);
  end_share_ask(c, ask, e, k == Kind::read_share_state_reply ? &payload_as<ReadShareStateReply>(payload).state : nullptr);
}

void Broker::on_local_share_answers(Context& c) {
  std::vector<ShareDesk::Local> local;
  local.swap(share_.local);
  for (const ShareDesk::Local& l : local) on_share_state_reply(c, l.number, l.kind, l.payload);
}

bool Broker::share_link_closed(Context& c, ConnId connection) {
  for (std::size_t b = 0; b < share_.links.size(); ++b) {
    if (connection == no_connection || share_.links[b] != connection) continue;
    share_.links[b] = no_connection;
    std::vector<std::uint64_t> lost;
    for (const ShareAsk& a : share_.asks)
      if (a.to == static_cast<BrokerId>(b + 1)) lost.push_back(a.number);
    for (const std::uint64_t number : lost) share_ask_failed(c, number);
    return true;
  }
  return false;
}

// The coordinator's last word.
void Broker::end_share_ask(Context& c, const ShareAsk& ask, Error e, const ShareState* read) {
  ShareLead* lead = share_lead(ask.group, ask.partition);
  if (!lead) return;
  const auto tell = [&](Error error) {
    for (ShareWait& w : share_.waits)
      for (ShareWait::Ack& a : w.acks) {
        const bool same = (w.kind == Kind::share_fetch ? payload_as<ShareFetch>(w.request).group : payload_as<ShareAcknowledge>(w.request).group) == ask.group;
        if (!same || a.result.partition != ask.partition || a.change != ask.change || ask.change == 0) continue;
        a.change = 0;
        a.result.error = error;
      }
  };
  if (ask.kind == Kind::read_share_state && e == Error::none) {
    const PartitionLog& log = log_of(ask.partition);
    const GroupSettings& g = cluster_->settings.groups;
    lead->window.emplace(ShareLimits{g.share_lock, g.share_delivery_limit, g.share_record_locks}, *read, lead->epoch,
                         g.share_from_earliest ? log.start() : replicas_[ask.partition].high_watermark);
    c.mark("share_partition_loaded", place(ask.partition), fmt::format("{} goes on at {}", ask.group, lead->window->start()));
    return settle_share_waits(c);
  }
  const bool fenced = e == Error::fenced_leader_epoch || e == Error::fenced_state_epoch;
  if (lead->window) {
    lead->window->complete(ask.change, e == Error::none);
    if (e == Error::none) mark_archived(c, *lead, ask.archived);
    arm_share_locks(c, *lead);
    tell(fenced ? Error::not_leader_or_follower : e);
  }
  // Somebody else leads, or the state can't be read: the next request begins anew.
  if (fenced || ask.kind == Kind::read_share_state) leave_share_lead(c, ask.group, ask.partition, fenced ? Error::not_leader_or_follower : e);
  settle_share_waits(c);
}

void Broker::leave_share_lead(Context& c, std::string group, PartitionId p, Error why) {
  for (std::size_t i = 0; i < share_.leads.size(); ++i) {
    if (share_.leads[i].partition != p || share_.leads[i].group != group) continue;
    if (share_.leads[i].timer != no_event) c.cancel_timer(share_.leads[i].timer);
    share_.leads.erase(share_.leads.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  std::erase_if(share_.asks, [&](const ShareAsk& a) {
    if (a.partition != p || a.group != group) return false;
    if (a.timer != no_event) c.cancel_timer(a.timer);
    return true;
  });
  for (ShareWait& w : share_.waits) {
    const bool fetches = w.kind == Kind::share_fetch;
    if ((fetches ? payload_as<ShareFetch>(w.request).group : payload_as<ShareAcknowledge>(w.request).group) != group) continue;
    for (ShareWait::Ack& a : w.acks)
      if (a.result.partition == p && a.change != 0) {
        a.change = 0;
        a.result.error = why;
      }
    if (!fetches || w.acquired) continue;
    const auto& asked = payload_as<ShareFetch>(w.request).partitions;
    if (std::find(asked.begin(), asked.end(), p) == asked.end()) continue;
    AcquiredPartition out;
    out.partition = p;
    out.error = why;
    w.reply.partitions.push_back(std::move(out));
    w.acquired = true;
  }
}

// Another broker leads, or this one in another term: who holds what is forgotten.
void Broker::leave_share_leads(Context& c, PartitionId p) {
  std::vector<std::string> groups;
  for (const ShareLead& lead : share_.leads)
    if (lead.partition == p) groups.push_back(lead.group);
  for (const std::string& group : groups) leave_share_lead(c, group, p, Error::not_leader_or_follower);
  if (!share_.waits.empty()) settle_share_waits(c);
}

void Broker::wake_share_fetches(Context& c, PartitionId p) {
  if (std::any_of(share_.leads.begin(), share_.leads.end(), [&](const ShareLead& l) { return l.partition == p; })) settle_share_waits(c);
}

void Broker::on_share_wait(Context& c, std::uint64_t number) {
  for (ShareWait& w : share_.waits)
    if (w.number == number) {
      w.due = true;
      w.timer = no_event;
    }
  settle_share_waits(c);
}

void Broker::add_share_state(Tree& t) const {
  for (const ShareLead& lead : share_.leads) {
    if (!lead.window) {
      t.add(fmt::format("{} shares {}", lead.group, place(lead.partition)), "its state is being read");
      continue;
    }
    const SharePartition& w = *lead.window;
    t.add(fmt::format("{} shares {}", lead.group, place(lead.partition)),
          fmt::format("{}..{}, {} acquired, {} available", w.start(), w.end(), w.count(RecordState::acquired), w.count(RecordState::available)));
  }
  for (const ShareSeat& seat : share_.seats) {
    if (seat.loading) t.add(place(seat.partition), "share coordinator, loading");
    else t.children.push_back(seat.states.state(*cluster_));
  }
}

}  // namespace mqlab::kafka
