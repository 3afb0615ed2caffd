#include "gui/qt/beside.h"

#include <QUrl>
#include <QUrlQuery>
#include <QVBoxLayout>

#include <algorithm>

#include "gui/core/describe.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

QString names_of(const std::vector<std::string>& all) {
  QStringList out;
  for (const std::string& n : all) out << QString::fromStdString(n);
  return out.join(QStringLiteral(", "));
}

}  // namespace

QString difference_words(const FutureDifference& d, const Recording& here) {
  QStringList said;
  if (!d.gone.empty()) said << QStringLiteral("<b>%1</b> gone").arg(names_of(d.gone));
  if (!d.still.empty()) said << QStringLiteral("<b>%1</b> still there").arg(names_of(d.still));
  if (!d.fresh.empty()) said << QStringLiteral("<b>%1</b> new").arg(names_of(d.fresh));
  QString out = said.isEmpty() ? QObject::tr("nothing broken in either") : said.join(QStringLiteral("; "));
  if (!d.parts_at) return out + QObject::tr(". All events are the same.");
  const std::size_t e = std::min(d.parts.a, here.events() - 1);
  return out + QObject::tr(". The runs part at <a href='mqlab:go?event=%1'>%2, #%1</a>.").arg(e).arg(QString::fromStdString(format_time(*d.parts_at)));
}

// --- what is computed once ---

OtherFuture::OtherFuture(Workspace* w, RunFacts* facts) : QObject(w), workspace_(w), facts_(facts) {}

std::shared_ptr<const EventIndex> OtherFuture::index() {
  const int id = workspace_->beside();
  auto now = id < 0 || !workspace_->has_events() ? nullptr : workspace_->session().branch(id).recorded.index;
  if (now && now->recording().events() == 0) now = nullptr;
  if (now != index_ || current_ != workspace_->recording()) {
    index_ = now;
    current_ = workspace_->recording();
    topology_.reset();
    spacetime_.reset();
    difference_.reset();
  }
  return index_;
}

std::size_t OtherFuture::event() {
  const Recording& r = index()->recording();
  const std::size_t e = r.event_before(workspace_->time());
  return e < r.events() ? e : 0;
}

std::shared_ptr<const Moment> OtherFuture::moment() {
  return index() ? workspace_->moment_beside(event()) : nullptr;
}

const TopologyFacts& OtherFuture::topology() {
  index();
  if (!topology_) {
    topology_ = workspace_->session().branch(workspace_->beside()).recorded.facts->topology;
    topology_->looks.look_like(facts_->topology().looks);
  }
  return *topology_;
}

const SpacetimeFacts& OtherFuture::spacetime() {
  index();
  if (!spacetime_) {
    spacetime_ = workspace_->session().branch(workspace_->beside()).recorded.facts->spacetime;
    spacetime_->looks.look_like(facts_->spacetime().looks);
  }
  return *spacetime_;
}

std::vector<Lane> OtherFuture::lanes() {
  const auto named = [](const std::vector<Lane>& all, const std::string& name) { return std::any_of(all.begin(), all.end(), [&](const Lane& l) { return l.name == name; }); };
  std::vector<Lane> out = spacetime().lanes;
  std::erase_if(out, [&](const Lane& l) { return named(facts_->spacetime().lanes, l.name) && !named(facts_->lanes(), l.name); });
  return out;
}

Focus OtherFuture::focus() {
  const auto i = index();
  Focus f;
  f.branch = static_cast<std::size_t>(workspace_->beside());
  f.event = event();
  const EntityId e = workspace_->entity();
  const Recording &here = *workspace_->recording(), &there = i->recording();
  const auto node = [&](std::uint64_t n) { return there.result().world->find(here.line_name(static_cast<NodeId>(n))); };
  if (e.kind == EntityId::Kind::node && node(e.a) != nobody) f.entity = EntityId::node(node(e.a));
  if (e.kind == EntityId::Kind::link && node(e.a) != nobody && node(e.b) != nobody) f.entity = EntityId::link(node(e.a), node(e.b));
  if (e.kind == EntityId::Kind::verdict && e.a < here.result().verdicts.size()) {
    const auto& all = there.result().verdicts;
    for (std::size_t v = 0; v < all.size(); ++v)
      if (all[v].report.anomaly == here.result().verdicts[e.a].report.anomaly) f.entity = EntityId{EntityId::Kind::verdict, v, 0};
  }
  return f;
}

