-- One message can't be worked on, now or ever. What becomes of those behind it?
--
-- The work on P1-7 always fails: its text is broken, say. A position only goes forward, so K1 has three choices. It can
-- try for ever: nothing is skipped, nothing behind P1-7 is ever done, and for the broker all is well. It can go on
-- without it: the group's position passes a message that nobody has worked on, which is the same as losing it. Or,
-- after three attempts, it sends the message to a dead-letter topic, waits until that is confirmed, and goes on: P1-7
-- is kept where somebody may look at it.
--
-- Built in: `consumer "K1" { attempts = 3, on_failure = "dead_letter", dead_letter_topic = "failed" }`;
-- in one-loop.lua too.
-- Source: Kafka leaves this to the application; Connect has a dead-letter topic of its own (KIP-298).

local function fails(o, m)
  for _, body in ipairs(o.poison) do
    if m.body == body then return true end
  end
  return false
end

local function work_on(c, o, m)
  local tries = 0
  while true do
    c:sleep(o.work)
    if not fails(o, m) then
      c:effect(o.effect, m)
      c:processed(m)
      return
    end
    c:failed(m)
    tries = tries + 1
    if o.on_failure ~= "block" and tries >= o.attempts then
      if o.on_failure == "dead_letter" then
        while not c:send(o.dead_letter_topic, { key = m.key, body = m.body }).ok do c:sleep(o.attempt_backoff) end
      end
      return
    end
    c:sleep(o.attempt_backoff)
  end
end

local function consumer_loop(c)
  local o = c.options
  c:subscribe(o.topics)
  while true do
    for _, m in ipairs(c:poll(o.poll_timeout)) do
      work_on(c, o, m)
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "A message that always fails",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 }, failed = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(100), start_at = seconds(5) },
    client "K1" {
      topics = { "orders" }, group = "mailers", auto_offset_reset = "earliest", commit = "each", work = ms(20), effect = "mail",
      poison = { "P1-7" }, attempts = 3, attempt_backoff = seconds(1), dead_letter_topic = "failed",
      program = consumer_loop,
    },
  },
  run_for = seconds(60),
  expect = { holds "effect-duplicate" },
  cases = {
    case "try for ever" {
      why = "Thirteen messages wait behind one.",
      set = { on_failure = "block" },
      expect = { violates "head-of-line-stall", violates "effect-lost", holds "commit-ahead-of-processing" },
    },
    case "go on without it" {
      why = "The position passes what nobody has done.",
      set = { on_failure = "skip" },
      expect = { violates "commit-ahead-of-processing", violates "effect-lost", holds "head-of-line-stall" },
    },
    case "to a dead-letter topic, after three attempts" {
      why = "The others go on, and the message is kept.",
      set = { on_failure = "dead_letter" },
      expect = { holds "head-of-line-stall", holds "commit-ahead-of-processing", holds "effect-lost" },
    },
  },
}
