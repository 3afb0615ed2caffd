// models/raft/describe.h: the one text form of messages and states; traces, screens and tests share it.
//
// One line each, `key=value` in a fixed order, absent things left out. Commands are opaque here: only their
// number and offsets show.
//
//     describe(Kind::fetch, payload)   "Fetch epoch=3 offset=17 last_epoch=3"
//     describe(raft)                   "R1 leader epoch=3 log=0..18 commit=17"
#pragma once

#include <string>

#include "models/raft/raft.h"

namespace mqlab::raft {

std::string describe(Kind kind, const PayloadRef& payload);
std::string describe(const Raft& raft);

// One line each for syncs, role changes, timers and sends, in the order in which the host carries them out.
std::string describe(const Outbox& out);

// The epochs along the log, as the figures of the Raft paper show them: "1 1 2 | 4" (the bar: committed before it).
std::string describe_log(const Raft& raft);

}  // namespace mqlab::raft
