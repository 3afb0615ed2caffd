// The models as the command line asks for them.
#include "kit/models.h"

#include "cli/face.h"

namespace mqlab::cli {

const Models& all_models() { return mqlab::all_models(); }

}  // namespace mqlab::cli
