// mqlab bench NAME [N]: one line that a speed comparison reads.
#include <fmt/format.h>

#include "cli/bench.h"
#include "cli/crash.h"
#include "cli/face.h"
#include "cli/text.h"
#include "sim/lab/nearest.h"

namespace mqlab::cli {
namespace {

struct BenchDecl {
  const char* name;
  std::uint64_t size;  // unless one is given
  const char* unit;
  BenchResult (*run)(const BenchOptions&);
  const char* sentence;
};

constexpr BenchDecl benches[] = {
    {"ring", 20'000'000, "deliveries", bench_ring, "100 actors pass 100 messages round, 1 ms a hop: the bare kernel with many ties"},
    {"phold", 5'000'000, "events", bench_phold, "16,384 pending events, exponential steps, random destinations: the bare kernel"},
    {"tandem", 1'000'000, "customers", bench_tandem, "three servers in a row, about four events a customer: the bare kernel"},
    {"hop", 5'000'000, "messages", bench_hop, "datagrams among 64 nodes, with latency, fault checks and fingerprint"},
    {"rpc", 2'000'000, "calls", bench_rpc, "request and reply over streams, with a 30 s timer set and cancelled"},
    {"produce", 500'000, "records", bench_produce, "8 Kafka producers, acks=all on three replicas, history kept and checked"},
    {"campaign", 500, "runs", bench_campaign, "1,000-operation Kafka runs under faults: built, run, checked, torn down"},
    {"hunt", 2'000, "runs", bench_hunt, "what `mqlab hunt` does on one thread: small Kafka runs with faults drawn, judged, their goals counted"},
    {"check", 4'000'000, "operations", bench_check, "all checkers over a history"},
    {"check-transactions", 1'000'000, "operations", bench_check_transactions, "all checkers over a history of transactions"},
    {"window", 1'000'000, "events", bench_window, "a long Kafka run as the window has it: recorded, indexed, sought in, its pictures built"},
};

struct Options {
  std::string name;
  std::string size;
  std::string queue = "heap";
  bool json = false;
};

int bench(const Options& o) {
  if (o.name.empty()) {
    Table t{{"name", "size", "what it measures"}};
    t.right(1);
    for (const BenchDecl& b : benches) t.row({{b.name}, {grouped(b.size)}, {b.sentence}});
    print(t.text(Style::of_stdout(), ""));
    return as_expected;
  }
  const BenchDecl* decl = nullptr;
  std::vector<std::string> names;
  for (const BenchDecl& b : benches) {
    names.push_back(b.name);
    if (o.name == b.name) decl = &b;
  }
  if (!decl) throw BadInput(and_then(fmt::format("there is no benchmark `{}`{}", o.name, did_you_mean(o.name, names)), "`mqlab bench` lists them"));
  BenchOptions options{decl->size, o.queue == "radix" ? QueueKind::radix : QueueKind::heap};
  if (!o.size.empty()) {
    char* end = nullptr;
    options.size = std::strtoull(o.size.c_str(), &end, 10);
    if (*end || options.size == 0 || options.size > 10'000'000'000ULL || o.size[0] == '-')
      throw BadInput(fmt::format("`{}` is no size: a whole number from 1 on was expected", o.size));
  }
  crash::now_running(1, o.name);
  const BenchResult r = decl->run(options);
  const double rate = static_cast<double>(r.units) / std::max(r.seconds, 1e-9);
  std::string more;
  for (const BenchMeasure& m : r.more) more += o.json ? fmt::format("\"{}\": {:.4g}, ", m.name, m.value) : fmt::format(" {}={:.4g}", m.name, m.value);
  if (o.json)
    print(fmt::format("{{\"format\": \"mqlab-bench/1\", \"bench\": \"{}\", \"unit\": \"{}\", \"units\": {}, \"run_s\": {:.4f}, \"rate\": {:.0f}, \"bytes\": {}, {}\"checksum\": \"{:016x}\"}}\n",
                      decl->name, decl->unit, r.units, r.seconds, rate, r.bytes, more, r.checksum));
  else
    print(fmt::format("peer=mqlab bench={} units={} run_s={:.4f} rate={:.0f}{}{} chk={:016x}\n", decl->name, r.units, r.seconds, rate,
                      r.bytes == 0 ? "" : fmt::format(" bytes_per_unit={:.0f}", static_cast<double>(r.bytes) / static_cast<double>(r.units)), more, r.checksum));
  return as_expected;
}

}  // namespace

void add_bench_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("bench", "Measure the speed of a part, in one line");
  app->add_option("NAME", o->name, "Which one; without it, the list");
  app->add_option("N", o->size, "How many units");
  app->add_option("--queue", o->queue, "heap or radix: the event queue")->check(CLI::IsMember({"heap", "radix"}));
  app->add_flag("--json", o->json, "The result as JSON");
  app->footer("The line is `peer=mqlab bench=NAME units=N run_s=SECONDS rate=UNITS_A_SECOND chk=CHECKSUM`.\n"
              "The checksum names the work done, so it is the same on every machine and with both queues.\n\n"
              "Examples:\n  mqlab bench phold 5000000\n  mqlab bench hop --queue radix");
  commands.push_back({app, [o] { return bench(*o); }});
}

}  // namespace mqlab::cli
