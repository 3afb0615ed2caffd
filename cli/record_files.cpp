#include "cli/record_files.h"

#include <fmt/format.h>

#include <vector>

#include "cli/face.h"
#include "sim/lab/nearest.h"
#include "sim/record/event_text.h"
#include "sim/record/history.h"
#include "sim/record/jepsen.h"

namespace mqlab::cli {

std::string trace_form_names() {
  std::string out = "perfetto";
  for (const Exporter& e : exporters()) out += std::string(", ") + e.name;
  return out;
}

const Exporter& trace_form(const std::string& name, const std::string& path) {
  std::vector<std::string> known{"perfetto"};
  const Exporter* by_ending = nullptr;
  for (const Exporter& e : exporters()) {
    known.push_back(e.name);
    // The longest ending that fits: .trace.jsonl before .jsonl.
    if (path.ends_with(e.extension) && (!by_ending || std::string_view(e.extension).size() > std::string_view(by_ending->extension).size())) by_ending = &e;
  }
  if (name == "perfetto" || (name.empty() && !by_ending && path.ends_with(".json"))) return *find_exporter("chrome");
  if (name.empty() && by_ending) return *by_ending;
  if (const Exporter* e = find_exporter(name)) return *e;
  if (name.empty()) throw BadInput(fmt::format("--trace {}: the ending names no form; add --format, one of {}", path, trace_form_names()));
  throw BadInput(fmt::format("--format {}: there is no such form{}; it is one of {}", name, did_you_mean(name, known), trace_form_names()));
}

void write_history_file(const std::string& path, const Journal& journal) {
  FileWriter file(path);
  if (path.ends_with(".edn")) write_jepsen(journal, [&](std::string_view piece) { file.write(piece); });
  else write_history(journal, [&](std::string_view piece) { file.write(piece); });
  file.close();
}

void write_trace_file(const Exporter& form, const std::string& path, const Journal& journal) {
  FileWriter file(path);
  form.write(journal, [&](std::string_view piece) { file.write(piece); });
  file.close();
}

std::string first_difference(const Journal& a, const Journal& b) {
  const std::size_t n = std::min(a.deliveries.size(), b.deliveries.size());
  for (std::size_t i = 0; i < n; ++i) {
    const Delivery& x = a.deliveries[i];
    const Delivery& y = b.deliveries[i];
    const std::string one = fmt::format("{} {}", format_time(x.time), event_text(a, x));
    const std::string two = fmt::format("{} {}", format_time(y.time), event_text(b, y));
    if (one != two || x.event.id != y.event.id || x.event.body != y.event.body)
      return fmt::format("The first event that differs is number {}:\n  first:  {}\n  second: {}", i, one, two);
  }
  if (a.deliveries.size() != b.deliveries.size())
    return fmt::format("All {} events of the shorter run are the same; the other goes on with:\n  {}", n,
                       a.deliveries.size() > n ? event_text(a, a.deliveries[n]) : event_text(b, b.deliveries[n]));
  return "A second look, with every event recorded, found no event that differs: what differs is not an event, or depends on the process.";
}

}  // namespace mqlab::cli
