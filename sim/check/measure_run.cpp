#include "sim/check/measure_run.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "sim/check/measure.h"

namespace mqlab {
namespace {

struct Sent {
  Time first = 0;
  bool acknowledged = false;
};

struct Arrival {
  Time sent = 0;
  Time got = 0;
};

struct Subscription {
  std::map<MessageId, Time> got{};
  std::vector<Arrival> arrivals{};  // in the order of delivery
};

// Nothing new came for so long, though something that was to come had been sent.
void silence_of(const std::vector<Arrival>& arrivals, RunCost& cost) {
  std::vector<Time> oldest(arrivals.size());  // the oldest send among this arrival and all later ones
  Time least = time_max;
  for (std::size_t i = arrivals.size(); i-- > 0;) oldest[i] = least = std::min(least, arrivals[i].sent);
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const Time from = i == 0 ? oldest[i] : std::max(oldest[i], arrivals[i - 1].got);
    if (arrivals[i].got - from <= cost.silence) continue;
    cost.silence = arrivals[i].got - from;
    cost.silence_from = from;
  }
}

}  // namespace

RunCost measure_run(const Journal& journal, Time until) {
  RunCost cost;
  std::map<MessageId, Sent> sent;
  std::map<std::uint32_t, Subscription> subscriptions;
  std::set<MessageId> acknowledged, got;  // by the end
  for (const Op& op : journal.ops) {
    if (op.kind == OpKind::send && op.outcome == Outcome::ok) acknowledged.insert(op.message);
    const bool dropped = op.kind == OpKind::ack && (op.flags & op_flag::by_policy);  // a declared limit took it: not lost
    if (op.kind == OpKind::deliver || dropped) got.insert(op.message);
  }
  for (const MessageId m : acknowledged) cost.lost += got.count(m) == 0;

  for (const Op& op : journal.ops) {
    if (op.time > until) break;
    if (op.kind == OpKind::send && op.outcome == Outcome::invoke) {
      sent.try_emplace(op.message, Sent{op.time});
    } else if (op.kind == OpKind::send && op.outcome == Outcome::ok) {
      if (const auto it = sent.find(op.message); it != sent.end()) it->second.acknowledged = true;
    } else if (op.kind == OpKind::deliver) {
      Subscription& s = subscriptions[op.subscription];
      if (!s.got.emplace(op.message, op.time).second) {
        ++cost.again;
        continue;
      }
      const auto it = sent.find(op.message);
      s.arrivals.push_back({it == sent.end() ? op.time : it->second.first, op.time});
    }
  }

  std::vector<Duration> latencies;
  Time last = 0;
  for (const auto& [name, s] : subscriptions) {
    silence_of(s.arrivals, cost);
    cost.delivered += s.arrivals.size();
    for (const Arrival& a : s.arrivals) latencies.push_back(a.got - a.sent);
    if (!s.arrivals.empty()) last = std::max(last, s.arrivals.back().got);
  }
  Time first = time_max;
  for (const auto& [message, s] : sent) {
    ++cost.sent;
    cost.acknowledged += s.acknowledged;
    first = std::min(first, s.first);
    if (s.acknowledged && std::none_of(subscriptions.begin(), subscriptions.end(), [m = message](const auto& x) { return x.second.got.count(m) != 0; })) ++cost.waiting;
  }
  if (!latencies.empty()) {
    std::sort(latencies.begin(), latencies.end());
    cost.latency_p50 = percentile(latencies, 50);
    cost.latency_p99 = percentile(latencies, 99);
  }
  if (last > first) cost.per_second = cost.delivered * 1'000'000'000 / static_cast<std::uint64_t>(last - first);
  return cost;
}

}  // namespace mqlab
