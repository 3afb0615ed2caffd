-- The controller is asked to take a follower into the ISR. Is it still the follower that was meant?
--
-- B2 was down and has caught up, and B1 asks the controller to take it into the ISR; the request is
-- slow. Then B2's machine loses power. It comes back, registers with the controller and is alive
-- again, but what had been in its page cache is gone: its log is short. Now the request arrives. The
-- leader epoch is right, the partition has not changed since (B2 was not in the ISR, so its restart
-- changed nothing), and B2 is alive: the controller agrees. When B1 dies, B2 leads with the short
-- log, and B3 throws away all that P1 was told to be safe.
--
-- The fix (KIP-903): every life of a broker has its number, the broker epoch. A fetch carries it, the
-- request names for each member the life whose log the leader has seen, and the controller refuses
-- (INELIGIBLE_REPLICA) when that is not the present one.
-- Sources: KIP-903, KAFKA-14139, ReplicationControlManager.ineligibleReplicasForIsr.
return scenario {
  title = "A rebooted replica gets into the ISR",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = seconds(1), start_at = seconds(2), acks = "all" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(ms(4500), kill "B2" { duration = seconds(40) }),
    when(mark "restarted" { from = "B2" }, hold "AlterPartition" { from = "B1", to = "C1", label = "request" }),
    -- B2 had caught up. It loses power, and gets nothing from B1 when it is back.
    when(sent "AlterPartition" { from = "B1" },
      partition { { "B1" }, { "B2" }, traffic = "replication" },
      after(ms(100), power "B2" { duration = seconds(2) })),
    -- Three brokers at first, B2 after the first restart, B2 after the second.
    when(mark "broker_unfenced" { nth = 5 },
      after(ms(500), release "request"),
      after(seconds(2), kill "B1" { duration = seconds(20) })),
  },
  run_for = seconds(90),
  expect = { reaches "power_lost", reaches "isr_shrunk", reaches "leader_elected" },
  cases = {
    case "a name" {
      why = "The request says B2, and B2 is alive.",
      set = { isr_broker_epoch = false },
      expect = { violates "lost-message", violates "inconsistent-offsets", reaches "isr_expanded" },
    },
    case "a name and a life" {
      why = "The request says which life of B2 has caught up.",
      set = { isr_broker_epoch = true },
      expect = { holds "lost-message", holds "inconsistent-offsets" },
    },
  },
}
