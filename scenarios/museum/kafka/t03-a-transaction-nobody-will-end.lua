-- A batch arrives when its transaction is long over. What becomes of it?
--
-- P's batch is held up in the network. P gives it up after delivery.timeout.ms and aborts its
-- transaction, as it must: the coordinator writes an ABORT marker to the partition and forgets
-- the transaction. Then the batch arrives.
--
-- At TV0 the leader looks at the producer and its epoch, and both are right. A transaction
-- begins with its first batch, so one begins here. Its coordinator knows nothing of it: nobody
-- will ever end it. (The timeout of transactions does not help. It is the coordinator's.) The
-- last stable position stands still from now on. W writes and commits, is told that all is well,
-- and nobody who reads committed records gets any of it. Compaction stops there as well.
--
-- At TV1 the leader asks the coordinator, before a transaction begins on it, whether there is
-- one. At TV2 it asks to take part itself, in the batch's epoch, and that epoch ended with the
-- transaction.
--
-- The way out, where it has happened: an operator finds the transaction (kafka-transactions.sh
-- find-hanging) and has a marker written for it (abort).
--
-- Source: KIP-890; KIP-664; KAFKA-14402, KAFKA-9144.
return scenario {
  title = "A transaction that nobody will end",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "given_up" },
  clients = {
    -- The coordinator of this id is not the broker that leads orders/0, so the connection that is held up carries
    -- nothing but the batch.
    client "P" {
      transactional_id = "web", linger = 0, request_timeout = seconds(6), delivery_timeout = seconds(6),
      program = function(c)
        c:sleep(seconds(5))
        c:begin()
        local sent = c:send("orders", "late")
        local ended = c:abort()
        c:mark("given_up", "send " .. sent.outcome .. ", abort " .. ended.outcome)
      end,
    },
    client "W" { transactional_id = "till", linger = 0, program = function(c)
      for i = 1, 12 do
        c:sleep(seconds(10))
        c:begin()
        c:send("orders", "w" .. i)
        c:commit_transaction()
      end
    end },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
  },
  faults = {
    at(seconds(4), hold "Produce" { from = "P", nth = 1, label = "late" }),
    when(mark "given_up", after(seconds(1), release "late")),
  },
  run_for = seconds(150),
  expect = { reaches "request_timed_out", reaches "given_up", holds "G1a" },
  cases = {
    case "TV0" {
      why = "The batch begins a transaction that its coordinator does not know.",
      set = { transactions = "tv0" },
      expect = { violates "hung-transaction", violates "lost-message" },
    },
    case "TV0, an operator ends it" {
      why = "The leader writes a marker on command.",
      set = { transactions = "tv0" },
      faults = { at(seconds(60), command("leader orders/0", "abort_transaction", "orders/0 1")) },
      expect = { reaches "transaction_aborted", holds "hung-transaction", holds "lost-message" },
    },
    case "TV1" {
      why = "The coordinator says that there is no transaction.",
      set = { transactions = "tv1" },
      expect = { reaches "transaction_not_verified", holds "hung-transaction", holds "lost-message" },
    },
    case "TV2" {
      why = "The transaction's epoch is over.",
      set = { transactions = "tv2" },
      expect = { reaches "producer_fenced", holds "hung-transaction", holds "lost-message" },
    },
  },
}
