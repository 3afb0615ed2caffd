#include "gui/qt/empty_words.h"

#include <QEvent>

namespace mqlab::gui {

EmptyWords::EmptyWords(QAbstractItemView* list, std::function<QString()> words) : QLabel(list->viewport()), list_(list), words_(std::move(words)) {
  setWordWrap(true);
  setAlignment(Qt::AlignCenter);
  setMargin(12);
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setForegroundRole(QPalette::PlaceholderText);
  list->viewport()->installEventFilter(this);
  const QAbstractItemModel* m = list->model();
  connect(m, &QAbstractItemModel::modelReset, this, &EmptyWords::refresh);
  connect(m, &QAbstractItemModel::rowsInserted, this, &EmptyWords::refresh);
  connect(m, &QAbstractItemModel::rowsRemoved, this, &EmptyWords::refresh);
  refresh();
}

void EmptyWords::refresh() {
  setText(words_());
  setGeometry(list_->viewport()->rect());
  setVisible(list_->model()->rowCount() == 0);
}

bool EmptyWords::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Resize) setGeometry(list_->viewport()->rect());
  return QLabel::eventFilter(watched, event);
}

}  // namespace mqlab::gui
