// Each main checker against the oracle, and live checking against checking at once.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <set>

#include "sim/check/checker.h"
#include "tests/check/group_history.h"
#include "tests/check/group_oracle.h"
#include "tests/check/oracle.h"
#include "tests/check/random_history.h"
#include "tests/check/transaction_history.h"
#include "tests/check/transaction_oracle.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

using Words = std::vector<std::uint64_t>;

constexpr CheckOptions options{
    .dedup_window = 20'000, .stall_attempts = 1, .stall_bound = 10'000, .hung_bound = 10'000, .unavailable_bound = 10'000, .starvation_bound = 10'000};

std::vector<Report> reports(const Journal& j) {
  CheckSet checks(options);
  checks.advance(j);
  return checks.report(j);
}

std::string show(const Journal& j) {
  std::string out;
  for (OpIndex n = 0; n < j.ops.size(); ++n) {
    const Op& op = j.ops[n];
    out += std::to_string(n) + ": " + j.process_name(op.process) + " " + op_kind_name(op.kind) + " " + outcome_name(op.outcome) + " " +
           j.message_name(op.message) + " " + j.names.text(op.place) + "@" + std::to_string(op.position) + " " +
           j.names.text(op.subscription) + " flags=" + std::to_string(op.flags) + " of=" +
           (op.of == no_op ? "-" : std::to_string(op.of)) + " tx=" + std::to_string(op.transaction) + "\n";
  }
  return out;
}

// The same number of breaches, certain at the same rows.
void agree(const Journal& j, const char* name, const Oracle::Rows& expected, const CheckOptions& how = {}) {
  CheckSet checks({name}, how);
  checks.advance(j);
  const Report r = checks.report(j).at(0);
  RC_LOG() << show(j);
  Oracle::Rows found;
  for (const Finding& f : r.worst) {
    found.push_back(f.certain_at);
    RC_LOG() << f.certain_at << " " << f.sentence << "\n";
    RC_ASSERT(!f.witness.empty());
    RC_ASSERT(f.witness.back() <= f.certain_at);
    RC_ASSERT(!f.sentence.empty());
  }
  for (const OpIndex e : expected) RC_LOG() << "expected " << e << "\n";
  RC_ASSERT(r.count == expected.size());
  RC_ASSERT((r.verdict == Verdict::violated) == !expected.empty());
  // Those decided at a drain come in the order of their messages.
  std::sort(found.begin(), found.end());
  if (r.count <= FindingList::kept) RC_ASSERT(found == expected);
  RC_TAG(std::string(name) + (expected.empty() ? " holds" : " violated"));
}

}  // namespace

#define AGREES(Name, name, call)                                              \
  RC_GTEST_PROP(AgainstOracle, Name, (const Words& words)) {                         \
    const RandomHistory h(words);                                             \
    agree(h.journal, name, Oracle(h.journal).call);                           \
  }
#define AGREES_WITHOUT_MOVES(Name, name, call)                                \
  RC_GTEST_PROP(AgainstOracle, Name, (const Words& words)) {                         \
    const RandomHistory h(words, false);                                      \
    agree(h.journal, name, Oracle(h.journal).call);                           \
  }

AGREES(LostMessage, "lost-message", lost_message())
AGREES(LostWrite, "lost-write", lost_write())
AGREES(DuplicateDelivery, "duplicate-delivery", duplicate_delivery())
AGREES(Phantom, "phantom", phantom())
AGREES(Resurrected, "resurrected", resurrected())
AGREES(DlqLoss, "dlq-loss", dlq_loss())
AGREES(DlqMisroute, "dlq-misroute", dlq_misroute())
AGREES(NonmonotonicPoll, "nonmonotonic-poll", nonmonotonic_poll(false))
AGREES(NonmonotonicPollInside, "int-nonmonotonic-poll", nonmonotonic_poll(true))
AGREES(PollSkip, "poll-skip", poll_skip(false))
AGREES(PollSkipInside, "int-poll-skip", poll_skip(true))
AGREES(Fifo, "fifo-violation", fifo())
AGREES(Causal, "causal-violation", causal())
AGREES_WITHOUT_MOVES(TotalOrder, "total-order-violation", total_order())
AGREES(Duplicate, "duplicate", duplicate())
AGREES(InconsistentOffsets, "inconsistent-offsets", inconsistent_offsets())
AGREES(EndRegression, "end-regression", end_regression())
AGREES(StaleRead, "stale-read", stale_read())

RC_GTEST_PROP(AgainstOracle, Unavailable, (const Words& words)) {
  const RandomHistory h(words);
  agree(h.journal, "unavailable", Oracle(h.journal).unavailable(10'000), {.unavailable_bound = 10'000});
}

