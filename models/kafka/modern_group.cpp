// A group whose coordinator assigns. Not there yet: it takes no members.
#include "models/kafka/modern_group.h"
namespace mqlab::kafka {
void ModernGroup::heartbeat(const Waiting&, const ConsumerGroupHeartbeat&, GroupScene&) {}
void ModernGroup::on_timer(const GroupTimer&, GroupScene&) {}
void ModernGroup::partitions_changed(GroupScene&) {}
void ModernGroup::replay(const GroupRecord&) {}
void ModernGroup::loaded(GroupScene&) {}
Error ModernGroup::check_commit(const OffsetCommit&, const Cluster&) const { return Error::none; }
Error ModernGroup::check_fetch(const OffsetFetch&) const { return Error::none; }
bool ModernGroup::subscribed(std::int32_t) const { return false; }
Tree ModernGroup::state(const Cluster&) const { return {}; }
}
