-- The work on a message takes long. May a consumer take the message now, and work later?
--
-- If it commits the position first and keeps the message in memory, a crash loses what was not yet done. If it stores the
-- message in a table of its own before it commits, an inbox, the work can wait, be tried again, be spread; and the broker's
-- limits on the time between two polls matter no more. But the message may be delivered again before the commit: stored under
-- a number of the table's own it is there twice, stored under its own id it is there once. The worker marks a row as done in
-- the transaction that does the work.
--
-- Source: Chris Richardson and others, "Inbox"; NServiceBus and MassTransit have one built in.

local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(100))
  end
end

local function receiver(c)
  local db, way, waiting = c:database("bank"), c.options.way, {}
  c:subscribe("payments")
  while true do
    for _, m in ipairs(c:poll(ms(#waiting > 0 and 0 or 500))) do
      if way == "memory" then
        waiting[#waiting + 1] = m
      else
        transaction(c, db, function(t)
          if way == "numbered" then t:insert("inbox", { body = m.body, done = false }) else t:insert("inbox", m.body, { body = m.body, done = false }) end
        end)
      end
      c:commit(m.place, m.position + 1)
    end
    local m = table.remove(waiting, 1)
    if m then
      c:sleep(ms(60))
      transaction(c, db, function(t) t:effect("credit", m) end)
    end
  end
end

local function worker(c)
  local db = c:database("bank")
  while true do
    local row = (transaction(c, db, function(t) return t:scan("inbox", { where = { done = false }, order = "sequence", limit = 1 }).rows end))[1]
    if row then
      c:sleep(ms(60))
      transaction(c, db, function(t)
        local now = t:get("inbox", row.key).row
        if now and not now.done then
          t:effect("credit", row.body)
          t:update("inbox", row.key, { done = true })
        end
      end)
    else
      c:sleep(ms(200))
    end
  end
end

return scenario {
  title = "Take the message now, work later",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { payments = { partitions = 1, replicas = 1 } },
  services = { database "bank" { tables = { "inbox" } } },
  knobs = { way = "by id" },
  clients = {
    producer "P1" { topic = "payments", records = 50, every = ms(80), start_at = seconds(4) },
    client "K1" { group = "bank", auto_offset_reset = "earliest", session_timeout = seconds(6), program = receiver },
    client "W1" { program = worker },
    client "W2" { program = worker },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(12), 3, kill "K1" { duration = ms(500) }, kill "W1" { duration = ms(500) }, power "bank" { duration = ms(300) }),
  },
  run_for = seconds(40),
  cases = {
    case "in memory" {
      why = "Committed and not done: gone with the process.",
      set = { way = "memory" },
      expect = { finds "effect-lost", holds "effect-duplicate" },
    },
    case "an inbox with numbers of its own" {
      why = "What comes twice is stored twice.",
      set = { way = "numbered" },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "an inbox by the message's id" {
      why = "Stored before it is committed, and once.",
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
