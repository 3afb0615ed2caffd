#include "gui/qt/scenario_pane.h"

#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <QVBoxLayout>

namespace mqlab::gui {

ScenarioPane::ScenarioPane(const QString& folder, QWidget* parent)
    : QWidget(parent), editor_(new LuaEditor(this)), error_(new QLabel(this)), head_(new QLabel(this)), recovery_(folder) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  editor_->setFrameShape(QFrame::NoFrame);
  head_->setObjectName(QStringLiteral("remark"));
  error_->setObjectName(QStringLiteral("error"));
  error_->setWordWrap(true);
  error_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::LinksAccessibleByMouse);
  error_->hide();
  layout->addWidget(head_);
  layout->addWidget(editor_, 1);
  layout->addWidget(error_);
  setFocusProxy(editor_);
  keeping_.setSingleShot(true);
  keeping_.setInterval(400);
  connect(&keeping_, &QTimer::timeout, this, &ScenarioPane::keep);
  connect(editor_, &QPlainTextEdit::textChanged, this, [this] {
    if (filling_) return;
    if (!keeping_.isActive()) keeping_.start();  // not put off by further typing
    show_head();
    emit text_changed();
    emit modified_changed();
  });
  connect(error_, &QLabel::linkActivated, this, [this](const QString&) { editor_->go_to_line(editor_->error_line()); });
  show_head();
}

bool ScenarioPane::modified() const { return editor_->toPlainText() != saved_; }

void ScenarioPane::show_head() {
  const QString name = path_.isEmpty() ? tr("(no file)") : QFileInfo(path_).fileName();
  head_->setText(!modified() ? name : kept_ ? tr("%1  · not saved (Ctrl+S saves and runs)").arg(name) : tr("%1  · not saved, and would be lost: %2 can't be written").arg(name, recovery_.file()));
  head_->setToolTip(path_);
}

void ScenarioPane::show_text(const QString& path, const QString& text) {
  keeping_.stop();
  filling_ = true;
  path_ = path;
  saved_ = text;
  editor_->setPlainText(text);
  editor_->clear_error();
  filling_ = false;
  leave_what_was_left();
  recovery_.clear();
  clear_error();
  show_head();
  emit text_changed();
  emit modified_changed();
}

void ScenarioPane::show_unsaved(const QString& name, const QString& text) {
  show_text(QString(), text);
  head_->setText(tr("%1  · from the lesson, not a file").arg(name));
}

QString ScenarioPane::save_to(const QString& path) {
  QSaveFile f(path);
  const QByteArray bytes = text().toUtf8();
  if (!f.open(QIODevice::WriteOnly) || f.write(bytes) != bytes.size() || !f.commit()) return tr("%1 could not be written: %2").arg(path, f.errorString());
  path_ = path;
  saved_ = text();
  keeping_.stop();
  leave_what_was_left();
  recovery_.clear();
  show_head();
  emit modified_changed();
  return {};
}

void ScenarioPane::keep() {
  keeping_.stop();
  leave_what_was_left();
  const bool kept = !modified() || recovery_.write({path_, text()});
  if (!modified()) recovery_.clear();
  if (kept == kept_) return;
  kept_ = kept;
  show_head();
}

void ScenarioPane::leave_what_was_left() {
  if (takes_over_ && recovery_.left_behind()) recovery_.leave_it();
  takes_over_ = false;
}

namespace {

bool same_file(const QString& a, const QString& b) {
  if (QFileInfo(a).absoluteFilePath() == QFileInfo(b).absoluteFilePath()) return true;
  const QString real = QFileInfo(a).canonicalFilePath();  // empty: there is none
  return !real.isEmpty() && real == QFileInfo(b).canonicalFilePath();
}

}  // namespace

bool ScenarioPane::recover(const QString& path) {
  const auto lost = recovery_.left_behind();
  if (!lost || (!path.isEmpty() && !same_file(path, lost->path))) return false;
  takes_over_ = false;
  QFile f(lost->path);
  const QString on_disk = !lost->path.isEmpty() && f.open(QIODevice::ReadOnly) ? QString::fromUtf8(f.readAll()) : QString();
  if (on_disk == lost->text) {
    recovery_.clear();
    return false;
  }
  filling_ = true;
  path_ = lost->path;
  saved_ = on_disk;
  editor_->setPlainText(lost->text);
  filling_ = false;
  show_head();
  emit text_changed();
  emit modified_changed();
  return true;
}

void ScenarioPane::show_error(int line, const QString& text) {
  editor_->set_error(line, text);
  if (line > 0) editor_->go_to_line(line);
  error_->setText(line > 0 ? QStringLiteral("<a href='line'>line %1</a>: %2").arg(line).arg(text.toHtmlEscaped()) : text.toHtmlEscaped());
  error_->show();
}

void ScenarioPane::clear_error() {
  editor_->clear_error();
  error_->hide();
}

}  // namespace mqlab::gui
