#include "cli/face.h"

int main(int argc, char** argv) { return mqlab::cli::run_command_line(argc, argv); }
