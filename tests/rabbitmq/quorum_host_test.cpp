// Three members of a quorum queue in a world, and a fourth node that has none: elections, commits, losses, and what
// channels on each of them are told.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "models/rabbitmq/quorum_host.h"
#include "tests/rabbitmq/queue_lab.h"

namespace mqlab::rabbitmq {
namespace {

using namespace literals;

// A node that hosts replicas and keeps what it is told.
struct Member : NodeBase<Member> {
  QuorumPlan plan{};
  bool created = false;                 // durable
  std::uint64_t channels = 0;           // durable: so many numbers were given
  QuorumHost host{};
  std::string heard{};                  // lost with the process

  void on_start(Context& c) override {
    heard.clear();
    host.start(c, channel_id(c.self(), channels + 1));
    if (!std::exchange(created, true)) host.create(c, "q", plan);
    listen();
  }
  void on_message(Context& c, const Message& m) override {
    host.on_message(c, m);
    listen();
  }
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override {
    host.on_timer(c, kind, argument);
    listen();
  }
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason) override {
    host.on_closed(c, connection, peer);
    listen();
  }
  void on_disk(Context& c, FileId file, std::int64_t end, DiskResult result) override {
    host.on_disk(c, file, end, result);
    listen();
  }
  void on_stop(Context& c) override {
    host.resign(c);
    c.exit();
  }
  void on_crash(const Crash& crash) override { host.on_crash(crash); }

  void listen() {
    for (const QuorumNews& n : host.take()) {
      if (const auto* e = std::get_if<QuorumEffect>(&n)) heard += describe(e->effect) + "\n";
      else if (const auto* a = std::get_if<QuorumAnswer>(&n)) heard += "answer " + std::to_string(a->ticket) + "\n";
    }
  }
};

constexpr NodeId outside = 3;  // has no replica, and never dies

class Room {
 public:
  explicit Room(std::uint64_t seed = 1, QueueOptions options = {.delivery_limit = 20}, const char* profile = "4.3", NodeId size = 3)
      : world(seed, options_of_world()) {
    for (const MessageDecl& d : quorum_message_declarations()) world.declare_message(d);
    for (NodeId n = 0; n < size; ++n) members_.push_back(n);
    for (NodeId n = 0; n <= outside; ++n) {
      auto node = std::make_unique<Member>();
      node->plan = {.options = options, .rules = *rules_of(profile), .members = members_, .file = 1, .first_leader = 0};
      NodeOptions o;
      o.name = "n" + std::to_string(n);
      o.role = "broker";
      world.add_node(std::move(node), o);
    }
  }

  Member& member(NodeId n) { return world.node_as<Member>(n); }
  const QuorumQueue& machine(NodeId n) { return *member(n).host.machine("q"); }
  void run(Duration d) { world.run_until(world.now() + d); }
  NodeId leader() {
    NodeId best = nobody;
    for (const NodeId n : members_)
      if (world.running(n) && member(n).host.leads("q") &&
          (best == nobody || member(n).host.raft("q")->epoch() > member(best).host.raft("q")->epoch()))
        best = n;
    return best;
  }
  // On this node, by its own hand.
  void submit(NodeId n, const QuorumCommand& command, std::uint64_t ticket = 0, ChannelId owner = no_channel) {
    if (!world.running(n)) return;
    Context c(world, n);
    member(n).host.submit(c, "q", owner, command, ticket);
    member(n).listen();
  }
  void enqueue(NodeId n, std::uint64_t number) { submit(n, Enqueue{no_channel, 0, message(number)}); }
  ChannelId new_channel(NodeId n) { return channel_id(n, ++member(n).channels); }
  std::string heard(NodeId n) { return std::exchange(member(n).heard, ""); }
  std::string ready(NodeId n) {
    std::string s;
    for (const auto& m : machine(n).ready()) s.append(s.empty() ? "" : " ").append(std::to_string(m.content->message));
    return s;
  }
  void cut(NodeId from) {
    Fault f;
    f.kind = FaultKind::partition;
    f.groups = {{"n" + std::to_string(from)}};
    world.inject(f);
  }
  void heal() {
    Fault f;
    f.kind = FaultKind::heal;
    world.inject(f);
  }

