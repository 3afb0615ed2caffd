-- A card is charged by somebody else's service. The answer does not come. Was it charged?
--
-- Nobody here can know. To ask again may charge twice, not to ask again may charge never. The service can know, if the caller
-- says which charge it is: a key, the same for every attempt at this charge, made before the first one. A key per attempt is
-- no key; and the service must remember the keys for longer than anybody may still ask.
--
-- Source: the Idempotency-Key header field (IETF draft); Stripe and AWS keep keys for a day; Amazon Builders' Library,
-- "Making retries safe with idempotent APIs".

local function consumer(c)
  local bank, attempts = c:outside("bank"), 0
  c:subscribe("charges")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      local r
      repeat
        attempts = attempts + 1
        local key = c.options.key == "message" and m.body or c.options.key == "attempt" and ("%s %s %d"):format(m.body, tostring(c:now()), attempts) or nil
        r = bank:call("charge", { message = m, idempotency_key = key })
        if not r.ok then c:sleep(ms(200)) end
      until r.ok
      c:commit(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "A charge whose answer is lost",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { charges = { partitions = 1, replicas = 1 } },
  services = { outside "bank" { idempotency_keys = true, timeout = seconds(2) } },
  knobs = { key = "message" },
  clients = {
    producer "P1" { topic = "charges", records = 60, every = ms(80), start_at = seconds(4) },
    client "K1" { group = "cashiers", auto_offset_reset = "earliest", session_timeout = seconds(6), program = consumer },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(11), 3, kill "K1" { duration = ms(500) }, isolate "bank" { duration = seconds(3) }, kill "bank" { duration = ms(500) }, kill "K1" { duration = seconds(20) }),
  },
  run_for = seconds(60),
  cases = {
    case "no key" {
      why = "Asked again is charged again.",
      set = { key = "none" },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "a new key for each attempt" {
      why = "To the service it is another charge.",
      set = { key = "attempt" },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "keys forgotten after five seconds" {
      why = "Who was away for longer is charged again.",
      set = { ["bank.remember"] = seconds(5) },
      expect = { finds "effect-duplicate", holds "effect-lost" },
    },
    case "the message's own key, for ever" {
      why = "The same charge, however often it is asked for.",
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
