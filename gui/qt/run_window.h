// gui/qt/run_window.h: the program mqlab-gui: its command line, one window, and a picture of it when that is asked for.
#pragma once

namespace mqlab::gui {

// What main() does. Exit codes as of mqlab: 0 fine, 2 the input was wrong.
int run_window(int argc, char** argv);

}  // namespace mqlab::gui
