// gui/qt/lua_text.h: what the letters of a Lua text are: for colours, completion, and marks of lines.
//
// One line is read at a time, with the state in which the line before it ended, so that an editor colours only what changed.
//
// Always true: spans of one line are ascending and do not overlap; they are counted in QChars.
//
//     int state = 0;
//     for (const QString& line : lines) for (const LuaSpan& s : lua_spans(line, state)) colour(s);
#pragma once

#include <QString>
#include <QTextCharFormat>

#include <vector>

namespace mqlab::gui {

enum class LuaKind : unsigned char { comment, string, number, keyword, verb, field };

struct LuaSpan {
  int begin = 0;
  int length = 0;
  LuaKind kind{};
  bool operator==(const LuaSpan&) const = default;
};

// `state`: 0 at the beginning of a text; what it is after the line is handed back in it. Positive: inside a long string or comment.
std::vector<LuaSpan> lua_spans(const QString& line, int& state);

// True iff the position is inside a string of the line.
bool inside_string(const QString& line, int position, int state);

// How a kind is shown, for a light or a dark background.
QTextCharFormat lua_format(LuaKind kind, bool dark);

}  // namespace mqlab::gui
