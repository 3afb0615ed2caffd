// sim/world/node.h: what lives in a world: a broker, a controller, a client.
//
// A node is a struct of values whose handlers take a message, a timer or an end of a connection,
// change the node's own state and ask the Context for effects. A handler does no I/O, does not
// block, and sees time, chance, disk and network only through the Context. What survives a crash
// is a struct of its own inside the node; on_crash keeps that and nothing else.
//
// Always true: a node is copied with its world, and the copy shares nothing that can change.
// Elsewhere: delivery, faults and order (world.h).
//
//     struct Echo : NodeBase<Echo> {
//       void on_message(Context& c, const Message& m) override { c.reply(m, pong, m.payload); }
//     };
#pragma once

#include <memory>
#include <vector>

#include "sim/world/disk.h"
#include "sim/world/payload.h"
#include "sim/world/types.h"

namespace mqlab {

class Context;

// A message as its receiver meets it.
struct Message {
  ConnId connection = no_connection;  // no_connection: a datagram
  NodeId from = nobody;
  MessageKind kind{};
  std::uint32_t size{};               // bytes on the wire
  std::uint64_t word{};               // a value that fits beside the payload
  PayloadRef payload{};
};

enum class CloseReason : std::uint8_t {
  closed,   // the other end closed it, or its process died in good order of packets
  reset,    // the other end does not know this connection: its process is another one now
  refused,  // nobody listens there
  timeout   // silence for longer than the transport endures
};
const char* close_reason_name(CloseReason r);

// How a process ended, and what its machine's disk kept.
struct Crash {
  bool power = false;  // false: the process alone
  bool wipe = false;   // the disk is empty
  std::vector<Survivor> files{};
};

class Node {
 public:
  Node() = default;
  Node(const Node&) = default;
  Node& operator=(const Node&) = default;
  virtual ~Node() = default;
  virtual std::unique_ptr<Node> clone() const = 0;

  // The process begins, at first and after each restart; only the durable part is set.
  virtual void on_start(Context&) {}
  virtual void on_message(Context&, const Message&) {}
  virtual void on_timer(Context&, TimerKind, std::uint64_t /*argument*/) {}
  // The connection is no more; what was in flight on it is unknown.
  virtual void on_closed(Context&, ConnId, NodeId /*peer*/, CloseReason) {}
  // The other end takes again what is sent on this connection (Context::take).
  virtual void on_writable(Context&, ConnId) {}
  // An asynchronous sync has ended.
  virtual void on_disk(Context&, FileId, std::int64_t /*end*/, DiskResult) {}
  // Asked to end in good order; it calls Context::exit when done.
  virtual void on_stop(Context&);
  // The process is gone: keep the durable part, as far as the files survived.
  virtual void on_crash(const Crash&) {}
  // The operator's or the fault palette's own verbs of a model: "elect", "reassign" ...
  virtual void on_command(Context&, const std::string& /*verb*/, const std::string& /*argument*/) {}

  virtual Tree state() const { return {"node"}; }
};

template <class Derived>
struct NodeBase : Node {
  std::unique_ptr<Node> clone() const override { return std::make_unique<Derived>(static_cast<const Derived&>(*this)); }
};

}  // namespace mqlab
