// What a campaign found, as text and as JSON.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "cli/hunt.h"
#include "sim/hunt/statistics.h"

namespace mqlab::cli {
namespace {

constexpr std::size_t goals_shown = 12;
constexpr std::size_t groups_shown = 40;

std::string said(const Manifest& m, const std::string& key) {
  for (const auto& [name, value] : m.said)
    if (name == key) return value;
  return {};
}

// Units drawn by chance say how likely the next one fails; those of an enumeration do not.
bool by_chance(const Manifest& m) { return said(m, "search") != "exhaustive"; }

std::string seeds_text(const Store& store) {
  const auto done = store.done();
  if (done.empty()) return "no seed yet";
  const std::string shard = store.manifest().shard == "all" ? "" : ", shard " + store.manifest().shard;
  return done.front().first == done.back().first ? fmt::format("seed {}{}", done.front().first, shard) : fmt::format("seeds {} to {}{}", grouped(done.front().first), grouped(done.back().first), shard);
}

// What never happened, first; then what happened, but not in the middle of this or that. A goal's first word is its mark.
std::vector<std::string> never_reached(const Store& store) {
  std::vector<std::string> marks, others;
  const auto mark_of = [](const std::string& name) { return name.substr(0, name.find(' ')); };
  for (const GoalCount& g : store.goals())
    if (g.units == 0 && g.name == mark_of(g.name)) marks.push_back(g.name);
  for (const GoalCount& g : store.goals())
    if (g.units == 0 && std::find(marks.begin(), marks.end(), mark_of(g.name)) == marks.end()) others.push_back(g.name);
  marks.insert(marks.end(), others.begin(), others.end());
  return marks;
}

std::uint64_t reached(const Store& store) {
  std::uint64_t n = 0;
  for (const GoalCount& g : store.goals()) n += g.units > 0 ? 1 : 0;
  return n;
}

std::string goals_text(const Store& store, const HuntReport& report, const Style& style) {
  const std::size_t known = store.manifest().goals.size();
  std::vector<std::string> missed = never_reached(store);
  if (known == 0) return {};
  std::string text = fmt::format("\n{} of {} goals reached", grouped(reached(store)), grouped(known));
  if (missed.empty()) return text + ".\n";
  const std::size_t more = report.all_goals || missed.size() <= goals_shown ? 0 : missed.size() - goals_shown;
  missed.resize(missed.size() - more);
  text += "; never:\n" + paragraph(fmt::format("{}", fmt::join(missed, ", ")), style.width, "  ");
  if (more > 0) text += style.quiet(fmt::format("  ... {} more, which --goals lists", grouped(more))) + "\n";
  return text;
}

std::string group_text(const Store& store, const Group& g, std::uint64_t units, const HuntReport& report, const Style& style) {
  std::string text = "\n" + style.paint(g.breach.id, Style::Ink::bad) + "\n";
  text += paragraph(g.breach.sentence, style.width, "  ");
  text += paragraph("by what: " + g.breach.text, style.width, "  ");
  const Interval rate = binomial_interval(g.units, units);
  text += fmt::format("  in {} of {}", grouped(g.units), counted(units, "seed"));
  if (by_chance(store.manifest())) text += fmt::format(" ({} to {}); a fix is believed after {} clean ones", percent(rate.low), percent(rate.high), grouped(clean_runs_to_believe(g.units, units)));
  text += "\n";
  if (g.story && !g.story->lua.empty() && !report.folder.empty()) text += "  the story:   mqlab run " + shell_word(story_file(report.folder, g)) + "\n";
  if (g.story && !g.story->note.empty()) text += paragraph(g.story->note, style.width, "  ");
  return text + style.quiet("  as drawn:    ") + plan_command(store.manifest(), g.first_seed, g.first_target) + "\n";
}

std::string groups_text(const Store& store, const std::vector<Group>& groups, std::uint64_t units, const HuntReport& report, const Style& style) {
  Table t{{"found", "seeds", "first", "the least that it takes"}};
  t.right(1);
  t.right(2);
  for (std::size_t i = 0; i < groups.size() && i < groups_shown; ++i) {
    const Group& g = groups[i];
    t.row({{g.breach.id, Style::Ink::bad}, {grouped(g.units)}, {grouped(g.first_seed)}, {g.story ? g.story->size : "not looked for"}});
  }
  std::string text = "\n" + t.text(style);
  if (groups.size() > groups_shown) text += style.quiet(fmt::format("  ... {} more", groups.size() - groups_shown)) + "\n";
  for (std::size_t i = 0; i < groups.size() && i < groups_shown; ++i) text += group_text(store, groups[i], units, report, style);
  return text;
}

}  // namespace

std::string campaign_file(const std::string& folder) {
  struct stat info {};
  if (stat(folder.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) throw BadInput(fmt::format("{}: this is a file; a campaign is a folder, with campaign.sqlite and its stories in it", folder));
  return folder + "/campaign.sqlite";
}

std::string story_file(const std::string& folder, const Group& g) { return fmt::format("{}/{}.lua", folder, g.breach.id); }

void write_stories(const std::string& folder, const Store& store) {
  for (const Group& g : store.groups())
    if (g.story && !g.story->lua.empty()) write_file(story_file(folder, g), g.story->lua);
}

std::string plan_command(const Manifest& m, std::uint64_t seed, std::uint32_t target) {
  std::string c = "mqlab hunt " + (target < m.targets.size() ? m.targets[target].label : "");
  for (const SaidOption& o : said_options)
    if (const std::string value = said(m, o.name); value != o.usual) c += fmt::format(" --{} {}", o.name, shell_word(value));
  return c + fmt::format(" --plan {}", seed);
}

// What was found, apart from the known, and what is known.
struct Sorted {
  std::vector<Group> news, known;
};
static Sorted sorted(const Store& store, const HuntReport& report) {
  Sorted s;
  for (Group& g : store.groups()) (report.known.count(g.breach.id) > 0 ? s.known : s.news).push_back(std::move(g));
  return s;
}

std::string report_text(const Store& store, const HuntReport& report, const Style& style) {
  const Manifest& m = store.manifest();
  const auto [groups, known] = sorted(store, report);
  const std::uint64_t units = store.units();
  const std::uint64_t failing = store.failing(report.known);
  const std::uint64_t as_known = store.failing() - failing;
  const std::uint64_t untested = store.units(UnitVerdict::untested);
  std::string text = style.strong(report.title) + "\n";
  text += fmt::format("{} ({}), property {}, search {}\n", counted(store.runs(), "run"), seeds_text(store), said(m, "property"), said(m, "search"));
  if (m.targets.size() > 1) text += fmt::format("each seed in {} ways, which are counted apart\n", m.targets.size());
  if (!report.ended.empty()) text += report.ended + "\n";
  if (units == 0) return text;
  if (groups.empty()) {
    const std::uint64_t clean = units - untested - as_known;
    if (clean > 0) text += "\n" + style.paint("Nothing found", Style::Ink::good) + fmt::format(": none of {} fails{}.\n", (as_known > 0 ? grouped(clean) + " other seeds" : counted(clean, "seed")), by_chance(m) ? fmt::format("; 95 % sure, at most one in {} does", grouped(at_most_one_in(clean))) : "");
  } else {
    text += fmt::format("\n{} of {} {}, in {}\n", style.paint(grouped(failing), Style::Ink::bad), counted(units, "seed"), failing == 1 ? "fails" : "fail", counted(groups.size(), "group"));
    text += groups_text(store, groups, units, report, style);
  }
  if (!known.empty()) {
    text += fmt::format("\n{} {} as is known:\n", counted(as_known, "seed"), as_known == 1 ? "fails" : "fail");
    for (const Group& g : known) text += paragraph(fmt::format("{} in {}, first {}: {}", g.breach.id, counted(g.units, "seed"), grouped(g.first_seed), g.breach.sentence), style.width, "  ");
  }
  if (untested > 0) text += "\n" + style.paint(fmt::format("{} tested nothing", counted(untested, "seed")), Style::Ink::warn) + ": their runs say nothing about the property, and count as no proof.\n";
  return text + goals_text(store, report, style);
}

Json hunt_json(const Store& store, const HuntReport& report) {
  const Manifest& m = store.manifest();
  const std::uint64_t units = store.units();
  const std::uint64_t untested = store.units(UnitVerdict::untested);
  Json out;
  out["format"] = "mqlab-hunt/1";
  out["targets"] = Json::array();
  for (const Manifest::Target& t : m.targets) out["targets"].push_back(t.label);
  for (const auto& [key, value] : m.said) out[key] = value;
  out["shard"] = m.shard;
  const auto done = store.done();
  out["first_seed"] = done.empty() ? Json(nullptr) : Json(done.front().first);
  out["last_seed"] = done.empty() ? Json(nullptr) : Json(done.back().first);
  out["units"] = units;
  out["runs"] = store.runs();
  out["schedules"] = store.schedules();
  out["failing"] = store.failing(report.known);
  out["failing_as_known"] = store.failing() - store.failing(report.known);
  out["untested"] = untested;
  out["complete"] = report.complete;
  out["as_expected"] = report_code(store, report) == as_expected;
  const std::uint64_t tested = units - untested - (store.failing() - store.failing(report.known));
  const bool clean = sorted(store, report).news.empty() && tested > 0 && by_chance(m);
  out["at_most_one_in"] = clean ? Json(at_most_one_in(tested)) : Json(nullptr);
  out["groups"] = Json::array();
  for (const Group& g : store.groups()) {
    const Interval i = binomial_interval(g.units, units);
    Json one{{"id", g.breach.id}, {"anomaly", g.breach.anomaly}, {"signature", g.breach.text}, {"sentence", g.breach.sentence}, {"units", g.units}, {"rate_low", i.low}, {"rate_high", i.high}};
    one["clean_units_to_believe"] = clean_runs_to_believe(g.units, units);
    if (!by_chance(m)) one["rate_low"] = one["rate_high"] = one["clean_units_to_believe"] = nullptr;
    one["known"] = report.known.count(g.breach.id) > 0;
    one["first_seed"] = g.first_seed;
    one["first_target"] = m.targets[g.first_target].label;
    one["command"] = plan_command(m, g.first_seed, g.first_target);
    one["story"] = nullptr;
    if (g.story) one["story"] = {{"file", g.story->lua.empty() || report.folder.empty() ? Json(nullptr) : Json(story_file(report.folder, g))}, {"size", g.story->size}, {"note", g.story->note}, {"lua", g.story->lua}, {"finished", g.story->finished}};
    out["groups"].push_back(std::move(one));
  }
  out["goals"] = Json::array();
  for (const GoalCount& g : store.goals()) out["goals"].push_back({{"name", g.name}, {"units", g.units}, {"first_seed", g.units == 0 ? Json(nullptr) : Json(g.first_seed)}});
  return out;
}

int report_code(const Store& store, const HuntReport& report) {
  const bool tested = store.units() > store.units(UnitVerdict::untested);
  return report.complete && tested && store.failing(report.known) == 0 ? as_expected : not_as_expected;
}

}  // namespace mqlab::cli
