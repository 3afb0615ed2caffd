#include "gui/core/recording.h"

#include <malloc.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <utility>

#include "sim/kernel/random.h"
#include "sim/lab/live_run.h"
#include "sim/lab/one_run.h"
#include "sim/record/event_text.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"

namespace mqlab::gui {
namespace {

// The run right after so many events, without its record.
struct Checkpoint {
  std::uint64_t steps;
  std::size_t bytes;  // about
  LiveRun run;
};

// Checkpoints lie this many events apart at first. When there are too many, or they are too large, every second goes and the
// rest lie twice as far.
constexpr std::uint64_t first_spacing = 1'000;
constexpr std::size_t checkpoints_max = 192;
constexpr std::size_t checkpoints_least = 8;
// A run that is so many events before the wanted moment goes on itself; no copy of a checkpoint is needed.
constexpr std::uint64_t go_on_max = 4'000;
constexpr std::size_t moments_kept = 128;
// Lags are looked at after every event at first; when there are too many values, half as often.
constexpr std::size_t lags_most = 2'048;

// How far groups are behind, looked at now and then. What is the same as before takes no room.
struct Lags {
  std::vector<LagSeries> all;
  std::uint64_t spacing = 1;
  std::uint64_t due = 0;     // World::steps at which to look next
  std::size_t looks = 0;
  Time last = -1;

  void look(const World& world, const TellsContents* teller) {
    if (!teller || world.steps() < due) return;
    if (++looks > lags_most) {
      spacing *= 2;
      looks = lags_most / 2;
    }
    due = world.steps() + spacing;
    ContentsWish wish;
    wish.records = wish.all_places = false;
    const Contents now = teller->contents(world, wish);
    std::vector<bool> told(all.size());
    for (const GroupContents& g : now.groups) {
      std::size_t i = 0;
      while (i < all.size() && all[i].group != g.name) ++i;
      if (i == all.size()) {
        all.push_back({g.name, {}});
        told.push_back(false);
      }
      if (told[i]) continue;  // two nodes that keep it: the first one's word
      told[i] = true;
      set(i, world.now(), lag_of(g).value_or(-1));
    }
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!told[i]) set(i, world.now(), -1);
  }
  void set(std::size_t i, Time t, std::int64_t value) {
    auto& steps = all[i].steps;
    if (!steps.empty() && steps.back().second == value) return;
    if (!steps.empty() && steps.back().first == t) steps.back().second = value;
    else if (!steps.empty() || value >= 0) steps.emplace_back(t, value);
  }
};

}  // namespace

struct Recording::Inside {
  RunSpec spec;
  Scenario scenario;
  const Model* model = nullptr;
  const ScenarioCase* scenario_case = nullptr;
  std::uint64_t seed = 1;
  RunOptions options;
  RunResult result;
  std::vector<std::uint64_t> steps;                             // by delivery: World::steps after it
  std::vector<std::uint32_t> event_of_op;
  std::vector<std::pair<EventId, std::uint32_t>> by_id;         // sorted
  std::vector<Checkpoint> checkpoints;                          // ascending; the first is the beginning
  std::vector<std::uint64_t> prefix_hashes;
  Lags lags;

  // What moment() keeps between calls; it changes no answer.
  std::mutex mutex;
  std::optional<LiveRun> cursor;
  std::list<std::shared_ptr<const Moment>> recent;              // the latest first

  const Checkpoint& before(std::uint64_t steps_wanted) const {
    const auto it = std::upper_bound(checkpoints.begin(), checkpoints.end(), steps_wanted,
                                     [](std::uint64_t s, const Checkpoint& c) { return s < c.steps; });
    return *(it - 1);
  }
  Moment look(std::size_t n, const World& world, const MomentWish& wish) const;
  // `into` is a moment of this run with the same wish, or an empty one.
  void look(std::size_t n, const World& world, const MomentWish& wish, Moment& into) const;
};

