#include "gui/qt/workspace.h"

#include <QMetaObject>
#include <QPointer>

#include <algorithm>
#include <iterator>
#include <utility>

#include "gui/core/go_to.h"
#include "gui/core/labels.h"
#include "kit/models.h"
#include "sim/record/event_text.h"
#include "sim/script/scenario_api.h"

namespace mqlab::gui {

const std::vector<PlaySpeed>& play_speeds() {
  static const std::vector<PlaySpeed> all = {{"1 ms/s", 0.001}, {"10 ms/s", 0.01}, {"100 ms/s", 0.1}, {"× ¼", 0.25}, {"× 1", 1}, {"× 4", 4}, {"× 16", 16}, {"× 64", 64}, {"× 256", 256}};
  return all;
}

Workspace::Workspace(QObject* parent, RecordOptions options)
    : QObject(parent),
      session_(all_models(), [this] { QMetaObject::invokeMethod(this, [this] { pump(); }, Qt::QueuedConnection); }, std::move(options)),
      background_([this] { QMetaObject::invokeMethod(this, [this] { background_.take(); }, Qt::QueuedConnection); }) {
  connect(this, &Workspace::beside_changed, this, &Workspace::filter_beside);
  player_.setInterval(16);
  connect(&player_, &QTimer::timeout, this, &Workspace::tick);
  progress_timer_.setInterval(100);
  connect(&progress_timer_, &QTimer::timeout, this, [this] {
    if (!running() && !searching()) progress_timer_.stop();
    emit progress_changed();
  });
}

Workspace::~Workspace() = default;

// --- what is to be run ---

void Workspace::open(const QString& path, const QString& text) {
  const bool other = wanted_.path != path.toStdString();
  if (other) {
    wanted_ = RunSpec{};
    chips_ = {};  // they name nodes and messages by number
  }
  wanted_.path = path.toStdString();
  wanted_.text = text.toStdString();
  read_scenario();
  emit scenario_changed();
  emit wanted_changed();
}

void Workspace::set_text(const QString& text) { wanted_.text = text.toStdString(); }
void Workspace::set_path(const QString& path) {
  wanted_.path = path.toStdString();
  emit scenario_changed();
}

void Workspace::read_scenario() {
  try {
    const Scenario s = load_scenario(wanted_.text, wanted_.path, all_models(), {}, wanted_.design);
    cases_.clear();
    designs_.clear();
    for (const ScenarioCase& c : s.cases) cases_ << QString::fromStdString(c.name);
    for (const DesignDecl& d : s.designs) designs_ << QString::fromStdString(d.name);
    title_ = QString::fromStdString(s.title);
    if (!cases_.isEmpty() && !cases_.contains(QString::fromStdString(wanted_.case_name))) wanted_.case_name = cases_[0].toStdString();
    if (cases_.isEmpty()) wanted_.case_name.clear();
    // What a sweep varies has no value of its own: the first of each, unless it was chosen.
    for (const Sweep& w : s.sweep) {
      const bool chosen = std::any_of(wanted_.settings.begin(), wanted_.settings.end(), [&](const Setting& x) { return x.name == w.name; });
      if (!chosen && !w.values.empty()) wanted_.settings.push_back({w.name, w.values.front(), false, w.line});
    }
  } catch (const InputError&) {
    // The run will say what is wrong.
  }
}

void Workspace::set_case(const QString& name) {
  if (wanted_.case_name == name.toStdString()) return;
  wanted_.case_name = name.toStdString();
  emit wanted_changed();
}

void Workspace::set_design(const QString& name) {
  if (wanted_.design == name.toStdString()) return;
  wanted_.design = name.toStdString();
  read_scenario();
  emit scenario_changed();
  emit wanted_changed();
}

void Workspace::set_seed(std::optional<std::uint64_t> seed) {
  if (wanted_.seed == seed) return;
  wanted_.seed = seed;
  emit wanted_changed();
}

QString Workspace::set_option(const QString& name, const QString& value) {
  if (name.isEmpty()) return tr("A setting has a name: acks=all");
  const std::string n = name.toStdString();
  auto& all = wanted_.settings;
  all.erase(std::remove_if(all.begin(), all.end(), [&](const Setting& s) { return s.name == n; }), all.end());
  if (!value.isEmpty()) {
    Setting s{n, value.toStdString(), true, 0};
    // Whether it fits is asked of the scenario as it is written.
    try {
      Scenario scenario = load_scenario(wanted_.text, wanted_.path, all_models(), {}, wanted_.design);
      if (const Model* m = all_models().find(scenario.model))
        if (const auto wrong = apply_setting(*m, scenario.deployment, s)) return QString::fromStdString(*wrong);
    } catch (const InputError&) {
    }
    all.push_back(std::move(s));
  }
  emit wanted_changed();
  return {};
}

void Workspace::run_with(std::vector<Intervention> by_hand, std::vector<std::size_t> without) {
  play(false);
  read_scenario();
  emit scenario_changed();
  emit wanted_changed();
  history_ = {};
  RunSpec spec = wanted_;
  spec.interventions = std::move(by_hand);
  spec.without = std::move(without);
  next_branch_ = session_.open(std::move(spec));
  next_event_.reset();
  beside_ = next_beside_ = -1;
  progress_timer_.start();
  emit run_began();
  emit branches_changed();
  emit beside_changed();
}

void Workspace::stop() {
  for (const Branch& b : session_.branches())
    if (b.state == Branch::State::recording) session_.call_off(b.id);
}

bool Workspace::running() const {
  return std::any_of(session_.branches().begin(), session_.branches().end(), [](const Branch& b) { return b.state == Branch::State::recording; });
}

// --- the runs ---

std::shared_ptr<const Recording> Workspace::recording() const { return session_.has(session_.current()) ? session_.branch(session_.current()).recorded.recording : nullptr; }
std::shared_ptr<const EventIndex> Workspace::index() const { return session_.has(session_.current()) ? session_.branch(session_.current()).recorded.index : nullptr; }

std::shared_ptr<const ViewFacts> Workspace::facts() const { return session_.has(session_.current()) ? session_.branch(session_.current()).recorded.facts : nullptr; }

void Workspace::pump() {
  bool moment = false, moment_beside = false;
  for (const Session::Change c : session_.pump()) {
    if (c == Session::Change::moment || c == Session::Change::moment_beside) {
      (c == Session::Change::moment ? moment : moment_beside) = true;
      continue;
    }
    if (c == Session::Change::found) {
      take_found();
      continue;
    }
    if (session_.has(next_branch_)) {
      const Branch& b = session_.branch(next_branch_);
      if (b.state == Branch::State::ready) {
        session_.make_current(next_branch_);
        next_branch_ = beside_ = -1;
        current_is_ready();
      } else if (b.state == Branch::State::refused) {
        const Complaint complaint = b.complaint;
        next_branch_ = -1;
        emit run_refused(QString::fromStdString(complaint.file), complaint.line, QString::fromStdString(complaint.text));
      } else if (b.state == Branch::State::called_off) {
        next_branch_ = -1;
        emit told(tr("The run was called off."));
      }
    }
    if (session_.has(next_beside_) && session_.branch(next_beside_).state != Branch::State::recording) {
      if (session_.branch(next_beside_).state == Branch::State::ready) beside_ = next_beside_;
      next_beside_ = -1;
    }
    emit branches_changed();
    emit beside_changed();
    emit progress_changed();
  }
  if (moment) emit moment_changed();
  if (moment_beside) emit moment_beside_changed();
}

void Workspace::take_found() {
  if (!searching() || session_.search().under_way) return;  // of the question before
  const QString sought = std::exchange(sought_, {});
  const Found& f = session_.found();
  if (f.event) {
    set_event(*f.event);
    emit told(tr("%1: #%2, after a look at %3").arg(sought).arg(*f.event).arg(QString::fromStdString(counted(f.looked_at, "event"))));
  } else if (f.called_off) {
    emit told(tr("The search for `%1` was called off.").arg(sought));
  } else {
    emit told(QString::fromStdString(session_.why_not_found()));
  }
  emit progress_changed();
  emit search_ended(f.event.has_value());
}

void Workspace::call_off_search() {
  if (searching()) session_.call_off_find();
}

QStringList Workspace::go_to_suggestions() const {
  QStringList out;
  if (has_events())
    for (const std::string& s : gui::go_to_suggestions(session_.branch(session_.current()).recorded.facts->vocabulary)) out << QString::fromStdString(s);
  return out;
}

void Workspace::current_is_ready() {
  call_off_search();
  shown_ = recording();
  everyone_ = shown_ ? everyone_of(*shown_) : std::vector<std::string>{};
  const std::size_t n = shown_ ? shown_->events() : 0;
  event_ = n ? std::min(next_event_.value_or(event_), n - 1) : 0;
  next_event_.reset();
  time_ = -1;
  entity_ = {};
  filter_rows();
  if (n) session_.look_at(event_, WithBefore::yes);
  emit run_changed();
  emit beside_changed();
  emit entity_changed();
  emit event_changed();
  emit time_changed();
}

void Workspace::intervene(const Fault& f) {
  if (!has_events()) return;
  play(false);
  const int from = session_.current();
  next_event_ = event_;
  next_branch_ = session_.fork_with(from, right_after(recording()->time_of(event_), f));
  progress_timer_.start();
  emit told(tr("A new future begins here: %1").arg(QString::fromStdString(describe(f))));
  emit branches_changed();
}

void Workspace::turn_knob(KnobKind k, const KnobScope& s, std::size_t stop, std::optional<std::size_t> event) {
  if (!has_events()) return;
  const int from = session_.current();
  const Time here = recording()->time_of(event.value_or(event_));
  if (stop == knob_stands_at(session_.branch(from).spec.interventions, here, k, s)) return;
  play(false);
  next_event_ = event_;
  const std::string words = stop == 0 ? std::string(knob_name(k)) + " as it is, " + s.words : std::string(knob_name(k)) + " " + knob_stops(k)[stop].text + ", " + s.words;
  next_branch_ = session_.fork_by_hand(from, gui::turn_knob(session_.branch(from).spec.interventions, here, k, s, stop), words + " at " + format_duration(here));
  progress_timer_.start();
  emit told(tr("A new future begins here: %1").arg(QString::fromStdString(words)));
  emit branches_changed();
}

KnobScope Workspace::knob_scope() const { return has_events() ? gui::knob_scope(*recording(), entity_, everyone_) : KnobScope{}; }

std::size_t Workspace::knob_stands(KnobKind k, const KnobScope& s) const {
  return has_events() ? knob_stands_at(session_.branch(session_.current()).spec.interventions, recording()->time_of(event_), k, s) : 0;
}

void Workspace::take_back() {
  if (!session_.has(session_.current())) return;
  const Branch& b = session_.branch(session_.current());
  if (b.spec.interventions.empty()) {
    emit told(tr("This run has no fault that was made by hand."));
    return;
  }
  next_event_ = event_;
  next_branch_ = session_.fork_without_intervention(b.id, b.spec.interventions.size() - 1);
  progress_timer_.start();
  emit branches_changed();
}

void Workspace::fork_setting(const Setting& s) {
  if (!session_.has(session_.current())) return;
  next_event_ = event_;
  next_branch_ = session_.fork_setting(session_.current(), s);
  progress_timer_.start();
  emit branches_changed();
}

void Workspace::fork_without(std::size_t fault) {
  if (!session_.has(session_.current())) return;
  next_event_ = event_;
  next_branch_ = session_.fork_without(session_.current(), fault);
  progress_timer_.start();
  emit branches_changed();
}

void Workspace::show_branch(int id) {
  if (!session_.has(id) || session_.branch(id).state != Branch::State::ready || id == session_.current()) return;
  const Time here = has_events() ? recording()->time_of(event_) : 0;
  if (id == beside()) beside_ = session_.current();
  session_.make_current(id);
  const auto& r = session_.branch(id).recorded.recording;
  if (r->events()) next_event_ = std::min(r->event_before(here), r->events() - 1);
  current_is_ready();
  history_.go(this->here());
  emit branches_changed();
}

int Workspace::beside() const {
  const int current = session_.current();
  const auto good = [&](int id) { return id != current && session_.has(id) && session_.branch(id).state == Branch::State::ready; };
  if (!session_.has(current)) return -1;
  if (good(beside_)) return beside_;
  if (good(session_.branch(current).parent)) return session_.branch(current).parent;
  for (int id = static_cast<int>(session_.branches().size()); id-- > 0;)
    if (good(id)) return id;
  return -1;
}

void Workspace::set_beside(int id) {
  if (id == beside_ || !session_.has(id)) return;
  beside_ = id;
  next_beside_ = -1;
  emit beside_changed();
}

std::shared_ptr<const Moment> Workspace::moment_beside(std::size_t event) {
  const int id = beside();
  std::shared_ptr<const Moment> now = session_.moment_beside(id);
  if (now && now->event == event) return now;
  if (id != beside_of_ || event != beside_event_ || !now) {
    beside_of_ = id;
    beside_event_ = event;
    session_.look_beside(id, event);
  }
  return now;
}

int Workspace::await_beside(int id) {
  next_beside_ = id;
  progress_timer_.start();
  emit branches_changed();
  return id;
}

int Workspace::what_if(const WhatIf& w) { return has_events() ? await_beside(session_.fork_what_if(session_.current(), w)) : -1; }
int Workspace::what_if(const Setting& s) { return has_events() ? await_beside(session_.fork_setting(session_.current(), s)) : -1; }

// --- the focus ---

Time Workspace::time() const {
  if (time_ >= 0) return time_;
  return has_events() ? recording()->time_of(event_) : 0;
}

Focus Workspace::here() const {
  Focus f;
  f.branch = static_cast<std::size_t>(std::max(0, session_.current()));
  f.event = event_;
  f.entity = entity_;
  return f;
}

void Workspace::set_event(std::size_t event, Remember r) {
  if (!has_events()) return;
  event = std::min(event, recording()->events() - 1);
  if (event == event_ && time_ < 0) return;
  event_ = event;
  time_ = -1;
  if (r == Remember::yes) history_.go(here());
  else history_.step(here());
  played_ = static_cast<double>(time());
  session_.look_at(event_, playing() ? WithBefore::no : WithBefore::yes);
  emit event_changed();
  emit time_changed();
}

void Workspace::set_entity(EntityId e) {
  if (e == entity_) return;
  entity_ = e;
  history_.go(here());
  emit entity_changed();
}

void Workspace::focus(std::size_t event, EntityId e) {
  if (!has_events()) return;
  const bool other = e != entity_;
  entity_ = e;  // one place to come back to, not two
  set_event(event);
  history_.go(here());
  if (other) emit entity_changed();
}

void Workspace::set_time(Time t) {
  if (!has_events()) return;
  t = std::clamp<Time>(t, 0, recording()->end());
  const std::size_t at = recording()->event_before(t);
  const std::size_t event = at < recording()->events() ? at : 0;
  time_ = t;
  if (event != event_) {
    event_ = event;
    session_.look_at(event_);
    emit event_changed();
  }
  emit time_changed();
}

void Workspace::go_where(const Focus& f) {
  play(false);
  FocusHistory kept = history_;  // going there is no new place
  if (static_cast<int>(f.branch) != session_.current()) show_branch(static_cast<int>(f.branch));
  set_event(f.event, Remember::no);
  set_entity(f.entity);
  history_ = std::move(kept);
}

void Workspace::back() {
  if (history_.back()) go_where(Focus(history_.now()));
}

void Workspace::forward() {
  if (history_.forward()) go_where(Focus(history_.now()));
}

QString Workspace::go_to(const QString& words) {
  if (!has_events()) return tr("There is no run to go through yet.");
  if (auto asked = asked_by(words.toStdString())) {
    if (asked->predicate && asked->complaint.empty()) asked->complaint = unknown_word(*asked->predicate, session_.branch(session_.current()).recorded.facts->vocabulary);
    if (!asked->complaint.empty()) return QString::fromStdString(asked->complaint);
    play(false);
    sought_ = QString::fromStdString(asked->predicate->text());
    session_.find(std::move(*asked->predicate), event_, asked->direction);
    progress_timer_.start();
    emit told(tr("Searching for `%1` …").arg(sought_));
    return {};
  }
  const auto drop = entity().kind == EntityId::Kind::drop ? std::optional<std::size_t>(entity().a) : std::nullopt;
  const GoTo to = gui::go_to(*recording(), words.toStdString(), event_, drop);
  if (!to.complaint.empty()) return QString::fromStdString(to.complaint);
  play(false);
  if (to.drop) focus(to.event, EntityId::drop(*to.drop));
  else set_event(to.event);
  return {};
}

void Workspace::step(int direction) {
  if (!has_events()) return;
  play(false);
  if (found_ && !found_->rows.empty()) {  // what is filtered out is passed over
    const EventRows& rows = found_->rows;
    if (direction > 0) {
      const auto it = std::upper_bound(rows.begin(), rows.end(), event_);
      if (it != rows.end()) set_event(*it, Remember::no);
    } else {
      const auto it = std::lower_bound(rows.begin(), rows.end(), event_);
      if (it != rows.begin()) set_event(*std::prev(it), Remember::no);
    }
    return;
  }
  if (direction > 0) set_event(event_ + 1, Remember::no);
  else if (event_ > 0) set_event(event_ - 1, Remember::no);
}

void Workspace::step_on_node(int direction) {
  if (!has_events()) return;
  play(false);
  const std::size_t to = direction > 0 ? index()->next_on_line(event_) : index()->previous_on_line(event_);
  if (to < recording()->events()) set_event(to, Remember::no);
}

MessageId Workspace::message_in_focus() const {
  if (!has_events()) return no_message;
  const Journal& j = recording()->journal();
  if (entity_.kind == EntityId::Kind::message) return entity_.a;
  if (entity_.kind == EntityId::Kind::op && entity_.a < j.ops.size()) return j.ops[entity_.a].message;
  // Otherwise one that a client sees during the event in focus.
  const auto it = std::lower_bound(j.ops.begin(), j.ops.end(), recording()->time_of(event_), [](const Op& o, Time t) { return o.time < t; });
  for (auto o = it; o != j.ops.end() && o->time == recording()->time_of(event_); ++o)
    if (o->message != no_message) return o->message;
  return no_message;
}

void Workspace::step_on_message(int direction) {
  if (!has_events()) return;
  const MessageId m = message_in_focus();
  if (m == no_message) {
    emit told(tr("No message of the application is in focus."));
    return;
  }
  play(false);
  std::vector<std::size_t> events;
  for (const OpIndex op : index()->ops_of(m))
    if (const std::size_t e = recording()->event_of_op(op); e < recording()->events()) events.push_back(e);
  std::sort(events.begin(), events.end());
  set_entity(EntityId::message(m));
  if (direction > 0) {
    const auto it = std::upper_bound(events.begin(), events.end(), event_);
    if (it != events.end()) set_event(*it);
    else emit told(tr("%1 is not seen again.").arg(QString::fromStdString(recording()->journal().message_name(m))));
  } else {
    const auto it = std::lower_bound(events.begin(), events.end(), event_);
    if (it != events.begin()) set_event(*std::prev(it));
    else emit told(tr("%1 was not seen before.").arg(QString::fromStdString(recording()->journal().message_name(m))));
  }
}

void Workspace::cause() {
  if (!has_events()) return;
  const std::size_t to = index()->cause_of(event_);
  if (to < recording()->events()) set_event(to);
  else emit told(tr("Nothing recorded made this event happen: it stood at the beginning."));
}

void Workspace::effect() {
  if (!has_events()) return;
  const auto all = index()->effects_of(event_, 1);
  if (!all.empty()) set_event(all.front());
  else emit told(tr("This event made no other happen."));
}

NodeId Workspace::node_in_focus() const {
  if (entity_.kind == EntityId::Kind::node) return static_cast<NodeId>(entity_.a);
  if (entity_.kind == EntityId::Kind::link) return static_cast<NodeId>(entity_.a);
  if (!has_events()) return nobody;
  return line_of(recording()->journal().deliveries[event_].event);
}

// --- playing ---

void Workspace::play(bool on) {
  if (on == playing()) return;
  if (on) {
    if (!has_events()) {
      emit playing_changed(false);
      return;
    }
    if (event_ + 1 >= recording()->events()) set_event(0);
    played_ = static_cast<double>(time());
    since_tick_.start();
    player_.start();
  } else {
    player_.stop();
    time_ = -1;
    session_.look_at(event_, WithBefore::yes);
    emit time_changed();
  }
  emit playing_changed(on);
}

void Workspace::set_speed(double s) {
  s = std::clamp(s, 1.0 / 4096, 1024.0);
  if (s == speed_) return;
  speed_ = s;
  emit speed_changed();
}

void Workspace::tick() {
  if (!has_events()) return play(false);
  const double passed = static_cast<double>(std::min<qint64>(since_tick_.restart(), 100));
  played_ += passed * 1e6 * speed_;
  if (played_ >= static_cast<double>(recording()->end())) {
    play(false);
    set_event(recording()->events() - 1, Remember::no);
    return;
  }
  set_time(static_cast<Time>(played_));
}

// --- the filter ---

void Workspace::set_filter(const QString& words) {
  if (words == filter_) return;
  filter_ = words;
  filter_rows();
}

void Workspace::set_hides_routine(bool on) {
  if (on == hides_routine_) return;
  hides_routine_ = on;
  filter_rows();
}

void Workspace::add_chip(const Chip& c) {
  if (std::find(chips_.chips.begin(), chips_.chips.end(), c) != chips_.chips.end()) return;
  chips_.chips.push_back(c);
  filter_rows();
}

void Workspace::remove_chip(std::size_t i) {
  if (i >= chips_.chips.size()) return;
  chips_.chips.erase(chips_.chips.begin() + static_cast<std::ptrdiff_t>(i));
  filter_rows();
}

void Workspace::clear_filter() {
  if (!filtered()) return;
  filter_.clear();
  hides_routine_ = false;
  chips_ = {};
  filter_rows();
}

EventQuery Workspace::query() const { return {chips_, filter_, hides_routine_}; }

void Workspace::filter_rows() {
  const auto run = index();
  if (run != found_in_) found_.reset();  // of another run, nothing is known until it was looked through
  found_in_ = run;
  if (!run || !filtered()) {
    found_.reset();
    background_.call_off(Background::Subject::filter);
  } else {
    background_.ask(Background::Subject::filter, [this, run, q = query()](const CallOff& off) -> Background::Answer {
      auto found = find_events(*run, q, off);
      if (!found) return {};
      return [this, all = std::make_shared<const FoundEvents>(*std::move(found))] {
        found_ = all;
        emit rows_changed();
      };
    });
  }
  filter_beside();
  emit rows_changed();
}

// As the current future's, chips by the names of what they stand for.
void Workspace::filter_beside() {
  const int id = beside();
  const auto here = recording();
  const auto run = id < 0 || !here ? nullptr : session_.branch(id).recorded.index;
  EventQuery q = query();
  if (run) q.chips = q.chips.in_other_run(here->journal(), run->recording().journal());
  if (run == found_beside_in_ && q == beside_query_) return;
  if (run != found_beside_in_) found_beside_.reset();
  found_beside_in_ = run;
  beside_query_ = q;
  if (!run || q.everything()) {
    found_beside_.reset();
    background_.call_off(Background::Subject::filter_beside);
  } else {
    background_.ask(Background::Subject::filter_beside, [this, run, q](const CallOff& off) -> Background::Answer {
      auto found = find_events(*run, q, off);
      if (!found) return {};
      return [this, all = std::make_shared<const FoundEvents>(*std::move(found))] {
        found_beside_ = all;
        emit rows_beside_changed();
      };
    });
  }
  emit rows_beside_changed();
}

}  // namespace mqlab::gui
