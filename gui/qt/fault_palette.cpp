#include "gui/qt/fault_palette.h"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QRegularExpression>
#include <QVBoxLayout>

#include <map>

#include "sim/lab/nearest.h"
#include "sim/lab/options.h"

namespace mqlab::gui {
namespace {

constexpr int kind_role = Qt::UserRole;

const char* group_title(std::string_view g) {
  if (g == "network") return "Network";
  if (g == "process") return "Processes";
  if (g == "disk") return "Disks";
  if (g == "time") return "Clocks";
  return "The model's own";
}

}  // namespace

bool fault_has(FaultKind k, const char* field) {
  const QStringList fields = QString::fromLatin1(fault_decl(k).fields).split(QRegularExpression(QStringLiteral("\\s+")));
  return fields.contains(QLatin1String(field));
}

FormedFault fault_of(const FaultForm& form) {
  FormedFault out;
  Fault& f = out.fault;
  f.kind = form.kind;
  const auto length = [&](const QString& text, Duration& into, const char* what) {
    if (text.trimmed().isEmpty()) return;
    if (const auto d = parse_duration(text.trimmed().toStdString()); d && *d >= 0) into = *d;
    else out.complaint = QStringLiteral("`%1` is no %2: 3s or 250ms was expected").arg(text, QLatin1String(what));
  };
  const bool one = fault_has(form.kind, "who") || fault_has(form.kind, "groups");
  const bool link = fault_has(form.kind, "from");
  if (one) {
    if (form.whom.trimmed().isEmpty()) out.complaint = QStringLiteral("Whom? Click a node, or choose one.");
    else f.groups = {{form.whom.trimmed().toStdString()}};
    if (form.kind == FaultKind::bridge) {
      if (form.other.trimmed().isEmpty()) out.complaint = QStringLiteral("A bridge lies between two: choose the other side too.");
      else f.groups.push_back({form.other.trimmed().toStdString()});
    }
  } else if (link) {
    if (!form.whom.trimmed().isEmpty()) f.groups = {{form.whom.trimmed().toStdString()}, {}};
    if (!form.other.trimmed().isEmpty()) {
      if (f.groups.empty()) f.groups = {{}, {}};
      f.groups[1] = {form.other.trimmed().toStdString()};
    }
    if (f.groups.size() == 2 && f.groups[1].empty()) f.groups.pop_back();
  }
  if (fault_has(form.kind, "message")) {
    if (form.message.trimmed().isEmpty()) out.complaint = QStringLiteral("Which message? Choose a kind.");
    f.message = form.message.trimmed().toStdString();
  }
  if (fault_has(form.kind, "duration")) length(form.duration, f.duration, "duration");
  if (fault_has(form.kind, "amount")) length(form.amount, f.amount, "length of time");
  switch (form.kind) {  // what a person who clicks means when nothing is said
    case FaultKind::latency:
    case FaultKind::delay:
      if (f.amount == 0) f.amount = 200'000'000;
      break;
    case FaultKind::clock_jump:
    case FaultKind::clock_offset:
      if (f.amount == 0) f.amount = 60'000'000'000;
      break;
    case FaultKind::bandwidth:
      if (f.amount == 0) f.amount = 10'000;
      break;
    case FaultKind::disk_slow:
    case FaultKind::slow: f.ratio = {10, 1}; break;
    case FaultKind::burst_loss:
      f.ratio = {1, 10};
      f.spread = 20'000'000;
      break;
    case FaultKind::loss:
    case FaultKind::duplicate_datagrams:
    case FaultKind::reorder_datagrams: f.ratio = {1, 10}; break;
    case FaultKind::clock_drift:
      f.amount = 10'000'000;  // parts per billion: a percent
      break;
    case FaultKind::clog:
    case FaultKind::swizzle_clog:
      if (f.duration == 0) f.duration = 1'000'000'000;
      break;
    case FaultKind::clock_strobe:
      if (f.amount == 0) f.amount = 1'000'000'000;
      if (f.duration == 0) f.duration = 10'000'000'000;
      f.spread = 100'000'000;
      break;
    default: break;
  }
  return out;
}

ByHand read_by_hand(const QString& words) {
  ByHand out;
  QStringList rest = words.simplified().split(' ', Qt::SkipEmptyParts);
  if (rest.isEmpty()) {
    out.complaint = QStringLiteral("break what? `kill B1 at 15s` kills B1 right after the event that stands there");
    return out;
  }
  const QString name = rest.takeFirst();
  std::vector<std::string> known;
  bool found = false;
  for (const FaultDecl& d : fault_kinds()) {
    if (d.kind == FaultKind::command) continue;  // verbs of a model are written in the scenario
    known.emplace_back(d.name);
    if (name == QLatin1String(d.name)) {
      out.form.kind = d.kind;
      found = true;
    }
  }
  if (!found) {
    out.complaint = QStringLiteral("there is no fault `%1`%2").arg(name, QString::fromStdString(did_you_mean(name.toStdString(), known)));
    return out;
  }
  QStringList whom, other, duration, amount, place;
  QStringList* into = &whom;
  for (const QString& w : rest) {
    if (into != &place) {
      QStringList* next = w == "to" || w == "and" ? &other : w == "for" ? &duration : w == "by" ? &amount : w == "at" ? &place : nullptr;
      if (next) {
        into = next;
        continue;
      }
    }
    *into << w;
  }
  const bool of_message = fault_has(out.form.kind, "message");
  (of_message ? out.form.message : out.form.whom) = whom.join(' ');
  out.form.other = other.join(' ');
  out.form.duration = duration.join(' ');
  out.form.amount = amount.join(' ');
  out.place = place.join(' ');
  if (into->isEmpty() && into != &whom) out.complaint = QStringLiteral("`%1` ends where something was to follow").arg(words.simplified());
  else if (!out.form.duration.isEmpty() && !fault_has(out.form.kind, "duration")) out.complaint = QStringLiteral("`%1` is over at once: it has no `for`").arg(name);
  else if (!out.form.amount.isEmpty() && !fault_has(out.form.kind, "amount")) out.complaint = QStringLiteral("`%1` has no `by`").arg(name);
  else if (!whom.isEmpty() && !of_message && !fault_has(out.form.kind, "who") && !fault_has(out.form.kind, "groups") && !fault_has(out.form.kind, "from")) out.complaint = QStringLiteral("`%1` is on nobody: `%2` is too much").arg(name, whom.join(' '));
  else if (!out.form.other.isEmpty() && !fault_has(out.form.kind, "from") && out.form.kind != FaultKind::bridge) out.complaint = QStringLiteral("`%1` has no far side: no `to`").arg(name);
  else out.complaint = fault_of(out.form).complaint;
  return out;
}

QString break_by_hand(Workspace& w, const QString& words) {
  const ByHand h = read_by_hand(words);
  if (!h.complaint.isEmpty()) return h.complaint;
  if (!w.has_events()) return QObject::tr("Run a scenario first: a fault comes right after the event in focus.");
  if (!h.place.isEmpty())
    if (const QString wrong = w.go_to(h.place); !wrong.isEmpty()) return wrong;
  w.intervene(fault_of(h.form).fault);
  return {};
}

FaultPalette::FaultPalette(Workspace* w, QWidget* parent) : QWidget(parent), workspace_(w) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->setSpacing(4);
  list_ = new QTreeWidget(this);
  list_->setHeaderHidden(true);
  list_->setRootIsDecorated(false);
  list_->setFrameShape(QFrame::NoFrame);
  list_->setIndentation(10);
  list_->setAccessibleName(tr("Kinds of faults"));
  QTreeWidgetItem* group = nullptr;
  std::string_view last;
  for (const FaultDecl& d : fault_kinds()) {
    if (d.kind == FaultKind::command) continue;  // verbs of a model are written in the scenario
    if (d.group != last) {
      last = d.group;
      group = new QTreeWidgetItem(list_, {QString::fromLatin1(group_title(last))});
      group->setFlags(Qt::ItemIsEnabled);
      QFont bold = list_->font();
      bold.setBold(true);
      group->setFont(0, bold);
    }
    auto* item = new QTreeWidgetItem(group, {QString::fromLatin1(d.name)});
    item->setData(0, kind_role, static_cast<int>(d.kind));
    item->setToolTip(0, QString::fromUtf8(d.sentence));
  }
  list_->expandAll();
  layout->addWidget(list_, 1);
  sentence_ = new QLabel(this);
  sentence_->setWordWrap(true);
  layout->addWidget(sentence_);
  auto* fields = new QFormLayout;
  fields->setContentsMargins(0, 0, 0, 0);
  fields->setVerticalSpacing(3);
  const auto combo = [&](const QString& name, QLabel*& label) {
    auto* c = new QComboBox(this);
    c->setEditable(true);
    c->setInsertPolicy(QComboBox::NoInsert);
    c->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    c->setMinimumContentsLength(8);
    c->setAccessibleName(name);
    label = new QLabel(name, this);
    fields->addRow(label, c);
    return c;
  };
  const auto line = [&](const QString& name, const QString& hint, QLabel*& label) {
    auto* l = new QLineEdit(this);
    l->setPlaceholderText(hint);
    l->setAccessibleName(name);
    label = new QLabel(name, this);
    fields->addRow(label, l);
    return l;
  };
  whom_ = combo(tr("on"), whom_label_);
  other_ = combo(tr("and"), other_label_);
  message_ = combo(tr("message"), message_label_);
  duration_ = line(tr("for"), tr("3s; empty: until healed"), duration_label_);
  amount_ = line(tr("by"), tr("200ms"), amount_label_);
  layout->addLayout(fields);
  act_ = new QPushButton(this);
  layout->addWidget(act_);
  done_ = new QLabel(this);
  done_->setWordWrap(true);
  done_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  layout->addWidget(done_);
  auto* row = new QHBoxLayout;
  write_back_ = new QPushButton(tr("Write into scenario"), this);
  take_back_ = new QPushButton(tr("Take back"), this);
  row->addWidget(write_back_);
  row->addWidget(take_back_);
  layout->addLayout(row);
  setFocusProxy(list_);
  connect(list_, &QTreeWidget::currentItemChanged, this, [this] { show_fields(); });
  connect(act_, &QPushButton::clicked, this, [this] {
    const QString wrong = act();
    if (!wrong.isEmpty()) emit workspace_->told(wrong);
  });
  connect(write_back_, &QPushButton::clicked, this, &FaultPalette::write_back_asked);
  connect(take_back_, &QPushButton::clicked, w, &Workspace::take_back);
  connect(w, &Workspace::run_changed, this, [this] {
    show_targets();
    show_done();
  });
  connect(w, &Workspace::event_changed, this, &FaultPalette::show_done);
  connect(w, &Workspace::entity_changed, this, [this] {
    const EntityId e = workspace_->entity();
    if (e.kind == EntityId::Kind::node) aim_at(static_cast<NodeId>(e.a));
    if (e.kind == EntityId::Kind::link) aim_at(static_cast<NodeId>(e.a), static_cast<NodeId>(e.b));
  });
  choose(FaultKind::kill);
  show_done();
}

