// mqlab score: which of these scenarios would notice a broken rule?
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/crash.h"
#include "cli/outcome_json.h"
#include "cli/page.h"
#include "cli/plan.h"
#include "cli/score.h"
#include "cli/text.h"
#include "sim/hunt/rules.h"
#include "sim/hunt/search.h"
#include "sim/lab/nearest.h"

namespace mqlab::cli {
namespace {

// A run that is not as its scenario says.
struct Miss {
  std::string case_name;
  std::uint64_t seed;
  std::string why, command;
};

// One scenario, ready to be run with a rule turned.
struct Candidate {
  RunRequest request;
  std::unique_ptr<Plan> plan;
  std::optional<Miss> as_it_is;  // it fails with every rule right: it can tell nothing
};

// With a rule broken only what must not happen counts, and what must: that an announced anomaly stays away is no alarm.
bool counts(const ExpectationResult& e, bool broken) {
  return !e.met && (!broken || e.expectation.kind == Expectation::Kind::holds || e.expectation.kind == Expectation::Kind::reaches);
}

bool wrong(const RunResult& r, bool broken) {
  return r.interrupted || !broken_claims(r).empty() || std::any_of(r.expectations.begin(), r.expectations.end(), [&](const ExpectationResult& e) { return counts(e, broken); });
}

std::string why_wrong(const RunResult& r, bool broken) {
  for (const ExpectationResult& e : r.expectations)
    if (counts(e, broken)) return fmt::format("{} {}: {}", expectation_name(e.expectation.kind), e.expectation.name, e.why);
  for (const VerdictRow* v : broken_claims(r)) return fmt::format("{}, which the model promises not to show: {}", v->report.anomaly->name, v->report.worst.empty() ? "" : v->report.worst.front().sentence);
  return r.not_drained_because;
}

// Runs all cases and seeds, until one is not as expected. What depends on chance (`finds`) is asked of all seeds together.
std::optional<Miss> first_miss(const Candidate& c, const std::optional<BrokenRule>& rule, std::uint64_t& runs) {
  for (const PlannedRun& planned : c.plan->runs) {
    std::vector<std::pair<std::string, bool>> finds;
    for (std::uint64_t seed = c.request.first_seed; seed <= c.request.last_seed && !interrupted(); ++seed) {
      RunOptions o = c.plan->options(planned, seed);
      std::string command = c.plan->command(c.request, planned, seed);
      if (rule) {
        o.settings.push_back(rule->setting());
        command += " --set " + shell_word(rule->text());
      }
      ++runs;
      crash::now_running(seed, planned.label);
      try {
        const RunResult r = run_scenario(c.plan->scenario, *c.plan->model, planned.scenario_case, o);
        if (r.interrupted && interrupted()) return std::nullopt;
        if (wrong(r, rule.has_value())) return Miss{planned.label, seed, why_wrong(r, rule.has_value()), command};
        std::size_t n = 0;
        for (const ExpectationResult& e : r.expectations)
          if (e.expectation.kind == Expectation::Kind::finds) {
            if (finds.size() == n) finds.emplace_back(e.expectation.name, false);
            finds[n].second = finds[n].second || e.found;
            ++n;
          }
      } catch (const InputError& e) {
        return Miss{planned.label, seed, e.what(), command};  // it can't even be set up so
      }
    }
    for (const auto& [name, found] : finds)
      if (!found && !rule && c.request.last_seed > c.request.first_seed) return Miss{planned.label, c.request.last_seed, fmt::format("no seed finds {}", name), c.plan->command(c.request, planned, c.request.first_seed)};
  }
  return std::nullopt;
}

std::vector<Candidate> load(const ScoreRequest& request) {
  std::vector<Candidate> all;
  for (const std::string& file : request.scenarios) {
    Candidate c;
    c.request.scenario = file;
    c.request.case_name = request.case_name;
    c.request.on = request.on;
    c.request.set = request.set;
    std::tie(c.request.first_seed, c.request.last_seed) = parse_seeds(request.seeds.find("..") == std::string::npos ? "1.." + request.seeds : request.seeds);
    c.request.many_seeds = true;
    c.plan = make_plan(c.request);
    if (c.plan->scenario.seed && request.seeds == "1") c.request.first_seed = c.request.last_seed = *c.plan->scenario.seed;
    all.push_back(std::move(c));
  }
  return all;
}

std::vector<BrokenRule> chosen_rules(const ScoreRequest& request, const std::vector<Candidate>& candidates, std::vector<const Model*>& models) {
  for (const Candidate& c : candidates)
    if (std::find(models.begin(), models.end(), c.plan->model) == models.end()) models.push_back(c.plan->model);
  std::vector<BrokenRule> all;
  std::vector<std::string> known;
  for (const Model* m : models)
    for (BrokenRule& r : broken_rules(m->decl())) {
      known.push_back(r.rule->name);
      if (request.rules.empty() || std::find(request.rules.begin(), request.rules.end(), r.rule->name) != request.rules.end()) all.push_back(std::move(r));
    }
  for (const std::string& name : request.rules)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw BadInput(and_then(fmt::format("there is no rule `{}` that can be switched{}", name, did_you_mean(name, known)), "`mqlab models NAME` lists them"));
  return all;
}

struct Scored {
  const Model* model;
  BrokenRule rule;
  std::vector<std::pair<std::string, Miss>> caught;  // by which scenario
  std::size_t asked = 0;                             // scenarios in which somebody has the option
};

int run(const ScoreRequest& request) {
  catch_interrupts();
  std::vector<Candidate> candidates = load(request);
  std::vector<const Model*> models;
  const std::vector<BrokenRule> rules = chosen_rules(request, candidates, models);
  std::uint64_t runs = 0, done = 0;
  Progress progress("score", candidates.size() + rules.size() * candidates.size());
  for (Candidate& c : candidates) {
    if (interrupted()) break;
    c.as_it_is = first_miss(c, std::nullopt, runs);
    progress.at(++done);
  }
  std::vector<Scored> scores;
  for (const BrokenRule& rule : rules) {
    if (interrupted()) break;
    Scored s{nullptr, rule, {}, 0};
    for (const Model* m : models)
      if (&*m->decl().options.begin() <= rule.rule && rule.rule <= &m->decl().options.back()) s.model = m;
    for (const Candidate& c : candidates) {
      progress.at(++done, rule.text());
      if (c.plan->model != s.model || c.as_it_is || interrupted() || !applies(*s.model, c.plan->scenario.deployment, rule)) continue;
      ++s.asked;
      if (auto miss = first_miss(c, rule, runs)) s.caught.emplace_back(c.request.scenario, std::move(*miss));
    }
    scores.push_back(std::move(s));
  }
  progress.finish();

  std::size_t caught = 0, asked = 0;
  for (const Scored& s : scores) {
    caught += !s.caught.empty();
    asked += s.asked > 0;
  }
  const bool complete = scores.size() == rules.size() && !interrupted();
  const bool usable = std::none_of(candidates.begin(), candidates.end(), [](const Candidate& c) { return c.as_it_is.has_value(); });
  if (request.json) {
    Json out{{"format", "mqlab-score/1"}, {"runs", runs}, {"rules", scores.size()}, {"rules_met", asked}, {"caught", caught}, {"interrupted", !complete}};
    out["unusable"] = Json::array();
    for (const Candidate& c : candidates)
      if (c.as_it_is) out["unusable"].push_back({{"scenario", c.request.scenario}, {"case", c.as_it_is->case_name}, {"seed", c.as_it_is->seed}, {"why", c.as_it_is->why}, {"command", c.as_it_is->command}});
    out["scores"] = Json::array();
    for (const Scored& s : scores) {
      Json one{{"model", s.model->decl().name}, {"rule", s.rule.rule->name}, {"value", to_text(*s.rule.rule, s.rule.value)}, {"scenarios", s.asked}, {"caught_by", Json::array()}};
      for (const auto& [file, m] : s.caught) one["caught_by"].push_back({{"scenario", file}, {"case", m.case_name}, {"seed", m.seed}, {"why", m.why}, {"command", m.command}});
      out["scores"].push_back(std::move(one));
    }
    print(json_text(out));
  } else {
    const Style style = Style::of_stdout();
    for (const Candidate& c : candidates)
      if (c.as_it_is) {
        print(style.paint(fmt::format("{} is not as expected with every rule right, so it can tell nothing:", c.request.scenario), Style::Ink::bad) + "\n");
        print(paragraph(c.as_it_is->why, style.width, "  ") + "  " + c.as_it_is->command + "\n\n");
      }
    Table t{{"rule, turned", "caught by", "how it shows"}};
    for (const Scored& s : scores) {
      if (s.asked == 0) continue;
      const std::string rule = models.size() > 1 ? s.model->decl().name + ": " + s.rule.text() : s.rule.text();
      if (s.caught.empty()) t.row({{rule}, {"none", Style::Ink::bad}, {""}});
      else t.row({{rule}, {fmt::format("{} of {}", s.caught.size(), s.asked), Style::Ink::good}, {s.caught.front().second.command + "\n" + s.caught.front().second.why}});
    }
    print(t.text(style, ""));
    print(fmt::format("\n{} of {} are caught ({} in {}).\n", caught, counted(asked, "broken rule"), counted(runs, "run"), counted(candidates.size(), "scenario")));
    if (asked < scores.size()) print(style.quiet(fmt::format("{} more belong to what no scenario here has.", scores.size() - asked)) + "\n");
  }
  if (!complete) complain("stopped by Ctrl-C: what was found so far is above");
  return usable && complete ? as_expected : not_as_expected;
}

}  // namespace

void add_score_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<ScoreRequest>();
  CLI::App* app = root.add_subcommand("score", "Break each rule of a model on purpose: which scenarios notice?");
  app->add_option("SCENARIO", o->scenarios, "Lua files, or names as `mqlab scenarios` lists them")->required();
  app->add_option("--rule", o->rules, "Only this switch (may be repeated); `mqlab models NAME` lists them")->expected(1)->take_all();
  app->add_option("--seeds", o->seeds, "Run each scenario with these seeds, A..B or N for 1..N (the file's own, or 1)");
  app->add_option("--case", o->case_name, "Only this case of each scenario");
  app->add_option("--on", o->on, "MODEL or MODEL:PROFILE to run on");
  app->add_option("--set", o->set, "key=value: change an option (may be repeated)")->expected(1)->take_all();
  auto* hunt = app->add_option("--hunt", o->hunt, "Give each rule so many runs around the scenarios, and look for what the museum shows for it");
  std::vector<std::string> searches;
  for (const SearchDecl& s : search_words()) searches.push_back(s.name);
  app->add_option("--search", o->search, fmt::format("... by this search: {} (mix)", fmt::join(searches, ", ")))->needs(hunt);
  app->add_option("--museum", o->museum, "... as the scenarios of this part of the library say (museum)")->needs(hunt);
  app->add_option("--jobs", o->jobs, "... so many rules at a time (as many as there are cores)")->needs(hunt);
  app->add_option("--stories", o->stories, "... and write what was found, made small, into this folder")->needs(hunt);
  app->add_option("--markdown", o->markdown, "... and the table into this file")->needs(hunt);
  app->add_flag("--json", o->json, "The result as JSON (docs/reference/json.md)");
  app->footer(
      "A rule is caught when, with it turned, something happens that the scenario says must not (holds), or that the model promises\n"
      "not to show, or something it must reach does not happen. A scenario that catches nothing may still be a good story; a suite\n"
      "that catches little is a weak test.\n\n"
      "Exit code 0: all scenarios are as expected with every rule right. 1: some are not, and can tell nothing.\n\n"
      "Examples:\n"
      "  mqlab score scenarios/search/quorum.lua --seeds 1..50\n"
      "  mqlab score scenarios/museum/kafka/r1*.lua --rule hw_isr --rule truncation\n"
      "  mqlab score scenarios/hunt/log.lua --hunt 10000 --rule fetch_epoch_check   would a search find it, without being told how?");
  commands.push_back({app, [o] { return o->hunt ? score_by_hunt(*o) : run(*o); }});
}

}  // namespace mqlab::cli
