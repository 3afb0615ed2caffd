// gui/qt/main_window_scenarios.cpp: scenarios in the window: opened, saved, run, returned to from a note, broken by hand and written back.
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>

#include "gui/core/by_hand.h"
#include "gui/core/write_back.h"
#include "gui/qt/main_window.h"
#include "gui/qt/scenario_files.h"
#include "kit/models.h"

namespace mqlab::gui {

bool MainWindow::may_leave_text() {
  if (!scenario_->modified()) return true;
  const auto answer = QMessageBox::question(this, tr("Not saved"), tr("The text of the scenario was changed and is not saved."), QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Save);
  if (answer == QMessageBox::Cancel) return false;
  if (answer == QMessageBox::Save) save(false);
  return answer == QMessageBox::Discard || !scenario_->modified();
}

bool MainWindow::open_scenario(const QString& path, bool run_it) {
  QString wrong;
  const QString text = read_scenario(path, &wrong);
  if (!wrong.isEmpty()) {
    emit workspace_->told(wrong);
    return false;
  }
  scenario_->show_text(path, text);
  workspace_->open(path, text);
  settings_->add_recent(QFileInfo(path).absoluteFilePath());
  if (run_it) {
    run();
    look_at_run();
  }
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
    text = read_scenario(path, &wrong);
    if (!wrong.isEmpty()) return emit workspace_->told(wrong);
    scenario_->show_text(path, text);
  } else {
    scenario_->show_unsaved(step.name, text);
    path = step.name;
  }
  workspace_->open(path, text);
  workspace_->set_seed(step.seed);
  for (const Setting& s : std::vector<Setting>(workspace_->wanted().settings)) workspace_->set_option(QString::fromStdString(s.name), {});
  if (const QStringList& cases = workspace_->cases(); !cases.isEmpty()) workspace_->set_case(step.case_name.isEmpty() ? cases.first() : step.case_name);
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
  for (const Setting& s : std::vector<Setting>(workspace_->wanted().settings)) workspace_->set_option(QString::fromStdString(s.name), {});
  for (const QString& s : note.settings) workspace_->set_option(s.section('=', 0, 0), s.section('=', 1));
  workspace_->set_text(scenario_->text());
  std::vector<Intervention> by_hand;
  try {
    std::vector<std::string> lines;
    for (const QString& l : note.by_hand) lines.push_back(l.toStdString());
    by_hand = read_interventions(lines, workspace_->wanted(), all_models());
  } catch (const InputError& e) {
    return emit workspace_->told(tr("What was done by hand can't be done again: %1").arg(QString::fromStdString(e.message)));
  }
  go_when_ready_ = QStringLiteral("#%1").arg(note.event);
  auto* once = new QObject(this);
  connect(workspace_, &Workspace::run_changed, once, [this, once, note] {
    once->deleteLater();
    const QString fingerprint = QString::fromStdString(workspace_->recording()->result().fingerprint.text());
    const auto hands = note.by_hand.size();
    if (fingerprint != note.fingerprint) emit workspace_->told(tr("This is not the run of the note: its fingerprint is %1, the note's %2. The scenario, or mqlab, has changed since.").arg(fingerprint.left(8), note.fingerprint.left(8)));
    else emit workspace_->told(hands == 0 ? tr("The same run as when the note was made: fingerprint %1.").arg(fingerprint.left(8))
                                          : hands == 1 ? tr("The same run as when the note was made, with the fault by hand: fingerprint %1.").arg(fingerprint.left(8))
                                                       : tr("The same run as when the note was made, with %1 faults by hand: fingerprint %2.").arg(hands).arg(fingerprint.left(8)));
  });
  workspace_->run_with(std::move(by_hand), note.without);
}

void MainWindow::write_back() {
  const Session& s = workspace_->session();
  if (!s.has(s.current()) || s.branch(s.current()).spec.interventions.empty()) return emit workspace_->told(tr("Nothing was done by hand in this run."));
  // It is run once more, to see that it is the same.
  emit workspace_->told(tr("What was done by hand is written as Lua, and tried …"));
  const auto tell = [w = workspace_](const QString& words) -> Background::Answer { return [w, words] { emit w->told(words); }; };
  workspace_->background().ask(Background::Subject::write_back, [this, tell, r = workspace_->recording(), text = scenario_->text()](const CallOff&) -> Background::Answer {
    try {
      return [this, w = gui::write_back(*r, all_models()), text] { take_written_back(w, text); };
    } catch (const InputError& e) {
      return tell(QString::fromStdString(e.message));
    }
  });
}

void MainWindow::take_written_back(const WrittenBack& w, const QString& text_before) {
  if (scenario_->text() != text_before) return emit workspace_->told(tr("The text was changed meanwhile, and is left as it is. Write into it once more."));
  scenario_->editor()->replace_text(QString::fromStdString(w.text));
  if (w.first_line > 0) scenario_->editor()->go_to_line(w.first_line);
  emit workspace_->told(w.whole ? tr("The run is written as a scenario of its own: its text has no plain list of faults. Ctrl+S saves it.")
                                : w.lines == 1 ? tr("The fault stands in the scenario now, and gives the same run. Ctrl+S saves it.") : tr("%1 faults stand in the scenario now, and give the same run. Ctrl+S saves it.").arg(w.lines));
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

}  // namespace mqlab::gui
