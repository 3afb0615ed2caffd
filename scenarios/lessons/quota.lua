-- A client is over its quota. Is it refused?
--
-- P sends a hundred kilobytes a second, and the brokers allow each client fifty (KIP-13). Nothing is refused, and no
-- error is seen. The answer to a request says how long the client is to send nothing (throttle_time_ms), and so long
-- the broker reads nothing from its connection. So the broker takes its fifty a second, and the rest waits with P.
--
-- It does not stay there. An order that is sent a minute after the beginning is stored a minute later, and after two
-- minutes it would take two, which is delivery.timeout.ms: what has waited for so long is given up, while brokers and
-- network are in good health. A quota below what is really sent is a loss that comes late. A burst costs little: the
-- rate is taken over ten seconds, so that twenty seconds of the same load are stored within forty.
--
-- A quota for consumers makes lag of it: the records are in the log, K gets them late, and nothing is given up as long
-- as retention does not overtake K. It gets even less than its fifty: far behind, it is answered with as much as ten
-- seconds may bring, and then waits for two such times until the rate allows the next.
--
-- Source: KIP-13, KIP-219; ClientQuotaManager, QuotaUtils.throttleTime; KIP-91 (delivery.timeout.ms).
local function send(c)
  local sends = {}
  c:sleep(seconds(20))
  for n = 1, c.options.records do
    sends[n] = c:send_async("orders", { body = "order " .. n, size = 10000 })
    c:sleep(ms(100))
  end
  local stored, given_up = 0, 0
  for _, s in ipairs(sends) do
    local answer = c:wait(s)
    if answer.ok then stored = stored + 1 else given_up = given_up + 1 end
  end
  c:mark("stored", stored .. " records")
  if given_up > 0 then c:mark("given_up", given_up .. " records") end
end

return scenario {
  title = "A quota makes late, and late enough is lost",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "stored", "given_up" },
  clients = {
    client "P" { records = 2000, program = send },
    consumer "K" { topics = { "orders" }, group = "billing", auto_offset_reset = "earliest" },
  },
  run_for = minutes(8),
  expect = { reaches "stored", holds "lost-message" },
  cases = {
    case "no quota" { why = "What a record takes otherwise." },
    case "a burst" {
      why = "Twenty seconds are only made late.",
      set = { producer_byte_rate = 50000, records = 200 },
      expect = { reaches "throttled" },
    },
    case "producer 50 kB/s" {
      why = "It waits with the producer, and not for ever.",
      set = { producer_byte_rate = 50000 },
      expect = { reaches "throttled", reaches "given_up" },
    },
    case "consumer 50 kB/s" {
      why = "It waits in the log.",
      set = { consumer_byte_rate = 50000, records = 600 },
      expect = { reaches "throttled" },
    },
  },
}
