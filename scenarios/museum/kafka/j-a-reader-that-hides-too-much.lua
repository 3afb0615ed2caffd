-- A reader of committed records gets the aborted ones as well, and hides them. How does it know
-- which?
--
-- The leader sends batches as they are, and beside them a list: which producer's transaction was
-- aborted, and where it began. From there on the reader hides this producer's records, until it
-- comes to the ABORT marker. Behind that the producer's next transaction begins, which may have
-- been committed.
--
-- P commits, aborts, commits. A reader that goes along gets each transaction in an answer of its
-- own, and nothing is odd. A reader that lags gets all of them in one answer. If its filter does
-- not take P out at the marker, all that P wrote behind its first aborted transaction is hidden,
-- to the end of the answer, and the position moves past it: acknowledged, committed, and lost to
-- this reader. In a healthy cluster, without any fault.
--
-- Bufstream 0.1.0 hid records from readers that lag, and Jepsen found it. There the server
-- filtered; here the client does, as in Kafka. The lesson is the same: test readers that are
-- late.
-- Source: Jepsen, Bufstream 0.1.0 (2024); CompletedFetch.nextFetchedRecord, containsAbortMarker.
return scenario {
  title = "A reader that hides too much",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    client "P" { transactional_id = "web", linger = 0, program = function(c)
      c:sleep(seconds(5))
      for i = 1, 6 do
        c:begin()
        c:send("orders", "m" .. i)
        if i % 3 == 2 then c:abort() else c:commit_transaction() end
        c:sleep(seconds(1))
      end
    end },
    consumer "Along" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
    consumer "Late" {
      topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed", start_at = seconds(20),
    },
  },
  run_for = seconds(30),
  expect = { holds "G1a" },
  cases = {
    case "hidden to the end of the answer" {
      why = "What was committed behind an aborted transaction is not shown.",
      set = { aborted_filter_ends = false },
      expect = { violates "lost-message" },
    },
    case "hidden up to the ABORT marker" {
      why = "Behind it the producer's records count again.",
      expect = { holds "lost-message", holds "hung-transaction" },
    },
  },
}
