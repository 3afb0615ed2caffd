// Exchanges, bindings and routes, in the order of routing.h. Recorded cases: tests/conformance/rabbitmq.json.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/rabbitmq/routing.h"

namespace mqlab::rabbitmq {
namespace {

using Names = std::vector<std::string>;

std::string text_of(const MaybeError& e) { return e ? e->text : "ok"; }

Routing with_queues(const Names& queues) {
  Routing r;
  for (const std::string& q : queues) r.add_queue(q, true);
  return r;
}
void must(const MaybeError& e) { ASSERT_FALSE(e) << e->text; }

Names route(const Routing& r, const std::string& exchange, const std::string& key, const Table& headers = {}) {
  return r.route(exchange, {key}, headers);
}

// rabbit_exchange:route: the default exchange knows each queue by its name, and CC keys count once.
TEST(RabbitRouting, TheDefaultExchangeReachesAQueueByName) {
  const Routing r = with_queues({"a", "b"});
  EXPECT_EQ(route(r, "", "a"), (Names{"a"}));
  EXPECT_EQ(route(r, "", "c"), Names{});
  EXPECT_EQ(r.route("", {"a", "b", "a"}, {}), (Names{"a", "b"}));
}

TEST(RabbitRouting, NothingCanBeDoneToTheDefaultExchange) {
  Routing r = with_queues({"q"});
  const std::string refused = "ACCESS_REFUSED - operation not permitted on the default exchange";
  EXPECT_EQ(text_of(r.declare_exchange({.name = ""})), refused);
  EXPECT_EQ(text_of(r.delete_exchange("")), refused);
  EXPECT_EQ(text_of(r.bind({.source = "", .destination = "q", .key = "k"})), refused);
  EXPECT_EQ(text_of(r.unbind({.source = "", .destination = "q", .key = "q"})), refused);
}

// docs exchanges: direct compares the key, fanout does not look at it; several bindings make one copy.
TEST(RabbitRouting, AQueueGetsOneCopyHoweverManyBindingsLeadThere) {
  Routing r = with_queues({"q"});
  must(r.declare_exchange({.name = "d", .type = ExchangeType::direct}));
  must(r.bind({.source = "d", .destination = "q", .key = "k"}));
  must(r.bind({.source = "d", .destination = "q", .key = "k2"}));
  must(r.bind({.source = "amq.fanout", .destination = "q", .key = "x"}));
  EXPECT_EQ(route(r, "d", "k"), (Names{"q"}));
  EXPECT_EQ(r.route("d", {"k", "k2"}, {}), (Names{"q"}));
  EXPECT_EQ(route(r, "d", "K"), Names{});
  EXPECT_EQ(route(r, "amq.fanout", "whatever"), (Names{"q"}));
}

// rabbit_db_topic_exchange; recorded: rabbit-topic-03, rabbit-topic-04.
TEST(RabbitRouting, TopicWords) {
  struct Row { const char* pattern; Names yes; Names no; };
  for (const Row& row : {Row{"", {""}, {"a", "."}}, Row{"*", {"a"}, {"", ".", "a.b"}}, Row{"#", {"", "a", "a.b", ".."}, {}},
                         Row{"*.*", {"a.b", ".", "a."}, {"a", "a..b", ""}}, Row{"a.*.b", {"a..b", "a.x.b"}, {"a.b", "a.x.y.b"}},
                         Row{"a.#.b", {"a.b", "a..b", "a.x.y.b"}, {"a", "b", "ab"}}, Row{"#.#", {"", "a", "a.b.c"}, {}},
                         Row{"*.#.*", {"a.b", "a.b.c"}, {"a", ""}}, Row{"#.*.c", {"a.c", "a.b.c"}, {"c", "a.b"}},
                         Row{"a*", {"a*"}, {"ab", "a"}}}) {
    for (const std::string& k : row.yes) EXPECT_TRUE(topic_matches(row.pattern, k)) << row.pattern << " : " << k;
    for (const std::string& k : row.no) EXPECT_FALSE(topic_matches(row.pattern, k)) << row.pattern << " : " << k;
  }
}

// The rule as it is told, word by word: # may take any number, * takes one.
bool plain_match(const std::vector<std::string>& p, std::size_t i, const std::vector<std::string>& k, std::size_t j) {
  if (i == p.size()) return j == k.size();
  if (p[i] == "#") {
    for (std::size_t n = j; n <= k.size(); ++n)
      if (plain_match(p, i + 1, k, n)) return true;
    return false;
  }
  return j < k.size() && (p[i] == "*" || p[i] == k[j]) && plain_match(p, i + 1, k, j + 1);
}

RC_GTEST_PROP(RabbitRouting, TopicMatchingIsTheRuleAsItIsTold, ()) {
  const auto pattern = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>("a", "b", "", "*", "#"));
  const auto key = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>("a", "b", ""));
  const auto join = [](const std::vector<std::string>& w) {
    std::string s;
    for (std::size_t i = 0; i < w.size(); ++i) s.append(i == 0 ? "" : ".").append(w[i]);
    return s;
  };
  // One empty word and no word at all are written the same: it means none.
  const auto read = [&](std::vector<std::string> w) { return w == std::vector<std::string>{""} ? std::vector<std::string>{} : w; };
  RC_ASSERT(topic_matches(join(pattern), join(key)) == plain_match(read(pattern), 0, read(key), 0));
}

