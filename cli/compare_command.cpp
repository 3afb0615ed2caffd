// mqlab compare: one story on several designs, side by side.
#include "cli/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/crash.h"
#include "cli/text.h"

namespace mqlab::cli {
namespace {

// How often the run shows these anomalies.
std::int64_t found(const RunResult& r, std::initializer_list<const char*> anomalies) {
  std::int64_t n = 0;
  for (const char* name : anomalies)
    if (const VerdictRow* v = r.verdict(name); v && v->report.verdict == Verdict::violated) n += static_cast<std::int64_t>(v->report.count);
  return n;
}

// In parts of ten thousand.
std::int64_t share(std::uint64_t part, std::uint64_t of) { return of == 0 ? 10'000 : static_cast<std::int64_t>(part * 10'000 / of); }

struct CompareRequest {
  RunRequest run;
  std::vector<std::string> on;
  std::string html;
};

// The designs that were asked for; without --on, all that the file has.
std::vector<std::string> designs_of(const CompareRequest& request) {
  std::vector<std::string> out;
  for (const std::string& list : request.on)
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t comma = std::min(list.find(',', at), list.size());
      if (comma == at) throw BadInput(fmt::format("--on {}: a list was expected, as in --on kafka,rabbitmq:quorum", list));
      out.push_back(list.substr(at, comma - at));
      at = comma + 1;
    }
  if (out.empty()) {
    const auto plan = make_plan(request.run);
    for (const DesignDecl& d : plan->scenario.designs) out.push_back(d.name);
    if (out.empty())
      throw BadInput(fmt::format("{} has no `designs`, so there is nothing to compare; name profiles, as in --on {}:{}", request.run.scenario, plan->scenario.model, plan->model->decl().profiles.back().name));
  }
  for (std::size_t i = 0; i < out.size(); ++i)
    if (std::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(i), out[i]) != out.begin() + static_cast<std::ptrdiff_t>(i)) throw BadInput(fmt::format("--on names `{}` twice", out[i]));
  return out;
}

void measure(const Plan& plan, const RunRequest& request, const PlannedRun& run, Column& column, Comparison& all, Progress& progress) {
  for (std::uint64_t seed = request.first_seed;; ++seed) {
    if (interrupted()) return;
    crash::now_running(seed, run.label);
    const RunResult r = run_scenario(plan.scenario, *plan.model, run.scenario_case, plan.options(run, seed));
    if (r.interrupted && interrupted()) return;
    const RunCost cost = measure_run(r.world->journal, r.workload_ended);
    for (std::size_t i = 0; i < criteria().size(); ++i) column.cells[i].values.push_back(criteria()[i].of(r, cost));
    ++column.runs;
    if (is_right(r)) ++column.right;
    else if (column.wrong.empty()) column.wrong = plan.command(request, run, seed);
    progress.at(++all.done);
    if (seed == request.last_seed) return;
  }
}

Comparison compare(const CompareRequest& request) {
  Comparison out;
  out.scenario = request.run.scenario;
  out.first_seed = request.run.first_seed;
  out.last_seed = request.run.last_seed;
  std::vector<std::pair<RunRequest, std::unique_ptr<Plan>>> plans;
  for (const std::string& design : designs_of(request)) {
    RunRequest one = request.run;
    one.on = design;
    auto plan = make_plan(one);
    out.total += (request.run.last_seed - request.run.first_seed + 1) * plan->runs.size();
    plans.emplace_back(std::move(one), std::move(plan));
  }
  const Plan& first = *plans.front().second;
  out.title = first.scenario.title.empty() ? first.scenario.path : first.scenario.title;
  out.lesson = first.scenario.lesson;
  out.run_for = first.scenario.run_for;
  Progress progress("comparing run", out.total);
  for (std::size_t i = 0; i < first.runs.size(); ++i) {
    ComparedCase& c = out.cases.emplace_back();
    c.label = first.runs[i].label;
    for (const auto& [one, plan] : plans) {
      Column column;
      column.design = one.on;
      for (const DesignDecl& d : plan->scenario.designs)
        if (d.name == plan->scenario.design) column.sentence = d.sentence;
      column.cells.resize(criteria().size(), Measured{{}, out.first_seed});
      const PlannedRun& run = plan->runs[i];
      column.command = plan->command(one, run, out.first_seed);
      measure(*plan, one, run, column, out, progress);
      c.columns.push_back(std::move(column));
    }
  }
  return out;
}

