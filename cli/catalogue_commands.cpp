// mqlab models, scenarios, anomalies: what there is, read from the declarations.
#include <fmt/format.h>

#include <algorithm>

#include "cli/library.h"
#include "cli/outcome_json.h"
#include "cli/text.h"
#include "sim/lab/nearest.h"

namespace mqlab::cli {
namespace {

struct Options {
  std::string word;
  bool json = false;
};

bool contains(std::string_view text, std::string_view word) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), [&](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

// --- models ---

Json model_json(const ModelDecl& m) {
  Json out;
  out["name"] = m.name;
  out["family"] = m.family;
  out["sentence"] = m.sentence;
  out["default_profile"] = m.default_profile;
  out["profiles"] = Json::array();
  for (const ProfileDecl& p : m.profiles) out["profiles"].push_back({{"name", p.name}, {"sentence", p.sentence}});
  out["options"] = Json::array();
  for (const OptionDecl& o : all_options(m))
    out["options"].push_back({{"name", o.name}, {"scope", o.scope}, {"type", option_type_name(o.type)}, {"default", to_text(o, o.value)}, {"sentence", o.sentence},
                              {"source", o.source}, {"choices", o.choices}, {"switch", o.is_switch}});
  out["roles"] = Json::array();
  for (const RoleDecl& r : m.roles) out["roles"].push_back({{"name", r.name}, {"sentence", r.sentence}});
  out["calls"] = Json::array();
  for (const CallDecl& c : m.calls) out["calls"].push_back({{"name", c.name}, {"arguments", c.arguments}, {"sentence", c.sentence}});
  out["marks"] = Json::array();
  for (const MarkDecl& k : m.marks) out["marks"].push_back({{"name", k.name}, {"sentence", k.sentence}});
  out["verbs"] = Json::array();
  for (const VerbDecl& v : m.verbs) out["verbs"].push_back({{"name", v.name}, {"arguments", v.arguments}, {"sentence", v.sentence}});
  out["not_modelled"] = m.not_modelled;
  out["ledger"] = Json::array();
  for (const RuleDecl& r : m.ledger) out["ledger"].push_back({{"rule", r.rule}, {"source", r.source}, {"test", r.test}});
  return out;
}

std::string model_text(const ModelDecl& m, const Style& style) {
  std::string out = style.strong(m.name) + ": " + m.family + "\n" + paragraph(m.sentence, style.width, "  ");
  const auto section = [&](const char* title, const Table& t) {
    if (!t.empty()) out += "\n" + style.strong(title) + "\n" + t.text(style);
  };
  Table profiles{{"profile", ""}};
  for (const ProfileDecl& p : m.profiles) profiles.row({{p.name + (p.name == m.default_profile ? " (default)" : "")}, {p.sentence}});
  section("Profiles (--on " "MODEL:PROFILE)", profiles);
  std::vector<OptionDecl> options = all_options(m);
  for (const char* scope : {"cluster", "topic", "producer", "consumer", "transform"}) {
    Table t{{"option", "default", ""}};
    Table switches{{"rule", "default", ""}};
    for (const OptionDecl& o : options) {
      if (o.scope != scope) continue;
      std::string sentence = o.sentence;
      if (!o.choices.empty()) sentence += fmt::format(" One of {}.", fmt::join(o.choices, ", "));
      if (!o.source.empty()) sentence += fmt::format(" ({})", o.source);
      const std::string value = to_text(o, o.value);
      (o.is_switch ? switches : t).row({{o.name}, {value.empty() ? "-" : value}, {sentence}});
    }
    section(fmt::format("Options of a {}", scope).c_str(), t);
    section(fmt::format("Rules of a {} that can be switched to an older or a broken one", scope).c_str(), switches);
  }
  Table roles{{"role", ""}};
  for (const RoleDecl& r : m.roles) roles.row({{r.name}, {r.sentence}});
  section("Roles", roles);
  Table calls{{"call", "arguments", ""}};
  for (const CallDecl& c : m.calls) calls.row({{c.name}, {c.arguments}, {c.sentence}});
  section("What a client may call", calls);
  Table marks{{"mark", ""}};
  for (const MarkDecl& k : m.marks) marks.row({{k.name}, {k.sentence}});
  section("Marks that a scenario reaches or waits for", marks);
  Table verbs{{"verb", "arguments", ""}};
  for (const VerbDecl& v : m.verbs) verbs.row({{v.name}, {v.arguments}, {v.sentence}});
  section("Verbs of an operator", verbs);
  if (!m.not_modelled.empty()) {
    out += "\n" + style.strong("Not modelled") + "\n";
    for (const std::string& n : m.not_modelled) out += paragraph(n, style.width, "  - ");
  }
  Table ledger{{"source", "test", "rule"}};
  for (const RuleDecl& r : m.ledger) ledger.row({{r.source}, {r.test}, {r.rule}});
  section("Ledger: each rule, where it is written, and the test that holds it", ledger);
  return out;
}

int models(const Options& o) {
  std::vector<std::string> known;
  for (const auto& m : all_models().all()) known.push_back(m->decl().name);
  if (!o.word.empty() && !all_models().find(o.word)) throw BadInput(and_then(fmt::format("there is no model `{}`{}", o.word, did_you_mean(o.word, known)), fmt::format("there is {}", fmt::join(known, ", "))));
  const Style style = Style::of_stdout();
  if (o.json) {
    Json out{{"format", "mqlab-models/1"}, {"models", Json::array()}};
    for (const auto& m : all_models().all())
      if (o.word.empty() || m->decl().name == o.word) out["models"].push_back(model_json(m->decl()));
    print(json_text(out));
  } else if (!o.word.empty()) {
    print(model_text(all_models().find(o.word)->decl(), style));
  } else {
    Table t{{"model", "family", "profiles", ""}};
    for (const auto& m : all_models().all()) {
      std::string profiles;
      for (const ProfileDecl& p : m->decl().profiles) profiles += (profiles.empty() ? "" : " ") + p.name;
      t.row({{m->decl().name, Style::Ink::strong}, {m->decl().family}, {profiles}, {m->decl().sentence}});
    }
    print(t.text(style, "") + style.quiet("\n`mqlab models NAME` shows options, marks, verbs, what is left out and where each rule comes from.") + "\n");
  }
  return as_expected;
}

// --- scenarios ---

std::string expectation_words(const std::vector<Expectation>& all) {
  std::string out;
  for (const Expectation& e : all) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", expectation_name(e.kind), e.name);
  return out;
}

int scenarios(const Options& o) {
  const Style style = Style::of_stdout();
  Json all = Json::array();
  std::string out;
  std::size_t found = 0;
  std::size_t broken = 0;
  for (const std::string& path : library_files()) {
    Json entry{{"path", path}};
    std::string text = style.strong(path) + "\n";
    std::string words = path;
    try {
      const Scenario s = load_scenario_file(path);
      words += " " + s.title + " " + s.lesson;
      entry["title"] = s.title;
      entry["model"] = s.model;
      entry["chapter"] = s.chapter;
      entry["cases"] = Json::array();
      entry["expectations"] = Json::array();
      const auto expect = [&](const std::string& name, const std::vector<Expectation>& list) {
        for (const Expectation& e : list) {
          entry["expectations"].push_back({{"case", name}, {"kind", expectation_name(e.kind)}, {"name", e.name}});
          words += " " + e.name;
        }
      };
      text += paragraph(s.title, style.width, "  ");
      expect("", s.expect);
      if (!s.expect.empty()) text += paragraph(expectation_words(s.expect), style.width, "    always: ");
      for (const ScenarioCase& c : s.cases) {
        entry["cases"].push_back({{"name", c.name}, {"sentence", c.sentence}});
        expect(c.name, c.expect);
        words += " " + c.name;
        text += paragraph(c.expect.empty() ? c.sentence : expectation_words(c.expect), style.width, fmt::format("    {}: ", c.name));
      }
    } catch (const std::runtime_error& e) {
      entry["error"] = e.what();
      text += style.paint(paragraph(e.what(), style.width, "  can't be read: "), Style::Ink::bad);
      ++broken;
    }
    if (!o.word.empty() && !contains(words, o.word)) continue;
    ++found;
    all.push_back(std::move(entry));
    out += text;
  }
  if (o.json) {
    print(json_text(Json{{"format", "mqlab-scenarios/1"}, {"scenarios", std::move(all)}}));
  } else if (found == 0) {
    complain(o.word.empty() ? "no scenario was found: neither ./scenarios nor the library of this build has one" : fmt::format("no scenario mentions `{}`; `mqlab scenarios` lists all", o.word));
    return bad_input;
  } else {
    print(out + style.quiet(fmt::format("\n{}. `mqlab run FILE` runs one.", counted(found, "scenario"))) + "\n");
  }
  return broken == 0 ? as_expected : not_as_expected;
}

// --- anomalies ---

Json anomaly_json(const Anomaly& a) {
  return {{"name", a.name}, {"class", anomaly_class_name(a.kind)}, {"predicate", a.predicate}, {"certain", a.certain},
          {"mechanism", a.mechanism}, {"allowed", a.allowed}, {"checked", a.checked}, {"scenario", a.scenario}};
}

std::string anomaly_text(const Anomaly& a, const Style& style) {
  std::string out = style.strong(a.name) + fmt::format(" ({})\n", anomaly_class_name(a.kind));
  const auto row = [&](const char* label, std::string_view text) {
    if (text.empty()) return;
    const std::string lead = fmt::format("  {:<15}", label);
    out += style.quiet(lead) + paragraph(text, style.width, lead).substr(lead.size());
  };
  row("what it is", a.predicate);
  row("certain at", a.certain);
  row("how it comes", a.mechanism);
  row("no breach when", a.allowed);
  row("checker", a.checked ? "yes" : "not yet");
  row("scenario", a.scenario);
  return out;
}

int anomalies(const Options& o) {
  const Style style = Style::of_stdout();
  std::vector<std::string> known;
  for (const Anomaly& a : all_anomalies()) known.push_back(a.name);
  const Anomaly* one = o.word.empty() ? nullptr : find_anomaly(o.word);
  if (!o.word.empty() && !one) throw BadInput(and_then(fmt::format("there is no anomaly `{}`{}", o.word, did_you_mean(o.word, known)), "`mqlab anomalies` lists them"));
  if (o.json) {
    Json out{{"format", "mqlab-anomalies/1"}, {"anomalies", Json::array()}};
    for (const Anomaly& a : all_anomalies())
      if (!one || one == &a) out["anomalies"].push_back(anomaly_json(a));
    print(json_text(out));
    return as_expected;
  }
  if (one) {
    print(anomaly_text(*one, style));
    return as_expected;
  }
  std::string out;
  for (int k = 0; k <= static_cast<int>(AnomalyClass::durability); ++k) {
    Table t{{anomaly_class_name(static_cast<AnomalyClass>(k)), ""}};
    for (const Anomaly& a : all_anomalies())
      if (static_cast<int>(a.kind) == k) t.row({{a.name, a.checked ? Style::Ink::strong : Style::Ink::plain}, {std::string(a.predicate) + (a.checked ? "" : " (no checker yet)")}});
    out += (k ? "\n" : "") + t.text(style, "");
  }
  print(out + style.quiet("\n`mqlab anomalies NAME` tells all about one.") + "\n");
  return as_expected;
}

void add(CLI::App& root, Commands& commands, const char* name, const char* sentence, const char* argument, const char* what, const char* footer, int (*run)(const Options&)) {
  auto o = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand(name, sentence);
  app->add_option(argument, o->word, what);
  app->add_flag("--json", o->json, "The result as JSON (docs/reference/json.md)");
  app->footer(footer);
  commands.push_back({app, [o, run] { return run(*o); }});
}

}  // namespace

void add_models_command(CLI::App& root, Commands& commands) {
  add(root, commands, "models", "The broker families, their options, and where each rule comes from", "NAME", "One model in full", "Examples:\n  mqlab models\n  mqlab models kafka", models);
}

void add_scenarios_command(CLI::App& root, Commands& commands) {
  add(root, commands, "scenarios", "The library: stories with what must be seen in them", "WORD", "Only those that mention this word",
      "Examples:\n  mqlab scenarios\n  mqlab scenarios lost-message", scenarios);
}

void add_anomalies_command(CLI::App& root, Commands& commands) {
  add(root, commands, "anomalies", "What can go wrong, by name", "NAME", "One anomaly in full", "Examples:\n  mqlab anomalies\n  mqlab anomalies lost-message", anomalies);
}

}  // namespace mqlab::cli
