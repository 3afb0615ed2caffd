#include "gui/qt/settings.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QStandardPaths>

#include <algorithm>

namespace mqlab::gui {

WindowSettings::WindowSettings(const QString& path, bool reset) {
  const QString file = path.isEmpty() ? QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) + "/mqlab/window.ini" : path;
  QDir().mkpath(QFileInfo(file).absolutePath());
  store_ = std::make_unique<QSettings>(file, QSettings::IniFormat);
  if (reset) store_->clear();
  const int version = store_->value("version", settings_version).toInt();
  if (version != settings_version) {
    store_.reset();
    QFile::rename(file, QStringLiteral("%1.version-%2").arg(file).arg(version));
    store_ = std::make_unique<QSettings>(file, QSettings::IniFormat);
  }
  store_->setValue("version", settings_version);
}

Theme WindowSettings::theme() const { return theme_of(store_->value("theme").toString()).value_or(Theme::light); }
void WindowSettings::set_theme(Theme l) { store_->setValue("theme", theme_words()[static_cast<int>(l)]); }
int WindowSettings::scale() const { return std::clamp(store_->value("scale", 100).toInt(), scale_min, scale_max); }
void WindowSettings::set_scale(int percent) { store_->setValue("scale", std::clamp(percent, scale_min, scale_max)); }
RendererChoice WindowSettings::renderer() const { return renderer_of(store_->value("renderer").toString()).value_or(RendererChoice::automatic); }
void WindowSettings::set_renderer(RendererChoice choice) { store_->setValue("renderer", renderer_words()[static_cast<int>(choice)]); }
int WindowSettings::memory() const { return std::clamp(store_->value("memory", memory_usual).toInt(), memory_min, memory_max); }
void WindowSettings::set_memory(int megabytes) { store_->setValue("memory", std::clamp(megabytes, memory_min, memory_max)); }
QString WindowSettings::layout() const { return store_->value("layout", "learn").toString(); }
void WindowSettings::set_layout(const QString& name) { store_->setValue("layout", name); }
QByteArray WindowSettings::geometry() const { return store_->value("geometry").toByteArray(); }
void WindowSettings::set_geometry(const QByteArray& g) { store_->setValue("geometry", g); }

QStringList WindowSettings::recent() const { return store_->value("recent").toStringList(); }

void WindowSettings::add_recent(const QString& path) {
  QStringList all = recent();
  all.removeAll(path);
  all.prepend(path);
  while (all.size() > recent_max) all.removeLast();
  store_->setValue("recent", all);
}

QStringList WindowSettings::done(const QString& lesson) const {
  return store_->value("done/" + QString(lesson).replace('/', '|')).toStringList();
}

void WindowSettings::add_done(const QString& lesson, const QString& step) {
  QStringList all = done(lesson);
  if (all.contains(step)) return;
  all << step;
  store_->setValue("done/" + QString(lesson).replace('/', '|'), all);
}

QString WindowSettings::folder() const { return QFileInfo(store_->fileName()).absolutePath(); }

}  // namespace mqlab::gui
