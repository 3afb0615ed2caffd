#include "gui/core/message_look.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "gui/core/labels.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {

std::string conversation_of(const std::string& kind_name) {
  static constexpr std::array<std::string_view, 9> endings = {"Reply", "Response", "Answer", "-ok", "_reply", "_response", "_answer", "Ok", "Ack"};
  for (const std::string_view e : endings)
    if (kind_name.size() > e.size() && std::string_view(kind_name).substr(kind_name.size() - e.size()) == e) return kind_name.substr(0, kind_name.size() - e.size());
  return kind_name;
}

Ink hue(std::uint64_t number) { return static_cast<Ink>(static_cast<std::size_t>(Ink::hue0) + number % 8); }

MessageLooks::MessageLooks(const Journal& journal) {
  std::vector<std::uint64_t> counts(journal.messages.size());
  std::vector<bool> occurs(counts.size());
  for (const Delivery& d : journal.deliveries)
    if (is_message(d.event) && d.event.type < counts.size()) ++counts[d.event.type], occurs[d.event.type] = true;
  for (const Drop& d : journal.drops) {
    if (d.event.type >= counts.size()) continue;
    occurs[d.event.type] = true;
    lost_ += journal.messages[d.event.type].traffic != Traffic::heartbeat;
  }
  looks_.resize(counts.size());
  std::map<std::string, std::size_t> conversations;  // in the order of the declarations, over all kinds that occur
  for (std::size_t k = 0; k < counts.size(); ++k) {
    const MessageDecl& decl = journal.messages[k];
    if (!occurs[k]) continue;
    const std::string name = decl.name;
    const std::string base = conversation_of(name);
    MessageLook& look = looks_[k];
    look.filled = base == name;
    if (decl.traffic == Traffic::heartbeat) {
      look.small = true;
    } else {
      look.ink = hue(conversations.try_emplace(base, conversations.size()).first->second);
      look.shape = decl.traffic == Traffic::client ? ShapeKind::circle : decl.traffic == Traffic::replication ? ShapeKind::diamond : ShapeKind::triangle;
    }
    rows_.push_back({static_cast<MessageKind>(k), name, counts[k], decl.traffic == Traffic::heartbeat});
  }
  std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.heartbeat != b.heartbeat ? b.heartbeat : a.count > b.count; });
}

void MessageLooks::look_like(const MessageLooks& other) {
  if (looks_.size() != other.looks_.size()) return;
  for (const Row& r : other.rows_) looks_[r.kind] = other.looks_[r.kind];
}

void MessageLooks::draw(Scene& s, Point at, MessageKind k, float radius, Point towards, EntityId e) const {
  const MessageLook& look = of(k);
  const float r = look.small ? radius * 0.6F : look.shape == ShapeKind::circle ? radius : radius * 1.2F;
  if (!look.filled) s.symbol(look.shape, at, r, Ink::background, true);  // hollow, not transparent
  Shape& shape = s.symbol(look.shape, at, r, look.ink, look.filled, e);
  shape.to = towards;
  shape.width = look.filled ? 1.0F : 1.8F;
}

void MessageLooks::draw_end(Scene& s, Point at, float radius, EntityId e) {
  s.symbol(ShapeKind::circle, at, radius + 2.5F, Ink::background, true, e).opacity = 200;
  s.symbol(ShapeKind::cross, at, radius, lost_ink, false, e).width = 2.2F;
}

std::size_t MessageLooks::draw_legend(Scene& s, Rect r, const TextMeasure& measure) const {
  const float size = 0.8F, high = measure.line_height(size);
  float x = r.x + 6;
  if (lost_ > 0) {
    draw_end(s, {x + 5, r.y + r.h / 2}, 4, {});
    s.text({x + 13, r.y + (r.h - high) / 2}, "never arrived", Ink::text).width = size;
    x += 13 + measure.width("never arrived", size) + 14;
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const float w = measure.width(rows_[i].name, size);
    const std::string more = "+" + std::to_string(rows_.size() - i) + " more";
    const bool last = i + 1 == rows_.size();
    if (x + 12 + w + (last ? 0 : measure.width(more, size) + 14) > r.right()) {
      s.text({x, r.y + (r.h - high) / 2}, more, Ink::faint).width = size;
      return rows_.size() - i;
    }
    draw(s, {x + 5, r.y + r.h / 2}, rows_[i].kind, 4, {x + 20, r.y + r.h / 2}, {});
    s.text({x + 13, r.y + (r.h - high) / 2}, rows_[i].name, Ink::text).width = size;
    x += 13 + w + 14;
  }
  return 0;
}

}  // namespace mqlab::gui
