// Databases and the world outside, as programs see them: answers, errors, forks, and what a run makes of chance.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/lab/database.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"
#include "sim/script/script_host.h"
#include "tests/script/toy_model.h"

namespace mqlab {
namespace {

const Models& models() {
  static const Models all = toy::models();
  return all;
}

std::string scenario_of(const std::string& body, const std::string& more = "") {
  return "return scenario { cluster = toy {}, topics = { orders = {} }, run_for = seconds(20), drain = false,\n"
         "services = { database \"bank\" { tables = { accounts = { unique = { \"email\" } }, \"log\" } }, outside \"world\" { fencing = true, idempotency_keys = true } },\n"
         "knobs = { ttl = seconds(5), way = \"old\", n = 3, on = true },\n" + more +
         "clients = { client \"X\" { program = function(c)\nlocal db, world = c:database(\"bank\"), c:outside(\"world\")\n" + body + "\nend } } }\n";
}

std::string log_of(const World& w) {
  std::string out;
  for (const Mark& m : w.journal.marks)
    if (w.journal.names.text(m.name) == "log") out += m.text + "\n";
  return out;
}

std::unique_ptr<World> build(const Scenario& s, std::size_t which = 0, std::uint64_t seed = 1) {
  Deployment d;
  RunOptions o;
  o.seed = seed;
  return build_world(s, *models().find("toy"), which < s.cases.size() ? &s.cases[which] : nullptr, o, d);
}

std::string said(const std::string& body) {
  const Scenario s = load_scenario(scenario_of(body), "t.lua", models());
  const auto w = build(s);
  w->run_until(s.run_for);
  return log_of(*w) + w->extension->failure();
}

TEST(ServiceVerbs, AProgramReadsItsRowsBack) {
  EXPECT_EQ(said(R"(
    local t = db:begin()
    local r = t:put("accounts", "alice", { email = "a@x", amount = 5, since = ms(7), good = true })
    c:log(tostring(r.ok) .. r.outcome .. r.key)
    c:log(t:insert("log", { text = "x" }).key)
    local row = t:get("accounts", "alice").row
    c:log(row.amount .. row.email .. tostring(row.since) .. tostring(row.good) .. row.key .. row.sequence .. row.version)
    c:log(t:get("accounts", "bob").row)
    t:insert("log", { text = "y" })
    local rows = t:scan("log", { order = "sequence", where = { text = "y" }, after = 1, limit = 5 }).rows
    c:log(#rows .. rows[1].text .. rows[1].key)
    c:log(t:commit().ok)
    t = db:begin()
    local v = t:get("accounts", "alice").row.version
    c:log(t:put("accounts", "alice", { email = "a@x" }, { version = v + 1 }).error)
    c:log(tostring(t:update("accounts", "alice", { amount = 6 }, { version = v }).ok) .. tostring(t:delete("accounts", "bob").error) .. tostring(t:abort().ok))
  )"),
            "trueokalice\n1\n5a@x7 mstruealice10\nnil\n1y2\ntrue\nVERSION\ntrueNOT_FOUNDtrue\n");
}

TEST(ServiceVerbs, TheWorldOutsideAnswers) {
  EXPECT_EQ(said(R"(
    local r = world:call("charge", { message = "m1", key = "alice", token = 2, idempotency_key = "i" })
    c:log(tostring(r.ok) .. tostring(r.repeated))
    r = world:call("charge", { message = "m1", key = "alice", token = 2, idempotency_key = "i" })
    c:log(tostring(r.ok) .. tostring(r.repeated))
    c:log(world:call("charge", { message = "m2", key = "alice", token = 1 }).error)
  )"),
            "truefalse\ntruetrue\nSTALE_TOKEN\n");
}

TEST(ServiceVerbs, EffectsAreRowsOfTheProgramAtTheService) {
  const Scenario s = load_scenario(scenario_of(R"(
    local t = db:begin() t:effect("stored", "m1") t:commit()
    local gone = db:begin() gone:effect("stored", "m2") gone:abort()
    world:call("mail", { message = "m1", key = "k", token = 1 })
  )"), "t.lua", models());
  const auto w = build(s);
  w->run_until(s.run_for);
  std::string rows;
  const Journal& j = w->journal;
  for (const Op& op : j.ops)
    if (op.kind == OpKind::effect) rows += j.process_name(op.process) + " " + j.names.text(op.place) + " " + j.message_name(op.message) + " " + j.names.text(op.key) + " " + j.names.text(op.subscription) + "\n";
  EXPECT_EQ(rows, "X stored m1  bank\nX mail m1 k world\n");
}

TEST(ServiceVerbs, KnobsAreOptionsOfTheProgramAndCasesTurnThem) {
  const Scenario s = load_scenario(scenario_of("c:log(c.options.way .. tostring(c.options.ttl) .. c.options.n .. tostring(c.options.on))",
                                               "cases = { case \"a\" {}, case \"b\" { set = { way = \"new\", ttl = ms(1), n = 4, on = false, [\"bank.durability\"] = \"none\" } } },\n"),
                                   "t.lua", models());
  for (std::size_t i : {0, 1}) {
    const auto w = build(s, i);
    w->run_until(s.run_for);
    EXPECT_EQ(log_of(*w), i == 0 ? "old5 s3true\n" : "new1 ms4false\n");
  }
}

// ---- chance

TEST(Between, TimesAndFaultsAreDrawnByTheSeedAndByNothingElse) {
  const Scenario s = load_scenario(scenario_of("c:sleep(seconds(1))",
                                               "faults = { between(seconds(1), seconds(9), 4, kill \"bank\" { duration = ms(5) }, pause \"world\" { duration = ms(5) }), between(seconds(2), seconds(2), heal()) },\n"),
                                   "t.lua", models());
  const auto plan = [&](std::uint64_t seed) {
    std::string out;
    const auto w = build(s, 0, seed);
    for (const ArmedFault& f : w->faults()) {
      EXPECT_GE(f.trigger.after, 1'000'000'000);
      EXPECT_LE(f.trigger.after, 9'000'000'000);
      out += describe(f.fault) + " " + describe(f.trigger) + "\n";
    }
    return out;
  };
  EXPECT_EQ(plan(7), plan(7));
  EXPECT_NE(plan(7), plan(8));
  std::string all;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) all += plan(seed);
  for (const char* fault : {"kill bank", "pause world", "heal at 2"}) EXPECT_NE(all.find(fault), std::string::npos) << fault << all.substr(0, 400);
}

TEST(Finds, OneRunMayShowItOrNotAndSaysWhich) {
  const std::string text = scenario_of("c:send(\"orders\", \"m1\") c:effect(\"mail\", \"m1\") if c:random(2) == 1 then c:effect(\"mail\", \"m1\") end", "expect = { finds \"effect-duplicate\" },\n");
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Scenario s = load_scenario(text, "t.lua", models());
    RunOptions o;
    o.seed = seed;
    const RunResult r = run_scenario(s, *models().find("toy"), nullptr, o);
    ASSERT_EQ(r.expectations.size(), 1u);
    EXPECT_TRUE(r.as_expected);
    EXPECT_EQ(r.expectations[0].found, r.verdict("effect-duplicate")->report.verdict == Verdict::violated);
    found += r.expectations[0].found;
  }
  EXPECT_GT(found, 0);
  EXPECT_LT(found, 20);
}

// ---- forks

constexpr const char* busy = R"(
    c:assign("orders", "beginning")
    while c:now() < seconds(2) do
      local t = db:begin()
      local row = t:get("accounts", "a").row
      t:put("accounts", "a", { n = (row and row.n or 0) + c:random(9) })
      local r = t:insert("log", { at = c:now() })
      c:log((r.key or r.error) .. t:commit().outcome)
      c:log(world:call("charge", { message = "m" .. c:random(5), key = "k", token = c:random(3) }).outcome)
      c:poll(ms(c:random(20)))
      c:log(#(t:scan("log").rows or {}))
    end
)";

RC_GTEST_PROP(ServiceProperty, AForkAnywhereRunsOnAsTheWorldItself, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1000);
  const Scenario s = load_scenario(scenario_of(busy, "faults = { between(ms(100), seconds(2), 3, kill \"bank\" { duration = ms(50) }, kill \"X\" { duration = ms(20) }, reset_streams \"world\") },\n"), "t.lua", models());
  const auto whole = build(s, 0, seed);
  whole->run_until(s.run_for);
  RC_ASSERT(whole->extension->failure() == "");
  auto w = build(s, 0, seed);
  const auto at = *rc::gen::inRange<std::uint64_t>(0, whole->steps());
  while (w->steps() < at && w->step(s.run_for)) {
  }
  World fork = *w;
  fork.run_until(s.run_for);
  w->run_until(s.run_for);
  RC_ASSERT(w->fingerprint() == whole->fingerprint());
  RC_ASSERT(fork.fingerprint() == whole->fingerprint());
  RC_ASSERT(log_of(fork) == log_of(*whole));
}

// ---- what is wrong names its line and the right word

TEST(ServiceErrors, AreToldWithTheirLine) {
  const auto told = [](const std::string& body) {
    try {
      const Scenario s = load_scenario(scenario_of(body), "t.lua", models());
      (void)run_scenario(s, *models().find("toy"), nullptr, {});
      return std::string("no error");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
  };
  const std::pair<const char*, const char*> wrongs[] = {
      {"c:database('bnak')", "t.lua:6: the scenario has no database `bnak`; did you mean `bank`?"},
      {"c:outside('bank')", "the scenario has no outside `bank`"},
      {"c:database(3)", "argument 1 of `database` is a database's name, not the number 3"},
      {"db:beign()", "a database has no method `beign`; did you mean `begin`?"},
      {"db:begin():comit()", "a transaction has no method `comit`; did you mean `commit`?"},
      {"world:cal()", "an outside has no method `cal`; did you mean `call`?"},
      {"db.begin()", "write db:begin(...), with a colon"},
      {"db.begin(c)", "write db:begin(...), with a colon"},
      {"local t = db:begin() t.get('accounts', 'a')", "write t:get(...), with a colon"},
      {"db:begin():get('acounts', 'a')", "the database `bank` has no table `acounts`; did you mean `accounts`?"},
      {"db:begin():get('accounts')", "argument 2 of `get` is the key of a row, not nothing"},
      {"db:begin():get('accounts', 1.5)", "the key of `get` is a whole number, a text"},
      {"db:begin():put('accounts', 'a', 5)", "argument 3 of `put` is a table of columns"},
      {"db:begin():put('accounts', 'a', { key = 5 })", "`key` of a row is the database's own"},
      {"db:begin():put('accounts', 'a', { 5 })", "have names, as { amount = 5 }"},
      {"db:begin():put('accounts', 'a', { x = {} })", "column `x` of `put` is a whole number"},
      {"db:begin():put('accounts', 'a', { x = print })", "column `x` of `put` is a whole number"},
      {"db:begin():put('accounts', 'a', {}, { vesrion = 1 })", "has no field `vesrion`; did you mean `version`?"},
      {"db:begin():put('accounts', 'a', {}, { version = -1 })", "`version` given to `put` is a whole number"},
      {"db:begin():scan('log', { limt = 1 })", "did you mean `limit`?"},
      {"db:begin():scan('log', { limit = 0 })", "`limit` of `scan` is a whole number from 1"},
      {"db:begin():scan('log', { order = 'x' })", "`order` of `scan` is \"key\" or \"sequence\""},
      {"db:begin():prepare()", "argument 1 of `prepare` is a name for the global transaction"},
      {"db:begin():prepare('')", "it has 1 to 200"},
      {"db:begin():effect('x', {})", "a message that c:poll returned"},
      {"world:call('x')", "argument 2 of `call` is a table { message ="},
      {"world:call('x', {})", "`call` needs `message`"},
      {"world:call('x', { message = 'm', token = 'a' })", "`token` of `call` is a whole number"},
      {"world:call('x', { message = 'm', tokne = 1 })", "did you mean `token`?"},
      {"local t = db:begin() coroutine.wrap(function() t:commit() end)()", "not in a coroutine that it made"},
  };
  for (const auto& [body, message] : wrongs) EXPECT_NE(told(body).find(message), std::string::npos) << body << "\n" << told(body);
}

TEST(ServiceErrors, WhoWritesOverItsHandleSpeaksToNobody) {
  EXPECT_EQ(said("local t = db:begin() t.number = 99 c:log(t:commit().error) t.number = 'x' c:log(t:commit().error)"), "NO_TRANSACTION\nNO_TRANSACTION\n");
  EXPECT_NE(said("db.client = {} db:begin()").find("belongs to another program"), std::string::npos);
  EXPECT_NE(said("db.name = 'nobody' db:begin():get('accounts', 1)").find("the database `nobody` has no table `accounts`"), std::string::npos);
  EXPECT_NE(said("setmetatable(db, nil)").find("t.lua:6"), std::string::npos) << said("setmetatable(db, nil)");
}

}  // namespace
}  // namespace mqlab
