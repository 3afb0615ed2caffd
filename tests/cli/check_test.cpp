// mqlab check: verdicts on a history that somebody recorded.
#include <gtest/gtest.h>

#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

// Two acknowledged messages; the reader, caught up, got one of them.
constexpr const char* with_a_loss = R"({"format":"mqlab-history/1","processes":["P1","C1"],"ops":9}
{"time":1000,"process":"C1","op":"assign","outcome":"ok","place":"orders/0","position":0,"subscription":"g","flags":["assigned"]}
{"time":5000,"process":"P1","op":"send","outcome":"invoke","place":"orders","message":"P1-1"}
{"time":9000,"process":"P1","op":"send","outcome":"ok","of":1,"place":"orders/0","message":"P1-1","position":0}
{"time":10000,"process":"P1","op":"send","outcome":"invoke","place":"orders","message":"P1-2"}
{"time":11000,"process":"P1","op":"send","outcome":"ok","of":3,"place":"orders/0","message":"P1-2","position":1}
{"time":12000,"process":"C1","op":"poll","outcome":"invoke","subscription":"g"}
{"time":13000,"process":"C1","op":"deliver","outcome":"ok","of":5,"place":"orders/0","message":"P1-1","position":0,"subscription":"g"}
{"time":13000,"process":"C1","op":"poll","outcome":"ok","of":5,"subscription":"g"}
{"time":90000,"op":"drained","outcome":"ok"}
)";

TEST(Check, ALossIsNamedWithItsWitness) {
  const Scratch scratch;
  const std::string file = scratch.write("history.jsonl", with_a_loss);
  const Outcome o = mqlab({"check", file});
  EXPECT_EQ(o.code, 1) << o.err;
  EXPECT_NE(o.out.find("lost-message"), std::string::npos) << o.out;
  EXPECT_NE(o.out.find("P1-2"), std::string::npos) << o.out;
  EXPECT_EQ(o.err, "");

  const auto j = mqlab_json({"check", file});
  EXPECT_EQ(j.at("format"), "mqlab-check/1");
  EXPECT_EQ(j.at("operations"), 9);
  EXPECT_FALSE(j.at("as_expected").get<bool>());
  bool found = false;
  for (const auto& v : j.at("verdicts"))
    if (v.at("anomaly") == "lost-message") {
      found = true;
      EXPECT_EQ(v.at("verdict"), "violated");
      EXPECT_EQ(v.at("count"), 1);
      EXPECT_FALSE(v.at("worst")[0].at("witness").empty());
    }
  EXPECT_TRUE(found);
}

TEST(Check, ClaimsSayWhatCounts) {
  const Scratch scratch;
  const std::string file = scratch.write("history.jsonl", with_a_loss);
  EXPECT_EQ(mqlab({"check", file, "--claims", "lost-message"}).code, 1);
  EXPECT_EQ(mqlab({"check", file, "--claims", "duplicate,phantom"}).code, 0) << "the loss was not claimed away";
  EXPECT_EQ(mqlab({"check", file, "--claims", "all"}).code, 1);
  const Outcome typo = mqlab({"check", file, "--claims", "lost-mesage"});
  EXPECT_EQ(typo.code, 2);
  EXPECT_NE(typo.err.find("did you mean `lost-message`?"), std::string::npos) << typo.err;
}

// Twelve times the first message, each time with failure, and never the one behind it. The history does not end at rest.
TEST(Check, BoundsDecideWhereAHistoryJustEnds) {
  std::string text = R"({"format":"mqlab-history/1"}
{"time":0,"process":"C1","op":"assign","outcome":"ok","place":"orders/0","position":0,"subscription":"g","flags":["assigned"]}
{"time":1,"process":"P1","op":"send","outcome":"invoke","place":"orders","message":"P1-1"}
{"time":2,"process":"P1","op":"send","outcome":"ok","of":1,"place":"orders/0","message":"P1-1","position":0}
{"time":3,"process":"P1","op":"send","outcome":"invoke","place":"orders","message":"P1-2"}
{"time":4,"process":"P1","op":"send","outcome":"ok","of":3,"place":"orders/0","message":"P1-2","position":1}
)";
  std::size_t row = 5;
  for (int attempt = 1; attempt <= 12; ++attempt) {
    const std::string time = std::to_string(attempt) + "000000000";
    text += R"({"time":)" + time + R"(,"process":"C1","op":"deliver","outcome":"ok","place":"orders/0","message":"P1-1","position":0,"subscription":"g","attempt":)" + std::to_string(attempt) + "}\n";
    text += R"({"time":)" + time + R"(,"process":"C1","op":"process","outcome":"fail","of":)" + std::to_string(row) + R"(,"place":"orders/0","message":"P1-1","position":0,"subscription":"g"})" + "\n";
    row += 2;
  }
  const Scratch scratch;
  const std::string file = scratch.write("history.jsonl", text);
  const auto verdict = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"check", file});
    const auto j = mqlab_json(more);
    for (const auto& v : j.at("verdicts"))
      if (v.at("anomaly") == "head-of-line-stall") return v.at("verdict").get<std::string>();
    return std::string("none");
  };
  EXPECT_EQ(verdict({}), "unknown");
  EXPECT_EQ(verdict({"--stall-bound", "5s"}), "violated");
  EXPECT_EQ(verdict({"--stall-bound", "1h"}), "unknown");
  for (const char* option : {"--stall-bound", "--starvation-bound", "--hung-bound", "--dedup-window"}) {
    const Outcome wrong = mqlab({"check", file, option, "soon"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_NE(wrong.err.find(std::string(option) + " soon: a time was expected, as in 10min"), std::string::npos) << wrong.err;
  }
}

TEST(Check, JepsensFormIsToldByItsContent) {
  const Scratch scratch;
  const std::string file = scratch.write("history.txt", R"({:index 0, :time 5, :process 1, :type :invoke, :f :send, :value [[:send "orders/0" 1]]}
{:index 1, :time 9, :process 1, :type :ok, :f :send, :value [[:send "orders/0" [0 1]]]}
{:index 2, :time 10, :process 2, :type :invoke, :f :poll, :value [[:poll]]}
{:index 3, :time 12, :process 2, :type :ok, :f :poll, :value [[:poll {"orders/0" [[0 1]]}]]}
)");
  const Outcome o = mqlab({"check", file});
  EXPECT_EQ(o.code, 0) << o.out << o.err;
}

TEST(Check, BadHistoriesNameTheLine) {
  const Scratch scratch;
  const Outcome o = mqlab({"check", scratch.write("bad.jsonl", "{\"format\":\"mqlab-history/1\"}\n{\"time\":-1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"invoke\"}\n")});
  EXPECT_EQ(o.code, 2);
  EXPECT_NE(o.err.find("bad.jsonl:2:"), std::string::npos) << o.err;
  for (const char* text : {"hello", "{\"format\":\"mqlab-history/2\"}\n", "[[[[[[[[[[[[[[[", "{:index 0"})
    EXPECT_EQ(mqlab({"check", scratch.write("bad", text)}).code, 2) << text;
}

}  // namespace
}  // namespace mqlab::cli_test
