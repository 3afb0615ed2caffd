#include "gui/qt/actions.h"

#include <QKeySequence>
#include <QStringList>

#include <cassert>

namespace mqlab::gui {

const std::vector<ActionDecl>& action_table() {
  static const std::vector<ActionDecl> all = {
      {"file.new", "New scenario", {"Ctrl+N"}, "File", "Begins a scenario from a small one that runs."},
      {"file.open", "Open", {"Ctrl+O"}, "File", "Opens a scenario, a Lua file."},
      {"file.library", "Library of scenarios", {"Ctrl+L"}, "File", "All scenarios that come with the lab, to search and open."},
      {"file.save", "Save and run", {"Ctrl+S"}, "File", "Writes the scenario to its file, and runs it."},
      {"file.save_as", "Save as", {"Ctrl+Shift+S"}, "File", "Writes the scenario to another file."},
      {"file.page", "Write as a page", {"Ctrl+E"}, "File", "Writes the run as one HTML file: verdicts, story, picture, scenario; it needs nothing else."},
      {"file.picture", "Save a picture", {"Ctrl+Shift+E"}, "File", "Writes the picture that has the keyboard (else the first in sight) as SVG or PNG."},
      {"file.start", "Start page", {"Ctrl+Home"}, "File", "Lessons, recent runs, and what to do first."},
      {"file.quit", "Quit", {"Ctrl+Q"}, "File", "Closes the window; what was not saved comes back at the next start."},

      {"edit.find", "Find", {"Ctrl+F", "/"}, "Edit", "Shows only events whose text contains a word."},
      {"edit.clear", "Clear selection and filter", {"Esc"}, "Edit", "Calls off a search; else clears the selection, then the filter."},
      {"edit.back", "Back", {"Alt+Left"}, "Edit", "Goes back to what was looked at before."},
      {"edit.forward", "Forward", {"Alt+Right"}, "Edit", "Goes forward again."},
      {"edit.note", "Write a note", {"N"}, "Edit", "Pins a note to the run and the event in focus."},
      {"edit.mark", "Mark this event", {"M"}, "Edit", "Pins the event in focus to the notebook, without words."},

      {"run.run", "Run", {"Ctrl+R", "F5"}, "Run", "Runs the scenario from its beginning, with the case, the seed and the settings chosen."},
      {"run.play", "Play or pause", {"Space"}, "Run", "Moves the play-head through the run; the run itself is not changed by it.", true},
      {"run.forward", "Step forward", {"."}, "Run", "Goes to the next event."},
      {"run.back", "Step back", {","}, "Run", "Goes to the event before."},
      {"run.forward_node", "Step forward on the same node", {"Shift+.", ">"}, "Run", "Goes to the next event on the line of the event in focus."},
      {"run.back_node", "Step back on the same node", {"Shift+,", "<"}, "Run", "Goes to the event before on the line of the event in focus."},
      {"run.forward_message", "Next of the same message", {"Ctrl+."}, "Run", "Goes to where the message in focus is seen next by a client."},
      {"run.back_message", "Previous of the same message", {"Ctrl+,"}, "Run", "Goes to where the message in focus was seen before by a client."},
      {"run.cause", "Cause", {"["}, "Run", "Goes to the event that made the one in focus happen."},
      {"run.effect", "Effect", {"]"}, "Run", "Goes to the first event that the one in focus made happen."},
      {"run.first", "First event", {"Home"}, "Run", "Goes to the beginning of the run."},
      {"run.last", "Last event", {"End"}, "Run", "Goes to the end of the run."},
      {"run.go_to", "Go to", {"G"}, "Run", "Goes to 130ms, +2ms, #87, next violation, or to where a sentence is true: isr orders/0 < 3."},
      {"run.next_violation", "Next violation", {"V"}, "Run", "Goes to the next event at which a guarantee is broken for certain."},
      {"run.previous_violation", "Previous violation", {"Shift+V"}, "Run", "Goes back to the event before at which a guarantee was broken."},
      {"run.next_dropped", "Next dropped message", {"X"}, "Run", "Goes to where the next message was over that never arrived."},
      {"run.previous_dropped", "Previous dropped message", {"Shift+X"}, "Run", "Goes back to the message before that never arrived."},
      {"run.faster", "Faster", {"+"}, "Run", "Doubles the speed of the play-head."},
      {"run.slower", "Slower", {"-"}, "Run", "Halves the speed of the play-head."},

      {"fault.kill", "Kill", {"1"}, "Faults", "The process of the node in focus dies here; its memory is lost."},
      {"fault.isolate", "Isolate", {"2"}, "Faults", "The node in focus is cut from all others from here on."},
      {"fault.pause", "Pause", {"3"}, "Faults", "The node in focus stands still from here on, while the world goes on."},
      {"fault.slow", "Slow", {"4"}, "Faults", "The node in focus takes ten times as long for all that it does."},
      {"fault.power", "Power loss", {"5"}, "Faults", "The machine of the node in focus loses power: what was not synced is gone."},
      {"fault.restart", "Restart", {"6"}, "Faults", "The process of the node in focus begins again."},
      {"fault.heal", "Heal", {"7"}, "Faults", "Ends all faults of the network."},
      {"fault.disk_stall", "Stall the disk", {"8"}, "Faults", "The disk of the node in focus answers nothing from here on."},
      {"fault.clock_jump", "Jump the clock", {"9"}, "Faults", "The wall clock of the node in focus jumps a minute ahead."},
      {"fault.latency_up", "More latency", {"L"}, "Faults", "Turns the latency of the links in focus (else of all) up by a stop, from here on."},
      {"fault.latency_down", "Less latency", {"Shift+L"}, "Faults", "Turns the latency of the links in focus down by a stop, from here on; at last it is as it was."},
      {"fault.loss_up", "More loss", {"D"}, "Faults", "Of the links in focus (else of all) more messages are lost, from here on."},
      {"fault.loss_down", "Less loss", {"Shift+D"}, "Faults", "Of the links in focus fewer messages are lost, from here on; at last it is as it was."},
      {"fault.undo", "Take back the last fault", {"Ctrl+Z"}, "Faults", "Runs again without the last fault that was made by hand."},
      {"fault.write_back", "Write faults into the scenario", {"Ctrl+B"}, "Faults", "Writes the faults made by hand into the text of the scenario, as Lua."},
      {"fault.list", "All kinds of faults", {"Ctrl+Shift+F"}, "Faults", "Shows the list of all kinds of faults, to act on a node or a link."},

      {"view.learn", "Layout: learn", {"Alt+1"}, "View", "The lesson, the pictures, and the verdicts."},
      {"view.debug", "Layout: debug", {"Alt+2"}, "View", "The scenario, the pictures, the events, and the inspector."},
      {"view.compare", "Layout: compare", {"Alt+3"}, "View", "Two futures, side by side."},
      {"view.present", "Layout: present", {"Alt+4"}, "View", "The pictures and the verdicts, large."},
      {"view.next_pane", "Next pane", {"F6"}, "View", "Moves the keyboard to the next pane."},
      {"view.previous_pane", "Previous pane", {"Shift+F6"}, "View", "Moves the keyboard to the pane before."},
      {"view.fit", "Fit", {"F"}, "View", "Shows the whole run; once more: what is around the focus."},
      {"view.order", "Order instead of time", {"O"}, "View", "In the space-time diagram all events are equally far apart.", true},
      {"view.zero", "Count times from here", {"T"}, "View", "Times on the axis are told as distances from the play-head; once more: from the beginning."},
      {"view.theme", "Next theme", {"Ctrl+T"}, "View", "Light, dark, high contrast, high contrast dark."},
      {"view.larger", "Larger text", {"Ctrl+=", "Ctrl++"}, "View", "Makes all text larger, up to 250 %."},
      {"view.smaller", "Smaller text", {"Ctrl+-"}, "View", "Makes all text smaller, down to 80 %."},
      {"view.normal_size", "Text of normal size", {"Ctrl+0"}, "View", "Text at 100 %."},

      {"lesson.contents", "Lessons", {"F2"}, "Lessons", "The list of all lessons."},
      {"lesson.next", "Next lesson", {"Ctrl+PgDown"}, "Lessons", "Opens the next chapter."},
      {"lesson.previous", "Previous lesson", {"Ctrl+PgUp"}, "Lessons", "Opens the chapter before."},

      {"help.commands", "Commands", {"Ctrl+K"}, "Help", "Finds any command or scenario by a few letters of its name."},
      {"help.keys", "All keys", {"?", "F1"}, "Help", "All keys on one page."},
      {"help.console", "Console", {"Ctrl+J", ":"}, "Help", "Moves the keyboard to the console: go, find, set, seed, case, run."},
      {"help.about", "About mqlab", {}, "Help", "The version, and where to read on."},
  };
  return all;
}

const std::vector<const char*>& action_groups() {
  static const std::vector<const char*> all = {"File", "Edit", "Run", "Faults", "View", "Lessons", "Help"};
  return all;
}

QString keys_text(const ActionDecl& a) {
  QStringList all;
  for (const char* k : a.keys) all << QKeySequence(QString::fromLatin1(k), QKeySequence::PortableText).toString(QKeySequence::NativeText);
  return all.join(QStringLiteral(" or "));
}

QString keys_page() {
  QString html = QStringLiteral("<table cellspacing='0' cellpadding='4'>");
  for (const char* group : action_groups()) {
    html += QStringLiteral("<tr><td colspan='3'><h3>%1</h3></td></tr>").arg(QLatin1String(group));
    for (const ActionDecl& a : action_table())
      if (std::string_view(a.group) == group)
        html += QStringLiteral("<tr><td><b>%1</b></td><td>%2</td><td>%3</td></tr>")
                    .arg(keys_text(a).toHtmlEscaped(), QString::fromUtf8(a.text).toHtmlEscaped(), QString::fromUtf8(a.tip).toHtmlEscaped());
  }
  return html + QStringLiteral("</table>");
}

ActionSet::ActionSet(QWidget* window) {
  for (const ActionDecl& a : action_table()) {
    auto* action = new QAction(QString::fromUtf8(a.text), window);
    action->setObjectName(QString::fromLatin1(a.id));
    action->setCheckable(a.checkable);
    QList<QKeySequence> keys;
    for (const char* k : a.keys) keys << QKeySequence(QString::fromLatin1(k), QKeySequence::PortableText);
    action->setShortcuts(keys);
    action->setShortcutContext(Qt::WindowShortcut);
    const QString tip = QString::fromUtf8(a.tip);
    action->setStatusTip(tip);
    action->setToolTip(keys.isEmpty() ? QStringLiteral("%1: %2").arg(action->text(), tip) : QStringLiteral("%1 (%2): %3").arg(action->text(), keys_text(a), tip));
    window->addAction(action);
    all_.push_back(action);
  }
}

QAction* ActionSet::operator[](std::string_view id) const {
  for (std::size_t i = 0; i < all_.size(); ++i)
    if (action_table()[i].id == id) return all_[i];
  assert(!"no such action");
  return nullptr;
}

}  // namespace mqlab::gui
