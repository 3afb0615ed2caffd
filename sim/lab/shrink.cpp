#include "sim/lab/shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace mqlab {
namespace {

// Nodes, partitions, replicas: what a reader has to draw.
constexpr std::array<const char*, 4> sizes{"brokers", "controllers", "replicas", "partitions"};
bool is_size(const std::string& name) { return std::find(sizes.begin(), sizes.end(), name) != sizes.end(); }

constexpr std::uint64_t events_max = 20'000'000;  // of a candidate: more is no smaller run

// What must stay as it is: the anomaly with the model's word on it.
struct Mechanism {
  std::string anomaly;
  bool claimed = false;
  std::string reason;
  bool operator==(const Mechanism&) const = default;
};

// Words of options, and where a plan has them.
struct Owner {
  std::string what;   // "the cluster", "topic orders", "P1"
  std::string scope;
  Options* options;
};

std::vector<Owner> owners(Scenario& s) {
  std::vector<Owner> all{{"the cluster", "cluster", &s.deployment.cluster}};
  for (TopicSpec& t : s.deployment.topics) all.push_back({"topic " + t.name, "topic", &t.options});
  for (ClientSpec& c : s.deployment.clients) {
    const bool program = c.role == "client";
    all.push_back({c.name, program ? "producer" : c.role, &c.options});
    if (program) all.push_back({c.name, "consumer", &c.consumer_options});
  }
  return all;
}

bool refers_to(const Options& o, const std::string& topic) {
  for (const auto& [name, v] : o.values())
    if (const auto* text = std::get_if<std::string>(&v); text && (("," + *text + ",").find("," + topic + ",") != std::string::npos)) return true;
  return false;
}

class Shrinker {
 public:
  Shrinker(const Scenario& one, const Model& model, const std::string& anomaly, const ShrinkOptions& options)
      : model_(model), decls_(all_options(model.decl())), options_(options), best_(one) {
    target_.anomaly = anomaly;
  }

  Shrunk work() {
    Shrunk out;
    const std::optional<Mechanism> first = look(best_);
    out.shown = first.has_value();
    if (first) {
      target_ = *first;
      bool changed = true;
      while (changed && !stopped()) {
        changed = false;
        for (const auto pass : {&Shrinker::fewer_faults, &Shrinker::fewer_clients, &Shrinker::fewer_topics, &Shrinker::fewer_operations, &Shrinker::shorter_run,
                                &Shrinker::fewer_options, &Shrinker::smaller_options, &Shrinker::plainer_faults})
          changed = (this->*pass)() || changed;
        out.minimal = !changed && !stopped();
      }
    }
    out.scenario = std::move(best_);
    out.runs = runs_;
    out.sentence = sentence_;
    return out;
  }

 private:
  bool stopped() const { return runs_ >= options_.runs || (options_.keep_going && !options_.keep_going()); }

  // Nothing: it does not show the anomaly.
  std::optional<Mechanism> look(const Scenario& s) {
    ++runs_;
    try {
      RunOptions o;
      o.seed = s.seed.value_or(1);
      o.event_limit = events_max;
      o.keep_going = options_.keep_going;
      const RunResult r = run_scenario(s, model_, nullptr, o);
      const VerdictRow* row = r.verdict(target_.anomaly);
      if (r.interrupted || !row || row->report.verdict != Verdict::violated) return std::nullopt;
      seen_ = row->report.worst.empty() ? std::string() : row->report.worst.front().sentence;
      return Mechanism{target_.anomaly, row->claim.claimed, row->claim.reason};
    } catch (const InputError&) {
      return std::nullopt;  // it is no scenario any more
    }
  }

  // Keeps the candidate when it shows the same.
  bool take(Scenario candidate, const std::string& change) {
    if (stopped() || look(candidate) != target_) return false;
    best_ = std::move(candidate);
    sentence_ = seen_;
    if (options_.told) options_.told(change, best_);
    return true;
  }

