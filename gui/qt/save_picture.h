// gui/qt/save_picture.h: a scene as a file: SVG by its ending, else PNG at twice the size.
//
// Always true: the file is written whole, or left as it was.
#pragma once

#include <QString>

#include "gui/core/palette.h"
#include "gui/core/scene.h"

namespace mqlab::gui {

// Empty when it was written; else why not.
QString save_picture(const Scene& scene, Theme theme, const QString& title, const QString& path);

}  // namespace mqlab::gui
