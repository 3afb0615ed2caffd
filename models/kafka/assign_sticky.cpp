// The sticky assignors of the client (KIP-54, KIP-429). Not there yet: they deal out in turn.
#include "models/kafka/assign_table.h"

namespace mqlab::kafka::assignors {

Shares sticky(const Table& table) { return round_robin(table); }
Shares cooperative_sticky(const Table& table) { return round_robin(table); }

}  // namespace mqlab::kafka::assignors
