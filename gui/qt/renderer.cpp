#include "gui/qt/renderer.h"

#include <QGuiApplication>

#include <cstdio>

#include "gui/qt/gl_renderer.h"

namespace mqlab::gui {

QStringList renderer_words() { return {QStringLiteral("auto"), QStringLiteral("software"), QStringLiteral("opengl")}; }

std::optional<RendererChoice> renderer_of(const QString& word) {
  const auto at = renderer_words().indexOf(word);
  if (at < 0) return std::nullopt;
  return static_cast<RendererChoice>(at);
}

bool may_try_opengl(RendererChoice choice, const QString& platform) {
  const bool on_screen = platform == QLatin1String("xcb") || platform.startsWith(QLatin1String("wayland"));
  return choice != RendererChoice::software && on_screen;
}

bool draws_on_processor(const QString& renderer_name) {
  for (const char* word : {"llvmpipe", "softpipe", "swiftshader", "swrast", "software rasterizer"})
    if (renderer_name.contains(QLatin1String(word), Qt::CaseInsensitive)) return true;
  return false;
}

RendererDecision decide_renderer(RendererChoice choice, const QString& platform, const std::function<std::optional<QString>(QString& why)>& probe) {
  const bool wished = choice == RendererChoice::opengl;
  if (!may_try_opengl(choice, platform))
    return {false, wished ? QObject::tr("OpenGL is not used on the platform `%1`: it needs xcb or wayland").arg(platform) : QString()};
  QString why;
  const std::optional<QString> name = probe(why);
  if (!name) return {false, wished ? QObject::tr("OpenGL can't be used: %1").arg(why) : QString()};
  return {wished || !draws_on_processor(*name), {}};
}

RendererInUse& RendererInUse::instance() {
  static RendererInUse& one = *new RendererInUse;  // never ended: a context can't be ended after the application
  return one;
}

QString RendererInUse::choose(RendererChoice choice) {
  opengl_.reset();
  failure_.clear();
  std::shared_ptr<GlRenderer> made;
  const RendererDecision d = decide_renderer(choice, QGuiApplication::platformName(), [&](QString& why) -> std::optional<QString> {
    made = GlRenderer::make(why);
    if (made == nullptr) return std::nullopt;
    return made->name();
  });
  if (d.opengl) opengl_ = std::move(made);
  emit changed();
  return d.why;
}

void RendererInUse::fail(const QString& why) {
  if (opengl_ == nullptr) return;
  failure_ = why;
  opengl_.reset();
  std::fprintf(stderr, "mqlab-gui: OpenGL failed (%s): the canvases are drawn by software from here on\n", why.toUtf8().constData());
  emit changed();
}

QString RendererInUse::name() const { return opengl_ != nullptr ? tr("OpenGL canvas") : tr("software canvas"); }

QString RendererInUse::sentence() const {
  if (opengl_ != nullptr) return tr("The pictures are drawn by OpenGL: %1").arg(opengl_->name());
  if (!failure_.isEmpty()) return tr("The pictures are drawn by the processor, since OpenGL failed: %1").arg(failure_);
  return tr("How the pictures are drawn: exact, without a graphics card");
}

}  // namespace mqlab::gui
