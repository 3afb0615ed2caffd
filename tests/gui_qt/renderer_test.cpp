// Who draws the canvases; and OpenGL against the rasteriser, in a process of its own below Xvfb (the others are offscreen).
#include <QAccessible>
#include <QFile>
#include <QProcess>
#include <QScreen>
#include <QStandardPaths>
#include <QTest>
#include <QVBoxLayout>

#include <cstdlib>
#include <filesystem>

#include "gui/canvas/png.h"
#include "gui/canvas/soft_raster.h"
#include "gui/qt/canvas_widget.h"
#include "gui/qt/gl_renderer.h"
#include "gui/qt/gl_surface.h"
#include "gui/qt/main_window.h"
#include "gui/qt/renderer.h"
#include "tests/gui_canvas/every_shape.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

// --- the rule of auto ---

using Probe = std::optional<QString>;

TEST(Renderer, AutoTakesAGraphicsCardOnXcbAndWaylandOnly) {
  const auto on = [](const char* platform, const char* name) { return decide_renderer(RendererChoice::automatic, QString::fromLatin1(platform), [&](QString&) { return Probe(QString::fromLatin1(name)); }); };
  for (const char* platform : {"xcb", "wayland", "wayland-egl"}) {
    EXPECT_TRUE(on(platform, "Mesa Intel(R) UHD Graphics 620 (KBL GT2)").opengl) << platform;
    EXPECT_TRUE(on(platform, "NVIDIA GeForce RTX 3060/PCIe/SSE2").opengl) << platform;
    EXPECT_TRUE(on(platform, "AMD Radeon RX 6600 (navi23, LLVM 15.0.6, DRM 3.49)").opengl) << platform << ": LLVM in a name is not llvmpipe";
    for (const char* name : {"llvmpipe (LLVM 15.0.6, 256 bits)", "softpipe", "Google SwiftShader", "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (LLVM 10.0.0)), SwiftShader driver)", "Software Rasterizer"})
      EXPECT_FALSE(on(platform, name).opengl) << platform << " " << name;
  }
  for (const char* platform : {"offscreen", "minimal", "minimalegl", "vnc", "linuxfb", "eglfs", ""}) EXPECT_FALSE(on(platform, "NVIDIA").opengl) << platform;
}

TEST(Renderer, AutoSaysNothingWhenThereIsNoOpenGl) {
  const RendererDecision d = decide_renderer(RendererChoice::automatic, "xcb", [](QString& why) {
    why = "no context could be made";
    return Probe();
  });
  EXPECT_FALSE(d.opengl);
  EXPECT_EQ(d.why, "") << "nobody wished it";
}

TEST(Renderer, AWishForOpenGlTakesWhatThereIsAndSaysWhatIsNot) {
  const auto llvmpipe = [](QString&) { return Probe("llvmpipe (LLVM 15.0.6, 256 bits)"); };
  EXPECT_TRUE(decide_renderer(RendererChoice::opengl, "xcb", llvmpipe).opengl);
  const RendererDecision none = decide_renderer(RendererChoice::opengl, "xcb", [](QString& why) {
    why = "no context could be made";
    return Probe();
  });
  EXPECT_FALSE(none.opengl);
  EXPECT_EQ(none.why, "OpenGL can't be used: no context could be made");
}

// Qt ends the process when a widget of OpenGL is shown there (a crash in its backing store), so nothing is even tried.
TEST(Renderer, NothingIsProbedOffscreenNorForSoftware) {
  int probed = 0;
  const auto probe = [&](QString&) {
    ++probed;
    return Probe("NVIDIA");
  };
  EXPECT_EQ(decide_renderer(RendererChoice::opengl, "offscreen", probe).why, "OpenGL is not used on the platform `offscreen`: it needs xcb or wayland");
  EXPECT_FALSE(decide_renderer(RendererChoice::automatic, "offscreen", probe).opengl);
  EXPECT_FALSE(decide_renderer(RendererChoice::software, "xcb", probe).opengl);
  EXPECT_EQ(probed, 0);
}

TEST(Renderer, WordsAreThoseOfTheCommandLineAndOfTheSettings) {
  for (const RendererChoice c : {RendererChoice::automatic, RendererChoice::software, RendererChoice::opengl}) EXPECT_EQ(renderer_of(renderer_words()[static_cast<int>(c)]), c);
  EXPECT_EQ(renderer_of("metal"), std::nullopt);
  const QTemporaryDir folder;
  {
    WindowSettings s(folder.path() + "/w.ini");
    EXPECT_EQ(s.renderer(), RendererChoice::automatic);
    s.set_renderer(RendererChoice::opengl);
  }
  EXPECT_EQ(WindowSettings(folder.path() + "/w.ini").renderer(), RendererChoice::opengl);
}

