// Delivery: what arrived that should not have, or not like that.
#include <algorithm>
#include <utility>

#include "sim/check/checkers.h"
#include "sim/world/routed.h"

namespace mqlab {
namespace {

bool in_dead_letter(const Step& s) { return (s.op.flags & op_flag::dead_letter) != 0; }

// ---- unseen

class Unseen : public CheckerOf<Unseen> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (ledger.unseen() == now_) return;
    now_ = ledger.unseen();
    if (now_ > worst_) {
      worst_ = now_;
      worst_at_ = s.index;
    }
    record({s.op.time, now_});
  }
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    Report r = FindingList("unseen").report(ledger.acknowledged(), "acknowledged sends");
    r.verdict = Verdict::unknown;
    r.pending = now_;
    r.series = series_;
    if (ledger.acknowledged() > 0) {
      r.reason = "a time series, not a verdict: " + std::to_string(now_) + " unseen now";
      if (worst_ > 0) r.reason += ", " + std::to_string(worst_) + " at most, at " + format_time(journal.ops[worst_at_].time);
    }
    out.push_back(std::move(r));
  }

 private:
  static constexpr std::size_t points_max = 512;

  // Each point is the largest count of `stride_` changes; when all points are in use, pairs become one.
  void record(SeriesPoint p) {
    if (in_last_ < stride_ && !series_.empty()) {
      if (p.count >= series_.back().count) series_.back() = p;
      ++in_last_;
      return;
    }
    if (series_.size() == points_max) {
      for (std::size_t i = 0; i < points_max / 2; ++i) {
        const SeriesPoint& a = series_[2 * i];
        const SeriesPoint& b = series_[2 * i + 1];
        series_[i] = b.count >= a.count ? b : a;
      }
      series_.resize(points_max / 2);
      stride_ *= 2;
    }
    series_.push_back(p);
    in_last_ = 1;
  }

  std::vector<SeriesPoint> series_;
  std::uint64_t stride_ = 1;
  std::uint64_t in_last_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t worst_ = 0;
  OpIndex worst_at_ = 0;
};

// ---- duplicate-delivery

class DuplicateDelivery : public CheckerOf<DuplicateDelivery> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.message == no_index || in_dead_letter(s)) return;
    ++looked_at_;
    if (s.first_here) return;
    const bool same_position = s.place != no_index && s.position >= 0 && got_there(s);
    if (s.own_will) return;
    // An application may send one message twice; then two deliveries, from two positions, are right.
    const MessageFact& m = ledger.messages()[s.message];
    const std::uint64_t asked = std::max<std::uint64_t>(m.sends - m.failed, 1);
    const std::uint64_t times = std::uint64_t{s.received_before.count} - s.received_before.own_will + 1;
    if (!same_position && times <= asked) return;

    found_.add(s.journal, s.index, s.op.message, s.op.place, {s.received_before.last, s.index}, [&] {
      const Journal& j = s.journal;
      const Op& before = j.ops[s.received_before.last];
      const bool told = (s.op.flags & op_flag::redelivered) || s.op.attempt > 1;
      return words::subscription(j, ledger.subscriptions()[s.subscription]) + " got " + j.message_name(s.op.message) +
             " again: " + j.process_name(before.process) + " from " + words::at(j, before) + ", then " +
             j.process_name(s.op.process) + " from " + words::at(j, s.op) +
             (told ? ", flagged as redelivered" : ", without a flag from the broker");
    });
    flagged_ += (s.op.flags & op_flag::redelivered) || s.op.attempt > 1 ? 1 : 0;
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    Report r = found_.report(looked_at_, "deliveries");
    if (flagged_ > 0) r.reason = std::to_string(flagged_) + " of them flagged by the broker";
    out.push_back(std::move(r));
  }

 private:
  struct Source {
    std::uint32_t place;
    std::int64_t position;
    bool operator==(const Source&) const = default;
  };
  // This subscription had got this message from this very position; remembers that it has now.
  bool got_there(const Step& s) {
    const Source here{s.place, s.position};
    if (here == Source{s.received_before.first_place, s.received_before.first_position}) return true;
    std::vector<Source>& others = others_[pair_key(s.subscription, s.message)];
    if (std::find(others.begin(), others.end(), here) != others.end()) return true;
    others.push_back(here);
    return false;
  }

  FindingList found_{"duplicate-delivery"};
  FlatMap<std::vector<Source>> others_;  // (subscription, message) -> where it came from after its first delivery
  std::uint64_t looked_at_ = 0;
  std::uint64_t flagged_ = 0;
};

