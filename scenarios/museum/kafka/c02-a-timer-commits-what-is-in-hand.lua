-- The program works on one record after the other, in one thread, and commits nothing by itself. The library commits in
-- the background, every five seconds. Can a crash lose a record?
--
-- It depends on what "done" means to the library, for it is not told when the work ends.
--
-- First case: librdkafka. A record counts as done when it is handed out: its offset is stored at once
-- (enable.auto.offset.store), and a timer in a thread of its own commits what is stored. Here the work on a record
-- takes eight seconds, so the timer comes due while it is in hand. The process is killed then. The group stands behind
-- the record, and whoever comes next goes on with the one after it. Nobody will finish this one.
-- Second case: the same library, told to store nothing by itself (enable.auto.offset.store=false). The program stores
-- the offset when its work is done, and the timer commits that.
-- Third case: the Java client commits inside a later poll, in the program's own thread, what earlier polls had
-- returned. A program that polls again has finished with them. In both, the record in hand comes once more.
--
-- Source: librdkafka, INTRODUCTION.md, "At-least-once processing"; ConsumerCoordinator.maybeAutoCommitOffsetsAsync.
return scenario {
  title = "A timer commits what is still in hand",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(100), start_at = seconds(1) },
    consumer "K1" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      session_timeout = seconds(10), max_poll_records = 1, work = seconds(8), effect = "charged a card",
    },
  },
  faults = {
    -- The fourth record has been in hand for seven seconds, and the timer has come due meanwhile.
    when(op "deliver ok" { from = "K1", nth = 4 }, after(seconds(7), kill "K1" { duration = seconds(2) })),
  },
  run_for = minutes(3),
  cases = {
    case "librdkafka" {
      why = "Handed out counts as done.",
      set = { auto_commit = "librdkafka" },
      expect = { violates "commit-ahead-of-processing", violates "effect-lost", holds "duplicate-delivery" },
    },
    case "librdkafka, stored when done" {
      why = "Done counts as done.",
      set = { auto_commit = "librdkafka", auto_offset_store = false, commit = "store" },
      expect = { holds "commit-ahead-of-processing", holds "effect-lost", violates "duplicate-delivery" },
    },
    case "java" {
      why = "Polled again counts as done.",
      set = { auto_commit = "java" },
      expect = { holds "commit-ahead-of-processing", holds "effect-lost", violates "duplicate-delivery" },
    },
  },
}
