#include "gui/qt/panes.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QScrollBar>
#include <QSplitter>
#include <QUrlQuery>
#include <QVBoxLayout>

#include <algorithm>
#include <string>

#include "gui/core/describe.h"
#include "gui/core/inspector.h"
#include "gui/core/labels.h"
#include "gui/qt/empty_words.h"
#include "sim/lab/verdict_words.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {

void dress_table(QTableView* view) {
  view->setSelectionBehavior(QAbstractItemView::SelectRows);
  view->setSelectionMode(QAbstractItemView::SingleSelection);
  view->setAlternatingRowColors(true);
  view->setShowGrid(false);
  view->setWordWrap(false);
  view->setFrameShape(QFrame::NoFrame);
  view->setTabKeyNavigation(false);
  view->setEditTriggers(QAbstractItemView::NoEditTriggers);
  view->verticalHeader()->hide();
  view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() + 5);
  view->horizontalHeader()->setHighlightSections(false);
  view->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  view->horizontalHeader()->setStretchLastSection(true);
}

namespace {

QVBoxLayout* column(QWidget* w) {
  auto* layout = new QVBoxLayout(w);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  return layout;
}

// Widths in letters, so that they follow the size of the text; no column is narrower than its head.
void set_widths(QTableView* view, std::initializer_list<int> letters) {
  int i = 0;
  for (const int n : letters) {
    const QString head = view->model() ? view->model()->headerData(i, Qt::Horizontal).toString() : QString();
    view->setColumnWidth(i++, std::max(view->fontMetrics().averageCharWidth() * n, view->horizontalHeader()->fontMetrics().horizontalAdvance(head) + 6) + 12);
  }
}

}  // namespace

// --- events ---

EventPane::EventPane(Workspace* w, QWidget* parent) : QWidget(parent), workspace_(w), model_(new EventModel(this)), view_(new QTableView(this)) {
  auto* layout = column(this);
  head_ = new QBoxLayout(QBoxLayout::LeftToRight);
  head_->setContentsMargins(4, 3, 4, 3);
  head_->setSpacing(8);
  filter_ = new QLineEdit(this);
  filter_->setPlaceholderText(tr("only: B1 Fetch (Ctrl+F)"));
  filter_->setClearButtonEnabled(true);
  filter_->setAccessibleName(tr("Filter of events"));
  filter_->setToolTip(tr("Shows only events with all of these words: B1 Fetch, leader_elected, fault"));
  routine_ = new QCheckBox(tr("hide routine"), this);
  routine_->setToolTip(tr("Hides heartbeats and timers"));
  count_ = new QLabel(this);
  auto* behind = new QHBoxLayout;
  behind->setSpacing(8);
  behind->addWidget(routine_, 1);
  behind->addWidget(count_);
  head_->addWidget(filter_, 1);
  head_->addLayout(behind);
  layout->addLayout(head_);
  view_->setModel(model_);
  view_->setAccessibleName(tr("Events"));
  dress_table(view_);
  fit_columns();
  layout->addWidget(view_, 1);
  new EmptyWords(view_, [this] {
    const auto r = workspace_->recording();
    return !r ? tr("Every event of a run, one a line. Nothing has been run: Ctrl+R runs the scenario.") : r->events() == 0 ? tr("Nothing happened in this run.") : tr("No event passes the filter. Escape, outside of a field, clears it.");
  });
  setFocusProxy(view_);
  typing_.setSingleShot(true);
  typing_.setInterval(250);
  connect(filter_, &QLineEdit::textChanged, &typing_, qOverload<>(&QTimer::start));
  connect(filter_, &QLineEdit::returnPressed, this, [this] { workspace_->set_filter(filter_->text()); });
  connect(&typing_, &QTimer::timeout, this, [this] { workspace_->set_filter(filter_->text()); });
  connect(routine_, &QCheckBox::toggled, w, &Workspace::set_hides_routine);
  connect(view_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& now) {
    if (following_ || !now.isValid()) return;
    workspace_->play(false);
    if (const auto drop = model_->drop_of(now.row())) workspace_->focus(model_->event_of(now.row()), EntityId::drop(*drop));
    else workspace_->set_event(model_->event_of(now.row()));
  });
  connect(w, &Workspace::run_changed, this, [this] {
    following_ = true;
    model_->set_run(workspace_->index());
    model_->set_rows(workspace_->rows(), workspace_->drop_rows());
    following_ = false;
    fit_columns();
    show_event();
    show_count();
  });
  connect(w, &Workspace::rows_changed, this, [this] {
    if (filter_->text() != workspace_->filter()) {
      filter_->setText(workspace_->filter());
      typing_.stop();
    }
    routine_->setChecked(workspace_->hides_routine());
    following_ = true;
    model_->set_rows(workspace_->rows(), workspace_->drop_rows());
    following_ = false;
    show_event();
    show_count();
  });
  connect(w, &Workspace::event_changed, this, &EventPane::show_event);
  connect(w, &Workspace::entity_changed, this, &EventPane::show_event);
  show_count();
}

