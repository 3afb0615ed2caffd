-- One record can't be worked on: it fails, whenever it is tried. What happens to those behind it?
--
-- K1 reads one partition and works on each record; the work on P1-7 always fails. Positions only go forward, so K1 has
-- three choices. First case: it tries again and again. The order is kept, nothing is skipped, and nothing behind P1-7
-- is ever worked on, while the broker finds nothing wrong. Second case: after three attempts the record goes to another
-- topic, where somebody may look at it, and the partition flows again. The price: P1-7 is out of order, and that other
-- topic must be watched.
-- (Kafka has no dead-letter topic of its own: it is the application that sends there. KIP-298 has one for Connect.)
return scenario {
  title = "The record that always fails",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 }, failed = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(100), start_at = seconds(4) },
    consumer "K1" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", auto_commit = "off", commit = "each",
      work = ms(20), poison = { "P1-7" }, attempts = 3, attempt_backoff = ms(500), max_poll_records = 1,
      dead_letter_topic = "failed",
    },
  },
  run_for = seconds(60),
  cases = {
    case "again and again" {
      why = "Thirteen records wait behind one.",
      set = { on_failure = "block" },
      expect = { violates "head-of-line-stall", violates "lost-message" },
    },
    case "aside after three attempts" {
      why = "The partition flows again.",
      set = { on_failure = "dead_letter" },
      expect = { holds "head-of-line-stall" },
    },
  },
}
