-- A follower asks for what comes after record 5. Does it hold what the leader has up to there?
--
-- Followers confirm by asking: who fetches from offset 6 is counted as holding 0 to 5. That is true
-- only if the two logs agree below 6, and after a change of leader they may not. Here B1 leads and
-- takes one record (from OLD) that no follower gets. The operator moves the lead to B2, and B2
-- writes a record of P1 at the very offset where B1 keeps OLD's. Now B1, not yet cut back, fetches
-- from the offset after it. Taken at its word, B1 counts as a holder of P1's record: the high
-- watermark passes it, and P1 is told that it is stored. B2 dies, B1 is in the ISR and leads: P1's
-- record is gone, though two of three brokers had it, and OLD's stands in its place.
--
-- The fix: a fetch also says of which leader epoch its last record is. The leader looks up where
-- that epoch ends in its own log. If that is before the offset asked for, the fetch confirms nothing
-- and the answer says where to cut. So P1 is not told, and its retry is stored by B1.
-- Sources: KIP-320, Kip320FirstTry.tla (hachikuji/kafka-specification), KAFKA-13141, Partition.fetchRecords.
return scenario {
  title = "A fetch offset taken as proof",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 12, every = seconds(1), start_at = seconds(2), acks = "all" },
    producer "OLD" { topic = "orders", records = 1, start_at = ms(6200), acks = "all", retries = 0 },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    -- OLD's record reaches no follower.
    when(op "send invoke" { from = "OLD" },
      hold "FetchReply" { from = "B1", to = "B2", label = "replication" },
      hold "FetchReply" { from = "B1", to = "B3", label = "replication" }),
    -- B2 shall lead, and B1's first fetch from it is slow.
    when(delivered "Produce" { from = "OLD", to = "B1" },
      command("C1", "elect", "orders/0 B2"),
      hold "Fetch" { from = "B1", to = "B2", label = "first fetch" }),
    -- P1's record is at B2. Now the fetch arrives there, and its answer is slow.
    when(delivered "Produce" { from = "P1", to = "B2" },
      hold "FetchReply" { from = "B2", to = "B1", label = "answer" },
      release "first fetch", release "replication"),
    when(delivered "Fetch" { from = "B1", to = "B2" }, after(ms(700), kill "B2" { duration = seconds(20) })),
  },
  run_for = seconds(45),
  expect = { reaches "leader_elected", reaches "killed" },
  cases = {
    case "the offset alone" {
      why = "B1 is counted for a record that it does not have.",
      set = { fetch_epoch_check = false },
      expect = { violates "lost-message", violates "inconsistent-offsets" },
    },
    case "offset and epoch" {
      why = "The last epoch tells that the logs part below the offset.",
      set = { fetch_epoch_check = true },
      expect = { holds "lost-message", holds "inconsistent-offsets", reaches "log_truncated" },
    },
  },
}
