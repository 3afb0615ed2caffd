// sim/check/words.h: the words that findings are made of: "P1-17", "orders/0@17", "group-a".
#pragma once

#include <string>

#include "sim/check/ledger.h"

namespace mqlab::words {

inline std::string place(const Journal& j, std::uint32_t name) { return name == 0 ? std::string("an unnamed place") : j.names.text(name); }

inline std::string at(const Journal& j, std::uint32_t name, std::int64_t position) {
  return position < 0 ? place(j, name) : place(j, name) + "@" + std::to_string(position);
}

// Where a row stands: "orders/0@17".
inline std::string at(const Journal& j, const Op& op) { return at(j, op.place, op.position); }

// "1 message was", "3 messages were".
inline std::string count(std::uint64_t n, const char* one, const char* many) { return std::to_string(n) + (n == 1 ? one : many); }

inline std::string message(const Journal& j, const Ledger& l, std::uint32_t m) { return j.message_name(l.messages()[m].id); }

// "P1 was told that a is stored at orders/0@17".
inline std::string stored(const Journal& j, const Ledger& l, const SendFact& s) {
  const std::uint32_t place = s.place != no_index ? s.place : s.target;
  const std::string where = place == no_index ? std::string("the broker") : at(j, l.places()[place].name, s.position);
  return j.process_name(s.producer) + " was told that " + message(j, l, s.message) + " is stored at " + where;
}

// "P1's transaction 3". The lab puts the process into the number, to make it unique in the history.
inline std::string transaction(const Journal& j, const TransactionFact& t) {
  return j.process_name(t.process) + "'s transaction " + std::to_string(t.number >> 40 == std::uint64_t{t.process} + 1 ? t.number & 0xffffffffff : t.number);
}

inline std::string subscription(const Journal& j, const SubscriptionFact& s) {
  return s.name != 0 ? j.names.text(s.name) : j.process_name(s.process);
}

}  // namespace mqlab::words
