// sim/script/lua_model.h: the model of scenarios whose nodes are written in Lua.
//
// The nodes come from the scenario's file (node "N1" { ... }); this model adds clients that speak to them,
// so that the same load, programs, faults and checkers serve a broker of your own. It claims nothing.
//
// Elsewhere: the nodes (lua_node.h), the clients' library (lua_client.h).
//
//     models.add(script::make_lua_model());
#pragma once

#include <memory>

#include "sim/lab/model.h"

namespace mqlab::script {

std::unique_ptr<Model> make_lua_model();

}  // namespace mqlab::script
