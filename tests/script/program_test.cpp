// Programs in virtual time: what they see, that a copy of their world goes on as they would have, and what
// happens when they go wrong.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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

// A scenario with one program (or more), and a mark for what it says.
std::string with_program(const std::string& body, const std::string& more = "") {
  return "return scenario {\n  cluster = toy {}, topics = { orders = {} }, marks = { \"seen\" },\n"
         "  clients = { client \"X\" { program = function(c)\n" + body + "\n  end }" + (more.empty() ? "" : ", " + more) + " },\n  run_for = seconds(10), drain = false }\n";
}

std::vector<std::string> logged(const World& w) {
  std::vector<std::string> out;
  for (const Mark& m : w.journal.marks)
    if (w.journal.names.text(m.name) == "log") out.push_back(w.journal.process_name(m.node) + "@" + format_duration(m.time) + " " + m.text);
  return out;
}

std::string log_of(const World& w) {
  std::string out;
  for (const std::string& line : logged(w)) out += line + "\n";
  return out;
}

std::unique_ptr<World> build(const Scenario& s, std::uint64_t seed = 1) {
  Deployment d;
  RunOptions o;
  o.seed = seed;
  return build_world(s, *models().find("toy"), nullptr, o, d);
}

std::unique_ptr<World> ran(const std::string& text, std::uint64_t seed = 1) {
  const Scenario s = load_scenario(text, "t.lua", models());
  auto w = build(s, seed);
  w->run_until(s.run_for);
  return w;
}

