#include "cli/gui_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace mqlab::cli {
namespace {

namespace fs = std::filesystem;

int hand_over(const std::vector<std::string>& arguments) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path window = error ? fs::path() : self.parent_path() / "mqlab-gui";
  if (error || !fs::exists(window, error))
    throw BadInput(fmt::format("the window was not built: there is no {}. `scripts/run gui` installs what it needs and builds it; everything it shows can also be had on the command line (`mqlab --help`)",
                               window.empty() ? "mqlab-gui" : window.string()));
  std::vector<std::string> words{window.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  throw BadInput(fmt::format("{} could not be started: {}", window.string(), std::strerror(errno)));
}

}  // namespace

void add_gui_command(CLI::App& root, Commands& commands) {
  CLI::App* app = root.add_subcommand("gui", "Open the window: write, run, look at every moment, break by hand");
  app->prefix_command();  // all that follows is the window's
  app->footer(
      "The window takes [SCENARIO] --case NAME --seed N --set key=value --layout L --theme T --at PLACE, and\n"
      "--screenshot FILE --size 1280x800 for a picture instead of a window; `mqlab-gui --help` lists all.\n\n"
      "Examples:\n"
      "  mqlab gui                                            the start page: lessons, recent runs\n"
      "  mqlab gui scenarios/showcase.lua\n"
      "  mqlab gui museum/kafka/p01-retry-duplicate --layout debug");
  commands.push_back({app, [app] {
                        std::vector<std::string> rest = app->remaining();
                        if (!rest.empty() && rest.front() == "--") rest.erase(rest.begin());
                        return hand_over(rest);
                      }});
}

}  // namespace mqlab::cli
