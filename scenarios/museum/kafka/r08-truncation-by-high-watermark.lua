-- Two replicas of one partition, in sync, with different records at the same offset. How can that be?
--
-- B1 leads, B2 follows. P1's second record, P1-2, stands at offset 1 of both logs, the high watermark
-- is 2, and P1 has its answer. B1's operating system has written P1-2 to the disk, B2's has not yet.
-- Then both machines lose power, B2 three seconds later: P1-2 is gone from B2, and not from B1.
--
-- B2 is back first, and since it was the last one in sync, it leads. P2's record P2-1 gets offset 1.
-- Then B1 comes back as a follower, and has to cut what the leader does not have.
--
-- Before KIP-101 it cut at its own high watermark: 2, as its checkpoint file said. Nothing lies above
-- 2, so nothing is cut. It fetches from offset 2, where the leader's log ends as well, and joins the
-- ISR: P1-2 here and P2-1 there, at the same offset, for ever. What a reader finds at offset 1 depends
-- on who leads at the time.
--
-- KIP-101 asks the leader instead: "my last epoch is 0; where did it end with you?" At 1. B1 cuts P1-2,
-- fetches P2-1, and both logs are the same. What this does not mend: P1-2 was acknowledged, and is
-- lost. No rule of truncation brings back what the leader's machine forgot.
--
-- Source: KIP-101 (its second scenario), KAFKA-1211.
return scenario {
  title = "Truncation by high watermark: two logs that stay different",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { profile = "0.11", brokers = 2, min_insync = 1 },
  topics = { orders = { partitions = 1, replicas = 2 } },
  clients = {
    producer "P1" { topic = "orders", records = 2, every = seconds(50), start_at = seconds(10), acks = "all" },
    producer "P2" { topic = "orders", records = 1, start_at = seconds(90), acks = "all" },
    -- K0 reads all the time; the others begin while B2 leads, while B1 leads, while B2 leads again.
    consumer "K0" { topics = { "orders" }, auto_offset_reset = "earliest" },
    consumer "K1" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = seconds(180) },
    consumer "K2" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = seconds(200) },
    consumer "K3" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = seconds(220) },
  },
  faults = {
    -- P1-1 was written back long ago. Of P1-2 only B1's copy is.
    at(seconds(70), write_back "B1"),
    at(seconds(71), power "B1"),
    at(seconds(74), power "B2" { duration = seconds(10) }),
    when(op "send ok" { from = "P2" }, restart "B1"),
    at(seconds(190), command("controller", "elect", "orders/0 B1")),
    at(seconds(210), command("controller", "elect", "orders/0 B2")),
  },
  run_for = seconds(240),
  expect = { reaches "leader_elected", reaches "isr_expanded" },
  cases = {
    case "by high watermark" {
      why = "What a replica once knew to be committed, it keeps.",
      set = { ["cluster.truncation"] = "hw" },
      expect = { violates "log-divergence", violates "inconsistent-offsets" },
    },
    case "KIP-101" {
      why = "A replica asks where its last epoch ended.",
      set = { ["cluster.truncation"] = "kip101" },
      expect = { reaches "log_truncated", holds "log-divergence", violates "lost-message" },
    },
  },
}
