#include "sim/lab/transform_loop.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab {
namespace {

constexpr std::uint64_t timer_start = 0;
constexpr std::uint64_t timer_work = 1;
constexpr std::uint64_t timer_rest = 2;

constexpr Duration after_an_error = 100'000'000;

const std::vector<std::string> position_words{"in_transaction", "beside", "after", "before"};
const std::vector<std::string> abort_words{"rewind", "go_on"};
const std::vector<std::string> rewind_words{"committed", "batch"};
const std::vector<std::string> unknown_words{"retry", "new_producer", "go_on"};
const std::vector<std::string> fatal_words{"new_producer", "stop", "go_on"};

// The words stand in the order of the enumeration.
template <class Enum>
Enum word(const std::vector<std::string>& words, const std::string& text) {
  return static_cast<Enum>(std::find(words.begin(), words.end(), text) - words.begin());
}

}  // namespace

const std::vector<OptionDecl>& transform_load_options() {
  using T = OptionType;
  static const std::vector<OptionDecl> all = {
      {"positions", "transform", T::choice, std::string("in_transaction"),
       "How the positions of what was read are stored: in the transaction of the outputs; by a commit of their own after it; or, without transactions, after or before the outputs.", "", position_words},
      {"on_abort", "transform", T::choice, std::string("rewind"), "After an abort: go back to read the batch again, or go on behind it.", "KAFKA-17582", abort_words},
      {"rewind_to", "transform", T::choice, std::string("committed"), "Where to go back to: where the group stands, or where the batch began.", "", rewind_words},
      {"on_unknown", "transform", T::choice, std::string("retry"), "After a commit of unknown outcome: ask again; drop the producer and make a new one; or go on as if it were done.", "", unknown_words},
      {"on_fatal", "transform", T::choice, std::string("new_producer"), "After a fatal error of the producer: make a new one, stop, or go on with it.", "", fatal_words},
      {"id_each_start", "transform", T::boolean, false, "Each life of the process has a transactional id of its own: the declared one, -1, -2 ...", "", {}},
      {"abort_every", "transform", T::integer, std::int64_t{0}, "The application itself aborts every so-many-th transaction; 0 = none.", "", {}, 0, 1'000'000},
  };
  return all;
}

bool transform_reads(const std::string& scope, const std::string& option) {
  static const std::vector<std::string> consumer{"topics", "start_at", "poll_timeout", "max_poll", "work"};
  return scope == "producer" ? option == "topic" : std::find(consumer.begin(), consumer.end(), option) != consumer.end();
}

std::optional<std::string> check_transform(const Options& producer, const Options& consumer) {
  const auto text = [](const Options& o, const char* name) { return o.has(name) ? o.text(name) : std::string(); };
  if (text(producer, "topic").empty()) return "has no `topic` to send to";
  if (consumer.list("topics").empty() || consumer.list("topics").front().empty()) return "has no `topics` to read";
  const std::string& positions = producer.text("positions");
  if ((positions == "in_transaction" || positions == "beside") && text(producer, "transactional_id").empty())
    return "writes in transactions and has no `transactional_id`; without transactions, say positions = \"after\"";
  if (text(consumer, "group").empty()) return "stores positions and has no `group`";
  return std::nullopt;
}

void TransformLoop::configure(const std::vector<OptionDecl>&, const Options& producer, const Options& consumer, const Options& /*knobs*/) {
  const auto text = [](const Options& o, const char* name) { return o.has(name) ? o.text(name) : std::string(); };
  topics_ = consumer.list("topics");
  std::erase(topics_, "");
  topic_ = producer.text("topic");
  group_ = text(consumer, "group");
  transactional_id_ = text(producer, "transactional_id");
  start_at_ = consumer.duration("start_at");
  poll_timeout_ = consumer.duration("poll_timeout");
  work_ = consumer.duration("work");
  max_poll_ = static_cast<std::uint32_t>(consumer.integer("max_poll"));
  positions_ = word<Positions>(position_words, producer.text("positions"));
  on_abort_ = word<OnAbort>(abort_words, producer.text("on_abort"));
  rewind_to_batch_ = producer.text("rewind_to") == "batch";
  on_unknown_ = word<OnUnknown>(unknown_words, producer.text("on_unknown"));
  on_fatal_ = word<OnFatal>(fatal_words, producer.text("on_fatal"));
  id_each_start_ = producer.boolean("id_each_start");
  abort_every_ = static_cast<std::uint64_t>(producer.integer("abort_every"));
}

void TransformLoop::ask(AppContext& a, CallKind k, Waits waits) {
  waits_ = waits;
  Call call;
  call.kind = k;
  waits_for_ = a.call(std::move(call));
}

