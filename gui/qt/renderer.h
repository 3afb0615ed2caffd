// gui/qt/renderer.h: what draws the canvases: the processor, or OpenGL.
//
// The rule of `auto`: software, unless the platform is xcb or wayland and OpenGL there names a renderer that is a graphics card. A
// renderer that is itself software (llvmpipe, softpipe, SwiftShader) is slower than the canvas's own, and not chosen by itself.
// `opengl` takes what there is, but never tries a platform without windows on a screen: Qt ends the process there.
// Always true: 1. no context of OpenGL is made on such a platform, nor for `software`. 2. Whatever fails, canvases are drawn: by the
// processor, with one line of why. 3. A run and its fingerprint do not depend on it.
// Elsewhere: how OpenGL draws (gl_renderer.h), the rasteriser (gui/canvas/soft_raster.h).
//
//     const RendererDecision d = decide_renderer(RendererChoice::automatic, "xcb", [](QString& why) { return probe(why); });
//     if (!d.opengl) complain(d.why);   // empty when nothing was wished that could not be had
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>

#include <functional>
#include <memory>
#include <optional>

namespace mqlab::gui {

class GlRenderer;

enum class RendererChoice : std::uint8_t { automatic, software, opengl };

// "auto", "software", "opengl", in the order of RendererChoice.
QStringList renderer_words();
std::optional<RendererChoice> renderer_of(const QString& word);

// True iff OpenGL may be tried at all on a platform, as QGuiApplication::platformName() names it.
bool may_try_opengl(RendererChoice choice, const QString& platform);
// True iff that name of a renderer of OpenGL is of one that draws on the processor.
bool draws_on_processor(const QString& renderer_name);

struct RendererDecision {
  bool opengl = false;
  QString why{};   // `opengl` was wished and can't be had; else empty
};

// `probe` makes a context and tells the name of its renderer; nothing, and why, when there is none. It is asked at most once, and only
// where OpenGL may be tried.
RendererDecision decide_renderer(RendererChoice choice, const QString& platform, const std::function<std::optional<QString>(QString& why)>& probe);

// The one that all canvases of the process use. At first: software.
class RendererInUse : public QObject {
  Q_OBJECT

 public:
  static RendererInUse& instance();

  // Decides, and makes what was decided. Before the first canvas: those that exist keep what they have. Returns why OpenGL was
  // wished and can't be had; else nothing.
  QString choose(RendererChoice choice);
  // None: software.
  const std::shared_ptr<GlRenderer>& opengl() const { return opengl_; }
  // OpenGL failed while it was in use: canvases go over to software one by one. Says so once, on stderr.
  void fail(const QString& why);

  // For the status bar: "software canvas", "OpenGL"; and a sentence on it.
  QString name() const;
  QString sentence() const;

 signals:
  void changed();

 private:
  std::shared_ptr<GlRenderer> opengl_;
  QString failure_;
};

}  // namespace mqlab::gui
