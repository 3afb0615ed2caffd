// sim/check/anomaly.h: the vocabulary of what can go wrong, declared once, as data.
//
// Checkers, Lua, the window and the docs take names and sentences from here and use no others.
// Where Jepsen's `tests.kafka` has a name for an anomaly, the name is the same.
//
// Always true: 1. names are unique, and each is declared, whether or not a checker exists yet.
// 2. The address of an Anomaly is good for the whole program. Elsewhere: the checkers (checker.h).
//
//     const Anomaly* a = find_anomaly("lost-message");
//     print(a->predicate);
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mqlab {

enum class AnomalyClass : std::uint8_t { delivery, order, log, transactions, consumption, liveness, durability };
const char* anomaly_class_name(AnomalyClass c);

struct Anomaly {
  const char* name = "";
  AnomalyClass kind{};
  const char* predicate = "";   // over the history
  const char* certain = "";     // the earliest event at which it can be told
  const char* mechanism = "";   // what usually brings it about
  const char* allowed = "";     // when it is no breach
  bool checked = false;         // a checker exists
  const char* scenario = "";    // the smallest one, as a path; empty = none yet
};

// All names, in the order in which people read them.
std::span<const Anomaly> all_anomalies();
// nullptr when there is no such name.
const Anomaly* find_anomaly(std::string_view name);

}  // namespace mqlab
