// gui/qt/settings.h: what the window remembers from one time to the next.
//
// Theme, size of text, renderer, memory for checkpoints, layout, recent scenarios, progress through the lessons; an INI file with a version. What decides a run is never
// here: it stands in the scenario and on the command line.
//
// The rule: a file of another version is put aside, with its version in its name, and the window begins anew.
#pragma once

#include <QByteArray>
#include <QSettings>
#include <QString>
#include <QStringList>

#include <memory>

#include "gui/qt/renderer.h"
#include "gui/qt/theme.h"

namespace mqlab::gui {

inline constexpr int settings_version = 1;
inline constexpr int recent_max = 12;
inline constexpr int memory_min = 16, memory_usual = 256, memory_max = 65'536;

class WindowSettings {
 public:
  // An empty path: the user's own file. `reset`: forget what is there.
  explicit WindowSettings(const QString& path = {}, bool reset = false);

  Theme theme() const;
  void set_theme(Theme l);
  int scale() const;  // percent
  void set_scale(int percent);
  RendererChoice renderer() const;  // what draws the canvases, from the next start on
  void set_renderer(RendererChoice choice);
  int memory() const;  // megabytes, for the checkpoints of each run
  void set_memory(int megabytes);
  QString layout() const;  // "learn", "debug", "compare", "present"
  void set_layout(const QString& name);
  QByteArray geometry() const;
  void set_geometry(const QByteArray& g);

  // Scenarios, the latest first.
  QStringList recent() const;
  void add_recent(const QString& path);

  // What was tried of a lesson: the links that were followed and whose run was as the page says.
  QStringList done(const QString& lesson) const;
  void add_done(const QString& lesson, const QString& step);

  QString file() const { return store_->fileName(); }
  // Where notes and unsaved text are kept: the folder of the file.
  QString folder() const;
  void sync() { store_->sync(); }

 private:
  std::unique_ptr<QSettings> store_;
};

}  // namespace mqlab::gui
