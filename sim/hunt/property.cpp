#include "sim/hunt/property.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>

#include "sim/lab/nearest.h"

namespace mqlab {
namespace {

const std::array<PropertyDecl, 3> words{{
    {"promises", "nothing that the model promises is broken, apart from what the scenario announces with violates or finds"},
    {"settles", "after all faults are healed everything comes to rest within the drain's limit, unless half of the disks of a role were emptied"},
    {"expected", "what the scenario expects is seen"},
}};

bool contains(const std::vector<std::string>& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

// The scenario says itself that this is, or may be, seen.
bool announced(const RunResult& r, const std::string& anomaly) {
  return std::any_of(r.expectations.begin(), r.expectations.end(), [&](const ExpectationResult& e) {
    return e.expectation.name == anomaly && (e.expectation.kind == Expectation::Kind::violates || e.expectation.kind == Expectation::Kind::finds);
  });
}

bool demanded(const Property& p, const RunResult& r, const VerdictRow& v) {
  const std::string name = v.report.anomaly->name;
  return contains(p.anomalies, name) || (p.promises && v.claim.claimed && !announced(r, name));
}

// A drain was begun and not stopped from outside: what it says counts.
bool drain_counts(const RunResult& r) { return !r.interrupted && r.ended > r.workload_ended; }

// Where at least half of the nodes of one role had their disks emptied, what they knew together may be known to nobody, and
// nothing that is healed brings it back.
bool memory_is_left(const World& w) {
  std::map<std::string, std::set<NodeId>> emptied;
  for (const Loss& l : w.losses())
    if (l.wipe) emptied[w.node_options(l.node).role].insert(l.node);
  return std::none_of(emptied.begin(), emptied.end(), [&](const auto& of) {
    std::size_t nodes = 0;
    for (NodeId n = 0; n < w.node_count(); ++n) nodes += w.node_options(n).role == of.first;
    return of.second.size() * 2 >= nodes;
  });
}

bool rest_counts(const RunResult& r) { return drain_counts(r) && memory_is_left(*r.world); }

}  // namespace

std::span<const PropertyDecl> property_words() { return words; }

Property parse_property(const std::string& text) {
  Property p;
  p.name = text;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) {
    word.erase(0, word.find_first_not_of(' '));
    word.erase(word.find_last_not_of(' ') + 1);
    if (word == "promises") p.promises = true;
    else if (word == "settles") p.settles = true;
    else if (word == "expected") p.expected = true;
    else if (const Anomaly* a = find_anomaly(word); a && a->checked) p.anomalies.push_back(word);
    else if (a) throw InputError("", 0, fmt::format("no checker decides `{}`, so it can be no property", word));
    else {
      std::vector<std::string> known;
      for (const PropertyDecl& d : words) known.push_back(d.name);
      for (const Anomaly& one : all_anomalies())
        if (one.checked) known.emplace_back(one.name);
      throw InputError("", 0, fmt::format("`{}` is no property{}; one is promises, settles, expected, or the name of an anomaly (`mqlab anomalies` lists them)", word.substr(0, 60), did_you_mean(word, known)));
    }
  }
  if (!p.promises && !p.settles && !p.expected && p.anomalies.empty())
    throw InputError("", 0, "a property is promises, settles, expected, or the name of an anomaly (`mqlab anomalies` lists them), and here is nothing");
  return p;
}

std::vector<Breach> breaches(const Property& p, const RunResult& r) {
  std::vector<Breach> all;
  for (const VerdictRow& v : r.verdicts)
    if (v.report.verdict == Verdict::violated && demanded(p, r, v))
      all.push_back({v.report.anomaly->name, &v, v.report.worst.empty() ? std::string() : v.report.worst.front().sentence});
  if (p.settles && rest_counts(r) && !r.drained) all.push_back({"not-settled", nullptr, r.not_drained_because});
  if (p.expected)
    for (const ExpectationResult& e : r.expectations) {
      const bool known = std::any_of(all.begin(), all.end(), [&](const Breach& b) { return b.anomaly == e.expectation.name; });
      if (!e.met && !known) all.push_back({e.expectation.name, r.verdict(e.expectation.name), fmt::format("{} {}: {}", expectation_name(e.expectation.kind), e.expectation.name, e.why)});
    }
  return all;
}

bool tested(const Property& p, const RunResult& r) {
  if (p.settles && rest_counts(r)) return true;
  if (p.expected && !r.expectations.empty() && !r.interrupted) return true;
  return std::any_of(r.verdicts.begin(), r.verdicts.end(), [&](const VerdictRow& v) { return v.report.verdict != Verdict::unknown && demanded(p, r, v); });
}

}  // namespace mqlab
