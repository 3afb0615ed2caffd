// What the product promises under this deployment and these faults, and why it does not.
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/model_parts.h"
#include "models/kafka/settings.h"

namespace mqlab::kafka {
namespace {

// Brokers that ended uncleanly, when one of them lost what it had not flushed; none when all of them kept their page
// cache. A kill counts along: its replica leaves the ISR, and after KIP-966 the controller trusts it no more than one
// whose machine lost power. Where all of a run's losses lie within one window is not known here, so all count. With
// log.flush.interval.messages=1 a record is synced before it counts as held, and power takes no more than a kill does.
std::size_t brokers_lost(const FaultSummary& f, bool every_record_synced) {
  std::vector<std::string> brokers;
  bool data = false;
  for (const FaultSummary::Lost& loss : f.losses) {
    if (loss.role != "broker") continue;
    data = data || (loss.power && !every_record_synced) || loss.wipe;
    brokers.push_back(loss.node);
  }
  std::sort(brokers.begin(), brokers.end());
  brokers.erase(std::unique(brokers.begin(), brokers.end()), brokers.end());
  return data ? brokers.size() : 0;
}

// Producers of whose messages something cannot be claimed. Where some are left, it is claimed of them.
class Exceptions {
 public:
  // `why`: empty for one of whom it is claimed.
  void add(const std::string& producer, const std::string& why) {
    ++producers_;
    if (why.empty()) return;
    except_.push_back(producer);
    if (why_.empty()) why_ = why;
  }
  // `not_at_all`: why it is claimed of nobody; mostly empty.
  Claim claim(const char* anomaly, const std::string& yes, const std::string& not_at_all) const {
    if (!except_.empty() && except_.size() == producers_) return {anomaly, false, why_};
    if (!not_at_all.empty()) return {anomaly, false, not_at_all, except_};
    return {anomaly, true, yes, except_};
  }

