// Proof that the exports load: each is read back by the rules of the tool that it is for.
#include "sim/record/exporters.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "sim/record/event_text.h"
#include "sim/record/trace.h"
#include "tests/record/journals.h"

using namespace mqlab;
using namespace mqlab::test;
using nlohmann::json;

namespace {

std::string text_of(const char* format, const Journal& j) { return export_text(*find_exporter(format), j); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Journal fetch() {
  Journal j;
  declare_messages(j);
  j.processes = {"B1", "B2"};
  j.deliveries = {delivery(10, 1'000'000, EventKind::timer, 0, 0, 0, 0, 4),
                  delivery(12, 1'200'001, EventKind::data, 0, 1, 10, 1'000'500, 1, "epoch=3; #\"<x>\""),
                  delivery(13, 1'300'000, EventKind::data, 1, 0, 12, 1'250'000, 2)};
  j.marks.push_back({.time = 1'200'001, .during = 12, .node = 1, .name = j.names.id("high_watermark"), .place = j.names.id("orders/0"), .text = "7"});
  return j;
}

// ... of which B2's answer never came, and somebody's beat went to nobody.
Journal fetch_in_vain() {
  Journal j = fetch();
  j.drops = {drop(delivery(0, 1'350'000, EventKind::data, 1, 0, 12, 1'250'000, 1, "answer; #1"), 2, DropReason::lost),
             drop(delivery(0, 1'240'000, EventKind::datagram, 0, nobody, no_event, 1'240'000, 2), 2, DropReason::closed),
             drop(delivery(0, 1'260'000, EventKind::data, 0, nobody, 12, 1'260'000, 1), 2, DropReason::closed)};  // during an event of B2's
  return j;
}

// The first broken rule of the Trace Event Format, or nothing. The rules are those of the format's
// own document ("Trace Event Format", Google) and of Perfetto's JSON importer.
std::string chrome_complaint(const std::string& text) {
  const json trace = json::parse(text, nullptr, false);
  if (trace.is_discarded()) return "not JSON";
  if (!trace.contains("traceEvents") || !trace["traceEvents"].is_array()) return "no traceEvents";
  if (trace["displayTimeUnit"] != "ns") return "displayTimeUnit";
  std::set<std::uint64_t> processes;
  std::set<std::pair<std::uint64_t, std::uint64_t>> tracks;
  std::map<std::string, int> flows, asyncs;
  struct Slice {
    std::int64_t begin, end;
  };
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<Slice>> slices;
  const auto ns = [](const json& v) { return static_cast<std::int64_t>(std::llround(v.get<double>() * 1000)); };
  for (const json& e : trace["traceEvents"]) {
    const std::string ph = e["ph"];
    if (!e["pid"].is_number_unsigned() || !e["tid"].is_number_unsigned()) return "pid or tid: " + e.dump();
    if (ph != "M") continue;
    if (e["name"] == "process_name") processes.insert(e["pid"].get<std::uint64_t>());
    if (e["name"] == "thread_name") tracks.emplace(e["pid"], e["tid"]);
    if (!e["args"]["name"].is_string()) return "metadata without a name";
  }
  for (const json& e : trace["traceEvents"]) {
    const std::string ph = e["ph"];
    if (ph == "M") continue;
    if (!e["name"].is_string() || !e["cat"].is_string()) return "name or cat: " + e.dump();
    if (!e["ts"].is_number() || !std::isfinite(e["ts"].get<double>()) || e["ts"].get<double>() < 0) return "ts: " + e.dump();
    const std::pair<std::uint64_t, std::uint64_t> track(e["pid"], e["tid"]);
    if (!processes.count(track.first) || !tracks.count(track)) return "a track without a name: " + e.dump();
    if (ph == "X") {
      if (!e["dur"].is_number() || e["dur"].get<double>() <= 0) return "dur: " + e.dump();
      std::vector<Slice>& open = slices[track];
      const Slice s{ns(e["ts"]), ns(e["ts"]) + ns(e["dur"])};
      if (track.second == 1) {  // written in order
        while (!open.empty() && open.back().end <= s.begin) open.pop_back();
        if (!open.empty() && s.end > open.back().end) return "slices overlap: " + e.dump();
        open.push_back(s);
      } else {
        open = {s};
      }
    } else if (ph == "s" || ph == "f") {
      // An arrow ends on the slice written last that is open at its time.
      const std::vector<Slice>& open = slices[track];
      if (open.empty() || ns(e["ts"]) < open.back().begin || ns(e["ts"]) >= open.back().end) return "no slice under an arrow: " + e.dump();
      if (ph == "f" && e["bp"] != "e") return "bp";
      flows[e["cat"].get<std::string>() + e["name"].get<std::string>() + e["id"].dump()] += ph == "s" ? 1 : 100;
    } else if (ph == "b" || ph == "e") {
      int& open = asyncs[e["cat"].get<std::string>() + e["name"].get<std::string>() + e["id"].dump()];
      open += ph == "b" ? 1 : -1;
      if (open < 0 || open > 1) return "an async slice ends before it begins";
    } else if (ph == "i") {
      if (e["s"] != "g" && e["s"] != "t") return "scope of an instant";
    } else if (ph != "n") {
      return "unknown phase " + ph;
    }
  }
  for (const auto& [id, count] : flows)
    if (count != 101) return "a flow that does not start once and finish once: " + id;
  for (const auto& [id, open] : asyncs)
    if (open != 0) return "an async slice without an end: " + id;
  return "";
}

// The first broken rule of a ShiViz log, or nothing: parsed by its own expression, as the tool does.
std::string shiviz_complaint(const std::string& text) {
  const std::size_t first = text.find('\n');
  if (text.substr(0, first) != shiviz_expression) return "the first line is not the expression";
  if (text.compare(first, 2, "\n\n") != 0) return "the second line, the delimiter of runs, is not empty";
  const std::vector<std::string> lines = lines_of(text.substr(first + 2));
  if (lines.size() % 2) return "a line without its partner";
  static const std::regex clock_line("(\\S*) (\\{.*\\})");
  std::map<std::string, json> last;
  for (std::size_t i = 0; i < lines.size(); i += 2) {
    std::smatch match;
    if (!std::regex_match(lines[i + 1], match, clock_line)) return "no clock: " + lines[i + 1];
    const std::string host = match[1];
    const json clock = json::parse(match[2].str(), nullptr, false);
    if (clock.is_discarded() || !clock.is_object()) return "the clock is no JSON: " + lines[i + 1];
    if (host.empty() || !clock.contains(host)) return "the clock lacks its own host: " + lines[i + 1];
    const auto at = [](const json& c, const std::string& h) { return c.is_object() && c.contains(h) ? c[h].get<std::uint64_t>() : 0; };
    if (at(clock, host) != at(last[host], host) + 1) return "the own component does not go up by one: " + lines[i + 1];
    for (const auto& [h, n] : clock.items()) {
      if (n.get<std::uint64_t>() < at(last[host], h)) return "a component went back: " + lines[i + 1];
      if (h != host && n.get<std::uint64_t>() > at(last[h], h)) return "it knows of what has not happened: " + lines[i + 1];
    }
    last[host] = clock;
  }
  return "";
}

// The first line that Mermaid's sequence grammar would not take, or nothing.
std::string mermaid_complaint(const std::string& text) {
  static const std::string body = "(?:[^#;<>:%{}\\x00-\\x1f]|#[a-z0-9]+;)*";
  static const std::regex participant("  participant (world|n[0-9]+) as (" + body + ")");
  static const std::regex arrow("  (world|n[0-9]+)(?:->>|-\\)|-x)(world|n[0-9]+): (" + body + ")");
  static const std::regex note("  Note over (world|n[0-9]+)(?:,(world|n[0-9]+))?: (" + body + ")");
  const std::vector<std::string> lines = lines_of(text);
  if (lines.empty() || lines[0] != "sequenceDiagram") return "no sequenceDiagram";
  std::set<std::string> known;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_match(lines[i], match, participant)) {
      known.insert(match[1]);
    } else if (std::regex_match(lines[i], match, arrow)) {
      if (!known.count(match[1]) || !known.count(match[2])) return "an unknown participant: " + lines[i];
    } else if (std::regex_match(lines[i], match, note)) {
      if (!known.count(match[1]) || (match[2].matched && !known.count(match[2]))) return "an unknown participant: " + lines[i];
    } else {
      return "not in the grammar: " + lines[i];
    }
  }
  return text.size() < 50'000 ? "" : "longer than maxTextSize";
}

}  // namespace

