// sim/script/nearest.h: the nearest right word, under the name that scripts' errors use.
#pragma once

#include "sim/lab/nearest.h"

namespace mqlab::script {
using mqlab::did_you_mean;
using mqlab::edit_distance;
using mqlab::nearest_word;
}  // namespace mqlab::script
