// mqlab conformance: cases recorded from real systems, against the models.
#include <fmt/format.h>

#include "cli/outcome_json.h"
#include "cli/plan.h"
#include "cli/text.h"
#include "sim/lab/conformance.h"

namespace mqlab::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> only, tags, skip_tags;
  std::string known_file;
  std::vector<std::string> set;
  bool json = false;
};

struct FileResult {
  std::string file;
  ConformanceReport report;
};

// {"format": "mqlab-known-differences/1", "differences": [{"id", "reason"}, ...]}
std::map<std::string, std::string> known_differences(const std::string& file) {
  if (file.empty()) return {};
  try {
    const Json j = Json::parse(read_file(file));
    if (j.at("format") != "mqlab-known-differences/1") throw BadInput(fmt::format("{}: format `mqlab-known-differences/1` was expected", file));
    std::map<std::string, std::string> out;
    for (const Json& d : j.at("differences")) out[d.at("id").get<std::string>()] = d.at("reason").get<std::string>();
    return out;
  } catch (const Json::exception& e) {
    throw BadInput(fmt::format("{}: not a list of known differences: {}", file, e.what()));
  }
}

FileResult run_file(const std::string& file, const ConformanceOptions& options) {
  const std::string text = read_file(file);
  try {
    return {file, run_conformance(Json::parse(text), all_models(), options)};
  } catch (const BadCase& e) {
    throw BadInput(fmt::format("{}: {}", file, e.what()));
  } catch (const Json::exception& e) {
    throw BadInput(fmt::format("{}: not a file of conformance cases: {}", file, e.what()));
  }
}

Json failures_json(const std::vector<ConformanceFailure>& failures) {
  Json out = Json::array();
  for (const ConformanceFailure& f : failures) out.push_back({{"id", f.id}, {"what", f.what}, {"expected", f.expected}, {"got", f.got}});
  return out;
}

int conformance(const Options& o) {
  std::vector<Setting> settings;
  for (const std::string& s : o.set) settings.push_back(parse_setting(s));
  const ConformanceOptions options{o.only, o.tags, o.skip_tags, known_differences(o.known_file), settings};
  std::vector<FileResult> results;
  for (const std::string& f : o.files) results.push_back(run_file(f, options));
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::uint64_t known = 0;
  for (const FileResult& r : results) {
    passed += r.report.passed;
    failed += r.report.failures.size();
    known += r.report.known.size();
  }
  if (passed + failed + known == 0) throw BadInput("no case was found in these files");
  if (o.json) {
    Json out{{"format", "mqlab-conformance-result/1"}, {"files", Json::array()}};
    for (const auto& [name, r] : results)
      out["files"].push_back({{"file", name}, {"system", r.system}, {"version", r.version}, {"passed", r.passed}, {"failed", r.failures.size()}, {"failures", failures_json(r.failures)}, {"known", failures_json(r.known)}});
    out["passed"] = passed;
    out["failed"] = failed;
    print(json_text(out));
  } else {
    const Style style = Style::of_stdout();
    Table t{{"system", "passed", "failed", "known to differ", "recorded from"}};
    for (const std::size_t column : {1, 2, 3}) t.right(column);
    Table failures{{"case", "what", "expected", "got"}};
    Table differences{{"known to differ", "why"}};
    for (const auto& [name, r] : results) {
      t.row({{r.system}, {grouped(r.passed)}, {grouped(r.failures.size()), r.failures.empty() ? Style::Ink::plain : Style::Ink::bad}, {grouped(r.known.size())}, {r.version}});
      for (const ConformanceFailure& f : r.failures) failures.row({{f.id}, {f.what}, {f.expected}, {f.got}});
      for (const ConformanceFailure& f : r.known) differences.row({{f.id}, {f.what}});
    }
    print(t.text(style, ""));
    for (const Table* more : {&failures, &differences})
      if (!more->empty()) print("\n" + more->text(style, ""));
    print(fmt::format("{} passed, {} failed\n", passed, failed));
  }
  return failed == 0 ? as_expected : not_as_expected;
}

}  // namespace

void add_conformance_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("conformance", "Compare a model with cases recorded from real systems");
  app->add_option("FILE", o->files, "JSON files of cases: mqlab-vectors/1 or mqlab-conformance/1")->required();
  app->add_option("--only", o->only, "Only cases whose id begins so (repeatable)")->take_all()->allow_extra_args(false);
  app->add_option("--tag", o->tags, "Only cases with this tag (repeatable)")->take_all()->allow_extra_args(false);
  app->add_option("--skip-tag", o->skip_tags, "No cases with this tag (repeatable)")->take_all()->allow_extra_args(false);
  app->add_option("--known", o->known_file, "A JSON file of cases that are known to differ, with reasons: mqlab-known-differences/1");
  app->add_flag("--json", o->json, "The result as JSON (docs/reference/json.md)");
  app->add_option("--set", o->set, "key=value: switch a rule of the cluster, and see which cases notice (may be repeated)")->expected(1)->take_all();
  app->footer(
      "Examples:\n"
      "  mqlab conformance tests/conformance/rabbitmq.json --tag ack\n"
      "  mqlab conformance tests/conformance/rabbitmq.json --set requeue_keeps_place=false");
  commands.push_back({app, [o] { return conformance(*o); }});
}

}  // namespace mqlab::cli
