// gui/qt/panes.h: events, verdicts, the inspector, futures: the tables of a run, each obeying the one focus and setting it.
#pragma once

#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QSplitter>
#include <QTableView>
#include <QTimer>
#include <QWidget>

#include "gui/qt/branch_model.h"
#include "gui/qt/event_model.h"
#include "gui/qt/inspector_model.h"
#include "gui/qt/lessons.h"
#include "gui/qt/verdict_model.h"
#include "gui/qt/what_if_page.h"
#include "gui/qt/workspace.h"

namespace mqlab::gui {

// A table of fixed row height, without what a million rows would make slow.
void dress_table(QTableView* view);

class EventPane : public QWidget {
  Q_OBJECT

 public:
  explicit EventPane(Workspace* w, QWidget* parent = nullptr);
  void set_theme(Theme l) { model_->set_theme(l); }
  void focus_filter();
  EventModel* model() const { return model_; }
  QTableView* view() const { return view_; }

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fit_columns();
  void fit_head();
  void show_event();
  void show_count();

  Workspace* workspace_;
  EventModel* model_;
  QTableView* view_;
  QBoxLayout* head_;
  QLineEdit* filter_;
  QCheckBox* routine_;
  QLabel* count_;
  QTimer typing_;
  bool following_ = false;
};

class VerdictPane : public QWidget {
  Q_OBJECT

 public:
  explicit VerdictPane(Workspace* w, QWidget* parent = nullptr);
  void set_theme(Theme l);
  VerdictModel* model() const { return model_; }
  QTableView* view() const { return view_; }
  // In RunResult::verdicts; the one whose evidence is shown; none: verdicts.size().
  std::size_t chosen() const;
  // Moves the focus to the event that tells most of this breach (telling_event).
  void go_to_witness();
  QTextBrowser* page() const { return page_; }
  QLineEdit* setting_field() const { return setting_; }

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fit_columns();
  void choose(int row);
  void show_page();

  Workspace* workspace_;
  VerdictModel* model_;
  QTableView* view_;
  PageBrowser* page_;
  WhatIfPage* what_if_;
  QWidget* setting_row_;
  QLineEdit* setting_;
  QLabel* summary_;
  Theme theme_ = Theme::light;
};

class InspectorPane : public QWidget {
  Q_OBJECT

 public:
  explicit InspectorPane(Workspace* w, QWidget* parent = nullptr);
  void set_theme(Theme l);
  InspectorModel* model() const { return model_; }

 private:
  void show_state();
  void show_event();

  Workspace* workspace_;
  InspectorModel* model_;
  QTableView* view_;
  QComboBox* node_;
  PageBrowser* event_;
  QTimer settling_;
};

class BranchPane : public QWidget {
  Q_OBJECT

 public:
  explicit BranchPane(Workspace* w, QWidget* parent = nullptr);
  void set_theme(Theme l);

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fit_columns();

  Workspace* workspace_;
  BranchModel* model_;
  QTableView* view_;
  QTableView* verdicts_;
  QSplitter* split_ = nullptr;
  QLabel* remark_;
  class VerdictTable* table_;
};

}  // namespace mqlab::gui
