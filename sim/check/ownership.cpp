// Who owns a place: two members at once, or nobody. A group's `assign` and `revoke` rows say what each
// member believed of itself, which is all that a history can show: a killed member goes on owning what
// it had, and harms nobody, since it does nothing.
#include <algorithm>
#include <limits>
#include <set>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

// A group gave the place to a member. Who assigns itself, and who shares a queue, owns nothing.
bool is_grant(const Op& op) {
  return op.kind == OpKind::assign && op.outcome == Outcome::ok && !(op.flags & op_flag::assigned);
}

// ---- double-ownership

class DoubleOwnership : public CheckerOf<DoubleOwnership> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    switch (s.op.kind) {
      case OpKind::assign:
        if (is_grant(s.op) && s.claim != no_index) given(s);
        break;
      case OpKind::revoke:
        if (s.claim != no_index) {
          taken(s.claim, s.op.process);
        } else if (s.op.place == 0 && (s.op.outcome == Outcome::ok || s.op.outcome == Outcome::info)) {
          for (std::uint32_t c = 0; c < owners_.size(); ++c) taken(c, s.op.process);  // all that it had
        }
        break;
      case OpKind::process:
        if (s.op.outcome != Outcome::ok && s.op.outcome != Outcome::fail) break;
        [[fallthrough]];
      default:
        if (s.claim < owners_.size() && owners_[s.claim].size() > 1) handled(s, ledger);
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(grants_, "assignments of a place to a member of a group"));
  }

 private:
  struct Owner {
    NodeId process = nobody;
    OpIndex since = no_op;
    OpIndex handled = no_op;  // the last message it got, or worked on, while somebody else owned the place too
  };

  void given(const Step& s) {
    ++grants_;
    taken(s.claim, s.op.process);
    if (owners_.size() <= s.claim) owners_.resize(s.claim + 1);
    owners_[s.claim].push_back({s.op.process, s.index, no_op});
  }
  void taken(std::uint32_t claim, NodeId process) {
    if (claim >= owners_.size()) return;
    std::erase_if(owners_[claim], [process](const Owner& o) { return o.process == process; });
  }

  void handled(const Step& s, const Ledger& ledger) {
    std::vector<Owner>& owners = owners_[s.claim];
    const auto me = std::find_if(owners.begin(), owners.end(), [&s](const Owner& o) { return o.process == s.op.process; });
    if (me == owners.end()) return;
    me->handled = s.index;
    for (const Owner& other : owners) {
      const OpIndex later = std::max(me->since, other.since);
      if (other.process == me->process || other.handled == no_op || other.handled < later) continue;
      if (told_.insert({std::min(me->since, other.since), later}).second) add(s, ledger, *me, other);
    }
  }

  void add(const Step& s, const Ledger& ledger, const Owner& me, const Owner& other) {
    const Journal& j = s.journal;
    found_.add(j, s.index, s.op.message, ledger.places()[s.place].name, {me.since, other.since, other.handled, s.index}, [&] {
      const Owner& old = me.since < other.since ? me : other;
      const Owner& young = me.since < other.since ? other : me;
      const auto work = [&](const Op& op) {
        return j.process_name(op.process) + (op.kind == OpKind::deliver ? " got " : " worked on ") + j.message_name(op.message);
      };
      return words::subscription(j, ledger.subscriptions()[s.subscription]) + " gave " + words::place(j, ledger.places()[s.place].name) +
             " to " + j.process_name(young.process) + " while " + j.process_name(old.process) + " still held it: then " +
             work(j.ops[other.handled]) + " and " + work(s.op);
    });
  }

  FindingList found_{"double-ownership"};
  std::vector<std::vector<Owner>> owners_;      // by claim
  std::set<std::pair<OpIndex, OpIndex>> told_;  // pairs of assignments
  std::uint64_t grants_ = 0;
};

// ---- group-starvation

