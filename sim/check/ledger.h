// sim/check/ledger.h: the facts of a history, indexed once for all checkers.
//
// The ledger reads each row once, before the checkers, and hands them a Step: the row with its
// message, send, place, subscription and reader already resolved to dense numbers, and the state
// of the reader just before the row. Its one rule: it states facts and judges nothing.
//
// Always true: 1. dense numbers are given in the order of first use.  2. A fact depends on the rows
// read so far and on nothing else, so that feeding in chunks changes nothing.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "sim/check/flat_map.h"
#include "sim/world/journal.h"

namespace mqlab {

inline constexpr std::uint32_t no_index = 0xffffffff;

// One call of send.
struct SendFact {
  OpIndex invoke = no_op;
  OpIndex end = no_op;             // the row that ended it
  OpIndex seen = no_op;            // the first delivery that shows it; in a transaction: at read-committed
  std::int64_t position = -1;      // told by the acknowledgement
  std::uint32_t transaction = no_index;
  std::uint32_t message = no_index;
  std::uint32_t target = no_index;  // the place the application named: a topic, or one place of it
  std::uint32_t place = no_index;   // the place the acknowledgement named
  std::uint32_t key = 0;
  NodeId producer = nobody;
  std::uint32_t previous = no_index;             // of the same message
  std::uint32_t next_in_transaction = no_index;
  Outcome outcome = Outcome::invoke;  // invoke = still open
};

struct MessageFact {
  MessageId id = no_message;
  OpIndex first_delivery = no_op;     // anywhere, dead-letter places included
  OpIndex policy = no_op;             // the first row that says a policy took it
  OpIndex dead_letter = no_op;        // the first row that shows it in a dead-letter place
  OpIndex held_since = no_op;         // the row that showed the first position it holds
  std::int64_t held_position = -1;
  std::uint32_t held_place = no_index;
  std::uint32_t last_send = no_index;  // newest; older ones by SendFact::previous
  std::uint32_t sends = 0;
  std::uint32_t failed = 0;
  std::uint32_t answered = 0;             // of the sends, those that ended ok
  std::uint32_t acknowledged = no_index;  // the first send that certainly took effect
};

// What is known of one position of one place.
struct PositionFact {
  OpIndex since = no_op;              // the first row that showed it
  OpIndex read = no_op;               // the first read that saw `message` there
  std::uint32_t message = no_index;   // first seen there
  bool readable = false;              // ... and anybody may read it: it is in PlaceFact::known
};

// Positions known to hold a message, for the question "is there one between these two?".
class KnownPositions {
 public:
  void add(std::int64_t p);
  // The lowest known position strictly between, or -1.
  std::int64_t between(std::int64_t low, std::int64_t high) const;

