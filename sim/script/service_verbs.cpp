// What programs can do with databases and the world outside: the methods of `db`, `t` and `bank`.
//
//     local db, bank = c:database("shop"), c:outside("payments")
//     local t = db:begin()
//     t:insert("orders", { customer = "alice" })
//     if t:commit().ok then bank:call("charge", { message = m }) end
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/script/methods.h"
#include "sim/script/nearest.h"

namespace mqlab::script {
namespace {

using Out = std::optional<LuaValue>;

// --- arguments ---

Cell cell(const MethodCall& m, const LuaValue& v, const std::string& what) {
  if (v.boolean()) return *v.boolean();
  if (v.integer()) return *v.integer();
  if (v.number() && std::nearbyint(*v.number()) == *v.number() && std::fabs(*v.number()) < 9e15) return static_cast<std::int64_t>(*v.number());
  if (v.duration()) return CellDuration{v.duration()->ns};
  if (v.text() && v.text()->size() <= 10'000) return *v.text();
  m.fail(fmt::format("{} of `{}` is a whole number, a text of at most 10000 bytes, true, false or a duration, not {}", what, m.method, v.describe()));
}

Columns columns(const MethodCall& m, std::size_t i, const LuaValue& v) {
  if (!v.is_table()) m.wrong(i, "a table of columns, as { amount = 5 }");
  if (v.table()->size() > 100) m.fail(fmt::format("a row has at most 100 columns, and `{}` was given {}", m.method, v.table()->size()));
  Columns out;
  for (const auto& [key, value] : *v.table()) {
    if (!key.text() || key.text()->size() > 100) m.fail(fmt::format("the columns given to `{}` have names, as {{ amount = 5 }}, and here is {}", m.method, key.describe()));
    if (*key.text() == "key" || *key.text() == "version" || *key.text() == "sequence") m.fail(fmt::format("`{}` of a row is the database's own: call the column something else", *key.text()));
    out[*key.text()] = cell(m, value, fmt::format("column `{}`", key.text()->substr(0, 60)));
  }
  return out;
}

std::string table(const MethodCall& m) {
  const std::string name = m.text(0, "a table's name");
  std::vector<std::string> known;
  for (const ServiceSpec& v : m.host.source().services)
    if (v.name == m.object)
      for (const TableSpec& t : v.tables) known.push_back(t.name);
  if (std::find(known.begin(), known.end(), name) == known.end())
    m.fail(fmt::format("the database `{}` has no table `{}`{}", m.object, name.substr(0, 60), did_you_mean(name, known)));
  return name;
}

Cell key(const MethodCall& m) {
  if (m.at(1).is_nil()) m.wrong(1, "the key of a row");
  return cell(m, m.at(1), "the key");
}

// --- asking ---

Out ask(const MethodCall& m, DbRequest request) {
  const LuaValue id = m.host.act(m.digest(), [&] {
    switch (request.verb) {
      case DbVerb::get:
      case DbVerb::scan:
      case DbVerb::prepared:
      case DbVerb::commit:
      case DbVerb::abort: break;
      default: program(m).busy = true;
    }
    return LuaValue(static_cast<std::int64_t>(app_context(m).database(m.object, std::move(request))));
  });
  return wait_for(m, id);
}

DbRequest of_transaction(const MethodCall& m, DbVerb verb) {
  DbRequest r;
  r.verb = verb;
  r.transaction = static_cast<std::uint64_t>(m.object_number);
  return r;
}

// --- transactions ---

Out begin(const MethodCall& m) {
  const LuaValue number = m.host.act(m.digest(), [&] { return LuaValue(static_cast<std::int64_t>(app_context(m).begin(m.object))); });
  return make_table({{LuaValue(std::string("name")), LuaValue(m.object)}, {LuaValue(std::string("number")), number}});
}

Out get(const MethodCall& m) {
  DbRequest r = of_transaction(m, DbVerb::get);
  r.table = table(m);
  r.key = key(m);
  return ask(m, std::move(r));
}

Out scan(const MethodCall& m) {
  DbRequest r = of_transaction(m, DbVerb::scan);
  r.table = table(m);
  const LuaValue& how = m.at(1);
  if (!how.is_nil()) {
    if (!how.is_table()) m.wrong(1, "a table { where =, after =, limit =, order = }");
    m.only_fields(how, {"where", "after", "limit", "order"});
    if (const LuaValue* v = how.field("where")) r.scan.where = columns(m, 1, *v);
    if (const LuaValue* v = how.field("after")) r.scan.after = cell(m, *v, "`after`");
    if (const LuaValue* v = how.field("limit")) {
      if (!v->integer() || *v->integer() < 1 || *v->integer() > 1'000'000) m.fail(fmt::format("`limit` of `scan` is a whole number from 1 to 1000000, not {}", v->describe()));
      r.scan.limit = static_cast<std::uint32_t>(*v->integer());
    }
    if (const LuaValue* v = how.field("order")) {
      if (!v->text() || (*v->text() != "key" && *v->text() != "sequence")) m.fail(fmt::format("`order` of `scan` is \"key\" or \"sequence\", not {}", v->describe()));
      r.scan.by_sequence = *v->text() == "sequence";
    }
  }
  return ask(m, std::move(r));
}

void expected(const MethodCall& m, std::size_t i, DbRequest& r) {
  const LuaValue& v = m.at(i);
  if (v.is_nil()) return;
  if (!v.is_table()) m.wrong(i, "a table { version = } that says which version the row must have");
  m.only_fields(v, {"version"});
  const LuaValue* version = v.field("version");
  if (!version || !version->integer() || *version->integer() < 0) m.fail(fmt::format("`version` given to `{}` is a whole number that a row had, or 0: it must not be there", m.method));
  r.expected = *version->integer();
}

Out put(const MethodCall& m) {
  DbRequest r = of_transaction(m, DbVerb::put);
  r.table = table(m);
  r.key = key(m);
  r.columns = columns(m, 2, m.at(2));
  expected(m, 3, r);
  return ask(m, std::move(r));
}

Out insert(const MethodCall& m) {
  DbRequest r = of_transaction(m, DbVerb::insert);
  r.table = table(m);
  const bool numbered = m.at(1).is_table();
  if (!numbered) r.key = key(m);
  r.columns = columns(m, numbered ? 1 : 2, m.at(numbered ? 1 : 2));
  return ask(m, std::move(r));
}

Out update(const MethodCall& m) {
  DbRequest r = of_transaction(m, DbVerb::update);
  r.table = table(m);
  r.key = key(m);
  r.columns = columns(m, 2, m.at(2));
  expected(m, 3, r);
  return ask(m, std::move(r));
}

Out erase(const MethodCall& m) {
  DbRequest r = of_transaction(m, DbVerb::erase);
  r.table = table(m);
  r.key = key(m);
  expected(m, 2, r);
  return ask(m, std::move(r));
}

Out effect(const MethodCall& m) {
  DbRequest r = of_transaction(m, DbVerb::effect);
  r.effect = m.text(0, "a name for what was done");
  const MessageArgument message = message_argument(m, 1, m.at(1));
  const LuaValue id = m.host.act(m.digest(), [&] {
    r.message = message_id(m, message, &r.message_key);
    program(m).busy = true;
    return LuaValue(static_cast<std::int64_t>(app_context(m).database(m.object, std::move(r))));
  });
  return wait_for(m, id);
}

std::string id_argument(const MethodCall& m) {
  std::string id = m.text(0, "a name for the global transaction");
  if (id.empty() || id.size() > 200) m.fail(fmt::format("the name given to `{}` has {} bytes; it has 1 to 200", m.method, id.size()));
  return id;
}

Out commit(const MethodCall& m) { return ask(m, of_transaction(m, DbVerb::commit)); }
Out abort(const MethodCall& m) { return ask(m, of_transaction(m, DbVerb::abort)); }
Out prepare(const MethodCall& m) {
  DbRequest r = of_transaction(m, DbVerb::prepare);
  r.id = id_argument(m);
  return ask(m, std::move(r));
}
Out decide(const MethodCall& m, DbVerb verb) {
  DbRequest r;
  r.verb = verb;
  r.id = id_argument(m);
  return ask(m, std::move(r));
}
Out commit_prepared(const MethodCall& m) { return decide(m, DbVerb::commit_prepared); }
Out rollback_prepared(const MethodCall& m) { return decide(m, DbVerb::rollback_prepared); }
Out prepared(const MethodCall& m) {
  DbRequest r;
  r.verb = DbVerb::prepared;
  return ask(m, std::move(r));
}

// --- the world outside ---

Out call(const MethodCall& m) {
  EffectRequest r;
  r.name = m.text(0, "a name for what is to be done");
  const LuaValue& v = m.at(1);
  if (!v.is_table()) m.wrong(1, "a table { message =, key =, token =, idempotency_key = }");
  m.only_fields(v, {"message", "key", "token", "idempotency_key"});
  const LuaValue* what = v.field("message");
  if (!what) m.fail("`call` needs `message`: the message because of which it is done, or a body");
  const MessageArgument message = message_argument(m, 1, *what);
  const auto short_text = [&](const char* name) -> std::string {
    const LuaValue* f = v.field(name);
    if (f && (!f->text() || f->text()->size() > 10'000)) m.fail(fmt::format("`{}` of `call` is a text of at most 10000 bytes, not {}", name, f->describe()));
    return f ? *f->text() : std::string();
  };
  const std::string key = short_text("key");
  r.idempotency_key = short_text("idempotency_key");
  if (const LuaValue* token = v.field("token")) {
    if (!token->integer()) m.fail(fmt::format("`token` of `call` is a whole number that grows with each owner, not {}", token->describe()));
    r.token = *token->integer();
  }
  const LuaValue id = m.host.act(m.digest(), [&] {
    r.message = message_id(m, message, &r.key);
    if (!key.empty()) r.key = app_context(m).names().id(key);
    program(m).busy = true;
    return LuaValue(static_cast<std::int64_t>(app_context(m).outside(m.object, std::move(r))));
  });
  return wait_for(m, id);
}

}  // namespace

const std::vector<Method>& database_methods() {
  static const std::vector<Method> all = {
      {"begin", "()", "A transaction, `t`; the database hears of it with its first statement.", "", begin, true, ObjectKind::transaction},
      {"commit_prepared", "(id)", "Decides a prepared transaction: all of it. UNKNOWN_ID when there is none, also when it was decided before.", "", commit_prepared},
      {"rollback_prepared", "(id)", "Decides a prepared transaction: none of it.", "", rollback_prepared},
      {"prepared", "()", "`ids` of the transactions that are in doubt.", "", prepared},
  };
  return all;
}

const std::vector<Method>& transaction_methods() {
  static const std::vector<Method> all = {
      {"get", "(table, key)", "`row` of the answer: its columns, `key`, `version`, `sequence`; nil when there is none.", "", get},
      {"scan", "(table, { where =, after =, limit =, order = })", "`rows` of the answer, in the order of their keys or, with order = \"sequence\", of their sequence numbers.", "", scan},
      {"put", "(table, key, columns, { version = })", "Writes a row, whether it is there or not; with a version only over that one (0: only if it is not there), else VERSION.", "", put},
      {"insert", "(table, key, columns)", "A new row; DUPLICATE_KEY when it is there. Without a key it gets the next sequence number: `key` of the answer.", "", insert},
      {"update", "(table, key, columns, { version = })", "Changes these columns of a row; NOT_FOUND when it is not there.", "", update},
      {"delete", "(table, key, { version = })", "Deletes a row; NOT_FOUND when it is not there.", "", erase},
      {"effect", "(name, message)", "Something counts as done because of a message (or a body) if and when the transaction commits.", "", effect},
      {"commit", "()", "All of it: ok, fail with CONFLICT, DUPLICATE_KEY or LOCKED, or info: nobody knows.", "", commit},
      {"abort", "()", "None of it.", "", abort},
      {"prepare", "(id)", "The first phase of two: from here on db:commit_prepared or db:rollback_prepared decides, also after crashes.", "", prepare},
  };
  return all;
}

const std::vector<Method>& outside_methods() {
  static const std::vector<Method> all = {
      {"call", "(name, { message =, key =, token =, idempotency_key = })", "Asks the world outside to do something because of a message (or a body). info: it may be done. Errors: STALE_TOKEN, NO_TOKEN, KEY_REUSED, DECLINED.", "", call},
  };
  return all;
}

}  // namespace mqlab::script
