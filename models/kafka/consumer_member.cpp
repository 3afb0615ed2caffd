// A member of a group by KIP-848.
#include "models/kafka/client.h"

namespace mqlab::kafka {

void Client::work_consumer_member(Context&) {}
void Client::on_consumer_heartbeat_reply(Context&, const Message&) {}
void Client::consumer_heartbeat_failed(Context&) {}

}  // namespace mqlab::kafka