// rabbit_exchange_type_headers; recorded: rabbit-exchange-05, rabbit-exchange-06.
TEST(RabbitRouting, Headers) {
  const Table all{{"a", "1"}, {"b", 2}};
  EXPECT_TRUE(headers_match(all, {{"a", "1"}, {"b", 2}, {"c", true}}));
  EXPECT_FALSE(headers_match(all, {{"a", "1"}}));
  const Table any{{"x-match", "any"}, {"a", "1"}, {"b", 2}};
  EXPECT_TRUE(headers_match(any, {{"b", 2}}));
  EXPECT_FALSE(headers_match(any, {{"b", "2"}}));  // a text is no number
  EXPECT_TRUE(headers_match({{"b", 2}}, {{"b", FieldValue::of_type(FieldType::int8, 2)}}));  // of whatever width
  EXPECT_FALSE(headers_match({{"b", true}}, {{"b", 1}}));
  EXPECT_TRUE(headers_match({{"a", FieldValue()}}, {{"a", "anything"}}));  // void: that it is there
  EXPECT_TRUE(headers_match({{"x-match", "all"}}, {}));
  EXPECT_FALSE(headers_match({{"x-match", "any"}}, {{"a", "1"}}));
  EXPECT_TRUE(headers_match({{"x-match", "all"}, {"x-y", 1}}, {}));  // x- does not count ...
  EXPECT_FALSE(headers_match({{"x-match", "all-with-x"}, {"x-y", 1}}, {}));  // ... unless asked for
  EXPECT_TRUE(headers_match({{"x-match", "any-with-x"}, {"x-y", 1}}, {{"x-y", 1}}));
}

TEST(RabbitRouting, AWrongXMatchIsRefused) {
  Routing r = with_queues({"q"});
  EXPECT_EQ(text_of(r.bind({.source = "amq.headers", .destination = "q", .args = {{"x-match", "some"}}})),
            "PRECONDITION_FAILED - Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x");
  EXPECT_EQ(text_of(r.bind({.source = "amq.direct", .destination = "q", .args = {{"x-match", "some"}}})), "ok");
}

// docs ae; recorded: rabbit-exchange-10.
TEST(RabbitRouting, WhatAnExchangeRoutesNowhereItsAlternateGets) {
  Routing r = with_queues({"q", "other"});
  must(r.declare_exchange({.name = "ae2", .type = ExchangeType::fanout}));
  must(r.declare_exchange({.name = "ae1", .args = {{"alternate-exchange", "ae2"}}}));
  must(r.declare_exchange({.name = "d", .args = {{"alternate-exchange", "ae1"}}}));
  must(r.declare_exchange({.name = "e", .args = {{"alternate-exchange", "missing"}}}));
  must(r.bind({.source = "ae2", .destination = "q"}));
  must(r.bind({.source = "d", .destination = "other", .key = "k"}));
  EXPECT_EQ(route(r, "d", "zz"), (Names{"q"}));
  EXPECT_EQ(route(r, "d", "k"), (Names{"other"}));  // routed: no alternate
  EXPECT_EQ(route(r, "e", "k"), Names{});
}

TEST(RabbitRouting, AlternatesMayPointAtEachOther) {
  Routing r = with_queues({"q"});
  must(r.declare_exchange({.name = "a", .args = {{"alternate-exchange", "b"}}}));
  must(r.declare_exchange({.name = "b", .args = {{"alternate-exchange", "a"}}}));
  EXPECT_EQ(route(r, "a", "k"), Names{});
}

// docs e2e; recorded: rabbit-exchange-15. Keys are compared anew at each hop.
TEST(RabbitRouting, ExchangesAreVisitedOnce) {
  Routing r = with_queues({"qa", "qb"});
  must(r.declare_exchange({.name = "a", .type = ExchangeType::fanout}));
  must(r.declare_exchange({.name = "b", .type = ExchangeType::topic}));
  must(r.bind({.source = "a", .destination = "qa"}));
  must(r.bind({.source = "b", .destination = "qb", .key = "k.*"}));
  must(r.bind({.source = "a", .destination = "b", .to_exchange = true}));
  must(r.bind({.source = "b", .destination = "a", .to_exchange = true, .key = "#"}));
  must(r.bind({.source = "a", .destination = "a", .to_exchange = true}));
  EXPECT_EQ(route(r, "a", "k.1"), (Names{"qa", "qb"}));
  EXPECT_EQ(route(r, "b", "other"), (Names{"qa"}));
}

