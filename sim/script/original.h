// sim/script/original.h: a file that stands in another one, so that programs can be written down with a run of theirs.
//
// Programs are functions of their file, with locals and helpers around them; taken apart they would be something else. So a
// plan carries the file as it was, as the body of a function, and says beside it what is different:
//
//     local file = original(function(...)
//     -- Anything may come late, twice or never. Do transactions hold?
//     ...
//     return scenario { ... }
//     end)
//
//     return scenario { based_on = file, seed = 7, cluster = kafka {}, clients = { client "P1" {} } }
//
// Always true: 1. the clients of the file have the numbers that they had (their draws depend on them): nothing is declared
// before it. 2. a plan of a plan carries the same file once, not a plan in a plan.
// Elsewhere: the verb at work (script.cpp), what `based_on` means (build_actors.cpp), the rest of a plan (print_scenario.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/script/declare.h"

namespace mqlab::script {

// The text as it stands in another file: lines end as Lua counts them, a shebang and a UTF-8 mark are left out.
std::string carried(std::string_view text);

// Why it can't stand in a function, for people; nothing when it can.
std::optional<std::string> why_not_carried(std::string_view text);

// The other way: the text that `o` is of, in the file `whole`. Nothing where it can't be told from what stands around it, as
// when somebody wrote to the file by hand and the original now reads a local from outside; `whole` is then a file of its own.
std::optional<std::string> carried_text(std::string_view whole, const DeclaredOriginal& o);

}  // namespace mqlab::script
