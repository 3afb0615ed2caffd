// mqlab why: what stands behind a verdict, whether that is enough, and what would have been without it.
#include <fmt/format.h>

#include <algorithm>

#include "cli/one_plan.h"
#include "cli/outcome_json.h"
#include "cli/page.h"
#include "cli/text.h"
#include "sim/hunt/counterfactual.h"
#include "sim/hunt/statistics.h"
#include "sim/hunt/why.h"

namespace mqlab::cli {
namespace {

struct WhyRequest {
  RunRequest run;
  std::string anomaly, html;
  std::vector<std::string> what_if;
  std::uint64_t seeds = 50;
  std::size_t steps = 30;
};

struct Asked {
  Variant variant;
  Count count;
};

// Each variant under each seed; the first is the plan as it is.
std::vector<Asked> ask(const OnePlan& of, const ToldPlan& told, const WhyRequest& request) {
  std::vector<Asked> all;
  if (request.seeds == 0) return all;
  for (Variant& v : variants_of(of.one, of.model(), told.story.slice, *told.run.world)) all.push_back({std::move(v), {}});
  for (const std::string& text : request.what_if) all.push_back({variant_with(of.one, of.model(), {parse_setting(text)}), {}});
  Progress progress("what if", all.size());
  std::uint64_t done = 0;
  for (Asked& a : all) {
    a.count = count(a.variant.plan, of.model(), told.story.slice.mechanism, request.seeds, [] { return !interrupted(); });
    progress.at(++done);
    if (interrupted()) break;
  }
  return all;
}

std::string faults_text(const OnePlan& of, const Slice& s) {
  std::string in, out;
  for (std::size_t i = 0; i < of.one.faults.size(); ++i) {
    const bool is_in = std::binary_search(s.faults.begin(), s.faults.end(), i);
    std::string& text = is_in ? in : out;
    text += (text.empty() ? "" : "; ") + describe(of.one.faults[i].fault);
  }
  if (of.one.faults.empty()) return "no fault: it takes none";
  return (in.empty() ? "none of its faults" : in) + (out.empty() ? "" : fmt::format(". Not in it: {}", out));
}

std::string alone_text(const SliceCheck& c) {
  std::string text;
  if (!c.shown) text = fmt::format("the slice alone does not show it, nor does the whole plan any more: the search was ended after {}", counted(c.runs, "run"));
  else if (c.added.empty()) text = "these faults and clients alone show the same";
  else text = fmt::format("the slice alone does not show it: {} needed ({})", c.added.size() == 1 ? "1 more element was" : fmt::format("{} more elements were", c.added.size()), fmt::join(c.added, "; "));
  if (c.shown && !c.left_out.empty()) text += fmt::format(". It goes without {}", fmt::join(c.left_out, "; "));
  return text + ".";
}

// Faults, what was asked for, and options that make a difference in a table; the other options in a sentence.
std::string variants_text(const std::vector<Asked>& all, const std::string& turn, const Style& style) {
  const Count& base = all.front().count;
  std::vector<std::string> head{"what if", "seen in", "95 % sure"};
  if (!turn.empty()) head.push_back("by " + turn);
  Table t(head);
  std::string rest;
  for (const Asked& a : all) {
    const Count& c = a.count;
    if (c.runs == 0) {
      t.row({{a.variant.what}, {"-"}, {c.why_not.empty() ? "not run" : c.why_not, Style::Ink::quiet}});
      continue;
    }
    const bool other = &a != &all.front() && differ(c, base);
    if (!other && a.variant.kind == Variant::Kind::option) {
      rest += (rest.empty() ? "" : "; ") + a.variant.what;
      continue;
    }
    const Interval i = binomial_interval(c.shown, c.runs);
    const Style::Ink ink = &a == &all.front() ? Style::Ink::strong : !other ? Style::Ink::plain : c.shown < base.shown || c.same_turn < base.same_turn ? Style::Ink::good : Style::Ink::warn;
    std::vector<Cell> row{{a.variant.what, ink}, {fmt::format("{} of {}", c.shown, c.runs), ink}, {fmt::format("{} to {}", percent(i.low), percent(i.high))}};
    if (!turn.empty()) row.push_back({fmt::format("{}", c.same_turn), ink});
    t.row(std::move(row));
  }
  std::string out = t.text(style);
  if (!rest.empty()) out += paragraph("No difference to be seen: " + rest + ".", style.width, "  ");
  return out;
}

std::string page(const OnePlan& of, const ToldPlan& told, const SliceCheck& check, const std::vector<Asked>& asked, const Style& style) {
  const Slice& s = told.story.slice;
  const Mechanism& m = s.mechanism;
  std::string out = style.strong(of.anomaly) + paragraph(s.sentence, style.width, of.anomaly + ": ").substr(of.anomaly.size());
  out += paragraph(fmt::format("{}: {}", m.claimed ? "Promised not to happen" : "Not promised", m.reason), style.width, "  ");
  if (!m.turn.empty()) {
    std::vector<std::string> others = m.marks;
    std::erase(others, m.turn);
    out += paragraph(fmt::format("It turns at {}{}", m.turn, others.empty() ? "." : fmt::format("; what else tells: {}.", fmt::join(others, ", "))), style.width, "  ");
  }
  out += "\n" + style.strong("What stands behind it") + "\n";
  for (const StoryStep& step : told.story.steps) {
    const std::string time = fmt::format("  {:>13} {} ", format_time(step.time), step.key ? '*' : ' ');
    std::string text = paragraph(step_text(told.story, step), style.width, std::string(columns(time), ' '));
    text.erase(0, columns(time));
    text.pop_back();
    const Style::Ink ink = step.key ? Style::Ink::strong : step.kind == StoryStep::Kind::fault || step.kind == StoryStep::Kind::lost ? Style::Ink::warn : step.kind == StoryStep::Kind::message ? Style::Ink::quiet : Style::Ink::plain;
    out += style.quiet(time) + style.paint(text, ink) + "\n";
  }
  if (told.story.left_out > 0) out += style.quiet(fmt::format("  {:>13}   ... {} more: --steps N", "", told.story.left_out)) + "\n";
  out += "\n" + style.strong("Is that all?") + "\n";
  out += paragraph("In the slice: " + faults_text(of, s) + ".", style.width, "  ");
  out += paragraph("Run by themselves, " + alone_text(check), style.width, "  ");
  if (!asked.empty()) {
    out += "\n" + style.strong("And without it?") + "\n" + paragraph(fmt::format("Seeds 1 to {} of the world, the faults at their times.", asked.front().count.runs), style.width, "  ");
    out += variants_text(asked, m.turn, style);
  }
  return out;
}

Json json(const OnePlan& of, const ToldPlan& told, const SliceCheck& check, const std::vector<Asked>& asked) {
  static constexpr const char* kinds[] = {"fault", "message", "mark", "operation", "end", "lost"};
  const Slice& s = told.story.slice;
  Json out = finding_json("mqlab-why/1", of, s.sentence, s.mechanism);
  out["certain_at_ns"] = s.certain;
  out["steps"] = Json::array();
  for (const StoryStep& step : told.story.steps)
    out["steps"].push_back({{"time_ns", step.time}, {"kind", kinds[static_cast<std::size_t>(step.kind)]}, {"text", step_text(told.story, step)}, {"key", step.key}});
  out["steps_left_out"] = told.story.left_out;
  out["faults"] = Json::array();
  for (std::size_t i = 0; i < of.one.faults.size(); ++i)
    out["faults"].push_back({{"fault", describe(of.one.faults[i].fault)}, {"trigger", describe(of.one.faults[i].trigger)}, {"in_slice", std::binary_search(s.faults.begin(), s.faults.end(), i)}});
  out["alone"] = {{"shown", check.shown}, {"added", check.added}, {"left_out", check.left_out}, {"runs", check.runs}};
  out["what_if"] = Json::array();
  for (const Asked& a : asked) {
    Json one = {{"what", a.variant.what}, {"shown", a.count.shown}, {"same_turn", a.count.same_turn}, {"runs", a.count.runs}};
    if (a.count.runs > 0) {
      const Interval i = binomial_interval(a.count.shown, a.count.runs);
      one["low"] = i.low;
      one["high"] = i.high;
    } else if (!a.count.why_not.empty()) {
      one["why_not"] = a.count.why_not;
    }
    out["what_if"].push_back(std::move(one));
  }
  out["interrupted"] = interrupted();
  return out;
}

int run(const WhyRequest& request) {
  catch_interrupts();
  const OnePlan of = one_plan(request.run, request.anomaly);
  // A setting that does not fit is said before anybody waits.
  for (const std::string& text : request.what_if) (void)variant_with(of.one, of.model(), {parse_setting(text)});
  const ToldPlan told = tell_plan(of.one, of.model(), of.anomaly, request.steps);
  const SliceCheck check = run_alone(of.one, of.model(), told.story.slice, *told.run.world, told.ordinary, [] { return !interrupted(); });
  const std::vector<Asked> asked = ask(of, told, request);
  if (!request.html.empty()) write_file(request.html, story_page(told, of.one.title.empty() ? "Why " + of.anomaly + "?" : of.one.title, "", of.command()));
  if (request.run.json) print(json_text(json(of, told, check, asked)));
  else print(page(of, told, check, asked, Style::of_stdout()));
  if (interrupted()) complain("stopped by Ctrl-C: what was found so far is above");
  return as_expected;
}

}  // namespace

void add_why_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<WhyRequest>();
  auto request = std::make_shared<RunRequest>();
  CLI::App* app = root.add_subcommand("why", "Say what made an anomaly, and what would have been without it");
  const auto parsed = add_run_options(*app, request, "(one run only)", "P1.acks=0");
  app->add_option("--anomaly", o->anomaly, "Which; without it one that breaks a promise, or the first that is seen");
  app->add_option("--seeds-each", o->seeds, "Run each what-if under so many seeds of the world (50); 0 = none")->check(CLI::Range(0, 1'000'000));
  app->add_option("--what-if", o->what_if, "key=value: ask this as well (may be repeated)")->expected(1)->take_all();
  app->add_option("--steps", o->steps, "Tell at most so many steps (30)")->check(CLI::Range(5, 10'000));
  app->add_option("--html", o->html, "Write the story as a page with a picture");
  app->footer(
      "Three answers. What stands behind the verdict: its rows (*), the faults and what they led to, and the messages between.\n"
      "Whether that is all: a plan with the faults and clients of this slice alone is run, and must show the same.\n"
      "And without it: the plan under other seeds of the world, as it is, without each fault, with each given option by default.\n\n"
      "Examples:\n"
      "  mqlab why scenarios/search/quorum.lua --case 4.3 --seed 2 --anomaly fifo-violation\n"
      "  mqlab why small.lua --what-if acks=all --what-if cluster.brokers=5 --seeds-each 200");
  commands.push_back({app, [parsed, o] {
                        WhyRequest all = *o;
                        all.run = parsed();
                        return run(all);
                      }});
}

}  // namespace mqlab::cli
