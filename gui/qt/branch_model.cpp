#include "gui/qt/branch_model.h"

#include <QFont>

namespace mqlab::gui {

void BranchModel::refresh() {
  beginResetModel();
  shown_ = session_->branches().size();
  endResetModel();
}

void BranchModel::set_beside(int id) {
  if (id == beside_) return;
  beside_ = id;
  if (rowCount() > 0) emit dataChanged(index(0, beside), index(rowCount() - 1, beside), {Qt::DisplayRole, Qt::ToolTipRole});
}

QVariant BranchModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || static_cast<std::size_t>(index.row()) >= session_->branches().size()) return {};
  const Branch& b = session_->branches()[static_cast<std::size_t>(index.row())];
  const auto& r = b.recorded.recording;
  switch (role) {
    case Qt::DisplayRole:
      switch (index.column()) {
        case label: return (b.id == session_->current() ? QStringLiteral("▸ ") : QStringLiteral("   ")) + QString::fromStdString(b.label);
        case beside: return b.id == session_->current() || b.state != Branch::State::ready ? QString() : b.id == beside_ ? QStringLiteral("●") : QStringLiteral("○");
        case from: return b.parent < 0 ? QString() : QString::fromStdString(session_->branch(b.parent).label);
        case parts_at:
          if (!r || b.parent < 0) return QString();
          if (b.parts_at >= r->events()) return tr("the same events");
          return QStringLiteral("#%1, %2").arg(b.parts_at).arg(QString::fromStdString(format_time(r->time_of(b.parts_at))));
        case events:
          switch (b.state) {
            case Branch::State::recording: return tr("running …");
            case Branch::State::refused: return tr("not run");
            case Branch::State::called_off: return tr("called off");
            default: return QString::number(r->events());
          }
        case violated: {
          if (b.state == Branch::State::refused) return QString::fromStdString(b.complaint.text);
          if (!r) return QString();
          QStringList names;
          for (const VerdictRow& v : r->result().verdicts)
            if (v.report.verdict == Verdict::violated) names << QString::fromLatin1(v.report.anomaly->name);
          return names.isEmpty() ? tr("nothing") : names.join(QStringLiteral(", "));
        }
        case fingerprint: return r ? QString::fromStdString(r->result().fingerprint.text()) : QString();
        default: return {};
      }
    case Qt::ToolTipRole:
      if (index.column() != beside) return data(index, Qt::DisplayRole);
      return b.id == session_->current() ? tr("This one is looked at") : b.id == beside_ ? tr("Drawn beside the one that is looked at") : tr("Click: this one is drawn beside");
    case Qt::AccessibleTextRole: return index.column() == beside && b.id == beside_ ? tr("drawn beside") : QVariant();
    case Qt::ForegroundRole:
      if (index.column() == violated && r)
        for (const VerdictRow& v : r->result().verdicts)
          if (v.report.verdict == Verdict::violated) return bad_ink(theme_);
      return {};
    case Qt::FontRole:
      if (b.id == session_->current()) {
        QFont f;
        f.setBold(true);
        return f;
      }
      return {};
    default: return {};
  }
}

QVariant BranchModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || orientation != Qt::Horizontal) return {};
  static const char* names[column_count] = {"future", "beside", "forked from", "parts at", "events", "violated", "fingerprint"};
  return section >= 0 && section < column_count ? QString::fromLatin1(names[section]) : QString();
}

}  // namespace mqlab::gui
