// mqlab run: one story with its verdicts, all cases of a file, or many seeds of them.
#include <fmt/format.h>

#include <map>

#include "cli/crash.h"
#include "cli/outcome_json.h"
#include "cli/page.h"
#include "cli/record_files.h"
#include "cli/routes.h"
#include "cli/steps.h"
#include "gui/core/run_page.h"
#include "sim/lab/measured.h"

namespace mqlab::cli {
namespace {

RunResult run_once(const Plan& plan, const PlannedRun& run, std::uint64_t seed, TraceLevel trace) {
  crash::now_running(seed, run.label);
  RunOptions options = plan.options(run, seed);
  options.trace = trace;
  return run_scenario(plan.scenario, *plan.model, run.scenario_case, options);
}

// Runs again from the file, in fresh interpreters. Nothing when both runs were the same; else the first
// event that differs.
std::optional<std::string> compare_again(const RunRequest& request, std::size_t index, std::uint64_t seed, const RunResult& first) {
  const auto again = make_plan(request);
  const RunResult second = run_once(*again, again->runs[index], seed, TraceLevel::spans);
  if (second.fingerprint == first.fingerprint || second.interrupted || first.interrupted) return std::nullopt;
  const auto a_plan = make_plan(request);
  const auto b_plan = make_plan(request);
  const RunResult a = run_once(*a_plan, a_plan->runs[index], seed, TraceLevel::full);
  const RunResult b = run_once(*b_plan, b_plan->runs[index], seed, TraceLevel::full);
  return first_difference(a.world->journal, b.world->journal);
}

std::string end_text(const Plan& plan, const RunRequest& request, const PlannedRun& run, const RunResult& r, const Style& style) {
  std::string out = fmt::format("\nfingerprint {}  ({} in {} of virtual time, seed {})\n", r.fingerprint.text(), counted(r.events, "event"),
                                format_time(r.ended), r.world->seed());
  const std::string command = plan.command(request, run, r.world->seed());
  out += style.quiet("all of it:     ") + command + " --verbose\n";
  out += style.quiet("a picture:     ") + command + " --trace trace.json --format perfetto\n";
  out += style.quiet("other chances: ") + fmt::format("mqlab run {}{} --seeds 1..100\n", shell_word(request.scenario),
                                                      run.scenario_case ? " --case " + shell_word(run.scenario_case->name) : "");
  return out;
}

std::string summary_table(const std::vector<PlannedRun>& runs, const std::vector<RunResult>& results, const Style& style) {
  Table t{{"case", "as expected", "fingerprint", "violated"}};
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::string violated;
    for (const VerdictRow& v : results[i].verdicts)
      if (v.report.verdict == Verdict::violated) violated += (violated.empty() ? "" : ", ") + std::string(v.report.anomaly->name);
    const bool right = is_right(results[i]);
    t.row({{runs[i].label}, {right ? "yes" : "NO", right ? Style::Ink::good : Style::Ink::bad}, {results[i].fingerprint.text()}, {violated.empty() ? "nothing" : violated}});
  }
  return "\n" + style.strong("Summary") + "\n" + t.text(style);
}

// What the run was told to show of its inside; one line of its own where a line is needed.
void print_steps(const Journal& journal, const StepView& view, const Style& style) {
  print("\n");
  StepPrinter printer(view, journal.processes, journal.step_paths, style);
  visit_steps(journal, [&](const StateStep& s) { printer.step(s); });
  printer.end();
}

// The page shows what a recording has: the same run, with every event kept.
void write_page(const Plan& plan, const RunRequest& request, const PlannedRun& run, const RunResult& r) {
  const RunOptions options = plan.options(run, r.world->seed());
  gui::RunSpec spec;
  spec.text = read_file(plan.scenario.path);
  spec.path = plan.scenario.path;
  spec.design = plan.scenario.design;
  if (run.scenario_case) spec.case_name = run.scenario_case->name;
  spec.profile = options.profile;
  spec.settings = options.settings;
  spec.seed = options.seed;
  const auto recording = gui::Recording::make(std::move(spec), all_models(), {.event_limit = options.event_limit});
  if (recording->result().fingerprint != r.fingerprint) throw std::logic_error("the page's run is not the run that was asked for");
  write_file(request.html, gui::run_page(gui::EventIndex(recording), {.command = plan.command(request, run, options.seed), .version = MQLAB_VERSION}));
}

std::vector<Measure> measures_of(const RunRequest& request) {
  std::vector<Measure> out;
  try {
    for (const std::string& text : request.measure) out.push_back(parse_measure(text));
  } catch (const MeasureError& e) {
    throw BadInput(std::string("--measure: ") + e.what());
  }
  return out;
}

Measured measured(const Measure& m, const RunResult& r) {
  try {
    return m.of(r);
  } catch (const MeasureError& e) {
    throw BadInput(std::string("--measure: ") + e.what());
  }
}

int run_each(const Plan& plan, const RunRequest& request, const StepView& view) {
  const Style style = Style::of_stdout();
  const std::uint64_t seed = request.first_seed;
  const bool several = plan.runs.size() > 1;
  if (several && (!request.history.empty() || !request.trace.empty() || !request.html.empty()))
    throw BadInput(fmt::format("a history, a trace or a page is of one run, and this file has {}: choose one with --case{}", plan.runs.size(),
                               plan.scenario.sweep.empty() ? "" : " and --set"));
  if (several && request.steps) throw BadInput(fmt::format("--steps shows one run, and this file has {}: choose one with --case{}", plan.runs.size(), plan.scenario.sweep.empty() ? "" : " and --set"));
  const Exporter* form = request.trace.empty() ? nullptr : &trace_form(request.format, request.trace);
  const std::vector<Measure> measures = measures_of(request);
  const TraceLevel trace = request.steps ? TraceLevel::state : form ? std::max(form->level, TraceLevel::full) : TraceLevel::spans;

  bool right = true;
  bool same = true;
  Json json = scenario_json(plan);
  Json runs = Json::array();
  std::vector<RunResult> results;
  Progress progress("running case", plan.runs.size());
  for (std::size_t i = 0; i < plan.runs.size() && !interrupted(); ++i) {
    const PlannedRun& run = plan.runs[i];
    if (const std::string loops = loop_warnings(plan, run); !loops.empty()) note(loops);
    RunResult r = run_once(plan, run, seed, trace);
    right = right && is_right(r);
    std::optional<std::string> difference;
    if (request.twice) difference = compare_again(request, i, seed, r);
    same = same && !difference;
    if (!request.history.empty()) write_history_file(request.history, r.world->journal);
    if (form) write_trace_file(*form, request.trace, r.world->journal);
    if (!request.html.empty()) write_page(plan, request, run, r);
    progress.at(i + 1);
    if (request.json) {
      Json one = run_json(plan, request, run, r);
      if (request.twice) one["same_again"] = !difference;
      if (!measures.empty()) one["measured"] = Json::object();
      for (const Measure& m : measures) {
        const Measured value = measured(m, r);
        one["measured"][m.text] = value.kind == Measured::Kind::word ? Json(value.word) : Json(value.number);
      }
      runs.push_back(std::move(one));
    } else if (!measures.empty()) {
      // Nothing but the values: for lessons, and for scripts.
      progress.finish();
      if (several) print(fmt::format("case {}\n", run.label));
      for (const Measure& m : measures) print(fmt::format("{}{}: {}\n", several ? "  " : "", m.text, measured(m, r).text()));
    } else {
      progress.finish();
      if (i == 0) print(head_text(plan, r, style));
      if (request.steps) print_steps(r.world->journal, view, style);
      const PageKind kind = request.verbose ? PageKind::verbose : several ? PageKind::brief : PageKind::full;
      print(run_text(plan, run, r, kind, style));
      if (!several) print(end_text(plan, request, run, r, style));
      if (request.twice && !difference && !r.interrupted) print("ran twice: the same fingerprint both times\n");
    }
    if (difference) complain(fmt::format("this is a bug in mqlab: two runs of seed {}{} differ. {}", seed, run.label.empty() ? "" : " (" + run.label + ")", *difference));
    r.world.reset();  // the summary needs verdicts and fingerprint only
    results.push_back(std::move(r));
  }
  progress.finish();
  right = right && results.size() == plan.runs.size();
  if (request.json) {
    Json out;
    out["format"] = "mqlab-run/1";
    for (auto& [key, value] : json.items()) out[key] = value;
    out["as_expected"] = right;
    out["runs"] = std::move(runs);
    print(json_text(out));
  } else if (several && measures.empty()) {
    print(summary_table(plan.runs, results, style));
    print("\n" + style.quiet("one case in full: ") + plan.command(request, plan.runs[0], seed) + "\n");
  }
  if (interrupted()) complain("stopped by Ctrl-C: what was found so far is above");
  if (!same) return lab_failed;
  return right ? as_expected : not_as_expected;
}

// --- many seeds ---

struct CaseCount {
  std::uint64_t runs = 0;
  std::uint64_t right = 0;
  std::map<std::string, std::uint64_t> violated;
  std::map<std::string, std::uint64_t> first_seed;  // ... and first with this one
  std::vector<std::pair<std::string, std::uint64_t>> finds;  // what chance is to show, and in how many runs it did
  Fingerprint all;
};

struct Failure {
  std::size_t run = 0;
  std::uint64_t seed = 0;
  std::string why;
};

std::string why_not(const RunResult& r) {
  for (const ExpectationResult& e : r.expectations)
    if (!e.met) return fmt::format("{} {}: {}", expectation_name(e.expectation.kind), e.expectation.name, e.why);
  for (const VerdictRow* v : broken_claims(r)) return fmt::format("the promise against {} was broken: {}", v->report.anomaly->name, v->report.worst.empty() ? "" : v->report.worst.front().sentence);
  return r.not_drained_because;
}

int run_seeds(const Plan& plan, const RunRequest& request) {
  if (!request.history.empty() || !request.trace.empty()) throw BadInput("a history or a trace is of one run: use --seed N instead of --seeds");
  const Style style = Style::of_stdout();
  const std::uint64_t seeds = request.last_seed - request.first_seed + 1;
  const std::uint64_t total = seeds * plan.runs.size();
  std::vector<CaseCount> counts(plan.runs.size());
  std::optional<Failure> first;
  std::uint64_t done = 0;
  std::uint64_t right = 0;
  bool same = true;
  Progress progress("run", total);
  for (std::uint64_t seed = request.first_seed; !interrupted(); ++seed) {
    for (std::size_t i = 0; i < plan.runs.size() && !interrupted(); ++i) {
      const RunResult r = run_once(plan, plan.runs[i], seed, TraceLevel::spans);
      if (r.interrupted && interrupted()) break;
      CaseCount& c = counts[i];
      ++c.runs;
      c.all.mix(r.fingerprint.high, r.fingerprint.low);
      for (const VerdictRow& v : r.verdicts)
        if (v.report.verdict == Verdict::violated) {
          ++c.violated[v.report.anomaly->name];
          c.first_seed.try_emplace(v.report.anomaly->name, seed);
        }
      std::size_t finds = 0;
      for (const ExpectationResult& e : r.expectations) {
        if (e.expectation.kind != Expectation::Kind::finds) continue;
        if (c.finds.size() == finds) c.finds.emplace_back(e.expectation.name, 0);
        c.finds[finds++].second += e.found;
      }
      if (is_right(r)) {
        ++c.right;
        ++right;
      } else if (!first) {
        first = Failure{i, seed, why_not(r)};
      }
      if (request.twice)
        if (const auto difference = compare_again(request, i, seed, r)) {
          same = false;
          complain(fmt::format("this is a bug in mqlab: two runs of seed {} differ. {}", seed, *difference));
        }
      progress.at(++done, first ? fmt::format("first failure: seed {}", first->seed) : "");
    }
    if (seed == request.last_seed) break;
  }
  progress.finish();
  const bool complete = done == total;
  std::vector<std::string> missed;  // what chance was to show, and no seed did
  for (std::size_t i = 0; i < counts.size(); ++i)
    for (const auto& [name, n] : counts[i].finds)
      if (n == 0) missed.push_back(fmt::format("{}: no seed finds {}", plan.runs[i].label.empty() ? "the scenario" : plan.runs[i].label, name));

  if (request.json) {
    Json out;
    out["format"] = "mqlab-seeds/1";
    const auto scenario = scenario_json(plan);
    for (const auto& [key, value] : scenario.items()) out[key] = value;
    out["first_seed"] = request.first_seed;
    out["last_seed"] = request.last_seed;
    out["runs"] = done;
    out["as_expected_runs"] = right;
    out["as_expected"] = complete && right == done && missed.empty();
    out["not_found"] = missed;
    out["interrupted"] = !complete;
    if (first) {
      const PlannedRun& run = plan.runs[first->run];
      out["first_failure"] = {{"case", run.label}, {"seed", first->seed}, {"command", plan.command(request, run, first->seed)}, {"why", first->why}};
    } else {
      out["first_failure"] = nullptr;
    }
    out["cases"] = Json::array();
    for (std::size_t i = 0; i < counts.size(); ++i)
      out["cases"].push_back({{"case", plan.runs[i].label}, {"runs", counts[i].runs}, {"as_expected_runs", counts[i].right}, {"violated", Json(counts[i].violated)}, {"first_seed", Json(counts[i].first_seed)}, {"fingerprint", counts[i].all.text()}});
    print(json_text(out));
  } else {
    print(style.strong(plan.scenario.title.empty() ? plan.scenario.path : plan.scenario.title) + "\n");
    print(fmt::format("{} of {} as expected (seeds {} to {})\n\n", grouped(right), counted(done, "run"), request.first_seed, request.last_seed));
    Table t{{"case", "runs", "as expected", "violated, in how many runs"}};
    t.right(1);
    t.right(2);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      std::string violated;
      for (const auto& [name, n] : counts[i].violated) violated += fmt::format("{}{} {}", violated.empty() ? "" : ", ", name, n);
      const bool all = counts[i].right == counts[i].runs;
      t.row({{plan.runs[i].label.empty() ? "(the scenario)" : plan.runs[i].label}, {grouped(counts[i].runs)}, {grouped(counts[i].right), all ? Style::Ink::good : Style::Ink::bad}, {violated.empty() ? "nothing" : violated}});
    }
    print(t.text(style));
    for (const std::string& m : missed) print("\n" + style.paint(m, Style::Ink::bad) + "\n");
    if (first) {
      print("\n" + style.paint(fmt::format("first failure: seed {}", first->seed), Style::Ink::bad) + (plan.runs[first->run].label.empty() ? "" : ", case " + plan.runs[first->run].label) + "\n");
      print(paragraph(first->why, style.width, "  "));
      print("  " + plan.command(request, plan.runs[first->run], first->seed) + "\n");
    }
    if (request.twice && same) print("\nran twice: the same fingerprints both times\n");
  }
  if (!complete) complain(fmt::format("stopped by Ctrl-C after {} of {} runs: what was found so far is above", done, total));
  if (!same) return lab_failed;
  return complete && right == done && missed.empty() ? as_expected : not_as_expected;
}

