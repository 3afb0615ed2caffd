-- A transaction is ended in each partition by a marker. What if a marker comes twice?
--
-- P commits its first transaction. The coordinator sends markers to the leaders; one that it
-- hears nothing of it sends again. So a marker may arrive twice, and the second time late: here
-- the copy arrives a second after P has written x in its second transaction.
--
-- A marker names the producer and an epoch. At TV1 both transactions are of one epoch. The
-- leader takes the copy for the end of what is open, and x counts as committed, whatever P
-- decides about it. Here P aborts. y, which it writes after the copy, is aborted, and x is read
-- by everybody.
--
-- TV2 was to end this: each transaction has an epoch of its own. But a marker carries the epoch
-- after its transaction, so that batches of that transaction, when they come late, are old. And
-- that is just the epoch of the next one: the copy fits it. Since KIP-1228 (4.2) the leader
-- takes a marker only if its epoch is above the producer's records, and x is safe.
--
-- Source: KIP-1228; KAFKA-19999; KIP-890.
return scenario {
  title = "A late marker ends the next transaction",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "first_ended", "second_ended" },
  knobs = { first = "commit", second = "abort" },
  clients = {
    -- The coordinator of this id is not the broker that leads orders/0: its markers take the network.
    client "P" { transactional_id = "web", linger = 0, program = function(c)
      local function finish(how)
        if how == "commit" then return c:commit_transaction() end
        return c:abort()
      end
      c:sleep(seconds(5))
      c:begin()
      c:send("orders", "a")
      c:send("orders", "b")
      c:mark("first_ended", finish(c.options.first).outcome)
      c:begin()
      c:send("orders", "x")
      c:sleep(seconds(2))
      c:send("orders", "y")
      c:mark("second_ended", finish(c.options.second).outcome)
      c:begin()
      c:send("orders", "c")
      c:send("orders", "d")
      c:commit_transaction()
    end },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
  },
  faults = { at(seconds(4), duplicate "WriteTxnMarkers" { nth = 1, amount = seconds(1) }) },
  run_for = seconds(60),
  expect = { reaches "message_fault", reaches "second_ended", holds "hung-transaction" },
  cases = {
    case "TV1" {
      why = "Both transactions are of one epoch.",
      set = { transactions = "tv1" },
      expect = { violates "G1a", violates "torn-transaction" },
    },
    case "TV1, late abort" {
      why = "The other way round: what was committed is gone.",
      set = { transactions = "tv1", first = "abort", second = "commit" },
      expect = { violates "lost-message", violates "torn-transaction" },
    },
    case "TV2, any epoch from the producer's on" {
      why = "The marker has the epoch of the next transaction.",
      set = { transactions = "tv2", strict_marker_epoch = false },
      expect = { violates "G1a", violates "torn-transaction" },
    },
    case "TV2, any epoch from the producer's on, late abort" {
      why = "And so is what was committed.",
      set = { transactions = "tv2", strict_marker_epoch = false, first = "abort", second = "commit" },
      expect = { violates "lost-message", violates "torn-transaction" },
    },
    case "TV2" {
      why = "A marker's epoch is above the records that it ends.",
      set = { transactions = "tv2" },
      expect = { reaches "marker_refused", holds "G1a", holds "torn-transaction", holds "lost-message" },
    },
    case "TV2, late abort" {
      why = "As before.",
      set = { transactions = "tv2", first = "abort", second = "commit" },
      expect = { reaches "marker_refused", holds "G1a", holds "torn-transaction", holds "lost-message" },
    },
  },
}
