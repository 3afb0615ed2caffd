#include "gui/qt/pictures.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gui/core/describe.h"
#include "gui/core/labels.h"
#include "gui/core/what_if.h"

namespace mqlab::gui {
namespace {

constexpr Duration shortest = 1'000;  // of a view
constexpr int let_go_ms = 400;        // after the last turn of a knob by keys
constexpr float column_pixels = 34;   // of a drag that moves logs by one position

std::string name_of(KnobKind kind, const KnobScope& scope) { return scope.words + ": " + knob_name(kind); }

double part_of(const Rect& area, float x) { return std::clamp(static_cast<double>((x - area.x) / std::max(1.0F, area.w)), 0.0, 1.0); }

}  // namespace

// --- facts ---

RunFacts::RunFacts(Workspace* w) : QObject(w), workspace_(w) {
  connect(w, &Workspace::run_changed, this, [this] {
    lanes_.clear();
    if (workspace_->facts()) lanes_ = spacetime().lanes;
    const auto r = workspace_->recording();
    // Another future of the same scenario is looked at through the same window.
    const Time end = r ? std::max<Time>(r->end(), 1) : 1;
    if (view_.range.to <= view_.range.from || view_.range.to > end || workspace_->session().branches().size() < 2) view_.range = {0, end};
    emit view_changed();
  });
  connect(w, &Workspace::time_changed, this, [this] {
    // The cursor stays in sight.
    const Time t = workspace_->time();
    if (!workspace_->has_events() || (t >= view_.range.from && t <= view_.range.to)) return;
    const Duration length = view_.range.length();
    show({t - length / 4, t - length / 4 + length});
  });
}

Focus RunFacts::focus() const {
  Focus f;
  f.branch = static_cast<std::size_t>(std::max(0, workspace_->session().current()));
  f.event = workspace_->event();
  f.entity = workspace_->entity();
  return f;
}

void RunFacts::show(TimeRange range) {
  const auto r = workspace_->recording();
  if (!r) return;
  const Time end = std::max<Time>(r->end(), shortest);
  const Duration length = std::clamp<Duration>(range.length(), shortest, end);
  range.from = std::clamp<Time>(range.from, 0, end - length);
  range.to = range.from + length;
  if (range == view_.range) return;
  view_.range = range;
  emit view_changed();
}

void RunFacts::set_by_order(bool on) {
  if (view_.by_order == on) return;
  view_.by_order = on;
  emit view_changed();
}

void RunFacts::set_zero(std::optional<Time> t) {
  view_.zero = t;
  emit view_changed();
}

std::optional<Time> RunFacts::parting() {
  const int beside = workspace_->beside();
  const auto here = workspace_->recording();
  const auto there = beside < 0 ? nullptr : workspace_->session().branch(beside).recorded.recording;
  if (here != parts_here_ || there != parts_there_) {
    parts_here_ = here;
    parts_there_ = there;
    parting_.reset();
    if (here && there) parting_ = difference(*here, *there).parts_at;
  }
  return parting_;
}

void RunFacts::show_all() {
  if (const auto r = workspace_->recording()) show({0, r->end()});
}

void RunFacts::show_focus() {
  const auto r = workspace_->recording();
  if (!workspace_->has_events()) return;
  // So much time that about forty events are in sight.
  const std::size_t e = workspace_->event(), n = r->events();
  const Time from = r->time_of(e > 20 ? e - 20 : 0), to = r->time_of(std::min(n - 1, e + 20));
  const Duration margin = std::max<Duration>((to - from) / 10, shortest);
  show({from - margin, to + margin});
}

void RunFacts::fit() {
  const auto r = workspace_->recording();
  if (!r) return;
  if (view_.range.from <= 0 && view_.range.to >= r->end()) show_focus();
  else show_all();
}

void RunFacts::zoom(float factor, double part) {
  const double length = static_cast<double>(view_.range.length());
  const double fresh = length / std::clamp(static_cast<double>(factor), 0.01, 100.0);
  const double stays = static_cast<double>(view_.range.from) + length * part;
  const auto from = static_cast<Time>(stays - fresh * part);
  show({from, from + static_cast<Duration>(fresh)});
}

// --- what all have ---

PicturePane::PicturePane(const QString& name, Workspace* w, RunFacts* facts, QWidget* parent)
    : QWidget(parent), workspace_(w), facts_(facts), canvas_(new CanvasWidget(name, this)), scroll_(new QScrollBar(Qt::Vertical, this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  auto* row = new QHBoxLayout;
  row->setSpacing(0);
  row->addWidget(canvas_, 1);
  row->addWidget(scroll_);
  scroll_->hide();
  layout->addLayout(row, 1);
  setFocusProxy(canvas_);
  canvas_->chosen = [this](EntityId e, Point at) { choose(e, at); };
  canvas_->canvas().tip = [this](EntityId e) -> std::string {
    const auto m = workspace_->moment();
    return m && workspace_->index() ? describe(*workspace_->index(), *m, e).text() : std::string();
  };
  connect(canvas_, &CanvasWidget::menu_asked, this, [this](EntityId e, const QPoint& where) {
    if (!menu) return;
    auto* m = new QMenu(this);
    m->setAttribute(Qt::WA_DeleteOnClose);
    menu(*m, e);
    if (!m->isEmpty()) m->popup(where);
    else m->deleteLater();
  });
  const auto stale = [this] { canvas_->invalidate(); };
  connect(w, &Workspace::run_changed, this, stale);
  connect(w, &Workspace::entity_changed, this, stale);
}

Scene PicturePane::words(const QString& text, float width, float height, const TextMeasure& measure) const {
  Scene s(width, height);
  say_instead(s, text.toStdString(), measure);
  return s;
}

Scene PicturePane::nothing(const QString& what, float width, float height, const TextMeasure& measure) const {
  return words(what + ' ' + (workspace_->recording() ? tr("Nothing happened in this run.") : tr("Nothing has been run: Ctrl+R runs the scenario.")), width, height, measure);
}

void PicturePane::choose(EntityId e, Point at) {
  const auto r = workspace_->recording();
  if (!r || !e) return choose_ground(at);
  workspace_->play(false);
  std::size_t event = r->events();
  switch (e.kind) {
    case EntityId::Kind::event: event = e.a; break;
    case EntityId::Kind::op: event = r->event_of_op(e.a); break;
    case EntityId::Kind::drop: event = r->event_of_drop(e.a); break;
    case EntityId::Kind::mark: event = r->event_of_mark(e.a); break;
    case EntityId::Kind::fault:
      if (e.a < r->result().world->faults().size() && r->result().world->faults()[e.a].fired_at >= 0) event = r->event_before(r->result().world->faults()[e.a].fired_at);
      break;
    case EntityId::Kind::time: event = r->event_before(static_cast<Time>(e.a)); break;
    default: break;
  }
  if (event < r->events()) workspace_->focus(event, e);
  else workspace_->set_entity(e);
}

void PicturePane::steer_time(const CanvasWishes& wish) {
  const Rect area = time_area();
  const TimeRange range = facts_->view().range;
  if (wish.zoomed) facts_->zoom(wish.zoomed->factor, part_of(area, wish.zoomed->at.x));
  if (wish.panned_by.x != 0) {
    const auto by = static_cast<Duration>(static_cast<double>(range.length()) * wish.panned_by.x / std::max(1.0F, area.w));
    facts_->show({range.from - by, range.to - by});
  }
  if (wish.band && wish.band->done) {
    const double from = part_of(area, wish.band->area.x), to = part_of(area, wish.band->area.right());
    if (to - from > 0.002) facts_->show({range.from + static_cast<Time>(from * static_cast<double>(range.length())), range.from + static_cast<Time>(to * static_cast<double>(range.length()))});
  }
  if (wish.double_clicked) facts_->zoom(4, part_of(area, wish.double_clicked->at.x));
}

Rect PicturePane::time_area() const { return spacetime_area(static_cast<float>(canvas_->width()), static_cast<float>(canvas_->height()), canvas_->canvas().measure()); }

Time PicturePane::time_at(float x) const {
  const Rect area = time_area();
  const TimeRange range = facts_->view().range;
  return range.from + static_cast<Time>(part_of(area, x) * static_cast<double>(range.length()));
}

// --- topology ---

TopologyPane::TopologyPane(Workspace* w, RunFacts* facts, QWidget* parent) : PicturePane(tr("Topology"), w, facts, parent) {
  canvas_->canvas().knobs_in_strip = true;
  canvas_->build = [this](float width, float height, const TextMeasure& measure) {
    height -= canvas_->canvas().strip_height();
    const auto m = workspace_->moment();
    if (!workspace_->has_events()) return workspace_->running() ? words(tr("running …"), width, height, measure) : nothing(tr("Who is there, and what is on its way."), width, height, measure);
    if (!m) return words(tr("…"), width, height, measure);
    // No message moves but between the event that sent it and the one that took it.
    const auto r = workspace_->recording();
    const Time next = m->event + 1 < r->events() ? r->time_of(m->event + 1) : r->end();
    const Time now = std::clamp(workspace_->time(), m->time, std::max(m->time, next));
    return topology(*workspace_->index(), facts_->topology(), *m, now, facts_->focus(), width, height, measure);
  };
  const auto stale = [this] { canvas_->invalidate(); };
  connect(w, &Workspace::moment_changed, this, stale);
  connect(w, &Workspace::time_changed, this, stale);
  connect(w, &Workspace::progress_changed, this, stale);
  canvas_->wish = [this](const CanvasWishes& wish) {
    for (const KnobChange& k : wish.knobs) turned(k);
  };
  letting_go_.setSingleShot(true);
  letting_go_.setInterval(let_go_ms);
  connect(&letting_go_, &QTimer::timeout, this, &TopologyPane::let_go);
  const auto knobs = [this] {
    if (turning_ && (turning_->event != workspace_->event() || turning_->scope.words != workspace_->knob_scope().words)) let_go();
    show_knobs();
  };
  connect(w, &Workspace::run_changed, this, [this] {
    if (turning_ && (workspace_->session().branches().size() < 2 || !workspace_->has_events() || turning_->event >= workspace_->recording()->events())) turning_.reset();
    turned_.clear();
    show_knobs();
  });
  connect(w, &Workspace::branches_changed, this, knobs);
  connect(w, &Workspace::event_changed, this, knobs);
  connect(w, &Workspace::entity_changed, this, knobs);
  connect(w, &Workspace::speed_changed, this, knobs);
}

void TopologyPane::show_knobs() {
  std::vector<Knob> all;
  if (workspace_->has_events()) {
    if (!workspace_->running()) turned_.clear();
    const KnobScope scope = workspace_->knob_scope();
    for (const KnobKind kind : {KnobKind::latency, KnobKind::loss}) {
      Knob k;
      k.id = knob_name(kind);
      k.label = kind == KnobKind::latency ? scope.words + ": latency" : k.id;
      k.name = name_of(kind, scope);
      for (const KnobStop& s : knob_stops(kind)) k.stops.emplace_back(s.text);
      const auto t = turned_.find(k.name);
      k.value = turning_ && turning_->kind == kind ? static_cast<double>(turning_->stop) : t != turned_.end() ? t->second : static_cast<double>(workspace_->knob_stands(kind, scope));
      all.push_back(std::move(k));
    }
    Knob speed;
    speed.id = speed.label = "speed";
    speed.name = "speed of play";
    std::size_t nearest = 0;
    for (std::size_t i = 0; i < play_speeds().size(); ++i) {
      speed.stops.emplace_back(play_speeds()[i].text);
      if (std::abs(std::log(play_speeds()[i].speed / workspace_->speed())) < std::abs(std::log(play_speeds()[nearest].speed / workspace_->speed()))) nearest = i;
    }
    speed.value = static_cast<double>(nearest);
    all.push_back(std::move(speed));
  }
  canvas_->set_knobs(std::move(all));
}

void TopologyPane::turn(KnobKind kind, int by) {
  if (!workspace_->has_events()) return;
  if (turning_ && turning_->kind != kind) let_go();
  if (!turning_) {
    // What is being made counts as made.
    const KnobScope scope = workspace_->knob_scope();
    const auto t = turned_.find(name_of(kind, scope));
    const std::size_t stands = t != turned_.end() ? static_cast<std::size_t>(std::lround(t->second)) : workspace_->knob_stands(kind, scope);
    turning_ = Turning{kind, scope, workspace_->event(), stands};
  }
  const auto last = static_cast<std::ptrdiff_t>(knob_stops(kind).size()) - 1;
  turning_->stop = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(turning_->stop) + by, 0, last));
  emit workspace_->told(tr("%1 of %2: %3").arg(QLatin1String(knob_name(kind)), QString::fromStdString(turning_->scope.words), QLatin1String(knob_stops(kind)[turning_->stop].text)));
  letting_go_.start();
  show_knobs();
}