int FaultPalette::kinds() const {
  int n = 0;
  for (int i = 0; i < list_->topLevelItemCount(); ++i) n += list_->topLevelItem(i)->childCount();
  return n;
}

void FaultPalette::choose(FaultKind k) {
  for (int i = 0; i < list_->topLevelItemCount(); ++i)
    for (int j = 0; j < list_->topLevelItem(i)->childCount(); ++j)
      if (QTreeWidgetItem* item = list_->topLevelItem(i)->child(j); item->data(0, kind_role).toInt() == static_cast<int>(k)) list_->setCurrentItem(item);
}

void FaultPalette::aim_at(NodeId from, NodeId to) {
  const auto r = workspace_->recording();
  if (!r) return;
  whom_->setCurrentText(QString::fromStdString(r->line_name(from)));
  if (to != nobody) other_->setCurrentText(QString::fromStdString(r->line_name(to)));
}

FaultForm FaultPalette::form() const {
  FaultForm f;
  const QTreeWidgetItem* item = list_->currentItem();
  f.kind = item ? static_cast<FaultKind>(item->data(0, kind_role).toInt()) : FaultKind::kill;
  f.whom = whom_->currentText();
  f.other = other_->isVisibleTo(this) ? other_->currentText() : QString();
  f.message = message_->currentText();
  f.duration = duration_->text();
  f.amount = amount_->text();
  return f;
}

