#include "sim/hunt/mechanism.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sim/hunt/property.h"

namespace mqlab {
namespace {

constexpr std::uint64_t events_max = 20'000'000;  // of a run that is only compared with: more is no small run

// Places that marks may be about: those of the finding's messages and of who is entitled to them, and the other ones of the
// history, at which nothing that happens tells of this finding. What is no place of a message (a transaction) is neither.
std::set<std::uint32_t> other_places(const Journal& j, const Finding& f) {
  std::set<std::uint32_t> mine{f.place};
  for (const OpIndex w : f.witness) mine.insert({j.ops[w].place, j.ops[w].subscription});
  std::set<std::uint32_t> others;
  for (const Op& op : j.ops)
    for (const std::uint32_t place : {op.place, op.subscription})
      if (place != 0 && mine.count(place) == 0) others.insert(place);
  return others;
}

std::set<std::string> names_of_marks(const Journal& j) {
  std::set<std::uint32_t> numbers;
  for (const Mark& m : j.marks) numbers.insert(m.name);
  std::set<std::string> names;
  for (const std::uint32_t n : numbers) names.insert(j.names.text(n));
  return names;
}

RunResult look_at(const Scenario& plan, const Model& model) {
  RunOptions o;
  o.seed = plan.seed.value_or(1);
  o.event_limit = events_max;
  return run_scenario(plan, model, nullptr, o);
}

}  // namespace

std::string Mechanism::text() const {
  std::string out = fmt::format("{}, {}promised ({})", anomaly, claimed ? "" : "not ", reason);
  return turn.empty() ? out : out + ", by " + turn;
}

bool shows(const RunResult& r, const std::string& anomaly) {
  if (anomaly == not_settled) {
    Property settles;
    settles.settles = true;
    return !breaches(settles, r).empty();
  }
  const VerdictRow* row = r.verdict(anomaly);
  return row && row->report.verdict == Verdict::violated;
}

const Finding* first_finding(const RunResult& r, const std::string& anomaly) {
  const VerdictRow* row = r.verdict(anomaly);
  return row && !row->report.worst.empty() ? &row->report.worst.front() : nullptr;
}

Time beginning_of(const Journal& j, const Finding& f) {
  if (f.message != no_message)
    for (const Op& op : j.ops)
      if (op.kind == OpKind::send && op.message == f.message) return op.time;
  return f.witness.empty() ? 0 : j.ops[f.witness.front()].time;
}

std::vector<std::uint32_t> telling_marks(const RunResult& r, const std::string& anomaly, const std::set<std::string>& routine) {
  const Journal& j = r.world->journal;
  const Finding* f = first_finding(r, anomaly);
  std::map<std::uint32_t, bool> tells;  // by the mark's name
  const auto is_telling = [&](std::uint32_t name) {
    const auto [it, fresh] = tells.try_emplace(name, false);
    if (fresh) {
      const std::string& text = j.names.text(name);
      it->second = routine.count(text) == 0 && std::none_of(world_marks().begin(), world_marks().end(), [&](const MarkDecl& d) { return d.name == text; });
    }
    return it->second;
  };
  const std::set<std::uint32_t> elsewhere = f ? other_places(j, *f) : std::set<std::uint32_t>{};
  const Time certain = f ? f->at : r.ended;
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < j.marks.size() && j.marks[i].time <= certain; ++i)
    if (is_telling(j.marks[i].name) && elsewhere.count(j.marks[i].place) == 0) all.push_back(i);
  return all;
}

Mechanism mechanism_of(const RunResult& r, const std::string& anomaly, const std::set<std::string>& routine) {
  const Journal& j = r.world->journal;
  Mechanism m;
  m.anomaly = anomaly;
  if (const VerdictRow* row = r.verdict(anomaly)) {
    m.claimed = row->claim.claimed;
    m.reason = row->claim.reason;
  } else if (anomaly == not_settled) {
    m.claimed = true;
    m.reason = "whoever is healed comes to rest";
  }
  const Finding* f = first_finding(r, anomaly);
  const Time begun = f ? beginning_of(j, *f) : 0;
  std::set<std::uint32_t> seen;
  for (const std::uint32_t i : telling_marks(r, anomaly, routine)) {
    const Mark& mark = j.marks[i];
    if (m.turn.empty() && mark.time >= begun) m.turn = j.names.text(mark.name);
    if (seen.insert(mark.name).second) m.marks.push_back(j.names.text(mark.name));
  }
  // All of it was before: the stage was set, and the message walked into it.
  if (m.turn.empty() && !m.marks.empty()) m.turn = m.marks.back();
  return m;
}

std::set<std::string> calm_marks(const Scenario& plan, const Model& model) {
  Scenario calm = plan;
  calm.faults.clear();
  return names_of_marks(look_at(calm, model).world->journal);
}

std::set<std::string> routine_marks(const Scenario& plan, const Model& model, const std::string& anomaly) {
  std::set<std::string> all = calm_marks(plan, model);
  if (plan.faults.size() < 2) return all;
  for (const PlannedFault& f : plan.faults) {
    Scenario alone = plan;
    alone.faults = {f};
    const RunResult r = look_at(alone, model);
    if (!shows(r, anomaly) && !r.interrupted) all.merge(names_of_marks(r.world->journal));
  }
  return all;
}

}  // namespace mqlab
