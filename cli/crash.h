// cli/crash.h: when the lab itself fails: say so, say how to repeat it, and end with code 3.
//
//     crash::install(argc, argv);
//     crash::now_running(seed, "case fixed");
#pragma once

#include <cstdint>
#include <string_view>

namespace mqlab::cli::crash {

// SIGABRT (a failed assert), SIGSEGV and their like print the report and end the process with code 3.
void install(int argc, char** argv);
// What to name in a report from now on.
void now_running(std::uint64_t seed, std::string_view what);
// The report, for an exception that should not have been.
void report(std::string_view what);

}  // namespace mqlab::cli::crash