// rabbit_exchange:process_alternate: "routed" is what the bindings of this exchange say, an exchange among them.
TEST(RabbitRouting, AnExchangeThatHandsOnHasRouted) {
  Routing r = with_queues({"q"});
  must(r.declare_exchange({.name = "sink", .type = ExchangeType::fanout}));
  must(r.declare_exchange({.name = "ae", .type = ExchangeType::fanout}));
  must(r.declare_exchange({.name = "x", .type = ExchangeType::fanout, .args = {{"alternate-exchange", "ae"}}}));
  must(r.bind({.source = "ae", .destination = "q"}));
  must(r.bind({.source = "x", .destination = "sink", .to_exchange = true}));
  EXPECT_EQ(route(r, "x", ""), Names{});  // sink leads nowhere, and the alternate is not asked
}

// Recorded: rabbit-exchange-18, rabbit-exchange-22.
TEST(RabbitRouting, DeclaringAgain) {
  Routing r;
  must(r.declare_exchange({.name = "x"}));
  EXPECT_EQ(text_of(r.declare_exchange({.name = "x"})), "ok");
  EXPECT_EQ(text_of(r.declare_exchange({.name = "x", .type = ExchangeType::fanout})),
            "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'x' in vhost '/': received 'fanout' but current is 'direct'");
  EXPECT_EQ(text_of(r.declare_exchange({.name = "x", .durable = true})),
            "PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'x' in vhost '/': received 'true' but current is 'false'");
  EXPECT_EQ(text_of(r.declare_exchange({.name = "x", .args = {{"alternate-exchange", "y"}}})),
            "PRECONDITION_FAILED - inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received the value 'y' of type "
            "'longstr' but current is none");
  EXPECT_EQ(text_of(r.declare_exchange({.name = "amq.mine"})),
            "ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'");
  EXPECT_EQ(text_of(r.check_exchange("none")), "NOT_FOUND - no exchange 'none' in vhost '/'");
}

TEST(RabbitRouting, Deleting) {
  Routing r = with_queues({"q"});
  must(r.declare_exchange({.name = "x"}));
  must(r.bind({.source = "x", .destination = "q", .key = "k"}));
  EXPECT_EQ(text_of(r.delete_exchange("x", true)), "PRECONDITION_FAILED - exchange 'x' in vhost '/' in use");
  EXPECT_EQ(text_of(r.delete_exchange("x")), "ok");
  EXPECT_EQ(text_of(r.delete_exchange("x")), "ok");
  EXPECT_EQ(text_of(r.unbind({.source = "x", .destination = "q", .key = "k"})), "ok");
  EXPECT_EQ(text_of(r.bind({.source = "amq.direct", .destination = "none"})), "NOT_FOUND - no queue 'none' in vhost '/'");
  EXPECT_EQ(text_of(r.bind({.source = "none", .destination = "q"})), "NOT_FOUND - no exchange 'none' in vhost '/'");
  EXPECT_EQ(text_of(r.delete_exchange("amq.topic")), "ACCESS_REFUSED - deletion of system exchange 'amq.topic' in vhost '/' not allowed");
}

TEST(RabbitRouting, PublishingToNoneAndToAnInternalOne) {
  Routing r;
  must(r.declare_exchange({.name = "in", .internal = true}));
  EXPECT_EQ(text_of(r.check_publish("in")), "ACCESS_REFUSED - cannot publish to internal exchange 'in' in vhost '/'");
  EXPECT_EQ(text_of(r.check_publish("none")), "NOT_FOUND - no exchange 'none' in vhost '/'");
  EXPECT_EQ(text_of(r.check_publish("")), "ok");
}

// docs exchanges: it goes with its last binding as a source, never before it had one, and may pull others along.
TEST(RabbitRouting, AutoDeleteExchangesGoWithTheirLastBinding) {
  Routing r = with_queues({"q"});
  must(r.declare_exchange({.name = "outer", .type = ExchangeType::fanout, .auto_delete = true}));
  must(r.declare_exchange({.name = "inner", .type = ExchangeType::fanout, .auto_delete = true}));
  must(r.bind({.source = "outer", .destination = "inner", .to_exchange = true}));
  must(r.bind({.source = "inner", .destination = "q", .key = "1"}));
  must(r.bind({.source = "inner", .destination = "q", .key = "2"}));
  must(r.unbind({.source = "inner", .destination = "q", .key = "1"}));
  EXPECT_NE(r.find_exchange("inner"), nullptr);
  r.remove_queue("q");
  EXPECT_EQ(r.find_exchange("inner"), nullptr);
  EXPECT_EQ(r.find_exchange("outer"), nullptr);
  EXPECT_TRUE(r.bindings().empty());
}

