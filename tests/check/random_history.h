// tests/check/random_history.h: histories at random, mostly healthy and often wrong.
//
// Each word decides three actions, so that RapidCheck shrinks a failure to the few actions that matter.
// Three producers, three places, three consumers in two groups, eight messages, few positions: small
// enough that everything collides.
#pragma once

#include <vector>

#include "sim/kernel/random.h"
#include "sim/world/journal.h"

namespace mqlab::test {

class RandomHistory {
 public:
  explicit RandomHistory(const std::vector<std::uint64_t>& words, bool moves = true) : moves_(moves) {
    for (const char* p : {"P1", "P2", "P3", "C1", "C2", "C3"}) journal.processes.push_back(p);
    for (const char* p : {"orders/0", "orders/1", "queue"}) places_.push_back(journal.names.id(p));
    topic_ = journal.names.id("orders");
    for (const char* g : {"g1", "g2"}) groups_.push_back(journal.names.id(g));
    for (const char* k : {"k1", "k2"}) keys_.push_back(journal.names.id(k));
    for (std::uint64_t w : words) {
      state_ = w;
      for (int n = 0; n < 3; ++n) act();
    }
  }
  Journal journal;

 private:
  std::uint64_t draw(std::uint64_t n) {
    state_ = splitmix64(state_);
    return (state_ >> 16) % n;
  }
  OpIndex add(Op op) {
    op.time = static_cast<Time>(journal.ops.size()) * 1000;
    journal.ops.push_back(op);
    return journal.ops.size() - 1;
  }
  MessageId message() { return numbered_message(0, 1 + draw(8)); }

  void act() {
    const std::uint64_t what = draw(100);
    if (what < 25) send();
    else if (what < 50) end_send();
    else if (what < 82) deliver();
    else if (what < 87) move();
    else if (what < 90) confirm();
    else if (what < 93) commit();
    else if (what < 95) end_offset();
    else if (what < 97) end_transaction();
    else if (what < 99) process();
    else add({.kind = OpKind::drained, .outcome = Outcome::ok});
  }