// By the size of the text, the longest number, the latest time, and the names that there are.
void EventPane::fit_columns() {
  const auto r = workspace_->recording();
  const int digits = static_cast<int>(std::to_string(r ? r->events() : 0).size());
  std::size_t name = 2, kind = 12;
  if (r) {
    for (const std::string& p : r->journal().processes) name = std::max(name, p.size());
    for (const MessageDecl& m : r->journal().messages) kind = std::max(kind, std::string_view(m.name).size());
  }
  const int time = static_cast<int>(format_time(r ? r->end() : 0).size());
  set_widths(view_, {digits + 3, time + 2, std::min(static_cast<int>(name) * 2 + 4, 30), std::min(static_cast<int>(kind) + 2, 26), 46, 22});
}

void EventPane::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() != QEvent::FontChange) return;
  fit_columns();
  fit_head();
}

void EventPane::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fit_head();
}

// In one line where the filter has room for what it says, else in two.
void EventPane::fit_head() {
  const int wanted = filter_->fontMetrics().horizontalAdvance(filter_->placeholderText()) + 16 + routine_->sizeHint().width() + count_->sizeHint().width() + 3 * head_->spacing();
  head_->setDirection(wanted <= width() ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
}

void EventPane::focus_filter() {
  filter_->setFocus(Qt::ShortcutFocusReason);
  filter_->selectAll();
}

void EventPane::show_event() {
  const EntityId e = workspace_->entity();
  const auto r = workspace_->recording();
  int row = e.kind == EntityId::Kind::drop && r && r->event_of_drop(e.a) == workspace_->event() ? model_->row_of_drop(e.a) : -1;
  if (row < 0) row = model_->row_of(workspace_->event());
  if (row < 0 || view_->currentIndex().row() == row) return;
  following_ = true;
  view_->setCurrentIndex(model_->index(row, 0));
  view_->scrollTo(model_->index(row, 0));
  following_ = false;
}

void EventPane::show_count() {
  const auto r = workspace_->recording();
  if (!r) return count_->setText(tr("no run"));
  const std::size_t drops = r->journal().drops.size();
  count_->setToolTip(drops > 0 ? tr("✕: messages that never arrived; type `dropped` to see them alone") : QString());
  if (workspace_->filtering()) return count_->setText(tr("still counting …"));
  const auto rows = workspace_->rows();
  QString text = rows ? tr("%1 of %2").arg(rows->size()).arg(r->events()) : QString::fromStdString(counted(r->events(), "event"));
  if (drops > 0) text += tr(", ✕ %1").arg(workspace_->drop_rows() ? workspace_->drop_rows()->size() : drops);
  count_->setText(text);
  fit_head();
}

// --- verdicts ---

VerdictPane::VerdictPane(Workspace* w, QWidget* parent)
    : QWidget(parent), workspace_(w), model_(new VerdictModel(this)), view_(new QTableView(this)), page_(new PageBrowser(this)), what_if_(new WhatIfPage(w)), setting_row_(new QWidget(this)), setting_(new QLineEdit(this)), summary_(new QLabel(this)) {
  auto* layout = column(this);
  summary_->setWordWrap(true);
  summary_->setContentsMargins(6, 3, 6, 3);
  layout->addWidget(summary_);
  auto* split = new QSplitter(Qt::Vertical, this);
  split->setChildrenCollapsible(false);
  view_->setModel(model_);
  view_->setAccessibleName(tr("Verdicts"));
  dress_table(view_);
  // The promise and the evidence stand on the page below.
  view_->setColumnHidden(VerdictModel::promised, true);
  view_->setColumnHidden(VerdictModel::evidence, true);
  fit_columns();
  new EmptyWords(view_, [this] {
    return workspace_->recording() ? tr("Nothing was checked.") : tr("Nothing has been run: Ctrl+R runs the scenario, and what it broke is listed here by name.");
  });
  page_->setAccessibleName(tr("Claim and evidence"));
  split->addWidget(view_);
  auto* below = new QWidget(split);
  auto* inner = column(below);
  inner->addWidget(page_, 1);
  auto* row = new QHBoxLayout(setting_row_);
  row->setContentsMargins(6, 2, 6, 2);
  row->addWidget(new QLabel(tr("What if"), setting_row_));
  setting_->setPlaceholderText(tr("acks=all, and Enter"));
  setting_->setAccessibleName(tr("What if this setting were another"));
  setting_->setToolTip(tr("Begins another future with this setting, beside the one there is"));
  row->addWidget(setting_, 1);
  inner->addWidget(setting_row_);
  setting_row_->hide();
  split->addWidget(below);
  split->setSizes({150, 260});
  split->setStretchFactor(0, 1);
  split->setStretchFactor(1, 2);
  layout->addWidget(split, 1);
  setFocusProxy(view_);
  connect(view_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& now) { choose(now.row()); });
  connect(view_, &QTableView::clicked, this, [this] { go_to_witness(); });
  connect(view_, &QTableView::activated, this, [this] { go_to_witness(); });
  connect(page_, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
    if (link.hasFragment()) page_->scrollToAnchor(link.fragment());
    else what_if_->follow(link);
  });
  connect(what_if_, &WhatIfPage::changed, this, &VerdictPane::show_page);
  connect(setting_, &QLineEdit::returnPressed, this, [this] {
    const QString wrong = what_if_->try_setting(setting_->text());
    if (!wrong.isEmpty()) return emit workspace_->told(wrong);
    setting_->clear();
  });
  connect(w, &Workspace::run_changed, this, [this] {
    model_->set_run(workspace_->recording());
    const auto r = workspace_->recording();
    if (!r) return summary_->clear();
    const RunResult& result = r->result();
    QString text;
    if (r->stopped()) {
      text = tr("The run was stopped: there is no verdict.");
    } else {
      const auto broken = std::count_if(result.verdicts.begin(), result.verdicts.end(), [](const VerdictRow& v) { return v.report.verdict == Verdict::violated; });
      text = result.as_expected ? tr("✓ As the scenario expects. ") : tr("✗ Not as the scenario expects. ");
      text += broken ? tr("%n guarantee(s) broken: click one to see where.", nullptr, static_cast<int>(broken)).replace("guarantee(s)", broken == 1 ? "guarantee" : "guarantees") : tr("Nothing that was checked is broken.");
      for (const ExpectationResult& e : result.expectations)
        if (!e.met) text += QStringLiteral("\n✗ %1 %2: %3").arg(QLatin1String(expectation_name(e.expectation.kind)), QString::fromStdString(e.expectation.name), QString::fromStdString(e.why));
      for (const std::size_t i : result.idle_faults) text += tr("\n! This fault changed nothing: %1").arg(QString::fromStdString(describe(result.world->faults()[i].fault)));
    }
    summary_->setText(text);
    if (model_->rowCount() > 0) view_->setCurrentIndex(model_->index(0, 0));
    choose(view_->currentIndex().row());
  });
  summary_->setText(tr("No run yet."));
}

