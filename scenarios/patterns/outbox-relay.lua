-- A relay sends the rows of an outbox and marks them. It dies in between: which way round, and who pays?
--
-- Send, then mark: the row is sent again after the restart, so an event comes twice. Mark, then send: the row is marked and
-- never sent. No order of the two is right by itself: the first one repeats, the second one loses. So a relay sends first, and
-- whoever gets the events remembers what it has done (an inbox: the event's id, inserted by the transaction that does the work).
--
-- Source: microservices.io, "Transactional outbox": "the message relay might publish a message more than once"; X05.

local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(100))
  end
end

local function shop(c)
  local db = c:database("shop")
  c:subscribe("requests")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      transaction(c, db, function(t)
        if t:insert("orders", m.body, {}).error ~= "DUPLICATE_KEY" then t:insert("outbox", { body = m.body, sent = false }) end
      end)
      c:commit(m.place, m.position + 1)
    end
  end
end

local function relay(c)
  local db = c:database("shop")
  local function mark(row) transaction(c, db, function(t) t:update("outbox", row.key, { sent = true }) end) end
  local function send(row)
    while not c:send("events", { body = row.body }).ok do c:sleep(ms(100)) end
  end
  while true do
    local rows = transaction(c, db, function(t) return t:scan("outbox", { where = { sent = false }, limit = 10 }).rows end)
    for _, row in ipairs(rows) do
      if c.options.way == "mark, then send" then
        mark(row)
        send(row)
      else
        send(row)
        mark(row)
      end
    end
    if #rows == 0 then c:sleep(ms(200)) end
  end
end

local function mailer(c)
  local db = c:database("mails")
  c:subscribe("events")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      transaction(c, db, function(t)
        if c.options.inbox and t:insert("inbox", m.body, {}).error == "DUPLICATE_KEY" then return end
        t:effect("mail", m)
      end)
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "The relay of an outbox dies",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { requests = { partitions = 1, replicas = 1 }, events = { partitions = 1, replicas = 1 } },
  services = { database "shop" { tables = { "orders", "outbox" } }, database "mails" { tables = { "inbox" } } },
  knobs = { way = "send, then mark", inbox = true },
  clients = {
    producer "P1" { topic = "requests", records = 60, every = ms(80), start_at = seconds(4) },
    client "shop1" { group = "shop", auto_offset_reset = "earliest", session_timeout = seconds(6), program = shop },
    client "relay" { program = relay },
    client "mailer" { group = "mailers", auto_offset_reset = "earliest", session_timeout = seconds(6), program = mailer },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(12), 3, kill "relay" { duration = ms(500) }, power "shop" { duration = ms(300) }, isolate "relay" { duration = seconds(12) }),
  },
  run_for = seconds(60),
  cases = {
    case "send, then mark" {
      why = "It dies in between, and sends the row again.",
      set = { inbox = false },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "mark, then send" {
      why = "It dies in between, and nobody looks at the row again.",
      set = { way = "mark, then send" },
      expect = { finds "effect-lost" },
    },
    case "send, then mark, and an inbox" {
      why = "Who gets it twice does it once.",
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
