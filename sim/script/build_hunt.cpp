// What a hunt may vary around a scenario. Which messages there are is known only when its world is built (sim/hunt/toolbox.cpp).
#include <fmt/format.h>

#include <algorithm>

#include "sim/script/builder.h"
#include "sim/script/nearest.h"

namespace mqlab::script {
namespace {

constexpr std::int64_t faults_max = 1'000;
constexpr std::size_t values_max = 1'000;  // of one option

FaultBudget budget(const Declarations& d, const Fields& f, const std::string& word) {
  std::vector<std::string> known;
  for (const FaultBudget b : {FaultBudget::none, FaultBudget::one_machine, FaultBudget::minority, FaultBudget::anything}) {
    known.emplace_back(budget_name(b));
    if (word == known.back()) return b;
  }
  d.fail(f.line_of("faults"), fmt::format("`faults` of `hunt` is one of {}; not `{}`{}", fmt::join(known, ", "), word.substr(0, 60), did_you_mean(word, known)));
}

}  // namespace

void Builder::hunt() {
  const LuaValue* v = f_.get("hunt");
  if (!v) return;
  const Fields h(d_, "`hunt`", *v, declared_.line, {"hunt"});
  std::vector<std::string> fields;
  for (const VerbDoc& doc : hunt_fields()) fields.push_back(doc.name);
  h.allow(fields);
  PlanSpace& space = s_.hunt;
  space.line = f_.line_of("hunt");
  if (const auto word = h.text("faults")) space.budget = budget(d_, h, *word);
  if (const auto n = h.integer("faults_max", 0, faults_max)) space.faults_max = static_cast<std::uint64_t>(*n);
  if (const auto t = h.duration("from")) space.from = *t;
  if (const auto t = h.duration("to", Fields::Sign::positive)) space.until = *t;
  if (space.from >= 0 && space.until >= 0 && space.until <= space.from)
    d_.fail(h.line_of("to"), fmt::format("`to` of `hunt` must come after `from`, and {} does not come after {}", format_duration(space.until), format_duration(space.from)));
  std::vector<std::string> kinds;
  for (const FaultDecl& k : fault_kinds()) kinds.emplace_back(k.name);
  for (const VerbDecl& verb : model_->decl().verbs) kinds.push_back(verb.name);
  space.kinds = h.texts("kinds").value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < space.kinds.size(); ++i)
    if (std::find(kinds.begin(), kinds.end(), space.kinds[i]) == kinds.end())
      d_.fail(h.line_of_item("kinds", i), fmt::format("`kinds` of `hunt` are faults, or verbs of {}; not `{}`{}", s_.model, space.kinds[i].substr(0, 60), did_you_mean(space.kinds[i], kinds)));
  space.messages = h.texts("messages").value_or(std::vector<std::string>{});
  d_.limit(space.messages.size(), declared_max, h.line_of("messages"), "messages");
  for (const auto& [name, value] : h.named("options")) {
    const int line = d_.map.line_of(declared_.line, {"hunt", "options", name});
    d_.limit(value->items().size(), values_max, line, "values of one option");
    space.options.push_back({name, values_of(name, *value, line, "options"), line});
  }
  if (const auto own = h.boolean("own_faults")) space.own_faults = *own;
}

}  // namespace mqlab::script
