// sim/check/others.h: what a history says of all clients but a few.
//
// A client that is allowed to break an order (it has no sequence numbers and gave up a send) must not hide whether the others
// keep theirs. The rule: messages that only those few ever sent are taken out, with their sends, deliveries and whatever was
// done about them; all else stays as it was. What others sent, too, stays with all its rows but those clients' own sends.
//
//     if (broken_by_others(journal, "fifo-violation", {"P2"})) ...
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/world/journal.h"

namespace mqlab {

// The operations without those clients' sends; of the rest of a journal only what names and processes are called. A name that
// nobody has takes nothing out.
Journal history_without(const Journal& journal, const std::vector<std::string>& clients);

// Somebody else has sent something.
bool others_sent(const Journal& journal, const std::vector<std::string>& clients);

// The anomaly is seen in the history without them. Requires: a checker decides it.
bool broken_by_others(const Journal& journal, std::string_view anomaly, const std::vector<std::string>& clients);

}  // namespace mqlab
