// tests/kafka/group_lab.h: a room for stories about groups: a coordinator without a world, and members in a cluster.
//
// Groups holds one GroupCoordinator and plays the broker around it: it keeps the clock and the timers, writes records,
// and sends answers when what they tell of is committed. One rule: nothing is committed while `hold` is set, and then in
// the order written, so that a story can stand between a record and its answer. People in it are called by letters; the
// coordinator's own ids for them never show.
//
// Always true: 1. an answer is told in the words "error", "generation 2 range A leads A B", "t/0 t/1". 2. A later answer
// never comes before an earlier write is committed.
// Elsewhere: the broker that does the same for real (coordinator.cpp), a client library whose brokers do as told
// (member_lab.h), members in a cluster (group_story.h).
//
//     Groups g;
//     g("A").join();                       // asks for an id, and joins with it
//     g.run(3_s);                          // the initial delay
//     EXPECT_EQ(g("A").said(), "generation 1 range A leads A");
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/group_coordinator.h"

namespace mqlab::kafka::testing {

using namespace mqlab::literals;

// Topics t (partitions 0, 1, 2) and u (3, 4); a group lives on partition 5.
inline ClusterRef groups_cluster(const GroupSettings& settings) {
  auto c = std::make_shared<Cluster>();
  c->settings.groups = settings;
  PartitionId next = 0;
  for (const auto& [name, partitions] : std::vector<std::pair<std::string, std::int32_t>>{{"t", 3}, {"u", 2}, {offsets_topic, 1}}) {
    TopicSettings t;
    t.name = name;
    t.first = next;
    t.partitions = t.partitions_max = partitions;
    for (std::int32_t n = 0; n < partitions; ++n) {
      PartitionSettings p;
      p.topic = static_cast<std::int32_t>(c->topics.size());
      p.number = n;
      p.place = fmt::format("{}/{}", name, n);
      c->partitions.push_back(p);
      ++next;
    }
    c->topics.push_back(t);
  }
  return c;
}

inline GroupSettings group_settings() {
  GroupSettings s;
  s.initial_rebalance_delay = 3_s;
  s.commit_timeout = 5_s;
  s.offsets_retention = 3600_s;
  return s;
}

class Groups;

// Somebody who speaks to the coordinator: what it would say of itself, and what it was told.
struct Person {
  Groups* room = nullptr;
  std::string name;
  std::string group = "g";
  std::string id{};
  std::string instance{};
  std::int32_t generation = -1;
  Duration session = 10_s;
  Duration rebalance = 60_s;
  std::vector<std::string> protocols{"range"};
  std::vector<std::int32_t> topics{0};
  std::vector<PartitionId> owned{};
  std::vector<std::string> answers{};
  bool skip_assignment = false;

  Person& join_once();
  Person& join();  // ... again with the id, if it is asked for one
  Person& sync(const std::map<std::string, std::vector<PartitionId>>& assignment = {});
  std::string beat();
  std::string leave();
  std::string commit(Offset offset, PartitionId p = 0);
  std::string commit_as(std::int32_t generation, const std::string& id, const std::string& instance, Offset offset);
  // In the transaction of this producer; as this member, or as nobody (KIP-98, before KIP-447).
  std::string commit_in(ProducerId producer, Offset offset, PartitionId p = 0);
  std::string commit_in_as(ProducerId producer, std::int32_t generation, const std::string& id, const std::string& instance, Offset offset, PartitionId p = 0);
  std::string fetch(PartitionId p = 0, bool require_stable = true);
  // The newest answer, and how many there are.
  std::string said() const { return answers.empty() ? "" : answers.back(); }
  std::size_t heard() const { return answers.size(); }
};

class Groups {
 public:
  explicit Groups(GroupSettings settings = group_settings()) : cluster(groups_cluster(settings)), coordinator(cluster, 5) {
    change([&](GroupCoordinator& g, Effects& e) { g.set_partition_counts({3, 2, 1}, e); });
  }
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  ClusterRef cluster;
  GroupCoordinator coordinator;
  Time now = 1'000_s;
  bool hold = false;  // what is written is not committed
  std::vector<GroupRecord> log{};        // all that was written
  std::vector<GroupRecord> committed{};
  std::vector<std::string> marks{};      // "generation_began"
  Error log_refuses = Error::none;       // the log takes no records of producers