int run(const RunRequest& asked, const StepView& view) {
  catch_interrupts();
  const auto plan = make_plan(asked);
  const RunRequest request = with_seed_of(asked, plan->scenario);
  return request.many_seeds ? run_seeds(*plan, request) : run_each(*plan, request, view);
}

}  // namespace

void add_run_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<RunRequest>();
  CLI::App* app = root.add_subcommand("run", "Run a scenario and judge what its clients saw");
  const auto parsed = add_run_options(*app, o, "Run many seeds, and count", "P1.acks=0");
  app->add_flag("--twice", o->twice, "Run twice and compare, event by event if they differ");
  app->add_option("--history", o->history, "Write what the clients did and saw to this file, as JSON Lines");
  app->add_option("--trace", o->trace, "Write what happened inside to this file");
  app->add_option("--html", o->html, "Write a page of the run that needs nothing else: verdicts, what led to them, the whole run to zoom, the scenario");
  app->add_option("--measure", o->measure, "Print this value of the run and nothing else: `count duplicate`, `deliveries C`, `p99` ... (mqlab reference measures)");
  app->add_option("--format", o->format, "... in this form: " + trace_form_names() + " (else by the file's ending)");
  app->add_flag("--steps", o->steps, "Print, event by event, what changed inside: logs, leaders, groups ...");
  const auto view = add_step_options(*app);
  app->add_option("--queue", o->queue, "heap or radix: the event queue; it changes speed and nothing else")->check(CLI::IsMember({"heap", "radix"}));
  app->add_flag("--verbose,-v", o->verbose, "The whole story, every verdict, every witness");
  app->footer(
      "Exit code 0: as expected. 1: an expectation was not met, or a promise of the model was broken.\n\n"
      "Examples:\n"
      "  mqlab run scenarios/showcase.lua\n"
      "  mqlab run scenarios/showcase.lua --set acks=all       turn one knob\n"
      "  mqlab run scenarios/showcase.lua --seeds 1..100       is it luck?\n"
      "  mqlab run scenarios/showcase.lua --html run.html      a page to look at and to send to others\n"
      "  mqlab run scenarios/showcase.lua --trace trace.json --format perfetto\n"
      "  mqlab run scenarios/showcase.lua --steps              what changed inside, event by event\n"
      "  mqlab run scenarios/showcase.lua --steps --node B1 --only \"high watermark\" --from 1s --to 2s\n"
      "  mqlab run scenarios/showcase.lua --trace run.states.jsonl, then mqlab show run.states.jsonl --at 1.5s");
  commands.push_back({app, [parsed, view] {
                        const RunRequest request = parsed();
                        if (!request.format.empty() && request.trace.empty()) throw BadInput("--format says how --trace FILE is written; it needs --trace");
                        if (!request.steps && view->given()) throw BadInput("--node, --only, --all, --from and --to say which steps are shown; they need --steps");
                        if (request.steps && request.json) throw BadInput("--steps is for people; for programs, write them to a file: --trace FILE --format states");
                        if (request.steps && request.many_seeds) throw BadInput("--steps shows one run: use --seed N instead of --seeds");
                        if (!request.measure.empty() && request.many_seeds) throw BadInput("--measure is of one run: use --seed N instead of --seeds, or `mqlab measure` for groups over many seeds");
                        if (!request.measure.empty() && request.steps) throw BadInput("--measure prints values and nothing else, and --steps is a story: choose one");
                        if (!request.html.empty() && request.many_seeds) throw BadInput("--html is a page of one run: use --seed N instead of --seeds");
                        return run(request, *view);
                      }});
}

}  // namespace mqlab::cli
