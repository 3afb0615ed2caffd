#include "gui/qt/notebook.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QJsonObject>
#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>

#include <algorithm>

#include "gui/qt/empty_words.h"
#include "gui/qt/kept_list.h"

namespace mqlab::gui {

namespace {

KeptList list_in(const QString& file) { return KeptList(file, QStringLiteral("mqlab-notes/2"), QStringLiteral("notes")); }

// Of version 1 too, which had no `without`.
Note note_of(const QJsonObject& o) {
  Note n;
  n.path = o["scenario"].toString();
  n.case_name = o["case"].toString();
  n.design = o["design"].toString();
  if (o.contains("seed")) n.seed = o["seed"].toString().toULongLong();
  for (const QJsonValue& s : o["settings"].toArray()) n.settings << s.toString();
  for (const QJsonValue& s : o["by_hand"].toArray()) n.by_hand << s.toString();
  for (const QJsonValue& s : o["without"].toArray()) n.without.push_back(static_cast<std::size_t>(std::max(0, s.toInt())));
  n.fingerprint = o["fingerprint"].toString();
  n.event = o["event"].toString().toULongLong();
  n.time = o["time"].toString().toLongLong();
  n.text = o["text"].toString();
  return n;
}

QJsonObject json_of(const Note& n) {
  QJsonArray without;
  for (const std::size_t f : n.without) without.append(static_cast<int>(f));
  QJsonObject o{{"scenario", n.path}, {"case", n.case_name}, {"design", n.design}, {"settings", QJsonArray::fromStringList(n.settings)}, {"by_hand", QJsonArray::fromStringList(n.by_hand)}, {"without", without},
                {"fingerprint", n.fingerprint}, {"event", QString::number(n.event)}, {"time", QString::number(n.time)}, {"text", n.text}};
  if (n.seed) o["seed"] = QString::number(*n.seed);
  return o;
}

std::vector<Note> notes_of(const QJsonArray& all) {
  std::vector<Note> out;
  for (const QJsonValue& v : all) out.push_back(note_of(v.toObject()));
  return out;
}

QJsonArray json_of(const std::vector<Note>& notes) {
  QJsonArray all;
  for (const Note& n : notes) all.append(json_of(n));
  return all;
}

}  // namespace

std::vector<Note> read_notes(const QString& file, bool* damaged) { return notes_of(list_in(file).read(damaged)); }
bool write_notes(const QString& file, const std::vector<Note>& notes) { return list_in(file).write(json_of(notes)); }

namespace {

// Where a note stands that stood at `row`, and looks like this: there, unless another window moved it.
std::size_t place_of(const std::vector<Note>& all, const Note& note, std::size_t row) {
  if (row < all.size() && all[row] == note) return row;
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), note) - all.begin());
}

}  // namespace

