// Reading from followers (KIP-392): whom a leader sends a consumer to, and how long the consumer stays there.
//
// The consumer names its rack with every fetch. A leader that knows an in-sync replica there answers with its name and
// no records; from then on the consumer fetches from that one, until metadata.max.age.ms is over or something goes
// wrong, and then it asks the leader again. Questions about offsets and epochs always go to the leader.
//
// What a follower serves is in leader.cpp (read_for): everything below the high watermark that it has heard of, which
// is up to replica.fetch.wait.max.ms behind the leader's (KAFKA-9952 took back that it is told at once).
// Sources: ReplicaManager.findPreferredReadReplica, RackAwareReplicaSelector, ReplicaView.comparator (broker);
// AbstractFetch.selectReadReplica, FetchCollector, SubscriptionState (consumer).
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "models/kafka/broker.h"
#include "models/kafka/client.h"

namespace mqlab::kafka {

// ReplicaManager.findPreferredReadReplica; no_broker is the leader itself. Only who is in the ISR (KAFKA-14372: another
// one might lag for ever, and the consumer with it), alive (KAFKA-15390), and has the offset by its last fetch.
BrokerId Broker::preferred_read_replica(const FetchRequest& request, const FetchPartition& f) const {
  if (!cluster_->settings.rack_aware || request.replica != no_broker || request.rack.empty()) return no_broker;
  if (cluster_->rack_of(id_) == request.rack) return no_broker;
  const Replica& r = replicas_[f.partition];
  const FollowerState* best = nullptr;
  for (const FollowerState& follower : r.followers) {
    const BrokerRegistration& broker = image_.broker(follower.broker);
    if (cluster_->rack_of(follower.broker) != request.rack || !broker.registered || broker.fenced) continue;
    if (!contains(r.isr, follower.broker)) continue;
    if (follower.end < f.fetch_offset || follower.log_start > f.fetch_offset) continue;
    // Who has come furthest, was caught up last, has the highest number.
    const auto rank = [](const FollowerState& s) { return std::tuple(s.end, s.last_caught_up, s.broker); };
    if (!best || rank(follower) > rank(*best)) best = &follower;
  }
  return best ? best->broker : no_broker;
}

// SubscriptionState.updatePreferredReadReplica: told the same once more, it does not stay longer for that.
void Client::read_from(Context& c, Assigned& a, BrokerId b) {
  if (a.reads_from == b) return;
  a.reads_from = b;
  a.reads_from_until = saturating_add(c.now(), consumer_.metadata_max_age);
  a.reads_from_epoch = metadata_[a.partition].leader_epoch;
  c.mark("reads_from_follower", place(a.partition), fmt::format("from B{}, the leader says", b));
}

void Client::read_from_leader(Context& c, Assigned& a, const char* why) {
  if (a.reads_from == no_broker) return;
  c.mark("reads_from_leader_again", place(a.partition), fmt::format("not from B{} any more: {}", a.reads_from, why));
  a.reads_from = no_broker;
}

// AbstractFetch.selectReadReplica; and SubscriptionState.maybeValidatePosition, which forgets the replica with the
// leader.
void Client::check_read_replica(Context& c, Assigned& a) {
  if (a.reads_from == no_broker) return;
  if (metadata_[a.partition].leader_epoch != a.reads_from_epoch) return read_from_leader(c, a, "there is a new leader");
  if (c.now() > a.reads_from_until) return read_from_leader(c, a, "metadata.max.age.ms is over");
  if (std::find(offline_.begin(), offline_.end(), a.reads_from) == offline_.end()) return;
  want_metadata(c);
  read_from_leader(c, a, "it is away");
}

}  // namespace mqlab::kafka