RC_GTEST_PROP(AgainstOracle, PositionRegression, (const Words& words)) {
  const RandomHistory h(words, false);
  CheckSet checks({"position-regression"});
  checks.advance(h.journal);
  const Report r = checks.report(h.journal).at(0);
  const Oracle::Rows first = Oracle(h.journal).first_position_regression();
  RC_ASSERT(r.worst.empty() == first.empty());
  if (!first.empty()) RC_ASSERT(r.worst[0].certain_at == first[0]);
}

#define GROUPS_AGREE(Name, name, call)                                        \
  RC_GTEST_PROP(AgainstOracle, Name, (const Words& words)) {                  \
    const GroupHistory h(words);                                              \
    agree(h.journal, name, GroupOracle(h.journal).call, {.stall_attempts = 1}); \
  }

GROUPS_AGREE(CommitAhead, "commit-ahead-of-processing", commit_ahead())
GROUPS_AGREE(DoubleOwnership, "double-ownership", double_ownership())
GROUPS_AGREE(DoubleProcessing, "visibility-double-processing", double_processing())
GROUPS_AGREE(EffectDuplicate, "effect-duplicate", effect_duplicate())
GROUPS_AGREE(EffectLost, "effect-lost", effect_lost())
GROUPS_AGREE(StaleEffect, "stale-effect", stale_effect())
GROUPS_AGREE(HeadOfLineStall, "head-of-line-stall", stall(1))
GROUPS_AGREE(GroupStarvation, "group-starvation", group_starvation())

#define TRANSACTIONS_AGREE(Name, name, call)                                  \
  RC_GTEST_PROP(AgainstOracle, Name, (const Words& words)) {                  \
    const TransactionHistory h(words);                                        \
    agree(h.journal, name, TransactionOracle(h.journal).call);                \
  }

TRANSACTIONS_AGREE(PrecommittedRead, "precommitted-read", precommitted_read())
TRANSACTIONS_AGREE(ZombieWrite, "zombie-write-accepted", zombie())
TRANSACTIONS_AGREE(SendSkip, "int-send-skip", send_skip())
TRANSACTIONS_AGREE(TornTransaction, "torn-transaction", torn())
TRANSACTIONS_AGREE(HungTransaction, "hung-transaction", hung())

// Counts only: at which row each is certain, stories tell.
RC_GTEST_PROP(AgainstOracle, AtomicityGap, (const Words& words)) {
  const TransactionHistory h(words);
  CheckSet checks({"atomicity-gap"});
  checks.advance(h.journal);
  const Report r = checks.report(h.journal).at(0);
  const auto expected = TransactionOracle(h.journal).atomicity().size();
  RC_LOG() << show(h.journal);
  for (const Finding& f : r.worst) {
    RC_LOG() << f.certain_at << " " << f.sentence << "\n";
    RC_ASSERT(!f.witness.empty());
    RC_ASSERT(f.witness.back() <= f.certain_at);
  }
  RC_ASSERT(r.count == expected);
  RC_TAG(std::string("atomicity-gap") + (expected == 0 ? " holds" : " violated"));
}

RC_GTEST_PROP(AgainstOracle, CyclesOfTransactions, (const Words& words)) {
  const TransactionHistory h(words);
  CheckSet checks;
  checks.advance(h.journal);
  const std::vector<Report> all = checks.report(h.journal);
  const std::vector<std::uint64_t> expected = TransactionOracle(h.journal).cycles();
  RC_LOG() << show(h.journal);
  static const char* const names[] = {"G0", "G0-process", "G0-realtime", "G1c", "G1c-process", "G1c-realtime"};
  for (std::size_t c = 0; c < 6; ++c) {
    const Report& r = *find_report(all, names[c]);
    for (const Finding& f : r.worst) {
      RC_LOG() << names[c] << " " << f.certain_at << " " << f.sentence << "\n";
      RC_ASSERT(f.witness.size() > 1u);
      RC_ASSERT(f.witness.back() <= f.certain_at);
    }
    RC_LOG() << names[c] << " " << r.count << " expected " << expected[c] << "\n";
    RC_ASSERT(r.count == expected[c]);
    if (expected[c] > 0) RC_TAG(names[c]);
  }
}

// Fed row by row, in chunks, with a copy that goes on in place of the original: the same reports.
void live_and_at_once(const Journal& journal, const std::vector<std::uint8_t>& chunks) {
  CheckSet live(options);
  OpIndex to = 0;
  for (const std::uint8_t n : chunks) {
    to += n % 7;
    live.advance(journal, to);
    if (n % 5 == 0) {
      CheckSet copy = live;
      CheckSet dead_end = live;          // it reads on by itself, and must leave the others alone
      dead_end.advance(journal);
      (void)live.report(journal);      // a report in between changes nothing
      live = copy;
    }
  }
  live.advance(journal);
  RC_ASSERT(live.cursor() == journal.ops.size());
  RC_ASSERT(live.report(journal) == reports(journal));
}

