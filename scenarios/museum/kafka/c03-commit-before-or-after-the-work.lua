-- A consumer must do two things with each batch: the work, and the commit. It can die between them. Which comes first?
--
-- K1 polls ten records at a time and needs 50 ms for each. In the middle of a batch its process is killed, and it comes
-- back at once. Nothing else goes wrong: no broker fails, no message is lost on the way.
--
-- First case: it commits the end of the batch, and then works. When it comes back, the group stands behind records that
-- were never worked on. They are delivered, as far as Kafka knows, and nobody will do them: at most once.
-- Second case: it works, and then commits. When it comes back, the group stands before records that were worked on. They
-- are done twice: at least once. A third order does not exist, as long as the work and the position are stored in two
-- different places.
-- (Kafka documentation, design: message delivery semantics. KafkaConsumer javadoc, "manual offset control".)
return scenario {
  title = "Between the work and the commit",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(20), start_at = seconds(1) },
    consumer "K1" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", session_timeout = seconds(10),
      auto_commit = "off", max_poll_records = 10, work = ms(50),
    },
  },
  faults = {
    -- In the middle of a batch.
    when(op "deliver ok" { from = "K1", nth = 25 }, after(ms(220), kill "K1" { duration = seconds(2) })),
  },
  run_for = seconds(40),
  cases = {
    case "commit, then work" {
      why = "At most once: what was in hand is skipped.",
      set = { commit = "before" },
      expect = { violates "commit-ahead-of-processing", holds "duplicate-delivery" },
    },
    case "work, then commit" {
      why = "At least once: what was in hand is done again.",
      set = { commit = "after" },
      expect = { holds "commit-ahead-of-processing", violates "duplicate-delivery" },
    },
  },
}