void VerdictPane::set_theme(Theme l) {
  theme_ = l;
  model_->set_theme(l);
  page_->set_theme(l);
  choose(view_->currentIndex().row());
}

// The names have what the words leave; a name is cut in its middle. What a verdict amounts to stands on the page below, too: where
// there is little room it stands only there.
void VerdictPane::fit_columns() {
  QHeaderView* head = view_->horizontalHeader();
  head->setStretchLastSection(false);
  head->setSectionResizeMode(VerdictModel::anomaly, QHeaderView::Stretch);
  for (const int c : {VerdictModel::verdict, VerdictModel::means}) head->setSectionResizeMode(c, QHeaderView::ResizeToContents);
  view_->setTextElideMode(Qt::ElideMiddle);
  const int letter = view_->fontMetrics().averageCharWidth();
  view_->setColumnHidden(VerdictModel::means, view_->viewport()->width() < letter * 48);
}

void VerdictPane::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fit_columns();
}

void VerdictPane::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::FontChange) fit_columns();
}

std::size_t VerdictPane::chosen() const {
  const int row = view_->currentIndex().row();
  if (row < 0 || row >= model_->rowCount()) return workspace_->recording() ? workspace_->recording()->result().verdicts.size() : 0;
  return model_->verdict_of(row);
}

