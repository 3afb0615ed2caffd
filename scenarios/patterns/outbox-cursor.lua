-- A relay remembers the number of the last row that it has sent, and asks for those behind it. What does it skip?
--
-- Numbers are handed out when a row is inserted, and rows are seen when their transaction commits. Two shops write: one gets
-- number 7 and takes its time, the other gets 8 and commits. The relay sees 8, moves its cursor there, and will never ask for 7.
-- No crash is needed. A flag in the row (`sent`) finds what came late; so does reading the database's own log, where rows
-- stand in the order of their commits.
--
-- Source: event-driven.io, "How Postgres sequences issues can impact your messaging guarantees"; X06.

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
        if t:insert("orders", m.body, {}).error == "DUPLICATE_KEY" then return end
        t:insert("outbox", { body = m.body, sent = false })
        c:sleep(ms(c:random(100)))  -- what else belongs to the order
      end)
      c:commit(m.place, m.position + 1)
    end
  end
end

local function relay(c)
  local db = c:database("shop")
  local by_cursor = c.options.way == "cursor"
  while true do
    local rows = transaction(c, db, function(t)
      if not by_cursor then return t:scan("outbox", { where = { sent = false }, limit = 10 }).rows end
      local cursor = t:get("cursor", "relay").row
      return t:scan("outbox", { after = cursor and cursor.last or 0, limit = 10 }).rows
    end)
    for _, row in ipairs(rows) do
      while not c:send("events", { body = row.body }).ok do c:sleep(ms(100)) end
      transaction(c, db, function(t)
        if by_cursor then t:put("cursor", "relay", { last = row.key }) else t:update("outbox", row.key, { sent = true }) end
      end)
    end
    if #rows == 0 then c:sleep(ms(100)) end
  end
end

local function mailer(c)
  local db = c:database("mails")
  c:subscribe("events")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      transaction(c, db, function(t)
        if t:insert("inbox", m.body, {}).error ~= "DUPLICATE_KEY" then t:effect("mail", m) end
      end)
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "A cursor that skips what commits late",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { requests = { partitions = 2, replicas = 1 }, events = { partitions = 1, replicas = 1 } },
  services = { database "shop" { tables = { "orders", "outbox", "cursor" }, isolation = "read_committed" }, database "mails" { tables = { "inbox" } } },
  knobs = { way = "flag" },
  clients = {
    producer "P1" { topic = "requests", records = 60, every = ms(60), start_at = seconds(5), keys = 8 },
    client "shop1" { group = "shop", auto_offset_reset = "earliest", session_timeout = seconds(6), program = shop },
    client "shop2" { group = "shop", auto_offset_reset = "earliest", session_timeout = seconds(6), program = shop },
    client "relay" { program = relay },
    client "mailer" { group = "mailers", auto_offset_reset = "earliest", session_timeout = seconds(6), program = mailer },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(7), seconds(12), 2, kill "relay" { duration = ms(500) }, kill "shop1" { duration = ms(500) }, pause "shop2" { duration = ms(300) }),
  },
  run_for = seconds(40),
  cases = {
    case "a cursor" {
      why = "A lower number commits after the cursor has passed it.",
      set = { way = "cursor" },
      expect = { finds "effect-lost", holds "effect-duplicate" },
    },
    case "a flag in the row" {
      why = "What is not sent is found, whatever its number.",
      expect = { holds "effect-lost", holds "effect-duplicate" },
    },
  },
}
