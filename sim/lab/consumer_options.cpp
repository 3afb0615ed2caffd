#include "sim/lab/consumer_options.h"

#include <algorithm>

namespace mqlab {
namespace {

const std::vector<std::string> commit_words{"library", "before", "after", "each", "highest", "prefix", "store"};
const std::vector<std::string> failure_words{"block", "skip", "retry_topic", "dead_letter"};
const std::vector<std::string> ack_words{"implicit", "accept", "release_failed", "reject_failed"};

// The words stand in the order of the enumeration.
template <class Enum>
Enum word(const std::vector<std::string>& words, const std::string& text) {
  return static_cast<Enum>(std::find(words.begin(), words.end(), text) - words.begin());
}

std::vector<std::string> names(const Options& o, const std::string& option) {
  std::vector<std::string> all = o.list(option);
  std::erase(all, "");
  return all;
}

}  // namespace

const std::vector<OptionDecl>& consumer_load_options() {
  using T = OptionType;
  static const std::vector<OptionDecl> all = {
      {"topics", "consumer", T::list, std::string(), "What to read: topics, or single partitions as orders/0.", "", {}},
      {"poll_every", "consumer", T::duration, std::int64_t{0}, "Time between the end of the work on one poll and the next poll.", "", {}, 0},
      {"poll_timeout", "consumer", T::duration, std::int64_t{1'000'000'000}, "How long a poll waits for messages.", "", {}, 0},
      {"work", "consumer", T::duration, std::int64_t{0}, "How long the application works on each message.", "", {}, 0},
      {"start_at", "consumer", T::duration, std::int64_t{0}, "When it begins to read.", "", {}, 0},
      {"seek_to", "consumer", T::integer, std::int64_t{-1}, "Begin at this position; -1 = as the library is set up.", "", {}, -1},
      {"max_poll", "consumer", T::integer, std::int64_t{0}, "A poll takes at most so many messages; 0 = as the library is set up.", "", {}, 0, 1'000'000},
      {"commit", "consumer", T::choice, std::string("library"),
       "When positions are committed by hand: before or after the work on a batch, after each message; with workers after the highest finished message, or the finished prefix; `store` hands finished ones to librdkafka.",
       "", commit_words},
      {"commit_async", "consumer", T::boolean, false, "The application does not wait for the answer to a commit; several may be under way.", "", {}},
      {"commit_on_revoke", "consumer", T::boolean, false, "When places are taken away, it first commits what is done there.", "", {}},
      {"finish_revoked", "consumer", T::boolean, false, "It goes on with messages of places that were taken away.", "", {}},
      {"workers", "consumer", T::integer, std::int64_t{0}, "So many workers do the work, and the loop polls on meanwhile; 0 = the loop works itself.", "", {}, 0, 1'000},
      {"queue", "consumer", T::integer, std::int64_t{0}, "At most so many messages wait for a worker; then the loop waits too, and does not poll. 0 = any number.", "", {}, 0, 1'000'000},
      {"pause_while_working", "consumer", T::boolean, false, "The loop pauses the places of a batch and polls on until the batch is finished.", "", {}},
      {"work_slow_message", "consumer", T::text, std::string(), "The work on this message, as P1-7, takes `work_slow`.", "", {}},
      {"work_slow", "consumer", T::duration, std::int64_t{0}, "... so long.", "", {}, 0},
      {"retry_delay", "consumer", T::duration, std::int64_t{0}, "A message is worked on no sooner than so long after it came (for the reader of a retry topic).", "", {}, 0},
      {"effect", "consumer", T::text, std::string(), "What the work on a message does to the world outside, by name; empty = nothing.", "", {}},
      {"poison", "consumer", T::list, std::string(), "The work on these messages, as P1-7, fails ...", "", {}},
      {"poison_until", "consumer", T::duration, std::int64_t{0}, "... until this time: what the work needs is down so long. 0 = always.", "", {}, 0},
      {"attempts", "consumer", T::integer, std::int64_t{1}, "How often the work on a message is tried before on_failure; 0 = again and again.", "", {}, 0, 1'000'000},
      {"attempt_backoff", "consumer", T::duration, std::int64_t{1'000'000'000}, "Rest between two attempts.", "", {}, 1'000'000},
      {"on_failure", "consumer", T::choice, std::string("block"), "Then: try on for ever, leave the message, or send it to retry_topic or to dead_letter_topic.", "", failure_words},
      {"retry_topic", "consumer", T::text, std::string(), "Where failed messages go to be tried again.", "", {}},
      {"dead_letter_topic", "consumer", T::text, std::string(), "Where failed messages go for good.", "", {}},
      {"ack", "consumer", T::choice, std::string("implicit"),
       "Share groups: the next poll confirms all, or each message is accepted when it is done; one that failed is released (for another try) or rejected.", "", ack_words},
  };
  return all;
}

LoopOptions::LoopOptions(const Options& o)
    : topics(o.list("topics")),
      group(o.has("group") ? o.text("group") : std::string()),
      start_at(o.duration("start_at")),
      seek_to(o.integer("seek_to")),
      poll_every(o.duration("poll_every")),
      poll_timeout(o.duration("poll_timeout")),
      max_poll(static_cast<std::uint32_t>(o.integer("max_poll"))),
      commit(word<CommitWhen>(commit_words, o.text("commit"))),
      commit_async(o.boolean("commit_async")),
      commit_on_revoke(o.boolean("commit_on_revoke")),
      finish_revoked(o.boolean("finish_revoked")),
      work(o.duration("work")),
      work_slow_message(o.text("work_slow_message")),
      work_slow(o.duration("work_slow")),
      retry_delay(o.duration("retry_delay")),
      effect(o.text("effect")),
      workers(static_cast<std::size_t>(o.integer("workers"))),
      queue(static_cast<std::size_t>(o.integer("queue"))),
      pause_while_working(o.boolean("pause_while_working")),
      poison(names(o, "poison")),
      poison_until(o.duration("poison_until")),
      attempts(static_cast<std::uint32_t>(o.integer("attempts"))),
      attempt_backoff(o.duration("attempt_backoff")),
      on_failure(word<OnFailure>(failure_words, o.text("on_failure"))),
      retry_topic(o.text("retry_topic")),
      dead_letter_topic(o.text("dead_letter_topic")),
      ack(word<AckHow>(ack_words, o.text("ack"))) {}

std::optional<std::string> check_consumer_loop(const Options& o) {
  const LoopOptions loop(o);
  const bool by_hand = loop.commit != CommitWhen::library || loop.commit_on_revoke;
  if (by_hand && loop.group.empty()) return "commits positions, but reads for no `group`";
  if (loop.commit == CommitWhen::each && loop.has_pool()) return "has workers: `commit` after each message is for a loop that works itself; use highest, prefix or after";
  if (loop.queue > 0 && !loop.has_pool()) return "has a `queue`, but no `workers` to read it";
  if (loop.on_failure == OnFailure::retry_topic && loop.retry_topic.empty()) return "sends failed messages to a retry topic: `retry_topic` must name it";
  if (loop.on_failure == OnFailure::dead_letter && loop.dead_letter_topic.empty()) return "sends failed messages to a dead-letter topic: `dead_letter_topic` must name it";
  return std::nullopt;
}

std::string consumer_loop_sends_to(const Options& o) {
  const LoopOptions loop(o);
  return loop.on_failure == OnFailure::retry_topic ? loop.retry_topic : loop.on_failure == OnFailure::dead_letter ? loop.dead_letter_topic : std::string();
}

}  // namespace mqlab
