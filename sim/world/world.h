// sim/world/world.h: a world is a value.
//
// Nodes, what they know, what is on the wire, what is on the disks, which faults are armed, and
// what is still to happen: all of it is data in here, so a World can be copied, and both copies
// run on by themselves. There is no global state; many worlds live in one process, one thread each.
//
// The rule: step() takes the next event in the order (due time, order added) and hands it to one
// node. Same nodes, options, faults and seed: same events, same fingerprint, on every machine.
//
//     World world(seed);
//     NodeId b1 = world.add_node(std::make_unique<Broker>(...), {.name = "B1", .role = "broker"});
//     world.arm(Fault{.kind = FaultKind::kill, .groups = {{"B1"}}}, at(5_s));
//     world.run_until(60_s);
//     World other = world;  // a fork
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/kernel/fingerprint.h"
#include "sim/kernel/random.h"
#include "sim/kernel/schedule.h"
#include "sim/world/disk.h"
#include "sim/world/fault.h"
#include "sim/world/journal.h"
#include "sim/world/network.h"
#include "sim/world/node.h"

namespace mqlab {

struct ClockOptions {
  Duration offset{};               // wall clock minus true time at the beginning
  std::int64_t drift_ppb{};        // parts per billion that the wall clock runs fast
};

struct NodeOptions {
  std::string name{};
  std::string role = "node";       // broker, controller, client ...
  std::string machine{};           // who loses power together; empty = a machine of its own
  std::string rack{};
  std::string zone{};
  std::string region{};
  std::uint32_t workers = 1;       // messages handled at the same time
  Duration service{};              // time a worker needs for a message
  std::uint32_t service_ps_per_byte{};  // ... and for each byte of it, in picoseconds
  DiskOptions disk{};
  ClockOptions clock{};
};

// A process that ended otherwise than in good order, or a machine that lost power or its disk.
struct Loss {
  Time time{};
  NodeId node{};
  bool power = false;
  bool wipe = false;
};

struct WorldOptions {
  QueueKind queue = QueueKind::heap;
  TraceLevel trace = TraceLevel::spans;
  LinkOptions link{};              // between nodes of one region
  LinkOptions far_link{.latency = 40'000'000, .spread = 2'000'000};  // between regions
  StreamOptions stream{};
  Duration wall_epoch = 1'700'000'000'000'000'000;  // what a right wall clock shows at time 0
};

// A part of the world that belongs to a layer above, copied with it.
struct Extension {
  virtual ~Extension() = default;
  virtual std::unique_ptr<Extension> clone() const = 0;
  // "file:line: message" when what it runs went wrong; the run ends then.
  virtual std::string failure() const { return {}; }
};

// An owned part with clone(), copied with its owner: what lets a World be copied member by member.
template <class T>
class Cloned : public std::unique_ptr<T> {
 public:
  using Base = std::unique_ptr<T>;
  using Base::Base;
  using Base::operator=;
  Cloned(Base p) : Base(std::move(p)) {}
  Cloned(Cloned&&) = default;
  Cloned& operator=(Cloned&&) = default;
  Cloned(const Cloned& o) : Base(o ? o->clone() : nullptr) {}
  Cloned& operator=(const Cloned& o) {
    if (this != &o) Base::operator=(o ? o->clone() : nullptr);
    return *this;
  }
};

// Durations from outside are held within this, about 36 years, so that sums of a few do not overflow.
inline constexpr Duration duration_cap = time_max / 8;

class World {
 public:
  explicit World(std::uint64_t seed, WorldOptions options = {});

  // --- building ---
  NodeId add_node(std::unique_ptr<Node> node, NodeOptions options);
  void declare_message(const MessageDecl& decl);
  // Links between two regions, both ways unless the other way round is set too. A link set by itself wins.
  void set_region_link(const std::string& from, const std::string& to, const LinkOptions& link);
  void set_link(NodeId from, NodeId to, const LinkOptions& link);
  // How a model answers "who is leader of orders/0?": node ids, empty when nobody is.
  using Resolver = std::vector<NodeId> (*)(const World&, std::string_view role, std::string_view argument);
  void set_resolver(Resolver r) { resolver_ = r; }
  // Which file of a node's disk holds a place, in the model's words; false when it has none.
  using FileFinder = bool (*)(const World&, NodeId, std::string_view place, FileId& out);
  void set_file_finder(FileFinder f) { file_finder_ = f; }
  void arm(Fault fault, Trigger trigger);

