-- The leader has asked to drop a slow follower from the ISR. From when on may it stop waiting?
--
-- B1 leads; B2 gets nothing from it any more, while B3 does. For half a minute no record of P1 is
-- confirmed, since B2 is in the ISR. Then B1 asks the controller to drop B2, and the request is
-- slow. If B1 takes the answer for granted, it counts {1,3} at once: the high watermark jumps, and
-- P1 is told that all its records are stored. But to the controller the ISR is {1,2,3} as before.
-- B1 dies, and the controller picks the first living member of that: B2, which has none of them.
--
-- The fix: until the controller has confirmed it, the leader counts the larger ISR, here the old
-- one. P1 waits longer, and is told nothing that is not so.
-- Sources: KIP-497, KAFKA-8836, PendingShrinkIsr in Partition; AsyncIsr.tla (hachikuji/kafka-specification).
return scenario {
  title = "The high watermark over an ISR that has not shrunk yet",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 50, every = seconds(1), start_at = seconds(2), acks = "all" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(ms(4500),
      partition { { "B1" }, { "B2" }, traffic = "replication" },
      hold "AlterPartition" { from = "B1", to = "C1", label = "request" }),
    when(sent "AlterPartition" { from = "B1" }, after(seconds(1), kill "B1" { duration = seconds(20) })),
  },
  run_for = seconds(90),
  expect = { reaches "leader_elected" },
  cases = {
    case "the new ISR at once" {
      why = "B1 counts {1,3} since it asked.",
      set = { hw_isr = "eager" },
      expect = { violates "lost-message", violates "inconsistent-offsets" },
    },
    case "the larger of both" {
      why = "B1 counts {1,2,3} until it is told otherwise.",
      set = { hw_isr = "maximal" },
      expect = { holds "lost-message", holds "inconsistent-offsets" },
    },
  },
}