// At a drain: a place of a group's topic that no member holds or reads, with a message waiting. With a
// bound also: the group got nothing from a place for longer than that while a message waited there.
class GroupStarvation : public CheckerOf<GroupStarvation> {
 public:
  explicit GroupStarvation(Duration bound) : bound_(bound) {}

  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::drained) {
      if (is_drain(s.op)) drained(s, ledger);
    } else if (s.op.kind == OpKind::deliver) {
      if (bound_ >= 0 && s.claim != no_index) delivered(s, ledger);
    } else if (is_grant(s.op) && s.claim != no_index) {
      if (groups_.size() <= s.subscription) groups_.resize(s.subscription + 1, no_op);
      if (groups_[s.subscription] == no_op) groups_[s.subscription] = s.index;
      told_.erase({s.subscription, s.place});
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, bound_ < 0 ? "places of a group at a drain"
                                                       : "places of a group at a drain, and deliveries to it"));
  }

 private:
  OpIndex group_since(std::uint32_t subscription) const {
    return subscription < groups_.size() ? groups_[subscription] : no_op;
  }

  // A message waits from the row that made it certain, and only while the group exists and the place is silent.
  OpIndex waits_since(const Ledger& ledger, std::uint32_t subscription, std::uint32_t place, std::uint32_t message) const {
    OpIndex since = std::max(ledger.certain_since(ledger.sends()[ledger.messages()[message].acknowledged]), group_since(subscription));
    const std::uint32_t claim = ledger.find_claim(subscription, place);
    if (claim < last_.size() && last_[claim] != no_op) since = std::max(since, last_[claim]);
    return since;
  }

  void delivered(const Step& s, const Ledger& ledger) {
    if (group_since(s.subscription) == no_op) return;
    ++looked_at_;
    const MessageFact& m = ledger.messages()[s.message];
    if (s.first_here && m.acknowledged != no_index && ledger.sends()[m.acknowledged].place == s.place) {
      const OpIndex since = waits_since(ledger, s.subscription, s.place, s.message);
      if (s.op.time - s.journal.ops[since].time > bound_) {
        add(s, ledger, s.subscription, s.place, s.message, since, "came only then");
      }
    }
    if (last_.size() <= s.claim) last_.resize(s.claim + 1, no_op);
    last_[s.claim] = s.index;
  }

  // The first message behind all that the subscription got from the place, that it is owed.
  static std::uint32_t first_waiting(const Ledger& ledger, std::uint32_t subscription, std::uint32_t place) {
    const std::uint32_t c = ledger.find_claim(subscription, place);
    const ClaimFact* claim = c == no_index ? nullptr : &ledger.claims()[c];
    const PlaceFact& p = ledger.places()[place];
    std::int64_t low = claim ? claim->furthest : -1;
    while ((low = p.known.between(low, std::numeric_limits<std::int64_t>::max())) >= 0) {
      const PositionFact* at = p.positions.find(static_cast<std::uint64_t>(low));
      if (!at || at->message == no_index) continue;
      const MessageFact& m = ledger.messages()[at->message];
      if (m.acknowledged == no_index || excused(m)) continue;
      const SendFact& send = ledger.sends()[m.acknowledged];
      if (send.place != place || send.position != low || (claim && !owes(*claim, send))) continue;
      const Received* got = ledger.subscriptions()[subscription].received.find(at->message);
      if (!got || got->count == 0) return at->message;
    }
    return no_index;
  }

  void drained(const Step& s, const Ledger& ledger) {
    std::vector<bool> held(ledger.claims().size());
    for (const Reader& r : ledger.readers()) {
      if (r.exclusive || r.last != no_op) held[r.claim] = true;
    }
    std::set<std::pair<std::uint32_t, std::uint32_t>> of_group;  // (subscription, topic)
    for (const ClaimFact& c : ledger.claims()) {
      if (c.entitled == no_op || group_since(c.subscription) == no_op) continue;
      if (!drains_subscription(s.op, ledger.subscriptions()[c.subscription])) continue;
      of_group.insert({c.subscription, ledger.places()[c.place].topic});
    }
    for (const auto& [subscription, topic] : of_group) {
      for (std::uint32_t place = 0; place < ledger.places().size(); ++place) {
        if (ledger.places()[place].topic != topic || !drains_place(s.op, ledger, place)) continue;
        ++looked_at_;
        const std::uint32_t claim = ledger.find_claim(subscription, place);
        const bool unheld = claim == no_index || !held[claim];
        if (!unheld && bound_ < 0) continue;
        if (told_.count({subscription, place})) continue;
        const std::uint32_t message = first_waiting(ledger, subscription, place);
        if (message == no_index) continue;
        const OpIndex since = waits_since(ledger, subscription, place, message);
        if (!unheld && s.op.time - s.journal.ops[since].time <= bound_) continue;
        told_.insert({subscription, place});
        add(s, ledger, subscription, place, message, since, unheld ? "no member holds the place" : "nobody got it");
      }
    }
  }

  void add(const Step& s, const Ledger& ledger, std::uint32_t subscription, std::uint32_t place, std::uint32_t message, OpIndex since,
           const char* what) {
    const Journal& j = s.journal;
    const MessageFact& m = ledger.messages()[message];
    const SendFact& send = ledger.sends()[m.acknowledged];
    found_.add(j, s.index, m.id, ledger.places()[place].name, {ledger.certain_since(send), group_since(subscription), since, s.index}, [&] {
      return words::stored(j, ledger, send) + "; " + words::subscription(j, ledger.subscriptions()[subscription]) + " left it there for " +
             format_duration(s.op.time - j.ops[since].time) + ": " + what;
    });
  }

  FindingList found_{"group-starvation"};
  Duration bound_;
  std::vector<OpIndex> groups_;  // by subscription: its first grant
  std::vector<OpIndex> last_;    // by claim: the latest delivery; kept only under a bound
  std::set<std::pair<std::uint32_t, std::uint32_t>> told_;  // (subscription, place), until it is given to somebody
  std::uint64_t looked_at_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_double_ownership(const CheckOptions&) { return std::make_unique<DoubleOwnership>(); }
std::unique_ptr<Checker> make_group_starvation(const CheckOptions& o) { return std::make_unique<GroupStarvation>(o.starvation_bound); }

}  // namespace mqlab
