// sim/lab/model.h: what a protocol model says of itself, and how it is put into a world.
//
// A model is a folder under models/ and one line of registration in a face. All that others know
// of it is declared here as data: profiles, options, roles, calls, marks, verbs, claims, what it
// leaves out, and the ledger (rule, source, test).
//
// Always true: a model's outcome comes out of its protocol; nothing here decides it.
//
//     const Model* kafka = models.find("kafka");
//     Deployment d = ...;
//     kafka->deploy(world, d);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/lab/app.h"
#include "sim/lab/options.h"
#include "sim/lab/service.h"
#include "sim/world/world.h"

namespace mqlab {

struct ProfileDecl {
  std::string name;      // "3.9"
  std::string sentence;
  std::vector<std::pair<std::string, Value>> cluster{};   // defaults that differ, by option
  std::vector<std::pair<std::string, Value>> topic{};
  std::vector<std::pair<std::string, Value>> producer{};
  std::vector<std::pair<std::string, Value>> consumer{};
};

struct RoleDecl {
  std::string name;      // "broker"
  std::string sentence;
};

// What an application may call, for Lua and the docs: `c:send(topic, {key=, body=})`.
struct CallDecl {
  std::string name;
  std::string arguments;
  std::string sentence;
};

// Something that happens inside and has a name: what a scenario `reaches` and `when` waits for.
struct MarkDecl {
  std::string name;
  std::string sentence;
  bool again = false;  // a client tells it when it sends again what may have arrived
};

// What of its nodes' states a model shows step by step when nothing else is asked for (sim/record/state_filter.h).
struct StepPathDecl {
  std::string pattern;   // "high watermark", "B*/transactions", or with ! what is left out
  std::string sentence;
};

// The model's own verb for a fault or an operator: command("B1", "elect", "orders/0").
struct VerbDecl {
  std::string name;
  std::string arguments;
  std::string sentence;
  // How a plan drawn at random says it (sim/hunt); none: it never does. {place}, {topic}, {broker} (a server of that role)
  // and {2..8} are filled in, in both.
  std::string whom{};
  std::vector<std::string> forms{};   // of the argument
  std::string undo{};                 // the argument that ends it
  bool takes_away = false;            // what an operator destroys no model promises to keep: only where anything may happen
};

// One row of the ledger: a rule of the protocol, where it is written, and which test holds it.
struct RuleDecl {
  std::string rule;
  std::string source;
  std::string test;
};

struct ModelDecl {
  std::string name;      // "kafka"
  std::string family;    // "partitioned log"
  std::string sentence;
  std::string default_profile;
  std::vector<ProfileDecl> profiles;
  std::vector<OptionDecl> options;  // of every scope, switches among them; load options are added by the lab
  std::vector<RoleDecl> roles;
  std::vector<CallDecl> calls;
  std::vector<MarkDecl> marks;      // the world's own are added by the lab: fault, killed, power_lost, restarted ...
  std::vector<VerbDecl> verbs;
  std::vector<StepPathDecl> step_paths;  // none: all of it
  std::vector<std::string> not_modelled;
  std::vector<RuleDecl> ledger;
};

struct TopicSpec {
  std::string name;
  Options options;
  int line = 0;
};

struct ClientSpec {
  std::string name;
  std::string role;                 // "producer", "consumer", or "client" for a program
  Options options;                  // scope of the same name; a program has both scopes' defaults
  Options consumer_options{};       // of a program
  std::unique_ptr<App> app{};       // a program; null: declared load from the options
  std::string zone{}, rack{}, region{};
  int line = 0;

  ClientSpec() = default;
  ClientSpec(const ClientSpec& o)
      : name(o.name), role(o.role), options(o.options), consumer_options(o.consumer_options), app(o.app ? o.app->clone() : nullptr),
        zone(o.zone), rack(o.rack), region(o.region), line(o.line) {}
  ClientSpec(ClientSpec&&) = default;
  ClientSpec& operator=(ClientSpec&&) = default;
  ClientSpec& operator=(const ClientSpec& o) { return *this = ClientSpec(o); }
};

// A cluster and its clients, ready to be built.
struct Deployment {
  std::string profile;
  Options cluster;
  std::vector<TopicSpec> topics;
  std::vector<ClientSpec> clients;
  std::vector<ServiceSpec> services{};      // databases, the world outside: not the model's business
  std::vector<OptionDecl> knob_decls{};     // the scenario's own, for its programs: scope "knob"
  Options knobs{};
};

// What faults a run has really had, so that a claim is only held to what it claims.
struct FaultSummary {
  // A server's process or machine that ended otherwise than in good order.
  struct Lost {
    std::string node, role;
    bool power = false;  // with what was not synced
    bool wipe = false;   // with its disk
  };
  std::vector<Lost> losses;
  bool disk_faults = false;      // lying, failing, torn, rotten
  bool clock_faults = false;
  bool server_stops = false;     // in good order, so that connections ended
  bool client_kills = false;
  bool client_pauses = false;    // so that an answer may be read long after it was given
  bool network_faults = false;   // so that a request given up may still arrive
  // Clients, by name and in order, one of whose sends may have arrived late: they do not know what became of it, or sent it
  // again. Whether a fault was the reason or just a long way.
  std::vector<std::string> unsure{};
};
FaultSummary summarise_faults(const World& world, const ModelDecl& model);

// Whether the model promises that this anomaly does not happen, as deployed and under these faults.
struct Claim {
  std::string anomaly;
  bool claimed = false;
  std::string reason;    // "acks=all, min_insync=2, and one machine lost at a time"
  std::vector<std::string> except{};  // clients: of what only they sent nothing is claimed (run.h)
};

class Model {
 public:
  virtual ~Model() = default;
  virtual const ModelDecl& decl() const = 0;

  // Checks what the single options cannot: "replicas = 5, but there are 3 brokers". The text is for people.
  virtual std::optional<std::string> check(const Deployment& d) const = 0;
  // Builds nodes, topics and clients. Requires: check() found nothing.
  virtual void deploy(World& world, const Deployment& d) const = 0;
  // Adds a client that reads every place from its beginning, under this name; used for the drain.
  virtual NodeId add_reader(World& world, const Deployment& d, const std::string& name) const = 0;
  // True when nothing is under way any more: sends are answered, readers have caught up, replicas agree.
  virtual bool settled(const World& world) const = 0;
  virtual std::vector<Claim> claims(const Deployment& d, const FaultSummary& faults) const = 0;
};

// The models that a face offers, in the order registered.
class Models {
 public:
  void add(std::unique_ptr<Model> m) { all_.push_back(std::move(m)); }
  const Model* find(std::string_view name) const {
    for (const auto& m : all_)
      if (m->decl().name == name) return m.get();
    return nullptr;
  }
  const std::vector<std::unique_ptr<Model>>& all() const { return all_; }

 private:
  std::vector<std::unique_ptr<Model>> all_;
};

// A scope's options as a scenario may set them: the model's, and the declared load's.
std::vector<OptionDecl> all_options(const ModelDecl& m);

// A deployment with the profile's defaults everywhere; nothing when there is no such profile.
std::optional<Options> profile_defaults(const ModelDecl& m, std::string_view profile, std::string_view scope);

// Marks that every world has.
const std::vector<MarkDecl>& world_marks();

}  // namespace mqlab
