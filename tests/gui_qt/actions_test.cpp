#include "gui/qt/actions.h"

#include <QKeySequence>
#include <QLineEdit>
#include <QMainWindow>
#include <QPlainTextEdit>
#include <QTableWidget>
#include <QTest>
#include <QVBoxLayout>

#include <map>
#include <set>

#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

TEST(Actions, EachHasATextATipAndAMenu) {
  const std::set<std::string_view> groups(action_groups().begin(), action_groups().end());
  std::set<std::string_view> ids, texts;
  for (const ActionDecl& a : action_table()) {
    EXPECT_TRUE(ids.insert(a.id).second) << a.id << " is there twice";
    EXPECT_TRUE(texts.insert(a.text).second) << a.text << " means two things";
    EXPECT_GT(std::string_view(a.text).size(), 2U) << a.id;
    EXPECT_TRUE(std::string_view(a.tip).ends_with('.')) << a.id << ": a tip is a sentence";
    EXPECT_TRUE(groups.count(a.group)) << a.id << " is in no menu";
  }
  EXPECT_GT(ids.size(), 50U);
}

TEST(Actions, NoTwoHaveOneKey) {
  std::map<QString, const char*> taken;
  for (const ActionDecl& a : action_table())
    for (const char* k : a.keys) {
      const QKeySequence key(QString::fromLatin1(k), QKeySequence::PortableText);
      ASSERT_EQ(key.count(), 1) << a.id << ": " << k << " is no key";
      ASSERT_NE(key[0].key(), Qt::Key_unknown) << a.id << ": " << k;
      const auto [it, fresh] = taken.emplace(key.toString(), a.id);
      EXPECT_TRUE(fresh) << k << " is of " << it->second << " and of " << a.id;
    }
}

// What people expect of every such tool.
TEST(Actions, TheUsualKeysAreThere) {
  const std::map<std::string_view, std::string_view> usual = {{"Space", "run.play"},       {".", "run.forward"},       {",", "run.back"},          {"[", "run.cause"},           {"]", "run.effect"},
                                                             {"G", "run.go_to"},          {"Alt+Left", "edit.back"},  {"N", "edit.note"},         {"M", "edit.mark"},           {"Ctrl+K", "help.commands"},
                                                             {"?", "help.keys"},          {"F6", "view.next_pane"},   {"Shift+F6", "view.previous_pane"}, {"Ctrl+.", "run.forward_message"}, {"Home", "run.first"}};
  for (const auto& [key, id] : usual) {
    const auto& all = action_table();
    const auto it = std::find_if(all.begin(), all.end(), [&, i = id](const ActionDecl& a) { return a.id == i; });
    ASSERT_NE(it, all.end()) << id;
    EXPECT_NE(std::find_if(it->keys.begin(), it->keys.end(), [&, k = key](const char* x) { return k == x; }), it->keys.end()) << id << " has no key " << key;
  }
}

TEST(Actions, ThePageOfKeysAndTheTipsComeFromTheTable) {
  QWidget window;
  const ActionSet actions(&window);
  for (const ActionDecl& a : action_table()) {
    EXPECT_TRUE(keys_page().contains(QString::fromUtf8(a.tip).toHtmlEscaped())) << a.id;
    EXPECT_TRUE(actions[a.id]->toolTip().contains(QString::fromUtf8(a.tip))) << a.id;
    EXPECT_EQ(actions[a.id]->text(), QString::fromUtf8(a.text));
  }
}

class PlainKeys : public ::testing::Test {
 protected:
  void SetUp() override {
    auto* middle = new QWidget(&window_);
    auto* layout = new QVBoxLayout(middle);
    for (QWidget* w : std::initializer_list<QWidget*>{&line_, &text_, &table_}) layout->addWidget(w);
    window_.setCentralWidget(middle);
    window_.show();
    QApplication::setActiveWindow(&window_);
    ASSERT_TRUE(QTest::qWaitForWindowActive(&window_, 5000));
  }
  void TearDown() override {
    for (QWidget* w : std::initializer_list<QWidget*>{&line_, &text_, &table_}) w->setParent(nullptr);
  }
  int type(QWidget* into, Qt::Key key, const char* id) {
    int times = 0;
    const auto c = QObject::connect(actions_[id], &QAction::triggered, [&] { ++times; });
    into->setFocus();
    QTest::keyClick(into, key);
    QObject::disconnect(c);
    return times;
  }
  QMainWindow window_;
  ActionSet actions_{&window_};
  QLineEdit line_;
  QPlainTextEdit text_;
  QTableWidget table_{3, 3};
};

TEST_F(PlainKeys, AreTypedIntoTextFields) {
  EXPECT_EQ(type(&line_, Qt::Key_Period, "run.forward"), 0);
  EXPECT_EQ(line_.text(), ".");
  EXPECT_EQ(type(&line_, Qt::Key_Space, "run.play"), 0);
  EXPECT_EQ(type(&line_, Qt::Key_N, "edit.note"), 0);
  EXPECT_EQ(line_.text(), ". n");
  EXPECT_EQ(type(&text_, Qt::Key_1, "fault.kill"), 0);
  EXPECT_EQ(type(&text_, Qt::Key_BracketLeft, "run.cause"), 0);
  EXPECT_EQ(text_.toPlainText(), "1[");
}

TEST_F(PlainKeys, ActEverywhereElse) {
  EXPECT_EQ(type(&table_, Qt::Key_Period, "run.forward"), 1);
  EXPECT_EQ(type(&table_, Qt::Key_N, "edit.note"), 1);
  EXPECT_EQ(type(&table_, Qt::Key_1, "fault.kill"), 1);
  EXPECT_EQ(type(&table_, Qt::Key_Home, "run.first"), 1);
}

}  // namespace
}  // namespace mqlab::gui
