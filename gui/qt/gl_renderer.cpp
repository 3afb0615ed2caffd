#include "gui/qt/gl_renderer.h"

#include <QWindow>
#include <QtGui/qtguiglobal.h>

#if QT_CONFIG(opengl)

#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLExtraFunctions>
#include <QSurfaceFormat>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <imgui.h>

namespace mqlab::gui {
namespace {

// The places of pixels are those of the picture: row 0 is its upper one, and is turned over when it is shown.
constexpr const char* vertex_shader = R"(
uniform vec2 origin;
uniform vec2 size;
in vec2 place;
in vec2 in_texture;
in vec4 colour;
out vec2 uv;
out vec4 tone;
void main() {
  uv = in_texture;
  tone = colour;
  gl_Position = vec4((place - origin) * 2.0 / size - 1.0, 0.0, 1.0);
}
)";

// A whole number of texels a pixel and one row a row: text at its own size (soft_raster.cpp has the same bounds).
constexpr const char* fragment_shader = R"(
uniform sampler2D coverage;
uniform bool plain;
in vec2 uv;
in vec4 tone;
out vec4 pixel;
void main() {
  float covered = 1.0;
  if (!plain) {
    ivec2 texels = textureSize(coverage, 0);
    vec2 at = uv * vec2(texels);
    vec2 across = dFdx(at), down = dFdy(at);
    float columns = floor(across.x + 0.5);
    bool own_size = columns >= 1.0 && abs(across.x - columns) < columns / 32.0 && abs(abs(down.y) - 1.0) < 1.0 / 32.0;
    float smoothed = texture(coverage, uv).r;
    float exact = texelFetch(coverage, clamp(ivec2(floor(at + 1.0 / 1024.0)), ivec2(0), texels - 1), 0).r;
    covered = own_size ? exact : smoothed;
  }
  pixel = vec4(tone.rgb, tone.a * covered);
}
)";

QSurfaceFormat wanted_format() {
  QSurfaceFormat f;
  if (QOpenGLContext::openGLModuleType() == QOpenGLContext::LibGLES) {
    f.setRenderableType(QSurfaceFormat::OpenGLES);
    f.setVersion(3, 0);
  } else {
    f.setRenderableType(QSurfaceFormat::OpenGL);
    f.setVersion(3, 3);
    f.setProfile(QSurfaceFormat::CoreProfile);
  }
  f.setDepthBufferSize(0);
  f.setStencilBufferSize(0);
  f.setSamples(0);
  f.setSwapInterval(0);  // frames have a clock of their own; five canvases would wait for five refreshes of the screen
  f.setOption(QSurfaceFormat::ResetNotification);
  return f;
}

constexpr GLuint place_of_vertex = 0, uv_of_vertex = 1, colour_of_vertex = 2;

// The first pixel whose centre is at or after v.
int first_pixel(float v) { return static_cast<int>(std::ceil(std::clamp(v, -30'000.0F, 30'000.0F) - 0.5F)); }

}  // namespace

struct GlRenderer::Context {
  QOpenGLContext context;
  QOffscreenSurface offscreen;
  QOpenGLExtraFunctions* gl = nullptr;
  GLuint program = 0, vertex_array = 0, vertices = 0, indices = 0, texture = 0;
  GLint origin = -1, size = -1, plain = -1;
  GLint side_max = 0, texture_max = 0;
  std::uint64_t texture_number = 0;  // which of Fonts is on the card
};

GlRenderer::GlRenderer() = default;

GlRenderer::~GlRenderer() {
  if (context_ == nullptr || !context_->context.makeCurrent(&context_->offscreen)) return;
  QOpenGLExtraFunctions& gl = *context_->gl;
  gl.glDeleteProgram(context_->program);
  gl.glDeleteVertexArrays(1, &context_->vertex_array);
  gl.glDeleteBuffers(1, &context_->vertices);
  gl.glDeleteBuffers(1, &context_->indices);
  gl.glDeleteTextures(1, &context_->texture);
  context_->context.doneCurrent();
}

