// models/kafka/controller.h: a KRaft controller: one voter of the quorum, and, while it leads, the
// one who decides about brokers and partitions.
//
// A decision is a record in the metadata log; it is applied to the controller's own image at once
// and answered when the quorum has committed it. A controller that loses its lead forgets what was
// not committed.
//
// Sources: QuorumController, ClusterControlManager, ReplicationControlManager, BrokerHeartbeatManager.
// Elsewhere: elections (partition_change.h), consensus (quorum.h).
#pragma once

#include <vector>

#include "models/kafka/metadata.h"
#include "models/kafka/partition_change.h"
#include "models/kafka/quorum.h"

namespace mqlab::kafka {

class Controller : public NodeBase<Controller> {
 public:
  Controller(ClusterRef cluster, raft::Config quorum);

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;
  void on_stop(Context& c) override;
  void on_crash(const Crash& crash) override;
  // elect "orders/0 [B2]", elect_unclean "orders/0", add_partitions "orders 8"
  void on_command(Context& c, const std::string& verb, const std::string& argument) override;
  Tree state() const override;

  bool active() const { return active_; }
  const Image& committed() const { return committed_; }
  const Quorum& quorum() const { return quorum_; }

 private:
  struct Session {
    Time last_contact = -1;
    Offset metadata_end = 0;
    Offset shutdown_offset = -1;  // of the record that took the broker out of service
  };
  struct Deferred {
    Offset at{};
    Message request;
    Kind kind{};
    PayloadRef payload;
  };

  void on_registration(Context& c, const Message& m);
  void on_heartbeat(Context& c, const Message& m);
  void on_alter_partition(Context& c, const Message& m);
  void on_allocate_producer_ids(Context& c, const Message& m);

  // Looks at what the quorum did: leadership won or lost, records committed.
  void follow_quorum(Context& c);
  void become_active(Context& c);
  void become_inactive();
  void told(Context& c, const PartitionState& before, const PartitionState& after);

  Offset decide(Context& c, MetadataRecord::Value record);
  void answer_when_committed(const Message& m, Offset at, Kind kind, PayloadRef payload);
  void write_pending(Context& c);
  void check_sessions(Context& c);
  Offset lowest_active_end() const;
  void arm_session_timer(Context& c);
  void fence(Context& c, BrokerId b);
  void rebalance_leaders(Context& c);
  void create_topics(Context& c);
  void create_partition(Context& c, PartitionId p);
  bool alive(BrokerId b) const { return image_.known(b) && image_.broker(b).active(); }
  // Re-decides the partitions that `concerns`: with `out` removed and `back` newly available.
  void update_partitions(Context& c, BrokerId out, BrokerId back, BrokerId unclean_shutdown);
  void put(Context& c, const PartitionState& before, PartitionState next);

  ClusterRef cluster_;
  Quorum quorum_;

  // All below is lost in a crash: it follows from the log.
  Image committed_;
  bool active_ = false;
  Image image_;  // committed_ and what is decided but not committed
  std::vector<PayloadRef> pending_;
  std::vector<Deferred> deferred_;
  std::vector<Session> sessions_;
  EventId session_timer_ = no_event;
  bool linger_set_ = false;
};

}  // namespace mqlab::kafka
