#include "cli/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "cli/face.h"
#include "sim/lab/nearest.h"
#include "sim/script/scenario_api.h"

namespace mqlab::cli {
namespace fs = std::filesystem;

std::vector<std::string> library_folders() {
  std::vector<std::string> all{"scenarios"};
  all.push_back(std::string(MQLAB_SOURCE_DIR) + "/scenarios");
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) all.push_back((self.parent_path().parent_path() / "share/mqlab/scenarios").string());
  return all;
}

std::vector<std::string> library_files() {
  for (const std::string& folder : library_folders()) {
    std::vector<std::string> files;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
      if (it->is_regular_file(error) && it->path().extension() == ".lua") files.push_back(it->path().string());
    std::sort(files.begin(), files.end());
    if (!files.empty()) return files;
  }
  return {};
}

namespace {

// A path that is not there may be a name in the library.
std::string find_file(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error)) return path;
  for (const std::string& folder : library_folders())
    for (const char* ending : {"", ".lua"}) {
      const std::string there = folder + "/" + path + ending;
      if (fs::is_regular_file(there, error)) return there;
    }
  std::vector<std::string> known;
  for (const std::string& f : library_files()) known.push_back(f);
  std::vector<std::string> stems;
  for (const std::string& f : known) stems.push_back(fs::path(f).stem().string());
  std::string hint = did_you_mean(path, known);
  if (hint.empty())
    if (const auto stem = nearest_word(fs::path(path).stem().string(), stems))
      hint = fmt::format("; did you mean `{}`?", known[static_cast<std::size_t>(std::find(stems.begin(), stems.end(), *stem) - stems.begin())]);
  throw BadInput(fmt::format("{}: there is no such file{}", path, hint.empty() ? "; `mqlab scenarios` lists those of the library" : hint));
}

}  // namespace

Scenario load_scenario_file(const std::string& path, const std::string& design) {
  const std::string file = find_file(path);
  const std::string text = read_file(file);
  return load_scenario(text, file, all_models(), [](std::string_view line) { note(std::string(line) + "\n"); }, design);
}

}  // namespace mqlab::cli
