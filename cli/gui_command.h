// cli/gui_command.h: mqlab gui: hands over to the window, which is a program of its own beside this one.
#pragma once

#include "cli/face.h"

namespace mqlab::cli {

void add_gui_command(CLI::App& root, Commands& commands);

}  // namespace mqlab::cli
