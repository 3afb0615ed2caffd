#include "sim/record/history.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "tests/record/journals.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

const std::string header = "{\"format\":\"mqlab-history/1\",\"processes\":[\"P1\",\"C1\"]}\n";

std::string complaint(const std::string& text) {
  Journal j;
  const auto error = read_history(text, j);
  return error ? fmt::format("line {}: {}", error->line, error->message) : "none";
}

Journal read(const std::string& text) {
  Journal j;
  const auto error = read_history(text, j);
  EXPECT_FALSE(error) << error->line << ": " << error->message;
  return j;
}

std::string row(const std::string& fields) { return header + "{\"time\":5,\"process\":\"P1\"," + fields + "}\n"; }

}  // namespace

TEST(History, IsOneLineARowWithNamesAndNothingEmpty) {
  Journal j;
  j.processes = {"P1", "C1"};
  j.ops.push_back({.time = 5, .process = 0, .kind = OpKind::send, .outcome = Outcome::invoke, .place = j.names.id("orders"),
                   .message = numbered_message(0, 1)});
  j.ops.push_back({.time = 9, .of = 0, .process = 0, .kind = OpKind::send, .outcome = Outcome::info, .place = j.names.id("orders"),
                   .error = j.names.id("REQUEST_TIMED_OUT"), .message = numbered_message(0, 1)});
  j.ops.push_back({.time = 12, .process = 1, .kind = OpKind::deliver, .outcome = Outcome::ok,
                   .flags = op_flag::redelivered | op_flag::read_committed, .place = j.names.id("orders/0"),
                   .message = named_message(j.names.id("hello \"you\"")), .position = 0});
  EXPECT_EQ(history_text(j),
            "{\"format\":\"mqlab-history/1\",\"processes\":[\"P1\",\"C1\"],\"ops\":3}\n"
            "{\"row\":0,\"time\":5,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"invoke\",\"place\":\"orders\",\"message\":\"P1-1\"}\n"
            "{\"row\":1,\"time\":9,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"info\",\"of\":0,\"place\":\"orders\","
            "\"message\":\"P1-1\",\"error\":\"REQUEST_TIMED_OUT\"}\n"
            "{\"row\":2,\"time\":12,\"process\":\"C1\",\"op\":\"deliver\",\"outcome\":\"ok\",\"place\":\"orders/0\","
            "\"message\":\"hello \\\"you\\\"\",\"position\":0,\"flags\":[\"redelivered\",\"read_committed\"]}\n");
  EXPECT_EQ(ops_by_name(read(history_text(j))), ops_by_name(j));
}

TEST(History, CanBeWrittenByHandWithoutCountsRowsOrProcesses) {
  const Journal j = read(
      "{\"format\":\"mqlab-history/1\"}\n"
      "\n"
      "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"message\":\"P1-4\",\"x_note\":[[[{\"deep\":1}]]]}\r\n"
      "{\"time\":1,\"process\":\"C1\",\"op\":\"deliver\",\"outcome\":\"ok\",\"message\":\"P1-4\"}");
  ASSERT_EQ(j.ops.size(), 2U);
  EXPECT_EQ(j.processes, (std::vector<std::string>{"P1", "C1"}));
  EXPECT_EQ(j.ops[0].message, numbered_message(0, 4));
  EXPECT_EQ(j.ops[1].message, j.ops[0].message);
}