void TopologyPane::let_go() {
  if (!turning_) return;
  letting_go_.stop();
  const Turning t = *std::exchange(turning_, std::nullopt);
  turned_[name_of(t.kind, t.scope)] = static_cast<double>(t.stop);
  workspace_->turn_knob(t.kind, t.scope, t.stop, t.event);
  show_knobs();
}

void TopologyPane::turned(const KnobChange& change) {
  if (!workspace_->has_events()) return;
  const auto stop = static_cast<std::size_t>(std::lround(std::max(0.0, change.value)));
  if (change.id == "speed") return workspace_->set_speed(play_speeds()[std::min(stop, play_speeds().size() - 1)].speed);
  if (!change.done) return;
  const KnobKind kind = change.id == knob_name(KnobKind::latency) ? KnobKind::latency : KnobKind::loss;
  const KnobScope scope = workspace_->knob_scope();
  turned_[name_of(kind, scope)] = change.value;
  workspace_->turn_knob(kind, scope, stop);
}

// --- space-time ---

SpacetimePane::SpacetimePane(Workspace* w, RunFacts* facts, QWidget* parent) : PicturePane(tr("Space-time diagram"), w, facts, parent) {
  keep_room_for_scroll_bar();
  canvas_->build = [this](float width, float height, const TextMeasure& measure) {
    if (!workspace_->has_events()) return nothing(tr("A line for each node, an arrow for each message, time to the right."), width, height, measure);
    const auto passing = workspace_->passing();
    const auto passing_drops = workspace_->passing_drops();
    SpacetimeView v = view(passing.get());
    v.passing_drops = passing_drops.get();
    show_lines(v.lanes.size(), width, height, measure);
    return gui::spacetime(*workspace_->index(), facts_->spacetime(), v, facts_->focus(), width, height, measure);
  };
  canvas_->wish = [this](const CanvasWishes& wish) {
    if (!workspace_->has_events()) return;
    steer_time(wish);
    if (wish.panned_by.y != 0) scroll_->setValue(scroll_->value() - static_cast<int>(wish.panned_by.y));
  };
  connect(scroll_, &QScrollBar::valueChanged, this, [this] { canvas_->invalidate(); });
  const auto stale = [this] { canvas_->invalidate(); };
  connect(w, &Workspace::time_changed, this, stale);
  connect(w, &Workspace::beside_changed, this, stale);
  connect(facts, &RunFacts::view_changed, this, stale);
  connect(w, &Workspace::rows_changed, this, stale);
}

