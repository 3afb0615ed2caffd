#include "gui/qt/page_browser.h"

#include <QScrollBar>
#include <QTextBlock>
#include <QTextTable>

#include "gui/qt/lua_text.h"

namespace mqlab::gui {

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

}  // namespace mqlab::gui
