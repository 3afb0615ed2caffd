// The one table of checkers: which rows each wants, which anomalies it decides.
#include "sim/check/checkers.h"

namespace mqlab {

const std::vector<CheckerDecl>& checker_decls() {
  constexpr std::uint32_t send = kind_bit(OpKind::send);
  constexpr std::uint32_t deliver = kind_bit(OpKind::deliver);
  constexpr std::uint32_t poll = kind_bit(OpKind::poll);
  constexpr std::uint32_t commit = kind_bit(OpKind::commit);
  constexpr std::uint32_t begin = kind_bit(OpKind::begin);
  constexpr std::uint32_t committed = kind_bit(OpKind::end_commit);
  constexpr std::uint32_t aborted = kind_bit(OpKind::end_abort);
  constexpr std::uint32_t assign = kind_bit(OpKind::assign);
  constexpr std::uint32_t revoke = kind_bit(OpKind::revoke);
  constexpr std::uint32_t seek = kind_bit(OpKind::seek);
  constexpr std::uint32_t end_offset = kind_bit(OpKind::end_offset);
  constexpr std::uint32_t process = kind_bit(OpKind::process);
  constexpr std::uint32_t effect = kind_bit(OpKind::effect);
  constexpr std::uint32_t drained = kind_bit(OpKind::drained);

  static const std::vector<CheckerDecl> decls = {
      {0, {"lost-message"}, make_loss},
      {0, {"silent-drop"}, make_silent_drop},
      {0, {"lost-write"}, make_lost_write},
      {send | deliver | committed, {"unseen"}, make_unseen},
      {deliver, {"duplicate-delivery"}, make_duplicate_delivery},
      {send | deliver, {"phantom"}, make_phantom},
      {send | deliver | committed | aborted, {"G1a"}, make_aborted_read},
      {deliver | committed | aborted, {"dirty-read"}, make_dirty_read},
      {deliver, {"resurrected"}, make_resurrected},
      {deliver, {"misdelivered"}, make_misdelivered},
      {send, {"confirmed-unroutable"}, make_unroutable},
      {send | deliver, {"dedup-miss", "dedup-window-expiry"}, make_dedup},
      {send, {"nonmonotonic-send", "int-nonmonotonic-send"}, make_send_order},
      {send | deliver | committed,
       {"nonmonotonic-poll", "poll-skip", "int-nonmonotonic-poll", "int-poll-skip"},
       make_poll_order},
      {deliver, {"fifo-violation"}, make_fifo},
      {deliver | process | seek, {"key-order-violation"}, make_key_order},
      {deliver, {"redelivery-reorder"}, make_redelivery},
      {send | deliver | seek, {"causal-violation"}, make_causal},
      {deliver | seek | assign, {"total-order-violation"}, make_total_order},
      {send | deliver, {"duplicate"}, make_duplicate},
      {send | deliver, {"inconsistent-offsets", "truncated-commit", "log-divergence"}, make_positions},
      {poll | deliver | end_offset, {"stale-read", "end-regression"}, make_reads},
      {commit | assign | seek, {"position-regression"}, make_commits},
      {deliver | commit | drained, {"commit-ahead-of-processing"}, make_commit_ahead},
      {assign | revoke | deliver | process, {"double-ownership"}, make_double_ownership},
      {deliver | process, {"visibility-double-processing"}, make_double_processing},
      {effect, {"effect-duplicate", "effect-lost"}, make_effects},
      {effect, {"stale-effect"}, make_stale_effect},
      {deliver | process | drained, {"head-of-line-stall"}, make_stall},
      {assign | deliver | drained, {"group-starvation"}, make_group_starvation},
      {send | deliver, {"amplification", "metastable-collapse"}, make_load},
      {deliver, {"precommitted-read"}, make_own_read},
      {send | deliver | committed, {"zombie-write-accepted"}, make_zombie},
      {0, {"int-send-skip"}, make_send_skip},
      {deliver, {"torn-transaction"}, make_torn},
      {deliver | commit | assign, {"atomicity-gap"}, make_atomicity},
      {send | deliver | poll | begin | committed | aborted | assign | drained, {"hung-transaction"}, make_hung},
      {poll | deliver, {"G0", "G0-process", "G0-realtime", "G1c", "G1c-process", "G1c-realtime"}, make_cycles},
  };
  return decls;
}

}  // namespace mqlab
