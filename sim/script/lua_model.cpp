#include "sim/script/lua_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/lab/load.h"
#include "sim/lab/scenario.h"
#include "sim/script/lua_client.h"
#include "sim/script/lua_node.h"
#include "sim/script/nearest.h"
#include "sim/script/script_host.h"

namespace mqlab::script {
namespace {

std::string describe_payload(const Payload& p) { return static_cast<const LuaPayload&>(p).value.brief(200); }

std::unique_ptr<LuaClient> make_client(const Deployment& d, const ScriptSource& source, std::unique_ptr<App> app, const Options& o, std::string subscription) {
  std::map<std::string, LuaTopic> topics;
  for (const TopicSpec& t : d.topics) topics[t.name] = {t.options.integer("partitions"), t.options.text("node")};
  std::string node = o.text("node");
  if (node.empty() && !source.nodes.empty()) node = source.nodes.front().name;
  // A case or the command line may have named one that is not there.
  const auto check = [&](const std::string& name) {
    std::vector<std::string> known;
    for (const NodeSpec& n : source.nodes) known.push_back(n.name);
    if (!name.empty() && std::find(known.begin(), known.end(), name) == known.end())
      throw InputError(source.path, 0, fmt::format("no node is called `{}`{}", name, did_you_mean(name, known)));
  };
  check(node);
  for (const auto& [name, topic] : topics) check(topic.node);
  return std::make_unique<LuaClient>(std::move(app), std::move(subscription), std::move(topics), std::move(node), o.duration("timeout"));
}

class LuaModel : public Model {
 public:
  const ModelDecl& decl() const override {
    using T = OptionType;
    static const ModelDecl all = [] {
      ModelDecl m;
      m.name = "lua";
      m.family = "your own";
      m.sentence = "Nodes written in Lua, in the scenario's own file.";
      m.default_profile = "1";
      m.profiles = {{"1", "The only one."}};
      const Duration timeout = 30'000'000'000;
      m.options = {
          {"partitions", "topic", T::integer, std::int64_t{1}, "Places of the topic: orders/0, orders/1 ...", "", {}, 1, 10'000},
          {"node", "topic", T::text, std::string(), "The node that sends and polls of this topic go to; not said: the client's.", "", {}},
          {"node", "producer", T::text, std::string(), "The node that this client speaks to; not said: the first.", "", {}},
          {"timeout", "producer", T::duration, timeout, "A call without an answer is given up after this.", "", {}, 1},
          {"node", "consumer", T::text, std::string(), "The node that this client speaks to; not said: the first.", "", {}},
          {"timeout", "consumer", T::duration, timeout, "A call without an answer is given up after this.", "", {}, 1},
          {"subscription", "consumer", T::text, std::string(), "Who is entitled to what it reads, in the history; not said: the client itself.", "", {}},
      };
      m.roles = {{"node", "What the file says."}};
      m.calls = {{"send", "(topic, message)", "To the topic's node, as call.kind == \"send\"."},
                 {"poll", "(timeout, max)", "As call.kind == \"poll\", with the places and positions of the client."},
                 {"assign", "(place, position)", "Kept by the client."},
                 {"seek", "(place, position)", "Kept by the client."},
                 {"ack", "(message)", "As call.kind == \"ack\"."},
                 {"commit", "(place, position)", "As call.kind == \"commit\"."},
                 {"end_offset", "(place)", "As call.kind == \"end_offset\"."},
                 {"begin", "()", "As call.kind == \"begin\"."},
                 {"commit_transaction", "()", "As call.kind == \"commit_transaction\"."},
                 {"abort", "()", "As call.kind == \"abort\"."},
                 {"subscribe", "(topic)", "As call.kind == \"subscribe\", with call.argument: the topics with commas. So are unsubscribe, pause, resume, release, reject."},
                 {"close", "()", "Closes the connections."}};
      m.not_modelled = {"whatever the file does not do"};
      return m;
    }();
    return all;
  }

  std::optional<std::string> check(const Deployment&) const override { return std::nullopt; }

  void deploy(World& world, const Deployment& d) const override {
    const ScriptSource& source = ScriptHost::of(world).source();
    for (int k = send_kind; k < own_kinds; ++k) world.declare_message({static_cast<MessageKind>(k), lua_kind_name(static_cast<LuaKind>(k)), Traffic::client, describe_payload});
    for (std::size_t i = 0; i < source.messages.size(); ++i)
      world.declare_message({static_cast<MessageKind>(own_kinds + i), source.messages[i].c_str(), Traffic::replication, describe_payload});
    for (const NodeSpec& n : source.nodes) world.add_node(std::make_unique<LuaNode>(n.number), n.options);
    for (const ClientSpec& c : d.clients) {
      std::unique_ptr<App> app;
      if (c.app) app = c.app->clone();
      else if (c.role == "producer") app = std::make_unique<ProducerLoad>(c.options);
      else app = std::make_unique<ConsumerLoop>(c.options);
      NodeOptions o;
      o.name = c.name;
      o.role = c.role;
      o.zone = c.zone;
      o.rack = c.rack;
      o.region = c.region;
      const Options& reads = c.role == "client" ? c.consumer_options : c.options;
      world.add_node(make_client(d, source, std::move(app), c.options, c.role == "producer" ? std::string() : reads.text("subscription")), o);
    }
  }

  NodeId add_reader(World& world, const Deployment& d, const std::string& name) const override {
    const std::vector<OptionDecl> decls = all_options(decl());
    Options o = Options::defaults(decls, "consumer");
    std::string topics;
    for (const TopicSpec& t : d.topics) topics += (topics.empty() ? "" : ",") + t.name;
    (void)o.set(decls, "consumer", "topics", topics);
    NodeOptions n;
    n.name = name;
    n.role = "consumer";
    return world.add_node(make_client(d, ScriptHost::of(world).source(), std::make_unique<ConsumerLoop>(o), o, {}), n);
  }

  bool settled(const World& world) const override {
    for (NodeId n = 0; n < world.node_count(); ++n)
      if (const auto* client = dynamic_cast<const LuaClient*>(&world.node(n)); client && world.running(n) && !client->settled()) return false;
    return true;
  }

  std::vector<Claim> claims(const Deployment&, const FaultSummary&) const override { return {}; }
};

}  // namespace

std::unique_ptr<Model> make_lua_model() { return std::make_unique<LuaModel>(); }

}  // namespace mqlab::script
