// mqlab conformance: cases recorded from real systems, against the models.
#include <fmt/format.h>

#include <functional>

#include "cli/outcome_json.h"
#include "cli/text.h"
#include "models/kafka/partitioner.h"

namespace mqlab::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  bool json = false;
};

struct Failure {
  std::string id, what, expected, got;
};

struct FileResult {
  std::string file, system, version;
  std::uint64_t passed = 0;
  std::vector<Failure> failures{};
};

// Each key has one row of partitions for each hash, by number of partitions. A case passes when all agree.
FileResult partitioners(const std::string& file, const Json& j) {
  FileResult r{file, j.at("system").get<std::string>(), j.value("version", "")};
  const auto counts = j.at("partition_counts").get<std::vector<std::int32_t>>();
  for (const std::int32_t n : counts)
    if (n <= 0) throw BadInput(fmt::format("{}: a number of partitions is {}, and must be at least 1", file, n));
  for (const Json& c : j.at("cases")) {
    const auto id = c.at("id").get<std::string>();
    const auto key = c.at("key").get<std::string>();
    std::optional<Failure> failure;
    std::size_t looked_at = 0;
    for (const kafka::KeyHash hash : {kafka::KeyHash::murmur2, kafka::KeyHash::crc32, kafka::KeyHash::fnv1a}) {
      if (!c.contains(kafka::name(hash))) continue;
      const auto expected = c.at(kafka::name(hash)).get<std::vector<std::int32_t>>();
      ++looked_at;
      if (expected.size() != counts.size()) throw BadInput(fmt::format("{}: case {}: {} has {} partitions for {} counts", file, id, kafka::name(hash), expected.size(), counts.size()));
      for (std::size_t i = 0; i < counts.size() && !failure; ++i) {
        const std::int32_t got = kafka::partition_for(hash, key, counts[i]);
        if (got != expected[i]) failure = Failure{id, fmt::format("{} of {} partitions", kafka::name(hash), counts[i]), std::to_string(expected[i]), std::to_string(got)};
      }
    }
    if (looked_at == 0) throw BadInput(fmt::format("{}: case {} has none of murmur2, crc32, fnv1a", file, id));
    if (failure) r.failures.push_back(std::move(*failure));
    else ++r.passed;
  }
  return r;
}

FileResult run_file(const std::string& file) {
  const std::string text = read_file(file);
  try {
    const Json j = Json::parse(text);
    const auto format = j.at("format").get<std::string>();
    const auto system = j.at("system").get<std::string>();
    if (format == "mqlab-vectors/1" && system == "kafka-partitioners") return partitioners(file, j);
    if (format == "mqlab-vectors/1" || format == "mqlab-conformance/1") throw BadInput(fmt::format("{}: there is no model for system `{}` yet", file, system));
    throw BadInput(fmt::format("{}: format `{}` is not known: mqlab-vectors/1 or mqlab-conformance/1 was expected", file, format));
  } catch (const Json::exception& e) {
    throw BadInput(fmt::format("{}: not a file of conformance cases: {}", file, e.what()));
  }
}

int conformance(const Options& o) {
  std::vector<FileResult> results;
  for (const std::string& f : o.files) results.push_back(run_file(f));
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  for (const FileResult& r : results) {
    passed += r.passed;
    failed += r.failures.size();
  }
  if (passed + failed == 0) throw BadInput("no case was found in these files");
  if (o.json) {
    Json out{{"format", "mqlab-conformance-result/1"}, {"files", Json::array()}};
    for (const FileResult& r : results) {
      Json file{{"file", r.file}, {"system", r.system}, {"version", r.version}, {"passed", r.passed}, {"failed", r.failures.size()}, {"failures", Json::array()}};
      for (const Failure& f : r.failures) file["failures"].push_back({{"id", f.id}, {"what", f.what}, {"expected", f.expected}, {"got", f.got}});
      out["files"].push_back(std::move(file));
    }
    out["passed"] = passed;
    out["failed"] = failed;
    print(json_text(out));
  } else {
    const Style style = Style::of_stdout();
    Table t{{"system", "passed", "failed", "recorded from"}};
    t.right(1);
    t.right(2);
    Table failures{{"case", "what", "expected", "got"}};
    for (const FileResult& r : results) {
      t.row({{r.system}, {grouped(r.passed)}, {grouped(r.failures.size()), r.failures.empty() ? Style::Ink::plain : Style::Ink::bad}, {r.version}});
      for (const Failure& f : r.failures) failures.row({{f.id}, {f.what}, {f.expected}, {f.got}});
    }
    print(t.text(style, ""));
    if (!failures.empty()) print("\n" + failures.text(style, ""));
    print(fmt::format("{} passed, {} failed\n", passed, failed));
  }
  return failed == 0 ? as_expected : not_as_expected;
}

}  // namespace

void add_conformance_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("conformance", "Compare a model with cases recorded from real systems");
  app->add_option("FILE", o->files, "JSON files of cases: mqlab-vectors/1 or mqlab-conformance/1")->required();
  app->add_flag("--json", o->json, "The result as JSON (docs/reference/json.md)");
  app->footer("Example:\n  mqlab conformance tests/conformance/kafka-partitioners.json");
  commands.push_back({app, [o] { return conformance(*o); }});
}

}  // namespace mqlab::cli
