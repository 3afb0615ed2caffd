// Build your own broker: nodes written in Lua live under the same faults and checkers as built-in models.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/lab/run.h"
#include "sim/script/lua_model.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

const Models& models() {
  static const Models all = [] {
    Models m;
    m.add(script::make_lua_model());
    return m;
  }();
  return all;
}

// A log on one node; `sync` is what the node does before it answers.
std::string broker(const std::string& sync, const std::string& faults, const std::string& clients) {
  return R"(
local function on_call(self, call, reply)
  if call.kind == "send" then
    local log = self.durable[call.place] or {}
    self.durable[call.place] = log
    log[#log + 1] = { body = call.body, key = call.key }
    )" + sync + R"(
    reply { position = #log - 1 }
  elseif call.kind == "poll" then
    local messages = {}
    for _, want in ipairs(call.places) do
      local log = self.durable[want.place] or {}
      for i = want.position + 1, #log do
        messages[#messages + 1] = { place = want.place, position = i - 1, body = log[i].body, key = log[i].key }
      end
    end
    reply { messages = messages }
  elseif call.verb == "size" then
    reply { position = #(self.durable["orders/0"] or {}) }
  else
    reply { error = "WHAT:" .. call.kind }
  end
end
return scenario {
  nodes = { node "N1" { role = "broker", on_call = on_call } },
  topics = { orders = {} },
  clients = { )" + clients + R"( },
  faults = { )" + faults + R"( },
  run_for = seconds(6), drain = { limit = seconds(30) },
})";
}

RunResult ran(const std::string& text, std::uint64_t seed = 1) {
  const Scenario s = load_scenario(text, "t.lua", models());
  RunOptions o;
  o.seed = seed;
  return run_scenario(s, *models().find("lua"), nullptr, o);
}

Verdict lost(const RunResult& r) {
  const VerdictRow* row = r.verdict("lost-message");
  EXPECT_TRUE(r.drained) << r.not_drained_because;
  EXPECT_NE(row, nullptr);
  return row ? row->report.verdict : Verdict::unknown;
}

constexpr const char* load = R"(producer "P1" { topic = "orders", records = 50, keys = 3 }, consumer "C1" { topics = { "orders" } })";
constexpr const char* power_cut = R"(at(ms(1300), power "N1" { duration = ms(200) }))";
constexpr const char* crash = R"(at(ms(1300), kill "N1" { duration = ms(200) }))";

TEST(LuaNode, WithoutFaultsTheLogHolds) { EXPECT_EQ(lost(ran(broker("", "", load))), Verdict::holds); }
TEST(LuaNode, PowerTakesWhatWasNotSynced) { EXPECT_EQ(lost(ran(broker("", power_cut, load))), Verdict::violated); }
TEST(LuaNode, SyncedBeforeTheAnswerNothingIsLost) { EXPECT_EQ(lost(ran(broker("self:sync()", power_cut, load))), Verdict::holds); }
TEST(LuaNode, ACrashOfTheProcessAloneTakesNothing) { EXPECT_EQ(lost(ran(broker("", crash, load))), Verdict::holds); }
TEST(LuaNode, ALyingDiskLosesEvenWhatWasSynced) {
  EXPECT_EQ(lost(ran(broker("self:sync()", std::string(R"(at(ms(1100), sync_lies "N1"), )") + power_cut, load))), Verdict::violated);
}
TEST(LuaNode, WhatIsWipedIsGone) { EXPECT_EQ(lost(ran(broker("self:sync()", R"(at(ms(1300), wipe "N1" { duration = ms(200) }))", load))), Verdict::violated); }

TEST(LuaNode, ProgramsSpeakToIt) {
  const RunResult r = ran(broker("self:sync()", "", R"(client "X" { program = function(c)
    for i = 1, 3 do local a = c:send("orders", { body = "m" .. i, key = "k" }) assert(a.ok and a.position == i - 1 and a.place == "orders/0") end
    assert(c:call("size").position == 3)
    local bad = c:commit("orders/0", 2)
    assert(bad.outcome == "fail" and bad.error == "WHAT:commit")
    c:assign("orders", "beginning")
    local got = c:poll(ms(100))
    assert(#got == 3 and got[3].body == "m3" and got[3].key == "k")
    c:log("all well")
  end })"));
  EXPECT_EQ(r.world->mark_count("log"), 1u);
  EXPECT_EQ(lost(r), Verdict::holds);
}

constexpr const char* ping = R"(
local function other(self) return self.peers[1] end
return scenario {
  messages = { "ping", "pong" }, marks = { "answered" },
  nodes = {
    node "A" { on_start = function(self) self.round = 0; self:timer(ms(10), "again") end,
      on_timer = function(self, name)
        self.durable.started = (self.durable.started or 0) + 1
        if self.durable.started % 3 == 0 then self:sync() end
        self.round = self.round + 1
        self:send(other(self), "ping", { round = self.round, at = self:now(), list = { 1, 2.5, "x", true } })
        self:datagram(other(self), "ping", { round = -1 })
        self:timer(ms(5 + self:random(10)), "again")
      end,
      on_message = function(self, from, kind, msg)
        assert(kind == "pong" and from == "B")
        self:mark("answered", msg.round .. " after " .. tostring(self:now() - msg.at))
      end,
      on_closed = function(self, peer, reason) self:log("closed by " .. peer .. ": " .. reason .. " " .. tostring(self.durable.started)) end },
    node "B" { service = us(20), on_message = function(self, from, kind, msg) if msg.round > 0 then self:work(us(50)) self:send(from, "pong", msg) end end },
  },
  faults = { at(ms(200), drop "pong" { nth = 2 }), at(ms(300), kill "B" { duration = ms(50) }), at(ms(400), power "A" { duration = ms(20) }) },
  run_for = seconds(1), drain = false,
  expect = { reaches "answered" },
}
)";

TEST(LuaNode, TwoNodesExchangeTheirOwnMessages) {
  const Scenario s = load_scenario(ping, "t.lua", models());
  const RunResult r = run_scenario(s, *models().find("lua"), nullptr, {});
  EXPECT_TRUE(r.as_expected) << (r.expectations.empty() ? "" : r.expectations[0].why);
  EXPECT_GT(r.world->mark_count("answered"), 20u);
  EXPECT_GE(r.world->mark_count("log"), 1u);
  EXPECT_TRUE(r.idle_faults.empty());
}

RC_GTEST_PROP(LuaNodeProperty, AForkAnywhereRunsOnAsTheWorldItself, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1000);
  const bool ours = *rc::gen::arbitrary<bool>();
  const Scenario s = load_scenario(ours ? std::string(ping) : broker("if self:random(2) == 1 then self:sync() end", power_cut, load), "t.lua", models());
  Deployment d;
  RunOptions o;
  o.seed = seed;
  const auto whole = build_world(s, *models().find("lua"), nullptr, o, d);
  const Duration end = 2'000'000'000;
  whole->run_until(end);
  RC_ASSERT(whole->extension->failure() == "");
  auto w = build_world(s, *models().find("lua"), nullptr, o, d);
  const auto at = *rc::gen::inRange<std::uint64_t>(0, whole->steps());
  while (w->steps() < at && w->step(end)) {
  }
  World fork = *w;
  w.reset();
  fork.run_until(end);
  RC_ASSERT(fork.fingerprint() == whole->fingerprint());
  RC_ASSERT(fork.journal.marks.size() == whole->journal.marks.size());
}

std::string failure(const std::string& nodes, const std::string& more = "") {
  try {
    const Scenario s = load_scenario("return scenario { messages = { \"ping\" }, " + more + " run_for = seconds(1), drain = false, nodes = {\n" + nodes + " } }", "t.lua", models());
    (void)run_scenario(s, *models().find("lua"), nullptr, {});
    return "no error";
  } catch (const InputError& error) {
    return error.what();
  }
}
std::string in_handler(const std::string& body) { return failure("node \"A\" { on_start = function(self)\n" + body + " end }"); }

TEST(LuaNodeErrors, AreTheInputsFault) {
  EXPECT_EQ(in_handler("error('so')"), "t.lua:3: so");
  EXPECT_NE(in_handler("self:send('A', 'pign', {})").find("no message `pign`; did you mean `ping`?"), std::string::npos) << in_handler("self:send('A', 'pign', {})");
  EXPECT_NE(in_handler("self:send('Q', 'ping', {})").find("nobody here is called `Q`"), std::string::npos);
  EXPECT_NE(in_handler("self:send('A', 'ping', { f = print })").find("holds a function"), std::string::npos);
  EXPECT_NE(in_handler("local t = {} t.t = t self:send('A', 'ping', t)").find("nested more than"), std::string::npos);
  EXPECT_NE(in_handler("self.send('A', 'ping', {})").find("with a colon"), std::string::npos) << in_handler("self.send('A', 'ping', {})");
  EXPECT_NE(in_handler("self:timer(5, 'x')").find("as ms(5)"), std::string::npos);
  EXPECT_NE(in_handler("self.durable.f = print self:sync()").find("self.durable of `sync` holds a function"), std::string::npos) << in_handler("self.durable.f = print self:sync()");
  EXPECT_NE(in_handler("while true do end").find("step budget"), std::string::npos);
  EXPECT_NE(failure("node \"A\" { on_mesage = print }").find("did you mean `on_message`?"), std::string::npos) << failure("node \"A\" { on_mesage = print }");
  EXPECT_NE(failure("node \"A\" { on_message = 3 }").find("a function"), std::string::npos);
  EXPECT_NE(failure("node \"A\"").find("has no table"), std::string::npos) << failure("node \"A\"");
  EXPECT_NE(failure("node \"A\" { durable = { print } }").find("holds a function"), std::string::npos);
  EXPECT_NE(failure("node \"A\" {}, node \"A\" {}").find("two nodes"), std::string::npos);
  EXPECT_NE(failure("").find("nodes that the file writes"), std::string::npos) << failure("");
  EXPECT_NE(failure("node \"A\" {}", "topics = { t = { node = \"B\" } },").find("names the node `B`"), std::string::npos) << failure("node \"A\" {}", "topics = { t = { node = \"B\" } },");
}

// Who follows a run step by step sees what is in `self`, and the run is the same.
TEST(LuaNodes, TellWhatIsInThem) {
  const std::string text = broker("self:sync()", "at(seconds(2), kill { \"N1\", duration = seconds(1) })", "producer \"P\" { topic = \"orders\", records = 3, every = ms(100) }");
  const Scenario s = load_scenario(text, "t.lua", models());
  const RunResult r = run_scenario(s, *models().find("lua"), nullptr, {.seed = 1, .trace = TraceLevel::state});
  EXPECT_EQ(r.fingerprint.text(), ran(text).fingerprint.text());
  std::string told;
  const Journal& j = r.world->journal;
  for (const StateChange& c : j.changes) {
    if (j.process_name(c.node) != "N1") continue;
    std::string path;
    for (const std::string& name : path_of(j.state_paths.text(c.path))) path += "/" + name;
    if (path.find("/durable") == 0 && path.find("/key") == std::string::npos) told += (c.change.kind == TreeChange::Kind::removed ? "-" : "") + path + "=" + c.change.now + " ";
  }
  EXPECT_EQ(told, "/durable= /durable/orders/0= /durable/orders/0/1= /durable/orders/0/1/body=P-1 /durable/orders/0/2= /durable/orders/0/2/body=P-2 "
                  "/durable/orders/0/3= /durable/orders/0/3/body=P-3 ") << "and a killed process leaves it as it was";
}

}  // namespace
}  // namespace mqlab