  // --- running ---
  Time now() const { return schedule_.now(); }
  // Handles the next event due at or before `until`; false when there is none.
  bool step(Time until = time_max);
  // Handles all events due at or before t and moves the clock there.
  void run_until(Time t);
  // True once nothing is left to happen.
  bool quiet() { return schedule_.next_due() == time_max; }
  Time next_due() { return schedule_.next_due(); }
  std::uint64_t steps() const { return steps_; }
  Fingerprint fingerprint() const { return fingerprint_; }
  // The event that is being handled, or was last.
  EventId current_event() const { return current_; }

  // --- looking ---
  const std::string& name(NodeId n) const { return nodes_[n].options.name; }
  NodeId find(std::string_view name) const;
  std::size_t node_count() const { return nodes_.size(); }
  const NodeOptions& node_options(NodeId n) const { return nodes_[n].options; }
  bool running(NodeId n) const { return nodes_[n].running; }
  bool paused(NodeId n) const { return nodes_[n].pauses != 0; }
  std::uint32_t incarnation(NodeId n) const { return nodes_[n].incarnation; }
  // How much waits at the node: for a worker, for the end of a pause.
  std::size_t backlog(NodeId n) const { return nodes_[n].backlog.size() + nodes_[n].application_backlog.size(); }
  const Node& node(NodeId n) const { return *nodes_[n].node; }
  Node& node(NodeId n) { return *nodes_[n].node; }
  // What the node tells of itself, and whether its process runs. No two children of one parent have one name.
  Tree state(NodeId n) const;
  template <class T>
  const T& node_as(NodeId n) const { return static_cast<const T&>(*nodes_[n].node); }
  template <class T>
  T& node_as(NodeId n) { return static_cast<T&>(*nodes_[n].node); }
  Disk& disk(NodeId n) { return nodes_[n].disk; }
  const Disk& disk(NodeId n) const { return nodes_[n].disk; }
  Time wall(NodeId n) const;
  const std::vector<ArmedFault>& faults() const { return faults_; }
  // In the order of their times, whatever the trace level.
  const std::vector<Loss>& losses() const { return losses_; }
  std::uint64_t mark_count(std::string_view name) const;
  const std::vector<Connection>& connections() const { return connections_; }
  const Schedule& schedule() const { return schedule_; }
  PayloadRef payload(std::uint32_t slot) const { return payloads_[slot]; }
  // So many messages with a payload are under way or waiting; so many connections are not yet forgotten.
  std::size_t payloads_in_use() const { return payloads_.size() - 1 - free_payloads_.size(); }
  std::size_t connections_in_use() const;
  std::vector<NodeId> resolve(const Target& target, std::string* complaint);
  // Resolves without drawing: true when the target can name something in this world.
  bool knows_target(const Target& target) const;
  std::uint64_t seed() const { return seed_; }
  const WorldOptions& options() const { return options_; }

  Journal journal;
  Cloned<Extension> extension;

  // --- faults, now; from inside a handler: as soon as it has returned ---
  void inject(const Fault& fault);
  // What is armed comes due no more, and no further message is met. What is in force stays in force.
  void call_off_faults();
  void kill(NodeId n, bool power, bool wipe = false);
  void start(NodeId n);
  // At the full level: what waits behind a cut, a fault or a pause is written down as never taken. Once, when nothing more will run.
  void close_record();
  void note(NodeId n, std::string_view name, std::string_view place, std::string text);

 private:
  friend class Context;

  enum Pause : std::uint8_t { pause_whole = 1, pause_app = 2 };

  // First in, first out; an item that was called off is left behind as EventKind::none.
  struct Backlog {
    std::vector<Event> items;
    std::size_t head = 0;
    std::size_t live = 0;    // not called off
    std::size_t urgent = 0;  // need no worker: timers and disk, which only a pause puts here

    bool empty() const { return live == 0; }
    std::size_t size() const { return live; }
    void push(const Event& e);
    Event take(std::size_t at);
    void clear() { *this = Backlog{}; }
  };

  enum class Ending : std::uint8_t { none, exit, kill };

  // Event::flags of a fault event: the end of its duration, a further jump of a strobe.
  static constexpr std::uint8_t fault_lift = 1;
  static constexpr std::uint8_t fault_again = 2;

