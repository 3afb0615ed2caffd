#include "gui/qt/theme.h"

#include <QApplication>
#include <QFont>
#include <QFontDatabase>
#include <QPainter>
#include <QPointer>
#include <QProxyStyle>
#include <QStyleOption>

#include <algorithm>

namespace mqlab::gui {
namespace {

struct Colours {
  QRgb window, base, alternate, text, button, disabled, highlight, highlighted, link, border, good, bad, unknown, fault, code;
};

const Colours& colours(Theme t) {
  static const Colours all[theme_count] = {
      {0xfff3f4f6, 0xffffffff, 0xfff0f2f5, 0xff1b1f24, 0xffe9ebee, 0xff666c74, 0xff1f5fa8, 0xffffffff, 0xff0b57a4, 0xffc3c8ce, 0xff14683a, 0xffa8201a, 0xff6a5300, 0xff9a4a00, 0xfff1f3f5},
      {0xff1d2126, 0xff16191d, 0xff20252b, 0xffe4e7eb, 0xff2b3138, 0xff98a1ab, 0xff336cb4, 0xffffffff, 0xff8cc2f5, 0xff434a53, 0xff7fd69b, 0xffff9b92, 0xffe3c55a, 0xfff5b26b, 0xff242a31},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xff000000, 0xffffffff, 0xff404040, 0xff000080, 0xffffffff, 0xff0000c0, 0xff000000, 0xff004d1a, 0xff8b0000, 0xff4d3c00, 0xff6b2f00, 0xffffffff},
      {0xff000000, 0xff000000, 0xff000000, 0xffffffff, 0xff000000, 0xffd0d0d0, 0xffffff00, 0xff000000, 0xff80d0ff, 0xffffffff, 0xff80ff9f, 0xffff9d9d, 0xffffe680, 0xffffc080, 0xff000000},
  };
  return all[static_cast<std::size_t>(t)];
}

QString css(QRgb c) { return QColor(c).name(); }

bool is_high_contrast(Theme l) { return l == Theme::high_contrast_light || l == Theme::high_contrast_dark; }

// Fusion. Its edges are a shade of the paper, which nobody sees where paper is black or white: there they are drawn once more, in the
// colour of text.
class EdgedStyle : public QProxyStyle {
 public:
  EdgedStyle() : QProxyStyle(QStringLiteral("Fusion")) {}
  bool edged = false;

  void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* p, const QWidget* widget) const override {
    QProxyStyle::drawComplexControl(control, option, p, widget);
    if (control == CC_ComboBox || control == CC_SpinBox) edge(option->rect, *option, p);
    if (control == CC_ScrollBar) edge(proxy()->subControlRect(control, option, SC_ScrollBarSlider, widget), *option, p);
  }
  void drawControl(ControlElement element, const QStyleOption* option, QPainter* p, const QWidget* widget) const override {
    QProxyStyle::drawControl(element, option, p, widget);
    if (element != CE_TabBarTabShape) return;
    edge(option->rect, *option, p);
    if (edged && (option->state & State_Selected)) p->fillRect(QRect(option->rect.topLeft(), QSize(option->rect.width(), 3)), option->palette.color(QPalette::WindowText));
  }
  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* p, const QWidget* widget) const override {
    QProxyStyle::drawPrimitive(element, option, p, widget);
    if (element == PE_Frame || element == PE_FrameMenu) edge(option->rect, *option, p);
  }

 private:
  void edge(const QRect& r, const QStyleOption& option, QPainter* p) const {
    if (!edged) return;
    p->save();
    p->setRenderHint(QPainter::Antialiasing, false);
    const bool able = option.state & State_Enabled;
    p->setPen(QPen(option.palette.color(able ? QPalette::Active : QPalette::Disabled, QPalette::WindowText), 1, able ? Qt::SolidLine : Qt::DashLine));
    p->drawRect(r.adjusted(0, 0, -1, -1));
    if (option.state & State_HasFocus) p->drawRect(r.adjusted(1, 1, -2, -2));
    p->restore();
  }
};

}  // namespace

QStringList theme_words() {
  QStringList all;
  for (const Theme t : all_themes) all << QString::fromUtf8(word(t).data(), static_cast<qsizetype>(word(t).size()));
  return all;
}

std::optional<Theme> theme_of(const QString& name) { return theme_of(std::string_view(name.toStdString())); }

QColor good_ink(Theme l) { return colours(l).good; }
QColor bad_ink(Theme l) { return colours(l).bad; }
QColor unknown_ink(Theme l) { return colours(l).unknown; }
QColor fault_ink(Theme l) { return colours(l).fault; }

