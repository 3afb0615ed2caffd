#include "gui/core/what_if.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/lab/one_run.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

std::string settings_text(const std::vector<Setting>& all) {
  std::string out;
  for (const Setting& s : all) out += (out.empty() ? "" : ", ") + describe(s);
  return out;
}

}  // namespace

std::vector<WhatIf> what_ifs(const Recording& r) {
  std::vector<WhatIf> out;
  const RunSpec& spec = r.spec();
  const Scenario& s = r.scenario();
  const ScenarioCase* now = nullptr;
  for (const ScenarioCase& c : s.cases)
    if (c.name == spec.case_name) now = &c;
  // Those by hand are armed last.
  const std::vector<PlannedFault> armed = drawn_faults(s, now, r.seed());
  const std::size_t by_hand = spec.interventions.size(), of_scenario = armed.size() - std::min(armed.size(), by_hand);
  for (std::size_t i = 0; i < armed.size(); ++i) {
    const bool hand = i >= of_scenario;
    out.push_back({hand ? WhatIf::Kind::without_intervention : WhatIf::Kind::without_fault, hand ? i - of_scenario : i, {},
                   hand ? fmt::format("without what was done by hand: {}", describe(armed[i].fault)) : fmt::format("without fault {}: {}", i + 1, describe(armed[i].fault))});
  }
  for (const ScenarioCase& c : s.cases)
    if (&c != now && (!now || settings_text(c.set) != settings_text(now->set)))
      out.push_back({WhatIf::Kind::as_case, 0, c.name, c.set.empty() ? fmt::format("as case {}", c.name) : c.name == settings_text(c.set) ? fmt::format("with {}", c.name) : fmt::format("as case {}: {}", c.name, settings_text(c.set))});
  return out;
}

FutureDifference difference(const Recording& here, const Recording& there) {
  FutureDifference out;
  const auto broken = [](const RunResult& r, std::string_view name) {
    const VerdictRow* v = r.verdict(name);
    return v && v->report.verdict == Verdict::violated;
  };
  for (const VerdictRow& v : here.result().verdicts)
    if (v.report.verdict == Verdict::violated) (broken(there.result(), v.report.anomaly->name) ? out.still : out.gone).emplace_back(v.report.anomaly->name);
  for (const VerdictRow& v : there.result().verdicts)
    if (v.report.verdict == Verdict::violated && !broken(here.result(), v.report.anomaly->name)) out.fresh.emplace_back(v.report.anomaly->name);
  out.parts = where_they_part(here, there);
  if (out.parts.a < here.events() || out.parts.b < there.events()) {
    const auto time = [](const Recording& r, std::size_t e) { return e < r.events() ? r.time_of(e) : r.end(); };
    out.parts_at = std::min(time(here, out.parts.a), time(there, out.parts.b));
  }
  return out;
}

CauseChain causes_of(const EventIndex& index, std::size_t event, std::size_t most) {
  CauseChain out;
  const std::size_t events = index.recording().events();
  for (std::size_t e = event; e < events;) {
    if (out.events.size() < most) out.events.push_back(e);
    else ++out.left_out;
    const std::size_t cause = index.cause_of(e);
    if (cause >= e) break;  // nothing recorded, or a journal that is wrong
    e = cause;
  }
  std::reverse(out.events.begin(), out.events.end());
  out.lost.resize(out.events.size());
  const auto& all = index.recording().journal().deliveries;
  for (std::size_t i = 0; i + 1 < out.events.size(); ++i) {
    const std::size_t here = out.events[i], next = out.events[i + 1];
    if (!is_message(all[next].event) && line_of(all[here].event) == line_of(all[next].event)) out.lost[i] = index.lost_because_of(here, next);
  }
  return out;
}

}  // namespace mqlab::gui