  void send() {
    Op op{.process = static_cast<NodeId>(draw(3)), .kind = OpKind::send, .outcome = Outcome::invoke, .message = message()};
    if (draw(4) == 0) op.process = static_cast<NodeId>(3 + draw(3));  // a consumer that answers
    op.place = draw(4) == 0 ? places_[2] : topic_;
    op.key = draw(3) == 0 ? 0 : keys_[draw(2)];
    op.transaction = draw(5) == 0 ? 1 + draw(3) : 0;
    open_.push_back(add(op));
  }
  void end_send() {
    if (open_.empty()) return;
    const auto n = static_cast<std::size_t>(draw(open_.size()));
    const Op invoke = journal.ops[open_[n]];
    Op op{.of = open_[n], .process = invoke.process, .kind = OpKind::send, .message = invoke.message};
    op.transaction = invoke.transaction;
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(n));
    const std::uint64_t how = draw(10);
    op.outcome = how < 7 ? Outcome::ok : how < 9 ? Outcome::fail : Outcome::info;
    if (op.outcome == Outcome::ok) {
      const std::size_t p = invoke.place == topic_ ? draw(2) : 2;
      op.place = places_[p];
      op.position = draw(6) == 0 ? static_cast<std::int64_t>(draw(6)) : static_cast<std::int64_t>(log_[p].size());
      if (draw(12) == 0) op.position = -1;
      if (op.position == static_cast<std::int64_t>(log_[p].size())) log_[p].push_back(op.message);
    }
    add(op);
  }
  void deliver() {
    const auto c = static_cast<std::size_t>(draw(3));
    const auto p = static_cast<std::size_t>(draw(3));
    const std::size_t g = c == 2 ? 1 : draw(8) == 0 ? 1 : 0;
    std::int64_t& next = next_[c][p];
    Op op{.process = static_cast<NodeId>(3 + c), .kind = OpKind::deliver, .outcome = Outcome::ok, .place = places_[p]};
    op.subscription = groups_[g];
    op.position = draw(6) == 0 ? static_cast<std::int64_t>(draw(6)) : next;
    const bool known = op.position < static_cast<std::int64_t>(log_[p].size());
    if (!known && draw(8) != 0) return;
    op.message = known && draw(15) != 0 ? log_[p][static_cast<std::size_t>(op.position)] : message();
    next = op.position + 1 + (draw(8) == 0 ? 1 : 0);
    if (p == 2 && draw(2) == 0) op.position = -1;
    if (draw(10) == 0) op.flags |= op_flag::redelivered;
    if (draw(4) == 0) op.flags |= op_flag::read_committed;
    if (draw(30) == 0) op.flags |= op_flag::by_policy;
    if (draw(30) == 0) {
      op.flags |= op_flag::dead_letter;
      op.place = journal.names.id("orders.dead");
    }
    if (draw(3) == 0 && poll_ != no_op && journal.ops[poll_].process == op.process) {
      op.of = poll_;
    } else if (draw(3) == 0) {
      poll_ = add({.process = op.process, .kind = OpKind::poll, .outcome = Outcome::invoke});
      op.of = poll_;
    }
    add(op);
  }
  void move() {
    if (!moves_) return;
    const auto c = static_cast<std::size_t>(draw(3));
    const auto p = static_cast<std::size_t>(draw(3));
    Op op{.process = static_cast<NodeId>(3 + c), .outcome = Outcome::ok, .place = places_[p]};
    op.subscription = groups_[c == 2 ? 1 : 0];
    const std::uint64_t what = draw(4);
    op.kind = what == 0 ? OpKind::revoke : what == 1 ? OpKind::assign : OpKind::seek;
    if (op.kind != OpKind::revoke && draw(4) != 0) op.position = static_cast<std::int64_t>(draw(6));
    if (op.kind == OpKind::seek && draw(4) == 0) op.flags |= op_flag::by_policy;
    if (op.kind == OpKind::assign && draw(3) == 0) op.flags |= op_flag::assigned;
    if (draw(6) == 0) op.place = 0;
    if (op.position >= 0 && op.place != 0) next_[c][p] = op.position;
    add(op);
  }
  void confirm() {
    Op op{.process = static_cast<NodeId>(3 + draw(3)), .kind = OpKind::ack, .outcome = Outcome::ok};
    op.message = message();
    op.subscription = groups_[draw(2)];
    if (draw(5) == 0) op.flags |= op_flag::by_policy;
    if ((op.flags & op_flag::by_policy) && draw(2) == 0) {
      op.flags |= op_flag::dead_letter;
      op.error = journal.names.id(draw(2) == 0 ? "delivery_limit" : "expired");
      if (blamed_.message != no_message && draw(2) == 0) {
        op.message = blamed_.message;
        op.subscription = blamed_.subscription;
      }
    }
    if (op.flags == op_flag::by_policy) blamed_ = op;
    add(op);
  }
  void commit() {
    if (commit_ == no_op || draw(3) == 0) {
      Op op{.process = static_cast<NodeId>(3 + draw(3)), .kind = OpKind::commit, .outcome = Outcome::invoke};
      op.place = places_[draw(3)];
      op.subscription = groups_[draw(2)];
      op.position = static_cast<std::int64_t>(draw(8));
      commit_ = add(op);
    } else {
      Op op = journal.ops[commit_];
      op.of = commit_;
      op.outcome = draw(5) == 0 ? Outcome::info : Outcome::ok;
      commit_ = no_op;
      add(op);
    }
  }
  void end_offset() {
    if (ask_ == no_op || draw(3) == 0) {
      Op op{.process = static_cast<NodeId>(3 + draw(3)), .kind = OpKind::end_offset, .outcome = Outcome::invoke};
      op.place = places_[draw(3)];
      if (draw(3) == 0) op.flags |= op_flag::read_committed;
      ask_ = add(op);
    } else {
      Op op = journal.ops[ask_];
      op.of = ask_;
      op.outcome = Outcome::ok;
      op.position = static_cast<std::int64_t>(draw(8));
      ask_ = no_op;
      add(op);
    }
  }
  void end_transaction() {
    Op op{.process = static_cast<NodeId>(draw(3)), .kind = draw(2) == 0 ? OpKind::end_commit : OpKind::end_abort, .outcome = Outcome::ok};
    op.transaction = 1 + draw(3);
    add(op);
  }
  void process() {
    Op op{.process = static_cast<NodeId>(3 + draw(3)), .kind = OpKind::process, .outcome = draw(4) == 0 ? Outcome::fail : Outcome::ok};
    op.message = message();
    op.subscription = groups_[draw(2)];
    if (op.outcome == Outcome::fail) blamed_ = op;
    add(op);
  }

  bool moves_;
  std::uint64_t state_ = 0;
  std::uint32_t topic_ = 0;
  std::vector<std::uint32_t> places_, groups_, keys_;
  std::vector<OpIndex> open_;
  std::vector<MessageId> log_[3];
  std::int64_t next_[3][3] = {};
  Op blamed_{};  // the last one that failed, or was refused
  OpIndex poll_ = no_op;
  OpIndex commit_ = no_op;
  OpIndex ask_ = no_op;
};

}  // namespace mqlab::test
