// Order of messages as sent and as seen: first-in-first-out by producer, by key, by cause, and in common.
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

// Only first deliveries are judged: redelivery repeats old messages by design.
bool first_delivery(const Step& s) {
  return s.message != no_index && s.first_here && !(s.op.flags & op_flag::dead_letter);
}

// The latest-sent message that was seen so far, of one sequence.
struct LatestSeen {
  OpIndex sent = no_op;  // invoke of its first send; no_op = nothing seen
  OpIndex row = no_op;   // where it was seen
  std::uint64_t epoch = 0;

  void see(OpIndex when_sent, OpIndex where, std::uint64_t now) {
    if (epoch != now) *this = LatestSeen{no_op, no_op, now};
    if (sent == no_op || when_sent > sent) {
      sent = when_sent;
      row = where;
    }
  }
  // Something sent after `when` was seen, in this epoch.
  bool after(OpIndex when, std::uint64_t now) const { return epoch == now && sent != no_op && sent > when; }
};

// ---- fifo-violation

class Fifo : public CheckerOf<Fifo> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.reader == no_index || !first_delivery(s)) return;
    const SendSpan sent = span_of(ledger, s.message);
    if (sent.first == no_op || !sent.one_producer) return;
    ++looked_at_;
    const std::uint64_t epoch = ledger.readers()[s.reader].cuts;
    LatestSeen& latest = latest_[pair_key(s.reader, sent.producer)];
    if (latest.after(sent.last, epoch)) {
      found_.add(s.journal, s.index, s.op.message, s.op.place, {sent.last, latest.sent, latest.row, s.index}, [&] {
        const Journal& j = s.journal;
        return j.process_name(sent.producer) + " sent " + j.message_name(s.op.message) + " before " +
               j.message_name(j.ops[latest.row].message) + ", but " + j.process_name(s.op.process) + " got it after, from " +
               words::at(j, s.op);
      });
    }
    latest.see(sent.first, s.index, epoch);
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, "first deliveries"));
  }

 private:
  FindingList found_{"fifo-violation"};
  FlatMap<LatestSeen> latest_;  // (reader, producer)
  std::uint64_t looked_at_ = 0;
};

// ---- key-order-violation

class KeyOrder : public CheckerOf<KeyOrder> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::seek) {
      if (s.op.outcome != Outcome::ok && s.op.outcome != Outcome::info) return;
      if (s.subscription == no_index) {
        ++all_seeks_;
      } else {
        ++at(seeks_, s.subscription);
      }
    } else if (s.op.kind == OpKind::deliver) {
      if (first_delivery(s)) see(s, ledger, delivered_, "got");
    } else if (s.op.outcome == Outcome::ok && s.message != no_index) {
      any_processed_ = true;
      bool& seen = seen_[pair_key(s.subscription, s.message)];
      if (!seen) see(s, ledger, processed_, "processed");
      seen = true;
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    const Sequence& q = any_processed_ ? processed_ : delivered_;
    out.push_back(q.found.report(q.looked_at, any_processed_ ? "messages with a key, processed" : "messages with a key, delivered"));
  }

 private:
  struct Sequence {
    FindingList found{"key-order-violation"};
    FlatMap<std::uint32_t> number;        // (subscription, key) -> dense + 1
    FlatMap<LatestSeen> of_producer;      // (that, producer)
    std::vector<LatestSeen> of_anybody{};  // that
    std::uint64_t looked_at = 0;
  };

  void see(const Step& s, const Ledger& ledger, Sequence& q, const char* verb) {
    const SendSpan sent = span_of(ledger, s.message);
    if (sent.first == no_op || sent.key == 0) return;
    ++q.looked_at;
    const std::uint64_t epoch = all_seeks_ + (s.subscription < seeks_.size() ? seeks_[s.subscription] : 0);
    std::uint32_t& number = q.number[pair_key(s.subscription, sent.key)];
    if (number == 0) {
      q.of_anybody.emplace_back();
      number = static_cast<std::uint32_t>(q.of_anybody.size());
    }
    LatestSeen& anybody = q.of_anybody[number - 1];
    if (sent.one_producer) {
      LatestSeen& own = q.of_producer[pair_key(number, sent.producer)];
      if (own.after(sent.last, epoch)) {
        add(s, ledger, q, verb, sent, own, sent.last);
      } else if (sent.acknowledged != no_op && anybody.after(sent.acknowledged, epoch)) {
        add(s, ledger, q, verb, sent, anybody, sent.acknowledged);
      }
      own.see(sent.first, s.index, epoch);
    } else if (sent.acknowledged != no_op && anybody.after(sent.acknowledged, epoch)) {
      add(s, ledger, q, verb, sent, anybody, sent.acknowledged);
    }
    anybody.see(sent.first, s.index, epoch);
  }

  static void add(const Step& s, const Ledger& ledger, Sequence& q, const char* verb, const SendSpan& sent, const LatestSeen& latest,
                  OpIndex first_row) {
    q.found.add(s.journal, s.index, s.op.message, s.op.place, {first_row, latest.sent, latest.row, s.index}, [&] {
      const Journal& j = s.journal;
      return words::subscription(j, ledger.subscriptions()[s.subscription]) + " " + verb + " " +
             j.message_name(j.ops[latest.row].message) + " before " + j.message_name(s.op.message) + ", though with key " +
             j.names.text(sent.key) + " the latter was sent first";
    });
  }

  Sequence delivered_;
  Sequence processed_;
  bool any_processed_ = false;
  FlatMap<bool> seen_;             // (subscription, message) processed
  std::vector<std::uint64_t> seeks_;  // by subscription
  std::uint64_t all_seeks_ = 0;
};

