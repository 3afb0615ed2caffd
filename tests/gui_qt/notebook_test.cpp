// Notes: each is on the disk when the action returns, and windows side by side lose none of each other's.
#include "gui/qt/notebook.h"

#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

class NotebookOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    workspace_.open("showcase.lua", QString::fromStdString(text_of_file(source("scenarios/showcase.lua"))));
    workspace_.run();
    ASSERT_TRUE(wait_until([&] { return workspace_.has_events(); }));
  }
  QString file() const { return folder_.path() + "/notes.json"; }

  QTemporaryDir folder_;
  Workspace workspace_;
};

TEST_F(NotebookOnDisk, ANoteIsOnTheDiskWhenTheActionReturns) {
  NotebookPane pane(&workspace_, file());
  pane.add_mark();
  EXPECT_EQ(read_notes(file()), pane.notes());
  pane.add_note();
  pane.findChild<QPlainTextEdit*>()->insertPlainText("é");
  ASSERT_EQ(read_notes(file()).size(), 2U);
  EXPECT_EQ(read_notes(file())[1].text, "é");
  pane.findChild<QPlainTextEdit*>()->insertPlainText("tat");
  EXPECT_EQ(read_notes(file())[1].text, "état");
}

TEST_F(NotebookOnDisk, TwoWindowsLoseNoneOfEachOthersNotes) {
  NotebookPane a(&workspace_, file()), b(&workspace_, file());
  a.add_note();
  a.findChild<QPlainTextEdit*>()->insertPlainText("of a");
  b.add_note();
  b.findChild<QPlainTextEdit*>()->insertPlainText("of b");
  a.findChild<QPlainTextEdit*>()->insertPlainText(", more");
  const auto all = read_notes(file());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text, "of a, more");
  EXPECT_EQ(all[1].text, "of b");
}

TEST_F(NotebookOnDisk, AFileOfTheFirstVersionIsRead) {
  {
    QFile f(file());
    ASSERT_TRUE(f.open(QIODevice::WriteOnly));
    f.write(R"json({"format": "mqlab-notes/1", "notes": [{"scenario": "a.lua", "case": "c", "settings": ["acks=1"], "by_hand": ["at(ms(7), kill \"B1\" {})"], "fingerprint": "ff", "event": "87", "time": "12", "text": "old"}]})json");
  }
  NotebookPane pane(&workspace_, file());
  ASSERT_EQ(pane.notes().size(), 1U);
  EXPECT_EQ(pane.notes()[0].by_hand, QStringList{"at(ms(7), kill \"B1\" {})"});
  EXPECT_TRUE(pane.notes()[0].without.empty());
  EXPECT_EQ(pane.notes()[0].event, 87U);
  pane.add_mark();
  EXPECT_EQ(read_notes(file()).size(), 2U);
  EXPECT_EQ(read_notes(file())[0], pane.notes()[0]);
  EXPECT_NE(text_of_file(file()).find("mqlab-notes/2"), std::string::npos);
}

TEST_F(NotebookOnDisk, AFileThatCannotBeReadIsPutAside) {
  {
    QFile f(file());
    ASSERT_TRUE(f.open(QIODevice::WriteOnly));
    f.write("{\"notes\": [{\"text\": \"cut o");
  }
  NotebookPane pane(&workspace_, file());
  pane.add_mark();
  EXPECT_EQ(read_notes(file()).size(), 1U);
  EXPECT_NE(text_of_file(file() + ".damaged-0").find("cut o"), std::string::npos);
}

}  // namespace
}  // namespace mqlab::gui
