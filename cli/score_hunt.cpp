// mqlab score --hunt: does a search from general scenarios find what each broken rule leads to?
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>

#include "cli/library.h"
#include "cli/outcome_json.h"
#include "cli/plan.h"
#include "cli/score.h"
#include "cli/text.h"
#include "sim/hunt/rule_hunt.h"
#include "sim/lab/nearest.h"
#include "sim/lab/one_run.h"
#include "sim/script/print_scenario.h"

namespace mqlab::cli {
namespace {

namespace fs = std::filesystem;

// Scenarios to look around, a model's worth of them.
struct Bases {
  const Model* model;
  std::vector<std::string> files;
  std::vector<Scenario> scenarios;  // one run each
};

// One rule's work and what came of it.
struct Row {
  const Bases* bases;
  RuleCase rule;
  RuleFind find{};
  double hunted = 0, shrunk = 0;  // seconds
  bool done = false;
};

std::vector<Bases> load_bases(const ScoreRequest& request) {
  std::vector<Bases> all;
  for (const std::string& file : request.scenarios) {
    RunRequest r;
    r.scenario = file;
    r.case_name = request.case_name;
    r.on = request.on;
    r.set = request.set;
    const auto plan = make_plan(r);
    const PlannedRun& one = only_run(*plan, r);
    auto bases = std::find_if(all.begin(), all.end(), [&](const Bases& b) { return b.model == plan->model; });
    if (bases == all.end()) bases = all.insert(all.end(), Bases{plan->model, {}, {}});
    bases->files.push_back(file);
    bases->scenarios.push_back(one_case(plan->scenario, *plan->model, one.scenario_case, plan->options(one, 1)));
  }
  return all;
}

std::vector<Scenario> load_museum(const std::string& part) {
  std::vector<Scenario> all;
  for (const std::string& file : library_files())
    if (("/" + file).find("/" + part + "/") != std::string::npos) all.push_back(load_scenario_file(file));
  if (all.empty()) throw BadInput(fmt::format("--museum {}: the library has no scenarios there; `mqlab scenarios` lists them", part));
  return all;
}

void work(Row& row, const ScoreRequest& request) {
  using Clock = std::chrono::steady_clock;
  RuleHuntOptions o;
  o.search = request.search;
  o.runs = request.hunt;
  o.keep_going = [] { return !interrupted(); };
  auto begun = Clock::now();
  const auto lap = [&] { return std::chrono::duration<double>(Clock::now() - std::exchange(begun, Clock::now())).count(); };
  o.found = [&] { row.hunted = lap(); };
  row.find = hunt_rule(row.rule, row.bases->scenarios, *row.bases->model, o);
  (row.find.found ? row.shrunk : row.hunted) = lap();
  row.done = row.find.found || row.find.runs >= request.hunt;
}

// The rows in parallel; each is a function of its own seeds, so that only times differ with the number of jobs.
void work_all(std::vector<Row>& rows, const ScoreRequest& request) {
  const unsigned jobs = request.jobs ? request.jobs : std::max(1u, std::thread::hardware_concurrency());
  Progress progress("hunt", rows.size());
  std::atomic<std::size_t> next{0};
  std::mutex one_at_a_time;
  std::size_t done = 0;
  std::exception_ptr failure;
  std::vector<std::thread> threads;
  for (unsigned j = 0; j < jobs; ++j)
    threads.emplace_back([&] {
      for (std::size_t i; (i = next++) < rows.size() && !interrupted();) try {
          work(rows[i], request);
          const std::lock_guard lock(one_at_a_time);
          progress.at(++done, rows[i].rule.rule.text());
        } catch (...) {
          const std::lock_guard lock(one_at_a_time);
          if (!failure) failure = std::current_exception();
        }
    });
  for (std::thread& t : threads) t.join();
  progress.finish();
  if (failure) std::rethrow_exception(failure);
}

// Hundredths: 1.50 is half as much again as the museum's.
std::uint64_t percent_of_museum(const RuleFind& f) { return (f.shrunk.mechanism.anomaly.empty() || !f.exhibit ? 0 : 100 * size_of(f.shrunk.scenario).elements() / std::max<std::size_t>(1, f.exhibit->size.elements())); }

std::string write_story(const ScoreRequest& request, const Row& row) {
  Scenario s = row.find.shrunk.scenario;
  s.title = fmt::format("{}: {}", row.rule.rule.text(), row.find.anomaly);
  s.lesson = fmt::format("{}\n\nFound by chance around {} (seed {}), with {}; with the rule right the same plan does not show it.", row.find.shrunk.sentence, row.bases->files[row.find.base], row.find.seed, row.rule.rule.text());
  s.expect = {{Expectation::Kind::violates, row.find.anomaly}};
  if (why_not_printed(s)) return {};
  const std::string file = fmt::format("{}/{}-{}.lua", request.stories, row.rule.rule.rule->name, to_text(*row.rule.rule.rule, row.rule.rule.value));
  write_file(file, print_scenario(s, *row.bases->model));
  return file;
}

// Requires: not empty.
double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return (all[(all.size() - 1) / 2] + all[all.size() / 2]) / 2;
}

std::string summary(const std::vector<Row>& rows) {
  std::size_t found = 0, small = 0;
  for (const Row& row : rows) {
    if (!row.find.found) continue;
    ++found;
    small += percent_of_museum(row.find) <= 150;
  }
  return fmt::format("{} of {} are found; {} of those are at most half as large again as the museum's own schedule.", found, counted(rows.size(), "broken rule"), small);
}

// Of those found: what differs from machine to machine.
std::string times(const std::vector<Row>& rows) {
  std::vector<double> hunted, shrunk;
  for (const Row& row : rows) {
    if (!row.find.found) continue;
    hunted.push_back(row.hunted);
    shrunk.push_back(row.shrunk);
  }
  return hunted.empty() ? std::string() : fmt::format(" Half of them were found within {:.1f} s, and made small within {:.1f} s.", median(hunted), median(shrunk));
}

std::string markdown(const std::vector<Row>& rows, const std::string& command) {
  std::string out = "| rule, broken | anomaly | from | runs | seconds | elements found | shrunk to | seconds | museum's own | of it |\n| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const Row& row : rows) {
    const RuleFind& f = row.find;
    if (!f.found) {
      out += fmt::format("| `{}` | not found | | {} | {:.1f} | | | | {} | |\n", row.rule.rule.text(), grouped(f.runs), row.hunted, row.rule.exhibits.front().size.elements());
      continue;
    }
    out += fmt::format("| `{}` | {} | {} | {} | {:.1f} | {} | {} | {:.1f} | {} | {} % |\n", row.rule.rule.text(), f.anomaly, fs::path(row.bases->files[f.base]).stem().string(), grouped(f.runs), row.hunted,
                       f.before.elements(), size_of(f.shrunk.scenario).elements(), row.shrunk, f.exhibit->size.elements(), percent_of_museum(f));
  }
  return fmt::format("{}{} Made by `{}`.\n\n{}", summary(rows), times(rows), command, out);
}

