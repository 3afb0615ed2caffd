// gui/qt/view_tour.h: every view of a run as a picture, one after the other, and what is wrong with each.
//
// Layouts, panes, dialogs and the start page, in each size and theme: `mqlab-gui SCENARIO --views FOLDER` (scripts/look makes them for runs
// of all kinds). Beside the pictures stands `flaws.txt`: texts that lie on each other or are cut off, in canvases and widgets.
//
// Always true: the window is at rest when a picture of it is taken. Where a view needs a second future, a server is killed by hand.
//
//     ViewTour tour(&window, {.folder = "/tmp/views"});
//     connect(&tour, &ViewTour::done, [](const QString& trouble) { ... });
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QSize>
#include <QStringList>
#include <QTimer>

#include <functional>
#include <vector>

#include "gui/qt/theme.h"

namespace mqlab::gui {

class MainWindow;

struct ViewTourOptions {
  QString folder{};
  std::vector<QSize> sizes{{1280, 800}, {1920, 1080}};
  std::vector<Theme> themes{Theme::light, Theme::dark};
};

// A window with what is open above it.
QPixmap picture_of_window(QWidget* window);

// Texts of labels, buttons, choices, tabs and heads of columns that their widget is too small for; tool bars that hide a part of themselves.
QStringList flaws_of_widgets(QWidget* window);
// What flaws() says of each canvas in sight.
QStringList flaws_of_canvases(MainWindow* window);

class ViewTour : public QObject {
  Q_OBJECT

 public:
  ViewTour(MainWindow* window, ViewTourOptions options);
  // What is looked at, in order: "learn", "logs", "keys" ...
  QStringList names() const;

 signals:
  // All pictures are written; else why not.
  void done(const QString& trouble);

 private:
  struct View {
    QString name;
    std::function<void()> show;
  };
  void add_views();
  void next();
  void look();

  MainWindow* window_;
  ViewTourOptions options_;
  std::vector<View> views_;
  std::size_t size_ = 0, theme_ = 0, view_ = 0;
  QTimer timer_;
  QElapsedTimer waited_;
  int calm_ = 0;
  bool shown_ = false;
  QStringList flaws_;
};

}  // namespace mqlab::gui
