// models/rabbitmq/stream_groups.h: of the consumers that read a stream under one name, which one is active.
//
// One rule: a name has one active consumer, and the next one is told that it is active only when the one before has
// answered that it has stepped down, or is gone. On a stream of its own the first that registered is active; on a partition
// of a super stream the one whose number in the group is the partition's number modulo the size of the group, so that the
// members share the partitions.
// Who is active begins at the offset that it names, mostly the one stored under the group's name.
// Elsewhere: offsets, deliveries (stream_queue.h), the client's answer (stream_reading.cpp).
// Sources: docs streams (single active consumer), rabbit_stream_sac_coordinator.
//
//     std::vector<StreamGroups::Change> changes;
//     groups.join("g", consumer, 0, changes);     // -> it is active
//     groups.stepped_down(consumer, changes);     // -> the next one is
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/rabbitmq/queue_effects.h"

namespace mqlab::rabbitmq {

class StreamGroups {
 public:
  struct Change {
    ConsumerKey consumer{};
    bool active = false;  // off: it is to step down, and to say so
  };

  // `partition`: of a super stream, from 0; -1: a stream of its own.
  void join(const std::string& name, const ConsumerKey& consumer, std::int32_t partition, std::vector<Change>& out);
  void leave(const ConsumerKey& consumer, std::vector<Change>& out);
  void stepped_down(const ConsumerKey& consumer, std::vector<Change>& out);

  // It is active, and nobody asked it to step down.
  bool active(const ConsumerKey& consumer) const;
  bool member(const ConsumerKey& consumer) const;
  // Nobody is asked to step down.
  bool at_rest() const;

  bool operator==(const StreamGroups&) const = default;

 private:
  struct Group {
    std::int32_t partition = -1;
    std::vector<ConsumerKey> members{};  // as they registered
    std::optional<ConsumerKey> active{};
    bool stepping_down = false;

    bool operator==(const Group&) const = default;
  };
  static void choose(Group& g, std::vector<Change>& out);

  std::map<std::string, Group> groups_;
};

}  // namespace mqlab::rabbitmq
