// cli/steps.h: what changed inside, event by event, as text: of a run (`run --steps`) and of its trace (`show`).
//
// The rule: a step is shown when something of it is: a change or a mark that the request asks for. Both faces print
// through here, from the same steps (sim/record/state_steps.h), so they print the same.
//
//     const auto view = add_step_options(*app);
//     StepPrinter printer(*view, processes, step_paths, style);
//     visit_steps(journal, [&](const StateStep& s) { printer.step(s); });
//     printer.end();
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/face.h"
#include "cli/text.h"
#include "sim/record/state_filter.h"
#include "sim/record/state_steps.h"

namespace mqlab::cli {

// An event by its number, or a time: "1200", "2.5s".
struct Moment {
  std::string text;
  std::optional<std::uint64_t> number{};
  Time time{};

  // Throws BadInput; `option` is what it was given to.
  static Moment parse(const std::string& option, const std::string& text);
  bool before(const StateStep& s) const { return number ? *number < s.number : time < s.time; }
  bool after(const StateStep& s) const { return number ? *number > s.number : time > s.time; }
};

// What to show, as the command line has it.
struct StepView {
  std::vector<std::string> nodes;
  std::vector<std::string> only;
  bool all = false;
  std::string from, to;

  bool given() const { return !nodes.empty() || !only.empty() || all || !from.empty() || !to.empty(); }
};

// Declares --node, --only, --all, --from and --to.
std::shared_ptr<StepView> add_step_options(CLI::App& app);

// Throws BadInput for a node that is none of `processes`. `by_default` holds when the view asks for nothing of its own.
StateFilter filter_of(const StepView& view, const std::vector<std::string>& processes, const std::vector<std::string>& by_default);

// As a terminal may see it: no control characters, whatever a scenario or a file held.
std::string printable(std::string_view text);

class StepPrinter {
 public:
  // Throws BadInput when the view can't be meant.
  StepPrinter(const StepView& view, const std::vector<std::string>& processes, const std::vector<std::string>& step_paths, const Style& style);
  void step(const StateStep& s);
  // Throws BadInput when the range was beyond the last step; says so when there was nothing to show.
  void end() const;

 private:
  std::string mark_lines(const StateStep& s) const;
  std::string change_lines(const StateStep& s, const std::string& node) const;

  StateFilter filter_;
  Style style_;
  std::optional<Moment> from_, to_;
  std::uint64_t shown_ = 0;
  std::uint64_t number_ = 0;
  Time time_ = 0;
  std::string example_;  // a path that there was, for those who ask for one that is not
};

// "12 events, the last at 3.000000 s"
std::string range_text(std::uint64_t events, Time last);

}  // namespace mqlab::cli
