// sim/check/finding.h: what a checker says.
//
// A Finding is one breach with the fewest rows that prove it; a Report is the verdict on one
// anomaly over all that was read so far. A verdict of `holds` always has evidence: who looked at
// nothing says `unknown`, with the reason.
//
// Always true: 1. `witness` is ascending and its last row is at or before `certain_at`'s.
// 2. `count` counts every breach, `worst` keeps the first few (FindingList::kept).
//
//     for (const Report& r : checks.report(journal))
//       if (r.verdict == Verdict::violated) print(r.worst[0].sentence);
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "sim/check/anomaly.h"
#include "sim/world/journal.h"

namespace mqlab {

struct Finding {
  const Anomaly* anomaly = nullptr;
  OpIndex certain_at = no_op;  // the earliest row at which nothing can undo it
  Time at{};                   // that row's time
  std::vector<OpIndex> witness{};
  std::string sentence{};      // clients, messages and positions by name
  std::uint32_t place{};       // names, 0 = none
  MessageId message = no_message;
  bool operator==(const Finding&) const = default;
};

enum class Verdict : std::uint8_t { holds, violated, unknown };
inline const char* verdict_name(Verdict v) {
  static constexpr const char* names[] = {"holds", "violated", "unknown"};
  return names[static_cast<std::size_t>(v)];
}

struct SeriesPoint {
  Time at{};
  std::uint64_t count = 0;
  bool operator==(const SeriesPoint&) const = default;
};

struct Report {
  const Anomaly* anomaly = nullptr;
  Verdict verdict = Verdict::unknown;
  std::string reason{};         // why unknown, or what limits the verdict
  std::uint64_t count = 0;      // breaches
  std::vector<Finding> worst{};
  std::uint64_t pending = 0;    // not decided yet: late messages
  std::uint64_t evidence = 0;   // how many `evidence_of` were looked at
  const char* evidence_of = "";
  std::vector<SeriesPoint> series{};  // of `unseen` only: the count over time, thinned to a few hundred points
  bool operator==(const Report& o) const {
    return anomaly == o.anomaly && verdict == o.verdict && reason == o.reason && count == o.count && worst == o.worst &&
           pending == o.pending && evidence == o.evidence && series == o.series;
  }
};

// The breaches of one anomaly: all are counted, the first few kept, so memory stays bounded.
class FindingList {
 public:
  static constexpr std::size_t kept = 16;

  explicit FindingList(const char* name) : anomaly_(find_anomaly(name)) {}

  template <class Sentence>
  void add(const Journal& journal, OpIndex certain_at, MessageId message, std::uint32_t place,
           std::initializer_list<OpIndex> witness, Sentence&& sentence) {
    add_rows(journal, certain_at, message, place, witness, std::forward<Sentence>(sentence));
  }
  // `sentence` is called only when the finding is kept. Rows: a range of OpIndex.
  template <class Rows, class Sentence>
  void add_rows(const Journal& journal, OpIndex certain_at, MessageId message, std::uint32_t place, const Rows& witness,
                Sentence&& sentence) {
    ++count_;
    if (first_.size() >= kept) return;
    Finding f{anomaly_, certain_at, journal.ops[certain_at].time, {}, sentence(), place, message};
    for (const OpIndex w : witness) {
      if (w < journal.ops.size()) f.witness.push_back(w);
    }
    std::sort(f.witness.begin(), f.witness.end());
    f.witness.erase(std::unique(f.witness.begin(), f.witness.end()), f.witness.end());
    first_.push_back(std::move(f));
  }

  // No more are kept: the next is only counted.
  bool full() const { return first_.size() >= kept; }
  void count_one() { ++count_; }
  std::uint64_t count() const { return count_; }
  const std::vector<Finding>& first() const { return first_; }

  // Violated when there is a breach; otherwise holds on this evidence, or unknown without any.
  Report report(std::uint64_t evidence, const char* evidence_of) const {
    Report r{anomaly_, Verdict::holds, {}, count_, first_, 0, evidence, evidence_of, {}};
    if (count_ > 0) {
      r.verdict = Verdict::violated;
    } else if (evidence == 0) {
      r.verdict = Verdict::unknown;
      r.reason = std::string("nothing was looked at: no ") + evidence_of;
    }
    return r;
  }

 private:
  const Anomaly* anomaly_;
  std::uint64_t count_ = 0;
  std::vector<Finding> first_;
};

}  // namespace mqlab
