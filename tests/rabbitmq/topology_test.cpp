// What the topics of a scenario become, and who then gets what: exchanges bound to exchanges, headers, keys that a publisher adds.
#include <gtest/gtest.h>

#include <algorithm>

#include "models/rabbitmq/rabbitmq.h"
#include "models/rabbitmq/table.h"
#include "sim/lab/routes.h"
#include "sim/lab/run.h"
#include "sim/record/history.h"
#include "sim/script/scenario_api.h"
#include "sim/world/routed.h"

namespace mqlab::rabbitmq {
namespace {

class RabbitTopology : public testing::Test {
 protected:
  RabbitTopology() { models.add(make_model()); }

  Scenario scenario(const std::string& topics, const std::string& clients, const std::string& cluster = "", const std::string& more = "") const {
    return load_scenario("return scenario { title = \"t\", " + more + "cluster = rabbitmq {" + cluster + "}, topics = { " + topics + " }, clients = { " + clients + " }, run_for = seconds(20) }", "t.lua", models);
  }
  RunResult run(const std::string& topics, const std::string& clients, const std::string& cluster = "", const std::string& more = "") const {
    RunResult r = run_scenario(scenario(topics, clients, cluster, more), *models.find("rabbitmq"), nullptr, {.seed = 1});
    EXPECT_TRUE(r.drained) << r.not_drained_because;
    for (const VerdictRow& v : r.verdicts)
      EXPECT_FALSE(v.claim.claimed && v.report.verdict == Verdict::violated) << v.report.anomaly->name << ": " << v.report.worst.front().sentence;
    return r;
  }
  // Who got what, in the order of the history: "K:P-1@orders/0".
  static std::vector<std::string> got(const RunResult& r) {
    const Journal& j = r.world->journal;
    std::vector<std::string> out;
    for (const Op& op : j.ops)
      if (op.kind == OpKind::deliver) out.push_back(j.process_name(op.process) + ":" + j.message_name(op.message) + "@" + j.names.text(op.place));
    std::sort(out.begin(), out.end());
    return out;
  }
  std::vector<std::string> loops(const std::string& topics) const {
    const Scenario s = scenario(topics, "consumer \"K\" { topics = { \"a\" } }");
    Deployment d;
    const Model& model = *models.find("rabbitmq");
    build_world(s, model, nullptr, {.seed = 1}, d);
    std::vector<std::string> out;
    for (const RouteLoop& l : route_loops(dynamic_cast<const HasRoutes&>(model).routes(d))) out.push_back(l.text);
    return out;
  }
  // What is said against these topics; empty: nothing.
  std::string refused(const std::string& topics, const std::string& clients = "consumer \"K\" { topics = { \"a\" } }") const {
    try {
      const Scenario s = scenario(topics, clients);
      Deployment d;
      build_world(s, *models.find("rabbitmq"), nullptr, {.seed = 1}, d);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  }

  Models models;
};
using Texts = std::vector<std::string>;

constexpr const char* producers =
    "producer \"P\" { topic = \"a\", routing_key = \"order.new\", records = 1 }, producer \"Q\" { topic = \"a\", routing_key = \"alarm.new\", records = 1 }, ";

// docs e2e: the binding's key is matched against the message's own.
TEST_F(RabbitTopology, ABoundExchangeHandsOnWhatTheKeyMatches) {
  const RunResult r = run("a = { exchange = \"topic\" }, b = { exchange = \"fanout\", sources = { \"a\" }, source_keys = { \"order.*\" } }",
                          std::string(producers) + "consumer \"all\" { topics = { \"a\" } }, consumer \"orders\" { topics = { \"b\" } }");
  EXPECT_EQ(got(r), (Texts{"all:P-1@a/0", "all:Q-1@a/0", "orders:P-1@b/0"}));
  EXPECT_EQ(r.verdict("misdelivered")->report.verdict, Verdict::holds);
  EXPECT_EQ(r.verdict("lost-message")->report.verdict, Verdict::holds);
}

// The message says where it was sent, so who reads a recorded history can tell a route from a mistake.
TEST_F(RabbitTopology, WhatARouteBroughtIsNotMisdelivered) {
  const RunResult r = run("a = { exchange = \"topic\", binding_keys = { \"order.#\" }, alternate = \"rest\" }, b = { exchange = \"fanout\", sources = { \"a\" }, source_keys = { \"order.*\" } }, rest = { exchange = \"fanout\" }",
                          std::string(producers) + "consumer \"K\" { topics = { \"a\", \"b\" } }");
  EXPECT_EQ(got(r), (Texts{"K:P-1@a/0", "K:P-1@b/0", "R:Q-1@rest/0"}));
  std::vector<std::string> routed;
  for (const Op& op : r.world->journal.ops)
    if (op.kind == OpKind::deliver && (op.flags & op_flag::routed)) routed.push_back(r.world->journal.message_name(op.message) + "@" + r.world->journal.names.text(op.place));
  EXPECT_EQ(routed, (Texts{"P-1@b/0", "Q-1@rest/0"}));
  EXPECT_EQ(r.verdict("misdelivered")->report.verdict, Verdict::holds);
  Journal again;
  EXPECT_FALSE(read_history(history_text(r.world->journal), again));
  std::size_t read_back = 0;
  for (const Op& op : again.ops) read_back += (op.flags & op_flag::routed) != 0;
  EXPECT_EQ(read_back, 2U);
}

// One source with several keys, and by way of another exchange besides: one queue, one copy.
TEST_F(RabbitTopology, ByTwoWaysAMessageComesOnce) {
  const RunResult r = run("a = { exchange = \"topic\" }, b = { exchange = \"fanout\", sources = { \"a\" }, source_keys = { \"order.*\", \"*.new\" } }, "
                          "c = { exchange = \"fanout\", sources = { \"a\", \"b\" }, source_keys = { \"#\", \"any\" } }",
                          std::string(producers) + "consumer \"K\" { topics = { \"c\" } }");
  EXPECT_EQ(got(r), (Texts{"K:P-1@c/0", "K:Q-1@c/0"}));
  EXPECT_EQ(r.verdict("duplicate-delivery")->report.verdict, Verdict::holds);
}

TEST_F(RabbitTopology, WithoutKeysAllOfTheSourceComes) {
  for (const char* source : {"exchange = \"direct\", partitions = 3", "exchange = \"topic\"", "exchange = \"fanout\"", "exchange = \"x-modulus-hash\"", "exchange = \"x-consistent-hash\""}) {
    SCOPED_TRACE(source);
    const RunResult r = run(std::string("a = { ") + source + " }, b = { exchange = \"fanout\", sources = { \"a\" } }",
                            "producer \"P\" { topic = \"a\", records = 6 }, consumer \"K\" { topics = { \"b\" } }");
    EXPECT_EQ(got(r).size(), 6U);
  }
}

// settings.h: an exchange that hands on and that nobody reads has no queue.
TEST_F(RabbitTopology, AnExchangeThatHandsOnNeedsNoReader) {
  const RunResult r = run("a = { exchange = \"fanout\" }, b = { exchange = \"fanout\", sources = { \"a\" } }",
                          "producer \"P\" { topic = \"a\", records = 3 }, consumer \"K\" { topics = { \"b\" } }");
  EXPECT_EQ(got(r), (Texts{"K:P-1@b/0", "K:P-2@b/0", "K:P-3@b/0"}));
}

// Bindings between exchanges are durable, and each node knows them.
TEST_F(RabbitTopology, TheBindingOutlivesItsNode) {
  const Scenario s = load_scenario("return scenario { title = \"t\", cluster = rabbitmq { brokers = 3, classic_fsync = true }, topics = { a = { exchange = \"fanout\" }, "
                                   "b = { exchange = \"fanout\", sources = { \"a\" } } }, clients = { producer \"P\" { topic = \"a\", records = 10, every = seconds(1), resend = true, resend_limit = 20, "
                                   "connects_to = \"B2\", recovery_interval = seconds(1) }, consumer \"K\" { topics = { \"b\" }, recovery_interval = seconds(1) } }, "
                                   "faults = { at(seconds(4), kill \"B1\" { duration = seconds(2) }), at(seconds(8), kill \"B2\" { duration = seconds(2) }) }, run_for = seconds(60) }",
                                   "t.lua", models);
  const RunResult r = run_scenario(s, *models.find("rabbitmq"), nullptr, {.seed = 1});
  const Texts all = got(r);
  for (int n = 1; n <= 10; ++n) EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const std::string& t) { return t.find(":P-" + std::to_string(n) + "@b/0") != std::string::npos; })) << n;
}

