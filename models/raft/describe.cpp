#include "models/raft/describe.h"

#include <fmt/format.h>

namespace mqlab::raft {
namespace {

std::string leader_text(std::optional<ReplicaId> leader) { return leader ? fmt::format(" leader=R{}", *leader) : ""; }

std::string entries_text(Offset offset, const std::vector<Entry>& entries) {
  if (entries.empty()) return "";
  return fmt::format(" entries={}..{}", offset, offset + static_cast<Offset>(entries.size()));
}

std::string text(const Vote& m) {
  return fmt::format("{} epoch={} last_epoch={} end={}", m.pre_vote ? "PreVote" : "Vote", m.epoch, m.last_epoch,
                     m.end_offset);
}

std::string text(const VoteReply& m) {
  return fmt::format("{} epoch={} granted={}{}", m.pre_vote ? "PreVoteReply" : "VoteReply", m.epoch,
                     m.granted ? "yes" : "no", leader_text(m.leader));
}

std::string text(const BeginEpoch& m) { return fmt::format("BeginEpoch epoch={}", m.epoch); }

std::string text(const BeginEpochReply& m) {
  return fmt::format("BeginEpochReply epoch={}{}", m.epoch, leader_text(m.leader));
}

std::string text(const EndEpoch& m) {
  std::string line = fmt::format("EndEpoch epoch={} successors=", m.epoch);
  for (std::size_t i = 0; i < m.preferred_successors.size(); ++i) {
    line += fmt::format("{}R{}", i == 0 ? "" : ",", m.preferred_successors[i]);
  }
  return line;
}

std::string text(const Fetch& m) {
  return fmt::format("Fetch epoch={} offset={} last_epoch={} hw={}", m.epoch, m.offset, m.last_fetched_epoch,
                     m.high_watermark);
}

std::string text(const FetchReply& m) {
  std::string line = fmt::format("FetchReply epoch={}{}", m.epoch, leader_text(m.leader));
  if (m.error != FetchError::none) return line + fmt::format(" error={}", name(m.error));
  line += fmt::format(" offset={}", m.offset);
  if (m.diverging) line += fmt::format(" diverging=(epoch {}, end {})", m.diverging->epoch, m.diverging->end_offset);
  if (m.snapshot) line += fmt::format(" snapshot=(epoch {}, end {})", m.snapshot->epoch, m.snapshot->offset);
  return line + entries_text(m.offset, m.entries) + fmt::format(" hw={}", m.high_watermark);
}

std::string text(const AppendEntries& m) {
  return fmt::format("AppendEntries epoch={} offset={} prev_epoch={}{} commit={}", m.epoch, m.offset, m.prev_epoch,
                     entries_text(m.offset, m.entries), m.commit);
}

std::string text(const AppendReply& m) {
  if (m.accepted) return fmt::format("AppendReply epoch={} accepted match={}", m.epoch, m.match);
  return fmt::format("AppendReply epoch={}{} refused hint=(epoch {}, end {})", m.epoch, leader_text(m.leader),
                     m.hint.epoch, m.hint.end_offset);
}

std::string text(const InstallSnapshot& m) {
  return fmt::format("InstallSnapshot epoch={} snapshot=(epoch {}, end {})", m.epoch, m.snapshot.epoch,
                     m.snapshot.offset);
}

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::vote: return "Vote";
    case Kind::vote_reply: return "VoteReply";
    case Kind::begin_epoch: return "BeginEpoch";
    case Kind::begin_epoch_reply: return "BeginEpochReply";
    case Kind::end_epoch: return "EndEpoch";
    case Kind::fetch: return "Fetch";
    case Kind::fetch_reply: return "FetchReply";
    case Kind::append_entries: return "AppendEntries";
    case Kind::append_reply: return "AppendReply";
    case Kind::install_snapshot: return "InstallSnapshot";
  }
  return "?";
}

std::string_view name(FetchError error) {
  switch (error) {
    case FetchError::none: return "none";
    case FetchError::fenced_epoch: return "fenced_epoch";
    case FetchError::unknown_epoch: return "unknown_epoch";
    case FetchError::not_leader: return "not_leader";
  }
  return "?";
}

std::string describe(Kind kind, const PayloadRef& payload) {
  switch (kind) {
    case Kind::vote: return text(message_as<Vote>(payload));
    case Kind::vote_reply: return text(message_as<VoteReply>(payload));
    case Kind::begin_epoch: return text(message_as<BeginEpoch>(payload));
    case Kind::begin_epoch_reply: return text(message_as<BeginEpochReply>(payload));
    case Kind::end_epoch: return text(message_as<EndEpoch>(payload));
    case Kind::fetch: return text(message_as<Fetch>(payload));
    case Kind::fetch_reply: return text(message_as<FetchReply>(payload));
    case Kind::append_entries: return text(message_as<AppendEntries>(payload));
    case Kind::append_reply: return text(message_as<AppendReply>(payload));
    case Kind::install_snapshot: return text(message_as<InstallSnapshot>(payload));
  }
  return "?";
}

std::string describe(const Raft& raft) {
  std::string line = fmt::format("R{} {} epoch={}", raft.config.self, name(raft.role), raft.epoch());
  if (!raft.is_voter()) line += " observer";
  if (raft.leader && !raft.is_leader()) line += leader_text(raft.leader);
  if (raft.durable.voted_for) line += fmt::format(" voted=R{}", *raft.durable.voted_for);
  return line + fmt::format(" log={}..{} commit={}", raft.log().start(), raft.log().end(), raft.commit);
}

std::string describe(const Outbox& out) {
  std::string lines;
  if (out.sync_vote) lines += "sync vote\n";
  if (out.sync_log) lines += "sync log\n";
  for (const RoleChange& change : out.role_changes) {
    lines += fmt::format("{} -> {} epoch={}\n", name(change.before), name(change.after), change.epoch);
  }
  for (const TimerChange& change : out.timers) {
    const std::string peer = change.key.timer == Timer::fetch_wait ? fmt::format(" R{}", change.key.peer) : "";
    lines += change.delay ? fmt::format("set {}{} {}us\n", name(change.key.timer), peer, *change.delay / 1000)
                          : fmt::format("cancel {}{}\n", name(change.key.timer), peer);
  }
  for (const Send& send : out.sends) lines += fmt::format("->R{} {}\n", send.to, describe(send.kind, send.payload));
  return lines;
}

std::string describe_log(const Raft& raft) {
  std::string line;
  for (Offset offset = raft.log().start(); offset <= raft.log().end(); ++offset) {
    if (offset == raft.commit) line += line.empty() ? "|" : " |";
    if (offset == raft.log().end()) break;
    line += fmt::format("{}{}", line.empty() ? "" : " ", raft.log().at(offset).epoch);
  }
  return line;
}

}  // namespace mqlab::raft
