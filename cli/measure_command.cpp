// mqlab measure: what the consumers' groups of a scenario cost, one row a case, so that cases can be compared.
#include <fmt/format.h>

#include <algorithm>

#include "cli/crash.h"
#include "cli/outcome_json.h"
#include "cli/text.h"
#include "sim/check/measure.h"
#include "sim/lab/measured.h"

namespace mqlab::cli {
namespace {

enum class Unit : unsigned char { count, time };

// A column of the table and a field of the JSON: declared once.
struct Measure {
  const char* head;
  const char* field;
  Unit unit;
  std::int64_t (*of)(const GroupCost&);
  const char* sentence;
  bool with_ranges = true;  // has a column in the table of many seeds too, which has less room
};

template <auto Member>
std::int64_t value_of(const GroupCost& g) {
  return static_cast<std::int64_t>(g.*Member);
}

const std::vector<Measure> measures{
    {"rounds", "rounds", Unit::count, value_of<&GroupCost::rounds>, "rebalances that began"},
    {"revoked", "revoked", Unit::count, value_of<&GroupCost::revoked>, "partitions taken from a living member"},
    {"moved", "moved", Unit::count, value_of<&GroupCost::moved>, "partitions that went to another member"},
    {"stopped", "stopped_ns", Unit::time, value_of<&GroupCost::stopped>, "time without a living owner, added over partitions"},
    {"longest", "longest_ns", Unit::time, [](const GroupCost& g) -> std::int64_t { return g.longest.lasts; }, "the longest such time of one partition"},
    {"all", "all_stopped_ns", Unit::time, value_of<&GroupCost::all_stopped>, "time in which no partition had an owner"},
    {"read", "delivered", Unit::count, value_of<&GroupCost::delivered>, "records delivered, each counted once", false},
    {"again", "again", Unit::count, value_of<&GroupCost::again>, "deliveries of a record that the group had got before"},
    {"lag", "lag_max", Unit::count, value_of<&GroupCost::lag_max>, "acknowledged and not yet delivered, at its worst"},
    {"p50", "latency_p50_ns", Unit::time, value_of<&GroupCost::latency_p50>, "time from send to first delivery: half of the records took no longer", false},
    {"p99", "latency_p99_ns", Unit::time, value_of<&GroupCost::latency_p99>, "time from send to first delivery: 99 of 100 records took no longer"},
};

// One group in one case, over all seeds.
struct Row {
  std::size_t run = 0;
  std::string group;
  std::uint64_t runs = 0;
  std::vector<std::vector<std::int64_t>> values = std::vector<std::vector<std::int64_t>>(measures.size());
  Gap longest{};
  std::uint64_t longest_seed = 0;

  void add(const GroupCost& g, std::uint64_t seed) {
    for (std::size_t i = 0; i < measures.size(); ++i) values[i].push_back(measures[i].of(g));
    ++runs;
    if (runs == 1 || g.longest.lasts > longest.lasts) {
      longest = g.longest;
      longest_seed = seed;
    }
  }
  void sort() {
    for (auto& v : values) std::sort(v.begin(), v.end());
  }
};

struct CaseCount {
  std::uint64_t runs = 0;
  std::uint64_t right = 0;
  std::string why;  // the first that was not as expected
};

struct Measured {
  std::vector<Row> rows;
  std::vector<CaseCount> cases;
  std::uint64_t done = 0, total = 0;

  Row& row(std::size_t run, const std::string& group) {
    const auto it = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.run == run && r.group == group; });
    if (it != rows.end()) return *it;
    rows.push_back({run, group});
    return rows.back();
  }
};

std::string shown(const Measure& m, std::int64_t v) { return m.unit == Unit::time ? short_duration(v) : grouped(static_cast<std::uint64_t>(v)); }

std::int64_t median(const std::vector<std::int64_t>& sorted) { return sorted[(sorted.size() - 1) / 2]; }

Measured measure(const Plan& plan, const RunRequest& request) {
  Measured out;
  out.cases.resize(plan.runs.size());
  out.total = (request.last_seed - request.first_seed + 1) * plan.runs.size();
  Progress progress("measuring run", out.total);
  for (std::size_t i = 0; i < plan.runs.size(); ++i)
    for (std::uint64_t seed = request.first_seed;; ++seed) {
      if (interrupted()) return out;
      const PlannedRun& run = plan.runs[i];
      crash::now_running(seed, run.label);
      const RunResult r = run_scenario(plan.scenario, *plan.model, run.scenario_case, plan.options(run, seed));
      if (r.interrupted && interrupted()) return out;
      CaseCount& count = out.cases[i];
      ++count.runs;
      if (is_right(r)) ++count.right;
      else if (count.why.empty()) count.why = plan.command(request, run, seed);
      for (const GroupCost& g : measure_groups(r.world->journal, {group_round_marks(), r.workload_ended})) out.row(i, g.group).add(g, seed);
      progress.at(++out.done);
      if (seed == request.last_seed) break;
    }
  return out;
}

// Whether the rows are medians, with ranges below them.
bool has_ranges(const RunRequest& request) { return request.last_seed > request.first_seed; }
bool has_column(const Measure& c, bool with_ranges) { return c.with_ranges || !with_ranges; }

