// models/kafka/client_timers.h: what a client's timers are for; the application's own begin at application_timer.
#pragma once

#include "sim/world/types.h"

namespace mqlab::kafka {

inline constexpr TimerKind timer_wake = 40;     // something of the sender or fetcher is due
inline constexpr TimerKind timer_request = 41;  // argument: word of a request without answer

// Inside a poll it is the application's thread that waits: what stops the application stops this.
inline constexpr TimerKind timer_poll = application_timer + 2;  // argument: call

}  // namespace mqlab::kafka