SpacetimeView SpacetimePane::view(const std::vector<bool>* passing) const {
  SpacetimeView v;
  v.time = facts_->view();
  v.lanes = facts_->lanes();
  v.passing = passing;
  v.scroll = static_cast<float>(scroll_->value());
  v.parts = facts_->parting();
  return v;
}

void SpacetimePane::choose_ground(Point at) {
  if (!workspace_->has_events()) return;
  workspace_->play(false);
  workspace_->set_entity({});
  if (at.x < time_area().x) return;
  if (!facts_->view().by_order) return workspace_->set_time(time_at(at.x));
  const auto passing = workspace_->passing();
  const std::size_t e = event_at(*workspace_->index(), view(passing.get()), static_cast<float>(canvas_->width()), static_cast<float>(canvas_->height()), at.x, canvas_->canvas().measure());
  if (e < workspace_->recording()->events()) workspace_->set_event(e);
}

// --- what may be higher than its pane ---

void PicturePane::keep_room_for_scroll_bar() {
  QSizePolicy p = scroll_->sizePolicy();
  p.setRetainSizeWhenHidden(true);
  scroll_->setSizePolicy(p);
}

void PicturePane::show_part_of(float picture, float pane) {
  const int more = std::max(0, static_cast<int>(std::ceil(picture - pane)));
  scroll_->setRange(0, more);
  scroll_->setPageStep(static_cast<int>(pane));
  scroll_->setVisible(more > 0);
}

