// A story as pictures: a Mermaid sequence diagram, and an SVG that needs nothing else.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sim/hunt/story.h"
#include "sim/record/markup.h"
#include "sim/record/text.h"
#include "sim/record/trace.h"

namespace mqlab {
namespace {

// Lines of at most `width` characters, broken at blanks; the third and what follows are cut.
std::vector<std::string> two_lines(std::string_view text, std::size_t width) {
  std::vector<std::string> lines{{}};
  std::size_t shown = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find(' ', at), text.size());
    std::string word(text.substr(at, end - at));
    std::size_t letters = 0;
    for (const char c : word) letters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (shown > 0 && shown + 1 + letters > width) {
      if (lines.size() == 2) {
        lines.back() += " ...";
        return lines;
      }
      lines.emplace_back();
      shown = 0;
    }
    lines.back() += (shown > 0 ? " " : "") + word;
    shown += letters + (shown > 0);
    at = end + 1;
  }
  return lines;
}

// Where things stand, in pixels.
struct Layout {
  static constexpr int width = 1160, time_end = 86, first_line = 116, head = 34, row = 24, second_row = 15, most_apart = 78;
  int apart = most_apart;
  int words = 0;
  std::size_t letters = 0;  // that fit beside the lines

  explicit Layout(std::size_t lines) {
    const auto count = static_cast<int>(std::max<std::size_t>(lines, 1));
    if (first_line + count * apart > width / 2) apart = std::max(34, (width / 2 - first_line) / count);
    words = first_line + count * apart - apart / 2 + 16;
    letters = static_cast<std::size_t>(std::max(30, (width - words) * 10 / 67));
  }
  int x(std::size_t line) const { return first_line + static_cast<int>(line) * apart; }
};

