// sim/hunt/capsule.h: a run in a nutshell, to send to somebody and to run again.
//
// One small JSON text: the plan as Lua with its seed, what it shows and by which mechanism, the fingerprint of the run, and
// which mqlab wrote it. The same mqlab gives the same fingerprint; another one may have other rules, and then the question is
// whether the anomaly is still shown, by the same mechanism.
//
// Always true: read_capsule(capsule_text(c)) == c. What is no capsule is refused with the place and the remedy, whatever it is.
// Elsewhere: smaller plans (shrink.h).
//
//     write_file("small.capsule", capsule_text(make_capsule(plan, model, "lost-message", MQLAB_VERSION)));
//     Replay r = replay(read_capsule(text), models);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/hunt/mechanism.h"

namespace mqlab {

inline constexpr std::string_view capsule_format = "mqlab-capsule/1";

struct Capsule {
  std::string version;      // of the mqlab that wrote it
  std::string model;
  std::uint64_t seed = 1;
  Mechanism mechanism;      // its anomaly is what the run shows
  std::string sentence;     // of the first finding
  std::string fingerprint;
  std::string scenario;     // Lua
  bool operator==(const Capsule&) const = default;
};

// Runs the plan for its fingerprint, and its parts for what is routine. Requires: it shows the anomaly and can be printed.
Capsule make_capsule(const Scenario& plan, const Model& model, const std::string& anomaly, const std::string& version);

std::string capsule_text(const Capsule& c);
// Throws InputError.
Capsule read_capsule(std::string_view text);

struct Replay {
  std::string fingerprint;
  bool same_run = false;    // the same fingerprint
  bool shown = false;       // the anomaly is seen
  bool same_story = false;  // ... and came about as it did
  Mechanism mechanism;      // as it is now, where it is shown
};
// Throws InputError when the scenario does not fit, or the model is not there.
Replay replay(const Capsule& c, const Models& models);

}  // namespace mqlab
