// sim/lab/verdict_words.h: a verdict against a claim, in the same words on every face.
#pragma once

#include <string>

#include "sim/lab/run.h"

namespace mqlab {

// 1234567 -> "1,234,567".
inline std::string grouped_digits(std::uint64_t n) {
  std::string out = std::to_string(n);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, ",");
  return out;
}

// "violated, once", "violated, 6,501 times", "holds", "unknown".
inline std::string verdict_text(const Report& r) {
  if (r.verdict != Verdict::violated) return verdict_name(r.verdict);
  return r.count == 1 ? "violated, once" : "violated, " + grouped_digits(r.count) + " times";
}

// Why the model promises it, or does not: "idempotent producers, one session each (not of what P2 sent)".
inline std::string claim_text(const Claim& c) {
  std::string names;
  for (const std::string& name : c.except) names += (names.empty() ? "" : ", ") + name;
  return names.empty() || !c.claimed ? c.reason : c.reason + " (not of what " + names + " sent)";
}

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