  struct NodeSlot {
    // What every message looks at comes first.
    Cloned<Node> node;
    bool running = false;
    bool powered = true;
    bool stopping = false;
    std::uint8_t pauses = 0;
    std::uint32_t incarnation = 0;
    Time free_at_least = 0;     // when the first worker is free
    Duration service = 0;
    std::uint32_t service_ps_per_byte = 0;
    Ending ending = Ending::none;  // asked for inside a handler, done after it
    bool ending_power = false;
    bool ending_wipe = false;
    bool ending_in_good_order = true;
    Ratio slow{1, 1};
    Random random;
    Backlog backlog;
    Backlog application_backlog;   // application timers that came due while the application was paused
    std::vector<Time> free_at;     // per worker
    std::vector<Time> deaths;      // by incarnation: when it ended
    EventId wake = no_event;
    Duration restart_after = 0;
    std::vector<std::size_t> asked;  // faults (stop, command) that wait for the end of a pause
    Disk disk;
    ClockOptions clock;
    Time clock_since = 0;       // the wall clock is clock_base at that time
    Time clock_base = 0;
    NodeOptions options;
  };

  struct MessageRule {
    std::size_t fault{};
    MessageKind kind{};
    std::vector<NodeId> from{};
    std::vector<NodeId> to{};
    std::uint64_t to_skip{};
    std::uint64_t to_take{};
  };

  // A datagram that a fault keeps, outside the schedule: held by name, or clogged.
  struct HeldMessage {
    Event event;
    std::size_t fault{};
    bool clogged = false;
  };

  // world.cpp: events
  void dispatch(Event& e);
  void deliver_to_node(const Event& e);
  void handle(const Event& e);
  void finish(Context& c);
  void occupy(NodeSlot& n, Duration cost);
  void drain(NodeId id);
  void set_wake(NodeId id, Time due);
  void start_process(NodeId n);
  void start_after(NodeId n, Duration after);
  void end_process(NodeId n, bool power, bool wipe, Time end, bool in_good_order = false);
  void exit_process(NodeId n, Time end, bool in_good_order);
  void trace(const Event& e) {
    if (options_.trace >= TraceLevel::full) journal.deliveries.push_back({e, now(), payloads_[e.payload]});
  }
  // At the state level also what no handler sees as an event: the fault or start that changes a node.
  void trace_unhandled(const Event& e) {
    if (options_.trace == TraceLevel::state) trace(e);
  }
  // Whatever may have changed a node's state ends with this.
  void told(NodeId n) {
    if (options_.trace == TraceLevel::state) [[unlikely]] tell_changes(n);
  }
  void tell_changes(NodeId n);
  EventId add_event(Time due, Event& e) {
    if (e.cause == no_event) e.cause = current_;
    return e.id = schedule_.add(due, e);
  }
  std::uint32_t hold_payload(PayloadRef p);
  void drop_payload(std::uint32_t slot);
  // Nobody will ever take this item: it is gone, and at the full level told, if it is a message.
  void drop(const Event& e, DropReason why) {
    if (options_.trace >= TraceLevel::full) [[unlikely]] tell_drop(e, why);
    drop_payload(e.payload);
  }
  void tell_drop(const Event& e, DropReason why);
  // What a process had not yet handed to its machine when it died was never sent.
  bool never_left(const Event& e) const {
    const NodeSlot& s = nodes_[e.source];
    return e.incarnation != s.incarnation && static_cast<Time>(e.body[2]) > s.deaths[e.incarnation];
  }
  bool cancel_timer(NodeId n, EventId id);
  void node_bit(NodeId n, FaultKind kind);
  DiskResult sync_disk(NodeId n, FileId file, Time done);

  // link.cpp: links and datagrams
  Link& link(NodeId from, NodeId to) { return links_[from * stride_ + to]; }
  LinkMore& link_more(NodeId from, NodeId to);
  LinkOptions link_options(NodeId from, NodeId to) const;
  void links_changed();
  void rebuild_links();
  void apply_link_fault(std::size_t i);
  bool cuts(std::size_t fault, NodeId from, NodeId to) const;
  void credit_cut(NodeId from, NodeId to, Traffic traffic);
  void credit_link(NodeId from, NodeId to, std::initializer_list<FaultKind> kinds);
  bool is_cut(NodeId from, NodeId to, Traffic t) { return (link(from, to).cut & traffic_bit(t)) != 0; }
  Duration sample_latency(const Link& l, NodeId from, NodeId to, std::uint64_t word);
  Duration queue_for_wire(NodeId from, NodeId to, Time depart, std::uint32_t size);
  bool in_burst(NodeId from, NodeId to, Time depart);
  void send_datagram(NodeId from, NodeId to, MessageKind kind, PayloadRef payload, std::uint32_t size, std::uint64_t word,
                     Traffic traffic, Time depart);
  void unclog_datagrams();

