#include "sim/hunt/shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "sim/kernel/random.h"
#include "sim/lab/load.h"
#include "sim/lab/service.h"

namespace mqlab {
namespace {

constexpr std::uint64_t events_max = 20'000'000;
constexpr std::uint64_t events_more = 10'000;  // twice the events of the run that is asked about, and so many: more is no smaller run
constexpr std::uint64_t seeds_tried = 3;       // besides its own, of a plan that may show the same by another chance
constexpr Duration second = 1'000'000'000;
constexpr Duration ms = 1'000'000;

class Shrinker {
 public:
  Shrinker(const Scenario& one, const Model& model, const std::string& anomaly, const ShrinkOptions& options)
      : model_(model), decls_(plan_options(model)), options_(options), anomaly_(anomaly), best_(one) {}

  Shrunk work() {
    Shrunk out;
    const std::optional<RunResult> first = run(best_);
    out.shown = first.has_value();
    if (first) {
      limit_ = std::min(events_max, 2 * first->events + events_more);
      routine_ = routine_marks(best_, model_, anomaly_);
      runs_ += best_.faults.size() + 1;
      target_ = mechanism_of(*first, anomaly_, routine_);
      sentence_ = seen_;
      names_ = seen_names_;
      servers_ = seen_servers_;
      broken_ = seen_broken_;
      (void)half_of_the_faults();
      (void)fewer_elements();
      (void)with_other_chance(false);  // numbers that were brought down leave no room for things to come a little later
      bool changed = true;
      while (changed && !stopped()) {
        changed = false;
        for (const auto pass : {&Shrinker::half_of_the_faults, &Shrinker::fewer_elements, &Shrinker::fewer_operations, &Shrinker::shorter_run,
                                &Shrinker::smaller_sizes, &Shrinker::plainer_options, &Shrinker::plainer_faults})
          changed = (this->*pass)() || changed;
        out.minimal = !changed && !stopped();
        if (out.minimal) changed = with_other_chance(true);
        out.minimal = out.minimal && !changed;
      }
    }
    announce();
    out.scenario = std::move(best_);
    out.mechanism = std::move(target_);
    out.runs = runs_;
    out.sentence = sentence_;
    return out;
  }

 private:
  bool stopped() const { return runs_ >= options_.runs || (options_.keep_going && !options_.keep_going()); }

  // Nothing: it does not show the anomaly.
  std::optional<RunResult> run(const Scenario& s) {
    ++runs_;
    try {
      RunOptions o;
      o.seed = s.seed.value_or(1);
      o.event_limit = limit_;
      o.keep_going = options_.keep_going;
      RunResult r = run_scenario(s, model_, nullptr, o);
      if (r.interrupted || !shows(r, anomaly_)) return std::nullopt;
      const VerdictRow* row = r.verdict(anomaly_);
      seen_ = row && !row->report.worst.empty() ? row->report.worst.front().sentence : r.not_drained_because;
      remember_names(r, s.faults.size());
      seen_broken_.clear();
      for (const VerdictRow& v : r.verdicts)
        if (v.claim.claimed && v.report.verdict == Verdict::violated) seen_broken_.emplace_back(v.report.anomaly->name);
      return r;
    } catch (const InputError&) {
      return std::nullopt;  // it is no scenario any more
    }
  }

  // A run ends as a failure when it breaks a promise and its file does not say so: the file of the smallest run says it.
  void announce() {
    for (const std::string& name : broken_)
      if (std::none_of(best_.expect.begin(), best_.expect.end(), [&](const Expectation& e) { return e.name == name; }))
        best_.expect.push_back({Expectation::Kind::violates, name});
  }

