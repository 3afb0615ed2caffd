// mqlab merge: shares of one campaign put together.
#include <fmt/format.h>

#include <filesystem>

#include "cli/hunt.h"
#include "sim/hunt/campaign.h"

namespace mqlab::cli {
namespace {

struct MergeRequest {
  std::string out;
  std::vector<std::string> in;
  bool json = false, all_goals = false;
};

int merge(const MergeRequest& request) {
  for (const std::string& in : request.in)
    if (std::filesystem::weakly_canonical(in) == std::filesystem::weakly_canonical(request.out)) throw BadInput(fmt::format("{} can't be merged into itself: the first folder is the one that is written", in));
  Manifest whole = Store(campaign_file(request.in.front())).manifest();
  whole.shard = Shard{}.text();
  std::error_code error;
  std::filesystem::create_directories(request.out, error);
  if (error) throw BadInput(fmt::format("{}: the folder can't be made: {}", request.out, error.message()));
  Store store(campaign_file(request.out), whole);
  for (const std::string& in : request.in) {
    Store part(campaign_file(in));
    if (const auto differs = store.merge(part)) {
      complain(fmt::format("this is a bug in mqlab, or two builds of it were mixed: seed {} of {} came out one way in {} and another way in what was merged before. Nothing of {} was taken. To see which: {}", differs->first,
                           store.manifest().targets[differs->second].label, in, in, plan_command(store.manifest(), differs->first, differs->second)));
      return lab_failed;
    }
  }
  write_stories(request.out, store);
  const HuntReport report{fmt::format("{} of a campaign", counted(request.in.size(), "share")), request.out, {}, true, request.all_goals};
  if (request.json) print(json_text(hunt_json(store, report)));
  else print(report_text(store, report, Style::of_stdout()));
  return report_code(store, report);
}

}  // namespace

void add_merge_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<MergeRequest>();
  CLI::App* app = root.add_subcommand("merge", "Put the shares of a campaign together (mqlab hunt --shard)");
  app->add_option("OUT", o->out, "The folder that gets all; it may be there already")->required();
  app->add_option("IN", o->in, "Folders of `mqlab hunt --out`")->required();
  app->add_flag("--goals", o->all_goals, "List all goals that were never reached");
  app->add_flag("--json", o->json, "The result as JSON, as of `mqlab hunt`");
  app->footer(
      "The shares must be of one campaign: the same scenario, options and version. Where two have the same seed they must agree bit for\n"
      "bit; if not, that is a bug of mqlab (exit code 3) and the seed is named. Groups without a story get one when the hunt goes on in\n"
      "OUT (without --shard).\n\n"
      "Example:\n"
      "  mqlab merge all one two three four");
  commands.push_back({app, [o] { return merge(*o); }});
}

}  // namespace mqlab::cli
