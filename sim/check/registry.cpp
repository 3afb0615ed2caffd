// The one table of checkers: which rows each wants, which anomalies it decides.
#include "sim/check/checkers.h"

namespace mqlab {

namespace {

template <class... Outcomes>
constexpr Rows rows(OpKind k, Outcomes... outcomes) {
  return (row_bit(k, outcomes) | ...);
}
constexpr Rows all(OpKind k) { return rows(k, Outcome::invoke, Outcome::ok, Outcome::fail, Outcome::info); }

}  // namespace

const std::vector<CheckerDecl>& checker_decls() {
  using enum Outcome;
  constexpr Rows send = all(OpKind::send);
  constexpr Rows asked = row_bit(OpKind::send, invoke);
  constexpr Rows accepted = row_bit(OpKind::send, ok);
  constexpr Rows refused = row_bit(OpKind::send, fail);
  constexpr Rows deliver = row_bit(OpKind::deliver, ok);
  constexpr Rows poll = all(OpKind::poll);
  constexpr Rows polled = rows(OpKind::poll, ok, fail, info);
  constexpr Rows commit = all(OpKind::commit);
  constexpr Rows stored = rows(OpKind::commit, ok, info);
  constexpr Rows begin = all(OpKind::begin);
  constexpr Rows end = all(OpKind::end_commit) | all(OpKind::end_abort);
  constexpr Rows committed = row_bit(OpKind::end_commit, ok);
  constexpr Rows decided = rows(OpKind::end_commit, ok, fail) | row_bit(OpKind::end_abort, ok);
  constexpr Rows assign = all(OpKind::assign);
  constexpr Rows revoke = all(OpKind::revoke);
  constexpr Rows seek = all(OpKind::seek);
  constexpr Rows end_offset = all(OpKind::end_offset);
  constexpr Rows process = all(OpKind::process);
  constexpr Rows effect = all(OpKind::effect);
  constexpr Rows drained = all(OpKind::drained);

  static const std::vector<CheckerDecl> decls = {
      {0, {"lost-message"}, make_loss},
      {0, {"silent-drop"}, make_silent_drop},
      {0, {"lost-write"}, make_lost_write},
      {accepted | deliver | committed, {"unseen"}, make_unseen},
      {deliver, {"duplicate-delivery"}, make_duplicate_delivery},
      {refused | deliver, {"phantom"}, make_phantom},
      {refused | deliver | decided, {"G1a"}, make_aborted_read},
      {deliver | decided, {"dirty-read"}, make_dirty_read},
      {deliver, {"resurrected"}, make_resurrected},
      {deliver, {"misdelivered"}, make_misdelivered},
      {accepted, {"confirmed-unroutable"}, make_unroutable},
      {row_bit(OpKind::ack, ok) | row_bit(OpKind::process, fail), {"dlq-misroute"}, make_dlq_misroute},
      {row_bit(OpKind::ack, ok) | accepted | deliver, {"dlq-loss"}, make_dlq_loss},
      {accepted | deliver, {"dedup-miss", "dedup-window-expiry"}, make_dedup},
      {accepted, {"nonmonotonic-send", "int-nonmonotonic-send"}, make_send_order},
      {accepted | deliver | committed,
       {"nonmonotonic-poll", "poll-skip", "int-nonmonotonic-poll", "int-poll-skip"},
       make_poll_order},
      {deliver, {"fifo-violation"}, make_fifo},
      {deliver | process | seek, {"key-order-violation"}, make_key_order},
      {deliver, {"redelivery-reorder"}, make_redelivery},
      {send | deliver | seek, {"causal-violation"}, make_causal},
      {deliver | seek | assign, {"total-order-violation"}, make_total_order},
      {accepted | deliver, {"duplicate"}, make_duplicate},
      {accepted | deliver, {"inconsistent-offsets", "truncated-commit", "log-divergence"}, make_positions},
      {poll | deliver | end_offset, {"stale-read", "end-regression"}, make_reads},
      {commit | assign | seek, {"position-regression"}, make_commits},
      {deliver | stored | drained, {"commit-ahead-of-processing"}, make_commit_ahead},
      {assign | revoke | deliver | process, {"double-ownership"}, make_double_ownership},
      {deliver | process, {"visibility-double-processing"}, make_double_processing},
      {effect, {"effect-duplicate", "effect-lost"}, make_effects},
      {effect, {"stale-effect"}, make_stale_effect},
      {deliver | process | drained, {"head-of-line-stall"}, make_stall},
      {assign | deliver | drained, {"group-starvation"}, make_group_starvation},
      {0, {"unavailable"}, make_unavailable},
      {asked | accepted | deliver, {"amplification", "metastable-collapse"}, make_load},
      {deliver, {"precommitted-read"}, make_own_read},
      {refused | deliver | committed, {"zombie-write-accepted"}, make_zombie},
      {0, {"int-send-skip"}, make_send_skip},
      {deliver, {"torn-transaction"}, make_torn},
      {deliver | stored | assign, {"atomicity-gap"}, make_atomicity},
      {send | deliver | poll | begin | end | assign | row_bit(OpKind::commit, ok) | row_bit(OpKind::end_offset, ok) | drained, {"hung-transaction"}, make_hung},
      {polled | deliver, {"G0", "G0-process", "G0-realtime", "G1c", "G1c-process", "G1c-realtime"}, make_cycles},
  };
  return decls;
}

}  // namespace mqlab
