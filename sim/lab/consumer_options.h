// sim/lab/consumer_options.h: what the loop of a declared consumer can be asked to do.
//
// Each option is declared once (consumer_load_options) and read once into a LoopOptions; the loop
// itself (consumer_loop.h) reads only that. `group` is the model's own option: a model without
// groups has none, and then the loop assigns itself what it reads.
//
//     LoopOptions loop(spec.options);
//     if (auto error = check_consumer_loop(spec.options)) complain(*error);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/lab/options.h"

namespace mqlab {

// When the position after a record is committed by hand.
enum class CommitWhen : std::uint8_t {
  library,  // never: the library does it by itself, or nobody
  before,   // the whole batch, before any of it is worked on
  after,    // when nothing of what came is unfinished
  each,     // after each record
  highest,  // workers: after the furthest record that is finished
  prefix,   // workers: after the last record before which all are finished
  store     // librdkafka: what `prefix` says is only stored, and the library commits it
};

// What becomes of a record whose processing failed as often as it was to be tried.
enum class OnFailure : std::uint8_t { block, skip, retry_topic, dead_letter };

// What a member of a share group says of a record when it is done with it.
enum class AckHow : std::uint8_t { implicit, accept, release_failed, reject_failed };

struct LoopOptions {
  std::vector<std::string> topics{};
  std::string group{};
  Duration start_at{};
  std::int64_t seek_to = -1;
  Duration poll_every{};
  Duration poll_timeout{};
  std::uint32_t max_poll = 0;

  CommitWhen commit = CommitWhen::library;
  bool commit_async = false;
  bool commit_on_revoke = false;
  bool finish_revoked = false;

  Duration work{};
  std::string work_slow_message{};
  Duration work_slow{};
  Duration retry_delay{};
  std::string effect{};
  std::size_t workers = 0;
  std::size_t queue = 0;
  bool pause_while_working = false;

  std::vector<std::string> poison{};
  Duration poison_until{};
  std::uint32_t attempts = 1;
  Duration attempt_backoff{};
  OnFailure on_failure = OnFailure::block;
  std::string retry_topic{};
  std::string dead_letter_topic{};
  AckHow ack = AckHow::implicit;

  LoopOptions() = default;
  explicit LoopOptions(const Options& o);

  // Who works: others than the thread that polls?
  bool has_pool() const { return workers > 0 || pause_while_working; }
  std::size_t hands() const { return workers > 0 ? workers : 1; }
  // A record that fails is tried until it succeeds, and if it never does, for ever.
  bool tries_on() const {
    return attempts == 0 || (on_failure == OnFailure::block && ack != AckHow::release_failed && ack != AckHow::reject_failed);
  }
};

// Scope "consumer"; a part of load_options().
const std::vector<OptionDecl>& consumer_load_options();

// What the single options cannot say: "retry_topic names no topic". The text is for people.
std::optional<std::string> check_consumer_loop(const Options& o);
// The topic that it also sends to: then its client must be a producer too. Empty: none.
std::string consumer_loop_sends_to(const Options& o);

}  // namespace mqlab
