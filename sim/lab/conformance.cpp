#include "sim/lab/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

namespace mqlab {
namespace {

using Json = ConformanceJson;

std::string shown(const Json& j) {
  std::string text = j.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 300) text = text.substr(0, 300) + "...";
  return text;
}

Mismatch mismatch(const std::string& where, const Json& expected, const Json& got) { return {where, shown(expected), shown(got)}; }

std::string child(const std::string& where, const std::string& name) { return where.empty() ? name : where + "." + name; }
std::string child(const std::string& where, std::size_t i) { return fmt::format("{}[{}]", where, i); }

// "$range" of {"$range": [1, 2]}; empty when the object is no matcher.
std::string matcher_of(const Json& expected) {
  if (!expected.is_object() || expected.size() != 1) return {};
  const std::string name = expected.begin().key();
  return !name.empty() && name.front() == '$' ? name : std::string();
}

bool matches_unordered(const Json& expected, const Json& got, const std::string& where) {
  if (!got.is_array() || got.size() != expected.size()) return false;
  std::vector<bool> taken(got.size(), false);
  for (const Json& e : expected) {
    std::size_t i = 0;
    while (i < got.size() && (taken[i] || compare(e, got[i], where))) ++i;
    if (i == got.size()) return false;
    taken[i] = true;
  }
  return true;
}

bool matches(const std::string& matcher, const Json& argument, const Json& got, const std::string& where) {
  if (matcher == "$any") return true;
  if (matcher == "$range") return got.is_number() && got.get<double>() >= argument.at(0).get<double>() && got.get<double>() <= argument.at(1).get<double>();
  if (matcher == "$re") return got.is_string() && std::regex_search(got.get<std::string>(), std::regex(argument.get<std::string>(), std::regex::ECMAScript));
  if (matcher == "$oneOf") return std::any_of(argument.begin(), argument.end(), [&](const Json& e) { return !compare(e, got, where); });
  if (matcher == "$unordered") return matches_unordered(argument, got, where);
  throw BadCase(fmt::format("`{}` is no matcher: $any, $range, $re, $oneOf or $unordered was expected", matcher));
}

bool begins_with(const std::string& text, const std::string& beginning) { return text.compare(0, beginning.size(), beginning) == 0; }

bool selected(const Json& one_case, const std::string& id, const ConformanceOptions& o) {
  if (!o.only.empty() && std::none_of(o.only.begin(), o.only.end(), [&](const std::string& only) { return begins_with(id, only); })) return false;
  const auto has = [&](const std::string& tag) {
    if (!one_case.contains("tags")) return false;
    return std::any_of(one_case.at("tags").begin(), one_case.at("tags").end(), [&](const Json& t) { return t == tag; });
  };
  if (!o.tags.empty() && std::none_of(o.tags.begin(), o.tags.end(), has)) return false;
  return std::none_of(o.skip_tags.begin(), o.skip_tags.end(), has);
}

std::optional<ConformanceFailure> run_case(ConformanceDriver& driver, const Json& file, const Json& one_case, const std::string& id) {
  Saved saved;
  driver.begin();
  std::size_t number = 0;
  for (const ConformanceStep& step : driver.steps(file, one_case)) {
    const Json got = saved.by_name(driver.observe(saved.filled_in(step.operation), saved));
    if (const auto m = compare(step.expected, got))
      return ConformanceFailure{id, fmt::format("step {}{}: {}", number, m->where.empty() ? "" : ", " + m->where, shown(step.operation)), m->expected, m->got};
    ++number;
  }
  return std::nullopt;
}

}  // namespace

Json Saved::filled_in(const Json& operation) const {
  if (operation.is_string()) {
    std::string text = operation.get<std::string>();
    for (const auto& [name, value] : values_) {
      const std::string hole = "${" + name + "}";
      for (std::size_t at = text.find(hole); at != std::string::npos; at = text.find(hole, at + value.size())) text.replace(at, hole.size(), value);
    }
    return text;
  }
  Json out = operation;
  if (operation.is_structured())
    for (auto it = out.begin(); it != out.end(); ++it) *it = filled_in(*it);
  return out;
}

