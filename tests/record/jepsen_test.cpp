#include "sim/record/jepsen.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "sim/record/edn.h"
#include "tests/record/journals.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

Journal read(const std::string& text) {
  Journal j;
  const auto error = read_any_history(text, j);
  EXPECT_FALSE(error) << error->line << ": " << error->message;
  return j;
}

std::string complaint(const std::string& text) {
  Journal j;
  const auto error = read_jepsen(text, j);
  return error ? fmt::format("line {}: {}", error->line, error->message) : "none";
}

// A client that sends, one that reads, as a world writes them down.
Journal sent_and_read() {
  Journal j;
  j.processes = {"B1", "P1", "C1"};
  const std::uint32_t topic = j.names.id("orders"), place = j.names.id("orders/0"), group = j.names.id("g");
  const MessageId m = numbered_message(1, 1);
  j.ops.push_back({.time = 5, .process = 1, .kind = OpKind::send, .outcome = Outcome::invoke, .place = topic, .message = m});
  j.ops.push_back({.time = 6, .process = 2, .kind = OpKind::poll, .outcome = Outcome::invoke});
  j.ops.push_back({.time = 9, .of = 0, .process = 1, .kind = OpKind::send, .outcome = Outcome::ok, .place = place, .message = m, .position = 4});
  j.ops.push_back({.time = 12, .of = 1, .process = 2, .kind = OpKind::deliver, .outcome = Outcome::ok,
                   .flags = op_flag::read_committed, .place = place, .subscription = group, .message = m, .position = 4});
  j.ops.push_back({.time = 12, .of = 1, .process = 2, .kind = OpKind::poll, .outcome = Outcome::ok, .flags = op_flag::read_committed,
                   .subscription = group});
  return j;
}

}  // namespace

TEST(Jepsen, SendsAndPollsAreInTheFormOfTheKafkaWorkload) {
  EXPECT_EQ(jepsen_text(sent_and_read()),
            "{:index 0, :time 5, :process 1, :type :invoke, :f :send, :value [[:send \"orders/0\" \"P1-1\"]], :client \"P1\"}\n"
            "{:index 1, :time 6, :process 2, :type :invoke, :f :poll, :value [[:poll]], :client \"C1\"}\n"
            "{:index 2, :time 9, :process 1, :type :ok, :f :send, :value [[:send \"orders/0\" [4 \"P1-1\"]]], :client \"P1\"}\n"
            "{:index 3, :time 12, :process 2, :type :ok, :f :poll, :value [[:poll {\"orders/0\" [[4 \"P1-1\"]]}]], "
            ":subscription \"g\", :client \"C1\"}\n");
}

// What jepsen.tests.kafka-test uses: integer keys and values, a vector of values and offsets.
TEST(Jepsen, AHistoryOfARealRunIsImported) {
  const Journal j = read(
      "; a real-world example\n"
      "[{:type :invoke, :f :send, :value [[:send 11 641]], :time 280153467070, :process 379}\n"
      " #jepsen.history.Op{:type :ok, :f :send, :value [[:send 11 [537 641]]], :time 280169754615, :process 379, :index 1}\n"
      " {:type :info, :f :kill, :value {\"n1\" :killed}, :time 280169754616, :process :nemesis}\n"
      " {:type :invoke, :f :poll, :value [[:poll]], :time 283654729962, :process 363, :poll-ms 1000}\n"
      " {:type :ok, :f :poll, :value [[:poll {11 [[537 641] [538 645]], 12 []}]], :time 287474569112, :process 363}]\n");
  EXPECT_EQ(ops_by_name(j),
            "280153467070 0/p379 send invoke of=- place=11 key= msg=named 11:641 pos=-1 sub= att=0 flags=0 tx=0 err=\n"
            "280169754615 0/p379 send ok of=0 place=11 key= msg=named 11:641 pos=537 sub= att=0 flags=0 tx=0 err=\n"
            "283654729962 1/p363 poll invoke of=- place= key= msg=- pos=-1 sub= att=0 flags=0 tx=0 err=\n"
            "287474569112 1/p363 deliver ok of=2 place=11 key= msg=named 11:641 pos=537 sub=jepsen att=0 flags=8 tx=0 err=\n"
            "287474569112 1/p363 deliver ok of=2 place=11 key= msg=named 11:645 pos=538 sub=jepsen att=0 flags=8 tx=0 err=\n"
            "287474569112 1/p363 poll ok of=2 place= key= msg=- pos=-1 sub=jepsen att=0 flags=8 tx=0 err=\n");
  EXPECT_EQ(marks_by_name(j), fmt::format("280169754616 0 {} kill  info {{\"n1\" :killed}}\n", nobody));
  // It goes out again with the numbers it came with.
  EXPECT_NE(jepsen_text(j).find(":value [[:poll {11 [[537 641] [538 645]]}]]"), std::string::npos);
}

