-- Where must a reader of committed records stop?
--
-- Before the first record of the oldest transaction that is open: at the last stable position.
-- All below it is decided. One is easily too many here: the position that is read next and the
-- position of the last record that may be read differ by one.
--
-- P opens a transaction and writes x. It reads the same topic, and asks for committed records.
-- Where it may go one record too far it gets x, its own write, before it has asked for the
-- commit; and K gets x, which nobody has decided about. Then P aborts. K has got what officially
-- never was, and no list of aborted transactions will tell it: that comes with the records, and
-- K is past them.
--
-- Redpanda 21.10.1 did so, and Jepsen found it; no version of Kafka has.
-- Source: Jepsen, Redpanda 21.10.1 (2022), redpanda#3036; KIP-98; UnifiedLog.lastStableOffset.
return scenario {
  title = "One record too far",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "read_its_own" },
  clients = {
    client "P" { transactional_id = "web", linger = 0, isolation = "read_committed", program = function(c)
      c:sleep(seconds(5))
      c:assign("orders", "beginning")
      c:begin()
      c:send("orders", "a")
      c:commit_transaction()
      c:begin()
      c:send("orders", "x")
      for _ = 1, 3 do
        for _, m in ipairs(c:poll(seconds(1))) do
          if m.body == "x" then c:mark("read_its_own") end
        end
      end
      c:abort()
      c:begin()
      c:send("orders", "b")
      c:commit_transaction()
      c:poll(seconds(1))
    end },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
  },
  run_for = seconds(30),
  expect = { holds "lost-message", holds "hung-transaction" },
  cases = {
    case "one record too far" {
      why = "The first record of an open transaction is read.",
      set = { stable_before_open = false },
      expect = { reaches "read_its_own", violates "precommitted-read", violates "G1a" },
    },
    case "before the first open transaction" {
      why = "As in every version of Kafka.",
      expect = { holds "precommitted-read", holds "G1a" },
    },
  },
}
