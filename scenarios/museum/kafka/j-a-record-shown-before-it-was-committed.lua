-- A consumer has read a record, worked on it, and moved on. May the record still go away?
--
-- B1 leads and is cut off from the other brokers. P1 reaches it and writes: B1 appends the record,
-- nobody copies it, so it is not committed, and P1 never hears that it is stored. A leader that
-- shows consumers whatever stands in its log shows it all the same, and K reads it at offset 5.
-- Then B2 is elected, which has never seen it, and P2 writes there: another record at offset 5.
-- NEW reads that one. One offset, two records. When B1 is back, K learns by the leader epoch that its
-- position lies behind the place where the logs part, and goes back to read P2's; but what it has done
-- with P1's record is done.
--
-- The rule: consumers get records up to the high watermark, the offset below which every broker
-- in the ISR has all. P1's record stays out of sight, and when B1 follows B2, it is cut off.
--
-- Redpanda 21.10.1 applied entries before they were committed, and Jepsen found it.
-- Source: Jepsen, Redpanda 21.10.1 (2022), #3003; Partition.fetchRecords.
return scenario {
  title = "A record shown before it was committed",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P0" { topic = "orders", records = 5, every = ms(100), start_at = seconds(2), acks = "all" },
    producer "P1" {
      topic = "orders", records = 1, start_at = seconds(10), acks = "all", idempotence = false, retries = 0, request_timeout = seconds(2),
      delivery_timeout = seconds(3),
    },
    producer "P2" { topic = "orders", records = 3, every = ms(500), start_at = seconds(40), acks = "all" },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
    consumer "NEW" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = seconds(45) },
  },
  faults = {
    at(seconds(9), partition { { "B1" }, { "B2", "B3", "C1", "P2", "NEW" }, duration = seconds(50) }),
  },
  run_for = seconds(80),
  expect = { reaches "leader_elected", reaches "log_truncated", holds "duplicate" },
  cases = {
    case "whatever the leader has" {
      why = "K reads what no other broker has.",
      set = { fetch_high_watermark = false },
      expect = { violates "inconsistent-offsets", violates "truncated-commit", holds "lost-message" },
    },
    case "up to the high watermark" {
      why = "What may still go away is shown to nobody.",
      expect = { holds "inconsistent-offsets", holds "truncated-commit", holds "lost-message" },
    },
  },
}