TEST(Jepsen, ATransactionIsOneOperationAndBack) {
  const std::string text =
      "{:index 0, :time 1, :process 0, :type :invoke, :f :txn, :value [[:send 1 5] [:poll]], :client \"p\"}\n"
      "{:index 1, :time 2, :process 0, :type :ok, :f :txn, :value [[:send 1 [0 5]] [:poll {2 [[3 9]]}]], :subscription \"jepsen\", :client \"p\"}\n"
      "{:index 2, :time 3, :process 0, :type :invoke, :f :txn, :value [[:send 1 6] [:send 2 6]], :client \"p\"}\n"
      "{:index 3, :time 4, :process 0, :type :info, :f :txn, :value [[:send 1 6] [:send 2 [8 6]]], :client \"p\"}\n";
  const Journal j = read(text);
  EXPECT_EQ(j.ops[0].kind, OpKind::begin);
  EXPECT_EQ(j.ops[6].kind, OpKind::end_commit);
  EXPECT_EQ(j.ops[6].outcome, Outcome::ok);
  EXPECT_EQ(j.ops.back().outcome, Outcome::info);
  std::string again = jepsen_text(j);
  // The notes that an import does not need stand where nothing was read.
  for (std::size_t at; (at = again.find(", :read-committed false")) != std::string::npos;) again.erase(at, 23);
  EXPECT_EQ(again, text);
}

TEST(Jepsen, AFailedTransactionAborts) {
  const Journal j = read(
      "{:time 1, :process 0, :type :invoke, :f :txn, :value [[:send :x :a]]}\n"
      "{:time 2, :process 0, :type :fail, :f :txn, :value [[:send :x :a]]}\n");
  EXPECT_EQ(j.ops[2].outcome, Outcome::fail);
  EXPECT_EQ(j.ops[3].kind, OpKind::end_abort);
  EXPECT_EQ(j.message_name(j.ops[2].message), ":x::a");
  EXPECT_NE(jepsen_text(j).find(":type :fail, :f :txn, :value [[:send :x :a]]"), std::string::npos);
}

// Jepsen allows one operation at a time to a process, and a crashed one never comes back.
TEST(Jepsen, SendsThatOverlapRunAsSeveralProcesses) {
  Journal j;
  j.processes = {"P1"};
  const auto op = [&](Time t, OpIndex of, Outcome o, std::uint64_t n) {
    j.ops.push_back({.time = t, .of = of, .process = 0, .kind = OpKind::send, .outcome = o, .place = j.names.id("q"), .message = numbered_message(0, n)});
  };
  op(1, no_op, Outcome::invoke, 1);
  op(1, no_op, Outcome::invoke, 2);
  op(2, 1, Outcome::info, 2);
  op(3, no_op, Outcome::invoke, 3);
  op(4, 0, Outcome::ok, 1);
  op(5, 3, Outcome::ok, 3);
  EXPECT_EQ(jepsen_text(j),
            "{:index 0, :time 1, :process 0, :type :invoke, :f :send, :value [[:send \"q\" \"P1-1\"]], :client \"P1\"}\n"
            "{:index 1, :time 1, :process 1, :type :invoke, :f :send, :value [[:send \"q\" \"P1-2\"]], :client \"P1\"}\n"
            "{:index 2, :time 2, :process 1, :type :info, :f :send, :value [[:send \"q\" \"P1-2\"]], :client \"P1\"}\n"
            "{:index 3, :time 3, :process 2, :type :invoke, :f :send, :value [[:send \"q\" \"P1-3\"]], :client \"P1\"}\n"
            "{:index 4, :time 4, :process 0, :type :ok, :f :send, :value [[:send \"q\" \"P1-1\"]], :client \"P1\"}\n"
            "{:index 5, :time 5, :process 2, :type :ok, :f :send, :value [[:send \"q\" \"P1-3\"]], :client \"P1\"}\n");
}

