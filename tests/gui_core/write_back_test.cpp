// What was done by hand stands in the text afterwards, and the text gives the run that was seen.
#include "gui/core/write_back.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "kit/models.h"

namespace mqlab::gui {
namespace {

const std::vector<std::string> two = {"at(1, a)", "at(2, b)"};

TEST(WithFaults, GoesToTheEndOfTheList) {
  int line = 0;
  EXPECT_EQ(with_faults("return scenario {\n  faults = {\n    at(0, x),\n  },\n}\n", "", two, &line),
            "return scenario {\n  faults = {\n    at(0, x),\n    at(1, a),\n    at(2, b),\n  },\n}\n");
  EXPECT_EQ(line, 4);
  EXPECT_EQ(with_faults("return scenario {\n  faults = { at(0, x) },\n}\n", "", two), "return scenario {\n  faults = { at(0, x),\n    at(1, a),\n    at(2, b),\n  },\n}\n");
  EXPECT_EQ(with_faults("return scenario {\n  faults = {},\n}\n", "", {"at(1, a)"}), "return scenario {\n  faults = {\n    at(1, a),\n  },\n}\n");
}

TEST(WithFaults, MakesAListWhereThereIsNone) {
  int line = 0;
  EXPECT_EQ(with_faults("return scenario {\n  title = \"t\"\n}\n", "", {"at(1, a)"}, &line), "return scenario {\n  title = \"t\",\n  faults = {\n    at(1, a),\n  },\n}\n");
  EXPECT_EQ(line, 4);
}

TEST(WithFaults, ACommentStaysWhereItIs) {
  EXPECT_EQ(with_faults("return scenario {\n  faults = {\n    at(0, x)  -- the first }\n  },\n}\n", "", {"at(1, a)"}),
            "return scenario {\n  faults = {\n    at(0, x),  -- the first }\n    at(1, a),\n  },\n}\n");
}

TEST(WithFaults, BracketsInStringsAndCommentsAreNone) {
  const char* text = "--[[ return scenario { faults = { ]]\nlocal s = [==[ { ]] ]==]\nreturn scenario {\n  title = \"a } { \\\" faults = {\",\n  faults = { at(0, x) }\n}\n";
  const auto out = with_faults(text, "", {"at(1, a)"});
  ASSERT_TRUE(out);
  EXPECT_NE(out->find("at(0, x),\n    at(1, a),\n  }\n}\n"), std::string::npos) << *out;
}

TEST(WithFaults, ACaseWithFaultsOfItsOwnGetsThem) {
  const char* text =
      "return scenario {\n  faults = {},\n  cases = {\n    case \"a\" { faults = { at(0, x) } },\n    case \"b\" {},\n  },\n}\n";
  const auto a = with_faults(text, "a", {"at(1, h)"});
  const auto b = with_faults(text, "b", {"at(1, h)"});
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->find("case \"a\" { faults = { at(0, x),"), std::string::npos) << *a;
  EXPECT_NE(b->find("  faults = {\n    at(1, h),\n  },\n  cases"), std::string::npos) << *b;
  EXPECT_FALSE(with_faults(text, "c", {"at(1, h)"}));
}

TEST(WithFaults, WhatIsNotInPlainSightIsLeftAlone) {
  EXPECT_FALSE(with_faults("local s = scenario { }\nreturn s", "", two));
  EXPECT_FALSE(with_faults("return scenario { faults = f() }", "", two));
  EXPECT_FALSE(with_faults("return scenario {", "", two));
  EXPECT_FALSE(with_faults("", "", two));
}

// Each story of the lessons and of the museum's first pages, with a broker killed by hand in the middle.
TEST(WriteBack, GivesTheRunThatWasSeen) {
  namespace fs = std::filesystem;
  std::vector<fs::path> all;
  for (const char* folder : {"lessons", "search"})
    for (const auto& e : fs::directory_iterator(fs::path(MQLAB_SOURCE_DIR) / "scenarios" / folder)) all.push_back(e.path());
  std::sort(all.begin(), all.end());
  std::size_t tried = 0, into_the_text = 0;
  for (std::size_t i = 0; i < all.size(); i += 3) {
    std::ifstream in(all[i]);
    std::stringstream text;
    text << in.rdbuf();
    RunSpec spec{.text = text.str(), .path = all[i].string(), .seed = 3};
    RecordOptions few;
    few.event_limit = 100'000;
    const auto seen = Recording::make(spec, all_models(), few);
    if (seen->stopped() || seen->events() < 10) continue;
    std::string broker;
    for (NodeId n = 0; n < seen->result().world->node_count() && broker.empty(); ++n)
      if (seen->result().world->node_options(n).role == "broker") broker = seen->line_name(n);
    if (broker.empty()) continue;
    Fault kill;
    kill.kind = FaultKind::kill;
    kill.groups = {{broker}};
    kill.duration = 1'000'000'000;
    spec.interventions.push_back(right_after(seen->time_of(seen->events() / 2), kill));
    const auto by_hand = Recording::make(spec, all_models());
    const WrittenBack w = write_back(*by_hand, all_models());
    ++tried;
    into_the_text += !w.whole;
    RunSpec again{.text = w.text, .path = "again.lua", .case_name = w.whole ? "" : by_hand->spec().case_name, .seed = 3};
    EXPECT_EQ(Recording::make(again, all_models())->result().fingerprint, by_hand->result().fingerprint) << all[i];
    if (w.whole) continue;
    std::istringstream lines(w.text);
    std::string line;
    for (int n = 0; n < w.first_line; ++n) std::getline(lines, line);
    EXPECT_NE(line.find("kill"), std::string::npos) << all[i] << " line " << w.first_line << ": " << line;
  }
  EXPECT_GT(tried, 5U);
  EXPECT_GT(into_the_text, tried / 2);
}

}  // namespace
}  // namespace mqlab::gui
