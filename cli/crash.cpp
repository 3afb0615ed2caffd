#include "cli/crash.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/text.h"

#if defined(__SANITIZE_ADDRESS__)
#define MQLAB_SANITIZER_WATCHES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MQLAB_SANITIZER_WATCHES 1
#endif
#endif

namespace mqlab::cli::crash {
namespace {

// Filled beforehand, because a signal handler may neither allocate nor format.
char command_line[4096] = "mqlab";
thread_local char running[512] = "";  // a campaign runs one on each thread

void say(const char* text) { [[maybe_unused]] const auto n = write(STDERR_FILENO, text, std::strlen(text)); }

void tell(const char* what) {
  say("\nmqlab: this is a bug in mqlab, not in your input: ");
  say(what);
  say("\n");
  if (*running) {
    say("  while running  ");
    say(running);
    say("\n");
  }
  say("  command        ");
  say(command_line);
  say("\n  version        " MQLAB_VERSION "\nPlease report it with these lines and the scenario file.\n");
}

extern "C" void on_signal(int signal) {
  tell(signal == SIGABRT ? "an assertion failed or the process was aborted"
       : signal == SIGSEGV ? "a memory error (SIGSEGV)"
       : signal == SIGFPE  ? "an arithmetic error (SIGFPE)"
       : signal == SIGBUS  ? "a memory error (SIGBUS)"
                           : "an illegal instruction (SIGILL)");
  _exit(3);
}

}  // namespace

void install(int argc, char** argv) {
  std::string command = "mqlab";
  for (int i = 1; i < argc; ++i) command += " " + shell_word(argv[i]);
  std::snprintf(command_line, sizeof command_line, "%s", command.c_str());

  // A stack that overflowed can't be used for the handler.
  static std::array<char, 64 * 1024> stack;
  stack_t alternate{};
  alternate.ss_sp = stack.data();
  alternate.ss_size = stack.size();
  sigaltstack(&alternate, nullptr);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGABRT, &action, nullptr);
#ifndef MQLAB_SANITIZER_WATCHES
  for (const int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(s, &action, nullptr);
#endif
}

void now_running(std::uint64_t seed, std::string_view what) {
  std::snprintf(running, sizeof running, "seed %llu%s%.*s", static_cast<unsigned long long>(seed), what.empty() ? "" : ", ",
                static_cast<int>(what.size()), what.data());
}

void report(std::string_view what) {
  std::fflush(stdout);
  tell(std::string(what).c_str());
}

}  // namespace mqlab::cli::crash
