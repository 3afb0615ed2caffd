// sim/hunt/fault_draw.h: the faults of one plan, drawn by swarm choice within a budget.
//
// A run first draws what is in play at all (kinds of faults, of messages, weights, whether faults wait for events or for
// times), and then its faults from that: many runs with few kinds each find more than all runs with all kinds.
//
// How a budget is kept below `anything`: either one group of servers is in trouble throughout the run and no other; or the
// window is cut into slices, each with its own group, whose trouble ends well before the next slice begins. A group named by
// a role that moves ("leader orders/0") has one fault a slice. Clients, messages and an operator's verbs come on top.
// In half of the runs things come in quick succession, as far as the budget leaves it open when they come: what a protocol
// settles within a round trip is met by nothing else. Some faults come shortly after another one, whatever that waits for; an
// operator changes his mind; a fault on a message is one on a train of them.
// In a third of the runs where anything may happen there is the shadow of a message: one of a rare kind is held (it asks for a
// change, or tells of one), somebody comes to harm and is well again before it is let go, and somebody else comes to harm meanwhile
// or shortly after. In every sixth of the others there is an echo: a message is held until one like it was sent again, or a little
// longer, so that what was thought lost arrives when everybody has gone on.
// Source: Groce et al., Swarm Testing (ISSTA 2012).
#pragma once

#include <string>
#include <vector>

#include "sim/hunt/ground.h"
#include "sim/lab/plan_space.h"

namespace mqlab {

// A kind of fault as a plan may have it.
struct DrawnKind {
  FaultKind kind{};
  bool server = false, client = false;  // whom it may befall; neither: a message, or a verb of the model
  bool only_anything = false;           // it breaks what a budget below `anything` leaves whole
  bool only_named = false;              // no transport does that to messages on a connection: only who names it has it
  bool instant = false;                 // it has no duration
  bool lingers = false;                 // when it is over can't be told beforehand
};
const std::vector<DrawnKind>& drawn_kinds();

// What may be drawn in a space: every kind that its budget allows, or those that it names.
struct Toolbox {
  std::vector<DrawnKind> server, client, message;
  std::vector<VerbDecl> verbs;
  std::vector<std::string> messages;  // kinds of messages by name; empty: any
};
// Throws InputError when the space names what is not there, with the nearest right word.
Toolbox toolbox(const PlanSpace& space, const Model& model, const World& world, const std::string& path);

// Requires: the budget allows faults, and faults_max > 0. `quick`: things may come in quick succession.
std::vector<PlannedFault> draw_faults(const Ground& ground, const Toolbox& tools, const PlanSpace& space, Random& draws, bool quick = true);


// Two or three faults within a fifth of a second, from 0 on: for a moment at which it may matter what comes next. Servers by name
// mostly, messages that are about to be sent, verbs. Requires: as draw_faults.
std::vector<PlannedFault> draw_strikes(const Ground& ground, const Toolbox& tools, const PlanSpace& space, Random& draws);

}  // namespace mqlab
