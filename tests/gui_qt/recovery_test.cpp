#include "gui/qt/recovery.h"

#include <QDir>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include "gui/qt/scenario_pane.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

// Runs in another process, which ends without a word.
template <class F>
pid_t in_another_process(F f) {
  const pid_t child = fork();
  if (child == 0) {
    f();
    _exit(0);
  }
  return child;
}

TEST(Recovery, WhatAKilledWindowHeldComesBack) {
  const QTemporaryDir folder;
  const UnsavedText typed{"/somewhere/x.lua", "return scenario {\n  -- é \"quoted\"\n}"};
  const pid_t child = in_another_process([&] {
    RecoveryFile r(folder.path());
    r.write(typed);
    raise(SIGKILL);
  });
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  RecoveryFile again(folder.path());
  ASSERT_TRUE(again.left_behind());
  EXPECT_EQ(*again.left_behind(), typed);
  again.clear();
  EXPECT_FALSE(again.left_behind());
}

// Killed at any moment, the file is one of the texts, whole.
TEST(Recovery, IsNeverHalfWritten) {
  for (int round = 0; round < 12; ++round) {
    const QTemporaryDir folder;
    const pid_t child = in_another_process([&] {
      RecoveryFile r(folder.path());
      for (int i = 0;; ++i) r.write({"x.lua", QString(20'000 + i % 7, QChar('a' + i % 26))});
    });
    usleep(static_cast<useconds_t>(3000 + round * 1700));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    RecoveryFile again(folder.path());
    const auto lost = again.left_behind();
    if (!lost) continue;  // killed before the first was written
    EXPECT_GE(lost->text.size(), 20'000);
    EXPECT_EQ(lost->text.count(lost->text[0]), lost->text.size()) << "a mixture of two texts";
  }
}

TEST(Recovery, TwoOpenWindowsShareNoFile) {
  const QTemporaryDir folder;
  RecoveryFile a(folder.path()), b(folder.path());
  EXPECT_NE(a.file(), b.file());
  a.write({"a", "a"});
  b.write({"b", "b"});
  EXPECT_EQ(a.left_behind()->text, "a");
  EXPECT_EQ(b.left_behind()->text, "b");
}

TEST(Recovery, TakesOverWhatWasLeftBehindWhereverItLies) {
  const QTemporaryDir folder;
  {
    RecoveryFile a(folder.path()), b(folder.path());
    b.write({"b", "typed in the second window"});
  }
  RecoveryFile again(folder.path());
  ASSERT_TRUE(again.left_behind());
  EXPECT_EQ(again.left_behind()->path, "b");
  again.leave_it();
  EXPECT_FALSE(again.left_behind());
  again.write({"c", "c"});
  RecoveryFile third(folder.path());
  ASSERT_TRUE(third.left_behind()) << "what was left is there for the next window";
  EXPECT_EQ(third.left_behind()->path, "b");
}

TEST(ScenarioPane, KeepsWhatWasTypedUntilItIsSaved) {
  const QTemporaryDir folder;
  ScenarioPane pane(folder.path());
  pane.show_text({}, "return");
  EXPECT_FALSE(pane.modified());
  pane.editor()->insertPlainText("x = 1 ");
  EXPECT_TRUE(pane.modified());
  const QString kept = folder.path() + "/unsaved-0.json";
  ASSERT_TRUE(wait_until([&] { return QFile::exists(kept); })) << "nothing was written after a change";
  EXPECT_NE(text_of_file(kept).find("x = 1 return"), std::string::npos);
  EXPECT_EQ(pane.save_to(folder.path() + "/x.lua"), "");
  EXPECT_EQ(text_of_file(folder.path() + "/x.lua"), "x = 1 return");
  EXPECT_FALSE(pane.modified());
  EXPECT_FALSE(QFile::exists(kept));
  EXPECT_NE(pane.save_to("/no/such/folder/x.lua"), "");
}

TEST(ScenarioPane, ShowsWhatAKilledWindowHeldAsNotSaved) {
  const QTemporaryDir folder;
  {
    RecoveryFile r(folder.path());
    r.write({folder.path() + "/x.lua", "typed"});
  }
  ScenarioPane pane(folder.path());
  ASSERT_TRUE(pane.recover());
  EXPECT_EQ(pane.text(), "typed");
  EXPECT_EQ(pane.path(), folder.path() + "/x.lua");
  EXPECT_TRUE(pane.modified());
}

TEST(ScenarioPane, SaysWhenItCannotKeepTheText) {
  QTemporaryDir folder;
  ScenarioPane pane(folder.path() + "/below");
  pane.show_text({}, "return");
  ASSERT_TRUE(QDir(folder.path() + "/below").removeRecursively());
  pane.editor()->insertPlainText("x ");
  pane.keep();
  const auto said = [&] {
    for (const QLabel* l : pane.findChildren<QLabel*>())
      if (l->text().contains("would be lost")) return true;
    return false;
  };
  EXPECT_TRUE(said());
  ASSERT_TRUE(QDir().mkpath(folder.path() + "/below"));
  pane.keep();
  EXPECT_FALSE(said());
}

// Another scenario is opened: what was left behind is neither shown nor lost.
TEST(ScenarioPane, LeavesWhatIsOfAnotherFileToTheNextWindow) {
  const QTemporaryDir folder;
  const UnsavedText typed{folder.path() + "/x.lua", "typed"};
  RecoveryFile(folder.path()).write(typed);
  {
    ScenarioPane pane(folder.path());
    EXPECT_FALSE(pane.recover(folder.path() + "/y.lua"));
    pane.show_text(folder.path() + "/y.lua", "y");
    pane.editor()->insertPlainText("more ");
    pane.keep();
    EXPECT_EQ(pane.save_to(folder.path() + "/y.lua"), "");
  }
  {
    ScenarioPane empty(folder.path());
    empty.keep();
  }
  ScenarioPane again(folder.path());
  ASSERT_TRUE(again.recover());
  EXPECT_EQ(again.text(), "typed");
}

}  // namespace
}  // namespace mqlab::gui
