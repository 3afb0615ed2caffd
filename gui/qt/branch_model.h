// gui/qt/branch_model.h: the futures of one scenario, side by side: what was changed, where they part, what came out.
#pragma once

#include <QAbstractTableModel>

#include <vector>

#include "gui/core/session.h"
#include "gui/qt/theme.h"

namespace mqlab::gui {

class BranchModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { label, beside, from, parts_at, events, violated, fingerprint, column_count };

  explicit BranchModel(const Session* s, QObject* parent = nullptr) : QAbstractTableModel(parent), session_(s) {}
  void refresh();
  // Which one is drawn beside the current one; -1: none.
  void set_beside(int id);
  void set_theme(Theme l) { theme_ = l; }

  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(shown_); }
  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : column_count; }
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  const Session* session_;
  std::size_t shown_ = 0;
  int beside_ = -1;
  Theme theme_ = Theme::light;
};

}  // namespace mqlab::gui