void PicturePane::show_lines(std::size_t lanes, float width, float height, const TextMeasure& measure) {
  show_part_of(spacetime_height(lanes, width, height, measure), spacetime_area(width, height, measure).h);
}

void PicturePane::scroll_by(const CanvasWishes& wish) {
  if (wish.zoomed && scroll_->maximum() > 0) scroll_->setValue(scroll_->value() + (wish.zoomed->factor > 1 ? -40 : 40));
  if (wish.panned_by.y != 0) scroll_->setValue(scroll_->value() - static_cast<int>(wish.panned_by.y));
}

// --- logs ---

LogsPane::LogsPane(Workspace* w, RunFacts* facts, QWidget* parent) : PicturePane(tr("Logs and queues"), w, facts, parent) {
  canvas_->build = [this](float width, float height, const TextMeasure& measure) {
    const auto m = workspace_->moment();
    if (!workspace_->has_events()) return nothing(tr("What logs and queues hold, record by record."), width, height, measure);
    if (!m) return words(tr("…"), width, height, measure);
    view_.scroll = static_cast<float>(scroll_->value());
    LogsPicture p = logs(*m, workspace_->recording()->journal(), view_, facts_->focus(), width, height, measure);
    back_most_ = p.back_most;
    show_part_of(p.height, height);
    return std::move(p.scene);
  };
  canvas_->wish = [this](const CanvasWishes& wish) {
    scroll_by(wish);
    if (wish.panned_by.x != 0) {
      panned_ += wish.panned_by.x;
      const auto columns = static_cast<std::int64_t>(panned_ / column_pixels);
      panned_ -= static_cast<float>(columns) * column_pixels;
      view_.back = std::clamp<std::int64_t>(view_.back + columns, 0, back_most_);
      canvas_->invalidate();
    }
  };
  connect(scroll_, &QScrollBar::valueChanged, this, [this] { canvas_->invalidate(); });
  connect(w, &Workspace::moment_changed, this, [this] { canvas_->invalidate(); });
}

