#include "sim/check/bench.h"

#include <vector>

#include <fmt/format.h>

#include "sim/check/checker.h"

namespace mqlab {

Journal make_bench_history(std::uint64_t rows) {
  constexpr std::uint32_t producers = 4;
  constexpr std::uint32_t places = 8;
  constexpr std::uint32_t groups = 2;
  constexpr std::uint32_t members = 4;
  Journal j;
  std::vector<std::uint32_t> place;
  std::vector<std::uint32_t> group;
  std::vector<std::uint32_t> key;
  for (std::uint32_t p = 0; p < places; ++p) place.push_back(j.names.id(fmt::format("orders/{}", p)));
  for (std::uint32_t g = 0; g < groups; ++g) group.push_back(j.names.id(fmt::format("group-{}", g)));
  for (std::uint32_t k = 0; k < 1000; ++k) key.push_back(j.names.id(fmt::format("key-{}", k)));
  const std::uint32_t topic = j.names.id("orders");
  for (std::uint32_t n = 0; n < producers; ++n) j.processes.push_back(fmt::format("P{}", n + 1));
  for (std::uint32_t n = 0; n < groups * members; ++n) j.processes.push_back(fmt::format("C{}", n + 1));
  j.ops.reserve(rows + 64);

  Random random(1, Stream::workload);
  Time now = 0;
  const auto add = [&](Op op) {
    op.time = now += 100;
    j.ops.push_back(op);
    return static_cast<OpIndex>(j.ops.size() - 1);
  };
  for (std::uint32_t g = 0; g < groups; ++g) {
    for (std::uint32_t p = 0; p < places; ++p) {
      add({.process = producers + g * members + p % members, .kind = OpKind::assign, .outcome = Outcome::ok, .place = place[p],
           .subscription = group[g], .position = 0});
    }
  }
  std::vector<std::uint64_t> sent(producers);
  std::vector<std::vector<MessageId>> log(places);
  std::vector<std::size_t> read(groups * places);
  while (j.ops.size() < rows) {
    // A batch of sends, all in flight at once, then their acknowledgements.
    const auto producer = static_cast<NodeId>(random.below(producers));
    const std::uint64_t batch = 1 + random.below(16);
    std::vector<OpIndex> invokes;
    for (std::uint64_t n = 0; n < batch; ++n) {
      const MessageId m = numbered_message(producer, ++sent[producer]);
      invokes.push_back(add({.process = producer, .kind = OpKind::send, .outcome = Outcome::invoke, .place = topic,
                             .key = key[random.below(key.size())], .message = m}));
    }
    for (const OpIndex of : invokes) {
      const MessageId m = j.ops[of].message;
      const std::size_t p = j.ops[of].key % places;
      log[p].push_back(m);
      const bool unknown = random.chance({1, 1000});
      add({.of = of, .process = producer, .kind = OpKind::send, .outcome = unknown ? Outcome::info : Outcome::ok,
           .place = unknown ? 0 : place[p], .message = m,
           .position = unknown ? -1 : static_cast<std::int64_t>(log[p].size() - 1)});
    }
    for (std::uint32_t g = 0; g < groups; ++g) {
      const auto p = static_cast<std::size_t>(random.below(places));
      std::size_t& next = read[g * places + p];
      const auto consumer = static_cast<NodeId>(producers + g * members + p % members);
      if (next == log[p].size()) continue;
      const OpIndex poll = add({.process = consumer, .kind = OpKind::poll, .outcome = Outcome::invoke, .subscription = group[g]});
      for (; next < log[p].size(); ++next) {
        add({.of = poll, .process = consumer, .kind = OpKind::deliver, .outcome = Outcome::ok, .place = place[p],
             .subscription = group[g], .message = log[p][next], .position = static_cast<std::int64_t>(next)});
      }
      add({.of = poll, .process = consumer, .kind = OpKind::poll, .outcome = Outcome::ok, .subscription = group[g]});
      const auto position = static_cast<std::int64_t>(next);
      const OpIndex commit = add({.process = consumer, .kind = OpKind::commit, .outcome = Outcome::invoke, .place = place[p],
                                  .subscription = group[g], .position = position});
      add({.of = commit, .process = consumer, .kind = OpKind::commit, .outcome = Outcome::ok, .place = place[p],
           .subscription = group[g], .position = position});
    }
  }
  return j;
}

CheckBench bench_check(const Journal& history) {
  CheckSet checks;
  checks.advance(history);
  CheckBench b{checks.cursor(), 0};
  for (const Report& r : checks.report(history)) {
    b.checksum = splitmix64(b.checksum ^ r.count);
    b.checksum = splitmix64(b.checksum ^ r.evidence);
    b.checksum = splitmix64(b.checksum ^ static_cast<std::uint64_t>(r.verdict));
  }
  return b;
}

CheckBench bench_check(std::uint64_t rows) { return bench_check(make_bench_history(rows)); }

}  // namespace mqlab
