#include "sim/check/ledger.h"

#include <algorithm>

namespace mqlab {
namespace {

// A position beyond this is no position: an imported row may say anything, and sums must not overflow.
constexpr std::int64_t position_limit = std::int64_t{1} << 62;
std::int64_t sane(std::int64_t position) { return position < position_limit ? position : -1; }

}  // namespace

// ---- positions

void KnownPositions::add(std::int64_t p) {
  if (sorted_.empty() || p > sorted_.back()) {
    sorted_.push_back(p);
    return;
  }
  late_.push_back(p);
  if (late_.size() < 64 + sorted_.size() / 64) return;
  std::sort(late_.begin(), late_.end());
  const auto middle = static_cast<std::ptrdiff_t>(sorted_.size());
  sorted_.insert(sorted_.end(), late_.begin(), late_.end());
  std::inplace_merge(sorted_.begin(), sorted_.begin() + middle, sorted_.end());
  late_.clear();
}

std::int64_t KnownPositions::between(std::int64_t low, std::int64_t high) const {
  std::int64_t best = -1;
  const auto it = std::upper_bound(sorted_.begin(), sorted_.end(), low);
  if (it != sorted_.end() && *it < high) best = *it;
  for (const std::int64_t p : late_) {
    if (p > low && p < high && (best < 0 || p < best)) best = p;
  }
  return best;
}

// ---- dense numbers

Ledger::Recent& Ledger::recent_of(NodeId process) {
  Recent& r = recent_[process % recent_.size()];
  if (r.process == process && r.number != no_index) return r;
  std::uint32_t& n = process_index_[process];
  if (n == 0) n = static_cast<std::uint32_t>(process_index_.size());
  r = {};
  r.process = process;
  r.number = n - 1;
  return r;
}

std::uint32_t Ledger::message_of(MessageId id) {
  const std::uint64_t producer = id >> 40;
  if (producer >= numbered_.size() && producer < producers_max) numbered_.resize(producer + 1);
  std::uint32_t& n = producer < producers_max ? numbered_[producer][id & low_bits] : other_messages_[id & ~named_message_bit];
  if (n == 0) {
    messages_.push_back({});
    messages_.back().id = id;
    n = static_cast<std::uint32_t>(messages_.size());
  }
  return n - 1;
}

std::uint32_t Ledger::place_of(std::uint32_t name, const Journal& journal) {
  if (name < place_index_.size() && place_index_[name] != 0) return place_index_[name] - 1;
  if (name >= journal.names.size()) return no_index;  // an imported row may say anything
  const std::string& text = journal.names.text(name);
  const std::string topic = text.substr(0, text.rfind('/'));  // npos: the whole text
  const auto [it, fresh] = topics_.emplace(topic, static_cast<std::uint32_t>(topic_used_.size()));
  if (fresh) topic_used_.push_back(no_op);
  places_.push_back({});
  places_.back().name = name;
  places_.back().topic = it->second;
  places_.back().bare = topic == text;
  if (name >= place_index_.size()) place_index_.resize(std::max<std::size_t>(name + 1, place_index_.size() * 2));
  place_index_[name] = static_cast<std::uint32_t>(places_.size());
  return place_index_[name] - 1;
}

std::uint32_t Ledger::find_place(std::uint32_t name) const {
  return name < place_index_.size() ? place_index_[name] - 1 : no_index;  // 0 - 1 is no_index
}

std::uint32_t Ledger::subscription_of(std::uint32_t name, NodeId process) {
  std::uint32_t& n = subscription_index_[pair_key(name, name == 0 ? process : 0)];
  if (n == 0) {
    subscriptions_.push_back({});
    subscriptions_.back().name = name;
    subscriptions_.back().process = name == 0 ? process : nobody;
    n = static_cast<std::uint32_t>(subscriptions_.size());
  }
  return n - 1;
}

std::uint32_t Ledger::subscription_of_row(const Step& s, const Op* invoke) {
  const NodeId process = s.op.process;
  const std::uint32_t name = s.op.subscription != 0 ? s.op.subscription : invoke ? invoke->subscription : 0;
  if (name != 0) return subscription_of(name, process);
  const std::uint32_t* newest = readers_of_process_.find(process);
  if (!newest) return subscription_of(0, process);
  std::uint32_t n = *newest - 1;
  for (int looked_at = 0; n != no_index && looked_at < 64; ++looked_at, n = readers_[n].next_of_process) {
    if (claims_[readers_[n].claim].place == s.place) return claims_[readers_[n].claim].subscription;
  }
  return claims_[readers_[*newest - 1].claim].subscription;
}

std::uint32_t Ledger::claim_of(std::uint32_t subscription, std::uint32_t place) {
  std::uint32_t& n = claim_index_[pair_key(subscription, place)];
  if (n == 0) {
    claims_.push_back({});
    claims_.back().subscription = subscription;
    claims_.back().place = place;
    subscriptions_[subscription].reads = true;
    n = static_cast<std::uint32_t>(claims_.size());
  }
  return n - 1;
}

std::uint32_t Ledger::reader_of(NodeId process, std::uint32_t claim) {
  std::uint32_t& n = reader_index_[pair_key(process, claim)];
  if (n == 0) {
    Reader r;
    r.process = process;
    r.claim = claim;
    std::uint32_t& newest = readers_of_process_[process];
    r.next_of_process = newest == 0 ? no_index : newest - 1;
    readers_.push_back(r);
    newest = n = static_cast<std::uint32_t>(readers_.size());
    ++claims_[claim].readers;
  }
  return n - 1;
}

// ---- facts

bool Ledger::certain(const SendFact& s) const {
  if (s.outcome != Outcome::ok) return false;
  return s.transaction == no_index || transactions_[s.transaction].state == TransactionState::committed;
}

bool Ledger::dead(const SendFact& s) const {
  if (s.outcome == Outcome::fail) return true;
  return s.transaction != no_index && transactions_[s.transaction].state == TransactionState::aborted;
}

OpIndex Ledger::certain_since(const SendFact& s) const {
  if (s.transaction == no_index || transactions_[s.transaction].end == no_op) return s.end;
  return std::max(s.end, transactions_[s.transaction].end);
}

bool Ledger::second_position(const Step& s) const {
  if (!s.position_known || (s.op.flags & (op_flag::dead_letter | op_flag::by_policy))) return false;
  const MessageFact& m = messages_[s.message];
  if (m.held_place == s.place) return m.held_position != s.position;
  return m.held_place != no_index && places_[m.held_place].topic == places_[s.place].topic;
}

std::size_t Ledger::drain_after(OpIndex after, std::uint32_t subscription, std::uint32_t place) const {
  const auto first = std::upper_bound(drained_.begin(), drained_.end(), after,
                                      [](OpIndex at, const Drained& d) { return at < d.at; });
  for (auto n = static_cast<std::size_t>(first - drained_.begin()); n < drained_.size(); ++n) {
    const Drained& d = drained_[n];
    if (d.subscription != 0 && (subscription == no_index || subscriptions_[subscription].name != d.subscription)) continue;
    if (d.place != 0 && (place == no_index || places_[place].name != d.place)) continue;
    return n;
  }
  return no_index;
}

ReadMark Ledger::read_at_drain(std::uint32_t place, std::size_t drain) const {
  const PlaceFact& p = places_[place];
  const auto it = std::upper_bound(p.read_marks.begin(), p.read_marks.end(), drain,
                                   [](std::size_t d, const ReadMark& m) { return d < m.drains; });
  if (it != p.read_marks.end()) return *it;
  return {drained_.size(), p.furthest_read, p.furthest_read_at};
}

bool Ledger::readable(const Step& s) const {
  const auto open_to_all = [this](const SendFact& f) {
    return f.transaction == no_index || transactions_[f.transaction].state == TransactionState::committed;
  };
  const std::uint32_t put_there = s.send != no_index ? s.send : s.source;
  if (put_there != no_index) return open_to_all(sends_[put_there]);
  for (std::uint32_t n = messages_[s.message].last_send; n != no_index; n = sends_[n].previous) {
    if (!open_to_all(sends_[n])) return false;
  }
  return true;
}

void Ledger::acknowledge(std::uint32_t send) {
  MessageFact& m = messages_[sends_[send].message];
  if (m.acknowledged != no_index) return;
  m.acknowledged = send;
  ++acknowledged_;
  if (m.first_delivery == no_op) ++unseen_;
}

// The row shows `position` of `step.place` holding `step.message`.
void Ledger::learn(Step& s, std::int64_t position, bool read) {
  PlaceFact& place = places_[s.place];
  PositionFact& fact = place.positions[static_cast<std::uint64_t>(position)];
  s.position_known = true;
  s.position = position;
  s.position_before = fact;
  if (fact.message == no_index) {
    fact.message = s.message;
    fact.since = s.index;
  }
  if (!fact.readable && fact.message == s.message && readable(s)) {
    fact.readable = true;
    place.known.add(position);
    s.learned = position;
  }
  if (read && fact.read == no_op && fact.message == s.message) fact.read = s.index;
  MessageFact& m = messages_[s.message];
  if (m.held_since == no_op && !(s.op.flags & op_flag::dead_letter)) {
    m.held_since = s.index;
    m.held_place = s.place;
    m.held_position = position;
  }
}

void Ledger::apply(Step& s) {
  const Op& op = s.op;
  s.process = recent_of(op.process).number;
  if (op.place != 0 && op.kind != OpKind::effect) s.place = place_of(op.place, s.journal);  // an effect's is its name
  resolve_transaction(s);
  switch (op.kind) {
    case OpKind::begin: on_begin(s); break;
    case OpKind::send: on_send(s); break;
    case OpKind::deliver: on_deliver(s); break;
    case OpKind::ack: on_ack(s); break;
    case OpKind::process: on_process(s); break;
    case OpKind::commit: on_commit(s); break;
    case OpKind::effect: {
      const Op* of = invoke_of(op, s.index, s.journal);
      const MessageId id = op.message != no_message ? op.message : of ? of->message : no_message;
      if (id != no_message) s.message = message_of(id);
      s.subscription = subscription_of_row(s, of);
      break;
    }
    case OpKind::assign:
    case OpKind::revoke:
    case OpKind::seek: on_move(s); break;
    case OpKind::end_commit:
    case OpKind::end_abort: on_transaction_end(s); break;
    case OpKind::drained:
      if (op.outcome != Outcome::fail && op.outcome != Outcome::invoke) {
        drained_.push_back({s.index, op.subscription, op.place});
      }
      break;
    default: break;
  }
  if ((op.flags & (op_flag::by_policy | op_flag::dead_letter)) != 0 && op.message != no_message) {
    if (s.message == no_index) s.message = message_of(op.message);
    MessageFact& m = messages_[s.message];
    if ((op.flags & op_flag::by_policy) && m.policy == no_op) m.policy = s.index;
    if ((op.flags & op_flag::dead_letter) && m.dead_letter == no_op) m.dead_letter = s.index;
  }
}

// ---- sends

std::uint32_t Ledger::add_send(Step& s) {
  s.message = message_of(s.op.message);
  s.send = static_cast<std::uint32_t>(sends_.size());
  SendFact f;
  f.invoke = s.index;
  f.transaction = s.transaction;
  f.message = s.message;
  f.target = s.place;
  f.key = s.op.key;
  f.producer = s.op.process;
  MessageFact& m = messages_[s.message];
  f.previous = m.last_send;
  m.last_send = s.send;
  ++m.sends;
  if (f.transaction != no_index) {
    TransactionFact& t = transactions_[f.transaction];
    f.next_in_transaction = t.last_send;
    t.last_send = s.send;
  }
  sends_.push_back(f);
  return s.send;
}

void Ledger::on_send(Step& s) {
  if (s.op.outcome == Outcome::invoke) {
    if (s.op.message != no_message) add_send(s);
  } else {
    on_send_end(s);
  }
}

void Ledger::on_send_end(Step& s) {
  const Op& op = s.op;
  // Sends lie in the order of their invokes, and most end soon: back from the newest in growing strides. An end without
  // an invoke is a send of one row.
  std::size_t low = sends_.size(), high = low;
  for (std::size_t stride = 4; low > 0 && sends_[low - 1].invoke >= op.of; stride *= 2) {
    high = low;
    low -= std::min(low, stride);
  }
  const auto of = std::lower_bound(sends_.begin() + static_cast<std::ptrdiff_t>(low), sends_.begin() + static_cast<std::ptrdiff_t>(high), op.of,
                                   [](const SendFact& f, OpIndex invoke) { return f.invoke < invoke; });
  if (op.of < s.index && of != sends_.end() && of->invoke == op.of) {
    s.send = static_cast<std::uint32_t>(of - sends_.begin());
  } else if (op.message != no_message) {
    add_send(s);
  } else {
    return;
  }
  SendFact& f = sends_[s.send];
  s.message = f.message;
  if (s.transaction == no_index) s.transaction = f.transaction;
  if (f.outcome == Outcome::ok || f.outcome == Outcome::fail) {  // it had ended already
    s.send = no_index;
    return;
  }
  f.end = s.index;
  f.outcome = op.outcome;
  if (op.outcome == Outcome::fail) ++messages_[f.message].failed;
  if (op.outcome != Outcome::ok) return;
  ++messages_[f.message].answered;
  if (s.place == no_index) s.place = f.target;
  f.place = s.place;
  f.position = sane(op.position);
  if (s.place != no_index && f.position >= 0) learn(s, f.position, false);
  if (certain(f)) acknowledge(s.send);
}

// ---- transactions

// A row names its transaction, or leaves that to its invoke; a delivery may leave it to its poll.
void Ledger::resolve_transaction(Step& s) {
  const Op* row = &s.op;
  if (row->transaction == 0) {
    if (s.op.kind == OpKind::send) return;  // its end is that of a known send
    const Op* of = invoke_of(s.op, s.index, s.journal);
    if (!of || of->transaction == 0) return;
    if (of->kind != s.op.kind && !(s.op.kind == OpKind::deliver && of->kind == OpKind::poll)) return;
    row = of;
  }
  Recent& recent = recent_of(s.op.process);
  if (recent.transaction_number == row->transaction) {
    s.transaction = recent.transaction;
    return;
  }
  std::uint64_t number = row->transaction;
  constexpr std::uint64_t small = std::uint64_t{1} << 31;
  if (number >= small) {  // an imported row may say anything
    std::uint32_t& n = large_numbers_[number];
    if (n == 0) n = static_cast<std::uint32_t>(large_numbers_.size());
    number = small + n;
  }
  std::uint32_t& n = transaction_index_[pair_key(s.op.process, static_cast<std::uint32_t>(number))];
  if (n == 0) {
    transactions_.push_back({});
    transactions_.back().process = s.op.process;
    transactions_.back().number = row->transaction;
    transactions_.back().begin = s.index;
    n = static_cast<std::uint32_t>(transactions_.size());
  }
  s.transaction = n - 1;
  recent.transaction_number = row->transaction;
  recent.transaction = s.transaction;
}

// Who begins with a transactional id takes it over, unless it was fenced before and has not heard of it: beginning asks
// nobody. A commit proves it.
void Ledger::on_begin(Step& s) {
  if (s.transaction == no_index || s.op.outcome == Outcome::fail) return;
  const Op* invoke = invoke_of(s.op, s.index, s.journal);
  const std::uint32_t id = s.op.key != 0 ? s.op.key : invoke ? invoke->key : 0;
  if (id == 0) return;
  transactions_[s.transaction].id = id;
  if (s.op.outcome != Outcome::ok) return;
  std::vector<std::uint32_t>& open = under_id_[id];
  for (const std::uint32_t n : open) {
    TransactionFact& t = transactions_[n];
    if (n == s.transaction || t.asked != no_op || t.closed != no_op || t.superseded != no_op) continue;
    t.superseded = s.index;
    t.superseded_by = s.transaction;
  }
  TransactionFact& mine = transactions_[s.transaction];
  if (mine.begun != no_op) return;
  mine.begun = s.index;
  // Those stay that somebody who began while they were open may yet overtake.
  std::vector<std::uint32_t> left;
  for (const std::uint32_t n : open) {
    const TransactionFact& t = transactions_[n];
    const auto may_overtake = [&](std::uint32_t m) {
      const TransactionFact& o = transactions_[m];
      return o.closed == no_op && t.begun < o.begun && o.begun < t.closed;
    };
    if (t.overtaken == no_op && (t.closed == no_op || std::any_of(open.begin(), open.end(), may_overtake))) left.push_back(n);
  }
  left.push_back(s.transaction);
  open = std::move(left);
}

// A commit that brokers took is one of a producer that nobody had fenced. Who had begun with its id before it did is fenced.
void Ledger::overtake(Step& s) {
  const TransactionFact& mine = transactions_[s.transaction];
  if (mine.begun == no_op || mine.closed != s.index) return;
  bool wrote = false;
  for (std::uint32_t n = mine.last_send; n != no_index && !wrote; n = sends_[n].next_in_transaction) wrote = sends_[n].outcome == Outcome::ok;
  if (!wrote) return;  // nobody need have been asked
  const Op& begun = s.journal.ops[mine.begun];
  const Op* invoke = invoke_of(begun, mine.begun, s.journal);
  for (const std::uint32_t n : under_id_[begun.key != 0 ? begun.key : invoke ? invoke->key : 0]) {
    TransactionFact& t = transactions_[n];
    if (t.begun >= mine.begun || t.overtaken != no_op || t.asked < mine.begun || t.closed < mine.begun) continue;
    t.overtaken = s.index;
    t.overtaken_by = s.transaction;
    t.next_overtaken = s.overtakes;
    s.overtakes = n;
  }
}

void Ledger::on_transaction_end(Step& s) {
  if (s.transaction == no_index) return;
  TransactionFact& t = transactions_[s.transaction];
  const bool commit = s.op.kind == OpKind::end_commit;
  if (commit && t.asked == no_op) t.asked = s.index;
  if (s.op.outcome == Outcome::invoke) return;
  if (t.closed == no_op) t.closed = s.index;
  // A commit that failed for certain leaves only one way to end, unless an earlier one may have taken effect. The first
  // row that decides counts.
  if (commit && s.op.outcome == Outcome::info) t.unsure = true;
  const bool decides = s.op.outcome == Outcome::ok || (commit && s.op.outcome == Outcome::fail && !t.unsure);
  if (!decides || t.state != TransactionState::open) return;
  t.end = s.index;
  t.state = commit && s.op.outcome == Outcome::ok ? TransactionState::committed : TransactionState::aborted;
  if (t.state != TransactionState::committed) return;
  overtake(s);
  for (std::uint32_t n = t.last_send; n != no_index; n = sends_[n].next_in_transaction) {
    const SendFact& f = sends_[n];
    if (f.outcome != Outcome::ok) continue;
    acknowledge(n);
    if (f.place == no_index || f.position < 0) continue;
    PositionFact& p = places_[f.place].positions[static_cast<std::uint64_t>(f.position)];
    if (p.message != f.message || p.readable) continue;
    p.readable = true;
    places_[f.place].known.add(f.position);
  }
}

// ---- reads

// Of the sends of a message that were made before the delivery: the one whose acknowledgement named this place
// and position; else the only one that may have put it there.
std::uint32_t Ledger::source_of(const Step& s) const {
  std::uint32_t alive = no_index;
  std::uint32_t any = no_index;
  bool two_alive = false;
  bool two = false;
  for (std::uint32_t n = messages_[s.message].last_send; n != no_index; n = sends_[n].previous) {
    const SendFact& f = sends_[n];
    if (f.outcome == Outcome::ok && f.position >= 0 && s.position >= 0) {
      if (f.place == s.place && f.position == s.position) return n;
      continue;
    }
    two = two || any != no_index;
    any = n;
    if (dead(f)) continue;
    two_alive = two_alive || alive != no_index;
    alive = n;
  }
  if (alive != no_index) return two_alive ? no_index : alive;
  return two ? no_index : any;
}

// Who got a delivery: subscription, claim and reader. Mostly they are those of the process's last one.
void Ledger::find_reader_of(Step& s) {
  Recent& recent = recent_of(s.op.process);
  if (recent.reader != no_index && recent.place == s.place && recent.subscription_name == s.op.subscription) {
    s.subscription = recent.subscription;
    s.reader = recent.reader;
    s.claim = readers_[s.reader].claim;
    return;
  }
  s.subscription = subscription_of(s.op.subscription, s.op.process);
  if (s.place == no_index) return;
  s.claim = claim_of(s.subscription, s.place);
  s.reader = reader_of(s.op.process, s.claim);
  recent.subscription_name = s.op.subscription;
  recent.place = s.place;
  recent.subscription = s.subscription;
  recent.reader = s.reader;
}

void Ledger::on_deliver(Step& s) {
  const Op& op = s.op;
  if (op.outcome != Outcome::ok || op.message == no_message) return;
  s.message = message_of(op.message);
  find_reader_of(s);
  s.position = sane(op.position);
  ++deliveries_;

  MessageFact& m = messages_[s.message];
  s.source = source_of(s);
  if (s.source != no_index) {
    SendFact& f = sends_[s.source];
    const bool committed = op.flags & op_flag::read_committed;
    if (f.seen == no_op && (committed || f.transaction == no_index)) f.seen = s.index;
    if (committed && f.transaction != no_index && transactions_[f.transaction].shown == no_op) transactions_[f.transaction].shown = s.index;
  }
  s.first_anywhere = m.first_delivery == no_op;
  if (s.first_anywhere) {
    m.first_delivery = s.index;
    if (m.acknowledged != no_index) --unseen_;
  }

  subscriptions_[s.subscription].reads = true;
  Received& got = subscriptions_[s.subscription].received[s.message];
  s.received_before = got;
  s.first_here = got.count == 0;
  if (s.first_here) {
    got.first = s.index;
    got.first_position = s.position;
    got.first_place = s.place;
  }
  got.last = s.index;
  ++got.count;
  if (!(op.flags & op_flag::redelivered) && op.attempt <= 1) ++got.unflagged;

  if (s.place == no_index) return;
  OpIndex& used = topic_used_[places_[s.place].topic];
  if (used == no_op) used = s.index;
  ClaimFact& claim = claims_[s.claim];
  if (claim.entitled == no_op) claim.entitled = s.index;
  const bool shared = op.flags & op_flag::shared;
  // Where a group that shares began, nobody says: it is owed what lies behind the lowest it got.
  if (shared && sane(op.position) >= 0) claim.from = claim.started ? std::min(claim.from, sane(op.position)) : sane(op.position);
  claim.started = true;
  if (s.first_here) got.first_reader = s.reader;
  Reader& r = readers_[s.reader];
  s.reader_before = r;
  if (op.flags & op_flag::assigned) r.exclusive = true;
  ++r.deliveries;
  r.last = s.index;
  r.last_poll = op.of;
  r.last_transaction = s.transaction;
  if (s.position < 0) return;

  s.own_will = s.position >= r.again_from && s.position < r.again_to;
  if (s.own_will) {
    r.again_from = s.position + 1;  // each position once for each seek
    ++got.own_will;
  }
  if (!shared) r.last_position = s.position;  // order between two reads means nothing where places are shared
  claim.furthest = std::max(claim.furthest, s.position);
  PlaceFact& place = places_[s.place];
  if (s.position > place.furthest_read) {
    const std::size_t drains = drained_.size();
    if (drains > 0 && (place.read_marks.empty() || place.read_marks.back().drains < drains)) {
      place.read_marks.push_back({drains, place.furthest_read, place.furthest_read_at});
    }
    place.furthest_read = s.position;
    place.furthest_read_at = s.index;
  }
  learn(s, s.position, true);
}

void Ledger::on_ack(Step& s) {
  const Op* invoke = invoke_of(s.op, s.index, s.journal);
  const MessageId id = s.op.message != no_message ? s.op.message : invoke ? invoke->message : no_message;
  if (id == no_message) return;
  s.message = message_of(id);
  s.subscription = subscription_of_row(s, invoke);
  if (s.op.outcome != Outcome::ok) return;
  if ((s.op.flags & op_flag::by_policy) && (s.op.flags & op_flag::dead_letter)) return;  // nobody confirmed it: it left
  ++acks_;
  Received& got = subscriptions_[s.subscription].received[s.message];
  if (got.acked == no_op) got.acked = s.index;
  ++got.acks;
}

// `of` is the delivery, and knows what the row leaves out.
void Ledger::on_process(Step& s) {
  const Op& op = s.op;
  const Op* of = invoke_of(op, s.index, s.journal);
  if (of && of->kind != OpKind::deliver && of->kind != OpKind::process) of = nullptr;  // an imported row may say anything
  if (s.place == no_index && of && of->place != 0) s.place = place_of(of->place, s.journal);
  s.subscription = subscription_of_row(s, of);
  const MessageId id = op.message != no_message ? op.message : of ? of->message : no_message;
  if (id == no_message) return;
  s.message = message_of(id);
  if (op.outcome == Outcome::invoke) return;
  SubscriptionFact& subscription = subscriptions_[s.subscription];
  ++subscription.processings;
  Received& got = subscription.received[s.message];
  s.received_before = got;
  if (op.outcome == Outcome::ok && got.processed == no_op) got.processed = s.index;
  if (s.place == no_index) s.place = got.first_place;
  s.position = sane(op.position >= 0 ? op.position : of ? of->position : -1);
  if (s.position < 0 && s.place == got.first_place) s.position = got.first_position;
  if (s.place != no_index) s.claim = find_claim(s.subscription, s.place);
}

void Ledger::on_commit(Step& s) {
  const Op* invoke = invoke_of(s.op, s.index, s.journal);
  if (invoke && invoke->kind != OpKind::commit) invoke = nullptr;
  if (s.place == no_index && invoke && invoke->place != 0) s.place = place_of(invoke->place, s.journal);
  s.subscription = subscription_of_row(s, invoke);
  s.position = sane(s.op.position >= 0 ? s.op.position : invoke ? invoke->position : -1);
}

// ---- assignments, revocations, seeks

// Order is judged anew from here. `target` >= 0: the reader goes there by its own will.
void Ledger::cut(Reader& r, Step& s, std::int64_t target) {
  ClaimFact& claim = claims_[r.claim];
  if (target >= 0) {
    const std::int64_t next = r.last_position >= 0 ? r.last_position + 1 : claim.from;
    if (target > next && claim.entitled != no_op) claim.jumped.emplace_back(next, target);
    r.again_from = target;
    r.again_to = claim.furthest + 1;
  } else {
    r.again_from = r.again_to = 0;
  }
  ++r.cuts;
  r.last_position = -1;
  r.last = no_op;
  r.last_poll = no_op;
  r.last_transaction = no_index;
  if (s.op.kind == OpKind::assign) r.exclusive = true;
  if (s.op.kind == OpKind::revoke) r.exclusive = false;
}

void Ledger::on_move(Step& s) {
  const Op& op = s.op;
  if (op.outcome == Outcome::fail || op.outcome == Outcome::invoke) return;
  const Op* invoke = invoke_of(op, s.index, s.journal);
  if (s.place == no_index && invoke && invoke->place != 0) s.place = place_of(invoke->place, s.journal);
  const std::int64_t position = sane(op.position >= 0 ? op.position : invoke ? invoke->position : -1);
  s.position = position;
  // A reset that the client's own rules made (by_policy) cuts the order, and excuses nothing.
  const bool own_will = (op.kind == OpKind::seek && !(op.flags & op_flag::by_policy)) ||
                        (op.kind == OpKind::assign && (op.flags & op_flag::assigned));
  const std::int64_t target = own_will ? std::max<std::int64_t>(position, 0) : -1;  // not told: from the beginning

  if (s.place == no_index) {  // all that the process reads
    const std::uint32_t* newest = readers_of_process_.find(op.process);
    for (std::uint32_t n = newest ? *newest - 1 : no_index; n != no_index; n = readers_[n].next_of_process) {
      cut(readers_[n], s, target);
    }
    return;
  }
  s.subscription = subscription_of_row(s, invoke);
  s.claim = claim_of(s.subscription, s.place);
  s.reader = reader_of(op.process, s.claim);
  s.reader_before = readers_[s.reader];
  if (op.kind == OpKind::assign) {
    OpIndex& used = topic_used_[places_[s.place].topic];
    if (used == no_op) used = s.index;
    if (claims_[s.claim].entitled == no_op) claims_[s.claim].entitled = s.index;
  }
  if (op.kind != OpKind::revoke && position >= 0) {
    ClaimFact& claim = claims_[s.claim];
    claim.from = claim.started ? std::min(claim.from, position) : position;
    claim.started = true;
  }
  cut(readers_[s.reader], s, target);
}

}  // namespace mqlab
