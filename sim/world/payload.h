// sim/world/payload.h: the content of a message.
//
// A payload is made once and never changed, so worlds, traces and logs may share it: a copy of a
// world shares nothing that can change. What a payload means is told by the kind of its message;
// the model that sent it knows the type behind it.
#pragma once

#include <memory>
#include <utility>

namespace mqlab {

struct Payload {
  Payload() = default;
  Payload(const Payload&) = default;
  Payload& operator=(const Payload&) = default;
  virtual ~Payload() = default;
};

using PayloadRef = std::shared_ptr<const Payload>;

template <class T, class... Args>
std::shared_ptr<const T> make_payload(Args&&... args) {
  return std::make_shared<const T>(std::forward<Args>(args)...);
}

// The content as the type that its kind names. Requires: it is one.
template <class T>
const T& payload_as(const PayloadRef& p) {
  return static_cast<const T&>(*p);
}

}  // namespace mqlab
