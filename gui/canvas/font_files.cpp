#include "gui/canvas/font_files.h"

// MQLAB_FONT and MQLAB_FONT_MONO are paths, given by gui/CMakeLists.txt.
#define MQLAB_EMBED(name, path)                                                                                            \
  __asm__(".section .rodata\n.balign 16\n.global " #name "\n" #name ":\n.incbin \"" path "\"\n.global " #name "_end\n" #name \
          "_end:\n.byte 0\n.previous\n")

MQLAB_EMBED(mqlab_font_sans, MQLAB_FONT);
MQLAB_EMBED(mqlab_font_mono, MQLAB_FONT_MONO);

extern "C" {
extern const unsigned char mqlab_font_sans[], mqlab_font_sans_end[], mqlab_font_mono[], mqlab_font_mono_end[];
}

namespace mqlab::gui {

std::span<const unsigned char> font_file_sans() { return {mqlab_font_sans, mqlab_font_sans_end}; }
std::span<const unsigned char> font_file_mono() { return {mqlab_font_mono, mqlab_font_mono_end}; }

}  // namespace mqlab::gui
