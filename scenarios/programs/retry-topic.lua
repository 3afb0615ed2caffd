-- What the work on a message needs is down for a while. Wait in place, or put the message aside and go on?
--
-- K1 mails the orders of three customers, in turn. From 5 s to 8 s the mails of P1-4 can't be sent; it is an order of
-- customer k1, whose next one is P1-7.
--
-- If K1 tries again in place, everybody behind P1-4 waits for three seconds, and every customer's mails come in order.
-- If K1 sends P1-4 to a retry topic and goes on, nobody waits; K2 takes it from there ten seconds later, when P1-7 and
-- those after it are long done: k1's mails are out of order. Where order matters, all later messages of the same key
-- have to go the same way, and someone must remember which keys those are.
--
-- K1 commits past P1-4 only when the retry topic has confirmed it: else a crash could lose it between the two.
-- Built in: `consumer "K1" { on_failure = "retry_topic", retry_topic = "retries" }`, `consumer "K2" { retry_delay = ... }`.
-- In one-loop.lua too.
-- Source: a pattern of applications; Kafka has no retry topics of its own. Order is per partition: Kafka documentation,
-- introduction.

local function fails(c, o, m)
  for _, body in ipairs(o.poison) do
    if m.body == body and c:now() < o.poison_until then return true end
  end
  return false
end

-- Works on a message until it is done, or is safe somewhere else.
local function work_on(c, o, m)
  local tries = 0
  while true do
    c:sleep(o.work)
    if not fails(c, o, m) then
      c:effect(o.effect, m)
      c:processed(m)
      return
    end
    c:failed(m)
    tries = tries + 1
    if o.on_failure == "retry_topic" and tries >= o.attempts then
      while not c:send(o.retry_topic, { key = m.key, body = m.body }).ok do c:sleep(o.attempt_backoff) end
      return
    end
    c:sleep(o.attempt_backoff)
  end
end

local function consumer_loop(c)
  local o = c.options
  c:subscribe(o.topics)
  while true do
    local batch = c:poll(o.poll_timeout)
    local due = c:now() + o.retry_delay
    if #batch > 0 then c:sleep(due - c:now()) end
    for _, m in ipairs(batch) do
      work_on(c, o, m)
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "A message that is tried again later",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 }, retries = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 30, every = ms(100), start_at = seconds(5), keys = 3 },
    client "K1" {
      topics = { "orders" }, group = "mailers", auto_offset_reset = "earliest", commit = "each", work = ms(10), effect = "mail",
      poison = { "P1-4" }, poison_until = seconds(8), attempts = 3, attempt_backoff = ms(100), retry_topic = "retries",
      program = consumer_loop,
    },
    client "K2" {
      topics = { "retries" }, group = "mailers", auto_offset_reset = "earliest", commit = "each", work = ms(10), effect = "mail",
      retry_delay = seconds(10), program = consumer_loop,
    },
  },
  run_for = seconds(60),
  expect = { holds "effect-lost", holds "effect-duplicate" },
  cases = {
    case "in place" {
      why = "All wait, and all stays in order.",
      set = { ["K1.on_failure"] = "block" },
      expect = { holds "key-order-violation" },
    },
    case "in a retry topic" {
      why = "Nobody waits, and later messages of the same key overtake.",
      set = { ["K1.on_failure"] = "retry_topic" },
      expect = { violates "key-order-violation" },
    },
  },
}
