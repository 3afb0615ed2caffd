-- A new leader lets a follower back into the ISR. How far must that follower have come?
--
-- B1 leads, B2 follows closely, B3 was down and is just catching up. B1 tells P1 that a record is
-- stored: B2 has it. That the high watermark has passed it, B2 would learn from the answer to its
-- next fetch; but now B1 dies. So B2 leads with every record that P1 was told of, and with a high
-- watermark that lags one record behind. B3 lacks that record. It fetches from B2, and has reached
-- the lagging mark: if that is enough, it joins the ISR. The record itself is on its way to B3 when
-- B2 dies too. B3 leads, and a record that two brokers had is gone.
--
-- The fix: what a new leader calls its high watermark says nothing of what was acknowledged before
-- it led. All of that lies below the offset where its own epoch begins; so nobody joins who has not
-- got there. B3 stays outside, and the partition waits for B2.
-- Sources: KAFKA-7128, Partition.isFollowerInSync; Kip320.tla, rule 4 (hachikuji/kafka-specification).
return scenario {
  title = "Into the ISR at a high watermark that lags",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { profile = "3.9", brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 50, every = seconds(1), start_at = seconds(2), acks = "all" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    -- B3 is down long enough to leave the ISR. Back again, it catches up, but is slow to say so.
    at(ms(4500), kill "B3" { duration = seconds(40) }),
    when(mark "restarted" { from = "B3" }, hold "Fetch" { from = "B3", to = "B1", nth = 2, label = "confirmation" }),
    -- The next record is on B1 and B2. P1 is told so, and B1 dies.
    when(op "send ok" { from = "P1", nth = 44 },
      kill "B1" { duration = seconds(30) },
      hold "FetchReply" { from = "B2", to = "B3", label = "the record" }),
    -- B3 has fetched from B2 and waits for the answer.
    when(delivered "Fetch" { from = "B3", to = "B2" }, after(seconds(1), kill "B2" { duration = seconds(30) })),
  },
  run_for = seconds(100),
  expect = { reaches "isr_shrunk", reaches "leader_elected" },
  cases = {
    case "at the high watermark" {
      why = "B3 has reached a mark that lags.",
      set = { isr_join = "hw" },
      expect = { violates "lost-message", violates "inconsistent-offsets", reaches "isr_expanded" },
    },
    case "at the start of the epoch" {
      why = "B3 must have all that B2 began with.",
      set = { isr_join = "leader_epoch_start" },
      expect = { holds "lost-message", holds "inconsistent-offsets", reaches "partition_offline" },
    },
  },
}
