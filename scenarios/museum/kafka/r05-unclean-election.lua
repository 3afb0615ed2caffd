-- A database of five replicas, every write confirmed by "all", and half of them lost. How?
--
-- In 2013 Jepsen tested the first Kafka with replication. Five brokers hold the partition. The leader,
-- B1, is cut off from its four followers, but not from the coordination service and not from the
-- clients. The followers leave the ISR; "all in-sync replicas" is now B1 alone, and it goes on
-- acknowledging. Then B1 dies.
--
-- The only in-sync replica is gone. With unclean elections the controller takes anybody alive rather
-- than wait: B2 leads, with a log that ends where the cut began. Its next records take the offsets of
-- those that only B1 had. B1 comes back with all of them on its disk, finds that its log and B2's
-- part, and cuts.
--
-- Two ways out, and each alone is enough here. min_insync=3: B1 may not acknowledge what it alone has,
-- so whoever is elected then lacks nothing that was acknowledged. Or no unclean elections: only B1 was
-- in sync, only B1 may lead, and the partition stays offline until B1 is back with its log.
--
-- Source: aphyr.com/posts/293 (as published, 987 of 1000 writes acknowledged and 520 of those lost).
-- min.insync.replicas came with 0.8.2; unclean.leader.election.enable is false since 0.11.
return scenario {
  title = "An unclean election",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { profile = "3.9", brokers = 5, min_insync = 1, unclean_election = true },
  topics = { orders = { partitions = 1, replicas = 5 } },
  clients = {
    producer "P1" { topic = "orders", records = 100, every = seconds(1), start_at = ms(5500), acks = "all" },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(op "send ok" { from = "P1", nth = 25 },
      partition { { "B1" }, { "B2", "B3", "B4", "B5" }, label = "between the brokers" }),
    when(mark "isr_shrunk",
      after(seconds(20), kill "B1" { duration = seconds(30) }, heal "between the brokers")),
  },
  run_for = seconds(180),
  expect = { reaches "isr_shrunk", reaches "leader_elected" },
  cases = {
    case "unclean elections" {
      why = "Anybody may lead, however little it has.",
      expect = {
        reaches "unclean_election", reaches "log_truncated",
        violates "lost-message", violates "inconsistent-offsets", violates "truncated-commit",
      },
    },
    case "min_insync=3" {
      why = "B1 alone may acknowledge nothing.",
      set = { ["cluster.min_insync"] = 3 },
      expect = {
        reaches "not_enough_replicas",
        holds "lost-message", holds "inconsistent-offsets", holds "truncated-commit",
      },
    },
    case "unclean elections off" {
      why = "Nobody leads until B1 is back.",
      set = { ["cluster.unclean_election"] = false },
      expect = {
        reaches "partition_offline",
        holds "lost-message", holds "inconsistent-offsets", holds "truncated-commit",
      },
    },
  },
}
