// sim/record/jepsen.h: the history in the form of Jepsen's kafka workload, both ways.
//
// One EDN map a line, as jepsen.tests.kafka has them (github.com/jepsen-io/jepsen, tests/kafka.clj):
//
//     {:index 0, :time 5, :process 1, :type :invoke, :f :send, :value [[:send "orders/0" "P1-1"]]}
//     {:index 1, :time 9, :process 1, :type :ok, :f :send, :value [[:send "orders/0" [0 "P1-1"]]]}
//     {:index 3, :time 9, :process 2, :type :ok, :f :poll, :value [[:poll {"orders/0" [[0 "P1-1"]]}]]}
//
// The rule: what Jepsen's checkers look at is said in Jepsen's words; what they do not know is left
// out. docs/internals/record.md lists what is approximated. Extra keys (:client, :subscription,
// :read-committed) carry what an import needs to give the same rows again.
// Always true: a process of the export has one operation at a time, and none after an :info.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/record/history.h"

namespace mqlab {

void write_jepsen(const Journal& journal, const Sink& sink);
std::string jepsen_text(const Journal& journal);

// Takes a stream of maps, or one vector or list of them. Adds rows to `journal`, which should be
// empty; on an error the rows before it are there.
std::optional<HistoryError> read_jepsen(std::string_view text, Journal& journal);

}  // namespace mqlab