 private:
  std::vector<std::int64_t> sorted_;  // ascending
  std::vector<std::int64_t> late_;    // came out of order; merged in when it grows
};

// How far a place had been read when the first `drains` drains had happened.
struct ReadMark {
  std::size_t drains = 0;
  std::int64_t furthest = -1;
  OpIndex at = no_op;
};

struct PlaceFact {
  std::uint32_t name = 0;   // names
  std::uint32_t topic = 0;  // dense: "orders/0" and "orders" share one
  bool bare = false;        // the name is the topic's own
  std::int64_t furthest_read = -1;
  OpIndex furthest_read_at = no_op;
  std::vector<ReadMark> read_marks{};
  PagedMap<PositionFact> positions;
  KnownPositions known;     // of messages that anybody may read: not of open or aborted transactions
};

// What one subscription did with one message.
struct Received {
  OpIndex first = no_op;
  OpIndex last = no_op;
  OpIndex acked = no_op;             // the first acknowledgement that ended ok
  OpIndex processed = no_op;         // the first processing that ended ok
  std::int64_t first_position = -1;
  std::uint32_t first_place = no_index;
  std::uint32_t first_reader = no_index;
  std::uint32_t count = 0;
  std::uint32_t own_will = 0;        // of them, those that a seek back explains
  std::uint32_t unflagged = 0;       // ... and those that the broker did not call a repetition
  std::uint32_t acks = 0;            // acknowledgements that ended ok
};

struct SubscriptionFact {
  std::uint32_t name = 0;      // names; 0 = a process that reads for itself
  NodeId process = nobody;     // only then
  bool reads = false;          // it got, or was given, something
  std::uint64_t processings = 0;  // told by its processes, whether they ended ok or not
  PagedMap<Received> received;  // by dense message
};

// A subscription's claim on one place.
struct ClaimFact {
  std::uint32_t subscription = no_index;
  std::uint32_t place = no_index;
  OpIndex entitled = no_op;          // the row that entitled it
  std::int64_t from = 0;             // the lowest position it started from
  bool started = false;              // ... is known, or it has read
  std::int64_t furthest = -1;
  std::uint32_t readers = 0;         // processes that read it
  std::vector<std::pair<std::int64_t, std::int64_t>> jumped{};  // [from, to): passed by a seek, by its own will
};

// What a reader got last.
struct LastRead {
  std::int64_t last_position = -1;  // since the last cut
  OpIndex last = no_op;             // its last delivery since the last cut
  OpIndex last_poll = no_op;
  std::uint32_t last_transaction = no_index;
  std::uint32_t deliveries = 0;     // ever
};
// One process reading one place for one subscription.
struct Reader : LastRead {
  NodeId process = nobody;
  std::uint32_t claim = no_index;
  std::uint32_t cuts = 0;           // assignments, revocations and seeks: order is judged between them
  bool exclusive = false;           // it was given the place for itself
  std::int64_t again_from = 0;      // [again_from, again_to): it sought back by its own will
  std::int64_t again_to = 0;
  std::uint32_t next_of_process = no_index;
};

struct Drained {
  OpIndex at = no_op;
  std::uint32_t subscription = 0;  // names; 0 = all
  std::uint32_t place = 0;         // names; 0 = all
};

enum class TransactionState : std::uint8_t { open, committed, aborted };
// Numbered by each process for itself: the fourth of P1 and the fourth of P2 are two.
struct TransactionFact {
  NodeId process = nobody;
  std::uint64_t number = 0;
  TransactionState state = TransactionState::open;  // as the client was told; open: it never heard
  OpIndex begin = no_op;               // its first row
  OpIndex begun = no_op;               // its first `begin ok`
  OpIndex asked = no_op;               // its first end_commit row: from here on it may be committed
  OpIndex closed = no_op;              // the first end that was told, be it `info`: the client is done with it
  OpIndex end = no_op;                 // the row that decided it
  bool unsure = false;                 // a commit ended `info`: that it failed when asked again decides nothing
  OpIndex superseded = no_op;          // another began with its transactional id, and no end of this one had been asked for
  std::uint32_t superseded_by = no_index;
  OpIndex overtaken = no_op;           // ... and was told ok when it committed: this one can be committed by nobody
  std::uint32_t overtaken_by = no_index;
  std::uint32_t next_overtaken = no_index;  // by the same row
  OpIndex shown = no_op;               // the first delivery of a send of it at read-committed
  std::uint32_t id = 0;                // names: the transactional id, 0 = not told
  std::uint32_t last_send = no_index;  // by SendFact::next_in_transaction
};

// A row, resolved. `before` fields are as they were just before the row.
struct Step {
  const Op& op;
  OpIndex index;
  const Journal& journal;