TEST(History, ErrorsNameTheLineAndTheRemedy) {
  EXPECT_EQ(complaint(""), "line 1: the history is empty: it begins with a line {\"format\":\"mqlab-history/1\"}");
  EXPECT_EQ(complaint("{\"time\":1}\n"),
            "line 1: a history begins with a line {\"format\":\"mqlab-history/1\"}; this is not one");
  EXPECT_EQ(complaint("{\"format\":\"mqlab-history/2\"}\n"),
            "line 1: the format is \"mqlab-history/2\"; this reader knows \"mqlab-history/1\"");
  EXPECT_EQ(complaint(row("\"op\":\"sent\",\"outcome\":\"ok\"")).substr(0, 76),
            "line 2: \"op\" can't be \"sent\" (did you mean \"send\"?); it is one of: send, del");
  EXPECT_EQ(complaint(row("\"op\":\"send\",\"outcome\":\"ok\",\"plase\":\"q\"")),
            "line 2: unknown field \"plase\" in a row (did you mean \"place\"?); fields of your own begin with \"x_\"");
  EXPECT_EQ(complaint(row("\"op\":\"send\",\"outcome\":\"ok\",\"position\":-1")),
            "line 2: \"position\" must be a whole number from 0 to 9223372036854775807, not -1");
  EXPECT_EQ(complaint(row("\"op\":\"send\"")), "line 2: \"outcome\" is missing: \"invoke\", \"ok\", \"fail\" or \"info\"");
  EXPECT_EQ(complaint(header + "{\"time\":1,\"process\":\"P2\",\"op\":\"send\",\"outcome\":\"ok\"}"),
            "line 2: \"P2\" is not one name of the header's \"processes\" (did you mean \"P1\"?); add it there, or leave the list out"
            " (the last line has no end: was the file cut off?)");
  EXPECT_EQ(complaint(row("\"op\":\"send\",\"outcome\":\"ok\"") + "{\"time\":4,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\"}\n"),
            "line 3: time goes back from 5 to 4: rows are in the order of time");
  EXPECT_EQ(complaint("{\"format\":\"mqlab-history/1\",\"ops\":7}\n"),
            "line 1: the header announces 7 ops and there are 0: the file was cut off");
}

TEST(History, OfMustNameAnEarlierRowOfTheRightKind) {
  const std::string invoke = "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"invoke\"}\n";
  const auto ends = [&](const std::string& fields) { return complaint(header + invoke + "{\"time\":2," + fields + "}\n"); };
  EXPECT_EQ(ends("\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"of\":0"), "none");
  EXPECT_EQ(ends("\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"of\":1"),
            "line 3: \"of\" points to row 1, but this is row 1: it must name an earlier row");
  EXPECT_EQ(ends("\"process\":\"P1\",\"op\":\"ack\",\"outcome\":\"ok\",\"of\":0"),
            "line 3: \"of\" points to row 0, send invoke; for ack it must be ack invoke");
  EXPECT_EQ(ends("\"process\":\"P1\",\"op\":\"deliver\",\"outcome\":\"ok\",\"of\":0"),
            "line 3: \"of\" points to row 0, send invoke; for deliver it must be a poll");
  EXPECT_EQ(ends("\"process\":\"C1\",\"op\":\"send\",\"outcome\":\"ok\",\"of\":0"),
            "line 3: \"of\" points to row 0 of \"P1\", but this row is of \"C1\"");
  EXPECT_EQ(ends("\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"invoke\",\"of\":0"),
            "line 3: an invoke begins something, so it has no \"of\"");
  EXPECT_EQ(complaint(header + invoke + "{\"time\":2,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"info\",\"of\":0}\n" +
                      "{\"time\":2,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"of\":0}\n"),
            "line 4: row 0 has ended before: one invoke has one end");
}

// What is done with a message names its delivery, as often as it is done.
TEST(History, ProcessingNamesItsDelivery) {
  const std::string rest = "\"time\":1,\"process\":\"C1\",\"outcome\":\"ok\"";
  EXPECT_EQ(complaint(header + "{\"op\":\"poll\"," + rest + "}\n{\"op\":\"deliver\",\"of\":0," + rest + "}\n{\"op\":\"process\",\"of\":1," +
                      rest + "}\n{\"op\":\"process\",\"of\":1," + rest + "}\n"),
            "none");
}

