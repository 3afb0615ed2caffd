// cli/page.h: a run as a page that a learner can read.
//
// Always true: the page depends on the run and the width alone, so that documentation can be compared
// with it; no wall-clock figure is on it.
#pragma once

#include <string>

#include "cli/plan.h"
#include "cli/text.h"
#include "sim/lab/verdict_words.h"

namespace mqlab::cli {

enum class PageKind { full, verbose, brief };

// Title, lesson and cluster: what all runs of a scenario share.
std::string head_text(const Plan& plan, const RunResult& r, const Style& style);
// Story, verdicts, witness, expectations.
std::string run_text(const Plan& plan, const PlannedRun& run, const RunResult& r, PageKind kind, const Style& style);
// The verdict table: anomaly, verdict, promised?, and which of the four squares it is.
std::string verdict_table(const RunResult& r, PageKind kind, const Style& style);
Style::Ink verdict_ink(const VerdictRow& v);

}  // namespace mqlab::cli
