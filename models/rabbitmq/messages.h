// models/rabbitmq/messages.h: AMQP 0-9-1 methods as they go over a connection, and what nodes say to each other.
//
// One struct a method, in the order of a normal exchange; names and fields as in the specification. A method
// with content (publish, return, deliver, get-ok) carries it along: header and body are no frames of their own.
// Message::word is the channel's number; 0 is the connection itself.
//
// Elsewhere: which handler takes what (README.md), text (describe.cpp), content (content.h).
// Source: AMQP 0-9-1 with RabbitMQ's extensions (amqp-rabbitmq-0.9.1.json).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/rabbitmq/content.h"
#include "sim/world/journal.h"
#include "sim/world/payload.h"

namespace mqlab::rabbitmq {

enum class Kind : MessageKind {
  protocol_header = 100,
  connection_start,
  connection_start_ok,
  connection_tune,
  connection_tune_ok,
  connection_open,
  connection_open_ok,
  connection_close,
  connection_close_ok,
  connection_blocked,
  connection_unblocked,
  heartbeat,
  channel_open,
  channel_open_ok,
  channel_close,
  channel_close_ok,
  exchange_declare,
  exchange_declare_ok,
  exchange_delete,
  exchange_delete_ok,
  exchange_bind,
  exchange_bind_ok,
  exchange_unbind,
  exchange_unbind_ok,
  queue_declare,
  queue_declare_ok,
  queue_bind,
  queue_bind_ok,
  queue_unbind,
  queue_unbind_ok,
  queue_purge,
  queue_purge_ok,
  queue_delete,
  queue_delete_ok,
  basic_qos,
  basic_qos_ok,
  basic_consume,
  basic_consume_ok,
  basic_cancel,
  basic_cancel_ok,
  basic_publish,
  basic_return,
  basic_deliver,
  basic_get,
  basic_get_ok,
  basic_get_empty,
  basic_ack,
  basic_reject,
  basic_nack,
  basic_recover,
  basic_recover_ok,
  confirm_select,
  confirm_select_ok,
  tx_select,
  tx_select_ok,
  tx_commit,
  tx_commit_ok,
  tx_rollback,
  tx_rollback_ok,
  // Of the stream protocol, which has a connection of its own in the product.
  stream_store_offset,
  stream_query_offset,
  stream_offset,
  stream_query_publisher,
  stream_publisher_sequence,
  stream_consumer_update,
  stream_consumer_update_ok,
};
constexpr MessageKind kind(Kind k) { return static_cast<MessageKind>(k); }
const char* name(Kind k);  // "basic.publish"

// Declares the kinds to a world (describe.cpp).
const std::vector<MessageDecl>& message_declarations();

// Takes a method over a connection.
template <class M>
struct Frame : Payload {
  explicit Frame(M m) : method(std::move(m)) {}
  M method;
};
template <class M>
PayloadRef framed(M method) {
  return std::make_shared<const Frame<M>>(std::move(method));
}
// Requires: the payload came with the Kind that belongs to M.
template <class M>
const M& method_as(const PayloadRef& payload) {
  return payload_as<Frame<M>>(payload).method;
}

// --- connection ---
struct ConnectionStartOk {
  std::string user{};
  bool blocked_capability = true;         // connection.blocked
  bool cancel_notify_capability = true;   // consumer_cancel_notify
};
struct ConnectionTune {  // and tune-ok
  std::uint16_t channel_max = 2047;
  Duration heartbeat{};  // 0: none
};
struct ConnectionOpen { std::string vhost = "/"; };
struct Close {  // of a connection or a channel
  std::uint16_t code{};
  std::string text{};
  std::string method{};   // the method that caused it
};
struct ConnectionBlocked { std::string reason{}; };

// --- exchange, queue ---
struct ExchangeDeclare {
  std::string exchange{}, type{};
  bool passive = false, durable = false, auto_delete = false, internal = false;
  Table args{};
};
struct ExchangeDelete {
  std::string exchange{};
  bool if_unused = false;
};
struct ExchangeBind {  // and unbind
  std::string destination{}, source{}, routing_key{};
  Table args{};
};
struct QueueDeclare {
  std::string queue{};
  bool passive = false, durable = false, exclusive = false, auto_delete = false;
  Table args{};
};
struct QueueDeclareOk {
  std::string queue{};
  std::int64_t messages{};
  std::int64_t consumers{};
};
struct QueueBind {  // and unbind
  std::string queue{}, exchange{}, routing_key{};
  Table args{};
};
struct QueuePurge { std::string queue{}; };
struct QueueDelete {
  std::string queue{};
  bool if_unused = false, if_empty = false;
};
struct MessageCount { std::int64_t messages{}; };  // of purge-ok and delete-ok

// --- basic ---
struct BasicQos {
  std::uint32_t prefetch_size{}, prefetch_count{};
  bool global = false;
};
struct BasicConsume {
  std::string queue{}, tag{};
  bool no_ack = false, exclusive = false;
  Table args{};
};
struct ConsumerTag { std::string tag{}; };  // of consume-ok, cancel, cancel-ok
struct BasicPublish {
  std::string exchange{}, routing_key{};
  bool mandatory = false, immediate = false;
  MessageId message = no_message;
  std::uint32_t key{};
  std::uint32_t size{};
  std::string publisher{};         // of the stream protocol: with a name, ...
  std::uint64_t publishing_id{};   // ... it counts under it
  Properties properties{};
  Table headers{};
};
struct BasicReturn {
  std::uint16_t code{};
  std::string text{};
  std::string exchange{}, routing_key{};
  ContentRef content{};
};
struct BasicDeliver {  // and get-ok
  std::string tag{};             // of the consumer
  std::uint64_t delivery_tag{};
  bool redelivered = false;
  std::string exchange{}, routing_key{};
  ContentRef content{};
  Table headers{};               // as delivered: with x-death, x-delivery-count, x-stream-offset
  std::int64_t remaining = -1;   // get-ok
};
struct BasicGet {
  std::string queue{};
  bool no_ack = false;
};
struct BasicAck {  // of a consumer, or a confirm
  std::uint64_t delivery_tag{};
  bool multiple = false;
};
struct BasicNack {  // reject is one that is not multiple
  std::uint64_t delivery_tag{};
  bool multiple = false, requeue = true;
};
struct BasicRecover { bool requeue = true; };

// --- streams ---
struct StreamReference {       // store-offset (no answer), query-offset and its answer
  std::string queue{}, reference{};
  std::int64_t offset = -1;    // the last one processed; -1: none
};
struct StreamPublisher {       // query-publisher and its answer
  std::string queue{}, publisher{};
  std::int64_t publishing_id = -1;  // the last one taken; -1: none
};
struct StreamUpdate {          // consumer-update and its answer
  std::string tag{};
  bool active = false;
  Table from{};                // x-stream-offset, of an active one
};

}  // namespace mqlab::rabbitmq
