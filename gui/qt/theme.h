// gui/qt/theme.h: how the window looks: colours and the size of its text.
//
// Widgets take their colours from the palette and the style sheet made here, canvases theirs from gui/core/palette.h of the same
// theme. Verdicts have a word and a sign besides their colour.
//
// Always true: text stands out from its background by 4.5:1 at least (tests/gui_qt).
#pragma once

#include <QColor>
#include <QPalette>
#include <QString>
#include <QStringList>

#include <optional>

#include "gui/core/palette.h"
#include "sim/check/finding.h"

class QApplication;

namespace mqlab::gui {

inline constexpr int theme_count = static_cast<int>(all_themes.size());
// "light", "dark", ...: as in settings and on the command line.
QStringList theme_words();
std::optional<Theme> theme_of(const QString& name);

QPalette palette_of(Theme l);
// Of text, on QPalette::Base.
QColor good_ink(Theme l);
QColor bad_ink(Theme l);
QColor unknown_ink(Theme l);
QColor fault_ink(Theme l);
QColor verdict_ink(Theme l, Verdict v);
// A sign before the word, so that colour is not needed.
QString verdict_sign(Verdict v);

inline constexpr int scale_min = 80;
inline constexpr int scale_max = 250;
inline constexpr int scale_step = 10;

// Puts style, palette and fonts in place, for all windows. `percent` between scale_min and scale_max.
void apply_theme(QApplication& app, Theme l, int percent);

// Colours of Markdown pages: links, code, quotations.
QString page_style(Theme l);

}  // namespace mqlab::gui
