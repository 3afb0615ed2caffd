// amplification and metastable-collapse: what a system does for what it is asked, over time.
//
// Time is cut into windows. Of each: how many messages were offered (their first send began), how many sends ended ok
// (goodput, each message once), how many messages were delivered, and how many copies of them. A history shows no fault
// and no load of a machine, so both anomalies are told from these four numbers alone:
//
// amplification: in one window a subscription got more than `amplification_bound` copies for each different message; where
// there were only a few, ten times as many.
// metastable-collapse: earlier the system served an offer as high as this, so it is below capacity; now, for longer than
// `collapse_bound` without a break, less than half of what is offered is served, although the system is at work: it still
// delivers in the second half of that time. (One that delivers nothing either may just be down: `unavailable`.)
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

constexpr Duration window_length = Duration{10} * 1'000'000'000;
constexpr std::uint64_t fewest = 10;  // in a window with fewer messages nothing is told apart from chance

struct Window {
  std::int64_t number = 0;  // from the beginning of time; windows without rows are left out
  std::uint64_t offered = 0;
  std::uint64_t served = 0;
  std::uint64_t delivered = 0;
  OpIndex first = no_op;
  OpIndex last = no_op;
};

class Load : public CheckerOf<Load> {
 public:
  Load(std::int64_t copies, Duration bound) : copies_(copies), bound_(bound) {}

  void on(const Step& s, const Ledger& ledger) override {
    if (s.message == no_index) return;
    if (windows_.empty() || s.op.time >= window_end_) {  // time never goes back
      windows_.push_back({.number = s.op.time / window_length});
      window_end_ = saturating_add(windows_.back().number * window_length, window_length);
    }
    Window& w = windows_.back();
    if (w.first == no_op) w.first = s.index;
    w.last = s.index;
    if (s.op.kind == OpKind::deliver) {
      ++w.delivered;
      count_copies(s, ledger);
    } else if (s.op.outcome == Outcome::invoke) {
      if (ledger.messages()[s.message].sends == 1) ++w.offered;
    } else if (s.op.outcome == Outcome::ok) {
      if (s.send != no_index && ledger.messages()[s.message].answered == 1) ++w.served;
    }
  }

  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    out.push_back(twice_.report(deliveries_, "deliveries"));
    out.push_back(collapse(journal, ledger));
  }

 private:
  // Copies of one subscription in one window.
  struct Copies {
    Time window_end = 0;
    std::uint64_t all = 0;
    std::uint64_t different = 0;
    OpIndex first = no_op;
    bool found = false;
  };

  void count_copies(const Step& s, const Ledger& ledger) {
    ++deliveries_;
    if (s.subscription == no_index) return;
    if (copies_of_.size() <= s.subscription) copies_of_.resize(s.subscription + 1);
    Copies& c = copies_of_[s.subscription];
    if (c.window_end != window_end_) c = {window_end_, 0, 0, s.index, false};
    ++c.all;
    if (s.first_here || s.journal.ops[s.received_before.last].time < window_end_ - window_length) ++c.different;
    const std::uint64_t bound = static_cast<std::uint64_t>(copies_) * (c.different < fewest ? fewest : 1);
    if (c.found || c.all <= c.different * bound) return;
    c.found = true;
    const Journal& j = s.journal;
    twice_.add(j, s.index, no_message, 0, {c.first, s.index}, [&] {
      return words::subscription(j, ledger.subscriptions()[s.subscription]) + " got " + std::to_string(c.all) + " messages within " +
             std::to_string((s.op.time - j.ops[c.first].time) / 1'000'000) + " ms, and only " + std::to_string(c.different) + " different ones";
    });
  }

  static bool healthy(const Window& w) { return w.offered >= fewest && w.served * 10 >= w.offered * 9; }

  // Windows that later rows may still change are left out.
  Report collapse(const Journal& journal, const Ledger&) const {
    FindingList found("metastable-collapse");
    std::uint64_t looked_at = 0, capacity = 0;
    std::size_t begun = 0;  // of the stretch, + 1; 0 = there is none
    bool told = false;
    for (std::size_t n = 0; n + 1 < windows_.size(); ++n) {
      const Window& w = windows_[n];
      const bool follows = n > 0 && w.number == windows_[n - 1].number + 1;
      if (!follows) {
        begun = 0;
        told = false;
      }
      looked_at += w.offered;
      if (healthy(w)) capacity = std::max(capacity, w.offered);
      const bool low = w.offered >= fewest && w.offered <= capacity && w.served * 2 < w.offered;
      if (!low) {
        begun = 0;
        told = false;
        continue;
      }
      if (begun == 0) begun = n + 1;
      const Duration lasts = static_cast<Duration>(n + 2 - begun) * window_length;
      if (told || lasts < bound_) continue;
      std::uint64_t offered = 0, served = 0, delivered = 0;
      for (std::size_t i = begun - 1; i <= n; ++i) {
        offered += windows_[i].offered;
        served += windows_[i].served;
        if (2 * i >= begun - 1 + n) delivered += windows_[i].delivered;
      }
      if (delivered == 0) continue;
      told = true;
      found.add(journal, w.last, no_message, 0, {windows_[begun - 1].first, w.last}, [&] {
        return "for " + std::to_string(lasts / 1'000'000'000) + " s from " + std::to_string(windows_[begun - 1].number * 10) + " s on " + std::to_string(served) + " of " +
               std::to_string(offered) + " messages were acknowledged, though more was served before and " + std::to_string(delivered) +
               " deliveries in the second half show that the system works";
      });
    }
    return found.report(looked_at, "messages sent in whole windows of 10 s");
  }

  FindingList twice_{"amplification"};
  std::int64_t copies_;
  Duration bound_;
  std::vector<Window> windows_;
  Time window_end_ = 0;                  // of the last one
  std::vector<Copies> copies_of_;        // by subscription
  std::uint64_t deliveries_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_load(const CheckOptions& o) { return std::make_unique<Load>(o.amplification_bound, o.collapse_bound); }

}  // namespace mqlab
