// mqlab hunt: many runs with faults drawn around a scenario; what breaks a property is grouped, and told as a story.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "cli/crash.h"
#include "cli/hunt.h"
#include "cli/plan.h"
#include "sim/hunt/stories.h"
#include "sim/lab/nearest.h"
#include "sim/lab/one_run.h"
#include "sim/script/print_scenario.h"

namespace mqlab::cli {
namespace {

struct HuntRequest {
  std::vector<std::string> scenarios;
  RunRequest run;  // case, on, set, json
  std::map<std::string, std::string> said;  // by name of the option: what makes it this campaign and no other
  std::string budget, seeds, first_seed, shard, plan, out, events;
  std::uint64_t jobs = 0;
  std::vector<std::string> known;
  bool stop_at_first = false, no_shrink = false, all_goals = false;
};

constexpr std::uint64_t seed_max = ~std::uint64_t{0} >> 1;  // numbers in the file are signed

// How long, or how many seeds.
struct Budget {
  double seconds = 0;
  std::optional<std::uint64_t> seeds;
};

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::uint64_t number_of(const char* option, const std::string& text, std::uint64_t least, std::uint64_t most) {
  const auto n = whole_number(text);
  if (!n || *n < least || *n > most) throw BadInput(fmt::format("--{} {}: a whole number from {} to {} was expected", option, text, least, most));
  return *n;
}

Budget parse_budget(const std::string& text) {
  Budget b;
  if (const auto n = whole_number(text); n && *n > 0 && *n <= seed_max) b.seeds = n;
  else if (const auto d = n ? std::nullopt : parse_duration(text); d && *d > 0) b.seconds = static_cast<double>(*d) / 1e9;
  else throw BadInput(fmt::format("--budget {}: a time was expected, as 60s, 10min or 2h, or a number of seeds, as 10000", text));
  return b;
}

Shard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto index = whole_number(std::string_view(text).substr(0, slash));
  const auto count = slash == text.size() ? std::nullopt : whole_number(std::string_view(text).substr(slash + 1));
  if (!index || !count || *index < 1 || *index > *count) throw BadInput(fmt::format("--shard {}: i/n was expected, with i from 1 to n: the four shares of four machines are 1/4, 2/4, 3/4 and 4/4", text));
  return {*index, *count};
}

FaultBudget parse_faults(const std::string& text) {
  std::vector<std::string> known;
  for (const FaultBudget b : {FaultBudget::none, FaultBudget::one_machine, FaultBudget::minority, FaultBudget::anything}) {
    known.emplace_back(budget_name(b));
    if (text == budget_name(b)) return b;
  }
  throw BadInput(and_then(fmt::format("--faults: there is no budget `{}`{}", text, did_you_mean(text, known)), fmt::format("it is one of {}", fmt::join(known, ", "))));
}

PlanSpace space_of(const Scenario& s, const HuntRequest& request) {
  PlanSpace space = s.hunt;
  if (const std::string& f = request.said.at("faults"); !f.empty()) space.budget = parse_faults(f);
  if (const std::string& n = request.said.at("faults-max"); !n.empty()) space.faults_max = number_of("faults-max", n, 0, 1'000);
  return space;
}

// The words after `mqlab hunt` that name one way to run one scenario.
std::string label_of(const RunRequest& request, const PlannedRun& run) {
  std::string words = shell_word(request.scenario);
  if (run.scenario_case) words += " --case " + shell_word(run.scenario_case->name);
  if (!request.on.empty()) words += " --on " + shell_word(request.on);
  for (const std::string& s : request.set) words += " --set " + shell_word(s);
  for (const Setting& s : run.sweep) words += " --set " + shell_word(describe(s));
  return words;
}

// All that is hunted, and what must outlive it.
struct Hunted {
  std::vector<std::unique_ptr<Plan>> plans;
  CampaignTargets targets;
  std::string title;
};

Hunted make_targets(const HuntRequest& request, const std::atomic<bool>& stop) {
  Hunted all;
  const Property property = parse_property(request.said.at("property"));
  SearchOptions options;
  options.depth = static_cast<int>(number_of("depth", request.said.at("depth"), 1, 100));
  if (const std::string& n = request.said.at("faults-max"); !n.empty()) options.faults_max = number_of("faults-max", n, 0, 1'000);
  options.keep_going = [&stop] { return !stop && !interrupted(); };
  for (const std::string& scenario : request.scenarios) {
    RunRequest one = request.run;
    one.scenario = scenario;
    auto plan = make_plan(one);
    const std::string text = read_file(plan->scenario.path);
    const std::string title = plan->scenario.title.empty() ? plan->scenario.path : plan->scenario.title;
    all.title += (all.title.empty() ? "" : "; ") + title;
    for (const PlannedRun& run : plan->runs) {
      Manifest::Target said{label_of(one, run), text};
      if (std::any_of(all.targets.begin(), all.targets.end(), [&](const CampaignTarget& t) { return t.said().label == said.label; })) throw BadInput(fmt::format("{} is named twice", said.label));
      Scenario base = one_case(plan->scenario, *plan->model, run.scenario_case, plan->options(run, 1));
      all.targets.emplace_back(std::move(said), std::move(base), *plan->model, space_of(plan->scenario, request), property, request.said.at("search"), options);
    }
    all.plans.push_back(std::move(plan));
  }
  return all;
}

// --- one plan ---

int print_one_plan(const HuntRequest& request) {
  const std::atomic<bool> stop = false;
  const Hunted all = make_targets(request, stop);
  if (all.targets.size() > 1) {
    std::vector<std::string> labels;
    for (const CampaignTarget& t : all.targets) labels.push_back(t.said().label);
    throw BadInput(fmt::format("--plan prints one plan, and here are {} ways to run: name one by --case or --set; there are {}", labels.size(), fmt::join(labels, ", ")));
  }
  const CampaignTarget& t = all.targets.front();
  const std::uint64_t seed = number_of("plan", request.plan, 0, seed_max);
  const UnitResult unit = t.search().unit(seed);
  // Of a seed that fails, the plan that does; else the one that it begins with.
  Scenario plan = unit.found.empty() ? t.plans().draw(seed) : unit.found.front().plan;
  if (const auto why = why_not_printed(plan)) throw BadInput(fmt::format("{} can't be written out by itself: {}", t.said().label, *why));
  const Manifest m = manifest_of(all.targets, {request.said.begin(), request.said.end()}, {});
  plan.lesson = fmt::format("A plan drawn around {}: `{}`", t.said().label, plan_command(m, seed, 0));
  for (const Found& f : unit.found) plan.lesson += fmt::format("\n\n{}: {}", f.anomaly, f.sentence);
  print(print_scenario(plan, t.model()));
  return as_expected;
}

// --- many ---

// One line on stderr, as often as a reader can take it in.
class HuntProgress {
 public:
  explicit HuntProgress(double seconds) : limit_(seconds) {}
  ~HuntProgress() { clear(); }
  HuntProgress(const HuntProgress&) = delete;
  HuntProgress& operator=(const HuntProgress&) = delete;

  void at(const CampaignProgress& p) {
    const auto now = Clock::now();
    if (now - begun_ < std::chrono::seconds(1) || now - shown_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000))) return;
    shown_ = now;
    const double rate = static_cast<double>(p.made) / p.seconds;
    std::string text = p.units_total > 0 ? fmt::format("{} of {} seeds", grouped(p.units), grouped(p.units_total)) : counted(p.units, "seed");
    text += fmt::format(", {} a second, goals {} of {}, ", grouped(static_cast<std::uint64_t>(rate)), p.goals, p.goals_known);
    text += p.failing == 0 ? "nothing found" : fmt::format("{} fail in {}", grouped(p.failing), counted(p.groups, "group"));
    double left = limit_ > 0 ? limit_ - p.seconds : 1e18;
    if (p.units_total > 0 && rate > 0) left = std::min(left, static_cast<double>(p.units_total - p.units) / rate);
    if (left < 1e17) text += fmt::format(", {:.0f} s left", std::max(0.0, left));
    note(terminal_ ? "\r\033[K" + text : text + "\n");
    line_ = terminal_;
  }
  void say(const std::string& text) {
    if (!terminal_) return;
    note("\r\033[K" + text);
    line_ = true;
  }
  void clear() {
    if (line_) note("\r\033[K");
    line_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  double limit_;
  Clock::time_point begun_ = Clock::now(), shown_ = begun_;
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  bool line_ = false;
};

// A line for each finished unit, once it is in the store: for those who watch, and for tests.
class EventFile {
 public:
  explicit EventFile(const std::string& path) {
    if (path.empty()) return;
    file_.reset(std::fopen(path.c_str(), "ab"));
    if (!file_) throw BadInput(fmt::format("--events {}: it can't be written: {}", path, std::strerror(errno)));
  }
  void write(const Manifest& m, const std::vector<UnitRow>& rows) {
    if (!file_) return;
    std::string text;
    for (const UnitRow& r : rows) {
      Json j{{"seed", r.seed}, {"target", m.targets[r.target].label}, {"verdict", unit_verdict_name(r.verdict)}, {"runs", r.runs}, {"events", r.events}, {"fingerprint", r.fingerprint}};
      j["groups"] = Json::array();
      for (const UnitBreach& b : r.breaches) j["groups"].push_back(b.id);
      text += j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0) throw BadInput("--events: writing failed: is the disk full?");
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, std::fclose};
};

// From the command line: which seeds, how long.
CampaignOptions campaign_options(const HuntRequest& request) {
  CampaignOptions o;
  Budget budget;
  if (!request.budget.empty()) budget = parse_budget(request.budget);
  else if (request.seeds.empty()) budget.seconds = 60;
  if (!request.first_seed.empty()) o.first_seed = number_of("first-seed", request.first_seed, 0, seed_max);
  if (!request.seeds.empty()) {
    const bool range = request.seeds.find("..") != std::string::npos;
    const auto [first, last] = parse_seeds(range ? request.seeds : "1.." + request.seeds);
    if (last > seed_max) throw BadInput(fmt::format("--seeds {}: a seed of a hunt is at most {}", request.seeds, seed_max));
    o.first_seed = first;
    o.last_seed = last;
  }
  if (budget.seeds) o.last_seed = std::min(o.last_seed.value_or(seed_max), o.first_seed + (*budget.seeds - 1));  // two of 63 bits: no overflow
  o.seconds = budget.seconds;
  o.shard = parse_shard(request.shard);
  o.jobs = request.jobs > 0 ? request.jobs : std::max(1U, std::thread::hardware_concurrency());
  o.stop_at_first = request.stop_at_first;
  o.known = {request.known.begin(), request.known.end()};
  return o;
}

std::string ended_text(CampaignEnd end, const CampaignTargets& targets, const Store& store) {
  if (end == CampaignEnd::stopped) return "stopped by Ctrl-C: this is what was found so far";
  if (end != CampaignEnd::all_done || targets.size() > 1 || !targets.front().search().total()) return {};
  return store.units() == *targets.front().search().total() ? targets.front().search().all_done(store.schedules()) : std::string();
}

int hunt(const HuntRequest& request) {
  catch_interrupts();
  if (!request.plan.empty()) return print_one_plan(request);
  CampaignOptions o = campaign_options(request);
  const std::string file = request.out.empty() ? ":memory:" : campaign_file(request.out);
  std::atomic<bool> stop = false;
  const Hunted all = make_targets(request, stop);
  std::vector<std::pair<std::string, std::string>> said{{"version", MQLAB_VERSION}};
  said.insert(said.end(), request.said.begin(), request.said.end());
  if (!request.out.empty()) {
    std::error_code error;
    std::filesystem::create_directories(request.out, error);
    if (error) throw BadInput(fmt::format("--out {}: the folder can't be made: {}", request.out, error.message()));
  }
  Store store(file, manifest_of(all.targets, std::move(said), o.shard));
  if (const auto seed = first_unit_that_differs(all.targets, store))
    throw BadInput(fmt::format("{}: seed {} does not run as it did when this campaign was begun, so another build of mqlab made it: go on with that one, or choose another --out", request.out, *seed));
  EventFile events(request.events);
  HuntProgress progress(o.seconds);
  o.stop = &stop;
  o.keep_going = [] { return !interrupted(); };
  o.begins = [](std::uint64_t seed, const std::string& target) { crash::now_running(seed, target); };
  o.told = [&](const std::vector<UnitRow>& rows, const CampaignProgress& now) {
    events.write(store.manifest(), rows);
    progress.at(now);
  };
  const CampaignEnd end = run_campaign(all.targets, store, o);

  HuntReport report{all.title, request.out, ended_text(end, all.targets, store), end != CampaignEnd::stopped, request.all_goals, o.known};
  if (!request.no_shrink && end != CampaignEnd::stopped) {
    StoryOptions s;
    s.jobs = o.jobs;
    s.known = o.known;
    s.keep_going = [] { return !interrupted(); };
    s.command = [&](std::uint64_t seed, std::uint32_t target) { return plan_command(store.manifest(), seed, target); };
    s.told = [&](const Group&, const Story&, std::size_t done, std::size_t of) { progress.say(fmt::format("shrinking: {} of {}", done, counted(of, "group"))); };
    tell_stories(all.targets, store, s);
  }
  progress.clear();
  if (!request.out.empty()) write_stories(request.out, store);
  if (request.run.json) {
    print(json_text(hunt_json(store, report)));
  } else {
    const Style style = Style::of_stdout();
    print(report_text(store, report, style));
    const std::vector<Group> groups = store.groups();
    const auto first = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return o.known.count(g.breach.id) == 0; });
    if (request.out.empty() && first != groups.end() && first->story && !first->story->lua.empty())
      print("\n" + style.strong(fmt::format("The story of {}", first->breach.id)) + style.quiet("  (--out FOLDER keeps all of them)") + "\n\n" + first->story->lua);
  }
  return report_code(store, report);
}

}  // namespace