 private:
  std::size_t producers_ = 0;
  std::vector<std::string> except_;
  std::string why_;
};

// What reading for a group adds: where a position may get ahead of the work, or fall behind it.
void claim_for_groups(const Deployment& d, const FaultSummary& f, const ClusterSettings& c, std::vector<Claim>& out) {
  std::string ahead;  // why a committed position may pass what is not done; empty = it may not
  bool held_up = false, from_the_end = false, stops = false, groups = false, programs = false, shared = false, careless = false, modern = false;
  for (const ClientSpec& spec : d.clients) {
    if (spec.role == "producer") continue;
    const ConsumerSettings s = consumer_settings(spec.role == "consumer" ? spec.options : spec.consumer_options);
    if (s.group.empty()) continue;
    groups = true;
    shared = shared || s.protocol == GroupProtocol::share;
    modern = modern || s.protocol == GroupProtocol::consumer;
    from_the_end = from_the_end || s.reset == OffsetReset::latest;
    stops = stops || s.reset == OffsetReset::none;
    if (spec.app) {
      programs = true;
      continue;
    }
    const auto text = [&](const char* name) { return spec.options.has(name) ? spec.options.text(name) : std::string(); };
    const bool handed_on = spec.options.has("workers") && (spec.options.integer("workers") > 0 || spec.options.boolean("pause_while_working"));
    const std::string commit = text("commit");
    if (s.protocol == GroupProtocol::share) {
      if (text("ack") == "accept") ahead = "what failed is accepted all the same";
      else if (!s.explicit_acks && handed_on) ahead = "the next poll accepts what workers have not done yet";
    } else if (commit == "before") ahead = "positions are committed before the work";
    else if (handed_on && commit == "highest") ahead = "workers finish out of order, and the highest position is committed";
    else if (!text("poison").empty() && text("on_failure") == "skip") ahead = "a record that always fails is passed over";
    else if (s.auto_commit == AutoCommit::librdkafka && s.auto_offset_store) ahead = "the background commit counts what was only handed out";
    else if (s.auto_commit == AutoCommit::java && handed_on) ahead = "the next poll commits what workers have not done yet";
    if (!text("poison").empty() && text("on_failure") == "block") held_up = true;
    careless = careless || (spec.options.has("finish_revoked") && spec.options.boolean("finish_revoked"));
  }
  if (!groups) return;
  if (programs && ahead.empty()) ahead = "a program commits when it likes";
  const auto withdraw = [&](const char* name, const std::string& why) {
    for (Claim& claim : out)
      if (claim.anomaly == name && claim.claimed) claim = {name, false, why};
  };
  withdraw("duplicate-delivery", "a group delivers again what was not committed when a member went");
  if (shared) {
    for (const char* name : {"lost-message", "lost-write"}) withdraw(name, "a share group gives up a record that was delivered too often");
    withdraw("fifo-violation", "a share group hands out records in no order");
  }
  // A new partition is found by its readers later than by its writers; and a position may be dropped, or deleted records
  // may be all that lay behind it.
  if (from_the_end)
    for (const char* name : {"lost-message", "lost-write"}) withdraw(name, "where no position is committed the group reads from the end: what came before is not read");
  if (stops) withdraw("lost-message", "where no position is committed the group is told so, and reads nothing");
  if (held_up) withdraw("lost-message", "a record that always fails holds up those behind it");
  if (!ahead.empty()) {
    withdraw("lost-message", ahead);
    withdraw("lost-write", ahead);
  }
  const auto replicas = std::min<std::int64_t>(d.cluster.integer("offsets_replicas"), c.brokers);
  const std::int64_t own = d.cluster.integer("offsets_min_insync");
  const std::int64_t copies = std::min(own > 0 ? own : std::int64_t{c.min_insync}, replicas);
  std::string no;
  if (copies < 2) no = "one copy of a committed position is enough: it may be lost";
  else if (c.unclean_election) no = "unclean elections are allowed";
  else if (f.disk_faults) no = "a disk broke its promise";
  else if (brokers_lost(f, c.flush_messages == 1) > static_cast<std::size_t>(copies - 1)) no = "more brokers were lost than hold a position for certain";
  else if (programs) no = "a program commits what it likes";
  // The coordinator compares nothing: a commit that its sender has given up, and that is still under way, counts when it
  // comes, although a later one has been confirmed.
  const std::string back = !no.empty()        ? no
                           : careless         ? "a member commits for places that it has no longer, and nobody asks whose they are"
                           : f.network_faults ? "a commit given up may still arrive, and the last one counts"
                           : f.client_pauses  ? "a member that stood still may begin where the group stood long ago"
                                              : "";
  out.push_back({"position-regression", back.empty(), back.empty() ? "positions have two copies, and members commit forward" : back});
  out.push_back({"commit-ahead-of-processing", ahead.empty(), ahead.empty() ? "positions are committed after the work" : ahead});
  if (no.empty() && modern && f.network_faults) {
    no = "a member whose late request was answered to nobody is not told again what it was given";
    withdraw("lost-message", no);
  }
  out.push_back({"group-starvation", no.empty(), no.empty() ? "after heal each partition has an owner" : no});
}

// What transactions add, for readers of committed records. `lost`: why acknowledged records may be lost; empty = they may not.
void claim_for_transactions(const Deployment& d, const FaultSummary& f, const ClusterSettings& c, const std::string& lost, std::vector<Claim>& out) {
  bool transacts = false, java = true, metadata = true, stable = true, ends = true, bumps = true, programs = false;
  for (const ClientSpec& spec : d.clients) {
    programs = programs || spec.app;
    if (spec.role != "producer") {
      const ConsumerSettings s = consumer_settings(spec.role == "consumer" ? spec.options : spec.consumer_options);
      stable = stable && s.require_stable;
      ends = ends && s.aborted_filter_ends;
    }
    if (spec.role == "consumer") continue;
    const ProducerSettings p = producer_settings(spec.options);
    if (p.transactional_id.empty()) continue;
    transacts = true;
    java = java && p.library == ClientLibrary::java;
    metadata = metadata && p.group_metadata;
    bumps = bumps && p.bump_after_error;
  }
  if (!transacts) return;
  const auto copies = std::min<std::int64_t>(d.cluster.integer("transaction_min_insync"), std::min<std::int64_t>(d.cluster.integer("transaction_replicas"), c.brokers));
  // A request may come late only where something held it up.
  const bool late = f.network_faults || f.client_pauses || f.client_kills || !f.losses.empty();
  const TxnVersion version = java ? c.transactions.version : std::min(c.transactions.version, TxnVersion::tv1);
  std::string no;
  if (!lost.empty()) no = lost;
  else if (copies < 2) no = "one copy of a transaction's state is enough: a decision may be lost";
  else if (brokers_lost(f, c.flush_messages == 1) > static_cast<std::size_t>(copies - 1)) no = "more brokers were lost than hold a decision for certain";
  else if (!c.log.stable_before_open) no = "readers of committed records go one record too far";
  else if (f.clock_faults) no = "a clock that jumps ends a transactional id's time early";
  std::string joins = no;
  if (joins.empty() && late && version != TxnVersion::tv2) joins = "before TV2 a late request may fall into the next transaction of its producer";
  else if (joins.empty() && late && !c.transactions.strict_marker_epoch) joins = "a late marker may end the next transaction of its producer";
  std::string hangs = no;
  if (hangs.empty() && late && version == TxnVersion::tv0 && c.transactions.version == TxnVersion::tv0) hangs = "a late batch opens a transaction that its coordinator knows nothing of";
  if (hangs.empty() && version == TxnVersion::tv2 && !c.transactions.rotate_when_fenced) hangs = "a producer may go on in an epoch in which no transaction can be ended";
  const std::string yes = "each transaction has an epoch of its own, and its state two copies";
  const auto claim = [&](const char* name, const std::string& why_not, const std::string& why) { out.push_back({name, why_not.empty(), why_not.empty() ? why : why_not}); };
  for (const char* name : {"G1a", "zombie-write-accepted"}) claim(name, joins, late ? yes : "no request came late");
  claim("torn-transaction", joins.empty() && !ends ? "a reader hides what it should show" : joins, late ? yes : "no request came late");
  claim("precommitted-read", joins, "readers of committed records end before the first open transaction");
  claim("hung-transaction", hangs, "a leader asks the coordinator before a transaction begins on it");
  std::string gap = joins;
  if (gap.empty() && !metadata) gap = "positions go without the consumer's generation: a member that was put out commits them too";
  else if (gap.empty() && !stable) gap = "a position is read that an open transaction may yet change";
  else if (gap.empty() && programs) gap = "a program begins and ends transactions when it likes";
  claim("atomicity-gap", gap, "positions and outputs are one transaction");
  for (const char* name : {"G0", "G0-process", "G0-realtime", "int-send-skip"}) out.push_back({name, false, "records of open transactions lie between each other: order of writes is not isolated"});
  for (const char* name : {"G1c", "G1c-process", "G1c-realtime"}) out.push_back({name, false, "with an order of writes that is not isolated, a circle may run through it"});
  out.push_back({"dirty-read", false, "readers of uncommitted records get what is aborted later"});
  // Who takes over reads again what the other had in hand, and its outputs stand beside those that will be aborted.
  if (programs || late)
    for (Claim& x : out)
      if (x.claimed && x.anomaly == "duplicate") x = {x.anomaly, false, "what one transaction leaves behind stays in the log when another does its work"};
  // What was committed and is aborted by a late request is lost to them; where nothing comes after it, it looks as if it hung.
  const std::string hides = !joins.empty() ? joins : !hangs.empty() ? hangs : !ends ? "a reader hides records behind an aborted transaction" : "";
  if (hides.empty()) return;
  for (Claim& x : out)
    if (x.claimed && (x.anomaly == "lost-message" || x.anomaly == "lost-write" || x.anomaly == "hung-transaction")) x = {x.anomaly, false, hides};
  if (bumps || joins.empty()) return;
  for (Claim& x : out)
    if (x.claimed && x.anomaly == "inconsistent-offsets") x = {x.anomaly, false, "a late batch has the number of the next one, which is taken for its copy"};
}

// A consumer that believes a follower takes a position for lost that its leader has, and begins anew or at the end.
bool believes_followers(const Deployment& d, const ClusterSettings& c) {
  return c.rack_aware && std::any_of(d.clients.begin(), d.clients.end(), [](const ClientSpec& spec) {
           if (spec.role == "producer") return false;
           const ConsumerSettings s = consumer_settings(spec.role == "consumer" ? spec.options : spec.consumer_options);
           return !s.rack.empty() && !s.out_of_range_asks_leader;
         });
}

}  // namespace

std::vector<Claim> claims_of(const Deployment& d, const FaultSummary& f) {
  bool all_acks = true, numbered = false;
  const ClusterSettings c = cluster_settings(d.cluster);
  // Idempotence rests on a memory: the leader must know the very batch that comes again.
  const ProducerOptions& memory = c.log.producers;
  std::string forgets;
  if (!memory.replicated) forgets = "a new leader does not know what producers wrote";
  else if (memory.evict_with_records) forgets = "a producer is forgotten with its records";
  else if (f.clock_faults) forgets = "a clock that jumps ends a producer's time early";
  Exceptions twice, out_of_order;
  for (const ClientSpec& spec : d.clients) {
    if (spec.role == "consumer") continue;
    const ProducerSettings p = producer_settings(spec.options);
    all_acks = all_acks && p.acks == -1;
    const bool unsure = std::binary_search(f.unsure.begin(), f.unsure.end(), spec.name);
    const bool resends = !spec.app && spec.options.boolean("resend");
    twice.add(spec.name, !p.idempotence ? "without idempotence a retry may be written twice" : resends ? "the application sends again on its own" : "");
    out_of_order.add(spec.name, !p.idempotence && p.max_in_flight > 1 && p.retries > 0 ? "retries may overtake"
                                : resends                                             ? "the application sends again on its own"
                                : !p.idempotence && unsure                            ? "without sequence numbers a request that was given up may arrive after the next"
                                                                                      : "");
    numbered = numbered || p.idempotence;
    if (p.idempotence && p.split_on_retry) forgets = "a retry that is cut in two is another batch";
    else if (p.idempotence && p.max_in_flight > memory.window) forgets = "more batches on the wire than a leader remembers";
    else if (p.idempotence && p.delivery_timeout >= memory.expiration) forgets = "a producer is forgotten while it still retries";
  }
  std::int32_t min_insync = 100;
  for (const TopicSpec& spec : d.topics) {
    const TopicSettings topic = topic_settings(spec.name, spec.options);
    min_insync = std::min(min_insync, std::min(topic.min_insync > 0 ? topic.min_insync : c.min_insync, topic.replicas));
  }
  const Switches& s = c.switches;
  const bool right_rules = s.truncation == Truncation::fetch && s.fetch_epoch_check && s.isr_join == IsrJoin::leader_epoch_start &&
                           s.hw_isr == HwIsr::maximal && s.isr_broker_epoch && s.elr && s.strict_min_isr && s.fetch_high_watermark;
  const auto budget = static_cast<std::uint32_t>(std::max(0, min_insync - 1));
  std::string no;
  if (!all_acks) no = "acks is not all: who acknowledges alone may lose alone";
  else if (min_insync < 2) no = "min_insync is 1: an acknowledged record may have one copy";
  else if (c.unclean_election) no = "unclean elections are allowed";
  else if (!right_rules) no = "an older rule is switched on";
  else if (f.disk_faults) no = "a disk broke its promise";
  else if (const std::size_t lost = brokers_lost(f, c.flush_messages == 1); lost > budget)
    no = fmt::format("{} brokers ended uncleanly, and power or a disk was lost: more than the {} that min_insync={} endures", lost, budget, min_insync);
  const std::string yes = fmt::format("acks=all, min_insync={}, at most {} broker{} lost", min_insync, budget, budget == 1 ? "" : "s");
  std::vector<Claim> out;
  for (const char* name : {"lost-message", "lost-write", "inconsistent-offsets", "truncated-commit"}) out.push_back({name, no.empty(), no.empty() ? yes : no});
  // A lost, late or doubled message on the way is what sequence numbers are for: it excuses nothing.
  const std::string session = f.client_kills ? "idempotence ends with the producer's session" : no;
  for (const char* name : {"duplicate", "duplicate-delivery"})
    out.push_back(twice.claim(name, "idempotent producers, one session each", session.empty() ? forgets : session));
  // A request that was given up may still arrive, on its old connection, after those on the new one: only numbers tell.
  for (const char* name : {"nonmonotonic-send", "fifo-violation"})
    out.push_back(out_of_order.claim(name, "sequence numbers or one request at a time keep order", session.empty() && numbered ? forgets : session));
  // Retention and compaction take records whether somebody has read them or not.
  const bool compacts = std::any_of(d.topics.begin(), d.topics.end(), [](const TopicSpec& t) { return t.options.text("cleanup_policy") != "delete"; });
  out.push_back({"silent-drop", false, compacts ? "of a key that is written again only the last record stays" : "what is old is deleted, read or not"});
  out.push_back({"phantom", no.empty(), no.empty() ? yes : no});
  if (believes_followers(d, c))
    for (Claim& claim : out)
      if (claim.claimed && (claim.anomaly == "lost-message" || claim.anomaly == "lost-write" || claim.anomaly == "duplicate-delivery"))
        claim = {claim.anomaly, false, "a consumer believes a follower that has less than its leader"};
  claim_for_groups(d, f, c, out);
  claim_for_transactions(d, f, c, no, out);
  return out;
}

}  // namespace mqlab::kafka
