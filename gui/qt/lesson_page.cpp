#include "gui/qt/lesson_page.h"

#include <QCoreApplication>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <QLocale>
#include <QRegularExpression>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "sim/lab/measured.h"

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
    else if (w == "--measure" && has_next) s.measure = words[++i];
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

// Markdown of one line as HTML: code, bold, and what HTML takes for itself.
QString inline_html(QString text) {
  text = text.toHtmlEscaped();
  static const QRegularExpression code(QStringLiteral("`([^`]*)`")), bold(QStringLiteral(R"(\*\*([^*]+)\*\*)")), slanted(QStringLiteral(R"(\*([^*]+)\*)")), link(QStringLiteral(R"(\[([^\]]*)\]\([^)]*\))"));
  return text.replace(code, QStringLiteral("<code>\\1</code>")).replace(bold, QStringLiteral("<b>\\1</b>")).replace(slanted, QStringLiteral("<i>\\1</i>")).replace(link, QStringLiteral("\\1"));
}

// A quotation that asks: its words and choices. Nothing when it asks nothing.
std::optional<LessonQuestion> question_of(const QStringList& quotation) {
  LessonQuestion q;
  static const QRegularExpression choice(QStringLiteral(R"(^- \[ \] \*\*([^*]+)\*\*(?:[:,]\s*)?(.*)$)")), asks(QStringLiteral(R"(^\*\*Predict\b)"));
  for (const QString& line : quotation) {
    const QString t = line.mid(1).trimmed();
    if (const auto m = choice.match(t); m.hasMatch()) q.choices.push_back({m.captured(1).trimmed(), m.captured(2).trimmed()});
    else if (t.isEmpty()) continue;
    else if (!q.choices.empty()) q.choices.back().words += ' ' + t;
    else q.words += (q.words.isEmpty() ? "" : " ") + t;
  }
  if (!asks.match(q.words).hasMatch()) return std::nullopt;
  return q;
}

// A question as it stands in the window: choices to click, then what was said beside what was measured, and knobs.
QStringList card_of(const LessonQuestion& q, int number, const Answer* a) {
  QString html = QStringLiteral("<table class='card' width='100%' cellpadding='8' cellspacing='0'><tr><td><p>%1</p>").arg(inline_html(q.words));
  const bool said = a && !a->said.isEmpty();
  if (!said) {
    for (std::size_t i = 0; i < q.choices.size(); ++i)
      html += QStringLiteral("<p>○ <a href='mqlab:say?q=%1&amp;c=%2'><b>%3</b></a>%4</p>").arg(number).arg(i).arg(q.choices[i].value.toHtmlEscaped(), q.choices[i].words.isEmpty() ? QString() : ": " + inline_html(q.choices[i].words));
    if (q.choices.empty()) html += QStringLiteral("<p><a href='mqlab:number?q=%1'>Say a number</a></p>").arg(number);
    html += QStringLiteral("<p class='quiet'>Your answer runs the scenario and measures it. <a href='mqlab:read?q=%1'>Read on without one</a></p>").arg(number);
  } else {
    const QString key_run = label_of(q.runs.front());
    html += QStringLiteral("<table cellpadding='4' cellspacing='0' width='100%'><tr><th align='left' width='46%'>run</th><th align='left' width='18%'>you said</th><th align='left'>measured: %1</th></tr>").arg(q.runs.front().measure.toHtmlEscaped());
    const auto row = [&](const QString& run, const QString& you, const QString& measured) { html += QStringLiteral("<tr><td>%1</td><td>%2</td><td>%3</td></tr>").arg(run.toHtmlEscaped(), you, measured); };
    QString verdict = QStringLiteral("…");
    if (!a->measured.isEmpty()) {
      const bool right = prediction_fits(q, a->said, a->measured);
      verdict = QStringLiteral("<b>%1</b> <span class='%2'>%3</span>").arg(a->measured.toHtmlEscaped(), right ? "good" : "bad", right ? QStringLiteral("✓ as you said") : QStringLiteral("✗ not as you said"));
    }
    row(key_run, a->said.toHtmlEscaped(), verdict);
    for (const MeasuredRun& r : a->runs)
      if (r.run != key_run) row(r.run, {}, QStringLiteral("<b>%1</b>").arg(r.measured.toHtmlEscaped()));
    html += QStringLiteral("</table><p>");
    if (a->measured.isEmpty()) html += QStringLiteral("<a href='mqlab:ask?q=%1&amp;run=0'>▶ Run and measure</a> &nbsp; ").arg(number);
    else {
      html += q.runs.size() > 1 ? QStringLiteral("Turn the knob: ") : QString();
      for (std::size_t i = 1; i < q.runs.size(); ++i) html += QStringLiteral("<a href='mqlab:ask?q=%1&amp;run=%2'>▶ %3</a> &nbsp; ").arg(number).arg(i).arg(label_of(q.runs[i]).toHtmlEscaped());
      html += QStringLiteral("<a href='mqlab:knob?q=%1'>▶ another setting …</a> &nbsp; ").arg(number);
    }
    html += QStringLiteral("</p><p class='quiet'>%1 <a href='mqlab:anew?q=%2'>Answer anew</a></p>").arg(a->when.isValid() ? QStringLiteral("Said on %1.").arg(QLocale::c().toString(a->when.date(), QStringLiteral("d MMMM yyyy"))) : QString()).arg(number);
  }
  html += QStringLiteral("</td></tr></table>");
  return {QString(), html, QString()};
}

