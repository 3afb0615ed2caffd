// gui/core/predicate.h: a sentence about the state of a run that is true or false at each event: what to run to.
//
//     isr orders/0 < 3                        a number that a place tells of its leading copy
//     backlog orders.billing > 50             ... a queue goes by its own name too
//     leo orders/0 on B2 = 12                 ... of the copy on a node
//     leader orders/0 = B2                    who leads; none: nobody
//     leaders orders/0 > 1                    how many do
//     lag billing > 100, lag billing orders/0 > 9    how far a group is behind, in all or at a place
//     members billing < 2
//     state B1 = down                         running, down, paused
//     waiting B1 > 10                         messages that wait for a node
//     value B1 "orders/0 > role" = leader     any line of the node's state, by the names on the way to it
//     time > 15s
//
// and all of these with `and`, `or`, `not` and parentheses. `not` binds closest, then `and`, then `or`. Upper and lower case
// of the words of the language are alike, names are not. A name with blanks, or one that is a word of the language, stands in quotes.
//
// The rule: a comparison with something that is not there (a place without a leader, a group without a position) is false,
// whatever the comparison.
//
// Always true: read_predicate(p.text()).predicate == p, for any p that was read.
// Elsewhere: where in a run it is true (find_event.h); typed into the field "go to" (go_to.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gui/core/recording.h"

namespace mqlab::gui {

enum class Compare : std::uint8_t { equal, unequal, less, at_most, more, at_least };

// One comparison.
struct Term {
  enum class Kind : std::uint8_t { number, lag, members, leader, leaders, state, waiting, value, time };
  Kind kind{};
  std::string name{};      // number: which
  std::string subject{};   // a place, a group, a node
  std::string detail{};    // number: on which node; lag: at which place; value: the path; empty: none
  Compare compare{};
  std::int64_t value = 0;  // numbers; time: nanoseconds
  std::string word{};      // leader, state, value: with what
  bool operator==(const Term&) const = default;
};

struct Predicate {
  enum class Kind : std::uint8_t { term, all, any, no };
  Kind kind{};
  Term term{};
  std::vector<Predicate> parts{};  // all, any: two or more; no: one
  bool operator==(const Predicate&) const = default;

  // As it is typed.
  std::string text() const;
};

struct ReadPredicate {
  std::optional<Predicate> predicate{};
  std::string complaint{};  // why there is none: what was expected, and where
  std::size_t at = 0;       // the byte of the text that it is about
};
ReadPredicate read_predicate(std::string_view text);
// It begins as a predicate does, so that what is wrong with it is told as of one.
bool looks_like_predicate(std::string_view text);

// What there is to speak of in a run.
struct Vocabulary {
  std::vector<std::string> nodes{}, places{}, groups{}, numbers{};  // each ascending, without doubles
  std::vector<std::string> sentences{};                             // whole predicates, as they hold at the end: "isr orders/0 = 3"
};
// From some moments of the run and its history. Costs a few seeks.
Vocabulary vocabulary_of(const Recording& r);
// What of it the run does not know, with the word that was probably meant; empty: nothing.
std::string unknown_word(const Predicate& p, const Vocabulary& v);

// What of a moment is looked at.
MomentWish wish_of(const Predicate& p);
bool holds(const Predicate& p, const Moment& m);

}  // namespace mqlab::gui
