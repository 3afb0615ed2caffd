#include "gui/qt/window_layout.h"

#include <algorithm>

namespace mqlab::gui {

const std::vector<WindowLayout>& window_layouts() {
  static const std::vector<WindowLayout> all = {
      {"learn",
       {{28, {{100, {"lesson", "scenario"}}}},
        {42, {{38, {"topology", "logs", "groups"}}, {36, {"spacetime", "plots"}}, {26, {"events", "notebook", "branches"}}}},
        {30, {{58, {"verdicts"}}, {42, {"inspector", "faults", "console"}}}}}},
      {"debug",
       {{28, {{62, {"scenario", "lesson"}}, {38, {"faults", "console"}}}},
        {42, {{35, {"topology", "logs", "groups"}}, {38, {"spacetime", "plots"}}, {27, {"events", "notebook", "branches"}}}},
        {30, {{58, {"verdicts"}}, {42, {"inspector"}}}}}},
      // Both futures lie side by side, their times below each other.
      {"compare",
       {{70, {{32, {"topology", "beside_topology"}, true}, {33, {"spacetime", "plots", "logs", "groups"}}, {35, {"beside"}}}},
        {30, {{30, {"branches"}}, {41, {"verdicts", "inspector", "lesson", "console"}}, {29, {"events", "scenario", "faults", "notebook"}}}}}},
      {"present", {{68, {{50, {"topology", "logs", "groups"}}, {50, {"spacetime", "plots", "events"}}}}, {32, {{100, {"verdicts", "inspector"}}}}}},
  };
  return all;
}

int least_letters(const QString& pane) {
  if (pane == QLatin1String("branches")) return 44;  // as many columns as tell two futures apart
  for (const char* table : {"events", "verdicts", "inspector"})
    if (pane == QLatin1String(table)) return 36;
  for (const char* text : {"lesson", "scenario", "faults", "console", "notebook"})
    if (pane == QLatin1String(text)) return 32;
  return 34;
}

const WindowLayout& window_layout(const QString& name) {
  const auto& all = window_layouts();
  return *std::find_if(all.begin(), all.end(), [&](const WindowLayout& l) { return name == QLatin1String(l.name); });
}

}  // namespace mqlab::gui