// docs exchanges: all is the default; any is one; a name alone wants the header, whatever it holds.
TEST_F(RabbitTopology, AHeadersExchangeLooksAtHeaders) {
  const std::string clients =
      "producer \"P\" { topic = \"a\", headers = { \"type=bill\", \"region=eu\" }, records = 1 }, producer \"Q\" { topic = \"a\", headers = { \"type=bill\", \"pages=3\" }, records = 1 }, "
      "producer \"R1\" { topic = \"a\", headers = { \"urgent\", \"pages='3'\" }, records = 1 }, consumer \"K\" { topics = { \"a\" } }";
  const auto routed = [&](const std::string& arguments) { return got(run("a = { exchange = \"headers\", binding_arguments = { " + arguments + " } }", clients)); };
  EXPECT_EQ(routed("\"type=bill region=eu\""), (Texts{"K:P-1@a/0"}));
  EXPECT_EQ(routed("\"x-match=any type=bill region=eu\""), (Texts{"K:P-1@a/0", "K:Q-1@a/0"}));
  EXPECT_EQ(routed("\"urgent\""), (Texts{"K:R1-1@a/0"}));
  EXPECT_EQ(routed("\"pages=3\""), (Texts{"K:Q-1@a/0"}));
  EXPECT_EQ(routed(""), (Texts{"K:P-1@a/0", "K:Q-1@a/0", "K:R1-1@a/0"}));
}