Json row_json(const Row& row, const std::string& story) {
  const RuleFind& f = row.find;
  Json j{{"model", row.bases->model->decl().name}, {"rule", row.rule.rule.rule->name}, {"value", to_text(*row.rule.rule.rule, row.rule.rule.value)}, {"found", f.found}, {"runs", f.runs}};
  j["exhibits"] = Json::array();
  for (const Exhibit& x : row.rule.exhibits) j["exhibits"].push_back({{"anomaly", x.anomaly}, {"scenario", x.file}, {"case", x.case_name}, {"elements", x.size.elements()}});
  if (!f.found) return j;
  j["scenario"] = row.bases->files[f.base];
  j["seed"] = f.seed;
  j["anomaly"] = f.anomaly;
  j["elements_found"] = f.before.elements();
  j["elements"] = size_of(f.shrunk.scenario).elements();
  j["faults"] = f.shrunk.scenario.faults.size();
  j["minimal"] = f.shrunk.minimal;
  j["shrink_runs"] = f.shrunk.runs;
  j["percent_of_museum"] = percent_of_museum(f);
  j["story"] = story.empty() ? Json(nullptr) : Json(story);
  return j;
}

std::string table(const std::vector<Row>& rows, const Style& style) {
  Table t{{"rule, broken", "runs", "anomaly", "elements", "museum's"}};
  t.right(1);
  t.right(3);
  t.right(4);
  for (const Row& row : rows) {
    const RuleFind& f = row.find;
    if (f.found)
      t.row({{row.rule.rule.text()}, {grouped(f.runs)}, {f.anomaly}, {fmt::format("{} -> {}", f.before.elements(), size_of(f.shrunk.scenario).elements())}, {fmt::format("{}", f.exhibit->size.elements())}});
    else
      t.row({{row.rule.rule.text()}, {grouped(f.runs)}, {row.done ? "not found" : "not done", Style::Ink::bad}, {""}, {fmt::format("{}", row.rule.exhibits.front().size.elements())}});
  }
  return t.text(style, "");
}

}  // namespace

int score_by_hunt(const ScoreRequest& request) {
  catch_interrupts();
  const std::vector<Bases> bases = load_bases(request);
  const std::vector<Scenario> museum = load_museum(request.museum);
  std::vector<Row> rows;
  std::vector<std::string> known;
  for (const Bases& b : bases)
    for (RuleCase& c : rule_cases(museum, *b.model)) {
      if (known.empty() || known.back() != c.rule.rule->name) known.push_back(c.rule.rule->name);
      if (request.rules.empty() || std::find(request.rules.begin(), request.rules.end(), c.rule.rule->name) != request.rules.end()) rows.push_back({&b, std::move(c)});
    }
  for (const std::string& name : request.rules)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw BadInput(and_then(fmt::format("the museum shows nothing for a rule `{}`{}", name, did_you_mean(name, known)), fmt::format("it has {}", fmt::join(known, ", "))));
  if (!request.stories.empty()) fs::create_directories(request.stories);
  work_all(rows, request);

  std::size_t found = 0, small = 0;
  Json out{{"format", "mqlab-score-hunt/1"}, {"search", request.search}, {"runs", request.hunt}, {"rows", Json::array()}};
  for (const Row& row : rows) {
    found += row.find.found;
    small += row.find.found && percent_of_museum(row.find) <= 150;
    const std::string story = row.find.found && !request.stories.empty() ? write_story(request, row) : std::string();
    out["rows"].push_back(row_json(row, story));
  }
  out["found"] = found;
  out["at_most_150_percent"] = small;
  out["interrupted"] = interrupted();
  if (!request.markdown.empty()) {
    std::string command = "mqlab score";
    for (const std::string& s : request.scenarios) command += " " + shell_word(s);
    for (const std::string& r : request.rules) command += " --rule " + r;
    if (request.search != "mix") command += " --search " + request.search;
    write_file(request.markdown, markdown(rows, fmt::format("{} --hunt {}", command, request.hunt)));
  }
  if (request.json) print(json_text(out));
  else print(table(rows, Style::of_stdout()) + "\n" + summary(rows) + "\n");
  if (interrupted()) complain("stopped by Ctrl-C: what was found so far is above");
  return found == rows.size() ? as_expected : not_as_expected;
}

}  // namespace mqlab::cli
