#include "sim/hunt/ground.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace mqlab {
namespace {

constexpr std::size_t places_max = 64;
constexpr std::size_t times_max = 4'096;      // of one happening
constexpr std::size_t often = 200;            // a message that comes more often marks no moment

using Key = std::tuple<std::string, Trigger::On, std::string, std::string, std::string>;  // name, on, from, to, place

// Every kind of event of a run, with its times. Events after `end` (the drain) are not the scenario's.
std::map<Key, std::vector<Time>> happenings(const RunResult& run, const Model& model) {
  std::map<Key, std::vector<Time>> all;
  const World& world = *run.world;
  const Journal& journal = world.journal;
  const auto name_of = [&](NodeId n) { return n == nobody || n >= world.node_count() ? std::string() : world.name(n); };
  const NodeId reader = world.find("R");  // it comes when the scenario is over
  const auto add = [&](Key key, Time t) {
    std::vector<Time>& times = all[std::move(key)];
    if (t <= run.workload_ended && times.size() < times_max) times.push_back(t);
  };
  std::set<std::string> marks{"restarted"};
  for (const MarkDecl& m : model.decl().marks) marks.insert(m.name);
  for (const Mark& m : journal.marks) {
    const std::string& name = journal.names.text(m.name);
    if (m.time <= run.workload_ended && marks.count(name)) add({name, Trigger::On::mark, name_of(m.node), {}, journal.names.text(m.place)}, m.time);
  }
  for (const Op& op : journal.ops)
    if (op.process != nobody && op.process != reader && op.time <= run.workload_ended)
      add({fmt::format("{} {}", op_kind_name(op.kind), outcome_name(op.outcome)), Trigger::On::op, name_of(op.process), {}, {}}, op.time);
  for (const Delivery& d : journal.deliveries) {
    if (d.time > run.workload_ended) break;
    const auto kind = static_cast<EventKind>(d.event.kind);
    if (kind != EventKind::data && kind != EventKind::datagram) continue;
    add({journal.kind_name(d.event.type), Trigger::On::message_sent, name_of(d.event.source), name_of(d.event.target), {}}, d.time);
  }
  return all;
}

Ground::Named& named(std::vector<Ground::Named>& all, const std::string& name) {
  for (Ground::Named& n : all)
    if (n.name == name) return n;
  all.push_back({name, {}});
  return all.back();
}

void learn_nodes(Ground& g, const RunResult& run) {
  const World& world = *run.world;
  const Deployment& d = run.deployment;
  for (NodeId n = 0; n < world.node_count(); ++n) {
    const std::string& name = world.name(n);
    const NodeOptions& o = world.node_options(n);
    const bool client = std::any_of(d.clients.begin(), d.clients.end(), [&](const ClientSpec& c) { return c.name == name; });
    const bool service = std::any_of(d.services.begin(), d.services.end(), [&](const ServiceSpec& v) { return v.name == name; });
    if (client) g.clients.push_back(name);
    if (client || service || name == "R") continue;  // R reads all at the end of each run
    g.servers.push_back({name, o.role, o.machine.empty() ? name : o.machine, o.zone, o.rack, o.region});
    if (std::find(g.roles.begin(), g.roles.end(), o.role) == g.roles.end()) g.roles.push_back(o.role);
  }
  for (const TopicSpec& t : d.topics) g.topics.push_back(t.name);
}

void learn_places(Ground& g, const RunResult& run) {
  World& world = *run.world;
  const auto someone = [&](const Target& t) { return world.knows_target(t) && !world.resolve(t, nullptr).empty(); };
  if (someone("controller")) g.leaders.push_back("controller");
  std::set<std::uint32_t> seen;
  std::vector<std::uint32_t> places;
  const auto add = [&](std::uint32_t place) {
    if (place != 0 && seen.insert(place).second) places.push_back(place);
  };
  for (const Op& op : world.journal.ops) add(op.place);
  for (const Mark& m : world.journal.marks) add(m.place);
  for (const std::uint32_t p : places) {
    const std::string place = world.journal.names.text(p);
    if (g.places.size() >= places_max) break;
    if (!someone("leader " + place)) continue;
    // The scenario's own places count more than those that a broker keeps for itself.
    const bool own = std::any_of(g.topics.begin(), g.topics.end(), [&](const std::string& t) { return place.compare(0, t.size(), t) == 0; });
    g.places.insert(g.places.end(), own ? 4 : 1, place);
    g.leaders.insert(g.leaders.end(), own ? 4 : 1, "leader " + place);
    if (someone("follower " + place)) g.followers.insert(g.followers.end(), own ? 4 : 1, "follower " + place);
  }
}

// Within the load: from a little before the first send until a while after the last.
void choose_window(Ground& g, const RunResult& run, Duration run_for, Duration from, Duration until) {
  Time first = -1, last = -1;
  for (const Op& op : run.world->journal.ops) {
    if (op.kind != OpKind::send || op.outcome != Outcome::invoke || op.time > run.workload_ended) continue;
    if (first < 0) first = op.time;
    last = op.time;
  }
  g.from = from >= 0 ? from : first < 0 ? run_for / 10 : first - first / 4;
  const Duration after = std::min((run_for - last) / 4, std::max<Duration>((last - first) / 2, 1'000'000'000));
  g.until = until >= 0 ? until : last < 0 ? run_for * 6 / 10 : std::min(last + after, run_for * 9 / 10);
  g.until = std::max(g.until, g.from + 1'000'000);
  g.end = std::max(run_for, g.until + 1'000'000);
}

}  // namespace

bool Ground::is_client(const std::string& name) const { return std::find(clients.begin(), clients.end(), name) != clients.end(); }

std::size_t Ground::on_machine(const std::string& machine) const {
  return static_cast<std::size_t>(std::count_if(servers.begin(), servers.end(), [&](const Server& s) { return s.machine == machine; }));
}

Ground learn_calm(const RunResult& run, const Model& model, Duration run_for, Duration from, Duration until) {
  Ground g;
  learn_nodes(g, run);
  learn_places(g, run);
  choose_window(g, run, run_for, from, until);
  for (auto& [key, times] : happenings(run, model)) {
    const auto& [name, on, source, target, place] = key;
    const bool message = on == Trigger::On::message_sent;
    if (!message || times.size() <= often) g.moments.insert(g.moments.end(), times.begin(), times.end());
    if (times.empty() || times.back() < g.from || times.front() > g.until) continue;  // none in the window
    named(message ? g.messages : g.events, name).all.push_back({on, name, source, target, place, std::move(times), 0});
  }
  std::sort(g.moments.begin(), g.moments.end());
  g.moments.erase(std::unique(g.moments.begin(), g.moments.end()), g.moments.end());
  return g;
}

void learn_trouble(Ground& g, const RunResult& run, const Model& model) {
  for (const auto& happened : happenings(run, model)) {
    const auto& key = happened.first;
    const std::vector<Time>& times = happened.second;
    const auto& [name, on, source, target, place] = key;
    Ground::Named& n = named(on == Trigger::On::message_sent ? g.messages : g.events, name);
    const auto known = std::find_if(n.all.begin(), n.all.end(), [&](const Happening& h) {
      return std::tie(h.name, h.on, h.from, h.to, h.place) == key;
    });
    if (known == n.all.end()) n.all.push_back({on, name, source, target, place, {}, times.size()});
    else if (known->at.empty()) known->in_trouble = std::max<std::uint64_t>(known->in_trouble, times.size());
  }
}

}  // namespace mqlab
