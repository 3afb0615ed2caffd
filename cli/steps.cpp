#include "cli/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sim/lab/nearest.h"
#include "sim/record/text.h"

namespace mqlab::cli {

Moment Moment::parse(const std::string& option, const std::string& text) {
  Moment m{text, {}, 0};
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error == std::errc() && end == text.data() + text.size()) {
    m.number = n;
    return m;
  }
  const std::optional<Duration> time = parse_duration(text);
  if (!time || *time < 0) throw BadInput(fmt::format("{} {}: the number of an event or a time was expected, as in 1200 or 2.5s", option, text));
  m.time = *time;
  return m;
}

std::shared_ptr<StepView> add_step_options(CLI::App& app) {
  auto view = std::make_shared<StepView>();
  app.add_option("--node", view->nodes, "Only of this node (may be repeated)")->expected(1)->take_all();
  app.add_option("--only", view->only, "Only what this names: words of a path (transactions), a pattern (\"B*/orders/*\"), or with ! what to leave out (may be repeated)")->expected(1)->take_all();
  app.add_flag("--all", view->all, "Every change, also those that the model thinks little of");
  app.add_option("--from", view->from, "Steps from this event or time on: 1200, or 2.5s");
  app.add_option("--to", view->to, "... and up to this one");
  return view;
}

StateFilter filter_of(const StepView& view, const std::vector<std::string>& processes, const std::vector<std::string>& by_default) {
  for (const std::string& name : view.nodes)
    if (std::find(processes.begin(), processes.end(), name) == processes.end())
      throw BadInput(and_then(fmt::format("--node {}: nobody has that name{}", name, did_you_mean(name, processes)), fmt::format("there are {}", fmt::join(processes, ", "))));
  return {view.nodes, view.all ? std::vector<std::string>{} : view.only.empty() ? by_default : view.only};
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t n = utf8_length(text, i);
    // U+0080 to U+009F command a terminal as well.
    const bool commands = c < 0x20 || c == 0x7f || (n == 2 && c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0);
    if (n == 0) out += fmt::format("\xef\xbf\xbd{:02x}", c);  // as a trace file has it
    else if (commands) out += fmt::format("\\x{:02x}", n == 2 ? static_cast<unsigned char>(text[i + 1]) : c);
    else out += text.substr(i, n);
    i += std::max<std::size_t>(n, 1);
  }
  return out;
}

std::string range_text(std::uint64_t events, Time last) {
  return events == 0 ? "there are no events" : fmt::format("there are events 1 to {}, the last at {}", events, format_time(last));
}

StepPrinter::StepPrinter(const StepView& view, const std::vector<std::string>& processes, const std::vector<std::string>& step_paths, const Style& style)
    : filter_(filter_of(view, processes, step_paths)), style_(style) {
  if (view.all && !view.only.empty()) throw BadInput("--all shows everything, and --only a part: use one of them");
  if (!view.from.empty()) from_ = Moment::parse("--from", view.from);
  if (!view.to.empty()) to_ = Moment::parse("--to", view.to);
}

namespace {

constexpr const char* indent = "      ";

std::string value(const std::string& text) { return text.empty() ? "nothing" : printable(text); }

// Whether what was removed went with something that it was in, which is shown for both.
bool went_with_parent(const StateStep& s, std::size_t at, const auto& is_shown) {
  const StepChange& c = s.changes[at];
  for (std::size_t i = at + 1; i < s.changes.size(); ++i) {
    const StepChange& d = s.changes[i];
    if (d.node == c.node && d.change.kind == TreeChange::Kind::removed && d.path.size() < c.path.size() && std::equal(d.path.begin(), d.path.end(), c.path.begin()) && is_shown(d)) return true;
  }
  return false;
}

}  // namespace

std::string StepPrinter::mark_lines(const StateStep& s) const {
  std::string out;
  for (const StepMark& m : s.marks) {
    const std::string node = m.node.empty() ? "world" : m.node;
    const std::string name = m.text.substr(0, m.text.find_first_of(" :"));
    if (!filter_.shows(node, printable(node + "/" + name))) continue;
    out += indent + style_.paint(fmt::format("* {}{}", m.node.empty() ? "" : printable(m.node) + " ", printable(m.text)), Style::Ink::warn) + "\n";
  }
  return out;
}

std::string StepPrinter::change_lines(const StateStep& s, const std::string& node) const {
  std::string out;
  const auto is_shown = [&](const StepChange& c) { return filter_.shows(c.node, printable(shown_path(c.node, c.path))); };
  for (std::size_t i = 0; i < s.changes.size(); ++i) {
    const StepChange& c = s.changes[i];
    if (c.node != node || !is_shown(c)) continue;
    const std::string path = printable(shown_path(c.node, c.path));
    std::string line;
    switch (c.change.kind) {
      case TreeChange::Kind::changed:
        line = fmt::format("{}: {} -> {}", path, value(c.change.before), style_.strong(value(c.change.now)));
        break;
      case TreeChange::Kind::added:
        line = style_.paint("+ " + path, Style::Ink::good) + (c.change.now.empty() ? "" : ": " + printable(c.change.now));
        break;
      case TreeChange::Kind::removed:
        if (went_with_parent(s, i, is_shown)) continue;
        line = style_.paint("- " + path, Style::Ink::bad) + (c.change.before.empty() ? "" : fmt::format(" (was {})", printable(c.change.before)));
        break;
    }
    out += indent + line + "\n";
  }
  return out;
}

void StepPrinter::step(const StateStep& s) {
  number_ = s.number;
  time_ = s.time;
  if ((from_ && from_->after(s)) || (to_ && to_->before(s))) return;
  std::string lines = mark_lines(s);
  std::vector<std::string> nodes;
  for (const StepChange& c : s.changes) {
    if (std::find(nodes.begin(), nodes.end(), c.node) != nodes.end()) continue;
    nodes.push_back(c.node);
    lines += change_lines(s, c.node);
  }
  if (example_.empty() && !s.changes.empty()) example_ = printable(shown_path(s.changes.back().node, s.changes.back().path));
  if (lines.empty()) return;
  ++shown_;
  print(fmt::format("{:>14}  {}  {}\n", format_time(s.time), style_.quiet(fmt::format("#{}", s.number)), style_.strong(printable(s.text))) + lines);
}

void StepPrinter::end() const {
  if (from_ && (number_ == 0 || (from_->number ? *from_->number > number_ : from_->time > time_)))
    throw BadInput(fmt::format("--from {} is after the end: {}", from_->text, range_text(number_, time_)));
  if (shown_ != 0) return;
  note(fmt::format("mqlab: nothing to show: no change or mark matches{}\n", example_.empty() ? "" : fmt::format("; a path looks like {}", example_)));
}

}  // namespace mqlab::cli
