// sim/hunt/fault_fields.h: what a fault says besides its kind, its time and how long it lasts.
#pragma once

#include "sim/hunt/victims.h"

namespace mqlab {

// Fills in groups, traffic, amounts, ratios. Of a cut the first side is in trouble, of a link fault the side that is not
// "rest". `window`: how long faults may come.
void fill_fault(Fault& f, const Victims& v, const Ground& ground, Duration window, Draws draws);

}  // namespace mqlab