RC_GTEST_PROP(CheckSetProperty, LiveAndAtOnceSayTheSame, (const Words& words, const std::vector<std::uint8_t>& chunks)) {
  live_and_at_once(RandomHistory(words).journal, chunks);
}
RC_GTEST_PROP(CheckSetProperty, LiveAndAtOnceSayTheSameOfGroups, (const Words& words, const std::vector<std::uint8_t>& chunks)) {
  live_and_at_once(GroupHistory(words).journal, chunks);
}

bool is_cycle(std::string_view name) { return name.substr(0, 2) == "G0" || name.substr(0, 3) == "G1c"; }

RC_GTEST_PROP(CheckSetProperty, LiveAndAtOnceSayTheSameOfTransactions, (const Words& words, const std::vector<std::uint8_t>& chunks)) {
  live_and_at_once(TransactionHistory(words).journal, chunks);
}

// What was certain stays: apart from what a later delivery clears after a drain, from key order,
// which is judged by processing as soon as any is reported, and from the names of cycles: two may become one, and a
// cycle under a weaker name hides it. That there is one stays.
void certain_findings_stay(const Journal& journal) {
  CheckOptions without_window = options;  // a later send may lie outside the window
  without_window.dedup_window = -1;
  CheckSet checks(without_window);
  std::vector<Report> before;
  for (OpIndex n = 0; n <= journal.ops.size(); n += 5) {
    checks.advance(journal, n);
    const std::vector<Report> now = checks.report(journal);
    for (const Report& b : before) {
      const std::string_view name = b.anomaly->name;
      static const std::set<std::string_view> may_go = {"lost-message", "lost-write", "silent-drop", "dlq-loss", "unavailable", "effect-lost", "key-order-violation",
                                                       "torn-transaction", "atomicity-gap"};
      if (may_go.count(name) || is_cycle(name)) continue;
      const Report* r = find_report(now, name);
      RC_LOG() << name << " at " << n << "\n";
      RC_ASSERT(r && r->worst.size() >= b.worst.size());
      if (name == "misdelivered") continue;  // certain once the destination is known, so it is put in order again
      for (std::size_t i = 0; i < b.worst.size(); ++i) RC_ASSERT(r->worst[i] == b.worst[i]);
    }
    const auto circular = [](const Report& r) { return is_cycle(r.anomaly->name) && r.count > 0; };
    RC_ASSERT(std::none_of(before.begin(), before.end(), circular) || std::any_of(now.begin(), now.end(), circular));
    before = now;
  }
}

RC_GTEST_PROP(CheckSetProperty, CertainFindingsStay, (const Words& words)) {
  certain_findings_stay(RandomHistory(words).journal);
  certain_findings_stay(GroupHistory(words).journal);
  certain_findings_stay(TransactionHistory(words).journal);
}

// An imported history may say anything. It gets verdicts, and harms nobody.
RC_GTEST_PROP(CheckSetProperty, NonsenseIsReadToTheEnd, (const Words& words)) {
  Journal j;
  for (const char* n : {"orders", "orders/0", "/", "NO_ROUTE", "a//b"}) j.names.id(n);
  j.processes = {"P1", "C1"};
  constexpr std::int64_t positions[] = {-1, 0, 1, 2, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  constexpr NodeId processes[] = {0, 1, 7, nobody};
  constexpr std::uint64_t transactions[] = {0, 0, 1, ~std::uint64_t{0}};
  constexpr MessageId messages[] = {no_message, 1, numbered_message(0, 1), named_message(1), named_message(99), ~std::uint64_t{0}};
  for (std::uint64_t w : words) {
    const auto draw = [&w](std::uint64_t n) {
      w = splitmix64(w);
      return (w >> 16) % n;
    };
    for (int n = 0; n < 3; ++n) {
      Op op;
      op.time = static_cast<Time>(j.ops.size());
      op.of = draw(3) == 0 ? no_op : draw(j.ops.size() + 3);
      op.process = processes[draw(4)];
      op.kind = draw(2) == 0 ? OpKind::send : draw(2) == 0 ? OpKind::deliver : static_cast<OpKind>(draw(op_kind_count));
      op.outcome = draw(2) == 0 ? Outcome::ok : static_cast<Outcome>(draw(4));
      op.flags = draw(3) == 0 ? static_cast<std::uint8_t>(draw(256)) : 0;
      op.attempt = static_cast<std::uint8_t>(draw(3));
      op.place = static_cast<std::uint32_t>(draw(8));
      op.key = static_cast<std::uint32_t>(draw(8));
      op.subscription = static_cast<std::uint32_t>(draw(8));
      op.error = static_cast<std::uint32_t>(draw(8));
      op.message = messages[draw(6)];
      op.position = positions[draw(6)];
      op.transaction = transactions[draw(4)];
      j.ops.push_back(op);
    }
  }
  RC_ASSERT(reports(j) == reports(j));
}
