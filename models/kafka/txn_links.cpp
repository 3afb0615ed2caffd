// What brokers ask each other about transactions: over the network, or each of itself.
#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {

void Broker::ask_broker(Context& c, BrokerId to, Kind k, PayloadRef payload, std::uint64_t number) {
  if (to == id_) return on_txn_request(c, {no_connection, c.self(), number}, k, payload);
  links_.ask(c, cluster_->node_of(to), k, std::move(payload), 128, number, cluster_->settings.request_timeout);
}

// This broker hears its own answers after the present handler.
void Broker::answer_broker(Context& c, const Waiting& to, Kind k, PayloadRef payload) {
  if (to.connection != no_connection) return c.send(to.connection, kind(k), std::move(payload), 64, to.word);
  if (local_answers_.empty()) c.set_timer(0, timer_local_answer);
  local_answers_.push_back({to.word, k, std::move(payload)});
}

void Broker::on_local_answers(Context& c) {
  std::vector<LocalAnswer> answers;
  answers.swap(local_answers_);
  for (const LocalAnswer& a : answers) on_txn_answer(c, a.number, a.kind, a.payload);
}

void Broker::on_txn_request(Context& c, const Waiting& from, Kind k, const PayloadRef& request) {
  switch (k) {
    case Kind::write_txn_markers: return on_write_txn_markers(c, from, request);
    case Kind::add_partitions_to_txn:
    case Kind::add_offsets_to_txn:
    case Kind::end_txn: return on_coordinator_request(c, from, k, request);
    default: break;
  }
}

void Broker::on_txn_answer(Context& c, std::uint64_t number, Kind k, const PayloadRef& answer) {
  links_.answered(c, number);
  switch (k) {
    case Kind::add_partitions_to_txn_reply: return on_add_partitions_answer(c, number, payload_as<AddPartitionsToTxnReply>(answer));
    case Kind::write_txn_markers_reply: return on_markers_reply(c, number, answer);
    default: break;
  }
}

// Nobody will answer these: whoever asked asks again.
void Broker::txn_asks_lost(Context& c, const std::vector<std::uint64_t>& numbers) {
  questions_lost(c, numbers);
  for (const std::uint64_t number : numbers) markers_lost(c, number);
}

}  // namespace mqlab::kafka