  // Whom each fault of the plan meant, where it spoke of one of several.
  void remember_names(const RunResult& r, std::size_t faults) {
    seen_names_.assign(faults, {});
    seen_servers_.clear();
    std::vector<std::string> roles;
    for (NodeId n = 0; n < r.world->node_count(); ++n) {
      const NodeOptions& o = r.world->node_options(n);
      const bool client = std::any_of(r.deployment.clients.begin(), r.deployment.clients.end(), [&](const ClientSpec& c) { return c.name == o.name; });
      if (client || o.role.empty() || is_service_role(o.role) || o.name == "R") continue;
      const auto at = std::find(roles.begin(), roles.end(), o.role);
      if (at == roles.end()) {
        roles.push_back(o.role);
        seen_servers_.push_back({o.name});
      } else {
        seen_servers_[static_cast<std::size_t>(at - roles.begin())].push_back(o.name);
      }
    }
    for (std::size_t i = 0; i < faults && i < r.world->faults().size(); ++i)
      for (const auto& group : r.world->faults()[i].nodes) {
        seen_names_[i].emplace_back();
        for (const NodeId n : group) seen_names_[i].back().push_back(r.world->name(n));
      }
  }

  // Keeps the candidate when it shows the same.
  bool take(Scenario candidate, const std::string& change) {
    if (stopped()) return false;
    const std::optional<RunResult> r = run(candidate);
    if (!r || !same_story(target_, mechanism_of(*r, anomaly_, routine_)) || (options_.also && !options_.also(candidate))) return false;
    best_ = std::move(candidate);
    sentence_ = seen_;
    names_ = std::move(seen_names_);
    servers_ = std::move(seen_servers_);
    broken_ = std::move(seen_broken_);
    if (options_.told) options_.told(change, best_);
    return true;
  }

  // A long list of which few matter is the usual case.
  bool half_of_the_faults() {
    bool changed = false;
    for (std::size_t size = best_.faults.size() / 2; size > 1; size /= 2)
      for (std::size_t at = 0; at + size <= best_.faults.size();) {
        Scenario s = best_;
        s.faults.erase(s.faults.begin() + static_cast<std::ptrdiff_t>(at), s.faults.begin() + static_cast<std::ptrdiff_t>(at + size));
        if (take(std::move(s), fmt::format("{} faults less", size))) changed = true;
        else at += size;
      }
    return changed;
  }

  // From the last to the first, so that what is still to be tried keeps its place.
  bool fewer_elements() {
    bool changed = false;
    for (const auto kind : {Element::Kind::fault, Element::Kind::client, Element::Kind::topic, Element::Kind::service, Element::Kind::link, Element::Kind::option}) {
      const std::vector<Element> now = elements(best_, model_);
      for (auto e = now.rbegin(); e != now.rend(); ++e) {
        if (e->kind != kind) continue;
        const std::vector<Element> left = elements(best_, model_);
        if (std::find(left.begin(), left.end(), *e) == left.end()) continue;  // it went with another one
        const std::string what = describe(*e, best_);
        std::optional<Scenario> s = without(best_, model_, *e);
        if (s && take(std::move(*s), (e->kind == Element::Kind::option ? "by default " : "without ") + what)) changed = true;
      }
    }
    return changed;
  }

  // What is left may be there for its share in chance alone: a client that sends nothing of interest draws delays that others would
  // draw without it, a topic decides which broker leads the next one. So the same without it is tried under a few other seeds, and
  // with the servers of a role in each other's place; and links first without any chance.
  bool with_other_chance(bool options) {
    if (best_.has_link && best_.link.spread > 0) {
      Scenario s = best_;
      s.link.spread = 0;
      (void)take_by_chance(s, "links without spread", false);
    }
    bool changed = false;
    for (const auto kind : {Element::Kind::client, Element::Kind::topic, Element::Kind::link, Element::Kind::fault, Element::Kind::option}) {
      const std::vector<Element> now = elements(best_, model_);
      for (auto e = now.rbegin(); e != now.rend() && !stopped(); ++e) {
        if (e->kind != kind || (kind == Element::Kind::option && !options)) continue;
        const std::vector<Element> left = elements(best_, model_);
        if (std::find(left.begin(), left.end(), *e) == left.end()) continue;
        const std::string what = (kind == Element::Kind::option ? "by default " : "without ") + describe(*e, best_);
        std::optional<Scenario> s = without(kind == Element::Kind::topic ? naming(best_.deployment.topics[e->index].name) : best_, model_, *e);
        if (s && take_by_chance(*s, what, kind != Element::Kind::option)) changed = true;
      }
    }
    return changed;
  }

