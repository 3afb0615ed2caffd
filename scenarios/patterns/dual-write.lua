-- A row in the database and a message to others: how do both happen, or neither?
--
-- A shop takes requests from a topic, stores each as an order, and tells the mailer by an event. There is no transaction
-- over a database and a broker, so one of the two comes first, and the shop may die in between. Its request is delivered
-- again then, and what happens depends on what it does with an order that is there already.
--
-- Store, then send: the order is there, so the request looks done, and nobody hears of it. Send, then store: nothing is
-- stored, so all of it is done again, and the event is sent twice. An outbox makes one write of the two: the event is a row
-- of the order's transaction, and a relay sends what it finds there. It may send a row twice (outbox-relay.lua), so the mailer
-- remembers what it has done, in one transaction with doing it.
--
-- The shop, the relay, the mailer and the database die at times that the seed draws: --seeds 1..1000 is a search.
-- Source: microservices.io, "Transactional outbox"; the facts of dual writes, X04.

-- Tries until the transaction is committed. `work` says no more than what is in it: it may run often.
local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(100))
  end
end

local function send(c, topic, message)
  while not c:send(topic, message).ok do c:sleep(ms(100)) end
end

local function shop(c)
  local db, way = c:database("shop"), c.options.way
  c:subscribe("requests")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      local event = { key = m.key, body = m.body }
      if way == "send, then store" then send(c, "events", event) end
      local new = transaction(c, db, function(t)
        if t:insert("orders", m.body, {}).error == "DUPLICATE_KEY" then return false end
        if way == "outbox" then t:insert("outbox", { customer = m.key, body = m.body, sent = false }) end
        return true
      end)
      if way == "store, then send" and new then send(c, "events", event) end
      c:commit(m.place, m.position + 1)
    end
  end
end

local function relay(c)
  local db = c:database("shop")
  while true do
    local rows = transaction(c, db, function(t) return t:scan("outbox", { where = { sent = false }, limit = 10 }).rows end)
    for _, row in ipairs(rows) do
      send(c, "events", { key = row.customer, body = row.body })
      transaction(c, db, function(t) t:update("outbox", row.key, { sent = true }) end)
    end
    if #rows == 0 then c:sleep(ms(200)) end
  end
end

local function mailer(c)
  local db = c:database("shop")
  c:subscribe("events")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      transaction(c, db, function(t)
        if c.options.inbox and t:insert("mailed", m.body, {}).error == "DUPLICATE_KEY" then return end
        t:effect("mail", m)
      end)
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "A row and a message: both, or neither",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { requests = { partitions = 1, replicas = 1 }, events = { partitions = 1, replicas = 1 } },
  services = { database "shop" { tables = { "orders", "outbox", "mailed" } } },
  knobs = { way = "outbox", inbox = true },
  clients = {
    producer "P1" { topic = "requests", records = 80, every = ms(50), start_at = seconds(4), keys = 3 },
    client "shop1" { group = "shop", auto_offset_reset = "earliest", session_timeout = seconds(6), program = shop },
    client "relay" { program = relay },
    client "mailer" { group = "mailers", auto_offset_reset = "earliest", session_timeout = seconds(6), program = mailer },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(12), 3, kill "shop1" { duration = ms(500) }, kill "shop1" { duration = ms(900) }, kill "mailer" { duration = ms(500) }, power "shop" { duration = ms(300) }, kill "relay" { duration = ms(500) }),
  },
  run_for = seconds(40),
  cases = {
    case "store, then send" {
      why = "It dies in between, and the order that is there already looks done.",
      set = { way = "store, then send" },
      expect = { finds "effect-lost" },
    },
    case "send, then store" {
      why = "It dies in between, and sends the event again.",
      set = { way = "send, then store", inbox = false },
      expect = { finds "effect-duplicate" },
    },
    case "outbox and inbox" {
      why = "The event is a row of the order's transaction, and so is what the mailer remembers of its own.",
      expect = { holds "effect-lost", holds "effect-duplicate" },
    },
  },
}
