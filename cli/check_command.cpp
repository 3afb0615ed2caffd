// mqlab check: the checkers alone, on a recorded or an imported history.
#include <fmt/format.h>

#include <algorithm>

#include "cli/crash.h"
#include "cli/outcome_json.h"
#include "cli/page.h"
#include "sim/lab/nearest.h"
#include "sim/record/history.h"

namespace mqlab::cli {
namespace {

struct Options {
  std::string history;
  std::vector<std::string> claims;
  std::string dedup_window, stall_bound, starvation_bound, hung_bound;
  bool json = false;
  bool verbose = false;
};

std::vector<std::string> claimed_names(const std::vector<std::string>& given) {
  std::vector<std::string> known;
  for (const Anomaly& a : all_anomalies()) known.push_back(a.name);
  std::vector<std::string> out;
  for (const std::string& text : given)
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(',', at), text.size());
      const std::string name = text.substr(at, end - at);
      at = end + 1;
      if (name.empty()) continue;
      const Anomaly* a = find_anomaly(name);
      if (name == "all") {
        for (const Anomaly& each : all_anomalies())
          if (each.checked) out.push_back(each.name);
      } else if (!a) {
        throw BadInput(and_then(fmt::format("--claims: there is no anomaly `{}`{}", name, did_you_mean(name, known)), "`mqlab anomalies` lists them"));
      } else if (!a->checked) {
        throw BadInput(fmt::format("--claims: no checker decides `{}` yet", name));
      } else {
        out.push_back(name);
      }
    }
  return out;
}

// -1 where nothing is said.
Duration bound_of(const char* option, const std::string& text) {
  if (text.empty()) return -1;
  const auto bound = parse_duration(text);
  if (!bound || *bound < 0) throw BadInput(fmt::format("{} {}: a time was expected, as in 10min", option, text));
  return *bound;
}

int check(const Options& o) {
  catch_interrupts();
  const std::vector<std::string> claims = claimed_names(o.claims);
  CheckOptions options;
  options.dedup_window = bound_of("--dedup-window", o.dedup_window);
  options.stall_bound = bound_of("--stall-bound", o.stall_bound);
  options.hung_bound = bound_of("--hung-bound", o.hung_bound);
  options.starvation_bound = bound_of("--starvation-bound", o.starvation_bound);
  const std::string text = read_file(o.history);
  Journal journal;
  if (const auto error = read_any_history(text, journal)) throw BadInput(fmt::format("{}:{}: {}", o.history, error->line, error->message));

  CheckSet checks(options);
  Progress progress("row", journal.ops.size());
  constexpr OpIndex stride = 65'536;
  for (OpIndex end = 0; end < journal.ops.size() && !interrupted(); end += stride) {
    checks.advance(journal, end);
    progress.at(end);
  }
  if (!interrupted()) checks.advance(journal);
  progress.finish();
  const bool complete = checks.cursor() == journal.ops.size();

  // A verdict row without a model: what was claimed on the command line is what is promised.
  RunResult r;
  bool right = complete;
  for (Report& report : checks.report(journal)) {
    VerdictRow row;
    row.claim.anomaly = report.anomaly->name;
    row.claim.claimed = std::find(claims.begin(), claims.end(), report.anomaly->name) != claims.end();
    if (report.verdict == Verdict::violated && (claims.empty() || row.claim.claimed)) right = false;
    row.report = std::move(report);
    r.verdicts.push_back(std::move(row));
  }

  if (o.json) {
    Json out;
    out["format"] = "mqlab-check/1";
    out["history"] = o.history;
    out["operations"] = journal.ops.size();
    out["claims"] = claims;
    out["as_expected"] = right;
    out["verdicts"] = Json::array();
    for (const VerdictRow& v : r.verdicts) out["verdicts"].push_back(report_json(journal, v.report));
    print(json_text(out));
  } else {
    const Style style = Style::of_stdout();
    print(style.strong(o.history) + fmt::format(": {}, {}\n", counted(journal.ops.size(), "row"), counted(journal.processes.size(), "client")));
    Table t{{"anomaly", "verdict", claims.empty() ? "looked at" : "claimed", claims.empty() ? "" : "looked at"}};
    std::uint64_t hold = 0;
    std::uint64_t unknown = 0;
    std::string witness;
    for (const VerdictRow& v : r.verdicts) {
      const Report& report = v.report;
      if (report.verdict != Verdict::violated && !v.claim.claimed && !o.verbose) {
        ++(report.verdict == Verdict::holds ? hold : unknown);
        continue;
      }
      const Style::Ink ink = report.verdict == Verdict::violated ? Style::Ink::bad : report.verdict == Verdict::holds ? Style::Ink::good : Style::Ink::quiet;
      const std::string looked = report.verdict == Verdict::unknown ? report.reason : fmt::format("{} {}", grouped(report.evidence), report.evidence_of);
      if (claims.empty()) t.row({{report.anomaly->name, ink}, {verdict_text(report), ink}, {looked}, {""}});
      else t.row({{report.anomaly->name, ink}, {verdict_text(report), ink}, {v.claim.claimed ? "yes" : "no"}, {looked}});
      const std::size_t shown = o.verbose ? report.worst.size() : std::min<std::size_t>(report.worst.size(), 1);
      for (std::size_t i = 0; i < shown; ++i) {
        const Finding& f = report.worst[i];
        witness += paragraph(fmt::format("{}: {} (certain at {}; rows {})", report.anomaly->name, f.sentence, format_time(f.at), fmt::join(f.witness, ", ")), style.width, "  ");
      }
    }
    if (!t.empty()) print(t.text(style));
    if (hold + unknown != 0)
      print(style.quiet(fmt::format("  {}{} hold, {} undecided for want of evidence (--verbose)", t.empty() ? "nothing is violated: " : "of the others ", hold, unknown)) + "\n");
    if (!witness.empty()) print("\n" + style.strong("Witness") + "\n" + witness);
  }
  if (!complete) complain("stopped by Ctrl-C: the verdicts are on the rows read so far");
  return right ? as_expected : not_as_expected;
}

}  // namespace

void add_check_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("check", "Judge a history: recorded by mqlab, by your own client, or by Jepsen");
  app->add_option("HISTORY", o->history, "JSON Lines (docs/internals/history-schema.md) or Jepsen's EDN; told apart by content")->required();
  app->add_option("--claims", o->claims, "Anomalies that must not happen, with commas; or `all`")->take_all();
  app->add_option("--dedup-window", o->dedup_window, "The deduplication window that the broker promises, as in 10min");
  app->add_option("--stall-bound", o->stall_bound, "So long one message may be tried again and again before it counts as holding others back");
  app->add_option("--starvation-bound", o->starvation_bound, "So long a message may wait in a place that delivers nothing; without a bound, a history that does not end at rest decides neither");
  app->add_option("--hung-bound", o->hung_bound, "So long committed messages may stay hidden from readers at read-committed though no transaction is open; without it, a drain decides");
  app->add_flag("--json", o->json, "The result as JSON (docs/reference/json.md)");
  app->add_flag("--verbose,-v", o->verbose, "Every verdict and every witness");
  app->footer("Exit code 1: something is violated that was claimed (or anything at all, without --claims).\n\n"
              "Examples:\n"
              "  mqlab run scenarios/showcase.lua --case NAME --history history.jsonl\n"
              "  mqlab check history.jsonl\n"
              "  mqlab check jepsen/history.edn --claims lost-message,inconsistent-offsets");
  commands.push_back({app, [o] { return check(*o); }});
}

}  // namespace mqlab::cli
