// From argv to an exit code: parsing, help, errors with the nearest right word, and what escapes.
#include <fmt/format.h>

#include <clocale>
#include <cstdio>
#include <optional>

#include "cli/crash.h"
#include "cli/face.h"
#include "cli/gui_command.h"
#include "cli/text.h"
#include "sim/lab/nearest.h"
#include "sim/lab/scenario.h"
#include "sim/script/sandbox.h"

namespace mqlab::cli {
namespace {

constexpr const char* welcome = R"(mqlab {version}: a laboratory for messaging semantics

Write a scenario once, run it under any fault from any seed, and be told by name which
guarantee broke, at which event and why.

Three things to try:
  mqlab scenarios                          what there is to run
  {scenario}
  mqlab anomalies lost-message             what a name means

`mqlab --help` lists all commands, `mqlab COMMAND --help` explains one.
)";

// All words that may follow, so that a wrong one gets its neighbour.
std::vector<std::string> command_names(const Commands& commands) {
  std::vector<std::string> names;
  for (const Command& c : commands) names.push_back(c.app->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* o : app.get_options())
    for (const std::string& l : o->get_lnames()) names.push_back("--" + l);
  return names;
}

const Command* chosen(const Commands& commands) {
  for (const Command& c : commands)
    if (c.app->parsed()) return &c;
  return nullptr;
}

// What a person typed wrong, in one sentence.
std::string explain(const CLI::ParseError& e, const CLI::App& root, const Commands& commands, int argc, char** argv) {
  const Command* c = chosen(commands);
  const CLI::App& app = c ? *c->app : root;
  const std::string help = c ? fmt::format("`mqlab {} --help` explains it", app.get_name()) : "`mqlab --help` lists the commands";
  if (dynamic_cast<const CLI::ExtrasError*>(&e)) {
    const std::vector<std::string> known = option_names(app);
    for (int i = 1; i < argc; ++i) {
      const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
      if (word.size() > 1 && word[0] == '-' && std::find(known.begin(), known.end(), word) == known.end() && !(word == "-h"))
        return and_then(fmt::format("there is no option `{}`{}", word, did_you_mean(word, known)), help);
    }
    const std::vector<std::string> rest = root.remaining(true);
    return fmt::format("`{}` was not expected here; {}", rest.empty() ? "" : rest.back(), help);
  }
  std::string text = e.what();
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  return fmt::format("{}; {}", text, help);
}

int guarded(const Command& command) {
  try {
    int code = command.run();
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
      complain("the result could not be written to stdout");
      code = std::max<int>(code, bad_input);
    }
    return code;
  } catch (const InputError& e) {
    complain(e.what());
  } catch (const script::ScriptError& e) {
    complain(e.what());
    if (!e.traceback.empty()) note(e.traceback.back() == '\n' ? e.traceback : e.traceback + "\n");
  } catch (const BadInput& e) {
    complain(e.what());
  } catch (const std::exception& e) {
    crash::report(e.what());
    return lab_failed;
  }
  return bad_input;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  std::setlocale(LC_ALL, "C");
  crash::install(argc, argv);

  CLI::App root{"A laboratory for messaging semantics: run a scenario under faults, and be told by name which guarantee broke."};
  root.name("mqlab");
  root.require_subcommand(0, 1);
  root.set_version_flag("--version", std::string("mqlab ") + MQLAB_VERSION, "Print the version");
  root.set_help_flag("-h,--help", "Print this help");
  root.get_formatter()->column_width(32);
  root.footer(
      "Exit codes: 0 as expected, 1 an expectation failed, 2 the input was wrong, 3 a bug in mqlab.\n"
      "Results go to stdout, messages to stderr; --json gives every result as JSON (docs/reference/json.md).\n\n"
      "Examples:\n"
      "  mqlab scenarios                                      what there is to run\n"
      "  mqlab run scenarios/showcase.lua                     one story, with its verdicts\n"
      "  mqlab run scenarios/showcase.lua --seeds 1..100      the same from a hundred seeds\n"
      "  mqlab check history.jsonl                            verdicts on a recorded history");

  Commands commands;
  add_run_command(root, commands);
  add_measure_command(root, commands);
  add_compare_command(root, commands);
  add_show_command(root, commands);
  add_plan_command(root, commands);
  add_shrink_command(root, commands);
  add_hunt_command(root, commands);
  add_merge_command(root, commands);
  add_why_command(root, commands);
  add_replay_command(root, commands);
  add_score_command(root, commands);
  add_check_command(root, commands);
  add_scenarios_command(root, commands);
  add_models_command(root, commands);
  add_anomalies_command(root, commands);
  add_conformance_command(root, commands);
  add_bench_command(root, commands);
  add_reference_command(root, commands);
  add_gui_command(root, commands);

  if (argc == 1) {
    std::string text = welcome;
    const auto replace = [&](std::string_view what, const std::string& by) { text.replace(text.find(what), what.size(), by); };
    replace("{version}", MQLAB_VERSION);
    replace("{scenario}", "mqlab run scenarios/showcase.lua         one story, with its verdicts");
    print(text);
    return as_expected;
  }
  if (argv[1][0] != '-' || argv[1][1] == '\0') {
    const std::vector<std::string> names = command_names(commands);
    if (std::find(names.begin(), names.end(), argv[1]) == names.end()) {
      complain(and_then(fmt::format("there is no command `{}`{}", argv[1], did_you_mean(argv[1], names)), "`mqlab --help` lists them"));
      return bad_input;
    }
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForVersion&) {
    print(fmt::format("mqlab {}\n", MQLAB_VERSION));
    return as_expected;
  } catch (const CLI::CallForHelp&) {
    const Command* c = chosen(commands);
    print(c ? c->app->help("mqlab") : root.help());
    return as_expected;
  } catch (const CLI::ParseError& e) {
    complain(explain(e, root, commands, argc, argv));
    return bad_input;
  } catch (const BadInput& e) {
    complain(e.what());
    return bad_input;
  }
  const Command* command = chosen(commands);
  if (!command) {
    print(root.help());
    return as_expected;
  }
  return guarded(*command);
}

}  // namespace mqlab::cli
