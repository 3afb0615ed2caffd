// gui/qt/empty_words.h: a sentence in place of a list that is empty: why it is, and what to do about it.
//
// Always true: it is in sight exactly while its list has no row, and the mouse goes through it.
//
//     new EmptyWords(table, [this] { return workspace_->recording() ? tr("No event passes the filter: Escape clears it.") : tr("..."); });
#pragma once

#include <QAbstractItemView>
#include <QLabel>

#include <functional>

namespace mqlab::gui {

class EmptyWords : public QLabel {
  Q_OBJECT

 public:
  // The list owns it. Requires: it has its model. `words` is asked whenever the list changes.
  EmptyWords(QAbstractItemView* list, std::function<QString()> words);
  // What the words depend on has changed.
  void refresh();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QAbstractItemView* list_;
  std::function<QString()> words_;
};

}  // namespace mqlab::gui
