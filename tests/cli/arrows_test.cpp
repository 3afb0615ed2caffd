// The house has a direction: kernel <- world <- record <- check <- lab <- script <- hunt, models use sim, the kit both, faces use all.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace fs = std::filesystem;

namespace {

// What each part may include, itself aside.
const std::map<std::string, std::set<std::string>> allowed = {
    {"sim/kernel", {}},
    {"sim/world", {"sim/kernel"}},
    {"sim/record", {"sim/kernel", "sim/world"}},
    {"sim/check", {"sim/kernel", "sim/world", "sim/record"}},
    {"sim/lab", {"sim/kernel", "sim/world", "sim/record", "sim/check"}},
    {"sim/script", {"sim/kernel", "sim/world", "sim/record", "sim/check", "sim/lab"}},
    {"sim/hunt", {"sim/kernel", "sim/world", "sim/record", "sim/check", "sim/lab", "sim/script"}},
};

// "sim/kernel/time.h" -> "sim/kernel"; "models/kafka/log.h" -> "models/kafka"; "cli/face.h" -> "cli".
std::string part_of(const std::string& path) {
  const std::size_t first = path.find('/');
  if (first == std::string::npos) return path;
  const std::string top = path.substr(0, first);
  if (top != "sim" && top != "models" && top != "gui") return top;
  const std::size_t second = path.find('/', first + 1);
  return path.substr(0, second);
}

bool may_include(const std::string& from, const std::string& to) {
  if (from == to) return true;
  // gui/core is what both faces show of a run (recordings, scenes, pages); it knows no window.
  if (from == "cli") return to != "tests" && (to.rfind("gui/", 0) != 0 || to == "gui/core");
  if (from == "gui/qt") return to != "cli" && to != "tests";
  if (from == "gui/canvas") return to == "gui/core" || to.rfind("sim/", 0) == 0;
  if (from == "gui/core") return to == "kit" || to.rfind("sim/", 0) == 0;
  if (const auto it = allowed.find(from); it != allowed.end()) return it->second.count(to) != 0;
  if (from == "kit") return to.rfind("sim/", 0) == 0 || to.rfind("models/", 0) == 0;
  if (from == "models/raft") return to.rfind("sim/", 0) == 0;
  if (from.rfind("models/", 0) == 0) return to.rfind("sim/", 0) == 0 || to == "models/raft";
  return false;
}

struct Include {
  std::string file;
  int line;
  std::string target;
};

std::vector<Include> includes_below(const fs::path& root, const std::string& top) {
  static const std::regex quoted(R"re(^\s*#\s*include\s*"([^"]+)")re");
  std::vector<Include> all;
  if (!fs::exists(root / top)) return all;
  for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
    const std::string ending = entry.path().extension().string();
    if (ending != ".h" && ending != ".cpp") continue;
    std::ifstream in(entry.path());
    int n = 0;
    for (std::string line; std::getline(in, line);) {
      ++n;
      std::smatch m;
      if (std::regex_search(line, m, quoted)) all.push_back({fs::relative(entry.path(), root).string(), n, m[1]});
    }
  }
  return all;
}

TEST(Arrows, PointOneWay) {
  std::size_t looked_at = 0;
  for (const char* top : {"sim", "models", "kit", "cli", "gui"})
    for (const Include& i : includes_below(MQLAB_SOURCE_DIR, top)) {
      ++looked_at;
      EXPECT_NE(i.target.find('/'), std::string::npos) << i.file << ":" << i.line << ": includes start at the repository's root";
      EXPECT_TRUE(may_include(part_of(i.file), part_of(i.target))) << i.file << ":" << i.line << ": " << part_of(i.file) << " may not include " << i.target;
    }
  EXPECT_GT(looked_at, 100U) << "the includes were not found";
}

TEST(Arrows, TheRuleRefusesWhatItShould) {
  EXPECT_FALSE(may_include("sim/kernel", "sim/world"));
  EXPECT_FALSE(may_include("sim/lab", "sim/script"));
  EXPECT_FALSE(may_include("sim/check", "models/kafka"));
  EXPECT_FALSE(may_include("kit", "cli"));
  EXPECT_FALSE(may_include("models/kafka", "models/rabbitmq"));
  EXPECT_FALSE(may_include("models/kafka", "cli"));
  EXPECT_TRUE(may_include("models/kafka", "models/raft"));
  EXPECT_TRUE(may_include("cli", "models/kafka"));
  EXPECT_TRUE(may_include("cli", "gui/core"));
  EXPECT_FALSE(may_include("cli", "gui/qt"));
  EXPECT_FALSE(may_include("gui/core", "gui/canvas"));
  EXPECT_FALSE(may_include("gui/core", "models/kafka"));
  EXPECT_FALSE(may_include("gui/canvas", "gui/qt"));
  EXPECT_TRUE(may_include("gui/qt", "gui/canvas"));
  EXPECT_EQ(part_of("gui/core/scene.h"), "gui/core");
  EXPECT_EQ(part_of("models/kafka/log.h"), "models/kafka");
  EXPECT_EQ(part_of("cli/face.h"), "cli");
}

// sim/kernel to sim/check and models/ must also compile for the browser, and repeat themselves everywhere.
TEST(Arrows, ThePureCoreUsesNoThreadsClocksOrFiles) {
  static const std::regex system(R"re(^\s*#\s*include\s*<([^>]+)>)re");
  static const std::set<std::string> refused = {"thread", "mutex", "chrono", "filesystem", "fstream", "iostream", "random", "ctime", "future",
                                                "condition_variable", "unordered_map", "unordered_set", "format", "unistd.h", "time.h"};
  std::size_t looked_at = 0;
  for (const char* top : {"sim/kernel", "sim/world", "sim/record", "sim/check", "models"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(MQLAB_SOURCE_DIR) / top)) {
      const std::string ending = entry.path().extension().string();
      if (ending != ".h" && ending != ".cpp") continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        std::smatch m;
        if (!std::regex_search(line, m, system)) continue;
        ++looked_at;
        EXPECT_EQ(refused.count(m[1]), 0U) << entry.path() << " includes <" << m[1] << ">";
      }
    }
  EXPECT_GT(looked_at, 50U);
}

// Two classes of one name in one namespace are one to the linker, which keeps the code of either: what one makes, the other's
// destructor frees. No compiler says so.
TEST(Arrows, NoTwoHeadersDeclareOneName) {
  static const std::regex declares(R"re(^(?:class|struct|enum class) (\w+)[^;{]*\{)re");
  std::map<std::string, std::string> seen;
  for (const char* top : {"sim", "kit"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(MQLAB_SOURCE_DIR) / top)) {
      if (entry.path().extension() != ".h") continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        std::smatch m;
        if (!std::regex_search(line, m, declares)) continue;
        const auto [known, fresh] = seen.emplace(m[1].str(), entry.path().string());
        EXPECT_TRUE(fresh || known->second == entry.path().string()) << m[1] << " is declared in " << known->second << " and in " << entry.path().string();
      }
    }
  EXPECT_GT(seen.size(), 300U);
}

}  // namespace