  bool take_by_chance(const Scenario& s, const std::string& change, bool turn) {
    if (take(s, change)) return true;
    for (std::uint64_t n = 1; n <= seeds_tried; ++n) {
      Scenario other = s;
      other.seed = splitmix64(s.seed.value_or(1) + n);
      if (take(std::move(other), change + ", with another seed")) return true;
    }
    for (const auto& role : servers_)
      for (std::size_t by = 1; turn && by < role.size(); ++by) {
        std::optional<Scenario> other = turned_by(s, role, by);
        if (other && take(std::move(*other), change + ", and other servers")) return true;
      }
    return false;
  }

  // Who has a role at this topic is called by name.
  Scenario naming(const std::string& topic) const {
    Scenario s = best_;
    for (std::size_t i = 0; i < s.faults.size() && i < names_.size(); ++i)
      for (std::size_t g = 0; g < s.faults[i].fault.groups.size() && g < names_[i].size(); ++g) {
        auto& group = s.faults[i].fault.groups[g];
        const bool role = std::any_of(group.begin(), group.end(), [&](const Target& t) { return t.find(" " + topic + "/") != std::string::npos; });
        if (role && !names_[i][g].empty()) group = names_[i][g];
      }
    return s;
  }

  // Each server of the role is the one `by` places further on; a role that moves ("leader orders/0") is whom it meant. Nothing: no
  // fault speaks of them.
  std::optional<Scenario> turned_by(const Scenario& s, const std::vector<std::string>& role, std::size_t by) const {
    Scenario out = s;
    bool any = false;
    const auto turn = [&](std::string& name) {
      const auto at = std::find(role.begin(), role.end(), name);
      if (at == role.end()) return;
      name = role[(static_cast<std::size_t>(at - role.begin()) + by) % role.size()];
      any = true;
    };
    for (PlannedFault& f : out.faults) {
      for (auto& group : f.fault.groups)
        for (Target& t : group) turn(t);
      turn(f.trigger.from);
      turn(f.trigger.to);
      const std::size_t space = f.fault.argument.rfind(' ');
      if (f.fault.kind != FaultKind::command || space == std::string::npos) continue;
      std::string last = f.fault.argument.substr(space + 1);
      turn(last);
      f.fault.argument.replace(space + 1, std::string::npos, last);
    }
    for (ClientSpec& c : out.deployment.clients)
      for (Options* o : {&c.options, &c.consumer_options}) {
        if (!o->has("connects_to") || !o->given("connects_to")) continue;
        std::string whom = o->text("connects_to");
        turn(whom);
        (void)o->set(decls_, c.role, "connects_to", whom);
      }
    return any ? std::optional(std::move(out)) : std::nullopt;
  }

  // A number towards `least`: that at once, then by halves. `put` makes the candidate.
  bool smaller(std::int64_t now, std::int64_t least, const std::string& what, const std::function<std::optional<Scenario>(std::int64_t)>& put) {
    bool changed = false;
    std::int64_t low = least - 1;  // known not to do, or not tried
    while (now > least && !stopped()) {
      const std::int64_t half = low < least ? least : low + (now - low) / 2;
      if (half >= now || half <= low) break;
      std::optional<Scenario> s = put(half);
      if (s && take(std::move(*s), fmt::format("{} {} instead of {}", what, half, now))) {
        now = half;
        changed = true;
      } else {
        low = half;
      }
    }
    return changed;
  }

  // An option of one owner, by its place in option_owners().
  std::optional<Scenario> with_option(std::size_t owner, const std::string& name, std::int64_t value) const {
    Scenario s = best_;
    for (const OptionOwner& o : holders(s, decls_, owner, name))
      if (o.options->set(decls_, o.scope, name, value) && o.options->set(decls_, "transform", name, value)) return std::nullopt;
    return s;
  }

