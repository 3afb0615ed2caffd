#include "gui/qt/run_bar.h"

#include <QEvent>
#include <QLabel>
#include <QRegularExpression>

namespace mqlab::gui {

RunBar::RunBar(Workspace* w, const ActionSet& actions, QWidget* parent) : QToolBar(tr("Run"), parent), workspace_(w) {
  setObjectName(QStringLiteral("run"));
  setMovable(false);
  setToolButtonStyle(Qt::ToolButtonTextOnly);
  addAction(actions["run.run"]);
  addSeparator();
  design_ = add_choice(tr("Design"), 10, tr("The system on which the story is told"), &design_action_);
  case_label_action_ = addWidget(new QLabel(tr(" case "), this));
  case_ = add_choice(tr("Case"), 8, tr("The way in which the scenario is run"), &case_action_);
  addWidget(new QLabel(tr(" seed "), this));
  seed_ = new QLineEdit(this);
  seed_->setAccessibleName(tr("Seed"));
  seed_->setPlaceholderText(tr("its own"));
  seed_->setToolTip(tr("The seed of chance: the same seed gives the same run, event by event. Empty: the scenario's own."));
  addWidget(seed_);
  addWidget(new QLabel(tr(" set "), this));
  set_ = new QLineEdit(this);
  set_->setAccessibleName(tr("Settings"));
  set_->setPlaceholderText(tr("acks=all min_insync=2"));
  set_->setToolTip(tr("Options that differ from the scenario, as name=value; P1.acks=0 changes one client's. Enter runs."));
  set_->setClearButtonEnabled(true);
  addWidget(set_);
  addSeparator();
  addWidget(new QLabel(tr(" future "), this));
  branch_ = add_choice(tr("Future"), 12, tr("The run that is looked at: each fault by hand begins a future of its own"));
  fit_fields();
  connect(case_, &QComboBox::textActivated, this, [this](const QString& c) {
    workspace_->set_case(c);
    emit run_asked();
  });
  connect(design_, &QComboBox::textActivated, this, [this](const QString& d) {
    workspace_->set_design(d);
    emit run_asked();
  });
  connect(branch_, &QComboBox::activated, this, [this](int i) { workspace_->show_branch(branch_->itemData(i).toInt()); });
  connect(seed_, &QLineEdit::returnPressed, this, &RunBar::take_fields);
  connect(set_, &QLineEdit::returnPressed, this, &RunBar::take_fields);
  connect(w, &Workspace::scenario_changed, this, &RunBar::show_wanted);
  connect(w, &Workspace::wanted_changed, this, &RunBar::show_wanted);
  connect(w, &Workspace::branches_changed, this, &RunBar::show_branches);
}

QComboBox* RunBar::add_choice(const QString& name, int letters, const QString& tip, QAction** action) {
  auto* c = new QComboBox(this);
  c->setAccessibleName(name);
  c->setToolTip(tip);
  c->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  c->setMinimumContentsLength(letters);
  c->setFocusPolicy(Qt::TabFocus);
  QAction* a = addWidget(c);
  if (action) *action = a;
  return c;
}

// By the size of the text. However long names are, everything stays in sight: the settings give way.
void RunBar::fit_fields() {
  const int letter = fontMetrics().averageCharWidth();
  seed_->setMaximumWidth(letter * 14);
  seed_->setMinimumWidth(letter * 10);
  set_->setMaximumWidth(letter * 42);
  set_->setMinimumWidth(letter * 12);
  for (QComboBox* c : {design_, case_, branch_}) c->setMaximumWidth(letter * 54);
}

void RunBar::changeEvent(QEvent* event) {
  QToolBar::changeEvent(event);
  if (event->type() == QEvent::FontChange) fit_fields();
}

void RunBar::take_fields() {
  bool ok = false;
  const QString s = seed_->text().trimmed();
  const quint64 n = s.toULongLong(&ok);
  if (!s.isEmpty() && !ok) return emit workspace_->told(tr("`%1` is no seed: a whole number was expected").arg(s));
  workspace_->set_seed(s.isEmpty() ? std::nullopt : std::optional<std::uint64_t>(n));
  QStringList before;
  for (const Setting& x : workspace_->wanted().settings) before << QString::fromStdString(x.name);
  const QStringList words = set_->text().split(QRegularExpression(QStringLiteral("[\\s,]+")), Qt::SkipEmptyParts);
  QStringList kept;
  for (const QString& w : words) kept << w.section('=', 0, 0);
  for (const QString& name : before)
    if (!kept.contains(name)) workspace_->set_option(name, {});
  for (const QString& w : words) {
    const QString wrong = w.contains('=') ? workspace_->set_option(w.section('=', 0, 0), w.section('=', 1)) : tr("`%1` is no setting: name=value was expected").arg(w);
    if (!wrong.isEmpty()) return emit refused(wrong);
  }
  emit run_asked();
}

void RunBar::show_wanted() {
  const auto fill = [](QComboBox* c, const QStringList& items, const QString& now) {
    c->blockSignals(true);
    c->clear();
    c->addItems(items);
    c->setCurrentText(now);
    c->blockSignals(false);
  };
  const RunSpec& spec = workspace_->wanted();
  fill(case_, workspace_->cases(), QString::fromStdString(spec.case_name));
  case_action_->setVisible(!workspace_->cases().isEmpty());
  case_label_action_->setVisible(!workspace_->cases().isEmpty());
  fill(design_, workspace_->designs(), QString::fromStdString(spec.design.empty() && !workspace_->designs().isEmpty() ? workspace_->designs()[0].toStdString() : spec.design));
  design_action_->setVisible(!workspace_->designs().isEmpty());
  if (!seed_->hasFocus() || spec.seed) seed_->setText(spec.seed ? QString::number(*spec.seed) : QString());
  QStringList all;
  for (const Setting& s : spec.settings) all << QString::fromStdString(describe(s));
  set_->setText(all.join(' '));
}

void RunBar::show_branches() {
  branch_->clear();
  for (const Branch& b : workspace_->session().branches()) {
    if (b.state == Branch::State::refused || b.state == Branch::State::called_off) continue;
    branch_->addItem(QString::fromStdString(b.label) + (b.state == Branch::State::recording ? tr(" …") : QString()), b.id);
    if (b.id == workspace_->session().current()) branch_->setCurrentIndex(branch_->count() - 1);
  }
}

}  // namespace mqlab::gui
