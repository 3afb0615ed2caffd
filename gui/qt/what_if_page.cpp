#include "gui/qt/what_if_page.h"

#include <QUrlQuery>

#include <algorithm>

#include "gui/qt/verdict_model.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

QString escaped(const std::string& t) { return QString::fromStdString(t).toHtmlEscaped(); }
QString key_of(std::size_t n) { return QStringLiteral("n%1").arg(n); }

bool broken(const Recording& r, std::size_t verdict) {
  const auto& all = r.result().verdicts;
  return verdict < all.size() && all[verdict].report.verdict == Verdict::violated && !all[verdict].report.worst.empty() && r.events() > 0;
}

}  // namespace

WhatIfPage::WhatIfPage(Workspace* w) : QObject(w), workspace_(w) {
  connect(w, &Workspace::run_began, this, [this] { tried_.clear(); });
  connect(w, &Workspace::branches_changed, this, &WhatIfPage::changed);
  connect(w, &Workspace::beside_changed, this, &WhatIfPage::changed);
}

const std::vector<WhatIf>& WhatIfPage::offered() const {
  if (const auto r = workspace_->recording(); r != of_) {
    of_ = r;
    offered_ = r ? what_ifs(*r) : std::vector<WhatIf>{};
  }
  return offered_;
}

QString WhatIfPage::causes(std::size_t verdict) const {
  const auto r = workspace_->recording();
  if (!r || !broken(*r, verdict)) return {};
  const CauseChain chain = causes_of(*workspace_->index(), telling_event(*r, r->result().verdicts[verdict].report.worst.front()));
  QString html = QStringLiteral("<p><a name='causes'></a><b>%1</b> %2").arg(tr("Why it came to this."), tr("Each made the next happen:"));
  if (chain.left_out > 0) html += QStringLiteral(" <span class='quiet'>%1</span>").arg(chain.left_out == 1 ? tr("(1 before these)") : tr("(%1 before these)").arg(chain.left_out));
  for (std::size_t i = 0; i < chain.events.size(); ++i) {
    const std::size_t e = chain.events[i];
    html += QStringLiteral("<br><a href='mqlab:go?event=%1'>%2</a> %3").arg(e).arg(escaped(format_time(r->time_of(e))), escaped(event_text(r->journal(), r->journal().deliveries[e])));
    for (const std::uint32_t d : chain.lost[i])
      html += QStringLiteral("<br>&nbsp;&nbsp;✕ <a href='mqlab:go?drop=%1'>%2</a> <b>%3</b>").arg(d).arg(escaped(format_time(r->journal().drops[d].time)), escaped(drop_text(r->journal(), r->journal().drops[d])));
  }
  return html + QStringLiteral("</p>");
}

QString WhatIfPage::outcome(int future, std::size_t verdict) const {
  const Branch& b = workspace_->session().branch(future);
  const Recording& here = *workspace_->recording();
  switch (b.state) {
    case Branch::State::recording: return tr("running …");
    case Branch::State::refused: return tr("this can't be run: %1").arg(escaped(b.complaint.text));
    case Branch::State::called_off: return tr("called off");
    default: break;
  }
  const Recording& there = *b.recorded.recording;
  if (there.stopped()) return tr("the run was stopped: there is no verdict");
  const Report& asked = here.result().verdicts[verdict].report;
  const QString name = QString::fromLatin1(asked.anomaly->name);
  const VerdictRow* v = there.result().verdict(asked.anomaly->name);
  QString html;
  if (!v) html = tr("<b>%1</b> is not checked there").arg(name);
  else if (v->report.verdict == Verdict::violated) html = v->report.count == asked.count ? tr("<b>%1 is still there</b>").arg(name) : tr("<b>%1 is still there</b>, %2 instead of %3").arg(name).arg(v->report.count).arg(asked.count);
  else if (v->report.verdict == Verdict::holds) html = tr("<b>%1 is gone</b>").arg(name);
  else html = tr("<b>%1 is not seen</b>, and not ruled out: %2").arg(name, v->report.reason.empty() ? tr("nothing was decided") : escaped(v->report.reason));
  const FutureDifference d = difference(here, there);
  QStringList fresh, gone;
  for (const std::string& n : d.fresh) fresh << QString::fromStdString(n);
  for (const std::string& n : d.gone)
    if (n != asked.anomaly->name) gone << QString::fromStdString(n);
  if (!fresh.isEmpty()) html += tr("; new: <b>%1</b>").arg(fresh.join(QStringLiteral(", ")));
  if (!gone.isEmpty()) html += tr("; also gone: %1").arg(gone.join(QStringLiteral(", ")));
  if (!d.parts_at) return html + tr(". All events are the same.");
  const std::size_t e = std::min(d.parts.a, here.events() - 1);
  html += tr(". The runs part at <a href='mqlab:go?event=%1'>%2, #%1</a>").arg(e).arg(escaped(format_time(*d.parts_at)));
  html += QStringLiteral(" (here %1; ").arg(escaped(event_text(here.journal(), here.journal().deliveries[e])));
  if (d.parts.b < there.events()) html += tr("there %1)").arg(escaped(event_text(there.journal(), there.journal().deliveries[d.parts.b])));
  else html += tr("there it has ended)");
  html += workspace_->beside() == future ? tr(". <span class='quiet'>It is drawn beside.</span>") : tr(". <a href='mqlab:beside?id=%1'>Draw it beside</a>").arg(future);
  return html + tr(" <a href='mqlab:future?id=%1'>Look at it</a>").arg(future);
}

