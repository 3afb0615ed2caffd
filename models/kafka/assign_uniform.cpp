// The uniform assignor of the coordinator (KIP-848). Not there yet: it deals out in turn.
#include "models/kafka/assign_table.h"

namespace mqlab::kafka::assignors {

Shares uniform(const Table& table) { return round_robin(table); }

}  // namespace mqlab::kafka::assignors