NotebookPane::NotebookPane(Workspace* w, const QString& file, QWidget* parent)
    : QWidget(parent), workspace_(w), file_(file), notes_(read_notes(file)), list_(new QListWidget(this)), text_(new QPlainTextEdit(this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  auto* split = new QSplitter(Qt::Horizontal, this);
  list_->setFrameShape(QFrame::NoFrame);
  list_->setAccessibleName(tr("Notes"));
  text_->setFrameShape(QFrame::NoFrame);
  text_->setAccessibleName(tr("Text of the note"));
  text_->setPlaceholderText(tr("What is there to say about this event?"));
  auto* left = new QWidget(split);
  auto* column = new QVBoxLayout(left);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(2);
  column->addWidget(list_);
  new EmptyWords(list_, [] { return tr("No notes yet. M marks the event in focus, N writes a note; a click on one returns there."); });
  auto* row = new QHBoxLayout;
  auto* add = new QPushButton(tr("Note here (N)"), left);
  auto* remove = new QPushButton(tr("Remove"), left);
  row->addWidget(add);
  row->addWidget(remove);
  row->addStretch();
  column->addLayout(row);
  split->addWidget(left);
  split->addWidget(text_);
  split->setStretchFactor(0, 1);
  split->setStretchFactor(1, 1);
  layout->addWidget(split);
  setFocusProxy(list_);
  connect(add, &QPushButton::clicked, this, &NotebookPane::add_note);
  connect(remove, &QPushButton::clicked, this, [this] {
    const int row = list_->currentRow();
    if (row < 0 || static_cast<std::size_t>(row) >= notes_.size()) return;
    const Note gone = notes_[static_cast<std::size_t>(row)];
    change([&](std::vector<Note>& all) {
      const std::size_t at = place_of(all, gone, static_cast<std::size_t>(row));
      if (at < all.size()) all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
    });
    show_list();
  });
  connect(list_, &QListWidget::itemActivated, this, [this] {
    const int row = list_->currentRow();
    if (row >= 0 && static_cast<std::size_t>(row) < notes_.size()) emit return_to(notes_[static_cast<std::size_t>(row)]);
  });
  connect(list_, &QListWidget::itemClicked, list_, &QListWidget::itemActivated);
  connect(list_, &QListWidget::currentRowChanged, this, [this](int row) {
    filling_ = true;
    const bool there = row >= 0 && static_cast<std::size_t>(row) < notes_.size();
    text_->setPlainText(there ? notes_[static_cast<std::size_t>(row)].text : QString());
    text_->setEnabled(there);
    filling_ = false;
  });
  connect(text_, &QPlainTextEdit::textChanged, this, [this] {
    const int row = list_->currentRow();
    if (filling_ || row < 0 || static_cast<std::size_t>(row) >= notes_.size()) return;
    const Note before = notes_[static_cast<std::size_t>(row)];
    Note now = before;
    now.text = text_->toPlainText();
    std::size_t at = 0;
    change([&](std::vector<Note>& all) {
      at = place_of(all, before, static_cast<std::size_t>(row));
      if (at < all.size()) all[at] = now;
      else all.push_back(now);  // removed in another window while it was written here
    });
    list_->blockSignals(true);
    show_list();
    list_->setCurrentRow(static_cast<int>(at));
    list_->blockSignals(false);
  });
  show_list();
}

Note NotebookPane::here() const {
  Note n;
  const RunSpec& spec = workspace_->session().branch(workspace_->session().current()).spec;
  n.path = QString::fromStdString(spec.path);
  n.case_name = QString::fromStdString(spec.case_name);
  n.design = QString::fromStdString(spec.design);
  if (spec.seed) n.seed = *spec.seed;
  for (const Setting& s : spec.settings) n.settings << QString::fromStdString(describe(s));
  for (const Intervention& i : spec.interventions) n.by_hand << QString::fromStdString(i.lua());
  n.without = spec.without;
  n.fingerprint = QString::fromStdString(workspace_->recording()->result().fingerprint.text());
  n.event = workspace_->event();
  n.time = workspace_->time();
  return n;
}

void NotebookPane::add_mark() {
  if (!workspace_->has_events()) {
    emit workspace_->told(tr("There is no event to mark yet: run a scenario first."));
    return;
  }
  change([note = here()](std::vector<Note>& all) { all.push_back(note); });
  show_list();
  list_->setCurrentRow(static_cast<int>(notes_.size()) - 1);
}

void NotebookPane::add_note() {
  const std::size_t before = notes_.size();
  add_mark();
  if (notes_.size() > before) text_->setFocus();
}

void NotebookPane::show_list() {
  const int row = list_->currentRow();
  list_->blockSignals(true);
  list_->clear();
  for (const Note& n : notes_) {
    QString line = QStringLiteral("%1  #%2  %3").arg(QString::fromStdString(format_time(n.time))).arg(n.event).arg(QFileInfo(n.path).completeBaseName());
    if (!n.case_name.isEmpty()) line += ", " + n.case_name;
    if (!n.text.isEmpty()) line += ": " + n.text.section('\n', 0, 0);
    auto* item = new QListWidgetItem(line, list_);
    item->setToolTip(tr("Click to go back there") + (n.by_hand.isEmpty() ? QString() : "\n" + n.by_hand.join('\n')));
  }
  list_->setCurrentRow(notes_.empty() ? -1 : std::clamp(row, 0, static_cast<int>(notes_.size()) - 1));
  list_->blockSignals(false);
  text_->setEnabled(!notes_.empty());
  if (notes_.empty()) {
    filling_ = true;
    text_->clear();
    filling_ = false;
  }
}

void NotebookPane::change(const std::function<void(std::vector<Note>&)>& f) {
  const QString wrong = list_in(file_).change(
      [&](QJsonArray& all) {
        std::vector<Note> now = notes_of(all);
        f(now);
        notes_ = std::move(now);
        all = json_of(notes_);
      },
      [this] { return json_of(notes_); });
  if (!wrong.isEmpty()) emit workspace_->told(wrong);
}

}  // namespace mqlab::gui
