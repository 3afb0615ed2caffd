-- A follower has missed two elections and goes on fetching from the leader it knew. May it confirm?
--
-- B1 leads. Its next record (from OLD) reaches B2 but not B3. The operator moves the lead to B3 and
-- at once back to B1; of both, B2 hears nothing. B1 was a follower in between and has cut OLD's
-- record away, as it should; now, leader for the second time, it writes a record of P1 at that
-- offset. B2 still follows the B1 that it knew and fetches from the offset after OLD's record. It is
-- counted as a holder of P1's record, B3 really is one, and P1 is told that the record is stored.
-- Then B1 dies and B2, in the ISR, leads: with OLD's record where P1's was.
--
-- Before KIP-320 a fetch said nothing of epochs, so cutting the log at each new epoch (KIP-279) did
-- not help: B2 had not heard of one. The fix: a fetch names the epoch that the follower lives in,
-- and a leader in another epoch refuses it. B2 confirms nothing before it has caught up with the
-- elections and cut its log.
-- Sources: KIP-320 and KAFKA-7395; Kip320.tla, rules 1 and 3 (hachikuji/kafka-specification).
return scenario {
  title = "A fetch from an older epoch",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, truncation = "kip279" },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 12, every = seconds(1), start_at = seconds(2), acks = "all" },
    producer "OLD" { topic = "orders", records = 1, start_at = ms(6200), acks = "all", retries = 0 },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    -- OLD's record does not reach B3. B2 gets it, and its next fetch is slow.
    when(op "send invoke" { from = "OLD" }, hold "FetchReply" { from = "B1", to = "B3", label = "replication" }),
    when(delivered "Produce" { from = "OLD", to = "B1" }, hold "Fetch" { from = "B2", to = "B1", label = "old fetch" },
      -- From now on B2 gets no news of the cluster.
      after(ms(50),
        hold "QuorumFetchReply" { from = "C1", to = "B2", label = "news" },
        command("C1", "elect", "orders/0 B3"))),
    -- B1 has cut OLD's record away, and leads again.
    when(mark "log_truncated" { from = "B1" }, command("C1", "elect", "orders/0 B1"), release "replication"),
    -- P1's record is at B1. Now B2's fetch arrives.
    when(delivered "Produce" { from = "P1", to = "B1", nth = 6 },
      release "old fetch",
      after(ms(500), kill "B1" { duration = seconds(20) }, release "news")),
  },
  run_for = seconds(45),
  expect = { reaches "leader_elected", reaches "killed", reaches "log_truncated" },
  cases = {
    case "a fetch names no epoch" {
      why = "B1 counts a follower that lives in the past.",
      set = { fetch_epoch_check = false },
      expect = { violates "lost-message", violates "inconsistent-offsets" },
    },
    case "a fetch names its epoch" {
      why = "B1 refuses it: FENCED_LEADER_EPOCH.",
      set = { fetch_epoch_check = true },
      expect = { holds "lost-message", holds "inconsistent-offsets" },
    },
  },
}
