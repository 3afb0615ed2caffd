// gui/core/groups.h: groups and assignments: who has which place, how far the group is, how much is left.
//
// A card a group; on it a row a place: its owner, the committed position on the way to the end, and the lag as a bar and a
// number. Members without a place stand below: they are there, and read nothing.
//
// Elsewhere: the same on the lanes of the logs, as flags (logs.h).
//
//     GroupsPicture p = groups(*moment, journal, 0, focus, 600, 300, measure);
#pragma once

#include "gui/core/focus.h"
#include "gui/core/recording.h"

namespace mqlab::gui {

struct GroupsPicture {
  Scene scene;
  float height = 0;   // of all there is: for a scroll bar
};

// `scroll`: pixels from the top.
GroupsPicture groups(const Moment& m, const Journal& j, float scroll, const Focus& focus, float width, float height, const TextMeasure& measure);

// The client that goes by a member's name ("C1-3fe2a1" is C1); nobody: no node has such a name.
NodeId client_of_member(const Moment& m, const std::string& member);

}  // namespace mqlab::gui
