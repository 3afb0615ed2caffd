#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim/record/edn.h"
#include "sim/record/jepsen.h"

namespace mqlab {

namespace {

using Complaint = std::optional<std::string>;
using Kind = EdnValue::Kind;

constexpr std::uint64_t processes_max = 1U << 20;

// A value as it is named: strings by their text, anything else as EDN writes it.
std::string plain(const EdnValue& v) { return v.kind == Kind::text ? v.text : print_edn(v); }

// What tells a history of which the reader takes part by part.
class JepsenReader {
 public:
  explicit JepsenReader(Journal& journal) : journal_(journal), by_name_(unique_process_names(journal.processes)) {}

  Complaint take(const EdnValue& op) {
    if (op.kind != Kind::map) return "an operation must be a map {:type ... :f ... :process ... :time ... :value ...}";
    Header h;
    if (Complaint c = header(op, h)) return c;
    if (!h.is_client && h.f == "drained") return drained(op, h);
    if (!h.is_client) return nemesis(op, h);
    return h.type == Outcome::invoke ? invoke(op, h) : complete(op, h);
  }

 private:
  struct Header {
    Outcome type{};
    std::string f;
    Time time = 0;
    bool is_client = false;
    std::int64_t number = 0;  // Jepsen's process
    NodeId process = nobody;
    const EdnValue* value = nullptr;
  };
  // A micro-operation under way.
  struct Part {
    bool is_send = false;
    OpIndex invoke = no_op;
    std::string key{};    // as written, of a send
    std::string value{};
  };
  struct Pending {
    std::string f;
    std::uint64_t transaction = 0;
    std::vector<Part> parts;
  };
  struct Reads {
    std::set<std::string> places;
    bool assigned = false;
  };

  Complaint header(const EdnValue& op, Header& h) {
    const EdnValue* type = op.find("type");
    if (!type) return ":type is missing: :invoke, :ok, :fail or :info";
    static constexpr const char* types[] = {"invoke", "ok", "fail", "info"};
    const auto* found = std::find_if(std::begin(types), std::end(types), [&](const char* t) { return type->is_keyword(t); });
    if (found == std::end(types)) return fmt::format(":type is {}; it is :invoke, :ok, :fail or :info", shown(print_edn(*type)));
    h.type = static_cast<Outcome>(found - types);
    const EdnValue* f = op.find("f");
    if (!f || f->kind != Kind::keyword) return ":f must be a keyword: what was done (:send, :poll, :txn, :assign, :subscribe ...)";
    h.f = f->text;
    const EdnValue* time = op.find("time");
    if (!time || time->kind != Kind::integer || time->integer < 0)
      return ":time must be a whole number of nanoseconds since the beginning, 0 or more";
    h.time = time->integer;
    if (h.time < last_time_)
      return fmt::format("time goes back from {} to {}: operations are in the order of time", last_time_, h.time);
    last_time_ = h.time;
    h.value = op.find("value");
    const EdnValue* process = op.find("process");
    if (!process) return ":process is missing: who did it";
    if (process->kind == Kind::keyword) return {};  // :nemesis and its like
    if (process->kind != Kind::integer || process->integer < 0) return ":process must be a number, 0 or more, or a keyword";
    h.is_client = true;
    h.number = process->integer;
    return client(op, h);
  }

  Complaint client(const EdnValue& op, Header& h) {
    std::string name = fmt::format("p{}", h.number);
    if (const EdnValue* client = op.find("client")) {
      if (client->kind != Kind::text || client->text.empty()) return ":client must be the client's name, a string";
      name = client->text;
    }
    const auto [it, is_new] = by_name_.try_emplace(name, static_cast<NodeId>(journal_.processes.size()));
    if (is_new) {
      if (journal_.processes.size() >= processes_max) return "more than a million processes";
      journal_.processes.push_back(name);
    }
    h.process = it->second;
    return {};
  }

