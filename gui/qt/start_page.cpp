#include "gui/qt/start_page.h"

#include <QFileInfo>
#include <QObject>
#include <QUrl>

#include "gui/qt/lessons.h"
#include "gui/qt/settings.h"

namespace mqlab::gui {

QString start_page(const WindowSettings& settings) {
  QString html = QStringLiteral("<h1>mqlab</h1><p>Run a story about messages under any fault; see what a client would have seen; be told by name which guarantee broke, at which event, and why.</p>");
  html += QStringLiteral("<table width='100%' cellpadding='8'><tr><td width='50%' valign='top'>");
  html += QStringLiteral("<h2>Begin</h2><ul>");
  const auto open = [](const QString& name, const QString& words) {
    return QStringLiteral("<li><a href='mqlab:run?scenario=%1'>%2</a></li>").arg(QString::fromUtf8(QUrl::toPercentEncoding(name)), words.toHtmlEscaped());
  };
  html += QStringLiteral("<li><a href='mqlab:lesson?id=first-minutes.md'><b>%1</b></a>: %2</li>").arg(QObject::tr("Two minutes with a duplicate"), QObject::tr("say what you expect, run it, see"));
  html += open("scenarios/showcase.lua", QObject::tr("A cut-off leader keeps acknowledging: watch thirty records vanish"));
  html += open("scenarios/museum/rabbitmq/r02-a-confirm-that-was-lost.lua", QObject::tr("A confirm that was lost"));
  html += QStringLiteral("<li><a href='mqlab:new'>%1</a></li><li><a href='mqlab:library'>%2</a> (%3)</li></ul>").arg(QObject::tr("Write one of your own"), QObject::tr("The library of scenarios"), QString::number(library_scenarios().size()));
  html += QStringLiteral("<h2>Recent</h2><ul>");
  for (const QString& path : settings.recent())
    if (QFileInfo(path).isFile()) html += QStringLiteral("<li><a href='mqlab:run?scenario=%1'>%2</a> <span class='quiet'>%3</span></li>").arg(QString::fromUtf8(QUrl::toPercentEncoding(path)), QFileInfo(path).completeBaseName().toHtmlEscaped(), QFileInfo(path).absolutePath().toHtmlEscaped());
  if (settings.recent().isEmpty()) html += QStringLiteral("<li class='quiet'>%1</li>").arg(QObject::tr("Nothing has been run yet."));
  html += QStringLiteral("</ul><h2>Find your way</h2><p><b>Ctrl+K</b> finds every command, lesson and scenario by a few letters. <b>?</b> lists all keys. <b>F6</b> goes from pane to pane. "
                         "<b>Space</b> plays, <b>.</b> and <b>,</b> step, <b>V</b> goes to the next violation, <b>1</b> to <b>9</b> break what is in focus.</p>");
  html += QStringLiteral("</td><td width='50%' valign='top'><h2>Lessons</h2>") + contents_page(settings) + QStringLiteral("</td></tr></table>");
  return html;
}

}  // namespace mqlab::gui