  Person& operator()(const std::string& name) {
    auto& p = people_[name];
    if (!p) {
      p = std::make_unique<Person>();
      p->room = this;
      p->name = name;
    }
    return *p;
  }

  // The group g; its state in words: "Stable 2 range A: A t/0 t/1, B".
  const ClassicGroup* group(const std::string& name = "g") const {
    const auto it = coordinator.classic().find(name);
    return it == coordinator.classic().end() ? nullptr : &it->second;
  }
  std::string state(const std::string& name = "g") const {
    const ClassicGroup* g = group(name);
    if (!g) return "no group";
    std::string out = fmt::format("{} {} {} {}:", kafka::name(g->state), g->generation, g->protocol, person(g->leader));
    for (const auto& [id, m] : g->members) out += fmt::format("{} {}{}{}", out.back() == ':' ? "" : ",", person(id), m.about.assigned.empty() ? "" : " ", places(m.about.assigned));
    return out;
  }

  template <class M>
  void ask(Person& p, Kind k, M message) {
    const Waiting from{static_cast<ConnId>(1), static_cast<NodeId>(0), ++word_};
    asked_[word_] = &p;
    change([&](GroupCoordinator& g, Effects& e) { g.handle(from, k, make_payload<M>(std::move(message)), e); });
  }

  // Time goes on, and what is due is done.
  void run(Duration d) {
    const Time end = now + d;
    for (;;) {
      const auto due = std::min_element(timers_.begin(), timers_.end(), [](const Armed& a, const Armed& b) { return a.due < b.due; });
      if (due == timers_.end() || due->due > end) break;
      now = std::max(now, due->due);
      const GroupTimer t = due->timer;
      timers_.erase(due);
      change([&](GroupCoordinator& g, Effects& e) { g.on_timer(t, e); });
    }
    now = end;
  }
  // All that is held is committed now.
  void commit_all() {
    hold = false;
    flush();
  }
  // The marker of a transaction is in the log.
  void end(ProducerId producer, bool commit) {
    change([&](GroupCoordinator& g, Effects& e) { g.on_marker(producer, commit, e); }, producer, commit ? Control::commit : Control::abort);
  }
  // The oldest write was given up by its broker.
  void give_up_write(Error error) {
    const GroupContinuation then = writes_.front().then;
    writes_.pop_front();
    change([&](GroupCoordinator& g, Effects& e) { g.on_written(then, error, e); });
  }
  void expire() {
    change([](GroupCoordinator& g, Effects& e) { g.expire_offsets(e); });
  }
  // Another broker reads what was committed, and goes on.
  void move() {
    coordinator = GroupCoordinator(cluster, 5);
    writes_.clear();
    timers_.clear();
    hold = false;
    log.clear();
    for (const Write& w : committed_writes_) {
      if (w.marker != Control::none) coordinator.replay_marker(w.producer, w.marker == Control::commit);
      for (const GroupRecord& r : w.records) coordinator.replay(r, w.producer);
    }
    log = committed;
    change([](GroupCoordinator& g, Effects& e) {
      g.set_partition_counts({3, 2, 1}, e);
      g.loaded(e);
    });
  }
  bool timer(GroupTimer::What what, const std::string& person_name = {}) {
    return std::any_of(timers_.begin(), timers_.end(), [&](const Armed& a) { return a.timer.what == what && (person_name.empty() || person(a.timer.member) == person_name); });
  }

  std::string person(const std::string& id) const {
    for (const auto& [name, p] : people_)
      if (p->id == id && !id.empty()) return name;
    return id.empty() ? "nobody" : "?";
  }
  std::string places(const std::vector<PartitionId>& v) const {
    std::string out;
    for (const PartitionId p : v) out += (out.empty() ? "" : " ") + cluster->partitions[p].place;
    return out;
  }

