// models/kafka/broker_timers.h: what a broker's timers are for; the quorum's own is quorum_timer.
#pragma once

#include "sim/world/types.h"

namespace mqlab::kafka {

inline constexpr TimerKind timer_heartbeat = 20;         // registration until known, then life signs
inline constexpr TimerKind timer_hw_checkpoint = 21;     // and what else is due from time to time: housekeeping
inline constexpr TimerKind timer_shrink_isr = 22;
inline constexpr TimerKind timer_produce = 23;           // argument: number of the parked produce
inline constexpr TimerKind timer_fetch = 24;             // argument: number of the parked fetch
inline constexpr TimerKind timer_fetcher = 25;           // argument: leader
inline constexpr TimerKind timer_alter_partition = 26;   // argument: partition
inline constexpr TimerKind timer_producer_ids = 27;
inline constexpr TimerKind timer_expire_producers = 28;
inline constexpr TimerKind timer_shutdown = 29;
inline constexpr TimerKind timer_cleaner = 51;           // of compaction
inline constexpr TimerKind timer_throttle = 53;          // argument: number of the throttled channel
inline constexpr TimerKind timer_group = 54;             // argument: number of the seat's timer
inline constexpr TimerKind timer_group_write = 55;       // argument: number of the write
inline constexpr TimerKind timer_group_load = 56;        // argument: partition of __consumer_offsets
inline constexpr TimerKind timer_offsets_expiry = 57;
inline constexpr TimerKind timer_share_lock = 58;        // the first lock of a share-partition ends
inline constexpr TimerKind timer_share_wait = 59;        // argument: number of the ShareFetch that waits
inline constexpr TimerKind timer_share_ask = 60;         // argument: number of the question to a share coordinator
inline constexpr TimerKind timer_share_load = 61;        // argument: partition of __share_group_state
inline constexpr TimerKind timer_share_write = 62;       // argument: number of the write
inline constexpr TimerKind timer_share_local = 63;       // this broker's own share coordinator has answered
inline constexpr TimerKind timer_txn_link = 64;          // argument: number of the ask that no other broker has answered
inline constexpr TimerKind timer_txn_load = 65;          // argument: partition of __transaction_state
inline constexpr TimerKind timer_txn_write = 66;         // argument: number of the write
inline constexpr TimerKind timer_txn_timeout = 67;       // transactions that are open for too long are looked for
inline constexpr TimerKind timer_txn_expiry = 68;        // ... and transactional ids that nobody uses
inline constexpr TimerKind timer_txn_marker = 69;        // markers that rest are sent again
inline constexpr TimerKind timer_txn_verify = 70;        // argument: number of the question to a coordinator that is asked again
inline constexpr TimerKind timer_local_answer = 71;      // this broker has answered itself

}  // namespace mqlab::kafka
