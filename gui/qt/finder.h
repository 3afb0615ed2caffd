// gui/qt/finder.h: find a thing by a few letters of its name: a command, a scenario.
#pragma once

#include <QDialog>
#include <QLineEdit>
#include <QListWidget>
#include <QTextBrowser>

#include <functional>
#include <optional>
#include <vector>

namespace mqlab::gui {

// How well letters fit a text: they must occur in it in their order; beginnings of words and neighbours count more. Nothing when
// they do not. Upper and lower case alike; an empty pattern fits all alike.
std::optional<int> fuzzy_score(const QString& letters, const QString& text);

struct FinderEntry {
  QString text;
  QString hint;    // beside it: keys, a title
  QString detail;  // shown below while it is chosen; may be empty
  std::function<void()> act;
};

class Finder : public QDialog {
  Q_OBJECT

 public:
  Finder(const QString& title, std::vector<FinderEntry> entries, QWidget* parent = nullptr);
  // The entries that fit what is typed, best first.
  std::vector<std::size_t> fitting(const QString& letters) const;
  void type(const QString& letters) { line_->setText(letters); }
  void act();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void show_list();

  std::vector<FinderEntry> entries_;
  std::vector<std::size_t> shown_;
  QLineEdit* line_;
  QListWidget* list_;
  QTextBrowser* detail_;
};

}  // namespace mqlab::gui
