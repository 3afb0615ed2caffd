-- The leader wrote the record, its answer was lost, and then it died. Does the next leader know?
--
-- P1 is idempotent. The fourth record stands on all three brokers when the answer to it is lost, and a
-- moment later B1 dies. B2 leads. P1 has heard nothing and sends the record again, to B2, which never
-- got it from a producer: it has copied it from B1's log.
--
-- The sequence numbers stand in the log, beside the records. So whoever copies the log learns what
-- each producer wrote, B2 recognises the batch, and answers with the offset of the copy that is there.
-- A memory that only the leader keeps would end with the leader: B2 would know nothing of P1, take any
-- number, and write the record again. (No Kafka was ever built so; the switch shows why.)
--
-- Source: KIP-98; ProducerStateManager is rebuilt from the log by followers, too.
return scenario {
  title = "A new leader recognises what the old one wrote",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = seconds(1), start_at = seconds(5), window = 1 },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(sent "Produce" { from = "P1", nth = 4 },
      drop "ProduceReply" { from = "B1", to = "P1" },
      after(ms(100), kill "B1" { duration = seconds(20) })),
  },
  run_for = seconds(60),
  expect = { reaches "leader_elected", reaches "producer_retry" },
  cases = {
    case "kept by the leader alone" {
      why = "B2 takes the retry for the first record of an unknown producer.",
      set = { dedup_replicated = false },
      expect = { violates "duplicate", violates "duplicate-delivery" },
    },
    case "kept in the log" {
      why = "B2 has read the number with the record.",
      set = { dedup_replicated = true },
      expect = { reaches "duplicate_recognised", holds "duplicate", holds "duplicate-delivery" },
    },
  },
}
