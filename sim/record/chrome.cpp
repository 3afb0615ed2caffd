#include <algorithm>
#include <set>
#include <utility>

#include "sim/record/causality.h"
#include "sim/record/event_text.h"
#include "sim/record/trace.h"

namespace mqlab {

namespace {

// The tracks ("threads") of each node ("process").
enum Track : unsigned { events = 1, operations = 2, marks = 3, sent = 4, lost = 5 };
constexpr const char* track_names[] = {"", "events", "operations", "marks", "sent", "never arrived"};

// An event without service time is drawn this long, so that it can be seen and clicked.
constexpr Duration shown_at_least = 1'000;

class ChromeWriter {
 public:
  ChromeWriter(const Journal& journal, const Sink& sink) : journal_(journal), causality_(journal), out_(sink) {}

  void write() {
    measure();
    out_ << "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"made_by\":\"mqlab\"},\"traceEvents\":[";
    for (std::uint32_t i = 0; i < journal_.deliveries.size(); ++i) {
      write_event(i);
      out_.may_flush();
    }
    write_operations();
    for (const Mark& m : journal_.marks) write_mark(m);
    for (const PlacedDrop& d : drops_in_order(journal_)) write_drop(*d.drop);
    write_names();
    out_ << "\n]}\n";
    out_.flush();
  }

 private:
  // A slice lasts until the last message sent in it has left, but not into the next event of its
  // line: slices of one track must nest.
  void measure() {
    const auto& all = journal_.deliveries;
    last_time_ = 0;
    for (const Delivery& d : all) last_time_ = std::max(last_time_, d.time);
    for (const Op& op : journal_.ops) last_time_ = std::max(last_time_, op.time);
    duration_.assign(all.size(), shown_at_least);
    for (std::uint32_t i = 0; i < all.size(); ++i)
      for (auto [edge, end] = boost::out_edges(i, causality_.graph()); edge != end; ++edge)
        if (causality_.graph()[*edge].kind == LinkKind::message)
          duration_[i] = std::max(duration_[i], sent_at(all[boost::target(*edge, causality_.graph())]) - all[i].time);
    std::vector<Time> next(causality_.lines().size(), time_max);   // of a later time
    std::vector<Time> now(causality_.lines().size(), -1);
    for (std::size_t i = all.size(); i-- > 0;) {
      const std::uint32_t line = causality_.line_index(static_cast<std::uint32_t>(i));
      if (now[line] >= 0 && now[line] > all[i].time) next[line] = now[line];
      now[line] = all[i].time;
      if (next[line] != time_max) duration_[i] = std::min(duration_[i], next[line] - all[i].time);
    }
    // Events of one line at one time lie inside each other.
    std::vector<std::pair<Time, Duration>> before(causality_.lines().size(), {-1, 0});
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      auto& [time, room] = before[causality_.line_index(i)];
      if (time == all[i].time) duration_[i] = std::min(duration_[i], room);
      time = all[i].time;
      room = duration_[i];
    }
  }

  std::uint64_t pid(NodeId line) const {
    return line == nobody ? std::uint64_t{std::max<std::size_t>(journal_.processes.size(), 1U << 20)} + 1 : std::uint64_t{line} + 1;
  }

  void begin(const char* phase, std::string_view name, const char* category, Time time, NodeId line, Track track) {
    out_ << (first_ ? "\n" : ",\n") << "{\"ph\":\"" << phase << "\",\"name\":";
    first_ = false;
    out_.json(name);
    out_ << ",\"cat\":\"" << category << "\",\"ts\":";
    out_.microseconds(time);
    out_ << ",\"pid\":" << pid(line) << ",\"tid\":" << static_cast<unsigned>(track);
    used_.emplace(line, track);
  }

  void write_event(std::uint32_t i) {
    const Delivery& d = journal_.deliveries[i];
    const std::string name = event_name(journal_, d);
    begin("X", name, "event", d.time, line_of(d.event), events);
    out_ << ",\"dur\":";
    out_.microseconds(duration_[i]);
    out_ << ",\"args\":{\"text\":";
    out_.json(event_text(journal_, d));
    out_ << ",\"event\":" << d.event.id;
    if (d.event.cause != no_event) out_ << ",\"cause\":" << d.event.cause;
    out_ << "}}";
    // Arrows bind to the slice that is open at their time and place, so each stands right after it.
    if (is_message(d.event)) {
      if (!has_sender(i)) {
        begin("X", "send " + name, "message", sent_at(d), d.event.source, sent);
        out_ << ",\"dur\":0.001}";
        arrow("s", name, i, sent_at(d), d.event.source, sent);
      }
      arrow("f", name, i, d.time, line_of(d.event), events);
    }
    for (auto [edge, end] = boost::out_edges(i, causality_.graph()); edge != end; ++edge) {
      if (causality_.graph()[*edge].kind != LinkKind::message) continue;
      const std::uint32_t to = boost::target(*edge, causality_.graph());
      arrow("s", event_name(journal_, journal_.deliveries[to]), to, d.time, line_of(d.event), events);
    }
  }

