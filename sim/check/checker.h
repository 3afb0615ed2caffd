// sim/check/checker.h: the checkers, fed row by row while a run runs.
//
// A CheckSet holds one ledger and the checkers of the anomalies asked for; `advance` reads the rows
// of a journal that it has not read yet. Its one rule: a report depends on the rows read, never on
// how they were cut into chunks, so checking live and checking a file say the same.
//
// Always true: 1. copying a CheckSet copies all of its state (a forked world takes a copy along).
// 2. A report for every anomaly asked for and checked, in the order of all_anomalies().
// Elsewhere: names (anomaly.h), what a report says (finding.h), facts (ledger.h).
//
//     CheckSet checks;                      // or CheckSet({"lost-message", "duplicate"})
//     checks.advance(world.journal());      // as often as wanted
//     for (const Report& r : checks.report(world.journal())) ...
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "sim/check/finding.h"
#include "sim/check/ledger.h"

namespace mqlab {

// What a checker must be told because no history shows it.
struct CheckOptions {
  Duration dedup_window = -1;      // promised by the broker; -1 = nothing is promised
  std::uint32_t stall_attempts = 10;  // one message may be tried so often before it counts as holding others back
  Duration stall_bound = -1;       // ... and for so long; -1 = judged at a drain only
  std::int64_t amplification_bound = 3;  // copies that a subscription may get of a message, on the average of 10 s
  Duration collapse_bound = Duration{60} * 1'000'000'000;  // goodput may be low for so long after a load that was served
  Duration hung_bound = -1;        // a committed message may be hidden so long from readers at read-committed; -1 = judged at a drain only
  Duration unavailable_bound = Duration{60} * 1'000'000'000;  // sends may go without an answer for so long, from the first to the last
  Duration starvation_bound = -1;  // a message may wait so long while its place is silent; -1 = judged at a drain only
};

class Checker {
 public:
  virtual ~Checker() = default;
  virtual std::unique_ptr<Checker> clone() const = 0;
  // One row, already in the ledger. Called for the rows the checker was registered for.
  virtual void on(const Step& step, const Ledger& ledger) = 0;
  // Adds a report for each anomaly it decides, over what it has seen so far.
  virtual void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const = 0;
};

// Rows by kind and outcome, as a set of bits.
using Rows = std::uint64_t;
constexpr std::size_t row_of(OpKind k, Outcome o) { return static_cast<std::size_t>(k) * 4 + static_cast<std::size_t>(o); }
constexpr Rows row_bit(OpKind k, Outcome o) { return Rows{1} << row_of(k, o); }

// How a checker is registered (registry.cpp holds the one table).
struct CheckerDecl {
  Rows rows = 0;                           // those it wants
  std::vector<const char*> anomalies;      // what its finish() reports
  std::unique_ptr<Checker> (*make)(const CheckOptions&) = nullptr;
};
const std::vector<CheckerDecl>& checker_decls();

class CheckSet {
 public:
  // All checkers.
  explicit CheckSet(const CheckOptions& options = {});
  // Those for the names given; a name that has no checker is left out.
  explicit CheckSet(const std::vector<std::string_view>& names, const CheckOptions& options = {});
  CheckSet(const CheckSet& other);
  CheckSet& operator=(const CheckSet& other);
  CheckSet(CheckSet&&) = default;
  CheckSet& operator=(CheckSet&&) = default;

  // Reads the rows that are new, up to `end`. Requires: always the same journal, or a copy with more rows.
  void advance(const Journal& journal, OpIndex end = no_op);
  // The rows read so far.
  OpIndex cursor() const { return cursor_; }
  // The verdicts on what was read so far. Requires: the journal that was read.
  std::vector<Report> report(const Journal& journal) const;
  const Ledger& ledger() const { return ledger_; }

 private:
  struct Entry {
    const CheckerDecl* decl;
    std::unique_ptr<Checker> checker;
  };
  void select(const std::vector<std::string_view>* names, const CheckOptions& options);
  void index();

  Ledger ledger_;
  std::vector<Entry> entries_;
  std::vector<const Anomaly*> wanted_;                     // in the order of all_anomalies()
  std::vector<Checker*> by_row_[op_kind_count * 4];        // into entries_, by row_of
  OpIndex cursor_ = 0;
};

// The report of one anomaly, or nullptr.
const Report* find_report(const std::vector<Report>& reports, std::string_view name);

}  // namespace mqlab