  std::uint32_t process = no_index;  // the row's, as a dense number
  std::uint32_t message = no_index;
  std::uint32_t send = no_index;
  std::uint32_t source = no_index;  // of a delivery: the send that it shows, where there is one answer
  std::uint32_t transaction = no_index;
  std::uint32_t place = no_index;
  std::uint32_t subscription = no_index;
  std::uint32_t claim = no_index;
  std::uint32_t reader = no_index;
  std::int64_t position = -1;     // of a delivery, a commit, a processing (that of its delivery, when it names none)
  LastRead reader_before{};
  Received received_before{};
  bool own_will = false;          // a delivery that the consumer's own seek back explains
  bool first_anywhere = false;    // nobody had got this message before
  bool first_here = false;        // this subscription had not
  bool position_known = false;    // the row names a position of `place` that holds `message`
  PositionFact position_before{};
  std::int64_t learned = -1;      // a position of `place` now first known to hold a readable message, by what the row shows
  std::uint32_t overtakes = no_index;  // of a commit: the first transaction that it has overtaken, by next_overtaken
};

class Ledger {
 public:
  // Reads one row. Rows come in order, each once.
  void apply(Step& step);

  const std::vector<SendFact>& sends() const { return sends_; }
  const std::vector<MessageFact>& messages() const { return messages_; }
  const std::vector<PlaceFact>& places() const { return places_; }
  const std::vector<SubscriptionFact>& subscriptions() const { return subscriptions_; }
  const std::vector<ClaimFact>& claims() const { return claims_; }
  const std::vector<Reader>& readers() const { return readers_; }
  const std::vector<Drained>& drained() const { return drained_; }
  // The first drain after `after` that speaks of this subscription (any, when no_index) and place; no_index = none.
  std::size_t drain_after(OpIndex after, std::uint32_t subscription, std::uint32_t place) const;
  bool drain_before(OpIndex row) const { return !drained_.empty() && drained_.front().at < row; }
  std::uint32_t find_message(MessageId id) const {
    const std::uint64_t producer = id >> 40;
    const std::uint32_t* n = producer >= numbered_.size() ? other_messages_.find(id & ~named_message_bit) : numbered_[producer].find(id & low_bits);
    return n && *n != 0 ? *n - 1 : no_index;
  }
  // How far the place had been read at that drain.
  ReadMark read_at_drain(std::uint32_t place, std::size_t drain) const;
  const std::vector<TransactionFact>& transactions() const { return transactions_; }

  std::uint32_t find_place(std::uint32_t name) const;
  std::uint32_t find_process(NodeId process) const {
    const std::uint32_t* n = process_index_.find(process);
    return n && *n != 0 ? *n - 1 : no_index;
  }
  std::uint32_t find_claim(std::uint32_t subscription, std::uint32_t place) const {
    const std::uint32_t* n = claim_index_.find(pair_key(subscription, place));
    return n && *n != 0 ? *n - 1 : no_index;
  }
  std::uint32_t find_reader(NodeId process, std::uint32_t claim) const {
    const std::uint32_t* n = reader_index_.find(pair_key(process, claim));
    return n && *n != 0 ? *n - 1 : no_index;
  }
  // The first row that read from, or was assigned, any place of the topic; no_op = none.
  OpIndex topic_used(std::uint32_t topic) const { return topic_used_[topic]; }
  // Sending to `target` may end in `place`.
  bool covers(std::uint32_t target, std::uint32_t place) const {
    return target == place || (places_[target].bare && places_[target].topic == places_[place].topic);
  }
  // The send took effect for certain: it ended ok and, in a transaction, that was committed.
  bool certain(const SendFact& s) const;
  // The send certainly had no effect: it failed, or its transaction was aborted.
  bool dead(const SendFact& s) const;
  // The row from which `certain` holds. Requires: certain(s).
  OpIndex certain_since(const SendFact& s) const;
  // The row shows a second position for its message, in the same place or the same topic.
  bool second_position(const Step& s) const;
  // Anybody may read what the row shows, as far as is known: the send that put it there is in no transaction, or in a
  // committed one. Where no one answer says which send did, all sends of the message must be.
  bool readable(const Step& s) const;
  // Messages acknowledged and not delivered to anybody so far.
  std::uint64_t unseen() const { return unseen_; }
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t deliveries() const { return deliveries_; }
  std::uint64_t acks() const { return acks_; }  // that ended ok
  // Of any row: its own field or, when that is unset, that of its invoke.
  static const Op* invoke_of(const Op& op, OpIndex index, const Journal& journal) {
    return op.of < index ? &journal.ops[op.of] : nullptr;
  }

