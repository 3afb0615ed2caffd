#include "gui/qt/run_window.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QElapsedTimer>
#include <QPixmap>
#include <QTemporaryDir>
#include <QTimer>

#include <cstdio>
#include <memory>
#include <string_view>

#include "gui/qt/main_window.h"
#include "gui/qt/renderer.h"
#include "gui/qt/teller.h"
#include "gui/qt/view_tour.h"

namespace mqlab::gui {
namespace {

int complain(const QString& text) {
  std::fprintf(stderr, "mqlab-gui: %s\n", text.toUtf8().constData());
  return 2;
}

// Notes of Qt about the environment that nobody can act on.
void filter_messages(QtMsgType type, const QMessageLogContext&, const QString& text) {
  if (type == QtDebugMsg || type == QtInfoMsg) return;
  if (text.contains("XDG_RUNTIME_DIR") || text.contains("propagateSizeHints")) return;
  std::fprintf(stderr, "%s\n", text.toUtf8().constData());
}

// Follows links of the lesson one after the other, each once the window has come to rest, as clicks do. What is left of them.
std::shared_ptr<QStringList> follow_links(MainWindow* window, const QStringList& links) {
  auto left = std::make_shared<QStringList>(links);
  auto* timer = new QTimer(window);
  QObject::connect(timer, &QTimer::timeout, window, [=] {
    if (left->isEmpty()) return timer->stop();
    if (!window->settled()) return;
    const QString link = left->takeFirst();
    if (!window->lesson_pane()->follow(QUrl(link))) complain(QObject::tr("--follow %1: the lesson has no such link").arg(link));
  });
  timer->start(30);
  return left;
}

constexpr int screenshot_patience_ms = 120'000;

// Waits until the run is made and everything is drawn, then writes the picture and ends.
void take_screenshot(MainWindow* window, const QString& file, const std::shared_ptr<QStringList>& links) {
  auto* timer = new QTimer(window);
  auto waited = std::make_shared<QElapsedTimer>();
  waited->start();
  auto calm = std::make_shared<int>(0);
  QObject::connect(timer, &QTimer::timeout, window, [=] {
    *calm = links->isEmpty() && window->settled() ? *calm + 1 : 0;
    if (*calm < 10 && waited->elapsed() < screenshot_patience_ms) return;
    timer->stop();
    const bool written = picture_of_window(window).save(file);
    if (!written) complain(QObject::tr("%1 could not be written").arg(file));
    QCoreApplication::exit(written && *calm > 0 ? 0 : 2);
  });
  timer->start(30);
}

}  // namespace

int run_window(int argc, char** argv) {
  bool picture = false, words_only = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    picture = picture || word.starts_with("--screenshot") || word.starts_with("--views");
    words_only = words_only || word == "-h" || word.starts_with("--help") || word == "-v" || word == "--version";
  }
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) {
    if (picture || words_only) qputenv("QT_QPA_PLATFORM", "offscreen");
    else if (qEnvironmentVariableIsEmpty("DISPLAY") && qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY"))
      return complain(QStringLiteral("there is no screen here (DISPLAY and WAYLAND_DISPLAY are empty). `--screenshot FILE` draws one picture without; `mqlab run SCENARIO --html FILE` writes a page to look at elsewhere"));
  }
  qInstallMessageHandler(filter_messages);
  QApplication app(argc, argv);
  QApplication::setApplicationName(QStringLiteral("mqlab"));
  QApplication::setApplicationVersion(QStringLiteral(MQLAB_VERSION));

  QCommandLineParser parser;
  parser.setApplicationDescription(QStringLiteral("The window of mqlab: write a scenario, run it, look at every moment of it, break it by hand."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addPositionalArgument("SCENARIO", "A Lua file, or a name as `mqlab scenarios` lists it; none: the start page", "[SCENARIO]");
  const QCommandLineOption case_name("case", "The case to run (else the first)", "NAME"), design("on", "The design to run on (else the first)", "NAME"), seed("seed", "The seed of chance (else the scenario's own)", "N"),
      set("set", "key=value: changes an option (may be repeated)", "KEY=VALUE"), layout("layout", "learn, debug, compare or present", "NAME"), theme("theme", theme_words().join(", "), "NAME"),
      renderer("renderer", "What draws the pictures: auto (a graphics card where there is one, on xcb and wayland), software or opengl; remembered", "NAME"),
      memory("memory", "Megabytes for the checkpoints of each run (256): where they are not enough, going to a moment of a long run takes longer; remembered", "N"),
      scale("scale", "Size of text in percent, 80 to 250", "N"), settings_file("settings", "Keeps settings, notes and unsaved text in this file and its folder", "FILE"),
      reset("reset-settings", "Forgets all settings first"), screenshot("screenshot", "Writes a picture of the window to FILE, and ends", "FILE"), size("size", "Size of the window", "WxH"),
      views("views", "Writes pictures of every view of the run to FOLDER, in two sizes and two themes (--size, --theme: in these), with flaws.txt, which tells of texts that are cut off or lie on each other; and ends", "FOLDER"),
      at("at", "Goes to 130ms, #87, next violation ... once it has run", "PLACE"), verdict("witness", "Goes to the witness of the first verdict, as a click on it does"),
      tell("tell", "Writes what is shown, and where on the screen, to FILE as JSON whenever the window has come to rest: for tests and other tools", "FILE"),
      lesson("lesson", "Opens a chapter: first-minutes, kafka/03-ordering-and-duplicates ...", "NAME"), follow("follow", "Follows a link of that chapter, as a click does: \"mqlab:say?q=0&c=1\" answers its first question (may be repeated)", "LINK"),
      breaks("break", "Breaks the run by hand once it is made, as a click does: \"kill B1 at 15s\", \"isolate B2 for 3s at 8s\", \"latency P1 to B1 by 200ms at 5s\" (may be repeated: each begins a future of its own)", "FAULT");
  parser.addOptions({case_name, design, seed, set, layout, theme, renderer, memory, scale, settings_file, reset, screenshot, views, size, at, verdict, tell, lesson, follow, breaks});
  parser.process(app);

  WindowOptions options;
  const QStringList words = parser.positionalArguments();
  if (words.size() > 1) return complain(QObject::tr("one scenario was expected, not `%1`").arg(words.join(' ')));
  if (!words.isEmpty()) {
    options.scenario = words[0];
    if (find_scenario(words[0]).isEmpty()) return complain(QObject::tr("%1: there is no such file; `mqlab scenarios` lists those of the library").arg(words[0]));
  }
  options.case_name = parser.value(case_name);
  options.design = parser.value(design);
  options.settings = parser.values(set);
  options.layout = parser.value(layout);
  options.at = parser.value(at);
  options.breaks = parser.values(breaks);
  for (const QString& b : options.breaks)
    if (const ByHand h = read_by_hand(b); !h.complaint.isEmpty()) return complain(QObject::tr("--break %1: %2").arg(b, h.complaint));
  if (parser.isSet(seed)) {
    bool ok = false;
    options.seed = parser.value(seed).toULongLong(&ok);
    if (!ok) return complain(QObject::tr("--seed %1: a whole number was expected").arg(parser.value(seed)));
  }
  QString chapter = parser.value(lesson);
  if (!chapter.isEmpty() && !chapter.endsWith(".md")) chapter += ".md";
  if (!chapter.isEmpty() && lesson_text(chapter).isEmpty()) return complain(QObject::tr("--lesson %1: there is no such chapter; the start page lists them").arg(parser.value(lesson)));
  if (!options.layout.isEmpty() && !layout_names().contains(options.layout)) return complain(QObject::tr("--layout %1: there are %2").arg(options.layout, layout_names().join(QStringLiteral(", "))));
  if (parser.isSet(theme) && !theme_of(parser.value(theme))) return complain(QObject::tr("--theme %1: there are %2").arg(parser.value(theme), theme_words().join(QStringLiteral(", "))));
  if (parser.isSet(renderer) && !renderer_of(parser.value(renderer))) return complain(QObject::tr("--renderer %1: there are %2").arg(parser.value(renderer), renderer_words().join(QStringLiteral(", "))));
  if (bool ok = false; parser.isSet(memory) && (parser.value(memory).toInt(&ok) < memory_min || !ok)) return complain(QObject::tr("--memory %1: a number of megabytes was expected, at least %2").arg(parser.value(memory)).arg(memory_min));
  QSize wanted;
  if (parser.isSet(size)) {
    const QStringList parts = parser.value(size).split('x');
    if (parts.size() == 2) wanted = {parts[0].toInt(), parts[1].toInt()};
    if (wanted.width() < 320 || wanted.height() < 240 || wanted.width() > 16384 || wanted.height() > 16384) return complain(QObject::tr("--size %1: 1280x800 was expected").arg(parser.value(size)));
  }

  // A picture is of a window as it comes, not of somebody's settings.
  QTemporaryDir fresh;
  QString file = parser.value(settings_file);
  if (file.isEmpty() && picture) file = fresh.path() + "/window.ini";
  WindowSettings settings(file, parser.isSet(reset));
  if (parser.isSet(theme)) settings.set_theme(*theme_of(parser.value(theme)));
  if (parser.isSet(renderer)) settings.set_renderer(*renderer_of(parser.value(renderer)));
  if (parser.isSet(memory)) settings.set_memory(parser.value(memory).toInt());
  if (parser.isSet(scale)) settings.set_scale(parser.value(scale).toInt());

  // The context ends before the application, and after the canvases.
  const struct Renderer {
    ~Renderer() { RendererInUse::instance().choose(RendererChoice::software); }
  } until_the_end;
  if (const QString why = RendererInUse::instance().choose(settings.renderer()); !why.isEmpty()) complain(QObject::tr("%1; the pictures are drawn by software").arg(why));
  MainWindow window(&settings, options);
  if (wanted.isValid()) window.resize(wanted);
  window.show();
  if (parser.isSet(verdict)) QObject::connect(&window.workspace(), &Workspace::run_changed, &window, [&window] { window.verdict_pane()->go_to_witness(); }, Qt::QueuedConnection);
  if (!chapter.isEmpty()) window.show_lesson(chapter);
  const auto links = follow_links(&window, parser.values(follow));
  if (parser.isSet(tell)) new Teller(&window, parser.value(tell));
  if (parser.isSet(screenshot)) take_screenshot(&window, parser.value(screenshot), links);
  if (parser.isSet(views)) {
    ViewTourOptions tour{.folder = parser.value(views)};
    if (wanted.isValid()) tour.sizes = {wanted};
    if (parser.isSet(theme)) tour.themes = {settings.theme()};
    QObject::connect(new ViewTour(&window, tour), &ViewTour::done, &app, [](const QString& trouble) { QCoreApplication::exit(trouble.isEmpty() ? 0 : complain(trouble)); });
  }
  return QApplication::exec();
}

}  // namespace mqlab::gui
