-- A transaction was aborted. Has nobody seen what it wrote?
--
-- P1 writes three orders in a transaction, thinks for two seconds, and aborts it. Then it writes three others, and commits.
-- The records of both were in the log as soon as they were sent, and they stay there: an abort writes one more record behind
-- them, the marker, and takes none of them away. What a reader gets is up to the reader.
--
-- First case: a Java consumer as it comes out of the box reads "uncommitted". It gets the orders two seconds before anybody
-- knows what becomes of them, and works on what never was.
-- Second case: at read_committed it waits before the first record of an open transaction (the last stable offset), and the
-- broker sends a list of the aborted ones with what it reads: those it skips. It pays with time: all that others write to
-- the partition waits behind the oldest open transaction as well.
--
-- The default differs: uncommitted in Java, committed in librdkafka. Transactions protect only readers who ask for it.
-- Source: KIP-98, consumer coordinator and isolation.level; CompletedFetch.nextFetchedRecord; librdkafka CONFIGURATION.md.
return scenario {
  title = "Reading what is aborted",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "aborted", "committed" },
  clients = {
    client "P1" { transactional_id = "shop", program = function(c)
      local function three(name)
        c:begin()
        for i = 1, 3 do c:send("orders", { body = name .. i }) end
      end
      c:sleep(seconds(5))
      three("never")
      c:sleep(seconds(2))
      if c:abort().ok then c:mark("aborted") end
      three("sold")
      if c:commit_transaction().ok then c:mark("committed") end
    end },
    consumer "K1" { topics = { "orders" }, auto_offset_reset = "earliest", effect = "packed" },
  },
  run_for = seconds(20),
  drain = false,
  expect = { reaches "aborted", reaches "committed", reaches "stable_position" },
  cases = {
    case "isolation=read_uncommitted" {
      why = "As Java's consumers do unless told otherwise.",
      set = { isolation = "read_uncommitted" },
      expect = { violates "dirty-read", holds "G1a" },
    },
    case "isolation=read_committed" {
      why = "It waits for the decision, and skips what was aborted.",
      set = { isolation = "read_committed" },
      expect = { holds "G1a" },
    },
  },
}
