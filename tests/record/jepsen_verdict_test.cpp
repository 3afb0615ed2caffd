// A history by hand in Jepsen's form for each class of transactions: judged when imported, the same as JSON, and the
// same again after an export and another import.
#include <gtest/gtest.h>

#include "sim/check/checker.h"
#include "sim/record/jepsen.h"

using namespace mqlab;

namespace {

struct Case {
  const char* anomaly;
  const char* edn;
};

constexpr Case cases[] = {
    {"G1a", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "x"]]}
{:process 0, :time 2, :type :fail, :f :txn, :value [[:send "q" "x"]]}
{:process 1, :time 3, :type :invoke, :f :poll, :value [[:poll]]}
{:process 1, :time 4, :type :ok, :f :poll, :value [[:poll {"q" [[0 "x"]]}]]})"},
    {"precommitted-read", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "x"] [:poll]]}
{:process 0, :time 2, :type :ok, :f :txn, :value [[:send "q" [0 "x"]] [:poll {"q" [[0 "x"]]}]]})"},
    {"torn-transaction", R"(
{:process 1, :time 0, :type :invoke, :f :subscribe, :value ["q" "r"]}
{:process 1, :time 0, :type :ok, :f :subscribe, :value ["q" "r"]}
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "x"] [:send "r" "y"]]}
{:process 0, :time 2, :type :info, :f :txn, :value [[:send "q" [0 "x"]] [:send "r" [0 "y"]]]}
{:process 1, :time 4, :type :invoke, :f :poll, :value [[:poll]]}
{:process 1, :time 5, :type :ok, :f :poll, :value [[:poll {"q" [[0 "x"]]}]]}
{:process :nemesis, :time 6, :type :info, :f :drained, :value nil})"},
    {"zombie-write-accepted", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "x"] [:send "q" "y"]], :transactional-id "id"}
{:process 1, :time 2, :type :invoke, :f :txn, :value [[:send "q" "z"] [:send "q" "w"]], :transactional-id "id"}
{:process 1, :time 3, :type :ok, :f :txn, :value [[:send "q" [1 "z"]] [:send "q" [2 "w"]]]}
{:process 2, :time 4, :type :invoke, :f :poll, :value [[:poll]]}
{:process 2, :time 5, :type :ok, :f :poll, :value [[:poll {"q" [[0 "x"]]}]]})"},
    {"zombie-write-accepted", R"(
{:process 0, :time 1, :type :invoke, :f :send, :value [[:send "q" "x"]]}
{:process 0, :time 2, :type :fail, :f :send, :value [[:send "q" "x"]], :error "PRODUCER_FENCED"}
{:process 2, :time 4, :type :invoke, :f :poll, :value [[:poll]]}
{:process 2, :time 5, :type :ok, :f :poll, :value [[:poll {"q" [[0 "x"]]}]]})"},
    {"hung-transaction", R"(
{:process 1, :time 0, :type :invoke, :f :subscribe, :value ["q"]}
{:process 1, :time 0, :type :ok, :f :subscribe, :value ["q"]}
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "x"] [:send "q" "y"]]}
{:process 0, :time 2, :type :ok, :f :txn, :value [[:send "q" [0 "x"]] [:send "q" [1 "y"]]]}
{:process 1, :time 4, :type :invoke, :f :poll, :value [[:poll]]}
{:process 1, :time 5, :type :ok, :f :poll, :value [[:poll {"q" [[0 "x"]]}]]}
{:process :nemesis, :time 6, :type :info, :f :drained, :value nil, :place "q"})"},
    {"G0", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "a"] [:send "r" "b"]]}
{:process 1, :time 1, :type :invoke, :f :txn, :value [[:send "q" "c"] [:send "r" "d"]]}
{:process 0, :time 2, :type :ok, :f :txn, :value [[:send "q" [0 "a"]] [:send "r" [1 "b"]]]}
{:process 1, :time 2, :type :ok, :f :txn, :value [[:send "q" [1 "c"]] [:send "r" [0 "d"]]]})"},
    {"G0-process", R"(
{:process 0, :time 1, :type :invoke, :f :send, :value [[:send "q" "a"]]}
{:process 0, :time 2, :type :ok, :f :send, :value [[:send "q" [1 "a"]]]}
{:process 0, :time 3, :type :invoke, :f :send, :value [[:send "q" "b"]]}
{:process 0, :time 4, :type :ok, :f :send, :value [[:send "q" [0 "b"]]]})"},
    {"G0-realtime", R"(
{:process 0, :time 1, :type :invoke, :f :send, :value [[:send "q" "a"]]}
{:process 0, :time 2, :type :ok, :f :send, :value [[:send "q" [1 "a"]]]}
{:process 1, :time 3, :type :invoke, :f :send, :value [[:send "q" "b"]]}
{:process 1, :time 4, :type :ok, :f :send, :value [[:send "q" [0 "b"]]]})"},
    {"G1c", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "a"] [:poll]]}
{:process 1, :time 1, :type :invoke, :f :txn, :value [[:send "r" "b"] [:poll]]}
{:process 0, :time 2, :type :ok, :f :txn, :value [[:send "q" [0 "a"]] [:poll {"r" [[0 "b"]]}]]}
{:process 1, :time 2, :type :ok, :f :txn, :value [[:send "r" [0 "b"]] [:poll {"q" [[0 "a"]]}]]})"},
    {"G1c-process", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "a"] [:send "r" "b"]]}
{:process 1, :time 2, :type :invoke, :f :poll, :value [[:poll]]}
{:process 1, :time 3, :type :ok, :f :poll, :value [[:poll {"q" [[0 "a"]]}]]}
{:process 1, :time 4, :type :invoke, :f :send, :value [[:send "r" "c"]]}
{:process 1, :time 5, :type :ok, :f :send, :value [[:send "r" [0 "c"]]]}
{:process 0, :time 6, :type :ok, :f :txn, :value [[:send "q" [0 "a"]] [:send "r" [1 "b"]]]})"},
    {"G1c-realtime", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "a"] [:send "r" "b"]]}
{:process 1, :time 2, :type :invoke, :f :poll, :value [[:poll]]}
{:process 1, :time 3, :type :ok, :f :poll, :value [[:poll {"q" [[0 "a"]]}]]}
{:process 2, :time 4, :type :invoke, :f :send, :value [[:send "r" "c"]]}
{:process 2, :time 5, :type :ok, :f :send, :value [[:send "r" [0 "c"]]]}
{:process 0, :time 6, :type :ok, :f :txn, :value [[:send "q" [0 "a"]] [:send "r" [1 "b"]]]})"},
    {"atomicity-gap", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:poll] [:send "out" "o1"]]}
{:process 0, :time 2, :type :ok, :f :txn, :value [[:poll {"in" [[0 "i"]]}] [:send "out" [0 "o1"]]], :offsets [["in" 1 "jepsen"]]}
{:process 1, :time 3, :type :invoke, :f :txn, :value [[:poll] [:send "out" "o2"]]}
{:process 1, :time 4, :type :ok, :f :txn, :value [[:poll {"in" [[0 "i"]]}] [:send "out" [1 "o2"]]], :offsets [["in" 1 "jepsen"]]})"},
    {"atomicity-gap", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:poll] [:send "out" "o1"]]}
{:process 0, :time 2, :type :fail, :f :txn, :value [[:poll {"in" [[0 "i"]]}] [:send "out" [0 "o1"]]]}
{:process 0, :time 3, :type :invoke, :f :txn, :value [[:poll] [:send "out" "o2"]]}
{:process 0, :time 4, :type :ok, :f :txn, :value [[:poll {"in" [[1 "j"]]}] [:send "out" [1 "o2"]]], :offsets [["in" 2 "jepsen"]]}
{:process :nemesis, :time 6, :type :info, :f :drained, :value nil})"},
    {"int-send-skip", R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "a"] [:send "q" "b"]]}
{:process 1, :time 1, :type :invoke, :f :send, :value [[:send "q" "c"]]}
{:process 1, :time 2, :type :ok, :f :send, :value [[:send "q" [1 "c"]]]}
{:process 0, :time 3, :type :ok, :f :txn, :value [[:send "q" [0 "a"]] [:send "q" [2 "b"]]]})"},
};

