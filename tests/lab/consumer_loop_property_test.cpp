// What holds of the loop whatever comes: records, revocations, commits that fail.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/lab/fake_client.h"

namespace mqlab::lab_test {
namespace {


std::string records(int from, int count) {
  std::string says = "orders/0";
  for (int i = 0; i < count; ++i) says += " " + std::to_string(from + i);
  return says;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

// Reads what was told: at each commit, the positions done and begun so far.
struct Seen {
  std::set<int> done;
  int committed = 0;
  bool passed_the_undone = false;
  bool done_uncommitted = false;
};

Seen read(const std::string& told) {
  Seen s;
  for (const std::string& line : lines(told)) {
    if (const auto at = line.find("commit"); at != std::string::npos) {
      s.committed = std::max(s.committed, std::stoi(line.substr(line.rfind(' ') + 1)));
      for (int n = 1; n <= s.committed; ++n) s.passed_the_undone = s.passed_the_undone || !s.done.count(n);
    } else if (const auto done = line.find("done P1-"); done != std::string::npos) {
      const int n = std::stoi(line.substr(done + 8));
      s.done.insert(n);
      s.done_uncommitted = s.done_uncommitted || n > s.committed;
    }
  }
  return s;
}

Story& told_to(Story& s) {
  const int batches = *rc::gen::inRange(1, 8);
  int next = 1;
  for (int b = 0; b < batches; ++b) {
    const int count = *rc::gen::inRange(1, 6);
    s.poll(records(next, count), *rc::gen::inRange<Duration>(0, 40) * 1'000'000);
    next += count;
    if (*rc::gen::inRange(0, 4) == 0) s.client().commit_errors.push_back(*rc::gen::element<std::string>("", "COMMIT_FAILED", "info"));
  }
  return s;
}

RC_GTEST_PROP(ConsumerLoopProperty, ASafeCommitNeverPassesARecordThatIsNotDone, ()) {
  const auto [commit, workers, pause] = *rc::gen::element(std::tuple{"after", "0", "false"}, std::tuple{"each", "0", "false"}, std::tuple{"after", "0", "true"},
                                                          std::tuple{"prefix", "3", "false"}, std::tuple{"after", "3", "false"}, std::tuple{"prefix", "2", "true"});
  Story s{{"group", "g"}, {"commit", commit}, {"workers", workers}, {"pause_while_working", pause}, {"commit_async", *rc::gen::element("true", "false")},
          {"work", "7ms"}, {"work_slow_message", "P1-2"}, {"work_slow", "50ms"}, {"queue", *rc::gen::element("0", workers)}};
  if (!s.complaint.empty()) return;  // a queue without workers
  const Seen seen = read(told_to(s).run(100_s));
  RC_ASSERT(!seen.passed_the_undone);
  RC_ASSERT(seen.committed == 0 || seen.done.count(seen.committed) == 1u);
  RC_ASSERT(s.app().done());
}

RC_GTEST_PROP(ConsumerLoopProperty, WhatIsCommittedBeforehandIsCommittedBeforeAnyWorkOnIt, ()) {
  Story s{{"group", "g"}, {"commit", "before"}, {"workers", *rc::gen::element("0", "2")}, {"work", "7ms"}};
  const Seen seen = read(told_to(s).run(100_s));
  RC_ASSERT(!seen.done_uncommitted);
}

RC_GTEST_PROP(ConsumerLoopProperty, ACopyGoesOnAsTheLoopItself, ()) {
  Story s{{"group", "g"}, {"commit", "prefix"}, {"workers", "2"}, {"queue", "2"}, {"pause_while_working", "true"}, {"work", "7ms"}, {"poison", "P1-3"}, {"on_failure", "skip"}};
  told_to(s).poll("revoked orders/0").poll("assigned orders/0").poll("orders/0 50 51");
  s.world.run_until(*rc::gen::inRange<Time>(0, 200) * 1'000'000);
  World copy = s.world;
  s.world.run_until(100_s);
  copy.run_until(100_s);
  RC_ASSERT(copy.fingerprint() == s.world.fingerprint());
  RC_ASSERT(copy.node_as<FakeClient>(s.id).told == s.client().told);
}

}  // namespace
}  // namespace mqlab::lab_test
