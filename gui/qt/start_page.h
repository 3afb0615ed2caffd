// gui/qt/start_page.h: what the window shows before anything is run: stories to begin with, recent scenarios, the lessons.
#pragma once

#include <QString>

namespace mqlab::gui {

class WindowSettings;

// As HTML. Its links are those of lessons (lessons.h), and mqlab:new, mqlab:library.
QString start_page(const WindowSettings& settings);

}  // namespace mqlab::gui