TEST(Exporters, AreATableWithNamesExtensionsAndSentences) {
  std::set<std::string> names;
  for (const Exporter& e : exporters()) {
    EXPECT_TRUE(names.insert(e.name).second);
    EXPECT_EQ(e.extension[0], '.');
    EXPECT_EQ(std::string(e.doc).back(), '.');
    EXPECT_EQ(find_exporter(e.name), &e);
  }
  EXPECT_EQ(find_exporter("pdf"), nullptr);
  EXPECT_EQ(nearest_exporter("mermade"), "mermaid");
}

TEST(Exporters, TraceIsOneLineAnEventWithItsCause) {
  EXPECT_EQ(text_of("trace", fetch()),
            "{\"format\":\"mqlab-trace/1\",\"processes\":[\"B1\",\"B2\"],\"messages\":[{\"name\":\"Fetch\",\"traffic\":\"replication\"},"
            "{\"name\":\"Beat\",\"traffic\":\"heartbeat\"}],\"events\":3,\"marks\":1}\n"
            "{\"event\":10,\"time\":1000000,\"kind\":\"timer\",\"node\":\"B1\",\"timer\":\"timer 4\"}\n"
            "{\"event\":12,\"time\":1200001,\"kind\":\"data\",\"cause\":10,\"node\":\"B2\",\"from\":\"B1\",\"message\":\"Fetch\",\"sent\":1000500,"
            "\"text\":\"epoch=3; #\\\"<x>\\\"\"}\n"
            "{\"mark\":\"high_watermark\",\"time\":1200001,\"during\":12,\"node\":\"B2\",\"place\":\"orders/0\",\"text\":\"7\"}\n"
            "{\"event\":13,\"time\":1300000,\"kind\":\"data\",\"cause\":12,\"node\":\"B1\",\"from\":\"B2\",\"message\":\"Beat\",\"sent\":1250000}\n");
}

