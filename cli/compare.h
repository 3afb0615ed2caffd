// cli/compare.h: one story on several designs: what each lost, doubled, reordered, and how long it took.
//
// The rule: a cell holds only what runs of this scenario showed, over seeds that are named, and the seed that shows it
// worst; the same seeds give the same bytes.
//
// Elsewhere: what is measured (sim/check/measure_run.h), the page (compare_page.cpp), designs (sim/lab/scenario.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/outcome_json.h"
#include "sim/check/measure_run.h"

namespace mqlab::cli {

// How the values of one row are to be read: less is better, or more.
enum class Better : unsigned char { less, more };
enum class Unit : unsigned char { count, time, rate, share };

// A row of the table, an object in the JSON: declared once.
struct Criterion {
  const char* head;
  const char* field;
  const char* sentence;
  Unit unit;
  Better better;
  std::int64_t (*of)(const RunResult&, const RunCost&);
};
const std::vector<Criterion>& criteria();

// One criterion of one design in one case, over all seeds.
struct Measured {
  std::vector<std::int64_t> values{};  // by seed, in order
  std::uint64_t first_seed = 0;

  std::int64_t median() const;
  std::int64_t worst(Better b) const;
  std::uint64_t worst_seed(Better b) const;  // the first that is as bad
  std::uint64_t runs_above_zero() const;
};

// One design in one case.
struct Column {
  std::string design;
  std::string sentence;
  std::vector<Measured> cells;           // by criterion
  std::uint64_t runs = 0;
  std::uint64_t right = 0;               // as the scenario expects, and no promise broken
  std::string wrong;                     // the command of the first that was not
  std::string command;                   // how to see the first of these runs
};

struct ComparedCase {
  std::string label;  // empty when there is only one
  std::vector<Column> columns;
};

struct Comparison {
  std::string scenario;  // the path as it was asked for
  std::string title;
  std::string lesson;
  Duration run_for = 0;
  std::uint64_t first_seed = 0, last_seed = 0;
  std::vector<ComparedCase> cases;
  std::uint64_t done = 0, total = 0;

  bool right() const;
};

// "0", "31.2 ms", "1,204/s", "99.2 %".
std::string shown(Unit unit, std::int64_t value);
// What a cell says: of counts "0" or "3, in 2 of 20 runs"; of others the median.
std::string cell_text(const Criterion& c, const Measured& m);
// The one that shows it worst: "worst 12 (seed 7)"; empty when all are the same.
std::string worst_text(const Criterion& c, const Measured& m);

// The self-contained page.
std::string comparison_page(const Comparison& c);

}  // namespace mqlab::cli
