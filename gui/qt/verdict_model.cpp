#include "gui/qt/verdict_model.h"

#include <QFont>
#include <QLocale>

#include <algorithm>
#include <numeric>

#include "sim/lab/verdict_words.h"
#include "sim/record/op_text.h"

namespace mqlab::gui {
namespace {

int rank(const VerdictRow& v) {
  switch (v.report.verdict) {
    case Verdict::violated: return v.claim.claimed ? 0 : 1;
    case Verdict::unknown: return v.report.pending > 0 ? 2 : v.report.evidence > 0 ? 3 : 5;
    default: return 4;
  }
}

QString escaped(std::string_view t) { return QString::fromUtf8(t.data(), static_cast<qsizetype>(t.size())).toHtmlEscaped(); }

}  // namespace

QString verdict_words(const Report& r) { return QStringLiteral("%1 %2").arg(verdict_sign(r.verdict), QString::fromStdString(verdict_text(r))); }

std::size_t telling_event(const Recording& r, const Finding& f) {
  const Time story = r.result().workload_ended;
  std::size_t best = r.events();
  const auto take = [&](OpIndex op) {
    if (op == no_op || op >= r.journal().ops.size() || r.journal().ops[op].time > story) return false;
    best = r.event_of_op(op);
    return best < r.events();
  };
  if (take(f.certain_at)) return best;
  for (auto it = f.witness.rbegin(); it != f.witness.rend(); ++it)
    if (take(*it)) return best;
  best = f.certain_at == no_op ? r.events() : r.event_of_op(f.certain_at);
  return best < r.events() ? best : r.events() - 1;
}

QString verdict_page(const Recording& r, std::size_t verdict, Theme theme, const QString& after_evidence) {
  if (verdict >= r.result().verdicts.size()) return {};
  const VerdictRow& v = r.result().verdicts[verdict];
  const Report& report = v.report;
  const QString ink = verdict_ink(theme, report.verdict).name();
  QString html = QStringLiteral("<p><b>%1</b>: <b style='color:%2'>%3</b> &nbsp; %4</p>").arg(escaped(report.anomaly->name), ink, verdict_words(report).toHtmlEscaped(), QLatin1String(square(v)));
  if (!after_evidence.isEmpty()) html += QStringLiteral("<p><a href='#what-if'>What if …</a> &nbsp; <a href='#causes'>Why it came to this</a></p>");
  html += QStringLiteral("<p><b>Claim.</b> %1: %2</p>").arg(v.claim.claimed ? QStringLiteral("Promised not to happen") : QStringLiteral("Nothing is promised"), escaped(claim_text(v.claim)));
  for (std::size_t i = 0; i < std::min<std::size_t>(report.worst.size(), 3); ++i) {
    const Finding& f = report.worst[i];
    const std::size_t certain = f.certain_at == no_op ? r.events() : r.event_of_op(f.certain_at);
    html += QStringLiteral("<p><b>Seen.</b> %1</p><p><b>Evidence</b>, certain at ").arg(escaped(f.sentence));
    html += certain < r.events() ? QStringLiteral("<a href='mqlab:go?event=%1'>%2</a>").arg(certain).arg(escaped(format_time(f.at))) : escaped(format_time(f.at));
    html += QStringLiteral(":</p><ul>");
    for (const OpIndex op : f.witness) {
      const Op& row = r.journal().ops[op];
      const std::size_t e = r.event_of_op(op);
      const QString text = escaped(op_text(r.journal(), row));
      const QString at = escaped(format_time(row.time));
      html += e < r.events() ? QStringLiteral("<li><a href='mqlab:go?event=%1'>%2</a> %3</li>").arg(e).arg(at, text) : QStringLiteral("<li>%1 %2</li>").arg(at, text);
    }
    html += QStringLiteral("</ul>");
  }
  if (report.count > report.worst.size() || report.worst.size() > 3)
    html += QStringLiteral("<p class='quiet'>%1 such breaches in all; %2 are shown.</p>").arg(report.count).arg(std::min<std::size_t>(report.worst.size(), 3));
  if (!report.reason.empty()) html += QStringLiteral("<p><b>Limits.</b> %1</p>").arg(escaped(report.reason));
  if (report.verdict != Verdict::violated)
    html += QStringLiteral("<p><b>Evidence.</b> %1 %2 looked at%3.</p>").arg(QLocale::c().toString(static_cast<qulonglong>(report.evidence)), escaped(report.evidence_of), report.pending ? QStringLiteral(", %1 not decided yet").arg(report.pending) : QString());
  html += after_evidence;
  html += QStringLiteral("<p><b>What it means.</b> %1</p>").arg(escaped(report.anomaly->predicate));
  if (report.verdict == Verdict::violated) html += QStringLiteral("<p><b>How it usually comes about.</b> %1</p>").arg(escaped(report.anomaly->mechanism));
  return html;
}

void VerdictModel::set_run(std::shared_ptr<const Recording> r) {
  beginResetModel();
  run_ = std::move(r);
  order_.clear();
  if (run_) {
    const auto& all = run_->result().verdicts;
    order_.resize(all.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) { return rank(all[a]) < rank(all[b]); });
  }
  endResetModel();
}

