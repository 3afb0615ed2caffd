-- Exactly once, says the box. The loop also charges a card. How often is it charged?
--
-- T1 reads orders, charges the card of each at a bank, writes a receipt, and stores its position: receipts and position in one
-- transaction. It dies in the middle of a batch. When it is back, the transaction that was open is aborted. No receipt of it
-- counts, and the position has not moved: exactly as if the batch had never been touched. So it is read again, and every
-- card of it that was charged is charged again. Kafka took back what is Kafka's. Nobody told the bank.
--
-- To move the charge does not help. After the commit: who dies between the two has receipts without a charge, and there
-- is no batch to read again (second case). Two systems, two decisions, and between them a moment.
--
-- What helps is to make the second charge harmless. The bank takes a key with each request, and a key that it knows is answered and
-- not charged. The key must be the same at the second attempt, by another process, and so must come from the input: its
-- topic, partition, and offset. (Or put the charge itself into a topic, in the transaction, as an outbox; at its other end
-- somebody calls the bank, who needs the same key.)
-- Source: KIP-98 (what takes part in a transaction: partitions, and the positions of groups);
-- draft-ietf-httpapi-idempotency-key-header.

local function batch_of(c, batch, bank)
  local function charge(m)
    local key = c.options.key == "input" and ("%s@%d"):format(m.place, m.position) or nil
    while not bank:call("charge", { message = m, idempotency_key = key }).ok do c:sleep(ms(100)) end
  end
  if not c:begin().ok then return false end
  for _, m in ipairs(batch) do
    if c.options.charge == "before the commit" then charge(m) end
    c:send_async("receipts", { key = m.key, body = "receipt of " .. m.body })
    c:sleep(c.options.work)
  end
  if not c:send_offsets().ok then return false end
  local answer
  repeat answer = c:commit_transaction() until answer.outcome ~= "info"
  if answer.ok and c.options.charge == "after the commit" then
    for _, m in ipairs(batch) do charge(m) end
  end
  return answer.ok
end

local function loop(c)
  local bank = c:outside("bank")
  while not c:call("init_transactions").ok do c:sleep(ms(100)) end
  c:subscribe("orders")
  while true do
    local batch = c:poll(seconds(1), 5)
    if #batch > 0 and not batch_of(c, batch, bank) then
      if not c:abort().ok then
        c:call("new_producer")
        while not c:call("init_transactions").ok do c:sleep(ms(100)) end
      end
      for _, m in ipairs(batch) do c:seek(m.place, "committed") end
    end
  end
end

return scenario {
  title = "What lies outside",
  chapter = "docs/exactly-once/06-where-the-edge-is.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 }, receipts = { partitions = 1, replicas = 3 } },
  services = { outside "bank" { idempotency_keys = true } },
  knobs = { charge = "before the commit", key = "none" },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(1), start_at = seconds(2) },
    client "T1" {
      transactional_id = "billing", group = "billing", auto_offset_reset = "earliest", auto_commit = "off",
      isolation = "read_committed", session_timeout = seconds(10), work = ms(50), program = loop,
    },
    consumer "K1" { topics = { "receipts" }, isolation = "read_committed", auto_offset_reset = "earliest" },
  },
  faults = {
    -- Four of the second batch are charged.
    when(mark "effect_done" { nth = 9 }, kill "T1" { duration = seconds(2) }),
  },
  run_for = seconds(40),
  expect = { reaches "killed", holds "atomicity-gap", holds "torn-transaction", holds "G1a" },
  cases = {
    case "charged, then committed" {
      why = "The receipts are taken back, the charges are not.",
      expect = { violates "effect-duplicate", holds "effect-lost" },
    },
    case "committed, then charged" {
      why = "The receipts are there, and the rest is never charged.",
      set = { charge = "after the commit" },
      expect = { holds "effect-duplicate", violates "effect-lost" },
    },
    case "charged by the input's key" {
      why = "The bank has seen topic, partition and offset before.",
      set = { key = "input" },
      expect = { reaches "effect_repeated", holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
