-- A leader asks the coordinator whether the producer has a transaction here. Is that enough?
--
-- P's batch, late, is held up in the network. P gives it up after delivery.timeout.ms, aborts,
-- and begins its next transaction. It writes to the same partition, which therefore takes part
-- in the new transaction, and in this moment the old batch arrives. The leader asks (TV1), and
-- hears that the partition takes part. Of which transaction? Both are of one epoch. The batch
-- joins the wrong one, and is committed with it: whoever reads committed records gets what was
-- aborted.
--
-- And it has taken a place. P believes that the number of a batch that failed was not used, and
-- gives it to the next one. When that arrives, the leader has the number already, takes it for a
-- retry, and answers that all is well. So next is acknowledged, committed, and nowhere.
--
-- Present clients know better since KIP-360 (2.5): who does not know what became of a batch goes
-- on in a new epoch, and what is late is of the old one. At TV2 a client need not know better,
-- because each transaction has an epoch of its own.
--
-- Source: KIP-890 ("late message added to a new transaction"); KIP-360.
return scenario {
  title = "A late batch joins the next transaction",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "given_up", "next_begun", "next_ended" },
  clients = {
    -- linger: the partition takes part at once, the batch follows a second later. The coordinator of this id is not the
    -- broker that leads orders/0, so the connection that is held up carries nothing but the batch.
    client "P" {
      transactional_id = "web", linger = seconds(1), request_timeout = seconds(6), delivery_timeout = seconds(7),
      program = function(c)
        c:sleep(seconds(5))
        c:begin()
        local late = c:send("orders", "late")
        local ended = c:abort()
        c:mark("given_up", "send " .. late.outcome .. ", abort " .. ended.outcome)
        c:begin()
        local sending = c:send_async("orders", "next")
        c:mark("next_begun")
        local sent = c:wait(sending)
        ended = c:commit_transaction()
        c:mark("next_ended", "send " .. sent.outcome .. ", commit " .. ended.outcome)
        c:begin()
        c:send("orders", "last")
        c:commit_transaction()
      end,
    },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
  },
  faults = {
    at(seconds(4), hold "Produce" { from = "P", nth = 1, label = "late" }),
    when(mark "next_begun", after(ms(500), release "late")),
  },
  run_for = seconds(60),
  expect = { reaches "request_timed_out", reaches "given_up", reaches "next_ended", holds "hung-transaction" },
  cases = {
    case "TV1, a client that keeps its epoch" {
      why = "The leader asks, and the answer is about the wrong transaction.",
      set = { transactions = "tv1", epoch_bump_after_error = false },
      expect = { reaches "duplicate_recognised", violates "G1a", violates "lost-message", violates "inconsistent-offsets" },
    },
    case "TV1, a client that begins a new epoch" {
      why = "The late batch is of the epoch before.",
      set = { transactions = "tv1" },
      expect = { reaches "producer_fenced", reaches "transaction_not_verified", holds "G1a", holds "lost-message" },
    },
    case "TV2, a client that keeps its epoch" {
      why = "It cannot: the coordinator gives each transaction a new one.",
      set = { transactions = "tv2", epoch_bump_after_error = false },
      expect = { reaches "producer_fenced", holds "G1a", holds "lost-message" },
    },
    case "TV2" {
      why = "As it is meant.",
      set = { transactions = "tv2" },
      expect = { reaches "producer_fenced", holds "G1a", holds "lost-message" },
    },
  },
}
