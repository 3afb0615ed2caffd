// Random histories of transactions against what a map says.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/lab/service_story.h"

namespace mqlab::lab_test {
namespace {

using Map = std::map<std::int64_t, std::map<std::string, std::int64_t>>;

// One client, one transaction at a time: every answer is the map's.
RC_GTEST_PROP(DatabaseProperty, OneAfterTheOtherItIsAMap, (std::uint64_t seed)) {
  Random r(seed, Stream::workload);
  Map committed;
  Map now;
  std::vector<std::string> lines;
  std::string expected;
  const auto row_text = [](std::int64_t key, const std::map<std::string, std::int64_t>& columns) {
    std::string out = fmt::format(" [{}", key);
    for (const auto& [name, value] : columns) out += fmt::format(" {}={}", name, value);
    return out + "]";
  };
  const auto say = [&](const std::string& line, const std::string& answer) {
    lines.push_back(line);
    expected += "X " + line + ": " + answer + "\n";
  };
  std::int64_t transaction = 1;
  for (int i = 0; i < 60; ++i) {
    const auto key = static_cast<std::int64_t>(r.below(5));
    const auto value = static_cast<std::int64_t>(r.below(3));
    const char* column = r.chance({1, 2}) ? "p" : "q";
    const std::string of = fmt::format("{} {} orders {}", transaction, "{}", key);
    const auto line = [&](const char* verb, const std::string& more = "") { return fmt::format("{} {} orders {}{}", transaction, verb, key, more); };
    const std::string set = fmt::format(" {}={}", column, value);
    const std::string done = fmt::format("ok key={}", key);
    switch (r.below(8)) {
      case 0: say(line("get"), now.count(key) ? "ok" + row_text(key, now[key]) : "ok"); break;
      case 1:
        say(line("put", set), done);
        now[key] = {{column, value}};
        break;
      case 2:
        say(line("insert", set), now.count(key) ? "fail DUPLICATE_KEY" : done);
        now.try_emplace(key, std::map<std::string, std::int64_t>{{column, value}});
        break;
      case 3:
        say(line("update", set), now.count(key) ? done : "fail NOT_FOUND");
        if (now.count(key)) now[key][column] = value;
        break;
      case 4:
        say(line("delete"), now.count(key) ? done : "fail NOT_FOUND");
        now.erase(key);
        break;
      case 5: {
        const auto after = static_cast<std::int64_t>(r.below(4)), limit = static_cast<std::int64_t>(1 + r.below(4));
        const bool all = r.chance({1, 2});
        std::string rows;
        std::int64_t found = 0;
        for (const auto& [k, columns] : now) {
          const auto it = columns.find(column);
          if (k <= after || found == limit || (!all && (it == columns.end() || it->second != value))) continue;
          rows += row_text(k, columns);
          ++found;
        }
        say(fmt::format("{} scan orders{} @after={} @limit={}", transaction, all ? "" : set, after, limit), "ok" + rows);
        break;
      }
      case 6:
        say(fmt::format("{} commit", transaction++), "ok");
        committed = now;
        break;
      default:
        say(fmt::format("{} abort", transaction++), "ok");
        now = committed;
    }
  }
  ServiceStory s;
  s.client("X", lines);
  if (seed % 2 == 0) s.client("Y", {"sleep 50000"});  // somebody else's silence changes nothing
  RC_ASSERT(s.run() == expected);
  std::string left;
  for (const auto& [key, columns] : committed) left += row_text(key, columns).substr(1);
  RC_ASSERT(s.rows("orders") == left);
  // The log alone says the same.
  s.world->inject([] { Fault f; f.kind = FaultKind::power; f.groups = {{"bank"}}; f.duration = 1'000'000; return f; }());
  s.run(70_s);
  RC_ASSERT(s.rows("orders") == left);
}

// Adds one to a row and one to another, again and again; remembers what it was told.
struct Adder : AppBase<Adder> {
  Random random{};
  int rounds = 0;
  int sure = 0;     // commits that were answered ok
  int unsure = 0;   // ... info
  std::uint64_t transaction = 0;
  int step = 0;
  std::int64_t first = 0, second = 0, value = 0;

  void on_start(AppContext& a) override { begin(a); }
  void on_timer(AppContext& a, std::uint64_t) override { begin(a); }
  void begin(AppContext& a) {
    if (rounds-- <= 0) return;
    transaction = a.begin("bank");
    step = 0;
    first = static_cast<std::int64_t>(random.below(3));
    second = static_cast<std::int64_t>(random.below(3));
    ask(a, DbVerb::get, first);
  }
  void ask(AppContext& a, DbVerb verb, std::int64_t key) {
    DbRequest r;
    r.verb = verb;
    r.transaction = transaction;
    r.table = "orders";
    r.key = key;
    if (verb == DbVerb::put) r.columns["n"] = value + 1;
    a.database("bank", std::move(r));
  }
  void on_answer(AppContext& a, const Answer& answer) override {
    if (step == 4) {
      sure += answer.outcome == Outcome::ok;
      unsure += answer.outcome == Outcome::info;
    }
    if (answer.outcome != Outcome::ok || step == 4) return a.sleep(static_cast<Duration>(random.below(20'000'000)));
    const auto& reply = service_payload<DbReply>(answer.service);
    if (reply.verb == DbVerb::get) value = reply.rows.empty() ? 0 : std::get<std::int64_t>(reply.rows.front().columns.at("n"));
    switch (step++) {
      case 0: return ask(a, DbVerb::put, first);
      case 1: return ask(a, DbVerb::get, second);
      case 2: return ask(a, DbVerb::put, second);
      default: return ask(a, DbVerb::commit, 0);
    }
  }
};

// Serializable: no increment is lost. Durable: none that was answered, whatever happened to processes, power and network.
RC_GTEST_PROP(DatabaseProperty, UnderCrashesEveryAnsweredIncrementIsThereAndNoOtherIsThereTwice, (std::uint64_t seed)) {
  Random r(seed, Stream::faults);
  ServiceStory s;
  s.seed = seed;
  for (int i = 0; i < 3; ++i) {
    auto app = std::make_unique<Adder>();
    app->random = Random(seed, Stream::workload, static_cast<std::uint64_t>(i));
    app->rounds = 60;
    NodeOptions o;
    o.name = fmt::format("A{}", i);
    o.role = "client";
    s.clients.push_back(s.build().add_node(std::make_unique<FakeClient>(std::move(app)), o));
  }
  const FaultKind kinds[] = {FaultKind::kill, FaultKind::power, FaultKind::pause, FaultKind::isolate, FaultKind::reset_streams};
  for (int i = 0; i < 5; ++i) s.fault(kinds[r.below(5)], static_cast<Time>(r.below(2'000'000'000)), "bank", static_cast<Duration>(1 + r.below(300'000'000)));
  s.build().run_until(600_s);
  std::int64_t sum = 0;
  for (const Row& row : s.database().rows("orders")) sum += std::get<std::int64_t>(row.columns.at("n"));
  int sure = 0, unsure = 0;
  for (const NodeId n : s.clients) {
    const auto* app = static_cast<const Adder*>(s.world->node_as<FakeClient>(n).app());
    RC_ASSERT(app->rounds < 0);
    sure += app->sure;
    unsure += app->unsure;
  }
  RC_ASSERT(sure > 20);
  RC_ASSERT(sum >= 2 * sure);
  RC_ASSERT(sum <= 2 * (sure + unsure));
  RC_ASSERT(sum % 2 == 0);
}

}  // namespace
}  // namespace mqlab::lab_test
