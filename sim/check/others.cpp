#include "sim/check/others.h"

#include <algorithm>
#include <set>

#include "sim/check/checker.h"

namespace mqlab {

Journal history_without(const Journal& journal, const std::vector<std::string>& clients) {
  std::set<NodeId> few;
  for (std::size_t n = 0; n < journal.processes.size(); ++n)
    if (std::find(clients.begin(), clients.end(), journal.processes[n]) != clients.end()) few.insert(static_cast<NodeId>(n));
  const auto theirs = [&](const Op& o) { return o.kind == OpKind::send && few.count(o.process) > 0; };
  std::set<MessageId> sent_by_few, sent_by_others;
  for (const Op& o : journal.ops)
    if (o.kind == OpKind::send) (theirs(o) ? sent_by_few : sent_by_others).insert(o.message);

  Journal out;
  out.names = journal.names;
  out.processes = journal.processes;
  std::vector<OpIndex> moved(journal.ops.size(), no_op);
  for (OpIndex i = 0; i < journal.ops.size(); ++i) {
    Op o = journal.ops[i];
    if (theirs(o) || (sent_by_few.count(o.message) > 0 && sent_by_others.count(o.message) == 0)) continue;
    if (o.of != no_op) o.of = moved[o.of];
    moved[i] = out.ops.size();
    out.ops.push_back(o);
  }
  return out;
}

bool others_sent(const Journal& journal, const std::vector<std::string>& clients) {
  return std::any_of(journal.ops.begin(), journal.ops.end(), [&](const Op& o) {
    return o.kind == OpKind::send && std::find(clients.begin(), clients.end(), journal.process_name(o.process)) == clients.end();
  });
}

bool broken_by_others(const Journal& journal, std::string_view anomaly, const std::vector<std::string>& clients) {
  const Journal rest = history_without(journal, clients);
  CheckSet checks(std::vector<std::string_view>{anomaly});
  checks.advance(rest);
  const std::vector<Report> all = checks.report(rest);
  const Report* report = find_report(all, anomaly);
  return report && report->verdict == Verdict::violated;
}

}  // namespace mqlab