 private:
  struct Armed {
    GroupTimer timer;
    Time due{};
  };
  struct Write {
    std::vector<GroupRecord> records{};
    std::vector<Effects::Reply> replies{};
    GroupContinuation then{};
    ProducerId producer = no_producer_id;
    Control marker = Control::none;
    bool held() const { return !records.empty() || marker != Control::none; }
  };

  template <class F>
  void change(F f, ProducerId ended = no_producer_id, Control marker = Control::none) {
    Effects e;
    e.now = e.wall = now;
    e.log_refuses = log_refuses;
    e.unique = ++unique_;
    f(coordinator, e);
    for (const Effects::Mark& m : e.marks) marks.emplace_back(m.name);
    for (const GroupTimer& t : e.timers) {
      std::erase_if(timers_, [&](const Armed& a) { return a.timer.same(t); });
      if (t.after >= 0) timers_.push_back({t, now + t.after});
    }
    log.insert(log.end(), e.records.begin(), e.records.end());
    // Members that wait for a JoinGroup or a SyncGroup are answered at once, if nothing new is told by that.
    std::vector<Effects::Reply> later;
    for (const Effects::Reply& r : e.replies)
      if (e.records.empty() && (r.at_once || r.kind == Kind::join_group_reply || r.kind == Kind::sync_group_reply)) tell(r);
      else later.push_back(r);
    writes_.push_back({std::move(e.records), std::move(later), e.then, marker == Control::none ? e.producer : ended, marker});
    flush();
  }
  // Answers that wait for nothing leave at once; all others in the order of what they wait for.
  void flush() {
    while (!writes_.empty() && (!hold || !writes_.front().held())) {
      const Write w = std::move(writes_.front());
      writes_.pop_front();
      for (const GroupRecord& r : w.records) {
        coordinator.on_committed(r, w.producer);
        committed.push_back(r);
      }
      if (w.marker != Control::none) coordinator.on_marker_committed(w.producer, w.marker == Control::commit);
      if (w.held()) committed_writes_.push_back({w.records, {}, {}, w.producer, w.marker});
      for (const Effects::Reply& r : w.replies) tell(r);
      if (!w.then.group.empty()) change([&](GroupCoordinator& g, Effects& e) { g.on_written(w.then, Error::none, e); });
    }
  }
  static std::string word(Error e) { return e == Error::none ? "ok" : kafka::name(e); }
  void tell(const Effects::Reply& r) {
    Person& p = *asked_.at(r.to.word);
    std::string text;
    switch (r.kind) {
      case Kind::join_group_reply: {
        const auto& m = payload_as<JoinGroupReply>(r.payload);
        if (m.error == Error::member_id_required || m.error == Error::none) p.id = m.member;
        if (m.error == Error::none) p.generation = m.generation;
        p.skip_assignment = m.skip_assignment;
        text = word(m.error);
        if (m.error == Error::none) {
          text = fmt::format("generation {} {} {} leads", m.generation, m.protocol, person(m.leader));
          std::vector<std::string> members;
          for (const MemberSubscription& s : m.members) members.push_back(person(s.member));
          std::sort(members.begin(), members.end());
          for (const std::string& s : members) text += " " + s;
        }
        break;
      }
      case Kind::sync_group_reply: {
        const auto& m = payload_as<SyncGroupReply>(r.payload);
        text = m.error == Error::none ? places(m.assigned) : word(m.error);
        if (text.empty()) text = "nothing";
        break;
      }
      case Kind::group_heartbeat_reply: text = word(payload_as<GroupHeartbeatReply>(r.payload).error); break;
      case Kind::leave_group_reply: text = word(payload_as<LeaveGroupReply>(r.payload).error); break;
      case Kind::offset_commit_reply: text = word(payload_as<OffsetCommitReply>(r.payload).error); break;
      case Kind::txn_offset_commit_reply: text = word(payload_as<TxnOffsetCommitReply>(r.payload).error); break;
      case Kind::offset_fetch_reply: {
        const auto& m = payload_as<OffsetFetchReply>(r.payload);
        text = m.error != Error::none ? word(m.error) : m.offsets.front().offset == no_offset ? "none" : std::to_string(m.offsets.front().offset);
        break;
      }
      default: text = "?";
    }
    p.answers.push_back(text);
  }