QString joined(const LessonStep& s, const QString& case_name) {
  QStringList parts;
  if (!case_name.isEmpty()) parts << QStringLiteral("case ") + case_name;
  if (s.seed) parts << QStringLiteral("seed %1").arg(*s.seed);
  parts << s.settings;
  return parts.isEmpty() ? QStringLiteral("as it is") : parts.join(", ");
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

QString lesson_text(const QString& id) { return read_text(docs_folder() + "/" + id); }

const std::vector<Lesson>& lessons() {
  static const std::vector<Lesson> all = [] {
    std::vector<Lesson> out;
    const auto add = [&](const QString& id, const QString& group) {
      const QString text = lesson_text(id);
      if (!text.isEmpty()) out.push_back({id, title_of(text), group, static_cast<int>(lesson_page(text, {}).questions.size())});
    };
    add(QStringLiteral("first-minutes.md"), QStringLiteral("Begin"));
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

// --- steps and runs ---

QString label_of(const LessonStep& s) { return joined(s, s.case_name); }

bool same_scenario(const LessonStep& s, const Recording& r) {
  const QString path = QString::fromStdString(r.spec().path);
  return s.scenario.isEmpty() ? path == s.name : QFileInfo(path) == QFileInfo(s.scenario);
}

bool is_run_of(const LessonStep& s, const Recording& r) {
  const RunSpec& spec = r.spec();
  if (!same_scenario(s, r) || !spec.interventions.empty() || !spec.without.empty()) return false;
  if (QString::fromStdString(spec.text) != (s.scenario.isEmpty() ? s.text : read_text(s.scenario))) return false;
  const auto& cases = r.scenario().cases;
  const std::string wanted = s.case_name.isEmpty() && !cases.empty() ? cases.front().name : s.case_name.toStdString();
  if (spec.case_name != wanted) return false;
  if (r.seed() != (s.seed ? *s.seed : r.scenario().seed.value_or(1))) return false;
  QStringList given;
  for (const Setting& each : spec.settings) {
    // What a sweep varies takes its first value by itself.
    const auto swept = std::find_if(r.scenario().sweep.begin(), r.scenario().sweep.end(), [&](const Sweep& w) { return w.name == each.name; });
    const QString said = QString::fromStdString(describe(each));
    if (!s.settings.contains(said) && swept != r.scenario().sweep.end() && !swept->values.empty() && to_text(each.value) == to_text(swept->values.front())) continue;
    given << said;
  }
  QStringList asked = s.settings;
  asked.sort();
  given.sort();
  return asked == given;
}

QString label_of(const LessonStep& s, const Recording& r) {
  if (is_run_of(s, r)) return label_of(s);
  const RunSpec& spec = r.spec();
  LessonStep like;
  if (r.seed() != r.scenario().seed.value_or(1)) like.seed = r.seed();
  for (const Setting& each : spec.settings) like.settings << QString::fromStdString(describe(each));
  for (const std::size_t f : spec.without) like.settings << QStringLiteral("without fault %1").arg(f + 1);
  for (const Intervention& i : spec.interventions) like.settings << QString::fromStdString(describe(i.fault.fault)) + " at " + QString::fromStdString(format_duration(i.fault.trigger.after));
  if (QString::fromStdString(spec.text) != (s.scenario.isEmpty() ? s.text : read_text(s.scenario))) like.settings << QStringLiteral("the text changed");
  return joined(like, QString::fromStdString(spec.case_name));
}

// --- predictions ---

bool prediction_fits(const LessonQuestion& q, const QString& said, const QString& measured) {
  const Measured value = read_measured(measured.toStdString());
  if (fits(said.toStdString(), value).value_or(false)) return true;
  if (!q.choices.empty()) return false;
  // A number that was guessed is right within a tenth.
  const Measured guess = read_measured(said.toStdString());
  return guess.kind == value.kind && guess.kind != Measured::Kind::word && std::abs(guess.number - value.number) <= std::abs(value.number) / 10;
}

// --- the page ---

LessonPage lesson_page(const QString& markdown, const QStringList& done, const std::vector<Answer>& answers, const std::set<int>& open) {
  LessonPage page;
  std::map<QString, QString> written;
  QStringList out;
  const QStringList lines = markdown.split('\n');
  QString fence, here_end, here_file;
  QStringList here, quotation, block, output;
  std::vector<std::size_t> fresh;
  std::optional<LessonQuestion> asking;   // its words were read, its commands come
  bool in_output = false, writes = false; // the block being read is what the question's commands print; writes a file
  bool hidden = false;                    // gives a question away
  int asked_at = 0;
  const auto show = [&](const QString& line) {
    if (!hidden) out << line;
  };
  // The question's commands and their output are known.
  const auto end_question = [&] {
    for (std::size_t i = 0; i < asking->runs.size(); ++i) {
      if (static_cast<qsizetype>(i) < output.size()) asking->runs[i].claimed = output[static_cast<qsizetype>(i)].section(QStringLiteral(": "), -1);
    }
    if (output.size() != static_cast<qsizetype>(asking->runs.size())) page.complaints << QStringLiteral("line %1: %2 commands print %3 values").arg(asked_at).arg(asking->runs.size()).arg(output.size());
    const int number = static_cast<int>(page.questions.size());
    const auto a = std::find_if(answers.begin(), answers.end(), [&](const Answer& each) { return each.question == asking->key(); });
    const bool answered = a != answers.end() && !a->said.isEmpty();
    hidden = false;
    out << card_of(*asking, number, a == answers.end() ? nullptr : &*a);
    hidden = !(answered && !a->measured.isEmpty()) && !open.count(number);
    page.questions.push_back(std::move(*asking));
    asking.reset();
  };
  for (qsizetype n = 0; n < lines.size(); ++n) {
    const QString& line = lines[n];
    const QString t = line.trimmed();
    if (fence.isEmpty()) {
      if (t.startsWith('>')) {
        if (quotation.isEmpty()) asked_at = static_cast<int>(n) + 1;
        quotation << t;
        if (n + 1 < lines.size() && lines[n + 1].trimmed().startsWith('>')) continue;
        if (auto q = question_of(quotation)) {
          if (asking) page.complaints << QStringLiteral("line %1: the question before it has no commands").arg(asked_at);
          hidden = false;
          asking = std::move(q);
          output.clear();
        } else {
          for (const QString& l : quotation) show(l);
        }
        quotation.clear();
        continue;
      }
      if (asking && !t.isEmpty() && !t.startsWith("```")) {
        if (asking->runs.empty()) page.complaints << QStringLiteral("line %1: a question needs a block of `mqlab run ... --measure '...'` right below it").arg(asked_at);
        else end_question();
        asking.reset();
      }
      if (t.startsWith('#')) hidden = false;
      if (t.startsWith("```")) {
        fence = t.mid(3).trimmed().isEmpty() ? QStringLiteral("text") : t.mid(3).trimmed();
        in_output = asking && fence == "text";
        block.clear();
        writes = false;
        if (asking) {
          block << line;
          continue;
        }
      }
      if (!asking || !t.isEmpty()) show(line);
      continue;
    }
    if (!t.startsWith("```")) {
      static const QRegularExpression begins(QStringLiteral(R"(^cat > (\S+\.lua) <<\s*'?(\w+)'?)"));
      bool command = false;
      if (in_output) {
        output << line;
      } else if (!here_end.isEmpty()) {
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
        writes = true;
      } else if (fence == "sh" && t.contains("mqlab run ")) {
        command = true;
        if (auto s = step_of(t, written)) {
          if (!asking) {
            fresh.push_back(page.steps.size());
            page.steps.push_back(std::move(*s));
          } else if (s->measure.isEmpty()) {
            page.complaints << QStringLiteral("line %1: `%2` has no --measure").arg(n + 1).arg(t);
          } else {
            asking->runs.push_back(std::move(*s));
          }
        } else if (asking) {
          page.complaints << QStringLiteral("line %1: the window can't run `%2`").arg(n + 1).arg(t);
        }
      }
      if (!asking) show(line);
      else if (!command) block << line;
      continue;
    }
    fence.clear();
    here_end.clear();
    if (asking) {
      if (in_output) {
        if (asking->runs.empty()) {
          page.complaints << QStringLiteral("line %1: what is printed has no commands above it").arg(n + 1);
          asking.reset();
        } else {
          end_question();
        }
      } else if (writes) {
        block << line;
        hidden = false;
        for (const QString& l : block) show(l);  // a scenario that the page writes is there to be read
        show(QString());
      }
      in_output = false;
      continue;
    }
    show(line);
    if (fresh.empty()) continue;
    show(QString());
    for (const std::size_t step : fresh) {
      const LessonStep& s = page.steps[step];
      QString what = s.name.isEmpty() ? QFileInfo(s.scenario).completeBaseName() : s.name;
      if (const QString more = label_of(s); more != "as it is") what += ", " + more;
      what.replace('_', QStringLiteral("\\_")).replace('*', QStringLiteral("\\*"));
      show(QStringLiteral("[%1 Run it here: %2](mqlab:step?n=%3)%4").arg(QStringLiteral("▶"), what).arg(step).arg(done.contains(s.command) ? QStringLiteral(" ✓ done") : QString()));
      show(QString());
    }
    fresh.clear();
  }
  if (asking) page.complaints << QStringLiteral("line %1: a question needs a block of `mqlab run ... --measure '...'` and what it prints").arg(asked_at);
  page.markdown = out.join('\n');
  return page;
}

}  // namespace mqlab::gui
