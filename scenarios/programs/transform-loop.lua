-- Read from one topic, write to another, and let both count together or not at all: consume, transform, produce.
--
-- T1 turns orders into bills. Three things must not come apart: the bills that it sends, the position up to which it has
-- read, and what it believes it has done. A transaction holds the first two together. The third is the program's own:
--
--   An abort takes back the bills and the position that was stored. It does not take back where the consumer stands: the
--   next poll would go on behind the batch. So the program must seek, to where the group stands (KAFKA-17582).
--   A commit without an answer may have come true. It is asked again, until somebody knows; or the producer is dropped,
--   and the first request of the next one waits until the old transaction is over, one way or the other.
--   A producer that was fenced is of no use any more. Another one, of the same id, ends what is open and fences in turn.
--
-- T1 dies in the middle of a batch, and comes back. Built in: `transform "T1" { positions = "in_transaction" }`, whose
-- options are the usual mistakes. Source: KIP-98, KIP-447; KafkaProducer javadoc.

local function rewind(c, places)
  for place in pairs(places) do c:seek(place, "committed") end
end

-- One batch, one transaction. False: it was given up, and must be read again.
local function bill(c, batch)
  if not c:begin().ok then return false end
  for _, m in ipairs(batch) do
    c:sleep(c.options.work)
    c:send_async(c.options.topic, { key = m.key, body = m.body })
    c:processed(m)
  end
  if not c:send_offsets().ok then return false end
  local answer = c:commit_transaction()
  while answer.outcome == "info" do answer = c:commit_transaction() end
  return answer.ok
end

local function transform_loop(c)
  while not c:call("init_transactions").ok do c:sleep(ms(100)) end
  c:subscribe(c.options.topics)
  while true do
    local batch = c:poll(c.options.poll_timeout, c.options.max_poll)
    if #batch > 0 and not bill(c, batch) then
      if not c:abort().ok then -- fenced, or worse
        c:call("new_producer")
        while not c:call("init_transactions").ok do c:sleep(ms(100)) end
      end
      local places = {}
      for _, m in ipairs(batch) do places[m.place] = true end
      rewind(c, places)
    end
  end
end

return scenario {
  title = "Consume, transform, produce",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { group_initial_rebalance_delay = 0 },
  topics = { orders = { partitions = 2 }, bills = { partitions = 2 } },
  clients = {
    producer "P1" { topic = "orders", records = 24, every = ms(20), start_at = seconds(3), keys = 3 },
    client "T1" {
      program = transform_loop, transactional_id = "billing",
      topics = { "orders" }, topic = "bills", group = "billing", auto_offset_reset = "earliest", auto_commit = "off",
      isolation = "read_committed", work = ms(30), max_poll = 4, session_timeout = seconds(6),
    },
    consumer "K1" { topics = { "bills" }, isolation = "read_committed", auto_offset_reset = "earliest" },
  },
  faults = { at(ms(3405), kill { "T1" }), at(ms(3900), restart { "T1" }) },
  run_for = seconds(15),
  expect = {
    reaches "transactional_producer_ready",
    holds "lost-message", holds "atomicity-gap",
  },
  cases = {
    case "tv2" { why = "Each transaction has an epoch, and leaders add their partitions.", set = { transactions = "tv2" } },
    case "tv0" { why = "As it was before KIP-890. Nothing comes late here, so it holds as well.", set = { transactions = "tv0" } },
  },
}
