#include <map>
#include <set>

#include "sim/record/causality.h"
#include "sim/record/event_text.h"
#include "sim/record/trace.h"

namespace mqlab {

namespace {

// A host is one word to ShiViz, and must not be another's.
std::string host_name(const Journal& journal, NodeId line, std::set<std::string>& taken) {
  std::string name = line_name(journal, line);
  for (char& c : name)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '{' || c == '"' || c == '\\' || static_cast<unsigned char>(c) >= 0x80) c = '_';
  std::string unique = name;
  for (int n = 2; !taken.insert(unique).second; ++n) unique = name + "_" + std::to_string(n);
  return unique;
}

// One line; ShiViz takes the rest of it as the event, so braces are free.
void one_line(TextOut& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8_length(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    // U+2028 and U+2029 end a line for a JavaScript regular expression.
    if (n == 0 || c < 0x20 || c == 0x7f || text.substr(i, n) == "\xe2\x80\xa8" || text.substr(i, n) == "\xe2\x80\xa9") out << ' ';
    else out << text.substr(i, n);
    i += n == 0 ? 1 : n;
  }
}

}  // namespace

// Clocks are kept only for the last event of each line and for those that still have effects to
// come, so a long trace does not need events x lines numbers at once.
void write_shiviz(const Journal& journal, const Sink& sink) {
  const Causality causality(journal);
  const Causality::Graph& graph = causality.graph();
  TextOut out(sink);
  out << shiviz_expression << "\n\n";

  std::set<std::string> taken;
  std::vector<std::string> hosts;
  for (const NodeId line : causality.lines()) hosts.push_back(host_name(journal, line, taken));
  std::map<NodeId, std::uint32_t> line_index;
  for (std::uint32_t n = 0; n < hosts.size(); ++n) line_index[causality.lines()[n]] = n;
  const auto host = [&](NodeId line) {
    const auto [it, is_new] = line_index.try_emplace(line, static_cast<std::uint32_t>(hosts.size()));
    if (is_new) hosts.push_back(host_name(journal, line, taken));
    return it->second;
  };
  for (const Mark& m : journal.marks) host(m.node);

  // What never arrived is told with the event in which it was sent; else on its sender's line, when it was over.
  std::map<EventId, std::vector<const Drop*>> lost_by_event;
  const auto sent_in = [&](const Drop& d) {
    const auto i = causality.index_of(d.event.cause);
    return i && causality.lines()[causality.line_index(*i)] == d.event.source;
  };
  for (const Drop& d : journal.drops) {
    host(d.event.source);
    if (sent_in(d)) lost_by_event[d.event.cause].push_back(&d);
  }
  std::vector<std::uint32_t> marked(hosts.size(), 0);  // events of a line that are marks by themselves
  std::vector<VectorClock> last(hosts.size(), VectorClock(hosts.size(), 0));
  std::map<std::uint32_t, std::pair<VectorClock, std::size_t>> waiting;  // event -> its clock, edges still to come
  const auto write = [&](std::uint32_t line, std::string_view text) {
    one_line(out, text);
    out << '\n' << hosts[line] << " {";
    bool first = true;
    for (std::size_t n = 0; n < hosts.size(); ++n) {
      if (last[line][n] == 0) continue;
      out << (first ? "" : ", ");
      first = false;
      out.json(hosts[n]);
      out << ':' << last[line][n];
    }
    out << "}\n";
    out.may_flush();
  };

  visit_trace(journal,
              {.delivery =
                   [&](const Delivery& d, std::size_t index) {
                     const auto i = static_cast<std::uint32_t>(index);
                     const std::uint32_t line = causality.line_index(i);
                     VectorClock& clock = last[line];
                     for (auto [edge, end] = boost::in_edges(i, graph); edge != end; ++edge) {
                       const auto it = waiting.find(boost::source(*edge, graph));
                       if (it == waiting.end()) continue;
                       for (std::size_t n = 0; n < clock.size(); ++n) clock[n] = std::max(clock[n], it->second.first[n]);
                       if (--it->second.second == 0) waiting.erase(it);
                     }
                     ++clock[line];
                     const std::size_t to_come = boost::out_degree(i, graph);
                     if (to_come != 0) waiting[i] = {clock, to_come};
                     std::string text = event_text(journal, d);
                     for (const std::uint32_t m : causality.marks_of(d.event.id)) text += " [" + mark_text(journal, journal.marks[m]) + "]";
                     // An event may be recorded twice: the first counts.
                     if (const auto it = lost_by_event.find(d.event.id); it != lost_by_event.end() && causality.index_of(d.event.id) == i)
                       for (const Drop* l : it->second) text += " [" + drop_text(journal, *l) + "]";
                     write(line, format_time(d.time) + " " + text);
                   },
               .mark =
                   [&](const Mark& m) {
                     if (causality.index_of(m.during)) return;  // told with its event
                     const std::uint32_t line = host(m.node);
                     ++last[line][line];
                     write(line, format_time(m.time) + " [" + mark_text(journal, m) + "]");
                   },
               .drop =
                   [&](const Drop& d) {
                     if (sent_in(d)) return;
                     const std::uint32_t line = host(d.event.source);
                     ++last[line][line];
                     write(line, format_time(d.time) + " [" + drop_text(journal, d) + "]");
                   }});
  out.flush();
}

}  // namespace mqlab