EntityId OtherFuture::in_current(EntityId e) {
  const auto i = index();
  if (!i || !workspace_->recording()) return {};
  const World& here = *workspace_->recording()->result().world;
  const auto node = [&](std::uint64_t n) { return here.find(i->recording().line_name(static_cast<NodeId>(n))); };
  if (e.kind == EntityId::Kind::node && node(e.a) != nobody) return EntityId::node(node(e.a));
  if (e.kind == EntityId::Kind::link && node(e.a) != nobody && node(e.b) != nobody) return EntityId::link(node(e.a), node(e.b));
  return {};
}

std::optional<Time> OtherFuture::time_of(EntityId e) {
  const auto i = index();
  if (!i) return std::nullopt;
  const Recording& r = i->recording();
  switch (e.kind) {
    case EntityId::Kind::event: return e.a < r.events() ? std::optional<Time>(r.time_of(e.a)) : std::nullopt;
    case EntityId::Kind::op: return e.a < r.journal().ops.size() ? std::optional<Time>(r.journal().ops[e.a].time) : std::nullopt;
    case EntityId::Kind::drop: return e.a < r.journal().drops.size() ? std::optional<Time>(r.journal().drops[e.a].time) : std::nullopt;
    case EntityId::Kind::mark: return e.a < r.journal().marks.size() ? std::optional<Time>(r.journal().marks[e.a].time) : std::nullopt;
    case EntityId::Kind::fault: {
      const auto& all = r.result().world->faults();
      return e.a < all.size() && all[e.a].fired_at >= 0 ? std::optional<Time>(all[e.a].fired_at) : std::nullopt;
    }
    case EntityId::Kind::time: return static_cast<Time>(e.a);
    default: return std::nullopt;
  }
}

FutureDifference OtherFuture::difference() {
  const auto i = index();
  if (!i) return {};
  if (!difference_) difference_ = gui::difference(*current_, i->recording());
  return *difference_;
}

// --- what both have ---

BesidePane::BesidePane(const QString& name, Workspace* w, RunFacts* facts, OtherFuture* other, QWidget* parent) : PicturePane(name, w, facts, parent), other_(other) {
  canvas_->chosen = [this](EntityId e, Point at) {
    if (!other_->index()) return;
    workspace_->play(false);
    if (const auto t = other_->time_of(e)) return workspace_->set_time(*t);
    if (const EntityId here = other_->in_current(e)) return workspace_->set_entity(here);
    if (!e) choose_ground(at);
  };
  canvas_->canvas().tip = [this](EntityId e) -> std::string {
    const auto i = other_->index();
    const auto m = other_->moment();
    return i && m ? describe(*i, *m, e).text() : std::string();
  };
  menu = [this](QMenu& m, EntityId) {
    if (!other_->index()) return;
    m.addSection(QString::fromStdString(workspace_->session().branch(workspace_->beside()).label));
    connect(m.addAction(tr("Look at this future")), &QAction::triggered, this, [this] { workspace_->show_branch(workspace_->beside()); });
    if (const auto d = other_->difference(); d.parts_at) connect(m.addAction(tr("Where the runs part")), &QAction::triggered, this, [this, d] { workspace_->set_event(d.parts.a); });
  };
  const auto stale = [this] { canvas_->invalidate(); };
  connect(w, &Workspace::beside_changed, this, stale);
  connect(w, &Workspace::time_changed, this, stale);
}

Scene BesidePane::only_one(float width, float height, const TextMeasure& measure) const {
  if (!workspace_->has_events()) return nothing(tr("Another future of the run, beside this one."), width, height, measure);
  return words(tr("There is one future only. To make another, click a node and press 1, or follow a “What if” below a broken guarantee: both stay, and the other one is drawn here."), width, height, measure);
}

// --- topology ---