// ---- phantom

// All sends made before a row had ended without effect, so what was delivered there came from nowhere.
struct SendsBefore {
  std::uint32_t count = 0;
  bool all_dead = true;
  bool transactional = false;
  OpIndex last_end = no_op;
};
SendsBefore sends_before(const Ledger& l, std::uint32_t message, OpIndex row) {
  SendsBefore b;
  for (std::uint32_t n = l.messages()[message].last_send; n != no_index; n = l.sends()[n].previous) {
    const SendFact& f = l.sends()[n];
    if (f.invoke > row) continue;
    ++b.count;
    b.transactional = b.transactional || f.transaction != no_index;
    b.all_dead = b.all_dead && l.dead(f);
    if (b.last_end == no_op && l.dead(f)) {
      b.last_end = f.outcome == Outcome::fail ? f.end : l.transactions()[f.transaction].end;
    }
  }
  return b;
}

// A send that took effect for certain stands before this delivery, so that neither it nor a later one is a breach.
bool explained(const Step& s, const Ledger& l) { return l.messages()[s.message].acknowledged != no_index; }

class Phantom : public CheckerOf<Phantom> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.message == no_index) return;
    const OpIndex delivery = ledger.messages()[s.message].first_delivery;
    if (s.op.kind == OpKind::deliver) {
      ++looked_at_;
      // The first delivery has the fewest sends before it; the others add nothing.
      if (s.first_anywhere && !explained(s, ledger)) judge(s, ledger, delivery);
    } else if (s.op.outcome == Outcome::fail && s.send != no_index && delivery != no_op &&
               ledger.sends()[s.send].invoke < delivery) {
      judge(s, ledger, delivery);
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, "deliveries"));
  }

 private:
  void judge(const Step& s, const Ledger& ledger, OpIndex delivery) {
    const SendsBefore b = sends_before(ledger, s.message, delivery);
    if (!b.all_dead || b.transactional) return;
    const Journal& j = s.journal;
    const Op& d = j.ops[delivery];
    found_.add(j, s.index, d.message, d.place, {b.count == 0 ? no_op : b.last_end, delivery}, [&] {
      const std::string got = j.process_name(d.process) + " got " + j.message_name(d.message) + " from " + words::at(j, d);
      return b.count == 0 ? got + ", but nobody had sent it" : got + ", though its sender was told that the send failed";
    });
  }

  FindingList found_{"phantom"};
  std::uint64_t looked_at_ = 0;
};

// ---- G1a

class AbortedRead : public CheckerOf<AbortedRead> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::end_abort || s.op.kind == OpKind::end_commit) {
      if (s.transaction == no_index) return;
      const TransactionFact& t = ledger.transactions()[s.transaction];
      if (t.end != s.index || t.state != TransactionState::aborted) return;
      for (std::uint32_t n = t.last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
        judge(s, ledger, ledger.sends()[n].message);
      }
      return;
    }
    if (s.message == no_index) return;
    if (s.op.kind == OpKind::deliver) {
      ++looked_at_;
      if (explained(s, ledger)) return;
      if ((s.op.flags & op_flag::read_committed) && touches_transaction(ledger, s.message)) {
        OpIndex& first = committed_reads_[s.message];
        if (first == 0) first = s.index + 1;
        judge(s, ledger, s.message);
      } else if (s.first_anywhere) {
        judge(s, ledger, s.message);
      }
    } else if (s.op.outcome == Outcome::fail) {
      judge(s, ledger, s.message);
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, "deliveries"));
  }

 private:
  static bool touches_transaction(const Ledger& l, std::uint32_t message) {
    const std::uint32_t last = l.messages()[message].last_send;
    return last != no_index && l.sends()[last].transaction != no_index;
  }

  // Isolation is a matter of transactions: a send outside one that failed must not be seen by anybody.
  void judge(const Step& s, const Ledger& ledger, std::uint32_t message) {
    OpIndex delivery = ledger.messages()[message].first_delivery;
    if (delivery == no_op) return;
    SendsBefore b = sends_before(ledger, message, delivery);
    if (b.transactional) {
      const OpIndex* read = committed_reads_.find(message);
      if (!read) return;
      delivery = *read - 1;
      b = sends_before(ledger, message, delivery);
    }
    if (b.count == 0 || !b.all_dead) return;
    bool& reported = reported_[message];
    if (reported) return;
    reported = true;
    const Journal& j = s.journal;
    const Op& d = j.ops[delivery];
    found_.add(j, s.index, d.message, d.place, {b.last_end, delivery, s.index}, [&] {
      return j.process_name(d.process) + " got " + j.message_name(d.message) + " from " + words::at(j, d) +
             (b.transactional ? " at read-committed, though its transaction was aborted" : ", though its send failed");
    });
  }

  FindingList found_{"G1a"};
  FlatMap<OpIndex> committed_reads_;  // message -> first delivery at read-committed + 1, of transactional sends only
  FlatMap<bool> reported_;
  std::uint64_t looked_at_ = 0;
};

