-- Each record takes a second. Nobody crashes, the network is fine, and the same records are worked on again and again.
--
-- A poll returns up to 500 records, the default, here some four hundred. The library sends heartbeats meanwhile, so the
-- session is fine; but the application must poll again within max.poll.interval.ms, five minutes. It comes too late.
-- The library leaves the group by itself, since a program that hangs must not keep its partitions for ever. K1 does not
-- know and works on; what it read it can no longer commit.
--
-- First case: K2 is given the partition, at the position of before the batch. It polls as many, needs as long, and is
-- put out as well. K1 has come back meanwhile, and gets them again. It goes on like this: both are always busy, every
-- letter is sent many times, and the committed position never moves. No restart helps, and more members do not either.
-- Second case: a hundred records a poll, 100 s of work for 300 s of interval. It is the time of a whole batch that must
-- fit. (Or a longer max.poll.interval.ms: then a program that really hangs is found out later.)
--
-- Source: KIP-62; AbstractCoordinator.HeartbeatThread (pollTimeoutExpired), max.poll.interval.ms, max.poll.records.
return scenario {
  title = "A batch that takes longer than a poll may",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 600, every = ms(5), start_at = seconds(1) },
    consumer "K1" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      start_at = seconds(10), work = seconds(1), effect = "sent a letter",
    },
    consumer "K2" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      start_at = seconds(12), work = seconds(1), effect = "sent a letter",
    },
  },
  run_for = minutes(30),
  cases = {
    case "500 records a poll" {
      why = "The work on a batch takes longer than the interval.",
      expect = { reaches "max_poll_interval_exceeded", violates "effect-duplicate", violates "duplicate-delivery" },
    },
    case "100 records a poll" {
      why = "It fits.",
      set = { max_poll_records = 100 },
      expect = { holds "effect-duplicate", holds "duplicate-delivery", holds "lost-message" },
    },
  },
}