// ---------------------------------------------------------------------------------------------
// The beginning: who is this producer, and only then what is there to do.

void TransformLoop::on_start(AppContext& a) {
  ++starts_;
  if (start_at_ <= a.now()) return start(a);
  waits_ = Waits::start;
  a.sleep(start_at_ - a.now(), timer_start);
}

void TransformLoop::start(AppContext& a) {
  if (!transacts()) return transactional_id_.empty() ? read(a) : make_producer(a, Waits::renamed);
  if (id_each_start_) make_producer(a, Waits::renamed);
  else init(a);
}

void TransformLoop::make_producer(AppContext& a, Waits waits) {
  waits_ = waits;
  Call call;
  call.kind = CallKind::other;
  call.verb = "new_producer";
  if (!transacts()) call.argument = "none";
  else if (id_each_start_) call.argument = fmt::format("{}-{}", transactional_id_, starts_);
  waits_for_ = a.call(std::move(call));
}

void TransformLoop::init(AppContext& a) {
  waits_ = Waits::init;
  Call call;
  call.kind = CallKind::other;
  call.verb = "init_transactions";
  waits_for_ = a.call(std::move(call));
}

void TransformLoop::read(AppContext& a) {
  if (!reads_) {
    Call call;
    call.kind = CallKind::subscribe;
    for (const std::string& t : topics_) call.argument += (call.argument.empty() ? "" : ",") + t;
    a.call(std::move(call));
    reads_ = true;
  }
  poll(a);
}

void TransformLoop::poll(AppContext& a) {
  waits_ = Waits::poll;
  Call call;
  call.kind = CallKind::poll;
  call.timeout = poll_timeout_;
  call.count = max_poll_;
  waits_for_ = a.call(std::move(call));
}

void TransformLoop::rest(AppContext& a) {
  waits_ = Waits::rest;
  a.sleep(after_an_error, timer_rest);
}

// ---------------------------------------------------------------------------------------------
// A batch: read, begin, work and send, store positions, end.

void TransformLoop::on_polled(AppContext& a, const Answer& answer) {
  if (answer.outcome != Outcome::ok) {
    if (answer.error == 0 || a.names().text(answer.error) != "FENCED_INSTANCE_ID") return rest(a);
    waits_ = Waits::nothing;  // another process has this one's static membership
    return;
  }
  if (answer.messages.empty()) return poll(a);
  batch_.assign(answer.messages.begin(), answer.messages.end());
  began_.clear();
  for (const PolledMessage& m : batch_)
    if (std::none_of(began_.begin(), began_.end(), [&](const auto& b) { return b.first == m.place; })) began_.emplace_back(m.place, m.position);
  send_failed_ = false;
  ++batches_;
  if (positions_ == Positions::before) return plain_commit(a);
  if (transacts()) return begin(a);
  work(a);
}

void TransformLoop::begin(AppContext& a) {
  ending_ = true;
  ask(a, CallKind::begin, Waits::begin);
}

void TransformLoop::work(AppContext& a) {
  while (!batch_.empty()) {
    if (work_ > 0) {
      waits_ = Waits::work;
      return a.sleep(work_, timer_work);
    }
    send(a);
  }
  all_sent(a);
}

// The output of a message is the message, sent on.
void TransformLoop::send(AppContext& a) {
  const PolledMessage m = batch_.front();
  batch_.pop_front();
  Call call;
  call.kind = CallKind::send;
  call.place = a.names().id(topic_);
  call.message = m.message;
  call.key = m.key;
  call.tombstone = m.tombstone;
  ++open_sends_;
  ++sent_;
  a.call(std::move(call));
  a.processed(m);
}

// Without transactions somebody must wait for the outputs; a commit does it by itself.
void TransformLoop::all_sent(AppContext& a) {
  ending_ = true;
  if (transacts()) return store_positions(a);
  waits_ = Waits::outputs;
  if (open_sends_ > 0) return;
  if (send_failed_) return rewind(a);
  if (positions_ == Positions::after) return plain_commit(a);
  batch_over(a);
}

void TransformLoop::store_positions(AppContext& a) {
  if (positions_ == Positions::in_transaction) ask(a, CallKind::send_offsets, Waits::positions);
  else end(a);
}

void TransformLoop::end(AppContext& a) {
  if (abort_every_ > 0 && batches_ % abort_every_ == 0) abort(a);
  else commit(a);
}

void TransformLoop::commit(AppContext& a) { ask(a, CallKind::end_commit, Waits::commit); }
void TransformLoop::abort(AppContext& a) { ask(a, CallKind::end_abort, Waits::abort); }