 private:
  void on_send(Step& s);
  void on_send_end(Step& s);
  void on_deliver(Step& s);
  void on_ack(Step& s);
  void on_process(Step& s);
  void on_commit(Step& s);
  void on_move(Step& s);
  void on_begin(Step& s);
  void on_transaction_end(Step& s);
  void overtake(Step& s);
  void resolve_transaction(Step& s);
  std::uint32_t source_of(const Step& s) const;
  std::uint32_t add_send(Step& s);
  void acknowledge(std::uint32_t send);
  void learn(Step& s, std::int64_t position, bool read);
  void cut(Reader& r, Step& s, std::int64_t target);

  // What the rows of one process name again and again, so that a run of them looks nothing up.
  struct Recent {
    NodeId process = nobody;
    std::uint32_t number = no_index;  // of the process
    std::uint64_t transaction_number = 0;
    std::uint32_t transaction = no_index;
    std::uint32_t subscription_name = 0;  // of its last delivery, and the place
    std::uint32_t place = no_index;
    std::uint32_t subscription = no_index;
    std::uint32_t reader = no_index;
  };
  Recent& recent_of(NodeId process);
  void find_reader_of(Step& s);

  std::uint32_t message_of(MessageId id);
  std::uint32_t place_of(std::uint32_t name, const Journal& journal);
  std::uint32_t subscription_of(std::uint32_t name, NodeId process);
  // The subscription named in the row or, when it names none, the one its process reads for.
  std::uint32_t subscription_of_row(const Step& s, const Op* invoke);
  std::uint32_t claim_of(std::uint32_t subscription, std::uint32_t place);
  std::uint32_t reader_of(NodeId process, std::uint32_t claim);

  std::vector<SendFact> sends_;
  std::vector<MessageFact> messages_;
  std::vector<PlaceFact> places_;
  std::vector<SubscriptionFact> subscriptions_;
  std::vector<ClaimFact> claims_;
  std::vector<Reader> readers_;
  std::vector<Drained> drained_;
  std::vector<OpIndex> topic_used_;
  std::map<std::string, std::uint32_t, std::less<>> topics_;
  std::vector<TransactionFact> transactions_;
  std::array<Recent, 64> recent_{};             // by process, the latest of those that share a slot
  FlatMap<std::uint32_t> process_index_;        // dense + 1
  FlatMap<std::uint32_t> transaction_index_;    // (process, number), dense + 1
  FlatMap<std::uint32_t> large_numbers_;        // of transactions: dense + 1
  FlatMap<std::vector<std::uint32_t>> under_id_;  // by transactional id: those that are open, or were while one of these began
  static constexpr std::uint64_t producers_max = 4096;
  static constexpr MessageId low_bits = (MessageId{1} << 40) - 1;
  std::vector<PagedMap<std::uint32_t>> numbered_;  // messages of each producer, dense + 1
  PagedMap<std::uint32_t> other_messages_;         // named ones, and those of any other producer
  std::vector<std::uint32_t> place_index_;      // by name, dense + 1
  FlatMap<std::uint32_t> subscription_index_;   // dense + 1, as all below
  FlatMap<std::uint32_t> claim_index_;
  FlatMap<std::uint32_t> reader_index_;
  FlatMap<std::uint32_t> readers_of_process_;   // the newest; older by next_of_process
  std::uint64_t unseen_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t deliveries_ = 0;
  std::uint64_t acks_ = 0;
};

}  // namespace mqlab