// docs queues: transient ones do not survive the node, nor do bindings that hang on one.
TEST(RabbitRouting, ARestartKeepsWhatIsDurableAtBothEnds) {
  Routing r;
  r.add_queue("keep", true);
  r.add_queue("lose", false);
  must(r.declare_exchange({.name = "durable", .durable = true}));
  must(r.declare_exchange({.name = "transient"}));
  must(r.bind({.source = "durable", .destination = "keep", .key = "k"}));
  must(r.bind({.source = "durable", .destination = "lose", .key = "k"}));
  must(r.bind({.source = "transient", .destination = "keep", .key = "k"}));
  r.restart();
  EXPECT_EQ(route(r, "durable", "k"), (Names{"keep"}));
  EXPECT_EQ(r.bindings().size(), 1u);
  EXPECT_EQ(r.find_exchange("transient"), nullptr);
  EXPECT_NE(r.find_exchange("amq.topic"), nullptr);
}

// docs sender-selected: CC and BCC are keys too; BCC is not shown.
TEST(RabbitRouting, CcAndBccAreKeys) {
  Routing r = with_queues({"a", "b", "c"});
  const auto c = published("", "a", {}, {{"CC", FieldValue::strings({"b"})}, {"BCC", FieldValue::strings({"c"})}});
  ASSERT_TRUE(c);
  EXPECT_EQ(r.route(*c), (Names{"a", "b", "c"}));
  EXPECT_TRUE(c->headers.contains("CC"));
  EXPECT_FALSE(c->headers.contains("BCC"));
  EXPECT_FALSE(published("", "a", {}, {{"CC", "b"}}));
}

// How many of a thousand keys have another queue when a third is bound to two.
int moved(ExchangeType type, const char* key) {
  Routing r;
  r.declare_exchange({.name = "x", .type = type});
  for (const char* q : {"q0", "q1", "q2"}) r.add_queue(q, true);
  for (const char* q : {"q0", "q1"}) EXPECT_FALSE(r.bind({.source = "x", .destination = q, .key = key}));
  std::vector<std::vector<std::string>> before;
  for (int n = 0; n < 1000; ++n) before.push_back(r.route("x", {"k" + std::to_string(n)}, {}));
  EXPECT_FALSE(r.bind({.source = "x", .destination = "q2", .key = key}));
  int moved = 0;
  for (int n = 0; n < 1000; ++n) {
    const auto now = r.route("x", {"k" + std::to_string(n)}, {});
    EXPECT_EQ(now.size(), 1u);
    moved += now != before[static_cast<std::size_t>(n)];
    // A consistent hash moves a key to the new queue or not at all.
    if (type == ExchangeType::consistent_hash) {
      EXPECT_TRUE(now == before[static_cast<std::size_t>(n)] || now.front() == "q2");
    }
  }
  return moved;
}

// docs modulus-hash-exchange: two keys of three move; rabbitmq_consistent_hash_exchange: a third.
TEST(RabbitRouting, AHashExchangeChoosesOneQueueAndAnotherNumberOfThemMovesKeys) {
  EXPECT_NEAR(moved(ExchangeType::modulus_hash, ""), 667, 60);
  EXPECT_NEAR(moved(ExchangeType::consistent_hash, "1"), 333, 60);
}

TEST(RabbitRouting, TheKeyOfABindingToAConsistentHashIsItsWeight) {
  Routing r;
  r.declare_exchange({.name = "x", .type = ExchangeType::consistent_hash});
  for (const char* q : {"q0", "q1"}) r.add_queue(q, true);
  EXPECT_EQ(r.bind({.source = "x", .destination = "q0", .key = "heavy"})->text, "PRECONDITION_FAILED - The binding key must be an integer: heavy");
  r.bind({.source = "x", .destination = "q0", .key = "3"});
  r.bind({.source = "x", .destination = "q1", .key = "1"});
  int first = 0;
  for (int n = 0; n < 1000; ++n) first += r.route("x", {"k" + std::to_string(n)}, {}).front() == "q0";
  EXPECT_NEAR(first, 750, 60);
  EXPECT_TRUE(Routing().route("amq.direct", {"k"}, {}).empty());
}

}  // namespace
}  // namespace mqlab::rabbitmq
