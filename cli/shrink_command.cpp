// mqlab shrink: the smallest run that still shows an anomaly, as a scenario to read, run and keep.
#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "cli/one_plan.h"
#include "cli/outcome_json.h"
#include "cli/text.h"
#include "sim/hunt/capsule.h"
#include "sim/hunt/shrink.h"
#include "sim/script/print_scenario.h"

namespace mqlab::cli {
namespace {

struct ShrinkRequest {
  RunRequest run;
  std::string anomaly, out, mermaid, html, capsule;
  std::uint64_t runs = 2'000;
};

// What a comment at the head of a file holds: a reader wants the story, not the trace.
constexpr std::size_t steps_of_a_comment = 18;
constexpr std::size_t steps_of_a_picture = 32;

// The story at the head of the file: what is seen, step by step, and what it takes.
std::string lesson(const SliceStory& told, const Shrunk& s, const OnePlan& of, const PlanSize& before) {
  std::string text = fmt::format("{}: {}\n{}: {}\n\n", of.anomaly, s.sentence, s.mechanism.claimed ? "Promised not to happen" : "Not promised", s.mechanism.reason);
  for (const std::string& line : wrapped_steps(told, 112)) text += line + "\n";
  text += fmt::format("\nFrom `{}`: {}.\n", of.command(), describe(before));
  text += fmt::format("Of these were left: {}. {}", describe(size_of(s.scenario)),
                      s.minimal ? "Without any one of them it does not happen so." : "The search was ended before it was done: there may be less.");
  return text;
}

Json size_json(const PlanSize& s) {
  return {{"faults", s.faults}, {"clients", s.clients}, {"topics", s.topics}, {"options", s.options}, {"operations", s.operations}};
}

Json json(const OnePlan& of, const Shrunk& s, const PlanSize& before, const std::string& lua) {
  Json out = finding_json("mqlab-shrink/1", of, s.sentence, s.mechanism);
  out["minimal"] = s.minimal;
  out["runs"] = s.runs;
  out["interrupted"] = interrupted();
  out["before"] = size_json(before);
  out["after"] = size_json(size_of(s.scenario));
  out["scenario"] = lua;
  return out;
}

int run(const ShrinkRequest& asked) {
  catch_interrupts();
  OnePlan of = one_plan(asked.run, asked.anomaly);
  if (const auto why = why_not_printed(of.one)) throw BadInput(fmt::format("{} can't be made smaller by itself: {}", of.plan->scenario.path, *why));
  const bool decided = of.anomaly != not_settled;
  of.one.expect.clear();
  if (decided) of.one.expect = {{Expectation::Kind::violates, of.anomaly}};
  of.one.chapter.clear();
  const PlanSize before = size_of(of.one);

  const auto began = std::chrono::steady_clock::now();
  ShrinkOptions o;
  o.runs = asked.runs;
  o.keep_going = [] { return !interrupted(); };
  o.told = [&](const std::string& change, const Scenario& now) { complain(fmt::format("{}  ({})", change, describe(size_of(now)))); };
  Shrunk s = shrink(of.one, of.model(), of.anomaly, o);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (!s.shown) throw BadInput("stopped by Ctrl-C before the first run was over");

  s.scenario.title = fmt::format("The least that it takes: {}", of.anomaly);
  // What was reached is kept when somebody stops it; to tell it would take the runs that have just been refused.
  std::optional<ToldPlan> picture;
  if (!interrupted()) picture = tell_plan(s.scenario, of.model(), of.anomaly, steps_of_a_picture);
  s.scenario.lesson = picture ? lesson(tell_slice(picture->run, of.anomaly, picture->ordinary, steps_of_a_comment), s, of, before)
                              : fmt::format("{}: {}\n\nFrom `{}`. The search was ended before it was done: there may be less.", of.anomaly, s.sentence, of.command());
  const std::string text = print_scenario(s.scenario, of.model());
  if (picture && !asked.mermaid.empty()) write_file(asked.mermaid, story_mermaid(picture->story));
  if (picture && !asked.html.empty()) write_file(asked.html, story_page(*picture, s.scenario.title, text, "mqlab run " + shell_word(asked.out.empty() ? "FILE" : asked.out)));
  if (picture && !asked.capsule.empty()) write_file(asked.capsule, capsule_text(make_capsule(s.scenario, of.model(), of.anomaly, MQLAB_VERSION)));
  if (!asked.out.empty()) write_file(asked.out, text);
  if (asked.run.json) print(json_text(json(of, s, before, text)));
  else if (asked.out.empty()) print(text);
  if (!picture) complain("stopped by Ctrl-C: what was reached so far is written, without pictures");
  complain(fmt::format("{} runs in {:.1f} s; {}{}", s.runs, seconds, describe(size_of(s.scenario)), s.minimal ? "" : " (not done)"));
  return as_expected;
}

}  // namespace

void add_shrink_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<ShrinkRequest>();
  auto request = std::make_shared<RunRequest>();
  CLI::App* app = root.add_subcommand("shrink", "Make a run that shows an anomaly as small as it can be");
  const auto parsed = add_run_options(*app, request, "(one run only)", "P1.acks=0");
  app->add_option("--anomaly", o->anomaly, "Which; without it one that breaks a promise, or the first that is seen");
  app->add_option("--out", o->out, "Write the scenario to this file instead of stdout, its story in the comment");
  app->add_option("--mermaid", o->mermaid, "Write the story as a Mermaid sequence diagram");
  app->add_option("--html", o->html, "Write a page with story, picture, verdict and scenario; it needs nothing else");
  app->add_option("--capsule", o->capsule, "Write a seed capsule: one small text for `mqlab replay`");
  app->add_option("--runs", o->runs, "Try so many runs at most (2000)");
  app->footer(
      "Faults, clients, topics, records, options and times are taken away or made smaller while the same anomaly is seen, the\n"
      "model says the same about it, and it comes about in the same way. Ctrl-C keeps what was reached.\n\n"
      "Examples:\n"
      "  mqlab shrink scenarios/search/quorum.lua --case 4.3 --seed 7 --anomaly fifo-violation --out small.lua\n"
      "  mqlab run small.lua\n"
      "  mqlab why small.lua                                    what made it, and what would not have\n"
      "  mqlab shrink small.lua --html small.html --capsule small.capsule");
  commands.push_back({app, [parsed, o] {
                        ShrinkRequest all = *o;
                        all.run = parsed();
                        return run(all);
                      }});
}

}  // namespace mqlab::cli
