// tests/check/story.h: histories written by hand, a row a line.
//
//     Story s(R"(
//       P1 send a orders          # row 0: the invoke
//       P1 ok a orders/0@17       # row 1: ends it (fail, info likewise)
//       C1 got a orders/0@17 g1   # row 2: a delivery to subscription g1
//       drained                   # row 3
//     )");
//
// Verbs: send ok fail info got ack process failed (a processing that did) effect (its place is its name)
// assign revoke seek commit committed poll polled ask end begin committing txcommitted txfailed txunknown (three
// ends of a commit) aborted drained. After the message (where there is one), the place and the subscription:
// key=K tx=N poll=ROW of=ROW error=TEXT attempt=N ms=N redelivered dead-letter policy read-committed assigned.
// A row's time is its number in milliseconds, unless it says ms=.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "sim/check/checker.h"

namespace mqlab::test {

struct Story {
  Journal journal;

  explicit Story(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      line = line.substr(0, line.find('#'));
      std::istringstream words(line);
      std::vector<std::string> w;
      for (std::string word; words >> word;) w.push_back(word);
      if (!w.empty()) row(w);
    }
  }

  // What the set says of one anomaly.
  Report check(const char* name, const CheckOptions& options = {}) const {
    CheckSet checks({name}, options);
    checks.advance(journal);
    const std::vector<Report> reports = checks.report(journal);
    EXPECT_EQ(reports.size(), 1u) << name << " has no checker";
    return reports.empty() ? Report{} : reports[0];
  }

 private:
  NodeId process(const std::string& name) {
    for (NodeId n = 0; n < journal.processes.size(); ++n) {
      if (journal.processes[n] == name) return n;
    }
    journal.processes.push_back(name);
    return static_cast<NodeId>(journal.processes.size() - 1);
  }

  void row(const std::vector<std::string>& w) {
    struct Verb {
      OpKind kind;
      Outcome outcome;
      bool message;
    };
    static const std::map<std::string, Verb> verbs = {
        {"send", {OpKind::send, Outcome::invoke, true}},        {"ok", {OpKind::send, Outcome::ok, true}},
        {"fail", {OpKind::send, Outcome::fail, true}},          {"info", {OpKind::send, Outcome::info, true}},
        {"got", {OpKind::deliver, Outcome::ok, true}},          {"ack", {OpKind::ack, Outcome::ok, true}},
        {"process", {OpKind::process, Outcome::ok, true}},      {"failed", {OpKind::process, Outcome::fail, true}},
        {"effect", {OpKind::effect, Outcome::ok, true}},        {"assign", {OpKind::assign, Outcome::ok, false}},
        {"revoke", {OpKind::revoke, Outcome::ok, false}},       {"seek", {OpKind::seek, Outcome::ok, false}},
        {"commit", {OpKind::commit, Outcome::invoke, false}},   {"committed", {OpKind::commit, Outcome::ok, false}},
        {"poll", {OpKind::poll, Outcome::invoke, false}},       {"polled", {OpKind::poll, Outcome::ok, false}},
        {"ask", {OpKind::end_offset, Outcome::invoke, false}},  {"end", {OpKind::end_offset, Outcome::ok, false}},
        {"aborted", {OpKind::end_abort, Outcome::ok, false}},   {"txcommitted", {OpKind::end_commit, Outcome::ok, false}},
        {"begin", {OpKind::begin, Outcome::ok, false}},         {"committing", {OpKind::end_commit, Outcome::invoke, false}},
        {"txfailed", {OpKind::end_commit, Outcome::fail, false}}, {"txunknown", {OpKind::end_commit, Outcome::info, false}},
        {"drained", {OpKind::drained, Outcome::ok, false}}};

    Op op;
    std::size_t n = 0;
    if (!verbs.count(w[0])) op.process = process(w[n++]);
    const auto verb = verbs.find(w.at(n++));
    if (verb == verbs.end()) {
      ADD_FAILURE() << "no such verb: " << w[n - 1];
      return;
    }
    op.kind = verb->second.kind;
    op.outcome = verb->second.outcome;
    op.time = static_cast<Time>(journal.ops.size()) * 1'000'000;
    if (verb->second.message) op.message = named_message(journal.names.id(w.at(n++)));
    bool placed = false;
    for (; n < w.size(); ++n) {
      const std::string& word = w[n];
      const auto equals = word.find('=');
      const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
      if (equals != std::string::npos) {
        const std::string what = word.substr(0, equals);
        if (what == "of") op.of = std::stoull(value);
        else if (what == "key") op.key = journal.names.id(value);
        else if (what == "tx") op.transaction = std::stoull(value);
        else if (what == "poll") op.of = std::stoull(value);
        else if (what == "error") op.error = journal.names.id(value);
        else if (what == "attempt") op.attempt = static_cast<std::uint8_t>(std::stoi(value));
        else if (what == "ms") op.time = std::stoll(value) * 1'000'000;
        else ADD_FAILURE() << "no such field: " << word;
      } else if (word == "redelivered") {
        op.flags |= op_flag::redelivered;
      } else if (word == "dead-letter") {
        op.flags |= op_flag::dead_letter;
      } else if (word == "policy") {
        op.flags |= op_flag::by_policy;
      } else if (word == "read-committed") {
        op.flags |= op_flag::read_committed;
      } else if (word == "assigned") {
        op.flags |= op_flag::assigned;
      } else if (!placed) {
        placed = true;
        const auto at = word.find('@');
        op.place = word == "-" ? 0 : journal.names.id(word.substr(0, at));
        if (at != std::string::npos) op.position = std::stoll(word.substr(at + 1));
      } else {
        op.subscription = journal.names.id(word);
      }
    }
    if (op.of == no_op && ends_another(op)) op.of = open_invoke(op);
    journal.ops.push_back(op);
  }

