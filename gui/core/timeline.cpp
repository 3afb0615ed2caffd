#include "gui/core/timeline.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace mqlab::gui {
namespace {

// It stays in force for a while.
bool lasts(const Fault& f) {
  if (is_link_fault(f.kind)) return true;
  switch (f.kind) {
    case FaultKind::pause:
    case FaultKind::pause_application:
    case FaultKind::slow:
    case FaultKind::sync_lies:
    case FaultKind::sync_fails:
    case FaultKind::disk_full:
    case FaultKind::disk_slow:
    case FaultKind::disk_stall:
    case FaultKind::clock_offset:
    case FaultKind::clock_drift:
    case FaultKind::clock_strobe: return true;
    default: return false;
  }
}

}  // namespace

bool NodeHistory::is_down(Time t) const {
  return std::any_of(down.begin(), down.end(), [&](const TimeRange& r) { return r.contains(t); });
}

Timeline timeline_of(const Journal& journal, const std::vector<ArmedFault>& faults, std::size_t nodes, Time end) {
  Timeline out;
  out.end = end;
  out.nodes.resize(nodes);
  std::map<std::string, std::vector<std::size_t>> by_text;  // faults that read the same, in their order
  for (std::size_t i = 0; i < faults.size(); ++i) by_text[describe(faults[i].fault)].push_back(i);
  std::map<std::string, std::size_t> fired;                 // how often such a text came
  std::vector<std::size_t> open;                            // of out.faults
  const auto close = [&](auto which, Time at) {
    std::erase_if(open, [&](std::size_t b) {
      if (!which(out.faults[b])) return false;
      out.faults[b].to = std::max(at, out.faults[b].from + 1);
      return true;
    });
  };
  std::vector<Time> down_since(nodes, -1), paused_since(nodes, -1);
  const auto end_range = [](std::vector<TimeRange>& ranges, Time& since, Time at) {
    if (since >= 0 && at > since) ranges.push_back({since, at});
    since = -1;
  };
  for (const Mark& m : journal.marks) {
    const std::string& name = journal.names.text(m.name);
    if (m.node < nodes) {
      NodeHistory& h = out.nodes[m.node];
      if (name == "killed" || name == "power_lost" || name == "stopped") {
        end_range(h.paused, paused_since[m.node], m.time);
        if (down_since[m.node] < 0) down_since[m.node] = m.time;
      } else if (name == "restarted") {
        end_range(h.down, down_since[m.node], m.time);
        end_range(h.paused, paused_since[m.node], m.time);
      } else if (name == "paused") {
        if (paused_since[m.node] < 0) paused_since[m.node] = m.time;
      } else if (name == "resumed") {
        end_range(h.paused, paused_since[m.node], m.time);
      }
      continue;
    }
    if (name == "fault") {
      FaultBand b;
      b.text = m.text;
      b.from = b.to = m.time;
      if (const auto it = by_text.find(m.text); it != by_text.end()) {
        // Of several that read the same, each has its turn; one that comes again and again is the last.
        b.fault = it->second[std::min(fired[m.text]++, it->second.size() - 1)];
        const ArmedFault& f = faults[b.fault];
        b.kind = f.fault.kind;
        for (const auto& group : f.nodes) b.nodes.insert(b.nodes.end(), group.begin(), group.end());
        std::sort(b.nodes.begin(), b.nodes.end());
        b.nodes.erase(std::unique(b.nodes.begin(), b.nodes.end()), b.nodes.end());
        if (b.kind == FaultKind::heal)
          close([&](const FaultBand& o) { return is_link_fault(o.kind) && (f.fault.label.empty() || faults[o.fault].fault.label == f.fault.label); }, m.time);
        if (b.kind == FaultKind::resume) close([](const FaultBand& o) { return o.kind == FaultKind::pause || o.kind == FaultKind::pause_application; }, m.time);
        if (b.kind == FaultKind::disk_heal) close([](const FaultBand& o) { return std::string_view(fault_decl(o.kind).group) == "disk"; }, m.time);
        close([&](const FaultBand& o) { return o.fault == b.fault; }, m.time);  // renewed
        if (lasts(f.fault)) open.push_back(out.faults.size());
      }
      out.faults.push_back(std::move(b));
    } else if (name == "fault_ended") {
      close([&](const FaultBand& o) { return o.text == m.text; }, m.time);
    }
  }
  close([](const FaultBand&) { return true; }, end);
  for (std::size_t n = 0; n < nodes; ++n) {
    end_range(out.nodes[n].down, down_since[n], end);
    end_range(out.nodes[n].paused, paused_since[n], end);
  }
  return out;
}

Timeline timeline_of(const World& world, Time end) { return timeline_of(world.journal, world.faults(), world.node_count(), end); }

void draw_fault_bands(Scene& s, const Timeline& t, const TimeAxis& axis, float top, float bottom, const TextMeasure* measure, Occupancy* taken, float words_until) {
  const TimeRange view = axis.view().range;
  for (const FaultBand& b : t.faults) {
    if (b.from > view.to || b.to < view.from) continue;
    const EntityId e = EntityId::fault(b.fault);
    const float from = std::max(axis.x(b.from), axis.left()), to = std::min(axis.x(b.to), axis.right());
    if (b.at_once()) {
      s.line({from, top}, {from, bottom}, Ink::fault, 1, e).dashed = true;
    } else {
      s.fill({from, top, std::max(to - from, 1.0F), bottom - top}, Ink::fault_band, 0, e);
      s.line({from, top}, {from, bottom}, Ink::fault, 1, e);
      if (b.to < t.end) s.line({to, top}, {to, bottom}, Ink::fault, 1, e).dashed = true;
    }
  }
  if (!measure || !taken) return;
  // Words last, so that no band hides them.
  for (const FaultBand& b : t.faults) {
    if (b.from > view.to || b.to < view.from) continue;
    const EntityId e = EntityId::fault(b.fault);
    const float from = std::max(axis.x(b.from), axis.left()), to = std::min(axis.x(b.to), axis.right());
    const float room = std::min(axis.right() - from - 6, b.at_once() ? 180.0F : std::max(to - from - 8, 120.0F));
    std::string label = fit(b.text, room, *measure, 0.85F);
    if (label != b.text && label.size() < 10) label.clear();  // a beginning that tells nothing
    const float w = measure->width(label, 0.85F), h = measure->line_height(0.85F);
    for (int row = 0; row < 3 && !label.empty(); ++row) {
      const Rect r{from + 4, top + 1 + static_cast<float>(row) * h, w, h};
      if (row > 0 && r.bottom() > words_until) break;
      if (!taken->take(r)) continue;
      s.text({r.x, r.y}, label, Ink::fault, Anchor::left, e).width = 0.85F;
      break;
    }
  }
}

}  // namespace mqlab::gui