  // What our own export says of a drain.
  Complaint drained(const EdnValue& op, const Header& h) {
    Op row;
    row.time = h.time;
    row.kind = OpKind::drained;
    row.outcome = Outcome::ok;
    if (const EdnValue* v = op.find("subscription"); v && v->kind == Kind::text) row.subscription = journal_.names.id(v->text);
    if (const EdnValue* v = op.find("place"); v && v->kind != Kind::nil) row.place = journal_.names.id(plain(*v));
    add(row);
    return {};
  }

  // What others than clients did: a mark, for people.
  Complaint nemesis(const EdnValue& op, const Header& h) {
    Mark mark;
    mark.time = h.time;
    mark.name = journal_.names.id(h.f);
    mark.text = std::string(outcome_name(h.type));
    if (const EdnValue* value = op.find("value"); value && value->kind != Kind::nil) mark.text += " " + print_edn(*value).substr(0, 400);
    if (const std::size_t bad = utf8_error(mark.text); bad != std::string_view::npos) mark.text.resize(bad);
    journal_.marks.push_back(std::move(mark));
    return {};
  }

  Op row(const Header& h, OpKind kind, Outcome outcome) const {
    Op op;
    op.time = h.time;
    op.process = h.process;
    op.kind = kind;
    op.outcome = outcome;
    return op;
  }

  OpIndex add(const Op& op) {
    journal_.ops.push_back(op);
    return journal_.ops.size() - 1;
  }

  // Jepsen's values are unique per key only, so a number is named with its key.
  MessageId message(const EdnValue& value, const std::string& key) {
    if (value.kind == Kind::nil) return no_message;
    if (value.kind != Kind::text) return named_message(journal_.names.id(key + ":" + print_edn(value)));
    const auto numbered = numbered_by_name(value.text, by_name_);
    return numbered ? *numbered : named_message(journal_.names.id(value.text));
  }

  static bool has_parts(const std::string& f) { return f == "send" || f == "poll" || f == "txn"; }

  Complaint invoke(const EdnValue& op, const Header& h) {
    if (pending_.count(h.number))
      return fmt::format("process {} invokes :{} while its :{} has not ended: one operation at a time", h.number, h.f,
                         pending_[h.number].f);
    Pending p;
    p.f = h.f;
    if (has_parts(h.f)) {
      if (!h.value || !h.value->is_sequence()) return fmt::format("the :value of :{} must be a vector of micro-operations", h.f);
      for (const EdnValue& part : h.value->items)
        if (Complaint c = check_part(part)) return c;
      if (h.f == "txn" || h.value->items.size() != 1) {
        p.transaction = ++transactions_;
        Op begin = row(h, OpKind::begin, Outcome::ok);
        begin.transaction = p.transaction;
        if (const EdnValue* id = op.find("transactional-id"); id && id->kind == Kind::text) begin.key = journal_.names.id(id->text);
        add(begin);
      }
      for (const EdnValue& part : h.value->items) p.parts.push_back(begin_part(h, part, p.transaction));
    }
    pending_.emplace(h.number, std::move(p));
    return {};
  }

  static Complaint check_part(const EdnValue& part) {
    if (!part.is_sequence() || part.items.empty() || part.items[0].kind != Kind::keyword)
      return fmt::format("{} is no micro-operation: write [:send key value] or [:poll]", shown(print_edn(part)));
    if (part.items[0].is_keyword("send")) {
      if (part.items.size() == 3) return {};
      return fmt::format("{}: a send has a key and a value, [:send key value]", shown(print_edn(part)));
    }
    if (part.items[0].is_keyword("poll")) {
      if (part.items.size() <= 2) return {};
      return fmt::format("{}: a poll has one map of what it read", shown(print_edn(part)));
    }
    return fmt::format("{} is unknown: micro-operations are :send and :poll", shown(print_edn(part.items[0])));
  }

