// sim/lab/row.h: what a table of a database holds, as values.
//
// A row is a key, columns by name, and two numbers that the database sets: `version` (another one with each
// change) and `sequence` (handed out when the row was inserted, not when that was committed).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "sim/kernel/time.h"

namespace mqlab {

struct CellDuration {
  Duration ns{};
  bool operator==(const CellDuration& o) const { return ns == o.ns; }
  bool operator<(const CellDuration& o) const { return ns < o.ns; }
};

// Ordered by type, then by value: a table's keys have one order whatever they are.
using Cell = std::variant<bool, std::int64_t, std::string, CellDuration>;
using Columns = std::map<std::string, Cell>;

struct Row {
  Cell key{};
  std::int64_t version{};
  std::int64_t sequence{};
  Columns columns{};
};

std::string to_text(const Cell& c);
// About how many bytes it takes on the wire and in the log.
std::uint32_t wire_bytes(const Cell& c);
std::uint32_t wire_bytes(const Columns& c);

}  // namespace mqlab
