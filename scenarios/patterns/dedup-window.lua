-- A consumer remembers what it has done, and forgets it after a while. How long is long enough?
--
-- The memory would grow for ever, so a row older than `ttl` counts no more, and may be deleted. That is right as long as no message can come again
-- later than that: the time between the first and the last delivery is bounded by how long a consumer may be away between its
-- work and its commit, plus retention, plus whoever replays. Here K1 dies somewhere, and stays away for a second or for
-- five minutes. Ten seconds of memory are too few; an hour is enough for what can happen here.
--
-- Source: X09, a window shorter than the replay; NServiceBus keeps seven days (docs.particular.net/nservicebus/outbox).

local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(100))
  end
end

local function consumer(c)
  local db = c:database("bank")
  c:subscribe("payments")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      transaction(c, db, function(t)
        local seen = t:get("seen", m.body).row
        if seen and seen.at > c:wall() - c.options.ttl then return end
        t:put("seen", m.body, { at = c:wall() })
        t:effect("credit", m)
      end)
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "How long a consumer must remember",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { payments = { partitions = 1, replicas = 1 } },
  services = { database "bank" { tables = { "seen" } } },
  knobs = { ttl = hours(1) },
  clients = {
    producer "P1" { topic = "payments", records = 60, every = ms(80), start_at = seconds(4) },
    client "K1" { group = "bank", auto_offset_reset = "earliest", session_timeout = seconds(6), program = consumer },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(11), 2, kill "K1" { duration = seconds(1) }, kill "K1" { duration = minutes(5) }),
  },
  run_for = minutes(12),
  cases = {
    case "ten seconds" {
      why = "Who was away for longer does it again.",
      set = { ttl = seconds(10) },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "an hour" {
      why = "Longer than anything that can come between the work and the commit.",
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
