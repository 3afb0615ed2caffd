#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sim/record/jepsen.h"

namespace mqlab {

namespace {

// A number as Jepsen itself would write it.
bool is_whole_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() && std::to_string(n) == text;
}

bool is_keyword(std::string_view text) {
  if (text.size() < 2 || text[0] != ':') return false;
  return std::all_of(text.begin() + 1, text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

class JepsenWriter {
 public:
  JepsenWriter(const Journal& journal, const Sink& sink) : journal_(journal), ops_(journal.ops), out_(sink) { prepare(); }

  void write() {
    for (OpIndex row = 0; row < ops_.size(); ++row) {
      write_row(row);
      out_.may_flush();
    }
    end_open_reads();
    end_open_transactions();
    out_.flush();
  }

 private:
  // A transaction is one operation of Jepsen's, from its begin to its end.
  struct Transaction {
    OpIndex begin = no_op;
    OpIndex end = no_op;
    std::vector<OpIndex> parts{};  // invokes of sends and polls
    std::vector<OpIndex> stored{};  // rows that ended a commit of a position
    bool open = false;
    std::uint64_t process = 0;
  };
  // What runs as one of Jepsen's processes: a client's reads (lane 0), or one of its sends at a time.
  // A client whose operations never overlap, or that only sends, is one process from lane 0 on.
  struct Lane {
    std::uint64_t process = 0;
    bool busy = false;
  };
  struct Client {
    std::vector<Lane> lanes{};
    std::uint64_t lanes_made = 0;
    std::uint64_t under_way = 0;  // while preparing
    bool reads = false;
    bool overlaps = false;
    std::set<std::uint32_t> places{};      // given to it now
    std::vector<std::uint32_t> disturbed{};  // while a read was under way: the read's rebalance log
  };
  using TransactionKey = std::pair<NodeId, std::uint64_t>;

  // A commit that failed for certain leaves the transaction aborted; an abort that failed says nothing.
  static bool decides(const Op& op) {
    return op.outcome != Outcome::invoke && (op.outcome != Outcome::fail || op.kind == OpKind::end_commit);
  }
  static bool is_end(OpKind k) { return k == OpKind::end_commit || k == OpKind::end_abort; }

  void prepare() {
    end_of_.assign(ops_.size(), no_op);
    for (OpIndex row = 0; row < ops_.size(); ++row) {
      const Op& op = ops_[row];
      if (op.process != nobody) clients_ = std::max<std::uint64_t>(clients_, std::uint64_t{op.process} + 1);
      if (op.kind == OpKind::deliver) {
        const OpIndex poll = poll_of(op);
        if (poll != no_op) deliveries_of_[poll].push_back(row);
      } else if (op.of < row && ops_[op.of].kind == op.kind) {
        end_of_[op.of] = row;
      }
      if (op.place && op.position >= 0 && op.message != no_message && (op.kind == OpKind::deliver || op.kind == OpKind::send))
        seen_at_.emplace(op.message, op.place);
      if (op.transaction != 0) see_transaction(row, op);
      if (op.process != nobody) see_overlap(row, op);
    }
  }

  // Whether a client's operations overlap decides how many of Jepsen's processes it needs.
  void see_overlap(OpIndex row, const Op& op) {
    Client& c = by_client_[op.process];
    const auto begins = [&](bool stays) {
      if (c.under_way != 0) c.overlaps = true;
      if (stays) ++c.under_way;
    };
    const auto ends = [&] { c.under_way -= c.under_way != 0; };
    if (op.kind == OpKind::send || op.kind == OpKind::poll) {
      if (op.kind == OpKind::poll) c.reads = true;
      if (part_of_.count(op.of < row ? op.of : row)) return;
      if (op.of < row) ends();
      else begins(op.outcome == Outcome::invoke);
    } else if (op.kind == OpKind::deliver && poll_of(op) == no_op) {
      c.reads = true;
      begins(false);
    } else if (op.kind == OpKind::begin) {
      c.reads = true;
      if (op.of == no_op) begins(true);
    } else if (is_end(op.kind) && op.outcome != Outcome::invoke) {
      ends();
    } else if (op.kind == OpKind::assign) {
      c.reads = true;
    }
  }

  void see_transaction(OpIndex row, const Op& op) {
    const TransactionKey key{op.process, op.transaction};
    if (op.kind == OpKind::begin) {
      if (op.outcome == Outcome::fail) transactions_.erase(key);
      else transactions_.try_emplace(key, Transaction{.begin = row});
      return;
    }
    const auto it = transactions_.find(key);
    if (it == transactions_.end()) return;
    Transaction& t = it->second;
    if ((op.kind == OpKind::send || op.kind == OpKind::poll) && op.of == no_op) {
      t.parts.push_back(row);
      part_of_.emplace(row, key);
    } else if (op.kind == OpKind::commit && (op.outcome == Outcome::ok || op.outcome == Outcome::info)) {
      t.stored.push_back(row);
    } else if (is_end(op.kind) && decides(op)) {
      // Certain beats unknown, and the first that is certain counts.
      if (t.end == no_op || (ops_[t.end].outcome == Outcome::info && op.outcome != Outcome::info)) t.end = row;
    }
  }

  // A delivery may name the row that began the poll, or a poll that is one row only.
  OpIndex poll_of(const Op& op) const {
    if (op.of >= ops_.size() || ops_[op.of].kind != OpKind::poll) return no_op;
    const Op& poll = ops_[op.of];
    return poll.of < op.of ? poll.of : op.of;
  }

  // --- Jepsen's processes ---

  // Numbered as Jepsen numbers them: a client that has lost its process goes on as another, a whole
  // number of clients further.
  std::uint64_t new_process(NodeId n) { return n + clients_ * by_client_[n].lanes_made++; }

  std::size_t take_lane(NodeId n, bool reads) {
    Client& c = by_client_[n];
    if (c.lanes.empty()) c.lanes.push_back({new_process(n)});
    std::size_t lane = reads || !c.reads || !c.overlaps ? 0 : 1;
    while (lane < c.lanes.size() && c.lanes[lane].busy) ++lane;
    if (lane >= c.lanes.size()) c.lanes.push_back({new_process(n)});
    c.lanes[lane].busy = true;
    return lane;
  }

  void free_lane(NodeId n, std::size_t lane, Outcome outcome) {
    Lane& l = by_client_[n].lanes[lane];
    l.busy = false;
    if (outcome == Outcome::info) l.process = new_process(n);
  }

  // --- words ---

  void atom(std::string_view text) {
    if (is_whole_number(text) || is_keyword(text)) out_ << text;
    else out_.edn(text);
  }

  void place(std::uint32_t id) {
    if (id) atom(journal_.names.text(id));
    else out_ << "nil";
  }

  // An imported message is called "<key>:<value>" and gets its value back; all others are strings.
  void message(MessageId m, std::uint32_t at) {
    if (m == no_message) {
      out_ << "nil";
      return;
    }
    const std::string name = journal_.message_name(m);
    const std::string prefix = journal_.names.text(at) + ":";
    const std::string_view rest = std::string_view(name).substr(std::min(prefix.size(), name.size()));
    if ((m & named_message_bit) && name.compare(0, prefix.size(), prefix) == 0 && (is_whole_number(rest) || is_keyword(rest)))
      out_ << rest;
    else
      out_.edn(name);
  }

  void pair(std::int64_t position, MessageId m, std::uint32_t at) {
    out_ << '[';
    if (position >= 0) out_ << position;
    else out_ << "nil";
    out_ << ' ';
    message(m, at);
    out_ << ']';
  }

  void begin_op(Time time, std::uint64_t process, Outcome type, const char* f) {
    out_ << "{:index " << index_++ << ", :time " << time << ", :process " << process << ", :type :" << outcome_name(type)
         << ", :f :" << f << ", :value ";
  }

  void end_op(NodeId n) {
    if (const std::string name = journal_.process_name(n); !name.empty()) {
      out_ << ", :client ";
      out_.edn(name);
    }
    out_ << "}\n";
  }

  // --- micro-operations ---

  // Jepsen's key is one place for an operation's whole life: where the message is known to be.
  std::uint32_t place_of_send(OpIndex invoke) const {
    const OpIndex end = end_of_[invoke];
    if (end != no_op && ops_[end].position >= 0 && ops_[end].place) return ops_[end].place;
    const auto seen = seen_at_.find(ops_[invoke].message);
    return seen != seen_at_.end() ? seen->second : ops_[invoke].place;
  }

  // `row` is the invoke, or a row that stands alone.
  void send_part(OpIndex row, bool ended) {
    const OpIndex end = end_of_[row] != no_op ? end_of_[row] : row;
    const std::uint32_t at = place_of_send(row);
    out_ << "[:send ";
    place(at);
    out_ << ' ';
    if (ended && ops_[end].position >= 0) pair(ops_[end].position, ops_[row].message, at);
    else message(ops_[row].message, at);
    out_ << ']';
  }

  void poll_part(const std::vector<OpIndex>& deliveries) {
    std::vector<std::pair<std::uint32_t, std::vector<OpIndex>>> by_place;  // in the order first seen
    for (const OpIndex d : deliveries) {
      const std::uint32_t at = ops_[d].place;
      auto it = std::find_if(by_place.begin(), by_place.end(), [&](const auto& p) { return p.first == at; });
      if (it == by_place.end()) it = by_place.insert(it, {at, {}});
      it->second.push_back(d);
    }
    out_ << "[:poll {";
    for (std::size_t i = 0; i < by_place.size(); ++i) {
      if (i) out_ << ", ";
      place(by_place[i].first);
      out_ << " [";
      for (std::size_t j = 0; j < by_place[i].second.size(); ++j) {
        const Op& op = ops_[by_place[i].second[j]];
        if (j) out_ << ' ';
        pair(op.position, op.message, op.place);
      }
      out_ << ']';
    }
    out_ << "}]";
  }

  void read_notes(NodeId n, OpIndex poll, const std::vector<OpIndex>& deliveries) {
    const Op& first = deliveries.empty() ? ops_[poll] : ops_[deliveries[0]];
    if (first.subscription) {
      out_ << ", :subscription ";
      out_.edn(journal_.names.text(first.subscription));
    }
    if (!(first.flags & op_flag::read_committed)) out_ << ", :read-committed false";
    std::vector<std::uint32_t>& disturbed = by_client_[n].disturbed;
    if (disturbed.empty()) return;
    out_ << ", :rebalance-log [{:keys [";
    for (std::size_t i = 0; i < disturbed.size(); ++i) {
      if (i) out_ << ' ';
      place(disturbed[i]);
    }
    out_ << "]}]";
    disturbed.clear();
  }

  const std::vector<OpIndex>& deliveries_of(OpIndex poll) const {
    static const std::vector<OpIndex> none;
    const auto it = deliveries_of_.find(poll);
    return it == deliveries_of_.end() ? none : it->second;
  }

  // --- rows ---

  void write_row(OpIndex row) {
    const Op& op = ops_[row];
    if (op.kind == OpKind::drained) return write_drained(op);
    if (op.process == nobody) return;
    switch (op.kind) {
      case OpKind::send:
      case OpKind::poll: write_single(row, op); return;
      case OpKind::deliver:
        if (poll_of(op) == no_op) write_read(row, op);
        return;
      case OpKind::begin:
      case OpKind::end_commit:
      case OpKind::end_abort: write_transaction(row, op); return;
      case OpKind::assign:
      case OpKind::revoke:
      case OpKind::seek:
        if (op.outcome == Outcome::ok) write_assignment(op);
        return;
      case OpKind::ack:
      case OpKind::commit:
      case OpKind::end_offset:
      case OpKind::process:
      case OpKind::effect:
      case OpKind::drained: return;  // no words for these in Jepsen's kafka workload
    }
  }

  void write_single(OpIndex row, const Op& op) {
    const OpIndex invoke = op.of < row && ops_[op.of].kind == op.kind ? op.of : row;
    if (part_of_.count(invoke)) return;
    const bool reads = op.kind == OpKind::poll;
    const char* f = reads ? "poll" : "send";
    if (invoke == row) {
      const std::size_t lane = take_lane(op.process, reads);
      lane_of_[row] = lane;
      begin_op(op.time, by_client_[op.process].lanes[lane].process, Outcome::invoke, f);
      out_ << '[';
      if (reads) out_ << "[:poll]";
      else send_part(row, false);
      out_ << ']';
      end_op(op.process);
      if (op.outcome == Outcome::invoke) return;
    } else if (end_of_[invoke] != row) {
      return;  // ended twice: the last end counts
    }
    end_single(invoke, op.time, op.outcome);
  }

  void end_single(OpIndex invoke, Time time, Outcome outcome) {
    const NodeId n = ops_[invoke].process;
    const auto it = lane_of_.find(invoke);
    if (it == lane_of_.end()) return;
    const bool reads = ops_[invoke].kind == OpKind::poll;
    begin_op(time, by_client_[n].lanes[it->second].process, outcome, reads ? "poll" : "send");
    out_ << '[';
    if (reads) poll_part(deliveries_of(invoke));
    else send_part(invoke, true);
    out_ << ']';
    if (const OpIndex end = end_of_[invoke]; !reads && end != no_op && ops_[end].outcome == Outcome::fail && ops_[end].error) {
      out_ << ", :error ";
      out_.edn(journal_.names.text(ops_[end].error));
    }
    if (reads) read_notes(n, invoke, deliveries_of(invoke));
    end_op(n);
    free_lane(n, it->second, outcome);
    lane_of_.erase(it);
  }

  // A message that was pushed to the client: a poll of its own.
  void write_read(OpIndex row, const Op& op) {
    const std::size_t lane = take_lane(op.process, true);
    const std::uint64_t process = by_client_[op.process].lanes[lane].process;
    begin_op(op.time, process, Outcome::invoke, "poll");
    out_ << "[[:poll]]";
    end_op(op.process);
    begin_op(op.time, process, Outcome::ok, "poll");
    out_ << '[';
    poll_part({row});
    out_ << ']';
    read_notes(op.process, row, {row});
    end_op(op.process);
    free_lane(op.process, lane, Outcome::ok);
  }

  void write_transaction(OpIndex row, const Op& op) {
    const auto it = transactions_.find({op.process, op.transaction});
    if (it == transactions_.end()) return;
    Transaction& t = it->second;
    if (row == t.begin) {
      const std::size_t lane = take_lane(op.process, true);
      lane_of_[row] = lane;
      t.open = true;
      begin_op(op.time, by_client_[op.process].lanes[lane].process, Outcome::invoke, "txn");
      write_parts(t, false);
      if (op.key) {
        out_ << ", :transactional-id ";
        out_.edn(journal_.names.text(op.key));
      }
      end_op(op.process);
    } else if (row == t.end && t.open) {
      const std::size_t lane = lane_of_[t.begin];
      const Outcome outcome = op.outcome == Outcome::info ? Outcome::info
                              : op.kind == OpKind::end_commit && op.outcome == Outcome::ok ? Outcome::ok
                                                                                           : Outcome::fail;
      end_transaction(t, lane, op.process, op.time, outcome);
    }
  }

  void end_transaction(Transaction& t, std::size_t lane, NodeId process, Time time, Outcome outcome) {
    begin_op(time, by_client_[process].lanes[lane].process, outcome, "txn");
    write_parts(t, true);
    std::vector<OpIndex> all;
    for (const OpIndex part : t.parts)
      if (ops_[part].kind == OpKind::poll) all.insert(all.end(), deliveries_of(part).begin(), deliveries_of(part).end());
    read_notes(process, t.begin, all);
    write_stored(t);
    end_op(process);
    free_lane(process, lane, outcome);
    t.open = false;
  }

  bool aborted(const Transaction& t) const {
    return t.end != no_op && (ops_[t.end].kind == OpKind::end_abort ? ops_[t.end].outcome == Outcome::ok : ops_[t.end].outcome == Outcome::fail);
  }

  void write_parts(const Transaction& t, bool ended) {
    out_ << '[';
    bool first = true;
    for (const OpIndex part : t.parts) {
      const OpIndex end = end_of_[part] != no_op ? end_of_[part] : part;
      if (ops_[end].outcome == Outcome::fail && !aborted(t)) continue;  // it is not part of what is committed
      if (!first) out_ << ' ';
      first = false;
      if (ops_[part].kind == OpKind::send) send_part(part, ended);
      else if (ended) poll_part(deliveries_of(part));
      else out_ << "[:poll]";
    }
    out_ << ']';
  }

  // Nobody's word in Jepsen: a note of the nemesis, which its checkers pass over.
  void write_drained(const Op& op) {
    if (op.outcome == Outcome::fail || op.outcome == Outcome::invoke) return;
    out_ << "{:index " << index_++ << ", :time " << op.time << ", :process :nemesis, :type :info, :f :drained, :value nil";
    if (op.subscription) {
      out_ << ", :subscription ";
      out_.edn(journal_.names.text(op.subscription));
    }
    if (op.place) {
      out_ << ", :place ";
      place(op.place);
    }
    out_ << "}\n";
  }

  void write_stored(const Transaction& t) {
    if (t.stored.empty()) return;
    out_ << ", :offsets [";
    for (std::size_t i = 0; i < t.stored.size(); ++i) {
      const Op& op = ops_[t.stored[i]];
      const Op& asked = op.of < t.stored[i] && ops_[op.of].kind == OpKind::commit ? ops_[op.of] : op;
      out_ << (i ? " [" : "[");
      place(op.place ? op.place : asked.place);
      out_ << ' ' << std::max<std::int64_t>(op.position >= 0 ? op.position : asked.position, 0) << ' ';
      out_.edn(journal_.names.text(op.subscription ? op.subscription : asked.subscription));
      out_ << ']';
    }
    out_ << ']';
  }

  // Jepsen's subscribe and assign name all places that the client has from then on.
  void write_assignment(const Op& op) {
    Client& c = by_client_[op.process];
    const bool busy = !c.lanes.empty() && c.lanes[0].busy;
    if (op.kind == OpKind::seek) {
      // No word for a seek: the place is given up and taken again, which also forgets the position.
      if (busy) c.disturbed.push_back(op.place);
      const bool had = c.places.erase(op.place) != 0;
      if (!busy) write_places(op, c);
      if (had) c.places.insert(op.place);
      if (!busy && had) write_places(op, c);
      return;
    }
    if (op.kind == OpKind::assign) c.places.insert(op.place);
    else c.places.erase(op.place);
    if (busy) c.disturbed.push_back(op.place);
    else write_places(op, c);
  }

  void write_places(const Op& op, const Client& c) {
    const std::size_t lane = take_lane(op.process, true);
    for (const Outcome outcome : {Outcome::invoke, Outcome::ok}) {
      begin_op(op.time, c.lanes[lane].process, outcome, op.flags & op_flag::assigned ? "assign" : "subscribe");
      out_ << '[';
      bool first = true;
      for (const std::uint32_t at : c.places) {
        if (!first) out_ << ' ';
        first = false;
        place(at);
      }
      out_ << ']';
      if (op.subscription) {
        out_ << ", :subscription ";
        out_.edn(journal_.names.text(op.subscription));
      }
      if (op.kind == OpKind::assign && op.place && op.position >= 0) {
        out_ << ", :positions {";
        place(op.place);
        out_ << ' ' << op.position << '}';
      }
      end_op(op.process);
    }
    free_lane(op.process, lane, Outcome::ok);
  }

  // A transaction that nobody ended may have sent and read all the same.
  void end_open_transactions() {
    for (auto& [key, t] : transactions_) {
      if (t.open && !t.parts.empty()) end_transaction(t, lane_of_[t.begin], key.first, ops_.back().time, Outcome::info);
    }
  }

  // A read that never ended may have shown messages all the same.
  void end_open_reads() {
    std::vector<OpIndex> open;
    for (const auto& [invoke, lane] : lane_of_)
      if (ops_[invoke].kind == OpKind::poll && !deliveries_of(invoke).empty()) open.push_back(invoke);
    for (const OpIndex invoke : open) end_single(invoke, ops_.back().time, Outcome::info);
  }

  const Journal& journal_;
  const std::vector<Op>& ops_;
  TextOut out_;
  std::uint64_t clients_ = 1;
  std::uint64_t index_ = 0;
  std::vector<OpIndex> end_of_;  // invoke -> the row that ended it
  std::map<OpIndex, std::vector<OpIndex>> deliveries_of_;
  std::map<MessageId, std::uint32_t> seen_at_;
  std::map<TransactionKey, Transaction> transactions_;
  std::map<OpIndex, TransactionKey> part_of_;
  std::map<NodeId, Client> by_client_;
  std::map<OpIndex, std::size_t> lane_of_;  // of what is under way
};

}  // namespace

void write_jepsen(const Journal& journal, const Sink& sink) { JepsenWriter(journal, sink).write(); }

std::string jepsen_text(const Journal& journal) {
  std::string text;
  write_jepsen(journal, append_to(text));
  return text;
}

}  // namespace mqlab
