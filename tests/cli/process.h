// Runs the mqlab binary as a user would, and keeps what it said.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace mqlab::cli_test {

struct Outcome {
  int code = -1;  // -1: ended by a signal
  std::string out, err;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream f(path, std::ios::binary);
  std::stringstream s;
  s << f.rdbuf();
  return s.str();
}

// A folder of its own for each test, gone afterwards.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mqlab-cli-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Scratch() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

inline Outcome mqlab(const std::vector<std::string>& arguments, const std::string& folder = MQLAB_SOURCE_DIR) {
  Scratch scratch;
  const std::string out = scratch.file("out");
  const std::string err = scratch.file("err");
  const pid_t child = fork();
  if (child == 0) {
    const auto open_to = [](const std::string& path, int to) { dup2(open(path.c_str(), O_WRONLY | O_CREAT, 0600), to); };
    dup2(open("/dev/null", O_RDONLY), 0);
    open_to(out, 1);
    open_to(err, 2);
    if (chdir(folder.c_str()) != 0) _exit(126);
    std::vector<char*> argv{const_cast<char*>("mqlab")};
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    execv(MQLAB_BINARY, argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(out), slurp(err)};
}

inline nlohmann::json mqlab_json(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  return nlohmann::json::parse(mqlab(arguments).out);
}

inline bool has_kafka() {
  static const bool yes = mqlab({"models", "kafka"}).code == 0;
  return yes;
}

}  // namespace mqlab::cli_test

// A test that runs scenarios needs a model in this build.
#define NEEDS_KAFKA()                                              \
  if (!::mqlab::cli_test::has_kafka()) GTEST_SKIP() << "this build has no model"
