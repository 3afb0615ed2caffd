// gui/qt/page_browser.h: shows Markdown with its code coloured and its tables legible.
#pragma once

#include <QString>
#include <QTextBrowser>

#include "gui/qt/theme.h"

namespace mqlab::gui {

class PageBrowser : public QTextBrowser {
  Q_OBJECT

 public:
  explicit PageBrowser(QWidget* parent = nullptr);
  void set_theme(Theme l);
  void show_markdown(const QString& markdown);
  void show_html(const QString& html);

 private:
  void render();
  void colour_code();

  Theme theme_ = Theme::light;
  QString source_;
  bool markdown_ = false;
};

}  // namespace mqlab::gui
