// models/rabbitmq/tester.h: the client side of recorded cases: bare connections and channels, driven step by step.
//
// A node that sends what it is told to and keeps what comes: replies, deliveries, returns, confirms, errors. A
// channel or connection that the server closed is forgotten under its name; the next use opens a new one.
// Elsewhere: the operations (conformance.cpp), the connection itself (wire.h).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/rabbitmq/wire.h"

namespace mqlab::rabbitmq {

class Tester : public NodeBase<Tester> {
 public:
  struct Error {
    std::uint16_t code{};
    std::string text{};
  };
  struct Channel {
    std::string name{}, connection{};
    std::uint16_t number{};
    bool confirms = false;
    bool closed = false;
    std::optional<Error> error{};
    std::deque<Message> replies{};
    std::vector<BasicReturn> returns{};
    std::uint64_t next_publish = 1;
    std::map<std::uint64_t, bool> decided{};          // publish number -> acked
    std::vector<std::uint64_t> order{};               // ... as they were told
    std::map<MessageId, std::uint64_t> latest{};      // delivery tag of the latest delivery of each body
  };
  struct Connection {
    Wire wire{};
    std::uint16_t next_channel = 1;
    bool closed = false;
    std::optional<Error> error{};
  };
  struct Arrival {
    std::uint64_t channel{};                          // index in `channels`
    std::optional<BasicDeliver> delivery{};           // absent: the server cancelled the consumer
  };

  void on_message(Context& c, const Message& m) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;

  // All there ever were; the names in use are below.
  std::vector<Channel> channels{};
  std::vector<Connection> connections{};
  std::map<std::string, std::size_t> channel_names{};
  std::map<std::string, std::size_t> connection_names{};
  std::map<std::string, std::deque<Arrival>> inbox{};  // by consumer tag


  void open_channel(Context& c, const std::string& name, std::size_t connection, bool confirms);
  void forget_channel(std::size_t channel);

  std::vector<std::size_t> of_channel{};              // channel -> connection

 private:
  void on_method(Context& c, std::size_t channel, const Message& m);
  void connection_gone(std::size_t connection);
};

}  // namespace mqlab::rabbitmq