std::shared_ptr<GlRenderer> GlRenderer::make(QString& why) {
  std::shared_ptr<GlRenderer> r(new GlRenderer);
  if (!r->begin_context()) {
    why = r->failure_;
    return nullptr;
  }
  r->context_->context.doneCurrent();
  return r;
}

// Leaves it current.
bool GlRenderer::begin_context() {
  if (lost_for_good_) {
    failure_ = QObject::tr("the context was lost");
    return false;
  }
  context_ = std::make_unique<Context>();
  Context& c = *context_;
  const auto failed = [&](const QString& why) {
    failure_ = why;
    c.context.doneCurrent();
    context_.reset();
    return false;
  };
  c.context.setFormat(wanted_format());
  if (!c.context.create()) return failed(QObject::tr("no context could be made"));
  c.offscreen.setFormat(c.context.format());
  c.offscreen.create();
  if (!c.offscreen.isValid() || !c.context.makeCurrent(&c.offscreen)) return failed(QObject::tr("the context can't be made current"));
  const QSurfaceFormat got = c.context.format();
  const bool es = c.context.isOpenGLES();
  if (got.version() < (es ? std::pair(3, 0) : std::pair(3, 3))) return failed(QObject::tr("version 3.3 is needed, and %1.%2 is there").arg(got.majorVersion()).arg(got.minorVersion()));
  c.gl = c.context.extraFunctions();
  QOpenGLExtraFunctions& gl = *c.gl;
  name_ = QString::fromLatin1(reinterpret_cast<const char*>(gl.glGetString(GL_RENDERER)));
  gl.glGetIntegerv(GL_MAX_TEXTURE_SIZE, &c.texture_max);
  GLint viewport_max[2] = {};
  gl.glGetIntegerv(GL_MAX_RENDERBUFFER_SIZE, &c.side_max);
  gl.glGetIntegerv(GL_MAX_VIEWPORT_DIMS, viewport_max);
  c.side_max = std::min({c.side_max, viewport_max[0], viewport_max[1]});

  const char* version = es ? "#version 300 es\nprecision highp float;\nprecision highp sampler2D;\n" : "#version 330 core\n";
  c.program = gl.glCreateProgram();
  for (const auto& [kind, text] : {std::pair(GLenum{GL_VERTEX_SHADER}, vertex_shader), std::pair(GLenum{GL_FRAGMENT_SHADER}, fragment_shader)}) {
    const GLuint shader = gl.glCreateShader(kind);
    const char* parts[] = {version, text};
    gl.glShaderSource(shader, 2, parts, nullptr);
    gl.glCompileShader(shader);
    gl.glAttachShader(c.program, shader);
    gl.glDeleteShader(shader);  // goes with the program
  }
  gl.glBindAttribLocation(c.program, place_of_vertex, "place");
  gl.glBindAttribLocation(c.program, uv_of_vertex, "in_texture");
  gl.glBindAttribLocation(c.program, colour_of_vertex, "colour");
  gl.glLinkProgram(c.program);
  GLint linked = GL_FALSE;
  gl.glGetProgramiv(c.program, GL_LINK_STATUS, &linked);
  if (linked != GL_TRUE) {
    char log[400] = {};
    gl.glGetProgramInfoLog(c.program, sizeof log - 1, nullptr, log);
    return failed(QObject::tr("its shaders were refused: %1").arg(QString::fromLatin1(log).simplified()));
  }
  c.origin = gl.glGetUniformLocation(c.program, "origin");
  c.size = gl.glGetUniformLocation(c.program, "size");
  c.plain = gl.glGetUniformLocation(c.program, "plain");
  gl.glGenVertexArrays(1, &c.vertex_array);
  gl.glGenBuffers(1, &c.vertices);
  gl.glGenBuffers(1, &c.indices);
  gl.glGenTextures(1, &c.texture);
  ++contexts_made_;
  return true;
}