  // [offset value] or value.
  static Complaint split(const EdnValue& v, std::int64_t& offset, const EdnValue*& value) {
    offset = -1;
    value = &v;
    if (!v.is_sequence()) return {};
    if (v.items.size() != 2 || (v.items[0].kind != Kind::integer && v.items[0].kind != Kind::nil))
      return fmt::format("{} must be [offset value], with a number or nil as offset", shown(print_edn(v)));
    if (v.items[0].kind == Kind::integer) {
      offset = v.items[0].integer;
      if (offset < 0) return fmt::format("the offset {} is negative", offset);
    }
    value = &v.items[1];
    return {};
  }

  std::uint32_t subscription(const Header& h) {
    const auto it = reads_.find(h.process);
    const bool alone = it != reads_.end() && it->second.assigned;
    return journal_.names.id(alone ? journal_.processes[h.process] : "jepsen");
  }

  void mark_read(const Header& h, std::uint64_t transaction, Op& op) const {
    op.transaction = transaction;
    if (transaction) op.flags |= op_flag::transactional;
    const auto it = reads_.find(h.process);
    if (it != reads_.end() && it->second.assigned) op.flags |= op_flag::assigned;
  }

  Part begin_part(const Header& h, const EdnValue& part, std::uint64_t transaction) {
    Part p;
    p.is_send = part.items[0].is_keyword("send");
    Op op = row(h, p.is_send ? OpKind::send : OpKind::poll, Outcome::invoke);
    if (p.is_send) {
      p.key = plain(part.items[1]);
      p.value = plain(part.items[2]);
      op.place = part.items[1].kind == Kind::nil ? 0 : journal_.names.id(p.key);
      op.message = message(part.items[2], p.key);
      op.transaction = transaction;
      if (transaction) op.flags |= op_flag::transactional;
    } else {
      mark_read(h, transaction, op);
    }
    p.invoke = add(op);
    return p;
  }

  Complaint complete(const EdnValue& op, const Header& h) {
    const auto it = pending_.find(h.number);
    if (it == pending_.end()) {
      // Crashes and notes of a client may come alone, as :info.
      if (h.type == Outcome::info && !has_parts(h.f)) return {};
      return fmt::format("process {} ends :{} without having invoked it", h.number, h.f);
    }
    const Pending p = std::move(it->second);
    pending_.erase(it);
    if (p.f != h.f) return fmt::format("process {} ends :{}, but what it invoked is :{}", h.number, h.f, p.f);
    if (h.f == "assign" || h.f == "subscribe") return assign(op, h);
    if (!has_parts(h.f)) return {};
    if (Complaint c = rebalances(op, h)) return c;
    static const EdnValue nothing;
    const bool told = h.value && h.value->kind != Kind::nil;
    if (told && !h.value->is_sequence()) return fmt::format("the :value of :{} must be a vector of micro-operations", h.f);
    if (!told && h.type == Outcome::ok) return fmt::format("an :ok :{} has no :value", h.f);
    if (told && h.value->items.size() != p.parts.size())
      return fmt::format("the :value has {} micro-operations, but the invocation had {}", h.value->items.size(), p.parts.size());
    for (std::size_t i = 0; i < p.parts.size(); ++i)
      if (Complaint c = end_part(op, h, p, p.parts[i], told ? h.value->items[i] : nothing)) return c;
    if (p.transaction) {
      if (Complaint c = offsets(op, h, p.transaction)) return c;
      Op end = row(h, h.type == Outcome::fail ? OpKind::end_abort : OpKind::end_commit,
                   h.type == Outcome::info ? Outcome::info : Outcome::ok);
      end.transaction = p.transaction;
      add(end);
    }
    return {};
  }

