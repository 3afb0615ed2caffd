// sim/record/history.h: the history as JSON Lines, both ways.
//
// The first line is a header, then one object a row: what clients did and saw, with names instead
// of numbers, in the order of the journal. docs/internals/history-schema.md describes each field,
// history.schema.json says the same to a machine.
//
// Always true: 1. read(write(j)) has the rows of j, by name. 2. The reader refuses what breaks the
// journal's rules and names the line and the remedy; the rows before that line are kept.
// Elsewhere: Jepsen's form (jepsen.h), what happened inside (trace.h). Files are the caller's.
//
//     std::string text = history_text(journal);
//     Journal again;
//     if (auto error = read_history(text, again)) complain(error->line, error->message);
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/record/text.h"
#include "sim/world/journal.h"

namespace mqlab {

struct HistoryError {
  std::size_t line = 0;  // from 1
  std::string message;   // what is wrong and what would be right
};

inline constexpr std::string_view history_format = "mqlab-history/1";

struct HistoryOptions {
  bool marks = false;  // also what happened inside, by name
};

void write_history(const Journal& journal, const Sink& sink, HistoryOptions options = {});
std::string history_text(const Journal& journal, HistoryOptions options = {});

// Adds the rows of `text` to `journal`, which should be empty. On an error the rows before it are there.
std::optional<HistoryError> read_history(std::string_view text, Journal& journal);

// The same, a line at a time, for files that should not lie in memory whole.
class HistoryReader {
 public:
  explicit HistoryReader(Journal& journal);
  ~HistoryReader();
  // Takes the next line, without its end. Requires: no error so far.
  std::optional<HistoryError> line(std::string_view text);
  // After the last line: is all there that the header announced?
  std::optional<HistoryError> end();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Reads either form, ours or Jepsen's: told apart by the first character that matters.
std::optional<HistoryError> read_any_history(std::string_view text, Journal& journal);

// How a history names a flag of a row: "redelivered"; null for a bit without a name.
const char* op_flag_name(unsigned bit);

// How messages are written and read back, shared by all forms of a history.
// "P1-17" is the seventeenth message of P1 iff P1 is one process's name.
std::optional<MessageId> numbered_by_name(std::string_view text, const std::map<std::string, NodeId, std::less<>>& processes);
// Name -> node for all names that are not empty and belong to one process only.
std::map<std::string, NodeId, std::less<>> unique_process_names(const std::vector<std::string>& processes);

}  // namespace mqlab