bool GlRenderer::current(QWindow* window) {
  if (context_ == nullptr) return false;
  QSurface* surface = window != nullptr ? static_cast<QSurface*>(window) : &context_->offscreen;
  if (context_->context.isValid() && context_->context.makeCurrent(surface)) return true;
  failure_ = QObject::tr("the context can't be made current");
  return false;
}

void GlRenderer::prepare(QWindow& window) const {
  window.setSurfaceType(QSurface::OpenGLSurface);
  window.setFormat(context_ != nullptr ? context_->context.format() : wanted_format());
}

bool GlRenderer::holds(const GlPicture& p) const { return context_ != nullptr && p.frame_buffer != 0 && p.context == contexts_made_; }

void GlRenderer::lose_context(bool for_good) {
  context_.reset();
  lost_for_good_ = for_good;
}

bool GlRenderer::draw(const ImDrawData& data, const Fonts& fonts, int width, int height, Rgba paper, GlPicture& into) {
  if (!current(nullptr) && !begin_context()) return false;
  Context& c = *context_;
  QOpenGLExtraFunctions& gl = *c.gl;
  const auto failed = [&](const QString& why) {
    failure_ = why;
    c.context.doneCurrent();
    return false;
  };
  if (width > c.side_max || height > c.side_max) return failed(QObject::tr("a picture of %1 x %2 pixels is too large").arg(width).arg(height));
  while (gl.glGetError() != GL_NO_ERROR) {}

  if (!holds(into) || into.width != width || into.height != height) {
    if (holds(into)) {
      gl.glDeleteFramebuffers(1, &into.frame_buffer);
      gl.glDeleteRenderbuffers(1, &into.store);
    }
    into = {0, 0, width, height, contexts_made_};
    gl.glGenRenderbuffers(1, &into.store);
    gl.glBindRenderbuffer(GL_RENDERBUFFER, into.store);
    gl.glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
    gl.glGenFramebuffers(1, &into.frame_buffer);
    gl.glBindFramebuffer(GL_FRAMEBUFFER, into.frame_buffer);
    gl.glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, into.store);
    if (gl.glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) return failed(QObject::tr("no picture of %1 x %2 pixels could be made").arg(width).arg(height));
  }
  gl.glBindFramebuffer(GL_FRAMEBUFFER, into.frame_buffer);
  gl.glViewport(0, 0, width, height);
  gl.glDisable(GL_SCISSOR_TEST);
  gl.glDisable(GL_CULL_FACE);
  gl.glDisable(GL_DEPTH_TEST);
  gl.glClearColor(static_cast<float>(paper.r) / 255, static_cast<float>(paper.g) / 255, static_cast<float>(paper.b) / 255, 1);
  gl.glClear(GL_COLOR_BUFFER_BIT);

  const CoverageTexture& t = fonts.texture();
  gl.glActiveTexture(GL_TEXTURE0);
  gl.glBindTexture(GL_TEXTURE_2D, c.texture);
  if (c.texture_number != fonts.texture_number()) {
    if (t.width > c.texture_max || t.height > c.texture_max) return failed(QObject::tr("the texture of the fonts, %1 x %2, is too large").arg(t.width).arg(t.height));
    gl.glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    gl.glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_LINEAR);
    gl.glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    gl.glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    gl.glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    gl.glTexImage2D(GL_TEXTURE_2D, 0, GL_R8, t.width, t.height, 0, GL_RED, GL_UNSIGNED_BYTE, t.coverage);
    c.texture_number = fonts.texture_number();
  }

  gl.glUseProgram(c.program);
  gl.glUniform2f(c.origin, data.DisplayPos.x, data.DisplayPos.y);
  gl.glUniform2f(c.size, static_cast<float>(width), static_cast<float>(height));
  gl.glEnable(GL_BLEND);
  gl.glBlendEquation(GL_FUNC_ADD);
  gl.glBlendFuncSeparate(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA, GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
  gl.glEnable(GL_SCISSOR_TEST);
  gl.glBindVertexArray(c.vertex_array);
  gl.glBindBuffer(GL_ARRAY_BUFFER, c.vertices);
  gl.glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, c.indices);
  for (const GLuint a : {place_of_vertex, uv_of_vertex, colour_of_vertex}) gl.glEnableVertexAttribArray(a);
  for (int l = 0; l < data.CmdListsCount; ++l) {
    const ImDrawList& list = *data.CmdLists[l];
    if (list.VtxBuffer.Size == 0) continue;
    gl.glBufferData(GL_ARRAY_BUFFER, list.VtxBuffer.size_in_bytes(), list.VtxBuffer.Data, GL_STREAM_DRAW);
    gl.glBufferData(GL_ELEMENT_ARRAY_BUFFER, list.IdxBuffer.size_in_bytes(), list.IdxBuffer.Data, GL_STREAM_DRAW);
    for (const ImDrawCmd& command : list.CmdBuffer) {
      if (command.UserCallback != nullptr || command.ElemCount == 0) continue;
      const ImVec4& r = command.ClipRect;
      if (!std::isfinite(r.x + r.y + r.z + r.w)) continue;
      const int x0 = std::max(0, first_pixel(r.x - data.DisplayPos.x)), x1 = std::min(width, first_pixel(r.z - data.DisplayPos.x));
      const int y0 = std::max(0, first_pixel(r.y - data.DisplayPos.y)), y1 = std::min(height, first_pixel(r.w - data.DisplayPos.y));
      if (x0 >= x1 || y0 >= y1) continue;
      gl.glScissor(x0, y0, x1 - x0, y1 - y0);
      gl.glUniform1i(c.plain, command.GetTexID() == nullptr ? 1 : 0);
      const auto at = [&](std::size_t member) { return reinterpret_cast<const void*>(command.VtxOffset * sizeof(ImDrawVert) + member); };
      gl.glVertexAttribPointer(place_of_vertex, 2, GL_FLOAT, GL_FALSE, sizeof(ImDrawVert), at(offsetof(ImDrawVert, pos)));
      gl.glVertexAttribPointer(uv_of_vertex, 2, GL_FLOAT, GL_FALSE, sizeof(ImDrawVert), at(offsetof(ImDrawVert, uv)));
      gl.glVertexAttribPointer(colour_of_vertex, 4, GL_UNSIGNED_BYTE, GL_TRUE, sizeof(ImDrawVert), at(offsetof(ImDrawVert, col)));
      gl.glDrawElements(GL_TRIANGLES, static_cast<GLsizei>(command.ElemCount), sizeof(ImDrawIdx) == 2 ? GL_UNSIGNED_SHORT : GL_UNSIGNED_INT,
                        reinterpret_cast<const void*>(command.IdxOffset * sizeof(ImDrawIdx)));
    }
  }
  gl.glDisable(GL_SCISSOR_TEST);
  gl.glDisable(GL_BLEND);
  if (const GLenum error = gl.glGetError(); error != GL_NO_ERROR) return failed(QObject::tr("error 0x%1").arg(error, 4, 16, QChar('0')));
  c.context.doneCurrent();
  return true;
}

