// gui/qt/workspace.h: what one window has open and looks at: the scenario, its runs, the event and the thing in focus.
//
// The one value that all panes obey, and may set: a click anywhere moves the focus, and everything follows. The play-head is a
// number here; runs are made on the engine's thread and never change (gui/core/session.h).
//
// The rule: nothing here takes longer than a frame, however long the run. What does is asked of the engine or of the background
// (gui/core/background.h), and told by a signal when it has come.
//
// Always true: 1. event() is an event of the current run, or 0 when there is none. 2. signals come after the change, in the
// window's thread.
//
//     Workspace w;
//     w.open("scenarios/showcase.lua", text);   w.run();
//     connect(&w, &Workspace::event_changed, ...);
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QStringList>
#include <QTimer>

#include <memory>
#include <optional>
#include <vector>

#include "gui/core/background.h"
#include "gui/core/filter.h"
#include "gui/core/focus.h"
#include "gui/core/knobs.h"
#include "gui/core/scene.h"
#include "gui/core/session.h"
#include "gui/qt/event_model.h"

namespace mqlab::gui {

// How fast a run is played: virtual seconds a second, and what that is called.
struct PlaySpeed {
  const char* text;
  double speed;
};
const std::vector<PlaySpeed>& play_speeds();

class Workspace : public QObject {
  Q_OBJECT

 public:
  explicit Workspace(QObject* parent = nullptr, RecordOptions options = {});
  ~Workspace() override;

  // --- what is to be run ---
  const RunSpec& wanted() const { return wanted_; }
  // Another scenario, or another text of it. Case and settings are forgotten with another path.
  void open(const QString& path, const QString& text);
  void set_text(const QString& text);
  void set_path(const QString& path);
  void set_case(const QString& name);
  void set_design(const QString& name);
  void set_seed(std::optional<std::uint64_t> seed);
  // "acks=1"; an empty value takes the setting back. What is wrong with it, or nothing.
  QString set_option(const QString& name, const QString& value);
  // As read from the text, when it could be read.
  const QStringList& cases() const { return cases_; }
  const QStringList& designs() const { return designs_; }
  const QString& title() const { return title_; }
  // Runs what is wanted, and forgets other runs.
  void run() { run_with({}, {}); }
  // ... with faults by hand, and without some of the scenario's (RunSpec).
  void run_with(std::vector<Intervention> by_hand, std::vector<std::size_t> without);
  void stop();
  bool running() const;

  // --- the runs ---
  Session& session() { return session_; }
  const Session& session() const { return session_; }
  // Null before the first one is ready.
  std::shared_ptr<const Recording> recording() const;
  std::shared_ptr<const EventIndex> index() const;
  std::shared_ptr<const ViewFacts> facts() const;
  std::shared_ptr<const Moment> moment() const { return session_.moment(); }
  // That of the event before moment()'s; null while it plays or is dragged.
  std::shared_ptr<const Moment> moment_before() const { return session_.moment_before(); }
  bool has_events() const { return recording() && recording()->events() > 0; }
  // A fault by hand, right after the event in focus: a new branch, which becomes current when it is ready.
  void intervene(const Fault& f);
  // A knob of the links put at one of its stops, from right after the event in focus (or that one) on: a new branch, as for a fault.
  void turn_knob(KnobKind k, const KnobScope& s, std::size_t stop, std::optional<std::size_t> event = {});
  // The links that are in focus, for a knob; and where it stands now.
  KnobScope knob_scope() const;
  std::size_t knob_stands(KnobKind k, const KnobScope& s) const;
  void take_back();
  void fork_setting(const Setting& s);
  // Without a fault of the scenario, numbered as in World::faults().
  void fork_without(std::size_t fault);
  // When it is the one beside, the two change places.
  void show_branch(int id);
  // The future that is drawn beside the current one: the one chosen, else the one that the current was forked from, else the youngest
  // that is ready; -1: there is none.
  int beside() const;
  void set_beside(int id);
  // Of the future beside: its moment after an event, or the one that came last, or null. What is not there yet is asked for and told
  // by moment_beside_changed. Requires: beside() >= 0.
  std::shared_ptr<const Moment> moment_beside(std::size_t event);
  // Futures to be looked at beside the current one, which stays current. Their ids; -1: there is no run.
  int what_if(const WhatIf& w);
  int what_if(const Setting& s);

  // --- the focus ---
  std::size_t event() const { return event_; }
  EntityId entity() const { return entity_; }
  Time time() const;  // of the play-head; between events while it moves
  enum class Remember : bool { no, yes };
  void set_event(std::size_t event, Remember r = Remember::yes);
  void set_entity(EntityId e);
  void focus(std::size_t event, EntityId e);
  // For a time between events: while the play-head moves, or a slider is dragged.
  void set_time(Time t);
  void back();
  void forward();
  // What was not possible, or nothing. Words about the state begin a search: it goes there when it has found an event, and tells.
  QString go_to(const QString& words);
  // Until it has told what came of it.
  bool searching() const { return !sought_.isEmpty(); }
  void call_off_search();
  // What can be typed there.
  QStringList go_to_suggestions() const;
  void step(int direction);
  void step_on_node(int direction);
  void step_on_message(int direction);
  void cause();
  void effect();
  // The node that the focus is on: the entity's, or the event's; `nobody` when there is none.
  NodeId node_in_focus() const;
  MessageId message_in_focus() const;