// ---- dirty-read

// As G1a, of readers who did not ask for committed records only.
class DirtyRead : public CheckerOf<DirtyRead> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::end_abort || s.op.kind == OpKind::end_commit) {
      if (s.transaction == no_index) return;
      const TransactionFact& t = ledger.transactions()[s.transaction];
      if (t.end != s.index || t.state != TransactionState::aborted) return;
      for (std::uint32_t n = t.last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) judge(s, ledger, ledger.sends()[n].message);
    } else if (s.message != no_index && !(s.op.flags & op_flag::read_committed)) {
      ++looked_at_;
      if (explained(s, ledger)) return;
      const std::uint32_t last = ledger.messages()[s.message].last_send;
      if (last == no_index || ledger.sends()[last].transaction == no_index) return;
      OpIndex& first = read_[s.message];
      if (first == 0) first = s.index + 1;
      judge(s, ledger, s.message);
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override { out.push_back(found_.report(looked_at_, "deliveries at read-uncommitted")); }

 private:
  void judge(const Step& s, const Ledger& ledger, std::uint32_t message) {
    const OpIndex* read = read_.find(message);
    if (!read) return;
    const OpIndex delivery = *read - 1;
    const SendsBefore b = sends_before(ledger, message, delivery);
    if (b.count == 0 || !b.all_dead || !b.transactional || std::exchange(reported_[message], true)) return;
    const Journal& j = s.journal;
    const Op& d = j.ops[delivery];
    found_.add(j, s.index, d.message, d.place, {b.last_end, delivery, s.index}, [&] {
      return j.process_name(d.process) + " got " + j.message_name(d.message) + " from " + words::at(j, d) + " at read-uncommitted, and its transaction was aborted";
    });
  }

  FindingList found_{"dirty-read"};
  FlatMap<OpIndex> read_;  // message -> first such delivery + 1, of transactional sends only
  FlatMap<bool> reported_;
  std::uint64_t looked_at_ = 0;
};

// ---- resurrected

class Resurrected : public CheckerOf<Resurrected> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.message == no_index || in_dead_letter(s)) return;
    const OpIndex acked = s.received_before.acked;
    if (acked == no_op || s.own_will) return;
    // Sent more than once, it may come more than once: it is back when every copy was seen, and each delivery confirmed.
    const MessageFact& m = ledger.messages()[s.message];
    const Received& before = s.received_before;
    if (m.sends - m.failed > 1 && (before.unflagged < m.sends - m.failed || before.acks < before.count)) return;
    found_.add(s.journal, s.index, s.op.message, s.op.place, {acked, s.index}, [&] {
      const Journal& j = s.journal;
      return j.process_name(s.op.process) + " got " + j.message_name(s.op.message) + " from " + words::at(j, s.op) + ", though " +
             words::subscription(j, ledger.subscriptions()[s.subscription]) + " had acknowledged it and was told so (" +
             j.process_name(j.ops[acked].process) + ")";
    });
  }
  void finish(const Journal&, const Ledger& ledger, std::vector<Report>& out) const override {
    out.push_back(found_.report(ledger.acks(), "confirmed acknowledgements"));
  }

 private:
  FindingList found_{"resurrected"};
};

// ---- misdelivered