TEST_F(RabbitTopology, ASourceMayBeAHeadersExchange) {
  const RunResult r = run("a = { exchange = \"headers\" }, b = { exchange = \"fanout\", sources = { \"a\" }, source_arguments = { \"type=bill\", \"type=order\" } }",
                          "producer \"P\" { topic = \"a\", headers = { \"type=bill\" }, records = 1 }, producer \"Q\" { topic = \"a\", headers = { \"type=order\" }, records = 1 }, "
                          "producer \"S\" { topic = \"a\", headers = { \"type=news\" }, records = 1 }, consumer \"K\" { topics = { \"b\" } }");
  EXPECT_EQ(got(r), (Texts{"K:P-1@b/0", "K:Q-1@b/0"}));
}

// docs sender-selected.
TEST_F(RabbitTopology, CcAndBccAreKeysToo) {
  const RunResult r = run("a = { exchange = \"topic\", partitions = 3, binding_keys = { \"one\", \"two\", \"three\" } }",
                          "producer \"P\" { topic = \"a\", routing_key = \"one\", cc = { \"two\" }, bcc = { \"three\", \"one\" }, records = 1 }, "
                          "consumer \"K1\" { topics = { \"a/0\" }, group = \"g\" }, consumer \"K2\" { topics = { \"a/1\" }, group = \"g\" }, consumer \"K3\" { topics = { \"a/2\" }, group = \"g\" }");
  EXPECT_EQ(got(r), (Texts{"K1:P-1@a/0", "K2:P-1@a/1", "K3:P-1@a/2"}));
}