TEST(History, HostileLinesGetAClearError) {
  const std::string deep(100'000, '[');
  EXPECT_NE(complaint(deep).find("it is a list"), std::string::npos);
  EXPECT_NE(complaint(row("\"op\":" + deep)).find("nested too deeply"), std::string::npos);
  EXPECT_NE(complaint(row("\"x_mine\":" + deep)).find("nested too deeply"), std::string::npos);
  EXPECT_NE(complaint(header + std::string(2'000'000, ' ')).find("longer than"), std::string::npos);
  EXPECT_NE(complaint(row("\"op\":\"\xff\"")).find("not UTF-8"), std::string::npos);
  EXPECT_NE(complaint(header + "{\"time\":1e999}").find("line 2"), std::string::npos);
  EXPECT_NE(complaint(header + "{\"time\":99999999999999999999999}").find("must be a whole number"), std::string::npos);
  EXPECT_NE(complaint(header + "{\"time\":9223372036854775808}").find("must be a whole number"), std::string::npos);
  EXPECT_NE(complaint(header + "{\"time\":1,\"time\":2}").find("twice"), std::string::npos);
  EXPECT_NE(complaint(header + "{\"time\":1,\"process\":4294967294}").find("from 0 to 1"), std::string::npos);
  EXPECT_NE(complaint(header + "{\"time\":1").find("cut off"), std::string::npos);
  EXPECT_NE(complaint(row("\"message\":{\"raw\":18446744073709551615}")).find("whole number"), std::string::npos);
  EXPECT_NE(complaint(row("\"message\":{\"n\":1}")).find("must be text"), std::string::npos);
  EXPECT_NE(complaint(row("\"flags\":[\"redelivered\",7]")).find("list of words"), std::string::npos);
}

TEST(History, KeepsTheRowsBeforeAnError) {
  Journal j;
  const auto error = read_history(row("\"op\":\"send\",\"outcome\":\"ok\"") + "{\"ti", j);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->line, 3U);
  EXPECT_EQ(j.ops.size(), 1U);
}

TEST(History, BytesThatAreNotUtf8StayDifferentNames) {
  Journal j;
  j.processes = {"P1"};
  j.ops.push_back({.process = 0, .kind = OpKind::send, .outcome = Outcome::ok, .place = j.names.id("\xff")});
  j.ops.push_back({.process = 0, .kind = OpKind::send, .outcome = Outcome::ok, .place = j.names.id("\xfe")});
  const Journal again = read(history_text(j));
  EXPECT_EQ(again.names.text(again.ops[0].place), "\xef\xbf\xbd" "ff");
  EXPECT_EQ(again.names.text(again.ops[1].place), "\xef\xbf\xbd" "fe");
}

RC_GTEST_PROP(History, ReadOfWriteIsTheSame, ()) {
  const Journal j = any_journal(*drawn_numbers());
  const std::string text = history_text(j, {.marks = true});
  Journal again;
  const auto error = read_any_history(text, again);
  RC_ASSERT(!error);
  RC_ASSERT(ops_by_name(again) == ops_by_name(j));
  RC_ASSERT(marks_by_name(again) == marks_by_name(j));
  RC_ASSERT(again.processes == j.processes);
  RC_ASSERT(history_text(again, {.marks = true}) == text);
}

RC_GTEST_PROP(History, AnyBytesGiveAJournalOrAClearError, (const std::string& bytes)) {
  Journal j;
  for (const std::string& text : {bytes, header + bytes, header + "{\"time\":1," + bytes, header + "{" + bytes + "}"}) {
    if (const auto error = read_history(text, j)) {
      RC_ASSERT(error->line > 0U);
      RC_ASSERT(!error->message.empty());
      RC_ASSERT(utf8_error(error->message) == std::string::npos);
    }
  }
}

RC_GTEST_PROP(History, ADamagedFileGivesAJournalOrAClearError, ()) {
  std::string text = history_text(any_journal(*drawn_numbers()), {.marks = true});
  const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size());
  const std::size_t count = *rc::gen::inRange<std::size_t>(0, 6);
  switch (*rc::gen::inRange(0, 4)) {
    case 0: text.resize(at); break;                                          // cut off
    case 1: text.erase(at, count); break;                                    // bytes lost
    case 2: text.insert(at, *rc::gen::arbitrary<std::string>()); break;      // bytes added
    default: text[at] = static_cast<char>(*rc::gen::inRange(0, 256)); break;  // one byte changed
  }
  Journal j;
  if (const auto error = read_history(text, j)) {
    RC_ASSERT(error->line > 0U);
    RC_ASSERT(!error->message.empty());
    RC_ASSERT(utf8_error(error->message) == std::string::npos);
  } else {
    // What was read as good is good: it is written and read again without a word.
    Journal again;
    RC_ASSERT(!read_history(history_text(j, {.marks = true}), again));
    RC_ASSERT(ops_by_name(again) == ops_by_name(j));
  }
}
