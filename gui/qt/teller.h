// gui/qt/teller.h: tells in a file what the window shows and where, for tests and other tools that drive it from outside.
//
// `mqlab-gui --tell FILE` writes FILE, whole, as JSON, whenever the window has come to rest and something is different: the run, the
// event in focus, branches with their fingerprints, verdicts, the scenario's text, and all that can be pointed at, in pixels of the
// screen. What is told is read from the workspace and the scenes: it is what is drawn.
//
// Always true: the file is the window at one moment, never a mixture of two. Times are virtual, in nanoseconds; a rectangle is
// [x, y, width, height]. Numbers that may pass 2^53 are text.
//
//     Teller teller(&window, "/tmp/window.json");
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QObject>
#include <QString>
#include <QTimer>

namespace mqlab::gui {

class MainWindow;

// What the window shows now.
QJsonObject told_of(MainWindow& window);

class Teller : public QObject {
  Q_OBJECT

 public:
  Teller(MainWindow* window, const QString& file);

 private:
  void look();

  MainWindow* window_;
  QString file_;
  QTimer timer_;
  QByteArray last_;  // as written
  QByteArray seen_;  // at the last look: what changed since is not at rest
};

}  // namespace mqlab::gui
