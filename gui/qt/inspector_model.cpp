#include "gui/qt/inspector_model.h"

#include <QFont>

#include <algorithm>

namespace mqlab::gui {
void InspectorModel::set_rows(std::vector<InspectorRow> rows) {
  // One shape: only the values changed, and the view keeps its place.
  const bool same_shape = rows.size() == rows_.size() && std::equal(rows.begin(), rows.end(), rows_.begin(), [](const InspectorRow& a, const InspectorRow& b) { return a.depth == b.depth && a.path == b.path; });
  if (same_shape) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] == rows_[i]) continue;
      rows_[i] = std::move(rows[i]);
      emit dataChanged(index(static_cast<int>(i), 0), index(static_cast<int>(i), column_count - 1));
    }
    return;
  }
  beginResetModel();
  rows_ = std::move(rows);
  endResetModel();
}

int InspectorModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(rows_.size()); }
int InspectorModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : column_count; }

QVariant InspectorModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  using Change = InspectorRow::Change;
  const InspectorRow& r = rows_[static_cast<std::size_t>(index.row())];
  const QString value = QString::fromStdString(r.value), before = QString::fromStdString(r.before);
  switch (role) {
    case Qt::DisplayRole:
      if (index.column() == changed) return r.change == Change::changed ? QStringLiteral("●") : r.change == Change::added ? QStringLiteral("+") : r.change == Change::removed ? QStringLiteral("−") : r.change == Change::inside ? QStringLiteral("·") : QString();
      if (index.column() == name) return QString(r.depth * 3, ' ') + QString::fromStdString(r.name);
      return value;
    case Qt::ToolTipRole:
      switch (r.change) {
        case Change::changed: return tr("%1, and before this event: %2").arg(value, before);
        case Change::added: return tr("new with this event: %1").arg(value);
        case Change::removed: return tr("gone with this event: %1").arg(value);
        default: return value;
      }
    case Qt::AccessibleTextRole: return QStringLiteral("%1 %2%3").arg(QString::fromStdString(r.name), value, r.change == Change::changed ? tr(", changed") : r.change == Change::added ? tr(", new") : r.change == Change::removed ? tr(", gone") : QString());
    case Qt::FontRole:
      if (r.change != Change::none && r.change != Change::inside) {
        QFont f;
        f.setBold(true);
        f.setStrikeOut(r.change == Change::removed);
        return f;
      }
      return {};
    default: return {};
  }
}

QVariant InspectorModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || orientation != Qt::Horizontal) return {};
  static const char* names[column_count] = {"", "state", "value"};
  return section >= 0 && section < column_count ? QString::fromLatin1(names[section]) : QString();
}

}  // namespace mqlab::gui
