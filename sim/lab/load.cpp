#include "sim/lab/load.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/lab/transform_loop.h"

namespace mqlab {
namespace {

constexpr std::uint64_t timer_pace = 0;

}  // namespace

const std::vector<OptionDecl>& load_options() {
  using T = OptionType;
  static const std::vector<OptionDecl> producer = {
      {"topic", "producer", T::text, std::string(), "Where to send: a topic.", "", {}},
      {"records", "producer", T::integer, std::int64_t{20}, "How many messages to send.", "", {}, 0, 1'000'000'000},
      {"every", "producer", T::duration, std::int64_t{10'000'000}, "Time between two sends; 0 = as fast as the window allows.", "", {}, 0},
      {"start_at", "producer", T::duration, std::int64_t{1'000'000'000}, "When the first message is sent.", "", {}, 0},
      {"keys", "producer", T::integer, std::int64_t{0}, "How many business keys the messages take in turn; 0 = no key.", "", {}, 0, 1'000'000'000},
      {"tombstone_every", "producer", T::integer, std::int64_t{0}, "Every so-many-th message has no body, to say that its key is deleted; 0 = none.", "", {}, 0, 1'000'000'000},
      {"partition", "producer", T::integer, std::int64_t{-1}, "Send to this partition; -1 = as the partitioner chooses.", "", {}, -1, 1'000'000},
      {"size", "producer", T::integer, std::int64_t{100}, "Bytes of a message.", "", {}, 0, 1'000'000'000},
      {"window", "producer", T::integer, std::int64_t{1000}, "At most so many sends without an answer.", "", {}, 1, 1'000'000'000},
      {"resend", "producer", T::boolean, false, "The application sends a message again when its send did not end ok.", "", {}},
      {"resend_limit", "producer", T::integer, std::int64_t{1}, "... at most so many times in all for each message sent.", "", {}, 0, 1'000'000},
      {"replay", "producer", T::boolean, true, "After a restart of the process, send again what was not acknowledged (false: go on after the last sent).", "", {}},
      {"stop_on_error", "producer", T::boolean, false, "Stop at the first send that does not end ok.", "", {}},
      {"timestamp_offset", "producer", T::duration, std::int64_t{0}, "What the application adds to the record's timestamp.", "", {}},
  };
  static const std::vector<OptionDecl> all = [] {
    std::vector<OptionDecl> both = producer;
    both.insert(both.end(), consumer_load_options().begin(), consumer_load_options().end());
    both.insert(both.end(), transform_load_options().begin(), transform_load_options().end());
    return both;
  }();
  return all;
}

ProducerLoad::ProducerLoad(const Options& o)
    : topic_(o.text("topic")),
      records_(static_cast<std::uint64_t>(o.integer("records"))),
      every_(o.duration("every")),
      start_at_(o.duration("start_at")),
      keys_(static_cast<std::uint64_t>(o.integer("keys"))),
      tombstone_every_(static_cast<std::uint64_t>(o.integer("tombstone_every"))),
      partition_(o.integer("partition")),
      size_(static_cast<std::uint32_t>(o.integer("size"))),
      window_(static_cast<std::uint64_t>(o.integer("window"))),
      resend_(o.boolean("resend")),
      resend_limit_(static_cast<std::uint64_t>(o.integer("resend_limit"))),
      replay_(o.boolean("replay")),
      stop_on_error_(o.boolean("stop_on_error")),
      timestamp_offset_(o.duration("timestamp_offset")) {}

void ProducerLoad::on_start(AppContext& a) {
  a.sleep(std::max<Duration>(0, start_at_ - a.now()), timer_pace);
  timer_set_ = true;
}

void ProducerLoad::on_timer(AppContext& a, std::uint64_t) {
  timer_set_ = false;
  pace(a);
}

void ProducerLoad::pace(AppContext& a) {
  while (!stopped_ && !timer_set_ && next_ <= records_ && in_flight_ < window_) {
    send(a, next_++);
    if (every_ > 0 && next_ <= records_) {
      a.sleep(every_, timer_pace);
      timer_set_ = true;
    }
  }
}

void ProducerLoad::send(AppContext& a, std::uint64_t number) {
  Call call;
  call.kind = CallKind::send;
  call.place = a.names().id(topic_);
  call.message = numbered_message(a.context.self(), number);
  if (keys_ > 0) call.key = a.names().id(fmt::format("k{}", number % keys_));
  call.partition = static_cast<std::int32_t>(partition_);
  call.size = size_;
  call.tombstone = tombstone_every_ > 0 && number % tombstone_every_ == 0;
  if (timestamp_offset_ != 0) call.timestamp = a.context.wall() + timestamp_offset_;
  ++in_flight_;
  a.call(std::move(call));
}

void ProducerLoad::on_answer(AppContext& a, const Answer& answer) {
  if (answer.kind != CallKind::send) return;
  --in_flight_;
  const std::uint64_t number = answer.message & ((std::uint64_t{1} << 40) - 1);
  if (answer.outcome == Outcome::ok) {
    acknowledged_.insert(std::lower_bound(acknowledged_.begin(), acknowledged_.end(), number), number);
    std::size_t run = 0;
    while (run < acknowledged_.size() && acknowledged_[run] <= confirmed_ + 1) confirmed_ = std::max(confirmed_, acknowledged_[run++]);
    acknowledged_.erase(acknowledged_.begin(), acknowledged_.begin() + static_cast<std::ptrdiff_t>(run));
  } else {
    ++failed_;
    if (stop_on_error_) stopped_ = true;
    if (resend_ && !stopped_ && resent_ < resend_limit_ * records_) {
      ++resent_;
      send(a, number);
    }
  }
  if (every_ == 0) pace(a);
  else if (!timer_set_) pace(a);
}

void ProducerLoad::on_crash() {
  // The input is a file or table of its own: the application knows what was acknowledged without a
  // gap, and whether it then replays the rest is its choice.
  if (replay_) next_ = confirmed_ + 1;
  acknowledged_.clear();
  in_flight_ = 0;
  timer_set_ = false;
}

bool ProducerLoad::done() const { return (stopped_ || next_ > records_) && in_flight_ == 0; }

Tree ProducerLoad::state() const {
  Tree t{"producer application", fmt::format("{} of {} sent", next_ - 1, records_), {}};
  t.add("without answer", std::to_string(in_flight_));
  t.add("not ok", std::to_string(failed_));
  if (resend_) t.add("sent again", std::to_string(resent_));
  return t;
}

}  // namespace mqlab
