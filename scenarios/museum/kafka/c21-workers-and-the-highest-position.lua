-- The loop hands records to four workers and polls on. Which position may it commit?
--
-- One record takes much longer than the others: its worker is still busy when the next ones are done. Then the process
-- is killed, and comes back.
--
-- First case: the highest finished position is committed. It stands behind the slow record, which nobody has finished;
-- after the restart nobody gets it again. Second case: the library commits by itself, inside the next poll, what the
-- last poll returned. It takes "returned" for "done", and the loop has only handed it on: the same loss, without a line
-- of code that commits. Third case: the finished *prefix* is committed, up to the slow record and no further. What was
-- finished behind it is done again.
-- (KafkaConsumer javadoc, "multi-threaded processing"; ConsumerCoordinator.maybeAutoCommitOffsetsAsync.)
return scenario {
  title = "Four workers, one position",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(100), start_at = seconds(4) },
    consumer "K1" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", session_timeout = seconds(10),
      auto_commit = "off", workers = 4, work = ms(50), work_slow_message = "P1-10", work_slow = seconds(8),
      auto_commit_interval = seconds(1),
    },
  },
  faults = {
    -- P1-10 is in hand, and two seconds of later records are done.
    when(op "deliver ok" { from = "K1", nth = 30 }, kill "K1" { duration = seconds(2) }),
  },
  run_for = seconds(40),
  cases = {
    case "the highest" {
      why = "Finished is not the same as finished so far.",
      set = { commit = "highest" },
      expect = { violates "commit-ahead-of-processing" },
    },
    case "by itself" {
      why = "Returned by a poll is not the same as done.",
      set = { auto_commit = "java" },
      expect = { violates "commit-ahead-of-processing" },
    },
    case "the prefix" {
      why = "Up to the first record that is not finished.",
      set = { commit = "prefix" },
      expect = { holds "commit-ahead-of-processing", violates "duplicate-delivery" },
    },
  },
}