  std::map<std::string, std::unique_ptr<Person>> people_;
  std::map<std::uint64_t, Person*> asked_;
  std::vector<Armed> timers_;
  std::deque<Write> writes_;
  std::vector<Write> committed_writes_;
  std::uint64_t word_ = 0;
  std::uint64_t unique_ = 0;
};

inline Person& Person::join_once() {
  JoinGroup m;
  m.group = group;
  m.member = id;
  m.instance = instance;
  m.session_timeout = session;
  m.rebalance_timeout = rebalance;
  m.protocols = protocols;
  m.topics = topics;
  m.owned = owned;
  m.owned_generation = owned.empty() ? -1 : generation;
  room->ask(*this, Kind::join_group, std::move(m));
  return *this;
}
inline Person& Person::join() {
  join_once();
  if (said() == "MEMBER_ID_REQUIRED") {
    answers.pop_back();
    join_once();
  }
  return *this;
}
// The assignment names people.
inline Person& Person::sync(const std::map<std::string, std::vector<PartitionId>>& assignment) {
  SyncGroup m;
  m.group = group;
  m.generation = generation;
  m.member = id;
  m.instance = instance;
  for (const auto& [who, partitions] : assignment) m.assignments[(*room)(who).id] = partitions;
  room->ask(*this, Kind::sync_group, std::move(m));
  return *this;
}
inline std::string Person::beat() {
  GroupHeartbeat m;
  m.group = group;
  m.generation = generation;
  m.member = id;
  m.instance = instance;
  room->ask(*this, Kind::group_heartbeat, std::move(m));
  return said();
}
inline std::string Person::leave() {
  LeaveGroup m;
  m.group = group;
  m.member = id;
  m.instance = instance;
  room->ask(*this, Kind::leave_group, std::move(m));
  return said();
}
inline std::string Person::commit_as(std::int32_t of_generation, const std::string& as, const std::string& as_instance, Offset offset) {
  OffsetCommit m;
  m.group = group;
  m.generation = of_generation;
  m.member = as;
  m.instance = as_instance;
  m.offsets = {{0, offset, no_leader_epoch, {}}};
  room->ask(*this, Kind::offset_commit, std::move(m));
  return said();
}
inline std::string Person::commit(Offset offset, PartitionId p) {
  OffsetCommit m;
  m.group = group;
  m.generation = generation;
  m.member = id;
  m.instance = instance;
  m.offsets = {{p, offset, no_leader_epoch, {}}};
  room->ask(*this, Kind::offset_commit, std::move(m));
  return said();
}
inline std::string Person::commit_in_as(ProducerId producer, std::int32_t of_generation, const std::string& as, const std::string& as_instance, Offset offset, PartitionId p) {
  TxnOffsetCommit m;
  m.from = {"T", producer, 0};
  m.group = group;
  m.generation = of_generation;
  m.member = as;
  m.instance = as_instance;
  m.offsets = {{p, offset, no_leader_epoch, {}}};
  room->ask(*this, Kind::txn_offset_commit, std::move(m));
  return said();
}
inline std::string Person::commit_in(ProducerId producer, Offset offset, PartitionId p) { return commit_in_as(producer, generation, id, instance, offset, p); }
inline std::string Person::fetch(PartitionId p, bool require_stable) {
  OffsetFetch m;
  m.group = group;
  m.require_stable = require_stable;
  m.partitions = {p};
  room->ask(*this, Kind::offset_fetch, std::move(m));
  return said();
}

// A and B in generation 1 of g, both on t with range, A leads: A has t/0 and t/1, B has t/2.
struct Two : Groups {
  explicit Two(GroupSettings settings = group_settings()) : Groups(settings) {
    Person& a = (*this)("A");
    Person& b = (*this)("B");
    a.join();
    b.join();
    run(settings.initial_rebalance_delay);
    run(settings.initial_rebalance_delay);
    a.sync({{"A", {0, 1}}, {"B", {2}}});
    b.sync();
    a.answers.clear();
    b.answers.clear();
    marks.clear();
  }
  Person& a = (*this)("A");
  Person& b = (*this)("B");
};

}  // namespace mqlab::kafka::testing
