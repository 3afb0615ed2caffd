#include "sim/record/trace.h"

#include "sim/record/event_text.h"

namespace mqlab {

namespace {

class TraceWriter {
 public:
  TraceWriter(const Journal& journal, const Sink& sink) : journal_(journal), out_(sink) {}

  void write() {
    header();
    visit_trace(journal_, {.delivery = [this](const Delivery& d, std::size_t) { event(d); },
                           .mark = [this](const Mark& m) { mark(m); },
                           .change = [this](const StateChange& c) { change(c); },
                           .drop = [this](const Drop& d) { drop(d); }});
    out_.flush();
  }

 private:
  void text(const char* field, std::string_view value) {
    if (value.empty()) return;
    out_ << field;
    out_.json(value);
  }

  void header() {
    out_ << "{\"format\":\"" << trace_format << "\",\"processes\":";
    list(journal_.processes);
    out_ << ",\"messages\":[";
    bool first = true;
    for (const MessageDecl& m : journal_.messages) {
      if (!m.name || !*m.name) continue;
      if (!first) out_ << ',';
      first = false;
      text("{\"name\":", m.name);
      text(",\"traffic\":", traffic_name(m.traffic));
      out_ << '}';
    }
    out_ << "],\"events\":" << journal_.deliveries.size() << ",\"marks\":" << journal_.marks.size();
    if (!journal_.drops.empty()) out_ << ",\"drops\":" << journal_.drops.size();
    if (!journal_.changes.empty()) {
      out_ << ",\"changes\":" << journal_.changes.size() << ",\"step_paths\":";
      list(journal_.step_paths);
    }
    out_ << "}\n";
  }

  void list(const std::vector<std::string>& texts) {
    out_ << '[';
    for (std::size_t n = 0; n < texts.size(); ++n) {
      if (n) out_ << ',';
      out_.json(texts[n]);
    }
    out_ << ']';
  }

  void event(const Delivery& d) {
    const Event& e = d.event;
    out_ << "{\"event\":" << e.id << ",\"time\":" << d.time;
    text(",\"kind\":", e.kind < event_kind_count ? event_kind_name(static_cast<EventKind>(e.kind)) : "?");
    if (e.cause != no_event) out_ << ",\"cause\":" << e.cause;
    if (line_of(e) != nobody) text(",\"node\":", line_name(journal_, e.target));
    const auto kind = static_cast<EventKind>(e.kind);
    const bool between = is_message(e) || (kind >= EventKind::open && kind <= EventKind::reset) || kind == EventKind::window;
    if (between) text(",\"from\":", line_name(journal_, e.source));
    if (is_message(e)) {
      text(",\"message\":", journal_.kind_name(e.type));
      out_ << ",\"sent\":" << sent_at(d);
    }
    if (e.channel != no_connection) out_ << ",\"connection\":" << e.channel;
    if (kind == EventKind::timer) text(",\"timer\":", event_name(journal_, d));
    text(",\"text\":", event_details(journal_, d));
    out_ << "}\n";
    out_.may_flush();
  }

  void drop(const Drop& d) {
    const Event& e = d.event;
    out_ << "{\"drop\":\"" << drop_reason_name(d.why) << "\",\"time\":" << d.time;
    text(",\"kind\":", event_kind_name(static_cast<EventKind>(e.kind)));
    if (e.cause != no_event) out_ << ",\"cause\":" << e.cause;
    if (e.target != nobody) text(",\"node\":", line_name(journal_, e.target));
    text(",\"from\":", line_name(journal_, e.source));
    text(",\"message\":", journal_.kind_name(e.type));
    out_ << ",\"sent\":" << sent_at(d);
    if (e.channel != no_connection) out_ << ",\"connection\":" << e.channel;
    text(",\"text\":", event_details(journal_, Delivery{e, d.time, d.payload}));
    text(",\"why\":", drop_reason_text(d.why));
    out_ << "}\n";
    out_.may_flush();
  }

  void mark(const Mark& m) {
    out_ << "{\"mark\":";
    out_.json(journal_.names.text(m.name));
    out_ << ",\"time\":" << m.time;
    if (m.during != no_event) out_ << ",\"during\":" << m.during;
    if (m.node != nobody) text(",\"node\":", line_name(journal_, m.node));
    text(",\"place\":", journal_.names.text(m.place));
    text(",\"text\":", m.text);
    out_ << "}\n";
    out_.may_flush();
  }

  void change(const StateChange& c) {
    text("{\"state\":", line_name(journal_, c.node));
    out_ << ",\"during\":" << journal_.deliveries[c.delivery].event.id << ",\"path\":";
    list(path_of(journal_.state_paths.text(c.path)));
    if (c.change.kind == TreeChange::Kind::added) {
      out_ << ",\"at\":" << c.change.at;
    } else {
      out_ << ",\"old\":";
      out_.json(c.change.before);
    }
    if (c.change.kind != TreeChange::Kind::removed) {
      out_ << ",\"new\":";
      out_.json(c.change.now);
    }
    out_ << "}\n";
    out_.may_flush();
  }

  const Journal& journal_;
  TextOut out_;
};

}  // namespace

void write_trace(const Journal& journal, const Sink& sink) { TraceWriter(journal, sink).write(); }

}  // namespace mqlab