bool GlRenderer::show(const GlPicture& p, QWindow& window, Rgba paper, const std::vector<GlFrame>& frames) {
  if (!holds(p) || !current(&window)) return false;
  Context& c = *context_;
  QOpenGLExtraFunctions& gl = *c.gl;
  const int width = static_cast<int>(window.width() * window.devicePixelRatio() + 0.5), height = static_cast<int>(window.height() * window.devicePixelRatio() + 0.5);
  const GLuint screen = c.context.defaultFramebufferObject();
  gl.glBindFramebuffer(GL_DRAW_FRAMEBUFFER, screen);
  gl.glDisable(GL_SCISSOR_TEST);
  if (width > p.width || height > p.height) {
    gl.glClearColor(static_cast<float>(paper.r) / 255, static_cast<float>(paper.g) / 255, static_cast<float>(paper.b) / 255, 1);
    gl.glClear(GL_COLOR_BUFFER_BIT);
  }
  gl.glBindFramebuffer(GL_READ_FRAMEBUFFER, p.frame_buffer);
  gl.glBlitFramebuffer(0, 0, p.width, p.height, 0, height, p.width, height - p.height, GL_COLOR_BUFFER_BIT, GL_NEAREST);
  gl.glBindFramebuffer(GL_FRAMEBUFFER, screen);
  gl.glEnable(GL_SCISSOR_TEST);
  for (const GlFrame& f : frames) {
    gl.glClearColor(static_cast<float>(f.colour.redF()), static_cast<float>(f.colour.greenF()), static_cast<float>(f.colour.blueF()), 1);
    const auto fill = [&](int x, int y, int w, int h) {
      gl.glScissor(x, height - y - h, std::max(0, w), std::max(0, h));
      gl.glClear(GL_COLOR_BUFFER_BIT);
    };
    const int step = f.dash > 0 ? 2 * f.dash : 0;
    for (const int y : {f.at.top(), f.at.bottom() + 1 - f.width})
      for (int x = f.at.left(); x <= f.at.right(); x += step > 0 ? step : f.at.width()) fill(x, y, step > 0 ? std::min(f.dash, f.at.right() + 1 - x) : f.at.width(), f.width);
    for (const int x : {f.at.left(), f.at.right() + 1 - f.width})
      for (int y = f.at.top(); y <= f.at.bottom(); y += step > 0 ? step : f.at.height()) fill(x, y, f.width, step > 0 ? std::min(f.dash, f.at.bottom() + 1 - y) : f.at.height());
  }
  gl.glDisable(GL_SCISSOR_TEST);
  c.context.swapBuffers(&window);
  c.context.doneCurrent();
  return true;
}