TEST(Exporters, ChromeHasArrowsSlicesAndNanoseconds) {
  const std::string text = text_of("chrome", fetch());
  EXPECT_EQ(chrome_complaint(text), "");
  // The handler on B2 lasts until its answer has left.
  EXPECT_NE(text.find("\"ts\":1200.001,\"pid\":2,\"tid\":1,\"dur\":49.999"), std::string::npos) << text;
  EXPECT_EQ(chrome_complaint(text_of("chrome", Journal{})), "");
}

TEST(Exporters, ShivizHasTheExpressionAndClocks) {
  EXPECT_EQ(text_of("shiviz", fetch()),
            "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n"
            "\n"
            "0.001000 s B1 timer 4\n"
            "B1 {\"B1\":1}\n"
            "0.001200 s B1->B2 Fetch epoch=3; #\"<x>\" [B2 high_watermark orders/0: 7]\n"
            "B2 {\"B1\":1, \"B2\":1}\n"
            "0.001300 s B2->B1 Beat\n"
            "B1 {\"B1\":2, \"B2\":1}\n");
}

TEST(Exporters, MermaidEscapesAndLeavesHeartbeatsOut) {
  EXPECT_EQ(text_of("mermaid", fetch()),
            "sequenceDiagram\n"
            "  participant n0 as B1\n"
            "  participant n1 as B2\n"
            "  n0->>n1: Fetch epoch=3#59; #35;#quot;#lt;x#gt;#quot; (0.001200 s)\n"
            "  Note over n1: B2 high_watermark orders/0#58; 7 (0.001200 s)\n"
            "  Note over n0,n1: 1 heartbeats are not shown\n");
  EXPECT_EQ(mermaid_complaint(text_of("mermaid", fetch())), "");
  EXPECT_EQ(mermaid_complaint(text_of("mermaid", Journal{})), "");
}

TEST(Exporters, MermaidStaysBounded) {
  Journal j;
  declare_messages(j);
  j.processes = {"A", "B"};
  for (EventId i = 1; i <= 5'000; ++i) j.deliveries.push_back(delivery(i, static_cast<Time>(i), EventKind::data, 0, 1, 0, 0, 1, std::string(5'000, ';')));
  const std::string text = text_of("mermaid", j);
  EXPECT_EQ(mermaid_complaint(text), "");
  EXPECT_NE(text.find(" messages and 0 notes more\n"), std::string::npos);
}

