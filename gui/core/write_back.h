// gui/core/write_back.h: what was done by hand, written into the scenario's own text.
//
// The rule: the text that comes back, run without any hand, is the run that was seen: same fingerprint. It is tried before
// it is given out. Where the text has no plain list of faults to write into, or where that gives another run, the run is
// written as a scenario of its own.
//
//     WrittenBack w = write_back(*recording, all_models());
//     editor.set_text(w.text);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gui/core/recording.h"

namespace mqlab::gui {

struct WrittenBack {
  std::string text{};
  bool whole = false;       // a scenario of its own, not the text with lines added
  int first_line = 0;       // of the lines added, from 1; 0: whole
  int lines = 0;
};

// Runs the scenario again to see that it is the same. Throws InputError when the run can't be written at all.
WrittenBack write_back(const Recording& r, const Models& models);

// The text with these lines at the end of the list of faults: of the case if it has one, else of the scenario, which is
// given one if it has none. Nothing when the text has no `scenario { ... }` in plain sight. `first_line`: as above.
std::optional<std::string> with_faults(const std::string& text, const std::string& case_name, const std::vector<std::string>& lines, int* first_line = nullptr);

}  // namespace mqlab::gui