class Misdelivered : public CheckerOf<Misdelivered> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.message == no_index || s.place == no_index || in_dead_letter(s) || (s.op.flags & op_flag::by_policy)) return;
    const std::uint32_t last = ledger.messages()[s.message].last_send;
    if (last == no_index) return;
    ++looked_at_;
    bool place_fits = (s.op.flags & op_flag::routed) != 0;
    bool key_fits = s.op.key == 0;
    for (std::uint32_t n = last; n != no_index && !(place_fits && key_fits); n = ledger.sends()[n].previous) {
      const SendFact& f = ledger.sends()[n];
      place_fits = place_fits || f.target == no_index || ledger.covers(f.target, s.place);
      key_fits = key_fits || f.key == 0 || f.key == s.op.key;
    }
    if (place_fits && key_fits) return;
    const SendFact& f = ledger.sends()[last];
    const Journal& j = s.journal;
    const auto got = [&] { return j.process_name(s.op.process) + " got " + j.message_name(s.op.message) + " from " + words::at(j, s.op); };
    if (!key_fits) {
      wrong_key_.add(j, s.index, s.op.message, s.op.place, {f.invoke, s.index}, [&] {
        return got() + " with key " + j.names.text(s.op.key) + ", though " + j.process_name(f.producer) + " sent it with key " +
               j.names.text(f.key);
      });
      return;
    }
    // Whether the name sent to is a place to read from, or an exchange, shows when somebody reads it.
    FindingList* list = nullptr;
    for (auto& [target, l] : wrong_place_) {
      if (target == f.target) list = &l;
    }
    if (!list) {
      if (wrong_place_.size() == targets_max) return;
      list = &wrong_place_.emplace_back(f.target, FindingList("misdelivered")).second;
    }
    list->add(j, s.index, s.op.message, s.op.place, {f.invoke, s.index}, [&] {
      return got() + ", though " + j.process_name(f.producer) + " sent it to " + words::place(j, ledger.places()[f.target].name);
    });
  }
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    Report r = wrong_key_.report(looked_at_, "deliveries from a named place");
    for (const auto& [target, list] : wrong_place_) {
      const OpIndex used = ledger.topic_used(ledger.places()[target].topic);
      if (used == no_op) continue;
      r.verdict = Verdict::violated;
      r.reason.clear();
      r.count += list.count();
      for (Finding f : list.first()) {
        f.certain_at = std::max(f.certain_at, used);
        f.at = journal.ops[f.certain_at].time;
        r.worst.push_back(std::move(f));
      }
    }
    std::stable_sort(r.worst.begin(), r.worst.end(), [](const Finding& a, const Finding& b) { return a.certain_at < b.certain_at; });
    if (r.worst.size() > FindingList::kept) r.worst.resize(FindingList::kept);
    out.push_back(std::move(r));
  }

 private:
  static constexpr std::size_t targets_max = 64;
  FindingList wrong_key_{"misdelivered"};
  std::vector<std::pair<std::uint32_t, FindingList>> wrong_place_;  // by the place sent to
  std::uint64_t looked_at_ = 0;
};

// ---- confirmed-unroutable

class Unroutable : public CheckerOf<Unroutable> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.outcome != Outcome::ok || s.op.error == 0 || s.send == no_index) return;
    if (s.journal.names.text(s.op.error) != "NO_ROUTE") return;  // the reply text of AMQP 0-9-1, code 312
    const SendFact& f = ledger.sends()[s.send];
    const std::uint32_t place = f.target == no_index ? 0 : ledger.places()[f.target].name;
    found_.add(s.journal, s.index, ledger.messages()[s.message].id, place, {f.invoke, s.index}, [&] {
      return s.journal.process_name(f.producer) + " was told that " + words::message(s.journal, ledger, s.message) +
             " is accepted at " + words::place(s.journal, place) + ", though no destination took it";
    });
  }
  void finish(const Journal&, const Ledger& ledger, std::vector<Report>& out) const override {
    out.push_back(found_.report(ledger.acknowledged(), "acknowledged sends"));
  }

 private:
  FindingList found_{"confirmed-unroutable"};
};

}  // namespace

std::unique_ptr<Checker> make_unseen(const CheckOptions&) { return std::make_unique<Unseen>(); }
std::unique_ptr<Checker> make_duplicate_delivery(const CheckOptions&) { return std::make_unique<DuplicateDelivery>(); }
std::unique_ptr<Checker> make_phantom(const CheckOptions&) { return std::make_unique<Phantom>(); }
std::unique_ptr<Checker> make_dirty_read(const CheckOptions&) { return std::make_unique<DirtyRead>(); }
std::unique_ptr<Checker> make_aborted_read(const CheckOptions&) { return std::make_unique<AbortedRead>(); }
std::unique_ptr<Checker> make_resurrected(const CheckOptions&) { return std::make_unique<Resurrected>(); }
std::unique_ptr<Checker> make_misdelivered(const CheckOptions&) { return std::make_unique<Misdelivered>(); }
std::unique_ptr<Checker> make_unroutable(const CheckOptions&) { return std::make_unique<Unroutable>(); }

}  // namespace mqlab
