-- A process stands still in the middle of a transaction. Another takes its place. Then the first one wakes.
--
-- P1 is to write three bills. It has begun a transaction and sent the first two when its process stops, for half a minute:
-- a garbage collection, a virtual machine that moves. Whoever watches it takes it for dead and starts P2, which is to write the
-- same three bills. P2 does so and commits. P1 wakes, knows of nothing, sends the third and commits too.
--
-- First case: both use one transactional id, which says "this job", whoever does it. P2's first request, initTransactions,
-- aborts what P1 had left open and takes the next epoch of the id. P1's next record carries the old epoch, and the leader
-- refuses it; so its transaction can't be committed any more. Two bills of P1 stand in the log twice, and are seen once.
-- Second case: each process makes an id of its own, a host name or a random number. To Kafka they are two producers with
-- nothing in common, and nobody is fenced. P1's transaction was within its time. Each bill is sent to the customer twice.
--
-- An id must be the same in the next life of the same job, and must never be used by two jobs at once.
-- Source: KIP-98, "zombie fencing"; TransactionCoordinator.handleInitProducerId; KafkaProducer javadoc, transactional.id.

local function bills(c)
  c:sleep(c.options.start_at)
  c:call("init_transactions")
  c:begin()
  for i = 1, 3 do
    c:send("bills", { key = "customer " .. i, body = "bill " .. i, partition = i - 1 })
    c:sleep(seconds(1))
  end
  local answer = c:commit_transaction()
  c:mark(answer.ok and "billed" or "refused", c.name .. ": " .. (answer.error or "ok"))
end

return scenario {
  title = "A zombie is fenced",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { bills = { partitions = 3, replicas = 3 } },
  marks = { "billed", "refused" },
  clients = {
    client "P1" { transactional_id = "billing", start_at = seconds(5), program = bills },
    client "P2" { transactional_id = "billing", start_at = seconds(20), program = bills },
    consumer "K1" { topics = { "bills" }, auto_offset_reset = "earliest", isolation = "read_committed", effect = "sent to the customer" },
  },
  faults = {
    -- Two are stored.
    when(op "send ok" { from = "P1", nth = 2 }, after(ms(500), pause "P1" { duration = seconds(30) })),
  },
  run_for = seconds(90),
  expect = { reaches "paused", reaches "billed", holds "lost-message", holds "G1a" },
  cases = {
    case "one id for the job" {
      why = "Who comes second ends what the first has left, and shuts it out.",
      expect = {
        reaches "producer_fenced", reaches "transaction_must_abort", reaches "refused",
        holds "zombie-write-accepted", holds "effect-duplicate", holds "torn-transaction",
      },
    },
    case "an id for each process" {
      why = "Two jobs, as far as Kafka knows, and both are done.",
      set = { ["P1.transactional_id"] = "billing-host1", ["P2.transactional_id"] = "billing-host2" },
      expect = { violates "effect-duplicate" },
    },
  },
}