Recording::Recording(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Recording::~Recording() = default;

namespace {

std::size_t allocated_now() {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

// Makes checkpoints of a run, as far apart as its length and the memory for them ask for.
class CheckpointMaker {
 public:
  CheckpointMaker(std::vector<Checkpoint>& all, const RecordOptions& options) : all_(all), budget_(options.checkpoint_bytes), allocated_(options.allocated ? options.allocated : allocated_now) {}

  bool due(std::uint64_t steps) const { return all_.empty() || steps >= all_.back().steps + spacing_; }
  void make(const LiveRun& run) {
    const std::uint64_t steps = run.world().steps();
    // What one takes changes slowly: it is measured each time that the run has become longer by a quarter.
    const bool measure = steps >= measure_at_;
    const std::size_t before = measure ? allocated_() : 0;
    all_.push_back({steps, 0, run.without_record()});
    if (measure) {
      const std::size_t after = allocated_();
      bytes_ = after > before ? after - before : 0;
      measure_at_ = steps + steps / 4 + 1;
    }
    all_.back().bytes = bytes_;
    total_ += bytes_;
    while (all_.size() > checkpoints_max || (total_ > budget_ && all_.size() > checkpoints_least)) thin_out();
  }

 private:
  void thin_out() {
    spacing_ *= 2;
    std::vector<Checkpoint> kept;
    total_ = 0;
    for (std::size_t i = 0; i < all_.size(); i += 2) {
      total_ += all_[i].bytes;
      kept.push_back(std::move(all_[i]));
    }
    all_ = std::move(kept);
  }

  std::vector<Checkpoint>& all_;
  const std::size_t budget_;
  const std::function<std::size_t()> allocated_;
  std::uint64_t spacing_ = first_spacing;
  std::uint64_t measure_at_ = 0;
  std::size_t bytes_ = 0;  // of one, as last measured
  std::size_t total_ = 0;
};

const ScenarioCase* find_case(const Scenario& s, const std::string& name) {
  if (name.empty()) return s.cases.empty() ? nullptr : &s.cases.front();
  for (const ScenarioCase& c : s.cases)
    if (c.name == name) return &c;
  std::string known;
  for (const ScenarioCase& c : s.cases) known += (known.empty() ? "" : ", ") + c.name;
  throw InputError(s.path, 0, "there is no case `" + name + "`" + (known.empty() ? "; the scenario has no cases" : "; it has " + known));
}

// Faults by hand come last, so that what the seed draws of the others stays as it was.
void add_interventions(Scenario& s, const ScenarioCase* c, const std::vector<Intervention>& all) {
  std::vector<PlannedFault>& to = c ? s.cases[static_cast<std::size_t>(c - s.cases.data())].faults : s.faults;
  for (const Intervention& i : all) to.push_back(i.fault);
}

// By time, each at its place among the events.
void sort_drops(Journal& j) {
  std::vector<Drop> sorted;
  sorted.reserve(j.drops.size());
  for (const PlacedDrop& d : drops_in_order(j)) {
    sorted.push_back(*d.drop);
    sorted.back().after = d.after;
  }
  j.drops = std::move(sorted);
}

// Without some of its faults a scenario is told as one run, where each fault has its time.
void leave_out(Scenario& s, const Model& model, const ScenarioCase*& c, const RunOptions& options, const std::vector<std::size_t>& without) {
  Scenario one = one_run(s, model, c, options);
  for (std::size_t i = one.faults.size(); i-- > 0;)
    if (std::find(without.begin(), without.end(), i) != without.end()) one.faults.erase(one.faults.begin() + static_cast<std::ptrdiff_t>(i));
  s = std::move(one);
  c = nullptr;
}

}  // namespace

std::string Intervention::lua() const { return print_fault(fault); }

Intervention right_after(Time event, Fault fault) {
  Intervention i;
  i.fault.fault = std::move(fault);
  i.fault.trigger.after = saturating_add(event, 1);
  return i;
}

bool same_event(const Delivery& a, const Delivery& b) {
  const Event &x = a.event, &y = b.event;
  return a.time == b.time && x.kind == y.kind && x.target == y.target && x.source == y.source && x.type == y.type && (!is_message(x) || x.body == y.body);
}

// Of what same_event() looks at.
static std::vector<std::uint64_t> hash_prefixes(const std::vector<Delivery>& all) {
  std::vector<std::uint64_t> out;
  std::uint64_t hash = 0;
  const auto add = [&](std::uint64_t word) { hash = splitmix64(hash ^ word); };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Event& e = all[i].event;
    add(static_cast<std::uint64_t>(all[i].time));
    add(std::uint64_t{e.target} << 32 | e.source);
    add(std::uint64_t{e.type} << 8 | e.kind);
    if (is_message(e))
      for (const std::uint64_t word : e.body) add(word);
    if ((i + 1) % Recording::prefix_block == 0) out.push_back(hash);
  }
  return out;
}

std::shared_ptr<const Recording> Recording::make(RunSpec spec, const Models& models, const RecordOptions& options) {
  auto inside = std::make_unique<Inside>();
  Inside& in = *inside;
  in.spec = std::move(spec);
  in.scenario = load_scenario(in.spec.text, in.spec.path, models, {}, in.spec.design);
  in.model = models.find(in.scenario.model);
  if (!in.model) throw InputError(in.spec.path, 0, "there is no model `" + in.scenario.model + "`");
  in.scenario_case = find_case(in.scenario, in.spec.case_name);
  if (in.scenario_case) in.spec.case_name = in.scenario_case->name;
  in.seed = in.spec.seed ? *in.spec.seed : in.scenario.seed.value_or(1);
  RunOptions run_options{.seed = in.seed, .trace = TraceLevel::full, .settings = in.spec.settings, .profile = in.spec.profile, .event_limit = options.event_limit};
  if (!in.spec.without.empty()) {
    leave_out(in.scenario, *in.model, in.scenario_case, run_options, in.spec.without);
    run_options.settings.clear();
    run_options.profile.clear();
  }
  add_interventions(in.scenario, in.scenario_case, in.spec.interventions);
  in.options = run_options;

  std::optional<LiveRun> run;
  if (options.progress) run_options.keep_going = [&] { return options.progress(run->world().steps(), run->world().now()); };
  run.emplace(in.scenario, *in.model, in.scenario_case, run_options);

  CheckpointMaker checkpoints(in.checkpoints, options);
  checkpoints.make(*run);
  const Journal* journal = &run->world().journal;
  const auto* teller = dynamic_cast<const TellsContents*>(in.model);
  bool more = true;
  while (more) {
    more = run->run_events(run->world().steps() + 1);
    const std::uint64_t steps = run->world().steps();
    in.lags.look(run->world(), teller);
    while (in.steps.size() < journal->deliveries.size()) in.steps.push_back(steps);
    const auto last = static_cast<std::uint32_t>(in.steps.empty() ? 0xffffffff : in.steps.size() - 1);
    while (in.event_of_op.size() < journal->ops.size()) in.event_of_op.push_back(last);
    if (more && checkpoints.due(steps)) checkpoints.make(*run);
  }
  in.result = run->finish();
  sort_drops(in.result.world->journal);
  const Journal& done = in.result.world->journal;
  while (in.event_of_op.size() < done.ops.size()) in.event_of_op.push_back(static_cast<std::uint32_t>(in.steps.size()) - 1);
  in.by_id.reserve(done.deliveries.size());
  for (std::size_t i = 0; i < done.deliveries.size(); ++i) in.by_id.emplace_back(done.deliveries[i].event.id, static_cast<std::uint32_t>(i));
  std::sort(in.by_id.begin(), in.by_id.end());
  in.prefix_hashes = hash_prefixes(done.deliveries);
  return std::shared_ptr<const Recording>(new Recording(std::move(inside)));
}

const RunSpec& Recording::spec() const { return inside_->spec; }
const Scenario& Recording::scenario() const { return inside_->scenario; }
const Model& Recording::model() const { return *inside_->model; }
std::string Recording::as_lua() const {
  Scenario one = one_run(inside_->scenario, *inside_->model, inside_->scenario_case, inside_->options);
  one.seed = inside_->seed;
  if (const auto why = why_not_printed(one)) throw InputError(inside_->spec.path, 0, *why);
  return print_scenario(one, *inside_->model);
}
std::uint64_t Recording::seed() const { return inside_->seed; }
const Journal& Recording::journal() const { return inside_->result.world->journal; }
const RunResult& Recording::result() const { return inside_->result; }
bool Recording::stopped() const { return inside_->result.interrupted; }
Time Recording::end() const { return inside_->result.ended; }
std::size_t Recording::checkpoints() const { return inside_->checkpoints.size(); }
std::size_t Recording::checkpoint_bytes() const {
  std::size_t sum = 0;
  for (const Checkpoint& c : inside_->checkpoints) sum += c.bytes;
  return sum;
}
const std::vector<std::uint64_t>& Recording::prefix_hashes() const { return inside_->prefix_hashes; }

std::size_t Recording::event_before(Time t) const {
  const auto& all = journal().deliveries;
  const auto it = std::upper_bound(all.begin(), all.end(), t, [](Time when, const Delivery& d) { return when < d.time; });
  return it == all.begin() ? all.size() : static_cast<std::size_t>(it - all.begin()) - 1;
}

std::size_t Recording::event_after(Time t) const {
  const auto& all = journal().deliveries;
  return static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), t, [](const Delivery& d, Time when) { return d.time < when; }) - all.begin());
}

