// What a scenario may do, what it is told, and that nothing it tries harms the lab.
#include "sim/script/sandbox.h"

#include <gtest/gtest.h>
#include <locale.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <vector>

#include "sim/script/border.h"
#include "sim/script/ordered.h"

namespace mqlab::script {
namespace {

// What a script printed, a line per print.
std::string printed(const std::string& text, Limits limits = {}) {
  Sandbox box(limits);
  std::string out;
  box.on_print([&out](std::string_view line) { out += std::string(line) + "\n"; });
  box.run(text, "test.lua");
  return out;
}

std::optional<ScriptError> failure(const std::string& text, Limits limits = {}) {
  Sandbox box(limits);
  try {
    box.run(text, "test.lua");
    return std::nullopt;
  } catch (const ScriptError& error) {
    EXPECT_EQ(lua_gettop(box.state()), 0) << "the stack is left as it was";
    return error;
  }
}

std::string what(const std::string& text, Limits limits = {}) {
  const auto error = failure(text, limits);
  return error ? error->what() : "no error";
}

ScriptError::Kind kind(const std::string& text, Limits limits = {}) {
  const auto error = failure(text, limits);
  EXPECT_TRUE(error) << text;
  return error ? error->kind : ScriptError::Kind::syntax;
}

constexpr auto steps = ScriptError::Kind::steps;
constexpr auto memory = ScriptError::Kind::memory;

// ---- order

TEST(Order, PairsGoesByKind) {
  EXPECT_EQ(printed(R"(
    local t = {[2.5]=1, [-1]=1, b=1, a=1, ab=1, [true]=1, [false]=1, [1]=1, [-0.5]=1, [math.huge]=1, [""]=1}
    local keys = {}
    for k in pairs(t) do keys[#keys + 1] = tostring(k) end
    print(table.concat(keys, " "))
  )"), "-1 1 -0.5 2.5 inf  a ab b false true\n");
}

TEST(Order, NextAgreesWithPairs) {
  EXPECT_EQ(printed(R"(
    local t = {[2.5]=1, [-1]=1, b=1, a=1, [true]=1, [1]=1}
    local k, v = next(t)
    while k ~= nil do print(k, v); t[k] = nil; k, v = next(t, k) end
    print(next(t), next({}))
    print(next({10, 20}, 1.0))
  )"), "-1\t1\n1\t1\n2.5\t1\na\t1\nb\t1\ntrue\t1\nnil\tnil\n2\t20\n");
}

TEST(Order, FieldsMayChangeOnTheWay) {
  EXPECT_EQ(printed(R"(
    local t = {a=1, b=2, c=3, d=4}
    for k, v in pairs(t) do
      t[k] = v * 10
      if k == "a" then t.c = nil end
      t["new" .. k] = 1
    end
    print(t.a, t.b, t.c, t.d, t.newd, t.newc)
  )"), "10\t20\tnil\t40\t1\tnil\n");
}

TEST(Order, ObjectsAsKeysNeedANumber) {
  EXPECT_EQ(what("local t = {[{}] = 1, [{}] = 2}\nfor k in pairs(t) do end").substr(0, 55),
            "test.lua:2: this table has several keys of type table: ");
  EXPECT_EQ(what("local t = {[{}] = 1, [{}] = 2}\nnext(t)").substr(0, 11), "test.lua:2:");
  EXPECT_EQ(printed("local one = {} for k, v in pairs({[one] = 5, x = 6}) do print(k == one, v) end"), "false\t6\ntrue\t5\n");
  // tostring gives numbers in the order of the program, so the order is known.
  EXPECT_EQ(printed(R"(
    local second, first = {}, {}
    tostring(first) tostring(second)
    for k, v in pairs({[second] = "second", [first] = "first"}) do print(v) end
  )"), "first\nsecond\n");
}

TEST(Order, PairsMetamethod) {
  EXPECT_EQ(printed(R"(
    local t = setmetatable({}, {__pairs = function(t) return function(_, k) k = (k or 0) + 1 if k < 3 then return k, k * k end end, t, nil end})
    for k, v in pairs(t) do print(k, v) end
  )"), "1\t1\n2\t4\n");
  EXPECT_EQ(what("pairs(nil)"), "test.lua:1: bad argument #1 to `pairs`: a table is expected, got nil");
}

// Each state has its own hash seed (address of the state, time), so two states show what two processes would.
TEST(Order, TwoStatesPrintTheSame) {
  const std::string script = R"(
    local t = {}
    for i = 1, 500 do t["key" .. (i * 7919 % 1000)] = i end
    for i = 1, 500, 3 do t["key" .. i] = nil end
    for k, v in pairs(t) do print(k, v) end
    print(t, print, coroutine.create(print), string.format("%p %s", t, {}), #"x")
    for i = 1, 20 do print(math.random(), math.random(10), math.random(-5, 5), math.random(0)) end
    print(pcall(function() return nil + {} end))
  )";
  const std::string first = printed(script);
  std::vector<std::unique_ptr<int[]>> elsewhere;
  for (int i = 0; i < 20; ++i) {
    elsewhere.push_back(std::make_unique<int[]>(1000 + static_cast<std::size_t>(i)));
    EXPECT_EQ(printed(script), first);
  }
  EXPECT_EQ(first.find("0x"), std::string::npos);
}

TEST(Order, CppReadsTablesInOrder) {
  Sandbox box;
  std::string keys;
  box.run("words = {z = 1, a = 2, [3] = 3}", "test.lua");
  box.protect([&keys](lua_State* L) {
    lua_getglobal(L, "words");
    const lua_Integer n = sorted_keys(L, -1);
    for (lua_Integer i = 1; i <= n; ++i) {
      lua_rawgeti(L, -1, i);
      keys.append(lua_tostring(L, -1)).append(" ");
      lua_pop(L, 1);
    }
  });
  EXPECT_EQ(keys, "3 a z ");
}

// ---- what is gone, and what is said about it

TEST(Names, WhatReachesTheMachineIsGone) {
  for (const char* name : {"io", "os", "package", "require", "debug", "load", "loadstring", "loadfile", "dofile",
                           "collectgarbage", "warn", "string.dump", "math.randomseed", "math.sin", "math.log"}) {
    const auto error = failure(std::string("\nlocal x = ") + name);
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->line, 2);
    EXPECT_NE(error->message.find(std::string("`") + name + "` is not available: "), std::string::npos) << error->what();
  }
}

TEST(Names, TyposAreNamed) {
  EXPECT_EQ(what("prnit(1)"), "test.lua:1: `prnit` is not defined; did you mean `print`?");
  EXPECT_EQ(what("print(string.fromat('x'))"), "test.lua:1: `string.fromat` is not defined; did you mean `format`?");
  EXPECT_EQ(what("local s = ('x'):uper()"), "test.lua:1: `string.uper` is not defined; did you mean `upper`?");
  EXPECT_EQ(printed("print(rawget(_G, 'nothing'))  x = 1 print(x)"), "nil\n1\n");
}

TEST(Names, CollectionCannotBeSeen) {
  for (const char* script : {"setmetatable({}, {__gc = print})", "setmetatable({}, {__mode = 'k'})",
                             "local m = {} setmetatable({}, m) rawset(m, '__mode', 'k')"}) {
    EXPECT_NE(what(script).find("is not available: when memory"), std::string::npos) << script;
  }
  EXPECT_EQ(printed("local t = setmetatable({}, {__index = {x = 1}}) print(t.x, getmetatable(_G), getmetatable(''))"),
            "1\tfalse\tfalse\n");
  EXPECT_NE(what("setmetatable(_G, {})").find("protected"), std::string::npos);
}

TEST(Names, NothingShowsAnAddress) {
  EXPECT_EQ(printed(R"(
    local t, f = {}, function() end
    print(t, f, t)
    print(string.format("%s %p %5s|%p|%%p", t, t, {}, 1))
    print(setmetatable({}, {__name = "Broker"}), setmetatable({}, {__tostring = function() return "mine" end}))
    print(select(2, pcall(error, t)) == t, 0/0, -(0/0), string.format("%.1f", 0/0))
  )"), "table: #1\tfunction: #2\ttable: #1\ntable: #1 #1 table: #3|(null)|%p\nBroker: #4\tmine\ntrue\tnan\tnan\tnan\n");
}

TEST(Names, BytecodeIsRefused) {
  EXPECT_NE(what("\x1bLua").find("binary"), std::string::npos);
}

// ---- the libraries still do their work

TEST(Libraries, Tables) {
  EXPECT_EQ(printed(R"(
    local t = {3, 1, 2}
    table.sort(t) print(table.concat(t, ","))
    table.sort(t, function(a, b) return a > b end) print(table.concat(t, ","))
    table.insert(t, 9) table.insert(t, 1, 0) print(table.concat(t, ","), table.remove(t), table.remove(t, 1), #t)
    print(table.unpack({1, 2, 3}, 2), table.pack(1, nil, 3).n, select("#", table.unpack({}, 1, 3)))
    print(table.concat(table.move({1, 2, 3}, 2, 3, 1), ","), table.concat(table.move({1, 2, 3}, 1, 2, 2), ","))
    table.sort(t, function() return true end) print(#t)
    local people = {}
    for i = 1, 100 do people[i] = {age = i % 3, name = i} end
    table.sort(people, function(a, b) return a.age < b.age end)
    print(people[1].name, people[2].name, people[100].name)
  )"), "1,2,3\n3,2,1\n0,3,2,1,9\t9\t0\t3\n2\t3\t3\n2,3,3\t1,1,2\n3\n3\t6\t98\n");
}

// Stock Lua says what the right answer is; the alphabet is small so that patterns often match.
std::string in_stock_lua(const std::string& text) {
  lua_State* L = luaL_newstate();
  luaL_openlibs(L);
  std::string out = luaL_dostring(L, text.c_str()) == LUA_OK ? "" : "error";
  if (out.empty() && lua_isstring(L, -1)) out = lua_tostring(L, -1);
  lua_close(L);
  return out;
}

std::string in_sandbox(const std::string& text) {
  Sandbox box;
  try {
    box.run(text, "test.lua", 1);
  } catch (const ScriptError&) {
    return "error";
  }
  return lua_isstring(box.state(), -1) ? lua_tostring(box.state(), -1) : "";
}

std::string soup(const std::vector<std::string>& tokens, const std::string& between) {
  const auto picks = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, tokens.size()));
  std::string text;
  for (const std::size_t pick : picks) text += tokens[pick] + between;
  return text;
}

RC_GTEST_PROP(LibrariesProperty, PatternsAreStockLuas, ()) {
  const std::string subject = soup({"a", "b", "A", "1", " ", "(", ")", "]", "%", "^", "-"}, "");
  const std::string pattern = soup({"a", "b", ".", "%a", "%d", "%A", "*", "+", "-", "?", "(", ")", "()", "[", "]", "[^", "^",
                                    "$", "%b()", "%f[%a]", "%1", "a-b", "%%", "[a-b]", "[%w_]", "%", "%s", "%p", "%u"}, "");
  const std::string script = R"==(
    local function text(...)
      local n, all = select("#", ...), {...}
      for i = 1, n do all[i] = tostring(all[i]) end
      return table.concat(all, ",")
    end
    local s, p = [==[)==" + subject + "]==], [==[" + pattern + R"==(]==]
    local out = {text(select(1, pcall(string.find, s, p)) and s:find(p)), text(pcall(string.match, s, p) and s:match(p))}
    out[#out + 1] = text(s:gsub(p, "<%0>"))
    out[#out + 1] = text(s:gsub(p, function(...) return "{" .. text(...) .. "}" end, 3))
    for a, b in s:gmatch(p) do out[#out + 1] = text(a, b) end
    out[#out + 1] = text(s:find(p, 2)) .. text(s:match(p, -2)) .. text(s:find(p, 2, true))
    return table.concat(out, ";")
  )==";
  const std::string expected = in_stock_lua(script);
  RC_TAG(expected == "error" ? "malformed" : "well-formed");
  RC_ASSERT(in_sandbox(script) == expected);
}

RC_GTEST_PROP(LibrariesProperty, SortAndSlicesAreStockLuas, (const std::vector<int>& values, int i, int j)) {
  std::string list;
  for (const int value : values) list += std::to_string(value) + ",";
  const std::string from = std::to_string(i % 12);
  const std::string to = std::to_string(j % 12);
  const std::string script = "local t = {" + list + "} table.sort(t) local s = table.concat(t, ' ')" +
      " return s .. '|' .. table.concat({s:byte(" + from + "," + to + ")}, ' ') .. '|' .. table.concat({table.unpack(t," +
      from + "," + to + ")}, ' ') .. ('ab'):rep(" + from + ", '-') .. select('#', ('xyz'):byte(" + from + "))" +
      " .. tostring(pcall(table.insert, t, " + from + ", 1)) .. tostring(pcall(table.remove, t, " + to + ")) .. #t";
  RC_ASSERT(in_sandbox(script) == in_stock_lua(script));
}

TEST(Libraries, RandomKeepsLuasContract) {
  EXPECT_EQ(printed(R"(
    for i = 1, 1000 do
      local f, d, r = math.random(), math.random(6), math.random(-3, 3)
      assert(f >= 0 and f < 1 and math.type(f) == "float")
      assert(d >= 1 and d <= 6 and r >= -3 and r <= 3)
    end
    assert(math.type(math.random(0)) == "integer")
    print(math.random(5, 5), math.random(math.mininteger, math.maxinteger) ~= nil)
    print(pcall(math.random, 0, -1), pcall(math.random, 1, 2, 3))
  )").substr(0, 14), "5\ttrue\nfalse\tf");
  Sandbox box;
  box.on_draw([] { return ~std::uint64_t{0}; });
  box.run("return math.random(6), math.random() < 1", "test.lua", 2);
  EXPECT_EQ(lua_tointeger(box.state(), -2), 6);
  EXPECT_TRUE(lua_toboolean(box.state(), -1));
}

TEST(Libraries, LocaleDoesNotMatter) {
  const char* before = setlocale(LC_ALL, nullptr);
  const std::string saved = before ? before : "C";
  // Where a machine has none of these, the test only shows that nothing breaks.
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "C.UTF-8"}) {
    if (setlocale(LC_ALL, name)) break;
  }
  EXPECT_EQ(printed("print(1.5, string.format('%.2f', 2.5), tonumber('1.5'), 'B' < 'a', ('\\xE4'):upper() == '\\xE4')"),
            "1.5\t2.50\t1.5\ttrue\ttrue\n");
  setlocale(LC_ALL, saved.c_str());
}

// ---- errors name the place

TEST(Errors, NameFileAndLine) {
  EXPECT_EQ(what("local x = {}\nlocal y = x.a.b\n"), "test.lua:2: attempt to index a nil value (field 'a')");
  EXPECT_EQ(what("x = = 2"), "test.lua:1: unexpected symbol near '='");
  EXPECT_EQ(failure("x = = 2")->kind, ScriptError::Kind::syntax);
  EXPECT_EQ(what("\n\nerror('boom')"), "test.lua:3: boom");
  EXPECT_EQ(what("\nerror('boom', 0)"), "test.lua:2: boom");
  EXPECT_EQ(what("\nerror({})"), "test.lua:2: (the error is a table value)");
  EXPECT_EQ(what("\nerror()"), "test.lua:2: (the error is a nil value)");
  EXPECT_EQ(what("error(setmetatable({}, {__tostring = function() while true do end end}))"),
            "test.lua:1: (the error is a table value)");
  EXPECT_EQ(what("local function f() error('blame the caller', 2) end\n\nf()"), "test.lua:3: blame the caller");
  EXPECT_EQ(what("\nlocal f = coroutine.wrap(function()\n error('inside') end)\nf()"), "test.lua:3: inside");
  EXPECT_EQ(what("\n('x'):rep({})"), "test.lua:2: bad argument #1 to 'rep' (number expected, got table)");
  EXPECT_NE(failure("local function inner() error('x') end\nlocal function outer() inner() end\nouter()")->traceback.find(
                "test.lua:3"), std::string::npos);
  const std::string deep = "\n\nlocal x = " + std::string(300, '(') + "1" + std::string(300, ')');
  EXPECT_EQ(what(deep), "test.lua:3: C stack overflow");
}

TEST(Errors, LongAndOddFileNames) {
  for (const std::string& name : {std::string(300, 'x') + "/very/long.lua", std::string("a:1: b.lua"), std::string("two\nlines"),
                                  std::string("")}) {
    Sandbox box;
    try {
      box.run("\nerror('boom')", name);
      ADD_FAILURE();
    } catch (const ScriptError& error) {
      EXPECT_EQ(error.file, name);
      EXPECT_EQ(error.line, 2);
      EXPECT_EQ(error.message, "boom");
    }
  }
}

TEST(Errors, FirstLineMayBeForTheShell) {
  EXPECT_EQ(what("#!/usr/bin/env mqlab\nerror('x')"), "test.lua:2: x");
  EXPECT_EQ(what("\xEF\xBB\xBF" "error('x')"), "test.lua:1: x");
}

// ---- budgets

TEST(Budget, EndlessLoopsEnd) {
  for (const char* script : {
           "\nwhile true do end", "\n::again:: goto again", "\nfor i = 1, math.huge do end", "\nrepeat until false",
           "\nlocal function f() return f() end f()", "\nwhile true do pcall(error) end",
           "\nwhile true do pcall(function() while true do end end) end",
           "\nxpcall(function() while true do end end, function() while true do end end)",
           "\nxpcall(function() while true do end end, function(m) return m end) while true do end",
           "\nxpcall(error, function() while true do end end)",
           "\ncoroutine.wrap(function() while true do end end)()",
           "\nwhile true do coroutine.resume(coroutine.create(function() while true do end end)) end",
           "\nwhile true do coroutine.wrap(function() end)() end",
           "\nlocal co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
           "\nlocal co = coroutine.create(function() pcall(function() while true do end end) end) coroutine.resume(co) print('no')",
           "\ndo local x <close> = setmetatable({}, {__close = function() while true do end end}) end",
           "\nlocal co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() while true do end end})"
           " while true do end end) coroutine.resume(co) coroutine.close(co)",
           "\nlocal co = coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() while true do end end})"
           " error('x') end) co()",
           "\ntable.sort({3, 2, 1}, function() while true do end end)",
           "\n('x'):gsub('x', function() while true do end end)",
           "\nlocal t = setmetatable({}, {__index = function() while true do end end}) local x = t.x",
           "\ntostring(setmetatable({}, {__tostring = function() while true do end end}))",
           "\nlocal t = setmetatable({}, {__len = function() return math.maxinteger end}) table.remove(t, 1)",
           "\nlocal t = setmetatable({}, {__len = function() return 1 << 60 end, __index = function() return 1 end}) table.concat(t)",
           "\ntable.move({}, 1, 1 << 50, 2)", "\ntable.sort(setmetatable({}, {__len = function() return 1 << 30 end}))",
           "\nfor i = 1, math.huge do print(i) end"}) {
    const auto error = failure(script, Limits{.steps = 300'000});
    ASSERT_TRUE(error) << script;
    EXPECT_EQ(error->kind, steps) << script << error->what();
    EXPECT_EQ(error->line, 2) << script << error->what();
  }
}

TEST(Budget, PatternsThatBacktrackEnd) {
  for (const char* script : {
           "(('a'):rep(50000)):find((('.-'):rep(50)) .. 'b')", "(('a'):rep(50000)):match(('a*'):rep(30) .. 'b')",
           "(('a'):rep(50000)):gsub(('a?'):rep(100) .. 'b', '')", "for x in (('a'):rep(50000)):gmatch('.-.-.-b') do end",
           "(('('):rep(100000)):find('%b()')", "(('a'):rep(100000)):find('(.-)%1b')",
           "(('x'):rep(1000000)):find('[' .. ('a'):rep(100000) .. ']')"}) {
    const auto error = failure(std::string("local t = ") + (*script == 'f' ? "1 " : "") + script, Limits{.steps = 3'000'000});
    ASSERT_TRUE(error) << script;
    EXPECT_EQ(error->kind, steps) << script << error->what();
    EXPECT_EQ(error->line, 1);
  }
  // A plain search is linear, however unlucky.
  EXPECT_FALSE(failure("local x = (('a'):rep(500000)):find(('a'):rep(200000) .. 'b', 1, true)"));
}

TEST(Budget, MemoryBombsEnd) {
  for (const char* script : {
           "\nlocal s = ('x'):rep(1e9)", "\nlocal s = ('x'):rep(1 << 62, 'y')", "\nlocal s = 'x' while true do s = s .. s end",
           "\nlocal t = {} for i = 1, math.huge do t[i] = {} end", "\nlocal t = {} for i = 1, math.huge do t['k' .. i] = i end",
           "\nlocal t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end",
           "\nlocal t = {} for i = 1, 1000 do t[i] = ('x'):rep(1000000) end table.concat(t)",
           "\nlocal s = ('x'):rep(1000000) local r = s:gsub('x', s)", "\nlocal s = ('x'):rep(1000000) s:gsub('x', '%0%0')",
           "\nlocal s = string.pack('c1000000000', 'x')", "\nlocal s = ('x'):rep(1000000) local r = string.format(('%s'):rep(200), "
           "s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s)",
           "\nlocal t = {} while true do t[#t + 1] = coroutine.create(print) end",
           // One block that is refused, while there is room for all else: nobody may catch that.
           "\npcall(function() local s = ('x'):rep(1000000) s = s .. s end) error('caught')",
           "\ncoroutine.resume(coroutine.create(function() local s = ('x'):rep(1000000) s = s .. s end)) error('caught')",
           "\npcall(coroutine.wrap(function() local s = ('x'):rep(1000000) s = s .. s end)) error('caught')",
           "\npcall(table.concat, {('x'):rep(1000000), ('x'):rep(1000000)}) error('caught')",
           "\npcall(string.rep, 'x', 1e9) print('no')", "\nlocal ok = pcall(function() return ('x'):rep(1e9) end)",
           "\nlocal t = {} pcall(function() for i = 1, math.huge do t[i] = {} end end) t = nil while true do end",
           "\nxpcall(function() local t = {} for i = 1, math.huge do t[i] = {} end end, function() while true do end end)"}) {
    const auto error = failure(script, Limits{.memory_bytes = 16 << 20});
    ASSERT_TRUE(error) << script;
    EXPECT_EQ(error->kind, memory) << script << " " << error->what();
    EXPECT_EQ(error->line, 2) << script << " " << error->what();
  }
  EXPECT_EQ(what("local s = ('x'):rep(1e9)"), "test.lua:1: memory budget: a string may have at most 1048576 bytes");
}

// Work that the VM does within one instruction is paid for too.
TEST(Budget, DearInstructionsEnd) {
  for (const char* script : {
           "local s = ('x'):rep(500000) while true do local t = s .. 'y' end",
           "local a, b = ('x'):rep(1000000), ('x'):rep(999999) .. 'x' while true do local t = a == b end",
           "local t = {} for i = 1, 5000 do t[i] = i end for i = 1, math.huge do t[i] = nil t[i + 5000] = 1 end",
           "local function f(...) return f(1, ...) end f()",
           "local s = ('x'):rep(1000000) while true do s:upper() end",
           "local f = ('x'):rep(100000) while true do pcall(string.unpack, f, f) end",
           "while true do string.format('%99.99f', 1e300) end", "while true do local t = {} for i = 1, 100 do t[i] = {} end end"}) {
    EXPECT_EQ(kind(script, Limits{.steps = 2'000'000}), steps) << script;
  }
}

TEST(Budget, WorkInCCostsSteps) {
  const auto cost = [](const std::string& script) {
    Sandbox box;
    box.run(script, "test.lua");
    return box.steps_used();
  };
  EXPECT_GT(cost("local s = ('x'):rep(500000) for i = 1, 100 do local t = s .. 'y' end"), 1'000'000u);
  EXPECT_GT(cost("local s = ('x'):rep(16000) for i = 1, 300 do local t = s .. 'y' end"), 150'000u);  // no collection yet
  EXPECT_GT(cost("for i = 1, 1000 do coroutine.create(print) end"), 200'000u);
  EXPECT_GT(cost("local s = ('x'):rep(10000) for i = 1, 100 do s:upper() s:find('y') s:match('^.-y') end"), 1'000'000u);
  EXPECT_GT(cost("local t = {} for i = 1, 1000 do t[i] = i end for i = 1, 1000 do table.insert(t, 1, i) end"), 1'000'000u);
  EXPECT_LT(cost("for i = 1, 1000 do local s = 'a' .. i end"), 20'000u);  // and plain work doesn't
}

TEST(Budget, DeepRecursionEnds) {
  for (const char* script : {
           "\nlocal function f() return 1 + f() end f()", "\nlocal t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end local x = t.x",
           "\nlocal function f() return pcall(f) end local ok, e = f() error(e or 'deep')",
           "\nlocal function f() coroutine.wrap(f)() end f()",
           "\nlocal function f() ('x'):gsub('x', f) end f()", "\nlocal t = {} t = setmetatable(t, {__tostring = function(t) return tostring(t) end}) tostring(t)",
           "\nlocal function f() table.sort({1, 2}, f) end f()"}) {
    const auto error = failure(script);
    ASSERT_TRUE(error) << script;
    EXPECT_EQ(error->line, 2) << script << error->what();
  }
  EXPECT_NE(what("local function f() return 1 + f() end f()").find("test.lua:1: stack overflow"), std::string::npos);
}

// lua_resetthread does not count C calls: a chain of coroutines that close each other would fill the C stack.
TEST(Budget, ClosingWithinClosingEnds) {
  const auto error = failure(R"(
    local previous
    for i = 1, 20000 do
      local inner = previous
      local co = coroutine.create(function()
        local x <close> = setmetatable({}, {__close = function() if inner then assert(coroutine.close(inner)) end end})
        coroutine.yield()
      end)
      coroutine.resume(co)
      previous = co
    end
    assert(coroutine.close(previous))
  )");
  ASSERT_TRUE(error);
  EXPECT_NE(error->message.find("C stack overflow"), std::string::npos) << error->what();
}

TEST(Budget, ManyValuesEnd) {
  EXPECT_NE(what("table.unpack({}, 1, 1e7)").find("too many results to unpack"), std::string::npos);
  EXPECT_NE(what("table.unpack({}, math.mininteger, math.maxinteger)").find("too many results"), std::string::npos);
  EXPECT_NE(what("(('x'):rep(100000)):byte(1, -1)" + std::string(" = 1")).find("test.lua:1:"), std::string::npos);
  EXPECT_NE(what("local x = (('x'):rep(100000)):byte(1, -1)").find("slice too long"), std::string::npos);
  EXPECT_NE(what("local x = utf8.codepoint(('x'):rep(100000), 1, -1)").find("slice too long"), std::string::npos);
  EXPECT_EQ(printed("print(select('#', table.unpack({}, 1, 4096)))"), "4096\n");
}

TEST(Budget, IsStickyUntilRenewed) {
  Sandbox box(Limits{.steps = 10'000});
  EXPECT_THROW(box.run("while true do end", "a.lua"), ScriptError);
  try {
    box.run("local x = 1", "b.lua");
    ADD_FAILURE() << "a spent budget stays spent";
  } catch (const ScriptError& error) {
    EXPECT_EQ(error.file, "a.lua");
    EXPECT_EQ(error.kind, steps);
  }
  EXPECT_EQ(lua_gettop(box.state()), 0);
  box.set_step_budget(10'000);
  EXPECT_NO_THROW(box.run("for i = 1, 100 do end", "c.lua"));
  EXPECT_LT(box.steps_used(), 10'000u);
  EXPECT_THROW(box.run("while true do end", "d.lua"), ScriptError);
}

TEST(Budget, StepsDoNotDependOnTheState) {
  const std::string script = "local t = {} for i = 1, 20000 do t['k' .. i] = i end for k in pairs(t) do t[k] = nil end "
                             "for i = 1, 300 do coroutine.wrap(function() return ('x'):rep(i * 10):find('y') end)() end";
  std::uint64_t first = 0;
  for (int i = 0; i < 5; ++i) {
    Sandbox box;
    box.run(script, "test.lua");
    if (i == 0) first = box.steps_used();
    EXPECT_EQ(box.steps_used(), first);
  }
  EXPECT_GT(first, 20000u);
}

// ---- C++ at the border

int guarded(lua_State* L) {
  const std::string name = luaL_checkstring(L, 1);
  if (name == "kept") throw ScriptError("other.lua", 7, "wrong there");
  if (name == "std") throw std::runtime_error("from " + name);
  raise_argument(L, 1, "expected `%s`, got something else", "kept");
}

TEST(Border, ExceptionsBecomeLuaErrors) {
  Sandbox box;
  box.protect([](lua_State* L) { lua_register(L, "guarded", wrap<guarded>); });
  const auto message = [&box](const std::string& text) {
    try {
      box.run(text, "test.lua");
    } catch (const ScriptError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message("\nguarded('std')"), "test.lua:2: from std");
  EXPECT_EQ(message("\nguarded('kept')"), "other.lua:7: wrong there");
  EXPECT_EQ(message("\nguarded('x')"), "test.lua:2: bad argument #1 to `guarded`: expected `kept`, got something else");
  EXPECT_EQ(message("\nlocal ok, e = pcall(guarded, 'std') assert(not ok) error(e, 0)"), "test.lua:2: from std");
  EXPECT_THROW(box.protect([](lua_State*) { throw std::logic_error("mine"); }), std::logic_error);
  EXPECT_THROW(box.protect([](lua_State* L) { luaL_error(L, "lua"); }), ScriptError);
  EXPECT_EQ(lua_gettop(box.state()), 0);
}

TEST(Border, ThreadsAreResumedFromCpp) {
  Sandbox box;
  box.load("local a = ... local b = coroutine.yield(a + 1) \n error('after ' .. b)", "client.lua");
  lua_State* thread = box.new_thread();
  lua_pushvalue(box.state(), -2);
  lua_xmove(box.state(), thread, 1);
  lua_pushinteger(thread, 41);
  int results = 0;
  ASSERT_EQ(box.resume(thread, 1, results), Sandbox::Progress::yielded);
  EXPECT_EQ(lua_tointeger(thread, -1), 42);
  lua_pop(thread, results);
  lua_pushinteger(thread, 5);
  try {
    box.resume(thread, 1, results);
    ADD_FAILURE();
  } catch (const ScriptError& error) {
    EXPECT_STREQ(error.what(), "client.lua:2: after 5");
  }
}

TEST(Border, BudgetsHoldInThreadsFromCpp) {
  for (const char* script : {"while true do end", "local t = {} for i = 1, math.huge do t[i] = {} end"}) {
    Sandbox box(Limits{.steps = 5'000'000, .memory_bytes = 4 << 20});
    box.load(script, "client.lua");
    lua_State* thread = box.new_thread();
    lua_pushvalue(box.state(), -2);
    lua_xmove(box.state(), thread, 1);
    int results = 0;
    try {
      box.resume(thread, 0, results);
      ADD_FAILURE();
    } catch (const ScriptError& error) {
      EXPECT_EQ(error.line, 1);
      EXPECT_EQ(error.file, "client.lua");
      EXPECT_TRUE(error.kind == steps || error.kind == memory);
    }
    EXPECT_THROW(box.run("local x = 1", "b.lua"), ScriptError);
  }
}

TEST(Border, ASandboxMoves) {
  Sandbox a;
  a.run("x = 5", "a.lua");
  Sandbox b = std::move(a);
  b.run("x = x + 1 return x", "b.lua", 1);
  EXPECT_EQ(lua_tointeger(b.state(), -1), 6);
}

// ---- nothing at all breaks it

constexpr Limits small{.steps = 200'000, .memory_bytes = 4 << 20, .string_bytes = 1 << 16};

void survives(const std::string& text) {
  Sandbox box(small);
  try {
    box.run(text, "fuzz.lua");
  } catch (const ScriptError& error) {
    RC_ASSERT(error.file == "fuzz.lua");
  }
  RC_ASSERT(lua_gettop(box.state()) == 0);
  RC_ASSERT(box.memory_used() <= small.memory_bytes);
  // At most what the last C function or block cost is above the budget.
  box.set_step_budget(small.steps);
  box.run("assert(type(pairs) == 'function' or true)", "after.lua");
}

RC_GTEST_PROP(Fuzz, RandomBytes, (const std::string& text)) { survives(text); }

RC_GTEST_PROP(Fuzz, RandomTokens, ()) {
  survives(soup({"local", "x", "y", "f", "=", "function", "f(", ")", "(", "end", "do", "while", "true", "if", "then", "else",
                 "for", "i = 1, 9", "k, v in pairs(t)", "return", "{", "}", "[", "]", "..", "+", "#", "'a'", "1", "1e9", "nil",
                 "t", "t.x", "pcall", "coroutine.wrap", "coroutine.yield", "string.rep", "table.sort", "next", "tostring",
                 "error", ",", ";", "goto", "::l::", "setmetatable", "<close>", "...", "not", "==", "//", "^", "repeat", "until",
                 "print", "string.format", "('x')", ":gsub"}, " "));
}

// Statements that always compile, so that more than the parser is met.
RC_GTEST_PROP(Fuzz, RandomStatements, ()) {
  survives("local t, s, f, co = {}, 'x', nil, nil\n" +
           soup({"t[s] = t", "t[#t + 1] = s", "s = s .. s", "for k, v in pairs(t) do t[k] = nil end",
                 "f = function(...) return pcall(f, ...) end", "if f then pcall(f, 1, 2) end",
                 "co = coroutine.wrap(function() while true do coroutine.yield(s) end end)", "if co then co() end",
                 "t = setmetatable({t}, {__index = t, __call = f, __close = function() error(s) end})",
                 "do local c <close> = setmetatable({}, {__close = function() s = 'y' end}) end", "s = tostring(t)",
                 "xpcall(function() error(t) end, function(m) error(m) end)", "table.sort(t, function(a, b) return a == b end)",
                 "s = s:gsub('.', '%0%0')", "s = ('x'):rep(#s * 3)", "print(pcall(next, t, s))", "t = table.pack(s:byte(1, 50))",
                 "pcall(table.insert, t, 1, s)", "s = s:sub(1, 10)", "f = coroutine.wrap(coroutine.wrap)",
                 "pcall(coroutine.close, coroutine.create(function() end))", "for i = 1, #s do t[i] = i end",
                 "pcall(string.format, s, t, s, 1)", "pcall(string.find, s, s)", "goto done", "while #s < 100 do s = s .. 'z' end",
                 "pcall(error, setmetatable({}, {__tostring = function() error('again') end}))"}, "\n") +
           "\n::done::");
}

}  // namespace
}  // namespace mqlab::script
