#include "sim/lab/row.h"

#include <algorithm>

namespace mqlab {

std::string to_text(const Cell& c) {
  if (const auto* b = std::get_if<bool>(&c)) return *b ? "true" : "false";
  if (const auto* n = std::get_if<std::int64_t>(&c)) return std::to_string(*n);
  if (const auto* s = std::get_if<std::string>(&c)) return *s;
  return format_duration(std::get<CellDuration>(c).ns);
}

std::uint32_t wire_bytes(const Cell& c) {
  const auto* s = std::get_if<std::string>(&c);
  return s ? 4 + static_cast<std::uint32_t>(std::min<std::size_t>(s->size(), 1'000'000)) : 8;
}

std::uint32_t wire_bytes(const Columns& c) {
  std::uint32_t n = 0;
  for (const auto& [name, cell] : c) n += 4 + static_cast<std::uint32_t>(name.size()) + wire_bytes(cell);
  return n;
}

}  // namespace mqlab
