#include "gui/qt/save_picture.h"

#include <QImage>
#include <QSaveFile>

#include "gui/canvas/paint.h"
#include "gui/core/svg.h"
#include "gui/qt/canvas_widget.h"

namespace mqlab::gui {

QString save_picture(const Scene& scene, Theme theme, const QString& title, const QString& path) {
  if (scene.width() < 1 || scene.height() < 1) return QStringLiteral("there is nothing to draw");
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly)) return file.errorString();
  if (path.endsWith(QLatin1String(".svg"), Qt::CaseInsensitive)) {
    file.write(QByteArray::fromStdString(svg_of(scene, {.title = title.toStdString(), .theme = theme})));
  } else {
    PaintOptions options;
    options.theme = theme;
    options.dpr = 2;
    const Picture p = picture_of(scene, options, shared_fonts());
    const QImage image(reinterpret_cast<const uchar*>(p.pixels().data()), p.width(), p.height(), p.width() * 4, QImage::Format_RGBA8888);
    if (!image.save(&file, "PNG")) return QStringLiteral("the picture could not be packed");
  }
  return file.commit() ? QString() : file.errorString();
}

}  // namespace mqlab::gui
