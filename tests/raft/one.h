// tests/raft/one.h: a single replica in the hand: a message or a timer in, the effects as text out. For tests only.
//
//     One one(disk_with(3, {1, 3}));
//     one.hears(1, Kind::vote, Vote{.epoch = 4});
//     EXPECT_EQ(one.said(), "sync vote\n->R1 VoteReply epoch=4 granted=no\n");
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/raft/cluster.h"

namespace mqlab::raft::testing {

struct One {
  Config config{};
  Random random{1, Stream::faults};
  Outbox out{};
  Raft raft{};

  explicit One(Durable disk = {}, Config c = quick(Replication::pull), std::vector<ReplicaId> voters = {0, 1, 2})
      : config(std::move(c)) {
    config.voters = std::move(voters);
    raft = start(config, disk, random, out);
    out = {};
  }

  template <class M>
  void hears(ReplicaId from, Kind kind, M m) {
    out = {};
    on_message(raft, from, kind, make_payload<Carried<M>>(std::move(m)), random, out);
  }

  void due(Timer timer) {
    out = {};
    on_timer(raft, {timer, 0}, random, out);
  }

  // What left, without timers.
  std::string said() const {
    std::string text = out.sync_vote ? "sync vote\n" : "";
    if (out.sync_log) text += "sync log\n";
    for (const Send& send : out.sends) {
      text += "->R" + std::to_string(send.to) + " " + describe(send.kind, send.payload) + "\n";
    }
    return text;
  }
};

}  // namespace mqlab::raft::testing
