-- Two records in two partitions, and both shall count or none. P sends a and b in a transaction and commits it; then it
-- sends c and d, and changes its mind.
--
-- A transaction has a coordinator: the broker that leads the partition of __transaction_state on which the transactional
-- id falls. It notes in that log which partitions take part, then what was decided, and then, when every partition has
-- its marker, that all is done. Records go into the partitions at once, whatever comes of them; readers decide what to
-- look at. K asks for committed records only and sees a and b. U does not ask, and sees all four.
--
-- Step through it:  mqlab run FILE --case tv2 --steps --only transactions --only stable --only "open transactions"
-- Source: KIP-98, KIP-890; TransactionCoordinator, TransactionMetadata, ProducerStateManager.
local function two_transactions(c)
  c:sleep(seconds(5))
  c:begin()
  c:send("orders", { body = "a", partition = 0 })
  c:send("orders", { body = "b", partition = 1 })
  c:commit_transaction()
  c:sleep(seconds(1))
  c:begin()
  c:send("orders", { body = "c", partition = 0 })
  c:send("orders", { body = "d", partition = 1 })
  c:abort()
end

return scenario {
  title = "One transaction that counts, and one that does not",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, transaction_partitions = 1 },
  topics = { orders = { partitions = 2, replicas = 3 } },
  clients = {
    client "P" { transactional_id = "till-7", linger = 0, program = two_transactions },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
    consumer "U" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_uncommitted" },
  },
  run_for = seconds(30),
  expect = {
    reaches "markers_written", holds "lost-message", holds "G1a", holds "torn-transaction", violates "dirty-read",
  },
  cases = {
    case "tv2" { why = "The leaders add their partitions, and each transaction has an epoch.", set = { transactions = "tv2" } },
    case "tv1" { why = "The client adds them, and the leaders ask.", set = { transactions = "tv1" } },
    case "tv0" { why = "The client adds them, and the leaders believe it.", set = { transactions = "tv0" } },
  },
}
