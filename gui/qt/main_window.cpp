#include "gui/qt/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLocale>
#include <QMenuBar>
#include <QMessageBox>
#include <QRegularExpression>
#include <QSaveFile>
#include <QStatusBar>
#include <QTimer>
#include <QUrlQuery>
#include <QVBoxLayout>

#include <algorithm>

#include "gui/core/run_page.h"
#include "gui/core/write_back.h"
#include "gui/qt/finder.h"
#include "gui/qt/renderer.h"
#include "gui/qt/save_picture.h"
#include "kit/models.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

constexpr const char* first_scenario = R"(-- What happens to orders when the broker that leads them dies?
return scenario {
  title = "My first scenario",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = seconds(1), start_at = seconds(5), acks = "1" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(10), power "leader orders/0" { duration = seconds(20) }),
  },
  run_for = seconds(60),
  expect = { reaches "leader_elected" },
}
)";

QString read_text(const QString& path, QString* wrong) {
  QFile f(path);
  if (!f.open(QIODevice::ReadOnly)) {
    *wrong = QObject::tr("%1 can't be read: %2").arg(path, f.errorString());
    return {};
  }
  if (f.size() > (64 << 20)) {
    *wrong = QObject::tr("%1 is too big to be a scenario").arg(path);
    return {};
  }
  return QString::fromUtf8(f.readAll());
}