QString WhatIfPage::what_if(std::size_t verdict) const {
  const auto r = workspace_->recording();
  if (!r || !broken(*r, verdict)) return {};
  const int current = workspace_->session().current();
  QString html = QStringLiteral("<p><a name='what-if'></a><b>%1</b></p><ul>").arg(tr("What if …"));
  for (std::size_t n = 0; n < offered().size(); ++n) {
    const auto made = tried_.find({current, key_of(n)});
    const QString text = escaped(offered()[n].text);
    html += made == tried_.end() ? QStringLiteral("<li><a href='mqlab:whatif?n=%1'>%2</a></li>").arg(n).arg(text) : QStringLiteral("<li>%1: %2</li>").arg(text, outcome(made->second, verdict));
  }
  for (const auto& [key, future] : tried_)
    if (key.first == current && key.second.startsWith('=')) html += QStringLiteral("<li>%1: %2</li>").arg(key.second.mid(1).toHtmlEscaped(), outcome(future, verdict));
  if (offered().empty()) html += QStringLiteral("<li>%1</li>").arg(tr("It broke without any fault: only settings can be turned, below."));
  return html + QStringLiteral("</ul>");
}

bool WhatIfPage::follow(const QUrl& link) {
  if (link.scheme() != "mqlab") return false;
  const QUrlQuery query(link);
  if (link.path() == "whatif") {
    const std::size_t n = query.queryItemValue("n").toULongLong();
    const std::pair<int, QString> key{workspace_->session().current(), key_of(n)};
    if (n >= offered().size() || tried_.count(key)) return true;
    if (const int id = workspace_->what_if(offered()[n]); id >= 0) tried_[key] = id;
    emit changed();
    return true;
  }
  if (link.path() == "future") workspace_->show_branch(query.queryItemValue("id").toInt());
  else if (link.path() == "beside") workspace_->set_beside(query.queryItemValue("id").toInt());
  else if (query.hasQueryItem("drop")) {
    const std::size_t d = query.queryItemValue("drop").toULongLong();
    workspace_->play(false);
    if (workspace_->recording()) workspace_->focus(workspace_->recording()->event_of_drop(d), EntityId::drop(d));
  } else if (query.hasQueryItem("event")) {
    workspace_->play(false);
    workspace_->set_event(query.queryItemValue("event").toULongLong());
  } else return false;
  return true;
}

QString WhatIfPage::try_setting(const QString& words) {
  const QString name = words.section('=', 0, 0).trimmed(), value = words.section('=', 1).trimmed();
  if (name.isEmpty() || value.isEmpty()) return tr("`%1` is no setting: acks=all was expected").arg(words.trimmed());
  const std::pair<int, QString> key{workspace_->session().current(), QStringLiteral("=%1=%2").arg(name, value)};
  if (const auto made = tried_.find(key); made != tried_.end() && workspace_->session().branch(made->second).state == Branch::State::ready) {
    workspace_->set_beside(made->second);
    return {};
  }
  const int id = workspace_->what_if(Setting{name.toStdString(), value.toStdString(), true, 0});
  if (id < 0) return tr("There is no run yet.");
  tried_[key] = id;
  emit changed();
  return {};
}

}  // namespace mqlab::gui
