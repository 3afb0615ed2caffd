#include "sim/check/checker.h"

#include <algorithm>
#include <iterator>

namespace mqlab {

CheckSet::CheckSet(const CheckOptions& options) { select(nullptr, options); }

CheckSet::CheckSet(const std::vector<std::string_view>& names, const CheckOptions& options) { select(&names, options); }

CheckSet::CheckSet(const CheckSet& other) : ledger_(other.ledger_), wanted_(other.wanted_), cursor_(other.cursor_) {
  for (const Entry& e : other.entries_) entries_.push_back({e.decl, e.checker->clone()});
  index();
}

CheckSet& CheckSet::operator=(const CheckSet& other) {
  if (this != &other) *this = CheckSet(other);
  return *this;
}

void CheckSet::select(const std::vector<std::string_view>* names, const CheckOptions& options) {
  const auto asked = [names](std::string_view n) {
    return names == nullptr || std::find(names->begin(), names->end(), n) != names->end();
  };
  for (const Anomaly& a : all_anomalies()) {
    if (a.checked && asked(a.name)) wanted_.push_back(&a);
  }
  for (const CheckerDecl& d : checker_decls()) {
    if (std::any_of(d.anomalies.begin(), d.anomalies.end(), asked)) entries_.push_back({&d, d.make(options)});
  }
  index();
}

void CheckSet::index() {
  for (std::size_t r = 0; r < std::size(by_row_); ++r) {
    by_row_[r].clear();
    for (const Entry& e : entries_) {
      if (e.decl->rows & (Rows{1} << r)) by_row_[r].push_back(e.checker.get());
    }
  }
}

void CheckSet::advance(const Journal& journal, OpIndex end) {
  end = std::min<OpIndex>(end, journal.ops.size());
  for (; cursor_ < end; ++cursor_) {
    const Op& op = journal.ops[cursor_];
    const std::size_t row = row_of(op.kind, op.outcome);
    if (row >= std::size(by_row_)) continue;
    Step step{.op = op, .index = cursor_, .journal = journal};
    ledger_.apply(step);
    for (Checker* c : by_row_[row]) c->on(step, ledger_);
  }
}

std::vector<Report> CheckSet::report(const Journal& journal) const {
  std::vector<Report> all;
  for (const Entry& e : entries_) e.checker->finish(journal, ledger_, all);
  std::vector<Report> out;
  for (const Anomaly* a : wanted_) {
    for (Report& r : all) {
      if (r.anomaly == a) out.push_back(std::move(r));
    }
  }
  return out;
}

const Report* find_report(const std::vector<Report>& reports, std::string_view name) {
  for (const Report& r : reports) {
    if (name == r.anomaly->name) return &r;
  }
  return nullptr;
}

}  // namespace mqlab
