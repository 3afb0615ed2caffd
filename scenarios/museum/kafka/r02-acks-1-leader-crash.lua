-- The leader said "stored", and died. Where is the record?
--
-- B1 leads, B2 and B3 follow, all three are in sync. P1 sends one record a second. The tenth
-- reaches B1 and stands in its log, but the answers that would carry it to the followers are still
-- under way when the process of B1 dies.
--
-- With acks=1 the fate of those answers did not matter: B1 had told P1 "offset 9" as soon as it had
-- written the record itself. Nine seconds after its last heartbeat B1 is fenced, and B2 leads epoch
-- 1 with a log that ends at 9. The next record gets offset 9 too. B1 comes back with the tenth
-- record still on its disk; its log and the new leader's part at 9, so it cuts its own, and the
-- only copy is gone. Every broker kept the rules: P1 had asked for one copy, and one copy died.
--
-- With acks=all the answer waits until every member of the ISR has fetched past the record. B1 dies
-- without having answered; P1 sends again, to B2, and is told an offset that lasts.
--
-- Source: Kafka's design page, "Availability and Durability Guarantees"; producer option acks.
return scenario {
  title = "acks=1: acknowledged by a leader that then dies",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    -- One request at a time, so that retries do not also change the order.
    producer "P1" { topic = "orders", records = 20, every = seconds(1), start_at = seconds(5), max_in_flight = 1 },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(sent "Produce" { from = "P1", to = "B1", nth = 10 },
      hold "FetchReply" { from = "B1", to = "B2" },
      hold "FetchReply" { from = "B1", to = "B3" },
      after(ms(50), kill "B1" { duration = seconds(20) })),
  },
  run_for = seconds(60),
  expect = { reaches "leader_elected", reaches "producer_retry" },
  cases = {
    case "acks=1" {
      why = "The leader's own copy is enough for the answer.",
      set = { acks = "1" },
      expect = {
        reaches "log_truncated",
        violates "lost-message", violates "lost-write", violates "inconsistent-offsets",
      },
    },
    case "acks=all" {
      why = "The answer waits for the followers, and so is never given.",
      set = { acks = "all" },
      expect = { holds "lost-message", holds "lost-write", holds "inconsistent-offsets", holds "duplicate" },
    },
  },
}
