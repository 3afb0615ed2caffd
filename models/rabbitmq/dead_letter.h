// models/rabbitmq/dead_letter.h: a message that died in a queue, on its way to the dead-letter exchange.
//
// One rule: it is a new publish of the same message, with a record of the death: (queue, reason) counts, the
// latest first. Its expiration is taken away, so it does not die twice of one age.
// A message never comes back by itself to a queue in which it died: without a rejection since then, that way is
// closed (the cycle rule), and the copy is dropped without a word.
// Elsewhere: routing (routing.h), at-least-once (quorum_queue.h). Sources: rabbit_dead_letter, mc (record_death,
// is_death_cycle), mc_compat; docs dlx.
//
//     ContentRef dead = dead_lettered(*content, {"q", DeathReason::expired, now}, dlx, key, rules);
//     for (const std::string& q : without_cycles(*dead, "q", DeathReason::expired, routing.route(*dead))) ...
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/rabbitmq/content.h"
#include "models/rabbitmq/rules.h"
#include "sim/kernel/time.h"

namespace mqlab::rabbitmq {

struct DeathNote {
  std::string queue{};
  DeathReason reason{};
  Time at{};  // wall clock of the node, nanoseconds
};

// `key`: the dead-letter routing key; absent: the keys stay, CC and BCC among them.
ContentRef dead_lettered(const Content& c, const DeathNote& death, const std::string& exchange,
                         const std::optional<std::string>& key, const Rules& rules);

// The targets that the cycle rule leaves. `dead` already has the present death as its newest.
std::vector<std::string> without_cycles(const Content& dead, DeathReason reason, const std::vector<std::string>& targets);

// True iff the rule closes the way to `target`.
bool is_death_cycle(const Deaths& deaths, const std::string& target);

// x-death of a publisher's headers, as far as it is well formed (mc_compat, up to 3.13).
Deaths deaths_of_headers(const Table& headers);

}  // namespace mqlab::rabbitmq