// --- below Xvfb ---

TEST(Renderer, OpenGlDrawsWhatTheRasteriserDraws) {
  const QString xvfb_run = QStandardPaths::findExecutable("xvfb-run");
  if (xvfb_run.isEmpty()) GTEST_SKIP() << "xvfb-run is missing: OpenGL is not tested";
  QProcess child;
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert("QT_QPA_PLATFORM", "xcb");
  environment.insert("LIBGL_ALWAYS_SOFTWARE", "1");
  for (const char* name : {"GTEST_OUTPUT", "GTEST_FILTER", "GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "WAYLAND_DISPLAY"}) environment.remove(name);
  child.setProcessEnvironment(environment);
  child.setProcessChannelMode(QProcess::MergedChannels);
  child.start(xvfb_run, {"-a", "-s", "-screen 0 1280x800x24", QCoreApplication::applicationFilePath(), "--gtest_filter=OpenGlOnAScreen.*"});
  ASSERT_TRUE(child.waitForFinished(300'000));
  const std::string out = child.readAll().toStdString();
  EXPECT_EQ(child.exitStatus(), QProcess::NormalExit);
  EXPECT_EQ(child.exitCode(), 0) << out;
  if (out.find("[  SKIPPED ]") != std::string::npos) GTEST_SKIP() << out;
  EXPECT_NE(out.find("[  PASSED  ]"), std::string::npos) << out;
}

class OpenGlOnAScreen : public ::testing::Test {
 protected:
  void SetUp() override {
    if (QGuiApplication::platformName() != "xcb") GTEST_SKIP() << "needs a screen: Renderer.OpenGlDrawsWhatTheRasteriserDraws starts it with one";
    const QString why = RendererInUse::instance().choose(RendererChoice::opengl);
    if (!why.isEmpty()) GTEST_SKIP() << why.toStdString();
    install_canvas_accessibility();
  }
  void TearDown() override { RendererInUse::instance().choose(RendererChoice::software); }
};

// At most one pixel of a hundred differs by more than 8. Both pictures are kept beside the test binary when they differ more, or when
// MQLAB_KEEP_PICTURES=1.
void expect_alike(const Picture& soft, const Picture& gl, const std::string& name) {
  ASSERT_EQ(soft.width(), gl.width()) << name;
  ASSERT_EQ(soft.height(), gl.height()) << name;
  std::size_t beyond = 0, inked = 0;
  int largest = 0;
  for (std::size_t i = 0; i < soft.pixels().size(); ++i) {
    int d = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) d = std::max(d, std::abs(static_cast<int>(soft.pixels()[i] >> shift & 255U) - static_cast<int>(gl.pixels()[i] >> shift & 255U)));
    beyond += d > 8;
    largest = std::max(largest, d);
    inked += soft.pixels()[i] != soft.pixels()[0];
  }
  const double share = static_cast<double>(beyond) / static_cast<double>(soft.pixels().size());
  std::printf("%s: %.3f %% of pixels differ by more than 8, the largest difference is %d\n", name.c_str(), 100 * share, largest);
  EXPECT_LE(share, 0.01) << name;
  EXPECT_GT(inked, 500U) << name << ": there is something in it";
  const char* keep = std::getenv("MQLAB_KEEP_PICTURES");
  if (share <= 0.01 && (keep == nullptr || std::string(keep) != "1")) return;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "pictures";
  std::filesystem::create_directories(folder);
  write_png(soft, (folder / (name + ".software.png")).string());
  write_png(gl, (folder / (name + ".opengl.png")).string());
}

TEST_F(OpenGlOnAScreen, EveryShapeIsAlike) {
  GlRenderer& gl = *RendererInUse::instance().opengl();
  GlPicture on_card;
  for (const Theme theme : {Theme::light, Theme::dark})
    for (const float dpr : {1.0F, 1.5F, 2.0F}) {
      Canvas canvas(shared_fonts());
      canvas.set_theme(theme);
      canvas.resize(520, 400, dpr);
      canvas.set_scene(every_shape());
      const Rgba paper = colour(Ink::background, theme);
      const ImDrawData& triangles = canvas.frame_as_triangles(0.02);
      ASSERT_TRUE(gl.draw(triangles, canvas.fonts(), canvas.pixel_width(), canvas.pixel_height(), paper, on_card)) << gl.failure().toStdString();
      Picture soft(canvas.pixel_width(), canvas.pixel_height(), paper);
      raster(triangles, soft);
      expect_alike(soft, gl.read(on_card), "every_shape_" + std::string(theme == Theme::light ? "light" : "dark") + "_" + std::to_string(static_cast<int>(dpr * 100)));
    }
  gl.release(on_card);
}

TEST_F(OpenGlOnAScreen, TooLargeAPictureIsAFailureAndNoEnd) {
  GlRenderer& gl = *RendererInUse::instance().opengl();
  Canvas canvas(shared_fonts());
  canvas.resize(100, 80);
  GlPicture on_card;
  EXPECT_FALSE(gl.draw(canvas.frame_as_triangles(0.02), canvas.fonts(), 1'000'000, 80, {}, on_card));
  EXPECT_EQ(gl.failure(), "a picture of 1000000 x 80 pixels is too large");
  EXPECT_TRUE(gl.draw(canvas.frame_as_triangles(0.02), canvas.fonts(), 100, 80, {}, on_card)) << gl.failure().toStdString();
  gl.release(on_card);
}


Scene two_brokers(float w, float h) {
  Scene s(w, h);
  s.fill({10, 10, 80, 40}, Ink::hue0, 0, EntityId::node(1));
  s.fill({110, 10, 80, 40}, Ink::hue1, 0, EntityId::node(2));
  s.text({20, 70}, "two brokers", Ink::text);
  s.name(EntityId::node(1), {10, 10, 80, 40}, "broker B1, running");
  s.name(EntityId::node(2), {110, 10, 80, 40}, "broker B2, down");
  return s;
}

// What the X server shows at a place of a widget.
QRgb on_screen(const QWidget& w, QPoint at) {
  QTest::qWait(50);
  const QPoint there = w.mapToGlobal(at);
  return w.screen()->grabWindow(0, there.x(), there.y(), 1, 1).toImage().pixel(0, 0);
}
QRgb qt_colour(Ink ink) {
  const Rgba c = colour(ink, Theme::light);
  return qRgb(c.r, c.g, c.b);
}

TEST_F(OpenGlOnAScreen, ACanvasShowsItsPixelsAndTakesInput) {
  CanvasWidget canvas("Test");
  ASSERT_NE(canvas.opengl(), nullptr);
  canvas.build = [](float w, float h, const TextMeasure&) { return two_brokers(w, h); };
  std::vector<EntityId> chosen;
  EntityId asked;
  canvas.chosen = [&](EntityId e, Point) { chosen.push_back(e); };
  QObject::connect(&canvas, &CanvasWidget::menu_asked, [&](EntityId e) { asked = e; });
  canvas.resize(300, 120);
  canvas.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&canvas));
  const auto shown = [&] { return wait_until([&] { return canvas.settled(); }) && wait_until([&] { return on_screen(canvas, {50, 30}) == qt_colour(Ink::hue0); }); };
  ASSERT_TRUE(shown());
  EXPECT_EQ(on_screen(canvas, {150, 30}), qt_colour(Ink::hue1)) << "what is right is right";
  EXPECT_EQ(on_screen(canvas, {50, 100}), qt_colour(Ink::background)) << "what is above is above";
  EXPECT_EQ(canvas.grab().toImage().pixel(50, 30), qt_colour(Ink::hue0)) << "a picture of the widget is read back";

  // Input is the canvas's own, and so are keys and what a screen reader finds.
  QTest::mouseClick(&canvas, Qt::LeftButton, {}, {50, 30});
  QTest::mouseClick(&canvas, Qt::RightButton, {}, {150, 30});
  ASSERT_TRUE(wait_until([&] { return !chosen.empty() && static_cast<bool>(asked); }));
  EXPECT_EQ(chosen, std::vector<EntityId>{EntityId::node(1)});
  EXPECT_EQ(asked, EntityId::node(2));
  // ... also when the window of OpenGL is given it.
  QWindow* inner = nullptr;
  for (QWindow* w : canvas.windowHandle()->findChildren<QWindow*>()) inner = w;
  ASSERT_NE(inner, nullptr);
  EXPECT_TRUE(inner->flags().testFlag(Qt::WindowTransparentForInput));
  QTest::mouseClick(inner, Qt::LeftButton, {}, {150, 30});
  ASSERT_TRUE(wait_until([&] { return chosen.size() == 2; }));
  EXPECT_EQ(chosen.back(), EntityId::node(2));
  QAccessibleInterface* face = QAccessible::queryAccessibleInterface(&canvas);
  ASSERT_NE(face, nullptr);
  ASSERT_EQ(face->childCount(), 2);
  EXPECT_EQ(face->child(1)->text(QAccessible::Name), "broker B2, down");

  // Larger: what is new is drawn as well.
  canvas.resize(500, 300);
  canvas.build = [](float w, float h, const TextMeasure&) {
    Scene s = two_brokers(w, h);
    s.fill({400, 250, 80, 40}, Ink::hue2);
    return s;
  };
  canvas.invalidate();
  EXPECT_TRUE(wait_until([&] { return canvas.settled() && on_screen(canvas, {440, 270}) == qt_colour(Ink::hue2); }));

  // Into another window and back to the screen, as a dock that floats.
  QWidget other;
  other.resize(600, 400);
  auto* layout = new QVBoxLayout(&other);
  layout->addWidget(&canvas);
  other.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&other));
  EXPECT_TRUE(shown());
  canvas.setParent(nullptr);
  canvas.show();
  EXPECT_TRUE(shown());

  // An idle canvas costs nothing with OpenGL either.
  const auto frames = canvas.canvas().frames();
  QTest::qWait(200);
  EXPECT_EQ(canvas.canvas().frames(), frames);
}