QString FaultPalette::act() {
  if (!workspace_->has_events()) return tr("Run a scenario first: a fault comes right after the event in focus.");
  const FormedFault f = fault_of(form());
  if (!f.complaint.isEmpty()) return f.complaint;
  workspace_->intervene(f.fault);
  return {};
}

void FaultPalette::show_fields() {
  const FaultKind k = form().kind;
  sentence_->setText(QString::fromUtf8(fault_decl(k).sentence));
  const auto show = [&](QWidget* a, QLabel* b, bool on) {
    a->setVisible(on);
    b->setVisible(on);
  };
  const bool link = fault_has(k, "from");
  const bool one = fault_has(k, "who") || fault_has(k, "groups");
  show(whom_, whom_label_, link || one);
  show(other_, other_label_, link || k == FaultKind::bridge);
  whom_label_->setText(link ? tr("from") : tr("on"));
  other_label_->setText(link ? tr("to") : tr("and"));
  show(message_, message_label_, fault_has(k, "message"));
  show(duration_, duration_label_, fault_has(k, "duration"));
  show(amount_, amount_label_, fault_has(k, "amount"));
  amount_->setPlaceholderText(k == FaultKind::clock_jump || k == FaultKind::clock_offset ? tr("60s") : k == FaultKind::bandwidth ? tr("10 kB/s") : tr("200ms"));
  show_done();
}

