// tests/kafka/member_lab.h: a consumer in a group of the classic protocol, between brokers that only do as told.
//
// K reads topic t (t/0 to t/3, all led by B1) for the group g. Who coordinates is B1 until a story says otherwise; each
// JoinGroup, SyncGroup, heartbeat and commit is answered when the story answers it, and only then. Elsewhere: members
// with a real coordinator (group_story.h), the lab below this one (client_lab.h).
//
// Always true: an answer to a poll is told as "7@0 +t/1 -t/2 lost t/3": records, then places that came, went, are lost.
//
//     MemberLab m;
//     m.settle({0, 1});                 // it is in generation 1, reads t/0 and t/1 from the start
//     EXPECT_EQ(m.poll().said(), "nothing");
//     m.beaten(Error::rebalance_in_progress).poll();
//     EXPECT_EQ(m.said(), "-t/0 -t/1");
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/kafka/client_lab.h"

namespace mqlab::kafka::testing {

struct MemberLab : ClientLab {
  using Places = std::vector<PartitionId>;

  explicit MemberLab(std::initializer_list<Settings::value_type> options = {}, bool subscribes = true)
      : ClientLab({.consumer = with_group(options), .brokers = 2, .partitions = 4, .partitions_max = 6, .produces = false}) {
    for (PartitionId p = 0; p < 6; ++p)
      for (BrokerId b = 1; b <= 2; ++b) broker(b).metadata.partitions[p].leader = 1;
    coordinated_by(1);
    run(1200_ms);  // its metadata has aged
    if (subscribes) subscribe();
  }
  static Settings with_group(Settings more) {
    Settings all{{"group", "g"}, {"auto_commit", "off"}, {"auto_offset_reset", "earliest"}, {"assignors", "range"}, {"metadata_max_age", "1s"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void subscribe() {
    Call c;
    c.kind = CallKind::subscribe;
    c.argument = "t";
    client().call(c);
    run(20_ms);
  }
  // What both brokers say from now on.
  void coordinated_by(BrokerId who, Error error = Error::none) {
    for (BrokerId b = 1; b <= 2; ++b) {
      auto& prepared = broker(b).next[Kind::find_coordinator];
      prepared.clear();
      for (int i = 0; i < 200; ++i) {
        FindCoordinatorReply r;
        r.broker = error == Error::none ? who : no_broker;
        r.error = error;
        prepared.push_back(make_payload<FindCoordinatorReply>(r));
      }
    }
  }
  std::size_t lookups() { return asked(1, Kind::find_coordinator).size() + asked(2, Kind::find_coordinator).size(); }

  // --- the application ---
  MemberLab& poll(Duration timeout = 10_ms, std::uint32_t count = 0) {
    poll_ = client().poll(timeout, count);
    run(timeout + 10_ms);
    return *this;
  }
  std::string said() { return told_by(poll_); }
  CallId commit(const std::string& place = {}, Offset offset = -1, bool once = false) {
    Call c;
    c.kind = CallKind::commit;
    c.place = place.empty() ? 0 : world.journal.names.id(place);
    c.position = offset;
    c.once = once;
    const CallId id = client().call(c);
    run(5_ms);
    return id;
  }
  CallId call(CallKind kind) {
    Call c;
    c.kind = kind;
    const CallId id = client().call(c);
    run(20_ms);
    return id;
  }
  std::string owns() {
    std::string out;
    for (const Assigned& a : node().assigned()) out += fmt::format("{}{}", out.empty() ? "" : " ", a.partition);
    return "{" + out + "}";
  }

  // --- the coordinator: answers the last request of its kind ---
  template <class M>
  const M& last(Kind k, BrokerId b = 1) {
    kept_ = asked(b, k);
    return payload_as<M>(kept_.back().message.payload);
  }
  std::size_t count(Kind k, BrokerId b = 1) { return asked(b, k).size(); }
  template <class Reply>
  MemberLab& answer_last(Kind k, Reply r, BrokerId b = 1) {
    answer(b, k, asked(b, k).size() - 1, std::move(r));
    run(5_ms);
    return *this;
  }
  MemberLab& join_refused(Error e, const std::string& member = {}, BrokerId b = 1) {
    JoinGroupReply r;
    r.error = e;
    r.member = member;
    return answer_last(Kind::join_group, std::move(r), b);
  }
  // Into this generation, as a follower, or as the leader of the members named (each reads t).
  MemberLab& joined(std::int32_t generation, const std::vector<std::string>& leads = {}, bool skip = false, BrokerId b = 1) {
    JoinGroupReply r;
    r.generation = generation;
    r.protocol = last<JoinGroup>(Kind::join_group, b).protocols.front();
    r.member = "k-1";
    r.leader = leads.empty() ? "somebody" : "k-1";
    r.skip_assignment = skip;
    for (const std::string& m : leads) r.members.push_back({m, {}, {0}, {}, -1});
    return answer_last(Kind::join_group, std::move(r), b);
  }
  MemberLab& synced(Places places, Error e = Error::none, BrokerId b = 1) { return answer_last(Kind::sync_group, SyncGroupReply{e, std::move(places)}, b); }
  // The next heartbeat comes, and is answered so.
  MemberLab& beaten(Error e, BrokerId b = 1) {
    const std::size_t before = count(Kind::group_heartbeat, b);
    for (int i = 0; i < 5000 && count(Kind::group_heartbeat, b) == before; ++i) run(1_ms);
    return answer_last(Kind::group_heartbeat, GroupHeartbeatReply{e}, b);
  }
  // All partitions that were asked for stand there; no_offset: nothing was committed.
  MemberLab& positions(Offset at = 0, BrokerId b = 1) {
    OffsetFetchReply r;
    for (const PartitionId p : last<OffsetFetch>(Kind::offset_fetch, b).partitions) r.offsets.push_back({p, at, no_leader_epoch, {}});
    return answer_last(Kind::offset_fetch, std::move(r), b);
  }
  MemberLab& committed(Error e = Error::none, BrokerId b = 1) { return answer_last(Kind::offset_commit, OffsetCommitReply{e}, b); }
  // "generation 2 k-1: t/0=5 t/1=7", the n-th commit from the end.
  std::string commit_text(std::size_t from_the_end = 0, BrokerId b = 1) {
    const auto all = asked(b, Kind::offset_commit);
    if (all.size() <= from_the_end) return "none";
    const auto& m = payload_as<OffsetCommit>(all[all.size() - 1 - from_the_end].message.payload);
    std::string out = fmt::format("generation {} {}:", m.generation, m.member.empty() ? "nobody" : m.member);
    for (const CommittedOffset& o : m.offsets) out += fmt::format(" t/{}={}", o.partition, o.offset);
    return out;
  }
  std::size_t commits(BrokerId b = 1) { return count(Kind::offset_commit, b); }

  // The last fetch brings so many records of each place, message = 100 * partition + offset.
  MemberLab& fetched(const std::vector<std::pair<PartitionId, int>>& records) {
    const auto all = asked(1, Kind::fetch);
    FetchReply r;
    for (const FetchPartition& f : payload_as<FetchRequest>(all.back().message.payload).partitions) {
      r.partitions.emplace_back();
      r.partitions.back().partition = f.partition;
      for (const auto& [p, n] : records) {
        if (p != f.partition || n == 0) continue;
        std::vector<Record> batch;
        for (int i = 0; i < n; ++i) batch.push_back({.message = static_cast<std::uint64_t>(100 * p + f.fetch_offset + i), .size = 100});
        Batch b = make_batch(std::move(batch));
        b.base_offset = f.fetch_offset;
        b.leader_epoch = 0;
        r.partitions.back().batches = {b};
        r.partitions.back().high_watermark = f.fetch_offset + n;
      }
    }
    return answer_last(Kind::fetch, std::move(r));
  }
  // It is in generation 1 with these places, at 0.
  MemberLab& settle(Places places) {
    poll();
    join_refused(Error::member_id_required, "k-1").poll();
    return joined(1).synced(std::move(places)).poll().positions();
  }
  // The rows of the history about positions stored: "t/0=5 invoke, t/0=5 ok".
  std::string commit_rows() {
    std::string out;
    for (const Op& op : world.journal.ops)
      if (op.kind == OpKind::commit)
        out += fmt::format("{}{}={} {}{}", out.empty() ? "" : ", ", world.journal.names.text(op.place), op.position, outcome_name(op.outcome), op.error ? " " + world.journal.names.text(op.error) : "");
    return out;
  }

 private:
  CallId poll_ = 0;
  std::vector<FakeBroker::Asked> kept_{};
};

}  // namespace mqlab::kafka::testing