  bool fewer_faults() {
    bool changed = false;
    // Halves first, then one by one: a long list of which few matter is the usual case.
    for (std::size_t size = best_.faults.size() / 2; size > 1; size /= 2)
      for (std::size_t at = 0; at + size <= best_.faults.size();) {
        Scenario s = best_;
        s.faults.erase(s.faults.begin() + static_cast<std::ptrdiff_t>(at), s.faults.begin() + static_cast<std::ptrdiff_t>(at + size));
        if (take(std::move(s), fmt::format("{} faults less", size))) changed = true;
        else at += size;
      }
    for (std::size_t i = best_.faults.size(); i-- > 0;) {
      Scenario s = best_;
      const std::string what = describe(s.faults[i].fault);
      s.faults.erase(s.faults.begin() + static_cast<std::ptrdiff_t>(i));
      changed = take(std::move(s), "without " + what) || changed;
    }
    return changed;
  }

  bool fewer_clients() {
    bool changed = false;
    for (std::size_t i = best_.deployment.clients.size(); i-- > 0 && best_.deployment.clients.size() > 1;) {
      Scenario s = best_;
      const std::string name = s.deployment.clients[i].name;
      s.deployment.clients.erase(s.deployment.clients.begin() + static_cast<std::ptrdiff_t>(i));
      changed = take(std::move(s), "without " + name) || changed;
    }
    return changed;
  }

  bool fewer_topics() {
    bool changed = false;
    for (std::size_t i = best_.deployment.topics.size(); i-- > 0 && best_.deployment.topics.size() > 1;) {
      Scenario s = best_;
      const std::string name = s.deployment.topics[i].name;
      s.deployment.topics.erase(s.deployment.topics.begin() + static_cast<std::ptrdiff_t>(i));
      const std::vector<Owner> rest = owners(s);
      if (std::any_of(rest.begin(), rest.end(), [&](const Owner& o) { return refers_to(*o.options, name); })) continue;
      changed = take(std::move(s), "without topic " + name) || changed;
    }
    return changed;
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

  bool set(Options& o, const std::string& scope, const std::string& name, Value v) const { return !o.set(decls_, scope, name, std::move(v)); }

  bool fewer_operations() {
    bool changed = false;
    for (std::size_t i = 0; i < best_.deployment.clients.size(); ++i) {
      const ClientSpec& c = best_.deployment.clients[i];
      if (c.role != "producer" || !c.options.has("records")) continue;
      changed = smaller(c.options.integer("records"), 1, c.name + ": records", [&](std::int64_t n) -> std::optional<Scenario> {
        Scenario s = best_;
        if (!set(s.deployment.clients[i].options, "producer", "records", n)) return std::nullopt;
        return s;
      }) || changed;
    }
    return changed;
  }

  bool shorter_run() {
    constexpr Duration second = 1'000'000'000;
    return smaller(best_.run_for / second, 1, "seconds to run:", [&](std::int64_t n) {
      Scenario s = best_;
      s.run_for = n * second;
      return std::optional(std::move(s));
    });
  }

  // The option says what it says by default. A switched rule stays: it may be the mechanism.
  bool fewer_options() {
    bool changed = false;
    const std::size_t count = owners(best_).size();
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::string> given;
      for (const auto& [name, v] : owners(best_)[i].options->values())
        if (owners(best_)[i].options->given(name)) given.push_back(name);
      for (const std::string& name : given) {
        Scenario s = best_;
        const Owner o = owners(s)[i];
        const OptionDecl* decl = find_option(decls_, o.scope, name);
        if (!decl || decl->is_switch || name == "records") continue;
        Options plain = without(*o.options, o.scope, name, s.deployment.profile);
        if (is_size(name) && plain.integer(name) > o.options->integer(name)) continue;  // a line less, and more to draw
        *o.options = std::move(plain);
        changed = take(std::move(s), fmt::format("{}: {} as it is by default", o.what, name)) || changed;
      }
    }
    return changed;
  }