void FaultPalette::show_targets() {
  const auto r = workspace_->recording();
  const QString whom = whom_->currentText(), other = other_->currentText();
  whom_->clear();
  other_->clear();
  message_->clear();
  if (!r) return;
  QStringList names{QString()};
  for (const std::string& p : r->journal().processes) names << QString::fromStdString(p);
  other_->addItems(names);
  for (const TopicSpec& t : r->result().deployment.topics) names << QStringLiteral("leader %1/0").arg(QString::fromStdString(t.name));
  whom_->addItems(names);
  for (const MessageDecl& m : r->journal().messages)
    if (*m.name) message_->addItem(QString::fromLatin1(m.name));
  whom_->setCurrentText(!whom.isEmpty() && names.contains(whom) ? whom : names.value(1));
  other_->setCurrentText(names.contains(other) ? other : QString());
}

void FaultPalette::show_done() {
  const bool can = workspace_->has_events();
  act_->setEnabled(can);
  act_->setText(can ? tr("%1 after #%2, at %3").arg(QString::fromLatin1(fault_decl(form().kind).name)).arg(workspace_->event()).arg(QString::fromStdString(format_time(workspace_->recording()->time_of(workspace_->event()))))
                    : tr("Run a scenario first"));
  QStringList lines;
  const Session& s = workspace_->session();
  if (s.has(s.current()))
    for (const Intervention& i : s.branch(s.current()).spec.interventions) lines << QString::fromStdString(i.lua());
  done_->setText(lines.isEmpty() ? tr("Nothing was done by hand in this run.") : tr("By hand:") + "\n" + lines.join('\n'));
  write_back_->setEnabled(!lines.isEmpty());
  take_back_->setEnabled(!lines.isEmpty());
}

}  // namespace mqlab::gui