void TransformLoop::on_ended(AppContext& a, const Answer& answer) {
  const bool commits = waits_ == Waits::commit;
  if (answer.outcome == Outcome::info) {
    if (!commits) return abort(a);
    if (on_unknown_ == OnUnknown::retry) return commit(a);
    if (on_unknown_ == OnUnknown::new_producer) {
      rewinds_ = true;
      return make_producer(a, Waits::new_producer);
    }
  } else if (answer.outcome == Outcome::fail) {
    if (commits) return abort(a);
    return fatal(a);  // what can't even be aborted
  }
  if (!commits) {
    ++aborted_;
    if (on_abort_ == OnAbort::rewind) return rewind(a);
  } else if (positions_ == Positions::beside) {
    return plain_commit(a);
  }
  batch_over(a);
}

void TransformLoop::plain_commit(AppContext& a) { ask(a, CallKind::commit, Waits::plain_commit); }

void TransformLoop::on_plain_commit(AppContext& a, const Answer& answer) {
  // At most once: what may not be stored may not be done.
  if (positions_ == Positions::before) return answer.outcome == Outcome::ok ? work(a) : rewind(a);
  // What was done and not stored is done again after a rebalance or a restart; meanwhile the loop goes on.
  batch_over(a);
}

void TransformLoop::batch_over(AppContext& a) {
  ending_ = false;
  batch_.clear();
  read(a);
}

// ---------------------------------------------------------------------------------------------
// Back, and a new beginning.

void TransformLoop::fatal(AppContext& a) {
  ending_ = false;
  if (on_fatal_ == OnFatal::stop) {
    batch_.clear();
    waits_ = Waits::nothing;
    return;
  }
  if (on_fatal_ == OnFatal::go_on) {
    batch_.clear();
    return rest(a);
  }
  rewinds_ = reads_;
  make_producer(a, Waits::new_producer);
}

// The library's position stands behind the batch: each place must go back by hand.
void TransformLoop::rewind(AppContext& a) {
  ending_ = false;
  batch_.clear();
  waits_ = Waits::rewind;
  waits_for_ = 0;
  for (const auto& [place, position] : began_) {
    Call call;
    call.kind = CallKind::seek;
    call.place = place;
    call.position = rewind_to_batch_ ? position : -1;
    waits_for_ = a.call(std::move(call));
  }
  if (waits_for_ == 0) read(a);
}

// ---------------------------------------------------------------------------------------------

void TransformLoop::on_answer(AppContext& a, const Answer& answer) {
  if (answer.kind == CallKind::send) {
    if (open_sends_ > 0) --open_sends_;
    send_failed_ = send_failed_ || answer.outcome != Outcome::ok;
    if (waits_ == Waits::outputs && open_sends_ == 0) all_sent(a);
    return;
  }
  if (answer.call != waits_for_) return;
  const bool ok = answer.outcome == Outcome::ok;
  switch (waits_) {
    case Waits::poll: return on_polled(a, answer);
    case Waits::renamed:
    case Waits::new_producer: return transacts() ? init(a) : read(a);
    case Waits::init:
      if (!ok) {
        // A fatal error: only another producer helps. That the coordinator did not answer in time is none.
        const bool late = answer.error != 0 && a.names().text(answer.error) == "REQUEST_TIMED_OUT";
        if (late) return init(a);
        if (on_fatal_ == OnFatal::stop) return fatal(a);
        return rest(a);
      }
      if (rewinds_) {
        rewinds_ = false;
        return rewind(a);
      }
      return read(a);
    case Waits::begin: return ok ? work(a) : abort(a);
    case Waits::positions: return ok ? end(a) : abort(a);
    case Waits::commit:
    case Waits::abort: return on_ended(a, answer);
    case Waits::plain_commit: return on_plain_commit(a, answer);
    case Waits::rewind: return read(a);
    default: return;
  }
}

void TransformLoop::on_timer(AppContext& a, std::uint64_t argument) {
  if (argument == timer_start) return start(a);
  if (argument == timer_rest) {
    if (transacts() && !reads_) return make_producer(a, Waits::new_producer);
    return read(a);
  }
  send(a);
  work(a);
}

void TransformLoop::on_crash() {
  waits_ = Waits::start;
  waits_for_ = 0;
  reads_ = ending_ = rewinds_ = send_failed_ = false;
  batch_.clear();
  began_.clear();
  open_sends_ = 0;
}

Tree TransformLoop::state() const {
  Tree t{"transforming application", fmt::format("{} sent on in {} batches", sent_, batches_), {}};
  t.add("of the batch in hand", std::to_string(batch_.size()));
  if (aborted_ > 0) t.add("transactions aborted", std::to_string(aborted_));
  return t;
}

}  // namespace mqlab
