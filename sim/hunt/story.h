// sim/hunt/story.h: a slice told in order of time, as text, as Lua comments, and as pictures.
//
// A step is one line: a fault and what it did here, a message, something that happened inside, a row of the history. Every form
// shows the same steps, so that a reader can go from one to the other.
//
// The rule: what the verdict rests on, the faults, and the first of each telling mark are always told; of the rest as much as
// there is room for, the nearest first.
// Elsewhere: what is in it (slice.h); a whole run for people (cli/story.h), a whole trace as a diagram (record/trace.h).
//
//     SliceStory s = tell_slice(run, "lost-message", ordinary);
//     story_text(s);  story_mermaid(s);  story_svg(s);
#pragma once

#include <string>
#include <vector>

#include "sim/hunt/slice.h"

namespace mqlab {

struct StoryStep {
  enum class Kind : std::uint8_t { fault, message, mark, operation, end, lost };  // lost: a message that never arrived, when it was over
  Time time{};
  Kind kind{};
  NodeId line = nobody;    // on whose line it stands; of a message, the receiver; of a lost one, who should have got it, or nobody
  NodeId source = nobody;  // of a message, a lost one too
  std::string text;        // who is on the line stands in it
  bool key = false;        // a row of the witness, the turn of the story, or the end of it
  std::size_t number = 0;  // of a fault: the how manieth, from 1
};

struct SliceStory {
  Slice slice;
  std::vector<StoryStep> steps;                          // by time
  std::vector<std::pair<NodeId, std::string>> lines;     // the nodes that take part, servers first, each with its name
  std::size_t left_out = 0;                              // steps for which there was no room
};

// Requires: as slice_of does. `steps_max` is kept unless the faults alone are more.
SliceStory tell_slice(const RunResult& r, const std::string& anomaly, const OrdinaryMarks& ordinary = {}, std::size_t steps_max = 40);

// The words of one step; of a message with who sends and who gets it, of a fault with its number.
std::string step_text(const SliceStory& s, const StoryStep& step);
// A line a step: time, and what happens; what is key has a `*`.
std::string story_text(const SliceStory& s);
// The same for a comment: faults are numbered paragraphs, and what led to them and came of them stands between them. No line is
// longer than `width`.
std::vector<std::string> wrapped_steps(const SliceStory& s, std::size_t width);
// A sequenceDiagram of at most 60 lines where the story has at most 40 steps.
std::string story_mermaid(const SliceStory& s);
// One picture, readable without script: time to the left, a line a node, the words to the right. Its colours are those of the
// page that it stands in (currentColor), or a light page's where it stands alone.
std::string story_svg(const SliceStory& s);

}  // namespace mqlab
