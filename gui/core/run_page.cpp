#include "gui/core/run_page.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "gui/core/labels.h"
#include "gui/core/run_page_script.h"
#include "gui/core/timeline.h"
#include "sim/hunt/story.h"
#include "sim/lab/verdict_words.h"
#include "sim/record/event_text.h"
#include "sim/record/markup.h"

namespace mqlab::gui {
namespace {

using Json = nlohmann::ordered_json;

void put(std::string& out, std::uint64_t v) {
  for (; v >= 0x80; v >>= 7) out += static_cast<char>((v & 0x7f) | 0x80);
  out += static_cast<char>(v);
}

// JSON inside <script>: a < stands in texts only, and none of them may end the element.
std::string inside_script(const std::string& json) {
  std::string out;
  for (const char c : json) {
    if (c == '<') out += "\\u003c";
    else out += c;
  }
  return out;
}

std::string dumped(const Json& j) { return inside_script(j.dump(-1, ' ', false, Json::error_handler_t::replace)); }

// The violation that the page tells first: a broken promise before an expected price, then the earliest.
const VerdictRow* worst_of(const RunResult& r) {
  const VerdictRow* best = nullptr;
  const auto rank = [](const VerdictRow& v) { return std::pair(!v.claim.claimed, v.report.worst.front().at); };
  for (const VerdictRow& v : r.verdicts)
    if (v.report.verdict == Verdict::violated && !v.report.worst.empty() && (!best || rank(v) < rank(*best))) best = &v;
  return best;
}

std::string verdict_rows(const RunResult& r) {
  std::string out;
  const auto row = [&](const VerdictRow& v) {
    const bool violated = v.report.verdict == Verdict::violated;
    const char* look = violated && v.claim.claimed ? "bug" : v.report.verdict == Verdict::holds && v.claim.claimed ? "good" : "";
    std::string words = verdict_text(v.report);
    const std::string detail = violated && !v.report.worst.empty() ? v.report.worst.front().sentence : v.report.reason;
    out += fmt::format("<tr><td>{}</td><td class=\"{}\">{}</td><td class=\"{}\">{}</td><td>{}</td><td>{}</td></tr>\n", as_markup(v.report.anomaly->name), look,
                       words, look, square(v), as_markup(v.claim.claimed ? "promised: " + claim_text(v.claim) : "not promised: " + claim_text(v.claim)), as_markup(detail));
  };
  for (const VerdictRow& v : r.verdicts)
    if (v.report.verdict == Verdict::violated) row(v);
  for (const VerdictRow& v : r.verdicts)
    if (v.report.verdict != Verdict::violated && v.claim.claimed) row(v);
  return out;
}

Json run_json(const EventIndex& index, const RunPageOptions& options, const VerdictRow* worst) {
  const Recording& r = index.recording();
  const Journal& journal = r.journal();
  const RunResult& result = r.result();
  Json j;
  j["format"] = "mqlab-run-page/1";
  j["title"] = r.scenario().title;
  j["case"] = r.spec().case_name;
  j["seed"] = r.seed();
  j["fingerprint"] = result.fingerprint.text();
  j["events"] = result.events;
  j["end"] = r.end();
  j["command"] = options.command;
  j["as_expected"] = result.as_expected;
  Json verdicts = Json::array();
  for (const VerdictRow& v : result.verdicts)
    verdicts.push_back({{"anomaly", v.report.anomaly->name}, {"verdict", verdict_name(v.report.verdict)}, {"claimed", v.claim.claimed}, {"count", v.report.count}, {"square", square(v)}});
  j["verdicts"] = std::move(verdicts);
  Json lanes = Json::array();
  for (NodeId n = 0; n < journal.processes.size(); ++n) lanes.push_back(r.line_name(n));
  j["lanes"] = std::move(lanes);
  Json kinds = Json::array();
  for (std::size_t k = 0; k < journal.messages.size(); ++k) kinds.push_back({{"name", journal.messages[k].name}, {"hue", k % 8}});
  j["kinds"] = std::move(kinds);
  j["messages"] = index.flights().size();
  j["messages_shown"] = std::min(index.flights().size(), options.messages_most);
  Json faults = Json::array();
  for (const FaultBand& b : timeline_of(*result.world, r.end()).faults) faults.push_back({{"from", b.from}, {"to", b.to}, {"text", b.text}});
  j["faults"] = std::move(faults);
  // What never arrived: "part" says how far of its way it came.
  Json lost = Json::array();
  for (const bool heartbeats : {false, true})
    for (const LostFlight& f : index.lost())
      if ((f.traffic == Traffic::heartbeat) == heartbeats && f.from < journal.processes.size() && f.to < journal.processes.size() && lost.size() < options.lost_most)
        lost.push_back({{"sent", f.sent}, {"t", f.over}, {"from", f.from}, {"to", f.to}, {"kind", f.kind}, {"part", static_cast<int>(f.part * 100) / 100.0}, {"why", drop_reason_text(journal.drops[f.drop].why)}});
  j["lost_in_all"] = index.lost().size();
  j["lost"] = std::move(lost);
  Json marks = Json::array();
  for (const Mark& m : journal.marks) {
    if (marks.size() >= options.marks_most) break;
    if (m.node < journal.processes.size()) marks.push_back({{"t", m.time}, {"lane", m.node}, {"text", mark_text(journal, m)}});
  }
  j["marks"] = std::move(marks);
  Json witness = Json::array();
  if (worst)
    for (const OpIndex op : worst->report.worst.front().witness) {
      const Op& o = journal.ops[op];
      if (o.process < journal.processes.size())
        witness.push_back({{"t", o.time}, {"lane", o.process}, {"text", fmt::format("{} {} {}", op_kind_name(o.kind), outcome_name(o.outcome), journal.message_name(o.message))}});
    }
  j["witness"] = std::move(witness);
  return j;
}

}  // namespace

std::string message_bytes(const EventIndex& index, std::size_t most) {
  std::string out;
  Time before = 0;
  std::size_t n = 0;
  for (const Flight& f : index.flights()) {
    if (n++ == most) break;
    put(out, static_cast<std::uint64_t>(f.arrived - before));
    put(out, static_cast<std::uint64_t>(f.arrived - f.sent));
    put(out, f.from);
    put(out, f.to);
    put(out, f.kind);
    before = f.arrived;
  }
  return out;
}

std::string packed(std::string_view bytes) {
  z_stream z{};
  if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib can't begin");
  std::string gz(deflateBound(&z, static_cast<uLong>(bytes.size())) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(gz.data());
  z.avail_out = static_cast<uInt>(gz.size());
  const int done = deflate(&z, Z_FINISH);
  gz.resize(z.total_out);
  deflateEnd(&z);
  if (done != Z_STREAM_END) throw std::runtime_error("zlib did not end");
  static constexpr const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((gz.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < gz.size(); i += 3) {
    std::uint32_t v = 0;
    for (std::size_t k = 0; k < 3; ++k) v = v << 8 | (i + k < gz.size() ? static_cast<unsigned char>(gz[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += i + k <= gz.size() ? letters[v >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string run_page(const EventIndex& index, const RunPageOptions& options) {
  const Recording& r = index.recording();
  const RunResult& result = r.result();
  const VerdictRow* worst = worst_of(result);
  const std::string title = r.scenario().title + (r.spec().case_name.empty() ? "" : ": " + r.spec().case_name);
  const std::string seen = worst ? worst->report.worst.front().sentence : r.stopped() ? "The run was stopped before its end." : "Nothing was violated.";
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style></head>\n<body>\n<h1>{0}</h1>\n<p class=\"seen\">{2}</p>\n",
      as_markup(title), run_page_style, as_markup(seen));
  out += "<h2>Verdicts</h2>\n<table><tr><th>anomaly</th><th>verdict</th><th>which is</th><th>claim</th><th>evidence</th></tr>\n" + verdict_rows(result) + "</table>\n";
  if (worst) {
    const SliceStory story = tell_slice(result, worst->report.anomaly->name);
    out += fmt::format("<h2>What led to it: {}</h2>\n<div class=\"picture\">{}</div>\n", as_markup(worst->report.anomaly->name), story_svg(story));
    if (story.left_out > 0) out += fmt::format("<p class=\"quiet\">{} more steps are not shown.</p>\n", story.left_out);
  }
  out += "<section id=\"whole\"><h2>The whole run</h2>\n<div id=\"bar\"><button id=\"back\">earlier</button><button id=\"on\">later</button><button id=\"in\">closer</button>"
         "<button id=\"out\">farther</button><button id=\"all\">all</button><button id=\"to\">to the witness</button><span id=\"span\" class=\"quiet\"></span></div>\n"
         "<canvas id=\"run\" tabindex=\"0\" aria-label=\"Space-time diagram of the run: a line a node, an arrow a message. What it shows is listed above.\"></canvas>\n<div id=\"said\"></div>\n"
         "<noscript><p>To pan and zoom through the run this page needs its script; all else is there without.</p></noscript>\n";
  const std::size_t shown = std::min(index.flights().size(), options.messages_most);
  if (shown < index.flights().size()) out += fmt::format("<p class=\"quiet\">The first {} of {} messages are on this page.</p>\n", shown, index.flights().size());
  if (!index.lost().empty()) out += fmt::format("<p class=\"quiet\">A cross: {} never arrived.</p>\n", index.lost().size() == 1 ? "this message" : "these messages");
  out += "</section>\n<h2>The scenario</h2>\n<pre>" + as_markup(r.spec().text) + "</pre>\n";
  if (!r.spec().interventions.empty() || !r.spec().without.empty()) {
    out += "<h2>Done by hand</h2>\n<pre>";
    for (const std::size_t f : r.spec().without) out += fmt::format("without fault {} of the scenario\n", f + 1);
    for (const Intervention& i : r.spec().interventions) out += as_markup(i.lua()) + "\n";
    out += "</pre>\n";
  }
  if (!options.command.empty()) out += "<h2>Run it again</h2>\n<pre>" + as_markup(options.command) + "</pre>\n";
  out += fmt::format("<footer>Seed {}, {}, fingerprint {}. mqlab {}: the rules of these systems as published, under simulated faults; not the products themselves.</footer>\n",
                     r.seed(), counted(result.events, "event"), result.fingerprint.text(), as_markup(options.version));
  out += "<script type=\"application/json\" id=\"data\">" + dumped(run_json(index, options, worst)) + "</script>\n";
  out += "<script type=\"application/octet-stream\" id=\"messages\">" + packed(message_bytes(index, options.messages_most)) + "</script>\n";
  out += fmt::format("<script>{}</script>\n</body></html>\n", run_page_script);
  return out;
}

}  // namespace mqlab::gui