  Complaint end_part(const EdnValue& op, const Header& h, const Pending& p, const Part& part, const EdnValue& told) {
    if (told.kind != Kind::nil) {
      if (Complaint c = check_part(told)) return c;
      if (told.items[0].is_keyword("send") != part.is_send)
        return fmt::format("{} ends a micro-operation of the other kind", shown(print_edn(told)));
    }
    if (!part.is_send) return end_poll(op, h, p, part, told);
    Op end = row(h, OpKind::send, h.type);
    const Op begun = journal_.ops[part.invoke];
    end.of = part.invoke;
    end.place = begun.place;
    end.message = begun.message;
    end.flags = begun.flags;
    end.transaction = begun.transaction;
    if (const EdnValue* e = op.find("error"); h.type == Outcome::fail && e && e->kind == Kind::text) end.error = journal_.names.id(e->text);
    if (told.kind != Kind::nil) {
      const EdnValue* value = nullptr;
      if (Complaint c = split(told.items[2], end.position, value)) return c;
      if (plain(told.items[1]) != part.key || plain(*value) != part.value)
        return fmt::format("{} ends a send of {} to {}", shown(print_edn(told)), shown(part.value), shown(part.key));
      // In a transaction an offset says that the send was answered, however the whole ended.
      if (p.transaction && end.position >= 0) end.outcome = Outcome::ok;
    }
    add(end);
    return {};
  }

  Complaint end_poll(const EdnValue& op, const Header& h, const Pending& p, const Part& part, const EdnValue& told) {
    Op read = row(h, OpKind::deliver, Outcome::ok);
    mark_read(h, p.transaction, read);
    read.of = part.invoke;
    read.subscription = subscription(h);
    read.flags |= op_flag::read_committed;  // Jepsen's checker takes every read as one
    if (const EdnValue* v = op.find("subscription"); v && v->kind == Kind::text) read.subscription = journal_.names.id(v->text);
    if (const EdnValue* v = op.find("read-committed"); v && v->kind == Kind::boolean && !v->truth)
      read.flags = static_cast<std::uint8_t>(read.flags & ~op_flag::read_committed);
    if (told.kind != Kind::nil && told.items.size() == 2 && told.items[1].kind != Kind::nil) {
      const EdnValue& map = told.items[1];
      if (map.kind != Kind::map) return fmt::format("{}: what a poll read is a map {{key [[offset value] ...]}}", shown(print_edn(map)));
      for (std::size_t i = 0; i < map.items.size(); i += 2) {
        const std::string key = plain(map.items[i]);
        read.place = map.items[i].kind == Kind::nil ? 0 : journal_.names.id(key);
        if (!map.items[i + 1].is_sequence()) return fmt::format("the key {} has no vector of [offset value]", shown(key));
        for (const EdnValue& pair : map.items[i + 1].items) {
          const EdnValue* value = nullptr;
          if (!pair.is_sequence()) return fmt::format("{} must be [offset value]", shown(print_edn(pair)));
          if (Complaint c = split(pair, read.position, value)) return c;
          read.message = message(*value, key);
          add(read);
        }
      }
    }
    Op end = row(h, OpKind::poll, h.type);
    mark_read(h, p.transaction, end);
    if (read.flags & op_flag::read_committed) end.flags |= op_flag::read_committed;
    end.subscription = read.subscription;
    end.of = part.invoke;
    add(end);
    return {};
  }

  // Positions that the transaction stored: [key offset group].
  Complaint offsets(const EdnValue& op, const Header& h, std::uint64_t transaction) {
    const EdnValue* all = op.find("offsets");
    if (!all || all->kind == Kind::nil) return {};
    static const char* const form = ":offsets must be a vector of [key offset group], the offset 0 or more, the group a string";
    if (!all->is_sequence()) return form;
    for (const EdnValue& one : all->items) {
      if (!one.is_sequence() || one.items.size() != 3 || one.items[1].kind != Kind::integer || one.items[1].integer < 0 ||
          one.items[2].kind != Kind::text)
        return form;
      Op stored = row(h, OpKind::commit, h.type == Outcome::ok ? Outcome::ok : Outcome::info);
      stored.place = one.items[0].kind == Kind::nil ? 0 : journal_.names.id(plain(one.items[0]));
      stored.position = one.items[1].integer;
      stored.subscription = journal_.names.id(one.items[2].text);
      stored.transaction = transaction;
      stored.flags |= op_flag::transactional;
      add(stored);
    }
    return {};
  }

