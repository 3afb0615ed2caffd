// gui/qt/beside.h: another future, drawn beside the one that is looked at: the same stretch of time, the cursor at the same time.
//
// Which one is Workspace::beside(). Both pictures pan and zoom together, and in both a line stands where the runs part. A click moves the
// time of both; the menu makes the other one current.
//
// Elsewhere: the pictures of the current future (pictures.h).
#pragma once

#include <QLabel>

#include "gui/core/what_if.h"
#include "gui/qt/pictures.h"

namespace mqlab::gui {

// What pictures of the future beside want of it, and of how it and the current one differ. Messages look as in the current one.
class OtherFuture : public QObject {
  Q_OBJECT

 public:
  OtherFuture(Workspace* w, RunFacts* facts);

  // Null: there is none, or it has no events.
  std::shared_ptr<const EventIndex> index();
  // These want one. The last event at or before the time in focus; the first one, when all are later.
  std::size_t event();
  // The latest there is, which may be of another event, or null; Workspace::moment_beside_changed tells of another.
  std::shared_ptr<const Moment> moment();
  const TopologyFacts& topology();
  const SpacetimeFacts& spacetime();
  // Those that the picture of the current future shows, by name.
  std::vector<Lane> lanes();
  // What is in focus, as far as it is here too: nodes and links by name, verdicts by their anomaly.
  Focus focus();
  // What a thing of this future is in the current one; none: it is not there.
  EntityId in_current(EntityId e);
  // When a thing of this future happened; nothing: it is no event.
  std::optional<Time> time_of(EntityId e);
  FutureDifference difference();

 private:
  Workspace* workspace_;
  RunFacts* facts_;
  std::shared_ptr<const EventIndex> index_;
  std::optional<TopologyFacts> topology_;
  std::optional<SpacetimeFacts> spacetime_;
  std::shared_ptr<const Recording> current_;
  std::optional<FutureDifference> difference_;
};

// How two futures differ, as HTML: what is gone, still there, new; where they part, with a link to the event.
QString difference_words(const FutureDifference& d, const Recording& here);

class BesidePane : public PicturePane {
  Q_OBJECT

 public:
  BesidePane(const QString& name, Workspace* w, RunFacts* facts, OtherFuture* other, QWidget* parent);

 protected:
  Scene only_one(float width, float height, const TextMeasure& measure) const;
  OtherFuture* other_;
};

class BesideTopologyPane : public BesidePane {
  Q_OBJECT

 public:
  BesideTopologyPane(Workspace* w, RunFacts* facts, OtherFuture* other, QWidget* parent = nullptr);
  // How much is left free below, so that nodes stand where they stand in the picture it is compared with: what the knobs take there.
  std::function<float()> left_free = [] { return 0.0F; };
};

class BesideSpacetimePane : public BesidePane {
  Q_OBJECT

 public:
  BesideSpacetimePane(Workspace* w, RunFacts* facts, OtherFuture* other, QWidget* parent = nullptr);
  // Which future it is, and how it differs from the current one.
  QString heading() const { return heading_->text(); }

 protected:
  void choose_ground(Point at) override;

 private:
  void show_heading();

  QLabel* heading_ = nullptr;
};

}  // namespace mqlab::gui
