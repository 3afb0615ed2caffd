#include "sim/check/bench.h"

#include <algorithm>
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

Journal make_bench_transactions(std::uint64_t rows) {
  constexpr std::uint32_t workers = 4;
  constexpr std::uint32_t places = 8;
  constexpr std::uint32_t groups = 2;
  constexpr auto careful = op_flag::read_committed;
  Journal j;
  std::vector<std::uint32_t> in, out, id, group;
  for (std::uint32_t p = 0; p < workers; ++p) in.push_back(j.names.id(fmt::format("in/{}", p)));
  for (std::uint32_t p = 0; p < places; ++p) out.push_back(j.names.id(fmt::format("out/{}", p)));
  for (std::uint32_t w = 0; w < workers; ++w) id.push_back(j.names.id(fmt::format("worker-{}", w)));
  for (std::uint32_t g = 0; g < groups; ++g) group.push_back(j.names.id(fmt::format("group-{}", g)));
  const std::uint32_t work = j.names.id("workers");
  for (std::uint32_t n = 0; n < workers; ++n) j.processes.push_back(fmt::format("W{}", n + 1));
  for (std::uint32_t n = 0; n < groups; ++n) j.processes.push_back(fmt::format("C{}", n + 1));
  j.processes.push_back("P1");
  constexpr NodeId producer = workers + groups;
  j.ops.reserve(rows + 256);
  Random random(1, Stream::workload);
  Time now = 0;
  const auto add = [&](Op op) {
    op.time = now += 100;
    j.ops.push_back(op);
    return static_cast<OpIndex>(j.ops.size() - 1);
  };
  struct Written {
    MessageId message;
    bool committed;
  };
  std::vector<std::vector<Written>> log(places);
  std::vector<std::int64_t> fed(workers), taken(workers), settled(places);
  std::vector<std::uint64_t> sent(producer + 1), number(workers);
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> mine(workers);  // what the open transaction wrote
  std::vector<std::int64_t> next(groups * places);
  for (std::uint32_t w = 0; w < workers; ++w) {
    add({.process = w, .kind = OpKind::assign, .outcome = Outcome::ok, .place = in[w], .subscription = work, .position = 0});
  }
  const auto send = [&](NodeId who, std::uint32_t at, std::uint64_t transaction, std::int64_t position) {
    const MessageId m = numbered_message(who, ++sent[who]);
    const OpIndex of = add({.process = who, .kind = OpKind::send, .outcome = Outcome::invoke, .place = at, .message = m, .transaction = transaction});
    add({.of = of, .process = who, .kind = OpKind::send, .outcome = Outcome::ok, .place = at, .message = m, .position = position,
         .transaction = transaction});
    return m;
  };
  const auto read = [&](NodeId who, std::uint32_t at, std::uint32_t sub, MessageId m, std::int64_t position, OpIndex poll, std::uint64_t transaction) {
    add({.of = poll, .process = who, .kind = OpKind::deliver, .outcome = Outcome::ok, .flags = careful, .place = at, .subscription = sub,
         .message = m, .position = position, .transaction = transaction});
  };
  const auto write = [&](std::uint32_t w) {
    const auto p = static_cast<std::size_t>(random.below(places));
    const auto position = static_cast<std::int64_t>(log[p].size());
    log[p].push_back({send(w, out[p], number[w], position), false});
    mine[w].emplace_back(p, log[p].size() - 1);
  };
  while (j.ops.size() < rows) {
    const auto w = static_cast<std::uint32_t>(random.below(workers));
    if (mine[w].empty()) {  // a transaction: poll, write for each message that came
      const std::uint64_t batch = 1 + random.below(8);
      for (std::uint64_t n = 0; n < batch; ++n) send(producer, in[w], 0, fed[w]++);
      const std::uint64_t t = ++number[w];
      add({.process = w, .kind = OpKind::begin, .outcome = Outcome::ok, .key = id[w], .transaction = t});
      const OpIndex poll = add({.process = w, .kind = OpKind::poll, .outcome = Outcome::invoke, .subscription = work, .transaction = t});
      while (taken[w] < fed[w]) {
        // What P1 sent to this worker, in the order of its batches.
        const Op& first = j.ops[poll - 1 - 2 * static_cast<std::uint64_t>(fed[w] - taken[w])];
        read(w, in[w], work, first.message, taken[w], poll, t);
        ++taken[w];
      }
      add({.of = poll, .process = w, .kind = OpKind::poll, .outcome = Outcome::ok, .subscription = work, .transaction = t});
      for (std::uint64_t n = 0; n < batch; ++n) write(w);
      continue;
    }
    if (mine[w].size() < 16 && random.chance({1, 3})) {  // others write in between
      write(w);
      continue;
    }
    const std::uint64_t t = number[w];
    const OpIndex commit = add({.process = w, .kind = OpKind::commit, .outcome = Outcome::invoke, .place = in[w], .subscription = work,
                                .position = taken[w], .transaction = t});
    add({.of = commit, .process = w, .kind = OpKind::commit, .outcome = Outcome::ok, .place = in[w], .subscription = work,
         .position = taken[w], .transaction = t});
    const bool aborts = random.chance({1, 30});
    const OpKind kind = aborts ? OpKind::end_abort : OpKind::end_commit;
    const OpIndex end = add({.process = w, .kind = kind, .outcome = Outcome::invoke, .transaction = t});
    add({.of = end, .process = w, .kind = kind, .outcome = Outcome::ok, .transaction = t});
    for (const auto& [p, n] : mine[w]) log[p][n].committed = !aborts;
    mine[w].clear();
    // The stable position of each place: the first write of an open transaction.
    for (std::size_t p = 0; p < places; ++p) settled[p] = static_cast<std::int64_t>(log[p].size());
    for (const auto& writes : mine) {
      for (const auto& [p, n] : writes) settled[p] = std::min(settled[p], static_cast<std::int64_t>(n));
    }
    for (std::uint32_t g = 0; g < groups; ++g) {
      const auto p = static_cast<std::size_t>(random.below(places));
      std::int64_t& at = next[g * places + p];
      if (at >= settled[p]) continue;
      const NodeId reader = workers + g;
      const OpIndex poll = add({.process = reader, .kind = OpKind::poll, .outcome = Outcome::invoke, .subscription = group[g]});
      for (; at < settled[p]; ++at) {
        const Written& there = log[p][static_cast<std::size_t>(at)];
        if (there.committed) read(reader, out[p], group[g], there.message, at, poll, 0);
      }
      add({.of = poll, .process = reader, .kind = OpKind::poll, .outcome = Outcome::ok, .subscription = group[g]});
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
