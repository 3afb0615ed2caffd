// sim/record/state_read.h: a trace file (trace.h, JSON Lines), read back as steps.
//
// Lines are handed over one at a time, so that a long trace never lies in memory whole.
//
// The rule: what is wrong is said with its line and its remedy, and nothing after it is read. What a
// trace has that this reader does not know is passed over.
//
//     TraceReader reader([&](const StateStep& s) { fold.apply(s); });
//     for (line : lines) if (auto error = reader.line(line)) complain(*error);
//     if (auto error = reader.end()) complain(*error);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/record/json_row.h"
#include "sim/record/state_steps.h"

namespace mqlab {

inline constexpr std::size_t trace_line_max = std::size_t{1} << 20;

struct TraceError {
  std::size_t line = 0;
  std::string message;
};

// What the first line says.
struct TraceHeader {
  std::vector<std::string> processes{};
  std::vector<std::string> step_paths{};
  std::uint64_t events = 0;
  std::uint64_t marks = 0;
  std::uint64_t changes = 0;  // 0: states were not recorded
  std::uint64_t drops = 0;    // 0: all messages arrived, or the file is from before they were told
};

class TraceReader {
 public:
  explicit TraceReader(StepVisitor visitor) : visitor_(std::move(visitor)) {}

  std::optional<TraceError> line(std::string_view text);
  // Hands out the last step. An error when the file was cut off.
  std::optional<TraceError> end();
  // Null before the first line was read.
  const TraceHeader* header() const { return has_header_ ? &header_ : nullptr; }

 private:
  using Complaint = std::optional<std::string>;
  Complaint row(std::string_view text);
  Complaint read_header();
  Complaint event_row();
  Complaint mark_row();
  Complaint state_row();
  Complaint drop_row();
  Complaint flush();
  const JsonField* field(std::string_view key) const;
  Complaint text(std::string_view key, std::string& out, bool needed) const;
  Complaint number(std::string_view key, std::uint64_t& out) const;
  Complaint words(std::string_view key, std::vector<std::string>& out) const;
  Complaint known_process(const std::string& name) const;

  StepVisitor visitor_;
  StateFold fold_;  // only to see that the changes fit together
  std::vector<JsonField> fields_;
  TraceHeader header_;
  bool has_header_ = false;
  std::size_t line_ = 0;
  std::uint64_t marks_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t drops_ = 0;
  StateStep step_;
};

}  // namespace mqlab