std::string table_text(const Comparison& all, const ComparedCase& c, const Style& style) {
  std::vector<std::string> head{""};
  for (const Column& column : c.columns) head.push_back(column.design);
  head.push_back("");  // the last column of a table takes what is left
  Table t(head);
  for (std::size_t i = 0; i < criteria().size(); ++i) {
    const Criterion& k = criteria()[i];
    std::vector<Cell> values{{k.head}};
    std::vector<Cell> worst{{""}};
    for (const Column& column : c.columns) {
      values.push_back({cell_text(k, column.cells[i])});
      worst.push_back({worst_text(k, column.cells[i]), Style::Ink::quiet});
    }
    values.push_back({});
    worst.push_back({});
    t.row(std::move(values));
    if (all.last_seed > all.first_seed && std::any_of(worst.begin(), worst.end(), [](const Cell& x) { return !x.text.empty(); })) t.row(std::move(worst));
  }
  std::vector<Cell> promises{{"as expected"}};
  for (const Column& column : c.columns)
    promises.push_back({column.right == column.runs ? "yes" : fmt::format("NOT in {} of {}", column.runs - column.right, column.runs), column.right == column.runs ? Style::Ink::good : Style::Ink::bad});
  promises.push_back({});
  t.row(std::move(promises));
  return t.text(style);
}

Json json_of(const Comparison& all) {
  Json out;
  out["format"] = "mqlab-compare/1";
  out["scenario"] = all.scenario;
  out["title"] = all.title;
  out["first_seed"] = all.first_seed;
  out["last_seed"] = all.last_seed;
  out["as_expected"] = all.right();
  out["interrupted"] = all.done < all.total;
  out["cases"] = Json::array();
  for (const ComparedCase& c : all.cases) {
    Json one;
    one["case"] = c.label;
    one["designs"] = Json::array();
    for (const Column& column : c.columns) {
      Json d;
      d["design"] = column.design;
      d["runs"] = column.runs;
      d["as_expected_runs"] = column.right;
      for (std::size_t i = 0; column.runs > 0 && i < criteria().size(); ++i) {
        const Criterion& k = criteria()[i];
        const Measured& m = column.cells[i];
        d[k.field] = {{"median", m.median()}, {"worst", m.worst(k.better)}, {"worst_seed", m.worst_seed(k.better)}, {"runs_above_zero", m.runs_above_zero()}};
      }
      one["designs"].push_back(std::move(d));
    }
    out["cases"].push_back(std::move(one));
  }
  return out;
}

int run(const CompareRequest& request) {
  catch_interrupts();
  const Comparison all = compare(request);
  const bool complete = all.done == all.total;
  if (!request.html.empty()) write_file(request.html, comparison_page(all));
  if (request.run.json) {
    print(json_text(json_of(all)));
  } else if (request.html != "-") {
    const Style style = Style::of_stdout();
    print(style.strong(all.title) + "\n");
    print(fmt::format("{} a run, {}\n", format_duration(all.run_for), all.first_seed == all.last_seed ? fmt::format("seed {}", all.first_seed) : fmt::format("seeds {} to {}", all.first_seed, all.last_seed)));
    for (const ComparedCase& c : all.cases) {
      if (!c.label.empty()) print("\n" + style.strong("case " + c.label) + "\n");
      print("\n" + table_text(all, c, style));
    }
    print("\n");
    for (const Criterion& k : criteria()) print(style.quiet(fmt::format("  {:<13}  {}", k.head, k.sentence)) + "\n");
    print("\n" + style.quiet("one run in full: ") + all.cases.front().columns.front().command + "\n");
  }
  for (const ComparedCase& c : all.cases)
    for (const Column& column : c.columns)
      if (column.right < column.runs)
        complain(fmt::format("{}{}: {} of {} not as the scenario expects, so read its numbers with care: {}", column.design, c.label.empty() ? "" : ", " + c.label, column.runs - column.right,
                             counted(column.runs, "run"), column.wrong));
  if (!complete) complain(fmt::format("stopped by Ctrl-C after {} of {} runs: what was measured so far is above", all.done, all.total));
  return complete && all.right() ? as_expected : not_as_expected;
}

}  // namespace