  // The numbers of the declared load: records, and how many are taken, worked on, tried at a time.
  bool fewer_operations() {
    bool changed = false;
    const std::size_t count = option_owners(best_).size();
    for (std::size_t i = 0; i < count; ++i)
      for (const OptionDecl& d : load_options()) {
        const OptionOwner o = option_owners(best_)[i];
        if (d.type != OptionType::integer || d.scope != o.scope || !o.options->has(d.name)) continue;
        if (!o.options->given(d.name) && (d.name != "records" || o.program)) continue;
        changed = smaller(o.options->integer(d.name), std::max<std::int64_t>(1, d.min), fmt::format("{}: {}", o.what, d.name),
                          [&](std::int64_t n) { return with_option(i, d.name, n); }) || changed;
      }
    // The programs of a file do as its knobs say.
    const std::vector<OptionDecl> knobs = best_.deployment.knob_decls;  // the best plan changes on the way
    for (const OptionDecl& d : knobs) {
      if (d.type != OptionType::integer) continue;
      changed = smaller(best_.deployment.knobs.integer(d.name), std::max<std::int64_t>(1, d.min), d.name, [&](std::int64_t n) -> std::optional<Scenario> {
        Scenario s = best_;
        if (s.deployment.knobs.set(s.deployment.knob_decls, d.scope, d.name, n)) return std::nullopt;
        return s;
      }) || changed;
    }
    return changed;
  }

  bool shorter_run() {
    return smaller(best_.run_for / second, 1, "seconds to run:", [&](std::int64_t n) {
      Scenario s = best_;
      s.run_for = n * second;
      return std::optional(std::move(s));
    });
  }

  bool smaller_sizes() {
    bool changed = false;
    const std::size_t count = option_owners(best_).size();
    for (std::size_t i = 0; i < count; ++i)
      for (const OptionDecl& d : decls_) {
        const OptionOwner o = option_owners(best_)[i];
        if (!is_plan_size(d.name) || d.scope != o.scope || d.type != OptionType::integer || !o.options->has(d.name)) continue;
        changed = smaller(o.options->integer(d.name), std::max<std::int64_t>(1, d.min), fmt::format("{}: {}", o.what, d.name),
                          [&](std::int64_t n) { return with_option(i, d.name, n); }) || changed;
      }
    return changed;
  }

  // Round times where a time must be given.
  bool plainer_options() {
    bool changed = false;
    const std::size_t count = option_owners(best_).size();
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::string> given;
      for (const auto& [name, v] : option_owners(best_)[i].options->values())
        if (option_owners(best_)[i].options->given(name)) given.push_back(name);
      for (const std::string& name : given) {
        const OptionOwner o = option_owners(best_)[i];
        const OptionDecl* d = find_option(decls_, o.scope, name);
        if (!d || d->type != OptionType::duration || d->is_switch) continue;
        changed = rounder(o.options->duration(name), fmt::format("{}: {}", o.what, name), [&](Duration t) { return with_option(i, name, t); }) || changed;
      }
    }
    return changed;
  }

  // A time at a whole second, or tenth, or so; down is tried before up.
  bool rounder(Duration now, const std::string& what, const std::function<std::optional<Scenario>(Duration)>& put) {
    for (const Duration unit : {second, 100 * ms, 10 * ms, ms}) {
      if (now % unit == 0) return false;
      if (now < unit) continue;
      for (const Duration then : {now / unit * unit, (now / unit + 1) * unit})
        if (std::optional<Scenario> s = put(then); s && take(std::move(*s), fmt::format("{} {}", what, format_duration(then)))) return true;
    }
    return false;
  }

  // Named nodes, fewer of them, round times, short durations, the first of several messages.
  bool plainer_faults() {
    bool changed = false;
    for (std::size_t i = 0; i < best_.faults.size(); ++i) {
      const auto with = [&](auto change) {
        return [this, i, change](std::int64_t n) {
          Scenario s = best_;
          change(s.faults[i], n);
          return std::optional(std::move(s));
        };
      };
      changed = named_nodes(i) || changed;
      changed = fewer_targets(i) || changed;
      // Each step may put another plan in the place of the best one: it is asked anew.
      const auto now = [&]() -> const PlannedFault& { return best_.faults[i]; };
      const std::string what = describe(now().fault);
      changed = rounder(now().trigger.after, what + " at", with([](PlannedFault& x, std::int64_t n) { x.trigger.after = n; })) || changed;
      changed = smaller(static_cast<std::int64_t>(now().trigger.nth), 1, what + ": at the", with([](PlannedFault& x, std::int64_t n) { x.trigger.nth = static_cast<std::uint64_t>(n); })) || changed;
      changed = smaller(static_cast<std::int64_t>(now().fault.nth), 1, what + ": message", with([](PlannedFault& x, std::int64_t n) { x.fault.nth = static_cast<std::uint64_t>(n); })) || changed;
      changed = smaller(static_cast<std::int64_t>(now().fault.count), 1, what + ": messages", with([](PlannedFault& x, std::int64_t n) { x.fault.count = static_cast<std::uint64_t>(n); })) || changed;
      changed = shorter([&] { return now().fault.duration; }, what + " for", with([](PlannedFault& x, std::int64_t n) { x.fault.duration = n; })) || changed;
      if (now().fault.kind == FaultKind::delay || now().fault.kind == FaultKind::latency)
        changed = shorter([&] { return now().fault.amount; }, what + " by", with([](PlannedFault& x, std::int64_t n) { x.fault.amount = n; })) || changed;
    }
    return changed;
  }

