-- acks=all: all of whom?
--
-- "All" means all members of the ISR, the in-sync replicas, and the ISR may be the leader alone.
--
-- The network between the brokers fails: B1, the leader, no longer sees B2 and B3, while producers,
-- readers and controllers see everybody. P1's next records wait for two followers that can't fetch.
-- After replica_lag_max (30 s) B1 takes both out of the ISR, the controller agrees, and the ISR is
-- {1}. Now all of the ISR has the records, which is to say one disk has them. P1 is told so, for
-- these and for the next ones. Then that disk dies.
--
-- B1 comes back with an empty disk. Nobody else may lead, since nobody else was in sync; as the last
-- known leader B1 is elected again, and B2 and B3 follow it, which here means that they cut what they
-- have to the leader's empty log. Even the records that all three had are gone.
--
-- With min_insync=2 the leader refuses what fewer than two in-sync replicas would hold, and P1 tries
-- again. Nothing was acknowledged that B2 and B3 lack, so when the ISR fell below two the controller
-- kept them as eligible leader replicas. B1 dies, B2 leads, and P1's records are stored there.
-- Kafka's default of min.insync.replicas is 1.
--
-- Source: Kafka's design page, "Availability and Durability Guarantees"; KIP-966.
return scenario {
  title = "acks=all, and one copy",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, min_insync = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = seconds(5), start_at = seconds(7), acks = "all" },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(28), partition { { "B1" }, { "B2", "B3" }, label = "between the brokers" }),
    when(mark "isr_shrunk",
      after(seconds(11), wipe "B1" { duration = seconds(20) }, heal "between the brokers")),
  },
  run_for = seconds(150),
  expect = { reaches "isr_shrunk", reaches "leader_elected" },
  cases = {
    case "min_insync=1" {
      why = "All of the ISR is one broker.",
      expect = {
        reaches "unclean_election", reaches "log_truncated",
        violates "lost-message", violates "inconsistent-offsets", violates "truncated-commit",
      },
    },
    case "min_insync=2" {
      why = "Fewer than two in-sync replicas: refused.",
      set = { ["cluster.min_insync"] = 2 },
      expect = {
        reaches "not_enough_replicas",
        holds "lost-message", holds "inconsistent-offsets", holds "truncated-commit", holds "duplicate",
      },
    },
  },
}
