#include <algorithm>

#include "sim/record/history.h"

namespace mqlab {

const char* op_flag_name(unsigned bit) {
  static constexpr const char* names[] = {"redelivered", "dead_letter", "transactional", "read_committed", "by_policy", "assigned", "shared", "routed"};
  return bit < std::size(names) ? names[bit] : nullptr;
}

std::map<std::string, NodeId, std::less<>> unique_process_names(const std::vector<std::string>& processes) {
  std::map<std::string, NodeId, std::less<>> names;
  for (NodeId n = 0; n < processes.size(); ++n)
    if (!names.emplace(processes[n], n).second) names[processes[n]] = nobody;
  std::erase_if(names, [](const auto& entry) { return entry.second == nobody || entry.first.empty(); });
  return names;
}

std::optional<MessageId> numbered_by_name(std::string_view text, const std::map<std::string, NodeId, std::less<>>& processes) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(dash + 1);
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (error != std::errc() || end != digits.data() + digits.size() || n >= (std::uint64_t{1} << 40)) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  const auto process = processes.find(text.substr(0, dash));
  // A producer beyond this one would run into the bit that says "named".
  if (process == processes.end() || process->second >= (NodeId{1} << 23) - 1) return std::nullopt;
  return numbered_message(process->second, n);
}

namespace {

class HistoryWriter {
 public:
  HistoryWriter(const Journal& journal, const Sink& sink, HistoryOptions options)
      : journal_(journal), out_(sink), options_(options), processes_(journal.processes) {
    // Rows may name processes that were never named: they get a place in the list all the same.
    constexpr NodeId most_unnamed = 1U << 20;
    NodeId count = static_cast<NodeId>(processes_.size());
    const auto see = [&](NodeId n) {
      if (n != nobody && n >= count && n < most_unnamed) count = n + 1;
    };
    for (const Op& op : journal.ops) see(op.process);
    if (options.marks)
      for (const Mark& mark : journal.marks) see(mark.node);
    processes_.resize(count);
    by_name_ = unique_process_names(processes_);
    named_.assign(processes_.size(), false);
    for (const auto& [name, n] : by_name_) named_[n] = utf8_error(name) == std::string_view::npos;
  }

  void write() {
    header();
    std::size_t mark = 0;
    const std::size_t marks = options_.marks ? journal_.marks.size() : 0;
    for (std::size_t row = 0; row < journal_.ops.size(); ++row) {
      for (; mark < marks && journal_.marks[mark].time < journal_.ops[row].time; ++mark) write_mark(journal_.marks[mark]);
      write_op(row, journal_.ops[row]);
      out_.may_flush();
    }
    for (; mark < marks; ++mark) write_mark(journal_.marks[mark]);
    out_.flush();
  }

 private:
  void header() {
    out_ << "{\"format\":\"" << history_format << "\",\"processes\":[";
    for (std::size_t n = 0; n < processes_.size(); ++n) {
      if (n) out_ << ',';
      out_.json(processes_[n]);
    }
    out_ << "],\"ops\":" << journal_.ops.size();
    if (options_.marks) out_ << ",\"marks\":" << journal_.marks.size();
    out_ << "}\n";
  }

  void process(const char* field, NodeId n) {
    if (n == nobody) return;
    out_ << field;
    if (n < named_.size() && named_[n]) out_.json(processes_[n]);
    else out_ << n;
  }

  void name(const char* field, std::uint32_t id) {
    if (id == 0) return;
    out_ << field;
    out_.json(journal_.names.text(id));
  }

  void message(MessageId m) {
    if (m == no_message) return;
    out_ << ",\"message\":";
    if (m & named_message_bit) {
      const std::string& text = journal_.names.text(static_cast<std::uint32_t>(m));
      const bool plain = !text.empty() && !numbered_by_name(text, by_name_);
      if (!plain) out_ << "{\"named\":";
      out_.json(text);
      if (!plain) out_ << '}';
      return;
    }
    const std::uint64_t n = m & ((std::uint64_t{1} << 40) - 1);
    const std::uint64_t producer = (m >> 40) - 1;
    if (m >> 40 == 0 || producer >= processes_.size()) {
      out_ << "{\"raw\":" << m << '}';
    } else if (named_[producer]) {
      out_.json(processes_[producer] + "-" + std::to_string(n));
    } else {
      out_ << "{\"producer\":" << producer << ",\"n\":" << n << '}';
    }
  }

  void flags(unsigned bits) {
    if (bits == 0) return;
    out_ << ",\"flags\":[";
    bool first = true;
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (!(bits >> bit & 1U)) continue;
      if (!first) out_ << ',';
      first = false;
      if (const char* known = op_flag_name(bit)) out_ << '"' << known << '"';
      else out_ << "\"bit" << bit << '"';
    }
    out_ << ']';
  }

  void write_op(std::size_t row, const Op& op) {
    out_ << "{\"row\":" << row << ",\"time\":" << op.time;
    process(",\"process\":", op.process);
    out_ << ",\"op\":\"" << op_kind_name(op.kind) << "\",\"outcome\":\"" << outcome_name(op.outcome) << '"';
    if (op.of != no_op) out_ << ",\"of\":" << op.of;
    name(",\"place\":", op.place);
    name(",\"key\":", op.key);
    message(op.message);
    if (op.position >= 0) out_ << ",\"position\":" << op.position;
    name(",\"subscription\":", op.subscription);
    if (op.attempt) out_ << ",\"attempt\":" << static_cast<unsigned>(op.attempt);
    flags(op.flags);
    if (op.transaction) out_ << ",\"transaction\":" << op.transaction;
    name(",\"error\":", op.error);
    out_ << "}\n";
  }

  void write_mark(const Mark& mark) {
    out_ << "{\"mark\":";
    out_.json(journal_.names.text(mark.name));
    out_ << ",\"time\":" << mark.time;
    process(",\"node\":", mark.node);
    name(",\"place\":", mark.place);
    if (mark.during != no_event) out_ << ",\"during\":" << mark.during;
    if (!mark.text.empty()) {
      out_ << ",\"text\":";
      out_.json(mark.text);
    }
    out_ << "}\n";
    out_.may_flush();
  }

  const Journal& journal_;
  TextOut out_;
  HistoryOptions options_;
  std::vector<std::string> processes_;
  std::map<std::string, NodeId, std::less<>> by_name_;
  std::vector<bool> named_;  // the process can be told by its name alone
};

}  // namespace

void write_history(const Journal& journal, const Sink& sink, HistoryOptions options) {
  HistoryWriter(journal, sink, options).write();
}

std::string history_text(const Journal& journal, HistoryOptions options) {
  std::string text;
  write_history(journal, append_to(text), options);
  return text;
}

}  // namespace mqlab
