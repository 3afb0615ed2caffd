#include "gui/qt/finder.h"

#include <QKeyEvent>
#include <QVBoxLayout>

#include <algorithm>

namespace mqlab::gui {

std::optional<int> fuzzy_score(const QString& letters, const QString& text) {
  int score = 0;
  qsizetype at = 0, last = -2;
  for (const QChar c : letters) {
    if (c.isSpace()) continue;
    qsizetype best = -1;
    // The beginning of a word, if one follows; else the next such letter.
    for (qsizetype i = at; i < text.size(); ++i) {
      if (text[i].toLower() != c.toLower()) continue;
      const bool begins = i == 0 || !text[i - 1].isLetterOrNumber();
      if (best < 0) best = i;
      if (i == last + 1 || begins) {
        best = i;
        break;
      }
    }
    if (best < 0) return std::nullopt;
    score += best == last + 1 ? 5 : 0;
    score += best == 0 || !text[best - 1].isLetterOrNumber() ? 4 : 0;
    score += 1;
    last = best;
    at = best + 1;
  }
  return score * 100 - static_cast<int>(std::min<qsizetype>(text.size(), 99));
}

Finder::Finder(const QString& title, std::vector<FinderEntry> entries, QWidget* parent) : QDialog(parent), entries_(std::move(entries)) {
  setWindowTitle(title);
  setAttribute(Qt::WA_DeleteOnClose);
  auto* layout = new QVBoxLayout(this);
  line_ = new QLineEdit(this);
  line_->setPlaceholderText(tr("A few letters; Enter takes the first"));
  line_->setAccessibleName(title);
  line_->installEventFilter(this);
  list_ = new QListWidget(this);
  list_->setUniformItemSizes(true);
  list_->setAccessibleName(tr("What fits"));
  detail_ = new QTextBrowser(this);
  // As high as what there is to say, within limits.
  qsizetype lines = 0;
  for (const FinderEntry& e : entries_) lines = std::max(lines, e.detail.count('\n') + 1);
  detail_->setFixedHeight(fontMetrics().lineSpacing() * static_cast<int>(std::clamp<qsizetype>(lines, 2, 9)) + 14);
  layout->addWidget(line_);
  layout->addWidget(list_, 1);
  layout->addWidget(detail_);
  detail_->setVisible(std::any_of(entries_.begin(), entries_.end(), [](const FinderEntry& e) { return !e.detail.isEmpty(); }));
  connect(line_, &QLineEdit::textChanged, this, &Finder::show_list);
  connect(line_, &QLineEdit::returnPressed, this, &Finder::act);
  connect(list_, &QListWidget::itemActivated, this, &Finder::act);
  connect(list_, &QListWidget::currentRowChanged, this, [this](int row) {
    detail_->setPlainText(row >= 0 && static_cast<std::size_t>(row) < shown_.size() ? entries_[shown_[static_cast<std::size_t>(row)]].detail : QString());
  });
  resize(620, 460);
  show_list();
}

std::vector<std::size_t> Finder::fitting(const QString& letters) const {
  std::vector<std::pair<int, std::size_t>> all;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (const auto s = fuzzy_score(letters, entries_[i].text + ' ' + entries_[i].hint)) all.emplace_back(letters.isEmpty() ? 0 : -*s, i);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::size_t> out;
  for (const auto& [score, i] : all) out.push_back(i);
  return out;
}

void Finder::show_list() {
  shown_ = fitting(line_->text());
  list_->clear();
  for (const std::size_t i : shown_) list_->addItem(entries_[i].hint.isEmpty() ? entries_[i].text : QStringLiteral("%1   —   %2").arg(entries_[i].text, entries_[i].hint));
  if (!shown_.empty()) list_->setCurrentRow(0);
}

void Finder::act() {
  const int row = list_->currentRow();
  if (row < 0 || static_cast<std::size_t>(row) >= shown_.size()) return;
  const auto act = entries_[shown_[static_cast<std::size_t>(row)]].act;
  accept();
  if (act) act();
}

bool Finder::eventFilter(QObject* watched, QEvent* event) {
  if (watched == line_ && event->type() == QEvent::KeyPress) {
    const auto* key = static_cast<QKeyEvent*>(event);
    if (key->key() == Qt::Key_Up || key->key() == Qt::Key_Down || key->key() == Qt::Key_PageUp || key->key() == Qt::Key_PageDown) {
      const int by = key->key() == Qt::Key_Up ? -1 : key->key() == Qt::Key_Down ? 1 : key->key() == Qt::Key_PageUp ? -10 : 10;
      list_->setCurrentRow(std::clamp(list_->currentRow() + by, 0, std::max(0, list_->count() - 1)));
      return true;
    }
  }
  return QDialog::eventFilter(watched, event);
}

}  // namespace mqlab::gui
