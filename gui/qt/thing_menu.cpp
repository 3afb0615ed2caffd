#include "gui/qt/thing_menu.h"

#include "sim/record/event_text.h"

namespace mqlab::gui {

template <class Act>
void ThingMenu::add(QMenu& menu, const QString& text, Act act) const {
  QObject::connect(menu.addAction(text), &QAction::triggered, workspace_, act);
}

QString ThingMenu::name(std::uint64_t node) const { return QString::fromStdString(workspace_->recording()->line_name(static_cast<NodeId>(node))); }

void ThingMenu::fill(QMenu& menu, EntityId e) const {
  if (!workspace_->recording()) return;
  switch (e.kind) {
    case EntityId::Kind::node: return add_node(menu, e);
    case EntityId::Kind::link: return add_link(menu, e);
    case EntityId::Kind::event: return add_event(menu, e);
    case EntityId::Kind::drop: return add_drop(menu, e);
    case EntityId::Kind::message: return add_message(menu, e);
    case EntityId::Kind::place:
    case EntityId::Kind::record: return add_place(menu, e);
    case EntityId::Kind::fault: return add_fault(menu, e);
    default: return add_picture(menu);
  }
}

void ThingMenu::add_break(QMenu& menu, const QString& text, const FaultForm& form) const {
  add(menu, text, [w = workspace_, form] {
    const FormedFault f = fault_of(form);
    if (!f.complaint.isEmpty()) return emit w->told(f.complaint);
    w->intervene(f.fault);
  });
}

void ThingMenu::add_all_faults(QMenu& menu, EntityId e) const {
  add(menu, QObject::tr("All kinds of faults …"), [w = workspace_, list = actions_["fault.list"], e] {
    w->set_entity(e);
    list->trigger();
  });
}

void ThingMenu::add_all_lines(QMenu& menu) const {
  add(menu, QObject::tr("Show all lines"), [facts = facts_, redraw = redraw_] {
    facts->lanes() = facts->spacetime().lanes;
    redraw();
  });
}

void ThingMenu::add_node(QMenu& menu, EntityId e) const {
  Workspace* w = workspace_;
  menu.addSection(QObject::tr("%1, after #%2").arg(name(e.a)).arg(w->event()));
  for (const FaultKind k : {FaultKind::kill, FaultKind::power, FaultKind::restart, FaultKind::pause, FaultKind::resume, FaultKind::slow, FaultKind::isolate, FaultKind::disk_stall, FaultKind::clock_jump}) {
    FaultForm form;
    form.kind = k;
    form.whom = name(e.a);
    add_break(menu, QStringLiteral("%1 %2").arg(QLatin1String(fault_decl(k).name), name(e.a)), form);
  }
  add_all_faults(menu, e);
  menu.addSection(QObject::tr("Look"));
  add(menu, QObject::tr("Only events of %1").arg(name(e.a)), [w, e] { w->add_chip(Chip::node(static_cast<NodeId>(e.a))); });
  add(menu, QObject::tr("Hide its line"), [facts = facts_, redraw = redraw_, e] {
    facts->lanes() = gui::hide(facts->lanes(), {static_cast<NodeId>(e.a)});
    redraw();
  });
  add_all_lines(menu);
}

void ThingMenu::add_link(QMenu& menu, EntityId e) const {
  menu.addSection(QObject::tr("%1 to %2, after #%3").arg(name(e.a), name(e.b)).arg(workspace_->event()));
  const std::pair<FaultKind, QString> kinds[] = {{FaultKind::one_way, QObject::tr("cut %1 to %2").arg(name(e.a), name(e.b))},
                                                 {FaultKind::latency, QObject::tr("latency of 200 ms")},
                                                 {FaultKind::loss, QObject::tr("loss of one in ten")},
                                                 {FaultKind::clog, QObject::tr("clog for a second")},
                                                 {FaultKind::reset_streams, QObject::tr("reset the connections")}};
  for (const auto& [kind, text] : kinds) {
    FaultForm form;
    form.kind = kind;
    form.whom = name(e.a);
    form.other = name(e.b);
    add_break(menu, text, form);
  }
  FaultForm heal;
  heal.kind = FaultKind::heal;
  add_break(menu, QObject::tr("heal the network"), heal);
  add_all_faults(menu, e);
}

void ThingMenu::add_event(QMenu& menu, EntityId e) const {
  Workspace* w = workspace_;
  const auto r = w->recording();
  if (e.a >= r->events()) return;
  const Event& event = r->journal().deliveries[e.a].event;
  add(menu, QObject::tr("Go to #%1").arg(e.a), [w, e] { w->focus(e.a, e); });
  add(menu, QObject::tr("Its cause"), [w, e] {
    w->set_event(e.a);
    w->cause();
  });
  add(menu, QObject::tr("Its first effect"), [w, e] {
    w->set_event(e.a);
    w->effect();
  });
  if (is_message(event)) {
    const QString kind = QString::fromLatin1(r->journal().kind_name(event.type));
    add(menu, QObject::tr("Only messages %1").arg(kind), [w, t = event.type] { w->add_chip(Chip::message_kind(t)); });
  }
  add(menu, QObject::tr("Only events of %1").arg(name(line_of(event))), [w, n = line_of(event)] { w->add_chip(Chip::node(n)); });
  add(menu, QObject::tr("Pin a note here"), [w, note = actions_["edit.note"], e] {
    w->focus(e.a, e);
    note->trigger();
  });
}

void ThingMenu::add_drop(QMenu& menu, EntityId e) const {
  Workspace* w = workspace_;
  const auto r = w->recording();
  const auto& drops = r->journal().drops;
  if (e.a >= drops.size()) return;
  const std::size_t at = r->event_of_drop(e.a), cause = w->index()->cause_of_drop(e.a);
  menu.addSection(QString::fromLatin1(drop_reason_text(drops[e.a].why)));
  add(menu, QObject::tr("Go to where it was over"), [w, e, at] { w->focus(at, e); });
  if (cause < r->events()) add(menu, QObject::tr("Go to where it was sent, #%1").arg(cause), [w, cause] { w->set_event(cause); });
  add(menu, QObject::tr("Only messages that never arrived"), [w] { w->add_chip(Chip::dropped()); });
  add(menu, QObject::tr("Only messages %1").arg(QString::fromLatin1(r->journal().kind_name(drops[e.a].event.type))), [w, t = drops[e.a].event.type] { w->add_chip(Chip::message_kind(t)); });
  add(menu, QObject::tr("Pin a note here"), [w, note = actions_["edit.note"], e, at] {
    w->focus(at, e);
    note->trigger();
  });
}

void ThingMenu::add_message(QMenu& menu, EntityId e) const {
  Workspace* w = workspace_;
  menu.addSection(QString::fromStdString(w->recording()->journal().message_name(e.a)));
  add(menu, QObject::tr("Only events with it"), [w, e] { w->add_chip(Chip::message(e.a)); });
  add(menu, QObject::tr("Where it is seen next"), [w, e] {
    w->set_entity(e);
    w->step_on_message(1);
  });
  add(menu, QObject::tr("Where it was seen before"), [w, e] {
    w->set_entity(e);
    w->step_on_message(-1);
  });
}

void ThingMenu::add_place(QMenu& menu, EntityId e) const {
  const auto place = workspace_->recording()->journal().names.text(static_cast<std::uint32_t>(e.a));
  menu.addSection(QString::fromStdString(place));
  add(menu, QObject::tr("Only events here"), [w = workspace_, place] { w->add_chip(Chip::place(place)); });
}

void ThingMenu::add_fault(QMenu& menu, EntityId e) const {
  const auto& faults = workspace_->recording()->result().world->faults();
  if (e.a >= faults.size()) return;
  menu.addSection(QString::fromStdString(describe(faults[e.a].fault)));
  add(menu, QObject::tr("A future without it"), [w = workspace_, e] { w->fork_without(e.a); });
}

void ThingMenu::add_picture(QMenu& menu) const {
  add(menu, QObject::tr("Fit"), [facts = facts_] { facts->fit(); });
  add_all_lines(menu);
}

}  // namespace mqlab::gui