constexpr const char* style = R"(
.mq text { font: 13px system-ui, sans-serif; fill: currentColor; }
.mq .time { font: 12px ui-monospace, monospace; text-anchor: end; opacity: .65; }
.mq .name { font-weight: 600; text-anchor: middle; }
.mq .key { font-weight: 700; }
.mq .life { stroke: currentColor; opacity: .25; }
.mq .message { stroke: #0072b2; stroke-width: 1.6; fill: none; }
.mq .head { fill: #0072b2; }
.mq .lost { stroke: #d55e00; stroke-width: 2; fill: none; }
.mq .mark { fill: #0072b2; }
.mq .row { fill: currentColor; }
.mq .fault { stroke: #d55e00; stroke-width: 1.6; stroke-dasharray: 5 4; }
.mq text.hurt { fill: #d55e00; font-weight: 600; }
.mq .end { stroke: currentColor; stroke-width: 1.4; }
)";

}  // namespace

std::string story_mermaid(const SliceStory& s) {
  const auto id = [](NodeId n) { return n == nobody ? std::string("world") : "n" + std::to_string(n); };
  std::string out = "sequenceDiagram\n";
  for (const auto& [n, name] : s.lines) out += fmt::format("  participant {} as {}\n", id(n), mermaid_text(name));
  const std::string over = s.lines.empty() ? "world" : s.lines.size() == 1 ? id(s.lines[0].first) : id(s.lines.front().first) + "," + id(s.lines.back().first);
  if (s.lines.empty()) out += "  participant world\n";
  for (const StoryStep& step : s.steps) {
    const std::string when = " (" + format_time(step.time) + ")\n";
    const std::string text = mermaid_text(step.number > 0 ? fmt::format("fault {}, {}", step.number, step.text) : step.text);
    if (step.kind == StoryStep::Kind::message) out += fmt::format("  {}->>{}: {}{}", id(step.source), id(step.line), text, when);
    else if (step.kind == StoryStep::Kind::lost && step.line != nobody) out += fmt::format("  {}-x{}: {}{}", id(step.source), id(step.line), text, when);
    else if (step.kind == StoryStep::Kind::lost) out += fmt::format("  Note over {}: {}{}", id(step.source), text, when);
    else out += fmt::format("  Note over {}: {}{}", step.line == nobody ? over : id(step.line), text, when);
  }
  return out;
}

std::string story_svg(const SliceStory& s) {
  const Layout at(s.lines.size());
  const auto x_of = [&](NodeId n) {
    for (std::size_t i = 0; i < s.lines.size(); ++i)
      if (s.lines[i].first == n) return at.x(i);
    return Layout::first_line;
  };
  const int left = Layout::first_line - 16;
  const int right = at.words - 12;
  std::string rows;
  int y = Layout::head + 14;
  for (const StoryStep& step : s.steps) {
    const bool message = step.kind == StoryStep::Kind::message || step.kind == StoryStep::Kind::lost;
    std::string words = step.text;
    if (message)
      for (const auto& [n, name] : s.lines)
        if (n == step.line) words = "to " + name + ": " + words;
    if (step.number > 0) words = fmt::format("Fault {}: {}", step.number, words);
    const std::vector<std::string> lines = two_lines(words, at.letters);
    rows += fmt::format("<text class=\"time\" x=\"{}\" y=\"{}\">{}</text>", Layout::time_end, y + 4, as_markup(format_time(step.time)));
    switch (step.kind) {
      case StoryStep::Kind::fault: rows += fmt::format("<line class=\"fault\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>", left, right, y, y); break;
      case StoryStep::Kind::end: rows += fmt::format("<line class=\"end\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>", left, right, y, y); break;
      case StoryStep::Kind::mark: rows += fmt::format("<circle class=\"mark\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>", x_of(step.line), y, step.key ? 7 : 4); break;
      case StoryStep::Kind::operation: {
        const int half = step.key ? 6 : 4;
        rows += fmt::format("<rect class=\"row\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>", x_of(step.line) - half, y - half, 2 * half, 2 * half);
        break;
      }
      case StoryStep::Kind::lost: {  // half the way, and a cross
        const int from = x_of(step.source);
        const int to = step.line == nobody ? from + at.apart / 2 : (from + x_of(step.line)) / 2;
        rows += fmt::format("<line class=\"message\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>", from, to, y, y);
        rows += fmt::format("<path class=\"lost\" d=\"M{} {}l8 8m0 -8l-8 8\"/>", to - 4, y - 4);
        break;
      }
      case StoryStep::Kind::message: {
        const int from = x_of(step.source), to = x_of(step.line);
        const int way = to >= from ? 1 : -1;
        rows += fmt::format("<line class=\"message\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>", from, to - way * 6, y, y);
        rows += fmt::format("<path class=\"head\" d=\"M{} {}l{} -4v8z\"/>", to, y, -way * 8);
        break;
      }
    }
    const char* kind = step.kind == StoryStep::Kind::fault ? " class=\"hurt\"" : step.key ? " class=\"key\"" : "";
    for (std::size_t i = 0; i < lines.size(); ++i)
      rows += fmt::format("<text{} x=\"{}\" y=\"{}\">{}</text>", kind, at.words, y + 4 + static_cast<int>(i) * Layout::second_row, as_markup(lines[i]));
    rows += "\n";
    y += Layout::row + (lines.size() > 1 ? Layout::second_row : 0);
  }
  std::string out = fmt::format("<svg class=\"mq\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {} {}\" width=\"100%\">\n<title>{}</title>\n<style>{}</style>\n",
                                Layout::width, y, as_markup(s.slice.mechanism.anomaly + ": " + s.slice.sentence), style);
  for (std::size_t i = 0; i < s.lines.size(); ++i)
    out += fmt::format("<text class=\"name\" x=\"{}\" y=\"20\">{}</text><line class=\"life\" x1=\"{}\" x2=\"{}\" y1=\"28\" y2=\"{}\"/>\n", at.x(i), as_markup(s.lines[i].second), at.x(i), at.x(i), y);
  return out + rows + "</svg>\n";
}

}  // namespace mqlab
