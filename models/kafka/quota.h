// models/kafka/quota.h: how many bytes a client sent or was given lately, and how long it must wait if that was too much.
//
// A broker measures each client by itself, in eleven samples of a second. One rule: nothing is refused; a client over
// its quota is made to wait just so long that its rate falls to the quota again.
//
// Always true: bytes older than all samples count no more. Elsewhere: what a throttled channel does not do meanwhile
// (quota.cpp, Broker), what a throttled client does not do (Client, KIP-219).
// Sources: KIP-13; ClientQuotaManager; SampledStat, Rate (common.metrics.stats); QuotaUtils.throttleTime.
//
//     rate.record(request_bytes, now);
//     if (const Duration wait = rate.throttle_time(quota, now); wait > 0) mute(connection, wait);
#pragma once

#include <cstdint>
#include <vector>

#include "sim/kernel/time.h"

namespace mqlab::kafka {

inline constexpr std::size_t quota_samples = 11;                  // quota.window.num
inline constexpr Duration quota_sample_time = 1'000'000'000;      // quota.window.size.seconds

class ByteRate {
 public:
  void record(std::int64_t bytes, Time now);
  // 0 while the rate is at or below `quota` bytes a second. In whole milliseconds. Requires: quota > 0.
  Duration throttle_time(std::int64_t quota, Time now);
  // The bytes that count, and the time that they are divided by.
  std::int64_t bytes(Time now);
  Duration window(Time now);

 private:
  struct Sample {
    Time start{};
    Time last{};
    std::int64_t bytes{};
  };
  void forget_old(Time now);

  std::vector<Sample> samples_{};  // one more than quota_samples: the oldest may overlap the window
  std::size_t current_ = 0;
};

}  // namespace mqlab::kafka