void VerdictModel::set_theme(Theme l) {
  theme_ = l;
  if (rowCount() > 0) emit dataChanged(index(0, 0), index(rowCount() - 1, column_count - 1), {Qt::ForegroundRole});
}

int VerdictModel::row_of(std::size_t verdict) const {
  const auto it = std::find(order_.begin(), order_.end(), verdict);
  return it == order_.end() ? -1 : static_cast<int>(it - order_.begin());
}

int VerdictModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(order_.size()); }
int VerdictModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : column_count; }

QVariant VerdictModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || !run_ || index.row() >= rowCount()) return {};
  const VerdictRow& v = run_->result().verdicts[verdict_of(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      switch (index.column()) {
        case anomaly: return QString::fromLatin1(v.report.anomaly->name);
        case verdict: return v.report.count > 1 && v.report.verdict == Verdict::violated ? QStringLiteral("%1 violated ×%2").arg(verdict_sign(v.report.verdict), QString::fromStdString(grouped_digits(v.report.count))) : verdict_words(v.report);
        case promised: return v.claim.claimed ? QStringLiteral("yes") : QStringLiteral("no");
        case means: return QString::fromLatin1(square(v));
        case evidence: return QStringLiteral("%1 %2").arg(QLocale::c().toString(static_cast<qulonglong>(v.report.evidence)), QString::fromLatin1(v.report.evidence_of)).trimmed();
        default: return {};
      }
    case Qt::ToolTipRole: return QStringLiteral("%1: %2\n%3").arg(QLatin1String(v.report.anomaly->name), verdict_words(v.report), QString::fromUtf8(v.report.anomaly->predicate));
    case Qt::AccessibleTextRole: {
      QString t = QStringLiteral("%1: %2, %3").arg(QLatin1String(v.report.anomaly->name), QLatin1String(verdict_name(v.report.verdict)), QLatin1String(square(v)));
      if (!v.report.worst.empty()) t += ". " + QString::fromStdString(v.report.worst[0].sentence);
      return t;
    }
    case Qt::ForegroundRole:
      if (index.column() == verdict || (index.column() == means && rank(v) == 0)) return verdict_ink(theme_, v.report.verdict);
      return {};
    case Qt::FontRole:
      if (v.report.verdict == Verdict::violated && index.column() <= verdict) {
        QFont f;
        f.setBold(true);
        return f;
      }
      return {};
    default: return {};
  }
}

QVariant VerdictModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || orientation != Qt::Horizontal) return {};
  static const char* names[column_count] = {"anomaly", "verdict", "so it is", "promised", "evidence"};
  return section >= 0 && section < column_count ? QString::fromLatin1(names[section]) : QString();
}

}  // namespace mqlab::gui
