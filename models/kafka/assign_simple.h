// models/kafka/assign_simple.h: who reads which partition of a share group.
//
// Members of a share group may read one partition together. One rule: every member has something to read and every
// partition has a reader; what is already given stays where it is, as far as the counts allow.
//
// Always true: 1. of a topic with n partitions and m members, each partition has at most ceil(m / n) readers.
// 2. Nobody gets a partition of a topic that it does not subscribe to.
// Elsewhere: the assignors of consumer groups, where a partition has one reader (assignors.h).
// Source: SimpleAssignor, SimpleHomogeneousAssignmentBuilder, SimpleHeterogeneousAssignmentBuilder (4.3.1; up to 4.0
// all members got everything). Where the product walks a hash set, members go by their ids, topics by their names.
#pragma once

#include "models/kafka/assignors.h"

namespace mqlab::kafka {

// MemberSubscription::owned is the member's present target. Requires: as of assign().
Assignment assign_simple(const std::vector<MemberSubscription>& members, const std::vector<TopicPartitions>& topics);

}  // namespace mqlab::kafka