  World world;

 private:
  static WorldOptions options_of_world() {
    WorldOptions w;
    w.link = {.latency = 1_ms, .spread = 0, .shape = LatencyShape::constant};
    return w;
  }
  std::vector<NodeId> members_{};
};

Checkout checkout(ChannelId channel, std::uint32_t prefetch = 10) {
  ConsumerSpec spec;
  spec.key = {channel, "t"};
  spec.prefetch = prefetch;
  return {spec};
}

TEST(RabbitQuorumHost, TheNodeThatDeclaredTheQueueLeads) {
  Room room;
  room.run(1_s);
  EXPECT_EQ(room.leader(), 0u);
  for (const NodeId n : {0, 1, 2}) EXPECT_EQ(room.member(n).host.leader("q"), 0u);
}

// ra: confirmed after a majority has it on disk.
TEST(RabbitQuorumHost, AnEnqueueIsConfirmedOnceAMajorityHasIt) {
  Room room;
  room.run(1_s);
  const ChannelId ch = room.new_channel(0);
  room.submit(0, Enqueue{ch, 1, message(1)}, 77);
  EXPECT_EQ(room.heard(0), "");
  room.run(100_ms);
  EXPECT_EQ(room.heard(0), "confirm 1#1\nanswer 77\n");
  for (const NodeId n : {0, 1, 2}) EXPECT_EQ(room.ready(n), "1");
  EXPECT_EQ(room.heard(1) + room.heard(2), "");
}

TEST(RabbitQuorumHost, ACommandFindsTheLeaderFromAnyNode) {
  Room room;
  room.run(1_s);
  for (const NodeId n : {NodeId{1}, NodeId{2}, outside}) {
    room.submit(n, Enqueue{room.new_channel(n), 1, message(n)}, n);
    room.run(2_s);
    EXPECT_EQ(room.heard(n), "confirm 1#1\nanswer " + std::to_string(n) + "\n");
  }
  EXPECT_EQ(room.ready(0), "1 2 3");
  EXPECT_EQ(room.member(outside).host.leader("q"), 0u);
}

// The catalogue's R62: no confirm on the minority's side; after the heal what is pending goes again, and is there once.
TEST(RabbitQuorumHost, AMinorityConfirmsNothing) {
  Room room;
  room.run(1_s);
  room.cut(0);
  const ChannelId ch = room.new_channel(0);
  room.submit(0, Enqueue{ch, 1, message(1)}, 5);  // it does not know
  room.run(30_s);
  EXPECT_EQ(room.heard(0), "");
  const NodeId second = room.leader();
  ASSERT_NE(second, 0u);
  room.enqueue(second, 2);
  room.run(1_s);
  EXPECT_EQ(room.ready(second), "2");
  room.heal();
  room.run(30_s);
  EXPECT_EQ(room.heard(0), "confirm 1#1\nanswer 5\n");
  for (const NodeId n : {0, 1, 2}) EXPECT_EQ(room.ready(n), "2 1");
}

// The `local` option: the member beside the channel delivers, the leader for channels elsewhere.
TEST(RabbitQuorumHost, TheMemberBesideTheChannelDelivers) {
  Room room;
  room.run(1_s);
  room.submit(2, checkout(room.new_channel(2), 1));
  room.enqueue(0, 1);
  room.run(100_ms);
  EXPECT_EQ(room.heard(2), "deliver 1/t #0 m1\n");
  EXPECT_EQ(room.heard(0), "");
  room.submit(outside, checkout(room.new_channel(outside)));
  room.enqueue(0, 2);
  room.run(2_s);
  EXPECT_EQ(room.heard(outside), "deliver 1/t #0 m2\n");
}

TEST(RabbitQuorumHost, WhatAChannelWaitedForGoesWithIt) {
  Room room;
  room.run(1_s);
  for (const NodeId n : {0, 1, 2}) room.world.kill(n, false);
  room.run(1_s);
  const ChannelId gone = room.new_channel(outside), here = room.new_channel(outside);
  room.submit(outside, Enqueue{gone, 1, message(1)}, 1, gone);
  room.submit(outside, Enqueue{here, 1, message(2)}, 2, here);
  room.run(1_s);
  room.member(outside).host.forget("q", gone);
  for (const NodeId n : {0, 1, 2}) room.world.start(n);
  room.run(30_s);
  EXPECT_EQ(room.heard(outside), "confirm 2#1\nanswer 2\n");
  EXPECT_EQ(room.ready(0), "2");
}

TEST(RabbitQuorumHost, AKilledLeaderIsReplacedSoon) {
  Room room;
  room.run(1_s);
  room.enqueue(0, 1);
  room.run(100_ms);
  room.world.kill(0, false);
  room.run(1_s);  // a broken connection is acted on sooner than silence
  const NodeId second = room.leader();
  ASSERT_NE(second, nobody);
  EXPECT_EQ(room.ready(second), "1");
  room.world.start(0);
  room.run(2_s);
  EXPECT_EQ(room.ready(0), "1");
  EXPECT_EQ(room.member(0).host.leader("q"), second);
}

// What the channels of a dead node held goes back once the node is back without them.
TEST(RabbitQuorumHost, ChannelsOfAnEarlierLifeAreEnded) {
  Room room;
  room.run(1_s);
  const ChannelId ch = room.new_channel(1);
  room.submit(0, checkout(ch));
  room.enqueue(0, 1);
  room.run(100_ms);
  EXPECT_EQ(room.machine(0).unacked_count(), 1);
  room.world.kill(1, false);
  room.run(1_s);
  EXPECT_EQ(room.machine(0).unacked_count(), 1);  // 4.3: a minute's grace
  room.world.start(1);
  room.run(5_s);
  EXPECT_EQ(room.machine(0).unacked_count(), 0);
  EXPECT_EQ(room.machine(0).consumer_count(), 0);
  EXPECT_EQ(room.ready(0), "1");
}

// A process dies behind a cut with a consumer's command on its way. The machine sends it all the same when the cut is over, and
// by then its next process has said that it lives: nobody is that consumer.
TEST(RabbitQuorumHost, WhatADeadProcessHadAskedForComesTooLate) {
  Room room;
  room.run(1_s);
  room.enqueue(0, 1);
  room.run(100_ms);
  const ChannelId ch = room.new_channel(1);
  room.cut(1);
  room.submit(1, checkout(ch), 0, ch);
  room.run(100_ms);
  room.world.kill(1, false);
  room.run(100_ms);
  room.world.start(1);
  room.run(2_s);
  room.heal();
  room.run(10_s);
  EXPECT_EQ(room.machine(0).consumer_count(), 0);
  EXPECT_EQ(room.ready(0), "1");
  // Committed after its life had ended, by whatever way it came.
  room.submit(0, checkout(ch));
  room.run(5_s);
  EXPECT_EQ(room.machine(0).consumer_count(), 0);
  EXPECT_EQ(room.ready(0), "1");
}

TEST(RabbitQuorumHost, InEarlierReleasesANodeThatIsNotReachableCostsAtOnce) {
  Room room(1, {.delivery_limit = 20}, "4.2");
  room.run(1_s);
  room.submit(0, checkout(room.new_channel(1)));
  room.enqueue(0, 1);
  room.run(100_ms);
  room.world.kill(1, false);
  room.run(1_s);
  EXPECT_EQ(room.machine(0).unacked_count(), 0);
}

// What an earlier leader held to be gone is in the log, and only that leader would have taken it back: the next one has to look for itself.
TEST(RabbitQuorumHost, ANewLeaderDoesNotSuspectWhomItSees) {
  Room room;
  room.run(1_s);
  for (const NodeId n : {NodeId{1}, NodeId{2}, outside}) {
    room.submit(n, checkout(room.new_channel(n), 1));
    room.run(100_ms);
    room.submit(0, NodeDown{n});
  }
  room.run(100_ms);
  room.world.kill(0, false);
  room.run(2_s);
  ASSERT_NE(room.leader(), nobody);
  for (const std::uint64_t m : {1, 2, 3}) room.enqueue(2, m);
  room.run(1_s);
  EXPECT_EQ(room.heard(1), "deliver 1/t #0 m1\n");
  EXPECT_EQ(room.heard(2), "deliver 1/t #0 m2\n");
  EXPECT_EQ(room.heard(outside), "deliver 1/t #0 m3\n");
}

TEST(RabbitQuorumHost, ALostMajorityStandsStillAndLosesNothing) {
  Room room;
  room.run(1_s);
  room.enqueue(0, 1);
  room.run(100_ms);
  room.world.kill(1, true);
  room.world.kill(2, true);
  room.run(1_s);
  const ChannelId ch = room.new_channel(0);
  room.submit(0, Enqueue{ch, 1, message(2)});
  room.run(60_s);
  EXPECT_EQ(room.heard(0), "");
  room.world.start(1);
  room.run(20_s);
  EXPECT_EQ(room.heard(0), "confirm 1#1\n");
  EXPECT_EQ(room.ready(0), "1 2");
}

TEST(RabbitQuorumHost, AQueueOfOneMemberCommitsAlone) {
  Room room(1, {.delivery_limit = 20}, "4.3", 1);
  room.run(10_ms);
  const ChannelId ch = room.new_channel(0);
  room.submit(0, Enqueue{ch, 1, message(1)});
  EXPECT_EQ(room.heard(0), "");  // not on disk yet
  room.run(10_ms);
  EXPECT_EQ(room.heard(0), "confirm 1#1\n");
  room.world.kill(0, true);
  room.world.start(0);
  room.run(1_s);
  EXPECT_EQ(room.ready(0), "1");
}

// ra_log_wal: what comes while the disk is busy is synced together.
TEST(RabbitQuorumHost, OneSyncServesAllThatCameMeanwhile) {
  Room room(1, {.delivery_limit = 20});
  room.run(1_s);
  const ChannelId ch = room.new_channel(0);
  for (std::uint64_t n = 1; n <= 500; ++n) room.submit(0, Enqueue{ch, n, message(n)});
  room.run(50_ms);  // a sync takes a millisecond, and each message needs two in turn
  EXPECT_EQ(std::count(room.world.node_as<Member>(0).heard.begin(), room.world.node_as<Member>(0).heard.end(), '\n'), 500);
}

// Without power before the sync, the machine has neither the message nor has told anybody that it does.
TEST(RabbitQuorumHost, NothingIsSaidBeforeItIsOnDisk) {
  Room room(1, {.delivery_limit = 20}, "4.3", 1);
  room.run(10_ms);
  const ChannelId ch = room.new_channel(0);
  room.submit(0, Enqueue{ch, 1, message(1)});
  room.run(100_us);
  room.world.kill(0, true);
  room.world.start(0);
  room.run(1_s);
  EXPECT_EQ(room.heard(0), "");
  EXPECT_EQ(room.ready(0), "");
}

// The process dies, and while it is down its machine loses power: what was synced is there all the same.
TEST(RabbitQuorumHost, AMachineWithoutAProcessMayLosePower) {
  Room room(1, {}, "4.3", 1);
  room.run(100_ms);
  for (std::uint64_t n : {1, 2, 3}) room.enqueue(0, n);
  room.run(100_ms);
  ASSERT_EQ(room.ready(0), "1 2 3");
  room.world.kill(0, false);
  room.run(10_ms);
  room.world.kill(0, true);
  room.run(10_ms);
  room.world.start(0);
  room.run(1_s);
  EXPECT_EQ(room.ready(0), "1 2 3");
}

TEST(RabbitQuorumHost, TimeActsThroughTheLog) {
  Room room(1, {.message_ttl = 500_ms, .dead_letter_exchange = "dlx"});
  room.run(1_s);
  room.enqueue(0, 1);
  room.run(2_s);
  EXPECT_EQ(room.heard(0), "dead-letter m1 expired\n");
  for (const NodeId n : {0, 1, 2}) EXPECT_EQ(room.ready(n), "");
}

// After 4,096 entries the log is cut; who missed them gets the state.
TEST(RabbitQuorumHost, WhoFellFarBehindGetsASnapshot) {
  Room room;
  room.run(1_s);
  room.world.kill(2, false);
  room.run(1_s);
  for (std::uint64_t n = 1; n <= 5000; ++n) room.submit(0, n % 2 != 0 ? QuorumCommand(Enqueue{no_channel, 0, message(n)}) : QuorumCommand(Purge{}));
  room.run(30_s);
  EXPECT_GT(room.member(0).host.raft("q")->log().start(), 0);
  room.enqueue(0, 7777);
  room.world.start(2);
  room.run(60_s);
  EXPECT_EQ(room.ready(2), "7777");
  EXPECT_EQ(room.machine(2), room.machine(0));
}

// --- rough lives ---

struct Mishap {
  enum Kind { kill, power, cut, heal, publish, consume } kind;
  int node;
  int wait;  // in units of 400 ms
};
std::ostream& operator<<(std::ostream& os, const Mishap& m) {
  static const char* names[] = {"kill", "power", "cut", "heal", "publish", "consume"};
  return os << names[m.kind] << " n" << m.node << " wait " << m.wait;
}

// A channel on a node that never dies publishes, and its node sends on until it is answered.
RC_GTEST_PROP(RabbitQuorumHost, WhatIsPublishedIsConfirmedAndThereOnceOnAllMembers, (std::uint64_t seed)) {
  const auto mishaps = *rc::gen::container<std::vector<Mishap>>(
      rc::gen::build<Mishap>(rc::gen::set(&Mishap::kind, rc::gen::weightedElement<Mishap::Kind>({{2, Mishap::kill}, {1, Mishap::power}, {2, Mishap::cut},
                                                                                               {2, Mishap::heal}, {8, Mishap::publish}, {2, Mishap::consume}})),
                             rc::gen::set(&Mishap::node, rc::gen::inRange(0, 3)), rc::gen::set(&Mishap::wait, rc::gen::inRange(0, 12))));
  Room room(seed, {.delivery_limit = 1000});
  room.run(1_s);
  std::multiset<std::uint64_t> confirmed;
  std::uint64_t n = 0;
  const ChannelId client = room.new_channel(outside);
  const auto collect = [&] {
    const std::string text = room.heard(outside);
    for (std::size_t at = text.find("answer "); at != std::string::npos; at = text.find("answer ", at + 1)) confirmed.insert(std::stoull(text.substr(at + 7)));
  };
  for (const Mishap& m : mishaps) {
    const auto node = static_cast<NodeId>(m.node);
    switch (m.kind) {
      case Mishap::kill:
      case Mishap::power:
        room.world.kill(node, m.kind == Mishap::power);
        room.run(m.wait * 400_ms);
        room.world.start(node);
        break;
      case Mishap::cut: room.cut(node); break;
      case Mishap::heal: room.heal(); break;
      case Mishap::publish:
        ++n;
        room.submit(outside, Enqueue{client, n, message(n)}, n);
        break;
      case Mishap::consume: room.submit(node, checkout(room.new_channel(node), 2)); break;
    }
    room.run(m.wait * 400_ms);
    collect();
  }
  room.heal();
  for (const NodeId m : {0, 1, 2})
    if (!room.world.running(m)) room.world.start(m);
  room.run(90_s);
  collect();
  const NodeId leader = room.leader();
  RC_ASSERT(leader != nobody);
  std::multiset<std::uint64_t> there, all;
  for (std::uint64_t i = 1; i <= n; ++i) all.insert(i);
  for (const auto& m : room.machine(leader).ready()) there.insert(m.content->message);
  for (const auto& [key, consumer] : room.machine(leader).consumers())
    for (const auto& [id, held] : consumer.checked_out) there.insert(held.message.content->message);
  RC_ASSERT(there == all);
  RC_ASSERT(confirmed == all);
  for (const NodeId m : {0, 1, 2}) RC_ASSERT(room.machine(m) == room.machine(leader));
}

}  // namespace
}  // namespace mqlab::rabbitmq
