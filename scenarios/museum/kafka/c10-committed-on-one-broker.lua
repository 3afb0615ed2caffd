-- A group's positions are records too, in the topic __consumer_offsets. How safe is a commit that was answered "ok"?
--
-- As safe as a record with acks=all: it is on all in-sync replicas, and that may be the coordinator's broker alone. The
-- brokers lose sight of it. For half a minute commits fail, since two in-sync replicas can't fetch; then both leave the
-- ISR. A minute later the machines of that broker and of K1 lose power.
--
-- First case: min.insync.replicas=1 for this topic, the default of a cluster. With the ISR of one, commits are answered
-- "ok" again. The last of them stood in the page cache of one machine. It comes back without them, nobody else was in
-- sync, and it leads again. K1 comes back, asks where its group stands, and is told a position that it had left behind
-- half a minute before it died: the group's committed position has gone back.
-- Second case: 2. Commits fail for as long as one broker alone has them, and K1 is told so. Another broker leads, with
-- the position that was answered last. More records come twice, as it is an older one; but nothing goes back on its
-- word.
-- (Had the position been lost altogether, auto.offset.reset would decide: all again, or, with latest, a gap.)
--
-- Source: GroupCoordinatorService.groupMetadataTopicConfigs, which sets no min.insync.replicas; KIP-966.
return scenario {
  title = "A committed position that one broker had",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 300, every = ms(500), start_at = seconds(5) },
    consumer "K1" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range" },
  },
  faults = {
    at(seconds(15), isolate { "leader __consumer_offsets/0", traffic = "replication", label = "the followers" }),
    when(mark "isr_shrunk" { place = "__consumer_offsets/0" },
      after(minutes(1),
        power { "leader __consumer_offsets/0", "K1", duration = seconds(20) },
        heal "the followers")),
  },
  run_for = minutes(4),
  expect = { reaches "isr_shrunk", reaches "power_lost", holds "lost-message", violates "duplicate-delivery" },
  cases = {
    case "offsets_min_insync=1" {
      why = "Committed means: on one broker.",
      set = { ["cluster.offsets_min_insync"] = 1 },
      expect = { reaches "unclean_election", violates "position-regression" },
    },
    case "offsets_min_insync=2" {
      why = "Fewer than two in-sync replicas: the commit fails.",
      set = { ["cluster.offsets_min_insync"] = 2 },
      expect = { reaches "coordinator_loaded", holds "position-regression" },
    },
  },
}