TEST(Jepsen, AssignmentsNameAllPlacesFromThenOn) {
  const std::string text =
      "{:index 0, :time 1, :process 0, :type :invoke, :f :assign, :value [\"q/0\" \"q/1\"], :client \"c\"}\n"
      "{:index 1, :time 1, :process 0, :type :ok, :f :assign, :value [\"q/0\" \"q/1\"], :client \"c\"}\n"
      "{:index 2, :time 2, :process 0, :type :invoke, :f :assign, :value [\"q/1\" \"q/2\"], :client \"c\"}\n"
      "{:index 3, :time 2, :process 0, :type :ok, :f :assign, :value [\"q/1\" \"q/2\"], :client \"c\"}\n";
  const Journal j = read(text);
  ASSERT_EQ(j.ops.size(), 4U);
  EXPECT_EQ(j.ops[2].kind, OpKind::revoke);
  EXPECT_EQ(j.names.text(j.ops[2].place), "q/0");
  EXPECT_EQ(j.names.text(j.ops[3].place), "q/2");
  EXPECT_EQ(j.names.text(j.ops[3].subscription), "c");
  const std::string again = jepsen_text(j);
  EXPECT_NE(again.find(":value [\"q/1\" \"q/2\"]"), std::string::npos);
  EXPECT_EQ(ops_by_name(read(again)), ops_by_name(j));
}

TEST(Jepsen, ErrorsNameTheLineAndTheRemedy) {
  const std::string head = "{:time 1, :process 0, :type :invoke, :f :send, :value [[:send 1 5]]}\n";
  EXPECT_EQ(complaint(""), "line 1: the history is empty: it has one map {:type ... :f ... :process ... :time ... :value ...} a line");
  EXPECT_EQ(complaint("\n{:f :send}"), "line 2: :type is missing: :invoke, :ok, :fail or :info");
  EXPECT_EQ(complaint(head + head), "line 2: process 0 invokes :send while its :send has not ended: one operation at a time");
  EXPECT_EQ(complaint(head + "{:time 0, :process 0, :type :ok, :f :send, :value [[:send 1 [0 5]]]}"),
            "line 2: time goes back from 1 to 0: operations are in the order of time");
  EXPECT_EQ(complaint(head + "{:time 2, :process 1, :type :ok, :f :send, :value [[:send 1 [0 5]]]}"),
            "line 2: process 1 ends :send without having invoked it");
  EXPECT_EQ(complaint(head + "{:time 2, :process 0, :type :ok, :f :send, :value [[:send 1 [-4 5]]]}"), "line 2: the offset -4 is negative");
  EXPECT_EQ(complaint(head + "{:time 2, :process 0, :type :ok, :f :send, :value [[:send 1 [0 6]]]}"),
            "line 2: \"[:send 1 [0 6]]\" ends a send of \"5\" to \"1\"");
  EXPECT_EQ(complaint("{:time 1, :process 0, :type :invoke, :f :send, :value [[:append 1 5]]}"),
            "line 1: \":append\" is unknown: micro-operations are :send and :poll");
  EXPECT_EQ(complaint("{:time 1, :process 0, :type"), "line 1: the text ends before the '}' for what was opened on line 1: was the file cut off?");
  EXPECT_EQ(complaint("[" + head), "line 2: the text ends before the closing ']': was the file cut off?");
}

