#include "cli/outcome_json.h"

#include "cli/page.h"

namespace mqlab::cli {

Json report_json(const Journal& journal, const Report& report) {
  Json out;
  out["anomaly"] = report.anomaly->name;
  out["class"] = anomaly_class_name(report.anomaly->kind);
  out["verdict"] = verdict_name(report.verdict);
  out["reason"] = report.reason;
  out["count"] = report.count;
  out["pending"] = report.pending;
  out["evidence"] = report.evidence;
  out["evidence_of"] = report.evidence_of;
  out["worst"] = Json::array();
  for (const Finding& f : report.worst) {
    Json finding;
    finding["sentence"] = f.sentence;
    finding["certain_at"] = f.certain_at;
    finding["time_ns"] = f.at;
    finding["witness"] = f.witness;
    finding["place"] = journal.names.text(f.place);
    finding["message"] = f.message == no_message ? "" : journal.message_name(f.message);
    out["worst"].push_back(std::move(finding));
  }
  return out;
}

Json scenario_json(const Plan& plan) {
  Json out;
  out["scenario"] = plan.scenario.path;
  out["title"] = plan.scenario.title;
  out["model"] = plan.model->decl().name;
  return out;
}

Json run_json(const Plan& plan, const RunRequest& request, const PlannedRun& run, const RunResult& r) {
  const World& world = *r.world;
  Json out;
  out["case"] = run.scenario_case ? Json(run.scenario_case->name) : Json(nullptr);
  out["profile"] = r.deployment.profile;
  out["settings"] = Json::object();
  if (run.scenario_case)
    for (const Setting& s : run.scenario_case->set) out["settings"][s.name] = to_text(s.value);
  for (const Setting& s : run.sweep) out["settings"][s.name] = to_text(s.value);
  for (const Setting& s : plan.settings) out["settings"][s.name] = to_text(s.value);
  out["seed"] = world.seed();
  out["as_expected"] = is_right(r);
  out["fingerprint"] = r.fingerprint.text();
  out["events"] = r.events;
  out["operations"] = world.journal.ops.size();
  out["workload_ended_ns"] = r.workload_ended;
  out["ended_ns"] = r.ended;
  out["drained"] = r.drained;
  out["not_drained_because"] = r.not_drained_because;
  out["interrupted"] = r.interrupted;
  out["expectations"] = Json::array();
  for (const ExpectationResult& e : r.expectations)
    out["expectations"].push_back({{"kind", expectation_name(e.expectation.kind)}, {"name", e.expectation.name}, {"line", e.expectation.line}, {"met", e.met}, {"found", e.found}, {"why", e.why}});
  out["verdicts"] = Json::array();
  for (const VerdictRow& v : r.verdicts) {
    Json row = report_json(world.journal, v.report);
    row["claimed"] = v.claim.claimed;
    row["claim_reason"] = claim_text(v.claim);
    row["square"] = square(v);
    out["verdicts"].push_back(std::move(row));
  }
  out["idle_faults"] = Json::array();
  for (const std::size_t i : r.idle_faults) {
    const ArmedFault& f = world.faults()[i];
    out["idle_faults"].push_back({{"line", f.fault.line}, {"fault", describe(f.fault)}, {"trigger", describe(f.trigger)}, {"fired", f.fired}});
  }
  out["command"] = plan.command(request, run, world.seed());
  return out;
}

std::string json_text(const Json& j) { return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string json_reference() {
  return R"(# What `--json` prints

Every result is one JSON object on stdout; messages stay on stderr and the exit code is the same as without `--json`.
Times are whole nanoseconds of virtual time. A field may be added; none changes its meaning within one `format`.

## `mqlab run`: `mqlab-run/1`

| field | what it is |
| --- | --- |
| `format` | `mqlab-run/1` |
| `scenario`, `title`, `model` | the file, its title, the model it runs on |
| `as_expected` | true iff every run was: then the exit code is 0 |
| `runs` | one object for each case and combination of a sweep, see below |

A run:

| field | what it is |
| --- | --- |
| `case` | its case, or null |
| `profile`, `settings`, `seed` | what it was run with |
| `as_expected` | all expectations met, and no promise of the model broken that the scenario did not announce |
| `fingerprint` | 32 hexadecimal digits over all events: equal for equal runs |
| `events`, `operations` | how many events the world handled, and rows the history has |
| `workload_ended_ns`, `ended_ns` | when the drain began, and when the run ended |
| `drained`, `not_drained_because` | whether all had come to rest at the end; else why not |
| `interrupted` | stopped by Ctrl-C or a limit |
| `expectations` | `kind` (reaches, holds, violates, finds), `name`, `line`, `met`, `found` (of `finds`: this run shows it), `why` |
| `verdicts` | one object for each anomaly that was looked for: see below |
| `idle_faults` | faults that were armed and changed nothing: `line`, `fault`, `trigger`, `fired` |
| `measured` | with `--measure`: the value of each, by its text: a whole number (of nanoseconds, -1 for never), or a word |
| `same_again` | with `--twice`: whether the second run had the same fingerprint |
| `command` | the command that repeats this run |

A verdict:

| field | what it is |
| --- | --- |
| `anomaly`, `class` | as `mqlab anomalies` lists them |
| `verdict` | `holds`, `violated`, `unknown` |
| `reason` | why it is unknown, or what limits the verdict |
| `count`, `pending` | breaches; what is not decided yet (late, not lost) |
| `evidence`, `evidence_of` | how much was looked at |
| `worst` | the first few breaches: `sentence`, `certain_at` (row of the history), `time_ns`, `witness` (rows), `place`, `message` |
| `claimed`, `claim_reason` | whether the model promises that it does not happen, and why (`mqlab run` only) |
| `square` | `as promised`, `lucky this time`, `a bug`, `the expected price`, `undecided` (`mqlab run` only) |

## `mqlab run --seeds A..B`: `mqlab-seeds/1`

| field | what it is |
| --- | --- |
| `scenario`, `title`, `model`, `first_seed`, `last_seed` | what was asked |
| `runs`, `as_expected_runs` | how many runs there were, and how many were as expected |
| `as_expected`, `interrupted` | whether all were; whether Ctrl-C ended it early |
| `first_failure` | null, or `case`, `seed`, `command`, `why` |
| `cases` | for each case: `case`, `runs`, `as_expected_runs`, `violated` (runs by anomaly), `first_seed` (by anomaly), `fingerprint` over all its runs |
| `not_found` | what a case `finds` and no run showed |

## `mqlab measure`: `mqlab-measure/1`

| field | what it is |
| --- | --- |
| `scenario`, `title`, `model`, `first_seed`, `last_seed` | what was asked |
| `as_expected`, `interrupted` | whether all runs were; whether Ctrl-C ended it early |
| `cases` | for each case: `case`, `runs`, `as_expected_runs`, `groups` |

A group: its name in `group`, then `median`, `least` and `most` over the seeds of each of these:

| field | what it is |
| --- | --- |
| `rounds` | rebalances that began |
| `revoked`, `moved` | places taken from a living member; places given to another member than the last |
| `stopped_ns` | time without a living owner, from the group's first assignment to the end of `run_for`, added over places |
| `longest_ns` | the longest such time of one place; `longest_gap` says where: `seed`, `place`, `from_ns`, `lasts_ns` |
| `all_stopped_ns` | time in which no place had an owner |
| `delivered`, `again` | records delivered, each counted once; deliveries of a record that the group had got before |
| `lag_max` | records acknowledged and not yet delivered, at their most |
| `latency_p50_ns`, `latency_p99_ns` | from the first attempt to send to the first delivery; -1 when nothing was delivered |

## `mqlab compare`: `mqlab-compare/1`

| field | what it is |
| --- | --- |
| `scenario`, `title`, `first_seed`, `last_seed` | what was asked |
| `as_expected`, `interrupted` | whether all runs were; whether Ctrl-C ended it early |
| `cases` | for each case: `case`, `designs` |

A design: its name in `design`, `runs`, `as_expected_runs`, then `median`, `worst`, `worst_seed` and `runs_above_zero` over
the seeds of each of these:

| field | what it is |
| --- | --- |
| `lost` | acknowledged messages that a subscription never got, after all faults were healed |
| `duplicated` | deliveries of a message that the subscription had got before |
| `reordered` | messages that came in another order than they were sent, by producer or by key |
| `stalled` | acknowledged messages that nobody had got when the load ended |
| `acknowledged_share` | of the messages sent, how many were acknowledged, in parts of 10,000 |
| `latency_p50_ns`, `latency_p99_ns` | from the first attempt to send to the first delivery; -1 when nothing was delivered |
| `per_second` | messages delivered in a second, each once for a subscription |
| `silence_ns` | the longest time in which a message waited and its subscription got nothing |

## `mqlab hunt` and `mqlab merge`: `mqlab-hunt/1`

A unit is one seed in one way to run (`targets`), as a rule one run.

| field | what it is |
| --- | --- |
| `targets` | the ways to run, as the words of a command |
| `version`, `property`, `search`, `depth`, `faults`, `faults-max`, `shard` | what was asked; empty: as the scenario says |
| `first_seed`, `last_seed` | of the units that are done, or null |
| `units`, `runs`, `schedules` | how many there are; the runs they took; the plans that were decided by them |
| `failing`, `untested` | units that break the property; that say nothing about it |
| `failing_as_known` | units that break it only as groups do that were named with `--known`; they are not in `failing` |
| `complete` | false when Ctrl-C ended it |
| `as_expected` | complete, something was tested, nothing was found: then the exit code is 0 |
| `at_most_one_in` | nothing found: 95 % sure, at most one unit in so many fails; else, and for an exhaustive search, null |
| `groups` | failures that came about the same way, see below |
| `goals` | what was hoped to be reached: `name`, `units` that did, `first_seed` or null |

A group:

| field | what it is |
| --- | --- |
| `id`, `anomaly`, `signature` | its name, the anomaly, by what it came about |
| `known` | it was named with `--known` |
| `sentence` | what the first unit shows |
| `units`, `rate_low`, `rate_high` | in how many it was seen, and the interval of its probability at 95 % |
| `clean_units_to_believe` | after so many clean units a fix is believed; null, like the rates, for an exhaustive search |
| `first_seed`, `first_target`, `command` | the first unit, and the command that prints its plan |
| `story` | null, or `file` (null: not written), `size`, `note`, `lua`, `finished` (false: Ctrl-C ended it, and the next session tells it anew) |

With `--events FILE` each finished unit is a line: `seed`, `target`, `verdict` (`holds`, `violated`, `untested`), `runs`, `events`,
`fingerprint`, `groups` (ids).

## `mqlab score`: `mqlab-score/1`

| field | what it is |
| --- | --- |
| `runs`, `rules`, `rules_met`, `caught` | runs made; broken rules tried; those that some scenario has at all; those that some scenario notices |
| `unusable` | scenarios that are not as expected with every rule right: `scenario`, `case`, `seed`, `why`, `command` |
| `scores` | for each broken rule: `model`, `rule`, `value`, `scenarios` (that have it), `caught_by` (`scenario`, `case`, `seed`, `why`, `command`) |
| `interrupted` | Ctrl-C ended it early |

## `mqlab score --hunt N`: `mqlab-score-hunt/1`

| field | what it is |
| --- | --- |
| `search`, `runs` | how it was looked; so many runs for a rule, the last unit of the search not cut |
| `rows` | for each broken rule: `model`, `rule`, `value`, `found`, `runs` (until then), `exhibits` (what the museum shows: `anomaly`, `scenario`, `case`, `elements`) |
| ... of those found | `scenario`, `seed`, `anomaly`, `elements_found`, `elements` and `faults` of the smallest, `minimal`, `shrink_runs`, `percent_of_museum`, `story` (a file, or null) |
| `found`, `at_most_150_percent`, `interrupted` | how many are found; how many of those are at most half as large again as the museum's schedule; Ctrl-C ended it early |

## `mqlab shrink`: `mqlab-shrink/1`

| field | what it is |
| --- | --- |
| `command`, `anomaly`, `sentence` | the run that was shrunk, what it shows, and in the smallest run |
| `promised`, `reason`, `turn`, `marks` | its mechanism: the model's word on it, the mark at which the story turns, all marks that tell |
| `minimal`, `runs`, `interrupted` | nothing more can be taken away; how many runs it took; whether Ctrl-C ended it early |
| `before`, `after` | sizes: `faults`, `clients`, `topics`, `options`, `operations` |
| `scenario` | the smallest run as Lua |

## `mqlab why`: `mqlab-why/1`

| field | what it is |
| --- | --- |
| `command`, `anomaly`, `sentence`, `promised`, `reason`, `turn`, `marks` | as above |
| `certain_at_ns` | the earliest time at which nothing can undo it |
| `steps`, `steps_left_out` | what stands behind it, by time: `time_ns`, `kind` (fault, message, mark, operation, end, lost: a message that never arrived), `text`, `key` (the witness, the turn, the end) |
| `faults` | the plan's faults: `fault`, `trigger`, `in_slice` |
| `alone` | the slice run by itself: `shown` (the same story), `added` (what had to be put back), `left_out`, `runs` |
| `what_if` | variants, the plan as it is first: `what`, `shown` of `runs`, and at 95 % between `low` and `high`, `same_turn` of these with the same turn; or `why_not` |
| `interrupted` | Ctrl-C ended it early |

## `mqlab replay`: `mqlab-replay/1`

| field | what it is |
| --- | --- |
| `capsule`, `anomaly` | the file, and what it is to show |
| `same_run`, `shown`, `same_mechanism` | the same fingerprint; the anomaly is seen; ... and came about as it did |
| `fingerprint`, `written_by`, `run_by` | of this run; versions of mqlab |

## `mqlab check`: `mqlab-check/1`

| field | what it is |
| --- | --- |
| `history`, `operations` | the file, and how many rows it has |
| `claims` | the names given with `--claims` |
| `verdicts` | as above |
| `as_expected` | nothing violated that is claimed; without claims: nothing violated |

## `mqlab scenarios`: `mqlab-scenarios/1`

`scenarios`: `path`, `title`, `model`, `chapter`, `cases` (`name`, `sentence`), `expectations` (`case`, `kind`, `name`), or `error`.

## `mqlab models`: `mqlab-models/1`

`models`: `name`, `family`, `sentence`, `default_profile`, `profiles`, `options` (`name`, `scope`, `type`, `default`, `sentence`,
`source`, `choices`, `switch`), `roles`, `calls`, `marks`, `verbs`, `not_modelled`, `ledger` (`rule`, `source`, `test`).

## `mqlab anomalies`: `mqlab-anomalies/1`

`anomalies`: `name`, `class`, `predicate`, `certain`, `mechanism`, `allowed`, `checked`, `scenario`.

## `mqlab conformance`: `mqlab-conformance-result/1`

`files`: `file`, `system`, `version`, `passed`, `failed`, `failures` (`id`, `what`, `expected`, `got`), `known` (differences that `--known` lists; `what` is the reason); `passed`, `failed` over all.

## `mqlab bench`: `mqlab-bench/1`

`bench`, `unit`, `units`, `run_s`, `rate`, `bytes` (the highest use of memory beyond what stood before; 0: not measured), `checksum`.
)";
}

}  // namespace mqlab::cli
