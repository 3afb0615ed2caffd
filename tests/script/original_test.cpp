// A plan carries the file that its programs stand in: the same run, once, whatever the file looks like.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

#include "kit/models.h"
#include "sim/lab/one_run.h"
#include "sim/script/print_scenario.h"
#include "sim/script/sandbox.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

Scenario load(const std::string& text, const std::string& path = "test.lua") { return load_scenario(text, path, all_models()); }
std::string print(const Scenario& s) { return print_scenario(s, *all_models().find(s.model)); }

Scenario seeded(Scenario s, std::uint64_t seed = 7) {
  s.seed = seed;
  return s;
}

std::string fingerprint(const Scenario& s) { return run_scenario(s, *all_models().find(s.model), nullptr, {.seed = s.seed.value_or(7)}).fingerprint.text(); }

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

std::string library_file(const std::string& name) {
  std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/scenarios/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Two programs and a declared load. What they do hangs on locals, on draws, on a global, and on their place in the file.
const std::string small = R"(-- Two talk.
local waits = { ms(10), ms(25) }
function pick(c) return waits[c:random(#waits)] end
local function talk(c)
  for n = 1, c.options.rounds do
    c:send("t", ("%s %d %d"):format(c.name, n, math.random(1000)))
    c:sleep(pick(c))
  end
end
return scenario {
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { t = { partitions = 2, replicas = 1 } },
  knobs = { rounds = 5, pace = seconds(2), loud = true },
  clients = {
    client "A" { program = talk, linger = ms(3) },
    client "B" { program = function(c) talk(c) c:sleep(ms(5)) talk(c) end, acks = 1, isolation = "read_committed" },
    producer "P" { topic = "t", records = 10 },
  },
  faults = { at(ms(1200), pause "A" { duration = ms(300) }), at(ms(1500), kill "B1" { duration = ms(400) }), at(seconds(2), reset_streams { from = "B" }) },
  run_for = seconds(4),
}
)";

void is_carried(const std::string& text) {
  const Scenario s = seeded(load(text));
  const std::string printed = print(s);
  SCOPED_TRACE(printed.substr(0, 3'000));
  const Scenario again = load(printed, "plan.lua");
  EXPECT_EQ(print(again), printed);
  EXPECT_EQ(fingerprint(again), fingerprint(s));
}

TEST(Original, IsTheSameRun) { is_carried(small); }

TEST(Original, APlanOfAPlanCarriesTheFileOnce) {
  Scenario s = seeded(load(small));
  s.lesson = "One run.";
  const std::string once = print(s);
  Scenario again = load(once, "plan.lua");
  again.deployment.clients.erase(again.deployment.clients.begin());
  again.faults.erase(again.faults.begin());
  again.lesson = "One run, with less in it.";
  const std::string twice = print(again);
  EXPECT_LT(twice.size(), once.size() + 30);
  EXPECT_EQ(count(twice, "original("), 1U);
  EXPECT_EQ(count(twice, "-- Two talk."), 1U);
  EXPECT_EQ(print(load(twice, "plan.lua")), twice);
  EXPECT_EQ(fingerprint(load(twice, "plan.lua")), fingerprint(again));
}

// Draws of a program are its own by its number: who is taken away changes nobody else.
TEST(Original, AClientKeepsItsNumber) {
  Scenario s = seeded(load(small));
  s.faults.clear();
  s.deployment.clients.erase(s.deployment.clients.begin());
  const std::string expected = fingerprint(s);
  EXPECT_EQ(fingerprint(load(print(s), "plan.lua")), expected);
  // The same programs in a file of their own are another run: B is the first client there.
  std::string other = small;
  other.replace(other.find("    client \"A\""), other.find("    client \"B\"") - other.find("    client \"A\""), "");
  Scenario o = seeded(load(other));
  o.faults.clear();
  EXPECT_NE(fingerprint(o), expected);
}

// Helpers of the file may have the names of verbs: the plan's own words are still the lab's.
TEST(Original, GlobalsOfTheFileAreItsOwn) {
  std::string text = small;
  text.replace(text.find("local waits"), 11, "function kill(who) return pause(who) end\nfunction at(c) return c:now() end\nwaits");
  text.replace(text.find("math.random(1000)"), 17, "#tostring(at(c))");
  text.replace(text.find("    client \"B\""), 0, "    --[[ a call of kill in the file is a pause ]]\n");
  text.replace(text.find("at(ms(1200)"), 3, "when(mark \"leader_elected\",");
  text.replace(text.find("when(mark \"leader_elected\",ms(1200), "), 37, "when(mark \"leader_elected\", ");
  text.replace(text.find("at(ms(1500), kill \"B1\" { duration = ms(400) }), at(seconds(2), reset_streams { from = \"B\" })"), 92,
               "when(mark \"leader_elected\", after(ms(900), kill(\"B\") { duration = ms(400) }))");
  is_carried(text);
  const std::string printed = print(seeded(load(text)));
  EXPECT_NE(printed.find("after(ms(900), pause"), std::string::npos) << printed;
  // A plan that says `kill` means it.
  Scenario s = seeded(load(text));
  s.faults[1].fault.kind = FaultKind::kill;
  const Scenario again = load(print(s), "plan.lua");
  EXPECT_EQ(again.faults[1].fault.kind, FaultKind::kill);
  EXPECT_EQ(fingerprint(again), fingerprint(s));
}

TEST(Original, NodesAndWordsOfTheFileComeAlong) {
  const std::string text = R"(return scenario {
  nodes = { node "N1" { on_call = function(self, call, reply) self:mark("asked", "t/0") reply { position = 1 } end, durable = { n = 0 }, machine = "m" } },
  marks = { "asked", "told" }, messages = { "hello" },
  topics = { t = {} },
  clients = { client "A" { program = function(c) c:send("t", "x") c:mark("told") end }, producer "P" { topic = "t", records = 3 } },
  faults = { when(mark "asked", pause "N1" { duration = ms(5) }) },
  run_for = seconds(3), expect = { reaches "asked", reaches "told" },
})";
  is_carried(text);
  // Without any program left, the file is still where the nodes and the words are.
  Scenario s = seeded(load(text));
  s.deployment.clients.erase(s.deployment.clients.begin());
  s.expect.clear();
  const Scenario again = load(print(s), "plan.lua");
  EXPECT_EQ(fingerprint(again), fingerprint(s));
}

// The last program is gone: nothing of the file is needed.
TEST(Original, WithoutProgramsThereIsNoFile) {
  Scenario s = seeded(load(small));
  s.deployment.clients.erase(s.deployment.clients.begin(), s.deployment.clients.begin() + 2);
  s.faults.erase(s.faults.begin());
  s.faults.pop_back();
  const std::string printed = print(s);
  EXPECT_EQ(count(printed, "original("), 0U);
  EXPECT_EQ(fingerprint(load(printed, "plan.lua")), fingerprint(s));
}

TEST(Original, AnErrorInAProgramNamesItsLineInThePlan) {
  std::string text = small;
  text.replace(text.find("c:sleep(pick(c))"), 16, "c:sleep(nothing.at_all)");
  const std::string printed = print(seeded(load(text)));
  int line = 1;
  for (std::size_t i = 0; i < printed.find("nothing.at_all"); ++i) line += printed[i] == '\n';
  const Scenario s = load(printed, "plan.lua");
  try {
    (void)fingerprint(s);
    FAIL() << "the program goes wrong";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("plan.lua:" + std::to_string(line) + ": `nothing` is not defined"), std::string::npos) << error.what();
  }
}

TEST(Original, AnErrorInAFieldNamesItsLineInThePlan) {
  const auto wrong = [](const std::string& from, const std::string& to, const std::string& expected) {
    std::string text = print(seeded(load(small)));
    ASSERT_NE(text.rfind(from), std::string::npos) << from;
    text.replace(text.rfind(from), from.size(), to);
    int line = 1;
    for (std::size_t i = 0; i < text.rfind(to); ++i) line += text[i] == '\n';
    try {
      (void)load(text, "plan.lua");
      FAIL() << expected;
    } catch (const InputError& error) {
      EXPECT_EQ(error.line, line) << error.what();
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  };
  wrong("client \"A\"", "client \"AA\"", "client `AA` has no `program`, and the file that this scenario is based on has none for a client of that name; did you mean `A`?");
  wrong("based_on = file", "based_on = 3", "`based_on` of the scenario wants what original(function(...) ... end) returned, not the number 3");
  wrong("based_on = file", "based_on = scenario {}", "`based_on` of the scenario wants what original(function(...) ... end) returned, not a scenario");
  wrong("based_on", "basedon", "the scenario has no field `basedon`; did you mean `based_on`?");
  wrong("knobs =", "marks = { \"x\" }, knobs =", "a scenario that is based on another has its `marks`: write them there");
}

TEST(Original, WhatIsNoFileIsRefused) {
  const auto says = [](const std::string& text, const std::string& expected) {
    try {
      (void)load(text);
      ADD_FAILURE() << expected;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  };
  says("return scenario { based_on = original(3) }", "test.lua:1: `original` wants a function that holds the text of a file, as original(function(...) ... end), not number");
  says("return scenario { based_on = original(print) }", "`original` wants a function");
  says("return scenario { based_on = original() }", "`original` wants a function");
  says("\nreturn scenario { based_on = original(function() end) }", "test.lua:2: the function given to `original` must return its scenario, as `return scenario { ... }`; it returns nothing");
  says("local file = original(function(...)\nreturn 7\nend)\nreturn scenario { based_on = file }", "must return its scenario, as `return scenario { ... }`; it returns the number 7");
  says("local function f() return original(f) end return f()", "stack overflow");
  says("local s = scenario { cluster = kafka {} }\nfor i = 1, 1e6 do original(function() return s end) end", "a scenario has at most 10 originals");
  says("local file = original(function(...)\nwhile true do end\nend)", "steps");
  says("return scenario { cluster = kafka {}, clients = { client \"X\" { program = function(c) original(function() end) end } } , run_for = 3}", "run_for");
}

TEST(Original, IsForTheTimeOfLoadingOnly) {
  const Scenario s = load("return scenario { cluster = kafka {}, topics = { t = {} }, clients = { client \"X\" { program = function(c) original(function() end) end } }, run_for = seconds(3) }");
  EXPECT_THROW(
      {
        try {
          (void)fingerprint(s);
        } catch (const InputError& error) {
          EXPECT_NE(std::string(error.what()).find("only possible while the file is loaded"), std::string::npos) << error.what();
          throw;
        }
      },
      InputError);
}

// A plan that a person goes on writing: with programs of its own, or a local that the file reads, it is a file like others.
TEST(Original, AChangedPlanIsAFileOfItsOwn) {
  const std::string plan = print(seeded(load(small)));
  std::string more = plan;
  more.replace(more.rfind("    producer \"P\""), 0, "    client \"C\" { program = function(c) c:send(\"t\", \"mine \" .. c:random(100)) end },\n");
  is_carried(more);
  const std::string carried = print(seeded(load(more)));
  EXPECT_EQ(count(carried, "original("), 2U);
  EXPECT_EQ(count(print(load(carried)), "original("), 2U) << "and it grows no more";

  std::string library = plan;
  library.replace(library.rfind("    producer \"P\""), 0, "    client \"C\" { program = print },\n");
  is_carried(library);

  std::string outside = plan;
  outside.replace(outside.find("local file"), 0, "local rounds = 2\n");
  outside.replace(outside.find("c.options.rounds"), 16, "rounds");
  is_carried(outside);
  std::string global = plan;
  global.replace(global.find("local file"), 0, "rounds = 2\n");
  global.replace(global.find("c.options.rounds"), 16, "rounds");
  is_carried(global);
}

TEST(Original, APlanWithWindowsLinesIsStillAPlan) {
  const std::string plan = print(seeded(load(small)));
  std::string text;
  for (const char c : plan) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(print(load(text)), plan);
}

// What a file may look like, and still stands in another one.
TEST(Original, HostileTextsAreCarried) {
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = small;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  is_carried("#!/usr/bin/env mqlab\n" + small);
  is_carried("\xEF\xBB\xBF#!/usr/bin/env mqlab\n" + small);
  is_carried(small + "-- the end, without a line's end");
  is_carried(small + "--[[ ]==] end) ]]");
  is_carried(changed("-- Two talk.", "--[==[ ]] end)\nlocal file = original(function(...)\nend) ]==]"));
  is_carried(changed("%s %d %d", "]] %s ]==] %d \\\"end)\\\" %d"));
  is_carried(changed("\"%s %d %d\"", "[==[\nend)\n%s ]] %d\r\n%d]==]"));
  is_carried(changed("local waits", "local args = { ... }\nassert(#args == 0 and select('#', ...) == 0)\nlocal waits"));
  is_carried(changed("local waits", "goto over\n::over::\nlocal waits"));
  is_carried(changed("local waits", "local kept <const> = 3\nlocal _ENV = _ENV\nlocal waits"));
  is_carried(changed("return scenario", "file, original, based_on = 1, 2, 3\nreturn scenario"));
  is_carried(changed("Two talk.", "Zw\xC3\xB6lf \xFF\xFE \x01 talk."));
  is_carried(changed("Two talk.", std::string("nothing\0here", 12)));
  std::string windows;
  for (const char c : small) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  is_carried(windows);
  std::string old;
  for (const char c : small) old += c == '\n' ? '\r' : c;
  is_carried(old.substr(old.find('\r') + 1));
  // 200 locals are as many as a function may have; a file may have them too.
  std::string locals;
  for (int i = 0; i < 197; ++i) locals += "local v" + std::to_string(i) + " = " + std::to_string(i) + "\n";
  is_carried(changed("local waits", locals + "local waits"));
  // A long file, and one that is too long.
  const std::string line = "-- " + std::string(96, 'x') + "\n";
  std::string long_text = small;
  for (int i = 0; i < 9'000; ++i) long_text += line;
  is_carried(long_text);
  for (int i = 0; i < 1'000; ++i) long_text += line;
  const Scenario too_long = seeded(load(long_text));
  ASSERT_TRUE(why_not_printed(too_long));
  EXPECT_NE(why_not_printed(too_long)->find("bytes, and one that is carried in another may have"), std::string::npos) << *why_not_printed(too_long);
  EXPECT_THROW((void)print(too_long), std::invalid_argument);
}

// As deep as Lua takes it: one level more is too much, and that is said with the line.
TEST(Original, AFileThatIsNestedAsDeeplyAsCanBe) {
  int said = 0;
  for (int depth = 170; depth <= 200; ++depth) {
    std::string text = small;
    std::string blocks;
    for (int i = 0; i < depth; ++i) blocks += "do ";
    for (int i = 0; i < depth; ++i) blocks += "end ";
    text.replace(text.find("local waits"), 0, blocks + "\n");
    try {
      const Scenario s = seeded(load(text));
      if (const auto why = why_not_printed(s)) {
        EXPECT_NE(why->find("can't stand in a function: line 2: "), std::string::npos) << *why;
        ++said;
      } else {
        EXPECT_EQ(print(load(print(s))), print(s));
      }
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("test.lua:2: "), std::string::npos) << error.what();
    }
  }
  EXPECT_GE(said, 1);
}

// Any part of any file: written and read back the same, and the same run.
RC_GTEST_PROP(OriginalProperty, AnyPartOfAPlanIsTheSameWhenReadBack, ()) {
  static const std::vector<std::pair<std::string, Scenario>> files = [] {
    std::vector<std::pair<std::string, Scenario>> all;
    for (const char* name : {"search/transactions.lua", "patterns/outbox-relay.lua", "patterns/saga.lua", "museum/kafka/t06-a-late-marker.lua", "museum/kafka/c20-the-answer-before-the-question.lua"})
      if (const std::string text = library_file(name); !text.empty()) all.emplace_back(name, load(text, name));
    all.emplace_back("small", load(small));
    return all;
  }();
  const auto& [name, whole] = files[*rc::gen::inRange<std::size_t>(0, files.size())];
  const Model& model = *all_models().find(whole.model);
  const ScenarioCase* c = whole.cases.empty() ? nullptr : &whole.cases[*rc::gen::inRange<std::size_t>(0, whole.cases.size())];
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
  Scenario s = one_run(whole, model, c, {.seed = seed});
  const auto thin = [](auto& list) {
    for (std::size_t i = list.size(); i-- > 0;)
      if (*rc::gen::inRange(0, 3) == 0) list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
  };
  thin(s.faults);
  thin(s.deployment.clients);
  thin(s.expect);
  s.run_for = *rc::gen::inRange<Duration>(1, 5) * 500'000'000;
  s.drain.limit = 20'000'000'000;
  s.lesson = *rc::gen::element<std::string>("", "One.\n\nTwo.", "--[[ ");
  const std::string printed = print(s);
  const Scenario again = load(printed, "plan.lua");
  RC_ASSERT(print(again) == printed);
  const auto shown = [&](const Scenario& one) -> std::string {
    try {
      const RunResult r = run_scenario(one, model, nullptr, {.seed = seed});
      return r.fingerprint.text();
    } catch (const InputError& error) {
      return error.message.substr(error.message.find(": ") + 1);  // without its line
    }
  };
  RC_ASSERT(shown(again) == shown(s));
}

}  // namespace
}  // namespace mqlab
