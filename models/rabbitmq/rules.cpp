// The profiles, as rows of rules.
#include "models/rabbitmq/rules.h"

namespace mqlab::rabbitmq {

using namespace literals;

const std::vector<std::string_view>& profile_names() {
  static const std::vector<std::string_view> names{"3.10", "3.13", "4.2", "4.3"};
  return names;
}

std::optional<Rules> rules_of(std::string_view profile) {
  Rules r;
  r.cancel_serves_next = false;
  if (profile == "3.10") return r;

  r.x_last_death = true;
  if (profile == "3.13") return r;

  r.cancel_serves_next = true;
  r.delivery_limit = 20;
  r.count_headers_4 = true;
  r.priorities = QuorumPriorities::two;
  r.single_active_priorities = true;
  r.interprets_client_x_death = false;
  r.mirrored = false;
  r.partition_modes = false;
  r.frame_max_min = 8192;
  if (profile == "4.2") return r;

  r.limit_by_acquired = false;
  r.nack_counts = false;
  r.priorities = QuorumPriorities::thirty_two;
  r.disconnected_timeout = 60_s;
  r.delayed_retry = true;
  r.purge_takes_dead_letters = true;
  r.consumer_timeout = ConsumerTimeout::returns_messages;
  r.shared_prefetch = false;
  r.transient_queues = false;
  r.queue_mode_allowed = false;
  if (profile == "4.3") return r;
  return std::nullopt;
}

}  // namespace mqlab::rabbitmq