QColor verdict_ink(Theme l, Verdict v) {
  switch (v) {
    case Verdict::holds: return good_ink(l);
    case Verdict::violated: return bad_ink(l);
    default: return unknown_ink(l);
  }
}

QString verdict_sign(Verdict v) {
  switch (v) {
    case Verdict::holds: return QStringLiteral("✓");
    case Verdict::violated: return QStringLiteral("✗");
    default: return QStringLiteral("?");
  }
}

QPalette palette_of(Theme l) {
  const Colours& c = colours(l);
  QPalette p;
  p.setColor(QPalette::Window, c.window);
  p.setColor(QPalette::WindowText, c.text);
  p.setColor(QPalette::Base, c.base);
  p.setColor(QPalette::AlternateBase, c.alternate);
  p.setColor(QPalette::Text, c.text);
  p.setColor(QPalette::PlaceholderText, c.disabled);
  p.setColor(QPalette::Button, c.button);
  p.setColor(QPalette::ButtonText, c.text);
  p.setColor(QPalette::BrightText, c.bad);
  p.setColor(QPalette::Highlight, c.highlight);
  p.setColor(QPalette::HighlightedText, c.highlighted);
  p.setColor(QPalette::Link, c.link);
  p.setColor(QPalette::LinkVisited, c.link);
  p.setColor(QPalette::ToolTipBase, c.base);
  p.setColor(QPalette::ToolTipText, c.text);
  p.setColor(QPalette::Mid, c.border);
  p.setColor(QPalette::Dark, c.border);
  for (const QPalette::ColorRole role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText}) p.setColor(QPalette::Disabled, role, c.disabled);
  return p;
}

void apply_theme(QApplication& app, Theme l, int percent) {
  static const qreal normal = [] {
    const qreal points = QFontDatabase::systemFont(QFontDatabase::GeneralFont).pointSizeF();
    return std::clamp(points > 0 ? points : 9.5, 9.0, 11.0);
  }();
  static QPointer<EdgedStyle> style;
  if (!style) app.setStyle(style = new EdgedStyle);
  style->edged = is_high_contrast(l);
  app.setPalette(palette_of(l));
  QFont font = app.font();
  font.setPointSizeF(normal * std::clamp(percent, scale_min, scale_max) / 100);
  app.setFont(font);
  const Colours& c = colours(l);
  // Where paper and buttons are of one colour, a button is told by its frame.
  const QString frames = is_high_contrast(l) ? QStringLiteral("QPushButton { border: 1px solid %1; padding: 3px 8px; } QPushButton:disabled { border: 1px dashed %1; } QPushButton:focus { border: 2px solid %1; }").arg(css(c.border)) : QString();
  app.setStyleSheet(frames + QStringLiteral(
                        "QDockWidget::title { padding: 3px 6px; background: %1; border-bottom: 1px solid %2; }"
                        "QToolTip { color: %3; background: %4; border: 1px solid %2; padding: 3px; }"
                        "QHeaderView::section { background: %1; color: %3; border: 0; border-right: 1px solid %2; border-bottom: 1px solid %2; padding: 2px 6px; }"
                        "QStatusBar::item { border: 0; }"
                        "QMainWindow::separator { background: %2; width: 3px; height: 3px; }"
                        "QLabel#error { color: %5; background: %4; padding: 4px 8px; border-top: 1px solid %2; }"
                        "QLabel#remark { padding: 1px 6px; }"
                        "QLineEdit { border: 1px solid %2; border-radius: 2px; padding: 1px 3px; } QLineEdit:focus { border: 1px solid %6; }"
                        "QCheckBox::indicator { width: 11px; height: 11px; border: 1px solid %3; background: %4; } QCheckBox::indicator:checked { background: %6; border: 3px solid %4; outline: 1px solid %3; }")
                        .arg(css(c.button), css(c.border), css(c.text), css(c.base), css(c.bad), css(c.highlight)));
}

QString page_style(Theme l) {
  const Colours& c = colours(l);
  return QStringLiteral("body { color: %1; } a { color: %2; } code, pre { background: %3; font-family: 'DejaVu Sans Mono', monospace; } h1 { font-size: x-large; } h2 { font-size: large; } h3 { font-size: medium; } "
                        "th { background: %3; } .card { background: %3; margin-top: 6px; margin-bottom: 8px; } .card code { background: none; } .bad { color: %4; } .good { color: %5; } .quiet { color: %6; }")
      .arg(css(c.text), css(c.link), css(c.code), css(c.bad), css(c.good), css(c.disabled));
}

}  // namespace mqlab::gui
