// gui/qt/what_if_page.h: below a broken guarantee: why it came to this, what if something had been otherwise, and what came of it.
//
// A link begins another future beside the current one, which stays in sight; when it is ready its line says whether the breach is gone,
// what else broke, and where the two runs part.
//
// Always true: what is said of a future was read from its run.
// Elsewhere: what is offered (gui/core/what_if.h), the claim and the evidence (verdict_model.h).
//
//     connect(browser, &QTextBrowser::anchorClicked, [&](const QUrl& link) { page.follow(link); });
//     browser->show_html(page.causes(verdict) + page.what_if(verdict));
#pragma once

#include <QObject>
#include <QString>
#include <QUrl>

#include <map>
#include <utility>

#include "gui/core/what_if.h"
#include "gui/qt/workspace.h"

namespace mqlab::gui {

class WhatIfPage : public QObject {
  Q_OBJECT

 public:
  explicit WhatIfPage(Workspace* w);
  // The chain of causes of the event that tells most of a breach, the event last, each with a link; empty: it is none.
  QString causes(std::size_t verdict) const;
  QString what_if(std::size_t verdict) const;
  // `mqlab:whatif?n=2`, `mqlab:future?id=3`, `mqlab:go?event=87`; false: it was none of these.
  bool follow(const QUrl& link);
  // "acks=all": what is wrong with it, or nothing.
  QString try_setting(const QString& words);

 signals:
  void changed();

 private:
  QString outcome(int future, std::size_t verdict) const;
  const std::vector<WhatIf>& offered() const;

  Workspace* workspace_;
  std::map<std::pair<int, QString>, int> tried_;  // of which future, the key of what was changed: the future it became
  mutable std::shared_ptr<const Recording> of_;   // the run that offered_ is of
  mutable std::vector<WhatIf> offered_;
};

}  // namespace mqlab::gui