// ---- total-order-violation

// For each pair of subscribers of a place, the latest of their common messages in each one's order. A
// message that is common from now on and came earlier in the other's order than that one is inverted
// with it; the last of the four deliveries always shows it (Defago, Schiper, Urban 2004, section 2).
class TotalOrder : public CheckerOf<TotalOrder> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind != OpKind::deliver) {
      move(s);
      return;
    }
    if (s.reader == no_index || !first_delivery(s)) return;
    Place& place = at(places_, s.place);
    const std::size_t me = slot_of(place, s.reader, s.subscription);
    if (me == no_slot) return;
    const std::uint32_t cuts = ledger.readers()[s.reader].cuts;
    Slot& mine = place.slots[me];
    if (mine.cuts != cuts && sought_.find(s.op.process)) forget(place, me, s.index);
    mine.cuts = cuts;
    for (std::size_t other = 0; other < place.slots.size(); ++other) {
      const Slot& theirs = place.slots[other];
      if (theirs.subscription == mine.subscription) continue;  // they share the messages out between them
      const Received* got = ledger.subscriptions()[theirs.subscription].received.find(s.message);
      if (!got || got->first_reader != theirs.reader || got->first < theirs.since) continue;
      ++common_;
      Latest& in_their_order = place.latest[me * subscribers_max + other];
      Latest& in_my_order = place.latest[other * subscribers_max + me];
      if (in_their_order.rank != no_op && got->first < in_their_order.rank) add(s, in_their_order, got->first);
      if (in_their_order.rank == no_op || got->first > in_their_order.rank) in_their_order = {got->first, s.index};
      in_my_order = {s.index, got->first};
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    Report r = found_.report(common_, "messages that two subscribers of one place got");
    if (beyond_ && r.verdict == Verdict::holds) {
      r.verdict = Verdict::unknown;
      r.reason = "a place has more than " + std::to_string(subscribers_max) + " subscribers, and the others were not compared";
    }
    out.push_back(std::move(r));
  }

 private:
  static constexpr std::size_t subscribers_max = 16;
  static constexpr std::size_t no_slot = subscribers_max;
  struct Slot {
    std::uint32_t reader = no_index;
    std::uint32_t subscription = no_index;
    std::uint32_t cuts = 0;
    OpIndex since = 0;  // earlier deliveries are not compared
  };
  // Of the messages that two subscribers both got: the latest in the other one's order.
  struct Latest {
    OpIndex rank = no_op;  // its row at the other
    OpIndex row = no_op;   // its row at this one
  };
  struct Place {
    std::vector<Slot> slots;
    std::vector<Latest> latest;
  };

  std::size_t slot_of(Place& place, std::uint32_t reader, std::uint32_t subscription) {
    for (std::size_t n = 0; n < place.slots.size(); ++n) {
      if (place.slots[n].reader == reader) return n;
    }
    if (place.slots.size() == subscribers_max) {
      beyond_ = true;
      return no_slot;
    }
    place.latest.resize(subscribers_max * subscribers_max);
    place.slots.push_back({reader, subscription, 0, 0});
    return place.slots.size() - 1;
  }

  // Who seeks chooses the order by its own will: what came before is not compared with what comes after.
  void move(const Step& s) {
    if (s.op.kind == OpKind::assign && !(s.op.flags & op_flag::assigned)) return;
    sought_[s.op.process] = true;
  }
  static void forget(Place& place, std::size_t slot, OpIndex since) {
    place.slots[slot].since = since;
    for (std::size_t n = 0; n < subscribers_max; ++n) {
      place.latest[slot * subscribers_max + n] = {};
      place.latest[n * subscribers_max + slot] = {};
    }
  }

  // I got `mine` earlier and this message now; the other got this message earlier and `mine` later.
  void add(const Step& s, const Latest& mine, OpIndex theirs) {
    const Journal& j = s.journal;
    found_.add(j, s.index, s.op.message, s.op.place, {mine.row, s.index, theirs, mine.rank}, [&] {
      const std::string a = j.message_name(j.ops[mine.row].message);
      const std::string b = j.message_name(s.op.message);
      return j.process_name(s.op.process) + " got " + a + " before " + b + ", " + j.process_name(j.ops[theirs].process) + " got " +
             b + " before " + a + ", both from " + words::place(j, s.op.place);
    });
  }

  FindingList found_{"total-order-violation"};
  std::vector<Place> places_;
  FlatMap<bool> sought_;  // by process
  std::uint64_t common_ = 0;
  bool beyond_ = false;
};

}  // namespace

std::unique_ptr<Checker> make_fifo(const CheckOptions&) { return std::make_unique<Fifo>(); }
std::unique_ptr<Checker> make_key_order(const CheckOptions&) { return std::make_unique<KeyOrder>(); }
std::unique_ptr<Checker> make_total_order(const CheckOptions&) { return std::make_unique<TotalOrder>(); }

}  // namespace mqlab
