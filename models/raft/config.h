// models/raft/config.h: who takes part, how the log moves, how long to wait, and which rules are broken.
//
// The defaults are those of Kafka's controller.quorum.* (QuorumConfig.java).
#pragma once

#include <cstddef>
#include <vector>

#include "models/raft/log.h"
#include "sim/kernel/time.h"

namespace mqlab::raft {

enum class Replication : std::uint8_t { pull, push };

// Rules broken on purpose, each with the test that shows the harm (tests/raft/safety_test.cpp).
struct Variants {
  // The leader commits entries of earlier epochs as soon as a majority has them (Raft paper figure 8).
  bool commit_older_epochs = false;
  // A voter grants its vote to a candidate with a shorter or older log (Raft paper section 5.4.1).
  bool vote_without_log_check = false;
  // Epoch and vote are not on disk before the vote is given (Raft paper figure 2, "persistent state").
  bool vote_not_persisted = false;
  // The log is accepted by offset alone: the leader does not compare last_fetched_epoch, the follower not
  // prev_epoch (Raft paper section 5.3; KIP-595 "diverging epoch").
  bool append_without_epoch_check = false;

  bool operator==(const Variants&) const = default;
};

struct Config {
  ReplicaId self{};
  std::vector<ReplicaId> voters{};  // ascending; a replica that is not among them is an observer (pull only)
  Replication replication = Replication::pull;

  Duration election_timeout = 1'000'000'000;  // drawn anew from [t, 2t) each time; Raft paper section 5.2
  Duration election_backoff_max = 1'000'000'000;
  Duration fetch_timeout = 2'000'000'000;     // pull: without a good answer for this long, the leader is given up
  Duration fetch_wait_max = 500'000'000;      // pull: how long the leader keeps a Fetch that it has no news for
  Duration request_timeout = 2'000'000'000;   // pull: when an unanswered Fetch is sent again
  Duration retry_backoff = 20'000'000;
  Duration heartbeat = 150'000'000;           // push: an AppendEntries at least this often; 0: never (as Ra)
  Duration check_quorum_timeout = 3'000'000'000;  // 1.5 x fetch_timeout; LeaderState.CHECK_QUORUM_TIMEOUT_FACTOR
  std::size_t entries_max = 1024;             // in one message

  bool pre_vote = true;              // KIP-996, Kafka 4.0
  bool check_quorum = true;          // KAFKA-15489, Kafka 3.7: a leader that a majority does not follow resigns
  bool high_watermark_in_fetch = false;  // KIP-1166, Kafka 4.1: a Fetch is answered when only the high watermark moved
  bool sync_before_ack = true;       // off: the log is acknowledged from memory, as partition logs are
  bool parallel_write = false;       // push: a leader's entries travel while its own disk writes them, and it counts itself
                                     // when they are written (thesis section 10.2.1; Ra)
  Variants variants{};

  bool operator==(const Config&) const = default;
};

}  // namespace mqlab::raft
