// tests/check/transaction_history.h: histories at random of workers that read, write and commit in transactions.
//
// Three workers read `in` for one group and write two places; two readers read those. Each word decides three
// actions. Mostly they do what they should; transactional ids are shared, ends are lost, messages are sent
// twice, reads jump, and what is delivered is not always committed.
#pragma once

#include <vector>

#include "sim/kernel/random.h"
#include "sim/world/journal.h"

namespace mqlab::test {

class TransactionHistory {
 public:
  explicit TransactionHistory(const std::vector<std::uint64_t>& words) {
    for (const char* p : {"A", "B", "C", "R", "S"}) journal.processes.push_back(p);
    for (const char* p : {"in", "q", "r"}) places_.push_back(journal.names.id(p));
    for (const char* g : {"g", "h", "i"}) groups_.push_back(journal.names.id(g));
    for (const char* k : {"id1", "id2"}) ids_.push_back(journal.names.id(k));
    fenced_ = journal.names.id("PRODUCER_FENCED");
    for (std::uint64_t n = 1; n <= 4; ++n) log_[0].push_back(numbered_message(9, n));
    for (const std::uint64_t w : words) {
      state_ = w;
      for (int n = 0; n < 3; ++n) act();
    }
  }
  Journal journal;

 private:
  static constexpr std::size_t workers = 3;

  std::uint64_t draw(std::uint64_t n) {
    state_ = splitmix64(state_);
    return (state_ >> 16) % n;
  }
  OpIndex add(Op op) {
    op.time = static_cast<Time>(journal.ops.size()) * 1000;
    journal.ops.push_back(op);
    return journal.ops.size() - 1;
  }
  Op row(std::size_t process, OpKind kind, Outcome outcome) {
    Op op{.process = static_cast<NodeId>(process), .kind = kind, .outcome = outcome};
    return op;
  }

  void act() {
    const std::uint64_t what = draw(100);
    const auto w = static_cast<std::size_t>(draw(workers));
    if (what < 12) begin(w);
    else if (what < 32) send(w);
    else if (what < 48) end_send();
    else if (what < 60) work(w);
    else if (what < 80) read();
    else if (what < 86) store(w);
    else if (what < 95) end(w);
    else if (what < 97) move(w);
    else if (what < 98) assign_reader();
    else add({.kind = OpKind::drained, .outcome = Outcome::ok});
  }

  void begin(std::size_t w) {
    if (open_[w] != 0 && draw(4) != 0) return;
    Op op = row(w, OpKind::begin, Outcome::ok);
    open_[w] = op.transaction = ++number_[w];
    if (draw(2) == 0) op.key = ids_[draw(2)];
    add(op);
  }
  void send(std::size_t w) {
    Op op = row(w, OpKind::send, Outcome::invoke);
    op.transaction = open_[w];
    op.place = places_[1 + draw(2)];
    op.message = draw(5) == 0 ? numbered_message(0, 1 + draw(3)) : numbered_message(1, ++sent_);
    sends_.push_back(add(op));
  }
  void end_send() {
    if (sends_.empty()) return;
    const auto n = draw(3) == 0 ? static_cast<std::size_t>(draw(sends_.size())) : 0;
    Op op = journal.ops[sends_[n]];
    op.of = sends_[n];
    sends_.erase(sends_.begin() + static_cast<std::ptrdiff_t>(n));
    const std::uint64_t how = draw(10);
    op.outcome = how < 8 ? Outcome::ok : how == 8 ? Outcome::fail : Outcome::info;
    std::vector<MessageId>& log = log_[op.place == places_[1] ? 1 : 2];
    if (op.outcome == Outcome::ok && draw(12) != 0) {
      op.position = static_cast<std::int64_t>(log.size());
      log.push_back(op.message);
      if (draw(10) == 0) std::swap(log.back(), log[static_cast<std::size_t>(draw(log.size()))]);
    } else if (op.outcome != Outcome::ok && draw(2) == 0) {
      log.push_back(op.message);
    }
    if (op.outcome == Outcome::fail && draw(2) == 0) op.error = fenced_;
    add(op);
  }
  void deliver(std::size_t process, std::size_t place, std::uint32_t group, std::uint64_t transaction) {
    std::int64_t& next = next_[process][place];
    if (draw(10) == 0) next = static_cast<std::int64_t>(draw(4));
    const std::vector<MessageId>& log = log_[place];
    if (next >= static_cast<std::int64_t>(log.size())) return;
    Op op = row(process, OpKind::deliver, Outcome::ok);
    op.position = next++;
    op.place = places_[place];
    op.message = log[static_cast<std::size_t>(op.position)];
    op.subscription = group;
    if (draw(6) != 0) op.flags = op_flag::read_committed;
    if (draw(2) == 0) {
      Op poll = row(process, OpKind::poll, Outcome::invoke);
      poll.transaction = transaction;
      op.of = add(poll);
      if (draw(2) == 0) op.transaction = transaction;  // else its poll tells
      add(op);
      Op polled = row(process, OpKind::poll, Outcome::ok);
      polled.of = op.of;
      polled.transaction = transaction;
      if (draw(4) != 0) add(polled);
    } else {
      op.transaction = transaction;
      add(op);
    }
  }
  void work(std::size_t w) { deliver(w, draw(3) == 0 ? 1 + draw(2) : 0, groups_[0], draw(3) != 0 ? open_[w] : 0); }
  void read() {
    const std::uint64_t n = draw(2);
    deliver(workers + n, 1 + draw(2), groups_[1 + n], 0);
  }
  void store(std::size_t w) {
    Op op = row(w, OpKind::commit, Outcome::ok);
    op.place = places_[0];
    op.subscription = groups_[0];
    op.position = draw(6) == 0 ? static_cast<std::int64_t>(draw(5)) : next_[w][0];
    op.transaction = draw(4) == 0 ? 0 : open_[w];
    const std::uint64_t how = draw(8);
    op.outcome = how == 0 ? Outcome::fail : how == 1 ? Outcome::info : Outcome::ok;
    add(op);
  }
  void end(std::size_t w) {
    if (open_[w] == 0) return;
    Op op = row(w, draw(4) == 0 ? OpKind::end_abort : OpKind::end_commit, Outcome::invoke);
    op.transaction = open_[w];
    if (draw(3) == 0) op.of = add(op);
    if (draw(8) == 0) return;
    op.outcome = draw(6) == 0 ? Outcome::fail : draw(6) == 0 ? Outcome::info : Outcome::ok;
    if (draw(8) != 0) open_[w] = 0;
    add(op);
  }
  void move(std::size_t w) {
    Op op = row(w, draw(2) == 0 ? OpKind::seek : OpKind::assign, Outcome::ok);
    op.place = places_[0];
    op.subscription = groups_[0];
    op.position = static_cast<std::int64_t>(draw(5));
    next_[w][0] = op.position;
    add(op);
  }
  void assign_reader() {
    const std::uint64_t n = draw(2);
    Op op = row(workers + n, OpKind::assign, Outcome::ok);
    op.place = places_[1 + draw(2)];
    op.subscription = groups_[1 + n];
    op.position = 0;
    add(op);
  }

  std::uint64_t state_ = 0;
  std::vector<std::uint32_t> places_, groups_, ids_;
  std::uint32_t fenced_ = 0;
  std::vector<MessageId> log_[3];
  std::int64_t next_[workers + 2][3] = {};
  std::uint64_t open_[workers] = {};
  std::uint64_t number_[workers] = {};
  std::uint64_t sent_ = 0;
  std::vector<OpIndex> sends_;
};

}  // namespace mqlab::test
