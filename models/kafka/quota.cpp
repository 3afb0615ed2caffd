// Byte rates, and what a broker does with a client that is over its quota.
#include "models/kafka/quota.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {

// SampledStat.record, advance.
void ByteRate::record(std::int64_t bytes, Time now) {
  if (samples_.empty()) samples_.push_back({now, now, 0});
  if (now - samples_[current_].start >= quota_sample_time) {
    current_ = (current_ + 1) % (quota_samples + 1);
    if (current_ == samples_.size()) samples_.push_back({});
    samples_[current_] = {now, now, 0};
  }
  samples_[current_].bytes += bytes;
  samples_[current_].last = now;
}

// SampledStat.purgeObsoleteSamples.
void ByteRate::forget_old(Time now) {
  for (Sample& s : samples_)
    if (now - s.last >= static_cast<Duration>(quota_samples) * quota_sample_time) s = {now, now, 0};
}

std::int64_t ByteRate::bytes(Time now) {
  forget_old(now);
  std::int64_t sum = 0;
  for (const Sample& s : samples_) sum += s.bytes;
  return sum;
}

// Rate.windowSize: at least ten whole samples, and what has passed of the last one. So a first burst may be as large as
// ten seconds of quota.
Duration ByteRate::window(Time now) {
  forget_old(now);
  Time oldest = now;
  for (const Sample& s : samples_) oldest = std::min(oldest, s.start);
  Duration elapsed = now - oldest;
  const std::int64_t whole = elapsed / quota_sample_time;
  const auto least = static_cast<std::int64_t>(quota_samples) - 1;
  if (whole < least) elapsed += (least - whole) * quota_sample_time;
  return std::max<Duration>(elapsed, 1'000'000);
}

// With O observed and T allowed over a window W: X = (O - T) / T * W brings O * W / (W + X) down to T. O * W is the
// number of bytes, so that X = bytes / T - W.
Duration ByteRate::throttle_time(std::int64_t quota, Time now) {
  const std::int64_t sum = bytes(now);
  const Duration w = window(now);
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t rest = sum % quota;  // its part of a second, without a product that overflows
  const Duration needed = sum / quota > 1'000'000'000 ? time_max : sum / quota * second + (quota < second ? rest * second / quota : rest / (quota / second));
  if (needed <= w) return 0;
  return (needed - w + 500'000) / 1'000'000 * 1'000'000;
}

// ---------------------------------------------------------------------------------------------

ByteRate& Broker::rate_of(std::vector<ClientRate>& rates, NodeId client) {
  const auto at = std::lower_bound(rates.begin(), rates.end(), client, [](const ClientRate& r, NodeId n) { return r.client < n; });
  if (at != rates.end() && at->client == client) return at->rate;
  return rates.insert(at, ClientRate{client, {}})->rate;
}

// The answer is on its way already; but the channel stays muted, so what the client sends next is not read before the
// time is over (KIP-219; before it the answer itself was held back).
void Broker::throttle(Context& c, const Waiting& to, Duration wait, const char* what) {
  c.mark("throttled", {}, fmt::format("{} has {} too much: its channel is muted for {} ms", c.world().name(to.from), what, wait / 1'000'000));
  if (std::none_of(muted_.begin(), muted_.end(), [&](const Muted& m) { return m.connection == to.connection; })) mute(to.connection);
  throttled_.push_back({next_number_, to.connection});
  c.set_timer(wait, timer_throttle, next_number_++);
}

void Broker::end_throttle(std::uint64_t number) {
  for (std::size_t i = 0; i < throttled_.size(); ++i) {
    if (throttled_[i].number != number) continue;
    unmuted_.push_back(throttled_[i].connection);
    throttled_.erase(throttled_.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

// The request has taken its place in the log, whatever comes of its answer (KafkaApis.handleProduceRequest).
Duration Broker::produce_throttle(Context& c, NodeId client, std::int64_t bytes) {
  const std::int64_t quota = cluster_->settings.producer_byte_rate;
  if (quota <= 0) return 0;
  ByteRate& rate = rate_of(produce_rates_, client);
  rate.record(bytes, c.wall());
  return rate.throttle_time(quota, c.wall());
}

void Broker::answer_produce(Context& c, const Waiting& to, std::uint32_t request_bytes, ProduceReply reply) {
  const Duration wait = produce_throttle(c, to.from, request_bytes);
  reply.throttle = wait;
  c.send(to.connection, kind(Kind::produce_reply), make_payload<ProduceReply>(std::move(reply)), 64, to.word);
  if (wait > 0) throttle(c, to, wait, "sent");
}

// Its request is answered: what else came on this connection may be read, unless it is throttled.
void Broker::release(ConnId connection) {
  if (std::none_of(throttled_.begin(), throttled_.end(), [&](const Throttled& t) { return t.connection == connection; })) unmuted_.push_back(connection);
}

// How long a consumer that is about to get so many bytes must wait instead; 0: it gets them.
Duration Broker::fetch_throttle(Context& c, NodeId client, std::int64_t bytes) {
  const std::int64_t quota = cluster_->settings.consumer_byte_rate;
  if (quota <= 0) return 0;
  ByteRate& rate = rate_of(fetch_rates_, client);
  rate.record(bytes, c.wall());
  const Duration wait = rate.throttle_time(quota, c.wall());
  if (wait > 0) rate.record(-bytes, c.wall());  // unrecordQuotaSensor: they are not handed over
  return wait;
}

}  // namespace mqlab::kafka