// --- groups ---

GroupsPane::GroupsPane(Workspace* w, RunFacts* facts, QWidget* parent) : PicturePane(tr("Groups"), w, facts, parent) {
  canvas_->build = [this](float width, float height, const TextMeasure& measure) {
    const auto m = workspace_->moment();
    if (!workspace_->has_events()) return nothing(tr("Who reads what, and how far."), width, height, measure);
    if (!m) return words(tr("…"), width, height, measure);
    GroupsPicture p = groups(*m, workspace_->recording()->journal(), static_cast<float>(scroll_->value()), facts_->focus(), width, height, measure);
    show_part_of(p.height, height);
    return std::move(p.scene);
  };
  canvas_->wish = [this](const CanvasWishes& wish) {
    scroll_by(wish);
  };
  connect(scroll_, &QScrollBar::valueChanged, this, [this] { canvas_->invalidate(); });
  connect(w, &Workspace::moment_changed, this, [this] { canvas_->invalidate(); });
}

// --- plots ---

PlotsPane::PlotsPane(Workspace* w, RunFacts* facts, QWidget* parent) : PicturePane(tr("Plots"), w, facts, parent) {
  keep_room_for_scroll_bar();
  canvas_->build = [this](float width, float height, const TextMeasure& measure) {
    if (!workspace_->has_events()) return nothing(tr("Throughput, latency, what waits and what is under way, over time."), width, height, measure);
    return plots(facts_->series(), facts_->spacetime().timeline, facts_->view(), workspace_->time(), width, height, measure);
  };
  canvas_->wish = [this](const CanvasWishes& wish) {
    if (workspace_->has_events()) steer_time(wish);
  };
  const auto stale = [this] { canvas_->invalidate(); };
  connect(w, &Workspace::time_changed, this, stale);
  connect(facts, &RunFacts::view_changed, this, stale);
}

void PlotsPane::choose_ground(Point at) {
  if (!workspace_->has_events()) return;
  workspace_->play(false);
  workspace_->set_time(time_at(at.x));
}

}  // namespace mqlab::gui
