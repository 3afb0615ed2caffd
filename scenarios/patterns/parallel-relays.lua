-- One relay tells a partner what is in the outbox, and is too slow, so there are two. What becomes of one customer's order?
--
-- Both take rows that nobody has claimed, in the order of the outbox. If one claims a customer's first row and the other the
-- second, whoever is faster comes first: the partner hears of the later one, and then of what it has replaced. If each relay
-- takes only its own customers (by a number in the row), each customer has one relay, and the order is that of the outbox
-- again; two relays for one half, after one was taken for dead, would bring the trouble back.
--
-- Source: X07, relays with SKIP LOCKED; Debezium's outbox router, which keys by aggregate.

local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(20 + c:random(80)))
  end
end

local function shop(c)
  local db = c:database("shop")
  c:subscribe("requests")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      transaction(c, db, function(t)
        if t:insert("orders", m.body, {}).error ~= "DUPLICATE_KEY" then
          t:insert("outbox", { body = m.body, customer = m.key, half = tonumber(m.key:sub(2)) % 2, state = "new" })
        end
      end)
      c:commit(m.place, m.position + 1)
    end
  end
end

-- A row belongs to whoever has claimed it. After a restart a relay finds its own.
local function relay(half)
  return function(c)
    local db, partner = c:database("shop"), c:outside("partner")
    local by_half = c.options.way == "by customer"
    local where = by_half and { half = half, state = "new" } or { state = "new" }
    while true do
      local row = transaction(c, db, function(t)
        local mine = (t:scan("outbox", { where = { state = c.name }, limit = 1 }).rows or {})[1]
        if mine then return mine end
        local new = (t:scan("outbox", { where = where, limit = 1 }).rows or {})[1]
        if new then t:update("outbox", new.key, { state = c.name }) end
        return new
      end)
      if row then
        c:sleep(ms(c:random(150)))  -- what becomes of a row before it can be told
        while not partner:call("tell", { message = row.body, key = row.customer, idempotency_key = row.body }).ok do c:sleep(ms(100)) end
        transaction(c, db, function(t) t:update("outbox", row.key, { state = "sent" }) end)
      else
        c:sleep(ms(100))
      end
    end
  end
end

return scenario {
  title = "Two relays, and one customer's order",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { requests = { partitions = 1, replicas = 1 } },
  services = { database "shop" { tables = { "orders", "outbox" } }, outside "partner" { idempotency_keys = true } },
  knobs = { way = "by customer" },
  clients = {
    producer "P1" { topic = "requests", records = 40, every = ms(40), start_at = seconds(5), keys = 2 },
    client "shop1" { group = "shop", auto_offset_reset = "earliest", session_timeout = seconds(6), program = shop },
    client "relay1" { program = relay(0) },
    client "relay2" { program = relay(1) },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(12), 2, kill "relay1" { duration = ms(500) }, pause "relay2" { duration = ms(200) }, kill "shop1" { duration = ms(500) }),
  },
  run_for = seconds(40),
  cases = {
    case "whoever comes first" {
      why = "Two rows of one customer lie with two relays.",
      set = { way = "any" },
      expect = { finds "stale-effect", holds "effect-lost", holds "effect-duplicate" },
    },
    case "each relay has its own customers" {
      why = "One customer's rows have one relay.",
      expect = { holds "stale-effect", holds "effect-lost", holds "effect-duplicate" },
    },
  },
}