TEST_F(OpenGlOnAScreen, ALostContextIsMadeAnew) {
  CanvasWidget canvas("Test");
  canvas.build = [](float w, float h, const TextMeasure&) { return two_brokers(w, h); };
  canvas.resize(300, 120);
  canvas.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&canvas));
  ASSERT_TRUE(wait_until([&] { return canvas.settled() && on_screen(canvas, {50, 30}) == qt_colour(Ink::hue0); }));
  RendererInUse::instance().opengl()->lose_context();
  EXPECT_EQ(canvas.pixels().width(), 0) << "its picture went with it";
  canvas.build = [](float w, float h, const TextMeasure&) {
    Scene s(w, h);
    s.fill({10, 10, 80, 40}, Ink::hue3);
    return s;
  };
  canvas.invalidate();
  EXPECT_TRUE(wait_until([&] { return canvas.settled() && on_screen(canvas, {50, 30}) == qt_colour(Ink::hue3); }));
  ASSERT_NE(canvas.opengl(), nullptr);
  // A window that only has to show again what it had asks for it.
  RendererInUse::instance().opengl()->lose_context();
  canvas.hide();
  canvas.show();
  EXPECT_TRUE(wait_until([&] { return canvas.settled() && canvas.pixels().width() == 300; }));
}

TEST_F(OpenGlOnAScreen, WithoutAnyContextTheProcessorGoesOn) {
  CanvasWidget canvas("Test");
  canvas.build = [](float w, float h, const TextMeasure&) { return two_brokers(w, h); };
  canvas.resize(300, 120);
  canvas.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&canvas));
  ASSERT_TRUE(wait_until([&] { return canvas.settled(); }));
  EXPECT_EQ(RendererInUse::instance().name(), "OpenGL canvas");
  RendererInUse::instance().opengl()->lose_context(true);
  canvas.invalidate();
  EXPECT_TRUE(wait_until([&] { return canvas.settled() && canvas.opengl() == nullptr; }));
  EXPECT_EQ(RendererInUse::instance().name(), "software canvas");
  EXPECT_EQ(RendererInUse::instance().sentence(), "The pictures are drawn by the processor, since OpenGL failed: the context was lost");
  EXPECT_TRUE(wait_until([&] { return on_screen(canvas, {50, 30}) == qt_colour(Ink::hue0); }));
}

// The showcase in a whole window: each view, by OpenGL and by the rasteriser.
TEST_F(OpenGlOnAScreen, ViewsOfARunAreAlike) {
  const QTemporaryDir folder;
  WindowSettings settings(folder.path() + "/w.ini");
  MainWindow w(&settings, {.scenario = source("scenarios/showcase.lua"), .layout = "present", .at = "12s"});
  w.show();
  ASSERT_TRUE(wait_until([&] { return w.settled() && w.workspace().has_events(); }));
  int number = 0;
  for (PicturePane* p : w.pictures()) {
    auto* dock = qobject_cast<QDockWidget*>(p->parentWidget());
    ASSERT_NE(dock, nullptr);
    dock->show();
    dock->raise();
    ASSERT_TRUE(wait_until([&] { return w.settled() && p->canvas()->settled(); }));
    ASSERT_NE(p->canvas()->opengl(), nullptr);
    Canvas& canvas = p->canvas()->canvas();
    const Picture by_gl = p->canvas()->pixels();
    expect_alike(canvas.frame(0.02), by_gl, "view_" + std::to_string(++number));
  }
}

}  // namespace
}  // namespace mqlab::gui
