// cli/face.h: what the subcommands share: exit codes, files, messages, progress, interruption.
//
// Exit codes: 0 as expected, 1 an expectation failed, 2 the input was wrong, 3 the lab failed (a bug).
// Results go to stdout, messages to stderr. Nothing in the house uses cli/.
//
// Elsewhere: text and tables (text.h), the crash handler (crash.h), one file a subcommand (*_command.cpp).
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sim/lab/model.h"

namespace mqlab::cli {

enum Exit : int { as_expected = 0, not_as_expected = 1, bad_input = 2, lab_failed = 3 };

// The input was wrong: the text says what and what would be right.
struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A subcommand: where its options were declared, and what it does with them.
struct Command {
  CLI::App* app;
  std::function<int()> run;
};
using Commands = std::vector<Command>;

void add_run_command(CLI::App& root, Commands& commands);
void add_measure_command(CLI::App& root, Commands& commands);
void add_compare_command(CLI::App& root, Commands& commands);
void add_show_command(CLI::App& root, Commands& commands);
void add_plan_command(CLI::App& root, Commands& commands);
void add_shrink_command(CLI::App& root, Commands& commands);
void add_hunt_command(CLI::App& root, Commands& commands);
void add_merge_command(CLI::App& root, Commands& commands);
void add_why_command(CLI::App& root, Commands& commands);
void add_replay_command(CLI::App& root, Commands& commands);
void add_score_command(CLI::App& root, Commands& commands);
void add_check_command(CLI::App& root, Commands& commands);
void add_models_command(CLI::App& root, Commands& commands);
void add_scenarios_command(CLI::App& root, Commands& commands);
void add_anomalies_command(CLI::App& root, Commands& commands);
void add_conformance_command(CLI::App& root, Commands& commands);
void add_bench_command(CLI::App& root, Commands& commands);
void add_reference_command(CLI::App& root, Commands& commands);

// What main() does.
int run_command_line(int argc, char** argv);

// Every model of the house, registered once.
const Models& all_models();

// --- files ---
inline constexpr std::size_t file_bytes_max = std::size_t{64} << 20;
// The whole file; throws BadInput when it is missing, a directory, too big, or (unless `binary`) holds a zero byte.
std::string read_file(const std::string& path, bool binary = false);
// The same line by line, of any size; a line longer than `longest` is handed over cut off, one byte longer than that.
void read_lines(const std::string& path, std::size_t longest, const std::function<void(std::string_view)>& line);
// Writes to a temporary name and renames, so that a reader sees the whole file or none. "-" is stdout.
void write_file(const std::string& path, std::string_view text);
// The same, piece by piece.
class FileWriter {
 public:
  explicit FileWriter(std::string path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  void write(std::string_view piece);
  void close();

 private:
  std::string path_, temporary_;
  std::FILE* file_ = nullptr;
};

// --- results and messages ---
void print(std::string_view text);     // stdout
void complain(std::string_view text);  // stderr, "mqlab: ..."
void note(std::string_view text);      // stderr, as it is

// --- Ctrl-C ---
// From here on the first Ctrl-C sets a flag, and the second ends the process.
void catch_interrupts();
bool interrupted();

// One line on stderr that says how far it is; silent for the first second.
class Progress {
 public:
  Progress(std::string what, std::uint64_t total);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void at(std::uint64_t done, std::string_view extra = {});
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  std::uint64_t total_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point shown_ = begun_;
  bool terminal_;
  bool line_ = false;
};

}  // namespace mqlab::cli