std::string failure(const std::string& body) {
  try {
    const Scenario s = load_scenario(with_program(body), "t.lua", models());
    (void)run_scenario(s, *models().find("toy"), nullptr, {});
    return "no error";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Program, SendsWaitsPollsAndSleepsInVirtualTime) {
  const auto w = ran(with_program(R"(
    local r = c:send("orders", { key = "k", body = "m1" })
    c:log(("%s %s %s %d"):format(r.ok, r.outcome, r.place, r.position))
    c:sleep(ms(500) - c:now())
    c:assign("orders")
    local msgs = c:poll(seconds(1))
    c:log(#msgs .. " " .. msgs[1].body .. " " .. msgs[1].key .. " " .. msgs[1].position .. " " .. msgs[1].place)
    c:processed(msgs[1])
    c:effect("mail", msgs[1])
    c:log(#c:poll(ms(20)))
    print("at", c:now() > ms(500), c.name)
  )"));
  EXPECT_TRUE(w->extension->failure().empty()) << w->extension->failure();
  const auto lines = logged(*w);
  ASSERT_EQ(lines.size(), 4u) << log_of(*w);
  EXPECT_NE(lines[0].find("true ok orders/0 0"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("1 m1 k 0 orders/0"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find(" 0"), std::string::npos) << lines[2];
  EXPECT_NE(lines[3].find("at\ttrue\tX"), std::string::npos) << lines[3];
  int effects = 0;
  for (const Op& op : w->journal.ops) effects += op.kind == OpKind::effect || op.kind == OpKind::process;
  EXPECT_EQ(effects, 2);
}

TEST(Program, AnswersMayBeFetchedLaterAndInAnyOrder) {
  const auto w = ran(with_program(R"(
    local handles = {}
    for i = 1, 3 do handles[i] = c:send_async("orders", "b" .. i) end
    c:sleep(seconds(1))
    local last = c:send_async("orders", { body = "b4", size = 7, timestamp = c:wall() })
    c:log(c:wait(last).position .. c:wait(handles[2]).position .. c:wait(handles[1]).position)
    c:log(tostring(pcall(c.wait, c, last)))
  )"));
  EXPECT_NE(log_of(*w).find("310"), std::string::npos) << log_of(*w) << w->extension->failure();
  EXPECT_NE(log_of(*w).find("false"), std::string::npos) << log_of(*w);
}

TEST(Program, AnAnswerThatNobodyWaitsForYetWakesNobody) {
  const auto w = ran(with_program(R"(
    local h = c:send_async("orders", "m1")
    local empty = c:poll(ms(300))
    c:log(#empty .. " " .. tostring(empty.ok) .. " " .. tostring(c:now() >= ms(300)) .. " " .. c:wait(h).position)
  )"));
  EXPECT_NE(log_of(*w).find("0 nil true 0"), std::string::npos) << log_of(*w) << w->extension->failure();
}

TEST(Program, AGroupGivesAndTakesPlacesInsidePolls) {
  const auto w = ran(with_program(R"(
    c:send("orders", "m1")
    c:log(tostring(c:subscribe { "orders", "payments" }.ok))
    local got = c:poll(seconds(1))
    c:log(#got .. " " .. table.concat(got.assigned, " ") .. " " .. tostring(got.revoked) .. " " .. tostring(got.lost))
    local msgs = c:poll(seconds(1))
    c:log(#msgs .. " " .. tostring(msgs.assigned))
    c:failed(msgs[1])
    c:pause("orders/0")
    c:release(msgs[1])
    c:reject(msgs[1])
    local a, b = c:commit_async("orders/0", 1), c:commit_async()
    c:log(tostring(c:wait(b).ok) .. " " .. c:wait(a).position)
    c:subscribe("orders")
    c:log(table.concat(c:poll(seconds(1)).revoked, " "))
    c:unsubscribe()
    c:log(table.concat(c:poll(seconds(1)).lost, " "))
  )"));
  EXPECT_TRUE(w->extension->failure().empty()) << w->extension->failure();
  std::string said;
  for (const std::string& line : logged(*w)) said += line.substr(line.find(' ', line.find('@') + 1) + 1) + "\n";
  for (const char* line : {"0 orders/0 payments/0 nil nil\n", "1 nil\n", "true 1\n", "orders/0 payments/0\n", "orders/0\n"}) EXPECT_NE(said.find(line), std::string::npos) << line << said;
  int failed = 0, commits = 0;
  for (const Op& op : w->journal.ops) {
    failed += op.kind == OpKind::process && op.outcome == Outcome::fail;
    commits += op.kind == OpKind::commit && op.outcome == Outcome::ok;
  }
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(commits, 2);
}

TEST(Program, KnowsTheOptionsOfItsClientInThisRun) {
  const Scenario s = load_scenario(R"(
return scenario { cluster = toy {}, topics = { orders = {} }, run_for = seconds(1), drain = false,
  clients = { client "X" { linger = ms(2), group = "g", topics = { "orders", "payments" }, program = function(c)
    local o = c.options
    c:log(o.acks .. " " .. tostring(o.linger) .. " " .. o.group .. " " .. #o.topics .. o.topics[2] .. " " .. tostring(o.resend) .. " " .. o.keys .. " " .. tostring(o.nothing))
    o.acks = "mine"
  end } },
  faults = { at(ms(100), kill "X" { duration = ms(100) }) },
  cases = { case "a" {}, case "b" { set = { acks = "1", ["X.linger"] = ms(9) } } } })", "t.lua", models());
  const auto said = [&](std::size_t i) {
    Deployment d;
    const auto w = build_world(s, *models().find("toy"), &s.cases[i], {}, d);
    w->run_until(50'000'000);
    World copy = *w;  // it makes its coroutine again, and knows the same
    copy.run_until(500'000'000);
    EXPECT_EQ(copy.extension->failure(), "");
    return log_of(copy);
  };
  EXPECT_NE(said(0).find("all 2 ms g 2payments false 0 nil"), std::string::npos) << said(0);
  EXPECT_NE(said(1).find("1 9 ms g 2payments false 0 nil"), std::string::npos) << said(1);
  EXPECT_EQ(said(1).find("mine"), std::string::npos) << "a new life begins with them as they are";
}

TEST(Program, GivesUpOnAMessageThatAlwaysFails) {
  const auto w = ran(with_program(R"(
    c:send("orders", "m1") c:assign("orders")
    local m = c:poll(seconds(1))[1]
    while true do c:failed(m) c:sleep(ms(100)) end
  )"));
  EXPECT_EQ(w->extension->failure(), "");
  const NodeId x = w->find("X");
  EXPECT_TRUE(w->node_as<toy::Client>(x).app()->stuck());
  EXPECT_TRUE(w->node_as<toy::Client>(x).app()->done());
}

TEST(Program, OtherCallsAreTheModels) {
  const auto w = ran(with_program(R"(
    local r = c:call("fail", "x")
    c:log(r.outcome .. " " .. r.error)
    c:mark("seen", "text", "orders/0")
  )"));
  EXPECT_NE(log_of(*w).find("fail NO:x"), std::string::npos) << log_of(*w) << w->extension->failure();
  EXPECT_EQ(w->mark_count("seen"), 1u);
}

TEST(Program, ChanceFollowsTheSeed) {
  const std::string text = with_program("local s = '' for i = 1, 20 do s = s .. c:random(10) .. ',' .. math.random(10) .. ' ' end c:log(s)");
  EXPECT_EQ(log_of(*ran(text, 1)), log_of(*ran(text, 1)));
  EXPECT_NE(log_of(*ran(text, 1)), log_of(*ran(text, 2)));
}

TEST(Program, StartsAnewWhenItsProcessDies) {
  const Scenario s = load_scenario(R"(local lives = 0
return scenario { cluster = toy {}, topics = { orders = {} }, run_for = seconds(5), drain = false,
  clients = { client "X" { program = function(c)
    lives = lives + 1
    c:log("life " .. lives)
    while true do c:send("orders", "m") c:sleep(ms(100)) end
  end } },
  faults = { at(seconds(1), kill "X" { duration = seconds(1) }) } })", "t.lua", models());
  auto w = build(s);
  w->run_until(s.run_for);
  EXPECT_EQ(logged(*w).size(), 2u);
  EXPECT_NE(log_of(*w).find("life 2"), std::string::npos) << "what the file shares between lives is its own disk, so to speak";
}

constexpr const char* busy = R"(
local shared = 0
local function work(c)
  local handles, mine = {}, 0
  c:assign("orders", "beginning")
  while c:now() < ms(600) do
    mine = mine + 1
    shared = shared + 1
    if c:random(3) == 1 then handles[#handles + 1] = c:send_async("orders", { key = "k" .. c:random(4), body = c.name .. "." .. mine })
    else c:send("orders", c.name .. "." .. mine) end
    if c:random(5) == 1 then handles[#handles + 1] = c:commit_async("orders/0", mine) end
    if math.random(2) == 1 and #handles > 0 then c:log(c:wait(table.remove(handles)).position) end
    for _, m in ipairs(c:poll(ms(c:random(30)))) do c:processed(m) c:log(shared .. m.body) end
    pcall(c.processed, c, { op = 1 })
    c:sleep(us(c:random(2000)))
  end
end
return scenario { cluster = toy {}, topics = { orders = {} }, run_for = seconds(1), drain = false,
  clients = { client "X" { program = work }, client "Y" { program = work }, producer "P1" { topic = "orders", records = 50, start_at = 0 } },
  faults = { at(ms(200), kill "Y" { duration = ms(100) }), at(ms(400), pause "X" { duration = ms(50) }) } }
)";

// A copy has no coroutines: it must make them again, and neither it nor the original may notice.
RC_GTEST_PROP(ProgramProperty, AForkAnywhereRunsOnAsTheWorldItself, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1000);
  const Scenario s = load_scenario(busy, "t.lua", models());
  const auto whole = build(s, seed);
  whole->run_until(s.run_for);
  RC_ASSERT(whole->extension->failure() == "");

  auto w = build(s, seed);
  const auto at = *rc::gen::inRange<std::uint64_t>(0, whole->steps());
  while (w->steps() < at && w->step(s.run_for)) {
  }
  World fork = *w;
  World idle = fork;  // a copy of a copy that was never run
  fork.run_until(s.run_for);
  w->run_until(s.run_for);
  idle.run_until(s.run_for);
  RC_ASSERT(w->fingerprint() == whole->fingerprint());
  RC_ASSERT(fork.fingerprint() == whole->fingerprint());
  RC_ASSERT(idle.fingerprint() == whole->fingerprint());
  RC_ASSERT(log_of(fork) == log_of(*whole));
}

TEST(Program, WorldsOfOneScenarioDoNotMeet) {
  const Scenario s = load_scenario(busy, "t.lua", models());
  const auto a = build(s, 7);
  const auto b = build(s, 7);
  while (a->step(s.run_for) && b->step(s.run_for)) {
  }
  EXPECT_EQ(a->fingerprint(), b->fingerprint());
}

// ---- what goes wrong names its line and ends the run

TEST(ProgramErrors, AnErrorNamesItsLine) {
  EXPECT_EQ(failure("\n c:sleep(ms(1))\n error('so')"), "t.lua:6: so");
  EXPECT_NE(failure("c:sned('orders')").find("t.lua:4: `c` has no method `sned`; did you mean `send`?"), std::string::npos) << failure("c:sned('orders')");
  EXPECT_NE(failure("c.send('orders')").find("t.lua:4: write c:send(...), with a colon"), std::string::npos);
  EXPECT_NE(failure("c:send(5)").find("argument 1 of `send` is a topic, not the number 5"), std::string::npos) << failure("c:send(5)");
  EXPECT_NE(failure("c:send('orders', { bdoy = 'x' })").find("no field `bdoy`; did you mean `body`?"), std::string::npos);
  EXPECT_NE(failure("c:send('orders', { body = 3 })").find("`body` of a message is a text"), std::string::npos);
  EXPECT_NE(failure("c:sleep(5)").find("as ms(5), not the number 5"), std::string::npos) << failure("c:sleep(5)");
  EXPECT_NE(failure("c:sleep(-ms(5))").find("between 0 and 100 years"), std::string::npos);
  EXPECT_NE(failure("c:sleep(ms(0/0))").find("t.lua:4: a time is a finite number"), std::string::npos) << failure("c:sleep(ms(0/0))");
  EXPECT_NE(failure("c:begin()").find("toy has no call `begin`"), std::string::npos);
  EXPECT_NE(failure("c:call('ehco')").find("did you mean `echo`?"), std::string::npos);
  EXPECT_NE(failure("c:mark('sene')").find("did you mean `seen`?"), std::string::npos);
  EXPECT_NE(failure("c:processed({})").find("a message that c:poll returned"), std::string::npos);
  EXPECT_NE(failure("c:wait(3)").find("what c:send_async or c:commit_async returned"), std::string::npos);
  for (const char* wrong : {"c:subscribe()", "c:subscribe(3)", "c:subscribe({})", "c:subscribe({ 1 })", "c:subscribe({ a = 'orders' })", "c:subscribe({ [2] = 'orders' })", "c:subscribe({ 'orders', [3] = 'x' })"})
    EXPECT_NE(failure(wrong).find("is a topic, or a list of topics"), std::string::npos) << wrong << failure(wrong);
  for (const char* wrong : {"c:subscribe('')", "c:subscribe('orders/0')", "c:subscribe('a,b')", "c:subscribe({ 'orders', 'a b' })"})
    EXPECT_NE(failure(wrong).find("`subscribe` wants names of topics"), std::string::npos) << wrong << failure(wrong);
  EXPECT_NE(failure("c:pause()").find("argument 1 of `pause` is a place, as \"orders/0\", not nothing"), std::string::npos) << failure("c:pause()");
  EXPECT_NE(failure("c:resume('orders/0')").find("toy has no call `resume`"), std::string::npos) << failure("c:resume('orders/0')");
  EXPECT_NE(failure("c:failed({ op = 0 })").find("`failed` was given a message that this program never got"), std::string::npos) << failure("c:failed({ op = 0 })");
  EXPECT_NE(failure("c:release({ op = 10 ^ 9 // 1 })").find("a message that c:poll returned"), std::string::npos) << failure("c:release({ op = 10 ^ 9 // 1 })");
  EXPECT_NE(failure("c:reject({ op = 1000000000 })").find("`reject` was given a message that this program never got"), std::string::npos) << failure("c:reject({ op = 1000000000 })");
  EXPECT_NE(failure("c:commit_async('orders/0', 'middle')").find("\"beginning\" or \"end\""), std::string::npos) << failure("c:commit_async('orders/0', 'middle')");
  EXPECT_NE(failure("kill 'B1'").find("only possible while the file is loaded"), std::string::npos);
  EXPECT_NE(failure("local f = coroutine.wrap(function() c:sleep(ms(1)) end) f()").find("not in a coroutine that it made"), std::string::npos);
  EXPECT_NE(failure("table.sort({3, 2, 1}, function(a, b) c:sleep(ms(1)) return a < b end)").find("can't wait here"), std::string::npos);
}

TEST(ProgramErrors, BudgetsEndIt) {
  EXPECT_NE(failure("while true do end").find("t.lua:4: step budget"), std::string::npos) << failure("while true do end");
  EXPECT_NE(failure("c:sleep(ms(1)) while true do pcall(error) end").find("step budget"), std::string::npos);
  EXPECT_NE(failure("local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end").find(" budget"), std::string::npos);
  const std::string deep = failure("local function f() return 1 + f() end f()");
  EXPECT_TRUE(deep.find("stack overflow") != deep.npos || deep.find("step budget") != deep.npos) << deep;
  EXPECT_NE(failure("while true do c:now() end").find("step budget"), std::string::npos);
}

TEST(ProgramErrors, OneBadProgramEndsTheRunAndHarmsNoOther) {
  const auto w = ran(with_program("c:sleep(seconds(1)) error('boom')", "producer \"P1\" { topic = \"orders\", records = 3 }"));
  EXPECT_EQ(w->extension->failure(), "t.lua:4: boom");
  EXPECT_EQ(World(*w).extension->failure(), "t.lua:4: boom") << "copies know it too";
}

}  // namespace
}  // namespace mqlab