  // Both name all that the client has from now on.
  Complaint assign(const EdnValue& whole, const Header& h) {
    if (h.type != Outcome::ok) return {};  // no effect, or an unknown one: the reads will tell
    if (!h.value || (!h.value->is_sequence() && h.value->kind != Kind::set))
      return fmt::format("the :value of :{} must be a vector of keys", h.f);
    Reads& reads = reads_[h.process];
    std::set<std::string> now;
    std::vector<std::string> in_order;
    for (const EdnValue& key : h.value->items)
      if (now.insert(plain(key)).second) in_order.push_back(plain(key));
    const auto write = [&](OpKind kind, const std::string& place) {
      Op op = row(h, kind, Outcome::ok);
      op.place = journal_.names.id(place);
      if (reads.assigned) op.flags |= op_flag::assigned;
      op.subscription = subscription(h);
      if (const EdnValue* v = whole.find("subscription"); v && v->kind == Kind::text) op.subscription = journal_.names.id(v->text);
      if (const EdnValue* v = whole.find("positions"); kind == OpKind::assign && v && v->kind == Kind::map) {
        for (std::size_t i = 0; i < v->items.size(); i += 2) {
          if (plain(v->items[i]) == place && v->items[i + 1].kind == Kind::integer && v->items[i + 1].integer >= 0) op.position = v->items[i + 1].integer;
        }
      }
      add(op);
    };
    for (const std::string& place : reads.places)
      if (!now.count(place)) write(OpKind::revoke, place);
    reads.assigned = h.f == "assign";
    for (const std::string& place : in_order)
      if (!reads.places.count(place)) write(OpKind::assign, place);
    reads.places = std::move(now);
    return {};
  }

  // Places that came or went while the operation ran: what it then reads is no jump.
  Complaint rebalances(const EdnValue& op, const Header& h) {
    const EdnValue* log = op.find("rebalance-log");
    if (!log || log->kind == Kind::nil) return {};
    if (!log->is_sequence()) return ":rebalance-log must be a vector of maps {:keys [...]}";
    for (const EdnValue& entry : log->items) {
      const EdnValue* keys = entry.find("keys");
      if (!keys || (!keys->is_sequence() && keys->kind != Kind::set)) return "an entry of :rebalance-log is a map {:keys [...]}";
      for (const EdnValue& key : keys->items) {
        Op given = row(h, OpKind::assign, Outcome::ok);
        given.place = journal_.names.id(plain(key));
        given.subscription = subscription(h);
        add(given);
      }
    }
    return {};
  }

  Journal& journal_;
  std::map<std::string, NodeId, std::less<>> by_name_;
  std::map<std::int64_t, Pending> pending_;
  std::map<NodeId, Reads> reads_;
  std::uint64_t transactions_ = 0;
  Time last_time_ = 0;
};

}  // namespace

std::optional<HistoryError> read_jepsen(std::string_view text, Journal& journal) {
  EdnReader edn(text);
  JepsenReader reader(journal);
  EdnValue op;
  const bool in_list = edn.enter();
  std::size_t taken = 0;
  while (true) {
    if (in_list && edn.leave()) {
      switch (edn.next(op)) {
        case EdnReader::Next::end: break;
        case EdnReader::Next::value: return HistoryError{op.line, "there is more after the list of operations"};
        case EdnReader::Next::error: return HistoryError{edn.line(), edn.complaint()};
      }
      break;
    }
    const EdnReader::Next next = edn.next(op);
    if (next == EdnReader::Next::end) break;
    if (next == EdnReader::Next::error) return HistoryError{edn.line(), edn.complaint()};
    if (auto complaint = reader.take(op)) return HistoryError{op.line, std::move(*complaint)};
    ++taken;
  }
  if (taken == 0 && !in_list) return HistoryError{1, "the history is empty: it has one map {:type ... :f ... :process ... :time ... :value ...} a line"};
  return std::nullopt;
}

}  // namespace mqlab