void VerdictPane::choose(int row) {
  const auto r = workspace_->recording();
  const bool any = r && row >= 0 && row < model_->rowCount();
  setting_row_->setVisible(any && r->result().verdicts[model_->verdict_of(row)].report.verdict == Verdict::violated);
  if (!any) return page_->show_html({});
  show_page();
  page_->verticalScrollBar()->setValue(0);
}

void VerdictPane::show_page() {
  const auto r = workspace_->recording();
  const std::size_t v = chosen();
  // Another run may be current already, whose verdicts come with run_changed.
  if (r && r == model_->run() && v < r->result().verdicts.size()) page_->show_html(verdict_page(*r, v, theme_, what_if_->what_if(v) + what_if_->causes(v)));
}

void VerdictPane::go_to_witness() {
  const auto r = workspace_->recording();
  const std::size_t v = chosen();
  if (!r || v >= r->result().verdicts.size()) return;
  const Report& report = r->result().verdicts[v].report;
  if (report.verdict != Verdict::violated || report.worst.empty()) return;
  const Finding& f = report.worst.front();
  workspace_->play(false);
  EntityId verdict;
  verdict.kind = EntityId::Kind::verdict;
  verdict.a = v;
  workspace_->focus(telling_event(*r, f), f.message != no_message ? EntityId::message(f.message) : verdict);
}

// --- the inspector ---

InspectorPane::InspectorPane(Workspace* w, QWidget* parent)
    : QWidget(parent), workspace_(w), model_(new InspectorModel(this)), view_(new QTableView(this)), node_(new QComboBox(this)), event_(new PageBrowser(this)) {
  auto* layout = column(this);
  event_->setAccessibleName(tr("The event in focus"));
  event_->document()->setDocumentMargin(5);
  auto* row = new QHBoxLayout;
  row->setContentsMargins(4, 3, 4, 3);
  row->addWidget(new QLabel(tr("state of"), this));
  node_->setAccessibleName(tr("Node"));
  row->addWidget(node_, 1);
  view_->setModel(model_);
  view_->setAccessibleName(tr("State"));
  dress_table(view_);
  new EmptyWords(view_, [] { return tr("The state of a node, row by row, once something has been run."); });
  view_->setColumnWidth(0, view_->fontMetrics().height() + 4);
  view_->setColumnWidth(1, view_->fontMetrics().averageCharWidth() * 26);
  auto* split = new QSplitter(Qt::Vertical, this);
  split->setChildrenCollapsible(false);
  auto* below = new QWidget(split);
  auto* inner = column(below);
  inner->addLayout(row);
  inner->addWidget(view_, 1);
  split->addWidget(event_);
  split->addWidget(below);
  split->setSizes({130, 200});
  split->setStretchFactor(0, 2);
  split->setStretchFactor(1, 3);
  layout->addWidget(split, 1);
  setFocusProxy(view_);
  settling_.setSingleShot(true);
  settling_.setInterval(30);
  connect(&settling_, &QTimer::timeout, this, [this] {
    show_state();
    show_event();
  });
  const auto later = [this] {
    if (!settling_.isActive()) settling_.start();
  };
  connect(w, &Workspace::moment_changed, this, later);
  connect(w, &Workspace::entity_changed, this, later);
  connect(w, &Workspace::event_changed, this, later);
  connect(w, &Workspace::run_changed, this, [this, later] {
    node_->clear();
    if (const auto r = workspace_->recording())
      for (const std::string& p : r->journal().processes) node_->addItem(QString::fromStdString(p));
    later();
  });
  connect(event_, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) { workspace_->set_event(QUrlQuery(link).queryItemValue("event").toULongLong()); });
  connect(node_, &QComboBox::activated, this, [this](int i) { workspace_->set_entity(EntityId::node(static_cast<std::uint64_t>(i))); });
  event_->show_html(QStringLiteral("<p class='quiet'>%1</p>").arg(tr("The event in focus and the state of its node are shown here.")));
}