  // --- playing ---
  bool playing() const { return player_.isActive(); }
  void play(bool on);
  double speed() const { return speed_; }  // virtual seconds a second
  void set_speed(double s);

  // --- the filter ---
  const QString& filter() const { return filter_; }
  void set_filter(const QString& words);
  bool hides_routine() const { return hides_routine_; }
  void set_hides_routine(bool on);
  const std::vector<Chip>& chips() const { return chips_.chips; }
  void add_chip(const Chip& c);
  void remove_chip(std::size_t i);
  void clear_filter();
  bool filtered() const { return !filter_.trimmed().isEmpty() || hides_routine_ || !chips_.everything(); }
  // Null: all events are shown. While filtering() they are those of the filter before, if the run is the same.
  std::shared_ptr<const EventRows> rows() const { return found_ ? std::shared_ptr<const EventRows>(found_, &found_->rows) : nullptr; }
  // The messages that never arrived and pass; null: all.
  std::shared_ptr<const EventRows> drop_rows() const { return found_ ? std::shared_ptr<const EventRows>(found_, &found_->drops) : nullptr; }
  std::shared_ptr<const std::vector<bool>> passing_drops() const { return passing_drops_of(found_); }
  std::shared_ptr<const std::vector<bool>> passing_drops_beside() const { return passing_drops_of(found_beside_); }
  // The same as a set, by event; and that of the future beside, whose events are filtered alike.
  std::shared_ptr<const std::vector<bool>> passing() const { return passing_of(found_); }
  std::shared_ptr<const std::vector<bool>> passing_beside() const { return passing_of(found_beside_); }
  // The events of the current filter are still being looked for; rows_changed tells when they are there.
  bool filtering() const { return background_.busy(Background::Subject::filter); }
  // Nothing is asked for that was not answered.
  bool at_rest() const { return !running() && !searching() && session_.idle() && background_.idle(); }
  Background& background() { return background_; }

 signals:
  void scenario_changed();   // path, text, cases, designs
  void wanted_changed();     // case, seed, settings
  void run_began();
  void progress_changed();
  void search_ended(bool found);
  void run_changed();        // another recording is current
  void run_refused(const QString& file, int line, const QString& text);
  void branches_changed();
  void beside_changed();     // which it is, that it is ready, or what is current
  void event_changed();
  void entity_changed();
  void time_changed();
  void moment_changed();
  void moment_beside_changed();
  void rows_changed();       // rows(), filtering(), or what is asked for
  void rows_beside_changed();
  void playing_changed(bool on);
  void speed_changed();
  void told(const QString& sentence);  // something to say in the status bar

 private:
  void pump();
  void take_found();
  int await_beside(int id);
  void read_scenario();
  void current_is_ready();
  void filter_rows();
  void filter_beside();
  EventQuery query() const;
  static std::shared_ptr<const std::vector<bool>> passing_of(const std::shared_ptr<const FoundEvents>& f) { return f ? std::shared_ptr<const std::vector<bool>>(f, &f->passing) : nullptr; }
  static std::shared_ptr<const std::vector<bool>> passing_drops_of(const std::shared_ptr<const FoundEvents>& f) { return f ? std::shared_ptr<const std::vector<bool>>(f, &f->passing_drops) : nullptr; }
  Focus here() const;
  void go_where(const Focus& f);
  void tick();

  RunSpec wanted_;
  QStringList cases_, designs_;
  QString title_;
  std::size_t event_ = 0;
  EntityId entity_{};
  Time time_ = -1;                 // -1: that of the event
  FocusHistory history_;
  int next_branch_ = -1;           // becomes current when it is ready
  std::optional<std::size_t> next_event_;
  int beside_ = -1;                // chosen
  int next_beside_ = -1;           // becomes the one beside when it is ready
  QString filter_;
  bool hides_routine_ = false;
  Filter chips_;
  std::shared_ptr<const FoundEvents> found_, found_beside_;
  std::shared_ptr<const EventIndex> found_in_, found_beside_in_;  // the run that was looked through last
  EventQuery beside_query_;
  std::size_t beside_event_ = 0;   // asked for last ...
  int beside_of_ = -1;             // ... of this branch
  QTimer player_, progress_timer_;
  QElapsedTimer since_tick_;
  double speed_ = 1;
  double played_ = 0;              // nanoseconds, with a fraction
  std::shared_ptr<const Recording> shown_;
  QString sought_;                 // what is searched for; empty: nothing
  std::vector<std::string> everyone_;  // of the run that is shown
  Session session_;                // last: their threads may call until they end
  Background background_;
};

}  // namespace mqlab::gui
