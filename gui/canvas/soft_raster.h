// gui/canvas/soft_raster.h: draw data of ImGui becomes pixels, on the processor.
//
// Every decision is made with whole numbers: corners are rounded to 1/256 of a pixel, edges are walked with exact remainders,
// colours between corners are interpolated and blended in fixed point. The same draw data gives the same pixels with every
// compiler, at every optimisation, under every sanitizer.
//
// Always true: 1. a pixel belongs to a triangle iff its centre does; a centre on an edge belongs to the triangle on its right or
// below. Two triangles with a common edge leave no gap and paint no pixel twice. 2. A plain upright rectangle is
// painted faster than its two triangles, and gives the same pixels. Two triangles that are one piece of a line are
// painted as one shape. 3. Nothing is written outside the picture or the clip rectangle, whatever the corners are:
// coordinates that are no number drop the triangle, huge ones are held at 30,000 pixels.
// 4. The picture is opaque and stays so.
// Textures: the font atlas only, one byte of coverage a texel. Text at its own size takes the texel under each pixel's centre;
// stretched text is interpolated between four.
//
//     Picture p(800, 600, colour(Ink::background, Theme::light));
//     raster(core.frame(800, 600, 0.016F, draw), p);
#pragma once

#include "gui/canvas/picture.h"

struct ImDrawData;

namespace mqlab::gui {

// What an ImTextureID points to. White, as opaque as `coverage` says.
struct CoverageTexture {
  int width = 0, height = 0;
  const std::uint8_t* coverage = nullptr;
};

// Paints over what is there. One unit of `data` is a pixel; DisplayPos is taken off. Callbacks of draw commands are not called.
void raster(const ImDrawData& data, Picture& into);

}  // namespace mqlab::gui