QString title_of(const QString& text) {
  static const QRegularExpression title(QStringLiteral(R"(\btitle\s*=\s*"([^"]*)\")"));
  const auto m = title.match(text);
  return m.hasMatch() ? m.captured(1) : QString();
}

QString head_comment(const QString& text) {
  QStringList lines;
  for (const QString& l : text.split('\n')) {
    if (!l.startsWith("--")) break;
    lines << l.mid(2).trimmed();
  }
  return lines.join('\n');
}

}  // namespace

const QStringList& layout_names() {
  static const QStringList all = {QStringLiteral("learn"), QStringLiteral("debug"), QStringLiteral("compare"), QStringLiteral("present")};
  return all;
}

MainWindow::MainWindow(WindowSettings* settings, const WindowOptions& options, QWidget* parent)
    : QMainWindow(parent), settings_(settings), workspace_(new Workspace(this)), actions_(this), theme_(settings->theme()), scale_(settings->scale()) {
  qApp->installEventFilter(this);
  setDockNestingEnabled(true);
  setDockOptions(AnimatedDocks | AllowNestedDocks | AllowTabbedDocks);
  setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
  start_ = new PageBrowser(this);
  start_->setAccessibleName(tr("Start page"));
  setCentralWidget(start_);
  make_panes();
  make_menus();
  time_bar_ = new TimeBar(workspace_, actions_, this);
  addToolBar(Qt::TopToolBarArea, time_bar_);
  addToolBarBreak(Qt::TopToolBarArea);
  make_run_bar();
  make_status_bar();
  connect_actions();
  connect_workspace();
  set_theme(theme_);
  set_scale(scale_);
  resize(1280, 800);
  if (!settings_->geometry().isEmpty()) restoreGeometry(settings_->geometry());
  start_->hide();
  const QString wanted = layout_names().contains(options.layout) ? options.layout : settings_->layout();
  apply_layout(layout_names().contains(wanted) ? wanted : layout_names().first());

  if (!options.scenario.isEmpty()) {
    const QString path = find_scenario(options.scenario);
    const bool came_back = scenario_->recover(path.isEmpty() ? options.scenario : path);
    if (came_back) {
      workspace_->open(scenario_->path(), scenario_->text());
      QTimer::singleShot(0, this, [this] { emit workspace_->told(tr("Text of this file that was not saved is back. Ctrl+S saves it.")); });
    }
    if (came_back || open_scenario(path.isEmpty() ? options.scenario : path, false)) {
      workspace_->set_design(options.design);
      if (!options.case_name.isEmpty()) workspace_->set_case(options.case_name);
      workspace_->set_seed(options.seed);
      for (const QString& s : options.settings) {
        const QString wrong = workspace_->set_option(s.section('=', 0, 0).trimmed(), s.section('=', 1).trimmed());
        if (!wrong.isEmpty()) scenario_->show_error(0, wrong);
      }
      go_when_ready_ = options.at;
      break_when_ready_ = options.breaks;
      run();
      pictures_.front()->canvas()->setFocus();  // who opens a run looks at it: plain keys play and step
    } else {
      show_start_page(true);
    }
  } else if (scenario_->recover()) {
    workspace_->open(scenario_->path(), scenario_->text());
    show_start_page(false);
    dock("scenario")->show();
    dock("scenario")->raise();
    emit workspace_->told(tr("Text that was not saved is back. Ctrl+R runs it, Ctrl+S saves it."));
  } else {
    show_start_page(true);
  }
}

MainWindow::~MainWindow() = default;

QDockWidget* MainWindow::dock(const QString& name) const {
  const auto it = docks_.find(name);
  return it == docks_.end() ? nullptr : it->second;
}

QDockWidget* MainWindow::add_pane(const QString& name, const QString& title, QWidget* widget) {
  auto* d = new QDockWidget(title, this);
  d->setObjectName(name);
  d->setWidget(widget);
  d->setAllowedAreas(Qt::AllDockWidgetAreas);
  addDockWidget(Qt::LeftDockWidgetArea, d);
  docks_[name] = d;
  order_.push_back(name);
  return d;
}

void MainWindow::make_panes() {
  scenario_ = new ScenarioPane(settings_->folder(), this);
  lessons_ = new LessonPane(settings_, this);
  console_ = new ConsolePane(workspace_, this);
  events_ = new EventPane(workspace_, this);
  verdicts_ = new VerdictPane(workspace_, this);
  inspector_ = new InspectorPane(workspace_, this);
  branches_ = new BranchPane(workspace_, this);
  faults_ = new FaultPalette(workspace_, this);
  notebook_ = new NotebookPane(workspace_, settings_->folder() + "/notes.json", this);
  install_canvas_accessibility();
  facts_ = new RunFacts(workspace_);
  auto* topology = new TopologyPane(workspace_, facts_, this);
  auto* spacetime = new SpacetimePane(workspace_, facts_, this);
  auto* logs = new LogsPane(workspace_, facts_, this);
  auto* groups = new GroupsPane(workspace_, facts_, this);
  auto* plots = new PlotsPane(workspace_, facts_, this);
  pictures_ = {topology, spacetime, logs, groups, plots};
  for (PicturePane* p : pictures_) p->menu = [this](QMenu& menu, EntityId e) { fill_menu(menu, e); };
  auto* other = new OtherFuture(workspace_, facts_);
  auto* beside_topology = new BesideTopologyPane(workspace_, facts_, other, this);
  auto* beside = new BesideSpacetimePane(workspace_, facts_, other, this);
  pictures_.push_back(beside_topology);
  pictures_.push_back(beside);
  add_pane("lesson", tr("Lesson"), lessons_);
  add_pane("scenario", tr("Scenario"), scenario_);
  add_pane("faults", tr("Faults"), faults_);
  add_pane("topology", tr("Topology"), topology);
  add_pane("logs", tr("Logs and queues"), logs);
  add_pane("groups", tr("Groups"), groups);
  add_pane("spacetime", tr("Space-time"), spacetime);
  add_pane("beside_topology", tr("Topology beside"), beside_topology);
  add_pane("beside", tr("Space-time beside"), beside);
  add_pane("plots", tr("Plots"), plots);
  add_pane("events", tr("Events"), events_);
  add_pane("branches", tr("Futures"), branches_);
  add_pane("notebook", tr("Notebook"), notebook_);
  add_pane("console", tr("Console"), console_);
  add_pane("verdicts", tr("Verdicts"), verdicts_);
  add_pane("inspector", tr("Inspector"), inspector_);
}

void MainWindow::make_menus() {
  for (const char* group : action_groups()) {
    QMenu* menu = menuBar()->addMenu(tr(group));
    menu->setToolTipsVisible(true);
    for (std::size_t i = 0; i < action_table().size(); ++i)
      if (std::string_view(action_table()[i].group) == group) menu->addAction(actions_.all()[i]);
    if (std::string_view(group) == "View") {
      QMenu* panes = menu->addMenu(tr("Panes"));
      for (const QString& name : order_) panes->addAction(docks_[name]->toggleViewAction());
    }
    if (std::string_view(group) == "File") {
      QMenu* recent = new QMenu(tr("Recent"), menu);
      menu->insertMenu(actions_["file.save"], recent);
      connect(recent, &QMenu::aboutToShow, this, [this, recent] {
        recent->clear();
        for (const QString& path : settings_->recent()) recent->addAction(path, this, [this, path] { if (may_leave_text()) open_scenario(path); });
        if (recent->isEmpty()) recent->addAction(tr("(none yet)"))->setEnabled(false);
      });
    }
  }
}

void MainWindow::make_run_bar() {
  run_bar_ = new QToolBar(tr("Run"), this);
  run_bar_->setObjectName(QStringLiteral("run"));
  run_bar_->setMovable(false);
  run_bar_->setToolButtonStyle(Qt::ToolButtonTextOnly);
  run_bar_->addAction(actions_["run.run"]);
  run_bar_->addSeparator();
  const auto combo = [&](const QString& name, int letters) {
    auto* c = new QComboBox(this);
    c->setAccessibleName(name);
    c->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    c->setMinimumContentsLength(letters);
    c->setFocusPolicy(Qt::TabFocus);
    return c;
  };
  design_ = combo(tr("Design"), 10);
  design_->setToolTip(tr("The system on which the story is told"));
  design_action_ = run_bar_->addWidget(design_);
  case_label_action_ = run_bar_->addWidget(new QLabel(tr(" case "), this));
  case_ = combo(tr("Case"), 8);
  case_->setToolTip(tr("The way in which the scenario is run"));
  case_action_ = run_bar_->addWidget(case_);
  run_bar_->addWidget(new QLabel(tr(" seed "), this));
  seed_ = new QLineEdit(this);
  seed_->setAccessibleName(tr("Seed"));
  seed_->setPlaceholderText(tr("its own"));
  seed_->setToolTip(tr("The seed of chance: the same seed gives the same run, event by event. Empty: the scenario's own."));
  seed_->setMaximumWidth(fontMetrics().averageCharWidth() * 14);
  run_bar_->addWidget(seed_);
  run_bar_->addWidget(new QLabel(tr(" set "), this));
  set_ = new QLineEdit(this);
  set_->setAccessibleName(tr("Settings"));
  set_->setPlaceholderText(tr("acks=all min_insync=2"));
  set_->setToolTip(tr("Options that differ from the scenario, as name=value; P1.acks=0 changes one client's. Enter runs."));
  set_->setClearButtonEnabled(true);
  set_->setMaximumWidth(fontMetrics().averageCharWidth() * 42);
  run_bar_->addWidget(set_);
  run_bar_->addSeparator();
  run_bar_->addWidget(new QLabel(tr(" future "), this));
  branch_ = combo(tr("Future"), 12);
  branch_->setToolTip(tr("The run that is looked at: each fault by hand begins a future of its own"));
  run_bar_->addWidget(branch_);
  addToolBar(Qt::TopToolBarArea, run_bar_);
  addToolBarBreak(Qt::TopToolBarArea);
  chip_bar_ = new QToolBar(tr("Filter"), this);
  chip_bar_->setObjectName(QStringLiteral("chips"));
  chip_bar_->setMovable(false);
  chip_bar_->setToolButtonStyle(Qt::ToolButtonTextOnly);
  addToolBar(Qt::TopToolBarArea, chip_bar_);
  chip_bar_->hide();
  connect(case_, &QComboBox::textActivated, this, [this](const QString& c) {
    workspace_->set_case(c);
    run();
  });
  connect(design_, &QComboBox::textActivated, this, [this](const QString& d) {
    workspace_->set_design(d);
    run();
  });
  connect(branch_, &QComboBox::activated, this, [this](int i) { workspace_->show_branch(branch_->itemData(i).toInt()); });
  const auto take = [this] {
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
      if (!wrong.isEmpty()) {
        scenario_->show_error(0, wrong);
        return emit workspace_->told(wrong);
      }
    }
    run();
  };
  connect(seed_, &QLineEdit::returnPressed, this, take);
  connect(set_, &QLineEdit::returnPressed, this, take);
}

void MainWindow::make_status_bar() {
  outcome_ = new QLabel(this);
  events_label_ = new QLabel(this);
  fingerprint_ = new QLabel(this);
  fingerprint_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  fingerprint_->setToolTip(tr("The fingerprint of the run: `mqlab run` with the same scenario, case, settings and seed prints the same"));
  renderer_ = new QLabel(this);
  const auto name_renderer = [this] {
    renderer_->setText(RendererInUse::instance().name());
    renderer_->setToolTip(RendererInUse::instance().sentence());
  };
  name_renderer();
  connect(&RendererInUse::instance(), &RendererInUse::changed, this, name_renderer);
  for (QLabel* l : {outcome_, events_label_, fingerprint_, renderer_}) {
    l->setContentsMargins(6, 0, 6, 0);
    statusBar()->addPermanentWidget(l);
  }
  statusBar()->addPermanentWidget(new QLabel(tr("Ctrl+K commands   ? keys "), this));
}

