// gui/core/message_look.h: what messages of a kind look like, the same in all views of a run.
//
// The rule: the shape says what kind of traffic it is (circle: of a client; diamond: replication; triangle: control; small
// and grey: a heartbeat), the hue which conversation it belongs to, and an answer is hollow. What never arrived ends in a cross. Where hues run out, two
// conversations share one; their names stand beside the symbols where there is room.
//
//     const MessageLooks looks(recording.journal());
//     looks.draw(scene, {x, y}, kind, 5, towards, EntityId::event(i));
#pragma once

#include <string>
#include <vector>

#include "gui/core/scene.h"
#include "sim/world/journal.h"

namespace mqlab::gui {

struct MessageLook {
  Ink ink = Ink::faint;
  ShapeKind shape = ShapeKind::circle;
  bool filled = true;
  bool small = false;
};

class MessageLooks {
 public:
  struct Row {
    MessageKind kind{};
    std::string name{};
    std::uint64_t count = 0;   // arrivals in the whole run
    bool heartbeat = false;
  };
  // What a message looks like that never arrived: the cross at its end.
  static constexpr Ink lost_ink = Ink::fault;

  MessageLooks() = default;
  explicit MessageLooks(const Journal& journal);

  const MessageLook& of(MessageKind k) const { return k < looks_.size() ? looks_[k] : unknown_; }
  // The kinds that occur, the most frequent first, heartbeats last.
  const std::vector<Row>& rows() const { return rows_; }

  // What occurs in both looks as it does there, so that two futures of one model can be compared. Other kinds of messages: nothing changes.
  void look_like(const MessageLooks& other);
  // How many messages never arrived, heartbeats left out.
  std::uint64_t lost() const { return lost_; }
  // One message, of this radius; `towards`: where it goes, for the shapes that point.
  void draw(Scene& s, Point at, MessageKind k, float radius, Point towards, EntityId e) const;
  // Where a message ended that never arrived.
  static void draw_end(Scene& s, Point at, float radius, EntityId e);
  // One line of symbols with their names, as many as fit, the cross of what never arrived first; how many were left out.
  std::size_t draw_legend(Scene& s, Rect r, const TextMeasure& measure) const;

 private:
  std::vector<MessageLook> looks_;
  std::vector<Row> rows_;
  std::uint64_t lost_ = 0;
  MessageLook unknown_{};
};

// "Produce" of "ProduceReply", "queue.declare" of "queue.declare-ok": what an answer answers; the same for what is none.
std::string conversation_of(const std::string& kind_name);

// One of the eight hues, for things with names: keys, producers.
Ink hue(std::uint64_t number);

}  // namespace mqlab::gui
