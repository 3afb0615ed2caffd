#include "gui/qt/lua_text.h"

#include <QFont>
#include <QSet>

#include "sim/script/scenario_api.h"

namespace mqlab::gui {
namespace {

const QSet<QString>& keywords() {
  static const QSet<QString> all = {"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
                                    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while"};
  return all;
}

const QSet<QString>& verbs() {
  static const QSet<QString> all = [] {
    QSet<QString> words{QStringLiteral("kafka"), QStringLiteral("rabbitmq")};
    for (const VerbDoc& v : scenario_verbs()) words.insert(QString::fromStdString(v.name));
    return words;
  }();
  return all;
}

// At "[[", "[=[": how many signs; -1 when it is no opening.
int long_level(const QString& line, int at) {
  if (at >= line.size() || line[at] != '[') return -1;
  int i = at + 1;
  while (i < line.size() && line[i] == '=') ++i;
  return i < line.size() && line[i] == '[' ? i - at - 1 : -1;
}

// Where a long bracket ends; the end of the line when it does not.
int long_end(const QString& line, int from, int level, bool& closed) {
  const QString closing = "]" + QString(level, '=') + "]";
  const auto at = line.indexOf(closing, from);
  closed = at >= 0;
  return closed ? static_cast<int>(at + closing.size()) : static_cast<int>(line.size());
}

bool name_begins(QChar c) { return c.isLetter() || c == '_'; }
bool name_goes_on(QChar c) { return c.isLetterOrNumber() || c == '_'; }

}  // namespace

std::vector<LuaSpan> lua_spans(const QString& line, int& state) {
  std::vector<LuaSpan> out;
  const int n = static_cast<int>(line.size());
  int i = 0;
  const auto add = [&](int begin, int end, LuaKind kind) {
    if (end > begin) out.push_back({begin, end - begin, kind});
  };
  // Odd states: a long string; even ones: a long comment; (state - 1) / 2 is the level.
  const auto read_long = [&](int begin, int from, int level, bool comment) {
    bool closed = false;
    const int end = long_end(line, from, level, closed);
    add(begin, end, comment ? LuaKind::comment : LuaKind::string);
    state = closed ? 0 : 1 + 2 * level + (comment ? 1 : 0);
    i = end;
  };
  if (state > 0) {
    const bool comment = state % 2 == 0;
    read_long(0, 0, (state - 1) / 2, comment);
  }
  while (i < n) {
    const QChar c = line[i];
    if (c == '-' && i + 1 < n && line[i + 1] == '-') {
      if (const int level = long_level(line, i + 2); level >= 0) {
        read_long(i, i + 4 + level, level, true);
        continue;
      }
      add(i, n, LuaKind::comment);
      return out;
    }
    if (const int level = long_level(line, i); level >= 0) {
      read_long(i, i + 2 + level, level, false);
      continue;
    }
    if (c == '"' || c == '\'') {
      int end = i + 1;
      while (end < n && line[end] != c) end += line[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, n);
      add(i, end, LuaKind::string);
      i = end;
      continue;
    }
    if (c.isDigit() || (c == '.' && i + 1 < n && line[i + 1].isDigit())) {
      int end = i + 1;
      while (end < n && (name_goes_on(line[end]) || line[end] == '.')) ++end;
      add(i, end, LuaKind::number);
      i = end;
      continue;
    }
    if (name_begins(c)) {
      int end = i + 1;
      while (end < n && name_goes_on(line[end])) ++end;
      const QString word = line.mid(i, end - i);
      int after = end;
      while (after < n && line[after].isSpace()) ++after;
      const bool assigned = after < n && line[after] == '=' && (after + 1 >= n || line[after + 1] != '=');
      const bool member = i > 0 && (line[i - 1] == '.' || line[i - 1] == ':');
      if (keywords().contains(word)) add(i, end, LuaKind::keyword);
      else if (assigned && !member) add(i, end, LuaKind::field);
      else if (!member && verbs().contains(word)) add(i, end, LuaKind::verb);
      i = end;
      continue;
    }
    ++i;
  }
  return out;
}

bool inside_string(const QString& line, int position, int state) {
  for (const LuaSpan& s : lua_spans(line, state)) {
    if (s.kind != LuaKind::string || position <= s.begin) continue;
    const int end = s.begin + s.length;
    const bool open = s.length < 2 || (line[end - 1] != line[s.begin] && line[end - 1] != ']');
    if (position < end || (open && position == end)) return true;
  }
  return false;
}

QTextCharFormat lua_format(LuaKind kind, bool dark) {
  QTextCharFormat f;
  const auto colour = [&](const char* light, const char* on_dark) { f.setForeground(QColor(QLatin1String(dark ? on_dark : light))); };
  switch (kind) {
    case LuaKind::comment:
      colour("#5c6b60", "#9db3a4");
      f.setFontItalic(true);
      break;
    case LuaKind::string: colour("#8a4b08", "#e6b673"); break;
    case LuaKind::number: colour("#7a2f7a", "#d7a6e0"); break;
    case LuaKind::keyword:
      colour("#0b4f8a", "#8cc2f5");
      f.setFontWeight(QFont::DemiBold);
      break;
    case LuaKind::verb: colour("#00695c", "#6fd3c1"); break;
    case LuaKind::field: colour("#37474f", "#cfd8dc"); break;
  }
  return f;
}

}  // namespace mqlab::gui
