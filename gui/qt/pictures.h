// gui/qt/pictures.h: the panes that draw a run: topology, space-time, logs and queues, groups, plots.
//
// Each is a canvas; what its scene leaves out or assumes stands in a corner. All obey the focus of the
// workspace and set it; space-time and plots share one view of time.
//
// Elsewhere: what is drawn (gui/core), how (gui/canvas), the widget (canvas_widget.h).
#pragma once

#include <QMenu>
#include <QScrollBar>
#include <QTimer>
#include <QWidget>

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "gui/core/groups.h"
#include "gui/core/logs.h"
#include "gui/core/plots.h"
#include "gui/core/spacetime.h"
#include "gui/core/topology.h"
#include "gui/qt/canvas_widget.h"
#include "gui/qt/workspace.h"

namespace mqlab::gui {

// What pictures know of the current recording (computed by the engine), and what of it is looked at: which lines, which part of time.
class RunFacts : public QObject {
  Q_OBJECT

 public:
  explicit RunFacts(Workspace* w);

  // Require: there is a recording.
  const TopologyFacts& topology() const { return workspace_->facts()->topology; }
  const SpacetimeFacts& spacetime() const { return workspace_->facts()->spacetime; }
  const RunSeries& series() const { return workspace_->facts()->series; }
  // The focus as scenes want it.
  Focus focus() const;

  const TimeView& view() const { return view_; }
  std::vector<Lane>& lanes() { return lanes_; }
  // Held inside the run, and at least a microsecond long.
  void show(TimeRange range);
  void set_by_order(bool on);
  void show_all();
  // What is around the focus: a hundredth of the run, at least what a few messages take.
  void show_focus();
  // All; or, when that is shown already, what is around the focus.
  void fit();
  void zoom(float factor, double part);   // part: where in the range the point that stays is
  void set_zero(std::optional<Time> t);
  // Where the run parts from the one beside it (Workspace::beside); nothing: there is none, or they are the same.
  std::optional<Time> parting();

 signals:
  void view_changed();

 private:
  Workspace* workspace_;
  std::vector<Lane> lanes_;
  TimeView view_;
  std::shared_ptr<const Recording> parts_here_, parts_there_;
  std::optional<Time> parting_;
};

class PicturePane : public QWidget {
  Q_OBJECT

 public:
  PicturePane(const QString& name, Workspace* w, RunFacts* facts, QWidget* parent);
  CanvasWidget* canvas() const { return canvas_; }
  void set_theme(Theme t) { canvas_->set_theme(t); }
  void set_text_scale(float s) { canvas_->set_text_scale(s); }
  // Nothing is due: no frame, no turn of a knob.
  virtual bool settled() const { return canvas_->settled(); }
  // Filled in by the window: what can be done to a thing.
  std::function<void(QMenu&, EntityId)> menu;

 protected:
  // A scene that only says why there is nothing to see, and what to do about it.
  Scene words(const QString& text, float width, float height, const TextMeasure& measure) const;
  // ... where there is no event; `what`: what the picture is of.
  Scene nothing(const QString& what, float width, float height, const TextMeasure& measure) const;
  void choose(EntityId e, Point at);
  // Where empty ground was clicked; overridden where it means a time.
  virtual void choose_ground(Point) { workspace_->set_entity({}); }
  // The lines of a space-time picture, where there are more than fit: the scroll bar chooses.
  void show_lines(std::size_t lanes, float width, float height, const TextMeasure& measure);
  // What zooming and dragging mean where the picture shows times, and which time stands at x.
  void steer_time(const CanvasWishes& wish);
  Rect time_area() const;
  Time time_at(float x) const;

  // Pictures of the same time below each other are equally wide, whether their scroll bars are in sight or not.
  void keep_room_for_scroll_bar();
  // A picture of this height is looked at through a pane of that: the scroll bar chooses the part.
  void show_part_of(float picture, float pane);
  void scroll_by(const CanvasWishes& wish);

  Workspace* workspace_;
  RunFacts* facts_;
  CanvasWidget* canvas_;
  QScrollBar* scroll_;
};

class TopologyPane : public PicturePane {
  Q_OBJECT

 public:
  TopologyPane(Workspace* w, RunFacts* facts, QWidget* parent = nullptr);
  // By keys: so many stops up or down, on the links in focus. It is let go, and its future made, when no further turn comes for a moment, or
  // when something else comes into focus.
  void turn(KnobKind kind, int by);
  bool settled() const override { return !turning_ && PicturePane::settled(); }

 private:
  struct Turning {
    KnobKind kind;
    KnobScope scope;
    std::size_t event, stop;
  };
  void let_go();
  std::optional<Turning> turning_;
  QTimer letting_go_;
  // Latency and loss of the links in focus, and the speed of play: in a strip below, beside what they change. One future a turn, made when
  // the knob is let go.
  void show_knobs();
  void turned(const KnobChange& change);
  std::map<std::string, double> turned_;  // let go, and its future is not there yet; by name
};

class SpacetimePane : public PicturePane {
  Q_OBJECT

 public:
  SpacetimePane(Workspace* w, RunFacts* facts, QWidget* parent = nullptr);

 protected:
  void choose_ground(Point at) override;

 private:
  SpacetimeView view(const std::vector<bool>* passing) const;
};

class LogsPane : public PicturePane {
  Q_OBJECT

 public:
  LogsPane(Workspace* w, RunFacts* facts, QWidget* parent = nullptr);

 private:
  LogsView view_;
  std::int64_t back_most_ = 0;
  float panned_ = 0;
};

class GroupsPane : public PicturePane {
  Q_OBJECT

 public:
  GroupsPane(Workspace* w, RunFacts* facts, QWidget* parent = nullptr);
};

class PlotsPane : public PicturePane {
  Q_OBJECT

 public:
  PlotsPane(Workspace* w, RunFacts* facts, QWidget* parent = nullptr);

 protected:
  void choose_ground(Point at) override;
};

}  // namespace mqlab::gui