  Options without(const Options& all, const std::string& scope, const std::string& name, const std::string& profile) const {
    Options out = *profile_defaults(model_.decl(), profile, scope);
    for (const auto& [other, v] : all.values()) {
      if (other == name) continue;
      if (!all.given(other)) out.set_default(other, v);
      else if (out.set(decls_, scope, other, v)) (void)out.set(decls_, "transform", other, v);  // a loop's own, in the same table
    }
    return out;
  }

  bool smaller_options() {
    bool changed = false;
    const std::size_t count = owners(best_).size();
    for (std::size_t i = 0; i < count; ++i)
      for (const char* name : sizes) {
        const Owner o = owners(best_)[i];
        const OptionDecl* decl = find_option(decls_, o.scope, name);
        if (!decl || decl->type != OptionType::integer || !o.options->has(name)) continue;
        changed = smaller(o.options->integer(name), std::max<std::int64_t>(1, decl->min), o.what + ": " + name, [&](std::int64_t n) -> std::optional<Scenario> {
          Scenario s = best_;
          const Owner mine = owners(s)[i];
          if (!set(*mine.options, mine.scope, name, n)) return std::nullopt;
          return s;
        }) || changed;
      }
    return changed;
  }

  // Round times, round durations, named nodes.
  bool plainer_faults() {
    bool changed = false;
    for (std::size_t i = 0; i < best_.faults.size(); ++i) {
      for (const Duration unit : {Duration{1'000'000'000}, Duration{100'000'000}, Duration{10'000'000}, Duration{1'000'000}}) {
        const Duration now = best_.faults[i].trigger.after;
        if (now % unit == 0) break;
        if (try_time(i, now / unit * unit) || try_time(i, (now / unit + 1) * unit)) {
          changed = true;
          break;
        }
      }
      for (const Duration unit : {Duration{1'000'000'000}, Duration{100'000'000}, Duration{1'000'000}}) {
        const Duration now = best_.faults[i].fault.duration;
        if (now < 2 * unit || (unit == 1'000'000 && now >= 200'000'000)) continue;  // 400 ms are as good as 387
        changed = smaller(now / unit, 1, fmt::format("{}: lasts, in units of {},", describe(best_.faults[i].fault), format_duration(unit)), [&](std::int64_t n) {
          Scenario s = best_;
          s.faults[i].fault.duration = n * unit;
          return std::optional(std::move(s));
        }) || changed;
      }
    }
    return changed;
  }

  bool try_time(std::size_t i, Duration time) {
    Scenario s = best_;
    s.faults[i].trigger.after = time;
    return take(std::move(s), fmt::format("{} at {}", describe(best_.faults[i].fault), format_duration(time)));
  }

  const Model& model_;
  const std::vector<OptionDecl> decls_;
  const ShrinkOptions& options_;
  Scenario best_;
  Mechanism target_;
  std::uint64_t runs_ = 0;
  std::string sentence_, seen_;
};

}  // namespace

PlanSize size_of(const Scenario& one) {
  PlanSize s;
  s.faults = one.faults.size();
  s.clients = one.deployment.clients.size();
  s.topics = one.deployment.topics.size();
  Scenario copy = one;
  for (const Owner& o : owners(copy))
    for (const auto& [name, v] : o.options->values()) {
      if (o.options->given(name)) ++s.options;
      if (o.scope == "producer" && name == "records")
        if (const auto* n = std::get_if<std::int64_t>(&v)) s.operations += *n;
    }
  return s;
}

std::string describe(const PlanSize& s) {
  const auto some = [](auto n, const char* one, const char* many) { return fmt::format("{} {}", n, n == 1 ? one : many); };
  return fmt::format("{}, {}, {}, {} given, {}", some(s.faults, "fault", "faults"), some(s.clients, "client", "clients"), some(s.topics, "topic", "topics"),
                     some(s.options, "option", "options"), some(s.operations, "record", "records"));
}

Shrunk shrink(const Scenario& one, const Model& model, const std::string& anomaly, const ShrinkOptions& options) { return Shrinker(one, model, anomaly, options).work(); }

}  // namespace mqlab
