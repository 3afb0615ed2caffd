// sim/lab/measured.h: one value of a run, asked for in words: `count duplicate`, `deliveries late`, `latency p99 - latency p50`.
//
// Lessons ask what a run will show, `mqlab run --measure` says what it showed; both read this language. A measure is a name
// and what it is of, as far as the run has several; measures add up and compare. The one table measure_words() declares them.
//
// The rule: only what the run's history, marks and verdicts say counts, the drain at its end included, so the same run gives the
// same value on every face. Counts are whole; times are shown rounded (short_duration), so that a page does not change with each
// microsecond.
// Always true: a measure that parses can be asked of any run; what the run does not have (an unknown client) is complained about,
// never 0.
//
//     const Measure m = parse_measure("count duplicate");          // throws MeasureError: what is wrong, and what would be right
//     m.of(result).text();                                         // "1"
//     fits("2..5", m.of(result));                                  // a choice of a lesson: false
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sim/lab/run.h"

namespace mqlab {

struct MeasureError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What came out.
struct Measured {
  enum class Kind : std::uint8_t { count, time, word };
  Kind kind = Kind::count;
  std::int64_t number = 0;   // a count, or nanoseconds; -1 for a time: it never happened
  std::string word{};        // "holds", "yes"
  std::string text() const;  // "28", "6.2 ms", "never", "holds"
  bool operator==(const Measured&) const = default;
};
// From its text; a time is what was shown of it.
Measured read_measured(std::string_view text);

// How a measure is called, once for all faces.
struct MeasureDecl {
  const char* name;
  const char* of;        // "ANOMALY", "[CLIENT] [MESSAGE]"; empty: of nothing
  const char* sentence;
};
const std::vector<MeasureDecl>& measure_words();

// A measure as it was parsed. Terms are added up (or taken off); with a comparison the value is "yes" or "no".
struct Measure {
  struct Term {
    int sign = 1;
    std::size_t decl = 0;                // in measure_words(); `constant` then counts for nothing
    std::vector<std::string> of{};
    std::optional<Measured> constant{};  // a number or a time
  };
  std::string text{};                    // as it was written
  std::vector<Term> left{}, right{};     // right: of a comparison
  std::string comparison{};              // "<", "<=", "=", "!=", ">", ">="; empty: none

  // Throws MeasureError when the run has no such client, message, group.
  Measured of(const RunResult& run) const;
};
Measure parse_measure(std::string_view text);

// Marks that say "a round of rebalancing began": of the classic protocol, and of groups whose coordinator assigns.
const std::vector<std::string>& group_round_marks();

// Whether a value is what a choice says: a number or a time (`28`, `6 ms`), a range with both ends (`2..5`, `1 s..2 s`), `over 10`, `under 1 s`,
// `never`, `none`, `once`, `twice`, or a word (`holds`). A time fits when it is the same as shown. Nothing: the choice says no value at all that could
// be compared with it (a word where a number was measured).
std::optional<bool> fits(std::string_view choice, const Measured& value);

// "0", "6.2 ms", "12.4 s", "595 s": as many digits as a comparison needs; "-" for a negative one.
std::string short_duration(Duration d);

}  // namespace mqlab