// What never arrived stands where it was over, in the order of times, with its reason.
TEST(Exporters, WhatNeverArrivedHasItsReasonInEachForm) {
  const std::string trace = text_of("trace", fetch_in_vain());
  EXPECT_NE(trace.find(",\"events\":3,\"marks\":1,\"drops\":3}\n"), std::string::npos) << trace;
  EXPECT_NE(trace.find("\"place\":\"orders/0\",\"text\":\"7\"}\n"
                       "{\"drop\":\"closed\",\"time\":1240000,\"kind\":\"datagram\",\"from\":\"B1\",\"message\":\"Beat\",\"sent\":1240000,\"why\":\"its connection was closed already\"}\n"
                       "{\"drop\":\"closed\",\"time\":1260000,"),
            std::string::npos)
      << trace;
  EXPECT_TRUE(trace.ends_with("{\"drop\":\"lost\",\"time\":1350000,\"kind\":\"data\",\"cause\":12,\"node\":\"B1\",\"from\":\"B2\",\"message\":\"Fetch\",\"sent\":1250000,"
                              "\"text\":\"answer; #1\",\"why\":\"it was lost on the way\"}\n"))
      << trace;

  const std::string chrome = text_of("chrome", fetch_in_vain());
  EXPECT_EQ(chrome_complaint(chrome), "");
  EXPECT_NE(chrome.find("{\"ph\":\"i\",\"name\":\"Fetch\",\"cat\":\"drop\",\"ts\":1350.000,\"pid\":1,\"tid\":5,\"s\":\"t\",\"args\":{\"text\":\"B2->B1 Fetch answer; #1 never arrived: it was lost on the way\","
                        "\"why\":\"lost\",\"sent\":1250.000,\"cause\":12}}"),
            std::string::npos)
      << chrome;

  const std::string shiviz = text_of("shiviz", fetch_in_vain());
  EXPECT_EQ(shiviz_complaint(shiviz), "");
  EXPECT_NE(shiviz.find("[B2 high_watermark orders/0: 7] [B2->B1 Fetch answer; #1 never arrived: it was lost on the way]\nB2 {"), std::string::npos) << shiviz;
  EXPECT_NE(shiviz.find("0.001240 s [B1->? Beat never arrived: its connection was closed already]\nB1 {"), std::string::npos) << shiviz;

  // Each once: with the event in which it was sent, or on its sender's line.
  std::size_t told = 0;
  for (std::size_t at = shiviz.find("never arrived"); at != std::string::npos; at = shiviz.find("never arrived", at + 1)) ++told;
  EXPECT_EQ(told, 3U) << shiviz;
  EXPECT_NE(shiviz.find("0.001260 s [B1->? Fetch never arrived: its connection was closed already]\nB1 {"), std::string::npos) << shiviz;

  const std::string mermaid = text_of("mermaid", fetch_in_vain());
  EXPECT_EQ(mermaid_complaint(mermaid), "");
  EXPECT_NE(mermaid.find("  Note over n0: Fetch never arrived#58; its connection was closed already (0.001260 s)\n"), std::string::npos) << mermaid;
  EXPECT_EQ(mermaid.find("participant world"), std::string::npos) << mermaid;
  EXPECT_NE(mermaid.find("  n1-xn0: Fetch answer#59; #35;1 never arrived#58; it was lost on the way (0.001350 s)\n"), std::string::npos) << mermaid;
  EXPECT_NE(mermaid.find("2 heartbeats are not shown"), std::string::npos) << mermaid;
}

// What was sent for later (a handler takes its time) and lost then stands behind all that happened before; those of one time as they were.
TEST(Exporters, ADropStandsWhereItWasOver) {
  Journal j = fetch();
  const auto at = [](Time t) { return delivery(0, t, EventKind::data, 0, 1, 10, t); };
  j.drops = {drop(at(1'300'001), 1, DropReason::sender_ended), drop(at(1'300'000), 1, DropReason::cut), drop(at(1'000'000), 1, DropReason::lost), drop(at(1'300'000), 3, DropReason::closed)};
  std::string told;
  for (const PlacedDrop& d : drops_in_order(j)) told += std::string(drop_reason_name(d.drop->why)) + " " + std::to_string(d.after) + "\n";
  EXPECT_EQ(told, "lost 1\ncut 2\nclosed 3\nsender_ended 3\n");
}

