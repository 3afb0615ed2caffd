#include "sim/hunt/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

#include "sim/record/event_text.h"
#include "sim/record/op_text.h"

namespace mqlab {
namespace {

// A step with how near it is to what the story is about: 0 is always told.
struct Candidate {
  StoryStep step;
  int rank = 0;
};

bool is_done_to_a_node(const std::string& name) {
  for (const char* known : {"killed", "power_lost", "restarted", "stopped", "paused", "resumed", "message_fault"})
    if (name == known) return true;
  return false;
}

// "isolate leader orders/0 for 20 s (here B1)": whom the words meant, where they name nobody.
std::string fault_words(const World& world, std::size_t i) {
  const Fault& f = world.faults()[i].fault;
  std::string here;
  for (std::size_t g = 0; g < f.groups.size(); ++g) {
    if (std::all_of(f.groups[g].begin(), f.groups[g].end(), [&](const Target& t) { return t == "rest" || world.find(t) != nobody; })) continue;
    for (const NodeId n : touched_by(world, i, g)) here += (here.empty() ? "" : ", ") + world.name(n);
  }
  return describe(f) + (here.empty() ? "" : fmt::format(" (here {})", here));
}

class Teller {
 public:
  Teller(const RunResult& r, const Slice& s, const OrdinaryMarks& ordinary) : r_(r), s_(s), ordinary_(ordinary) {}

  std::vector<Candidate> all() {
    faults();
    rows();
    marks();
    messages();
    lost();
    if (s_.certain > r_.workload_ended)
      add({r_.workload_ended, StoryStep::Kind::end, nobody, nobody, "the run is over: faults are healed, processes restarted, and all may catch up", false, 0}, 1);
    add({s_.certain, StoryStep::Kind::end, nobody, nobody, s_.mechanism.anomaly + " is certain", true, 0}, 0);
    std::stable_sort(all_.begin(), all_.end(), [](const Candidate& a, const Candidate& b) { return std::tie(a.step.time, a.step.kind) < std::tie(b.step.time, b.step.kind); });
    return std::move(all_);
  }

 private:
  void add(StoryStep step, int rank) { all_.push_back({std::move(step), rank}); }

  void faults() {
    const World& world = *r_.world;
    std::vector<std::size_t> order = s_.faults;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return world.faults()[a].fired_at < world.faults()[b].fired_at; });
    std::set<std::string> told;
    std::set<NodeId> touched;
    for (std::size_t n = 0; n < order.size(); ++n) {
      const ArmedFault& f = world.faults()[order[n]];
      add({f.fired_at, StoryStep::Kind::fault, nobody, nobody, fault_words(world, order[n]), false, n + 1}, 0);
      told.insert(describe(f.fault));
      for (std::size_t g = 0; g < f.fault.groups.size(); ++g) touched.merge(touched_by(world, order[n], g));
    }
    // What these faults did to nodes, and when they were over.
    for (const Mark& m : journal().marks) {
      if (m.time > s_.certain || m.time >= r_.workload_ended) break;
      const std::string& name = journal().names.text(m.name);
      if (name == "fault_ended" && told.count(m.text)) add({m.time, StoryStep::Kind::fault, nobody, nobody, "over: " + m.text, false, 0}, 2);
      if (is_done_to_a_node(name) && touched.count(m.node)) add({m.time, StoryStep::Kind::mark, m.node, nobody, mark_text(journal(), m), false, 0}, 1);
    }
  }

  void rows() {
    for (const OpIndex i : s_.ops) {
      const Op& op = journal().ops[i];
      const bool witness = std::binary_search(s_.witness.begin(), s_.witness.end(), i);
      // A place that is given at the beginning is how the scenario is set up.
      const int rank = witness && op.kind != OpKind::assign ? 0 : op.kind == OpKind::process || op.kind == OpKind::ack ? 4 : 2;
      add({op.time, StoryStep::Kind::operation, op.process, nobody, op_text(journal(), op), witness && rank == 0, 0}, rank);
    }
  }

  void marks() {
    std::set<std::uint32_t> seen;
    bool turned = false;
    for (const std::uint32_t i : s_.marks) {
      const Mark& m = journal().marks[i];
      const std::string& name = journal().names.text(m.name);
      const bool first = seen.insert(m.name).second;
      const bool turn = !turned && name == s_.mechanism.turn && m.time >= s_.begun;
      turned = turned || turn;
      const bool telling = ordinary_.routine.count(name) == 0;
      add({m.time, StoryStep::Kind::mark, m.node, nobody, mark_text(journal(), m), turn, 0}, turn || (first && telling) ? 0 : first ? 1 : 3);
      roots_.insert(m.during);
    }
  }