void InspectorPane::set_theme(Theme l) { event_->set_theme(l); }

void InspectorPane::show_state() {
  const auto m = workspace_->moment();
  NodeId n = workspace_->node_in_focus();
  if (!m || m->nodes.empty()) return model_->set_rows({});
  if (n >= m->nodes.size()) n = static_cast<NodeId>(std::clamp(node_->currentIndex(), 0, static_cast<int>(m->nodes.size()) - 1));
  node_->setCurrentIndex(static_cast<int>(n));
  model_->set_rows(inspector_rows(workspace_->moment_before().get(), *m, n));
}

void InspectorPane::show_event() {
  const auto r = workspace_->recording();
  if (!workspace_->has_events()) return event_->show_html(QStringLiteral("<p class='quiet'>%1</p>").arg(tr("The event in focus and the state of its node are shown here.")));
  const std::size_t e = workspace_->event();
  QString html;
  const auto tell = [&](const Description& d) {
    if (d.empty()) return;
    html += QStringLiteral("<p><b>%1</b>").arg(QString::fromStdString(d.title).toHtmlEscaped());
    for (const std::string& l : d.lines) html += QStringLiteral("<br>%1").arg(QString::fromStdString(l).toHtmlEscaped());
    html += QStringLiteral("</p>");
  };
  if (const auto m = workspace_->moment(); m && workspace_->entity() && workspace_->entity() != EntityId::event(e)) tell(describe(*workspace_->index(), *m, workspace_->entity()));
  html += QStringLiteral("<p class='quiet'>#%1</p>").arg(e);
  tell(describe_event(*workspace_->index(), e));
  const std::size_t cause = workspace_->index()->cause_of(e);
  if (cause < r->events())
    html += QStringLiteral("<p class='quiet'>because of <a href='mqlab:go?event=%1'>#%1</a> %2</p>").arg(cause).arg(QString::fromStdString(event_text(r->journal(), r->journal().deliveries[cause])).toHtmlEscaped());
  event_->show_html(html);
}

// --- futures ---

// One row an anomaly that any of the futures breaks or claims, one column a future.
class VerdictTable : public QAbstractTableModel {
 public:
  VerdictTable(Workspace* w, QObject* parent) : QAbstractTableModel(parent), workspace_(w) {}
  void refresh() {
    beginResetModel();
    runs_.clear();
    rows_.clear();
    for (const Branch& b : workspace_->session().branches())
      if (b.recorded.recording) runs_.push_back(b.id);
    if (!runs_.empty()) {
      const auto& first = run(0).verdicts;
      for (std::size_t i = 0; i < first.size(); ++i)
        for (std::size_t c = 0; c < runs_.size(); ++c)
          if (const VerdictRow* v = run(c).verdict(first[i].report.anomaly->name); v && (v->report.verdict == Verdict::violated || v->report.evidence > 0)) {
            rows_.push_back(first[i].report.anomaly->name);
            break;
          }
      std::stable_partition(rows_.begin(), rows_.end(), [&](const char* name) { return differs(name); });
    }
    endResetModel();
  }
  void set_theme(Theme l) {
    theme_ = l;
    if (rowCount() > 0) emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1), {Qt::ForegroundRole});
  }
  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(rows_.size()); }
  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(runs_.size()) + 1; }
  QVariant headerData(int section, Qt::Orientation o, int role) const override {
    if (role != Qt::DisplayRole || o != Qt::Horizontal) return {};
    return section == 0 ? QStringLiteral("verdict in each future") : QString::fromStdString(workspace_->session().branch(runs_[static_cast<std::size_t>(section) - 1]).label);
  }
  QVariant data(const QModelIndex& i, int role) const override {
    if (!i.isValid() || i.row() >= rowCount()) return {};
    const char* name = rows_[static_cast<std::size_t>(i.row())];
    if (i.column() == 0) {
      if (role == Qt::DisplayRole) return QString::fromLatin1(name);
      if (role == Qt::FontRole && differs(name)) {
        QFont f;
        f.setBold(true);
        return f;
      }
      return {};
    }
    const VerdictRow* v = run(static_cast<std::size_t>(i.column()) - 1).verdict(name);
    if (!v) return {};
    if (role == Qt::DisplayRole) return verdict_words(v->report);
    if (role == Qt::ForegroundRole) return verdict_ink(theme_, v->report.verdict);
    if (role == Qt::ToolTipRole) return v->report.worst.empty() ? QString::fromLatin1(square(*v)) : QString::fromStdString(v->report.worst[0].sentence);
    return {};
  }

 private:
  const RunResult& run(std::size_t column) const { return workspace_->session().branch(runs_[column]).recorded.recording->result(); }
  bool differs(const char* name) const {
    for (std::size_t c = 1; c < runs_.size(); ++c) {
      const VerdictRow *a = run(0).verdict(name), *b = run(c).verdict(name);
      if (!a || !b || a->report.verdict != b->report.verdict || a->report.count != b->report.count) return true;
    }
    return false;
  }
  Workspace* workspace_;
  std::vector<int> runs_;
  std::vector<const char*> rows_;
  Theme theme_ = Theme::light;
};

