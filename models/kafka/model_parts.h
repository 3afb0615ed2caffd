// models/kafka/model_parts.h: the rooms of the model that kafka.cpp puts together.
//
// declaration.cpp says what there is, claims.cpp what is promised, at_rest.cpp when a run is over, contents.cpp what logs
// hold; kafka.cpp checks a deployment and builds it. Nobody outside includes this.
#pragma once

#include <string_view>
#include <vector>

#include "models/kafka/settings.h"
#include "sim/lab/contents.h"
#include "sim/lab/model.h"
#include "sim/lab/scenario.h"

namespace mqlab {
class ConformanceDriver;  // sim/lab/conformance.h
}

namespace mqlab::kafka {

class Controller;

ModelDecl declare_model();

// One claim for each anomaly that the product speaks of, with its reason.
std::vector<Claim> claims_of(const Deployment& d, const FaultSummary& f);

// Recorded cases of partitioners (conformance.cpp).
std::unique_ptr<ConformanceDriver> conformance_of(std::string_view system, const std::vector<Setting>& settings);

// True when nothing more will happen but heartbeats.
bool at_rest(const World& w);

// What logs hold and how far groups are, for whoever draws it.
Contents contents_of(const World& w, const ContentsWish& wish = {});

// Who is who in a running world; null where there is none.
std::vector<NodeId> nodes_of_role(const World& w, std::string_view role);
const Controller* active_controller(const World& w);
const ClusterRef* cluster_of(const World& w);

}  // namespace mqlab::kafka
