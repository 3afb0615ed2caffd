// sim/lab/verdict_words.h: a verdict against a claim, in the same words on every face.
#pragma once

#include "sim/lab/run.h"

namespace mqlab {

// What a verdict means beside what the model promises, one of four squares: "as promised", "lucky this time", "a bug", "the
// expected price". "undecided" when nothing was decided.
inline const char* square(const VerdictRow& v) {
  switch (v.report.verdict) {
    case Verdict::holds: return v.claim.claimed ? "as promised" : "lucky this time";
    case Verdict::violated: return v.claim.claimed ? "a bug" : "the expected price";
    case Verdict::unknown: break;
  }
  return "undecided";
}

}  // namespace mqlab
