// tests/check/group_history.h: histories of consumer groups at random: assignments, processing, commits,
// effects and drains. No transactions and no seeks (random_history.h has those).
//
// Each word decides three actions, so that a failure shrinks to the few that matter. Two producers, three
// consumers in two groups, two places of one topic, ten messages.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/kernel/random.h"
#include "sim/world/journal.h"

namespace mqlab::test {

class GroupHistory {
 public:
  explicit GroupHistory(const std::vector<std::uint64_t>& words) {
    for (const char* p : {"P1", "P2", "C1", "C2", "C3"}) journal.processes.push_back(p);
    for (const char* p : {"orders/0", "orders/1"}) places_.push_back(journal.names.id(p));
    topic_ = journal.names.id("orders");
    for (const char* g : {"g1", "g2"}) groups_.push_back(journal.names.id(g));
    for (const char* k : {"k1", "k2"}) keys_.push_back(journal.names.id(k));
    for (const char* e : {"charge", "mail"}) effects_.push_back(journal.names.id(e));
    for (const std::uint64_t w : words) {
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
  MessageId message() { return numbered_message(0, 1 + draw(10)); }
  NodeId consumer() { return static_cast<NodeId>(2 + draw(3)); }
  // C1 and C2 are of g1, C3 of g2; now and then somebody is of both.
  std::uint32_t group_of(NodeId c) { return groups_[(c == 4) != (draw(16) == 0) ? 1 : 0]; }

  void act() {
    const std::uint64_t what = draw(100);
    if (what < 18) send();
    else if (what < 46) deliver();
    else if (what < 64) process();
    else if (what < 74) move();
    else if (what < 80) commit();
    else if (what < 83) ack();
    else if (what < 94) effect();
    else drained();
  }

  // Asked and answered, or answered by the next send's place in the log only.
  void send() {
    Op op{.process = static_cast<NodeId>(draw(2)), .kind = OpKind::send, .outcome = Outcome::invoke, .message = message()};
    if (draw(6) == 0) op.process = consumer();  // it sends it on
    op.place = topic_;
    op.key = draw(4) == 0 ? 0 : keys_[draw(2)];
    const OpIndex invoke = add(op);
    const std::uint64_t how = draw(12);
    if (how == 0) return;
    op.of = invoke;
    op.key = 0;
    op.outcome = how == 1 ? Outcome::fail : how == 2 ? Outcome::info : Outcome::ok;
    const std::size_t p = draw(2);
    if (op.outcome == Outcome::ok) {
      op.place = places_[p];
      if (draw(12) != 0) op.position = static_cast<std::int64_t>(log_[p].size());
    }
    if (op.outcome != Outcome::fail) log_[p].push_back(op.message);
    add(op);
  }
  void deliver() {
    const NodeId c = consumer();
    const auto p = static_cast<std::size_t>(draw(2));
    std::int64_t& next = next_[c][p];
    if (draw(5) == 0) next -= static_cast<std::int64_t>(1 + draw(2));
    if (draw(12) == 0) next += 1;
    if (next < 0) next = 0;
    if (next >= static_cast<std::int64_t>(log_[p].size())) return;
    Op op{.process = c, .kind = OpKind::deliver, .outcome = Outcome::ok, .place = places_[p]};
    op.subscription = group_of(c);
    op.message = log_[p][static_cast<std::size_t>(next)];
    op.position = next++;
    if (draw(10) == 0) op.attempt = static_cast<std::uint8_t>(1 + draw(4));
    if (draw(40) == 0) op.flags |= op_flag::by_policy;
    if (draw(40) == 0) op.flags |= op_flag::dead_letter;
    got_.push_back(add(op));
  }
  // Mostly of something that was got lately.
  void process() {
    Op op{.process = consumer(), .kind = OpKind::process, .outcome = draw(3) == 0 ? Outcome::fail : Outcome::ok};
    if (draw(20) == 0) op.outcome = Outcome::info;
    if (!got_.empty() && draw(8) != 0) {
      const OpIndex d = got_[got_.size() - 1 - static_cast<std::size_t>(draw(std::min<std::uint64_t>(got_.size(), 5)))];
      const Op& got = journal.ops[d];
      op.process = got.process;
      op.message = got.message;
      op.subscription = got.subscription;
      const std::uint64_t how = draw(3);
      if (how == 0) {
        op.of = d;
        if (draw(2) == 0) op.subscription = 0;
      }
      if (how <= 1) op.place = got.place;
    } else {
      op.message = message();
      op.subscription = groups_[draw(2)];
    }
    add(op);
  }
  void move() {
    Op op{.process = consumer(), .kind = draw(3) == 0 ? OpKind::revoke : OpKind::assign, .outcome = Outcome::ok};
    op.place = op.kind == OpKind::revoke && draw(4) == 0 ? 0 : places_[draw(2)];
    op.subscription = group_of(op.process);
    if (op.kind == OpKind::assign) {
      if (draw(8) == 0) op.flags |= op_flag::assigned;
      else if (draw(3) == 0) op.position = static_cast<std::int64_t>(draw(4));
    }
    add(op);
  }
  void commit() {
    Op op{.process = consumer(), .kind = OpKind::commit, .outcome = Outcome::ok, .place = places_[draw(2)]};
    op.subscription = group_of(op.process);
    op.position = static_cast<std::int64_t>(draw(8));
    if (draw(2) == 0) {
      op.outcome = Outcome::invoke;
      const OpIndex invoke = add(op);
      op.of = invoke;
      op.outcome = draw(4) == 0 ? Outcome::info : Outcome::ok;
      if (draw(2) == 0) {
        op.place = 0;
        op.position = -1;
      }
    }
    add(op);
  }
  void ack() {
    Op op{.process = consumer(), .kind = OpKind::ack, .outcome = draw(4) == 0 ? Outcome::fail : Outcome::ok, .message = message()};
    op.subscription = group_of(op.process);
    add(op);
  }
  void effect() {
    Op op{.process = consumer(), .kind = OpKind::effect, .outcome = draw(8) == 0 ? Outcome::info : Outcome::ok, .message = message()};
    op.place = effects_[draw(2)];
    op.subscription = group_of(op.process);
    if (draw(5) == 0) op.key = keys_[draw(2)];
    add(op);
  }
  void drained() {
    Op op{.kind = OpKind::drained, .outcome = Outcome::ok};
    if (draw(4) == 0) op.subscription = groups_[draw(2)];
    if (draw(4) == 0) op.place = places_[draw(2)];
    add(op);
  }

  std::uint64_t state_ = 0;
  std::uint32_t topic_ = 0;
  std::vector<std::uint32_t> places_, groups_, keys_, effects_;
  std::vector<MessageId> log_[2];
  std::int64_t next_[5][2] = {};
  std::vector<OpIndex> got_;
};

}  // namespace mqlab::test
