// gui/qt/verdict_model.h: what was checked, what came out, and what the model had promised.
//
// The rule: broken promises first, then breaches that nobody promised to avoid, then what could not be decided with something
// pending, then what holds, then what nothing was known of. Within these: as the taxonomy has them.
#pragma once

#include <QAbstractTableModel>

#include <memory>
#include <vector>

#include "gui/core/recording.h"
#include "gui/qt/theme.h"

namespace mqlab::gui {

// The event that tells most of a breach: where it became certain, or, when only the final read made it so, the last row of its
// witness before that. Requires: the run has events.
std::size_t telling_event(const Recording& r, const Finding& f);

// "✗ violated, 28 times": the verdict's sign and words.
QString verdict_words(const Report& r);

// One verdict told for people, as HTML: what is seen, the witness with links `mqlab:go?event=N`, the promise, how it comes about.
// `after_evidence` is put where it says, with links to its anchors `what-if` and `causes` at the top.
QString verdict_page(const Recording& r, std::size_t verdict, Theme theme, const QString& after_evidence = {});

class VerdictModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { anomaly, verdict, means, promised, evidence, column_count };

  explicit VerdictModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
  void set_run(std::shared_ptr<const Recording> r);
  const std::shared_ptr<const Recording>& run() const { return run_; }
  void set_theme(Theme l);
  // In RunResult::verdicts.
  std::size_t verdict_of(int row) const { return order_[static_cast<std::size_t>(row)]; }
  int row_of(std::size_t verdict) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  std::shared_ptr<const Recording> run_;
  std::vector<std::size_t> order_;
  Theme theme_ = Theme::light;
};

}  // namespace mqlab::gui
