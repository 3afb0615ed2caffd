#include "gui/qt/lessons.h"

#include <QAbstractTextDocumentLayout>
#include <QCoreApplication>
#include <QDesktopServices>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextLayout>
#include <QUrlQuery>
#include <QVBoxLayout>

#include <algorithm>
#include <map>

#include "gui/qt/lua_text.h"

namespace mqlab::gui {
namespace {

QString first_folder(const QStringList& all) {
  for (const QString& f : all)
    if (QFileInfo(f).isDir()) return f;
  return {};
}

QString read_text(const QString& path) {
  QFile f(path);
  return f.open(QIODevice::ReadOnly) ? QString::fromUtf8(f.readAll()) : QString();
}

QString title_of(const QString& markdown) {
  const auto at = markdown.indexOf(QRegularExpression(QStringLiteral("^# (.+)$"), QRegularExpression::MultilineOption));
  if (at < 0) return {};
  return markdown.mid(at + 2, markdown.indexOf('\n', at) - at - 2).remove('`').trimmed();
}

// The words of a shell command, quotation marks taken off; nothing from a pipe or redirection on.
QStringList shell_words(const QString& line) {
  QStringList out;
  QString word;
  bool in_word = false;
  QChar quote;
  for (const QChar c : line) {
    if (!quote.isNull()) {
      if (c == quote) quote = QChar();
      else word += c;
      continue;
    }
    if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c.isSpace()) {
      if (in_word) out << word;
      word.clear();
      in_word = false;
    } else if (c == '|' || c == '>' || c == ';' || c == '&' || c == '#') {
      break;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) out << word;
  return out;
}

// What a `mqlab run` line asks for, as far as the window can do it.
std::optional<LessonStep> step_of(const QString& line, const std::map<QString, QString>& written) {
  const QStringList words = shell_words(line);
  const auto at = words.indexOf(QStringLiteral("run"));
  if (at < 1 || words[at - 1] != QStringLiteral("mqlab") || line.contains('$')) return std::nullopt;
  LessonStep s;
  QString file;
  for (auto i = at + 1; i < words.size(); ++i) {
    const QString& w = words[i];
    const bool has_next = i + 1 < words.size();
    if (w == "--case" && has_next) s.case_name = words[++i];
    else if (w == "--set" && has_next) s.settings << words[++i];
    else if (w == "--seed" && has_next) s.seed = words[++i].toULongLong();
    else if (w == "--seeds" || w == "--on") return std::nullopt;  // many runs, or another model: not one picture
    else if ((w == "--trace" || w == "--history" || w == "--format" || w == "--node" || w == "--only" || w == "--from" || w == "--to" || w == "--queue") && has_next) ++i;
    else if (!w.startsWith('-') && file.isEmpty()) file = w;
  }
  if (file.isEmpty()) return std::nullopt;
  s.command = QStringLiteral("mqlab run ") + words.mid(at + 1).join(' ');
  if (const auto it = written.find(file); it != written.end()) {
    s.name = file;
    s.text = it->second;
  } else {
    s.scenario = find_scenario(file);
    if (s.scenario.isEmpty()) return std::nullopt;
  }
  return s;
}

}  // namespace

QString docs_folder() {
  static const QString folder = first_folder({QStringLiteral(MQLAB_SOURCE_DIR) + "/docs", QCoreApplication::applicationDirPath() + "/../share/mqlab/docs"});
  return folder;
}

QString scenarios_folder() {
  static const QString folder = first_folder({QStringLiteral(MQLAB_SOURCE_DIR) + "/scenarios", QCoreApplication::applicationDirPath() + "/../share/mqlab/scenarios"});
  return folder;
}

QString find_scenario(const QString& name) {
  if (name.isEmpty()) return {};
  const QString below = name.startsWith("scenarios/") ? name.mid(10) : name;
  for (const QString& path : {name, scenarios_folder() + "/" + below, scenarios_folder() + "/" + below + ".lua"})
    if (QFileInfo(path).isFile()) return path;
  return {};
}

QStringList library_scenarios() {
  QStringList all;
  if (scenarios_folder().isEmpty()) return all;
  for (QDirIterator it(scenarios_folder(), {"*.lua"}, QDir::Files, QDirIterator::Subdirectories); it.hasNext();) all << it.next();
  all.sort();
  return all;
}

const std::vector<Lesson>& lessons() {
  static const std::vector<Lesson> all = [] {
    std::vector<Lesson> out;
    const auto add = [&](const QString& id, const QString& group) {
      const QString text = read_text(docs_folder() + "/" + id);
      if (!text.isEmpty()) out.push_back({id, title_of(text), group});
    };
    const std::pair<const char*, const char*> folders[] = {{"kafka", "Kafka"}, {"rabbitmq", "RabbitMQ"}, {"exactly-once", "Exactly once"}};
    for (const auto& [folder, group] : folders) {
      QStringList files = QDir(docs_folder() + "/" + folder).entryList({"*.md"}, QDir::Files, QDir::Name);
      for (const QString& f : files) add(QStringLiteral("%1/%2").arg(QLatin1String(folder), f), QString::fromLatin1(group));
    }
    add(QStringLiteral("two-models.md"), QStringLiteral("Compare"));
    add(QStringLiteral("patterns/README.md"), QStringLiteral("Patterns"));
    add(QStringLiteral("from-a-seed-to-a-story.md"), QStringLiteral("Hunt"));
    add(QStringLiteral("hunting.md"), QStringLiteral("Hunt"));
    return out;
  }();
  return all;
}

LessonPage lesson_page(const QString& markdown, const QStringList& done) {
  LessonPage page;
  std::map<QString, QString> written;
  QStringList out;
  QString fence, here_end, here_file;
  QStringList here;
  std::vector<std::size_t> fresh;
  for (const QString& line : markdown.split('\n')) {
    out << line;
    const QString t = line.trimmed();
    if (fence.isEmpty()) {
      if (t.startsWith("```")) fence = t.mid(3).trimmed().isEmpty() ? QStringLiteral("text") : t.mid(3).trimmed();
      continue;
    }
    if (!t.startsWith("```")) {
      static const QRegularExpression begins(QStringLiteral(R"(^cat > (\S+\.lua) <<\s*'?(\w+)'?)"));
      if (!here_end.isEmpty()) {
        if (t == here_end) {
          written[here_file] = here.join('\n') + '\n';
          here_end.clear();
        } else {
          here << line;
        }
      } else if (const auto m = begins.match(t); m.hasMatch()) {
        here_file = m.captured(1);
        here_end = m.captured(2);
        here.clear();
      } else if (fence == "sh" && t.contains("mqlab run ")) {
        if (auto s = step_of(t, written)) {
          fresh.push_back(page.steps.size());
          page.steps.push_back(std::move(*s));
        }
      }
      continue;
    }
    fence.clear();
    here_end.clear();
    if (fresh.empty()) continue;
    out << QString();
    for (const std::size_t n : fresh) {
      const LessonStep& s = page.steps[n];
      QString what = s.name.isEmpty() ? QFileInfo(s.scenario).completeBaseName() : s.name;
      if (!s.case_name.isEmpty()) what += ", case " + s.case_name;
      if (s.seed) what += QStringLiteral(", seed %1").arg(*s.seed);
      if (!s.settings.isEmpty()) what += ", " + s.settings.join(' ');
      what.replace('_', QStringLiteral("\\_")).replace('*', QStringLiteral("\\*"));
      out << QStringLiteral("[%1 Run it here: %2](mqlab:step?n=%3)%4").arg(QStringLiteral("▶"), what).arg(n).arg(done.contains(s.command) ? QStringLiteral(" ✓ done") : QString());
      out << QString();
    }
    fresh.clear();
  }
  page.markdown = out.join('\n');
  return page;
}

PageBrowser::PageBrowser(QWidget* parent) : QTextBrowser(parent) {
  setOpenLinks(false);
  setFrameShape(QFrame::NoFrame);
  document()->setDocumentMargin(10);
}

void PageBrowser::set_theme(Theme l) {
  theme_ = l;
  render();
}

void PageBrowser::show_markdown(const QString& markdown) {
  source_ = markdown;
  markdown_ = true;
  render();
}

void PageBrowser::show_html(const QString& html) {
  source_ = html;
  markdown_ = false;
  render();
}

void PageBrowser::render() {
  const int at = verticalScrollBar()->value();
  document()->setDefaultStyleSheet(page_style(theme_));
  if (markdown_) {
    setMarkdown(source_);
    colour_code();
  } else {
    setHtml(source_);
  }
  verticalScrollBar()->setValue(at);
}

void PageBrowser::colour_code() {
  const bool dark = is_dark(theme_);
  const QColor paper = palette_of(theme_).color(QPalette::AlternateBase);
  int state = 0;
  bool lua_in_shell = false;
  for (QTextBlock b = document()->begin(); b.isValid(); b = b.next()) {
    const QTextBlockFormat format = b.blockFormat();
    QTextCursor c(b);
    if (format.headingLevel() > 0) {
      QTextBlockFormat heading;
      heading.setTopMargin(14);
      heading.setBottomMargin(6);
      c.mergeBlockFormat(heading);
      continue;
    }
    if (!format.hasProperty(QTextFormat::BlockCodeFence) && !format.hasProperty(QTextFormat::BlockCodeLanguage)) {
      state = 0;
      lua_in_shell = false;
      if (!b.textList() && !c.currentTable()) {
        QTextBlockFormat paragraph;
        paragraph.setLineHeight(125, QTextBlockFormat::ProportionalHeight);
        paragraph.setBottomMargin(8);
        c.mergeBlockFormat(paragraph);
      }
      continue;
    }
    QTextBlockFormat code;
    code.setBackground(paper);
    code.setLeftMargin(8);
    c.mergeBlockFormat(code);
    const QString language = format.stringProperty(QTextFormat::BlockCodeLanguage);
    const QString text = b.text();
    if (language == "sh" && text.startsWith("cat > ") && text.contains(".lua")) {
      lua_in_shell = true;
      continue;
    }
    if (lua_in_shell && text.trimmed() == "END") lua_in_shell = false;
    if (language != "lua" && !lua_in_shell) continue;
    for (const LuaSpan& s : lua_spans(text, state)) {
      QTextCursor span(b);
      span.setPosition(b.position() + s.begin);
      span.setPosition(b.position() + s.begin + s.length, QTextCursor::KeepAnchor);
      span.mergeCharFormat(lua_format(s.kind, dark));
    }
  }
}

QString contents_page(const WindowSettings& settings) {
  QString html;
  QString group;
  for (const Lesson& l : lessons()) {
    if (l.group != group) {
      if (!group.isEmpty()) html += "</ul>";
      group = l.group;
      html += QStringLiteral("<h3>%1</h3><ul>").arg(group.toHtmlEscaped());
    }
    const auto done = settings.done(l.id).size();
    html += QStringLiteral("<li><a href='mqlab:lesson?id=%1'>%2</a>%3</li>").arg(l.id, l.title.toHtmlEscaped(), done ? QStringLiteral(" <span class='good'>✓ %1 run%2</span>").arg(done).arg(done == 1 ? "" : "s") : QString());
  }
  if (group.isEmpty()) return QStringLiteral("<p>The lessons were not found: they stand in <code>docs/</code> beside the source.</p>");
  return html + "</ul>";
}

LessonPane::LessonPane(WindowSettings* settings, QWidget* parent) : QWidget(parent), settings_(settings), browser_(new PageBrowser(this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(browser_);
  setFocusProxy(browser_);
  browser_->setAccessibleName(tr("Lesson"));
  connect(browser_, &QTextBrowser::anchorClicked, this, &LessonPane::follow);
  show_contents();
}

void LessonPane::set_theme(Theme l) { browser_->set_theme(l); }

void LessonPane::show_contents() {
  lesson_.clear();
  page_ = {};
  started_ = -1;
  browser_->show_html(QStringLiteral("<h2>Lessons</h2><p>Read, say what you expect, run, and see. A tick is given by a run that ended as its page says.</p>") + contents_page(*settings_));
}

void LessonPane::show_lesson(const QString& id) {
  if (read_text(docs_folder() + "/" + id).isEmpty()) return;
  const bool other = id != lesson_;
  lesson_ = id;
  if (other) started_ = -1;
  render();
  if (other) browser_->verticalScrollBar()->setValue(0);
}

void LessonPane::render() {
  page_ = lesson_page(read_text(docs_folder() + "/" + lesson_), settings_->done(lesson_));
  browser_->show_markdown(QStringLiteral("[← All lessons](mqlab:contents)\n\n") + page_.markdown);
}

void LessonPane::next(int direction) {
  const auto& all = lessons();
  const auto it = std::find_if(all.begin(), all.end(), [&](const Lesson& l) { return l.id == lesson_; });
  if (all.empty()) return;
  if (it == all.end()) return show_lesson(all.front().id);
  const auto at = (it - all.begin()) + direction;
  if (at >= 0 && at < static_cast<std::ptrdiff_t>(all.size())) show_lesson(all[static_cast<std::size_t>(at)].id);
}

void LessonPane::step_succeeded() {
  if (started_ < 0 || static_cast<std::size_t>(started_) >= page_.steps.size()) return;
  settings_->add_done(lesson_, page_.steps[static_cast<std::size_t>(started_)].command);
  started_ = -1;
  render();
}

bool LessonPane::follow(const QUrl& link) {
  const QUrlQuery query(link);
  if (link.scheme() == "mqlab") {
    const QString what = link.path();
    if (what == "step") {
      const int n = query.queryItemValue("n").toInt();
      if (n < 0 || static_cast<std::size_t>(n) >= page_.steps.size()) return false;
      started_ = n;
      emit run_asked(page_.steps[static_cast<std::size_t>(n)]);
      return true;
    }
    if (what == "contents") return show_contents(), true;
    if (what == "lesson") return show_lesson(query.queryItemValue("id")), true;
    if (what == "open") return emit scenario_asked(find_scenario(query.queryItemValue("scenario", QUrl::FullyDecoded))), true;
    if (what == "go") {
      const QString event = query.queryItemValue("event");
      return emit go_asked(event.isEmpty() ? query.queryItemValue("to", QUrl::FullyDecoded) : "#" + event), true;
    }
    if (what == "run") {
      LessonStep s;
      s.scenario = find_scenario(query.queryItemValue("scenario", QUrl::FullyDecoded));
      if (s.scenario.isEmpty()) return false;
      s.case_name = query.queryItemValue("case", QUrl::FullyDecoded);
      if (query.hasQueryItem("seed")) s.seed = query.queryItemValue("seed").toULongLong();
      s.settings = query.allQueryItemValues("set", QUrl::FullyDecoded);
      return emit run_asked(s), true;
    }
    return false;
  }
  if (link.isRelative()) {
    const QString path = QDir::cleanPath(QFileInfo(docs_folder() + "/" + lesson_).absolutePath() + "/" + link.path());
    if (path.endsWith(".md")) return show_lesson(QDir(docs_folder()).relativeFilePath(path)), true;
    if (path.endsWith(".lua")) return emit scenario_asked(path), true;
    if (!link.fragment().isEmpty()) return browser_->scrollToAnchor(link.fragment()), true;
    return false;
  }
  return QDesktopServices::openUrl(link);
}

}  // namespace mqlab::gui