std::size_t Recording::event_of_op(OpIndex op) const {
  return op < inside_->event_of_op.size() ? std::min<std::size_t>(inside_->event_of_op[op], events()) : events();
}

std::size_t Recording::event_of_mark(std::size_t mark) const {
  if (mark >= journal().marks.size()) return events();
  const Mark& m = journal().marks[mark];
  const std::size_t at = event_of_id(m.during);
  // During what was not recorded (a fault, a start): the last event before.
  return at < events() ? at : event_before(m.time);
}

std::size_t Recording::event_of_id(EventId id) const {
  const auto it = std::lower_bound(inside_->by_id.begin(), inside_->by_id.end(), std::pair<EventId, std::uint32_t>(id, 0));
  return it != inside_->by_id.end() && it->first == id ? it->second : events();
}

std::size_t Recording::event_of_drop(std::size_t drop) const {
  if (drop >= journal().drops.size()) return events();
  const std::size_t after = journal().drops[drop].after;
  return after > 0 ? after - 1 : 0;
}

std::string Recording::line_name(NodeId n) const { return mqlab::line_name(journal(), n); }

std::size_t Recording::replayed_for(std::size_t n) const { return inside_->steps[n] - inside_->before(inside_->steps[n]).steps; }

Moment Recording::Inside::look(std::size_t n, const World& world, const MomentWish& wish) const {
  Moment m;
  look(n, world, wish, m);
  return m;
}

