#include "gui/qt/run_window.h"

int main(int argc, char** argv) { return mqlab::gui::run_window(argc, argv); }
