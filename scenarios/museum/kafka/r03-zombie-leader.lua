-- How long does a leader go on leading that everybody else has given up?
--
-- B1 leads. A cut leaves P1 and B1 on one side, the other brokers, the controllers and the readers on
-- the other. After nine seconds without heartbeat the controller fences B1, and B2 leads epoch 1. But
-- nobody can tell B1: a leader of Kafka has no lease that would run out. It believes in epoch 0 for as
-- long as the cut lasts, here more than a minute, and P1, whose metadata comes from B1, does so too.
--
-- With acks=1 every record of that minute is acknowledged. When the cut heals, B1 hears of epoch 1,
-- follows, and cuts its log to where B2's begins to differ: all of it is lost, and the longer the cut,
-- the more.
--
-- With acks=all nothing is acknowledged over there, even if one in-sync replica would be enough
-- (min_insync=1): B1 would like to drop B2 and B3 from the ISR, but only the controller can shrink
-- it, and until the controller has agreed, the high watermark waits for all of the old ISR. That is
-- the fence. P1 times out, keeps the records, and delivers them after the heal.
--
-- Source: kafka.cluster.Partition (PendingShrinkIsr.maximalIsr), KIP-497.
return scenario {
  title = "A leader that nobody follows any more",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" {
      topic = "orders", records = 60, every = seconds(1), start_at = seconds(5),
      max_in_flight = 1,                 -- so that retries do not also change the order
      delivery_timeout = minutes(5),     -- so that P1 does not give up before the cut is healed
    },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(op "send ok" { from = "P1", nth = 5 },
      partition { { "B1", "P1" }, { "rest" }, duration = seconds(70) }),
  },
  run_for = seconds(120),
  expect = { reaches "leader_elected", reaches "broker_fenced" },
  cases = {
    case "acks=1" {
      why = "The leader answers alone, for as long as it believes that it leads.",
      set = { acks = "1" },
      expect = { reaches "log_truncated", violates "lost-message" },
    },
    case "acks=all" {
      why = "No answer without the followers.",
      set = { acks = "all" },
      expect = { reaches "produce_timed_out", holds "lost-message", holds "duplicate" },
    },
    case "acks=all, min_insync=1" {
      why = "Even then: the ISR does not shrink without the controller.",
      set = { acks = "all", ["cluster.min_insync"] = 1 },
      expect = { reaches "produce_timed_out", holds "lost-message", holds "duplicate" },
    },
  },
}