  void messages() {
    const Journal& j = journal();
    std::map<std::string, int> alike;
    for (const std::uint32_t e : s_.events) {
      const Delivery& d = j.deliveries[e];
      if (!is_message(d.event)) continue;
      const std::string kind = event_name(j, d);
      const bool heartbeat = d.event.type < j.messages.size() && j.messages[d.event.type].traffic == Traffic::heartbeat;
      const int times = ++alike[fmt::format("{} {} {}", kind, d.event.source, d.event.target)];
      std::string text = kind;
      if (const std::string details = event_details(j, d); !details.empty()) text += " " + details;
      const bool near = roots_.count(d.event.id) != 0 || is_end_of_a_row(d);
      add({d.time, StoryStep::Kind::message, d.event.target, d.event.source, std::move(text), false, 0}, heartbeat || times > 3 ? 5 : near ? 2 : 4);
    }
  }

  // What nobody got is why somebody waited in vain: it is near.
  void lost() {
    const Journal& j = journal();
    for (const std::size_t i : s_.drops) {
      const Drop& d = j.drops[i];
      const bool heartbeat = d.event.type < j.messages.size() && j.messages[d.event.type].traffic == Traffic::heartbeat;
      add({d.time, StoryStep::Kind::lost, d.event.target, d.event.source, drop_words(j, d), false, 0}, heartbeat ? 5 : d.why == DropReason::fault ? 1 : 2);
    }
  }

  bool is_end_of_a_row(const Delivery& d) const {
    return std::any_of(s_.ops.begin(), s_.ops.end(), [&](OpIndex i) { return journal().ops[i].time == d.time && journal().ops[i].process == line_of(d.event); });
  }

  const Journal& journal() const { return r_.world->journal; }

  const RunResult& r_;
  const Slice& s_;
  const OrdinaryMarks& ordinary_;
  std::vector<Candidate> all_;
  std::set<EventId> roots_;
};

bool is_client(const std::string& role) { return role == "client" || role == "producer" || role == "consumer"; }

}  // namespace

SliceStory tell_slice(const RunResult& r, const std::string& anomaly, const OrdinaryMarks& ordinary, std::size_t steps_max) {
  SliceStory story;
  story.slice = slice_of(r, anomaly, ordinary);
  std::vector<Candidate> all = Teller(r, story.slice, ordinary).all();
  std::vector<std::size_t> order(all.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return all[a].rank < all[b].rank; });
  const auto musts = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const Candidate& c) { return c.step.kind == StoryStep::Kind::fault && c.step.number > 0; }));
  order.resize(std::min(order.size(), std::max(steps_max, musts + 1)));
  std::sort(order.begin(), order.end());
  story.left_out = all.size() - order.size();
  std::set<NodeId> nodes;
  for (const std::size_t i : order) {
    StoryStep& step = all[i].step;
    if (step.kind == StoryStep::Kind::message || step.kind == StoryStep::Kind::lost) nodes.insert(step.source);
    nodes.insert(step.line);
    story.steps.push_back(std::move(step));
  }
  nodes.erase(nobody);
  for (const bool clients : {false, true})
    for (const NodeId n : nodes)
      if (is_client(r.world->node_options(n).role) == clients) story.lines.emplace_back(n, r.world->name(n));
  return story;
}

std::string step_text(const SliceStory& s, const StoryStep& step) {
  if (step.number > 0) return fmt::format("FAULT {}: {}", step.number, step.text);
  if (step.kind != StoryStep::Kind::message && step.kind != StoryStep::Kind::lost) return step.text;
  const auto name = [&](NodeId n) {
    const auto it = std::find_if(s.lines.begin(), s.lines.end(), [&](const auto& line) { return line.first == n; });
    return it == s.lines.end() ? std::string("?") : it->second;
  };
  return fmt::format("{}->{} {}", name(step.source), name(step.line), step.text);
}

std::string story_text(const SliceStory& s) {
  std::string out;
  for (const StoryStep& step : s.steps) out += fmt::format("{:>13} {} {}\n", format_time(step.time), step.key ? '*' : ' ', step_text(s, step));
  if (s.left_out > 0) out += fmt::format("{:>13}   ({} more steps are not told)\n", "", s.left_out);
  return out;
}

std::vector<std::string> wrapped_steps(const SliceStory& s, std::size_t width) {
  std::vector<std::string> out;
  for (const StoryStep& step : s.steps) {
    std::string head = step.number > 0 ? fmt::format("{}. at {}: ", step.number, format_time(step.time)) : fmt::format("   {:>13}  ", format_time(step.time));
    const std::string indent(step.number > 0 ? 3 : head.size(), ' ');
    std::istringstream words(step.number > 0 ? step.text : step_text(s, step));
    std::string line = head;
    bool empty = true;
    for (std::string word; words >> word;) {
      if (!empty && line.size() + 1 + word.size() > width) {
        out.push_back(std::exchange(line, indent));
        empty = true;
      }
      line += (empty ? "" : " ") + word;
      empty = false;
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace mqlab
