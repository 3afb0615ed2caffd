// gui/canvas/paint.h: a scene becomes triangles.
//
// One walk over the shapes, in their order. Each shape is drawn in the colour of its ink, cut off at its clip rectangle; what
// cannot be seen costs next to nothing.
//
// The looks: dashes are four widths on, three off, and never shorter than 5 and 4 logical pixels; of symbols
// half of it. `doubled` is a second outline
// around symbols, rectangles and polygons, and a second line beside a line. Outlines of rectangles lie inside them. Text begins at a whole pixel.
// Always true: 1. the same scene, theme and scale give the same triangles. 2. A shape with a number that is none is left out.
// Elsewhere: how triangles are made (mesh.h), where the mouse is (canvas.h), SVG (gui/core/svg.h).
//
//     core.frame(w, h, dt, [&] { paint(scene, *ImGui::GetBackgroundDrawList(), {.theme = Theme::dark, .dpr = 2}, core.fonts()); });
#pragma once

#include <memory>
#include <set>
#include <utility>

#include "gui/canvas/fonts.h"
#include "gui/canvas/picture.h"
#include "gui/core/palette.h"
#include "gui/core/scene.h"

struct ImDrawList;

namespace mqlab::gui {

struct PaintOptions {
  Theme theme = Theme::light;
  float dpr = 1;
  float text_scale = 1;
  bool remarks = false;   // what the picture assumes, in its lower right corner
};

// The sizes of text in a scene. To be baked (Fonts::bake) before the frame.
std::set<std::pair<int, Mono>> text_sizes(const Scene& scene, const PaintOptions& options);

// Requires: a frame of ImGui is under way.
void paint(const Scene& scene, ImDrawList& list, const PaintOptions& options, const Fonts& fonts);

// A halo around all shapes of one entity: what the mouse is over.
void paint_halo(const Scene& scene, EntityId entity, ImDrawList& list, const PaintOptions& options, const Fonts& fonts);

// A scene alone, as a picture of scene.width() x scene.height() logical pixels.
Picture picture_of(const Scene& scene, const PaintOptions& options = {}, std::shared_ptr<Fonts> fonts = nullptr);

}  // namespace mqlab::gui