  // stream.cpp
  ConnId connect(NodeId from, NodeId to, Traffic traffic, Time depart);
  void set_window(ConnId id, NodeId by, bool open, Time depart);
  void send_stream(ConnId id, NodeId from, MessageKind kind, PayloadRef payload, std::uint32_t size, std::uint64_t word, Time depart);
  void close(ConnId id, NodeId by, Time depart);
  void forget_backlog(NodeId n, ConnId id);
  void transmit(ConnId id, int way, Event& e, Time depart);
  bool launch(ConnId id, int way, Event& e, Time depart, std::uint64_t latency_word, std::uint64_t chance_word);
  void arrive(Event& e);
  void arrive_accepted(Event& e);
  void come_back(const Event& e, bool network);
  void stall(ConnId id, int way);
  void unstall(Direction& d);
  void swallow(ConnId id, int way);
  void set_patience(ConnId id, int way);
  void set_retry(ConnId id, int way);
  void retry(const Event& e);
  void flush(ConnId id, int way);
  void refuse(ConnId id, const Event& e);
  void break_connection(ConnId id, int side, CloseReason reason);
  void forget_waiting(Direction& d, DropReason why);
  DropReason why_unknown(const Connection& c, std::size_t receiver) const;
  DropReason why_stuck(const Connection& c, std::size_t way);
  void recycle(ConnId id);
  Connection* connection(ConnId id);
  NodeId last_peer(ConnId id, NodeId of) const;
  const Connection* connection(ConnId id) const { return const_cast<World*>(this)->connection(id); }
  void network_changed();
  void end_connections(NodeId n, bool silently, Time end);

  // fault_fire.cpp: when and whom
  void fire(std::size_t fault);
  void again(std::size_t fault);
  void lift(std::size_t fault, std::uint64_t firing);
  void schedule_fault(std::size_t i, Time due, std::uint8_t flags);
  void resolve_groups(std::size_t i);
  bool arm_child(std::size_t parent, Fault fault, Time due);
  void credit(std::size_t fault);
  void last(std::size_t fault);
  const std::vector<NodeId>& who(std::size_t i, std::size_t group) const;
  bool names(std::size_t i, std::size_t group, NodeId n) const;
  void on_trigger(Trigger::On on, std::string_view name, NodeId from, NodeId to, std::string_view place);

  // fault_network.cpp, fault_node.cpp: what
  void fire_network(std::size_t i);
  void break_streams(std::size_t i);
  void fire_message(std::size_t i);
  bool apply_rules(Event& e, Duration& extra, bool& twice);
  void release(const std::string& label, std::size_t by);
  void fire_process(std::size_t i, const std::vector<NodeId>& fresh);
  void ask(std::size_t i, NodeId n);
  void fire_disk(std::size_t i);
  void rot(std::size_t i, NodeId n);
  void fire_clock(std::size_t i, const std::vector<NodeId>& fresh);
  void settle_process(NodeId n);
  void settle_disk(NodeId n);
  bool end_on(NodeId n, std::initializer_list<FaultKind> kinds);
  void resumed(NodeId n);
  void set_clock(NodeSlot& n, Time wall_now);

  std::uint64_t seed_ = 0;
  WorldOptions options_;
  Schedule schedule_;
  Fingerprint fingerprint_;
  Random network_random_;
  Random fault_random_;
  std::vector<NodeSlot> nodes_;
  std::map<std::pair<NodeId, NodeId>, LinkOptions> single_links_;  // set one by one
  std::vector<Link> links_;                // as faults leave them, stride x stride
  std::vector<LinkMore> links_more_;
  std::size_t stride_ = 0;
  bool links_stale_ = false;
  struct RegionLink {
    std::string from, to;
    LinkOptions link;
  };
  std::vector<RegionLink> region_links_;
  std::vector<Connection> connections_{1};
  std::vector<std::uint32_t> free_connections_;
  std::vector<PayloadRef> payloads_{nullptr};
  std::vector<std::uint32_t> free_payloads_;
  std::vector<ArmedFault> faults_;
  std::vector<Loss> losses_;
  std::vector<std::size_t> triggered_;     // those that wait for something to happen
  std::vector<MessageRule> rules_;
  std::vector<HeldMessage> held_;
  std::vector<std::uint64_t> mark_counts_;  // by name number
  std::vector<std::optional<Tree>> told_;    // at the state level: each node's state as it was last told
  std::uint8_t triggers_ = 0;               // bit per Trigger::On that some armed fault waits for
  Resolver resolver_ = nullptr;
  FileFinder file_finder_ = nullptr;
  EventId current_ = no_event;
  NodeId handling_ = nobody;                // whose handler runs now
  std::uint64_t steps_ = 0;
  EventId last_armed_ = no_event;           // the event of the fault armed last
};

// What a handler sees of the world, for the length of one call.
class Context {
 public:
  Context(World& world, NodeId self) : world_(world), self_(self) {}

