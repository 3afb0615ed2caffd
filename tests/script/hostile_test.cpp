// Every wrong, hostile or huge file ends in an InputError that names its line.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

#include "sim/lab/run.h"
#include "sim/script/lua_model.h"
#include "sim/script/scenario_api.h"
#include "tests/script/toy_model.h"

namespace mqlab {
namespace {

const Models& models() {
  static const Models all = [] {
    Models m = toy::models();
    m.add(script::make_lua_model());
    return m;
  }();
  return all;
}

std::string error_of(const std::string& text) {
  try {
    (void)load_scenario(text, "t.lua", models());
    return "no error";
  } catch (const InputError& error) {
    return error.what();
  }
}

// A whole scenario in which one line is replaced; `line` tells which is to be blamed.
struct Wrong {
  const char* what;
  int line;
  const char* text;     // the field or fields, in place of the cluster or beside it
  const char* message;  // a part of what is said
};

const Wrong wrongs[] = {
    {"unknown field", 4, "clinets = {},", "the scenario has no field `clinets`; did you mean `clients`?"},
    {"positional", 4, "toy {},", "fields by name only, and here is a cluster without one"},
    {"cluster option", 4, "cluster = toy { broekrs = 1 },", "toy has no field `broekrs`; did you mean `brokers`?"},
    {"cluster option's line", 6, "cluster = toy {\n\n  broekrs = 1 },", "did you mean `brokers`?"},
    {"cluster option's type", 4, "cluster = toy { brokers = 'x' },", "wants a whole number, not `x`"},
    {"cluster option's range", 4, "cluster = toy { brokers = 7 },", "must be between 1 and 1"},
    {"not whole", 4, "cluster = toy { brokers = 1.5 },", "wants a whole number, not the number 1.5"},
    {"huge", 4, "cluster = toy { brokers = 1e300 },", "wants a whole number"},
    {"nan", 4, "cluster = toy { brokers = 0/0 },", "wants a whole number, not the number nan"},
    {"profile", 4, "cluster = toy { profile = '3' },", "toy has no profile `3`: it has 1, 2"},
    {"profile's type", 4, "cluster = toy { profile = 2 },", "`profile` of toy wants text, as \"2\", not the number 2"},
    {"cluster no model", 4, "cluster = {},", "`cluster` of the scenario wants a model, as toy { ... }, not a table"},
    {"model", 4, "cluster = tyo {},", "`tyo` is not defined; did you mean `toy`?"},
    {"cluster's argument", 4, "cluster = toy 'x',", "`toy` wants a table of options"},
    {"title", 4, "title = 3,", "`title` of the scenario wants a text"},
    {"topics", 4, "topics = 3,", "`topics` of the scenario wants a table { name = ... }, not the number 3"},
    {"topic", 4, "topics = { orders = 3 },", "topic `orders` is a table { ... }, not the number 3"},
    {"topic's place", 4, "topics = { { partitions = 1 } },", "has entries by name"},
    {"topic's name", 4, "topics = { ['a/b'] = {} },", "a topic's name"},
    {"topic option", 6, "topics = {\n orders = {\n partitoins = 3 } },", "topic `orders` has no field `partitoins`; did you mean `partitions`?"},
    {"topic option's type", 4, "topics = { orders = { partitions = {} } },", "option `partitions` wants a whole number, not a table"},
    {"a million partitions", 4, "topics = { orders = { partitions = 1000000 } },", "at most 10000 partitions in all topics together"},
    {"partitions together", 4, "topics = { a = { partitions = 9000 }, b = { partitions = 9000 } },", "at most 10000 partitions"},
    {"topics", 4, "topics = (function() local t = {} for i = 1, 20000 do t['t' .. i] = {} end return t end)(),", "at most 10000 topics"},
    {"a million topics", 4, "topics = (function() local t = {} for i = 1, 1000000 do t['t' .. i] = {} end return t end)(),", "memory budget"},
    {"client", 4, "clients = { 3 },", "`clients` is a list of clients"},
    {"client without table", 4, "clients = { producer 'P1' },", "`producer \"P1\"` has no table of options"},
    {"client without name", 4, "clients = { producer { topic = 'x' } },", "`producer` wants a name first"},
    {"client verb", 4, "clients = { prodcer 'P1' {} },", "did you mean `producer`?"},
    {"client option", 6, "clients = {\n producer 'P1' { records = 1,\n recrods = 20 } },", "producer `P1` has no field `recrods`; did you mean `records`?"},
    {"second client's option", 5, "clients = { producer 'P1' { records = 1 },\n producer 'P2' { reocrds = 1 } },", "producer `P2` has no field `reocrds`"},
    {"choice", 4, "clients = { producer 'P1' { acks = 'al' } },", "is one of 0, 1, all; not `al`; did you mean `all`?"},
    {"duration without unit", 4, "clients = { producer 'P1' { every = 5 } },", "option `every` wants a duration, as ms(250), not the number 5"},
    {"number with unit", 4, "clients = { producer 'P1' { records = ms(5) } },", "option `records` wants a whole number, not the duration 5 ms"},
    {"negative duration", 4, "clients = { producer 'P1' { every = -ms(5) } },", "must be at least"},
    {"list of numbers", 4, "clients = { consumer 'C1' { topics = { 1 } } },", "a list"},
    {"same name", 4, "clients = { producer 'P1' {}, consumer 'P1' {} },", "two clients `P1`"},
    {"program missing", 4, "clients = { client 'X' {} },", "client `X` has no `program`"},
    {"program's type", 4, "clients = { client 'X' { program = 'x' } },", "`program` of client `X` wants a function(c)"},
    {"program of a producer", 4, "clients = { producer 'P1' { program = print } },", "producer `P1` has no field `program`"},
    {"clients", 4, "clients = (function() local t = {} for i = 1, 2000 do t[i] = producer('P' .. i) {} end return t end)(),", "at most 500 clients"},
    {"fault without time", 4, "faults = { kill 'B1' },", "`kill` has no time; write at(seconds(1), kill"},
    {"fault's verb", 4, "faults = { at(ms(1), kil 'B1') },", "did you mean `kill`?"},
    {"fault's field", 5, "faults = { at(ms(1), kill 'B1' {\n durtaion = ms(5) }) },", "`kill` has no field `durtaion`; did you mean `duration`?"},
    {"fault's foreign field", 4, "faults = { at(ms(1), kill 'B1' { label = 'x' }) },", "`kill` has no field `label`"},
    {"fault's type", 4, "faults = { at(ms(1), kill(3)) },", "`kill` wants names or a table here, not the number 3"},
    {"nobody", 4, "faults = { at(ms(1), kill {}) },", "`kill` needs somebody"},
    {"negative time", 4, "faults = { at(-ms(1), kill 'B1') },", "`at` wants a time that is not negative"},
    {"time without unit", 4, "faults = { at(5, kill 'B1') },", "`at` wants a time first, as at(ms(5), ...), not the number 5"},
    {"endless time", 4, "faults = { at(days(100000), kill 'B1') },", "at most 100 years"},
    {"too long to count", 4, "faults = { at(days(1e9), kill 'B1') },", "more than 292 years"},
    {"time nan", 4, "faults = { at(ms(0/0), kill 'B1') },", "a time is a finite number"},
    {"time text", 4, "faults = { at(ms('5'), kill 'B1') },", "a number is expected, got string"},
    {"no fault", 4, "faults = { at(ms(1)) },", "`at` has no fault"},
    {"groups", 4, "faults = { at(ms(1), partition { 'B1', { 'B2' } }) },", "a name beside its groups"},
    {"empty group", 4, "faults = { at(ms(1), partition { {} }) },", "a group of `partition` is empty"},
    {"traffic", 4, "faults = { at(ms(1), isolate { 'B1', traffic = 'contrl' }) },", "did you mean `control`?"},
    {"shape", 4, "faults = { at(ms(1), latency { from = 'B1', amount = ms(1), shape = 'unifrom' }) },", "did you mean `uniform`?"},
    {"share", 4, "faults = { at(ms(1), loss { from = 'B1', ratio = 2 }) },", "is a share from 0 to 1"},
    {"share nan", 4, "faults = { at(ms(1), loss { from = 'B1', ratio = 0/0 }) },", "wants a share"},
    {"factor", 4, "faults = { at(ms(1), slow 'B1' { ratio = 0.5 }) },", "is a factor"},
    {"bandwidth 0", 4, "faults = { at(ms(1), bandwidth { from = 'B1', amount = 0 }) },", "between 1 and"},
    {"message missing", 4, "faults = { at(ms(1), hold {}) },", "needs the name of a message"},
    {"nth", 4, "faults = { at(ms(1), hold 'Fetch' { nth = 0 }) },", "must be at least 1"},
    {"command", 4, "faults = { at(ms(1), command('B1', 'elct')) },", "toy has no command `elct`; did you mean `elect`?"},
    {"mark", 4, "faults = { when(mark 'leader_electd', kill 'B1') },", "toy has no mark `leader_electd`; did you mean `leader_elected`?"},
    {"mark's field", 4, "faults = { when(mark 'broker_up' { plaec = 'x' }, kill 'B1') },", "did you mean `place`?"},
    {"op", 4, "faults = { when(op 'sned ok', kill 'B1') },", "did you mean `send ok`?"},
    {"when without trigger", 4, "faults = { when(ms(5), kill 'B1') },", "`when` wants a trigger first"},
    {"missing comma", 4, "faults = { at(ms(1), kill 'B1')\n (heal()) },", "is a comma missing"},
    {"run_for", 4, "run_for = 5,", "`run_for` of the scenario wants a duration, as ms(250), not the number 5"},
    {"run_for 0", 4, "run_for = 0,", "must be more than 0"},
    {"drain", 4, "drain = { limti = ms(1) },", "did you mean `limit`?"},
    {"drain's type", 4, "drain = 5,", "`drain` of the scenario wants"},
    {"links", 4, "links = { latncy = ms(1) },", "did you mean `latency`?"},
    {"negative latency", 4, "links = { latency = -ms(1) },", "must not be negative"},
    {"regions", 4, "regions = { { 'eu' } },", "`regions` is a list of pairs"},
    {"anomaly", 4, "expect = { holds 'lost-mesage' },", "there is no anomaly `lost-mesage`; did you mean `lost-message`?"},
    {"expected mark", 4, "expect = { reaches 'broker_upp' },", "did you mean `broker_up`?"},
    {"expectation", 4, "expect = { 'lost-message' },", "`expect` is a list of reaches, holds, violates and finds"},
    {"case", 4, "cases = { case 'x' },", "has no table"},
    {"case's field", 4, "cases = { case 'x' { sett = {} } },", "did you mean `set`?"},
    {"setting", 6, "cases = { case 'x' {\n set = {\n ackss = 1 } } },", "there is no option `ackss`; did you mean `acks`?"},
    {"setting's value", 4, "clients = { producer 'P1' {} }, cases = { case 'x' { set = { acks = 7 } } },", "is one of 0, 1, all"},
    {"setting's owner", 4, "clients = { producer 'P1' {} }, cases = { case 'x' { set = { ['P2.acks'] = 1 } } },", "there is no client, topic or service `P2`; did you mean `P1`?"},
    {"setting's unit", 4, "clients = { producer 'P1' {} }, cases = { case 'x' { set = { linger = 5 } } },", "option `linger` wants a duration"},
    {"setting's profile", 4, "cases = { case 'x' { set = { profile = '9' } } },", "toy has no profile `9`"},
    {"both faults", 4, "cases = { case 'x' { faults = {}, only_faults = {} } },", "has both"},
    {"sweep", 4, "sweep = { akcs = { 0 } },", "there is no option `akcs`; did you mean `acks`?"},
    {"sweep's values", 4, "sweep = { acks = 1 },", "wants a list of values"},
    {"hunt's field", 5, "hunt = {\n fualts = 'none' },", "`hunt` has no field `fualts`; did you mean `faults`?"},
    {"hunt's budget", 4, "hunt = { faults = 'one machnie' },", "`faults` of `hunt` is one of none, one machine, minority, anything; not `one machnie`; did you mean `one machine`?"},
    {"hunt's kinds", 6, "hunt = { kinds = {\n 'kill',\n 'isolte' } },", "are faults, or verbs of toy; not `isolte`; did you mean `isolate`?"},
    {"hunt's window", 4, "hunt = { from = seconds(9), to = seconds(3) },", "`to` of `hunt` must come after `from`, and 3 s does not come after 9 s"},
    {"hunt's unit", 4, "hunt = { from = 9 },", "`from` of `hunt` wants a duration"},
    {"hunt's option", 5, "hunt = { options = {\n akcs = { 0 } } },", "there is no option `akcs`; did you mean `acks`?"},
    {"hunt's values", 4, "hunt = { options = { acks = 1 } },", "`acks` in `options` wants a list of values"},
    {"hunt's value", 4, "clients = { producer 'P1' {} }, hunt = { options = { acks = { 7 } } },", "is one of 0, 1, all"},
    {"hunt's number", 4, "hunt = { faults_max = -1 },", "must be between 0 and 1000"},
    {"hunt's messages", 4, "hunt = { messages = 3 },", "wants a text, or a list of texts"},
    {"service", 4, "services = { 3 },", "`services` is a list of databases and outsides"},
    {"service without table", 4, "services = { database 'bank' },", "`database \"bank\"` has no table; write database \"bank\" { ... }"},
    {"service without name", 4, "services = { outside {} },", "`outside` wants a name first, as outside \"payments\" { ... }"},
    {"service's option", 5, "services = { database 'bank' {\n durabilty = 'none', tables = { 'a' } } },", "database `bank` has no field `durabilty`; did you mean `durability`?"},
    {"service's choice", 4, "services = { database 'bank' { durability = 'fsnyc', tables = { 'a' } } },", "is one of fsync, none; not `fsnyc`; did you mean `fsync`?"},
    {"outside's option", 4, "services = { outside 'x' { tables = {} } },", "outside `x` has no field `tables`"},
    {"outside's share", 4, "services = { outside 'x' { declines = 101 } },", "must be between 0 and 100"},
    {"two services", 5, "services = { outside 'x' {},\n database 'x' { tables = { 'a' } } },", "two services `x`; the other is on line 4"},
    {"no tables", 4, "services = { database 'x' {} },", "database `x` has no `tables`; write tables ="},
    {"empty tables", 4, "services = { database 'x' { tables = {} } },", "at least one table"},
    {"table", 6, "services = { database 'x' {\n tables = {\n a = 3 } } },", "table `a` is a table { ... }, not the number 3"},
    {"table's field", 4, "services = { database 'x' { tables = { a = { uniqeu = 'e' } } } },", "table `a` has no field `uniqeu`; did you mean `unique`?"},
    {"table twice", 4, "services = { database 'x' { tables = { 'a', 'a' } } },", "two tables `a`"},
    {"client like a service", 4, "services = { outside 'x' {} }, clients = { producer 'x' {} },", "a client and a service are both called `x`"},
    {"service's setting", 4, "services = { outside 'x' {} }, cases = { case 'c' { set = { ['x.fenicng'] = true } } },", "did you mean `fencing`?"},
    {"knob", 4, "knobs = { acks = 3 },", "`acks` is an option of producer already"},
    {"knob's value", 4, "knobs = { way = {} },", "option `way` wants a number, a text, or true or false, not a table"},
    {"knob's setting", 4, "knobs = { ttl = seconds(1) }, cases = { case 'c' { set = { ttl = 5 } } },", "option `ttl` wants a duration"},
    {"between", 4, "faults = { between(ms(5), ms(1), kill 'B1') },", "`between` wants the earlier time first"},
    {"between's second", 4, "faults = { between(ms(5), kill 'B1') },", "`between` wants a time second"},
    {"between's number", 4, "faults = { between(ms(1), ms(5), 0, kill 'B1') },", "how often as a whole number from 1 to 1000"},
    {"between without a fault", 4, "faults = { between(ms(1), ms(5), 3) },", "`between` has no fault"},
    {"finds", 4, "expect = { finds 'lost-mesage' },", "did you mean `lost-message`?"},
    {"undefined", 4, "title = undefined_name,", "`undefined_name` is not defined"},
    {"table in itself", 3, "topics = (function() local t = {} t.t = t return t end)(),", "nested more than"},
    {"function as option", 4, "cluster = toy { brokers = print },", "wants a whole number, not a function"},
    {"endless loop", 4, "title = (function() while true do end end)(),", "step budget"},
    {"deep recursion", 4, "title = (function() local function f() return 1 + f() end return f() end)(),", "t.lua:4"},
    {"a gigabyte", 4, "title = ('x'):rep(1 << 30),", "memory budget"},
    {"a long title", 4, "title = ('x'):rep(1 << 19),", "at most 10000 are taken"},
    {"faults without end", 4, "faults = (function() while true do at(ms(1), kill 'B1') end end)(),", "at most 10000 faults"},
    {"caught without end", 4, "faults = (function() while true do pcall(kill, 3) end end)(),", "step budget"},
    {"nodes beside a cluster", 5, "\n nodes = { node 'N1' {} },", "have a cluster of their own"},
    {"io", 4, "title = io.read(),", "`io` is not available"},
};

TEST(Hostile, EveryMistakeNamesItsLineAndTheRightWord) {
  for (const Wrong& w : wrongs) {
    const bool has_cluster = std::string(w.text).rfind("cluster", 0) == 0;
    const std::string text = std::string("-- A lesson.\n\nreturn scenario {\n") + w.text + (has_cluster ? "" : "\ncluster = toy {},") + "\n}\n";
    const std::string error = error_of(text);
    EXPECT_EQ(error.rfind("t.lua:" + std::to_string(w.line) + ":", 0), 0u) << w.what << ": " << error;
    EXPECT_NE(error.find(w.message), std::string::npos) << w.what << ": " << error;
  }
}

TEST(Hostile, TheFileItself) {
  EXPECT_EQ(error_of(""), "t.lua:1: the file must end with `return scenario { ... }`; it returns nothing");
  EXPECT_EQ(error_of("\nscenario { cluster = toy {} }"), "t.lua:2: the file must return its scenario, as `return scenario { ... }`; it returns nothing");
  EXPECT_NE(error_of("return 5").find("it returns the number 5"), std::string::npos);
  EXPECT_NE(error_of("return kill 'B1'").find("it returns a fault"), std::string::npos);
  EXPECT_NE(error_of("return scenario(5)").find("`scenario` wants a table"), std::string::npos);
  EXPECT_EQ(error_of("return scenario {\n topics = {}\n clients = {} }").rfind("t.lua:3:", 0), 0u) << "a missing comma";
  EXPECT_NE(error_of("\x1bLua").find("t.lua"), std::string::npos);
  EXPECT_NE(error_of("return scenario {}").find("the scenario has no `cluster`"), std::string::npos);
  EXPECT_NE(error_of(std::string(2'000'000, ' ')).find("longer than"), std::string::npos);
  EXPECT_NE(error_of("error({})").find("t.lua:1"), std::string::npos) << error_of("error({})");
  EXPECT_NE(error_of(std::string("return scenario { title = '\0x', clster = 1 }", 44)).find("did you mean"), std::string::npos);
}

TEST(Hostile, ATargetThatIsNotThereIsFoundWhenTheWorldIsBuilt) {
  const Scenario s = load_scenario("return scenario { cluster = toy {},\n faults = { at(ms(1), kill 'B11') } }", "t.lua", models());
  Deployment d;
  try {
    (void)build_world(s, *models().find("toy"), nullptr, {}, d);
    FAIL() << "nobody is called B11";
  } catch (const InputError& error) {
    EXPECT_EQ(error.line, 2);
    EXPECT_NE(error.message.find("did you mean `B1`?"), std::string::npos);
  }
}

// ---- fuzz: pieces of good scenarios, put together wrongly

constexpr const char* good = R"(-- A lesson.
local lives = 0
return scenario {
  title = "x", cluster = toy { profile = "1" }, topics = { orders = { partitions = 2 } }, marks = { "seen" },
  clients = { producer "P1" { topic = "orders", records = 3, every = ms(5), acks = 1, zone = "a" }, consumer "C1" { topics = { "orders", "orders/0" } },
    client "X" { acks = "all", program = function(c) lives = lives + 1 local h = c:send_async("orders", { key = "k", body = "m1" }) c:wait(h)
      c:assign("orders", 0) for _, m in ipairs(c:poll(ms(500), 3)) do c:processed(m) c:effect("e", m) end c:sleep(ms(c:random(5))) c:mark("seen", "t") end },
    client "Y" { program = function(c) c:subscribe { "orders" } local got = c:poll(ms(20)) for _, p in ipairs(got.assigned or {}) do c:pause(p) end
      local h = c:commit_async("orders/0", 1) for _, m in ipairs(c:poll(ms(500))) do c:failed(m) c:release(m) c:reject(m) end c:wait(h) c:unsubscribe() end },
    client "Z" { program = function(c) local db, pay = c:database("bank"), c:outside("pay") local t = db:begin() t:put("accounts", "a", { email = "e", at = c:now() }, { version = 0 })
      t:insert("log", { n = 1 }) t:scan("log", { where = { n = 1 }, after = 0, limit = 3, order = "sequence" }) t:effect("x", "m1") t:update("accounts", "a", { n = 2 }) t:delete("accounts", "a")
      t:prepare("g") db:prepared() db:commit_prepared("g") db:rollback_prepared("g") pay:call("charge", { message = "m1", key = "k", token = 3, idempotency_key = "i" }) end } },
  faults = { at(ms(40), partition { { "B1", "P1" }, { "rest" } }), at(seconds(1), kill "B1" { duration = seconds(1) }, heal()), between(ms(1), seconds(2), 2, kill "bank" { duration = ms(5) }, pause "pay"),
    when(mark "broker_up" { nth = 2 }, after(ms(5), power "B1")), when(sent "Produce" { from = "P1" }, hold "Fetch" { to = "B1", nth = 1, count = 3, label = "h" }),
    at(seconds(2), release "h", latency { from = "B1", amount = ms(9), spread = ms(1), shape = "bimodal" }, slow "B1" { ratio = 10 }) },
  run_for = seconds(4), drain = { limit = seconds(2), restart = true }, links = { latency = ms(1), loss = 0.01 }, regions = { { "eu", "us" } },
  services = { database "bank" { tables = { accounts = { unique = { "email" } }, "log" }, durability = "fsync" }, outside "pay" { fencing = true, declines = 5 } },
  knobs = { ttl = seconds(5), way = "new" },
  expect = { reaches "broker_up", holds "lost-message", finds "duplicate" },
  cases = { case "a" { why = "w", set = { acks = 1, ["P1.linger"] = ms(0) }, expect = { violates "duplicate" } } }, sweep = { acks = { 0, "all" } },
}
)";

constexpr const char* good_nodes = R"(
return scenario { messages = { "ping" }, marks = { "seen" }, topics = { orders = { partitions = 2, node = "N2" } }, run_for = seconds(2), drain = { limit = seconds(1) },
  nodes = { node "N1" { role = "broker", durable = { n = 1, list = { 1, "x", ms(2) } }, service = us(5), sync_latency = ms(1),
      on_start = function(self) self.n = 0 self:timer(ms(5), "tick") end,
      on_timer = function(self, name) self.n = self.n + 1 self.durable.n = self.n self:sync() self:send("N2", "ping", { n = self.n, at = self:now() })
        self:datagram(self.peers[1], "ping", {}) self:work(us(5)) self:mark("seen", name, "x/0") self:timer(ms(self:random(50)), name) end },
    node "N2" { on_message = function(self, from, kind, msg) self:log(from .. kind .. tostring(msg.n)) end, on_closed = function(self, peer, why) end,
      on_call = function(self, call, reply) local log = self.durable.log or {} self.durable.log = log
        if call.kind == "send" then log[#log + 1] = { place = call.place, body = call.body, position = #log } reply { position = #log - 1 }
        else reply { messages = log } end end } },
  clients = { producer "P1" { topic = "orders", records = 5 }, consumer "C1" { topics = { "orders" }, subscription = "g" },
    client "X" { program = function(c) c:send("orders", "m") c:assign("orders/0") c:poll(ms(50)) c:call("size", "x") c:close() end } },
  faults = { at(ms(500), power "N1" { duration = ms(10) }), at(ms(900), kill "N2" { duration = ms(10) }), at(ms(1200), hold "ping" { label = "h" }) } }
)";

// Loads, and runs what can be loaded for a while. False when anything but an InputError came out.
bool survives(const std::string& text) {
  try {
    Scenario s = load_scenario(text, "t.lua", models());
    const Model* model = models().find(s.model);
    RunOptions o;
    o.event_limit = 4'000;
    (void)run_scenario(s, *model, s.cases.empty() ? nullptr : &s.cases[0], o);
  } catch (const InputError&) {
  }
  return true;
}

TEST(Hostile, TheSeedsOfTheFuzzAreGood) {
  for (const char* text : {good, good_nodes}) {
    EXPECT_EQ(error_of(text), "no error");
    const Scenario s = load_scenario(text, "t.lua", models());
    EXPECT_NO_THROW((void)run_scenario(s, *models().find(s.model), nullptr, {}));
  }
}

RC_GTEST_PROP(HostileProperty, MutatedScenariosNeverCrash, ()) {
  static const std::vector<std::string> words = {"{",  "}",   "(",    ")",  ",",      "=",     "nil", "0",   "-1",         "1e308",  "0/0",  "\"\"", "\"B1\"", "ms(5)", "-ms(5)", "function(c) end",
                                                 "end", "kill", "at", "toy", "client", "scenario", "print", "{}", "\"rest\"", "ms", "true", "..",   "1 << 62", "node",  "c",      "math.huge"};
  std::string text = *rc::gen::arbitrary<bool>() ? good : good_nodes;
  const int edits = *rc::gen::inRange(1, 6);
  for (int i = 0; i < edits; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto length = *rc::gen::inRange<std::size_t>(0, 12);
    switch (*rc::gen::inRange(0, 4)) {
      case 0: text.erase(at, length); break;
      case 1: text.insert(at, " " + *rc::gen::elementOf(words) + " "); break;
      case 2: {  // a word by another
        std::size_t from = text.find_first_of("abcdefghijklmnopqrstuvwxyz\"0123456789", at);
        if (from == std::string::npos) break;
        const std::size_t to = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_\"0123456789", from);
        text.replace(from, std::min(to, text.size()) - from, *rc::gen::elementOf(words));
        break;
      }
      default: {  // a piece from elsewhere
        const auto from = *rc::gen::inRange<std::size_t>(0, text.size());
        text.insert(at, text.substr(from, length * 3));
      }
    }
    if (text.empty()) text = " ";
  }
  RC_ASSERT(survives(text));
}

}  // namespace
}  // namespace mqlab
