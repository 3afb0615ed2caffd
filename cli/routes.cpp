#include "cli/routes.h"

#include <fmt/format.h>

#include "cli/text.h"
#include "sim/lab/routes.h"

namespace mqlab::cli {
namespace {

// As the run would have it, settings and all.
Deployment deployment_of(const Plan& plan, const PlannedRun& run) {
  Deployment d;
  build_world(plan.scenario, *plan.model, run.scenario_case, plan.options(run, 1), d);
  return d;
}

const char* word(RouteEdge::Kind k) {
  switch (k) {
    case RouteEdge::Kind::binding: return "";
    case RouteEdge::Kind::alternate: return "else ";
    case RouteEdge::Kind::dead_letter: return "dead letters ";
  }
  return "";
}

std::string list_of(const RouteGraph& g) {
  std::string out;
  for (std::size_t n = 0; n < g.nodes.size(); ++n) {
    std::string ways;
    for (const RouteEdge& e : g.edges)
      if (e.from == n) ways += fmt::format("\n    {}-> {}{}", word(e.kind), g.nodes[e.to].label, e.label.empty() ? "" : "  [" + e.label + "]");
    out += fmt::format("  {} {}{}\n", g.nodes[n].kind == RouteNode::Kind::router ? "exchange" : "queue", g.nodes[n].label, ways);
  }
  return out;
}

}  // namespace

std::string routes_text(const Plan& plan, RouteForm form) {
  const auto* routes = dynamic_cast<const HasRoutes*>(plan.model);
  if (!routes) throw BadInput(fmt::format("{} does not route messages: a client names the place that it writes to", plan.model->decl().name));
  const RouteGraph g = routes->routes(deployment_of(plan, plan.runs.front()));
  if (form == RouteForm::dot) return to_dot(g);
  if (form == RouteForm::svg) return to_svg(g);
  std::string out = list_of(g);
  const std::vector<RouteLoop> loops = route_loops(g);
  out += loops.empty() ? "\nno loop\n" : "\n";
  for (const RouteLoop& l : loops) out += fmt::format("{}: {}\n", l.kind == RouteLoop::Kind::dead_letters ? "loop of dead letters" : "loop of exchanges (each is visited once)", l.text);
  return out;
}

std::string loop_warnings(const Plan& plan, const PlannedRun& run) {
  const auto* routes = dynamic_cast<const HasRoutes*>(plan.model);
  std::string out;
  if (!routes) return out;
  for (const RouteLoop& l : route_loops(routes->routes(deployment_of(plan, run))))
    if (l.kind == RouteLoop::Kind::dead_letters) out += fmt::format("a message may travel by itself: {}\n", l.text);
  return out;
}

}  // namespace mqlab::cli