// The names violated, with how often.
std::string verdicts(const Journal& j) {
  CheckSet checks;
  checks.advance(j);
  std::string text;
  for (const Report& r : checks.report(j)) {
    if (r.verdict == Verdict::violated) text += std::string(r.anomaly->name) + " x" + std::to_string(r.count) + "\n";
  }
  return text;
}

Journal read(const std::string& text) {
  Journal j;
  const auto error = read_any_history(text, j);
  EXPECT_FALSE(error) << error->line << ": " << error->message << "\n" << text;
  return j;
}

}  // namespace

TEST(JepsenVerdict, EachClassIsFoundInJepsensFormAndStaysThroughEveryForm) {
  for (const Case& c : cases) {
    const Journal j = read(c.edn);
    const std::string found = verdicts(j);
    EXPECT_NE(found.find(std::string(c.anomaly) + " x1\n"), std::string::npos) << c.anomaly << " in\n" << c.edn << "\nfound\n" << found;
    EXPECT_EQ(verdicts(read(history_text(j))), found) << "as JSON: " << c.anomaly;
    EXPECT_EQ(verdicts(read(jepsen_text(j))), found) << "exported again: " << c.anomaly << "\n" << jepsen_text(j);
  }
}

// What Jepsen has no word for is told in keys of our own, and comes back.
TEST(JepsenVerdict, OffsetsIdsPositionsAndDrainsComeBack) {
  const Journal j = read(R"(
{:process 0, :time 0, :type :invoke, :f :subscribe, :value ["in"]}
{:process 0, :time 0, :type :ok, :f :subscribe, :value ["in"], :subscription "g", :positions {"in" 4}}
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:poll] [:send "out" "o"]], :transactional-id "id"}
{:process 0, :time 2, :type :ok, :f :txn, :value [[:poll {"in" [[4 "i"]]}] [:send "out" [0 "o"]]], :subscription "g", :offsets [["in" 5 "g"]]}
{:process :nemesis, :time 3, :type :info, :f :drained, :value nil, :subscription "g", :place "in"})");
  const std::string text = jepsen_text(j);
  for (const char* part : {":positions {\"in\" 4}", ":transactional-id \"id\"", ":offsets [[\"in\" 5 \"g\"]]", ":f :drained, :value nil, :subscription \"g\", :place \"in\""})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  EXPECT_EQ(history_text(read(text)), history_text(j));
}

TEST(JepsenVerdict, OffsetsOfAnotherFormAreAClearError) {
  Journal j;
  const auto error = read_jepsen(R"(
{:process 0, :time 1, :type :invoke, :f :txn, :value [[:send "q" "a"]]}
{:process 0, :time 2, :type :ok, :f :txn, :value [[:send "q" [0 "a"]]], :offsets [["in" -1 "g"]]})", j);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, ":offsets must be a vector of [key offset group], the offset 0 or more, the group a string");
}
