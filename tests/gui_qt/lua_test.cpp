#include <QClipboard>
#include <QMimeData>
#include <QTest>
#include <QTextBlock>

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "gui/qt/lua_editor.h"
#include "gui/qt/lua_text.h"
#include "sim/check/anomaly.h"
#include "sim/script/scenario_api.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

std::vector<LuaSpan> spans(const QString& line, int* state = nullptr) {
  int own = 0;
  return lua_spans(line, state ? *state : own);
}

LuaKind kind_at(const QString& line, const QString& word) {
  for (const LuaSpan& s : spans(line))
    if (line.mid(s.begin, s.length) == word) return s.kind;
  ADD_FAILURE() << word.toStdString() << " is no span";
  return {};
}

TEST(LuaText, TellsWordsApart) {
  const QString line = QStringLiteral(R"(return scenario { seed = 0x1F, at(ms(5), kill "B1 -- no comment" {}) } -- a comment)");
  EXPECT_EQ(kind_at(line, "return"), LuaKind::keyword);
  EXPECT_EQ(kind_at(line, "scenario"), LuaKind::verb);
  EXPECT_EQ(kind_at(line, "seed"), LuaKind::field);
  EXPECT_EQ(kind_at(line, "0x1F"), LuaKind::number);
  EXPECT_EQ(kind_at(line, "kill"), LuaKind::verb);
  EXPECT_EQ(kind_at(line, "\"B1 -- no comment\""), LuaKind::string);
  EXPECT_EQ(kind_at(line, "-- a comment"), LuaKind::comment);
}

TEST(LuaText, LongBracketsGoOnOverLinesUpToTheirOwnEnd) {
  int state = 0;
  lua_spans("--[==[ begins", state);
  EXPECT_GT(state, 0);
  EXPECT_EQ(lua_spans("still ]] and ]=] in it", state), (std::vector<LuaSpan>{{0, 22, LuaKind::comment}}));
  const auto last = lua_spans("ends ]==] return", state);
  EXPECT_EQ(state, 0);
  EXPECT_EQ(last, (std::vector<LuaSpan>{{0, 9, LuaKind::comment}, {10, 6, LuaKind::keyword}}));
  lua_spans("x = [[ text", state);
  EXPECT_EQ(spans("return ]]", &state).front().kind, LuaKind::string);
  EXPECT_EQ(state, 0);
}

RC_GTEST_PROP(LuaText, SpansAreAscendingAndInsideWhateverIsTyped, (const std::string& bytes)) {
  int state = 0;
  for (const QString& line : QString::fromStdString(bytes + "\n[==[\"x\\").split('\n')) {
    int end = 0;
    for (const LuaSpan& s : lua_spans(line, state)) {
      RC_ASSERT(s.begin >= end);
      RC_ASSERT(s.length > 0);
      end = s.begin + s.length;
      RC_ASSERT(end <= line.size());
    }
    RC_ASSERT(state >= 0);
  }
}

TEST(LuaEditor, CompletesEveryDeclaredWord) {
  std::set<QString> words;
  for (const LuaWord& w : lua_words()) words.insert(w.word);
  for (const VerbDoc& v : scenario_verbs()) EXPECT_TRUE(words.count(QString::fromStdString(v.name))) << v.name;
  for (const VerbDoc& v : scenario_fields()) EXPECT_TRUE(words.count(QString::fromStdString(v.name))) << v.name;
  for (const Anomaly& a : all_anomalies()) EXPECT_TRUE(words.count(QString::fromLatin1(a.name))) << a.name;
  EXPECT_TRUE(words.count("min_insync"));
  EXPECT_TRUE(words.count("kafka"));
}

TEST(LuaEditor, OffersWhatFitsBeforeTheCursor) {
  LuaEditor e;
  QTest::keyClicks(&e, "return scenario { faults = { parti");
  EXPECT_TRUE(e.completions().contains("partition"));
  e.complete("partition");
  EXPECT_TRUE(e.toPlainText().endsWith("{ partition"));
  e.setPlainText("expect = { violates \"lost-");
  e.moveCursor(QTextCursor::End);
  EXPECT_TRUE(e.completions().contains("lost-message"));
  EXPECT_FALSE(e.completions().contains("local"));
  e.complete("lost-message");
  EXPECT_TRUE(e.toPlainText().endsWith("\"lost-message"));
}

// Qt 6.4 reads the first format of what has none, and ends.
TEST(LuaEditor, AnEmptyClipboardPastesNothing) {
  class Bare : public LuaEditor {
   public:
    using LuaEditor::canInsertFromMimeData;
    using LuaEditor::insertFromMimeData;
  } e;
  const QMimeData none;
  EXPECT_FALSE(e.canInsertFromMimeData(&none));
  EXPECT_FALSE(e.canInsertFromMimeData(nullptr));
  e.insertFromMimeData(&none);
  e.insertFromMimeData(nullptr);
  QApplication::clipboard()->setMimeData(new QMimeData);
  QTest::keyClick(&e, Qt::Key_V, Qt::ControlModifier);
  EXPECT_EQ(e.toPlainText(), "");
  QMimeData text;
  text.setText("ms(5)");
  e.insertFromMimeData(&text);
  EXPECT_EQ(e.toPlainText(), "ms(5)");
}

TEST(LuaEditor, MarksTheErrorAtItsLineAndGoesThere) {
  LuaEditor e;
  e.resize(300, 200);
  e.setPlainText("a\nb\nc\nd");
  e.set_error(3, "`c` is no field");
  e.go_to_line(3);
  EXPECT_EQ(e.error_line(), 3);
  EXPECT_EQ(e.textCursor().blockNumber(), 2);
  ASSERT_EQ(e.extraSelections().size(), 1);
  EXPECT_EQ(e.extraSelections()[0].cursor.blockNumber(), 2);
  e.set_current_line(1);
  EXPECT_EQ(e.extraSelections().size(), 2);
  e.clear_error();
  e.set_current_line(0);
  EXPECT_TRUE(e.extraSelections().isEmpty());
  e.set_error(99, "there is no such line");  // of a text that is shorter by now
  EXPECT_TRUE(e.extraSelections().isEmpty());
}

TEST(LuaEditor, ReturnKeepsTheIndentAndBracesAddToIt) {
  LuaEditor e;
  QTest::keyClicks(&e, "  x = {");
  QTest::keyClick(&e, Qt::Key_Return);
  EXPECT_EQ(e.toPlainText(), "  x = {\n    ");
}

TEST(LuaEditor, AReplacedTextCanBeUndone) {
  LuaEditor e;
  e.setPlainText("before");
  e.replace_text("after");
  EXPECT_EQ(e.toPlainText(), "after");
  e.undo();
  EXPECT_EQ(e.toPlainText(), "before");
}

}  // namespace
}  // namespace mqlab::gui