// A mark that belongs to no event stands by its time, among drops too.
TEST(Exporters, DropsAndMarksStandByTheirTimes) {
  Journal j = fetch();
  j.drops = {drop(delivery(0, 1'210'000, EventKind::data, 0, 1, 10, 1'210'000), 2, DropReason::cut), drop(delivery(0, 1'230'000, EventKind::data, 0, 1, 10, 1'230'000), 2, DropReason::lost)};
  j.marks.push_back({.time = 1'220'000, .during = no_event, .node = 0, .name = j.names.id("aside"), .place = 0, .text = {}});
  std::string order;
  visit_trace(j, {.delivery = [&](const Delivery& d, std::size_t) { order += std::to_string(d.time) + " "; },
                  .mark = [&](const Mark& m) { order += j.names.text(m.name) + " "; },
                  .drop = [&](const Drop& d) { order += std::string(drop_reason_name(d.why)) + " "; }});
  EXPECT_EQ(order, "1000000 1200001 high_watermark cut aside lost 1300000 ");
}

TEST(Exporters, EachReasonHasAWordOfItsOwn) {
  std::set<std::string> words;
  for (std::size_t r = 0; r < drop_reason_count; ++r) words.insert(drop_reason_name(static_cast<DropReason>(r)));
  EXPECT_EQ(words.size(), drop_reason_count);
}

TEST(Exporters, CheckersOfThisTestSeeBrokenFiles) {
  std::string chrome = text_of("chrome", fetch());
  const std::size_t flow = chrome.find("{\"ph\":\"f\"");
  EXPECT_NE(chrome_complaint(chrome.substr(0, flow) + chrome.substr(chrome.find('\n', flow) + 1)), "");
  std::string shiviz = text_of("shiviz", fetch());
  shiviz.replace(shiviz.find("\"B1\":2"), 6, "\"B1\":3");
  EXPECT_NE(shiviz_complaint(shiviz), "");
  EXPECT_NE(mermaid_complaint(text_of("mermaid", fetch()) + "  n0->>n7: x\n"), "");
  EXPECT_NE(mermaid_complaint(text_of("mermaid", fetch()) + "  n0->>n1: x; y\n"), "");
}

RC_GTEST_PROP(Exporters, AnyTraceLoads, ()) {
  const Journal j = any_trace(*drawn_numbers());
  const std::string chrome = chrome_complaint(text_of("chrome", j));
  if (!chrome.empty()) RC_FAIL(chrome);
  const std::string shiviz = shiviz_complaint(text_of("shiviz", j));
  if (!shiviz.empty()) RC_FAIL(shiviz);
  const std::string mermaid = mermaid_complaint(text_of("mermaid", j));
  if (!mermaid.empty()) RC_FAIL(mermaid);
  std::size_t rows = 0;
  for (const std::string& line : lines_of(text_of("trace", j))) {
    RC_ASSERT(json::accept(line));
    ++rows;
  }
  RC_ASSERT(rows == 1 + j.deliveries.size() + j.marks.size() + j.drops.size());
}

// All three lists are told whole, none of them goes back in time where the journal does not, and a drop never stands before what it was
// lost after.
RC_GTEST_PROP(Exporters, TheOrderOfATraceIsThatOfTime, ()) {
  const Journal j = any_trace(*drawn_numbers());
  std::size_t events = 0, marks = 0, drops = 0;
  Time time = 0;
  visit_trace(j, {.delivery = [&](const Delivery& d, std::size_t i) { RC_ASSERT(i == events++); RC_ASSERT(d.time >= time); time = d.time; },
                  .mark = [&](const Mark&) { ++marks; },
                  .drop = [&](const Drop& d) { RC_ASSERT(d.time >= time); RC_ASSERT(d.after <= events); time = d.time; ++drops; }});
  RC_ASSERT(events == j.deliveries.size());
  RC_ASSERT(marks == j.marks.size());
  RC_ASSERT(drops == j.drops.size());
}

// Writing in pieces gives the same text as writing at once.
TEST(Exporters, SinksGetTheTextInPieces) {
  Journal j;
  j.processes = {"A"};
  for (Time t = 0; t < 5'000; ++t) j.ops.push_back({.time = t, .process = 0, .kind = OpKind::effect, .outcome = Outcome::ok});
  for (Time t = 0; t < 5'000; ++t) j.deliveries.push_back(delivery(static_cast<EventId>(t) + 1, t, EventKind::timer, 0, 0, 0));
  for (const Exporter& e : exporters()) {
    std::size_t pieces = 0, largest = 0;
    std::string text;
    e.write(j, [&](std::string_view piece) {
      ++pieces;
      largest = std::max(largest, piece.size());
      text += piece;
    });
    EXPECT_EQ(text, export_text(e, j)) << e.name;
    EXPECT_LT(largest, 100'000U) << e.name;
  }
}
