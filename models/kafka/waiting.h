// models/kafka/waiting.h: where an answer goes that is not given at once.
#pragma once

#include <cstdint>

#include "sim/world/types.h"

namespace mqlab::kafka {

struct Waiting {
  ConnId connection = no_connection;
  NodeId from = nobody;
  std::uint64_t word{};  // of the request
};

}  // namespace mqlab::kafka