  // A duration in the largest unit that does; 400 ms are as good as 387.
  bool shorter(const std::function<Duration()>& now, const std::string& what, const std::function<std::optional<Scenario>(Duration)>& put) {
    bool changed = false;
    for (const Duration unit : {second, 100 * ms, ms}) {
      if (now() < 2 * unit || (unit == ms && now() >= 200 * ms)) continue;
      changed = smaller(now() / unit, 1, fmt::format("{}, in units of {},", what, format_duration(unit)), [&](std::int64_t n) { return put(n * unit); }) || changed;
    }
    return changed;
  }

  bool named_nodes(std::size_t i) {
    bool changed = false;
    for (std::size_t g = 0; g < best_.faults[i].fault.groups.size(); ++g) {
      const std::vector<Target>& group = best_.faults[i].fault.groups[g];
      const bool drawn = std::any_of(group.begin(), group.end(), [](const Target& t) {
        return t.starts_with("one ") || t.starts_with("minority ") || t.starts_with("majority ");
      });
      if (!drawn || i >= names_.size() || g >= names_[i].size() || names_[i][g].empty()) continue;
      Scenario s = best_;
      s.faults[i].fault.groups[g] = names_[i][g];
      const std::string what = fmt::format("{} means {}", describe(best_.faults[i].fault), fmt::join(names_[i][g], ", "));
      changed = take(std::move(s), what) || changed;
    }
    return changed;
  }

  bool fewer_targets(std::size_t i) {
    bool changed = false;
    for (std::size_t g = 0; g < best_.faults[i].fault.groups.size(); ++g)
      for (std::size_t t = best_.faults[i].fault.groups[g].size(); t-- > 0 && best_.faults[i].fault.groups[g].size() > 1;) {
        Scenario s = best_;
        auto& group = s.faults[i].fault.groups[g];
        const std::string what = fmt::format("{} without {}", describe(s.faults[i].fault), group[t]);
        group.erase(group.begin() + static_cast<std::ptrdiff_t>(t));
        changed = take(std::move(s), what) || changed;
      }
    return changed;
  }

  const Model& model_;
  const std::vector<OptionDecl> decls_;
  const ShrinkOptions& options_;
  const std::string anomaly_;
  Scenario best_;
  Mechanism target_;
  std::set<std::string> routine_;
  std::uint64_t runs_ = 0;
  std::uint64_t limit_ = events_max;
  std::string sentence_, seen_;
  std::vector<std::vector<std::vector<Target>>> names_, seen_names_;  // by fault and group
  std::vector<std::vector<std::string>> servers_, seen_servers_;       // by role
  std::vector<std::string> broken_, seen_broken_;                      // promises
};

}  // namespace

bool same_story(const Mechanism& first, const Mechanism& now) {
  const auto in = [](const std::vector<std::string>& all, const std::string& name) { return std::find(all.begin(), all.end(), name) != all.end(); };
  return first.same_class(now) && std::all_of(now.marks.begin(), now.marks.end(), [&](const std::string& m) { return in(first.marks, m); }) &&
         (first.turn.empty() || in(now.marks, first.turn));
}

Shrunk shrink(const Scenario& one, const Model& model, const std::string& anomaly, const ShrinkOptions& options) { return Shrinker(one, model, anomaly, options).work(); }

}  // namespace mqlab
