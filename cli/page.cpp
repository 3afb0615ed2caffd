#include "cli/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/story.h"

namespace mqlab::cli {
namespace {

// "brokers=3, acks=all": what someone set, in the declared order.
std::string given_options(const std::vector<OptionDecl>& decls, const char* scope, const Options& o) {
  std::string out;
  for (const OptionDecl& d : decls) {
    if (d.scope != scope || !o.given(d.name)) continue;
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", d.name, to_text(d, o.values().at(d.name)));
  }
  return out;
}

bool is_client_role(const std::string& role) { return role == "client" || role == "producer" || role == "consumer"; }

std::string line(const Style& style, const char* label, const std::string& text) {
  std::string p = paragraph(text, style.width, "            ");
  return "  " + style.quiet(fmt::format("{:<10}", label)) + p.substr(12);
}

std::string cluster_text(const Plan& plan, const RunResult& r, const Style& style) {
  const std::vector<OptionDecl> decls = all_options(plan.model->decl());
  // One run shows what it was run with; of several, this is what they share.
  const Deployment& d = plan.runs.size() == 1 ? r.deployment : plan.scenario.deployment;
  std::vector<std::pair<std::string, std::uint64_t>> roles;
  for (NodeId n = 0; n < r.world->node_count(); ++n) {
    const std::string& role = r.world->node_options(n).role;
    if (is_client_role(role)) continue;
    const auto it = std::find_if(roles.begin(), roles.end(), [&](const auto& x) { return x.first == role; });
    if (it == roles.end()) roles.emplace_back(role, 1);
    else ++it->second;
  }
  std::string cluster = fmt::format("{} {}", plan.model->decl().name, d.profile);
  for (std::size_t i = 0; i < roles.size(); ++i) cluster += (i ? ", " : ": ") + counted(roles[i].second, roles[i].first);
  if (const std::string o = given_options(decls, "cluster", d.cluster); !o.empty()) cluster += " (" + o + ")";
  for (const TopicSpec& t : d.topics) {
    const std::string o = given_options(decls, "topic", t.options);
    cluster += fmt::format("; {}{}", t.name, o.empty() ? "" : " (" + o + ")");
  }
  std::string out = line(style, "cluster", cluster);

  // Clients that are set up alike share a line's place.
  std::vector<std::pair<std::string, std::string>> clients;
  for (const ClientSpec& c : d.clients) {
    const bool transform = c.role == "client" && c.options.has("rewind_to");
    const std::string role = transform ? "transform" : c.role == "client" ? "program" : c.role;
    std::string o = given_options(decls, c.role == "consumer" ? "consumer" : "producer", c.options);
    if (transform)
      if (const std::string more = given_options(decls, "transform", c.options); !more.empty()) o += (o.empty() ? "" : ", ") + more;
    if (c.role == "client")
      if (const std::string more = given_options(decls, "consumer", c.consumer_options); !more.empty()) o += (o.empty() ? "" : ", ") + more;
    const std::string setup = role + (o.empty() ? "" : " (" + o + ")");
    const auto it = std::find_if(clients.begin(), clients.end(), [&](const auto& x) { return x.second == setup; });
    if (it == clients.end()) clients.emplace_back(c.name, setup);
    else it->first += ", " + c.name;
  }
  std::string text;
  for (const auto& [names, setup] : clients) text += (text.empty() ? "" : "; ") + names + " " + setup;
  if (!text.empty()) out += line(style, "clients", text);
  return out;
}

bool is_expected(const RunResult& r, std::string_view anomaly) {
  return std::any_of(r.expectations.begin(), r.expectations.end(), [&](const ExpectationResult& e) {
    return e.expectation.kind != Expectation::Kind::reaches && e.expectation.name == anomaly;
  });
}

bool is_interesting(const RunResult& r, const VerdictRow& v, PageKind kind) {
  if (kind == PageKind::verbose || is_expected(r, v.report.anomaly->name) || v.report.verdict == Verdict::violated) return true;
  return kind == PageKind::full && v.claim.claimed;
}

std::string witness_text(const RunResult& r, PageKind kind, const Style& style) {
  std::string out;
  for (const VerdictRow& v : r.verdicts) {
    if (v.report.verdict != Verdict::violated || v.report.worst.empty()) continue;
    const std::size_t shown = kind == PageKind::verbose ? v.report.worst.size() : 1;
    for (std::size_t i = 0; i < shown && i < v.report.worst.size(); ++i) {
      const Finding& f = v.report.worst[i];
      const std::string more = i == 0 && v.report.count > shown ? fmt::format(" ({} more)", grouped(v.report.count - shown)) : "";
      const std::string lead = fmt::format("  {}: ", v.report.anomaly->name);
      std::string p = paragraph(fmt::format("{}{} Certain at {}.{}", f.sentence, f.sentence.ends_with('.') ? "" : ".", format_time(f.at), more),
                                style.width, lead);
      out += "  " + style.paint(v.report.anomaly->name, verdict_ink(v)) + p.substr(2 + std::string_view(v.report.anomaly->name).size());
    }
    if (kind != PageKind::brief) out += paragraph(fmt::format("{}: {}", v.claim.claimed ? "Promised" : "Not promised", claim_text(v.claim)), style.width, "    ");
  }
  return out;
}

std::string expectation_text(const RunResult& r, PageKind kind, const Style& style) {
  std::string out;
  for (const ExpectationResult& e : r.expectations) {
    if (e.met && kind == PageKind::brief) continue;
    const std::string what = fmt::format("{} {}", expectation_name(e.expectation.kind), e.expectation.name);
    if (e.met && e.expectation.kind == Expectation::Kind::finds && !e.found) {
      out += "  " + style.quiet("not here  ") + what + ": chance decides, and --seeds looks on\n";
    } else if (e.met) {
      out += "  " + style.paint("met      ", Style::Ink::good) + what + "\n";
    } else {
      const std::string p = paragraph(fmt::format("{}: {}{}", what, e.why, e.expectation.line ? fmt::format(" (line {})", e.expectation.line) : ""),
                                      style.width, "           ");
      out += "  " + style.paint("NOT MET  ", Style::Ink::bad) + p.substr(11);
    }
  }
  for (const VerdictRow* v : broken_claims(r))
    out += "  " + style.paint("BROKEN   ", Style::Ink::bad) + fmt::format("the model promises that {} does not happen\n", v->report.anomaly->name);
  return out;
}

std::string idle_text(const RunResult& r, const Style& style) {
  std::string out;
  for (const std::size_t i : r.idle_faults) {
    const ArmedFault& f = r.world->faults()[i];
    out += paragraph(fmt::format("never bit: {} ({}, line {}){}{}", describe(f.fault), describe(f.trigger), f.fault.line,
                                 f.fired == 0 ? ": it never came due" : "", f.complaint.empty() ? "" : ": " + f.complaint),
                     style.width, "  ");
  }
  return out;
}

}  // namespace

Style::Ink verdict_ink(const VerdictRow& v) {
  switch (v.report.verdict) {
    case Verdict::holds: return v.claim.claimed ? Style::Ink::good : Style::Ink::plain;
    case Verdict::violated: return v.claim.claimed ? Style::Ink::bad : Style::Ink::warn;
    case Verdict::unknown: break;
  }
  return Style::Ink::quiet;
}

std::string verdict_table(const RunResult& r, PageKind kind, const Style& style) {
  Table t{{"anomaly", "verdict", "promised not to happen", "so it is"}};
  std::uint64_t hold = 0;
  std::uint64_t unknown = 0;
  for (const VerdictRow& v : r.verdicts) {
    if (!is_interesting(r, v, kind)) {
      ++(v.report.verdict == Verdict::holds ? hold : unknown);
      continue;
    }
    std::string so = square(v);
    if (v.report.verdict == Verdict::unknown && !v.report.reason.empty()) so += ": " + v.report.reason;
    t.row({{v.report.anomaly->name, verdict_ink(v)}, {verdict_text(v.report), verdict_ink(v)}, {v.claim.claimed ? "yes" : "no"}, {so, verdict_ink(v)}});
  }
  std::string out = t.empty() ? "" : t.text(style);
  if (hold + unknown != 0 && kind != PageKind::brief) {
    std::string rest = fmt::format("  also looked for: {} hold", counted(hold, "other"));
    if (hold == 1) rest = "  also looked for: 1 other holds";
    if (unknown) rest += fmt::format(", {} {} undecided", unknown, unknown == 1 ? "is" : "are");
    out += style.quiet(rest + " (--verbose)") + "\n";
  }
  return out;
}

std::string head_text(const Plan& plan, const RunResult& r, const Style& style) {
  const Scenario& s = plan.scenario;
  std::string out = style.strong(s.title.empty() ? s.path : s.title) + "\n";
  if (!s.lesson.empty() && s.lesson != s.title) {
    std::string lesson = s.lesson;
    if (lesson.starts_with(s.title) && !s.title.empty()) lesson.erase(0, s.title.size());
    std::string text = paragraph(lesson, style.width, "  ");
    text.erase(0, text.find_first_not_of('\n'));
    if (text.find_first_not_of(" \n") != std::string::npos) out += text;
  }
  if (!s.chapter.empty()) out += style.quiet("  chapter: " + s.chapter) + "\n";
  return out + "\n" + cluster_text(plan, r, style);
}

std::string run_text(const Plan&, const PlannedRun& run, const RunResult& r, PageKind kind, const Style& style) {
  std::string out;
  const auto section = [&](const char* title, const std::string& body) {
    if (body.empty()) return;
    out += "\n" + style.strong(title) + "\n" + body;
  };
  if (!run.label.empty()) {
    const std::string sentence = run.scenario_case ? run.scenario_case->sentence : "";
    out += "\n" + style.strong("case " + run.label) + (sentence.empty() ? "" : "\n" + paragraph(sentence, style.width, "  "));
    if (out.back() != '\n') out += "\n";
    if (run.scenario_case && !run.scenario_case->set.empty()) {
      std::string settings;
      for (const Setting& s : run.scenario_case->set) settings += (settings.empty() ? "" : ", ") + describe(s);
      if (settings != run.label) out += line(style, "sets", settings);
    }
  }
  if (kind == PageKind::brief) {
    out += story_text(r, 12, style) + verdict_table(r, kind, style) + witness_text(r, kind, style) + expectation_text(r, kind, style);
  } else {
    section("Story", story_text(r, kind == PageKind::verbose ? 0 : 24, style));
    section("Verdicts", verdict_table(r, kind, style));
    section("Witness", witness_text(r, kind, style));
    section("Expected", expectation_text(r, kind, style));
  }
  if (const std::string idle = idle_text(r, style); !idle.empty()) out += (kind == PageKind::brief ? "" : "\n") + style.paint(idle, Style::Ink::warn);
  if (!r.drained && !r.not_drained_because.empty()) {
    if (kind != PageKind::brief) out += "\n";
    out += paragraph(fmt::format("{}: {}, so nothing that is missing can be called lost", r.interrupted ? "stopped early" : "not drained", r.not_drained_because),
                     style.width, "  ");
  }
  return out;
}

}  // namespace mqlab::cli