void MainWindow::connect_actions() {
  const auto on = [&](std::string_view id, auto f) { connect(actions_[id], &QAction::triggered, this, f); };
  Workspace* w = workspace_;
  on("file.new", [this] {
    if (!may_leave_text()) return;
    scenario_->show_text({}, QString::fromUtf8(first_scenario));
    workspace_->open({}, scenario_->text());
    show_start_page(false);
    run();
  });
  on("file.open", [this] {
    if (!may_leave_text()) return;
    const QString path = QFileDialog::getOpenFileName(this, tr("Open a scenario"), scenario_->path().isEmpty() ? scenarios_folder() : scenario_->path(), tr("Scenarios (*.lua)"));
    if (!path.isEmpty()) open_scenario(path);
  });
  on("file.library", [this] {
    std::vector<FinderEntry> entries;
    for (const QString& path : library_scenarios()) {
      QString wrong;
      const QString text = read_text(path, &wrong);
      QString name = QDir(scenarios_folder()).relativeFilePath(path);
      name.chop(4);
      entries.push_back({name, title_of(text), head_comment(text), [this, path] { if (may_leave_text()) open_scenario(path); }});
    }
    auto* finder = new Finder(tr("Library of scenarios"), std::move(entries), this);
    finder->resize(820, 560);
    finder->open();
  });
  on("file.save", [this] { save(false); });
  on("file.save_as", [this] { save(true); });
  on("file.page", [this] {
    const auto r = workspace_->recording();
    if (!r) return emit workspace_->told(tr("There is no run to write yet."));
    const QString path = QFileDialog::getSaveFileName(this, tr("Write the run as a page"), QFileInfo(scenario_->path()).completeBaseName() + ".html", tr("Pages (*.html)"));
    if (path.isEmpty()) return;
    const QByteArray page = QByteArray::fromStdString(run_page(*workspace_->index(), {.version = MQLAB_VERSION}));
    QSaveFile f(path);
    if (!f.open(QIODevice::WriteOnly) || f.write(page) != page.size() || !f.commit()) return emit workspace_->told(tr("%1 could not be written: %2").arg(path, f.errorString()));
    emit workspace_->told(tr("Written: %1").arg(path));
  });
  on("file.picture", [this] {
    const auto found = [this](auto&& good) { return std::find_if(pictures_.begin(), pictures_.end(), good); };
    auto it = found([](PicturePane* p) { return p->canvas()->hasFocus(); });
    if (it == pictures_.end()) it = found([this](PicturePane* p) { return in_sight(qobject_cast<QDockWidget*>(p->parentWidget())) && !p->canvas()->visibleRegion().isNull(); });
    if (it == pictures_.end()) return emit workspace_->told(tr("There is no picture in sight."));
    const QString name = (*it)->canvas()->accessibleName();
    const QString path = QFileDialog::getSaveFileName(this, tr("Save the picture"), QFileInfo(scenario_->path()).completeBaseName() + "-" + name.toLower().replace(' ', '-') + ".svg", tr("Pictures (*.svg *.png)"));
    if (path.isEmpty()) return;
    const QString trouble = save_picture((*it)->canvas()->scene(), theme_, name, path);
    emit workspace_->told(trouble.isEmpty() ? tr("Written: %1").arg(path) : tr("%1 could not be written: %2").arg(path, trouble));
  });
  on("file.start", [this] { show_start_page(!start_page_shown()); });
  on("file.quit", [this] { close(); });
  on("edit.find", [this] {
    dock("events")->show();
    dock("events")->raise();
    events_->focus_filter();
  });
  on("edit.clear", [this, w] {
    if (QWidget* f = QApplication::focusWidget(); qobject_cast<QLineEdit*>(f)) return f->clearFocus();
    if (w->entity()) return w->set_entity({});
    w->clear_filter();
  });
  on("edit.back", [w] { w->back(); });
  on("edit.forward", [w] { w->forward(); });
  on("edit.note", [this] {
    dock("notebook")->show();
    dock("notebook")->raise();
    notebook_->add_note();
  });
  on("edit.mark", [this] { notebook_->add_mark(); });
  on("run.run", [this] { run(); });
  on("run.play", [w] { w->play(!w->playing()); });
  on("run.forward", [w] { w->step(1); });
  on("run.back", [w] { w->step(-1); });
  on("run.forward_node", [w] { w->step_on_node(1); });
  on("run.back_node", [w] { w->step_on_node(-1); });
  on("run.forward_message", [w] { w->step_on_message(1); });
  on("run.back_message", [w] { w->step_on_message(-1); });
  on("run.cause", [w] { w->cause(); });
  on("run.effect", [w] { w->effect(); });
  const auto go = [w](const char* words) {
    return [w, words] {
      if (const QString wrong = w->go_to(QString::fromLatin1(words)); !wrong.isEmpty()) emit w->told(wrong);
    };
  };
  on("run.first", go("first"));
  on("run.last", go("last"));
  on("run.next_violation", go("next violation"));
  on("run.previous_violation", go("previous violation"));
  on("run.go_to", [this] { time_bar_->focus_go_to(); });
  on("run.faster", [w] { w->set_speed(w->speed() * 2); });
  on("run.slower", [w] { w->set_speed(w->speed() / 2); });
  const std::pair<const char*, FaultKind> by_hand[] = {{"fault.kill", FaultKind::kill}, {"fault.isolate", FaultKind::isolate}, {"fault.pause", FaultKind::pause},
                                                       {"fault.slow", FaultKind::slow}, {"fault.power", FaultKind::power}, {"fault.restart", FaultKind::restart},
                                                       {"fault.heal", FaultKind::heal}, {"fault.disk_stall", FaultKind::disk_stall}, {"fault.clock_jump", FaultKind::clock_jump}};
  for (const auto& [id, kind] : by_hand) on(id, [this, k = kind] { act_on_focus(k); });
  on("fault.undo", [w] { w->take_back(); });
  on("fault.write_back", [this] { write_back(); });
  connect(faults_, &FaultPalette::write_back_asked, this, &MainWindow::write_back);
  on("fault.list", [this] {
    dock("faults")->show();
    dock("faults")->raise();
    faults_->setFocus();
  });
  on("view.learn", [this] { apply_layout("learn"); });
  on("view.debug", [this] { apply_layout("debug"); });
  on("view.compare", [this] { apply_layout("compare"); });
  on("view.present", [this] { apply_layout("present"); });
  on("view.next_pane", [this] { next_pane(1); });
  on("view.previous_pane", [this] { next_pane(-1); });
  on("view.fit", [this] { facts_->fit(); });
  on("view.order", [this] { facts_->set_by_order(actions_["view.order"]->isChecked()); });
  on("view.zero", [this, w] {
    if (!w->has_events()) return;
    const bool set = !facts_->view().zero;
    facts_->set_zero(set ? std::optional<Time>(w->time()) : std::nullopt);
    emit w->told(set ? tr("Times are counted from here. T again: from the beginning.") : tr("Times are counted from the beginning."));
  });
  on("view.theme", [this] {
    set_theme(static_cast<Theme>((static_cast<int>(theme_) + 1) % theme_count));
    statusBar()->showMessage(tr("Theme: %1").arg(theme_words()[static_cast<int>(theme_)]), 3000);
  });
  on("view.larger", [this] { set_scale(scale_ + scale_step); });
  on("view.smaller", [this] { set_scale(scale_ - scale_step); });
  on("view.normal_size", [this] { set_scale(100); });
  const auto lesson = [this](auto act) {
    return [this, act] {
      show_start_page(false);
      dock("lesson")->show();
      dock("lesson")->raise();
      act();
    };
  };
  on("lesson.contents", lesson([this] { lessons_->show_contents(); }));
  on("lesson.next", lesson([this] { lessons_->next(1); }));
  on("lesson.previous", lesson([this] { lessons_->next(-1); }));
  on("help.commands", [this] {
    std::vector<FinderEntry> entries;
    for (std::size_t i = 0; i < action_table().size(); ++i) {
      QAction* a = actions_.all()[i];
      entries.push_back({QStringLiteral("%1: %2").arg(QLatin1String(action_table()[i].group), a->text()), keys_text(action_table()[i]), QString::fromUtf8(action_table()[i].tip), [a] { a->trigger(); }});
    }
    for (const Lesson& l : lessons()) entries.push_back({QStringLiteral("Lesson: %1").arg(l.title), l.group, {}, [this, id = l.id] { lessons_->follow(QUrl("mqlab:lesson?id=" + id)); show_start_page(false); dock("lesson")->show(); dock("lesson")->raise(); }});
    for (const QString& path : library_scenarios()) {
      QString name = QDir(scenarios_folder()).relativeFilePath(path);
      name.chop(4);
      entries.push_back({QStringLiteral("Open: %1").arg(name), {}, {}, [this, path] { if (may_leave_text()) open_scenario(path); }});
    }
    (new Finder(tr("Commands"), std::move(entries), this))->open();
  });
  on("help.keys", [this] {
    auto* d = new QDialog(this);
    d->setAttribute(Qt::WA_DeleteOnClose);
    d->setWindowTitle(tr("All keys"));
    d->resize(760, 620);
    auto* page = new PageBrowser(d);
    page->set_theme(theme_);
    page->show_html(keys_page());
    auto* layout = new QVBoxLayout(d);
    layout->addWidget(page);
    d->open();
  });
  on("help.console", [this] {
    dock("console")->show();
    dock("console")->raise();
    console_->focus_line();
  });
  on("help.about", [this] {
    QMessageBox::about(this, tr("About mqlab"), tr("<b>mqlab %1</b><p>A laboratory for messaging semantics: write a scenario once, run it under any fault from any seed, and be told by name which guarantee broke, at which event and why.</p><p>The lessons (F2) begin with one message.</p>").arg(QStringLiteral(MQLAB_VERSION)));
  });
}

