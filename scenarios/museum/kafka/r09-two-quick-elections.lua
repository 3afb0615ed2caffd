-- A leader loses the lead and has it back before it could cut its log. Do the logs still agree?
--
-- B1 leads and writes a record (OLD's) that B2 never gets. The operator moves the lead to B2, which
-- writes a record of P1 at the same offset. B1 should now ask B2 where their logs part, and cut; but
-- its question is slow, and before it arrives, B1 leads again. So it is B2 that asks: where does my
-- last epoch, 1, end with you? B1 never lived in epoch 1. By KIP-101 it answers with the beginning
-- of the first later epoch, its own epoch 2, which began at the end of its log. B2 finds nothing to
-- cut. From here on both copies grow by the same records, the high watermark passes the place where
-- they differ, and whoever reads there gets what the leader of the day has. P1's record, sent
-- again to B1, stands twice in B2's copy.
--
-- The fix (KIP-279): the answer also says which epoch it speaks of, the largest one up to 1 that B1
-- knows: epoch 0. B2 cuts to where its own epoch 0 ends.
-- Sources: KIP-279, KAFKA-6361; Kip279.tla (hachikuji/kafka-specification); AbstractFetcherThread.
return scenario {
  title = "Two quick elections hide where the logs part",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 2, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 2 } },
  clients = {
    producer "P1" { topic = "orders", records = 12, every = seconds(1), start_at = seconds(2), acks = "all" },
    producer "OLD" { topic = "orders", records = 1, start_at = ms(6200), acks = "all", retries = 0 },
    consumer "EARLY" { topics = { "orders" }, auto_offset_reset = "earliest" },
    consumer "LATE" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = seconds(18) },
  },
  faults = {
    when(op "send invoke" { from = "OLD" }, hold "FetchReply" { from = "B1", to = "B2", label = "record" }),
    when(delivered "Produce" { from = "OLD", to = "B1" },
      command("C1", "elect", "orders/0 B2"),
      hold "OffsetForLeaderEpoch" { from = "B1", to = "B2", label = "question" }),
    when(delivered "Produce" { from = "P1", to = "B2" },
      command("C1", "elect", "orders/0 B1"),
      release "record",
      after(seconds(1), release "question")),
    -- Later the lead changes in good order, to B2 and back.
    at(seconds(16), command("C1", "elect", "orders/0 B2")),
    at(seconds(22), command("C1", "elect", "orders/0 B1")),
  },
  run_for = seconds(30),
  expect = { reaches "leader_elected" },
  cases = {
    case "KIP-101" {
      why = "The answer is an offset without an epoch.",
      set = { truncation = "kip101" },
      expect = { violates "inconsistent-offsets", violates "log-divergence", violates "duplicate" },
    },
    case "KIP-279" {
      why = "The answer names the epoch that ends there.",
      set = { truncation = "kip279" },
      expect = { holds "inconsistent-offsets", holds "log-divergence", holds "duplicate", reaches "log_truncated" },
    },
  },
}