Picture GlRenderer::read(const GlPicture& p) {
  if (!holds(p) || !current(nullptr)) return {};
  Picture out(p.width, p.height);
  QOpenGLExtraFunctions& gl = *context_->gl;
  gl.glBindFramebuffer(GL_FRAMEBUFFER, p.frame_buffer);
  gl.glPixelStorei(GL_PACK_ALIGNMENT, 4);
  gl.glReadPixels(0, 0, p.width, p.height, GL_RGBA, GL_UNSIGNED_BYTE, out.pixels().data());
  context_->context.doneCurrent();
  return out;
}

void GlRenderer::release(GlPicture& p) {
  if (holds(p) && current(nullptr)) {
    context_->gl->glDeleteFramebuffers(1, &p.frame_buffer);
    context_->gl->glDeleteRenderbuffers(1, &p.store);
    context_->context.doneCurrent();
  }
  p = {};
}

}  // namespace mqlab::gui

#else  // a Qt without OpenGL

namespace mqlab::gui {

struct GlRenderer::Context {};
GlRenderer::GlRenderer() = default;
GlRenderer::~GlRenderer() = default;
std::shared_ptr<GlRenderer> GlRenderer::make(QString& why) {
  why = QObject::tr("Qt was built without it");
  return nullptr;
}
void GlRenderer::prepare(QWindow&) const {}
bool GlRenderer::draw(const ImDrawData&, const Fonts&, int, int, Rgba, GlPicture&) { return false; }
bool GlRenderer::show(const GlPicture&, QWindow&, Rgba, const std::vector<GlFrame>&) { return false; }
bool GlRenderer::holds(const GlPicture&) const { return false; }
Picture GlRenderer::read(const GlPicture&) { return {}; }
void GlRenderer::release(GlPicture&) {}
void GlRenderer::lose_context(bool) {}

}  // namespace mqlab::gui

#endif
