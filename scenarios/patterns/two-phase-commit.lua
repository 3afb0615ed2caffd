-- Money leaves one bank and comes to another: two databases. How do both happen, or neither?
--
-- One after the other: the teller dies in between, the debit looks like a transfer that is done, and the credit never comes.
-- Two phases: each bank prepares its part, which it can then no longer refuse, and the teller tells both to commit. A teller
-- that dies between the two phases leaves both in doubt, with their rows locked, until somebody decides. If the next teller
-- simply rolls back what it finds in doubt, it may roll back one half of a transfer whose other half was committed already.
-- So the decision itself is written down first, and whoever comes next reads it: committed if it is there, else rolled back.
--
-- Source: Gray, "Notes on Data Base Operating Systems" (1978); presumed abort: Mohan, Lindsay and Obermarck (1986);
-- PostgreSQL documentation, PREPARE TRANSACTION.

local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(100))
  end
end

-- Until it is decided: also when somebody did it before.
local function decide(c, db, id, commit)
  while true do
    local r
    if commit then r = db:commit_prepared(id) else r = db:rollback_prepared(id) end
    if r.ok or r.error == "UNKNOWN_ID" then return end
    c:sleep(ms(100))
  end
end

-- What an earlier life has left in doubt.
local function recover(c, a, b)
  for _, db in ipairs { a, b } do
    local r = db:prepared()
    while not r.ok do
      c:sleep(ms(100))
      r = db:prepared()
    end
    for _, id in ipairs(r.ids) do
      local decided = c.options.way == "decision" and transaction(c, a, function(t) return t:get("decisions", id).row end)
      decide(c, db, id, decided)
    end
  end
end

local function teller(c)
  local a, b, way = c:database("north"), c:database("south"), c.options.way
  local function in_two_phases(m)
    while true do
      local ta, tb = a:begin(), b:begin()
      if ta:insert("done", m.body, {}).error == "DUPLICATE_KEY" then
        ta:abort()
        return
      end
      ta:effect("debit", m)
      tb:insert("done", m.body, {})
      tb:effect("credit", m)
      if ta:prepare(m.body).ok and tb:prepare(m.body).ok then
        if way == "decision" then transaction(c, a, function(t) t:insert("decisions", m.body, {}) end) end
        decide(c, a, m.body, true)
        decide(c, b, m.body, true)
        return
      end
      recover(c, a, b)
      c:sleep(ms(100))
    end
  end
  local function one_after_the_other(m)
    local new = transaction(c, a, function(t)
      if t:insert("done", m.body, {}).error == "DUPLICATE_KEY" then return false end
      t:effect("debit", m)
      return true
    end)
    if new then transaction(c, b, function(t) t:effect("credit", m) end) end
  end

  if way ~= "one after the other" then recover(c, a, b) end
  c:subscribe("transfers")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      if way == "one after the other" then one_after_the_other(m) else in_two_phases(m) end
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "Two banks, one transfer",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { transfers = { partitions = 1, replicas = 1 } },
  services = { database "north" { tables = { "done", "decisions" } }, database "south" { tables = { "done" } } },
  knobs = { way = "decision" },
  clients = {
    producer "P1" { topic = "transfers", records = 60, every = ms(90), start_at = seconds(4) },
    client "teller" { group = "tellers", auto_offset_reset = "earliest", session_timeout = seconds(6), program = teller },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(12), 3, kill "teller" { duration = ms(500) }, power "north" { duration = ms(300) }, power "south" { duration = ms(300) }, kill "teller" { duration = ms(500) }),
  },
  run_for = seconds(40),
  cases = {
    case "one after the other" {
      why = "It dies in between, and the debit looks like the whole.",
      set = { way = "one after the other" },
      expect = { finds "effect-lost", holds "effect-duplicate" },
    },
    case "two phases, and nothing written down" {
      why = "Whoever comes next rolls back one half, and the other is committed.",
      set = { way = "no decision" },
      expect = { finds "effect-lost", holds "effect-duplicate" },
    },
    case "the decision is written down first" {
      why = "What is in doubt is decided as it was decided.",
      expect = { reaches "database_prepared", holds "effect-lost", holds "effect-duplicate" },
    },
  },
}
