// models/kafka/group_effects.h: what an operation of a group coordinator asks of the broker around it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/kafka/assignors.h"
#include "models/kafka/group_records.h"
#include "models/kafka/messages.h"
#include "models/kafka/waiting.h"

namespace mqlab::kafka {

// One timer of each kind for a group, or for a member.
struct GroupTimer {
  enum class What : std::uint8_t {
    join,         // classic: the members that have not joined by then are dropped
    sync,         // classic: ... that have not asked for their assignment
    session,      // of a member
    rebalance     // KIP-848: a member has not given up by then what it was told to
  };
  std::string group;
  std::string member{};
  What what{};
  Duration after = -1;  // -1 cancels

  bool same(const GroupTimer& o) const { return what == o.what && group == o.group && member == o.member; }
};

// What is to go on when the records of an operation are committed (classic: the leader's assignment counts).
struct GroupContinuation {
  std::string group{};  // empty: nothing
  std::int32_t generation{};
};

struct Effects {
  Time now{};
  Time wall{};
  std::uint64_t unique{};  // for a new member's id
  Error log_refuses = Error::none;  // what the log would say to a record of the producer that asks
  std::vector<GroupRecord> records{};
  ProducerId producer = no_producer_id;  // whose transaction the records belong to
  ProducerEpoch producer_epoch = no_producer_epoch;
  GroupContinuation then{};
  struct Reply {
    Waiting to;
    Kind kind{};
    PayloadRef payload;
    bool at_once = false;  // it waits for no record: what it tells is committed
  };
  std::vector<Reply> replies{};
  std::vector<GroupTimer> timers{};
  struct Mark {
    const char* name = "";
    std::string group;
    std::string text;
  };
  std::vector<Mark> marks{};

  template <class T>
  void reply(const Waiting& to, Kind kind, T payload) {
    replies.push_back({to, kind, make_payload<T>(std::move(payload)), false});
  }
  void set_timer(GroupTimer t) { timers.push_back(std::move(t)); }
  void mark(const char* name, const std::string& group, std::string text) { marks.push_back({name, group, std::move(text)}); }
};

// What a group needs to know while it works.
struct GroupScene {
  const Cluster& cluster;
  const std::vector<std::int32_t>& partition_counts;  // by topic; 0 = does not exist
  Effects& effects;

  // These topics as an assignor wants them.
  std::vector<TopicPartitions> topics(const std::vector<std::int32_t>& numbers) const {
    std::vector<TopicPartitions> out;
    for (const std::int32_t t : numbers) {
      const TopicSettings& s = cluster.topics[static_cast<std::size_t>(t)];
      out.push_back({t, s.name, s.first, partition_counts[static_cast<std::size_t>(t)]});
    }
    return out;
  }
};

}  // namespace mqlab::kafka