void MainWindow::connect_workspace() {
  Workspace* w = workspace_;
  connect(w, &Workspace::told, this, [this](const QString& s) { statusBar()->showMessage(s, 8000); });
  connect(w, &Workspace::scenario_changed, this, [this] {
    show_title();
    show_wanted();
  });
  connect(w, &Workspace::wanted_changed, this, &MainWindow::show_wanted);
  connect(w, &Workspace::run_began, this, [this] {
    scenario_->clear_error();
    show_start_page(false);
    show_status();
  });
  connect(w, &Workspace::progress_changed, this, &MainWindow::show_status);
  connect(w, &Workspace::run_refused, this, [this](const QString& file, int line, const QString& text) {
    scenario_->show_error(line, text);
    dock("scenario")->show();
    dock("scenario")->raise();
    statusBar()->showMessage(line > 0 ? tr("%1, line %2: %3").arg(QFileInfo(file).fileName()).arg(line).arg(text) : text, 15000);
    show_status();
  });
  connect(w, &Workspace::run_changed, this, [this] {
    show_status();
    const auto r = workspace_->recording();
    if (r && r->result().as_expected) lessons_->step_succeeded();
    // The chapter that a scenario belongs to, while nothing else is read.
    if (const QString chapter = r ? QString::fromStdString(r->scenario().chapter) : QString(); lessons_->lesson().isEmpty() && chapter.startsWith("docs/")) lessons_->show_lesson(chapter.mid(5));
    if (!break_when_ready_.isEmpty() && workspace_->has_events()) {
      const QString wrong = break_by_hand(*workspace_, break_when_ready_.takeFirst());
      if (wrong.isEmpty()) return;  // the rest when its future is there
      break_when_ready_.clear();
      emit workspace_->told(wrong);
    }
    if (!go_when_ready_.isEmpty()) {
      const QString wrong = workspace_->go_to(go_when_ready_);
      if (!wrong.isEmpty()) emit workspace_->told(wrong);
      go_when_ready_.clear();
    }
  });
  connect(w, &Workspace::branches_changed, this, [this] {
    branch_->clear();
    for (const Branch& b : workspace_->session().branches()) {
      if (b.state == Branch::State::refused || b.state == Branch::State::called_off) continue;
      branch_->addItem(QString::fromStdString(b.label) + (b.state == Branch::State::recording ? tr(" …") : QString()), b.id);
      if (b.id == workspace_->session().current()) branch_->setCurrentIndex(branch_->count() - 1);
    }
  });
  connect(w, &Workspace::event_changed, this, &MainWindow::show_line_of_focus);
  connect(w, &Workspace::entity_changed, this, &MainWindow::show_line_of_focus);
  connect(w, &Workspace::rows_changed, this, &MainWindow::show_chips);
  connect(scenario_, &ScenarioPane::text_changed, this, [this] { workspace_->set_text(scenario_->text()); });
  connect(scenario_, &ScenarioPane::modified_changed, this, &MainWindow::show_title);
  connect(lessons_, &LessonPane::run_asked, this, &MainWindow::run_step);
  connect(lessons_, &LessonPane::scenario_asked, this, [this](const QString& path) { if (may_leave_text()) open_scenario(path); });
  connect(lessons_, &LessonPane::go_asked, this, [this](const QString& words) {
    if (const QString wrong = workspace_->go_to(words); !wrong.isEmpty()) emit workspace_->told(wrong);
  });
  connect(notebook_, &NotebookPane::return_to, this, &MainWindow::return_to);
  connect(start_, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
    if (link.path() == "new") return actions_["file.new"]->trigger();
    if (link.path() == "library") return actions_["file.library"]->trigger();
    if (link.path() == "lesson") {
      show_start_page(false);
      dock("lesson")->show();
      dock("lesson")->raise();
    }
    lessons_->follow(link);
  });
}

