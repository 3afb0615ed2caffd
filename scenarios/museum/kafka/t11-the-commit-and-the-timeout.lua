-- A transaction may be open for transaction.timeout.ms. What if the commit comes too late?
--
-- The coordinator looks every ten seconds for transactions that are over their time, aborts those that it finds, and takes
-- the producer's epoch away. Who is there first, the commit or the look, decides.
--
-- P1 writes three bills, takes nine seconds, and asks for the commit when one second of its ten is left. The request is
-- held up on the way. First and second case: the coordinator looks before it comes. The transaction is aborted, and the commit
-- refused: INVALID_TXN_STATE at TV2, PRODUCER_FENCED before it, fatal both. Third case: it comes after its time as well, but
-- nobody has looked yet, and it counts: the timeout is no deadline, and no clock at the client can tell how it went.
--
-- The error can. It says that this transaction was not committed and never will be: its bills are as good as not written, and
-- to write them again, by a new producer, is right. Each is sent to its customer once.
-- Fourth case: no answer at all. That looks alike, an exception from commitTransaction, and means something else: the
-- commit may have come true, and here it did. Whoever writes the bills again now sends them twice. To ask again is right:
-- commitTransaction may be repeated (fifth case), and the coordinator remembers.
--
-- Source: TransactionCoordinator.abortTimedOutTransactions, endTransaction; KAFKA-20785 (a clearer word for it at TV2);
-- KafkaProducer javadoc, commitTransaction: TimeoutException, ProducerFencedException.

local function bills(c)
  c:sleep(seconds(10))
  local times, answer = 0, nil
  repeat
    times = times + 1
    c:begin()
    for i = 1, 3 do c:send("bills", { key = "customer " .. i, body = "bill " .. i }) end
    if times == 1 then c:sleep(seconds(9)) end
    repeat
      answer = c:commit_transaction()
      c:mark(answer.ok and "committed" or answer.outcome == "fail" and "refused" or "unknown", answer.error)
    until answer.outcome ~= "info" or c.options.when_unknown == "write again"
    if not answer.ok then
      c:call("new_producer")
      while not c:call("init_transactions").ok do c:sleep(seconds(1)) end
    end
  until answer.ok
end

return scenario {
  title = "The commit and the timeout",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { bills = { partitions = 3, replicas = 3 } },
  marks = { "committed", "refused", "unknown" },
  knobs = { when_unknown = "ask again" },
  clients = {
    client "P1" { transactional_id = "billing", transaction_timeout = seconds(10), max_block = seconds(8), program = bills },
    consumer "K1" { topics = { "bills" }, isolation = "read_committed", auto_offset_reset = "earliest", effect = "sent to the customer" },
  },
  run_for = seconds(90),
  expect = { reaches "committed", holds "G1a", holds "torn-transaction", holds "effect-lost" },
  cases = {
    case "the coordinator looks first" {
      why = "Aborted, and the commit is refused: all of it is done again, and counts once.",
      set = { max_block = minutes(1) },
      faults = { at(seconds(1), delay "EndTxn" { from = "P1", amount = seconds(12) }) },
      expect = { reaches "transaction_timed_out", reaches "producer_fenced", reaches "refused", holds "effect-duplicate" },
    },
    case "the coordinator looks first, tv1" {
      why = "The same before KIP-890.",
      set = { max_block = minutes(1), transactions = "tv1" },
      faults = { at(seconds(1), delay "EndTxn" { from = "P1", amount = seconds(12) }) },
      expect = { reaches "transaction_timed_out", reaches "producer_fenced", reaches "refused", holds "effect-duplicate" },
    },
    case "the commit comes first" {
      why = "Three seconds over its time, and nobody had looked.",
      set = { max_block = minutes(1) },
      faults = { at(seconds(1), delay "EndTxn" { from = "P1", amount = seconds(4) }) },
      expect = { holds "effect-duplicate" },
    },
    case "no answer, and it is written again" {
      why = "It was committed, and is committed again.",
      set = { when_unknown = "write again" },
      faults = { when(delivered "EndTxn" { from = "P1" }, isolate "P1" { duration = seconds(20) }) },
      expect = { reaches "unknown", violates "effect-duplicate" },
    },
    case "no answer, and it is asked again" {
      why = "The coordinator knows that it was committed.",
      faults = { when(delivered "EndTxn" { from = "P1" }, isolate "P1" { duration = seconds(20) }) },
      expect = { reaches "unknown", holds "effect-duplicate" },
    },
  },
}
