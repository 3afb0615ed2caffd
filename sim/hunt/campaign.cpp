#include "sim/hunt/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "sim/hunt/mechanism.h"

namespace mqlab {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t seed_max = ~std::uint64_t{0} >> 1;  // a store's numbers are signed
constexpr auto batch_time = std::chrono::milliseconds(100);

double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

// Eight digits that stand for a text, the same everywhere.
std::string short_name(const std::string& text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fmt::format("{:08x}", static_cast<std::uint32_t>(h ^ (h >> 32)));
}

UnitBreach breach_of(std::string anomaly, std::string text, std::string sentence) {
  UnitBreach b{anomaly + "-" + short_name(text), std::move(anomaly), std::move(text), std::move(sentence)};
  return b;
}

// Where a target's goals stand among those of all.
std::vector<std::uint32_t> places_of(const std::vector<Goal>& goals, const std::vector<std::uint32_t>& which, const std::vector<std::string>& known) {
  std::vector<std::uint32_t> out;
  for (const std::uint32_t g : which) out.push_back(static_cast<std::uint32_t>(std::lower_bound(known.begin(), known.end(), goals[g].name) - known.begin()));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

CampaignTarget::CampaignTarget(Manifest::Target said, Scenario base, const Model& model, PlanSpace space, const Property& property, const std::string& search, SearchOptions options)
    : said_(std::move(said)), model_(model), plans_(std::make_unique<PlanGenerator>(std::move(base), model, std::move(space))),
      search_(make_search(search, *plans_, model, property, options)) {}

UnitBreach breach_of(const Found& f, const Model& model) {
  if (!shows(*f.run, f.anomaly)) return breach_of(f.anomaly, f.anomaly + ": not what the scenario expects", f.sentence);
  return breach_of(f.anomaly, mechanism_of(*f.run, f.anomaly, routine_marks(f.plan, model, f.anomaly)).text(), f.sentence);
}

std::string Shard::text() const { return count == 1 ? "all" : fmt::format("{}/{}", index, count); }

Manifest manifest_of(const CampaignTargets& targets, std::vector<std::pair<std::string, std::string>> said, const Shard& shard) {
  Manifest m;
  m.said = std::move(said);
  m.shard = shard.text();
  std::set<std::string> goals;
  for (const CampaignTarget& t : targets) {
    m.targets.push_back(t.said());
    for (const Goal& g : t.search().goals()) goals.insert(g.name);
  }
  m.goals.assign(goals.begin(), goals.end());
  return m;
}

std::optional<UnitRow> make_unit(const CampaignTargets& targets, const Manifest& manifest, std::uint64_t seed, std::uint32_t target, const std::atomic<bool>& stop) {
  const CampaignTarget& t = targets[target];
  UnitRow row;
  row.seed = seed;
  row.target = target;
  try {
    UnitResult u = t.search().unit(seed);
    if (u.interrupted && stop) return std::nullopt;
    for (const Found& f : u.found) row.breaches.push_back(breach_of(f, t.model()));
    row.runs = u.runs;
    row.schedules = u.schedules;
    row.events = u.events;
    row.fingerprint = u.fingerprint.text();
    row.verdict = !u.found.empty() ? UnitVerdict::violated : u.tested ? UnitVerdict::holds : UnitVerdict::untested;
    row.goals = places_of(t.search().goals(), u.goals, manifest.goals);
  } catch (const InputError& e) {
    // A program of the scenario fails in a plan, or an option drawn does not fit the others: worth to be told like a breach.
    row = UnitRow{seed, target, 1, 1, 0, Fingerprint{}.text(), UnitVerdict::violated, {}, {breach_of("scenario-error", "scenario-error: " + e.message, e.message)}};
  }
  std::sort(row.breaches.begin(), row.breaches.end(), [](const UnitBreach& a, const UnitBreach& b) { return a.id < b.id; });
  return row;
}

namespace {

// Which units are to be made, and which is next.
class Units {
 public:
  Units(const CampaignTargets& targets, const Store& store, const CampaignOptions& o) : shard_(o.shard), targets_(static_cast<std::uint32_t>(targets.size())), last_(std::min(o.last_seed.value_or(seed_max), seed_max)), done_(store.done()) {
    for (const CampaignTarget& t : targets) totals_.push_back(t.search().total());
    at_ = {o.first_seed, 0};
    // A space that can be exhausted is numbered from 0.
    if (std::any_of(totals_.begin(), totals_.end(), [](const auto& n) { return n.has_value(); }) && o.first_seed == 1) at_.first = 0;
    first_ = at_.first;
    before_ = std::lower_bound(done_.begin(), done_.end(), at_);
  }

  std::optional<std::pair<std::uint64_t, std::uint32_t>> next() {
    for (; !over(); advance()) {
      if (!is_one(at_)) continue;
      while (before_ != done_.end() && *before_ < at_) ++before_;
      if (before_ != done_.end() && *before_ == at_) continue;
      if (limit_ && at_ > *limit_) return std::nullopt;
      const auto one = at_;
      advance();
      return one;
    }
    return std::nullopt;
  }

  // No unit after this one is needed any more.
  void nothing_after(std::pair<std::uint64_t, std::uint32_t> unit) {
    if (!limit_ || unit < *limit_) limit_ = unit;
  }

  // How many there are; 0: without an end.
  std::uint64_t total() const {
    const std::uint64_t last = end_seed();
    if (last == seed_max) return 0;
    std::uint64_t n = 0;
    for (std::uint32_t t = 0; t < targets_; ++t) {
      const std::uint64_t to = totals_[t] ? std::min(last + 1, *totals_[t]) : last + 1;
      if (to > first_) n += (to - first_) / shard_.count + (rest(first_, to) ? 1 : 0);
    }
    return n;
  }

  // Of those, so many were done before.
  std::uint64_t done_of_these() const {
    return static_cast<std::uint64_t>(std::count_if(done_.begin(), done_.end(), [&](const auto& u) { return u.first >= first_ && u.first <= end_seed() && is_one(u); }));
  }

 private:
  // One more in what is left over of whole rounds from `from` to before `to`.
  bool rest(std::uint64_t from, std::uint64_t to) const {
    for (std::uint64_t s = from + (to - from) / shard_.count * shard_.count; s < to; ++s)
      if (shard_.has(s)) return true;
    return false;
  }
  bool is_one(std::pair<std::uint64_t, std::uint32_t> u) const { return u.second < targets_ && shard_.has(u.first) && (!totals_[u.second] || u.first < *totals_[u.second]); }
  std::uint64_t end_seed() const {
    std::uint64_t last = 0;
    for (const auto& n : totals_) last = std::max(last, n ? *n - std::min<std::uint64_t>(*n, 1) : seed_max);
    return std::min(last, last_);
  }
  bool over() const { return at_.first > end_seed(); }
  void advance() {
    if (++at_.second == targets_) at_ = {at_.first + 1, 0};
  }

  Shard shard_;
  std::uint32_t targets_;
  std::uint64_t last_, first_ = 0;
  std::vector<std::optional<std::uint64_t>> totals_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> done_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>>::const_iterator before_;
  std::pair<std::uint64_t, std::uint32_t> at_;
  std::optional<std::pair<std::uint64_t, std::uint32_t>> limit_;
};

// What the threads and the one that writes share.
struct Workshop {
  std::mutex mutex;
  std::condition_variable news;
  Units units;
  std::vector<UnitRow> finished;
  std::uint64_t at_work = 0;
  std::exception_ptr failure;
  std::pair<std::uint64_t, std::uint32_t> failed{};  // the unit that threw it
  std::atomic<bool>& stop;
};

void work(Workshop& shop, const CampaignTargets& targets, const Manifest& manifest, const CampaignOptions& o) {
  std::unique_lock lock(shop.mutex);
  while (!shop.stop) {
    const auto unit = shop.units.next();
    if (!unit) break;
    lock.unlock();
    std::optional<UnitRow> row;
    std::exception_ptr failure;
    try {
      if (o.begins) o.begins(unit->first, targets[unit->second].said().label);
      row = make_unit(targets, manifest, unit->first, unit->second, shop.stop);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) {
      if (!shop.failure) {
        shop.failure = failure;
        shop.failed = *unit;
      }
      shop.stop = true;
    } else if (row) {
      if (o.stop_at_first && has_news(row->breaches, o.known)) shop.units.nothing_after(*unit);
      shop.finished.push_back(std::move(*row));
    }
    shop.news.notify_one();
  }
  --shop.at_work;
  shop.news.notify_one();
}

// The counts that go with the rows told, kept so that nobody asks the file ten times a second.
class Counter {
 public:
  Counter(const Store& store, std::uint64_t done, std::uint64_t total, std::set<std::string> known) : known_(std::move(known)) {
    now_.units = done;
    now_.units_total = total;
    now_.failing = store.failing(known_);
    for (const Group& g : store.groups())
      if (known_.count(g.breach.id) == 0) groups_.insert(g.breach.id);
    const std::vector<GoalCount> goals = store.goals();
    for (std::uint32_t i = 0; i < goals.size(); ++i)
      if (goals[i].units > 0) goals_.insert(i);
    now_.goals_known = goals.size();
  }
  const CampaignProgress& add(const std::vector<UnitRow>& rows, double seconds) {
    for (const UnitRow& r : rows) {
      now_.failing += has_news(r.breaches, known_) ? 1 : 0;
      for (const UnitBreach& b : r.breaches)
        if (known_.count(b.id) == 0) groups_.insert(b.id);
      goals_.insert(r.goals.begin(), r.goals.end());
    }
    now_.units += rows.size();
    now_.made += rows.size();
    now_.groups = groups_.size();
    now_.goals = goals_.size();
    now_.seconds = seconds;
    return now_;
  }

 private:
  CampaignProgress now_;
  std::set<std::string> known_;
  std::set<std::string> groups_;
  std::set<std::uint32_t> goals_;
};

}  // namespace

bool has_news(const std::vector<UnitBreach>& breaches, const std::set<std::string>& known) {
  return std::any_of(breaches.begin(), breaches.end(), [&](const UnitBreach& b) { return known.count(b.id) == 0; });
}

CampaignEnd run_campaign(const CampaignTargets& targets, Store& store, const CampaignOptions& o) {
  Workshop shop{{}, {}, Units(targets, store, o), {}, o.jobs, {}, {}, *o.stop};
  Counter counter(store, shop.units.done_of_these(), shop.units.total(), o.known);
  if (o.stop_at_first)
    for (const Group& g : store.groups())
      if (o.known.count(g.breach.id) == 0) shop.units.nothing_after({g.first_seed, g.first_target});
  const Clock::time_point began = Clock::now();
  Clock::time_point written = began;
  CampaignEnd end = CampaignEnd::all_done;
  bool found = o.stop_at_first && store.failing(o.known) > 0;

  std::vector<std::thread> threads;
  const auto join = [&] {
    for (std::thread& t : threads) t.join();
    threads.clear();
    shop.stop = false;
  };
  try {
    for (std::uint64_t i = 0; i < o.jobs; ++i) threads.emplace_back([&] { work(shop, targets, store.manifest(), o); });
    for (bool busy = true; busy;) {
      std::vector<UnitRow> rows;
      {
        std::unique_lock lock(shop.mutex);
        shop.news.wait_for(lock, batch_time / 2, [&] { return shop.at_work == 0; });
        busy = shop.at_work > 0;
        if (!busy || Clock::now() - written >= batch_time) rows.swap(shop.finished);
      }
      if (!rows.empty()) {
        for (const UnitRow& r : rows) found = found || (o.stop_at_first && has_news(r.breaches, o.known));
        store.write(rows, {o.jobs, seconds_since(written)});
        written = Clock::now();
        const CampaignProgress& now = counter.add(rows, seconds_since(began));
        if (o.told) o.told(rows, now);
      }
      if (shop.stop) continue;
      if (o.seconds > 0 && seconds_since(began) >= o.seconds) end = CampaignEnd::time_over;
      else if (o.keep_going && !o.keep_going()) end = CampaignEnd::stopped;
      else continue;
      if (busy) shop.stop = true;
      else end = CampaignEnd::all_done;
    }
    join();
  } catch (...) {
    shop.stop = true;
    join();
    throw;
  }
  if (shop.failure) {
    if (o.begins) o.begins(shop.failed.first, targets[shop.failed.second].said().label);  // who reports it, reports it here
    std::rethrow_exception(shop.failure);
  }
  return end == CampaignEnd::all_done && found ? CampaignEnd::first_found : end;
}

std::optional<std::uint64_t> first_unit_that_differs(const CampaignTargets& targets, const Store& store) {
  const std::atomic<bool> stop = false;
  std::set<std::uint32_t> looked_at;
  for (const auto& [seed, target] : store.done()) {
    if (!looked_at.insert(target).second) continue;
    if (make_unit(targets, store.manifest(), seed, target, stop) != store.unit(seed, target)) return seed;
    if (looked_at.size() == targets.size()) break;
  }
  return std::nullopt;
}

}  // namespace mqlab
