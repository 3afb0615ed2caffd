// The comparison as a page of its own: no script, nothing from elsewhere, light and dark.
#include <fmt/format.h>

#include "cli/compare.h"
#include "sim/record/markup.h"

namespace mqlab::cli {
namespace {

constexpr const char* style_sheet = R"(
:root { color-scheme: light dark; --line: #8884; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
pre { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .45rem .7rem; text-align: left; vertical-align: top; }
thead th { border-bottom-width: 2px; }
th small, td small { color: var(--quiet); display: block; font-weight: normal; }
.good::before { content: "\2713\00a0"; color: #0072b2; }
.bad { color: #d55e00; font-weight: 600; }
footer { color: var(--quiet); margin-top: 2rem; }
)";

// Counts that must be zero are the ones to mark.
std::string cell(const Criterion& k, const Measured& m) {
  const bool counts = k.unit == Unit::count && !m.values.empty();
  const char* kind = !counts ? "" : m.worst(k.better) == 0 ? " class=\"good\"" : " class=\"bad\"";
  const std::string worst = worst_text(k, m);
  return fmt::format("<td><span{}>{}</span>{}</td>", kind, as_markup(cell_text(k, m)), worst.empty() ? "" : "<small>" + as_markup(worst) + "</small>");
}

std::string table(const ComparedCase& c) {
  std::string out = "<table>\n<thead><tr><th></th>";
  for (const Column& column : c.columns)
    out += fmt::format("<th scope=\"col\">{}{}</th>", as_markup(column.design), column.sentence.empty() ? "" : "<small>" + as_markup(column.sentence) + "</small>");
  out += "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < criteria().size(); ++i) {
    const Criterion& k = criteria()[i];
    out += fmt::format("<tr><th scope=\"row\">{}<small>{}</small></th>", as_markup(k.head), as_markup(k.sentence));
    for (const Column& column : c.columns) out += cell(k, column.cells[i]);
    out += "</tr>\n";
  }
  out += "<tr><th scope=\"row\">as expected<small>by the scenario, and no promise of the design was broken</small></th>";
  for (const Column& column : c.columns)
    out += column.right == column.runs ? std::string("<td><span class=\"good\">yes</span></td>")
                                       : fmt::format("<td><span class=\"bad\">not in {} of {} runs</span><small>{}</small></td>", column.runs - column.right, column.runs, as_markup(column.wrong));
  return out + "</tr>\n</tbody></table>\n";
}

}  // namespace

std::string comparison_page(const Comparison& all) {
  std::string out = fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>{}</style></head>\n<body>\n<h1>{}</h1>\n",
                                as_markup(all.title), style_sheet, as_markup(all.title));
  if (!all.lesson.empty()) out += "<pre>" + as_markup(all.lesson) + "</pre>\n";
  out += fmt::format("<p>{} of virtual time a run, seeds {} to {}. A cell shows the median of the runs, or in how many of them it happened; below it the seed that shows it worst.</p>\n",
                     as_markup(format_duration(all.run_for)), all.first_seed, all.last_seed);
  for (const ComparedCase& c : all.cases) {
    if (!c.label.empty()) out += "<h2>" + as_markup(c.label) + "</h2>\n";
    out += table(c);
  }
  out += "<h2>See one run</h2>\n<pre>";
  for (const ComparedCase& c : all.cases)
    for (const Column& column : c.columns) out += as_markup(column.command) + "\n";
  out += fmt::format("</pre>\n<footer>mqlab {}: the rules of these systems as published, under simulated faults; not the products themselves. A zero says how much was searched, not that it can't happen.</footer>\n</body></html>\n", MQLAB_VERSION);
  return out;
}

}  // namespace mqlab::cli
