-- The producer reports that a write did not end well. Is the record not there?
--
-- P1 sends records with acks=all. B1 writes them and waits for its followers, which are cut off from
-- it. After 30 s P1 has no answer and, told not to retry, gives up: the outcome is unknown. But the
-- records are in B1's log, and nothing takes them out. The cut heals, the followers fetch them, the
-- high watermark passes them, and consumers read what the application takes for lost. This
-- application sends each of them again, and so each stands in the log twice.
--
-- The fix: no answer, NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND
-- mean unknown, not failed. Leave it to the producer to try again. Within its session it sends the
-- same batch under the same sequence number; a broker that has it writes nothing and answers with
-- the offset where it stands. The application never sees a failure, and has nothing to send again.
-- Sources: DelayedProduce (a produce waits after the append, never before), KIP-98, ProducerStateManager.
return scenario {
  title = "A write reported failed that commits later",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" {
      topic = "orders", records = 5, every = seconds(1), start_at = seconds(2),
      acks = "all", resend = true,
    },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(ms(4500), partition { { "B1" }, { "B2", "B3" }, traffic = "replication", duration = seconds(37) }),
  },
  run_for = seconds(60),
  expect = { reaches "request_timed_out", reaches "produce_timed_out", holds "lost-message" },
  cases = {
    case "the application sends again" {
      why = "It takes unknown for failed, and the broker for new what it has already.",
      set = { retries = 0 },
      expect = { violates "duplicate" },
    },
    case "the producer sends again" {
      why = "The same sequence number tells the broker what it is.",
      set = { retries = 2147483647 },
      expect = { holds "duplicate", holds "duplicate-delivery", reaches "duplicate_recognised" },
    },
  },
}
