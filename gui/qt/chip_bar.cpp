#include "gui/qt/chip_bar.h"

#include <QLabel>

namespace mqlab::gui {

ChipBar::ChipBar(Workspace* w, QWidget* parent) : QToolBar(tr("Filter"), parent), workspace_(w) {
  setObjectName(QStringLiteral("chips"));
  setMovable(false);
  setToolButtonStyle(Qt::ToolButtonTextOnly);
  hide();
  connect(w, &Workspace::rows_changed, this, &ChipBar::show_chips);
}

void ChipBar::set_in_use(bool on) {
  in_use_ = on;
  show_chips();
}

void ChipBar::show_chips() {
  clear();
  Workspace* w = workspace_;
  if (w->filtered() && w->recording()) {
    addWidget(new QLabel(tr(" only events with: "), this));
    const auto chip = [&](const QString& text, auto remove) {
      QAction* a = addAction(text + QStringLiteral("  ✕"));
      a->setToolTip(tr("Takes this off the filter"));
      connect(a, &QAction::triggered, this, remove, Qt::QueuedConnection);
    };
    if (!w->filter().trimmed().isEmpty()) chip(QStringLiteral("“%1”").arg(w->filter().trimmed()), [w] { w->set_filter({}); });
    if (w->hides_routine()) chip(tr("no heartbeats and timers"), [w] { w->set_hides_routine(false); });
    for (std::size_t i = 0; i < w->chips().size(); ++i) chip(QString::fromStdString(w->chips()[i].label(w->recording()->journal())), [w, i] { w->remove_chip(i); });
    const std::size_t drops = w->recording()->journal().drops.size();
    QString shown = tr("  %1 of %2 ").arg(w->rows() ? w->rows()->size() : 0).arg(w->recording()->events());
    if (drops > 0) shown += tr("and %1 of %2 that never arrived ").arg(w->drop_rows() ? w->drop_rows()->size() : drops).arg(drops);
    addWidget(new QLabel(w->filtering() ? tr("  still counting … ") : shown, this));
  }
  setVisible(w->filtered() && w->recording() && in_use_);
}

}  // namespace mqlab::gui