Json Saved::by_name(const Json& observation) const {
  if (observation.is_string()) {
    for (const auto& [name, value] : values_)
      if (observation == value) return "${" + name + "}";
    return observation;
  }
  Json out = observation;
  if (observation.is_structured())
    for (auto it = out.begin(); it != out.end(); ++it) *it = by_name(*it);
  return out;
}

std::vector<ConformanceStep> ConformanceDriver::steps(const Json&, const Json& one_case) const {
  const Json& ops = one_case.at("ops");
  const Json& expected = one_case.at("expected");
  if (ops.size() != expected.size()) throw BadCase(fmt::format("{} operations and {} observations", ops.size(), expected.size()));
  std::vector<ConformanceStep> out;
  for (std::size_t i = 0; i < ops.size(); ++i) out.push_back({ops[i], expected[i]});
  return out;
}

std::optional<Mismatch> compare(const Json& expected, const Json& got, const std::string& where) {
  if (const std::string matcher = matcher_of(expected); !matcher.empty()) {
    if (matches(matcher, expected.begin().value(), got, where)) return std::nullopt;
    return mismatch(where, expected, got);
  }
  if (expected.is_object()) {
    if (!got.is_object()) return mismatch(where, expected, got);
    for (const auto& [key, value] : expected.items()) {
      if (!got.contains(key)) return Mismatch{child(where, key), shown(value), "nothing"};
      if (auto m = compare(value, got.at(key), child(where, key))) return m;
    }
    for (const auto& [key, value] : got.items())
      if (!expected.contains(key)) return Mismatch{child(where, key), "nothing", shown(value)};
    return std::nullopt;
  }
  if (expected.is_array()) {
    if (!got.is_array()) return mismatch(where, expected, got);
    for (std::size_t i = 0; i < std::min(expected.size(), got.size()); ++i)
      if (auto m = compare(expected[i], got[i], child(where, i))) return m;
    if (expected.size() != got.size()) return mismatch(where, expected, got);
    return std::nullopt;
  }
  if (expected == got) return std::nullopt;
  return mismatch(where, expected, got);
}

ConformanceReport run_conformance(const Json& file, const Models& models, const ConformanceOptions& options) {
  const auto format = file.at("format").get<std::string>();
  if (format != "mqlab-conformance/1" && format != "mqlab-vectors/1")
    throw BadCase(fmt::format("format `{}` is not known: mqlab-vectors/1 or mqlab-conformance/1 was expected", format));
  ConformanceReport report;
  report.system = file.at("system").get<std::string>();
  report.version = file.value("version", "");
  std::unique_ptr<ConformanceDriver> driver;
  for (const auto& model : models.all())
    if (const auto* offer = dynamic_cast<const ConformanceOffer*>(model.get()); offer && !driver) driver = offer->conformance(report.system, options.settings);
  if (!driver) throw BadCase(fmt::format("there is no model for system `{}` yet", report.system));
  for (const Json& one_case : file.at("cases")) {
    const auto id = one_case.at("id").get<std::string>();
    if (!selected(one_case, id, options)) continue;
    std::optional<ConformanceFailure> failure;
    try {
      failure = run_case(*driver, file, one_case, id);
    } catch (const BadCase& e) {
      throw BadCase(fmt::format("case {}: {}", id, e.what()));
    } catch (const std::regex_error& e) {
      throw BadCase(fmt::format("case {}: a regular expression is wrong: {}", id, e.what()));
    }
    const auto known = options.known.find(id);
    if (known == options.known.end()) {
      if (failure) report.failures.push_back(std::move(*failure));
      else ++report.passed;
    } else if (failure) {
      failure->what = known->second;
      report.known.push_back(std::move(*failure));
    } else {
      report.failures.push_back({id, "listed as a known difference: " + known->second, "a difference", "none: take it off the list"});
    }
  }
  return report;
}

}  // namespace mqlab
