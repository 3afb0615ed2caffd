-- The brokers can't be reached for a while, and records keep coming. Where are they?
--
-- P sends two megabytes a second, and for forty seconds it reaches no broker. What it sends waits in the memory of its
-- library (buffer.memory, 32 MiB), which is full after a quarter of a minute. From then on a record is taken only when
-- there is room for it:
--
--   max.block.ms = 1 min   the call of send() waits. The network is back before a minute is over: nothing is refused
--   max.block.ms = 5 s     it waits for five seconds, and then fails: BUFFER_EXHAUSTED
--   librdkafka             it never waits, and fails at once: QUEUE_FULL
--
-- To wait is the pressure that is handed back: the thread that waits can take no new work. To fail is an answer that
-- the application has to do something with: a record refused here was never in the log, and nobody will send it again.
-- What is in the buffer has a clock of its own. In the last case the network is away for three minutes, and what has
-- waited for two (delivery.timeout.ms) is given up, although it had been taken.
--
-- P stands for a service with many threads: one that waits does not hold up the others.
--
-- Source: RecordAccumulator.append, BufferPool.allocate; KIP-91; librdkafka queue.buffering.max.kbytes.
local function service(c)
  local sends = {}
  c:sleep(seconds(20))
  for n = 1, 2500 do
    sends[n] = c:send_async("orders", { body = "order " .. n, size = 20000 })
    c:sleep(ms(10))
  end
  local stored, refused, given_up = 0, {}, 0
  for n = 1, 2500 do
    local answer = c:wait(sends[n])
    if answer.ok then stored = stored + 1
    elseif answer.error == "BUFFER_EXHAUSTED" or answer.error == "QUEUE_FULL" then
      refused.count = (refused.count or 0) + 1
      refused.error = answer.error
    else given_up = given_up + 1 end
  end
  c:mark("stored", stored .. " records")
  if refused.count then c:mark("refused", refused.count .. " records: " .. refused.error) end
  if given_up > 0 then c:mark("given_up", given_up .. " records") end
end

return scenario {
  title = "Where records wait when brokers are out of reach",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "stored", "refused", "given_up" },
  clients = {
    client "P" { program = service },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  run_for = minutes(5),
  expect = { reaches "stored", holds "lost-message" },
  cases = {
    case "max_block=1min" {
      why = "send() waits, and all is stored in the end.",
      faults = { at(seconds(25), isolate "P" { duration = seconds(40) }) },
    },
    case "max_block=5s" {
      why = "send() waits for five seconds.",
      set = { max_block = seconds(5) },
      faults = { at(seconds(25), isolate "P" { duration = seconds(40) }) },
      expect = { reaches "refused" },
    },
    case "librdkafka" {
      why = "produce() never waits.",
      set = { queue_full_at_once = true },
      faults = { at(seconds(25), isolate "P" { duration = seconds(40) }) },
      expect = { reaches "refused" },
    },
    case "three minutes" {
      why = "What waits too long is given up.",
      faults = { at(seconds(25), isolate "P" { duration = minutes(3) }) },
      expect = { reaches "refused", reaches "given_up" },
    },
  },
}