const std::vector<Criterion>& criteria() {
  static const std::vector<Criterion> all{
      {"lost", "lost", "acknowledged messages that were never got, after all faults were healed", Unit::count, Better::less,
       // By message; one that only some subscription misses is lost to that one.
       [](const RunResult& r, const RunCost& c) { return c.lost > 0 ? static_cast<std::int64_t>(c.lost) : found(r, {"lost-message"}); }},
      {"duplicated", "duplicated", "deliveries of a message that the subscription had got before", Unit::count, Better::less,
       [](const RunResult&, const RunCost& c) { return static_cast<std::int64_t>(c.again); }},
      {"reordered", "reordered", "messages that came in another order than they were sent, by producer or by key", Unit::count, Better::less,
       [](const RunResult& r, const RunCost&) { return found(r, {"fifo-violation", "key-order-violation"}); }},
      {"stalled", "stalled", "acknowledged messages that nobody had got when the load ended", Unit::count, Better::less,
       [](const RunResult&, const RunCost& c) { return static_cast<std::int64_t>(c.waiting); }},
      {"acknowledged", "acknowledged_share", "of the messages sent, how many were acknowledged", Unit::share, Better::more,
       [](const RunResult&, const RunCost& c) { return share(c.acknowledged, c.sent); }},
      {"latency p50", "latency_p50_ns", "from the first attempt to send to the first delivery: half took no longer", Unit::time, Better::less,
       [](const RunResult&, const RunCost& c) { return c.latency_p50; }},
      {"latency p99", "latency_p99_ns", "99 of 100 took no longer", Unit::time, Better::less, [](const RunResult&, const RunCost& c) { return c.latency_p99; }},
      {"throughput", "per_second", "messages delivered in a second, each once for a subscription", Unit::rate, Better::more,
       [](const RunResult&, const RunCost& c) { return static_cast<std::int64_t>(c.per_second); }},
      {"recovery", "silence_ns", "the longest time in which a message waited and its subscription got nothing", Unit::time, Better::less,
       [](const RunResult&, const RunCost& c) { return c.silence; }},
  };
  return all;
}

std::int64_t Measured::median() const {
  std::vector<std::int64_t> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  return sorted[(sorted.size() - 1) / 2];
}

std::int64_t Measured::worst(Better b) const { return b == Better::less ? *std::max_element(values.begin(), values.end()) : *std::min_element(values.begin(), values.end()); }

std::uint64_t Measured::worst_seed(Better b) const {
  return first_seed + static_cast<std::uint64_t>(std::find(values.begin(), values.end(), worst(b)) - values.begin());
}

std::uint64_t Measured::runs_above_zero() const { return static_cast<std::uint64_t>(std::count_if(values.begin(), values.end(), [](std::int64_t v) { return v > 0; })); }

bool Comparison::right() const {
  return std::all_of(cases.begin(), cases.end(), [](const ComparedCase& c) { return std::all_of(c.columns.begin(), c.columns.end(), [](const Column& x) { return x.right == x.runs; }); });
}

std::string shown(Unit unit, std::int64_t v) {
  switch (unit) {
    case Unit::count: return grouped(static_cast<std::uint64_t>(v));
    case Unit::rate: return grouped(static_cast<std::uint64_t>(v)) + "/s";
    case Unit::share: return fmt::format("{}.{:02} %", v / 100, v % 100);
    case Unit::time: break;
  }
  if (v < 0) return "-";
  if (v < 999'950'000) return fmt::format("{}.{} ms", (v + 50'000) / 1'000'000, (v + 50'000) / 100'000 % 10);
  return fmt::format("{}.{} s", (v + 50'000'000) / 1'000'000'000, (v + 50'000'000) / 100'000'000 % 10);
}

std::string cell_text(const Criterion& c, const Measured& m) {
  if (m.values.empty()) return "-";
  if (c.unit != Unit::count || m.values.size() == 1) return shown(c.unit, m.median());
  const std::uint64_t runs = m.runs_above_zero();
  return runs == 0 ? "0" : fmt::format("in {} of {} runs", runs, m.values.size());
}

std::string worst_text(const Criterion& c, const Measured& m) {
  if (m.values.size() < 2 || m.worst(c.better) == m.worst(c.better == Better::less ? Better::more : Better::less)) return {};
  return fmt::format("worst {} (seed {})", shown(c.unit, m.worst(c.better)), m.worst_seed(c.better));
}

void add_compare_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<RunRequest>();
  auto more = std::make_shared<CompareRequest>();
  CLI::App* app = root.add_subcommand("compare", "Tell one story on several designs, and compare what users got");
  const auto parsed = add_run_options(*app, o, "Many seeds, with medians and the worst", "P1.every=5ms");
  app->remove_option(app->get_option("--on"));
  app->add_option("--on", more->on, "Designs of the file, or MODEL:PROFILE, in the order of the columns: a,b,c (all of the file's)")->take_all();
  app->add_option("--html", more->html, "Write a page with the table to this file");
  app->footer(
      "Counted from the clients' history while the load runs; what is lost, after faults are healed and all was read.\n"
      "Exit code 0: every run was as its scenario expects. 1: one was not, or a promise was broken.\n\n"
      "Examples:\n"
      "  mqlab compare scenarios/compare/leader-loss.lua\n"
      "  mqlab compare scenarios/compare/leader-loss.lua --seeds 20 --html leader-loss.html\n"
      "  mqlab compare scenarios/showcase.lua --on kafka:4.3,kafka:0.11 --seeds 20");
  commands.push_back({app, [parsed, more] {
                        CompareRequest request = *more;
                        request.run = parsed();
                        if (request.html == "-" && request.run.json) throw BadInput("--html - and --json both want stdout");
                        return run(request);
                      }});
}

}  // namespace mqlab::cli
