-- Two polls of one consumer, one after the other. Does the second go on where the first ended?
--
-- Not always in a group. K1's program hangs for forty seconds, as in a call to a database. It has not polled for longer
-- than max.poll.interval.ms, here 20 s, so its library leaves the group, and K2 is given the partition. It begins where
-- the *group* has committed, reads on, and commits. K1's program goes on, polls, learns that it is out, joins again and
-- is given the same partition again. It too begins where the group stands now.
--
-- First case: K2 has got further than K1 had. K1's next poll jumps over everything that K2 has read. Nothing is
-- missing: the group has had it.
-- Second case: K1 never committed, and K2 is slow. K1's next poll goes back, behind what it had polled before. A
-- promise of order between two polls ends where a partition is taken away, so neither is held against Kafka; and what a
-- program keeps in memory about a partition must be thrown away there as well.
-- Third case: both read for themselves, a partition that they chose (assign). Nobody can take it away. K1 hangs as
-- long, and goes on with the very next record: here a jump or a step back would be a fault.
--
-- Source: KIP-62; ConsumerCoordinator.onJoinPrepare, onJoinComplete; jepsen.tests.kafka (allowed-error-types).
return scenario {
  title = "A partition goes to another member, and comes back",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 400, every = ms(200), start_at = seconds(1) },
    consumer "K1" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      max_poll_interval = seconds(20), work = ms(20),
    },
    consumer "K2" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      max_poll_interval = seconds(20), max_poll_records = 10,
    },
  },
  faults = { when(op "deliver ok" { from = "K1", nth = 100 }, pause_application "K1" { duration = seconds(40) }) },
  run_for = minutes(4),
  expect = { holds "lost-message", holds "poll-skip", holds "nonmonotonic-poll" },
  cases = {
    case "it comes back further on" {
      why = "K2 has read and committed meanwhile.",
      expect = { reaches "max_poll_interval_exceeded", reaches "member_left" },
    },
    case "it comes back further back" {
      why = "K1 had committed nothing, and K2 is slow.",
      set = { ["K1.auto_commit"] = "off", ["K2.work"] = ms(500) },
      expect = { reaches "max_poll_interval_exceeded", reaches "member_left", violates "duplicate-delivery" },
    },
    case "a partition of its own" {
      why = "What was chosen by hand is not taken away.",
      set = { ["K1.group"] = "", ["K2.group"] = "" },
      expect = { holds "duplicate-delivery" },
    },
  },
}