// A program says it of one send; nobody who gets the message sees BCC.
TEST_F(RabbitTopology, AProgramGivesHeadersToItsNextSend) {
  const RunResult r = run("a = { exchange = \"topic\", partitions = 2, binding_keys = { \"one\", \"two\" } }",
                          "client \"P\" { program = function(c) c:sleep(seconds(1)) c:call(\"headers\", \"pages=7 draft\") c:call(\"cc\", \"two\") c:call(\"bcc\", \"none\") "
                          "c:send(\"a\", { key = \"one\", body = \"m1\" }) c:send(\"a\", { key = \"one\", body = \"m2\" }) end, group = \"P\" }, "
                          "client \"K\" { group = \"g\", program = function(c) c:subscribe { \"a\" } local n = 0 while c:now() < seconds(5) do for _, m in ipairs(c:poll(seconds(1))) do "
                          "local function has(h) return tostring(c:call(\"header\", m.body .. \" \" .. h).position) end "
                          "if m.body == \"m1\" then c:mark(\"saw\", m.place .. \" \" .. has(\"pages\") .. \" \" .. has(\"draft\") .. \" \" .. has(\"CC\") .. \" \" .. has(\"BCC\")) end "
                          "c:ack(m) end end end }",
                          "", "marks = { \"saw\" }, ");
  std::vector<std::string> saw;
  for (const Mark& m : r.world->journal.marks)
    if (r.world->journal.names.text(m.name) == "saw") saw.push_back(m.text);
  std::sort(saw.begin(), saw.end());
  EXPECT_EQ(saw, (Texts{"a/0 7 0 0 nil", "a/1 7 0 0 nil"}));
  const Texts all = got(r);
  EXPECT_EQ(std::count(all.begin(), all.end(), "K:m2@a/0"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "K:m2@a/1"), 0);
}

TEST(RabbitTable, IsReadAsAScenarioWritesIt) {
  Table t;
  EXPECT_FALSE(read_table("x-match=any  pages=-3 signed=true draft name='two  words' id='7'", t));
  EXPECT_EQ(t, (Table{{"x-match", "any"}, {"pages", std::int64_t{-3}}, {"signed", true}, {"draft", FieldValue()}, {"name", "two  words"}, {"id", "7"}}));
  EXPECT_NE(read_table("=3", t), std::nullopt);
  EXPECT_NE(read_table("name='two", t), std::nullopt);
  EXPECT_NE(read_table("name='two'words", t), std::nullopt);
}

TEST_F(RabbitTopology, ARingOfExchangesIsNamed) {
  EXPECT_EQ(loops("a = { exchange = \"fanout\", sources = { \"c\" } }, b = { exchange = \"fanout\", sources = { \"a\" } }, c = { exchange = \"fanout\", sources = { \"b\" } }"), (Texts{"a -> b -> c -> a"}));
}

TEST_F(RabbitTopology, WhatDoesNotFitIsRefusedWithTheRemedy) {
  EXPECT_NE(refused("a = {}, orders = {}, b = { sources = { \"order\" } }").find("topic `b`: sources names `order`, which is no topic of this cluster; did you mean `orders`?"), std::string::npos);
  EXPECT_NE(refused("a = {}, b = { source_keys = { \"x\" } }").find("topic `b` says how sources are bound and names none"), std::string::npos);
  EXPECT_NE(refused("a = {}, c = {}, b = { sources = { \"a\", \"c\" }, source_keys = { \"x\", \"y\", \"z\" } }").find("topic `b`: sources has 2 items where another list has 3"), std::string::npos);
  EXPECT_NE(refused("a = { exchange = \"x-consistent-hash\" }, b = { sources = { \"a\" }, source_keys = { \"heavy\" } }").find("The binding key must be an integer: heavy"), std::string::npos);
  EXPECT_NE(refused("a = { exchange = \"headers\", binding_arguments = { \"x-match=some\" } }").find("topic `a`: PRECONDITION_FAILED - Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x"), std::string::npos);
  EXPECT_NE(refused("a = { exchange = \"headers\", binding_arguments = { \"=3\" } }").find("topic `a`: binding_arguments: `=3` has a value without a name; write name=value"), std::string::npos);
  EXPECT_NE(refused("a = {}", "producer \"P\" { topic = \"a\", headers = { \"name='x\" } }").find("`P`: headers: the quote of `name` does not end"), std::string::npos);
  EXPECT_NE(refused("a = {}, [\"amq.mine\"] = {}").find("contains reserved prefix"), std::string::npos);
}

}  // namespace
}  // namespace mqlab::rabbitmq
