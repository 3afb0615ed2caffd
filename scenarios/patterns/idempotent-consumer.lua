-- A message comes twice: the consumer died after its work and before its commit. How is it done once?
--
-- K1 and K2 credit accounts. Without a memory each delivery is one more credit. With a memory there are three ways to get it
-- wrong: look first and write later, in two transactions (the other consumer looks in between, when a group has moved the
-- place while the first still works); remember first, and die before the credit: lost; credit first, and die before it is
-- remembered: twice. Right is one transaction in which the message's id is inserted into a table where it can be only once,
-- and the credit is given.
--
-- Source: Enterprise Integration Patterns, "Idempotent Receiver"; microservices.io, "Idempotent consumer".

local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(100))
  end
end

local ways = {
  ["no memory"] = function(c, db, m)
    transaction(c, db, function(t) t:effect("credit", m) end)
  end,
  ["look, work, remember"] = function(c, db, m)
    local seen = transaction(c, db, function(t) return t:get("seen", m.body).row end)
    if seen then return end
    transaction(c, db, function(t) t:effect("credit", m) end)
    transaction(c, db, function(t) t:put("seen", m.body, {}) end)
  end,
  ["remember, work"] = function(c, db, m)
    local new = transaction(c, db, function(t) return t:insert("seen", m.body, {}).error ~= "DUPLICATE_KEY" end)
    if new then transaction(c, db, function(t) t:effect("credit", m) end) end
  end,
  ["in one transaction"] = function(c, db, m)
    transaction(c, db, function(t)
      if t:insert("seen", m.body, {}).error ~= "DUPLICATE_KEY" then t:effect("credit", m) end
    end)
  end,
}

local function consumer(c)
  local db, work = c:database("bank"), ways[c.options.way]
  c:subscribe("payments")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      work(c, db, m)
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "A message that comes twice, done once",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { payments = { partitions = 2, replicas = 1 } },
  services = { database "bank" { tables = { "seen" } } },
  knobs = { way = "in one transaction" },
  clients = {
    producer "P1" { topic = "payments", records = 60, every = ms(80), start_at = seconds(4) },
    client "K1" { group = "bank", auto_offset_reset = "earliest", session_timeout = seconds(6), program = consumer },
    client "K2" { group = "bank", auto_offset_reset = "earliest", session_timeout = seconds(6), program = consumer },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(12), 3, kill "K1" { duration = ms(500) }, kill "K2" { duration = ms(500) }, pause "K1" { duration = seconds(9) }, power "bank" { duration = ms(300) }),
  },
  run_for = seconds(40),
  cases = {
    case "no memory" {
      why = "Each delivery is one more credit.",
      set = { way = "no memory" },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "look, work, remember" {
      why = "It dies, or the other one looks, before it is remembered.",
      set = { way = "look, work, remember" },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "remember, work" {
      why = "It dies before the work, and the message looks done.",
      set = { way = "remember, work" },
      expect = { finds "effect-lost" },
    },
    case "in one transaction" {
      why = "The id can be there only once, and only with the credit.",
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
