#include "sim/lab/scenario.h"

#include <fmt/format.h>

#include "sim/lab/nearest.h"

namespace mqlab {

const char* expectation_name(Expectation::Kind k) {
  static constexpr const char* names[] = {"reaches", "holds", "violates"};
  return names[static_cast<std::size_t>(k)];
}

std::string describe(const Setting& s) { return fmt::format("{}={}", s.name, to_text(s.value)); }

InputError::InputError(std::string file_name, int line_number, std::string text)
    : std::runtime_error(file_name.empty()  ? text
                         : line_number == 0 ? fmt::format("{}: {}", file_name, text)
                                            : fmt::format("{}:{}: {}", file_name, line_number, text)),
      file(std::move(file_name)),
      line(line_number),
      message(std::move(text)) {}

namespace {

std::optional<std::string> set_one(Options& o, const std::vector<OptionDecl>& decls, const std::string& scope, const std::string& name,
                                   const Setting& s) {
  if (s.from_text) return o.set_text(decls, scope, name, std::get<std::string>(s.value));
  return o.set(decls, scope, name, s.value);
}

// A program carries the options of a producer and of a consumer.
std::optional<std::string> set_on_client(ClientSpec& c, const std::vector<OptionDecl>& decls, const std::string& name, const Setting& s) {
  if (c.role != "client") return set_one(c.options, decls, c.role, name, s);
  if (find_option(decls, "transform", name) && c.options.has(name)) return set_one(c.options, decls, "transform", name, s);
  if (find_option(decls, "consumer", name) && !find_option(decls, "producer", name)) return set_one(c.consumer_options, decls, "consumer", name, s);
  if (find_option(decls, "consumer", name))
    if (auto error = set_one(c.consumer_options, decls, "consumer", name, s)) return error;
  return set_one(c.options, decls, "producer", name, s);
}

void rebase(Options& o, const Options& defaults) {
  for (const auto& [name, value] : defaults.values()) o.set_default(name, value);
}

}  // namespace

std::optional<std::string> apply_profile(const Model& model, Deployment& d, const std::string& profile) {
  const ModelDecl& m = model.decl();
  const auto cluster = profile_defaults(m, profile, "cluster");
  if (!cluster) {
    std::vector<std::string> known;
    std::string all;
    for (const ProfileDecl& p : m.profiles) {
      known.push_back(p.name);
      all += (all.empty() ? "" : ", ") + p.name;
    }
    return fmt::format("{} has no profile `{}`: it has {}{}", m.name, profile, all, did_you_mean(profile, known));
  }
  d.profile = profile;
  rebase(d.cluster, *cluster);
  for (TopicSpec& t : d.topics) rebase(t.options, *profile_defaults(m, profile, "topic"));
  for (ClientSpec& c : d.clients) {
    rebase(c.options, *profile_defaults(m, profile, c.role == "consumer" ? "consumer" : "producer"));
    if (c.role == "client") rebase(c.consumer_options, *profile_defaults(m, profile, "consumer"));
  }
  return std::nullopt;
}

std::optional<std::string> apply_setting(const Model& model, Deployment& d, const Setting& s) {
  const std::vector<OptionDecl> decls = all_options(model.decl());
  if (s.name == "profile") return apply_profile(model, d, to_text(s.value));
  if (const std::size_t dot = s.name.find('.'); dot != std::string::npos) {
    const std::string owner = s.name.substr(0, dot);
    const std::string name = s.name.substr(dot + 1);
    for (ClientSpec& c : d.clients)
      if (c.name == owner) return set_on_client(c, decls, name, s);
    for (TopicSpec& t : d.topics)
      if (t.name == owner) return set_one(t.options, decls, "topic", name, s);
    if (owner == "cluster") return set_one(d.cluster, decls, "cluster", name, s);
    std::vector<std::string> known{"cluster"};
    for (const ClientSpec& c : d.clients) known.push_back(c.name);
    for (const TopicSpec& t : d.topics) known.push_back(t.name);
    return fmt::format("there is no client or topic `{}`{}", owner, did_you_mean(owner, known));
  }
  bool found = false;
  if (find_option(decls, "cluster", s.name)) {
    found = true;
    if (auto error = set_one(d.cluster, decls, "cluster", s.name, s)) return error;
  }
  if (find_option(decls, "topic", s.name)) {
    found = true;
    for (TopicSpec& t : d.topics)
      if (auto error = set_one(t.options, decls, "topic", s.name, s)) return error;
  }
  if (find_option(decls, "transform", s.name)) {
    found = true;
    for (ClientSpec& c : d.clients)
      if (c.options.has(s.name))
        if (auto error = set_one(c.options, decls, "transform", s.name, s)) return error;
  }
  for (const char* scope : {"producer", "consumer"}) {
    if (!find_option(decls, scope, s.name)) continue;
    found = true;
    for (ClientSpec& c : d.clients) {
      if (c.role == scope) {
        if (auto error = set_one(c.options, decls, scope, s.name, s)) return error;
      } else if (c.role == "client") {
        if (auto error = set_one(scope == std::string("consumer") ? c.consumer_options : c.options, decls, scope, s.name, s)) return error;
      }
    }
  }
  if (found) return std::nullopt;
  std::vector<std::string> known{"profile"};
  for (const OptionDecl& o : decls) known.push_back(o.name);
  return fmt::format("there is no option `{}`{}; `mqlab models {}` lists them", s.name, did_you_mean(s.name, known), model.decl().name);
}

std::vector<std::vector<Setting>> combinations(const std::vector<Sweep>& sweep) {
  std::vector<std::vector<Setting>> all{{}};
  for (const Sweep& s : sweep) {
    std::vector<std::vector<Setting>> next;
    for (const auto& before : all)
      for (const Value& v : s.values) {
        next.push_back(before);
        next.back().push_back({s.name, v, false, s.line});
      }
    all = std::move(next);
  }
  return all;
}

}  // namespace mqlab
