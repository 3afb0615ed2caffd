// mqlab replay: runs a seed capsule, and says whether it is the same.
#include <fmt/format.h>

#include "cli/outcome_json.h"
#include "cli/text.h"
#include "sim/hunt/capsule.h"
#include "sim/script/sandbox.h"

namespace mqlab::cli {
namespace {

int run(const std::string& file, const std::string& lua, bool as_json) {
  Capsule c;
  Replay r;
  try {
    c = read_capsule(read_file(file));
    if (!lua.empty()) write_file(lua, c.scenario);
    r = replay(c, all_models());
  } catch (const InputError& e) {
    throw BadInput(fmt::format("{}: {}", file, e.what()));
  } catch (const script::ScriptError& e) {
    throw BadInput(fmt::format("{}: its scenario can't be read: {}", file, e.what()));
  }
  const bool other = c.version != MQLAB_VERSION;
  if (as_json) {
    Json out;
    out["format"] = "mqlab-replay/1";
    out["capsule"] = file;
    out["anomaly"] = c.mechanism.anomaly;
    out["same_run"] = r.same_run;
    out["shown"] = r.shown;
    out["same_mechanism"] = r.same_story;
    out["fingerprint"] = r.fingerprint;
    out["written_by"] = c.version;
    out["run_by"] = MQLAB_VERSION;
    print(json_text(out));
  } else {
    const Style style = Style::of_stdout();
    std::string out = paragraph(c.sentence, style.width, c.mechanism.anomaly + ": ");
    if (r.same_run) {
      out += style.paint("same", Style::Ink::good) + fmt::format(": fingerprint {}\n", r.fingerprint);
    } else {
      out += style.paint("differs", Style::Ink::warn) + fmt::format(": fingerprint {} instead of {}\n", r.fingerprint, c.fingerprint);
      out += paragraph(other ? fmt::format("The capsule was written by mqlab {}; this is {}, and its rules may be others.", c.version, MQLAB_VERSION)
                             : fmt::format("The capsule was written by mqlab {}, as this one: by an earlier build of it, or somebody has edited the capsule.", c.version),
                       style.width, "  ");
      out += "  " + (r.same_story ? std::string("The anomaly is still shown, by the same mechanism.")
                     : r.shown    ? "The anomaly is still shown, but comes about otherwise: " + r.mechanism.text() + "."
                                  : style.paint("The anomaly is not shown any more.", Style::Ink::bad)) + "\n";
    }
    print(out);
  }
  return r.same_run || r.same_story ? as_expected : not_as_expected;
}

}  // namespace

void add_replay_command(CLI::App& root, Commands& commands) {
  auto file = std::make_shared<std::string>();
  auto lua = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* app = root.add_subcommand("replay", "Run a seed capsule again, and say whether it is the same");
  app->add_option("CAPSULE", *file, "A file that `mqlab shrink --capsule` wrote")->required();
  app->add_option("--out", *lua, "Write the scenario in it to this file");
  app->add_flag("--json", *json, "The result as JSON (docs/reference/json.md)");
  app->footer(
      "Exit code 0: the same run, or at least the same anomaly by the same mechanism. 1: it is not shown any more, or comes about\n"
      "otherwise. 2: this is no capsule.\n\n"
      "Example:\n"
      "  mqlab shrink scenarios/search/quorum.lua --case 4.3 --seed 2 --capsule two.capsule --out two.lua\n"
      "  mqlab replay two.capsule");
  commands.push_back({app, [file, lua, json] { return run(*file, *lua, *json); }});
}

}  // namespace mqlab::cli
