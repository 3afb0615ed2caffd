// gui/qt/main_window_actions.cpp: what the actions of the table (actions.h) do, and the menus they stand in.
#include <QApplication>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenuBar>
#include <QMessageBox>
#include <QSaveFile>
#include <QStatusBar>
#include <QVBoxLayout>

#include <algorithm>

#include "gui/core/run_page.h"
#include "gui/qt/finder.h"
#include "gui/qt/main_window.h"
#include "gui/qt/save_picture.h"
#include "gui/qt/scenario_files.h"

namespace mqlab::gui {

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

void MainWindow::connect_actions() {
  connect_file_actions();
  connect_edit_actions();
  connect_run_actions();
  connect_fault_actions();
  connect_view_actions();
  connect_lesson_actions();
  connect_help_actions();
}

void MainWindow::connect_file_actions() {
  on("file.new", [this] {
    if (!may_leave_text()) return;
    scenario_->show_text({}, first_scenario());
    workspace_->open({}, scenario_->text());
    show_start_page(false);
    run();
    dock("scenario")->show();
    dock("scenario")->raise();
    scenario_->editor()->setFocus();
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
      const QString text = read_scenario(path, &wrong);
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
    if (workspace_->background().busy(Background::Subject::page)) return emit workspace_->told(tr("The page before is still being written."));
    const QString path = QFileDialog::getSaveFileName(this, tr("Write the run as a page"), QFileInfo(scenario_->path()).completeBaseName() + ".html", tr("Pages (*.html)"));
    if (path.isEmpty()) return;
    workspace_->background().ask(Background::Subject::page, [w = workspace_, run = workspace_->index(), path](const CallOff&) -> Background::Answer {
      const QByteArray page = QByteArray::fromStdString(run_page(*run, {.version = MQLAB_VERSION}));
      QSaveFile f(path);
      const bool written = f.open(QIODevice::WriteOnly) && f.write(page) == page.size() && f.commit();
      return [w, words = written ? tr("Written: %1").arg(path) : tr("%1 could not be written: %2").arg(path, f.errorString())] { emit w->told(words); };
    });
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
}

void MainWindow::connect_edit_actions() {
  Workspace* w = workspace_;
  on("edit.find", [this] {
    dock("events")->show();
    dock("events")->raise();
    events_->focus_filter();
  });
  on("edit.clear", [this, w] {
    if (w->searching()) return w->call_off_search();
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
}

void MainWindow::connect_run_actions() {
  Workspace* w = workspace_;
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
  on("run.next_dropped", go("next dropped"));
  on("run.previous_dropped", go("previous dropped"));
  on("run.go_to", [this] { time_bar_->focus_go_to(); });
  on("run.faster", [w] { w->set_speed(w->speed() * 2); });
  on("run.slower", [w] { w->set_speed(w->speed() / 2); });
}

void MainWindow::connect_fault_actions() {
  Workspace* w = workspace_;
  const std::pair<const char*, FaultKind> by_hand[] = {{"fault.kill", FaultKind::kill}, {"fault.isolate", FaultKind::isolate}, {"fault.pause", FaultKind::pause},
                                                       {"fault.slow", FaultKind::slow}, {"fault.power", FaultKind::power}, {"fault.restart", FaultKind::restart},
                                                       {"fault.heal", FaultKind::heal}, {"fault.disk_stall", FaultKind::disk_stall}, {"fault.clock_jump", FaultKind::clock_jump}};
  for (const auto& [id, kind] : by_hand) on(id, [this, k = kind] { act_on_focus(k); });
  on("fault.latency_up", [this] { topology_->turn(KnobKind::latency, 1); });
  on("fault.latency_down", [this] { topology_->turn(KnobKind::latency, -1); });
  on("fault.loss_up", [this] { topology_->turn(KnobKind::loss, 1); });
  on("fault.loss_down", [this] { topology_->turn(KnobKind::loss, -1); });
  on("fault.undo", [w] { w->take_back(); });
  on("fault.write_back", [this] { write_back(); });
  connect(faults_, &FaultPalette::write_back_asked, this, &MainWindow::write_back);
  on("fault.list", [this] {
    dock("faults")->show();
    dock("faults")->raise();
    faults_->setFocus();
  });
}

void MainWindow::connect_view_actions() {
  Workspace* w = workspace_;
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
}

void MainWindow::connect_lesson_actions() {
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
}

void MainWindow::connect_help_actions() {
  on("help.commands", [this] {
    std::vector<FinderEntry> entries;
    for (std::size_t i = 0; i < action_table().size(); ++i) {
      QAction* a = actions_.all()[i];
      entries.push_back({QStringLiteral("%1: %2").arg(QLatin1String(action_table()[i].group), a->text()), keys_text(action_table()[i]), QString::fromUtf8(action_table()[i].tip), [a] { a->trigger(); }});
    }
    for (const QString& name : order_)
      entries.push_back({tr("Pane: %1").arg(docks_[name]->windowTitle()), {}, {}, [this, name] {
                           show_start_page(false);
                           docks_[name]->show();
                           docks_[name]->raise();
                           docks_[name]->widget()->setFocus(Qt::ShortcutFocusReason);
                         }});
    for (const Lesson& l : lessons()) entries.push_back({QStringLiteral("Lesson: %1").arg(l.title), l.group, {}, [this, id = l.id] { show_lesson(id); }});
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

}  // namespace mqlab::gui
