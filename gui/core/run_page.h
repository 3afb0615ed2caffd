// gui/core/run_page.h: a run as one HTML file that needs nothing else.
//
// Verdicts first, then the story behind the worst of them as a picture that is there without script, then the whole run to
// pan and zoom, the scenario, and the numbers that make it again: seed, settings, fingerprint. A block of JSON says the same
// to a machine. Nothing is loaded from elsewhere; it opens from a file.
//
// Always true: 1. whatever names and texts a scenario has, they are text on the page. 2. The same run gives the same page,
// but for the bytes into which a zlib packs the messages.
// Elsewhere: the window (gui/qt) and `mqlab run --html` write the same page.
//
//     write_file("run.html", run_page(EventIndex(recording), {.command = "mqlab run x.lua --seed 7"}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gui/core/event_index.h"

namespace mqlab::gui {

struct RunPageOptions {
  std::string command{};             // that makes this run again
  std::string version{};
  std::size_t messages_most = 200'000;  // of a longer run the first ones; the page says so
  std::size_t marks_most = 4'000;
  std::size_t lost_most = 4'000;        // messages that never arrived: the first ones, those that are no heartbeats before others
};

std::string run_page(const EventIndex& index, const RunPageOptions& options = {});

// The messages as the page carries them, before they are packed: for each, in the order of arrival, five numbers in LEB128:
// nanoseconds since the arrival before, nanoseconds on the way, sender, receiver, kind.
std::string message_bytes(const EventIndex& index, std::size_t most);
// gzip, then base64.
std::string packed(std::string_view bytes);

}  // namespace mqlab::gui