  NodeId self() const { return self_; }
  Time now() const { return world_.now(); }
  Time wall() const { return world_.wall(self_); }
  Random& random() { return world_.nodes_[self_].random; }
  const std::string& name(NodeId n) const { return world_.name(n); }
  World& world() { return world_; }
  // The application of this process stands still, and its library does not (pause_application).
  bool application_paused() const { return (world_.nodes_[self_].pauses & World::pause_app) != 0; }
  Names& names() { return world_.journal.names; }

  // Effects leave the node when the handler's service time is over; this adds to it.
  void work(Duration d);
  Duration cost() const { return cost_; }

  // --- streams ---
  ConnId connect(NodeId to, Traffic traffic) { return world_.connect(self_, to, traffic, depart()); }
  void send(ConnId c, MessageKind kind, PayloadRef payload, std::uint32_t size = 64, std::uint64_t word = 0) {
    world_.send_stream(c, self_, kind, std::move(payload), size, word, depart());
  }
  void reply(const Message& m, MessageKind kind, PayloadRef payload, std::uint32_t size = 64, std::uint64_t word = 0) {
    if (m.connection == no_connection) datagram(m.from, kind, std::move(payload), size, word, traffic_of(kind));
    else send(m.connection, kind, std::move(payload), size, word);
  }
  void close(ConnId c) { world_.close(c, self_, depart()); }
  // True while this side may still send.
  bool is_open(ConnId c) const;

  // This side takes no more on the connection, or takes again: its receive buffer is full, or has room. The other end hears
  // of it over the network; what is under way till then still arrives, what it sends later waits at its side.
  void take(ConnId c, bool more) { world_.set_window(c, self_, more, depart()); }
  // False: the other end takes nothing now. Sending is allowed, and waits; on_writable says when it goes on.
  bool writable(ConnId c) const;

  // --- datagrams ---
  void datagram(NodeId to, MessageKind kind, PayloadRef payload, std::uint32_t size = 64, std::uint64_t word = 0,
                Traffic traffic = Traffic::client) {
    world_.send_datagram(self_, to, kind, std::move(payload), size, word, traffic, depart());
  }

  // --- timers, on the monotonic clock ---
  EventId set_timer(Duration after, TimerKind kind, std::uint64_t argument = 0);
  bool cancel_timer(EventId id);

  // --- disk ---
  DiskResult write(FileId file, std::int64_t end, std::uint32_t bytes = 0);
  // The handler waits for the device: what it sends leaves after that.
  DiskResult sync(FileId file);
  // The handler goes on; on_disk is called when the device has answered.
  void sync_later(FileId file);
  void truncate(FileId file, std::int64_t end) { world_.nodes_[self_].disk.truncate(file, end); }
  void remove(FileId file) { world_.nodes_[self_].disk.remove(file); }
  std::int64_t durable(FileId file) const { return world_.nodes_[self_].disk.durable(file, now()); }
  bool is_corrupt(FileId file, std::int64_t unit) const { return world_.nodes_[self_].disk.is_corrupt(file, unit); }

  // --- the journal ---
  // Something worth telling happened; `name` is one of the model's declared marks.
  void mark(std::string_view name, std::string_view place = {}, std::string text = {}) {
    world_.note(self_, name, place, std::move(text));
  }
  OpIndex record(Op op) { return record_for(op, self_); }
  // What another node caused and this one did: the row is the other's.
  OpIndex record_for(Op op, NodeId process);

  // The process ends, as soon as this handler has returned; what it has sent goes out. Not in good order: it ends by
  // itself, but what it leaves does not prove that it is complete (World::losses).
  void exit(bool in_good_order = true);

 private:
  friend class World;
  Time depart() const { return saturating_add(world_.now(), cost_); }
  Duration disk_time(Duration d, const Disk& disk);
  Duration sync_time(const Disk& d);
  Traffic traffic_of(MessageKind kind) const {
    const auto& all = world_.journal.messages;
    return kind < all.size() ? all[kind].traffic : Traffic::client;
  }
  World& world_;
  NodeId self_;
  Duration cost_ = 0;
};

// Triggers in one word each.
Trigger at(Time t);
Trigger when_mark(std::string name, Duration after = 0);

}  // namespace mqlab