  bool has_sender(std::uint32_t i) const {
    for (auto [edge, end] = boost::in_edges(i, causality_.graph()); edge != end; ++edge)
      if (causality_.graph()[*edge].kind == LinkKind::message) return true;
    return false;
  }

  void arrow(const char* phase, std::string_view name, std::uint32_t message, Time time, NodeId line, Track track) {
    begin(phase, name, "message", time, line, track);
    out_ << ",\"id\":" << message + 1;
    if (*phase == 'f') out_ << ",\"bp\":\"e\"";
    out_ << '}';
  }

  // Operations of a client overlap, so they are asynchronous slices: from the invoke to its end.
  void write_operations() {
    std::vector<OpIndex> end_of(journal_.ops.size(), no_op);
    for (OpIndex row = 0; row < journal_.ops.size(); ++row) {
      const Op& op = journal_.ops[row];
      if (op.of < row && journal_.ops[op.of].outcome == Outcome::invoke && journal_.ops[op.of].kind == op.kind) end_of[op.of] = row;
    }
    for (OpIndex row = 0; row < journal_.ops.size(); ++row) {
      const Op& op = journal_.ops[row];
      if (op.of < row && journal_.ops[op.of].outcome == Outcome::invoke && end_of[op.of] == row) continue;  // written with its invoke
      if (op.outcome != Outcome::invoke) {
        operation("n", row, row, op.time, outcome_name(op.outcome));
      } else {
        const bool ended = end_of[row] != no_op;
        operation("b", row, row, op.time, nullptr);
        operation("e", row, ended ? end_of[row] : row, ended ? journal_.ops[end_of[row]].time : last_time_,
                  ended ? outcome_name(journal_.ops[end_of[row]].outcome) : "still open");
      }
      out_.may_flush();
    }
  }

  void operation(const char* phase, OpIndex id, OpIndex told, Time time, const char* outcome) {
    const Op& op = journal_.ops[id];
    std::string name = op_kind_name(op.kind);
    if (op.message != no_message) name += " " + journal_.message_name(op.message);
    begin(phase, name, "operation", time, op.process, operations);
    out_ << ",\"id\":\"op" << id << "\",\"args\":{\"row\":" << told;
    const Op& facts = journal_.ops[told];
    if (outcome) out_ << ",\"outcome\":\"" << outcome << '"';
    if (facts.place) {
      out_ << ",\"place\":";
      out_.json(journal_.names.text(facts.place));
    }
    if (facts.position >= 0) out_ << ",\"position\":" << facts.position;
    if (facts.error) {
      out_ << ",\"error\":";
      out_.json(journal_.names.text(facts.error));
    }
    out_ << "}}";
  }

  void write_mark(const Mark& m) {
    begin("i", journal_.names.text(m.name), "mark", m.time, m.node, marks);
    out_ << ",\"s\":\"" << (m.node == nobody ? 'g' : 't') << "\",\"args\":{\"text\":";
    out_.json(mark_text(journal_, m));
    if (m.during != no_event) out_ << ",\"during\":" << m.during;
    out_ << "}}";
    out_.may_flush();
  }

  // On the line of whom it was for, and of its sender where it was for nobody.
  void write_drop(const Drop& d) {
    begin("i", event_name(journal_, Delivery{d.event, d.time, d.payload}), "drop", d.time, d.event.target == nobody ? d.event.source : d.event.target, lost);
    out_ << ",\"s\":\"t\",\"args\":{\"text\":";
    out_.json(drop_text(journal_, d));
    out_ << ",\"why\":\"" << drop_reason_name(d.why) << "\",\"sent\":";
    out_.microseconds(sent_at(d));
    if (d.event.cause != no_event) out_ << ",\"cause\":" << d.event.cause;
    out_ << "}}";
    out_.may_flush();
  }

  void write_names() {
    const auto name = [&](const char* what, NodeId line, unsigned track, std::string_view text) {
      out_ << (first_ ? "\n" : ",\n") << "{\"ph\":\"M\",\"name\":\"" << what << "\",\"pid\":" << pid(line) << ",\"tid\":" << track
           << ",\"args\":{\"name\":";
      first_ = false;
      out_.json(text);
      out_ << "}}";
    };
    NodeId named = nobody;
    bool any = false;
    for (const auto& [line, track] : used_) {
      if (!any || line != named) name("process_name", line, 0, line_name(journal_, line));
      any = true;
      named = line;
      name("thread_name", line, track, track_names[track]);
    }
  }

  const Journal& journal_;
  const Causality causality_;
  TextOut out_;
  std::vector<Duration> duration_;
  std::set<std::pair<NodeId, unsigned>> used_;
  Time last_time_ = 0;
  bool first_ = true;
};

}  // namespace

void write_chrome_trace(const Journal& journal, const Sink& sink) { ChromeWriter(journal, sink).write(); }

}  // namespace mqlab