void add_hunt_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<HuntRequest>();
  for (const SaidOption& s : said_options) o->said[s.name] = s.usual;
  CLI::App* app = root.add_subcommand("hunt", "Draw faults around a scenario, run, and tell what breaks as the least that it takes");
  app->add_option("SCENARIO", o->scenarios, "Lua files, or names as `mqlab scenarios` lists them")->required();
  app->add_option("--property", o->said["property"], "What must hold: promises, settles, expected, or anomalies by name; a,b for several (promises)");
  app->add_option("--budget", o->budget, "How long, as 60s, or how many seeds, as 10000 (60s)");
  app->add_option("--jobs", o->jobs, "Threads; what is found does not depend on it (all cores)")->check(CLI::Range(1, 1024));
  app->add_option("--out", o->out, "Keep runs and stories in this folder; the same command goes on with it");
  app->add_option("--case", o->run.case_name, "Only this case; without it, all cases and sweep combinations");
  app->add_option("--on", o->run.on, "MODEL or MODEL:PROFILE to run on");
  app->add_option("--set", o->run.set, "key=value: change an option (may be repeated)")->expected(1)->take_all();
  app->add_option("--faults", o->said["faults"], "none, \"one machine\", minority, anything: what may be wrong at a time (as the scenario says)");
  app->add_option("--faults-max", o->said["faults-max"], "At most so many faults in a run (as the scenario says)");
  std::vector<std::string> searches;
  for (const SearchDecl& s : search_words()) searches.push_back(s.name);
  app->add_option("--search", o->said["search"], fmt::format("How to look: {} (mix)", fmt::join(searches, ", ")));
  app->add_option("--depth", o->said["depth"], "pct: so many steps must meet in one order (3)");
  auto* seeds = app->add_option("--seeds", o->seeds, "A..B, or N for 1..N: these seeds and no others");
  app->add_option("--first-seed", o->first_seed, "Begin with this seed (1)")->excludes(seeds);
  app->add_option("--shard", o->shard, "i/n: only this share of the seeds; `mqlab merge` puts shares together");
  app->add_flag("--first", o->stop_at_first, "End with the first seed that fails");
  app->add_option("--known", o->known, "A group that was found before and is understood, as duplicate-7e77844c: counted apart, and no failure (may be repeated)")->expected(1)->take_all();
  app->add_flag("--no-shrink", o->no_shrink, "Do not look for the least that a failure takes");
  app->add_flag("--goals", o->all_goals, "List all goals that were never reached");
  app->add_option("--plan", o->plan, "Print the plan of this seed as a scenario, and run nothing else");
  app->add_option("--events", o->events, "Add a JSON line to this file for each finished seed");
  app->add_flag("--json", o->run.json, "The result as JSON (docs/reference/json.md)");
  app->footer(
      "Each seed is a unit of the search, as a rule one run, with faults drawn around the scenario. Failures that came about the same way\n"
      "are one group, and one of each group is made as small as it can be. Ctrl-C ends it with what was found. Exit code 0: nothing was\n"
      "found, or only what is --known; 1: something.\n\n"
      "Examples:\n"
      "  mqlab hunt scenarios/hunt/log.lua --budget 10s\n"
      "  mqlab hunt scenarios/hunt/log.lua --set acks=1 --property lost-message --first\n"
      "  mqlab hunt scenarios/hunt/log.lua --out log --budget 10000 --shard 1/4     one of four machines\n"
      "  mqlab hunt scenarios/hunt/log.lua --plan 17 > seventeen.lua                what seed 17 tries");
  commands.push_back({app, [o] { return hunt(*o); }});
}

}  // namespace mqlab::cli