BesideTopologyPane::BesideTopologyPane(Workspace* w, RunFacts* facts, OtherFuture* other, QWidget* parent) : BesidePane(tr("Topology of the other future"), w, facts, other, parent) {
  canvas_->build = [this](float width, float height, const TextMeasure& measure) {
    const auto i = other_->index();
    if (!i) return only_one(width, height, measure);
    height -= left_free();
    const Recording& r = i->recording();
    const auto m = other_->moment();
    if (!m) return words(tr("…"), width, height, measure);
    const Time next = m->event + 1 < r.events() ? r.time_of(m->event + 1) : r.end();
    const Time now = std::clamp(workspace_->time(), m->time, std::max(m->time, next));
    return gui::topology(*i, other_->topology(), *m, now, other_->focus(), width, height, measure);
  };
  connect(w, &Workspace::moment_beside_changed, this, [this] { canvas_->invalidate(); });
}

// --- space-time ---

BesideSpacetimePane::BesideSpacetimePane(Workspace* w, RunFacts* facts, OtherFuture* other, QWidget* parent)
    : BesidePane(tr("Space-time diagram of the other future"), w, facts, other, parent), heading_(new QLabel(this)) {
  keep_room_for_scroll_bar();
  heading_->setWordWrap(true);
  heading_->setTextFormat(Qt::RichText);
  heading_->setTextInteractionFlags(Qt::TextBrowserInteraction);
  heading_->setContentsMargins(6, 2, 6, 2);
  heading_->setAccessibleName(tr("How the futures differ"));
  static_cast<QVBoxLayout*>(layout())->insertWidget(0, heading_);
  canvas_->build = [this](float width, float height, const TextMeasure& measure) {
    const auto i = other_->index();
    if (!i) return only_one(width, height, measure);
    SpacetimeView v;
    v.time = facts_->view();
    v.lanes = other_->lanes();
    v.scroll = static_cast<float>(scroll_->value());
    show_lines(v.lanes.size(), width, height, measure);
    v.cursor = workspace_->recording()->time_of(workspace_->event());  // as it stands in the picture above
    v.parts = facts_->parting();
    const auto passing = workspace_->passing_beside();
    v.passing = passing.get();
    const auto passing_drops = workspace_->passing_drops_beside();
    v.passing_drops = passing_drops.get();
    return gui::spacetime(*i, other_->spacetime(), v, other_->focus(), width, height, measure);
  };
  canvas_->wish = [this](const CanvasWishes& wish) {
    if (!other_->index()) return;
    steer_time(wish);
    if (wish.panned_by.y != 0) scroll_->setValue(scroll_->value() - static_cast<int>(wish.panned_by.y));
  };
  connect(scroll_, &QScrollBar::valueChanged, this, [this] { canvas_->invalidate(); });
  connect(facts, &RunFacts::view_changed, this, [this] { canvas_->invalidate(); });
  connect(w, &Workspace::beside_changed, this, &BesideSpacetimePane::show_heading);
  connect(w, &Workspace::run_changed, this, &BesideSpacetimePane::show_heading);
  connect(w, &Workspace::rows_beside_changed, this, [this] { canvas_->invalidate(); });
  connect(heading_, &QLabel::linkActivated, this, [this](const QString& link) {
    const QUrl url(link);
    if (url.path() == "future") return workspace_->show_branch(workspace_->beside());
    workspace_->play(false);
    workspace_->set_event(QUrlQuery(url).queryItemValue("event").toULongLong());
  });
  show_heading();
}

void BesideSpacetimePane::show_heading() {
  heading_->setVisible(other_->index() != nullptr);
  if (!other_->index()) return heading_->clear();
  heading_->setText(tr("<b>%1</b> (<a href='mqlab:future'>look at it</a>): %2")
                        .arg(QString::fromStdString(workspace_->session().branch(workspace_->beside()).label).toHtmlEscaped(), difference_words(other_->difference(), *workspace_->recording())));
}

void BesideSpacetimePane::choose_ground(Point at) {
  if (at.x >= time_area().x) workspace_->set_time(time_at(at.x));
}

}  // namespace mqlab::gui
