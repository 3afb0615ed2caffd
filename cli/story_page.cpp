// A story as a page of its own: no script, nothing from elsewhere, light and dark.
#include <fmt/format.h>

#include "cli/one_plan.h"
#include "cli/page.h"
#include "sim/record/markup.h"

namespace mqlab::cli {
namespace {

constexpr const char* style_sheet = R"(
:root { color-scheme: light dark; --line: #8884; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 74rem; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 .5rem; border-bottom: 1px solid var(--line); }
p.seen { font-size: 1.1rem; margin: .2rem 0 .8rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
.bug { color: #d55e00; font-weight: 600; }
pre { font: 13px/1.5 ui-monospace, monospace; overflow-x: auto; background: #8881; padding: .8rem 1rem; border-radius: 6px; }
.picture { overflow-x: auto; }
.picture svg { min-width: 48rem; }
footer { color: var(--quiet); margin-top: 2rem; font-size: .9rem; }
)";

}  // namespace

std::string story_page(const ToldPlan& told, const std::string& title, const std::string& lua, const std::string& command) {
  const Slice& s = told.story.slice;
  const Mechanism& m = s.mechanism;
  std::string out = fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>{}</style></head>\n<body>\n<h1>{}</h1>\n<p class=\"seen\">{}</p>\n",
                                as_markup(title), style_sheet, as_markup(title), as_markup(s.sentence));
  out += "<dl>\n";
  const auto row = [&](const char* name, const std::string& html) { out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, html); };
  if (const VerdictRow* v = told.run.verdict(m.anomaly))
    row("verdict", fmt::format("{}: {}, <span{}>{}</span>", as_markup(m.anomaly), verdict_text(v->report), m.claimed ? " class=\"bug\"" : "", square(*v)));
  row(m.claimed ? "promised" : "not promised", as_markup(m.reason));
  if (!m.turn.empty()) row("it turns at", as_markup(m.turn));
  row("certain", format_time(s.certain));
  out += "</dl>\n<h2>What happens</h2>\n<div class=\"picture\">" + story_svg(told.story) + "</div>\n";
  if (told.story.left_out > 0) out += fmt::format("<p>{} more steps are not shown.</p>\n", told.story.left_out);
  if (!lua.empty()) out += "<h2>The plan</h2>\n<p>Save it as a file; <code>mqlab run FILE</code> runs it, <code>mqlab why FILE</code> asks what made it.</p>\n<pre>" + as_markup(lua) + "</pre>\n";
  out += fmt::format("<h2>Run it</h2>\n<pre>{}</pre>\n<footer>Seed {}, fingerprint {}. mqlab {}: the rules of these systems as published, under simulated faults; not the products themselves.</footer>\n</body></html>\n",
                     as_markup(command), told.run.world->seed(), told.run.fingerprint.text(), MQLAB_VERSION);
  return out;
}

}  // namespace mqlab::cli