void BranchPane::set_theme(Theme l) {
  model_->set_theme(l);
  table_->set_theme(l);
}

BranchPane::BranchPane(Workspace* w, QWidget* parent)
    : QWidget(parent), workspace_(w), model_(new BranchModel(&w->session(), this)), view_(new QTableView(this)), verdicts_(new QTableView(this)), remark_(new QLabel(this)), table_(new VerdictTable(w, this)) {
  auto* layout = column(this);
  remark_->setWordWrap(true);
  remark_->setContentsMargins(6, 3, 6, 3);
  remark_->setText(tr("A fault by hand begins another future, and this one stays."));
  split_ = new QSplitter(Qt::Vertical, this);
  view_->setModel(model_);
  view_->setAccessibleName(tr("Futures"));
  view_->setToolTip(tr("Click one to look at it, or its place under “beside” to draw it beside this one."));
  dress_table(view_);
  fit_columns();
  view_->setTextElideMode(Qt::ElideMiddle);
  verdicts_->setModel(table_);
  verdicts_->setAccessibleName(tr("Verdicts of all futures"));
  dress_table(verdicts_);
  new EmptyWords(view_, [] { return tr("There is no future yet: Ctrl+R runs the scenario."); });
  new EmptyWords(verdicts_, [] { return tr("What the futures break, side by side."); });
  split_->addWidget(view_);
  split_->addWidget(verdicts_);
  layout->addWidget(remark_);
  layout->addWidget(split_, 1);
  setFocusProxy(view_);
  const auto refresh = [this] {
    model_->refresh();
    table_->refresh();
    remark_->setVisible(workspace_->session().branches().size() == 1);  // later the room is the tables'
    verdicts_->setVisible(workspace_->session().branches().size() > 1);  // of one future they stand under Verdicts
    verdicts_->setColumnWidth(0, verdicts_->fontMetrics().averageCharWidth() * 24);
    for (int i = 1; i < table_->columnCount(); ++i)
      verdicts_->setColumnWidth(i, std::max(verdicts_->fontMetrics().averageCharWidth() * 24, verdicts_->horizontalHeader()->fontMetrics().horizontalAdvance(table_->headerData(i, Qt::Horizontal, Qt::DisplayRole).toString()) + 18));
  };
  connect(w, &Workspace::branches_changed, this, refresh);
  connect(w, &Workspace::run_changed, this, refresh);
  connect(w, &Workspace::beside_changed, this, [this] { model_->set_beside(workspace_->beside()); });
  const auto take = [this](const QModelIndex& i) {
    if (i.column() == BranchModel::beside) workspace_->set_beside(i.row());
    else workspace_->show_branch(i.row());
  };
  connect(view_, &QTableView::clicked, this, take);
  connect(view_, &QTableView::activated, this, take);
  refresh();
}

void BranchPane::fit_columns() { set_widths(view_, {26, 7, 16, 18, 8, 24, 12}); }

void BranchPane::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::FontChange) fit_columns();
}

// Side by side where that is the better use of the room.
void BranchPane::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  split_->setOrientation(width() > height() * 2 && width() > fontMetrics().averageCharWidth() * 80 ? Qt::Horizontal : Qt::Vertical);
}

}  // namespace mqlab::gui
