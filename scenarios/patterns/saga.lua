-- A journey: pay, then book a room; if there is no room, the money goes back. What if the one who does all that dies?
--
-- No transaction spans a bank and a hotel, so each step is done by itself, and undone by a step of its own: a saga. Each order
-- is to be charged once, and to have one outcome: a room, or the money back. Without a record of how far it was, the next life
-- begins again, and charges again. With a record after each step, it dies between a step and its record, and does that step
-- again: the charge, the room, or the refund. With a record, and with steps that can be asked for twice (an idempotency key of
-- the order's own), each is done once.
--
-- Source: Garcia-Molina and Salem, "Sagas" (1987); Richardson, "Saga", orchestration.

local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(100))
  end
end

local function orchestrator(c)
  local db, bank, hotel = c:database("sagas"), c:outside("bank"), c:outside("hotel")
  local function ask(who, what, m, name)
    while true do
      local r = who:call(what, { message = m, idempotency_key = c.options.same_key and m.body .. " " .. name or nil })
      if r.ok or r.error == "DECLINED" then return r end
      c:sleep(ms(100))
    end
  end
  local function reached(m, step)
    if c.options.record then transaction(c, db, function(t) t:put("sagas", m.body, { step = step }) end) end
  end
  c:subscribe("journeys")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      local row = c.options.record and transaction(c, db, function(t) return t:get("sagas", m.body).row end)
      local step = row and row.step or "new"
      if step == "new" then
        ask(bank, "charge", m, "charge")
        step = "charged"
        reached(m, step)
      end
      if step == "charged" then
        step = ask(hotel, "outcome", m, "room").ok and "ended" or "no room"
        reached(m, step)
      end
      if step == "no room" then
        ask(bank, "outcome", m, "refund")
        reached(m, "ended")
      end
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "A saga whose orchestrator dies",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { journeys = { partitions = 1, replicas = 1 } },
  services = {
    database "sagas" { tables = { "sagas" } },
    outside "bank" { idempotency_keys = true },
    outside "hotel" { idempotency_keys = true, declines = 40 },
  },
  knobs = { record = true, same_key = true },
  clients = {
    producer "P1" { topic = "journeys", records = 60, every = ms(60), start_at = seconds(4) },
    client "orchestrator" { group = "sagas", auto_offset_reset = "earliest", session_timeout = seconds(6), program = orchestrator },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(12), 3, kill "orchestrator" { duration = ms(500) }, kill "orchestrator" { duration = ms(900) }, power "sagas" { duration = ms(300) }, power "bank" { duration = ms(300) }, kill "hotel" { duration = ms(300) }),
  },
  run_for = seconds(40),
  cases = {
    case "no record" {
      why = "The next life begins with the charge.",
      set = { record = false, same_key = false },
      expect = { finds "effect-duplicate" },
    },
    case "a record after each step" {
      why = "It dies between a step and its record.",
      set = { same_key = false },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "a record, and steps that can be asked for twice" {
      why = "The key says that it is the same charge, the same refund.",
      expect = { reaches "effect_declined", holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
