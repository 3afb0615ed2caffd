// sim/lab/conformance.h: cases recorded from a real system, run against a model.
//
// A file names its system and holds cases; each case is a row of steps, an operation and what the
// real system let its user observe. A model offers a driver for the systems that it knows
// (ConformanceOffer): it carries operations out in virtual time on a world of its own, as a client
// would. A case passes when every observation matches what is expected.
//
// Forms: `mqlab-conformance/1` (ops and expected, side by side) and `mqlab-vectors/1` (pure functions,
// whose steps the driver names). Matchers in `expected`: $any, $range, $re, $oneOf, $unordered. A value
// that the system chose is kept under a name (Saved) and stands as ${name} from then on.
//
//     ConformanceReport r = run_conformance(file, models, {.only = {"rabbit-ack"}});
//     for (const ConformanceFailure& f : r.failures) print(f.id, f.expected, f.got);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/lab/model.h"
#include "sim/lab/scenario.h"

namespace mqlab {

using ConformanceJson = nlohmann::ordered_json;

// Values that the system chose, by the name that a case gives them.
class Saved {
 public:
  void set(const std::string& name, std::string value) { values_[name] = std::move(value); }
  // ${name} -> the value, inside texts of an operation.
  ConformanceJson filled_in(const ConformanceJson& operation) const;
  // The value -> ${name}, where a text is just that value.
  ConformanceJson by_name(const ConformanceJson& observation) const;

 private:
  std::map<std::string, std::string> values_;
};

struct ConformanceStep {
  ConformanceJson operation;
  ConformanceJson expected;
};

// The file or a case of it makes no sense; the text says where.
struct BadCase : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ConformanceDriver {
 public:
  virtual ~ConformanceDriver() = default;
  // A new case: nothing is left of the one before.
  virtual void begin() {}
  // The steps of a case. Throws BadCase.
  virtual std::vector<ConformanceStep> steps(const ConformanceJson& file, const ConformanceJson& one_case) const;
  // Carries one operation out and says what was observed; null where there is nothing to observe. Throws BadCase.
  virtual ConformanceJson observe(const ConformanceJson& operation, Saved& saved) = 0;
};

// A model that knows recorded systems is one of these as well.
class ConformanceOffer {
 public:
  virtual ~ConformanceOffer() = default;
  // Null: it does not know this one ("rabbitmq").
  // `settings`: of the cluster that the cases run on, over what the recorded system was. Throws BadCase when they do not fit.
  virtual std::unique_ptr<ConformanceDriver> conformance(std::string_view system, const std::vector<Setting>& settings) const = 0;
};

struct ConformanceOptions {
  std::vector<std::string> only{};      // ids, or their beginnings
  std::vector<std::string> tags{};
  std::vector<std::string> skip_tags{};
  // Ids of cases that are known to differ, with the reason.
  std::map<std::string, std::string> known{};
  std::vector<Setting> settings{};      // rules switched to see which cases notice
};

struct ConformanceFailure {
  std::string id, what, expected, got;
};

struct ConformanceReport {
  std::string system, version;
  std::uint64_t passed = 0;
  std::vector<ConformanceFailure> failures{};
  std::vector<ConformanceFailure> known{};  // `what` is the reason
};

// Throws BadCase when the file is none of the two forms, or no model knows its system.
ConformanceReport run_conformance(const ConformanceJson& file, const Models& models, const ConformanceOptions& options);

// Where the two differ, in words, or nothing when `got` matches.
struct Mismatch {
  std::string where, expected, got;
};
std::optional<Mismatch> compare(const ConformanceJson& expected, const ConformanceJson& got, const std::string& where = "");

}  // namespace mqlab
