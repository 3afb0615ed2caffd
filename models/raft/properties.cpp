#include "models/raft/properties.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab::raft {
namespace {

bool same(const Entry& a, const Entry& b) {
  return a.epoch == b.epoch && a.command == b.command && a.control == b.control;
}

}  // namespace

void Promises::report(std::string what) {
  if (broken_.empty()) broken_ = std::move(what);
}

void Promises::watch(const Raft& raft) {
  if (raft.is_leader()) watch_leader(raft);
  watch_commits(raft);
}

void Promises::watch_leader(const Raft& raft) {
  const auto [known, fresh] = leaders_.emplace(raft.epoch(), raft.config.self);
  if (known->second != raft.config.self) {
    report(fmt::format("Election Safety: R{} and R{} both lead epoch {}", known->second, raft.config.self,
                       raft.epoch()));
  }
  if (!fresh) return;
  // An entry that was committed in a later epoch need not be here: late votes may still make a leader of an old one.
  for (Offset offset = raft.log().start(); offset < committed(); ++offset) {
    const auto& [entry, in] = committed_[static_cast<std::size_t>(offset)];
    if (in >= raft.epoch()) break;
    if (offset >= raft.log().end() || !same(raft.log().at(offset), entry)) {
      return report(fmt::format("Leader Completeness: R{} leads epoch {} without the entry committed at {} in epoch {}",
                                raft.config.self, raft.epoch(), offset, in));
    }
  }
}

void Promises::watch_commits(const Raft& raft) {
  Offset& applied = applied_[raft.config.self];
  if (raft.truncated_committed || raft.commit_offset() < applied) {
    report(fmt::format("State Machine Safety: R{} took back committed entries", raft.config.self));
  }
  for (Offset offset = std::max(applied, raft.log().start()); offset < raft.commit_offset(); ++offset) {
    const Entry& entry = raft.log().at(offset);
    if (offset >= committed()) {
      // Entries are committed in order, so the first to commit one has all before it.
      if (offset == committed()) committed_.push_back({entry, raft.epoch()});
      continue;
    }
    const Entry& first = committed_[static_cast<std::size_t>(offset)].entry;
    if (!same(first, entry)) {
      report(fmt::format("State Machine Safety: R{} commits an entry of epoch {} at {}, where one of epoch {} was",
                         raft.config.self, entry.epoch, offset, first.epoch));
    }
  }
  applied = std::max(applied, raft.commit_offset());
}

void Promises::compare(const Raft& a, const Raft& b) {
  const Offset from = std::max(a.log().start(), b.log().start());
  Offset offset = std::min(a.log().end(), b.log().end());
  while (offset > from && a.log().at(offset - 1).epoch != b.log().at(offset - 1).epoch) --offset;
  for (; offset > from; --offset) {
    if (same(a.log().at(offset - 1), b.log().at(offset - 1))) continue;
    return report(fmt::format("Log Matching: R{} and R{} agree in a later epoch but not at {}", a.config.self,
                              b.config.self, offset - 1));
  }
}

}  // namespace mqlab::raft