TEST(Jepsen, HostileTextGetsAClearError) {
  EXPECT_EQ(complaint(std::string(1'000'000, '[')).substr(0, 20), "line 1: nested more ");
  EXPECT_NE(complaint("{" + std::string(1'000'000, '#')), "none");
  std::string discards;
  for (int i = 0; i < 100'000; ++i) discards += "#_";
  EXPECT_NE(complaint(discards), "none");
  std::string tags;
  for (int i = 0; i < 100'000; ++i) tags += "#a ";
  EXPECT_EQ(complaint(tags), "line 1: nested more than 64 deep");
  EXPECT_NE(complaint("{:time 99999999999999999999999 :process 0 :type :ok :f :send}"), "none");
  EXPECT_NE(complaint("{:time 1 :time 2}").find("twice"), std::string::npos);
  EXPECT_NE(complaint("{:time \"\xff\"}").find("UTF-8"), std::string::npos);
  EXPECT_NE(complaint("{:a}").find("a map needs a value"), std::string::npos);
}

namespace {

// Journals that Jepsen's form can say whole: sends, polls with what they read, each process one
// operation at a time, transactions left out, places known from the beginning.
Journal jepsen_journal(const std::vector<std::uint32_t>& numbers) {
  Dice d(numbers);
  Journal j;
  j.processes = {"a", "b-1", "c"};
  Time time = 0;
  const char* places[] = {"q/0", "7", ":k", "sp ace\""};
  std::map<NodeId, OpIndex> open;
  std::uint64_t sent = 0;
  std::set<NodeId> named;
  for (NodeId n = 0; n < 3; ++n) {  // each is seen in turn, so that the import numbers them alike
    j.ops.push_back({.process = n, .kind = OpKind::poll, .outcome = Outcome::invoke});
    open[n] = n;
  }
  while (!d.empty()) {
    time += d.below(50);
    const NodeId n = d.below(3);
    Op op;
    op.time = time;
    op.process = n;
    if (const auto it = open.find(n); it == open.end()) {
      op.kind = d.below(2) ? OpKind::send : OpKind::poll;
      op.outcome = Outcome::invoke;
      if (op.kind == OpKind::send) {
        op.place = j.names.id(places[d.below(4)]);
        op.message = d.below(2) ? numbered_message(n, ++sent) : named_message(j.names.id(fmt::format("body {}", ++sent)));
      }
      open[n] = j.ops.size();
    } else {
      const Op begun = j.ops[it->second];
      op.kind = begun.kind;
      op.outcome = static_cast<Outcome>(1 + d.below(3));
      op.of = it->second;
      if (op.kind == OpKind::send) {
        op.place = begun.place;
        op.message = begun.message;
        if (op.outcome != Outcome::fail && d.below(3)) op.position = d.below(5);
      } else {
        const std::uint32_t subscription = j.names.id(d.below(2) ? "g" : "h");
        const std::uint8_t flags = d.below(2) ? op_flag::read_committed : 0;
        for (std::uint32_t place = 0; place < 2; ++place) {
          for (std::uint32_t i = d.below(3); i > 0; --i) {
            Op read;
            read.time = time;
            read.of = op.of;
            read.process = n;
            read.kind = OpKind::deliver;
            read.outcome = Outcome::ok;
            read.flags = flags;
            read.place = j.names.id(places[place]);
            read.subscription = subscription;
            read.message = numbered_message(n, 1'000'000 + d.below(9));  // nobody sent it: no place is known for it
            read.position = static_cast<std::int64_t>(d.below(4)) - 1;
            j.ops.push_back(read);
          }
        }
        op.subscription = subscription;
        op.flags = flags;
        if (j.ops.back().of != op.of) op.subscription = j.names.id("jepsen"), op.flags = 0;  // read nothing
      }
      open.erase(it);
    }
    j.ops.push_back(op);
  }
  return j;
}

}  // namespace

RC_GTEST_PROP(Jepsen, ReadOfWriteIsTheSameWhereJepsenHasWords, ()) {
  const Journal j = jepsen_journal(*drawn_numbers());
  Journal again;
  RC_ASSERT(!read_jepsen(jepsen_text(j), again));
  RC_ASSERT(ops_by_name(again) == ops_by_name(j));
}

// Whatever the journal: the export keeps Jepsen's own rules and can be read back.
RC_GTEST_PROP(Jepsen, AnyExportKeepsJepsensRules, ()) {
  const Journal j = any_journal(*drawn_numbers());
  const std::string text = jepsen_text(j);
  EdnReader edn(text);
  std::map<std::int64_t, std::string> pending;
  std::set<std::int64_t> crashed;
  std::int64_t index = 0;
  EdnValue op;
  EdnReader::Next next;
  while ((next = edn.next(op)) == EdnReader::Next::value) {
    RC_ASSERT(op.find("index")->integer == index++);
    if (op.find("process")->kind == EdnValue::Kind::keyword) continue;  // the nemesis
    const std::int64_t process = op.find("process")->integer;
    RC_ASSERT(!crashed.count(process));
    if (op.find("type")->is_keyword("invoke")) {
      RC_ASSERT(pending.emplace(process, op.find("f")->text).second);
    } else {
      RC_ASSERT(pending.count(process) == 1U);
      RC_ASSERT(pending[process] == op.find("f")->text);
      pending.erase(process);
      if (op.find("type")->is_keyword("info")) crashed.insert(process);
    }
  }
  RC_ASSERT(next == EdnReader::Next::end);
  Journal again;
  const auto error = text.empty() ? std::nullopt : read_jepsen(text, again);
  if (error) RC_FAIL(fmt::format("line {}: {}\n{}", error->line, error->message, text));
}

RC_GTEST_PROP(Jepsen, AnyTextGivesAJournalOrAClearError, (const std::string& bytes)) {
  std::string text = jepsen_text(jepsen_journal(*drawn_numbers()));
  const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
  switch (*rc::gen::inRange(0, 4)) {
    case 0: text = bytes; break;
    case 1: text.resize(at); break;
    case 2: text.insert(at, bytes); break;
    default: text.erase(at, *rc::gen::inRange<std::size_t>(0, 4)); break;
  }
  Journal j;
  if (const auto error = read_jepsen(text, j)) {
    RC_ASSERT(error->line > 0U);
    RC_ASSERT(!error->message.empty());
    RC_ASSERT(utf8_error(error->message) == std::string::npos);
  }
}