// --- scenarios ---

bool MainWindow::may_leave_text() {
  if (!scenario_->modified()) return true;
  const auto answer = QMessageBox::question(this, tr("Not saved"), tr("The text of the scenario was changed and is not saved."), QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Save);
  if (answer == QMessageBox::Cancel) return false;
  if (answer == QMessageBox::Save) save(false);
  return answer == QMessageBox::Discard || !scenario_->modified();
}

bool MainWindow::open_scenario(const QString& path, bool run_it) {
  QString wrong;
  const QString text = read_text(path, &wrong);
  if (!wrong.isEmpty()) {
    emit workspace_->told(wrong);
    return false;
  }
  scenario_->show_text(path, text);
  workspace_->open(path, text);
  settings_->add_recent(QFileInfo(path).absoluteFilePath());
  if (run_it) run();
  return true;
}

void MainWindow::save(bool ask) {
  QString path = scenario_->path();
  if (ask || path.isEmpty()) path = QFileDialog::getSaveFileName(this, tr("Save the scenario"), path.isEmpty() ? QStringLiteral("scenario.lua") : path, tr("Scenarios (*.lua)"));
  if (path.isEmpty()) return;
  if (const QString wrong = scenario_->save_to(path); !wrong.isEmpty()) {
    QMessageBox::warning(this, tr("Not saved"), wrong);
    return;
  }
  settings_->add_recent(QFileInfo(path).absoluteFilePath());
  workspace_->set_path(path);
  run();
}

void MainWindow::run() {
  workspace_->set_text(scenario_->text());
  workspace_->run();
}

void MainWindow::run_step(const LessonStep& step) {
  if (scenario_->modified() && !may_leave_text()) return;
  QString path = step.scenario, text = step.text;
  if (!path.isEmpty()) {
    QString wrong;
    text = read_text(path, &wrong);
    if (!wrong.isEmpty()) return emit workspace_->told(wrong);
    scenario_->show_text(path, text);
  } else {
    scenario_->show_unsaved(step.name, text);
    path = step.name;
  }
  workspace_->open(path, text);
  workspace_->set_seed(step.seed);
  for (const Setting& s : std::vector<Setting>(workspace_->wanted().settings)) workspace_->set_option(QString::fromStdString(s.name), {});
  if (!step.case_name.isEmpty()) workspace_->set_case(step.case_name);
  for (const QString& s : step.settings) {
    const QString wrong = workspace_->set_option(s.section('=', 0, 0), s.section('=', 1));
    if (!wrong.isEmpty()) return scenario_->show_error(0, wrong);
  }
  run();
}

void MainWindow::return_to(const Note& note) {
  const RunSpec& spec = workspace_->session().has(workspace_->session().current()) ? workspace_->session().branch(workspace_->session().current()).spec : workspace_->wanted();
  const auto r = workspace_->recording();
  const bool same = r && QString::fromStdString(r->result().fingerprint.text()) == note.fingerprint;
  if (same) {
    workspace_->set_event(note.event);
    return;
  }
  if (QString::fromStdString(spec.path) != note.path || note.path.isEmpty()) {
    if (!QFileInfo(note.path).isFile()) return emit workspace_->told(tr("%1 is not there any more").arg(note.path.isEmpty() ? tr("The scenario of this note") : note.path));
    if (!may_leave_text() || !open_scenario(note.path, false)) return;
  }
  if (!note.design.isEmpty()) workspace_->set_design(note.design);
  if (!note.case_name.isEmpty()) workspace_->set_case(note.case_name);
  workspace_->set_seed(note.seed ? std::optional<std::uint64_t>(*note.seed) : std::nullopt);
  for (const QString& s : note.settings) workspace_->set_option(s.section('=', 0, 0), s.section('=', 1));
  go_when_ready_ = QStringLiteral("#%1").arg(note.event);
  auto* once = new QObject(this);
  connect(workspace_, &Workspace::run_changed, once, [this, once, fingerprint = note.fingerprint] {
    once->deleteLater();
    if (QString::fromStdString(workspace_->recording()->result().fingerprint.text()) != fingerprint)
      emit workspace_->told(tr("The note was made on another run: the scenario has changed since, or faults were made by hand."));
  });
  run();
}

void MainWindow::write_back() {
  const Session& s = workspace_->session();
  if (!s.has(s.current()) || s.branch(s.current()).spec.interventions.empty()) return emit workspace_->told(tr("Nothing was done by hand in this run."));
  try {
    const WrittenBack w = gui::write_back(*workspace_->recording(), all_models());
    scenario_->editor()->replace_text(QString::fromStdString(w.text));
    if (w.first_line > 0) scenario_->editor()->go_to_line(w.first_line);
    emit workspace_->told(w.whole ? tr("The run is written as a scenario of its own: its text has no plain list of faults. Ctrl+S saves it.")
                                  : w.lines == 1 ? tr("The fault stands in the scenario now, and gives the same run. Ctrl+S saves it.") : tr("%1 faults stand in the scenario now, and give the same run. Ctrl+S saves it.").arg(w.lines));
  } catch (const InputError& e) {
    return emit workspace_->told(QString::fromStdString(e.message));
  }
  dock("scenario")->show();
  dock("scenario")->raise();
}

void MainWindow::act_on_focus(FaultKind k) {
  if (!workspace_->has_events()) return emit workspace_->told(tr("Run a scenario first: a fault comes right after the event in focus."));
  faults_->choose(k);
  FaultForm form;
  form.kind = k;
  if (k != FaultKind::heal) {
    const NodeId n = workspace_->node_in_focus();
    if (n == nobody) return emit workspace_->told(tr("No node is in focus: click one, or choose one in the list of faults."));
    form.whom = QString::fromStdString(workspace_->recording()->line_name(n));
    faults_->aim_at(n);
  }
  const FormedFault f = fault_of(form);
  if (!f.complaint.isEmpty()) return emit workspace_->told(f.complaint);
  workspace_->intervene(f.fault);
}

// --- what is shown ---

void MainWindow::show_line_of_focus() {
  const auto r = workspace_->recording();
  int line = 0;
  if (workspace_->has_events()) {
    const auto& faults = r->result().world->faults();
    const EntityId e = workspace_->entity();
    const Event& event = r->journal().deliveries[workspace_->event()].event;
    if (e.kind == EntityId::Kind::fault && e.a < faults.size()) line = faults[e.a].fault.line;
    else if (static_cast<EventKind>(event.kind) == EventKind::fault && event.body[0] < faults.size()) line = faults[event.body[0]].fault.line;
    if (line == 0) {
      const NodeId n = workspace_->node_in_focus();
      if (n != nobody)
        for (const ClientSpec& c : r->result().deployment.clients)
          if (c.name == r->line_name(n)) line = c.line;
    }
  }
  scenario_->editor()->set_current_line(line);
}

