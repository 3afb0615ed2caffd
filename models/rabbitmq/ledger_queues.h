// models/rabbitmq/ledger_queues.h: the ledger's rows about routing, queues and dead letters; the rest is ledger.cpp.
#pragma once

#include <vector>

#include "sim/lab/model.h"

namespace mqlab::rabbitmq {

std::vector<RuleDecl> ledger_queues();

}  // namespace mqlab::rabbitmq
