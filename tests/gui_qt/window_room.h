// What tests of the window share: an application, runs, waiting.
#pragma once

#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QString>
#include <QTemporaryDir>

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "gui/core/event_index.h"
#include "kit/models.h"

namespace mqlab::gui {

inline std::string text_of_file(const QString& path) {
  QFile f(path);
  return f.open(QIODevice::ReadOnly) ? f.readAll().toStdString() : std::string();
}

inline QString source(const char* below) { return QStringLiteral(MQLAB_SOURCE_DIR) + "/" + QString::fromLatin1(below); }

// The showcase in its first case, made once.
inline std::shared_ptr<const Recording> showcase() {
  static const std::shared_ptr<const Recording> r = Recording::make({.text = text_of_file(source("scenarios/showcase.lua")), .path = "showcase.lua", .case_name = "acks=1"}, all_models());
  return r;
}

inline std::shared_ptr<const EventIndex> showcase_index() {
  static const auto index = std::make_shared<const EventIndex>(showcase());
  return index;
}

// Handles events of Qt until it is so; false after a minute.
inline bool wait_until(const std::function<bool()>& so) {
  QElapsedTimer t;
  t.start();
  while (!so()) {
    if (t.elapsed() > 60'000) return false;
    QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
  }
  return true;
}

}  // namespace mqlab::gui
