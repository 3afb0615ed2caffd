// mqlab show: nodes' states at any event of a trace, and what changed on the way.
#include <fmt/format.h>

#include <cstdio>

#include "cli/plan.h"
#include "cli/routes.h"
#include "cli/steps.h"
#include "sim/record/state_read.h"

namespace mqlab::cli {
namespace {

struct ShowRequest {
  std::string trace;
  std::string at;
  bool steps = false;
};

// Line by line, so that a trace may be of any size. Throws BadInput with the line's number.
void read_trace(const std::string& path, TraceReader& reader) {
  const auto check = [&](const std::optional<TraceError>& error) {
    if (error) throw BadInput(fmt::format("{}:{}: {}", path, error->line, error->message));
  };
  read_lines(path, trace_line_max, [&](std::string_view line) { check(reader.line(line)); });
  check(reader.end());
}

void need_states(const std::string& path, const TraceHeader& header) {
  if (header.changes != 0) return;
  throw BadInput(fmt::format("{}: this trace holds no states of nodes: record it with `mqlab run SCENARIO --trace FILE --format states`", path));
}

// The lines of a tree that are shown, with what the last event changed in it.
std::string tree_lines(const Tree& t, const std::string& node, TreePath& path, const StateFilter& filter, const StateStep& last, const Style& style) {
  std::string inside;
  for (const Tree& child : t.children) {
    path.push_back(child.name);
    inside += tree_lines(child, node, path, filter, last, style);
    path.pop_back();
  }
  if (inside.empty() && !filter.shows(node, printable(shown_path(node, path)))) return {};
  std::string line = std::string(2 * path.size(), ' ') + printable(t.name) + (t.value.empty() ? "" : ": " + printable(t.value));
  for (const StepChange& c : last.changes)
    if (c.node == node && c.path == path && c.change.kind != TreeChange::Kind::removed)
      line = style.paint(line + (c.change.kind == TreeChange::Kind::added ? "  (new)" : fmt::format("  (was {})", c.change.before.empty() ? "nothing" : printable(c.change.before))), Style::Ink::warn);
  return (path.empty() ? style.strong(line) : line) + "\n" + inside;
}

int show_steps(const ShowRequest& request, const StepView& view) {
  std::unique_ptr<StepPrinter> printer;
  TraceReader* source = nullptr;
  TraceReader reader([&](const StateStep& s) {
    if (!printer) {
      need_states(request.trace, *source->header());
      printer = std::make_unique<StepPrinter>(view, source->header()->processes, source->header()->step_paths, Style::of_stdout());
    }
    printer->step(s);
  });
  source = &reader;
  read_trace(request.trace, reader);
  need_states(request.trace, *reader.header());
  printer->end();
  return as_expected;
}

int show_states(const ShowRequest& request, const StepView& view) {
  std::optional<Moment> at;
  if (!request.at.empty()) at = Moment::parse("--at", request.at);
  StateFold fold;
  StateStep last;
  std::uint64_t events = 0;
  Time ended = 0;
  TraceReader reader([&](const StateStep& s) {
    events = s.number;
    ended = s.time;
    if (at && at->before(s)) return;
    fold.apply(s);
    last = s;
  });
  read_trace(request.trace, reader);
  need_states(request.trace, *reader.header());
  const bool there = last.number != 0 && (!at || (at->number ? *at->number == last.number : at->time <= ended));
  if (at && !there)
    throw BadInput(fmt::format("--at {}: there is no such event; {}", at->text, range_text(events, ended)));
  const Style style = Style::of_stdout();
  const StateFilter filter = filter_of(view, reader.header()->processes, {});
  std::string out = style.quiet(fmt::format("after #{} at {}: {}", last.number, format_time(last.time), printable(last.text))) + "\n";
  bool any = false;
  for (const Tree& t : fold.nodes()) {
    TreePath path;
    if (!filter.shows_node(t.name)) continue;
    const std::string lines = tree_lines(t, t.name, path, filter, last, style);
    any = any || !lines.empty();
    out += lines;
  }
  print(out);
  if (!any) complain("no state matches; without --only all of it is shown");
  return as_expected;
}

struct RoutesRequest {
  bool asked = false;
  bool dot = false;
  std::string svg;
  RunRequest run;
};

int show_routes(RoutesRequest r, const std::string& scenario) {
  r.run.scenario = scenario;
  const auto plan = make_plan(r.run);
  if (!r.svg.empty()) write_file(r.svg, routes_text(*plan, RouteForm::svg));
  if (r.svg.empty() || r.dot) print(routes_text(*plan, r.dot ? RouteForm::dot : RouteForm::text));
  return as_expected;
}

}  // namespace

void add_show_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<ShowRequest>();
  auto routes = std::make_shared<RoutesRequest>();
  CLI::App* app = root.add_subcommand("show", "Show the state of every node at any event of a trace, or what changed on the way; or a scenario's routes");
  app->add_option("TRACE", o->trace, "A trace with states, as `mqlab run SCENARIO --trace FILE --format states` writes it; with --routes, a scenario")->required();
  app->add_flag("--routes", routes->asked, "Which exchange hands to which queue, and every loop, as SCENARIO declares them");
  app->add_flag("--dot", routes->dot, "... for Graphviz");
  app->add_option("--svg", routes->svg, "... as a picture, to this file");
  app->add_option("--on", routes->run.on, "... of this design of the scenario");
  app->add_option("--case", routes->run.case_name, "... in this case");
  app->add_option("--at", o->at, "After this event or time: 1200, or 2.5s; without it, at the end");
  app->add_flag("--steps", o->steps, "What changed, event by event, as `mqlab run --steps` prints it");
  const auto view = add_step_options(*app);
  app->footer(
      "Examples:\n"
      "  mqlab run scenarios/showcase.lua --trace run.states.jsonl\n"
      "  mqlab show run.states.jsonl                           how it ended\n"
      "  mqlab show run.states.jsonl --at 120 --node B1        one node after event 120\n"
      "  mqlab show run.states.jsonl --at 1.5s --only orders/0 one partition, wherever it is\n"
      "  mqlab show run.states.jsonl --steps --from 1s --to 2s what changed in that second\n"
      "  mqlab show scenarios/museum/rabbitmq/r45-a-misspelt-exchange.lua --routes");
  commands.push_back({app, [o, view, routes] {
                        if (routes->asked) return show_routes(*routes, o->trace);
                        if (routes->dot || !routes->svg.empty() || !routes->run.on.empty() || !routes->run.case_name.empty()) throw BadInput("--dot, --svg, --on and --case say how routes are shown; they need --routes");
                        if (o->steps && !o->at.empty()) throw BadInput("--at shows the states at one moment; a range of steps is --from and --to");
                        if (!o->steps && (!view->from.empty() || !view->to.empty() || view->all)) throw BadInput("--from, --to and --all say which steps are shown: add --steps, or ask for one moment with --at");
                        return o->steps ? show_steps(*o, *view) : show_states(*o, *view);
                      }});
}

}  // namespace mqlab::cli
