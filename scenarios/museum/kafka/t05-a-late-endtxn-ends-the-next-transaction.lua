-- A request says "end the transaction". Which one?
--
-- Before TV2 it does not say. It names the transactional id, the producer and its epoch, and all
-- transactions of a producer's session have those in common.
--
-- 1. P ends its first transaction. The request, EndTxn, is held up in the network. After
--    request.timeout.ms P hangs up and sends it again on another connection, as it should. That
--    one arrives, and the first transaction is over.
-- 2. P begins the second one and writes x to one partition.
-- 3. Now the held request arrives. The coordinator finds a transaction that is open, and an
--    epoch that is right. So it ends what is there: x.
-- 4. P writes y to the other partition, which begins a transaction that P does not know of, and
--    ends that.
--
-- If the first one was committed and the second one aborted, everybody reads x, although it was
-- aborted. The other way round P is told that the second one is committed, and x is gone. Either
-- way it is torn: one half counts and the other does not, which a transaction is there to
-- exclude.
--
-- P did what it is told to: it never aborted when it did not know, it sent the same request
-- again until it knew. TV1 does not help: a leader asks whether a transaction is open, and one
-- is. At TV2 the epoch goes up with each transaction, so the late request has an old one and is
-- refused. It takes both sides: librdkafka does not speak TV2, and with it the hole is open on
-- any cluster. What is left there is a new session (initTransactions, and with it a new epoch)
-- after each such timeout.
--
-- Source: KAFKA-17754; KIP-890; Jepsen, Bufstream 0.1.0 (2024), section 5.4.
return scenario {
  title = "A late EndTxn ends the next transaction",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 2, replicas = 3 } },
  marks = { "first_ended", "second_ended" },
  knobs = { first = "commit", second = "abort" },
  clients = {
    client "P" { transactional_id = "shop", linger = 0, request_timeout = seconds(5), program = function(c)
      local function finish(how)
        if how == "commit" then return c:commit_transaction() end
        return c:abort()
      end
      c:sleep(seconds(5))
      c:begin()
      c:send("orders", { body = "a", partition = 0 })
      c:send("orders", { body = "b", partition = 1 })
      local ended = finish(c.options.first)
      c:mark("first_ended", c.options.first .. " " .. ended.outcome)
      c:begin()
      c:send("orders", { body = "x", partition = 0 })
      c:sleep(seconds(2))
      c:send("orders", { body = "y", partition = 1 })
      ended = finish(c.options.second)
      c:mark("second_ended", c.options.second .. " " .. ended.outcome)
      c:begin()
      c:send("orders", { body = "c", partition = 0 })
      c:send("orders", { body = "d", partition = 1 })
      c:commit_transaction()
    end },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
  },
  faults = {
    at(seconds(4), hold "EndTxn" { from = "P", nth = 1, label = "late" }),
    when(mark "first_ended", after(seconds(1), release "late")),
  },
  run_for = seconds(60),
  expect = { reaches "request_timed_out", reaches "first_ended", reaches "second_ended", holds "hung-transaction" },
  cases = {
    case "late commit, then abort, TV0" {
      why = "The late commit finds half of the second transaction.",
      set = { transactions = "tv0" },
      expect = { violates "G1a", violates "torn-transaction" },
    },
    case "late commit, then abort, TV1" {
      why = "Whoever asks the coordinator hears that a transaction is open.",
      set = { transactions = "tv1" },
      expect = { violates "G1a", violates "torn-transaction" },
    },
    case "late commit, then abort, TV2" {
      why = "The late commit is of the epoch before.",
      set = { transactions = "tv2" },
      expect = { reaches "producer_fenced", holds "G1a", holds "torn-transaction" },
    },
    case "late commit, then abort, TV2, librdkafka" {
      why = "A client that does not speak TV2 stays in its epoch.",
      set = { transactions = "tv2", client_library = "librdkafka" },
      expect = { violates "G1a", violates "torn-transaction" },
    },
    case "late abort, then commit, TV0" {
      why = "What P was told is committed is aborted in part.",
      set = { transactions = "tv0", first = "abort", second = "commit" },
      expect = { violates "torn-transaction", violates "lost-message" },
    },
    case "late abort, then commit, TV1" {
      why = "As before.",
      set = { transactions = "tv1", first = "abort", second = "commit" },
      expect = { violates "torn-transaction", violates "lost-message" },
    },
    case "late abort, then commit, TV2" {
      why = "The late abort is of the epoch before.",
      set = { transactions = "tv2", first = "abort", second = "commit" },
      expect = { reaches "producer_fenced", holds "torn-transaction", holds "lost-message" },
    },
  },
}
