// gui/qt/scenario_files.h: scenarios as texts: read from disk, what they say about themselves, and one to begin with.
//
// Elsewhere: where the library lies (lessons.h), what a text runs as (workspace.h), the editor (scenario_pane.h).
#pragma once

#include <QString>

namespace mqlab::gui {

// The longest text that is taken for a scenario, in bytes.
inline constexpr qint64 scenario_bytes_max = 64 << 20;

// The text; when it can't be read, is too long or is not there: nothing, and a sentence in `wrong`.
QString read_scenario(const QString& path, QString* wrong);
// What the text calls itself (`title = "..."`); empty: it does not.
QString title_of(const QString& text);
// The comment at its beginning, without the dashes.
QString head_comment(const QString& text);
// What "New" gives: small, whole, and worth a run.
QString first_scenario();

}  // namespace mqlab::gui
