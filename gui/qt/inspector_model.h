// gui/qt/inspector_model.h: the state of one node at a moment, and what the last event changed in it.
//
// Rows are the tree from top to bottom; a row that is new or has another value than before is marked in a column of its own, and bold.
#pragma once

#include <QAbstractTableModel>

#include <memory>
#include <vector>

#include "gui/core/inspector.h"

namespace mqlab::gui {

class InspectorModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { changed, name, value, column_count };

  explicit InspectorModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
  // As inspector_rows() gives them; empty: there is nothing to show.
  void set_rows(std::vector<InspectorRow> rows);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  std::vector<InspectorRow> rows_;
};

}  // namespace mqlab::gui
