#include "cli/face.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace mqlab::cli {

// --- files ---

namespace {
std::FILE* open_to_read(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) throw BadInput(fmt::format("{}: {}", path, errno == ENOENT ? "there is no such file" : std::strerror(errno)));
  if (S_ISDIR(info.st_mode)) throw BadInput(fmt::format("{}: this is a directory, a file was expected", path));
  std::FILE* f = std::fopen(path.c_str(), "rb");
  if (!f) throw BadInput(fmt::format("{}: {}", path, std::strerror(errno)));
  return f;
}
}  // namespace

void read_lines(const std::string& path, std::size_t longest, const std::function<void(std::string_view)>& line) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> f(open_to_read(path), std::fclose);
  std::string rest;  // of a line that goes on in the next piece
  char piece[1 << 16];
  for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, f.get())) > 0;) {
    std::string_view left(piece, n);
    for (std::size_t end; (end = left.find('\n')) != std::string_view::npos; left.remove_prefix(end + 1)) {
      rest.append(left.substr(0, std::min(end, longest + 1 - std::min(longest + 1, rest.size()))));
      line(rest);
      rest.clear();
    }
    rest.append(left.substr(0, std::min(left.size(), longest + 1 - std::min(longest + 1, rest.size()))));
  }
  if (std::ferror(f.get())) throw BadInput(fmt::format("{}: the file could not be read", path));
  if (!rest.empty()) line(rest);
}

std::string read_file(const std::string& path, bool binary) {
  std::FILE* f = open_to_read(path);
  std::string text;
  char piece[1 << 16];
  bool too_big = false;
  for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, f)) > 0;) {
    text.append(piece, n);
    too_big = text.size() > file_bytes_max;
    if (too_big) break;
  }
  const bool failed = std::ferror(f) != 0;
  std::fclose(f);
  if (too_big) throw BadInput(fmt::format("{}: the file is bigger than {} MiB, which is the limit", path, file_bytes_max >> 20));
  if (failed) throw BadInput(fmt::format("{}: the file could not be read", path));
  if (!binary && text.find('\0') != std::string::npos) throw BadInput(fmt::format("{}: this is a binary file, text was expected", path));
  return text;
}

FileWriter::FileWriter(std::string path) : path_(std::move(path)) {
  if (path_ == "-") {
    file_ = stdout;
    return;
  }
  struct stat info {};
  if (stat(path_.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    // A pipe, a terminal or /dev/null is written to as it stands; a directory can't be.
    if (S_ISDIR(info.st_mode)) throw BadInput(fmt::format("{}: this is a directory, a file was expected", path_));
    file_ = std::fopen(path_.c_str(), "wb");
  } else {
    temporary_ = fmt::format("{}.{}.part", path_, getpid());
    file_ = std::fopen(temporary_.c_str(), "wb");
  }
  if (!file_) throw BadInput(fmt::format("{}: it can't be written: {}", path_, std::strerror(errno)));
}

FileWriter::~FileWriter() {
  if (!file_ || file_ == stdout) return;
  std::fclose(file_);
  if (!temporary_.empty()) std::remove(temporary_.c_str());
}

void FileWriter::write(std::string_view piece) {
  if (std::fwrite(piece.data(), 1, piece.size(), file_) != piece.size())
    throw BadInput(fmt::format("{}: writing failed: {}", path_, std::strerror(errno)));
}

void FileWriter::close() {
  std::FILE* f = file_;
  if (f == stdout) return;
  const bool failed = std::fflush(f) != 0;
  file_ = nullptr;
  if (std::fclose(f) != 0 || failed || (!temporary_.empty() && std::rename(temporary_.c_str(), path_.c_str()) != 0)) {
    const std::string why = std::strerror(errno);
    if (!temporary_.empty()) std::remove(temporary_.c_str());
    throw BadInput(fmt::format("{}: writing failed: {}", path_, why));
  }
}

void write_file(const std::string& path, std::string_view text) {
  FileWriter f(path);
  f.write(text);
  f.close();
}

// --- results and messages ---

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void note(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void complain(std::string_view text) { note(fmt::format("mqlab: {}\n", text)); }

// --- Ctrl-C ---

namespace {
volatile std::sig_atomic_t interrupt_seen = 0;
extern "C" void on_interrupt(int signal) {
  interrupt_seen = 1;
  std::signal(signal, SIG_DFL);
}
}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}
bool interrupted() { return interrupt_seen != 0; }

// --- progress ---

Progress::Progress(std::string what, std::uint64_t total) : what_(std::move(what)), total_(total), terminal_(isatty(STDERR_FILENO) != 0) {}

void Progress::at(std::uint64_t done, std::string_view extra) {
  const auto now = Clock::now();
  const auto every = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000);
  if (now - begun_ < std::chrono::seconds(1) || now - shown_ < every) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  const double rate = static_cast<double>(done) / seconds;
  const double left = rate > 0 && total_ > done ? static_cast<double>(total_ - done) / rate : 0;
  const std::string speed = rate >= 1 ? fmt::format("{:.0f} a second", rate) : fmt::format("{:.1f} a minute", rate * 60);
  const std::string text = fmt::format("{} {} of {}, {}, {:.0f} s left{}{}", what_, done, total_, speed, left, extra.empty() ? "" : "; ", extra);
  note(terminal_ ? "\r\033[K" + text : text + "\n");
  line_ = terminal_;
}

void Progress::finish() {
  if (line_) note("\r\033[K");
  line_ = false;
}

}  // namespace mqlab::cli