  static bool ends_another(const Op& op) {
    return op.outcome != Outcome::invoke && (op.kind == OpKind::send || op.kind == OpKind::commit || op.kind == OpKind::poll ||
                                             op.kind == OpKind::end_offset);
  }
  // The oldest invoke of this kind, process and message that nothing has ended.
  OpIndex open_invoke(const Op& end) const {
    for (OpIndex n = 0; n < journal.ops.size(); ++n) {
      const Op& op = journal.ops[n];
      if (op.kind != end.kind || op.outcome != Outcome::invoke || op.process != end.process || op.message != end.message) continue;
      bool ended = false;
      for (const Op& other : journal.ops) ended = ended || (other.of == n && other.kind == op.kind);
      if (!ended) return n;
    }
    return no_op;
  }
};

// The story breaks `name` once, certain at row `certain`, proved by `witness`, in these words.
inline void expect_violated(const Story& s, const char* name, OpIndex certain, const std::vector<OpIndex>& witness,
                            const std::string& sentence, const CheckOptions& options = {}) {
  const Report r = s.check(name, options);
  EXPECT_EQ(r.verdict, Verdict::violated) << name << ": " << verdict_name(r.verdict) << " " << r.reason;
  ASSERT_EQ(r.count, 1u) << name;
  const Finding& f = r.worst.at(0);
  EXPECT_EQ(f.certain_at, certain) << name;
  EXPECT_EQ(f.at, s.journal.ops[certain].time) << name;
  EXPECT_EQ(f.witness, witness) << name;
  EXPECT_EQ(f.sentence, sentence) << name;
}

inline void expect_holds(const Story& s, const char* name, const CheckOptions& options = {}) {
  const Report r = s.check(name, options);
  EXPECT_EQ(r.verdict, Verdict::holds) << name << ": " << r.reason << (r.worst.empty() ? "" : r.worst[0].sentence);
  EXPECT_GT(r.evidence, 0u) << name;
}

inline void expect_unknown(const Story& s, const char* name, const std::string& reason, const CheckOptions& options = {}) {
  const Report r = s.check(name, options);
  EXPECT_EQ(r.verdict, Verdict::unknown) << name << (r.worst.empty() ? "" : r.worst[0].sentence);
  EXPECT_EQ(r.reason, reason) << name;
}

}  // namespace mqlab::test
