#include "sim/lab/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sim/lab/nearest.h"

namespace mqlab {

std::string to_text(const Value& v) {
  if (const bool* b = std::get_if<bool>(&v)) return *b ? "true" : "false";
  if (const std::int64_t* i = std::get_if<std::int64_t>(&v)) return std::to_string(*i);
  return std::get<std::string>(v);
}

std::string to_text(const OptionDecl& d, const Value& v) {
  if (d.type == OptionType::duration)
    if (const std::int64_t* i = std::get_if<std::int64_t>(&v)) return format_duration(*i);
  return to_text(v);
}

const char* option_type_name(OptionType t) {
  static constexpr const char* names[] = {"true or false", "a whole number", "a duration", "a choice", "text", "a list"};
  return names[static_cast<std::size_t>(t)];
}

const OptionDecl* find_option(const std::vector<OptionDecl>& decls, std::string_view scope, std::string_view name) {
  for (const OptionDecl& d : decls)
    if (d.scope == scope && d.name == name) return &d;
  return nullptr;
}

Options Options::defaults(const std::vector<OptionDecl>& decls, std::string_view scope) {
  Options o;
  for (const OptionDecl& d : decls)
    if (d.scope == scope) o.values_[d.name] = d.value;
  return o;
}

std::optional<std::string> Options::set(const std::vector<OptionDecl>& decls, std::string_view scope, const std::string& name, Value value) {
  const OptionDecl* d = find_option(decls, scope, name);
  if (!d) {
    std::vector<std::string> known;
    for (const OptionDecl& o : decls)
      if (o.scope == scope) known.push_back(o.name);
    return fmt::format("{} has no option `{}`{}", scope, name, did_you_mean(name, known));
  }
  const auto wrong = [&](std::string_view expected) {
    return fmt::format("option `{}` of {} wants {}, not `{}`", name, scope, expected, to_text(value));
  };
  switch (d->type) {
    case OptionType::boolean:
      if (!std::holds_alternative<bool>(value)) return wrong("true or false");
      break;
    case OptionType::integer:
    case OptionType::duration: {
      const std::int64_t* i = std::get_if<std::int64_t>(&value);
      if (!i) return wrong(d->type == OptionType::integer ? "a whole number" : "a duration, as ms(250)");
      if (*i < d->min || *i > d->max) {
        const auto show = [&](std::int64_t n) { return d->type == OptionType::duration ? format_duration(n) : std::to_string(n); };
        if (d->max == std::numeric_limits<std::int64_t>::max())
          return fmt::format("option `{}` of {} is {}, and must be at least {}", name, scope, show(*i), show(d->min));
        return fmt::format("option `{}` of {} is {}, and must be between {} and {}", name, scope, show(*i), show(d->min), show(d->max));
      }
      break;
    }
    case OptionType::choice: {
      // A choice may look like a number or a truth value in Lua: acks = 1.
      std::string text = to_text(value);
      if (std::find(d->choices.begin(), d->choices.end(), text) == d->choices.end()) {
        std::string all;
        for (const std::string& c : d->choices) all += (all.empty() ? "" : ", ") + c;
        return fmt::format("option `{}` of {} is one of {}; not `{}`{}", name, scope, all, text, did_you_mean(text, d->choices));
      }
      value = std::move(text);
      break;
    }
    case OptionType::text:
    case OptionType::list:
      if (!std::holds_alternative<std::string>(value)) {
        if (std::holds_alternative<bool>(value)) return wrong("text");
        value = to_text(value);
      }
      break;
  }
  values_[name] = std::move(value);
  given_[name] = true;
  return std::nullopt;
}

std::optional<std::string> Options::set_text(const std::vector<OptionDecl>& decls, std::string_view scope, const std::string& name,
                                             const std::string& text) {
  const OptionDecl* d = find_option(decls, scope, name);
  if (!d) return set(decls, scope, name, Value{text});
  switch (d->type) {
    case OptionType::boolean:
      if (text == "true" || text == "on" || text == "yes") return set(decls, scope, name, Value{true});
      if (text == "false" || text == "off" || text == "no") return set(decls, scope, name, Value{false});
      return set(decls, scope, name, Value{text});
    case OptionType::integer: {
      std::int64_t i = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), i);
      if (error != std::errc{} || end != text.data() + text.size()) return set(decls, scope, name, Value{text});
      return set(decls, scope, name, Value{i});
    }
    case OptionType::duration:
      if (const auto t = parse_duration(text)) return set(decls, scope, name, Value{*t});
      return fmt::format("option `{}` of {} wants a duration, as 250ms or 1.5s, not `{}`", name, scope, text);
    default:
      return set(decls, scope, name, Value{text});
  }
}

std::vector<std::string> Options::list(const std::string& name) const {
  std::vector<std::string> out;
  const std::string& all = text(name);
  std::size_t from = 0;
  while (from <= all.size()) {
    const std::size_t comma = std::min(all.find(',', from), all.size());
    std::string item = all.substr(from, comma - from);
    item.erase(0, std::min(item.find_first_not_of(' '), item.size()));
    while (!item.empty() && item.back() == ' ') item.pop_back();
    if (!item.empty()) out.push_back(std::move(item));
    from = comma + 1;
  }
  return out;
}

std::optional<Duration> parse_duration(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  __extension__ using Wide = __int128;
  Wide number = 0;
  Wide scale = 1;
  std::size_t i = 0;
  bool point = false;
  bool digits = false;
  for (; i < text.size() && ((text[i] >= '0' && text[i] <= '9') || (text[i] == '.' && !point)); ++i) {
    if (text[i] == '.') {
      point = true;
      continue;
    }
    digits = true;
    if (number > Wide{1'000'000'000'000'000'000}) return std::nullopt;
    number = number * 10 + (text[i] - '0');
    if (point) scale *= 10;
  }
  if (!digits) return std::nullopt;
  std::string_view unit = text.substr(i);
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  while (!unit.empty() && unit.back() == ' ') unit.remove_suffix(1);
  struct Unit {
    std::string_view name;
    Duration size;
  };
  static constexpr Unit units[] = {{"ns", 1},          {"us", 1'000},           {"ms", 1'000'000},          {"", 1'000'000},
                                   {"s", 1'000'000'000}, {"min", 60'000'000'000}, {"h", 3'600'000'000'000}, {"d", 86'400'000'000'000}};
  for (const Unit& u : units)
    if (u.name == unit) {
      const Wide ns = number * u.size / scale;
      if (ns > Wide{time_max}) return std::nullopt;
      return negative ? -static_cast<Duration>(ns) : static_cast<Duration>(ns);
    }
  return std::nullopt;
}

}  // namespace mqlab