void MainWindow::show_chips() {
  chip_bar_->clear();
  Workspace* w = workspace_;
  if (w->filtered() && w->recording()) {
    chip_bar_->addWidget(new QLabel(tr(" only events with: "), this));
    const auto chip = [&](const QString& text, auto remove) {
      QAction* a = chip_bar_->addAction(text + QStringLiteral("  ✕"));
      a->setToolTip(tr("Takes this off the filter"));
      connect(a, &QAction::triggered, this, remove, Qt::QueuedConnection);
    };
    if (!w->filter().trimmed().isEmpty()) chip(QStringLiteral("“%1”").arg(w->filter().trimmed()), [w] { w->set_filter({}); });
    if (w->hides_routine()) chip(tr("no heartbeats and timers"), [w] { w->set_hides_routine(false); });
    for (std::size_t i = 0; i < w->chips().size(); ++i) chip(QString::fromStdString(w->chips()[i].label(w->recording()->journal())), [w, i] { w->remove_chip(i); });
    chip_bar_->addWidget(new QLabel(tr("  %1 of %2 ").arg(w->rows() ? w->rows()->size() : 0).arg(w->recording()->events()), this));
  }
  chip_bar_->setVisible(w->filtered() && w->recording() && !start_shown_);
}

// What can be done to a thing, with the mouse or the menu key.
void MainWindow::fill_menu(QMenu& menu, EntityId e) {
  const auto r = workspace_->recording();
  if (!r) return;
  Workspace* w = workspace_;
  const auto add = [&](const QString& text, auto act) { connect(menu.addAction(text), &QAction::triggered, this, act); };
  const auto fault = [&](const QString& text, FaultForm form) {
    add(text, [this, form] {
      const FormedFault f = fault_of(form);
      if (!f.complaint.isEmpty()) return emit workspace_->told(f.complaint);
      workspace_->intervene(f.fault);
    });
  };
  const auto name = [&](std::uint64_t n) { return QString::fromStdString(r->line_name(static_cast<NodeId>(n))); };
  const auto list = [&] {
    add(tr("All kinds of faults …"), [this, e] {
      workspace_->set_entity(e);
      actions_["fault.list"]->trigger();
    });
  };
  switch (e.kind) {
    case EntityId::Kind::node: {
      menu.addSection(tr("%1, after #%2").arg(name(e.a)).arg(w->event()));
      for (const FaultKind k : {FaultKind::kill, FaultKind::power, FaultKind::restart, FaultKind::pause, FaultKind::resume, FaultKind::slow, FaultKind::isolate, FaultKind::disk_stall, FaultKind::clock_jump}) {
        FaultForm form;
        form.kind = k;
        form.whom = name(e.a);
        fault(QStringLiteral("%1 %2").arg(QLatin1String(fault_decl(k).name), name(e.a)), form);
      }
      list();
      menu.addSection(tr("Look"));
      add(tr("Only events of %1").arg(name(e.a)), [w, e] { w->add_chip(Chip::node(static_cast<NodeId>(e.a))); });
      add(tr("Hide its line"), [this, e] {
        facts_->lanes() = gui::hide(facts_->lanes(), {static_cast<NodeId>(e.a)});
        for (PicturePane* p : pictures_) p->canvas()->invalidate();
      });
      add(tr("Show all lines"), [this] {
        facts_->lanes() = facts_->spacetime().lanes;
        for (PicturePane* p : pictures_) p->canvas()->invalidate();
      });
      break;
    }
    case EntityId::Kind::link: {
      menu.addSection(tr("%1 to %2, after #%3").arg(name(e.a), name(e.b)).arg(w->event()));
      for (const FaultKind k : {FaultKind::one_way, FaultKind::latency, FaultKind::loss, FaultKind::clog, FaultKind::reset_streams}) {
        FaultForm form;
        form.kind = k;
        form.whom = name(e.a);
        form.other = name(e.b);
        fault(k == FaultKind::one_way ? tr("cut %1 to %2").arg(name(e.a), name(e.b)) : k == FaultKind::latency ? tr("latency of 200 ms") : k == FaultKind::loss ? tr("loss of one in ten") : k == FaultKind::clog ? tr("clog for a second") : tr("reset the connections"), form);
      }
      FaultForm heal;
      heal.kind = FaultKind::heal;
      fault(tr("heal the network"), heal);
      list();
      break;
    }
    case EntityId::Kind::event: {
      if (e.a >= r->events()) return;
      const Event& event = r->journal().deliveries[e.a].event;
      add(tr("Go to #%1").arg(e.a), [w, e] { w->focus(e.a, e); });
      add(tr("Its cause"), [w, e] { w->set_event(e.a); w->cause(); });
      add(tr("Its first effect"), [w, e] { w->set_event(e.a); w->effect(); });
      if (is_message(event)) {
        const QString kind = QString::fromLatin1(r->journal().kind_name(event.type));
        add(tr("Only messages %1").arg(kind), [w, t = event.type] { w->add_chip(Chip::message_kind(t)); });
      }
      add(tr("Only events of %1").arg(name(line_of(event))), [w, n = line_of(event)] { w->add_chip(Chip::node(n)); });
      add(tr("Pin a note here"), [this, w, e] { w->focus(e.a, e); actions_["edit.note"]->trigger(); });
      break;
    }
    case EntityId::Kind::message:
      menu.addSection(QString::fromStdString(r->journal().message_name(e.a)));
      add(tr("Only events with it"), [w, e] { w->add_chip(Chip::message(e.a)); });
      add(tr("Where it is seen next"), [w, e] { w->set_entity(e); w->step_on_message(1); });
      add(tr("Where it was seen before"), [w, e] { w->set_entity(e); w->step_on_message(-1); });
      break;
    case EntityId::Kind::place:
    case EntityId::Kind::record:
      menu.addSection(QString::fromStdString(r->journal().names.text(static_cast<std::uint32_t>(e.a))));
      add(tr("Only events here"), [w, place = r->journal().names.text(static_cast<std::uint32_t>(e.a))] { w->add_chip(Chip::place(place)); });
      break;
    case EntityId::Kind::fault:
      if (e.a >= r->result().world->faults().size()) return;
      menu.addSection(QString::fromStdString(describe(r->result().world->faults()[e.a].fault)));
      add(tr("A future without it"), [w, e] { w->fork_without(e.a); });
      break;
    default:
      add(tr("Fit"), [this] { facts_->fit(); });
      add(tr("Show all lines"), [this] {
        facts_->lanes() = facts_->spacetime().lanes;
        for (PicturePane* p : pictures_) p->canvas()->invalidate();
      });
      break;
  }
}

