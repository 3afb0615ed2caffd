#include "sim/script/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/script/nearest.h"

namespace mqlab::script {

Fields::Fields(const Declarations& d, std::string what, const LuaValue& table, int line, std::vector<std::string> path)
    : d_(d), what_(std::move(what)), table_(table), line_(line), path_(std::move(path)) {
  if (!table_.is_nil() && !table_.is_table())
    d_.fail(d_.map.line_of(line_, path_), fmt::format("{} is a table {{ ... }}, not {}", what_, table_.describe()));
}

int Fields::line_of(std::string_view name) const { return d_.map.line_of(line_, path_to(name)); }

std::vector<std::string> Fields::path_to(std::string_view name) const {
  std::vector<std::string> path = path_;
  path.emplace_back(name);
  return path;
}

int Fields::line_of_item(std::string_view name, std::size_t index) const {
  std::vector<std::string> path = name.empty() ? path_ : path_to(name);
  path.push_back(fmt::format("[{}]", index + 1));
  return d_.map.line_of(line_, path);
}

void Fields::wrong(std::string_view name, const std::string& expected) const {
  const LuaValue* v = get(name);
  d_.fail(line_of(name), fmt::format("`{}` of {} wants {}, not {}", name, what_, expected, v ? v->describe() : "nothing"));
}

void Fields::allow(const std::vector<std::string>& names, bool list) const {
  const LuaValue::Table* t = table_.table();
  if (!t) return;
  const std::size_t items = list ? table_.items().size() : 0;
  for (const auto& [key, value] : *t) {
    if (key.text()) {
      if (std::find(names.begin(), names.end(), *key.text()) != names.end()) continue;
      const std::string hint = did_you_mean(*key.text(), names);
      std::string all;
      for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
      d_.fail(line_of(*key.text()),
              fmt::format("{} has no field `{}`{}", what_, key.brief(60), hint.empty() && names.size() <= 24 && !all.empty() ? "; it has: " + all : hint));
    }
    if (key.integer() && *key.integer() >= 1 && *key.integer() <= static_cast<std::int64_t>(items)) continue;
    const int line = key.integer() && *key.integer() >= 1 ? line_of_item("", static_cast<std::size_t>(*key.integer() - 1)) : d_.map.line_of(line_, path_);
    if (list && key.integer()) d_.fail(line, fmt::format("the list in {} has a gap before item {}", what_, *key.integer()));
    d_.fail(line, fmt::format("{} has fields by name only, and here is {} without one", what_, value.describe()));
  }
}

const LuaValue* Fields::get(std::string_view name) const { return table_.field(name); }

std::optional<Duration> Fields::duration(std::string_view name, Sign sign) const {
  const LuaValue* v = get(name);
  if (!v) return std::nullopt;
  Duration ns = 0;
  if (v->duration()) ns = v->duration()->ns;
  else if (!(v->integer() && *v->integer() == 0)) wrong(name, "a duration, as ms(250)");
  if (sign != Sign::any && ns < 0) d_.fail(line_of(name), fmt::format("`{}` of {} must not be negative, and is {}", name, what_, format_duration(ns)));
  if (sign == Sign::positive && ns == 0) d_.fail(line_of(name), fmt::format("`{}` of {} must be more than 0", name, what_));
  if (ns > duration_max || ns < -duration_max)
    d_.fail(line_of(name), fmt::format("`{}` of {} must be at most 100 years, and is {}", name, what_, format_duration(ns)));
  return ns;
}

std::optional<std::int64_t> Fields::integer(std::string_view name, std::int64_t min, std::int64_t max) const {
  const LuaValue* v = get(name);
  if (!v) return std::nullopt;
  std::optional<std::int64_t> i;
  if (v->integer()) i = *v->integer();
  else if (v->number() && std::nearbyint(*v->number()) == *v->number() && std::fabs(*v->number()) < 9e15) i = static_cast<std::int64_t>(*v->number());
  if (!i) wrong(name, "a whole number");
  if (*i < min || *i > max) {
    if (max == INT64_MAX) d_.fail(line_of(name), fmt::format("`{}` of {} must be at least {}, and is {}", name, what_, min, *i));
    d_.fail(line_of(name), fmt::format("`{}` of {} must be between {} and {}, and is {}", name, what_, min, max, *i));
  }
  return i;
}

std::optional<std::string> Fields::text(std::string_view name) const {
  const LuaValue* v = get(name);
  if (!v) return std::nullopt;
  if (!v->text()) wrong(name, "a text, as \"x\"");
  if (v->text()->size() > 10'000) d_.fail(line_of(name), fmt::format("`{}` of {} is {} bytes long; at most 10000 are taken", name, what_, v->text()->size()));
  return *v->text();
}

std::optional<bool> Fields::boolean(std::string_view name) const {
  const LuaValue* v = get(name);
  if (!v) return std::nullopt;
  if (!v->boolean()) wrong(name, "true or false");
  return *v->boolean();
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view name) const {
  const LuaValue* v = get(name);
  if (!v) return std::nullopt;
  if (v->text()) return std::vector<std::string>{*v->text()};
  if (!v->is_table() || v->items().size() != v->table()->size()) wrong(name, "a text, or a list of texts");
  std::vector<std::string> out;
  for (const LuaValue* item : v->items()) {
    if (!item->text())
      d_.fail(line_of_item(name, out.size()), fmt::format("`{}` of {} is a list of texts, and item {} is {}", name, what_, out.size() + 1, item->describe()));
    out.push_back(*item->text());
  }
  return out;
}

std::optional<Ratio> to_ratio(const LuaValue& v) {
  if (v.integer()) return *v.integer() < 0 ? std::nullopt : std::optional<Ratio>({static_cast<std::uint64_t>(*v.integer()), 1});
  if (v.number()) {
    const double n = *v.number();
    if (!(n >= 0 && n <= 1e9)) return std::nullopt;
    if (std::nearbyint(n) == n) return Ratio{static_cast<std::uint64_t>(n), 1};
    return Ratio{static_cast<std::uint64_t>(std::nearbyint(n * 1e6)), 1'000'000};
  }
  const auto items = v.items();
  if (v.is_table() && v.table()->size() == 2 && items.size() == 2 && items[0]->integer() && items[1]->integer() && *items[0]->integer() >= 0 &&
      *items[1]->integer() > 0)
    return Ratio{static_cast<std::uint64_t>(*items[0]->integer()), static_cast<std::uint64_t>(*items[1]->integer())};
  return std::nullopt;
}

std::optional<Ratio> Fields::ratio(std::string_view name) const {
  const LuaValue* v = get(name);
  if (!v) return std::nullopt;
  const auto r = to_ratio(*v);
  if (!r) wrong(name, "a share, as 0.01 or { 1, 100 }");
  return r;
}

std::vector<const LuaValue*> Fields::list(std::string_view name) const {
  const LuaValue* v = get(name);
  if (!v) return {};
  if (!v->is_table()) wrong(name, "a list { ... }");
  const Fields inside(d_, fmt::format("`{}`", name), *v, line_, path_to(name));
  inside.allow({}, true);
  return v->items();
}

std::vector<std::pair<std::string, const LuaValue*>> Fields::named(std::string_view name) const {
  const LuaValue* v = get(name);
  if (!v) return {};
  if (!v->is_table()) wrong(name, "a table { name = ... }");
  std::vector<std::pair<std::string, const LuaValue*>> out;
  for (const auto& [key, value] : *v->table()) {
    if (!key.text()) {
      const int line = key.integer() && *key.integer() >= 1 ? line_of_item(name, static_cast<std::size_t>(*key.integer() - 1)) : line_of(name);
      d_.fail(line, fmt::format("`{}` of {} has entries by name, as x = ..., and here is {} without one", name, what_, value.describe()));
    }
    out.emplace_back(*key.text(), &value);
  }
  return out;
}

}  // namespace mqlab::script
