// gui/core/logs.h: what logs and queues hold at a moment: a lane a copy, a cell a record.
//
// Copies of one place stand under each other and share their columns: one position, one column. Of a log every position
// has a column; of a queue, which gives messages away, only those that some copy still has. Markers are named flags that
// stand before the position they name. At first the end of a log and the head of a queue are in sight; what is left out is
// counted in a remark.
//
// How a cell looks: filled with the hue of its key (else of its producer) when it is safe, hatched in grey while it is not
// committed, with a thick edge and its holder's name below while a consumer has it, dashed in an open transaction, struck
// out in an aborted one, a diamond where it is no message; ×2 says that it is delivered for the second time.
//
//     LogsPicture p = logs(*moment, journal, {.back = 0}, focus, 800, 300, measure);
#pragma once

#include <cstdint>

#include "gui/core/focus.h"
#include "gui/core/recording.h"

namespace mqlab::gui {

struct LogsView {
  float scroll = 0;             // pixels from the top
  std::int64_t back = 0;        // so many columns before the end of each log, behind the head of each queue
  bool internal = false;        // the brokers' own topics too ("__...")
};

struct LogsPicture {
  Scene scene;
  float height = 0;             // of all there is: for a scroll bar
  std::int64_t back_most = 0;   // the largest `back` that shows something new
};

LogsPicture logs(const Moment& m, const Journal& j, const LogsView& view, const Focus& focus, float width, float height, const TextMeasure& measure);

}  // namespace mqlab::gui