void Recording::Inside::look(std::size_t n, const World& world, const MomentWish& wish, Moment& into) const {
  Moment* m = &into;
  m->event = n;
  m->time = world.now();
  for (NodeId id = 0; id < world.node_count(); ++id) {
    if (id == m->nodes.size()) {
      const NodeOptions& o = world.node_options(id);
      m->nodes.push_back({o.name, o.role, o.machine, o.rack, o.zone, o.region, {}, {}, {}, {}});
    }
    NodeMoment& node = m->nodes[id];
    node.running = world.running(id);
    node.paused = world.paused(id);
    node.backlog = world.backlog(id);
    if (wish.states) node.state = world.state(id);
  }
  m->faults.clear();
  for (std::size_t i = 0; wish.faults && i < world.faults().size(); ++i) {
    const ArmedFault& f = world.faults()[i];
    if (f.active) m->faults.push_back({i, describe(f.fault), f.fault.kind, f.nodes, is_cut_fault(f.fault.kind)});
  }
  const ContentsWish& c = wish.contents;
  if (const auto* teller = dynamic_cast<const TellsContents*>(model); teller && (c.groups || c.all_places || !c.places.empty())) {
    Contents all = teller->contents(world, c);
    m->places = std::move(all.places);
    m->groups = std::move(all.groups);
  }
}

void Recording::moments(std::size_t from, std::size_t to, const MomentWish& wish, const std::function<bool(const Moment&)>& visit) const {
  const Inside& in = *inside_;
  // From checkpoint to checkpoint: a run that went on all the way would keep a second record of it all.
  const Checkpoint* at = &in.before(in.steps[from]);
  std::optional<LiveRun> run(at->run);
  Moment m;
  for (std::size_t n = from; n <= to; ++n) {
    if (const Checkpoint* nearer = &in.before(in.steps[n]); nearer != at) {
      at = nearer;
      run.emplace(at->run);
    }
    run->run_events(in.steps[n]);
    in.look(n, run->world(), wish, m);
    if (!visit(m)) return;
  }
}

std::size_t Recording::cheap_before(std::size_t n) const {
  const auto& steps = inside_->steps;
  const std::uint64_t checkpoint = inside_->before(steps[n]).steps;
  return static_cast<std::size_t>(std::upper_bound(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(n), checkpoint) - steps.begin());
}

const std::vector<LagSeries>& Recording::lags() const { return inside_->lags.all; }
std::uint64_t Recording::lag_spacing() const { return inside_->lags.spacing; }

std::shared_ptr<const Moment> Recording::moment(std::size_t n) const {
  Inside& in = *inside_;
  const std::lock_guard lock(in.mutex);
  for (auto it = in.recent.begin(); it != in.recent.end(); ++it)
    if ((*it)->event == n) {
      in.recent.splice(in.recent.begin(), in.recent, it);
      return in.recent.front();
    }
  const std::uint64_t wanted = in.steps[n];
  const Checkpoint& from = in.before(wanted);
  const std::uint64_t here = in.cursor ? in.cursor->world().steps() : ~std::uint64_t{0};
  if (here > wanted || (here < from.steps && wanted - here > go_on_max)) in.cursor.emplace(from.run);
  in.cursor->run_events(wanted);
  in.recent.push_front(std::make_shared<const Moment>(in.look(n, in.cursor->world(), {})));
  if (in.recent.size() > moments_kept) in.recent.pop_back();
  return in.recent.front();
}

}  // namespace mqlab::gui
