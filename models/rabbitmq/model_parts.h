// models/rabbitmq/model_parts.h: the rooms of the model that rabbitmq.cpp puts together.
//
// declaration.cpp says what there is, topology.cpp what topics become, claims.cpp what is promised, at_rest.cpp when a run is over, contents.cpp
// what queues hold, conformance.cpp how recorded cases are carried out; rabbitmq.cpp checks a deployment and builds it. Nobody outside includes this.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/rabbitmq/routing.h"
#include "models/rabbitmq/settings.h"
#include "sim/lab/conformance.h"
#include "sim/lab/contents.h"
#include "sim/lab/model.h"
#include "sim/lab/scenario.h"

namespace mqlab::rabbitmq {

ModelDecl declare_model();
std::vector<RuleDecl> declared_ledger();

// One claim for each anomaly that the product speaks of, with its reason.
std::vector<Claim> claims_of(const Deployment& d, const FaultSummary& f);

// True when nothing more will happen but heartbeats.
bool at_rest(const World& w);

// What queues and streams hold and who reads them, for whoever draws it.
Contents contents_of(const World& w, const ContentsWish& wish = {});

// Cases recorded from a real broker, carried out over a connection; null for other systems.
std::unique_ptr<ConformanceDriver> conformance_of(std::string_view system, const std::vector<Setting>& settings);

// What the topics of a deployment become (topology.cpp), without the nodes. Requires: check_topology has nothing against it.
std::shared_ptr<Cluster> plan_cluster(const Deployment& d);
std::optional<std::string> check_topology(const Deployment& d);
// The virtual host as the definitions have it: each topic's exchange, queues and bindings.
Routing routing_of(const Cluster& cluster);
Binding binding_of(const Cluster& cluster, const QueuePlan& q);
// With what options a client consumes; null: it does not.
const Options* consumer_options_of(const ClientSpec& s);

// Brokers in the order of their names; the cluster that they share.
std::vector<NodeId> brokers_of(const World& w);
ClusterRef cluster_of(const World& w);
// Who leads a quorum queue; nobody: none does.
NodeId quorum_leader(const World& w, const Cluster& cluster, const std::string& queue);

}  // namespace mqlab::rabbitmq
