// tests/kafka/group_story.h: members of a group in a real cluster.
//
// K1, K2, ... read topic t for the group g, each polling all the time until a story stops it; K is a client without a
// group that writes. Every hop takes 1 ms. Elsewhere: a cluster and one client (cluster.h), a member between brokers
// that do as told (member_lab.h), a coordinator alone (group_lab.h).
//
// Always true: what members were told stands in news(): "+t/0", "-t/0", "lost t/0", an error's name, in order.
//
//     GroupLab g(Story{.members = 2, .partitions = 4});
//     g.settle();
//     EXPECT_EQ(g.owns("K1") + " | " + g.owns("K2"), "t/0 t/1 | t/2 t/3");
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {

// Subscribes, and polls as long as `polls` is set; what it does with records is nothing.
struct Reader : Script {
  bool polls = true;
  Duration poll_time = 100_ms;
  std::vector<std::string> news{};
  std::vector<std::string> seen{};  // "t/0@3"

  std::unique_ptr<App> clone() const override { return std::make_unique<Reader>(*this); }
  void on_start(AppContext& a) override {
    Call c;
    c.kind = CallKind::subscribe;
    c.argument = "t";
    a.call(std::move(c));
  }
  void on_crash() override {
    news.emplace_back("died");
    answers.clear();
  }
  void on_answer(AppContext& a, const Answer& answer) override {
    answers.push_back(answer);
    if (answer.kind == CallKind::subscribe) return poll(a);
    if (answer.kind != CallKind::poll) return;
    if (answer.error) news.push_back(a.names().text(answer.error));
    for (const PolledMessage& m : answer.messages) seen.push_back(fmt::format("{}@{}", a.names().text(m.place), m.position));
    for (const std::uint32_t p : answer.rebalance.assigned) news.push_back("+" + a.names().text(p));
    for (const std::uint32_t p : answer.rebalance.revoked) news.push_back("-" + a.names().text(p));
    for (const std::uint32_t p : answer.rebalance.lost) news.push_back("lost " + a.names().text(p));
    if (polls) poll(a);
  }
  void poll(AppContext& a) const {
    Call c;
    c.kind = CallKind::poll;
    c.timeout = poll_time;
    a.call(std::move(c));
  }
};

class GroupLab : public Lab {
 public:
  struct Story {
    int members = 2;
    int partitions = 2;
    Settings cluster{};
    Settings member{};                  // of all
    std::vector<Settings> each{};       // of the n-th
    std::string profile = "4.3";
  };
  explicit GroupLab(const Story& s) : Lab(setup(s)), members_(s.members) {}

  Reader& reader(const std::string& k) { return static_cast<Reader&>(*world.node_as<Client>(world.find(k)).app()); }
  // "+t/0 -t/0", and forgets it.
  std::string news(const std::string& k) {
    std::string out;
    for (const std::string& n : reader(k).news) out += (out.empty() ? "" : " ") + n;
    reader(k).news.clear();
    return out;
  }
  std::string seen(const std::string& k) {
    std::string out;
    for (const std::string& n : reader(k).seen) out += (out.empty() ? "" : " ") + n;
    reader(k).seen.clear();
    return out;
  }
  // "t/0 t/1".
  std::string owns(const std::string& k) {
    std::vector<std::string> all;
    for (const Assigned& a : client_node(k).assigned()) all.push_back(world.journal.names.text(a.place));
    std::sort(all.begin(), all.end());
    std::string out;
    for (const std::string& p : all) out += (out.empty() ? "" : " ") + p;
    return out;
  }
  const Membership& member(const std::string& k) { return client_node(k).membership(); }
  // It stops polling, and begins again.
  void stick(const std::string& k) { reader(k).polls = false; }
  void unstick(const std::string& k) {
    reader(k).polls = true;
    client(k).poll(reader(k).poll_time);
  }

  // The partition that keeps the group, who leads it, what it knows.
  PartitionId log_of_group() { return broker(1).cluster()->topic(offsets_topic)->first; }
  BrokerId coordinator() { return partition(log_of_group()).leader; }
  std::string coordinator_name() { return fmt::format("B{}", coordinator()); }
  // Its followers, in the order in which they would lead.
  std::string other(int nth = 1) {
    for (const BrokerId b : broker(1).cluster()->partitions[log_of_group()].assignment)
      if (b != coordinator() && --nth == 0) return fmt::format("B{}", b);
    return "";
  }
  const ClassicGroup* group() {
    const GroupCoordinator* g = coordinator() == no_broker ? nullptr : broker(coordinator()).coordinator(log_of_group());
    if (!g) return nullptr;
    const auto it = g->classic().find("g");
    return it == g->classic().end() ? nullptr : &it->second;
  }
  // As its coordinator has it; -1 = nothing.
  Offset committed(PartitionId p = 0) {
    const GroupCoordinator* g = coordinator() == no_broker ? nullptr : broker(coordinator()).coordinator(log_of_group());
    const OffsetCommitRecord* o = g ? g->committed("g", p) : nullptr;
    return o ? o->offset : -1;
  }
  // All who live are in the group and have nothing more to do, and their applications have been told so.
  bool settle(Duration limit = 120_s) {
    const bool settled = run_until([&] {
      if (!group() || group()->state != ClassicState::stable) return false;
      for (int i = 1; i <= members_; ++i) {
        const NodeId n = world.find(fmt::format("K{}", i));
        if (!world.running(n) || !reader(fmt::format("K{}", i)).polls) continue;
        const Client& c = world.node_as<Client>(n);
        if (!c.group_at_rest()) return false;
        for (const Assigned& a : c.assigned())
          if (a.wants_committed || a.position == no_offset) return false;
      }
      return true;
    }, limit);
    run(150_ms);
    return settled;
  }
  static OffsetFetch where_is(PartitionId p = 0) {
    OffsetFetch m;
    m.group = "g";
    m.require_stable = true;
    m.partitions = {p};
    return m;
  }
  CallId commit(const std::string& k, const std::string& place, Offset offset, bool once = false) {
    Call c;
    c.kind = CallKind::commit;
    c.place = world.journal.names.id(place);
    c.position = offset;
    c.once = once;
    return client(k).call(c);
  }
  std::string answer_of(const std::string& k, CallId id) { return client(k).answer(id); }
  // Waits for it.
  std::string committed_as(const std::string& k, const std::string& place, Offset offset) {
    const CallId id = commit(k, place, offset);
    run_until([&] { return !client(k).answer(id).empty(); });
    return client(k).answer(id);
  }
  void write(int partition, int records) {
    for (int i = 0; i < records; ++i) client().send(static_cast<std::uint64_t>(++message_), partition);
    run(200_ms);
  }
  // Rows of places that changed hands from here on: "K1+t/0 K1-t/0".
  std::string hands() {
    std::string out;
    for (; row_ < world.journal.ops.size(); ++row_) {
      const Op& op = world.journal.ops[row_];
      if (op.kind != OpKind::assign && op.kind != OpKind::revoke) continue;
      out += fmt::format("{}{}{}{}", out.empty() ? "" : " ", world.name(op.process), op.kind == OpKind::assign ? "+" : "-", world.journal.names.text(op.place));
    }
    return out;
  }

 private:
  static Setup setup(const Story& s) {
    Setup out;
    out.profile = s.profile;
    out.cluster = {{"offsets_partitions", "1"}, {"group_initial_rebalance_delay", "500ms"}, {"min_insync", "2"}, {"offsets_min_insync", "1"}};
    out.cluster.insert(out.cluster.end(), s.cluster.begin(), s.cluster.end());
    out.topic = {{"partitions", fmt::format("{}", s.partitions)}};
    out.producer = {{"linger", "0"}};
    for (int i = 1; i <= s.members; ++i) {
      Settings m = {{"group", "g"}, {"auto_commit", "off"}, {"auto_offset_reset", "earliest"}, {"assignors", "range"}, {"session_timeout", "10s"}, {"group_heartbeat", "1s"}};
      m.insert(m.end(), s.member.begin(), s.member.end());
      if (static_cast<std::size_t>(i) <= s.each.size()) m.insert(m.end(), s.each[static_cast<std::size_t>(i - 1)].begin(), s.each[static_cast<std::size_t>(i - 1)].end());
      out.more.emplace_back(fmt::format("K{}", i), std::move(m));
    }
    static const Reader reads;
    out.app = &reads;
    return out;
  }
  const int members_;
  int message_ = 0;
  std::size_t row_ = 0;
};

}  // namespace mqlab::kafka::testing
