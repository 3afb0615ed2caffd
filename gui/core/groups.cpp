#include "gui/core/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "gui/core/labels.h"
#include "gui/core/message_look.h"

namespace mqlab::gui {
namespace {

constexpr float small_text = 0.85F;
constexpr std::size_t named_most = 200;

}  // namespace

NodeId client_of_member(const Moment& m, const std::string& member) {
  NodeId best = nobody;
  std::size_t longest = 0;
  for (NodeId n = 0; n < m.nodes.size(); ++n) {
    const std::string& name = m.nodes[n].name;
    if (name.empty() || name.size() <= longest || member.compare(0, name.size(), name) != 0) continue;
    if (member.size() > name.size() && member[name.size()] != '-') continue;
    best = n;
    longest = name.size();
  }
  return best;
}

GroupsPicture groups(const Moment& m, const Journal& j, float scroll, const Focus& focus, float width, float height, const TextMeasure& measure) {
  GroupsPicture out{Scene(width, height), 0};
  Scene& s = out.scene;
  if (m.groups.empty()) {
    say_instead(s, "There is no group of consumers at this moment.", measure);
    return out;
  }
  const float grow = growth(measure), row_height = 22 * grow, header_height = 26 * grow;
  const bool wide = width > 520 * grow;  // there is room for positions in numbers
  float y = 4 - scroll;
  const float left = 12, place_width = std::clamp(width * 0.24F, 60.0F, 260.0F * grow), owner_width = std::clamp(width * 0.2F, 60.0F, 190.0F * grow), lag_width = (wide ? 170.0F : 86.0F) * grow;
  const float bar_left = left + place_width + owner_width, bar_width = std::max(width - bar_left - lag_width - 16, 20.0F);
  const auto in_sight = [&](float high) { return y < height && y + high > 0; };
  const auto small = [&](Point at, std::string text, Ink ink, EntityId e = {}, Anchor anchor = Anchor::left) { s.text(at, std::move(text), ink, anchor, e).width = small_text; };
  const float high = measure.line_height(small_text);
  for (const GroupContents& g : m.groups) {
    if (in_sight(header_height)) {
      s.fill({0, y, width, header_height - 3}, Ink::panel);
      const std::string name = fit_name(g.name, width * 0.35F, measure);
      s.text({8, y + 3}, name, Ink::strong);
      const float at = 8 + measure.width(name) + 12;
      std::string about = g.state;
      if (g.node != nobody && g.node < m.nodes.size()) about += (about.empty() ? "" : ", ") + fmt::format("kept by {}", m.nodes[g.node].name);
      about += fmt::format(", {} {}", g.members.size(), g.members.size() == 1 ? "member" : "members");
      small({at, y + 5}, fit(about, width - at - 8, measure, small_text), Ink::faint, g.node == nobody ? EntityId{} : EntityId::node(g.node));
      if (s.named().size() < named_most) s.name({}, {0, y, width, header_height}, fmt::format("group {}, {}", g.name, about));
    }
    y += header_height;
    std::int64_t most = 1;  // the longest place fills the bar, so that bars of one group compare
    for (const GroupProgress& p : g.progress) most = std::max(most, p.end);
    std::vector<std::string> places;
    for (const GroupProgress& p : g.progress) places.push_back(p.place);
    for (const GroupMember& member : g.members)
      for (const std::string& p : member.places)
        if (std::find(places.begin(), places.end(), p) == places.end()) places.push_back(p);
    std::sort(places.begin(), places.end(), natural_less);
    for (const std::string& place : places) {
      if (!in_sight(row_height)) {
        y += row_height;
        continue;
      }
      const EntityId e{EntityId::Kind::place, j.names.find(place), 0};
      if (focus.entity == e) s.fill({0, y, width, row_height}, Ink::selection).opacity = 40;
      small({left, y + 3}, fit_name(place, place_width - 8, measure, small_text), Ink::text, e);
      std::string owners;
      NodeId owner = nobody;
      std::size_t count = 0;
      for (const GroupMember& member : g.members)
        if (std::find(member.places.begin(), member.places.end(), place) != member.places.end()) {
          const NodeId client = client_of_member(m, member.name);
          owners += (owners.empty() ? "" : ", ") + (client == nobody ? member.name : m.nodes[client].name);
          owner = client;
          ++count;
        }
      const bool dead = count == 1 && owner != nobody && !m.nodes[owner].running;
      if (count == 0) {
        s.symbol(ShapeKind::cross, {left + place_width + 6, y + row_height / 2}, 4, Ink::fault, false).width = 2;
        small({left + place_width + 16, y + 3}, fit("nobody", owner_width - 20, measure, small_text), Ink::fault);
      } else {
        s.symbol(ShapeKind::circle, {left + place_width + 6, y + row_height / 2}, 4, dead ? Ink::down : owner == nobody ? Ink::edge : hue(owner), !dead, owner == nobody ? EntityId{} : EntityId::node(owner));
        small({left + place_width + 16, y + 3}, fit_name(owners + (dead ? ", down" : ""), owner_width - 20, measure, small_text), dead ? Ink::down : Ink::text, owner == nobody || count > 1 ? EntityId{} : EntityId::node(owner));
      }
      const auto p = std::find_if(g.progress.begin(), g.progress.end(), [&](const GroupProgress& x) { return x.place == place; });
      std::string told = fmt::format("{}: {}", place, count == 0 ? "nobody has it" : owners + (count == 1 ? " has it" : " have it"));
      if (p != g.progress.end()) {
        const std::int64_t lag = std::max<std::int64_t>(p->end - std::max<std::int64_t>(p->committed, 0), 0);
        const Rect bar{bar_left, y + 5 * grow, std::max(bar_width * static_cast<float>(static_cast<double>(p->end) / static_cast<double>(most)), 3.0F), row_height - 11 * grow};
        s.fill(bar, Ink::panel, 3, e);
        // What is left keeps a pixel or two, however long the whole is.
        const float left_over = lag == 0 ? 0 : std::clamp(bar.w * static_cast<float>(static_cast<double>(lag) / static_cast<double>(std::max<std::int64_t>(p->end, 1))), 2.0F, bar.w);
        if (bar.w - left_over > 0) s.fill({bar.x, bar.y, bar.w - left_over, bar.h}, Ink::committed, 3, e).opacity = 110;
        if (left_over > 0) {
          s.fill({bar.right() - left_over, bar.y, left_over, bar.h}, Ink::fault, 0, e).opacity = 60;
          s.line({bar.right() - left_over, bar.y - 2}, {bar.right() - left_over, bar.bottom() + 2}, Ink::fault, 2, e);
        }
        s.outline(bar, Ink::edge, 1, 3, e);
        const std::string position = p->committed < 0 ? std::string("no position") : fmt::format("{} of {}", p->committed, p->end);
        if (wide) small({width - 88 * grow, y + 3}, fit(position, lag_width - 84 * grow, measure, small_text), Ink::faint, e, Anchor::right);
        small({width - 10, y + 3}, lag == 0 ? "up to date" : fmt::format("lag {}", with_commas(static_cast<std::uint64_t>(lag))), lag == 0 ? Ink::faint : Ink::strong, e, Anchor::right);
        told += fmt::format(", {}, {}", position, lag == 0 ? "up to date" : fmt::format("{} behind", lag));
      }
      if (s.named().size() < named_most) s.name(e, {0, y, width, row_height}, told);
      y += row_height;
    }
    for (const GroupMember& member : g.members) {
      const bool idle = member.places.empty();
      if (in_sight(row_height)) {
        const NodeId client = client_of_member(m, member.name);
        const EntityId e = client == nobody ? EntityId{} : EntityId::node(client);
        std::string text = member.name + ": " + (idle ? "nothing assigned" : fmt::format("{} {}", member.places.size(), member.places.size() == 1 ? "place" : "places"));
        if (!member.facts.empty()) text += ", " + member.facts;
        s.symbol(ShapeKind::circle, {left + 4, y + row_height / 2}, 3.5F, client == nobody ? Ink::edge : hue(client), !idle, e);
        small({left + 14, y + (row_height - high) / 2}, fit(text, width - left - 24, measure, small_text), idle ? Ink::faint : Ink::text, e);
        if (s.named().size() < named_most) s.name(e, {0, y, width, row_height}, "member " + text);
      }
      y += row_height;
    }
    y += 8;
  }
  out.height = y + scroll;
  if (out.height > scroll + height) s.remark("more groups are below");
  return out;
}

}  // namespace mqlab::gui