std::string table_text(const Plan& plan, const RunRequest& request, const Measured& m, const Style& style) {
  const bool several_groups = std::any_of(m.rows.begin(), m.rows.end(), [&](const Row& r) { return r.group != m.rows.front().group; });
  const bool several_seeds = has_ranges(request);
  std::vector<std::string> head{"case"};
  if (several_groups) head.push_back("group");
  if (several_seeds) head.push_back("");
  const std::size_t first = head.size();
  for (const Measure& c : measures)
    if (has_column(c, several_seeds)) head.push_back(c.head);
  const std::size_t last = head.size();
  head.push_back("");  // the last column of a table takes what is left
  Table t(head);
  for (std::size_t c = first; c < last; ++c) t.right(c);
  for (const Row& r : m.rows) {
    const std::string label = plan.runs[r.run].label;
    const auto line = [&](const char* which, auto choose) {
      std::vector<Cell> cells;
      const bool top = !several_seeds || std::string_view(which) == "median";
      cells.push_back({!top ? "" : label.empty() ? "(the scenario)" : label});
      if (several_groups) cells.push_back({top ? r.group : ""});
      if (several_seeds) cells.push_back({which, Style::Ink::quiet});
      for (std::size_t c = 0; c < measures.size(); ++c)
        if (has_column(measures[c], several_seeds)) cells.push_back({shown(measures[c], choose(r.values[c]))});
      cells.push_back({""});
      t.row(std::move(cells));
    };
    line("median", [](const auto& v) { return median(v); });
    if (!several_seeds) continue;
    line("least", [](const auto& v) { return v.front(); });
    line("most", [](const auto& v) { return v.back(); });
  }
  return t.text(style);
}

std::string legend(bool with_ranges, const Style& style) {
  std::string out;
  for (const Measure& c : measures)
    if (has_column(c, with_ranges)) out += style.quiet(fmt::format("  {:<8}  {}", c.head, c.sentence)) + "\n";
  return out;
}

Json json_of(const Plan& plan, const RunRequest& request, const Measured& m, bool right) {
  Json out;
  out["format"] = "mqlab-measure/1";
  const Json scenario = scenario_json(plan);
  for (const auto& [key, value] : scenario.items()) out[key] = value;
  out["first_seed"] = request.first_seed;
  out["last_seed"] = request.last_seed;
  out["as_expected"] = right;
  out["interrupted"] = m.done < m.total;
  out["cases"] = Json::array();
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    Json one;
    one["case"] = plan.runs[i].label;
    one["runs"] = m.cases[i].runs;
    one["as_expected_runs"] = m.cases[i].right;
    one["groups"] = Json::array();
    for (const Row& r : m.rows) {
      if (r.run != i) continue;
      Json group;
      group["group"] = r.group;
      for (std::size_t c = 0; c < measures.size(); ++c)
        group[measures[c].field] = {{"median", median(r.values[c])}, {"least", r.values[c].front()}, {"most", r.values[c].back()}};
      group["longest_gap"] = {{"seed", r.longest_seed}, {"place", r.longest.place}, {"from_ns", r.longest.from}, {"lasts_ns", r.longest.lasts}};
      one["groups"].push_back(std::move(group));
    }
    out["cases"].push_back(std::move(one));
  }
  return out;
}

int run(const RunRequest& asked) {
  catch_interrupts();
  const auto plan = make_plan(asked);
  const RunRequest request = with_seed_of(asked, plan->scenario);
  Measured m = measure(*plan, request);
  for (Row& r : m.rows) r.sort();
  const bool complete = m.done == m.total;
  if (complete && m.rows.empty())
    throw BadInput(fmt::format("{}: no consumer was given a place by a group, so there is nothing to measure; consumers join one by group = \"...\"", request.scenario));
  std::uint64_t right = 0;
  for (const CaseCount& c : m.cases) right += c.right;
  const bool good = complete && right == m.done;
  if (request.json) {
    print(json_text(json_of(*plan, request, m, good)));
  } else {
    const Style style = Style::of_stdout();
    print(style.strong(plan->scenario.title.empty() ? plan->scenario.path : plan->scenario.title) + "\n");
    print(request.many_seeds ? fmt::format("{}, seeds {} to {}\n\n", format_duration(plan->scenario.run_for), request.first_seed, request.last_seed)
                             : fmt::format("{}, seed {}\n\n", format_duration(plan->scenario.run_for), request.first_seed));
    if (!m.rows.empty()) print(table_text(*plan, request, m, style) + "\n" + legend(has_ranges(request), style));
  }
  for (std::size_t i = 0; complete && i < plan->runs.size(); ++i)
    if (std::none_of(m.rows.begin(), m.rows.end(), [&](const Row& r) { return r.run == i; }))
      complain(fmt::format("{}: no consumer was given a place by a group in this case", plan->runs[i].label));
  for (std::size_t i = 0; i < m.cases.size(); ++i)
    if (const CaseCount& c = m.cases[i]; c.right < c.runs)
      complain(fmt::format("{}{} of {} not as the scenario expects, so read the numbers with care: {}", plan->runs[i].label.empty() ? "" : plan->runs[i].label + ": ",
                           grouped(c.runs - c.right), counted(c.runs, "run"), c.why));
  if (!complete) complain(fmt::format("stopped by Ctrl-C after {} of {} runs: what was measured so far is above", m.done, m.total));
  return good ? as_expected : not_as_expected;
}

}  // namespace

void add_measure_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<RunRequest>();
  CLI::App* app = root.add_subcommand("measure", "Run a scenario and compare what its consumer groups cost, case by case");
  const auto parsed = add_run_options(*app, o, "Many seeds, with medians and ranges", "K1.work=5ms");
  app->footer(
      "Counted from the clients' history, from a group's first assignment to the end of run_for.\n"
      "Exit code 0: every run was as its scenario expects. 1: one was not.\n\n"
      "Examples:\n"
      "  mqlab measure scenarios/lessons/rebalance.lua\n"
      "  mqlab measure scenarios/lessons/rebalance.lua --seeds 20            is it luck?\n"
      "  mqlab measure scenarios/lessons/rebalance.lua --set group_heartbeat=1s");
  commands.push_back({app, [parsed] { return run(parsed()); }});
}

}  // namespace mqlab::cli
