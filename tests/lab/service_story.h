// tests/lab/service_story.h: clients that ask services what a story says, one call after another.
//
// A line is one call: the transaction's number in the story, what it asks, and what for.
//
//     ServiceStory s;
//     s.client("X", {"1 put accounts alice amount=5", "1 commit"});
//     EXPECT_EQ(s.run(), "X 1 put accounts alice amount=5: ok key=alice\nX 1 commit: ok\n");
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "sim/lab/app.h"
#include "sim/lab/database.h"
#include "tests/lab/fake_client.h"

namespace mqlab::lab_test {

inline Cell cell_of(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("-0123456789") == std::string::npos) return std::int64_t{std::stoll(text)};
  return text;
}

inline std::pair<std::string, Cell> column_of(const std::string& text) {
  const std::size_t is = text.find('=');
  return {text.substr(0, is), cell_of(text.substr(is + 1))};
}

inline std::string text_of(const Row& r) {
  std::string out = to_text(r.key);
  for (const auto& [name, cell] : r.columns) out += " " + name + "=" + to_text(cell);
  return out;
}

// Calls of one client, in order. "sleep 100" waits, in milliseconds; "unless ok: ..." is not needed: a story knows.
struct Asker : AppBase<Asker> {
  std::vector<std::string> lines{};
  std::size_t next = 0;
  std::map<std::string, std::uint64_t> transactions{};
  std::string told{};
  std::string name{};

  void on_start(AppContext& a) override { go_on(a); }
  void on_timer(AppContext& a, std::uint64_t) override { go_on(a); }
  bool done() const override { return next >= lines.size(); }
  void on_answer(AppContext& a, const Answer& answer) override {
    told += name + " " + lines[next - 1] + ": " + outcome_name(answer.outcome);
    if (answer.error) told += " " + a.names().text(answer.error);
    if (answer.service && answer.kind == CallKind::database) {
      const auto& r = service_payload<DbReply>(answer.service);
      if (r.key) told += " key=" + to_text(*r.key);
      for (const Row& row : r.rows) told += " [" + text_of(row) + "]";
      for (const std::string& id : r.ids) told += " " + id;
    }
    if (answer.service && answer.kind == CallKind::outside && service_payload<EffectReply>(answer.service).repeated) told += " repeated";
    told += "\n";
    go_on(a);
  }

  void go_on(AppContext& a) {
    if (next >= lines.size()) return;
    std::istringstream in(lines[next++]);
    std::string label, verb, word;
    in >> label;
    if (label == "sleep") {
      std::int64_t milliseconds = 0;
      in >> milliseconds;
      return a.sleep(milliseconds * 1'000'000);
    }
    if (label == "call") return call(a, in);
    in >> verb;
    DbRequest r;
    for (int v = 0; v <= static_cast<int>(DbVerb::rollback_prepared); ++v)
      if (verb == db_verb_name(static_cast<DbVerb>(v))) r.verb = static_cast<DbVerb>(v);
    if (r.verb == DbVerb::prepare || r.verb == DbVerb::commit_prepared || r.verb == DbVerb::rollback_prepared) {
      in >> r.id;
    } else if (r.verb == DbVerb::effect) {
      std::uint64_t n = 0;
      in >> r.effect >> n;
      r.message = numbered_message(a.context.self(), n);
    } else if (r.verb != DbVerb::commit && r.verb != DbVerb::abort && r.verb != DbVerb::prepared) {
      in >> r.table;
      if (r.verb != DbVerb::scan && in >> word && word != "-") r.key = cell_of(word);
      while (in >> word) {
        const auto [column, cell] = column_of(word);
        if (column == "@version") r.expected = std::get<std::int64_t>(cell);
        else if (column == "@limit") r.scan.limit = static_cast<std::uint32_t>(std::get<std::int64_t>(cell));
        else if (column == "@after") r.scan.after = cell;
        else if (column == "@order") r.scan.by_sequence = true;
        else if (r.verb == DbVerb::scan) r.scan.where[column] = cell;
        else r.columns[column] = cell;
      }
    }
    const auto [it, is_new] = transactions.try_emplace(label, 0);
    if (is_new) it->second = a.begin("bank");
    r.transaction = it->second;
    a.database("bank", std::move(r));
  }

  // call charge 7 key=alice token=3 idempotency=x
  void call(AppContext& a, std::istringstream& in) {
    EffectRequest r;
    std::uint64_t n = 0;
    std::string word;
    in >> r.name >> n;
    r.message = numbered_message(a.context.self(), n);
    while (in >> word) {
      const auto [what, cell] = column_of(word);
      if (what == "key") r.key = a.names().id(to_text(cell));
      if (what == "token") r.token = std::get<std::int64_t>(cell);
      if (what == "idempotency") r.idempotency_key = to_text(cell);
    }
    a.outside("world", std::move(r));
  }
};

struct ServiceStory {
  std::uint64_t seed = 1;
  std::vector<TableSpec> tables{{"accounts", {"email"}}, {"orders", {}}};
  Options bank = service_defaults("database");
  Options outside = service_defaults("outside");
  std::unique_ptr<World> world{};
  std::vector<NodeId> clients{};

  ServiceStory& set(const std::string& role, const std::string& name, Value v) {
    EXPECT_EQ((role == "database" ? bank : outside).set(service_options(), role, name, std::move(v)), std::nullopt);
    return *this;
  }
  World& build() {
    if (!world) {
      world = std::make_unique<World>(seed);
      deploy_services(*world, {{.name = "bank", .role = "database", .options = bank, .tables = tables}, {.name = "world", .role = "outside", .options = outside}});
    }
    return *world;
  }
  ServiceStory& client(const std::string& name, std::vector<std::string> lines) {
    auto app = std::make_unique<Asker>();
    app->lines = std::move(lines);
    app->name = name;
    NodeOptions o;
    o.name = name;
    o.role = "client";
    clients.push_back(build().add_node(std::make_unique<FakeClient>(std::move(app)), o));
    return *this;
  }
  ServiceStory& fault(FaultKind kind, Time when, const std::string& whom = "bank", Duration duration = 100'000'000) {
    Fault f;
    f.kind = kind;
    f.groups = {{whom}};
    f.duration = duration;
    build().arm(f, at(when));
    return *this;
  }
  // What all clients were told, client by client.
  std::string run(Time until = 60'000'000'000) {
    build().run_until(until);
    std::string out;
    for (const NodeId n : clients) out += static_cast<const Asker*>(world->node_as<FakeClient>(n).app())->told;
    return out;
  }
  Database& database() { return world->node_as<Database>(world->find("bank")); }
  std::string rows(const std::string& table) {
    std::string out;
    for (const Row& r : database().rows(table)) out += "[" + text_of(r) + "]";
    return out;
  }
  std::string effects() {
    std::string out;
    for (const Op& op : world->journal.ops)
      if (op.kind == OpKind::effect) out += fmt::format("{} did {} for {} at {}\n", world->journal.process_name(op.process), world->journal.names.text(op.place), world->journal.message_name(op.message), world->journal.names.text(op.subscription));
    return out;
  }
};

}  // namespace mqlab::lab_test