void MainWindow::show_title() {
  const QString name = scenario_->path().isEmpty() ? QString::fromStdString(workspace_->wanted().path) : QFileInfo(scenario_->path()).fileName();
  QString title = name.isEmpty() ? QStringLiteral("mqlab") : QStringLiteral("%1[*] — mqlab").arg(name);
  if (!workspace_->title().isEmpty() && !name.isEmpty()) title = QStringLiteral("%1[*]: %2 — mqlab").arg(name, workspace_->title());
  if (!title.contains("[*]")) title += "[*]";
  setWindowTitle(title);
  setWindowModified(scenario_->modified());
}

void MainWindow::show_wanted() {
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

void MainWindow::show_status() {
  const auto r = workspace_->recording();
  if (workspace_->running()) {
    const Progress p = workspace_->session().progress();
    outcome_->setText(tr("running: %1 events, %2").arg(QLocale::c().toString(static_cast<qulonglong>(p.events)), QString::fromStdString(format_time(p.now))));
  } else if (r) {
    outcome_->setText(r->stopped() ? tr("stopped") : r->result().as_expected ? tr("✓ as expected") : tr("✗ not as expected"));
  } else {
    outcome_->clear();
  }
  events_label_->setText(r ? tr("%1 events").arg(QLocale::c().toString(static_cast<qulonglong>(r->events()))) : QString());
  fingerprint_->setText(r ? QStringLiteral("fingerprint %1 · seed %2").arg(QString::fromStdString(r->result().fingerprint.text())).arg(r->seed()) : QString());
}

void MainWindow::set_theme(Theme l) {
  theme_ = l;
  settings_->set_theme(l);
  apply_theme(*qApp, l, scale_);
  scenario_->editor()->set_dark(is_dark(l));
  lessons_->set_theme(l);
  events_->set_theme(l);
  verdicts_->set_theme(l);
  inspector_->set_theme(l);
  branches_->set_theme(l);
  time_bar_->set_theme(l);
  start_->set_theme(l);
  for (PicturePane* p : pictures_) p->set_theme(l);
}

void MainWindow::set_scale(int percent) {
  scale_ = std::clamp(percent, scale_min, scale_max);
  settings_->set_scale(scale_);
  apply_theme(*qApp, theme_, scale_);
  for (QTableView* v : findChildren<QTableView*>()) v->verticalHeader()->setDefaultSectionSize(v->fontMetrics().height() + 5);
  for (PicturePane* p : pictures_) p->set_text_scale(static_cast<float>(scale_) / 100);
  QFont mono = scenario_->editor()->font();
  mono.setPointSizeF(qApp->font().pointSizeF());
  scenario_->editor()->setFont(mono);
}

// --- layouts ---

bool MainWindow::start_page_shown() const { return start_shown_; }

void MainWindow::show_start_page(bool on) {
  if (on) show_start();
  if (on == start_shown_) return;
  start_shown_ = on;
  if (on) {
    for (auto& [name, d] : docks_) d->hide();
    start_->show();
    time_bar_->hide();
    run_bar_->hide();
    chip_bar_->hide();
  } else {
    start_->hide();
    time_bar_->show();
    run_bar_->show();
    show_chips();
    apply_layout(layout_);
  }
}

void MainWindow::show_start() {
  QString html = QStringLiteral("<h1>mqlab</h1><p>Run a story about messages under any fault; see what a client would have seen; be told by name which guarantee broke, at which event, and why.</p>");
  html += QStringLiteral("<table width='100%' cellpadding='8'><tr><td width='50%' valign='top'>");
  html += QStringLiteral("<h2>Begin</h2><ul>");
  const auto open = [](const QString& name, const QString& words) {
    return QStringLiteral("<li><a href='mqlab:run?scenario=%1'>%2</a></li>").arg(QString::fromUtf8(QUrl::toPercentEncoding(name)), words.toHtmlEscaped());
  };
  html += open("scenarios/showcase.lua", tr("A cut-off leader keeps acknowledging: watch thirty records vanish"));
  html += open("scenarios/museum/kafka/p01-retry-duplicate.lua", tr("A retry becomes a duplicate"));
  html += open("scenarios/museum/rabbitmq/r02-a-confirm-that-was-lost.lua", tr("A confirm that was lost"));
  html += QStringLiteral("<li><a href='mqlab:new'>%1</a></li><li><a href='mqlab:library'>%2</a> (%3)</li></ul>").arg(tr("Write one of your own"), tr("The library of scenarios"), QString::number(library_scenarios().size()));
  html += QStringLiteral("<h2>Recent</h2><ul>");
  for (const QString& path : settings_->recent())
    if (QFileInfo(path).isFile()) html += QStringLiteral("<li><a href='mqlab:run?scenario=%1'>%2</a> <span class='quiet'>%3</span></li>").arg(QString::fromUtf8(QUrl::toPercentEncoding(path)), QFileInfo(path).completeBaseName().toHtmlEscaped(), QFileInfo(path).absolutePath().toHtmlEscaped());
  if (settings_->recent().isEmpty()) html += QStringLiteral("<li class='quiet'>%1</li>").arg(tr("Nothing has been run yet."));
  html += QStringLiteral("</ul><h2>Find your way</h2><p><b>Ctrl+K</b> finds every command, lesson and scenario by a few letters. <b>?</b> lists all keys. <b>F6</b> goes from pane to pane. "
                         "<b>Space</b> plays, <b>.</b> and <b>,</b> step, <b>V</b> goes to the next violation, <b>1</b> to <b>9</b> break what is in focus.</p>");
  html += QStringLiteral("</td><td width='50%' valign='top'><h2>Lessons</h2>") + contents_page(*settings_) + QStringLiteral("</td></tr></table>");
  start_->show_html(html);
}

void MainWindow::apply_layout(const QString& name) {
  layout_ = name;
  settings_->set_layout(name);
  if (start_shown_ && isVisible()) return show_start_page(false);
  for (auto& [n, d] : docks_) {
    d->setFloating(false);
    removeDockWidget(d);
  }
  // Columns from left to right; in a column panes from top to bottom; in a pane tabs, the first one on top.
  using Column = std::vector<std::vector<const char*>>;
  std::vector<Column> columns;
  if (name == "debug") columns = {{{"scenario", "lesson"}, {"faults", "console"}}, {{"topology", "logs", "groups"}, {"spacetime", "plots"}, {"events", "notebook", "branches"}}, {{"verdicts"}, {"inspector"}}};
  else if (name == "compare") columns = {{{"branches"}, {"events", "faults", "console", "scenario", "notebook"}}, {{"topology", "logs", "groups"}, {"spacetime", "plots"}, {"beside"}}, {{"verdicts"}, {"inspector", "lesson"}}};
  else if (name == "present") columns = {{{"topology", "logs", "groups"}, {"spacetime", "plots", "events"}}, {{"verdicts", "inspector"}}};
  else columns = {{{"lesson", "scenario"}}, {{"topology", "logs", "groups"}, {"spacetime", "plots"}, {"events", "notebook", "branches"}}, {{"verdicts"}, {"inspector", "faults", "console"}}};
  QDockWidget* head_before = nullptr;
  std::vector<std::pair<QDockWidget*, std::vector<std::vector<QDockWidget*>>>> placed;
  for (const Column& column : columns) {
    std::vector<std::vector<QDockWidget*>> cells;
    for (const auto& tabs : column) {
      std::vector<QDockWidget*> cell;
      for (const char* t : tabs)
        if (QDockWidget* d = dock(QString::fromLatin1(t))) cell.push_back(d);
      if (!cell.empty()) cells.push_back(std::move(cell));
    }
    if (cells.empty()) continue;
    QDockWidget* head = cells.front().front();
    if (!head_before) addDockWidget(Qt::LeftDockWidgetArea, head);
    else splitDockWidget(head_before, head, Qt::Horizontal);
    head->show();
    head_before = head;
    placed.emplace_back(head, std::move(cells));
  }
  // Both futures lie side by side, their times below each other.
  const auto beside_it = [&](QDockWidget* d) {
    if (name != "compare" || d != dock("topology")) return;
    splitDockWidget(d, dock("beside_topology"), Qt::Horizontal);
    dock("beside_topology")->setTitleBarWidget(nullptr);
    dock("beside_topology")->show();
  };
  for (auto& [head, cells] : placed) {
    QDockWidget* above = head;
    for (auto& cell : cells) {
      if (cell.front() != head) {
        splitDockWidget(above, cell.front(), Qt::Vertical);
        cell.front()->show();
      }
      above = cell.front();
    }
    for (auto& cell : cells) beside_it(cell.front());
    for (auto& cell : cells) {
      // Tabs are titles enough.
      for (QDockWidget* d : cell) {
        if (QWidget* old = d->titleBarWidget()) {
          d->setTitleBarWidget(nullptr);
          old->deleteLater();
        }
        if (cell.size() > 1) d->setTitleBarWidget(new QWidget(d));
      }
      for (std::size_t i = 1; i < cell.size(); ++i) {
        tabifyDockWidget(cell[i - 1], cell[i]);
        cell[i]->show();
      }
      cell.front()->raise();
    }
  }
  apply_sizes();
  QTimer::singleShot(0, this, &MainWindow::apply_sizes);
}

void MainWindow::apply_sizes() {
  if (start_page_shown()) return;
  const int w = width(), h = height();
  const auto sizes = [&](std::initializer_list<std::pair<const char*, int>> wanted, Qt::Orientation o) {
    QList<QDockWidget*> docks;
    QList<int> pixels;
    for (const auto& [name, percent] : wanted)
      if (QDockWidget* d = dock(QString::fromLatin1(name))) {
        docks << d;
        pixels << (o == Qt::Horizontal ? w : h) * percent / 100;
      }
    resizeDocks(docks, pixels, o);
  };
  const bool pictures = dock("topology");
  const char* middle = pictures ? "topology" : "events";
  if (layout_ == "debug") {
    sizes({{"scenario", 30}, {middle, 42}, {"verdicts", 28}}, Qt::Horizontal);
    sizes({{"scenario", 56}, {"faults", 34}}, Qt::Vertical);
    sizes({{"topology", 32}, {"spacetime", 34}, {"events", 24}}, Qt::Vertical);
  } else if (layout_ == "compare") {
    sizes({{"branches", 24}, {middle, 25}, {"beside_topology", 25}, {"verdicts", 26}}, Qt::Horizontal);
    sizes({{"branches", 48}, {"events", 42}}, Qt::Vertical);
    sizes({{"topology", 28}, {"spacetime", 31}, {"beside", 33}}, Qt::Vertical);
  } else if (layout_ == "present") {
    sizes({{middle, 68}, {"verdicts", 32}}, Qt::Horizontal);
    sizes({{"topology", 45}, {"spacetime", 45}}, Qt::Vertical);
  } else {
    sizes({{"lesson", 30}, {middle, 42}, {"verdicts", 28}}, Qt::Horizontal);
    sizes({{"topology", 36}, {"spacetime", 32}, {"events", 22}}, Qt::Vertical);
  }
  if (layout_ == "compare") sizes({{"verdicts", 66}, {"inspector", 24}}, Qt::Vertical);
  else sizes({{"verdicts", 52}, {"inspector", 38}}, Qt::Vertical);
}

// Behind other tabs Qt puts panes beside the window, and calls them visible.
bool MainWindow::in_sight(const QDockWidget* d) const { return d && d->isVisible() && (d->isFloating() || rect().intersects(d->geometry())); }

std::vector<QDockWidget*> MainWindow::panes() const {
  std::vector<QDockWidget*> out;
  for (const QString& name : order_)
    if (QDockWidget* d = docks_.at(name); in_sight(d)) out.push_back(d);
  return out;
}

void MainWindow::next_pane(int direction) {
  const auto all = panes();
  if (all.empty()) return;
  std::ptrdiff_t now = -1;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (QWidget* f = QApplication::focusWidget(); f && all[i]->isAncestorOf(f)) now = static_cast<std::ptrdiff_t>(i);
  const auto n = static_cast<std::ptrdiff_t>(all.size());
  const auto to = now < 0 ? (direction > 0 ? 0 : n - 1) : (now + direction + n) % n;
  QDockWidget* d = all[static_cast<std::size_t>(to)];
  d->raise();
  QWidget* w = d->widget();
  while (w->focusProxy()) w = w->focusProxy();
  w->setFocus(Qt::ShortcutFocusReason);
  statusBar()->showMessage(d->windowTitle(), 1500);
}

bool MainWindow::settled() const {
  for (const PicturePane* p : pictures_)
    if (in_sight(qobject_cast<QDockWidget*>(p->parentWidget())) && !p->canvas()->settled()) return false;
  return !workspace_->running() && workspace_->session().idle() && (!workspace_->has_events() || (workspace_->moment() && workspace_->moment()->event == workspace_->event()));
}

// Text fields take Ctrl+K for themselves, to delete to the end of the line; here it finds commands wherever the keyboard is.
bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::ShortcutOverride) {
    const auto* key = static_cast<QKeyEvent*>(event);
    if (key->key() == Qt::Key_K && key->modifiers() == Qt::ControlModifier) {
      event->ignore();
      return true;
    }
  }
  return QMainWindow::eventFilter(watched, event);
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  QTimer::singleShot(0, this, &MainWindow::apply_sizes);
}

void MainWindow::closeEvent(QCloseEvent* event) {
  workspace_->stop();
  scenario_->keep();  // what was not saved comes back
  settings_->set_geometry(saveGeometry());
  settings_->sync();
  event->accept();
}

}  // namespace mqlab::gui
