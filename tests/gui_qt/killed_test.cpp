// Killed at any moment, the window loses neither the text of the scenario nor a note.
//
// This test starts itself again as another process, which opens the window, types and pins notes through its widgets, and tells here,
// line by line, what it has done. It is killed at a moment drawn from a seed, and started again in the same folder.
#include <QDir>
#include <QProcess>
#include <QRegularExpression>
#include <QTest>

#include <cstdio>

#include "gui/qt/main_window.h"
#include "sim/kernel/random.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

constexpr const char* folder_variable = "MQLAB_KILLED_FOLDER";
constexpr qint64 promise_ms = 1000;  // what was typed so long ago is on the disk

// How many numbers from 1 on stand in the text, each as a comment of its own.
int numbers_in(const QString& text) {
  int n = 0;
  while (text.contains(QRegularExpression(QStringLiteral("--%1(?!\\d)").arg(n + 1)))) ++n;
  return n;
}

// The other process: never ends by itself.
int type_until_killed(const QString& folder) {
  WindowSettings settings(folder + "/window.ini");
  WindowOptions options;
  if (QDir(folder).entryList({"unsaved-*.json"}).isEmpty()) options.scenario = source("scenarios/showcase.lua");
  MainWindow window(&settings, options);
  window.show();
  if (options.scenario.isEmpty()) window.actions()["run.run"]->trigger();  // what came back waits to be run
  wait_until([&] { return window.workspace().has_events(); });
  LuaEditor* editor = window.scenario_pane()->editor();
  editor->moveCursor(QTextCursor::End);
  QElapsedTimer clock;
  clock.start();
  const auto tell = [&](const char* what, qulonglong n) {
    std::printf("@%s %llu %lld\n", what, n, static_cast<long long>(clock.elapsed()));
    std::fflush(stdout);
  };
  int typed = numbers_in(window.scenario_pane()->text());
  tell("found", static_cast<qulonglong>(typed));
  tell("notes", window.notebook()->notes().size());
  for (int i = 1;; ++i) {
    ++typed;
    QTest::keyClick(editor, Qt::Key_Return);
    QTest::keyClicks(editor, QStringLiteral("--%1 ").arg(typed));
    tell("typed", static_cast<qulonglong>(typed));
    if (i % 5 == 0) {
      window.actions()["edit.mark"]->trigger();
      tell("notes", window.notebook()->notes().size());
    }
    QTest::qWait(15);
  }
}

TEST(Killed, LosesNeitherTextNorNotes) {
  if (qEnvironmentVariableIsSet(folder_variable)) return exit(type_until_killed(qEnvironmentVariable(folder_variable)));
  const QTemporaryDir folder;
  Random random(20250101, Stream::scenario);
  int kept = 0;                  // numbers that must be found when it starts again
  std::size_t notes = 0;
  for (int round = 0; round <= 10; ++round) {
    QProcess window;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(folder_variable, folder.path());
    window.setProcessEnvironment(environment);
    window.setStandardErrorFile(QProcess::nullDevice());
    window.start(QStringLiteral("/proc/self/exe"), {"--gtest_filter=Killed.LosesNeitherTextNorNotes"});
    ASSERT_TRUE(window.waitForStarted());
    std::vector<std::pair<int, qint64>> typed;  // number, when
    const std::uint64_t lines_most = 5 + random.below(120);
    int found = -1, told_notes = -1;
    for (std::uint64_t lines = 0; lines < lines_most;) {
      if (!window.canReadLine() && !window.waitForReadyRead(60'000)) break;
      while (window.canReadLine()) {
        const QList<QByteArray> words = window.readLine().trimmed().split(' ');
        if (words.size() != 3 || !words[0].startsWith('@')) continue;
        ++lines;
        const int n = words[1].toInt();
        if (words[0] == "@found") found = n;
        if (words[0] == "@typed") typed.emplace_back(n, words[2].toLongLong());
        if (words[0] == "@notes") {
          if (told_notes < 0) {
            EXPECT_GE(static_cast<std::size_t>(n), notes) << "a note was lost, round " << round;
          }
          told_notes = n;
        }
      }
    }
    ASSERT_GE(found, kept) << "text was lost, round " << round;
    QTest::qSleep(static_cast<int>(random.below(20)));  // in the middle of whatever it does then
    window.kill();
    ASSERT_TRUE(window.waitForFinished());
    ASSERT_EQ(window.exitStatus(), QProcess::CrashExit) << "it ended by itself";
    kept = found;
    for (const auto& [n, when] : typed)
      if (when <= typed.back().second - promise_ms) kept = std::max(kept, n);
    notes = static_cast<std::size_t>(std::max(0, told_notes));
    EXPECT_GE(read_notes(folder.path() + "/notes.json").size(), notes);
  }
  EXPECT_GT(kept, 50) << "too little was typed to say anything";
  EXPECT_GT(notes, 10U);
}

}  // namespace
}  // namespace mqlab::gui
